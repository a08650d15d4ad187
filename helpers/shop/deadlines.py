"""What the log of ``order_queue`` says about the end of each checkout. Pure: no session, no clock.

A row with a TTL ends at ``cdc$time`` + ``cdc$ttl``, and the log says so only once, when the row is written.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

from scylla_cdc import Change, ChangeRow, Operation


class QueueKey(NamedTuple):
    """The key of a row in the queue: one checkout of one seat."""

    event_id: UUID
    ticket_id: UUID
    started_at: datetime


@dataclass(eq=False)
class Deadline:
    """When the row ``key`` ends, what it said, and the time of the change that told it."""

    key: QueueKey
    due: datetime
    learnt_at: datetime
    hold_id: UUID | None
    buyer: str | None


class Deadlines:
    """Takes the changes of ``order_queue`` and says which rows have ended by themselves, and which are still to come.

    Changes may come twice, as they do after a restart: a deadline that is learnt again is looked at again, which costs
    a read and changes nothing. A deletion of a range forgets nothing for the same reason.

    >>> deadlines.consume(change)
    >>> for deadline in deadlines.due(now):
    ...     deadlines.done(deadline)
    """

    def __init__(self) -> None:
        self._open: dict[QueueKey, Deadline] = {}
        self._of_event: dict[UUID, set[QueueKey]] = {}
        self._by_due: list[tuple[datetime, int, Deadline]] = []
        self._by_learnt: list[tuple[datetime, int, Deadline]] = []
        self._number = count()
        self.learnt = self.forgotten = 0

    def __len__(self) -> int:
        return len(self._open)

    def consume(self, change: Change) -> None:
        """Learn from a change."""
        for row in change.delta:
            self._consume(row)

    def due(self, now: datetime) -> Iterator[Deadline]:
        """Those whose time is over, oldest first. Each stays open until ``done``, and is given again if it is not."""
        given = []
        while self._by_due and self._by_due[0][0] <= now:
            entry = heapq.heappop(self._by_due)
            if self._is_open(entry[2]) and entry[2].due == entry[0]:
                given.append(entry)
        for entry in given:
            heapq.heappush(self._by_due, entry)
        yield from (deadline for _, _, deadline in given)

    def done(self, deadline: Deadline) -> None:
        """It is settled: nobody needs to come again."""
        if self._is_open(deadline):
            self._close(deadline.key)

    def postpone(self, deadline: Deadline, due: datetime) -> None:
        """The seat itself names another moment: come again then."""
        deadline.due = due
        heapq.heappush(self._by_due, (due, next(self._number), deadline))

    def needed_since(self) -> datetime | None:
        """Whoever loses this must read the log again from here on; None if nothing is open."""
        while self._by_learnt and not self._is_open(self._by_learnt[0][2]):
            heapq.heappop(self._by_learnt)
        return self._by_learnt[0][0] if self._by_learnt else None

    def _consume(self, row: ChangeRow) -> None:
        event_id = row.key["event_id"]
        if row.operation is Operation.PARTITION_DELETE:
            for key in self._of_event.pop(event_id, set()):
                self._forget(key)
            return
        if len(row.key) < len(QueueKey._fields):
            return
        key = QueueKey(event_id, row.key["ticket_id"], row.key["started_at"])
        if row.operation is Operation.ROW_DELETE:
            self._forget(key)
        elif row.operation is Operation.ROW_EXPIRED:
            # Per-row TTL (ScyllaDB 2026.2): the database says that it is over, so there is nothing to wait for.
            self._learn(key, row.written_at, row.written_at, row.values)
        elif row.operation is Operation.INSERT and row.ends_at is not None:
            self._learn(key, row.ends_at, row.written_at, row.values)

    def _learn(self, key: QueueKey, due: datetime, learnt_at: datetime, values: Mapping[str, Any]) -> None:
        before = self._open.get(key)
        if before is not None:
            # Told twice, or told that it is over now: the row is the same.
            before.hold_id = values.get("hold_id") or before.hold_id
            before.buyer = values.get("session_id") or before.buyer
            if before.due != due:
                self.postpone(before, due)
            return
        deadline = Deadline(key, due, learnt_at, values.get("hold_id"), values.get("session_id"))
        self._open[key] = deadline
        self._of_event.setdefault(key.event_id, set()).add(key)
        number = next(self._number)
        heapq.heappush(self._by_due, (due, number, deadline))
        heapq.heappush(self._by_learnt, (learnt_at, number, deadline))
        self.learnt += 1

    def _forget(self, key: QueueKey) -> None:
        if key in self._open:
            self._close(key)
            self.forgotten += 1

    def _close(self, key: QueueKey) -> None:
        del self._open[key]
        keys = self._of_event.get(key.event_id)
        if keys is not None:
            keys.discard(key)
            if not keys:
                del self._of_event[key.event_id]

    def _is_open(self, deadline: Deadline) -> bool:
        return self._open.get(deadline.key) is deadline
