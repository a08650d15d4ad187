"""From a type's name, as parsed or as text, to the type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from ..cql.ast import TypeName
from ..errors import InvalidRequest, unsupported
from .base import CqlType
from .collections import ListType, MapType, SetType
from .duration import DURATION
from .native import COUNTER, NATIVE
from .tuples import TupleType
from .user import UserType
from .vectors import MAX_DIMENSION, VectorType

UserTypes = Mapping[str, UserType]

_PARAMETERS = {"list": 1, "set": 1, "map": 2, "frozen": 1}


def parse_type(name: TypeName, keyspace: str | None = None, user_types: UserTypes | None = None) -> CqlType:
    """The type that is written, or InvalidRequest. ``user_types`` are those of ``keyspace``, the statement's."""
    return _build(name, keyspace, user_types or {}, frozen=False)


def _build(name: TypeName, keyspace: str | None, user_types: UserTypes, frozen: bool) -> CqlType:
    if name.known is not None:
        return name.known
    if name.custom:
        raise unsupported(f"The custom type '{name.name}'")
    family = name.name
    if not name.parameters:
        native = NATIVE.get("text" if family == "varchar" else family)
        return _user_type(name, keyspace, user_types, frozen) if native is None else native
    if family == "frozen":
        return _frozen(name.parameters[0], keyspace, user_types)
    if family == "tuple":
        fields = [_build(p, keyspace, user_types, frozen=True) for p in name.parameters]
        if COUNTER in fields:
            raise InvalidRequest("Counters are not allowed inside tuples")
        return TupleType(fields)
    if family == "vector" and len(name.parameters) == 2:
        return _vector(name, keyspace, user_types)
    if family not in _PARAMETERS or len(name.parameters) != _PARAMETERS[family]:
        raise _unknown(family, keyspace)
    parts = [_build(p, keyspace, user_types, frozen) for p in name.parameters]
    if COUNTER in parts:
        raise InvalidRequest(f"Counters are not allowed inside collections: {_spelling(name, keyspace)}")
    if parts[0] is DURATION and family != "list":
        where = "inside sets" if family == "set" else "as map keys"
        spelling = f"frozen<{_spelling(name, keyspace)}>" if frozen else _spelling(name, keyspace)
        raise InvalidRequest(f"Durations are not allowed {where}: {spelling}")
    for part in parts:
        if part.is_multicell:
            shown = _spelling(name, keyspace)
            raise InvalidRequest(f"Non-frozen user types or collections are not allowed inside collections: {shown}")
    made = {"list": ListType, "set": SetType, "map": MapType}[family](*parts)
    return made.freeze() if frozen else made


def _frozen(inner: TypeName, keyspace: str | None, user_types: UserTypes) -> CqlType:
    built = _build(inner, keyspace, user_types, frozen=True)
    if built.family == "native":
        shown = _spelling(inner, keyspace)
        raise InvalidRequest(f"frozen<> is only allowed on collections, tuples, and user-defined types (got {shown})")
    return built.freeze()


def _vector(name: TypeName, keyspace: str | None, user_types: UserTypes) -> CqlType:
    element = _build(name.parameters[0], keyspace, user_types, frozen=True)
    written = name.parameters[1].name
    # Python refuses to read very long numbers; what has that many figures is too large anyway.
    dimension = (
        int(written) if len(written) <= len(str(MAX_DIMENSION)) else 0 if written[0] == "-" else MAX_DIMENSION + 1
    )
    if element is COUNTER:
        raise InvalidRequest("Counters are not allowed inside vectors")
    if dimension <= 0:
        raise InvalidRequest("Vectors must have a dimension greater than 0")
    if dimension > MAX_DIMENSION:
        raise InvalidRequest(f"Vectors must have a dimension less than or equal to {MAX_DIMENSION}")
    return VectorType(element, dimension)


def _user_type(name: TypeName, keyspace: str | None, user_types: UserTypes, frozen: bool) -> CqlType:
    if name.keyspace is not None and keyspace is not None and name.keyspace != keyspace:
        raise InvalidRequest(
            f"Statement on keyspace {keyspace} cannot refer to a user type in keyspace {name.keyspace}; "
            "user types can only be used in the keyspace they are defined in"
        )
    found = user_types.get(name.name)
    if found is None:
        raise _unknown(name.name, name.keyspace or keyspace)
    return found.freeze() if frozen else found


def _unknown(name: str, keyspace: str | None) -> InvalidRequest:
    return InvalidRequest(f"Unknown type {keyspace}.{name}" if keyspace else f"Unknown type {name}")


def _spelling(name: TypeName, keyspace: str | None) -> str:
    if not name.parameters:
        if name.name == "varchar":
            return "text"
        where = name.keyspace or keyspace
        # A vector's dimension stands as the name of a type.
        return name.name if where is None or name.name in NATIVE or name.name.isdigit() else f"{where}.{name.name}"
    return f"{name.name}<{', '.join(_spelling(p, keyspace) for p in name.parameters)}>"


@lru_cache(maxsize=256)
def by_name(text: str) -> CqlType:
    """The type of a CQL spelling such as ``frozen<map<text, int>>``."""
    return parse_type(_read(text))


def by_name_in(text: str, user_types: UserTypes) -> CqlType:
    """``by_name`` where user-defined types may be in the spelling."""
    return parse_type(_read(text), None, user_types) if user_types else by_name(text)


def _read(text: str) -> TypeName:
    tokens = re.findall(r'"(?:[^"]|"")+"|[\w$.]+|[<>,]', text)
    position = 0

    def read() -> TypeName:
        nonlocal position
        name = tokens[position]
        if name.startswith('"'):
            name = name[1:-1].replace('""', '"')
        position += 1
        parameters = []
        if tokens[position : position + 1] == ["<"]:
            while tokens[position] != ">":
                position += 1  # past < or ,
                parameters.append(read())
            position += 1
        return TypeName(name, tuple(parameters))

    return read()
