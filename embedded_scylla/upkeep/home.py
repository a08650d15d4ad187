"""See that the data directory is still there: a node that has lost it must not go on."""

from __future__ import annotations

import time

from ..engine import Engine

PERIOD = 2.0  # seconds from one look to the next


class Home:
    """The task that ends a node whose directory was deleted, or taken over by another node."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._next = time.monotonic() + PERIOD

    def seconds_until_due(self) -> float | None:
        return None if self._engine.persistence.directory is None else self._next - time.monotonic()

    def run_due(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + PERIOD
        try:
            self._engine.persistence.check_home()
        except Exception:
            self._engine.stop()
            raise
