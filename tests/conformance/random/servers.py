"""Engines that are reached over the wire."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from cassandra import InvalidRequest
from cassandra.cluster import Session
from cassandra.query import PreparedStatement, SimpleStatement

from .operations import Batch, Operation, PushClock, Select, Truncate, with_markers, written_out
from .outcomes import Applied, Done, Outcome, Refused, rows_of
from .shapes import Table, View

# A ballot of Cassandra's is a whole millisecond: a transaction must not come in that of an earlier plain write.
_BALLOT_SECONDS = 0.001


class Server:
    """One table of a keyspace. ``push_clock`` is given for the embedded node, which can be moved in time."""

    def __init__(
        self,
        name: str,
        session: Session,
        keyspace: str,
        table: Table,
        views: list[View],
        push_clock: Callable[[int], object] | None = None,
    ):
        self.name, self.session, self.keyspace, self.table = name, session, keyspace, table
        self._push_clock = push_clock
        self._prepared: dict[str, PreparedStatement] = {}
        self._late = 0
        self._written = 0.0  # when a plain write was last sent, monotonic seconds
        self._drop_all()
        session.execute(table.create(keyspace))
        for view in views:
            session.execute(view.create(keyspace, table.name))

    def _drop_all(self) -> None:
        """What another comparison has left of the table."""
        for view in self.table.views:
            self.session.execute(f"DROP MATERIALIZED VIEW IF EXISTS {self.keyspace}.{view.name}")
        self.session.execute(f"DROP TABLE IF EXISTS {self.keyspace}.{self.table.name}")

    def now(self) -> int:
        """Microseconds since 1970, by the server's clock."""
        return self.session.execute("SELECT toUnixTimestamp(now()) FROM system.local").one()[0] * 1000

    def reset(self, late: int) -> None:
        self._late = late
        self.run(Truncate(self.table, self.keyspace), False)

    def run(self, operation: Operation, bound: bool) -> Outcome:
        if isinstance(operation, PushClock):
            assert self._push_clock
            self._push_clock(operation.seconds)
            return Done()
        if _is_conditional(operation):
            while time.monotonic() < self._written + 2 * _BALLOT_SECONDS:
                pass
        else:
            self._written = time.monotonic()
        try:
            rows = list(self._execute(operation, bound))
        except InvalidRequest as error:
            return Refused(str(error))
        if isinstance(operation, Select):
            return rows_of(operation, rows, self._late)
        return Applied(rows[0][0]) if rows else Done()

    def _execute(self, operation: Operation, bound: bool) -> Any:
        page_size = operation.page_size if isinstance(operation, Select) else None
        if not bound:
            return self.session.execute(SimpleStatement(written_out(operation.parts()), fetch_size=page_size))
        text, values = with_markers(operation.parts())
        if text not in self._prepared:
            self._prepared[text] = self.session.prepare(text)
        statement = self._prepared[text].bind(values)
        statement.fetch_size = page_size
        return self.session.execute(statement)


def _is_conditional(operation: Operation) -> bool:
    if isinstance(operation, Batch):
        return operation.is_conditional
    return bool(getattr(operation, "conditions", None))
