"""What the schema is: keyspaces, tables, columns, views and indexes, as immutable values.

A change makes new values and puts them into the ``Schema``, whose ``version`` then grows; a prepared plan
remembers the version that it was made for. How statements change the schema is in ``ddl``; how the schema is
shown as rows is in ``system.schema_tables``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from .release import DEFAULT, Release
from .types import COUNTER, CqlType, UserType

PARTITION_KEY, CLUSTERING, STATIC, REGULAR = "partition_key", "clustering", "static", "regular"

SYSTEM_KEYSPACES = frozenset(
    ("system", "system_schema", "system_distributed", "system_distributed_everywhere", "system_traces")
)


def is_system_keyspace(name: str) -> bool:
    """Whether the keyspace is the node's own: there from the start, in no journal, closed to schema statements."""
    return name.lower() in SYSTEM_KEYSPACES


class ColumnSpec(NamedTuple):
    """A column of a result or a variable of a statement, as the protocol describes it."""

    keyspace: str
    table: str
    name: str
    type: CqlType


@dataclass(frozen=True, slots=True)
class Column:
    """``role`` is one of the four above; ``position`` counts within the partition key or the clustering key
    (-1 for others); ``descending`` is the clustering order."""

    name: str
    type: CqlType
    role: str
    position: int = -1
    descending: bool = False

    @property
    def is_primary_key(self) -> bool:
        return self.role in (PARTITION_KEY, CLUSTERING)


@dataclass(frozen=True, slots=True)
class CdcOptions:
    """The ``cdc`` option of a table. ``preimage`` is 'false', 'true' or 'full'; ``delta`` 'full' or
    'keys'; ``ttl`` in seconds, 0 for never."""

    enabled: bool = False
    preimage: str = "false"
    postimage: bool = False
    delta: str = "full"
    ttl: int = 86400

    def as_map(self) -> dict[str, str]:
        return {
            "enabled": str(self.enabled).lower(),
            "preimage": self.preimage,
            "postimage": str(self.postimage).lower(),
            "delta": self.delta,
            "ttl": str(self.ttl),
        }


@dataclass(frozen=True, slots=True)
class ViewDefinition:
    """What makes a table a materialized view. ``where``: the CQL text of its filter; ``restrictions``: per column a
    predicate ``(bytes) -> bool`` for filters other than IS NOT NULL. ``virtual``: names of the base's regular columns
    that were not selected, yet keep the row alive, when the view's key has no regular column of the base.
    ``computed``: columns that are no columns of the base, as (name, "token"): the base partition's token, which keeps
    the rows behind an index in token order; or as (name, what, collection): the "keys", "values" or "entries" of a
    collection that is not frozen, each element of which has a row behind its index. ``backs_index``: it is the hidden
    view behind a secondary index."""

    base_id: uuid.UUID
    base_name: str
    where: str
    include_all_columns: bool
    restrictions: tuple[tuple[str, Any], ...] = ()
    virtual: tuple[str, ...] = ()
    computed: tuple[tuple[str, ...], ...] = ()
    backs_index: bool = False

    @property
    def collection(self) -> str | None:
        """The collection whose elements are indexed."""
        return next((column for _, _, *columns in self.computed for column in columns), None)


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index; the view behind it is the table ``<name>_index`` in the same keyspace. ``function`` is
    what of the column is indexed: None for its value, "full" for a whole frozen collection, "keys" (also for what is in
    a set), "values" or "entries" for the elements of one that is not frozen. ``local``: the view has the partition key
    of the table, and serves queries that name one partition; the view of a global one begins with the indexed value."""

    name: str
    column: str
    function: str | None = None
    custom_class: str | None = None
    local: bool = False

    @property
    def view_name(self) -> str:
        return f"{self.name}_index"


@dataclass(frozen=True, slots=True)
class Table:
    """A table, view or log table.

    ``columns`` is in schema order: partition key, clustering key, static (by name), regular (by name).
    ``options`` holds every table option by name with its Python value (``default_time_to_live`` int, ``compaction``
    dict of str …), defaults included. ``partitioner`` is None for Murmur3.
    """

    keyspace: str
    name: str
    id: uuid.UUID
    columns: dict[str, Column]
    options: dict[str, Any] = field(default_factory=dict)
    cdc: CdcOptions = CdcOptions()
    view: ViewDefinition | None = None
    indexes: dict[str, Index] = field(default_factory=dict)
    dropped_columns: dict[str, tuple[CqlType, int, str]] = field(default_factory=dict)  # name: type, µs, role
    ttl_column: str | None = None  # per-row TTL
    partitioner: str | None = None
    is_cdc_log: bool = False
    virtual: bool = False  # answered from the node's state, stored nowhere (system tables)
    partition_key: tuple[Column, ...] = ()
    clustering: tuple[Column, ...] = ()
    statics: tuple[Column, ...] = ()
    regulars: tuple[Column, ...] = ()

    def __post_init__(self) -> None:
        by_role = {
            role: [c for c in self.columns.values() if c.role == role]
            for role in (PARTITION_KEY, CLUSTERING, STATIC, REGULAR)
        }
        by_role[PARTITION_KEY].sort(key=lambda c: c.position)
        by_role[CLUSTERING].sort(key=lambda c: c.position)
        by_role[STATIC].sort(key=lambda c: c.name.encode())
        by_role[REGULAR].sort(key=lambda c: c.name.encode())
        ordered = [c for found in by_role.values() for c in found]
        put = object.__setattr__
        put(self, "columns", {c.name: c for c in ordered})
        put(self, "partition_key", tuple(by_role[PARTITION_KEY]))
        put(self, "clustering", tuple(by_role[CLUSTERING]))
        put(self, "statics", tuple(by_role[STATIC]))
        put(self, "regulars", tuple(by_role[REGULAR]))

    @property
    def full_name(self) -> str:
        return f"{self.keyspace}.{self.name}"

    @property
    def is_counter(self) -> bool:
        """Whether it counts: all columns outside its key are counters, or were, and none can be anything else."""
        return any(c.type is COUNTER for c in self.columns.values()) or any(
            dropped is COUNTER for dropped, _, _ in self.dropped_columns.values()
        )

    @property
    def default_ttl(self) -> int:
        return int(self.options.get("default_time_to_live", 0))

    @property
    def is_view(self) -> bool:
        return self.view is not None

    @property
    def definition(self) -> ViewDefinition:
        """What makes this table a view; it must be one."""
        assert self.view is not None, f"{self.full_name} is no view"
        return self.view

    @property
    def backs_index(self) -> bool:
        """Whether this is the hidden view behind a secondary index."""
        return self.view is not None and self.view.backs_index

    @property
    def log_name(self) -> str:
        return f"{self.name}_scylla_cdc_log"

    def spec(self, column: Column | str) -> ColumnSpec:
        column = self.columns[column] if isinstance(column, str) else column
        return ColumnSpec(self.keyspace, self.name, column.name, column.type)

    def with_columns(self, columns: dict[str, Column], **changes: Any) -> Table:
        return replace(self, columns=columns, **changes)


@dataclass(frozen=True, slots=True)
class Keyspace:
    """``replication``: class and factors, as stored; ``tablets``: None for vnodes, else initial tablets."""

    name: str
    replication: dict[str, str]
    durable_writes: bool = True
    tablets: int | None = None
    tables: dict[str, Table] = field(default_factory=dict)  # views and log tables included
    types: dict[str, UserType] = field(default_factory=dict)  # user-defined ones, not frozen
    # Replicas in this node's only datacenter (1 for local and everywhere strategies): every request asks for it.
    replication_factor: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if self.replication["class"].endswith(("LocalStrategy", "EverywhereStrategy")):
            factor = 1
        else:
            factor = sum(int(number) for key, number in self.replication.items() if key != "class")
        object.__setattr__(self, "replication_factor", factor)


class Schema:
    """All keyspaces, by name. ``version`` grows with each change; ``uuid`` is what system.local shows. ``release`` says
    what can be in it."""

    def __init__(self, release: Release = DEFAULT) -> None:
        self.release = release
        self.keyspaces: dict[str, Keyspace] = {}
        self.version = 0
        self.uuid = uuid.uuid4()
        self._views: dict[uuid.UUID, tuple[Table, ...]] = {}
        self._by_id: dict[uuid.UUID, Table] = {}

    def put(self, keyspace: Keyspace) -> None:
        """Add or replace a keyspace with all that is in it."""
        self.keyspaces[keyspace.name] = keyspace
        self._changed()

    def remove(self, name: str) -> None:
        del self.keyspaces[name]
        self._changed()

    def restore(self, keyspaces: dict[str, Keyspace], version: uuid.UUID) -> None:
        """Go back to what the keyspaces and ``uuid`` were before a change that failed."""
        self.keyspaces = keyspaces
        self._changed()
        self.uuid = version

    def put_table(self, table: Table) -> None:
        keyspace = self.keyspaces[table.keyspace]
        self.put(replace(keyspace, tables={**keyspace.tables, table.name: table}))

    def put_tables(self, keyspace_name: str, tables: Iterable[Table], drop: Iterable[str] = ()) -> None:
        """Add or replace several tables of one keyspace, and drop others, in one change."""
        keyspace = self.keyspaces[keyspace_name]
        gone = set(drop)
        kept = {name: table for name, table in keyspace.tables.items() if name not in gone}
        self.put(replace(keyspace, tables={**kept, **{table.name: table for table in tables}}))

    def remove_table(self, keyspace_name: str, name: str) -> None:
        keyspace = self.keyspaces[keyspace_name]
        self.put(replace(keyspace, tables={n: t for n, t in keyspace.tables.items() if n != name}))

    def table(self, keyspace: str, name: str) -> Table | None:
        found = self.keyspaces.get(keyspace)
        return found.tables.get(name) if found else None

    def table_by_id(self, table_id: uuid.UUID) -> Table | None:
        return self._by_id.get(table_id)

    def user_types(self, keyspace: str | None) -> dict[str, UserType]:
        """The user-defined types of a keyspace by their names; of one that is not there none."""
        found = self.keyspaces.get(keyspace or "")
        return {} if found is None else found.types

    def tables(self) -> Iterator[Table]:
        for keyspace in self.keyspaces.values():
            yield from keyspace.tables.values()

    def views_of(self, base: Table) -> tuple[Table, ...]:
        """The materialized views (those behind indexes included) kept in step with ``base``."""
        return self._views.get(base.id, ())

    def base_of_view(self, view: Table) -> Table:
        """The table that a view follows."""
        return self._by_id[view.definition.base_id]

    def is_synchronous(self, view: Table) -> bool:
        """Whether a write to the base waits for the view: it asks for that, or is the view behind a local index."""
        if view.options.get("synchronous_updates"):
            return True
        if not view.backs_index:
            return False
        return any(index.local and index.view_name == view.name for index in self.base_of_view(view).indexes.values())

    def log_of(self, base: Table) -> Table | None:
        """The CDC log table of ``base``, if one exists (attached or not)."""
        return self.table(base.keyspace, base.log_name)

    def base_of_log(self, log: Table) -> Table | None:
        """The table whose changes are being written to ``log``, or None when it is no log or a detached one."""
        if not log.is_cdc_log:
            return None
        base = self.table(log.keyspace, log.name.removesuffix("_scylla_cdc_log"))
        return base if base is not None and base.cdc.enabled else None

    def indexed_table(self, keyspace: str, index_name: str) -> Table | None:
        """The table that has an index of that name."""
        found = self.keyspaces.get(keyspace)
        return next((t for t in found.tables.values() if index_name in t.indexes), None) if found else None

    def _changed(self) -> None:
        self.version += 1
        self.uuid = uuid.uuid4()
        views: dict[uuid.UUID, list[Table]] = {}
        for table in self.tables():
            if table.view is not None:
                views.setdefault(table.view.base_id, []).append(table)
        self._by_id = {table.id: table for table in self.tables()}
        self._views = {base: tuple(found) for base, found in views.items()}
