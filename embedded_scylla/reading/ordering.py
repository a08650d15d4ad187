"""ORDER BY: clustering order as it is stored, or all of it reversed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..errors import InvalidRequest
from ..schema import CLUSTERING, Column, Table
from ..storage.rows import Key
from ..where.restrictions import Restrictions


@dataclass(slots=True)
class Ordering:
    """``given``: there is an ORDER BY. ``reverse``: it asks for the rows against their stored order. ``key(clustering
    key)``: bytes that sort rows of several partitions by the columns named, in stored order."""

    given: bool = False
    reverse: bool = False
    key: Callable[[Key], bytes] = lambda key: b""


def plan_ordering(
    order_by: Sequence[tuple[str, bool]],
    table: Table,
    restrictions: Restrictions,
    aliases: Collection[str | None],
) -> Ordering:
    """Check the ORDER BY clause: pairs of column and whether it is DESC. InvalidRequest for what cannot be had."""
    if not order_by:
        return Ordering()
    if restrictions.uses_index:
        raise InvalidRequest("ORDER BY with 2ndary indexes is not supported.")
    if restrictions.is_key_range:
        raise InvalidRequest("ORDER BY is only supported when the partition key is restricted by an EQ or an IN.")
    orderings = [(_clustering_column(name, table, aliases), descending) for name, descending in order_by]
    for (one, _), (following, _) in pairwise(orderings):
        if one.position >= following.position:
            raise InvalidRequest(
                "Order by currently only supports the ordering of columns following their declared order in the "
                "PRIMARY KEY"
            )
    reverse = _is_reversed(*orderings[0])
    wanted = dict(orderings)
    for column in table.clustering[: orderings[-1][0].position + 1]:
        if column in wanted:
            if _is_reversed(column, wanted[column]) != reverse:
                raise InvalidRequest(
                    "Unsupported order by relation - only reversing all columns is supported, "
                    f"but column {column.name} has opposite ordering"
                )
        elif not restrictions.has_equality(column):
            raise InvalidRequest(
                f"Unsupported order by relation - column {column.name} doesn't have an ordering or EQ relation."
            )
    return Ordering(True, reverse, _sort_key([column for column, _ in orderings]))


def _clustering_column(name: str, table: Table, aliases: Collection[str | None]) -> Column:
    column = table.columns.get(name)
    if column is None:
        if name in aliases:
            raise InvalidRequest(f"Aliases are not allowed in order by clause ('{name}')")
        raise InvalidRequest(f"Order by on unknown column {name}")
    if column.role != CLUSTERING:
        raise InvalidRequest(
            f"Order by is currently only supported on the clustered columns of the PRIMARY KEY, got {name}"
        )
    return column


def _is_reversed(column: Column, descending: bool) -> bool:
    return column.descending != descending


def _sort_key(columns: list[Column]) -> Callable[[Key], bytes]:
    inverted = bytes(range(255, -1, -1))
    parts = [(c.position, c.type.order, c.descending) for c in columns]

    def key(clustering: Key) -> bytes:
        if not clustering:
            return b""  # a partition without rows: its clustering columns are null
        orders = [(order(clustering[position]), descending) for position, order, descending in parts]
        return b"".join(order.translate(inverted) if descending else order for order, descending in orders)

    return key
