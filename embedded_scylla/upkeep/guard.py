"""A task, guarded: whatever happens in it, requests are answered, and it is tried again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from ..errors import CqlError
from ..notices import Notices

PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds after a failure until the next try; it doubles with each


class Task(Protocol):
    """Something that the node does by itself from time to time, between two rounds of requests."""

    def seconds_until_due(self) -> float | None:
        """How long it can wait (0 or less: it is due); None when nothing is to be done."""

    def run_due(self) -> None:
        """Do what is due, if anything is."""


class Guarded:
    """A task that may fail: it is said, counted, and tried again after a pause that grows with each failure.

    ``what`` is what the task does, in words; ``failures`` counts them since the start; ``trouble`` is the last one's
    sentence while it lasts.
    """

    def __init__(self, what: str, task: Task, notices: Notices, monotonic: Callable[[], float] = time.monotonic):
        self._what, self._task, self._notices, self._monotonic = what, task, notices, monotonic
        self._again = monotonic()
        self._pause = PAUSE
        self.failures = 0
        self.trouble: str | None = None

    def seconds_until_due(self) -> float | None:
        pause = self._again - self._monotonic()
        if pause > 0:
            return pause
        try:
            return self._task.seconds_until_due()
        except Exception as error:
            self._failed(error)
            return self._again - self._monotonic()

    def run_due(self) -> None:
        if self._monotonic() < self._again:
            return
        try:
            self._task.run_due()
        except Exception as error:
            self._failed(error)
        else:
            self._pause, self.trouble = PAUSE, None

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        said = error.message if isinstance(error, CqlError) else str(error) or type(error).__name__
        self.trouble = f"{self._what} failed, and is tried again: {said}"
        if isinstance(error, CqlError | OSError):
            self._notices.say(self._what, self.trouble)
        else:
            self._notices.fault(f"while {self._what.lower()}, which is tried again", error)
        self._again = self._monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
