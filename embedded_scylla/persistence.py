"""What of the engine is kept in the journal, under which kind of record, and how it comes back at the start.

identity  the host id                        schema  all keyspaces, as they are after a change
clock     how far all are pushed, and when   stores  in snapshots: the data of a table and of its views
streams   the CDC stream generations         late    in snapshots: view updates that wait
roles     all roles and service levels
write     the mutations of one request,      truncate  the id of a table
          and its time                       purge   the partition whose garbage went, and when

A record that cannot be applied is set aside and said, and the rest is read: one of them never keeps a node from
starting. Time goes on after the latest instant that any record tells of, whatever the machine's clock says.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from .clock import MICROS, Clock, Clocks, ClocksState
from .ddl.schema_codec import encode_schema, restore_schema
from .derived.streams import Streams
from .errors import CqlError
from .identity import NodeIdentity
from .late_views import LateViews
from .roles import Roles
from .schema import Schema, Table
from .storage.journal import Journal, JournalError, Record
from .storage.mutation_codec import decode_mutation, encode_mutation
from .storage.rows import Key, Mutation
from .storage.store import TableStore

IDENTITY, CLOCK, STREAMS, SCHEMA, STORES, LATE, WRITE, TRUNCATE, PURGE, ROLES = (
    "identity", "clock", "streams", "schema", "stores", "late", "write", "truncate", "purge", "roles",
)  # fmt: skip

TRANSIENT_KEYSPACES = frozenset({"system_traces"})  # not worth keeping over a restart
QUIET = 1.0  # seconds without a write after which a snapshot disturbs nobody
LOOK_AGAIN = 0.05  # seconds between two looks whether it is written


class State(Protocol):
    """What is kept: of an engine, as seen from here."""

    node: NodeIdentity
    clocks: Clocks
    streams: Streams
    schema: Schema
    roles: Roles
    late_views: LateViews

    def store(self, table: Table) -> TableStore: ...

    def match_stores(self) -> None: ...

    def merge(self, mutation: Mutation, now: int) -> None: ...

    def update_views(self, updates: Iterable[Mutation], now: int | None = None) -> None: ...

    def forget_rows(self, table: Table) -> None: ...


class UnknownTable(Exception):
    """A record is about a table that the schema has not."""


class Persistence:
    """The engine's side of the journal. ``directory`` None: nothing is kept. JournalError if it cannot be used."""

    def __init__(self, directory: Path | None):
        self._journal = Journal(directory)
        self.directory = self._journal.directory
        self._last_write = 0.0  # monotonic seconds
        self._clocks = Clocks(Clock())
        self._extra_notices: list[str] = []

    @property
    def notices(self) -> list[str]:
        """Sentences on what was found damaged at the start."""
        return [*self._journal.notices, *self._extra_notices]

    # ---------------------------------------------------------------- coming back

    def load(self, state: State) -> None:
        """Restore what was kept; say on standard error what was not as it should be."""
        self._state, self._clocks = state, state.clocks
        restore: dict[str, Callable[[Any], None]] = {
            IDENTITY: self._restore_identity,
            CLOCK: state.clocks.restore,
            STREAMS: state.streams.restore,
            SCHEMA: self._restore_schema,
            STORES: self._restore_stores,
            LATE: self._restore_late,
            WRITE: self._restore_write,
            TRUNCATE: self._restore_truncate,
            PURGE: self._restore_purge,
            ROLES: state.roles.restore,
        }
        known = False
        for kind, payload in self._journal.replay():
            known = True
            try:
                restore[kind](payload)
            except Exception as error:  # whatever is wrong with this record, the others may be sound
                self._journal.reject((kind, payload), _why(kind, error))
        behind = max(clock.resume() for clock in state.clocks)
        if behind >= 1:
            self._extra_notices.append(
                f"This machine's clock is {behind:,.0f} seconds behind the last write to the node: it was set back. "
                "The node's time goes on from that write, so that what has ended stays ended."
            )
        for notice in self.notices:
            print(f"embedded_scylla: {notice}", file=sys.stderr)
        if not known:
            self._save(IDENTITY, state.node.host_id.bytes)

    def _restore_identity(self, host_id: bytes) -> None:
        self._state.node.host_id = uuid.UUID(bytes=host_id)

    def _restore_schema(self, payload: Any) -> None:
        restore_schema(payload, self._state.schema)
        self._state.match_stores()

    def _restore_stores(self, payload: list[tuple[bytes, Any]]) -> None:
        for table_id, dump in payload:
            self._state.store(self._table(table_id)).load(dump)

    def _restore_late(self, payload: list[Any]) -> None:
        updates = [decode_mutation(encoded, self._table(encoded[0])) for encoded in payload]
        for update in updates:
            self._state.update_views([update], self._clocks.of(update.table.keyspace).latest // MICROS)

    def _restore_write(self, payload: tuple[Any, ...]) -> None:
        now, mutations, *latest = payload
        told = max(*latest, now * MICROS) if latest else now * MICROS
        for encoded in mutations:
            table = self._table(encoded[0])
            clock = self._clocks.of(table.keyspace)
            clock.latest = max(clock.latest, told)
            self._state.merge(decode_mutation(encoded, table), now)

    def _restore_truncate(self, table_id: bytes) -> None:
        self._state.forget_rows(self._table(table_id))

    def _restore_purge(self, payload: tuple[bytes, Key, int]) -> None:
        table_id, key, now = payload
        self._state.store(self._table(table_id)).purge(key, now)

    def _table(self, table_id: bytes) -> Table:
        table = self._state.schema.table_by_id(uuid.UUID(bytes=table_id))
        if table is None:
            raise UnknownTable
        return table

    # ---------------------------------------------------------------- as things happen

    def save_writes(self, mutations: Sequence[Mutation], now: int) -> None:
        kept = [encode_mutation(m) for m in mutations if m.table.keyspace not in TRANSIENT_KEYSPACES]
        if kept:
            clock = self._clocks.of(mutations[0].table.keyspace)
            self._save(WRITE, (now, kept, clock.latest))

    def save_truncate(self, table: Table) -> None:
        self._save(TRUNCATE, table.id.bytes)

    def save_purge(self, table: Table, key: Key, now: int) -> None:
        if table.keyspace not in TRANSIENT_KEYSPACES:
            self._save(PURGE, (table.id.bytes, key, now))

    def save_schema(self, schema: Schema, streams: Streams | None = None) -> None:
        """The schema, and with it the streams if they have changed too: both or neither."""
        if streams is not None:
            self._journal.append(STREAMS, streams.state())
        self._save(SCHEMA, encode_schema(schema))

    def save_streams(self, streams: Streams) -> None:
        self._save(STREAMS, streams.state())

    def save_roles(self, roles: Roles) -> None:
        self._save(ROLES, roles.state())

    def save_clocks(self, state: ClocksState) -> None:
        self._save(CLOCK, state)

    def _save(self, kind: str, payload: Any) -> None:
        """Into the journal, and out of this process's hands; JournalError if that fails."""
        self._journal.append(kind, payload)
        self._journal.flush()
        self._last_write = time.monotonic()

    def check_home(self) -> None:
        """JournalError if the data directory is gone, or another node's."""
        self._journal.check_home()

    # ---------------------------------------------------------------- snapshots

    def seconds_until_due(self) -> float | None:
        if self._journal.writes_snapshot:
            return LOOK_AGAIN
        if not self._journal.wants_snapshot(idle=True):
            return None
        return self._last_write + QUIET - time.monotonic()

    def run_due(self) -> None:
        """Take a snapshot when the journal has grown: at a quiet moment, or when it cannot wait. A child writes it, so
        that nobody waits. JournalError if the disk refuses; the journal just goes on then."""
        if self._journal.writes_snapshot:
            self._journal.finish_snapshot()
        elif self._journal.wants_snapshot(idle=time.monotonic() - self._last_write >= QUIET):
            self._journal.begin_snapshot(self._records())

    def snapshot(self) -> None:
        """Write the whole state, here and now, and begin a new journal."""
        self._journal.snapshot(self._records())

    def _records(self) -> Iterator[Record]:
        state = self._state
        yield IDENTITY, state.node.host_id.bytes
        yield CLOCK, state.clocks.state()
        yield STREAMS, state.streams.state()
        yield SCHEMA, encode_schema(state.schema)
        if state.roles.by_name or state.roles.service_levels:
            yield ROLES, state.roles.state()
        for table in state.schema.tables():
            if table.virtual or table.is_view or table.keyspace in TRANSIENT_KEYSPACES:
                continue
            # One record: base and views share their cells in it too.
            tables = (table, *state.schema.views_of(table))
            yield STORES, [(kept.id.bytes, state.store(kept).dump()) for kept in tables]
        if len(state.late_views):
            yield LATE, list(map(encode_mutation, state.late_views.pending()))

    def abandon(self) -> None:
        """Let go of the directory as it is: what could not be loaded must not be replaced."""
        self._journal.close()

    def close(self) -> None:
        """End with a fresh snapshot if that makes the next start faster, and with the time that it is."""
        try:
            with suppress(JournalError):  # if it failed, one is wanted still
                self._journal.finish_snapshot(wait=True)
            if self._journal.wants_snapshot(idle=True):
                self.snapshot()
            else:
                self.save_clocks(self._clocks.state())
        except JournalError as error:
            print(f"embedded_scylla: the last state could not be written. {error.message}", file=sys.stderr)
        finally:
            self._journal.close()


def _why(kind: str, error: Exception) -> str:
    if isinstance(error, UnknownTable):
        return "is about a table that is not known"
    if isinstance(error, KeyError) and kind not in (STORES, LATE, WRITE, TRUNCATE, PURGE):
        return f"is of an unknown kind ({kind})"
    return f"cannot be applied ({error.message if isinstance(error, CqlError) else error!r})"
