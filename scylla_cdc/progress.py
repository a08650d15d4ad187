"""How far a reader is, and how far behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .streams import Group
from .windows import Window


@dataclass(frozen=True)
class GroupProgress:
    """A group of streams: all its changes before ``position`` (UTC) are consumed; ``lag`` is the time since then."""

    streams: Group
    position: datetime
    lag: timedelta
    changes: int
    rows: int


@dataclass(frozen=True)
class Progress:
    """A reader at a moment.

    ``generation`` is when the streams now read came into force (None: reading has not begun), ``next_generation``
    when those after them do, if it is known. ``lag`` is that of the group that is furthest behind; it is never less
    than the reader's safety. ``changes`` and ``rows`` were consumed since the reader was made, ``retries`` is how
    often it had to ask again, ``last_error`` why it last had to. ``lost``: windows of time of which the log had
    forgotten something before it was read, and which were accepted.
    """

    generation: datetime | None
    next_generation: datetime | None
    groups: tuple[GroupProgress, ...]
    changes: int
    rows: int
    retries: int
    last_error: str | None
    lost: tuple[Window, ...]

    @property
    def position(self) -> datetime | None:
        """Every change before is consumed; None: reading has not begun."""
        return min((group.position for group in self.groups), default=None)

    @property
    def lag(self) -> timedelta | None:
        return max((group.lag for group in self.groups), default=None)

    def __str__(self) -> str:
        lag = self.lag
        if self.generation is None or lag is None:
            return "reading has not begun"
        streams = sum(len(group.streams) for group in self.groups)
        text = (
            f"{self.changes:,} changes read; {lag.total_seconds():.1f} s behind; {streams} streams in "
            f"{len(self.groups)} groups, in force since {self.generation:%Y-%m-%d %H:%M:%S} UTC"
        )
        return text + (f"; {self.retries} retries, last: {self.last_error}" if self.retries else "")
