"""What the node has to say to whoever runs it: lines on standard error, which the lab keeps in ``node.log``."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress

NOTICE_PERIOD = 60.0  # seconds in which a kind of thing is said once


class Notices:
    """Says each kind of thing at most once in ``NOTICE_PERIOD``, and then how often it was so."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic):
        self._monotonic = monotonic
        self._said: dict[str, tuple[float, int]] = {}  # kind: when it may be said again, how often it was not said

    def say(self, kind: str, text: str) -> None:
        """Say ``text``, unless something of its kind was said a moment ago. Kinds are few: they are never forgotten."""
        now = self._monotonic()
        again, kept_back = self._said.get(kind, (now, 0))
        if now < again:
            self._said[kind] = (again, kept_back + 1)
            return
        self._said[kind] = (now + NOTICE_PERIOD, 0)
        times = f" (and {kept_back} times more since it was last said)" if kept_back else ""
        with suppress(OSError, ValueError):  # nobody listens any more, or the disk is full: no reason to end
            print(f"embedded_scylla: {text}{times}", file=sys.stderr, flush=True)

    def fault(self, where: str, error: BaseException) -> None:
        """Say that the node's own code has failed, and how it came there."""
        last = traceback.extract_tb(error.__traceback__)[-1:]
        kind = f"{type(error).__name__} {[(frame.filename, frame.lineno) for frame in last]}"
        self.say(kind, f"a fault of the node, {where}:\n{''.join(traceback.format_exception(error)).rstrip()}")
