"""Where a reader is: its generation, its groups of streams, and how far each of them is read."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from .backoff import Retry
from .checkpoints import Checkpoints
from .errors import ChangesLostError
from .log import LogTable
from .streams import Discovery, Group, GroupBy, generation_at, group
from .windows import Window, next_window

_log = logging.getLogger(__package__)

SAVE_SECONDS = 10.0  # how old the checkpoint of a group without changes may be


@dataclass
class GroupState:
    """A group while it is read. ``fresh``: nothing was read of it yet, and nothing promised."""

    streams: Group
    position: datetime
    fresh: bool
    changes: int = 0
    rows: int = 0
    unsaved: bool = False
    touched: bool = False  # had changes since it was last saved

    def passed(self, window: Window) -> None:
        """All of the window is consumed."""
        self.position = window.end
        self.fresh, self.unsaved = False, True


@dataclass
class Position:
    """Finds where to begin, keeps account of what was consumed, and moves on from generation to generation.

    Everything that asks the cluster goes through ``retry``.
    """

    log: LogTable
    discovery: Discovery
    checkpoints: Checkpoints | None
    retry: Retry
    group_by: GroupBy
    start: datetime | Literal["beginning"]
    accept_loss: bool
    generation: datetime | None = None
    next_generation: datetime | None = None
    groups: list[GroupState] = field(default_factory=list)
    keeps_for: timedelta | None = None
    lost: list[Window] = field(default_factory=list)

    # ---------------------------------------------------------------- begin

    def begin(self, now: datetime) -> None:
        """Go on where the checkpoints say; without any, begin at ``start``."""
        generations = self._look()
        checkpoints, stored = self.checkpoints, None
        if checkpoints is not None:
            self.retry(lambda: checkpoints.open(self.log.name), "open its checkpoints")
            stored = self.retry(checkpoints.load_generation, "load its checkpoints")
        if checkpoints is None or stored is None:
            self._begin_fresh(generations, now)
        else:
            self._resume(checkpoints, stored, generations)
        self._find_next(generations)

    def _begin_fresh(self, generations: list[datetime], now: datetime) -> None:
        start = self.start if isinstance(self.start, datetime) else generations[0]
        if self.keeps_for is not None:
            start = max(start, now - self.keeps_for)
        self._enter(generation_at(generations, start), start, fresh=True)
        # A reader that dies before its first checkpoint must know where it began; and the generation, which says that
        # there are checkpoints, comes last.
        self._save_positions(self.groups, "save its first checkpoints")
        self._save_generation()

    def _resume(self, checkpoints: Checkpoints, stored: datetime, generations: list[datetime]) -> None:
        if stored not in generations:
            self._lost(stored, generations[0], "the streams that it was reading are no longer known")
            stored = generations[0]
        # From now on only the checkpoints count: ``start`` may be the present, and later generations began before it.
        self.start = "beginning"
        # A stream without a checkpoint: the reader died between entering its generation and the first save.
        self._enter(stored, stored, fresh=False)
        streams = [stream for state in self.groups for stream in state.streams]
        saved = self.retry(lambda: checkpoints.load(streams), "load its checkpoints")
        for state in self.groups:
            state.position = min(saved.get(stream) or state.position for stream in state.streams)
        _log.info("reading %s goes on from %s UTC", self.log.name, self.reached)

    # ---------------------------------------------------------------- go on

    @property
    def reached(self) -> datetime:
        """Every change before this is consumed."""
        return min(state.position for state in self.groups)

    def refresh(self, now: datetime) -> None:
        """Look for a new generation, and whether the log forgets faster than it is read (ChangesLostError)."""
        self._find_next(self._look())
        if self.keeps_for is None:
            return
        earliest = now - self.keeps_for
        late = [state for state in self.groups if state.position < earliest]
        promised = [state.position for state in late if not state.fresh]
        if promised:
            self._lost(min(promised), earliest, _forgets(self.keeps_for))
        for state in late:
            state.position, state.fresh = earliest, True

    def windows(self, size: timedelta, limit: datetime) -> list[tuple[GroupState, Window]]:
        """The next window of each group that has one. A generation is not read beyond its end."""
        if self.next_generation is not None:
            limit = min(limit, self.next_generation)
        found = ((state, next_window(state.position, size, limit)) for state in self.groups)
        return [(state, window) for state, window in found if window is not None]

    def check_kept(self, begin: datetime, now: datetime) -> None:
        """Was the log's oldest row still there when reading from ``begin`` on ended, at ``now``?"""
        if self.keeps_for is not None and begin < now - self.keeps_for:
            self._lost(begin, now - self.keeps_for, _forgets(self.keeps_for))

    def generation_over(self) -> bool:
        """Is the generation read to its end?"""
        return self.next_generation is not None and self.reached >= self.next_generation

    def enter_next(self) -> None:
        """Begin with the streams of the next generation, at its beginning or at ``start`` if that is later. Only when
        ``generation_over``."""
        begun = self.next_generation
        if begun is None:
            raise ValueError("No next generation is known.")
        start = max(begun, self.start) if isinstance(self.start, datetime) else begun
        self._enter(begun, start, fresh=False)
        self._save_generation()
        self._find_next(self._look())

    def save(self, all_groups: bool) -> None:
        """Save the checkpoints of the groups that had changes; with ``all_groups`` those of the silent ones too."""
        due = [state for state in self.groups if state.unsaved and (all_groups or state.touched)]
        if not due:
            return
        self._save_positions(due, "save its checkpoints")
        if all_groups:  # now and then, because what is not renewed is forgotten
            self._save_generation()
        for state in due:
            state.unsaved = state.touched = False

    # ---------------------------------------------------------------- within

    def _look(self) -> list[datetime]:
        self.keeps_for = self.retry(self.log.keeps_for, f"read the options of {self.log.name}")
        return self.retry(self.discovery.generations, f"find the streams of {self.log.name}")

    def _find_next(self, generations: list[datetime]) -> None:
        current = self.generation
        self.next_generation = min((begun for begun in generations if current is None or begun > current), default=None)

    def _enter(self, generation: datetime, start: datetime, fresh: bool) -> None:
        ranges = self.retry(lambda: self.discovery.ranges(generation), f"find the streams of {self.log.name}")
        start = max(start, generation)
        self.groups = [GroupState(streams, start, fresh) for streams in group(ranges, self.group_by)]
        self.generation = generation
        _log.info("reading %s: %d groups of the generation of %s UTC", self.log.name, len(self.groups), generation)

    def _save_positions(self, groups: list[GroupState], doing: str) -> None:
        checkpoints, generation = self.checkpoints, self.generation
        if checkpoints is not None and generation is not None:
            positions: dict[bytes, datetime] = {stream: state.position for state in groups for stream in state.streams}
            self.retry(lambda: checkpoints.save(generation, positions), doing)

    def _save_generation(self) -> None:
        checkpoints, generation = self.checkpoints, self.generation
        if checkpoints is not None and generation is not None:
            self.retry(lambda: checkpoints.save_generation(generation), "save its checkpoints")

    def _lost(self, begin: datetime, end: datetime, why: str) -> None:
        message = (
            f"Changes of {self.log.name} written between {begin:%Y-%m-%d %H:%M:%S} and {end:%Y-%m-%d %H:%M:%S} UTC "
            f"may have gone unread: {why}, and the reader is behind. Give the log a longer ttl; to go on with what "
            "is left, make the reader with accept_loss=True."
        )
        if not self.accept_loss:
            raise ChangesLostError(message, begin, end)
        _log.warning("%s", message)
        self.lost.append(Window(begin, end))


def _forgets(keeps_for: timedelta) -> str:
    return f"its log keeps them for {keeps_for.total_seconds():g} s"
