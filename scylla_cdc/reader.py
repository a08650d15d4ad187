"""ChangeReader: reads the log of a table's changes, for as long as it is wanted."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

from cassandra import ConsistencyLevel

from .backoff import Retry
from .checkpoints import Checkpoints
from .errors import ChangeReaderError
from .log import LogTable, WindowQuery
from .position import SAVE_SECONDS, GroupState, Position
from .progress import GroupProgress, Progress
from .rows import Change, ChangeAssembler
from .streams import STREAMS_A_QUERY, Discovery, GroupBy
from .windows import Window, WindowSize, machine_now, utc

if TYPE_CHECKING:
    from cassandra.cluster import Session

_log = logging.getLogger(__package__)

Seconds = float | timedelta
Batches = Generator[list[Change], None, None]
_SLICE = 0.5  # longest single wait: on Windows a wait cannot be interrupted by Ctrl-C
_AHEAD = 16  # windows that are asked for before the consumer gets to them


class Consumer(Protocol):
    """What ``run`` takes beside a function. Only ``consume`` must be there.

    ``started(stream)``     a stream begins to be read
    ``consume(change)``     a change; those of one stream come in the order of their times
    ``advanced(until)``     every change before ``until`` was consumed: before checkpoints are saved, so that a consumer
                            which gathers changes can put them away here
    ``ended(stream)``       the stream's generation is over, and all of it was consumed
    """

    def consume(self, change: Change) -> Any: ...


class ChangeReader:
    """Reads the changes of ``keyspace.table``, a table with CDC on ScyllaDB, in order within each stream.

    >>> reader = ChangeReader(session, "shop", "orders", start="beginning")
    >>> for change in reader:
    ...     print(change)

    ``start``        a datetime (UTC if it has no zone); "beginning": as far back as the log goes; None: now, which is
                     when the reader is made. Checkpoints, where there are any, come first.
    ``stop``         a datetime to read up to, or "now"; None: read on until ``stop()``
    ``window``       seconds of the log that one query asks for
    ``safety``       seconds that a window stays behind the present: a write that arrives later than this after its
                     timestamp is missed
    ``pause``        seconds between rounds once the reader has caught up
    ``checkpoints``  where to remember how far it came, e.g. ``TableCheckpoints``; None: nowhere
    ``group_by``     streams in one query: a number up to 100, "range" (those of a part of the ring), or "stream". A
                     round asks one query for each group, also of a log in which nothing happens
    ``page_size``    rows fetched at once
    ``consistency``  of reading the log; it and that of the writes must overlap (QUORUM and QUORUM do)
    ``patience``     seconds after which errors that might pass are given up on; None: never
    ``accept_loss``  go on when the log has forgotten what was not read yet; otherwise that is a ChangesLostError
    ``now``          gives the database's time, if this machine's is not good enough

    The defaults of ``window``, ``safety`` and ``pause`` are those of scylla-cdc-rust, made for clusters. For one node
    on the same machine see ``demo``. Raises ChangeReaderError where waiting would not help.
    """

    def __init__(
        self,
        session: Session,
        keyspace: str,
        table: str,
        *,
        start: datetime | Literal["beginning"] | None = None,
        stop: datetime | Literal["now"] | None = None,
        window: Seconds = 60,
        safety: Seconds = 30,
        pause: Seconds = 10,
        checkpoints: Checkpoints | None = None,
        group_by: GroupBy = STREAMS_A_QUERY,
        page_size: int = 1000,
        consistency: int = ConsistencyLevel.LOCAL_QUORUM,
        patience: float | None = None,
        accept_loss: bool = False,
        now: Callable[[], datetime] = machine_now,
    ):
        self._window, self._safety, self._pause = _duration(window), _duration(safety), _duration(pause)
        if self._window < timedelta(milliseconds=1) or min(self._safety, self._pause) < timedelta():
            raise ValueError("window must be at least 1 ms, safety and pause must not be negative.")
        if not (group_by in ("stream", "range") or (isinstance(group_by, int) and group_by >= 1)):
            raise ValueError(f'group_by is "stream", "range" or a number of streams, not {group_by!r}.')
        self._log_table = LogTable(session, keyspace, table, consistency, page_size)
        self._now = now
        self._retry = Retry(self._wait, patience)
        self._stop_now = threading.Event()
        self._active: Callable[[], Batches | None] = lambda: None
        self._listeners: Any = None
        self._size = WindowSize(self._window)
        self._saved_at = time.monotonic()
        self._changes = self._rows = 0  # of generations that are over
        self._opened = False
        if start is None or stop == "now":
            present = self._time()
            start, stop = present if start is None else start, present if stop == "now" else stop
        self._stop_at = None if stop is None else utc(stop)
        self._position = Position(
            log=self._log_table,
            discovery=Discovery(session, keyspace, table),
            checkpoints=checkpoints,
            retry=self._retry,
            group_by=group_by,
            start=start if start == "beginning" else utc(start),
            accept_loss=accept_loss,
        )

    @classmethod
    def demo(cls, session: Session, keyspace: str, table: str, **options: Any) -> ChangeReader:
        """A reader with the values of a demonstration: a safety of 1 s, windows of 10 s, a pause of 0.2 s, a patience
        of 15 s.

        Right for one node on this machine, where a write arrives within milliseconds of its timestamp. On a cluster
        changes would be missed.
        """
        values = {"window": 10, "safety": 1, "pause": 0.2, "patience": 15.0}
        return cls(session, keyspace, table, **{**values, **options})

    # ---------------------------------------------------------------- reading

    def __iter__(self) -> Iterator[Change]:
        """Change after change, waiting for new ones, until ``stop``.

        A change counts as consumed when the next one is asked for. Whoever leaves the loop early gets the changes of
        the windows that were not finished once more when reading goes on.
        """
        for batch in self._begin():
            yield from batch

    async def __aiter__(self) -> AsyncIterator[Change]:
        """As plain iteration; the waiting is done in a thread, so other tasks go on meanwhile."""
        batches = self._begin()
        while True:
            asked = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
            try:
                batch = await asyncio.shield(asked)
            except asyncio.CancelledError:
                self.stop()
                await asyncio.wait([asked])
                batches.close()
                raise
            if batch is None:
                return
            for change in batch:
                yield change

    def poll(self) -> Iterator[Change]:
        """The changes that can be read without waiting: those up to ``safety`` before the present."""
        for batch in self._begin(wait=False):
            yield from batch

    def run(self, consumer: Consumer | Callable[[Change], Any]) -> int:
        """Give every change to ``consumer``, a function or an object (see Consumer), until ``stop``; how many it got.

        What the consumer raises ends the reading, and the changes since the last checkpoint come again.
        """
        consume: Callable[[Change], Any] = consumer.consume if hasattr(consumer, "consume") else consumer
        consumed = 0
        batches = self._begin(listeners=consumer)
        try:
            for batch in batches:
                for change in batch:
                    consume(change)
                    consumed += 1
        finally:
            batches.close()
        return consumed

    def stop(self, at: datetime | None = None) -> None:
        """End the reading at a time (UTC if it has no zone), or now: when the window at hand is consumed, so that
        nothing comes twice. From any thread, a signal handler, or the loop itself."""
        if at is not None:
            self._stop_at = utc(at)
        else:
            self._stop_now.set()

    def progress(self) -> Progress:
        """How far the reader is, for each group of streams."""
        position, now = self._position, self._time()
        groups = tuple(
            GroupProgress(g.streams, g.position, max(now - g.position, timedelta()), g.changes, g.rows)
            for g in position.groups
        )
        return Progress(
            generation=position.generation,
            next_generation=position.next_generation,
            groups=groups,
            changes=self._changes + sum(g.changes for g in groups),
            rows=self._rows + sum(g.rows for g in groups),
            retries=self._retry.retries,
            last_error=self._retry.last_error,
            lost=tuple(position.lost),
        )

    # ---------------------------------------------------------------- the loop

    def _begin(self, wait: bool = True, listeners: Any = None) -> Batches:
        unfinished = self._active()
        if unfinished is not None:
            try:
                unfinished.close()
            except ValueError:
                raise ChangeReaderError("This reader is being read in another thread: make one for each.") from None
        batches = self._batches(wait)
        self._listeners = listeners
        self._active = weakref.ref(batches)
        return batches

    def _batches(self, wait: bool) -> Batches:
        """Lists of changes, none empty. A list is consumed when the next one is asked for."""
        position = self._position
        try:
            if not self._opened:
                self._open()
            self._tell_streams("started")
            limit = None
            while not self._stop_now.is_set():
                now = self._time()
                position.refresh(now)
                if wait or limit is None:  # a poll ends with what was there when it began
                    limit = now - self._safety
                until = limit if self._stop_at is None else min(limit, self._stop_at)
                if windows := position.windows(self._size.size, until):
                    yield from self._round(windows, until)
                elif position.generation_over():
                    self._switch()
                elif not wait or self._at_stop():
                    break
                if wait and position.reached >= until and not (position.generation_over() or self._at_stop()):
                    self._rest()
            if wait:  # polls may follow each other closely: theirs are saved when they are due
                position.save(all_groups=True)
        except _Stopped:
            _log.info("stopped while waiting for the cluster: what was read since the last checkpoint comes again")
        finally:
            self._stop_now.clear()

    def _open(self) -> None:
        self._retry(self._log_table.open, f"open the log of {self._log_table.name}")
        keeps_for = self._retry(self._log_table.keeps_for, f"read the options of {self._log_table.name}")
        if keeps_for is not None and keeps_for <= self._safety:
            raise ChangeReaderError(
                f"The log of {self._log_table.name} keeps changes for {keeps_for.total_seconds():g} s, and this reader "
                f"looks at them after {self._safety.total_seconds():g} s: give the log a longer ttl or the reader a "
                "smaller safety."
            )
        self._position.begin(self._time())
        self._opened = True

    def _round(self, windows: list[tuple[GroupState, Window]], until: datetime) -> Iterator[list[Change]]:
        """One window of each group, group after group; afterwards what was consumed is remembered."""
        promised = [window.begin for state, window in windows if not state.fresh]
        before = sum(state.changes for state, _ in windows)
        still_to_ask = iter(windows)
        asked: deque[tuple[GroupState, Window, WindowQuery]] = deque()
        for _ in windows:
            while len(asked) < _AHEAD and (following := next(still_to_ask, None)):
                state, window = following
                query = WindowQuery(self._log_table, state.streams, window)
                self._retry(query.send, f"read the log of {self._log_table.name}")
                asked.append((state, window, query))
            state, window, query = asked.popleft()
            yield from self._changes_of(state, query)
            state.passed(window)
            if self._stop_now.is_set():
                break
        if promised:
            self._position.check_kept(min(promised), self._time())
        found = sum(state.changes for state, _ in windows) > before
        self._size.round_done(found, behind=self._position.reached < until)
        self._tell("advanced", self._position.reached)
        overdue = time.monotonic() - self._saved_at >= SAVE_SECONDS
        self._position.save(all_groups=overdue)
        if overdue:
            self._saved_at = time.monotonic()

    def _changes_of(self, state: GroupState, query: WindowQuery) -> Iterator[list[Change]]:
        assembler = ChangeAssembler()
        while not query.finished:
            rows = self._retry(query.page, f"read the log of {self._log_table.name}")
            changes = list(assembler.feed(map(self._log_table.decode, rows)))
            if query.finished:
                changes.extend(assembler.finish())
            else:
                self._retry(query.send, f"read the log of {self._log_table.name}")
            if changes:
                yield changes
                state.changes += len(changes)
                state.rows += sum(len(change.rows) for change in changes)
                state.touched = True

    def _switch(self) -> None:
        """The generation is over: tell so, and begin with the next one's streams."""
        self._tell_streams("ended")
        self._changes += sum(state.changes for state in self._position.groups)
        self._rows += sum(state.rows for state in self._position.groups)
        self._position.enter_next()
        self._tell_streams("started")

    def _at_stop(self) -> bool:
        return self._stop_at is not None and self._position.reached >= self._stop_at

    def _tell(self, what: str, argument: Any) -> None:
        listener = getattr(self._listeners, what, None)
        if listener is not None:
            listener(argument)

    def _tell_streams(self, what: str) -> None:
        for state in self._position.groups:
            for stream in state.streams:
                self._tell(what, stream)

    # ---------------------------------------------------------------- time

    def _time(self) -> datetime:
        return utc(self._retry(self._now, "learn the database's time"))

    def _rest(self) -> None:
        try:
            self._wait(self._pause.total_seconds())
        except _Stopped:
            pass  # the loop sees it too, and ends in good order

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._stop_now.wait(min(left, _SLICE)):
                raise _Stopped


class _Stopped(Exception):
    """stop() was called during a wait."""


def _duration(value: Seconds) -> timedelta:
    return value if isinstance(value, timedelta) else timedelta(seconds=value)
