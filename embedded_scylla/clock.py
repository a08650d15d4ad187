"""The node's only source of time, which a learner can push forward.

``offset`` is how far the node's time is ahead of the machine's. It belongs to the data (it is kept in the
journal): timestamps once written must stay in the past after a restart. Client timestamps arrive in the
machine's time; ``from_client`` moves them along, so that a pushed clock moves everybody's.
"""

from __future__ import annotations

import time
from collections.abc import Callable

MICROS = 1_000_000


class Clock:
    """Wall-clock time plus an offset; all instants are microseconds or whole seconds since 1970, UTC."""

    def __init__(self, source: Callable[[], int] = time.time_ns):
        self._source = source  # nanoseconds since 1970
        self.offset = 0  # microseconds
        self._last = 0

    def micros(self) -> int:
        """Now, in microseconds."""
        return self._source() // 1000 + self.offset

    def seconds(self) -> int:
        """Now, in whole seconds: what TTLs count in."""
        return self.micros() // MICROS

    def unique_micros(self) -> int:
        """Now in microseconds, but never the same twice: for timeuuids, ballots and write timestamps."""
        self._last = max(self._last + 1, self.micros())
        return self._last

    def from_client(self, timestamp: int) -> int:
        """A client's own default timestamp (machine time) in the node's time."""
        return timestamp + self.offset

    def push(self, seconds: float) -> None:
        """Move time forward; time never goes back."""
        if seconds < 0:
            raise ValueError("The clock can only be pushed forward.")
        self.offset += round(seconds * MICROS)
