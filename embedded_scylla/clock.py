"""The node's only source of time, which a learner can push forward and which never goes back: for all, or for one
keyspace alone.

``offset`` is how far the node's time is ahead of the machine's. It belongs to the data (it is kept in the journal):
timestamps once written must stay in the past after a restart. Client timestamps arrive in the machine's time;
``from_client`` moves them along, so that a pushed clock moves everybody's.

Should the machine's clock be set back, even while the node is down, the offset grows by as much: a hold that has ended
stays ended, and a timestamp that is given is above every one given before.

``Clocks`` has the node's clock and, for each keyspace that was ever pushed alone, one of its own: all that happens to
the keyspace's tables (timestamps, TTLs, garbage, CDC generations) goes by it, and nothing else does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

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

    def resume(self) -> float:
        """Go on after ``latest``, which was told before a restart. Returns by how many seconds the machine's clock is
        behind it, 0.0 as a rule."""
        behind = self.latest - (self._source() // 1000 + self.offset)
        self.micros()
        return max(0.0, behind / MICROS)

    def copy(self) -> Clock:
        """Another clock that shows the same."""
        other = Clock(self._source)
        other.offset, other.latest = self.offset, self.latest
        return other


Reading = tuple[int, int]  # a clock's offset and the latest instant that it told, both µs
ClocksState = tuple[int, int, dict[str, Reading]]  # the node's clock, then the keyspaces' own by name


class Clocks:
    """The node's clock (``node``), and the keyspaces' own. A keyspace's clock stays when the keyspace is dropped: time
    does not go back for one that is made anew."""

    def __init__(self, node: Clock):
        self.node = node
        self._own: dict[str, Clock] = {}

    def of(self, keyspace: str | None) -> Clock:
        """The clock that a keyspace goes by; None: the node's."""
        return self._own.get(keyspace, self.node) if self._own and keyspace is not None else self.node

    def own(self) -> Mapping[str, Clock]:
        """The clocks of the keyspaces that have one of their own."""
        return self._own

    def __iter__(self) -> Iterator[Clock]:
        yield self.node
        yield from self._own.values()

    def push(self, seconds: float, keyspace: str | None = None) -> None:
        """Move time forward, for all or for one keyspace. ValueError if it would go back, or too far."""
        if keyspace is None:
            pushed = [(clock, clock.pushed(seconds)) for clock in self]
            for clock, offset in pushed:
                clock.offset = offset
            return
        clock = self._own.get(keyspace) or self.node.copy()
        clock.push(seconds)
        self._own[keyspace] = clock

    def after_push(self, seconds: float, keyspace: str | None = None) -> ClocksState:
        """What ``state`` is to be after a push; ValueError as of ``push``."""
        after = Clocks(self.node.copy())
        after._own = {name: clock.copy() for name, clock in self._own.items()}
        after.push(seconds, keyspace)
        return after.state()

    def state(self) -> ClocksState:
        """For the journal: where all clocks are now."""
        return (*_reading(self.node), {name: _reading(clock) for name, clock in self._own.items()})

    def restore(self, state: Any) -> None:
        """Take over what ``state`` gave, or older versions: one that knew no own clocks, and the first, which kept the
        offset alone. TypeError if it is none of them."""
        offset, latest, own = (state, 0, {}) if isinstance(state, int) else (*state, {})[:3]
        readings: dict[str | None, Reading] = {None: (offset, latest), **own}
        if not all(isinstance(number, int) for reading in readings.values() for number in reading):
            raise TypeError("a clock is kept as whole microseconds")
        for name, (offset, latest) in readings.items():
            clock = self.node if name is None else self._own.setdefault(name, self.node.copy())
            clock.offset, clock.latest = offset, max(clock.latest, latest)


def _reading(clock: Clock) -> Reading:
    now = clock.micros()  # which may change the offset
    return clock.offset, now
