"""The seats of a sale as its answers tell of them: what each is now, and what has changed since somebody looked."""

from __future__ import annotations

import heapq
import struct
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from .crowd import Answer
    from .event import Event

AVAILABLE, HELD, SOLD = range(3)


class Seating:
    """A status for each seat of ``event``, in the order of ``event.tickets``; for one thread.

    ``now`` has a byte for each seat: AVAILABLE, HELD or SOLD; ``counts`` how many there are of each.
    """

    def __init__(self, event: Event):
        self.now = bytearray(event.seats)
        self.counts = [event.seats, 0, 0]
        self._place = {ticket.ticket_id: place for place, ticket in enumerate(event.tickets)}
        self._told = bytearray(event.seats)
        self._touched: set[int] = set()
        self._unheard: Counter[int] = Counter()  # seats that came back, and of which nobody has told yet
        self._holds = 0
        self._hold: dict[int, int] = {}  # seat → the number of its latest hold
        self._ends: list[tuple[datetime, int, int]] = []
        self._late: dict[int, tuple[int, float]] = {}

    def answer(self, answer: Answer) -> None:
        """Take in what the database said to a fan."""
        if not answer.applied:
            return
        for ticket in answer.tickets:
            place = self._place[ticket.ticket_id]
            if answer.asked == "hold":
                # Held already? Then it came back meanwhile, and the sweeper's word is on its way.
                self._unheard[place] += self.now[place] == HELD
                self._holds += 1
                self._hold[place] = self._holds
                if answer.until is not None:
                    heapq.heappush(self._ends, (answer.until, place, self._holds))
                self._turn(place, HELD)
            else:
                self._turn(place, SOLD if answer.asked == "pay" else AVAILABLE)

    def freed(self, ticket_id: UUID) -> None:
        """Take in that a sweeper has freed a seat."""
        place = self._place[ticket_id]
        if self._unheard[place]:
            self._unheard[place] -= 1
        elif self.now[place] == HELD:
            self._turn(place, AVAILABLE)

    def changes(self) -> bytes:
        """What is new since the last call: a word of 32 bits for each seat, its place times four plus its status.

        A seat that changed and changed back is none of them.
        """
        new = [place for place in sorted(self._touched) if self.now[place] != self._told[place]]
        self._touched.clear()
        for place in new:
            self._told[place] = self.now[place]
        return struct.pack(f"<{len(new)}I", *(place << 2 | self.now[place] for place in new))

    def waiting(self, now: datetime, clock: float) -> tuple[int, float]:
        """How many seats are still held after their hold's end, and for how many seconds of ``clock`` the first has
        been seen so: how far the sweeper is behind. ``now`` is the server's time."""
        while self._ends and self._ends[0][0] <= now:
            _, place, hold = heapq.heappop(self._ends)
            self._late[place] = hold, clock
        self._late = {
            place: (hold, since)
            for place, (hold, since) in self._late.items()
            if self.now[place] == HELD and self._hold[place] == hold
        }
        return len(self._late), clock - min((since for _, since in self._late.values()), default=clock)

    def _turn(self, place: int, status: int) -> None:
        self.counts[self.now[place]] -= 1
        self.counts[status] += 1
        self.now[place] = status
        self._touched.add(place)
