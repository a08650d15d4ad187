"""Sweepers that run beside a sale: ours as a process, a learner's as a thread of the notebook."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from scylla_cdc import ChangeReader, Consumer

from ..lab.clock import server_now
from ..lab.errors import LabError
from ..lab.node import PROJECT
from .event import Event
from .venue import Ticket

if TYPE_CHECKING:
    from cassandra.cluster import Session

_END_SECONDS = 20.0  # a process that is asked to end finishes the request under way
_PROCESS_SECONDS = 150.0  # until it has freed what is due; on a cluster it stays half a minute behind the present
_THREAD_SECONDS = 45.0

MakeSweeper = Callable[[Any], Consumer]


class Beside(Protocol):
    """A sweeper at work for as long as its block lasts; ``ended`` is set when it works no more."""

    ended: threading.Event
    seconds: float
    trouble: str | None

    def __enter__(self) -> Any: ...
    def __exit__(self, *error: object) -> None: ...
    def kill(self) -> None:
        """End it at once, as a machine that fails does."""


class Sweepers:
    """As many sweepers as one starts, each of which may die: ``start(number)`` makes one. From any thread."""

    def __init__(self, start: Callable[[int], Beside]):
        self._start = start
        self._all: list[Beside] = []
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._trouble: str | None = None

    def __enter__(self) -> Sweepers:
        self.one_more()
        return self

    def __exit__(self, *error: Any) -> None:
        with self._lock:
            self._stack.close()

    @property
    def alive(self) -> int:
        """How many are at work."""
        return sum(not each.ended.is_set() for each in self._all)

    @property
    def ours(self) -> bool:
        """Is it the course's own, not a learner's?"""
        return isinstance(self._all[0], SweeperBeside)

    @property
    def seconds(self) -> float:
        """How long one may take to free what is due."""
        return self._all[-1].seconds

    @property
    def progress(self) -> tuple[datetime | None, int]:
        """How far a learner's has read the log, and how many answers it has had: the latest one's."""
        latest = self._all[-1]
        return latest.progress if isinstance(latest, SweeperThread) else (None, 0)

    @property
    def trouble(self) -> str | None:
        """Why one of them has ended by itself; None if none has."""
        return next((each.trouble for each in self._all if each.trouble), self._trouble)

    @trouble.setter
    def trouble(self, words: str) -> None:
        self._trouble = words

    def one_more(self) -> None:
        """Start another one; it knows nothing, and reads the log from the beginning of the sale."""
        with self._lock:
            beside = self._start(len(self._all) + 1)
            self._stack.enter_context(beside)
            self._all.append(beside)

    def kill_one(self) -> None:
        """The latest that is still at work dies."""
        for beside in reversed(self._all):
            if not beside.ended.is_set():
                beside.kill()
                return


class SweeperBeside:
    """``python -m helpers.shop.sweeper`` in a process of its own, for as long as the block lasts.

    ``freed`` is called with the ticket's id for each seat that it frees. ``ended`` is set when it has ended; if it did
    so by itself, leaving the block is a LabError with its last words.
    """

    seconds = _PROCESS_SECONDS
    trouble: str | None = None

    def __init__(self, keyspace: str, freed: Callable[[UUID], object], *, name: str = "sweeper"):
        self.ended = threading.Event()
        self._freed = freed
        self._killed = False
        self._command = [sys.executable, "-m", "helpers.shop.sweeper", keyspace, "--safety", "1", "--name", name]
        self._listener = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> SweeperBeside:
        self._words = tempfile.TemporaryFile("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=self._words, text=True, cwd=PROJECT
        )
        self._listener.start()
        return self

    def __exit__(self, *error: object) -> None:
        died = self.ended.is_set() and not self._killed
        # Not a blow: it may die at any moment, and its checkpoint knows where to go on.
        self._process.terminate()
        try:
            self._process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(timeout=_END_SECONDS)  # to the end of what it said, unless somebody else has its output
        with self._words as words:
            words.seek(0)
            lines = words.read().strip().splitlines()
        if died:
            raise LabError(f"The sweeper has ended by itself: {lines[-1] if lines else 'it did not say why'}")

    def kill(self) -> None:
        """End the process at once: it saves nothing and says nothing."""
        self._killed = True
        self._process.kill()
        self._process.wait()
        self.ended.set()

    def _listen(self) -> None:
        lines = self._process.stdout
        assert lines is not None, "it was started with a pipe"
        with lines:
            for line in lines:
                words = line.split()
                if len(words) == 2 and words[0] == "released":
                    self._freed(UUID(words[1]))
        self.ended.set()


class SweeperThread:
    """A learner's sweeper: what ``make(session)`` returns is given every change of the queue's log since ``since``.

    ``freed`` is called with the ticket's id for each conditional update of a seat that was applied. If the sweeper
    raises, it has ended, and ``trouble`` says why. With ``until`` it ends by itself, when the log is read up to then.
    """

    seconds = _THREAD_SECONDS

    def __init__(
        self,
        session: Session,
        event: Event,
        make: MakeSweeper,
        freed: Callable[[UUID], object],
        *,
        since: datetime,
        until: datetime | None = None,
    ):
        self.ended = threading.Event()
        self.trouble: str | None = None
        self.read_until: datetime | None = None  # all before it was consumed, and what was due by then looked after
        self._make, self._session = make, HeardSession(session, event, freed)
        self._reader = ChangeReader(
            session,
            session.keyspace,
            "order_queue",
            start=since,
            stop=until,
            accept_loss=True,
            safety=1,
            pause=0.2,
            window=10,
            patience=15.0,
            now=lambda: server_now(session),
        )
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> SweeperThread:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._session.dead = True
        self._reader.stop()
        self._thread.join(timeout=_END_SECONDS)

    @property
    def progress(self) -> tuple[datetime | None, int]:
        """How far it has read the log, and how many answers it has had: as long as they change, it is at work."""
        return self.read_until, self._session.answers

    def kill(self) -> None:
        """It sends nothing from now on."""
        self._session.dead = True
        self._reader.stop()
        self.ended.set()

    def _run(self) -> None:
        try:
            consumer = self._make(self._session)
            # What is none, the reader refuses in a sentence of its own.
            self._reader.run(_Followed(consumer, self) if hasattr(consumer, "consume") else consumer)
        except _Dead:
            pass
        except Exception as error:
            self.trouble = f"{type(error).__name__}: {error}"
        finally:
            self.ended.set()


class _Followed:
    """A consumer of which one can see how far it has come."""

    def __init__(self, consumer: Consumer, thread: SweeperThread):
        self._consumer, self._thread = consumer, thread

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    def consume(self, change: Any) -> Any:
        return self._consumer.consume(change)

    def advanced(self, until: datetime) -> None:
        tell = getattr(self._consumer, "advanced", None)
        if tell is not None:
            tell(until)
        self._thread.read_until = until


class _Dead(Exception):
    """This sweeper was killed."""


class HeardSession:
    """A session that tells of each seat about which a conditional update was applied; all else is the session's own."""

    def __init__(self, session: Session, event: Event, freed: Callable[[UUID], object]):
        self._session, self._tickets, self._freed = session, event.by_id, freed
        self.dead = False
        self.answers = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def execute(self, query: Any, parameters: Any = None, *more: Any, **options: Any) -> Any:
        """``session.execute``."""
        if self.dead:
            raise _Dead
        rows = self._session.execute(query, parameters, *more, **options)
        self.answers += 1
        first = rows.one() if "[applied]" in (rows.column_names or ()) else None
        if first is not None and first[0]:
            for ticket_id in ids_in(query, parameters):
                if ticket_id in self._tickets:
                    self._freed(ticket_id)
        return rows


def ids_in(query: Any, parameters: Any) -> Iterator[UUID]:
    """The ids among the values of a statement, however they were given to it."""
    values = parameters.values() if isinstance(parameters, dict) else parameters or ()
    for value in [*values, *(getattr(query, "values", None) or ())]:
        if isinstance(value, UUID):
            yield value
        elif isinstance(value, bytes) and len(value) == 16:
            yield UUID(bytes=value)


def text_of(query: Any) -> str:
    """A statement's text, whichever form the driver was given it in."""
    prepared = getattr(query, "prepared_statement", query)
    return str(getattr(prepared, "query_string", None) or prepared)


def sweep_together(
    session: Session, event: Event, make: MakeSweeper, *, copies: int = 2, since: datetime
) -> list[Ticket]:
    """Run copies of a sweeper at once on the queue's log, from ``since`` to the present; the seat of each update that
    was applied, whichever copy sent it. A LabError if one of them stops with an error.

    >>> sweep_together(session, event, MySweeper, copies=2, since=changes[0].written_at)
    """
    freed: list[UUID] = []
    now = server_now(session)
    sweepers = [SweeperThread(session, event, make, freed.append, since=since, until=now) for _ in range(copies)]
    with ExitStack() as stack:
        for each in sweepers:
            stack.enter_context(each)
        for each in sweepers:
            each.ended.wait(_PROCESS_SECONDS)
    for each in sweepers:
        if each.trouble:
            raise LabError(f"A sweeper has stopped: {each.trouble}")
    return [event.by_id[ticket_id] for ticket_id in freed]
