"""The node's own work, guarded: whatever happens in it, requests are answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from .limits import LONGEST_UPKEEP_PAUSE, UPKEEP_PAUSE
from .notices import Notices


class Upkeep(Protocol):
    """What the node does by itself between two rounds of requests."""

    def seconds_until_due(self) -> float | None:
        """How long it can wait; None when nothing is to be done."""

    def run_due(self) -> None:
        """Do what is due."""


class GuardedUpkeep:
    """Upkeep that may fail: it is said, counted, and tried again after a pause that grows with each failure.

    ``failures`` counts them since the start; ``trouble`` is the last one's sentence while it lasts.
    """

    def __init__(self, upkeep: Upkeep, notices: Notices, monotonic: Callable[[], float] = time.monotonic):
        self._upkeep, self._notices, self._monotonic = upkeep, notices, monotonic
        self._again = monotonic()
        self._pause = UPKEEP_PAUSE
        self.failures = 0
        self.trouble: str | None = None

    def seconds_until_due(self) -> float | None:
        pause = self._again - self._monotonic()
        if pause > 0:
            return pause
        try:
            return self._upkeep.seconds_until_due()
        except Exception as error:
            self._failed(error)
            return self._again - self._monotonic()

    def run_due(self) -> None:
        if self._monotonic() < self._again:
            return
        try:
            self._upkeep.run_due()
        except Exception as error:
            self._failed(error)
        else:
            self._pause, self.trouble = UPKEEP_PAUSE, None

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        self.trouble = f"The node's upkeep failed, and is tried again: {error or type(error).__name__}"
        self._notices.fault("in its upkeep, which is tried again", error)
        self._again = self._monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST_UPKEEP_PAUSE)
