"""End a node that nobody has asked anything for some hours: it was forgotten, and its data stay."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from ..engine import Engine

PERIOD = 60.0  # seconds from one look to the next


class Idle:
    """The task that ends the node after ``hours`` (0: never) without a request. What drivers send to see whether the
    node is alive is no request: a notebook that stays open asks nothing."""

    def __init__(self, engine: Engine, hours: float, monotonic: Callable[[], float] = time.monotonic):
        self._engine, self._seconds, self._monotonic = engine, hours * 3600, monotonic
        self._requests = -1  # so many when they were last counted
        self._since = self._next = monotonic()  # since when there was none; when to look again

    def seconds_until_due(self) -> float | None:
        return self._next - self._monotonic() if self._seconds else None

    def run_due(self) -> None:
        now = self._monotonic()
        if not self._seconds or now < self._next:
            return
        if self._engine.requests != self._requests:
            self._requests, self._since = self._engine.requests, now
        idle = now - self._since
        if idle >= self._seconds:
            hours = f"{self._seconds / 3600:g} h"
            print(f"embedded_scylla: nobody has asked anything for {hours}: it ends, its data stay.", file=sys.stderr)
            self._engine.stop()
        self._next = now + min(PERIOD, max(0.0, self._seconds - idle))
