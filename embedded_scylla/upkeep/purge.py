"""Forget what nobody needs any more: tombstones, and rows whose TTL is over, gc_grace_seconds after they were written.

ScyllaDB does so when it compacts. This node looks through its tables in slices, at quiet moments, and less often when
looking takes long. A purge is in the journal before it is done, so that a start finds what the node had: an older write
that comes after the tombstone is gone (a client may give its own timestamp) stays visible.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from ..engine import Engine
from ..storage.rows import Key
from ..storage.store import TableStore

PERIOD = 5.0  # seconds from one look to the next
REST = 20  # a look is followed by a rest of this many times its own length
SLICE = 0.01  # seconds of looking at a time: requests wait so long, or for the largest partition


class Purge:
    """Looks through all tables, one slice at a time."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._next = time.monotonic() + PERIOD
        self._spent = 0.0  # seconds of this look
        self._look: Iterator[None] | None = None  # the look that is going on

    def seconds_until_due(self) -> float | None:
        return 0.0 if self._look is not None else self._next - time.monotonic()

    def run_due(self) -> None:
        begun = time.monotonic()
        if self._look is None:
            if begun < self._next:
                return
            self._look, self._spent = self._look_through(), 0.0
        for _ in self._look:
            if time.monotonic() - begun >= SLICE:
                self._spent += time.monotonic() - begun
                return
        self._spent += time.monotonic() - begun
        self._look = None
        self._next = time.monotonic() + max(PERIOD, REST * self._spent)

    def _look_through(self) -> Iterator[None]:
        """Purge partition by partition; yields after each."""
        for store in list(self._engine.stores()):
            for key in store.partition_keys():
                self.purge(store, key)
                yield

    def purge(self, store: TableStore, key: Key) -> None:
        """Drop the garbage of one partition, if it has any."""
        now = self._engine.clocks.of(store.table.keyspace).seconds()
        if store.has_garbage(key, now):
            self._engine.persistence.save_purge(store.table, key, now)
            store.purge(key, now)
