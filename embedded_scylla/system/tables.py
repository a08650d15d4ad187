"""The node's own keyspaces: what tools look up to learn about the node, shown as tables.

Most of these tables are virtual: their rows are made when they are read. The traces are stored like anybody's rows.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from ..ddl.options import DEFAULTS
from ..schema import CLUSTERING, PARTITION_KEY, REGULAR, Column, Keyspace, Schema, Table
from ..storage.rows import Collection, Mutation, Row
from ..storage.store import TableStore
from ..types import SetType, by_name
from . import schema_tables as system_schema
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
_LARGE = "keyspace_name text, table_name text"
_STATUS = ("keyspace_name text, view_name text", "host_id uuid", "status text")

# keyspace: table: partition key, clustering key (DESC marked), other columns
_TABLES: dict[str, dict[str, tuple[str, str, str]]] = {
    "system": {
        "local": (
            "key text",
            "",
            "bootstrapped text, broadcast_address inet, cluster_name text, cql_version text, data_center text, "
            "gossip_generation int, host_id uuid, listen_address inet, native_protocol_version text, "
            "partitioner text, rack text, release_version text, rpc_address inet, schema_version uuid, "
            "supported_features text, tokens set<text>",
        ),
        "peers": (
            "peer inet",
            "",
            "data_center text, host_id uuid, preferred_ip inet, rack text, release_version text, rpc_address inet, "
            "schema_version uuid, supported_features text, tokens set<text>",
        ),
        "versions": ("key text", "", "build_id text, build_mode text, compatible_version text, version text"),
        "config": ("name text", "", "source text, type text, value text"),
        "built_views": ("keyspace_name text", "view_name text", ""),
        "IndexInfo": ("table_name text", "index_name text", ""),
        "view_build_status_v2": _STATUS,
        "size_estimates": (
            "keyspace_name text",
            "table_name text, range_start text, range_end text",
            "mean_partition_size bigint, partitions_count bigint",
        ),
        "large_partitions": (
            _LARGE,
            "sstable_name text, partition_size bigint DESC, partition_key text",
            "compaction_time timestamp, dead_rows bigint, range_tombstones bigint, rows bigint",
        ),
        "large_rows": (
            _LARGE,
            "sstable_name text, row_size bigint DESC, partition_key text, clustering_key text",
            "compaction_time timestamp",
        ),
        "large_cells": (
            _LARGE,
            "sstable_name text, cell_size bigint DESC, partition_key text, clustering_key text, column_name text",
            "collection_elements bigint, compaction_time timestamp",
        ),
        "runtime_info": ("group text", "item text", "value text"),
        "cluster_status": (
            "peer inet",
            "",
            "dc text, host_id uuid, load text, owns float, status text, tokens int, up boolean",
        ),
        "token_ring": (
            "keyspace_name text",
            "table_name text, start_token text, endpoint inet",
            "dc text, end_token text, rack text",
        ),
        "protocol_servers": (
            "name text",
            "",
            "is_running boolean, listen_addresses frozen<list<text>>, protocol text, protocol_version text",
        ),
        "clients": (
            "address inet",
            "port int, client_type text",
            "client_options frozen<map<text, text>>, connection_stage text, driver_name text, driver_version text, "
            "hostname text, protocol_version int, scheduling_group text, shard_id int, ssl_cipher_suite text, "
            "ssl_enabled boolean, ssl_protocol text, username text",
        ),
        "snapshots": ("keyspace_name text", "table_name text, snapshot_name text", "live bigint, total bigint"),
        "scylla_local": ("key text", "", "value text"),
        "cdc_timestamps": ("keyspace_name text, table_name text", "timestamp timestamp DESC", ""),
        "cdc_streams": (
            "keyspace_name text, table_name text",
            "timestamp timestamp, stream_state tinyint, stream_id blob",
            "",
        ),
    },
    "system_schema": system_schema.TABLES,
    "system_distributed": {
        "view_build_status": _STATUS,
        "cdc_generation_timestamps": ("key text", "time timestamp DESC", "expired timestamp"),
        "cdc_streams_descriptions_v2": ("time timestamp", "range_end bigint", "streams frozen<set<blob>>"),
    },
    "system_distributed_everywhere": {
        "cdc_generation_descriptions_v2": (
            "id uuid",
            "range_end bigint",
            "ignore_msb tinyint, streams frozen<set<blob>>",
        ),
    },
    "system_traces": {
        "sessions": (
            "session_id uuid",
            "",
            "client inet, command text, coordinator inet, duration int, parameters frozen<map<text, text>>, "
            "request text, request_size int, response_size int, started_at timestamp, username text",
        ),
        "events": (
            "session_id uuid",
            "event_id timeuuid",
            "activity text, scylla_parent_id bigint, scylla_span_id bigint, source inet, source_elapsed int, "
            "thread text",
        ),
    },
}
_STORED = ("system_traces",)
_TRACES_TTL = 86400  # seconds


def define(schema: Schema) -> None:
    """Put the node's own keyspaces into a new schema."""
    for keyspace, tables in _TABLES.items():
        made = {name: _table(keyspace, name, *columns) for name, columns in tables.items()}
        schema.put(Keyspace(keyspace, REPLICATION[keyspace], tables=made))


def _table(keyspace: str, name: str, partition_key: str, clustering: str, regular: str) -> Table:
    columns = {}
    for role, text in ((PARTITION_KEY, partition_key), (CLUSTERING, clustering), (REGULAR, regular)):
        for position, (column, cql_type, descending) in enumerate(_definitions(text)):
            columns[column] = Column(column, by_name(cql_type), role, -1 if role == REGULAR else position, descending)
    stored = keyspace in _STORED
    options = {**DEFAULTS, **({"default_time_to_live": _TRACES_TTL, "gc_grace_seconds": 0} if stored else {})}
    return Table(keyspace, name, _legacy_id(keyspace, name), columns, options, virtual=not stored)


def _definitions(text: str) -> Iterator[tuple[str, str, bool]]:
    """Name, type and whether descending, of ``a int, b map<text, int> DESC``."""
    depth, start = 0, 0
    for place, sign in enumerate(text + ","):
        depth += (sign == "<") - (sign == ">")
        if sign == "," and depth == 0:
            definition = text[start:place].strip()
            start = place + 1
            if definition:
                name, cql_type = definition.removesuffix(" DESC").split(" ", 1)
                yield name, cql_type, definition.endswith(" DESC")


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
        row = mutation.rows[clustering] = Row(clustering, marker=(1, 0, 0))
        for column in table.regulars:
            value = values.get(column.name)
            if value is not None:
                row.cells[column.name] = _cell(column, value)
    for mutation in mutations.values():
        store.apply(mutation, 0)
    return store


def _cell(column: Column, value: Any) -> Any:
    if not isinstance(column.type, SetType) or not column.type.is_multicell:
        return (1, column.type.encode(value), 0, 0)
    return Collection(None, {column.type.element.encode(element): (1, b"", 0, 0) for element in value})
