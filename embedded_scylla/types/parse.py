"""From a type's name, as parsed or as text, to the type."""

from __future__ import annotations

import re
from functools import lru_cache

from ..cql.ast import TypeName
from ..errors import InvalidRequest, unsupported
from .base import CqlType
from .collections import ListType, MapType, SetType
from .native import COUNTER, NATIVE
from .tuples import TupleType

_LEFT_OUT = {"duration", "vector"}
_PARAMETERS = {"list": 1, "set": 1, "map": 2, "frozen": 1}


def parse_type(name: TypeName, keyspace: str | None = None) -> CqlType:
    """The type that is written, or InvalidRequest. ``keyspace`` is where user-defined types would be looked up."""
    return _build(name, keyspace, frozen=False)


def _build(name: TypeName, keyspace: str | None, frozen: bool) -> CqlType:
    if name.custom:
        raise unsupported(f"The custom type '{name.name}'")
    family = name.name
    if family in _LEFT_OUT:
        raise unsupported(f"The type {family}")
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
    if family not in _PARAMETERS or len(name.parameters) != _PARAMETERS[family]:
        raise _unknown(family, keyspace)
    parts = [_build(p, keyspace, frozen) for p in name.parameters]
    if COUNTER in parts:
        raise InvalidRequest(f"Counters are not allowed inside collections: {_spelling(name)}")
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
