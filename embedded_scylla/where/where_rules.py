"""The rules of a WHERE clause: which relations can stand side by side, what they need, and which index serves them.

Each check raises InvalidRequest with the database's text; ``restrictions`` calls them in the database's order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..errors import InvalidRequest
from ..schema import CLUSTERING, PARTITION_KEY, Column, Index, Table
from .relations import ON_TOKEN, ON_TUPLE, Predicate

if TYPE_CHECKING:
    from .restrictions import Restrictions


def check_together(table: Table, predicates: list[Predicate], allow_filtering: bool) -> None:
    """Refuse relations that cannot stand side by side."""
    partition: list[Predicate] = []
    tokens: list[Predicate] = []
    tuples: list[Predicate] = []
    single = False
    slice_seen = False
    last: Column | None = None
    for p in predicates:
        if p.operator == "IS NOT NULL":
            raise InvalidRequest(f"restriction '{p.text}' is only supported in materialized view creation")
        if p.on == ON_TUPLE:
            if single:
                raise InvalidRequest(
                    "Mixing single column relations and multi column relations on clustering columns is not allowed"
                )
            if tuples:
                _check_tuples(tuples, p)
            tuples.append(p)
        elif p.on == ON_TOKEN:
            if partition:
                _refuse_token_mixture(table, partition)
            tokens.append(p)
        elif p.column.role == PARTITION_KEY:
            if not (p.is_equality or p.is_in or allow_filtering):
                raise InvalidRequest(
                    "Only EQ and IN relation are supported on the partition key "
                    "(unless you use the token() function or ALLOW FILTERING)"
                )
            if tokens:
                _refuse_token_mixture(table, tokens)
            partition.append(p)
        elif p.column.role == CLUSTERING:
            if tuples:
                raise InvalidRequest(
                    "Mixing single column relations and multi column relations on clustering columns is not allowed"
                )
            if last is not None and not allow_filtering:
                _check_after_slice(p, last, slice_seen)
            single = True
            slice_seen = slice_seen or p.is_slice
            if last is None or p.column.position > last.position:
                last = p.column


def _check_after_slice(p: Predicate, last: Column, slice_seen: bool) -> None:
    if slice_seen and p.column.position > last.position:
        raise InvalidRequest(
            f'Clustering column "{p.column.name}" cannot be restricted '
            f'(preceding column "{last.name}" is restricted by a non-EQ relation)'
        )
    if p.is_slice and p.column.position < last.position:
        raise InvalidRequest(
            f'PRIMARY KEY column "{last.name}" cannot be restricted '
            f'(preceding column "{p.column.name}" is restricted by a non-EQ relation)'
        )


def _check_tuples(before: list[Predicate], p: Predicate) -> None:
    earlier = {c for other in before for c in other.columns}
    common = ",".join(c.name for c in p.columns if c in earlier)
    if p.is_equality:
        raise InvalidRequest(f"{common} cannot be restricted by more than one relation if it includes an Equal")
    if p.is_in:
        raise InvalidRequest(f"{common} cannot be restricted by more than one relation if it includes a IN")
    if not any(other.is_slice for other in before):
        raise InvalidRequest(f'Column "{common}" cannot be restricted by both an equality and an inequality relation')
    if p.clustering_bound != before[0].clustering_bound:
        one, other = ("SCYLLA_CLUSTERING_BOUND" if q.clustering_bound else "plain" for q in (before[0], p))
        raise InvalidRequest(f"Invalid combination of restrictions ({one} / {other})")
    for operators, side in (((">", ">="), "start"), (("<", "<="), "end")):
        if p.operator in operators and before[0].operator in operators:
            raise InvalidRequest(f"More than one restriction was found for the {side} bound on {common}")


def _refuse_token_mixture(table: Table, found: list[Predicate]) -> None:
    restricted = {c for p in found for c in p.columns}
    shown = ", ".join(_definition(c) for c in table.partition_key if c in restricted)
    raise InvalidRequest(f'Columns "{shown}" cannot be restricted by both a normal relation and a token relation')


def _definition(column: Column) -> str:
    """A column as the database prints its definition where it does not take the name alone."""
    return (
        f"ColumnDefinition{{name={column.name}, type={column.type.class_name}, kind={column.role.upper()}, "
        f"componentIndex={column.position}, droppedAt=-9223372036854775808}}"
    )


def check_clustering(found: Restrictions, indexed: bool, allow_filtering: bool) -> None:
    contains = any(p.operator.startswith("CONTAINS") for c in found.clustering.values() for p in c)
    if contains and not indexed and not allow_filtering:
        raise InvalidRequest(
            "Cannot restrict clustering columns by a CONTAINS relation without a secondary index or filtering"
        )
    if not found.clustering_needs_filtering or indexed or allow_filtering:
        return
    restricted = [c for c in found.table.clustering if c.name in found.clustering]
    for column, expected in zip(restricted, found.table.clustering, strict=False):
        if column is not expected:
            raise InvalidRequest(
                f'PRIMARY KEY column "{column.name}" cannot be restricted '
                f'as preceding column "{expected.name}" is not restricted'
            )


def check_write(found: Restrictions) -> None:
    """Refuse relations on key columns that could only be answered by looking at each row: writes do not look."""
    for predicate in found.predicates:
        if predicate.column.is_primary_key and predicate.always_filters:
            raise InvalidRequest(f"Invalid operator in where clause {predicate.text}")


def needs_filtering(found: Restrictions, on_partition: bool, on_clustering: bool, on_other: bool) -> bool:
    """Whether rows must be looked at and thrown away."""
    if found.uses_index and found.token:
        return len(found.restricted_clustering) + len(found.other) > 1
    if found.partition and len(found.partition) < len(found.table.partition_key):
        alone = not found.clustering_restricted and not found.other
        return not (len(found.partition) == 1 and on_partition and alone)
    if not found.token and found.partition_needs_filtering:
        return True
    others = len(found.other)
    if others > 1 or (others == 1 and not on_other):
        return True
    if others == 1:
        if not found.partition_restricted and not found.clustering_restricted:
            return False
        known = not found.missing_partition_columns and all(p.is_equality for c in found.partition.values() for p in c)
        return not known or bool(found.token) or found.clustering_needs_filtering or bool(found.tuples)
    if found.tuples:
        return False
    if on_clustering and found.uses_index:
        return len(found.clustering) > 1
    return found.clustering_needs_filtering


# ---------------------------------------------------------------- indexes


def _serves(index: Index, p: Predicate) -> bool:
    """Whether an index answers one relation."""
    if index.column != p.column.name:
        return False
    if index.function in (None, "full"):
        return p.operator == "=" and p.subscript is None
    if index.function == "entries":
        return p.operator == "=" and p.subscript is not None
    of_keys = index.function == "keys" and p.column.type.family == "map"  # what is in a set is kept as its keys
    return p.operator == ("CONTAINS KEY" if of_keys else "CONTAINS")


def _serves_all(index: Index, found: list[Predicate]) -> bool:
    """Whether an index answers all relations on one column. Of an index on elements only one element can be asked."""
    if len(found) > 1 and index.function not in (None, "full"):
        return False
    return all(_serves(index, p) for p in found)


def serves_some(indexes: list[Index], columns: Iterable[list[Predicate]]) -> bool:
    """Whether an index answers all relations on some column."""
    return any(_serves_all(index, found) for found in columns for index in indexes)


def usable_indexes(found: Restrictions) -> list[Index]:
    """The table's indexes without the local ones, unless the query names one partition by =."""
    return [index for index in found.table.indexes.values() if found.fixes_partition or not index.local]


def chosen_index(indexes: list[Index], found: Restrictions) -> Index | None:
    """The index to use: of those that serve a column the first in the order of the WHERE clause, local ones before
    global ones."""
    first = None
    for group in (found.partition, found.clustering, found.other):
        for predicates in group.values():
            for index in indexes:
                if _serves_all(index, predicates):
                    if index.local:
                        return index
                    first = first or index
    return first
