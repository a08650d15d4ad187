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

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .schema import Table

Cell = tuple[int, bytes | None, int, int]
Marker = tuple[int, int, int]
Tombstone = tuple[int, int]
Key = tuple[bytes, ...]


class Collection:
    """A non-frozen list, set or map in a row: a tombstone for all older elements, and a cell for each element.

    ``elements`` maps the element's key as wire bytes (map key; set element, the cell's value then b""; list: the
    16 bytes of a timeuuid) to its cell.
    """

    __slots__ = ("deletion", "elements")

    def __init__(self, deletion: Tombstone | None = None, elements: dict[bytes, Cell] | None = None):
        self.deletion = deletion
        self.elements = {} if elements is None else elements


class Row:
    """A clustered row, or the static row (key is then ()). ``cells``: by column name.

    ``deletion`` is the row's tombstone; ``shadowable`` says that it only holds until a newer marker comes (view rows).
    """

    __slots__ = ("key", "marker", "deletion", "shadowable", "cells")

    def __init__(
        self,
        key: Key,
        marker: Marker | None = None,
        deletion: Tombstone | None = None,
        cells: dict[str, Cell | Collection] | None = None,
        shadowable: bool = False,
    ):
        self.key = key
        self.marker = marker
        self.deletion = deletion
        self.cells = {} if cells is None else cells
        self.shadowable = shadowable


class RangeDeletion:
    """A range tombstone: from ``start`` to ``end`` in clustering order; each is a prefix of the clustering key (maybe
    empty: open) and whether the rows at that prefix are inside."""

    __slots__ = ("start", "start_inclusive", "end", "end_inclusive", "tombstone")

    def __init__(self, start: Key, start_inclusive: bool, end: Key, end_inclusive: bool, tombstone: Tombstone):
        self.start, self.start_inclusive = start, start_inclusive
        self.end, self.end_inclusive = end, end_inclusive
        self.tombstone = tombstone


class Mutation:
    """What a write does to one partition of one table. ``rows`` is keyed by clustering key (wire bytes of each column).

    A batch's statements on the same partition and with the same timestamp share one mutation.
    """

    __slots__ = ("table", "key", "deletion", "static", "rows", "ranges")

    def __init__(self, table: Table, key: Key):
        self.table = table
        self.key = key
        self.deletion: Tombstone | None = None
        self.static: Row | None = None
        self.rows: dict[Key, Row] = {}
        self.ranges: list[RangeDeletion] = []
