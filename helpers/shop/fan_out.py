"""Three ways to write a ticket for each seat. All write the same rows, however often they are run.

one_by_one   wait for each answer before the next request
concurrent   128 requests under way at any time
batches      100 rows a request, 8 requests under way; all rows of a batch lie in one partition
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from ..lab.quiet_gc import quiet_gc
from ..lab.statements import prepared
from .venue import Ticket

if TYPE_CHECKING:
    from cassandra.cluster import ResponseFuture, Session
    from cassandra.query import BatchStatement, PreparedStatement
    from tqdm import tqdm

CONCURRENCY = 128
BATCH_ROWS = 100
BATCHES_IN_FLIGHT = 8
T = TypeVar("T")


@dataclass(frozen=True)
class FanOutResult:
    """How a fan-out went: the strategy's name, rows written, seconds taken."""

    strategy: str
    rows: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds


def one_by_one(session: Session, tickets: Iterable[Ticket], *, bar: bool = True) -> FanOutResult:
    """Write each ticket and wait for the answer: simple, and most of the time is spent waiting.

    >>> one_by_one(session, event.tickets[:500]).rows
    500
    """
    tickets, insert = list(tickets), prepared(session, "insert_ticket")
    with _measured("one by one", len(tickets), bar) as run:
        for ticket in tickets:
            session.execute(insert, row_of(ticket))
            run.bar.update()
    return run.result()


def concurrent(session: Session, tickets: Iterable[Ticket], *, bar: bool = True) -> FanOutResult:
    """Write each ticket by a request of its own, 128 of them under way at any time."""
    from cassandra.concurrent import execute_concurrent_with_args

    tickets, insert = list(tickets), prepared(session, "insert_ticket")
    with _measured("concurrent", len(tickets), bar) as run:
        # A part at a time, so that the bar moves; results are kept for each request until the call returns.
        for part in _parts(tickets, 5_000):
            execute_concurrent_with_args(session, insert, [row_of(each) for each in part], concurrency=CONCURRENCY)
            run.bar.update(len(part))
    return run.result()


def batches(
    session: Session,
    tickets: Iterable[Ticket],
    *,
    rows: int = BATCH_ROWS,
    in_flight: int = BATCHES_IN_FLIGHT,
    bar: bool = True,
) -> FanOutResult:
    """Write ``rows`` tickets of one event by each request, ``in_flight`` requests under way.

    The batches are unlogged and each stays within one partition, so that it is one write for its replicas. A batch over
    several partitions gains nothing of the kind: the node that takes it sends each on, as it does with the rows alone.
    """
    tickets, insert = list(tickets), prepared(session, "insert_ticket")
    with _measured("batches", len(tickets), bar) as run:
        send_batches(session, insert, map(row_of, tickets), rows=rows, in_flight=in_flight, sent=run.bar.update)
    return run.result()


def send_batches(
    session: Session,
    statement: PreparedStatement,
    values: Iterable[tuple[Any, ...]],
    *,
    rows: int = BATCH_ROWS,
    in_flight: int = BATCHES_IN_FLIGHT,
    sent: Callable[[int], object] = lambda rows: None,
) -> None:
    """Execute ``statement`` with each of ``values`` in unlogged batches; ``sent`` is told how many rows were answered.

    The first value is taken for the partition key: a batch ends where it changes.
    """
    under_way: deque[tuple[ResponseFuture, int]] = deque()

    def finish() -> None:
        future, number = under_way.popleft()
        future.result()
        sent(number)

    try:
        for _, of_partition in itertools.groupby(values, key=itemgetter(0)):
            for part in _parts(of_partition, rows):
                if len(under_way) >= in_flight:
                    finish()
                under_way.append((session.execute_async(_batch(statement, part)), len(part)))
        while under_way:
            finish()
    except BaseException:
        # Stopped by Ctrl-C or by an error: wait for what is under way; nothing is written later.
        for future, _ in under_way:
            with suppress(Exception):
                future.result()
        raise


def row_of(ticket: Ticket, status: str = "available") -> tuple[Any, ...]:
    """The values of ``insert_ticket`` for this ticket."""
    return ticket.event_id, ticket.ticket_id, ticket.price, ticket.section_id, status, ticket.type_id


class _Run:
    """One fan-out under way: its bar, and when it began and ended."""

    def __init__(self, strategy: str, rows: int, bar: tqdm[Any]):
        self.strategy, self.rows, self.bar = strategy, rows, bar
        self.begin = time.perf_counter()
        self.end = self.begin

    def result(self) -> FanOutResult:
        return FanOutResult(self.strategy, self.rows, max(self.end - self.begin, 1e-9))


@contextmanager
def _measured(strategy: str, rows: int, bar: bool) -> Iterator[_Run]:
    from tqdm import tqdm

    # A bar that is done is taken away, and one that would be done at once does not appear: outputs stay the same.
    hidden = not bar or os.environ.get("HELPERS_PROGRESS") == "off"
    # In JupyterLab a bar that was taken away from stderr leaves a red band behind, on stdout nothing.
    file = sys.stdout if "JPY_SESSION_NAME" in os.environ else sys.stderr
    shown = tqdm(
        total=rows, desc=strategy, unit=" rows", leave=False, delay=2, mininterval=0.5, disable=hidden, file=file
    )
    with shown, quiet_gc():
        run = _Run(strategy, rows, shown)
        yield run
        run.end = time.perf_counter()


def _batch(statement: PreparedStatement, part: Sequence[tuple[Any, ...]]) -> BatchStatement:
    from cassandra.query import BatchStatement, BatchType

    batch = BatchStatement(batch_type=BatchType.UNLOGGED)
    for values in part:
        batch.add(statement, values)
    return batch


def _parts(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while part := list(itertools.islice(iterator, size)):
        yield part
