"""Decisions that take time: how conditional statements about one partition stand in line when a learner asks for it.

On ScyllaDB a conditional statement, and a read at SERIAL, is a Paxos round. Each round syncs commit logs, and the
rounds of one partition run one after the other. On this node a decision takes next to no time, so it can be given
some: from then on each takes so long, and no other about its partition begins before. Other partitions' decisions go
on at the same time; plain reads and writes wait for nothing. The order is that in which they came.

Nothing of a statement is done while it waits: it is carried out when its time has come. Whoever would have to wait
longer than ScyllaDB lets it for its turn gives up, and has done nothing.
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
import uuid
from collections.abc import Callable
from typing import NamedTuple

from . import errors

PATIENCE = 1.0  # seconds for which a turn is waited for: ScyllaDB's cas_contention_timeout_in_ms
ROOM = 64 * 1024 * 1024  # bytes of requests that wait together; who finds no room gives up at once

Place = tuple[uuid.UUID, tuple[bytes, ...]]  # the table's id and the partition key


class _Waiting(NamedTuple):
    due: float  # monotonic seconds
    order: int
    carry_out: Callable[[bool], None]
    has_turn: bool
    size: int


class Decisions:
    """The statements that wait. ``duration`` in seconds; 0.0: a decision takes what it takes, and nobody waits."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.duration = 0.0
        self._monotonic = monotonic
        self._busy: dict[Place, float] = {}  # until when (monotonic seconds) the decisions about a partition go on
        self._waiting: list[_Waiting] = []  # a heap
        self._order = itertools.count()
        self._size = 0  # bytes of all that wait

    def __len__(self) -> int:
        return len(self._waiting)

    def line_up(
        self, place: Place, carry_out: Callable[[bool], None], size: int = 0, allowed: float = math.inf
    ) -> None:
        """Stand in the line of a partition. ``carry_out`` is called once, when the decision's time is over (with True),
        or when its turn did not come in time (False). ``size``: the bytes that are kept for it meanwhile; ``allowed``:
        the seconds after which it must be over."""
        now = self._monotonic()
        begins = max(now, self._busy.get(place, now))
        has_room = self._size + size <= ROOM
        has_turn = has_room and begins - now <= PATIENCE and begins + self.duration - now <= allowed
        if has_turn:
            due = self._busy[place] = begins + self.duration
        else:
            due = now + min(PATIENCE, allowed) if has_room else now
        self._size += size
        heapq.heappush(self._waiting, _Waiting(due, next(self._order), carry_out, has_turn, size))

    def take(self, seconds: float) -> None:
        """Let each decision that comes from now on take so long; 0: none waits any more. Those that wait are then
        carried out at once, in the order in which they came."""
        self.duration = seconds
        if not seconds:
            waiting, self._waiting, self._size = self._waiting, [], 0
            self._busy.clear()
            for each in sorted(waiting, key=lambda each: each.order):
                each.carry_out(True)

    def seconds_until_due(self) -> float | None:
        """How long the next one has to wait; None if none waits."""
        return self._waiting[0].due - self._monotonic() if self._waiting else None

    def run_due(self) -> None:
        """Carry out what has waited long enough, in order."""
        if not self._waiting:
            return
        now = self._monotonic()
        while self._waiting and self._waiting[0].due <= now:
            first = heapq.heappop(self._waiting)
            self._size -= first.size
            first.carry_out(first.has_turn)
        if not self._waiting:
            self._busy.clear()


class Turn(NamedTuple):
    """A statement that decides: about what, at which serial level, whether it only reads, and how long it may take
    (seconds)."""

    table_id: uuid.UUID
    table_name: str
    key: tuple[bytes, ...]
    level: int
    level_name: str
    reads: bool = False
    allowed: float = math.inf

    @property
    def place(self) -> Place:
        return self.table_id, self.key

    def missed(self) -> errors.CqlError:
        """What a client is told whose turn did not come."""
        said = f"Operation timed out for {self.table_name} - received only 0 responses from 1 CL={self.level_name}."
        if self.reads:
            return errors.ReadTimeout(said, self.level, 0, 1, False)
        return errors.WriteTimeout(said, self.level, 0, 1, "CAS")
