"""The node's own keyspaces: what tools look up to learn about the node, shown as tables.

Most of these tables are virtual: their rows are made when they are read. The traces are stored like anybody's rows.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable
from typing import Any

from ..ddl.options import DEFAULTS
from ..schema import CLUSTERING, PARTITION_KEY, REGULAR, STATIC, Column, Keyspace, Schema, Table
from ..storage.rows import Collection, Mutation, Row
from ..storage.store import TableStore
from ..types import SetType, by_name
from . import schema_tables as system_schema
from .definitions import TABLES
from .rows import PROVIDERS, TIMED_PROVIDERS, State

_LOCATOR = "org.apache.cassandra.locator."
_LOCAL = {"class": f"{_LOCATOR}LocalStrategy"}
REPLICATION = {
    "system": _LOCAL,
    "system_schema": _LOCAL,
    "system_distributed": {"class": f"{_LOCATOR}SimpleStrategy", "replication_factor": "3"},
    "system_distributed_everywhere": {"class": f"{_LOCATOR}EverywhereStrategy"},
    "system_traces": {"class": f"{_LOCATOR}SimpleStrategy", "replication_factor": "2"},
}
_STORED = ("system_traces",)
_TRACES_TTL = 86400  # seconds


def define(schema: Schema) -> None:
    """Put the node's own keyspaces into a new schema."""
    for keyspace, tables in TABLES.items():
        made = {name: _table(keyspace, name, *columns) for name, columns in tables.items()}
        schema.put(Keyspace(keyspace, REPLICATION[keyspace], tables=made))


def _table(keyspace: str, name: str, partition_key: str, clustering: str, regular: str) -> Table:
    columns = {}
    for role, text in ((PARTITION_KEY, partition_key), (CLUSTERING, clustering), (REGULAR, regular)):
        for position, (column, cql_type, mark) in enumerate(column_definitions(text)):
            if role == REGULAR:
                columns[column] = Column(column, by_name(cql_type), STATIC if mark == "STATIC" else REGULAR)
            else:
                columns[column] = Column(column, by_name(cql_type), role, position, mark == "DESC")
    stored = keyspace in _STORED
    options = {**DEFAULTS, **({"default_time_to_live": _TRACES_TTL, "gc_grace_seconds": 0} if stored else {})}
    return Table(keyspace, name, _legacy_id(keyspace, name), columns, options, virtual=not stored)


# A column: its name, its type (commas within <…> belong to it), and its mark.
_COLUMN = re.compile(r"(\w+) ((?:[^,<> ]|<[^ ]+(?:, [^ ,]+)*>)+)(?: (DESC|STATIC))?(?:, |$)")


def column_definitions(text: str) -> list[tuple[str, str, str]]:
    """Name, type and mark of each in ``a int, b map<text, int> DESC, c text STATIC``."""
    return _COLUMN.findall(text)


def _legacy_id(keyspace: str, name: str) -> uuid.UUID:
    """The id that such a table has in every cluster: the MD5 of its name."""
    digest = hashlib.md5(f"{keyspace}{name}".encode(), usedforsecurity=False).digest()
    return uuid.UUID(bytes=digest, version=3)


# ---------------------------------------------------------------- reading


class VirtualTables:
    """What the virtual tables show, as stores made when they are read. Those of ``system_schema`` are kept until the
    schema changes."""

    def __init__(self, state: State):
        self._state = state
        self._kept: dict[uuid.UUID, tuple[int, TableStore]] = {}  # by the table's id: of which version of the schema

    def store(self, table: Table, viewer: str | None = None) -> TableStore:
        """What a virtual table shows now to a client in the keyspace ``viewer``."""
        if table.full_name in TIMED_PROVIDERS:
            return _fill(table, TIMED_PROVIDERS[table.full_name](self._state, viewer))
        if table.keyspace != "system_schema":
            return _fill(table, PROVIDERS[table.full_name](self._state) if table.full_name in PROVIDERS else ())
        schema = self._state.schema
        version, store = self._kept.get(table.id, (-1, None))
        if store is None or version != schema.version:
            store = _fill(table, system_schema.rows(table.name, schema))
            self._kept[table.id] = (schema.version, store)
        return store


def _fill(table: Table, rows: Iterable[dict[str, Any]]) -> TableStore:
    store = TableStore(table)
    mutations: dict[tuple[bytes, ...], Mutation] = {}
    for values in rows:
        key = tuple(column.type.encode(values[column.name]) for column in table.partition_key)
        mutation = mutations.get(key)
        if mutation is None:
            mutation = mutations[key] = Mutation(table, key)
        clustering = tuple(column.type.encode(values[column.name]) for column in table.clustering)
        mutation.rows[clustering] = Row(clustering, (1, 0, 0), cells=_cells(table.regulars, values))
        if table.statics:
            mutation.static = Row((), cells=_cells(table.statics, values))
    for mutation in mutations.values():
        store.apply(mutation, 0)
    return store


def _cells(columns: Iterable[Column], values: dict[str, Any]) -> dict[str, Any]:
    return {c.name: _cell(c, values[c.name]) for c in columns if values.get(c.name) is not None}


def _cell(column: Column, value: Any) -> Any:
    if not isinstance(column.type, SetType) or not column.type.is_multicell:
        return (1, column.type.encode(value), 0, 0)
    return Collection(None, {column.type.element.encode(element): (1, b"", 0, 0) for element in value})
