"""What the node does by itself, between two requests: late view updates, rows whose time is over, garbage, snapshots.

Each is a ``Task`` of its own. None may end the node: one that fails is said, and tried again later, while the others
and the requests go on.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Mapping
from typing import Protocol

from ..errors import CqlError

RETRY = 30.0  # seconds after which a task that failed is tried again


class Task(Protocol):
    """Something that becomes due from time to time."""

    def seconds_until_due(self) -> float | None:
        """How long it can wait (0 or less: it is due); None when nothing is to be done."""

    def run_due(self) -> None:
        """Do what is due, if anything is."""


class Upkeep:
    """All tasks by their names, guarded."""

    def __init__(self, tasks: Mapping[str, Task]):
        self._tasks = tasks
        self._failed: dict[str, tuple[float, str]] = {}  # name: when to try again (monotonic seconds), what it said

    def seconds_until_due(self) -> float | None:
        """How long the loop may wait for sockets: None for as long as it likes."""
        waits = []
        for name, task in self._tasks.items():
            wait = task.seconds_until_due()
            if wait is not None:
                waits.append(max(wait, self._failed[name][0] - time.monotonic() if name in self._failed else 0.0))
        return max(0.0, min(waits)) if waits else None

    def run_due(self) -> None:
        """Run what is due."""
        for name, task in self._tasks.items():
            failed = self._failed.get(name)
            if failed is not None and time.monotonic() < failed[0]:
                continue
            try:
                task.run_due()
            except Exception as error:  # whatever it is: a task that ends the node would take all others along
                self._say(name, error)
            else:
                self._failed.pop(name, None)

    def troubles(self) -> list[str]:
        """A sentence for each task that does not work at present."""
        return [f"{name} failed, and will be tried again: {said}" for name, (_, said) in self._failed.items()]

    def _say(self, name: str, error: Exception) -> None:
        said = error.message if isinstance(error, CqlError) else str(error) or type(error).__name__
        if name not in self._failed or self._failed[name][1] != said:
            print(f"embedded_scylla: {name} failed, and will be tried again: {said}", file=sys.stderr)
            if not isinstance(error, CqlError | OSError):
                traceback.print_exception(error, file=sys.stderr)
        self._failed[name] = (time.monotonic() + RETRY, said)
