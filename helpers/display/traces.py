"""What a request's trace says about the rows that a server had to look at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cassandra.cluster import Session

# ScyllaDB: "100 clustering row(s) (90 live, 10 dead)"; the embedded node: "Read 90 live rows and 10 dead rows of";
# Apache Cassandra: "Read 90 live rows and 10 tombstone cells".
_COUNTS = re.compile(
    r"clustering row\(s\) \((\d+) live, (\d+) dead\)|(\d+) live rows and (\d+) (?:dead rows|tombstone cells)"
)
_WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class RowsRead:
    """The rows that one replica met for one page: ``live`` ones, and the remains of deleted ones, ``dead``."""

    live: int
    dead: int


def rows_read(session: Session, query: Any, values: Any = None) -> RowsRead:
    """Execute ``query`` with traces, and return how many rows were met for all its pages.

    >>> rows_read(session, "SELECT * FROM available_tickets WHERE event_id = %s AND status = 'available' LIMIT 100", …)
    RowsRead(live=100, dead=4812)
    """
    result = session.execute(query, values, trace=True)
    while result.has_more_pages:
        result.fetch_next_page()
    traces = result.get_all_query_traces(max_wait_sec_per=_WAIT_SECONDS)
    pages = [count_rows(event.description for event in trace.events) for trace in traces]
    return RowsRead(sum(page.live for page in pages), sum(page.dead for page in pages))


def steps_of(trace: Any) -> list[dict[str, str]]:
    """A trace's steps and the node of each, in their order, as ``show`` takes them."""
    return [{"step": event.description, "node": str(event.source)} for event in trace.events]


def count_rows(descriptions: Any) -> RowsRead:
    """The counts in a trace's descriptions: the largest, where several replicas tell theirs."""
    counts = [
        tuple(int(number) for number in found.groups() if number is not None)
        for text in descriptions
        for found in _COUNTS.finditer(text)
    ]
    live, dead = zip(*counts, strict=True) if counts else ((0,), (0,))
    return RowsRead(max(live), max(dead))
