"""What a change reader gives up with: sentences that say what is wrong and what to do."""

from __future__ import annotations

from datetime import datetime


class ChangeReaderError(RuntimeError):
    """The reader cannot go on, and waiting would not help. The message is a sentence or two."""

    def _render_traceback_(self) -> list[str]:
        """IPython's hook: the lines to show in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class NoLogError(ChangeReaderError):
    """The table is not there, or nobody keeps a log of its changes."""


class StreamsNotPublishedError(ChangeReaderError):
    """The cluster has not published its streams yet, which it does within a minute of its start: worth waiting for."""


class ChangesLostError(ChangeReaderError):
    """The log's TTL was shorter than the time that the reader was away.

    ``begin`` and ``end`` (UTC): changes written from ``begin`` on and before ``end`` may have gone unread.
    """

    def __init__(self, message: str, begin: datetime, end: datetime):
        super().__init__(message)
        self.begin, self.end = begin, end
