"""The node's only source of time, which a learner can push forward and which never goes back.

``offset`` is how far the node's time is ahead of the machine's. It belongs to the data (it is kept in the journal):
timestamps once written must stay in the past after a restart. Client timestamps arrive in the machine's time;
``from_client`` moves them along, so that a pushed clock moves everybody's.

Should the machine's clock be set back, even while the node is down, the offset grows by as much: a hold that has ended
stays ended, and a timestamp that is given is above every one given before.
"""

from __future__ import annotations

import time
from collections.abc import Callable

MICROS = 1_000_000
LATEST = (1 << 63) - 1  # the largest timestamp there is, µs
FARTHEST = 7_258_118_400 * MICROS  # the year 2200: as far as the clock can be pushed


class Clock:
    """Wall-clock time plus an offset; all instants are microseconds or whole seconds since 1970, UTC."""

    def __init__(self, source: Callable[[], int] = time.time_ns):
        self._source = source  # nanoseconds since 1970
        self.offset = 0  # microseconds
        self.latest = 0  # the latest instant that was told or given, µs

    def micros(self) -> int:
        """Now, in microseconds."""
        now = self._source() // 1000 + self.offset
        if now >= self.latest:
            self.latest = now
            return now
        if now < self.latest - MICROS:  # set back: time goes on from where it was
            self.offset += self.latest - now
        return self.latest

    def seconds(self) -> int:
        """Now, in whole seconds: what TTLs count in."""
        return self.micros() // MICROS

    def unique_micros(self) -> int:
        """Now in microseconds, but never the same twice: for timeuuids, ballots and write timestamps."""
        before = self.latest
        now = self.micros()
        if now <= before:
            now = self.latest = before + 1
        return now

    def from_client(self, timestamp: int) -> int:
        """A client's own default timestamp (machine time) in the node's time."""
        return min(timestamp + self.offset, LATEST)

    def pushed(self, seconds: float) -> int:
        """What ``offset`` becomes when time moves forward by so much; ValueError if it would go back, or too far."""
        if seconds < 0:
            raise ValueError("The clock can only be pushed forward.")
        ahead = round(seconds * MICROS)
        if self.micros() + ahead > FARTHEST:
            raise ValueError("The clock cannot be pushed beyond the year 2200.")
        return self.offset + ahead

    def push(self, seconds: float) -> None:
        """Move time forward."""
        self.offset = self.pushed(seconds)

    def resume(self, latest: int) -> float:
        """Go on after ``latest`` (µs), which was told before a restart. Returns by how many seconds the machine's
        clock is behind it, 0.0 as a rule."""
        behind = latest - (self._source() // 1000 + self.offset)
        self.latest = max(self.latest, latest)
        self.micros()
        return max(0.0, behind / MICROS)
