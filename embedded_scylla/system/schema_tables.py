"""``system_schema``: the schema shown as rows, in ScyllaDB's columns. Drivers and tools read it at every connect."""

from __future__ import annotations

import json
import struct
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from ..ddl.options import EXTENSIONS
from ..quoting import identifier
from ..schema import Column, Index, Schema, Table

Row = dict[str, Any]
_OPTION_COLUMNS = (
    "bloom_filter_fp_chance double, caching frozen<map<text, text>>, comment text, "
    "compaction frozen<map<text, text>>, compression frozen<map<text, text>>, crc_check_chance double, "
    "default_time_to_live int, extensions frozen<map<text, blob>>, "
    "gc_grace_seconds int, id uuid, max_index_interval int, memtable_flush_period_in_ms int, min_index_interval int, "
    "speculative_retry text"
)
_COLUMN_COLUMNS = "clustering_order text, column_name_bytes blob, kind text, position int, type text"
_BY_COLUMN = ("keyspace_name text", "table_name text, column_name text")

# Null in ScyllaDB too, which keeps these columns only for the drivers that name them.
_RETIRED_COLUMNS = ", dclocal_read_repair_chance double, read_repair_chance double"

# name: partition key, clustering key, other columns
TABLES = {
    "keyspaces": ("keyspace_name text", "", "durable_writes boolean, replication frozen<map<text, text>>"),
    "scylla_keyspaces": (
        "keyspace_name text",
        "",
        "consistency text, initial_tablets int, storage_options frozen<map<text, text>>, storage_type text",
    ),
    "tables": (
        "keyspace_name text",
        "table_name text",
        _OPTION_COLUMNS + _RETIRED_COLUMNS + ", flags frozen<set<text>>",
    ),
    "scylla_tables": (
        "keyspace_name text",
        "table_name text",
        "cdc frozen<map<text, text>>, committed_by_group0 boolean, in_memory boolean, partitioner text, "
        "per_partition_rate_limit frozen<map<text, text>>, tablets frozen<map<text, text>>, version uuid",
    ),
    "columns": (*_BY_COLUMN, _COLUMN_COLUMNS),
    "view_virtual_columns": (*_BY_COLUMN, _COLUMN_COLUMNS),
    "computed_columns": (*_BY_COLUMN, "computation blob"),
    "dropped_columns": (*_BY_COLUMN, "dropped_time timestamp, type text"),
    "views": (
        "keyspace_name text",
        "view_name text",
        _OPTION_COLUMNS
        + _RETIRED_COLUMNS
        + ", base_table_id uuid, base_table_name text, include_all_columns boolean, where_clause text",
    ),
    "indexes": ("keyspace_name text", "table_name text, index_name text", "kind text, options frozen<map<text, text>>"),
    "triggers": ("keyspace_name text", "table_name text, trigger_name text", "options frozen<map<text, text>>"),
    "types": (
        "keyspace_name text",
        "type_name text",
        "field_names frozen<list<text>>, field_types frozen<list<text>>",
    ),
    "functions": (
        "keyspace_name text",
        "function_name text, argument_types frozen<list<text>>",
        "argument_names frozen<list<text>>, body text, called_on_null_input boolean, language text, return_type text",
    ),
    "aggregates": (
        "keyspace_name text",
        "aggregate_name text, argument_types frozen<list<text>>",
        "final_func text, initcond text, return_type text, state_func text, state_type text",
    ),
    "scylla_aggregates": (
        "keyspace_name text",
        "aggregate_name text, argument_types frozen<list<text>>",
        "reduce_func text, state_type text",
    ),
}


def rows(name: str, schema: Schema) -> Iterable[Row]:
    """The rows of one of ``TABLES``, as dicts of Python values; those that are always empty give none."""
    maker = _MAKERS.get(name)
    return maker(schema) if maker else ()


def _keyspaces(schema: Schema) -> Iterator[Row]:
    for keyspace in schema.keyspaces.values():
        yield {
            "keyspace_name": keyspace.name,
            "durable_writes": keyspace.durable_writes,
            "replication": keyspace.replication,
        }


def _scylla_keyspaces(schema: Schema) -> Iterator[Row]:
    for keyspace in schema.keyspaces.values():
        if keyspace.tablets is not None:
            yield {"keyspace_name": keyspace.name, "initial_tablets": keyspace.tablets}


def _tables(schema: Schema) -> Iterator[Row]:
    for table in schema.tables():
        if not table.is_view:
            flags = ["compound", "counter"] if table.is_counter else ["compound"]
            yield {**_options(table), "table_name": table.name, "flags": flags}


def _views(schema: Schema) -> Iterator[Row]:
    for table in schema.tables():
        if table.view is not None:
            yield {
                **_options(table),
                "view_name": table.name,
                "base_table_id": table.view.base_id,
                "base_table_name": table.view.base_name,
                "include_all_columns": table.view.include_all_columns,
                "where_clause": table.view.where,
            }


def _options(table: Table) -> Row:
    options = table.options
    return {
        "keyspace_name": table.keyspace,
        "id": table.id,
        "extensions": {name: _extension(options[name]) for name in EXTENSIONS if name in options},
        **{
            name: options[name]
            for name in (
                "bloom_filter_fp_chance",
                "caching",
                "comment",
                "compaction",
                "compression",
                "crc_check_chance",
                "default_time_to_live",
                "gc_grace_seconds",
                "max_index_interval",
                "memtable_flush_period_in_ms",
                "min_index_interval",
                "speculative_retry",
            )
        },
    }


def _extension(value: Any) -> bytes:
    """An extension as ScyllaDB serialises it: a number, or a map of strings, lengths in front, little-endian."""
    if isinstance(value, int):
        return struct.pack("<i", value)
    parts = [struct.pack("<I", len(value))]
    for text in (text for pair in value.items() for text in pair):
        data = text.encode()
        parts += (struct.pack("<I", len(data)), data)
    return b"".join(parts)


def _scylla_tables(schema: Schema) -> Iterator[Row]:
    for table in schema.tables():
        yield {
            "keyspace_name": table.keyspace,
            "table_name": table.name,
            "cdc": table.options.get("cdc"),
            "partitioner": table.partitioner,
            "per_partition_rate_limit": table.options.get("per_partition_rate_limit"),
            "tablets": table.options.get("tablets"),
            "version": version_of(table),
        }


def version_of(table: Table) -> uuid.UUID:
    """A table's schema version: another one whenever its definition is another."""
    # A user-defined type may change and keep its name; its class tells of its fields.
    columns = [(c.name, c.type.class_name, c.role, c.position, c.descending) for c in table.columns.values()]
    return uuid.uuid5(table.id, repr((table.name, columns, table.options, sorted(table.indexes))))


def _types(schema: Schema) -> Iterator[Row]:
    for keyspace in schema.keyspaces.values():
        for user_type in keyspace.types.values():
            yield {
                "keyspace_name": keyspace.name,
                "type_name": user_type.type_name,
                "field_names": list(user_type.fields),
                "field_types": [cql_type.name for cql_type in user_type.types],
            }


def _columns(schema: Schema) -> Iterator[Row]:
    for table in schema.tables():
        for column in table.columns.values():
            yield _column(table, column)


def _column(table: Table, column: Column) -> Row:
    order = "none" if column.role != "clustering" else "desc" if column.descending else "asc"
    return {
        "keyspace_name": table.keyspace,
        "table_name": table.name,
        "column_name": column.name,
        "clustering_order": order,
        "column_name_bytes": column.name.encode(),
        "kind": column.role,
        "position": column.position,
        "type": column.type.name,
    }


def _view_virtual_columns(schema: Schema) -> Iterator[Row]:
    for table in schema.tables():
        if table.view is not None:
            base = schema.base_of_view(table)
            for name in table.view.virtual:
                yield {**_column(table, base.columns[name]), "type": "empty"}


def _computed_columns(schema: Schema) -> Iterator[Row]:
    for table in schema.tables():
        for name, computation, *collection in table.view.computed if table.view else ():
            if collection:
                shown = {"type": f"collection_{computation}", "collection_name": collection[0]}
            else:
                shown = {"type": f"{computation}_v2"}
            yield {
                "keyspace_name": table.keyspace,
                "table_name": table.name,
                "column_name": name,
                "computation": json.dumps(shown, separators=(",", ":")).encode(),
            }


def _dropped_columns(schema: Schema) -> Iterator[Row]:
    for table in schema.tables():
        for name, (cql_type, dropped_at, _) in table.dropped_columns.items():
            yield {
                "keyspace_name": table.keyspace,
                "table_name": table.name,
                "column_name": name,
                "dropped_time": dropped_at // 1000,
                "type": cql_type.name,
            }


def _indexes(schema: Schema) -> Iterator[Row]:
    for table in schema.tables():
        for index in table.indexes.values():
            yield {
                "keyspace_name": table.keyspace,
                "table_name": table.name,
                "index_name": index.name,
                "kind": "COMPOSITES",
                "options": {"target": index_target(index, table)},
            }


def index_target(index: Index, table: Table) -> str:
    """What an index is on, as it is kept: the column (``full()`` is left out: a frozen collection says it); of a local
    one also the partition key, as JSON."""
    if index.local:
        parts = {"pk": [column.name for column in table.partition_key], "ck": [index.column]}
        return json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
    name = identifier(index.column)
    return name if index.function in (None, "full") else f"{index.function}({name})"


_MAKERS = {
    "keyspaces": _keyspaces,
    "scylla_keyspaces": _scylla_keyspaces,
    "tables": _tables,
    "scylla_tables": _scylla_tables,
    "columns": _columns,
    "types": _types,
    "view_virtual_columns": _view_virtual_columns,
    "computed_columns": _computed_columns,
    "dropped_columns": _dropped_columns,
    "views": _views,
    "indexes": _indexes,
}
