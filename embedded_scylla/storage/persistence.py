"""What of the engine is kept in the journal, under which kind of record, and how it comes back at the start.

identity  the host id                        schema  all keyspaces, as they are after a change
clock     how far it is pushed               stores  in snapshots: the data of a table and of its views
streams   the CDC stream generations         write   the mutations of one request, and its time
truncate  the id of a table
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..schema import Table
from ..system.schema_codec import encode_schema, restore_schema
from .journal import Journal, JournalError, Record, decode_mutation, encode_mutation
from .rows import Mutation

if TYPE_CHECKING:
    from ..engine import Engine

IDENTITY, CLOCK, STREAMS, SCHEMA, STORES, WRITE, TRUNCATE = (
    "identity", "clock", "streams", "schema", "stores", "write", "truncate",
)  # fmt: skip

TRANSIENT_KEYSPACES = frozenset({"system_traces"})  # not worth keeping over a restart
QUIET = 1.0  # seconds without a write after which a snapshot disturbs nobody
RETRY = 30.0  # seconds after a failed snapshot


class Persistence:
    """The engine's side of the journal. ``directory`` None: nothing is kept."""

    def __init__(self, engine: Engine, directory: Path | None):
        self._engine = engine
        self._journal = Journal(directory)
        self.directory = self._journal.directory
        self._last_write = 0.0
        self._not_before = 0.0

    # ---------------------------------------------------------------- coming back

    def load(self) -> None:
        """Restore the engine from what was kept; say on standard error what was found damaged."""
        restore = {
            IDENTITY: self._restore_identity,
            CLOCK: self._restore_clock,
            STREAMS: self._engine.streams.restore,
            SCHEMA: self._restore_schema,
            STORES: self._restore_stores,
            WRITE: self._restore_write,
            TRUNCATE: self._restore_truncate,
        }
        known = False
        for kind, payload in self._journal.replay():
            restore[kind](payload)
            known = True
        for notice in self._journal.notices:
            print(f"embedded_scylla: {notice}", file=sys.stderr)
        if not known:
            self._save(IDENTITY, self._engine.node.host_id.bytes)

    def _restore_identity(self, host_id: bytes) -> None:
        self._engine.node.host_id = uuid.UUID(bytes=host_id)

    def _restore_clock(self, offset: int) -> None:
        self._engine.clock.offset = offset

    def _restore_schema(self, payload: Any) -> None:
        restore_schema(payload, self._engine.schema)
        self._engine.match_stores()

    def _restore_stores(self, payload: list[tuple[bytes, Any]]) -> None:
        for table_id, dump in payload:
            table = self._table(table_id)
            if table is not None:
                self._engine.store(table).load(dump)

    def _restore_write(self, payload: tuple[int, list[Any]]) -> None:
        now, mutations = payload
        for encoded in mutations:
            table = self._table(encoded[0])
            if table is not None:
                self._engine.merge(decode_mutation(encoded, table), now)

    def _restore_truncate(self, table_id: bytes) -> None:
        table = self._table(table_id)
        if table is not None:
            self._engine.forget_rows(table)

    def _table(self, table_id: bytes) -> Table | None:
        return self._engine.schema.table_by_id(uuid.UUID(bytes=table_id))

    # ---------------------------------------------------------------- as things happen

    def save_writes(self, mutations: Sequence[Mutation], now: int) -> None:
        kept = [encode_mutation(m) for m in mutations if m.table.keyspace not in TRANSIENT_KEYSPACES]
        if kept:
            self._save(WRITE, (now, kept))

    def save_truncate(self, table: Table) -> None:
        self._save(TRUNCATE, table.id.bytes)

    def save_schema(self) -> None:
        self._save(SCHEMA, encode_schema(self._engine.schema))

    def save_streams(self) -> None:
        self._save(STREAMS, self._engine.streams.state())

    def save_clock(self) -> None:
        self._save(CLOCK, self._engine.clock.offset)

    def _save(self, kind: str, payload: Any) -> None:
        """Into the journal, and out of this process's hands; JournalError if that fails."""
        self._journal.append(kind, payload)
        self._journal.flush()
        self._last_write = time.monotonic()

    # ---------------------------------------------------------------- snapshots

    def seconds_until_due(self) -> list[float]:
        if not self._journal.wants_snapshot(idle=True):
            return []
        return [max(self._last_write + QUIET, self._not_before) - time.monotonic()]

    def run_due(self) -> None:
        """Take a snapshot when the journal has grown: at a quiet moment, or when it cannot wait."""
        now = time.monotonic()
        if now < self._not_before:
            return
        if self._journal.wants_snapshot(idle=now - self._last_write >= QUIET):
            self.snapshot()

    def snapshot(self) -> None:
        """Drop what is past gc_grace_seconds, and write the whole state; on failure the journal just goes on."""
        try:
            self._journal.snapshot(self._records())
        except JournalError as error:
            self._not_before = time.monotonic() + RETRY
            print(f"embedded_scylla: no snapshot could be taken. {error.message}", file=sys.stderr)

    def _records(self) -> Iterator[Record]:
        engine = self._engine
        yield IDENTITY, engine.node.host_id.bytes
        yield CLOCK, engine.clock.offset
        yield STREAMS, engine.streams.state()
        yield SCHEMA, encode_schema(engine.schema)
        now = engine.clock.seconds()
        for table in engine.schema.tables():
            if table.virtual or table.is_view or table.keyspace in TRANSIENT_KEYSPACES:
                continue
            dumps = []
            for kept in (table, *engine.schema.views_of(table)):
                store = engine.store(kept)
                store.gc(now)
                dumps.append((kept.id.bytes, store.dump()))
            yield STORES, dumps  # one record: base and views share their cells in it too

    def close(self) -> None:
        """End with a fresh snapshot if that makes the next start faster."""
        if self._journal.wants_snapshot(idle=True):
            self.snapshot()
        self._journal.close()
