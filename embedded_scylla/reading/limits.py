"""LIMIT and PER PARTITION LIMIT: how many rows a SELECT may give."""

from __future__ import annotations

from ..cql import ast
from ..errors import InvalidRequest
from ..request import UNSET, Context
from ..schema import ColumnSpec, Table
from ..terms.compile import Value, Variables, compile_term
from ..types import INT
from .paging import UNLIMITED


def compile_limit(term: ast.Term | None, table: Table, variables: Variables) -> Value | None:
    """The limit of a clause, ready to be evaluated; None if the clause is not there."""
    if term is None:
        return None
    receiver = ColumnSpec(table.keyspace, table.name, "[limit]", INT)
    return compile_term(term, receiver, variables, table, "LIMIT clause")


def evaluate_limit(limit: Value | None, context: Context, clause: str) -> int:
    """So many rows. InvalidRequest for a value that is no limit; ``clause`` is what the refusal calls it."""
    if limit is None:
        return UNLIMITED
    data = limit(context)
    if data is UNSET:
        return UNLIMITED
    if data is None:
        raise InvalidRequest("Invalid null value of limit")
    if len(data) != 4:
        raise InvalidRequest("Invalid limit value")
    count = int.from_bytes(data, "big", signed=True)
    if count <= 0:
        raise InvalidRequest(f"{clause} must be strictly positive")
    return count
