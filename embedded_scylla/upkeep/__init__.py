"""What the node does by itself, between two requests: late view updates, rows whose time is over, garbage, snapshots.

Each is a task of its own. None may end the node: one that fails is said, and tried again later, while the others and
the requests go on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from ..notices import Notices
from .guard import Guarded, Task

__all__ = ["Task", "Upkeep"]

MOMENT = 0.002  # seconds


class Upkeep:
    """All tasks, by what they do in words."""

    def __init__(self, tasks: Mapping[str, Task], notices: Notices):
        self._tasks = [Guarded(what, task, notices) for what, task in tasks.items()]
        self._ask_again = 0.0  # monotonic seconds, like
        self._due = -math.inf  # when something has to be done: now, unless it is known better

    def seconds_until_due(self) -> float | None:
        """How long it can wait; None when nothing is to be done. The tasks are asked once in a while: between two
        requests that follow each other at once, the answer is to ask again in a moment."""
        now = time.monotonic()
        if now < self._ask_again:
            return min(self._ask_again, self._due) - now
        self._ask_again = now + MOMENT
        waits = [wait for task in self._tasks if (wait := task.seconds_until_due()) is not None]
        if not waits:
            self._due = math.inf
            return None
        wait = max(0.0, min(waits))
        self._due = now + wait
        return wait

    def run_due(self) -> None:
        """Do what is due, as far as was known when the tasks were last asked."""
        if time.monotonic() < self._due:
            return
        self._ask_again, self._due = 0.0, -math.inf
        for task in self._tasks:
            task.run_due()

    @property
    def failures(self) -> int:
        """How often a task has failed since the start."""
        return sum(task.failures for task in self._tasks)

    def troubles(self) -> list[str]:
        """A sentence for each task that does not work at present."""
        return [task.trouble for task in self._tasks if task.trouble is not None]
