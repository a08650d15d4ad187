"""The data of one table in memory: its partitions, found by key and walked in the order of the ring."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from ..schema import Table
from .keys import clustering_encoder, partition_key_bytes, token
from .partition import Aside, Change, Partition, put_in_order
from .ranges import RangeTombstones
from .rows import Collection, GovernedRow, Key, Mutation, Row

DEFAULT_GC_GRACE = 864_000

_SAMPLE = 256  # so many partitions, and rows of each, are looked at to guess the size of all
_CELL_OVERHEAD = 15  # bytes on disk besides the value: timestamp, flags, length


class Size(NamedTuple):
    """``bytes`` is an estimate of what the data would take on disk; rows are counted, dead ones included."""

    bytes: int
    rows: int
    partitions: int


class TableStore:
    """All partitions of one table or view. ``table`` may be replaced when its definition changes."""

    def __init__(self, table: Table):
        self.table = table
        self.encode = clustering_encoder(table)
        self._partitions: dict[Key, Partition] = {}
        # (token, key bytes, partition) in order, made when first asked for, and those that came since.
        self._ordered: list[tuple[int, bytes, Partition]] | None = None
        self._added: list[tuple[int, bytes, Partition]] = []
        self._aside: dict[str, list[Aside]] = {}  # by the name of a column that is not there: see drop_column

    # ------------------------------------------------------------ reading

    def partition(self, key: Key) -> Partition | None:
        return self._partitions.get(key)

    def row(self, key: Key, clustering: Key) -> Row | None:
        """A stored row, dead or alive."""
        partition = self._partitions.get(key)
        return None if partition is None else partition.rows.get(self.encode(clustering))

    def scan(
        self,
        after: tuple[int, bytes] | None = None,
        start_token: int | None = None,
        end_token: int | None = None,
    ) -> Iterator[Partition]:
        """The partitions in the order of token and key bytes: beyond ``after`` (not included), from ``start_token`` to
        ``end_token`` (both included). To be used up before the store is written to."""
        places = self._places()
        low, high = 0, len(places)
        if start_token is not None:
            low = bisect_left(places, (start_token,))
        if after is not None:
            low = max(low, bisect_right(places, (after[0], after[1] + b"\x00")))
        if end_token is not None:
            high = bisect_left(places, (end_token + 1,))
        return (places[place][2] for place in range(low, high))

    def __len__(self) -> int:
        return len(self._partitions)

    def _places(self) -> list[tuple[int, bytes, Partition]]:
        if self._ordered is None:
            self._ordered = sorted((p.token, p.key_bytes, p) for p in self._partitions.values())
        elif self._added:
            put_in_order(self._ordered, self._added)
        return self._ordered

    def size(self) -> Size:
        """How much there is: rows and partitions counted, bytes guessed from a sample."""
        sampled = sampled_bytes = 0
        for partition in islice(self._partitions.values(), _SAMPLE):
            for row in islice(partition.rows.values(), _SAMPLE):
                sampled += 1
                sampled_bytes += row_bytes(row)
            if partition.static is not None:
                sampled += 1
                sampled_bytes += len(partition.key_bytes) + row_bytes(partition.static)
        rows = sum(len(partition.rows) + (partition.static is not None) for partition in self._partitions.values())
        return Size(sampled_bytes * rows // sampled if sampled else 0, rows, len(self._partitions))

    # ------------------------------------------------------------ writing

    def apply(self, mutation: Mutation, now: int, want_old: bool = False) -> list[Change]:
        """Merge a write; ``now`` in seconds. The store takes over the rows that it did not have, so the mutation must
        not be used for another store.

        With ``want_old``, answers for each row that was touched what it was (None if it was not there; a copy) and
        what it is; a row that a deletion of its partition or of a range touched shows that tombstone as its own.
        Without, the answer is empty, and the write costs less.
        """
        key = mutation.key
        partition = self._partitions.get(key)
        if partition is not None:
            return partition.apply(mutation, now, self.encode, want_old)
        partition = Partition(key, token(self.table, key), partition_key_bytes(self.table, key))
        changes = partition.apply(mutation, now, self.encode, want_old)
        if not partition.is_empty():
            self._add(partition)
        return changes

    def _add(self, partition: Partition) -> None:
        self._partitions[partition.key] = partition
        if self._ordered is not None:
            self._added.append((partition.token, partition.key_bytes, partition))

    def truncate(self) -> None:
        """Forget everything, tombstones included."""
        self._partitions.clear()
        self._aside.clear()
        self._forget_order()

    def drop_column(self, name: str, dropped_at: int) -> None:
        """Take the cells of a column that ALTER TABLE dropped out of all rows: added again, it must be empty. But what
        is newer than the drop (µs) is kept aside, for then it is there again."""
        taken = [partition.take_column(name, dropped_at) for partition in self._partitions.values()]
        aside = [each for each in taken if each is not None]
        if aside:
            self._aside[name] = aside
        self._drop_empty()

    def bring_back(self, name: str, fits: bool) -> None:
        """What was kept aside of a dropped column, now that there is one of that name again; with ``fits`` False it is
        another kind of column, and nothing of the old one can be in it."""
        for key, static, rows in self._aside.pop(name, ()):
            if fits:
                mutation = Mutation(self.table, key)
                mutation.static = None if static is None else Row((), cells=static)
                mutation.rows = {row_key: Row(row_key, cells=cells) for row_key, cells in rows}
                self.apply(mutation, 0)  # the time is nothing to rows of tables

    def partition_keys(self) -> list[Key]:
        """The keys of all partitions."""
        return list(self._partitions)

    def has_garbage(self, key: Key, now: int) -> bool:
        """Whether a partition has tombstones or expired cells that were written more than gc_grace_seconds ago."""
        partition = self._partitions.get(key)
        return partition is not None and partition.has_garbage(now, self._purged_before(now))

    def purge(self, key: Key, now: int) -> None:
        """Forget the garbage of a partition."""
        partition = self._partitions.get(key)
        if partition is not None:
            partition.purge(now, self._purged_before(now))
            if partition.is_empty():
                del self._partitions[key]
                self._forget_order()

    def _purged_before(self, now: int) -> int:
        return now - int(self.table.options.get("gc_grace_seconds", DEFAULT_GC_GRACE))

    def _drop_empty(self) -> None:
        empty = [key for key, partition in self._partitions.items() if partition.is_empty()]
        if empty:
            for key in empty:
                del self._partitions[key]
            self._forget_order()

    def _forget_order(self) -> None:
        self._ordered = None
        self._added.clear()

    # ------------------------------------------------------------ snapshots

    def dump(self) -> list[Any]:
        """Everything in it as plain lists, dicts and tuples that marshal can write. They share the store's cells, so
        they are to be written before the next write; dumped together, a base table and its views share them too."""
        dumped: list[Any] = [_dump_partition(partition) for partition in self._partitions.values()]
        if self._aside:
            dumped.append({name: list(map(_pack_aside, aside)) for name, aside in self._aside.items()})
        return dumped

    def load(self, dumped: list[Any]) -> None:
        """Fill an empty store with what ``dump`` gave."""
        if dumped and type(dumped[-1]) is dict:
            *dumped, aside = dumped
            self._aside = {name: list(map(_unpack_aside, each)) for name, each in aside.items()}
        for key, place, key_bytes, deletion, static, ranges, governed, orders, columns in dumped:
            partition = Partition(key, place, key_bytes)
            partition.deletion = deletion
            if static is not None:
                partition.static = Row((), cells=unpack_cells(static))
            if ranges:
                partition.ranges = RangeTombstones()
                for start, end, tombstone, *keys in ranges:  # older snapshots had no keys
                    partition.ranges.add(start, end, tombstone)
                    partition.ranges.bounds.update(zip((start, end), keys, strict=False))
            keys, markers, deletions, cells, shadowables = columns
            if not _is_plain(cells):
                cells = map(unpack_cells, cells)
            rows = map(GovernedRow if governed else Row, keys, markers, deletions, cells, shadowables)
            partition.rows = dict(zip(orders, rows, strict=True))
            self._add(partition)


def row_bytes(row: Row) -> int:
    """About what a row would take on disk."""
    total = 3 + sum(map(len, row.key))
    for cell in row.cells.values():
        for part in cell.elements.values() if type(cell) is Collection else (cell,):
            total += _CELL_OVERHEAD + len(part[1] or b"")
    return total


# Marshal knows no objects: a collection is written as a list (a cell is a tuple), a row as its parts.


def pack_cells(cells: dict[str, Any]) -> dict[str, Any]:
    """A row's cells in a form that marshal can write; the same dict if no collection is in it."""
    if Collection not in map(type, cells.values()):
        return cells
    return {name: [cell.deletion, cell.elements] if type(cell) is Collection else cell for name, cell in cells.items()}


def unpack_cells(cells: dict[str, Any]) -> dict[str, Any]:
    """What ``pack_cells`` packed, which stays as it is: a record that cannot be used is written down again."""
    if list not in map(type, cells.values()):
        return cells
    return {name: Collection(*cell) if type(cell) is list else cell for name, cell in cells.items()}


def _pack_aside(aside: Aside) -> Any:
    key, static, rows = aside
    packed = [(row_key, pack_cells(cells)) for row_key, cells in rows]
    return key, None if static is None else pack_cells(static), packed


def _unpack_aside(packed: Any) -> Aside:
    key, static, rows = packed
    return key, None if static is None else unpack_cells(static), [(k, unpack_cells(cells)) for k, cells in rows]


def _is_plain(rows: list[dict[str, Any]]) -> bool:
    return not any(list in map(type, cells.values()) for cells in rows)


def _dump_ranges(ranges: RangeTombstones) -> list[tuple[Any, ...]]:
    """The intervals, each with the keys that its bounds lie at, where they are known."""
    bounds = ranges.bounds
    return [
        (start, end, tombstone, bounds[start], bounds[end])
        if start in bounds and end in bounds
        else (start, end, tombstone)
        for start, end, tombstone in ranges
    ]


def _dump_partition(partition: Partition) -> tuple[Any, ...]:
    rows = list(partition.rows.values())
    columns = (
        [row.key for row in rows],
        [row.marker for row in rows],
        [row.deletion for row in rows],
        [pack_cells(row.cells) for row in rows],
        [row.shadowable for row in rows],
    )
    return (
        partition.key,
        partition.token,
        partition.key_bytes,
        partition.deletion,
        None if partition.static is None else pack_cells(partition.static.cells),
        _dump_ranges(partition.ranges) if partition.ranges else None,
        bool(rows) and rows[0].governed,
        list(partition.rows),
        columns,
    )
