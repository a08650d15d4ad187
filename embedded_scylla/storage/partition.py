"""One partition of a table: its static row, its clustered rows in order, and the tombstones over them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .keys import HIGHEST, LOWEST, lower_bound, upper_bound
from .merge import NO_FLOOR, copy_row, drop_covered, is_empty, merge_row, newest, settle
from .purge import is_old, purge_row, row_has_garbage
from .ranges import RangeTombstones
from .rows import Cell, Collection, Key, Mutation, Row, Tombstone, row_is_live

if TYPE_CHECKING:
    from _typeshed import SupportsRichComparisonT

Change = tuple[Row | None, Row]  # a row before a write, and after it
# The cells of a column in a partition: the partition's key, the static row's cell, and each row's.
Aside = tuple[Key, "dict[str, Cell | Collection] | None", "list[tuple[Key, dict[str, Cell | Collection]]]"]

_FEW = 64  # so many new keys are put in their places one by one: moving memory is cheaper than sorting anew


def put_in_order(ordered: list[SupportsRichComparisonT], added: list[SupportsRichComparisonT]) -> None:
    """Move ``added`` into the sorted list ``ordered``."""
    if len(added) <= _FEW and ordered:
        for item in added:
            insort(ordered, item)
    else:
        ordered += added
        ordered.sort()
    added.clear()


class Partition:
    """``rows`` maps clustering order (see ``keys``) to row. Rows that are tombstones, or whose cells are all expired,
    are in it too: who reads skips them, and pays for them."""

    __slots__ = ("_added", "_ordered", "deletion", "key", "key_bytes", "ranges", "rows", "static", "token")

    def __init__(self, key: Key, token: int, key_bytes: bytes):
        self.key = key
        self.token = token
        self.key_bytes = key_bytes
        self.deletion: Tombstone | None = None
        self.static: Row | None = None
        self.rows: dict[bytes, Row] = {}
        self.ranges: RangeTombstones | None = None
        # The keys of ``rows`` in order, made when first asked for, and those that came since.
        self._ordered: list[bytes] | None = None
        self._added: list[bytes] = []

    # ------------------------------------------------------------ reading

    def get(self, order: bytes) -> Row | None:
        return self.rows.get(order)

    def scan(self, start: bytes = LOWEST, end: bytes | None = None, reverse: bool = False) -> Iterator[Row]:
        """The rows with ``start <= order < end``, dead ones included, in clustering order or against it. To be used
        up before anything is written to the partition."""
        keys = self._keys()
        places = range(bisect_left(keys, start), len(keys) if end is None else bisect_left(keys, end))
        if reverse:
            places = places[::-1]
        return map(self.rows.__getitem__, map(keys.__getitem__, places))

    def range_tombstones(self, start: bytes = LOWEST, end: bytes | None = None) -> int:
        """How many range tombstones a reader of this interval meets."""
        return 0 if self.ranges is None else len(self.ranges.between(start, HIGHEST if end is None else end))

    def tombstones(self, now: int) -> int:
        """How many tombstones a reader of the whole partition meets: dead rows, ranges, and its own."""
        dead = sum(not row_is_live(row, now) for row in self.rows.values())
        return dead + self.range_tombstones() + (self.deletion is not None)

    def covering(self, order: bytes) -> Tombstone | None:
        """The newest tombstone over a row that is not the row's own: of the partition or of a range."""
        return newest(self.deletion, self.ranges.covering(order) if self.ranges is not None else None)

    def is_empty(self) -> bool:
        return not self.rows and self.static is None and self.deletion is None and not self.ranges

    def _keys(self) -> list[bytes]:
        if self._ordered is None:
            self._ordered = sorted(self.rows)
        elif self._added:
            put_in_order(self._ordered, self._added)
        return self._ordered

    # ------------------------------------------------------------ writing

    def apply(self, mutation: Mutation, now: int, encode: Callable[[Key], bytes], want_changes: bool) -> list[Change]:
        """Merge a write; with ``want_changes`` say what became of each row that it touched. Rows that were not there
        before are taken over from the mutation as they are. The static row is among them, with its empty key."""
        if want_changes and (mutation.static is not None or mutation.deletion is not None):
            before = None if self.static is None else copy_row(self.static)
            changes = self._apply(mutation, now, encode, True)
            if before is not None or self.static is not None:
                changes.append((before, self.static or Row(())))
            return changes
        return self._apply(mutation, now, encode, want_changes)

    def _apply(self, mutation: Mutation, now: int, encode: Callable[[Key], bytes], want_changes: bool) -> list[Change]:
        if mutation.static is not None:
            self._apply_static(mutation.static, now)
        if mutation.deletion is not None or mutation.ranges:
            return self._apply_deletions(mutation, now, encode, want_changes)
        changes: list[Change] = []
        for key, update in mutation.rows.items():
            change = self._apply_row(encode(key), update, now, want_changes)
            if want_changes and change is not None:
                changes.append(change)
        return changes

    def _apply_static(self, update: Row, now: int) -> None:
        floor = NO_FLOOR if self.deletion is None else self.deletion[0]
        static = self.static
        if static is None:
            settle(update, floor)
            if update.cells:
                self.static = update
        else:
            merge_row(static, update, floor, now)

    def _apply_row(self, order: bytes, update: Row, now: int, want_changes: bool) -> Change | None:
        floor = NO_FLOOR
        if self.deletion is not None or self.ranges is not None:
            covering = self.covering(order)
            if covering is not None:
                floor = covering[0]
        row = self.rows.get(order)
        if row is not None:
            old = copy_row(row) if want_changes else None
            merge_row(row, update, floor, now)
            return old, row
        if (
            floor != NO_FLOOR
            or update.deletion is not None
            or update.shadowable is not None
            or Collection in map(type, update.cells.values())
        ):
            settle(update, floor)
            if is_empty(update):
                return None
        self.rows[order] = update
        if self._ordered is not None:
            self._added.append(order)
        return None, update

    def _apply_deletions(
        self, mutation: Mutation, now: int, encode: Callable[[Key], bytes], want_changes: bool
    ) -> list[Change]:
        before: dict[bytes, Row | None] = {}
        after: dict[bytes, Row] = {}
        if want_changes:
            for key in mutation.rows:
                order = encode(key)
                row = self.rows.get(order)
                before[order] = None if row is None else copy_row(row)
        if mutation.deletion is not None and (self.deletion is None or mutation.deletion > self.deletion):
            self.deletion = mutation.deletion
            if self.static is not None:
                drop_covered(self.static, mutation.deletion[0])
                if not self.static.cells:
                    self.static = None
            if self.ranges is not None:
                limit = mutation.deletion[0]
                self.ranges.keep(lambda tombstone: tombstone[0] > limit)
            self._cover(LOWEST, HIGHEST, mutation.deletion, before if want_changes else None)
        for deletion in mutation.ranges:
            start = lower_bound(encode, deletion.start, deletion.start_inclusive)
            end = upper_bound(encode, deletion.end, deletion.end_inclusive)
            if self.deletion is not None and deletion.tombstone[0] <= self.deletion[0]:
                continue
            if self.ranges is None:
                self.ranges = RangeTombstones()
            self.ranges.add(start, end, deletion.tombstone)
            self.ranges.bounds[start], self.ranges.bounds[end] = deletion.start, deletion.end
            self._cover(start, end, deletion.tombstone, before if want_changes else None)
        for key, update in mutation.rows.items():
            order = encode(key)
            change = self._apply_row(order, update, now, False)
            if change is not None:
                after[order] = change[1]
        if not want_changes:
            return []
        changes: list[Change] = []
        for order, old in before.items():
            # As views should see it: with the tombstone above it as its own.
            covering, row = self.covering(order), self.rows.get(order) or after.get(order)
            if row is not None:
                own = newest(row.deletion, covering)
                changes.append((old, row.__class__(row.key, row.marker, own, row.cells, row.shadowable)))
            elif old is not None:
                changes.append((old, old.__class__(old.key, deletion=covering)))
        return changes

    def _cover(self, start: bytes, end: bytes, tombstone: Tombstone, before: dict[bytes, Row | None] | None) -> None:
        """Drop what a tombstone over an interval covers; put the rows as they were into ``before``."""
        keys = self._keys()
        low, high = bisect_left(keys, start), bisect_left(keys, end)
        floor, rows = tombstone[0], self.rows
        kept: list[bytes] = []
        for order in keys[low:high]:
            row = rows[order]
            if before is not None and order not in before:
                before[order] = copy_row(row)
            drop_covered(row, floor)
            if is_empty(row):
                del rows[order]
            else:
                kept.append(order)
        if len(kept) < high - low:
            keys[low:high] = kept

    # ------------------------------------------------------------ upkeep

    def has_garbage(self, now: int, before: int) -> bool:
        """Whether ``purge`` would drop anything."""
        if is_old(self.deletion, before) or (self.static is not None and row_has_garbage(self.static, now, before)):
            return True
        if self.ranges is not None and any(is_old(tombstone, before) for *_, tombstone in self.ranges):
            return True
        return any(row_has_garbage(row, now, before) for row in self.rows.values())

    def purge(self, now: int, before: int) -> None:
        """Forget the tombstones and expired cells that nobody needs any more: those made before ``before``."""
        if is_old(self.deletion, before):
            self.deletion = None
        if self.ranges is not None:
            self.ranges.keep(lambda tombstone: not is_old(tombstone, before))
            if not self.ranges:
                self.ranges = None
        if self.static is not None:
            purge_row(self.static, now, before)
            if not self.static.cells:
                self.static = None
        empty = []
        for order, row in self.rows.items():
            purge_row(row, now, before)
            if is_empty(row):
                empty.append(order)
        self._forget(empty)

    def take_column(self, name: str, dropped_at: int) -> Aside | None:
        """Take a column's cells out of all rows, after ALTER TABLE DROP; those that are newer than that (µs)."""
        static, rows = None, []
        if self.static is not None:
            static = _newer(self.static.cells.pop(name, None), dropped_at)
            if not self.static.cells:
                self.static = None
        empty = []
        for order, row in self.rows.items():
            cell = _newer(row.cells.pop(name, None), dropped_at)
            if cell is not None:
                rows.append((row.key, {name: cell}))
            if is_empty(row):
                empty.append(order)
        self._forget(empty)
        if static is None and not rows:
            return None
        return self.key, None if static is None else {name: static}, rows

    def _forget(self, orders: list[bytes]) -> None:
        if orders:
            for order in orders:
                del self.rows[order]
            self._ordered = None
            self._added.clear()


def _newer(cell: Cell | Collection | None, than: int) -> Cell | Collection | None:
    """What of a column's value has a timestamp above this one (µs); None if nothing has."""
    if type(cell) is Collection:
        deletion = cell.deletion if cell.deletion is not None and cell.deletion[0] > than else None
        elements = {key: element for key, element in cell.elements.items() if element[0] > than}
        return Collection(deletion, elements) if deletion is not None or elements else None
    return cell if cell is not None and cell[0] > than else None
