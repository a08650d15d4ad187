"""Waiting with a deadline and a reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from .errors import LabError

_POLL_SECONDS = 0.02
_PAUSES = 4
T = TypeVar("T")


def wait_until(ready: Callable[[], T], *, why: str, seconds: float = 30.0) -> T:
    """Call ``ready`` again and again until it returns something true, and return that.

    After ``seconds`` it is a LabError that says what was waited for.

    >>> wait_until(lambda: in_view(ticket), why="the view to follow its table")
    """
    deadline = time.monotonic() + seconds
    while True:
        asked = time.monotonic()
        if answer := ready():
            return answer
        now = time.monotonic()
        if now > deadline:
            raise LabError(f"Waited {seconds:g} s for {why}, in vain.")
        # A question that takes long takes it from those who are waited for: the pauses are longer then, too.
        time.sleep(max(_POLL_SECONDS, min(_PAUSES * (now - asked), deadline - now)))
