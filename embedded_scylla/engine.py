"""The engine: schema, stores, clock and CDC streams, and the one way in which a write becomes state.

    apply(mutations): refused? → CDC log rows → view keys fit? → journal → base tables → views, at once or late
Journal first, or leave no trace: a write is in the journal before it is in memory, and in memory before it is answered;
a change of the schema, the clock or the streams that the journal does not take has not happened. Views are not
journaled: they are what their base tables make of them.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .clock import Clock, Clocks
from .consistency import replicas_needed
from .decisions import Decisions
from .derived import cdc, streams
from .derived.cdc_images import Before
from .derived.views import Updater, build, check_view_keys, make_updater
from .errors import Unavailable
from .identity import NodeIdentity
from .late_views import LateViews
from .persistence import Persistence
from .request import CONSISTENCY_NAMES, Context, Result, SchemaChange, Void
from .roles import DATA, Roles
from .schema import Keyspace, Schema, Table, is_system_keyspace
from .schema_events import events_between
from .storage.keys import token
from .storage.rows import Key, Mutation, live, row_is_live
from .storage.store import TableStore


def _no_virtual_tables(table: Table, viewer: str | None) -> TableStore:
    return TableStore(table)


class Engine:
    """All state of the node. ``schema`` has the node's own keyspaces in it already; ``load`` brings back the rest.

    ``clock`` is the node's, ``clocks`` are the keyspaces' too. ``requests``: how many were executed, which their
    connections count. ``virtual_store`` gives what a virtual table shows. The server, if there is one, sets ``clients``
    (rows of system.clients), ``announce`` (who wants to hear of changes of the schema) and ``stop`` (end the node).
    """

    def __init__(self, schema: Schema, persistence: Persistence, node: NodeIdentity, clock: Clock | None = None):
        self.schema, self.node = schema, node
        self.clock = clock or Clock()
        self.clocks = Clocks(self.clock)
        self.requests = 0
        self.streams = streams.Streams()
        self.late_views = LateViews()
        self.decisions = Decisions()
        self.roles = Roles()
        self.persistence = persistence
        self.refuse_until = 0.0  # monotonic seconds: until then every write is Unavailable
        self.virtual_store: Callable[[Table, str | None], TableStore] = _no_virtual_tables
        self.clients: Callable[[], Iterable[dict[str, Any]]] = lambda: ()
        self.announce: Callable[[list[SchemaChange]], None] = lambda changes: None
        self.stop: Callable[[], None] = lambda: None
        self._stores: dict[uuid.UUID, TableStore] = {}
        self._updaters: dict[uuid.UUID, tuple[int, Sequence[Updater]]] = {}  # by the base's id: of which version
        self.match_stores()

    def load(self) -> None:
        """Bring back what was kept."""
        self.persistence.load(self)
        if not self.streams.generations:
            self.begin_cdc_generation()

    def close(self) -> None:
        self.persistence.close()

    # ---------------------------------------------------------------- reading

    def store(self, table: Table, viewer: str | None = None) -> TableStore:
        """The data of a table; of a virtual table, what it shows at this moment to a client in the keyspace
        ``viewer``."""
        return self.virtual_store(table, viewer) if table.virtual else self._stores[table.id]

    def stores(self) -> Iterable[TableStore]:
        """The data of all tables that are not virtual."""
        return self._stores.values()

    # ---------------------------------------------------------------- writing

    def apply(self, mutations: Sequence[Mutation], context: Context) -> None:
        """Carry out writes: all of them, or (with an error) none."""
        if self.refuse_until and time.monotonic() < self.refuse_until:
            self._refuse(mutations[0].table, context)
        now = context.now
        written = list(mutations)
        for mutation in mutations:
            if mutation.table.cdc.enabled:
                written += self._log_changes(mutation, context)
        self._write(written, now)

    def delete_expired(self, mutation: Mutation, context: Context) -> None:
        """A deletion that the node makes by itself (per-row TTL): its log rows say so."""
        written = [mutation]
        if mutation.table.cdc.enabled:
            written += self._log_changes(mutation, context, by_service=True)
        self._write(written, context.now)

    def _write(self, mutations: list[Mutation], now: int) -> None:
        """Into the journal, then into memory. What memory could not take is found out before."""
        updaters = [self._updaters_of(mutation.table) for mutation in mutations]
        for mutation, own in zip(mutations, updaters, strict=True):
            for updater in own:
                check_view_keys(updater, mutation, now)
        self.persistence.save_writes(mutations, now)
        for mutation, own in zip(mutations, updaters, strict=True):
            self._merge(mutation, own, now)

    def ballot(self, table: Table, key: Key) -> int:
        """A timestamp (µs) for a lightweight transaction: above that of every earlier one."""
        return self.clocks.of(table.keyspace).unique_micros()

    def truncate(self, table: Table) -> None:
        """Empty a table and its views."""
        self.persistence.save_truncate(table)
        self.forget_rows(table)

    def forget_rows(self, table: Table) -> None:
        """``truncate`` without the journal."""
        emptied = {table.id, *(view.id for view in self.schema.views_of(table))}
        self.late_views.forget(emptied)
        for table_id in emptied:
            self._stores[table_id].truncate()

    def _log_changes(self, mutation: Mutation, context: Context, by_service: bool = False) -> list[Mutation]:
        base = mutation.table
        log = self.schema.log_of(base)
        if log is None:
            return []
        store, now = self._stores[base.id], context.now
        partition = store.partition(mutation.key)
        before = Before(
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
        """Merge a write that is in the journal already. KeyError if its table is gone."""
        self._merge(mutation, self._updaters_of(mutation.table), now)

    def _merge(self, mutation: Mutation, updaters: Sequence[Updater], now: int) -> None:
        store = self._stores[mutation.table.id]
        if not updaters:
            store.apply(mutation, now)
            return
        key = mutation.key
        changes = store.apply(mutation, now, want_old=True)
        for updater in updaters:
            updates = updater.mutations(key, changes, now)
            if self.late_views.delay and updates and not self.schema.is_synchronous(updates[0].table):
                self.late_views.put(updates)
            else:
                self.update_views(updates, now)

    def _updaters_of(self, base: Table) -> Sequence[Updater]:
        """What makes view updates of the writes to a table: one for each of its views, made anew with the schema."""
        version, updaters = self._updaters.get(base.id, (-1, ()))
        if version != self.schema.version:
            base = self._stores[base.id].table
            updaters = [make_updater(view, base) for view in self.schema.views_of(base)]
            self._updaters[base.id] = (self.schema.version, updaters)
        return updaters

    def update_views(self, updates: Iterable[Mutation], now: int | None = None) -> None:
        """Merge view updates into their views. ``now`` (s) None: by the clocks of their keyspaces."""
        for update in updates:
            table = update.table
            self._stores[table.id].apply(update, self.clocks.of(table.keyspace).seconds() if now is None else now)

    def delay_views(self, seconds: float) -> None:
        """Let views follow this much later from now on; 0: at once, also where they are late."""
        self.late_views.delay = seconds
        if not seconds:
            self.update_views(self.late_views.take_due(until=math.inf))

    def _refuse(self, table: Table, context: Context) -> None:
        level = context.options.consistency
        keyspace: Keyspace = self.schema.keyspaces[table.keyspace]
        raise Unavailable(level, CONSISTENCY_NAMES[level], replicas_needed(keyspace, level), 0)

    # ---------------------------------------------------------------- schema

    def change_schema(self, change: Callable[[Schema], Result]) -> Result:
        """Let ``change`` alter the schema; make, change and drop stores to match, and fill new views. If it raises, if
        a view cannot be filled, or if the journal refuses, everything is as before."""
        keyspaces, version = dict(self.schema.keyspaces), self.schema.uuid
        adopted = self.streams.state()
        try:
            result = change(self.schema)
            stores = self._stores_for_schema()
            has_streams = self._adopt_streams()
            self.persistence.save_schema(self.schema, self.streams if has_streams else None)
        except BaseException:
            self.schema.restore(keyspaces, version)
            self.streams.restore(adopted)
            raise
        self._take(stores)
        events = events_between(keyspaces, self.schema.keyspaces)
        self._forget_rights(events)
        self.announce(events)
        return result

    def _forget_rights(self, events: Iterable[SchemaChange]) -> None:
        """Nobody has rights on what is gone: what is made anew under its name is another thing."""
        gone = [
            (DATA, event.keyspace, event.name) if event.name else (DATA, event.keyspace)
            for event in events
            if event.change == "DROPPED" and event.target in ("KEYSPACE", "TABLE")
        ]
        if [resource for resource in gone if self.roles.forget_resource(resource)]:
            self.persistence.save_roles(self.roles)

    def change_roles(self, change: Callable[[], None]) -> Result:
        """Let ``change`` alter the roles. If it raises, or if the journal refuses, they are as before."""
        before = self.roles.state()
        try:
            change()
            self.persistence.save_roles(self.roles)
        except BaseException:
            self.roles.restore(before)
            raise
        return Void()

    def _adopt_streams(self) -> bool:
        """Give CDC tables on tablets their first streams; whether any got some."""
        adopted = False
        for table in self.schema.tables():
            if table.cdc.enabled:
                now = self.clocks.of(table.keyspace).micros()
                adopted |= self.streams.adopt(table, self.schema.keyspaces[table.keyspace], now)
        return adopted

    def match_stores(self) -> None:
        """Make the stores agree with a schema that was loaded."""
        self._take(self._stores_for_schema())

    def _stores_for_schema(self) -> dict[uuid.UUID, TableStore]:
        """A store for each table of the schema: those that are there, and new ones, views filled from their bases."""
        tables = {table.id: table for table in self.schema.tables() if not table.virtual}
        stores: dict[uuid.UUID, TableStore] = {}
        # A view is filled from its base, so bases come first.
        for table in sorted(tables.values(), key=lambda table: table.is_view):
            stores[table.id] = self._stores[table.id] if table.id in self._stores else TableStore(table)
            if table.view is not None and table.id not in self._stores:
                base = tables[table.view.base_id]
                now = self.clocks.of(table.keyspace).seconds()
                build(table, base, stores[base.id], stores[table.id], now)
        return stores

    def _take(self, stores: dict[uuid.UUID, TableStore]) -> None:
        gone = self._stores.keys() - stores.keys()
        self.late_views.forget(gone)
        for table_id in gone:
            self._updaters.pop(table_id, None)
        self._stores = stores
        for store in stores.values():
            old, table = store.table, self.schema.table_by_id(store.table.id)
            if table is not None and old is not table:
                for name in old.columns.keys() - table.columns.keys():
                    if name in table.dropped_columns:
                        store.drop_column(name, table.dropped_columns[name][1])
                if table.is_view:
                    self.late_views.follow(old, table)
                store.table = table
                for name in old.dropped_columns.keys() & (table.columns.keys() - old.columns.keys()):
                    kind, _, role = old.dropped_columns[name]
                    column = table.columns[name]
                    store.bring_back(name, column.role == role and column.type.accepts_value_of(kind))

    def begin_cdc_generation(self) -> int:
        """Begin a new generation of CDC streams; its timestamp in ms, by the node's clock."""
        own = {keyspace: clock.micros() for keyspace, clock in self.clocks.own().items()}
        return self._change_streams(lambda streams: streams.new_generation(self.clock.micros(), own))

    def split_tablets(self, table: Table) -> int:
        """Split each tablet of a CDC table in two: its log gets new streams; their timestamp in ms."""
        now = self.clocks.of(table.keyspace).micros()
        return self._change_streams(lambda streams: streams.split_tablets(table, now))

    def _change_streams(self, change: Callable[[streams.Streams], int]) -> int:
        changed = streams.Streams()
        changed.restore(self.streams.state())
        timestamp = change(changed)
        self.persistence.save_streams(changed)
        self.streams = changed
        return timestamp

    # ---------------------------------------------------------------- time

    def push_clock(self, seconds: float, keyspace: str | None = None) -> None:
        """Move time forward, and that of the clients: everywhere, or in one keyspace only. ValueError if it cannot."""
        if keyspace is not None and (is_system_keyspace(keyspace) or keyspace not in self.schema.keyspaces):
            raise ValueError(f"There is no keyspace {keyspace} that could have a time of its own.")
        self.persistence.save_clocks(self.clocks.after_push(seconds, keyspace))
        self.clocks.push(seconds, keyspace)
