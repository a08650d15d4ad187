"""Type hints that name user-defined types: a text alone does not say what such a type is, the schema does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..cql import ast
from ..cql.node import Node
from ..types import UserType, parse_type

TypesOf = Callable[[str | None], Mapping[str, UserType]]


def with_known_types(part: Any, types_of: TypesOf, keyspace: str | None) -> Any:
    """The statement (or a part of it) with the types of its type hints looked up, among those of its table's keyspace;
    ``types_of`` gives those of a keyspace by their names. InvalidRequest for a type that is not there."""
    if isinstance(part, tuple):
        return tuple(with_known_types(each, types_of, keyspace) for each in part)
    if isinstance(part, ast.TypeName):
        return part.replace(known=parse_type(part, keyspace, types_of(keyspace)))
    if not isinstance(part, Node):
        return part
    if isinstance(part, ast.Select | ast.Insert | ast.Update | ast.Delete):
        keyspace = part.table.keyspace or keyspace
    return part.replace(**{field: with_known_types(getattr(part, field), types_of, keyspace) for field in part._fields})
