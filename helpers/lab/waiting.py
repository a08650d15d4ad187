"""Waiting with a deadline and a reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from .errors import LabError

_POLL_SECONDS = 0.02
T = TypeVar("T")


def wait_until(ready: Callable[[], T], *, why: str, seconds: float = 30.0) -> T:
    """Call ``ready`` again and again until it returns something true, and return that.

    After ``seconds`` it is a LabError that says what was waited for.

    >>> wait_until(lambda: in_view(ticket), why="the view to follow its table")
    """
    deadline = time.monotonic() + seconds
    while not (answer := ready()):
        if time.monotonic() > deadline:
            raise LabError(f"Waited {seconds:g} s for {why}, in vain.")
        time.sleep(_POLL_SECONDS)
    return answer
