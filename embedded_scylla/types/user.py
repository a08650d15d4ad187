"""User-defined types. A value has a tuple's wire form; a column that is not frozen has a cell for each field, under the
field's number (a smallint)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import InvalidRequest
from ..quoting import identifier
from .base import CqlType, MarshalError, interned
from .collections import ListType, MapType, SetType
from .json_text import Json, quote
from .tuples import TupleType
from .vectors import VectorType

MAX_FIELDS = (1 << 15) - 1  # their numbers are smallints


class UserType(TupleType):
    """``UserType(keyspace, name, fields, types, frozen)`` gives the interned type of these fields, in their order.

    ``type_name`` is its own name, as ``name`` is that of any type: in quotes where needed, and within ``frozen<…>``.
    The types of the fields of a frozen one are frozen too; of another one they are as they were declared.
    """

    family = "udt"
    fields: tuple[str, ...]

    def __new__(
        cls, keyspace: str, name: str, fields: Iterable[str], types: Iterable[CqlType], frozen: bool = False
    ) -> UserType:
        kept = tuple(t.freeze() for t in types) if frozen else tuple(types)
        return _user_type(keyspace, name, tuple(fields), kept, frozen)

    def __init__(self, *parts: Any):
        pass  # made once, by ``_describe``

    def _describe(
        self, keyspace: str, name: str, fields: tuple[str, ...], types: tuple[CqlType, ...], frozen: bool
    ) -> UserType:
        self._make(types)
        self.keyspace, self.type_name, self.fields, self.frozen = keyspace, name, fields, frozen
        self.is_multicell = not frozen
        self._bare_name = identifier(name)
        self.name = f"frozen<{self._bare_name}>" if frozen else self._bare_name
        parts = [_string(keyspace), _string(name), len(fields).to_bytes(2, "big")]
        for field, cql_type in zip(fields, types, strict=True):
            parts += (_string(field), cql_type.option)
        self.option = b"\x00\x30" + b"".join(parts)
        shown = "".join(f",{f.encode().hex()}:{t.class_name}" for f, t in zip(fields, types, strict=True))
        self.class_name = f"org.apache.cassandra.db.marshal.UserType({keyspace},{name.encode().hex()}{shown})"
        if frozen:
            self.class_name = f"org.apache.cassandra.db.marshal.FrozenType({self.class_name})"
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return UserType, (self.keyspace, self.type_name, self.fields, self.types, self.frozen)

    @property
    def full_name(self) -> str:
        """``keyspace.name``."""
        return f"{self.keyspace}.{self.type_name}"

    def freeze(self) -> UserType:
        return UserType(self.keyspace, self.type_name, self.fields, self.types, True)

    def changed(self, fields: Iterable[str], types: Iterable[CqlType]) -> UserType:
        """The type of that name with other fields."""
        return UserType(self.keyspace, self.type_name, fields, types, self.frozen)

    def number_of(self, field: str) -> int | None:
        """Which field is called so; None if there is none."""
        return self.fields.index(field) if field in self.fields else None

    def join_cells(self, values: Mapping[bytes, bytes | None]) -> bytes:
        """The value that the fields' cells make, by the fields' keys."""
        return self.join([values.get(field_key(number)) for number in range(len(self.types))])

    def cells_of(self, data: bytes) -> dict[bytes, bytes]:
        """The fields of a value that are not null, by their keys."""
        return {field_key(number): part for number, part in enumerate(self.split(data)) if part is not None}

    def to_text(self, data: bytes) -> str:
        parts = zip(self.fields, self.split(data), self.types, strict=True)
        shown = (f"{identifier(f)}: {'null' if part is None else t.to_text(part)}" for f, part, t in parts)
        return "{" + ", ".join(shown) + "}"

    def to_json(self, data: bytes) -> str:
        parts = zip(self.fields, self.split(data), self.types, strict=True)
        return (
            "{" + ", ".join(f"{quote(f)}: {'null' if part is None else t.to_json(part)}" for f, part, t in parts) + "}"
        )

    def from_json(self, value: Json) -> bytes:
        if not isinstance(value, dict):
            raise MarshalError("user_type must be represented as JSON Object")
        given = [value.get(field) for field in self.fields]
        for name in value:
            if name not in self.fields:
                raise MarshalError(f"Extraneous field definition for user type {self.type_name}: {name}")
        pairs = zip(given, self.types, strict=True)
        return self.join([None if part is None else cql_type.from_json(part) for part, cql_type in pairs])

    def accepts_value_of(self, other: CqlType) -> bool:
        return self is other


def field_key(number: int) -> bytes:
    """Under which key a field's cell is kept."""
    return number.to_bytes(2, "big")


def _string(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


@interned
def _user_type(keyspace: str, name: str, fields: tuple[str, ...], types: tuple[CqlType, ...], frozen: bool) -> UserType:
    return object.__new__(UserType)._describe(keyspace, name, fields, types, frozen)


# ---------------------------------------------------------------- user-defined types within types


def within(cql_type: CqlType) -> Iterable[UserType]:
    """The user-defined types that a type consists of, itself among them."""
    if isinstance(cql_type, UserType):
        yield cql_type
    for part in _parts(cql_type):
        yield from within(part)


def mentions(cql_type: CqlType, name: str) -> bool:
    """Whether a type consists of the user-defined type ``name`` (of its own keyspace, as all are)."""
    return any(found.type_name == name for found in within(cql_type))


def in_order(user_types: Iterable[UserType]) -> list[UserType]:
    """User-defined types, each after those that it consists of, else by name."""
    by_own_name = {user_type.type_name: user_type for user_type in user_types}
    ordered: dict[str, UserType] = {}

    def take(user_type: UserType) -> None:
        for found in within(user_type):
            if found.type_name != user_type.type_name and found.type_name not in ordered:
                take(by_own_name[found.type_name])
        ordered[user_type.type_name] = user_type

    for name in sorted(by_own_name):
        if name not in ordered:
            take(by_own_name[name])
    return list(ordered.values())


def with_changed(cql_type: CqlType, changed: UserType) -> CqlType:
    """The type with ``changed`` in place of what had its name."""

    def renew(found: UserType) -> CqlType | None:
        if found.type_name != changed.type_name:
            return None
        return changed.freeze() if found.frozen else changed

    return _replaced(cql_type, renew)


def without_user_types(cql_type: CqlType) -> CqlType:
    """The type with tuples in place of user-defined types: what is left of it when these may be dropped."""

    def flatten(found: UserType) -> CqlType | None:
        return TupleType([without_user_types(t) for t in found.types])

    return _replaced(cql_type, flatten)


def _parts(cql_type: CqlType) -> tuple[CqlType, ...]:
    if isinstance(cql_type, TupleType):
        return cql_type.types
    if isinstance(cql_type, MapType):
        return (cql_type.key, cql_type.value)
    return (cql_type.element,) if isinstance(cql_type, ListType | SetType | VectorType) else ()


def _replaced(cql_type: CqlType, replace: Callable[[UserType], CqlType | None]) -> CqlType:
    """The type with its user-defined types replaced; where ``replace`` gives None, with theirs."""
    if isinstance(cql_type, UserType):
        found = replace(cql_type)
        if found is not None:
            return found
    parts = _parts(cql_type)
    if not parts:
        return cql_type
    renewed = tuple(_replaced(part, replace) for part in parts)
    if renewed == parts:
        return cql_type
    if isinstance(cql_type, UserType):
        return cql_type.changed(cql_type.fields, renewed)
    if isinstance(cql_type, TupleType):
        return TupleType(renewed)
    if isinstance(cql_type, VectorType):
        return VectorType(*renewed, cql_type.dimension)
    made = type(cql_type)(*renewed)
    return made.freeze() if cql_type.frozen else made


def check_column_type(cql_type: CqlType) -> None:
    """InvalidRequest for the one type that no column may have, though it can be declared."""
    if isinstance(cql_type, UserType) and cql_type.is_multicell and any(t.is_multicell for t in cql_type.types):
        raise InvalidRequest("Non-frozen UDTs with nested non-frozen collections are not supported")
