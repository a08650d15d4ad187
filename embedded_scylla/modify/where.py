"""The WHERE clause of an UPDATE or DELETE: what a write must name, and what a conditional one must not."""

from __future__ import annotations

from collections.abc import Sequence

from ..cql import ast
from ..errors import InvalidRequest
from ..schema import Column, Table
from ..terms.compile import Variables
from ..where.relations import Predicate
from ..where.restrictions import Restrictions, plan_restrictions
from .assignments import Operation
from .conditions import Conditions


def plan_where(
    table: Table,
    relations: Sequence[ast.Relation],
    variables: Variables,
    statement: str,
    operations: Sequence[Operation],
    conditions: Conditions | None,
) -> Restrictions:
    """Check the WHERE clause of ``statement`` (UPDATE or DELETE). An UPDATE names whole rows (or, when it changes
    static columns only, a partition), a DELETE any range of them."""
    static_only = bool(operations) and all(o.is_static for o in operations)
    if conditions is not None and conditions.on_regular_columns:
        static_only = False
    where = plan_restrictions(table, relations, variables, statement=statement, only_static=static_only)
    if conditions is not None:
        conditions.resolve_existence(table, where.clustering_restricted)
    if where.token:
        raise InvalidRequest(
            "The token function cannot be used in WHERE clauses for UPDATE and DELETE statements: " + _text(where.token)
        )
    if where.other:
        raise InvalidRequest(f"Invalid where clause contains non PRIMARY KEY columns: {', '.join(where.other)}")
    if statement == "UPDATE" and where.clustering_has_slice:
        on_clustering = [p for p in where.predicates if p.column in table.clustering]
        raise InvalidRequest(f"Invalid operator in where clause {_text(on_clustering)}")
    missing = missing_clustering_column(where)
    if missing is not None and not static_only:
        _require_clustering_column(missing, where, statement, operations)
    for column in where.missing_partition_columns:
        raise InvalidRequest(f"Missing mandatory PRIMARY KEY part {column.name}")
    if conditions is not None:
        _check_conditional(where, statement, operations, conditions)
    if statement == "DELETE" and operations and where.clustering_has_slice:
        raise InvalidRequest("Range deletions are not supported for specific columns")
    return where


def missing_clustering_column(where: Restrictions) -> Column | None:
    """The first clustering column that the clause does not restrict."""
    restricted = where.restricted_clustering
    return next((c for c in where.table.clustering if c.name not in restricted), None)


def _require_clustering_column(
    missing: Column, where: Restrictions, statement: str, operations: Sequence[Operation]
) -> None:
    if statement == "UPDATE":
        raise InvalidRequest(f"Missing mandatory PRIMARY KEY part {missing.name}")
    if where.clustering_has_slice:
        return
    for operation in operations:
        if not operation.is_static:
            raise InvalidRequest(
                f"Primary key column '{missing.name}' must be specified "
                f"in order to modify column '{operation.column.name}'"
            )


def _check_conditional(
    where: Restrictions, statement: str, operations: Sequence[Operation], conditions: Conditions
) -> None:
    """A lightweight transaction decides over one row (or static row) of one partition."""
    what = "updates" if statement == "UPDATE" else "deletions"
    if where.partition_has_in:
        raise InvalidRequest(f"IN on the partition key is not supported with conditional {what}")
    if where.clustering_has_in:
        raise InvalidRequest(f"IN on the clustering key columns is not supported with conditional {what}")
    exact = missing_clustering_column(where) is None and not where.clustering_has_slice
    if statement == "UPDATE" or exact:
        return
    rule = "DELETE statements must restrict all PRIMARY KEY columns with equality relations in order to "
    if not operations or not all(o.is_static for o in operations):
        raise InvalidRequest(rule + "delete non static columns")
    if conditions.on_regular_columns:
        raise InvalidRequest(rule + "use IF condition on non static columns")


def _text(predicates: Sequence[Predicate]) -> str:
    return " AND ".join(p.text for p in predicates)
