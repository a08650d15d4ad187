"""The statements that would make what the schema has again, in ScyllaDB's spelling and layout."""

from __future__ import annotations

from typing import Any

from ..ddl.options import EXTENSIONS
from ..quoting import identifier, qualified, string, string_map
from ..schema import STATIC, Column, Index, Keyspace, Schema, Table
from ..types import UserType

_AND = "\n    AND "


def keyspace_statement(keyspace: Keyspace) -> str:
    replication = string_map(keyspace.replication)
    if keyspace.tablets is None:
        tablets = "{'enabled': false}"
    else:
        initial = f", 'initial': {keyspace.tablets}" if keyspace.tablets else ""
        tablets = f"{{'enabled': true{initial}}}"
    return (
        f"CREATE KEYSPACE {identifier(keyspace.name)} WITH replication = {replication} "
        f"AND durable_writes = {str(keyspace.durable_writes).lower()} AND tablets = {tablets};"
    )


def type_statement(user_type: UserType) -> str:
    fields = zip(user_type.fields, user_type.types, strict=True)
    lines = ",\n".join(f"    {identifier(field)} {cql_type.name}" for field, cql_type in fields)
    return f"CREATE TYPE {qualified(user_type.keyspace, user_type.type_name)} (\n{lines}\n);"


def table_statement(table: Table, internals: bool = False) -> str:
    """CREATE TABLE; with ``internals`` also the id, and what it takes to drop again what was dropped."""
    lines = [f"CREATE TABLE {qualified(table.keyspace, table.name)} ("]
    for column in table.columns.values():
        # A column that was dropped and added again is shown below, as its story went.
        if not (internals and column.name in table.dropped_columns):
            lines.append(f"    {_definition(column, table)},")
    if internals:
        lines += [
            f"    {identifier(n)} {cql_type.name}," for n, (cql_type, _, _) in sorted(table.dropped_columns.items())
        ]
    lines += [f"    {_primary_key(table)}", f") WITH {_with(table, internals)};\n"]
    text = "\n".join(lines)
    if internals:
        alter = f"\nALTER TABLE {qualified(table.keyspace, table.name)} "
        for name, (_, dropped_at, _) in sorted(table.dropped_columns.items()):
            text += f"{alter}DROP {identifier(name)} USING TIMESTAMP {dropped_at};"
            if name in table.columns:
                text += f"{alter}ADD {_definition(table.columns[name], table)};"
    return text


def view_statement(view: Table, internals: bool = False) -> str:
    definition = view.definition
    columns = "*" if definition.include_all_columns else ", ".join(map(identifier, view.columns))
    return (
        f"CREATE MATERIALIZED VIEW {qualified(view.keyspace, view.name)} AS\n"
        f"    SELECT {columns}\n"
        f"    FROM {qualified(view.keyspace, definition.base_name)}\n"
        f"    WHERE {definition.where}\n"
        f"    {_primary_key(view)}\n"
        f"    WITH {_with(view, internals)};\n"
    )


def index_statement(view: Table, table: Table, index: Index, internals: bool = False) -> str:
    """CREATE INDEX; with ``internals`` also the id and the options of the view behind it."""
    target = identifier(index.column)
    cql_type = table.columns[index.column].type
    # What is kept as the keys of a set is asked for by its name alone.
    if index.function and not (cql_type.is_multicell and cql_type.family == "set"):
        target = f"{index.function}({target})"
    if index.local:
        target = f"({', '.join(identifier(column.name) for column in table.partition_key)}), {target}"
    text = f"CREATE INDEX {identifier(index.name)} ON {qualified(table.keyspace, table.name)}({target})"
    return f"{text} WITH ID = {view.id}{_AND}{_options(view)};\n" if internals else f"{text};\n"


def log_statement(log: Table) -> str:
    """What sets a log table's own options, once its base table has made it."""
    return f"ALTER TABLE {qualified(log.keyspace, log.name)} WITH {_options(log)};\n"


def index_statement_of(view: Table, schema: Schema, internals: bool = False) -> str:
    """The CREATE statement of the index behind which this view is."""
    base = schema.base_of_view(view)
    return index_statement(view, base, next(i for i in base.indexes.values() if i.view_name == view.name), internals)


def statement_of(table: Table, internals: bool = False) -> str:
    """The CREATE statement of a table or view."""
    return view_statement(table, internals) if table.is_view else table_statement(table, internals)


def _definition(column: Column, table: Table) -> str:
    text = f"{identifier(column.name)} {column.type.name}"
    if column.name == table.ttl_column:
        return f"{text} TTL"
    return f"{text} STATIC" if column.role == STATIC else text


def _primary_key(table: Table) -> str:
    partition = ", ".join(identifier(column.name) for column in table.partition_key)
    if len(table.partition_key) > 1:
        partition = f"({partition})"
    return f"PRIMARY KEY ({', '.join([partition, *(identifier(c.name) for c in table.clustering)])})"


def _with(table: Table, internals: bool) -> str:
    text = f"ID = {table.id}\nAND " if internals else ""
    if table.clustering:
        order = ", ".join(f"{identifier(c.name)} {'DESC' if c.descending else 'ASC'}" for c in table.clustering)
        text += f"CLUSTERING ORDER BY ({order}){_AND}"
    return text + _options(table)


def _options(table: Table) -> str:
    options = table.options
    shown = [
        f"bloom_filter_fp_chance = {options['bloom_filter_fp_chance']:g}",
        f"caching = {string_map(options['caching'])}",
        f"comment = {string(options['comment'])}",
        f"compaction = {string_map(options['compaction'])}",
        f"compression = {string_map(options['compression'])}",
        f"crc_check_chance = {options['crc_check_chance']:g}",
        f"default_time_to_live = {options['default_time_to_live']}",
        f"gc_grace_seconds = {options['gc_grace_seconds']}",
        f"max_index_interval = {options['max_index_interval']}",
        f"memtable_flush_period_in_ms = {options['memtable_flush_period_in_ms']}",
        f"min_index_interval = {options['min_index_interval']}",
        f"speculative_retry = {string(options['speculative_retry'])}",
    ]
    if "tablets" in options:
        shown.append(f"tablets = {string_map(options['tablets'])}")
    shown += [f"{name} = {_extension(options[name])}" for name in EXTENSIONS if name in options]
    if "synchronous_updates" in options:
        shown.append(f"synchronous_updates = {str(options['synchronous_updates']).lower()}")
    return _AND.join(shown)


def _extension(value: Any) -> str:
    return string_map(value) if isinstance(value, dict) else str(value)
