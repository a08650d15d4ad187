"""Tuples, which are always frozen. Their wire form: each field as a length (-1 for null) and its bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..errors import InvalidRequest
from . import wire
from .base import CqlType, MarshalError, interned
from .json_text import Json

MAX_FIELDS = (1 << 16) - 1  # what the protocol's [short] can count


class TupleType(CqlType):
    """``TupleType(types)`` gives the interned tuple type; collections in it are frozen. ``types``: of the fields.

    A value may leave out its last fields: they are null then, and make no difference when values are compared.
    """

    family = "tuple"
    types: tuple[CqlType, ...]

    def __new__(cls, types: Iterable[CqlType]) -> TupleType:
        return _tuple(tuple(t.freeze() for t in types))

    def __init__(self, types: Iterable[CqlType]):
        pass  # made once, by ``_make``

    def _make(self, types: tuple[CqlType, ...]) -> TupleType:
        if len(types) > MAX_FIELDS:
            raise InvalidRequest(f"A tuple may have {MAX_FIELDS:,} fields, and this one has {len(types):,}.")
        names = ", ".join(t.name for t in types)
        options = b"".join(t.option for t in types)
        super().__init__(
            f"frozen<tuple<{names}>>",
            b"\x00\x31" + len(types).to_bytes(2, "big") + options,
            f"TupleType({', '.join(t.class_name for t in types)})",
        )
        self._bare_name = f"tuple<{names}>"
        self.types = types
        self.holds_set_or_map = any(t.holds_set_or_map for t in types)
        return self

    @property
    def name_without_frozen(self) -> str:
        return self._bare_name

    def split(self, data: bytes) -> list[bytes | None]:
        """The wire bytes of all fields, left-out ones included."""
        fields = wire.unpack_fields(data)
        return fields + [None] * (len(self.types) - len(fields))

    def join(self, parts: Iterable[bytes | None]) -> bytes:
        """The wire form of fields as ``split`` gives them."""
        return wire.pack_fields(parts)

    def validate(self, data: bytes) -> None:
        fields = wire.unpack_fields(data)
        for field, cql_type in zip(fields, self.types, strict=False):
            if field is not None:
                cql_type.validate(field)
        if len(fields) > len(self.types):
            raise MarshalError(
                f"Value of type {self.class_name} contained too many fields "
                f"(expected {len(self.types)}, got {len(fields)})"
            )

    def decode(self, data: bytes) -> tuple[Any, ...]:
        pairs = zip(self.split(data), self.types, strict=True)
        return tuple(None if field is None else cql_type.decode(field) for field, cql_type in pairs)

    def encode(self, value: Iterable[Any]) -> bytes:
        pairs = zip(value, self.types, strict=False)
        return wire.pack_fields(None if v is None else cql_type.encode(v) for v, cql_type in pairs)

    def order(self, data: bytes) -> bytes:
        fields = wire.unpack_fields(data)
        while fields and fields[-1] is None:
            fields.pop()
        parts = [
            b"\x01" if field is None else b"\x02" + cql_type.order(field)
            for field, cql_type in zip(fields, self.types, strict=False)
        ]
        return b"".join(parts) + b"\x00"

    def to_text(self, data: bytes) -> str:
        pairs = zip(self.split(data), self.types, strict=True)
        return "(" + ", ".join("null" if f is None else cql_type.to_text(f) for f, cql_type in pairs) + ")"

    def from_text(self, text: str) -> bytes:
        """The old form of a tuple in a string: fields parted by colons, @ for null, both escaped by a backslash."""
        fields = re.split(r"(?<!\\):", text) if text else []
        if len(fields) > len(self.types):
            raise MarshalError(
                f"Invalid tuple literal: too many elements. Type {self.name} expects {len(self.types)} "
                f"but got {len(fields)}"
            )
        pairs = zip(fields, self.types, strict=False)
        return wire.pack_fields(
            None if field == "@" else cql_type.from_text(re.sub(r"\\([@:])", r"\1", field)) for field, cql_type in pairs
        )

    def to_json(self, data: bytes) -> str:
        pairs = zip(wire.unpack_fields(data), self.types, strict=False)
        return "[" + ", ".join("null" if f is None else cql_type.to_json(f) for f, cql_type in pairs) + "]"

    def from_json(self, value: Json) -> bytes:
        if not isinstance(value, list):
            raise MarshalError("tuple_type must be represented as JSON Array")
        if len(value) > len(self.types):
            raise MarshalError(f"Too many values ({len(value)}) for tuple with size {len(self.types)}")
        return wire.pack_fields(cql_type.from_json(v) for v, cql_type in zip(value, self.types, strict=False))

    def canonical(self, data: bytes) -> bytes:
        if not self.holds_set_or_map:
            return data
        pairs = zip(wire.unpack_fields(data), self.types, strict=False)
        return wire.pack_fields(None if field is None else cql_type.canonical(field) for field, cql_type in pairs)

    def accepts_value_of(self, other: CqlType) -> bool:
        if not isinstance(other, TupleType) or len(other.types) > len(self.types):
            return False
        return all(mine.accepts_value_of(its) for mine, its in zip(self.types, other.types, strict=False))


@interned
def _tuple(types: tuple[CqlType, ...]) -> TupleType:
    return object.__new__(TupleType)._make(types)
