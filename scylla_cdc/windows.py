"""Time as a reader cuts it: windows ``[begin, end)`` in whole milliseconds, UTC.

All datetimes here are UTC without a zone, as the driver gives and takes them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

WIDEST = 64  # how many times its size a window grows to where there is nothing to read


class Window(NamedTuple):
    """From ``begin`` on and before ``end``."""

    begin: datetime
    end: datetime


def utc(moment: datetime) -> datetime:
    """``moment`` in UTC without a zone, cut to milliseconds: finer bounds cannot be asked for (minTimeuuid)."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def machine_now() -> datetime:
    """This machine's time in UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def next_window(begin: datetime, size: timedelta, limit: datetime) -> Window | None:
    """The next window from ``begin``, at most ``size`` long and not beyond ``limit``; None if nothing is left."""
    return Window(begin, min(begin + size, limit)) if begin < limit else None


class WindowSize:
    """How long the next windows are: ``size``, doubled for each round that found nothing while there was more to read.

    A reader that comes back after a quiet night need not ask for each minute of it. Rows are paged, so a long window
    costs no memory; but it is read again as a whole after a crash, so it shrinks as soon as there was anything.
    """

    def __init__(self, size: timedelta):
        self._first = self.size = size

    def round_done(self, found: bool, behind: bool) -> None:
        """After a round of windows: had it any change, and is there more to read at once?"""
        self.size = min(self.size * 2, self._first * WIDEST) if behind and not found else self._first
