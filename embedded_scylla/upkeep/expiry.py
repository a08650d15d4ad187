"""Per-row TTL: the scan that deletes the rows whose TTL column (``expires_at timestamp TTL``) lies in the past.

Until it is deleted an expired row can be read. ScyllaDB scans once a day unless told otherwise; this node looks every
second, and less often when looking takes long. A deletion is an ordinary one, by the node: views follow, and the CDC
log has it with the operations -3 and -4.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from ..engine import Engine
from ..request import Context, QueryOptions
from ..schema import Column, Table
from ..storage.rows import Mutation, Row, read_cell, row_is_live
from ..types import TIMESTAMP

PERIOD = 1.0  # seconds from one scan to the next
REST = 20  # a scan is followed by a rest of this many times its own length
TOO_OLD = 5 * 365 * 24 * 3600  # seconds: a time so long ago is taken for a mistake, and the row stays


class Expiry:
    """Scans the tables that have a TTL column, between two rounds of the server's loop."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._next = 0.0  # monotonic seconds
        self._version = -1  # of the schema that ``_found`` belongs to
        self._found: list[Table] = []

    def seconds_until_due(self) -> float | None:
        """When the next scan is wanted; None if no table has a TTL column."""
        return self._next - time.monotonic() if self._tables() else None

    def run_due(self) -> None:
        """Scan, if it is time."""
        begun = time.monotonic()
        tables = self._tables()
        if not tables or begun < self._next:
            return
        for table in tables:
            self.scan(table)
        ended = time.monotonic()
        self._next = ended + max(PERIOD, REST * (ended - begun))

    def _tables(self) -> list[Table]:
        schema = self._engine.schema
        if self._version != schema.version:
            self._version = schema.version
            self._found = [table for table in schema.tables() if table.ttl_column is not None and not table.is_view]
        return self._found

    def scan(self, table: Table) -> int:
        """Delete the expired rows of one table; how many there were."""
        clock = self._engine.clocks.of(table.keyspace)
        now = clock.seconds()
        deletions = list(self._deletions(table, now))
        for mutation in deletions:
            micros = clock.unique_micros()
            if mutation.rows:
                (row,) = mutation.rows.values()
                row.deletion = (micros, now)
            else:
                mutation.deletion = (micros, now)
            context = Context(self._engine, (), QueryOptions(), micros, micros, now, clock_of=table.keyspace)
            self._engine.delete_expired(mutation, context)
        return len(deletions)

    def _deletions(self, table: Table, now: int) -> Iterator[Mutation]:
        """One mutation for each expired row, its tombstone still without a time."""
        if table.ttl_column is None:
            return
        column = table.columns[table.ttl_column]
        for partition in self._engine.store(table).scan():
            for row in partition.scan():
                if row_is_live(row, now) and _is_over(row, column, now):
                    mutation = Mutation(table, partition.key)
                    if table.clustering:
                        mutation.rows[row.key] = Row(row.key)
                    yield mutation


def _is_over(row: Row, column: Column, now: int) -> bool:
    data = read_cell(row, column, now)
    if not data:
        return False
    end = int.from_bytes(data, "big", signed=True)
    if column.type is TIMESTAMP:
        end //= 1000
    return now - TOO_OLD <= end <= now
