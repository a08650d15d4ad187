"""The engine: schema, stores, clock, CDC streams and journal, and the one way in which a write becomes state.

    apply(mutations): refused? → CDC log rows → journal → base tables → views
A write is in the journal before it is in memory, and in memory before it is answered: what cannot be written is
refused and leaves no trace, and what was acknowledged is there after a restart. Views are not journaled: they are what
their base tables make of them.
"""

from __future__ import annotations

import gc
import heapq
import itertools
import math
import os
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from . import __version__
from .clock import Clock
from .consistency import replicas_needed
from .derived import cdc, streams
from .derived.expiry import Expiry
from .derived.views import build, view_mutations
from .errors import Unavailable
from .prepared import PreparedStatements
from .request import CONSISTENCY_NAMES, Context, Result, SchemaChange
from .schema import Keyspace, Schema, Table
from .schema_events import events_between
from .storage.keys import token
from .storage.persistence import Persistence
from .storage.rows import Key, Mutation, live, row_is_live
from .storage.store import TableStore
from .system import tables as system_tables


class NodeIdentity:
    """What ``system.local`` says of this node. ``tokens`` are fixed, so that placement is the same everywhere."""

    def __init__(self, address: str):
        self.host_id = uuid.uuid4()
        self.cluster_name = "Embedded node of Fifty Thousand Seats (not ScyllaDB)"
        self.address = "127.0.0.1" if address in ("localhost", "0.0.0.0", "::", "") else address
        self.port = 9042
        self.data_center, self.rack = "datacenter1", "rack1"
        self.release_version = "3.0.8"
        self.scylla_version = f"2026.2.0-embedded-{__version__}"
        self.tokens = streams.node_tokens()


class Engine:
    """All state of the node. ``directory`` None keeps nothing on disk; ``address`` is what clients are told."""

    def __init__(self, directory: Path | None = None, address: str = "127.0.0.1", clock: Clock | None = None):
        self.clock = clock or Clock()
        self.node = NodeIdentity(address)
        self.streams = streams.Streams()
        self.schema = Schema()
        self.prepared = PreparedStatements(self)
        self.started = time.monotonic()
        # The server, if there is one, says who is connected (as rows of system.clients), and is told of changes.
        self.clients: Callable[[], Iterable[dict[str, Any]]] = lambda: ()
        self.announce: Callable[[list[SchemaChange]], None] = lambda changes: None
        self._stores: dict[uuid.UUID, TableStore] = {}
        self._late_views: list[tuple[float, int, list[Mutation]]] = []  # a heap: due (monotonic s), order, writes
        self._order = itertools.count()
        self._view_delay = 0.0  # seconds
        self._refuse_until = 0.0  # monotonic seconds
        self._expiry = Expiry(self)
        system_tables.define(self.schema)
        self._match_stores()
        self._persistence = Persistence(self, directory)
        gc.disable()
        try:
            self._persistence.load()
        finally:
            gc.enable()
        if not self.streams.generations:
            self.new_cdc_generation()
        # What is stored stays; looking through it for garbage again and again would only cost time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 50, 100)

    def close(self) -> None:
        self._persistence.close()

    # ---------------------------------------------------------------- reading

    def store(self, table: Table) -> TableStore:
        """The data of a table; of a virtual table, what it shows at this moment."""
        if table.virtual:
            return system_tables.store_of(self, table)
        return self._stores[table.id]

    # ---------------------------------------------------------------- writing

    def apply(self, mutations: Sequence[Mutation], context: Context) -> None:
        """Carry out writes: all of them, or (with an error) none."""
        if self._refuse_until and time.monotonic() < self._refuse_until:
            self._refuse(mutations[0].table, context)
        now = context.now
        written = list(mutations)
        for mutation in mutations:
            if mutation.table.cdc.enabled:
                written += self._log_changes(mutation, context)
        self._persistence.save_writes(written, now)
        for mutation in written:
            self._merge(mutation, now)

    def ballot(self, table: Table, key: Key) -> int:
        """A timestamp (µs) for a lightweight transaction: above that of every earlier one."""
        return self.clock.unique_micros()

    def truncate(self, table: Table) -> None:
        """Empty a table and its views."""
        self._persistence.save_truncate(table)
        self.forget_rows(table)

    def forget_rows(self, table: Table) -> None:
        """``truncate`` without the journal."""
        for emptied in (table, *self.schema.views_of(table)):
            self._stores[emptied.id].truncate()

    def delete_expired(self, mutation: Mutation, context: Context) -> None:
        """A deletion that the node makes by itself (per-row TTL): its log rows say so."""
        written = [mutation]
        if mutation.table.cdc.enabled:
            written += self._log_changes(mutation, context, by_service=True)
        self._persistence.save_writes(written, context.now)
        for one in written:
            self._merge(one, context.now)

    def _log_changes(self, mutation: Mutation, context: Context, by_service: bool = False) -> list[Mutation]:
        base = mutation.table
        log = self.schema.log_of(base)
        if log is None:
            return []
        store, now = self._stores[base.id], context.now
        partition = store.partition(mutation.key)
        before = cdc.Before(
            row=lambda key: store.row(mutation.key, key),
            static=lambda: partition.static if partition is not None else None,
            is_live=lambda row: row_is_live(row, now),
            cell_is_live=lambda cell: live(cell, now),
        )
        place = token(base, mutation.key)

        def stream_for(timestamp: int) -> bytes:
            return self.streams.stream_for(base, place, timestamp, context.micros)

        return cdc.log_mutations(log, mutation, before, stream_for, now, by_service)

    def merge(self, mutation: Mutation, now: int) -> None:
        """Merge a write that is in the journal already."""
        self._merge(mutation, now)

    def _merge(self, mutation: Mutation, now: int) -> None:
        store = self._stores.get(mutation.table.id)
        if store is None:
            return  # its table was dropped
        views = self.schema.views_of(mutation.table)
        if not views:
            store.apply(mutation, now)
            return
        key, base = mutation.key, store.table
        changes = store.apply(mutation, now, want_old=True)
        for view in views:
            updates = view_mutations(view, base, key, changes, now)
            if self._view_delay:
                heapq.heappush(self._late_views, (time.monotonic() + self._view_delay, next(self._order), updates))
            else:
                self._update_view(view, updates, now)

    def _update_view(self, view: Table, updates: list[Mutation], now: int) -> None:
        store = self._stores[view.id]
        for update in updates:
            store.apply(update, now)

    # ---------------------------------------------------------------- schema

    def change_schema(self, change: Callable[[Schema], Result]) -> Result:
        """Let ``change`` alter the schema; make, change and drop stores to match, and fill new views. If it raises, or
        if the journal refuses, the schema is as before."""
        before = dict(self.schema.keyspaces)
        try:
            result = change(self.schema)
            self._adopt_streams()
            self._persistence.save_schema()
        except BaseException:
            self.schema.restore(before)
            raise
        self._match_stores()
        self.announce(events_between(before, self.schema.keyspaces))
        return result

    def _adopt_streams(self) -> None:
        adopted = False
        for table in self.schema.tables():
            if table.cdc.enabled:
                keyspace = self.schema.keyspaces[table.keyspace]
                adopted |= self.streams.adopt(table, keyspace, self.clock.micros())
        if adopted:
            self._persistence.save_streams()

    def match_stores(self) -> None:
        """Make the stores agree with a schema that was loaded."""
        self._match_stores()

    def _match_stores(self) -> None:
        tables = {table.id: table for table in self.schema.tables() if not table.virtual}
        for gone in self._stores.keys() - tables.keys():
            del self._stores[gone]
        # A view is filled from its base, so bases come first.
        for table in sorted(tables.values(), key=lambda table: table.is_view):
            store = self._stores.get(table.id)
            if store is None:
                self._stores[table.id] = TableStore(table)
                if table.is_view:
                    self._build_view(table)
            elif store.table is not table:
                for name in store.table.columns.keys() - table.columns.keys():
                    if name in table.dropped_columns:
                        store.forget_column(name)
                store.table = table

    def _build_view(self, view: Table) -> None:
        """Fill a new view from what its base table holds."""
        base = self.schema.table_by_id(view.view.base_id)
        build(view, self._stores[base.id], self._stores[view.id], self.clock.seconds())

    # ---------------------------------------------------------------- knobs for teaching

    def push_clock(self, seconds: float) -> None:
        """Move the node's time, and its clients', forward."""
        self.clock.push(seconds)
        self._persistence.save_clock()

    def delay_views(self, seconds: float) -> None:
        """Let views follow their base tables this much later from now on; 0: at once, also where they are late."""
        self._view_delay = seconds
        if not seconds:
            self._catch_up(math.inf)

    def refuse_writes(self, seconds: float) -> None:
        """Answer every write with Unavailable for so long."""
        self._refuse_until = time.monotonic() + seconds if seconds else 0.0

    def new_cdc_generation(self) -> int:
        """Begin a new generation of CDC streams; its timestamp in ms."""
        timestamp = self.streams.new_generation(self.clock.micros())
        self._persistence.save_streams()
        return timestamp

    def split_tablets(self, name: str) -> int:
        """Split each tablet of ``keyspace.table`` in two: its log gets new streams; their timestamp in ms."""
        for table in self.schema.tables():
            if table.full_name == name and table.id in self.streams.tables:
                timestamp = self.streams.split_tablets(table, self.clock.micros())
                self._persistence.save_streams()
                return timestamp
        raise ValueError(f"{name} is not a table with CDC in a keyspace on tablets.")

    def status(self) -> dict[str, Any]:
        """What the control channel tells: names, figures, settings."""
        return {
            "product": "embedded_scylla",
            "version": __version__,
            "pid": os.getpid(),
            "data_dir": str(self._persistence.directory) if self._persistence.directory else None,
            "uptime_seconds": round(time.monotonic() - self.started, 3),
            "clock_offset_seconds": self.clock.offset / 1e6,
            "view_delay_milliseconds": self._view_delay * 1000,
            "refusing_writes_seconds": max(0.0, self._refuse_until - time.monotonic()),
            "tables": {
                store.table.full_name: store.size().rows
                for store in self._stores.values()
                if not store.table.keyspace.startswith("system")
            },
        }

    def _refuse(self, table: Table, context: Context) -> None:
        level = context.options.consistency
        keyspace: Keyspace = self.schema.keyspaces[table.keyspace]
        raise Unavailable(level, CONSISTENCY_NAMES[level], replicas_needed(keyspace, level), 0)

    # ---------------------------------------------------------------- work that is due later

    def seconds_until_due(self) -> float | None:
        """How long the loop may wait for sockets: None for as long as it likes."""
        waits = [self._late_views[0][0] - time.monotonic()] if self._late_views else []
        waits += self._persistence.seconds_until_due() + self._expiry.seconds_until_due()
        return max(0.0, min(waits)) if waits else None

    def run_due(self) -> None:
        """Do what has become due: late view updates, rows that expired, a snapshot."""
        self._catch_up(time.monotonic())
        self._expiry.run_due()
        self._persistence.run_due()

    def _catch_up(self, until: float) -> None:
        """Make the late view updates that are due by then (monotonic seconds)."""
        while self._late_views and self._late_views[0][0] <= until:
            _, _, updates = heapq.heappop(self._late_views)
            for update in updates:
                if update.table.id in self._stores:
                    self._stores[update.table.id].apply(update, self.clock.seconds())
