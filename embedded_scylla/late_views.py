"""View updates that wait: how views lag behind their base tables when a learner asks for it.

On a cluster a view's replica may take its update later than the base's replica has answered. On one node nothing lags
by itself, so a delay can be set: from then on view updates wait here until they are due. They belong to the data as
much as the base rows that they follow from: a snapshot has them, and what waited when the node ended is in the views
when it starts again. What is truncated or dropped takes along the updates that wait for it.
"""

from __future__ import annotations

import heapq
import itertools
import time
import uuid
from collections.abc import Collection, Iterator

from .schema import Table
from .storage.rows import Mutation


class LateViews:
    """The updates that wait, by when they are due. ``delay`` in seconds; 0.0: views follow at once."""

    def __init__(self) -> None:
        self.delay = 0.0
        self._waiting: list[tuple[float, int, Mutation]] = []  # a heap: due (monotonic seconds), order, update
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, updates: list[Mutation]) -> None:
        """Let updates wait for the delay that is set now."""
        due = time.monotonic() + self.delay
        for update in updates:
            heapq.heappush(self._waiting, (due, next(self._order), update))

    def take_due(self, until: float | None = None) -> Iterator[Mutation]:
        """The updates whose time has come, or will have ``until`` then (monotonic seconds), oldest first."""
        until = time.monotonic() if until is None else until
        while self._waiting and self._waiting[0][0] <= until:
            yield heapq.heappop(self._waiting)[2]

    def seconds_until_due(self) -> float | None:
        return self._waiting[0][0] - time.monotonic() if self._waiting else None

    def pending(self) -> list[Mutation]:
        """All that wait, in the order in which they would be taken."""
        return [update for *_, update in sorted(self._waiting, key=lambda entry: entry[:2])]

    # ---------------------------------------------------------------- what happens to tables meanwhile

    def forget(self, views: Collection[uuid.UUID]) -> None:
        """Drop the updates of views that were emptied or are gone."""
        self._keep(entry for entry in self._waiting if entry[2].table.id not in views)

    def follow(self, old: Table, new: Table) -> None:
        """A view was altered: its updates are now those of ``new``, without the columns that it lost."""
        lost = old.columns.keys() - new.columns.keys()
        for _, _, update in self._waiting:
            if update.table.id == new.id:
                update.table = new
                for row in update.rows.values():
                    for name in lost:
                        row.cells.pop(name, None)

    def _keep(self, entries: Iterator[tuple[float, int, Mutation]]) -> None:
        self._waiting = list(entries)
        heapq.heapify(self._waiting)
