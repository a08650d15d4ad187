"""When and for how long: what all cells of one statement's execution have in common."""

from __future__ import annotations

from ..storage.rows import Cell, Marker, Tombstone
from .list_keys import ListKeys


class Write:
    """``timestamp`` in µs; ``expires_at`` in seconds since 1970 and ``ttl`` in seconds, both 0 for never; ``now`` in
    seconds: when its tombstones are made. ``lists`` gives out the keys of the elements added to lists; the statements
    of a batch share one.
    """

    __slots__ = ("_lists", "expires_at", "now", "timestamp", "ttl")

    def __init__(self, timestamp: int, ttl: int, now: int, lists: ListKeys | None = None):
        self.timestamp = timestamp
        self.ttl = ttl
        self.expires_at = now + ttl if ttl else 0
        self.now = now
        self._lists = lists

    @property
    def lists(self) -> ListKeys:
        if self._lists is None:
            self._lists = ListKeys()
        return self._lists

    def cell(self, value: bytes) -> Cell:
        return (self.timestamp, value, self.expires_at, self.ttl)

    def dead_cell(self) -> Cell:
        return (self.timestamp, None, self.now, 0)

    def marker(self) -> Marker:
        return (self.timestamp, self.expires_at, self.ttl)

    def tombstone(self) -> Tombstone:
        return (self.timestamp, self.now)

    def tombstone_just_before(self) -> Tombstone:
        """What an overwritten collection begins with: everything older goes, this write's own elements stay."""
        return (self.timestamp - 1, self.now)
