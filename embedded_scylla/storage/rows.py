"""What is stored: cells, rows, partitions' parts, and how two versions of them become one (last write wins).

The same shapes serve the store and a write on its way to it: a ``Mutation`` is what one statement (or one batch)
does to one partition, and applying it is a merge. Because every reader of the one node sees every write, data
that a tombstone covers is dropped at the merge, and readers need to look at expiry only; tombstones themselves
stay (an older write may still come, and a scan must pay for them) until gc_grace_seconds have passed.

A cell is a plain tuple, for speed and memory: ``(timestamp, value, expires_at, ttl)``.
    timestamp   int, µs: the write's
    value       bytes, or None: a cell tombstone
    expires_at  int, seconds since 1970 at which a cell with a TTL ends, 0 for never;
                for a tombstone: when it was made (gc_grace_seconds count from there)
    ttl         int, seconds as written, 0 for none
A row marker (made by INSERT, not by UPDATE) is ``(timestamp, expires_at, ttl)``.
A tombstone of a row, range or partition is ``(timestamp, deleted_at)``, deleted_at in seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, final

from .. import types
from ..types import wire

if TYPE_CHECKING:
    from ..schema import Column, Table
    from ..types import CqlType

Cell = tuple[int, bytes | None, int, int]
Marker = tuple[int, int, int]
Tombstone = tuple[int, int]
Key = tuple[bytes, ...]


@final
class Collection:
    """A non-frozen list, set, map or value of a user-defined type in a row: a tombstone for all older elements (or
    fields), and a cell for each.

    ``elements`` maps the element's key as wire bytes (map key; set element, the cell's value then b""; list: the
    16 bytes of a timeuuid; user-defined type: the field's number as a smallint) to its cell.
    """

    __slots__ = ("deletion", "elements")

    def __init__(self, deletion: Tombstone | None = None, elements: dict[bytes, Cell] | None = None):
        self.deletion = deletion
        self.elements = {} if elements is None else elements


class Row:
    """A clustered row, or the static row (key is then ()). ``cells``: by column name.

    ``deletion`` is the row's tombstone. ``shadowable`` is a second one, which only rows of views have: it holds until
    a newer marker comes, and is then forgotten.
    """

    __slots__ = ("cells", "deletion", "key", "marker", "shadowable")

    governed = False

    def __init__(
        self,
        key: Key,
        marker: Marker | None = None,
        deletion: Tombstone | None = None,
        cells: dict[str, Cell | Collection] | None = None,
        shadowable: Tombstone | None = None,
    ):
        self.key = key
        self.marker = marker
        self.deletion = deletion
        self.cells = {} if cells is None else cells
        self.shadowable = shadowable


class GovernedRow(Row):
    """A row of a view whose key has a regular column of the base. The marker stands for that column's cell, and
    without a live marker the row is dead, whatever its other cells say."""

    __slots__ = ()

    governed = True


class RangeDeletion:
    """A range tombstone: from ``start`` to ``end`` in clustering order; each is a prefix of the clustering key (maybe
    empty: open) and whether the rows at that prefix are inside."""

    __slots__ = ("end", "end_inclusive", "start", "start_inclusive", "tombstone")

    def __init__(self, start: Key, start_inclusive: bool, end: Key, end_inclusive: bool, tombstone: Tombstone):
        self.start, self.start_inclusive = start, start_inclusive
        self.end, self.end_inclusive = end, end_inclusive
        self.tombstone = tombstone


class Mutation:
    """What a write does to one partition of one table. ``rows`` is keyed by clustering key (wire bytes of each column).

    A batch's statements on the same partition share one mutation, also where their timestamps differ.
    """

    __slots__ = ("deletion", "key", "ranges", "rows", "static", "table")

    def __init__(self, table: Table, key: Key):
        self.table = table
        self.key = key
        self.deletion: Tombstone | None = None
        self.static: Row | None = None
        self.rows: dict[Key, Row] = {}
        self.ranges: list[RangeDeletion] = []


# ---------------------------------------------------------------- reading


def live(cell: Cell, now: int) -> bool:
    """Whether a cell holds a value at ``now`` (seconds): not a tombstone, and its time is not over."""
    return cell[1] is not None and (not cell[2] or cell[2] > now)


def cell_value(cell: Cell, now: int) -> bytes | None:
    """The value of a cell at ``now``, None if it is deleted or expired."""
    return cell[1] if not cell[2] or cell[2] > now else None


def marker_is_live(marker: Marker | None, now: int) -> bool:
    return marker is not None and (not marker[1] or marker[1] > now)


def live_elements(collection: Collection, type: CqlType, now: int) -> list[tuple[bytes, Cell]]:
    """The elements of a collection that live at ``now``, as (key, cell), in the collection's own order: a list's by
    the time in their keys, a set's by value, a map's by key."""
    order = _element_order(type)
    found = [(key, cell) for key, cell in collection.elements.items() if live(cell, now)]
    found.sort(key=lambda element: order(element[0]))
    return found


def collection_value(collection: Collection, type: CqlType, now: int) -> bytes | None:
    """The collection as one frozen value; None when nothing in it lives: an empty collection is null."""
    found = live_elements(collection, type, now)
    if not found:
        return None
    if isinstance(type, types.MapType):
        return wire.pack_pairs([(key, cell[1]) for key, cell in found])
    if isinstance(type, types.SetType):
        return wire.pack_values([key for key, cell in found])
    if isinstance(type, types.UserType):
        return type.join_cells({key: cell[1] for key, cell in found})
    return wire.pack_values([cell[1] for key, cell in found])


def _element_order(type: CqlType) -> Callable[[bytes], bytes]:
    if isinstance(type, types.MapType):
        return type.key.order
    if isinstance(type, types.UserType):
        return bytes
    return type.element.order if isinstance(type, types.SetType) else types.TIMEUUID.order


def read_cell(row: Row, column: Column, now: int) -> bytes | None:
    """The value of a regular or static column in a row at ``now``; a non-frozen collection comes in its frozen form."""
    cell = row.cells.get(column.name)
    if cell is None:
        return None
    if type(cell) is Collection:
        return collection_value(cell, column.type, now)
    return cell[1] if not cell[2] or cell[2] > now else None


def row_is_live(row: Row, now: int) -> bool:
    """Whether a reader sees the row at ``now``: its marker lives, or one of its cells does."""
    marker = row.marker
    if marker is not None and (not marker[1] or marker[1] > now):
        return True
    if row.governed:
        return False
    for cell in row.cells.values():
        if type(cell) is Collection:
            if any(live(element, now) for element in cell.elements.values()):
                return True
        elif cell[1] is not None and (not cell[2] or cell[2] > now):
            return True
    return False
