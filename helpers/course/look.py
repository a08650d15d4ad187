"""What a check looks with: the chapter's session and event, and reads that fail in a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..display.refusals import error_text
from ..lab.connection import latest_session
from ..lab.errors import LabError
from ..lab.waiting import wait_until
from ..shop.names import latest_event
from .numbers import keyspace_of
from .outline import outline

if TYPE_CHECKING:
    from cassandra.cluster import Session

    from ..shop.event import Event


_TABLE = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s AND table_name = %s"
_VIEW = "SELECT view_name FROM system_schema.views WHERE keyspace_name = %s AND view_name = %s"
_BUILDING = "SELECT status FROM system_distributed.view_build_status WHERE keyspace_name = %s AND view_name = %s"


class NotYet(Exception):
    """An exercise is not done; the message is one sentence about the learner's rows."""


class Look:
    """The database as the open chapter has it.

    ``session`` is the notebook's, its keyspace in use; ``event`` the one that is on sale there. A check that names its
    ``chapter`` is refused in the keyspace of another one, where tables of the same names would answer for it.
    """

    def __init__(self, chapter: str | None = None) -> None:
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

    @property
    def event(self) -> Event:
        """The event that this notebook has opened."""
        event = latest_event()
        if event is None:
            raise LabError("No event is open here: run the notebook's first cells, then this one again.")
        return event

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
