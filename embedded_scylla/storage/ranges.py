"""The range tombstones of one partition, as intervals that do not overlap.

Ranges are half-open intervals of clustering order (see ``keys``). Where deletions overlap the newest holds, so what is
kept is a sorted list of disjoint intervals, and the tombstone over a row is found by one bisection. Order cannot be
turned back into values, so the clustering keys at which the intervals begin and end are kept beside it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator

from .keys import HIGHEST
from .rows import Key, Tombstone

Interval = tuple[bytes, bytes, Tombstone]


class RangeTombstones:
    """Disjoint intervals ``start <= order < end`` in order, each with its tombstone. ``bounds``: of each start and end
    the clustering key, or the prefix of one, that it lies at (those of intervals that are gone may be in it, too)."""

    __slots__ = ("_ends", "_starts", "_tombstones", "bounds")

    def __init__(self) -> None:
        self.bounds: dict[bytes, Key] = {}
        self._starts: list[bytes] = []
        self._ends: list[bytes] = []
        self._tombstones: list[Tombstone] = []

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[Interval]:
        return zip(self._starts, self._ends, self._tombstones, strict=True)

    def covering(self, order: bytes) -> Tombstone | None:
        """The tombstone over one row."""
        place = bisect_right(self._starts, order) - 1
        return self._tombstones[place] if place >= 0 and order < self._ends[place] else None

    def between(self, start: bytes, end: bytes) -> list[Interval]:
        """The intervals that reach into ``start <= order < end``, not cut to it."""
        low, high = bisect_right(self._ends, start), bisect_left(self._starts, end)
        return list(zip(self._starts[low:high], self._ends[low:high], self._tombstones[low:high], strict=True))

    def changes(self, start: bytes, end: bytes | None) -> list[bytes]:
        """The places within an interval at which another tombstone begins to hold, or none."""
        end = HIGHEST if end is None else end
        bounds = {bound for low, high, _ in self.between(start, end) for bound in (low, high)}
        return sorted(bound for bound in bounds if start < bound < end)

    def add(self, start: bytes, end: bytes, tombstone: Tombstone) -> None:
        """Delete ``start <= order < end``; where a newer tombstone holds already, it stays."""
        if start >= end:
            return
        low, high = bisect_right(self._ends, start), bisect_left(self._starts, end)
        pieces: list[Interval] = []
        position = start  # how far the new interval is dealt with
        for old_start, old_end, old in self.between(start, end):
            if old_start < start:
                pieces.append((old_start, start, old))
            if old_start > position:
                pieces.append((position, old_start, tombstone))
            inner_start, inner_end = max(old_start, start), min(old_end, end)
            pieces.append((inner_start, inner_end, max(old, tombstone)))
            if old_end > end:
                pieces.append((end, old_end, old))
            position = inner_end
        if position < end:
            pieces.append((position, end, tombstone))
        self._replace(low, high, pieces)

    def keep(self, wanted: Callable[[Tombstone], bool]) -> None:
        """Forget the intervals whose tombstone is not wanted."""
        self._replace(0, len(self), [interval for interval in self if wanted(interval[2])])
        if len(self.bounds) > 2 * len(self):
            needed = {*self._starts, *self._ends}
            self.bounds = {order: key for order, key in self.bounds.items() if order in needed}

    def _replace(self, low: int, high: int, pieces: list[Interval]) -> None:
        joined: list[Interval] = []
        for start, end, tombstone in pieces:
            if joined and joined[-1][1] == start and joined[-1][2] == tombstone:
                joined[-1] = (joined[-1][0], end, tombstone)
            else:
                joined.append((start, end, tombstone))
        self._starts[low:high] = [piece[0] for piece in joined]
        self._ends[low:high] = [piece[1] for piece in joined]
        self._tombstones[low:high] = [piece[2] for piece in joined]
