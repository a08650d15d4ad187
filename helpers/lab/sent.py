"""What each cell of a notebook has sent: the driver tells of every request, so it is the same with every engine.

``connect()`` has its session watched, and ``course/answers.py`` says when a cell begins. A check asks this record what
a learner's cell has done that no row shows: was its write conditional, was the log read? Nothing is kept but the latest
cells, and the first requests of each.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from .statements import Statement, bare

if TYPE_CHECKING:
    from cassandra.cluster import ResponseFuture, Session

MOST_CELLS, MOST_REQUESTS, MOST_IN_A_BATCH = 60, 100, 20

_WRITE = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|BEGIN)\b", re.IGNORECASE)
_IF = re.compile(r"\bIF\b", re.IGNORECASE)
_TABLE = re.compile(
    r"\b(?:FROM|INTO|UPDATE|TABLE|TABLE\s+IF\s+(?:NOT\s+)?EXISTS)\s+(?!IF\b)(?:\w+\.)?(\w+)", re.IGNORECASE
)


@dataclass(frozen=True)
class Sent:
    """One statement as it was sent, or a batch as one text; ``values`` are those bound to its marks, by position, as
    the server got them; empty where they stand in the text. ``of_course``: it was asked for by its name in ``cql/``, so
    that nobody wrote it in the cell."""

    text: str
    values: tuple[bytes | None, ...] = ()
    of_course: bool = False

    @property
    def is_conditional(self) -> bool:
        """Does its write ask something of the row first, with IF?"""
        return is_conditional(self.text)

    @property
    def tables(self) -> frozenset[str]:
        """The tables and views that it names."""
        return tables_of(self.text)


@dataclass
class Cell:
    """A cell that has run or is running: its source, and what was sent meanwhile."""

    source: str
    _requests: list[Any] = field(default_factory=list)

    def sent(self) -> list[Sent]:
        """The statements that were sent while it ran, in order; of very many, the first."""
        return [_sent(each) for each in list(self._requests)]


_cells: deque[Cell] = deque([Cell("")], MOST_CELLS)
_watched: WeakSet[Session] = WeakSet()


def watch(session: Session) -> None:
    """Keep what ``session`` sends from now on, by the cell that runs meanwhile. Asked again it does nothing."""
    if session not in _watched:
        _watched.add(session)
        session.add_request_init_listener(_note)


def begin(source: str) -> None:
    """From now on a cell with this source runs."""
    _cells.append(Cell(source))


def cells() -> list[Cell]:
    """The latest cells, the one that runs now last. What was sent later than this call is not in them."""
    return [Cell(each.source, list(each._requests)) for each in list(_cells)]


def is_conditional(text: str) -> bool:
    """Is it a write with an IF?"""
    text = bare(text)
    return bool(_WRITE.match(text) and _IF.search(text))


def tables_of(text: str) -> frozenset[str]:
    """The tables and views that a statement names, without their keyspaces."""
    return frozenset(name.lower() for name in _TABLE.findall(bare(text)))


def _note(future: ResponseFuture) -> None:
    """Called by the driver for each request, in the thread that makes it: nothing here may take long."""
    kept = _cells[-1]._requests
    if len(kept) >= MOST_REQUESTS:
        return
    query = future.query
    # A batch keeps ids of prepared statements and very many values; its first statements will do.
    batch = getattr(query, "_statements_and_parameters", None)
    if batch is None:
        kept.append(query)
    else:
        kept.append([each[1] if not each[0] else _prepared_text(future, each[1]) for each in batch[:MOST_IN_A_BATCH]])


def _prepared_text(future: ResponseFuture, query_id: bytes) -> str:
    statement = future.session.cluster._prepared_statements.get(query_id)
    return statement.query_string if statement is not None else ""


def _sent(query: Any) -> Sent:
    if isinstance(query, list):
        return Sent(_batch(query))
    prepared = getattr(query, "prepared_statement", None)
    if prepared is None:
        return Sent(query.query_string, of_course=_is_named(query.query_string))
    values = tuple(each if isinstance(each, bytes) else None for each in query.values or ())
    return Sent(prepared.query_string, values, _is_named(prepared.query_string))


def _is_named(text: str) -> bool:
    """Is it from ``cql/``? The driver keeps the text that it was given, and with it its name."""
    return isinstance(text, Statement) and text.name is not None


def _batch(texts: Iterable[str]) -> str:
    return "\n".join(["BEGIN BATCH", *(f"{text.strip().rstrip(';')};" for text in texts), "APPLY BATCH"])
