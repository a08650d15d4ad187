"""From a type's name, as parsed or as text, to the type."""

from __future__ import annotations

import re
from functools import lru_cache

from ..cql.ast import TypeName
from ..errors import InvalidRequest, unsupported
from .base import CqlType
from .collections import ListType, MapType, SetType
from .duration import DURATION
from .native import COUNTER, NATIVE
from .tuples import TupleType
from .vectors import MAX_DIMENSION, VectorType

_PARAMETERS = {"list": 1, "set": 1, "map": 2, "frozen": 1}


def parse_type(name: TypeName, keyspace: str | None = None) -> CqlType:
    """The type that is written, or InvalidRequest. ``keyspace`` is where user-defined types would be looked up."""
    return _build(name, keyspace, frozen=False)


def _build(name: TypeName, keyspace: str | None, frozen: bool) -> CqlType:
    if name.custom:
        raise unsupported(f"The custom type '{name.name}'")
    family = name.name
    if not name.parameters:
        native = NATIVE.get("text" if family == "varchar" else family)
        if native is None:
            raise _unknown(family, keyspace)
        return native
    if family == "frozen":
        return _frozen(name.parameters[0], keyspace)
    if family == "tuple":
        fields = [_build(p, keyspace, frozen=True) for p in name.parameters]
        if COUNTER in fields:
            raise InvalidRequest("Counters are not allowed inside tuples")
        return TupleType(fields)
    if family == "vector" and len(name.parameters) == 2:
        return _vector(name, keyspace)
    if family not in _PARAMETERS or len(name.parameters) != _PARAMETERS[family]:
        raise _unknown(family, keyspace)
    parts = [_build(p, keyspace, frozen) for p in name.parameters]
    if COUNTER in parts:
        raise InvalidRequest(f"Counters are not allowed inside collections: {_spelling(name)}")
    if parts[0] is DURATION and family != "list":
        where = "inside sets" if family == "set" else "as map keys"
        spelling = f"frozen<{_spelling(name)}>" if frozen else _spelling(name)
        raise InvalidRequest(f"Durations are not allowed {where}: {spelling}")
    for part in parts:
        if part.is_multicell:
            raise InvalidRequest(
                f"Non-frozen user types or collections are not allowed inside collections: {_spelling(name)}"
            )
    made = {"list": ListType, "set": SetType, "map": MapType}[family](*parts)
    return made.freeze() if frozen else made


def _frozen(inner: TypeName, keyspace: str | None) -> CqlType:
    built = _build(inner, keyspace, frozen=True)
    if built.family == "native":
        raise InvalidRequest(
            f"frozen<> is only allowed on collections, tuples, and user-defined types (got {_spelling(inner)})"
        )
    return built.freeze()


def _vector(name: TypeName, keyspace: str | None) -> CqlType:
    element, dimension = _build(name.parameters[0], keyspace, frozen=True), int(name.parameters[1].name)
    if element is COUNTER:
        raise InvalidRequest("Counters are not allowed inside vectors")
    if dimension <= 0:
        raise InvalidRequest("Vectors must have a dimension greater than 0")
    if dimension > MAX_DIMENSION:
        raise InvalidRequest(f"Vectors must have a dimension less than or equal to {MAX_DIMENSION}")
    return VectorType(element, dimension)


def _unknown(name: str, keyspace: str | None) -> InvalidRequest:
    return InvalidRequest(f"Unknown type {keyspace}.{name}" if keyspace else f"Unknown type {name}")


def _spelling(name: TypeName) -> str:
    if not name.parameters:
        return "text" if name.name == "varchar" else name.name
    return f"{name.name}<{', '.join(_spelling(p) for p in name.parameters)}>"


@lru_cache(maxsize=256)
def by_name(text: str) -> CqlType:
    """The type of a CQL spelling such as ``frozen<map<text, int>>``."""
    tokens = re.findall(r"[\w$.]+|[<>,]", text)
    position = 0

    def read() -> TypeName:
        nonlocal position
        name = tokens[position]
        position += 1
        parameters = []
        if tokens[position : position + 1] == ["<"]:
            while tokens[position] != ">":
                position += 1  # past < or ,
                parameters.append(read())
            position += 1
        return TypeName(name, tuple(parameters))

    return parse_type(read())
