"""CREATE TABLE, DROP TABLE and TRUNCATE."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from ..cql import ast
from ..derived import cdc
from ..errors import AlreadyExists, ConfigurationException, InvalidRequest, TruncateError, Unauthorized
from ..lookup import check_modifiable, find_table
from ..request import Context, Result, SchemaChange, Void
from ..schema import CLUSTERING, PARTITION_KEY, REGULAR, STATIC, Column, Keyspace, Schema, Table
from ..timeuuid import timeuuid_at
from ..types import BIGINT, COUNTER, INT, TIMESTAMP, CqlType, holds_duration, parse_type
from ..types.user import check_column_type, without_user_types
from .names import check_column_count, check_column_name, check_table_name, keyspace_to_change
from .options import DEFAULTS, TableOptions, parse_table_options
from .replication import check_room_for_tablets


def create_table(statement: ast.CreateTable, keyspace_name: str, context: Context) -> Result:
    database, name = context.database, statement.table.name
    check_modifiable(keyspace_name)
    check_table_name(name)
    duplicates = sorted(n for n, count in Counter(c.name for c in statement.columns).items() if count > 1)
    if duplicates:
        raise InvalidRequest(f"Multiple definition of identifier {duplicates[0]}")
    keyspace = keyspace_to_change(database.schema, keyspace_name)
    options = parse_table_options(statement.properties, keyspace, database.schema.release)
    columns = _columns(statement, keyspace, options)
    table = Table(
        keyspace_name,
        name,
        options.id or timeuuid_at(database.clock.unique_micros()),
        columns,
        options.values,
        ttl_column=_ttl_column(statement, columns),
    )
    created = SchemaChange("CREATED", "TABLE", keyspace_name, name)
    if name in keyspace.tables:
        if not statement.if_not_exists:
            raise AlreadyExists(keyspace_name, name)
        return created
    check_id(database.schema, options)
    check_room_for_tablets(keyspace, database.node.data_center)

    def change(schema: Schema) -> Result:
        schema.put_tables(keyspace_name, with_log(schema, table, options, context.micros))
        return created

    return database.change_schema(change)


def with_log(schema: Schema, table: Table, options: TableOptions, now: int) -> list[Table]:
    """The table with its CDC option set, and its log table if it has one now. ``now`` in µs.

    A log that is there already (attached or not) keeps its id, its options and its rows; columns that it loses are
    dropped as by ALTER TABLE.
    """
    if options.cdc is not None:
        table = table.with_columns(table.columns, cdc=options.cdc)
    if not table.cdc.enabled:
        return [table]
    if table.is_counter:
        raise InvalidRequest(f"Cannot create CDC log for table {table.full_name}. Counter support not implemented")
    existing = schema.table(table.keyspace, table.log_name)
    known = schema.table_by_id(table.id)
    if existing is not None and (known is None or not existing.is_cdc_log):
        raise InvalidRequest(
            f"Cannot create CDC log table for table {table.full_name} because a table of name "
            f"{table.keyspace}.{table.log_name} already exists"
        )
    log = cdc.log_table(table, existing, DEFAULTS)
    for name in log.columns:
        check_column_name(name)
    if existing is not None:
        gone = {
            c.name: (without_user_types(c.type), now, c.role)
            for c in existing.columns.values()
            if c.name not in log.columns
        }
        log = replace(log, dropped_columns={**log.dropped_columns, **gone})
    return [table, log]


def check_id(schema: Schema, options: TableOptions) -> None:
    """Refuse an id that another table has."""
    taken = schema.table_by_id(options.id) if options.id else None
    if taken is not None:
        raise InvalidRequest(f"Table with ID {options.id} already exists: {taken.full_name}")


def _columns(statement: ast.CreateTable, keyspace: Keyspace, options: TableOptions) -> dict[str, Column]:
    """The columns, with their place in the primary key."""
    definitions = {definition.name: definition for definition in statement.columns}
    check_column_count(len(definitions))
    for name in definitions:
        check_column_name(name)
    types_of = {
        name: parse_type(definition.type, keyspace.name, keyspace.types) for name, definition in definitions.items()
    }
    for cql_type in types_of.values():
        check_column_type(cql_type)
    if COUNTER in types_of.values():
        refuse_default_ttl(options.values)
    keys = [ast.PrimaryKey((d.name,), ()) for d in statement.columns if d.primary_key]
    keys += statement.primary_keys
    if not keys:
        raise InvalidRequest("No PRIMARY KEY specified (exactly one required)")
    if len(keys) > 1:
        raise InvalidRequest("Multiple PRIMARY KEYs specified (exactly one required)")
    if statement.compact_storage:
        raise InvalidRequest(
            "Support for the deprecated feature of 'CREATE TABLE WITH COMPACT STORAGE' is disabled and will "
            "eventually be removed in a future version.  To enable, set the "
            "'enable_create_table_with_compact_storage' config option to 'true'."
        )
    key = keys[0]
    statics = {name for name, definition in definitions.items() if definition.static}
    descending = dict(statement.clustering_order)
    columns: dict[str, Column] = {}
    for role, names in ((PARTITION_KEY, key.partition), (CLUSTERING, key.clustering)):
        for position, name in enumerate(names):
            if name not in types_of or name in columns:
                raise InvalidRequest(f"Unknown definition {name} referenced in PRIMARY KEY")
            if types_of[name] is COUNTER:
                raise InvalidRequest(f"counter type is not supported for PRIMARY KEY part {name}")
            if types_of[name].is_multicell:
                kind = "user-defined" if types_of[name].family == "udt" else "collection"
                raise InvalidRequest(f"Invalid non-frozen {kind} type for PRIMARY KEY component {name}")
            if holds_duration(types_of[name]):
                raise InvalidRequest(f"duration type is not supported for PRIMARY KEY part {name}")
            if name in statics:
                raise InvalidRequest(f"Static column {name} cannot be part of the PRIMARY KEY")
            columns[name] = Column(
                name, types_of[name], role, position, role == CLUSTERING and descending.get(name, False)
            )
    if statics and not key.clustering:
        raise InvalidRequest(
            "Static columns are only useful (and thus allowed) if the table has at least one clustering column"
        )
    _check_order(statement.clustering_order, key.clustering)
    for name, definition in definitions.items():
        if name not in columns:
            columns[name] = Column(name, types_of[name], STATIC if definition.static else REGULAR)
    if COUNTER in types_of.values():
        refuse_other_columns(columns)
    return columns


def refuse_other_columns(columns: dict[str, Column]) -> None:
    """The rule of a table with counters: nothing else stands beside them but the key."""
    others = [c for c in columns.values() if not c.is_primary_key and c.type is not COUNTER]
    if others:
        first = min(others, key=lambda c: (c.role != STATIC, c.name.encode()))  # the first one in the schema's order
        raise ConfigurationException(f"Cannot add a non counter column ({first.name}) in a counter column family")


def refuse_default_ttl(options: dict[str, Any]) -> None:
    """A counter never ends by itself."""
    if options["default_time_to_live"]:
        raise InvalidRequest("Cannot set default_time_to_live on a table with counters")


def _check_order(written: tuple[tuple[str, bool], ...], clustering: tuple[str, ...]) -> None:
    """CLUSTERING ORDER BY must name the clustering columns in their order; the last ones may be left out."""
    if len(written) > len(clustering):
        raise InvalidRequest("Only clustering key columns can be defined in CLUSTERING ORDER directive")
    named = [name for name, _ in written]
    for name, expected in zip(named, clustering, strict=False):
        if name == expected:
            continue
        if expected in named:
            raise InvalidRequest(
                "The order of columns in the CLUSTERING ORDER directive must be the one of the clustering key "
                f"({expected} must appear before {name})"
            )
        raise InvalidRequest(f"Missing CLUSTERING ORDER for column {expected}")


def _ttl_column(statement: ast.CreateTable, columns: dict[str, Column]) -> str | None:
    marked = [definition.name for definition in statement.columns if definition.ttl]
    if len(marked) > 1:
        raise InvalidRequest(f"Cannot have more than one TTL column in a table. Saw {marked[0]} and {marked[1]}")
    if marked:
        check_ttl_column(columns[marked[0]])
        return marked[0]
    return None


def check_ttl_column(column: Column) -> None:
    """Whether a column can hold the time at which its row expires."""
    if column.is_primary_key:
        raise InvalidRequest(f"TTL column {column.name} cannot be part of the PRIMARY KEY")
    if column.role == STATIC:
        raise InvalidRequest(f"TTL column {column.name} cannot be a static column")
    allowed: tuple[CqlType, ...] = (TIMESTAMP, BIGINT, INT)
    if column.type not in allowed:
        raise InvalidRequest(
            f"TTL column '{column.name}' must be of type timestamp, bigint or int, can't be {column.type.name}"
        )


def drop_table(statement: ast.DropTable, keyspace_name: str, context: Context) -> Result:
    database, name = context.database, statement.table.name
    check_modifiable(keyspace_name)
    table = database.schema.table(keyspace_name, name)
    if table is None:
        if statement.if_exists:
            return Void()
        raise InvalidRequest(f"Cannot drop non existing table '{name}' in keyspace '{keyspace_name}'.")
    if database.schema.base_of_log(table) is not None:
        raise Unauthorized(f"Cannot DROP cdc log table {name}")
    if table.is_view:
        raise InvalidRequest("Cannot use DROP TABLE on Materialized View. (Did you mean DROP MATERIALIZED VIEW)?")
    views = database.schema.views_of(table)
    dependent = sorted(view.name for view in views if not view.backs_index)
    if dependent:
        raise InvalidRequest(
            f"Cannot drop table when materialized views still depend on it ({keyspace_name}.{{{', '.join(dependent)}}})"
        )

    def change(schema: Schema) -> Result:
        gone = [name, *(view.name for view in views)]
        log = schema.table(keyspace_name, table.log_name)
        if log is not None and log.is_cdc_log:  # also one that was switched off
            gone.append(table.log_name)
        schema.put_tables(keyspace_name, (), drop=gone)
        return SchemaChange("DROPPED", "TABLE", keyspace_name, name)

    return database.change_schema(change)


def truncate(statement: ast.Truncate, keyspace_name: str, context: Context) -> Result:
    database = context.database
    table = find_table(database.schema, keyspace_name, statement.table.name)
    if keyspace_name != "system_traces":
        check_modifiable(keyspace_name)
    if table.is_view:
        raise InvalidRequest("Cannot TRUNCATE materialized view directly; must truncate base table instead")
    database.truncate(table)
    return Void()


def truncation_timed_out(keyspace: Keyspace, table_name: str) -> TruncateError:
    """What a client is told whose USING TIMEOUT was too short. On tablets the truncation is a change of the topology,
    on vnodes a message to each replica."""
    if keyspace.tablets is None:
        return TruncateError("Error during truncate: seastar::rpc::timeout_error (rpc call timed out)")
    reason = f"Timeout during TRUNCATE TABLE of {keyspace.name}.{table_name}"
    return TruncateError(f"Error during truncate: std::runtime_error ({reason})")
