"""Reads a result page by page, with a watch in hand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from ..lab.quiet_gc import quiet_gc

if TYPE_CHECKING:
    from cassandra.cluster import Session
    from cassandra.query import BoundStatement, PreparedStatement


@dataclass(frozen=True)
class PagedRead:
    """A result that was read to its end: its rows, and the milliseconds until the first page and until all of it."""

    rows: int
    first: float
    all: float


def read_pages(
    session: Session, statement: PreparedStatement, values: Sequence[Any], size: int, *, tries: int = 3
) -> PagedRead:
    """Execute ``statement`` with pages of ``size`` rows, and read every page; each time is the median of ``tries``.

    A first page is read before, unmeasured: else the first of several sizes would pay for what all of them need.

    >>> read_pages(session, available, (event.id,), 5_000).rows
    50000
    """
    bound = statement.bind(values)
    bound.fetch_size = size
    session.execute(bound).one()
    measured = [_read(session, bound) for _ in range(tries)]
    return PagedRead(measured[0].rows, median(each.first for each in measured), median(each.all for each in measured))


def _read(session: Session, bound: BoundStatement) -> PagedRead:
    with quiet_gc():
        begin = time.perf_counter()
        rows = session.execute(bound)
        first = time.perf_counter()
        number = sum(1 for _ in rows)
        end = time.perf_counter()
    return PagedRead(number, 1000 * (first - begin), 1000 * (end - begin))
