"""What a check looks with: the chapter's session and event, and reads that fail in a sentence."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..display.refusals import error_text
from ..lab.connection import latest_session
from ..lab.errors import LabError
from ..lab.sent import Sent, tables_of
from ..lab.waiting import wait_until
from ..shop.names import latest_event
from . import answers
from .answers import Answer
from .numbers import keyspace_of
from .outline import outline
from .replay import NoValue, Outcome, replay

if TYPE_CHECKING:
    from cassandra.cluster import Session

    from ..shop.event import Event
    from ..shop.venue import Ticket


_TABLE = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s AND table_name = %s"
_VIEW = "SELECT view_name FROM system_schema.views WHERE keyspace_name = %s AND view_name = %s"
_BUILDING = "SELECT status FROM system_distributed.view_build_status WHERE keyspace_name = %s AND view_name = %s"


class NotYet(Exception):
    """An exercise is not done; the message is one sentence about the learner's rows."""


class Look:
    """The database as the open chapter has it.

    ``session`` is the notebook's, its keyspace in use; ``event`` the one that is on sale there. A check that names its
    ``chapter`` is refused in the keyspace of another one, where tables of the same names would answer for it.
    ``exercise`` is the number of the one whose answer is looked at, and ``untouched`` its starter's cell.
    """

    def __init__(self, chapter: str | None = None, exercise: str | None = None, untouched: str | None = None) -> None:
        session = latest_session()
        if session is None or not session.keyspace:
            raise LabError("No chapter is open here: run the notebook's first cells, then this one again.")
        others = {keyspace_of(number): number for number in outline() if number != chapter}
        if chapter is not None and session.keyspace in others:
            raise LabError(
                f"This is about chapter {chapter}, and chapter {others[session.keyspace]} is open here: ask in the "
                f'notebook of chapter {chapter}, or open it here with checkpoint("{chapter}").'
            )
        self.session: Session = session
        self.keyspace: str = session.keyspace
        self._exercise = exercise
        # Before the check sends anything: it may run in the same cell as the answer.
        self._answer = answers.latest(exercise, untouched) if exercise else None

    @property
    def event(self) -> Event:
        """The event that this notebook has opened."""
        event = latest_event()
        if event is None:
            raise LabError("No event is open here: run the notebook's first cells, then this one again.")
        return event

    @property
    def answer(self) -> Answer:
        """The cell that answers the exercise, as it ran last; ``NotYet`` where none has run in this kernel."""
        if self._answer is None:
            raise NotYet("No cell of yours has run in this kernel: run your answer, then this one again.")
        return self._answer

    @property
    def sent(self) -> tuple[Sent, ...]:
        """What was sent while the answer's cell ran, in order."""
        return self.answer.sent

    def statement(self, verb: str, table: str) -> str:
        """The learner's last statement that begins with ``verb`` and names ``table``; ``NotYet`` if there is none."""
        text = self.answer.said(verb, table)
        if text is None:
            raise NotYet(f"Your cell has no {verb} of {table} yet.")
        return text

    def replay(self, which: int | str, **values: Any) -> Outcome:
        """Run one of the learner's own statements, by its text or its place in ``answer.statements``, with other
        values for its marks, each by the mark's name or by its column.

        A mark without one keeps the notebook's value. A column of the key that the statement writes out itself, and
        so cannot be tried on another row, is a ``NotYet``; any other value without a mark is left out.
        """
        text = self.answer.statements[which] if isinstance(which, int) else which
        before = next((each for each in reversed(self.sent) if each.text == text), None)
        try:
            outcome = replay(self.session, text, values, self._names, before)
        except NoValue as mark:
            raise NotYet(f"Your statement has a mark, {mark.name}, for which this notebook has no value.") from None
        for column in sorted(outcome.left_out):
            if any(column in self._key_columns(table) for table in tables_of(text)):
                raise NotYet(
                    f"Your statement says itself which {column} it means: with :{column} there, it works for any."
                )
        return outcome

    def variable(self, name: str, otherwise: Any = None) -> Any:
        """The value that a name has in the notebook."""
        return self._names.get(name, otherwise)

    def _key_columns(self, table: str) -> list[str]:
        with suppress(NotYet):
            partition, clustering = self.key(table)
            return partition + clustering
        return []

    @cached_property
    def _names(self) -> Mapping[str, Any]:
        """The notebook's variables."""
        if "IPython" in sys.modules:
            from IPython import get_ipython

            shell = get_ipython()
            if shell is not None:
                names: Mapping[str, Any] = shell.user_ns
                return names
        return {}

    def rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """The rows of a SELECT; ``NotYet`` when the table or a column that it reads is not there yet."""
        from cassandra import InvalidRequest

        try:
            return list(self.session.execute(query, values))
        except InvalidRequest as error:
            raise NotYet(self._what_is_missing(error, query)) from error

    def _what_is_missing(self, error: Exception, query: str) -> str:
        """A learner did not write the check's query: what its refusal says about the table that they made."""
        text = error_text(error).rstrip(".")
        read = re.search(r"\bFROM (\w+)", query)
        table = read[1] if read else "the table"
        if text.startswith("unconfigured table"):
            return f"There is no {table} in {self.keyspace} yet."
        if found := re.fullmatch(r"(?:Unrecognized name|Undefined column name|Undefined name) (\w+)(?: .*)?", text):
            return f"{table} has no column {found[1]}."
        if found := re.fullmatch(r".* is not legal on (?:partition key|primary key) component (\w+)", text):
            return f"{found[1]} is part of the key of {table}: it belongs among the values, which a write can change."
        return f"{text}."

    def row(self, query: str, values: tuple[Any, ...] = ()) -> Any:
        """The one row of a SELECT, or None."""
        return next(iter(self.rows(query, values)), None)

    def columns(self, table: str) -> dict[str, tuple[str, int, str]]:
        """Column → (kind, position, type) of a table or view of this keyspace; ``NotYet`` when there is none.

        ``kind`` is partition_key, clustering, static or regular; a position counts from 0, and is -1 where keys end.
        """
        query = (
            "SELECT column_name, kind, position, type FROM system_schema.columns "
            "WHERE keyspace_name = %s AND table_name = %s"
        )
        rows = self.rows(query, (self.keyspace, table))
        found = {row.column_name: (row.kind, row.position, row.type) for row in rows}
        if not found:
            raise NotYet(f"There is no {table} in {self.keyspace} yet.")
        return found

    def key(self, table: str) -> tuple[list[str], list[str]]:
        """The partition key and the clustering key of a table or view; ``NotYet`` when there is none."""
        columns = self.columns(table)

        def named(kind: str) -> list[str]:
            names = [name for name, each in columns.items() if each[0] == kind]
            return sorted(names, key=lambda name: columns[name][1])

        return named("partition_key"), named("clustering")

    def view(self, name: str) -> None:
        """``NotYet`` unless ``name`` is a materialized view of this keyspace."""
        if self.is_view(name):
            return
        if self.rows(_TABLE, (self.keyspace, name)):
            raise NotYet(f"{name} is a table, not a view: nothing keeps it in step. Drop it, and make a view.")
        raise NotYet(f"There is no view {name} in {self.keyspace} yet.")

    def is_view(self, name: str) -> bool:
        """Whether ``name`` is a materialized view of this keyspace."""
        return bool(self.rows(_VIEW, (self.keyspace, name)))

    def once_filled(self, view: str, question: Callable[[], bool], seconds: float = 120) -> bool:
        """Whether the answer is yes when the server has filled ``view``, which it does in the background, some hundred
        rows at a step. Asked until then; after ``seconds`` what is there counts."""
        with suppress(LabError):
            wait_until(lambda: question() or self._is_filled(view), why="the view to be filled", seconds=seconds)
        return question()

    def _is_filled(self, view: str) -> bool:
        """Do all nodes say so?"""
        from cassandra import ConsistencyLevel
        from cassandra.query import SimpleStatement

        # One copy will do: a cluster of one node has no quorum of the three that this table may want.
        query = SimpleStatement(_BUILDING, consistency_level=ConsistencyLevel.ONE)
        return {row.status for row in self.session.execute(query, (self.keyspace, view))} == {"SUCCESS"}

    def drop(self, *tables: str) -> None:
        """Remove tables or views, for an exercise that makes them, whatever a learner has made of the name."""
        for table in tables:
            self.session.execute(f"DROP {'MATERIALIZED VIEW' if self.is_view(table) else 'TABLE'} IF EXISTS {table}")

    def put_back(self, *tickets: Ticket) -> None:
        """Make seats available again, whatever has become of their rows; also one that was deleted.

        By condition, like every other change of these columns.
        """
        holds = [name for name in ("held_by", "hold_id", "held_until") if name in self.columns("tickets")]
        for ticket in tickets:
            key = (ticket.event_id, ticket.ticket_id)
            row = {
                "price": ticket.price,
                "section": ticket.section_id,
                "type_id": ticket.type_id,
                "status": "available",
            }
            row |= dict.fromkeys(holds)
            marks, sets = ", ".join(["%s"] * (2 + len(row))), ", ".join(f"{name} = %s" for name in row)
            names = ", ".join(["event_id", "ticket_id", *row])
            insert = f"INSERT INTO tickets ({names}) VALUES ({marks}) IF NOT EXISTS"
            if not self.session.execute(insert, (*key, *row.values())).one().applied:
                update = f"UPDATE tickets SET {sets} WHERE event_id = %s AND ticket_id = %s IF EXISTS"
                self.session.execute(update, (*row.values(), *key))
