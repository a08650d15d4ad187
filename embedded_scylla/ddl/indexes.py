"""CREATE and DROP INDEX. A secondary index is a hidden view. Of a global one the indexed column is the partition key,
the base table's key the clustering key, after the base partition's token, which keeps its rows in the order of the
ring; of a local one the partition key is the base table's, and the indexed column the first of the clustering key. Of a
static column the view knows the partitions only, and of a collection that is not frozen it has each element."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ..cql import ast
from ..errors import InvalidRequest, SyntaxException, unsupported
from ..lookup import check_modifiable, find_keyspace, find_table
from ..quoting import identifier
from ..request import Context, Result, SchemaChange, Void
from ..schema import CLUSTERING, PARTITION_KEY, STATIC, Column, Index, Keyspace, Schema, Table, ViewDefinition
from ..timeuuid import timeuuid_at
from ..types import BIGINT, TIMEUUID, CqlType, TupleType, refuse_in_order
from .names import MAX_LENGTH
from .options import OBSOLETE, TableOptions, parse_table_options
from .tables import check_id
from .views import NO_TTL, add_view, check_views_allowed, warn_of_racks

TOKEN = "token"
_SHOWN = {"keys": "keys()", "entries": "entries()", "values": "values()", None: "value"}
_VECTOR_INDEXES = ("vector_index", "sai", "storageattachedindex", "org.apache.cassandra.index.sai.storageattachedindex")


def create_index(statement: ast.CreateIndex, keyspace_name: str, context: Context) -> Result:
    database = context.database
    _check_written(statement)
    check_modifiable(keyspace_name)
    table = find_table(database.schema, keyspace_name, statement.table.name)
    keyspace = database.schema.keyspaces[keyspace_name]
    options = _options(statement, keyspace, database.schema)
    if table.is_counter:
        raise InvalidRequest("Secondary indexes are not supported on counter tables")
    if table.is_view:
        raise InvalidRequest("Secondary indexes are not supported on materialized views")
    if statement.name and len(statement.name) > MAX_LENGTH:
        raise InvalidRequest(
            f'index names shouldn\'t be more than {MAX_LENGTH} characters long (got "{statement.name}")'
        )
    check_views_allowed(keyspace, database.node.data_center)
    if statement.custom_class is not None:
        if statement.custom_class.lower() in _VECTOR_INDEXES:
            raise unsupported("Vector indexes", "are")
        raise InvalidRequest(f"Non-supported custom class '{statement.custom_class}' provided")
    local = bool(statement.local_partition_key)
    if local:
        _check_local(statement, table)
    for target in statement.targets if local else statement.targets[1:]:
        if target.column in table.columns and table.columns[target.column].role == STATIC:
            raise InvalidRequest("Local indexes containing static columns are not supported.")
    if len(statement.targets) > 1:
        raise InvalidRequest("Only CUSTOM indexes support multiple columns")
    target = statement.targets[0]
    column = table.columns.get(target.column)
    if column is None:
        raise InvalidRequest(f"No column definition found for column {target.column}")
    function = _checked_function(target, column, table, local)
    names = {name for t in keyspace.tables.values() for name in t.indexes}
    if statement.name in names and not statement.if_not_exists:
        raise InvalidRequest("Index already exists")
    name = statement.name or _free_name(table, column, keyspace.tables, names)
    index = Index(name, column.name, function, local=local)
    same = (index.column, index.function, index.local)
    twin = next((i for i in table.indexes.values() if (i.column, i.function, i.local) == same), None)
    if twin is not None:
        if statement.if_not_exists:
            return Void()
        raise InvalidRequest(f"Index {index.name} is a duplicate of existing index {twin.name}")
    if index.view_name in keyspace.tables:
        raise InvalidRequest(f"Index {index.name} cannot be created, because table {index.view_name} already exists")
    if local and column.role == PARTITION_KEY:
        raise InvalidRequest(
            "Local indexing based on partition key column is not allowed, since whole base partition key must be used "
            "in queries anyway. Use global indexing instead."
        )
    warn_of_racks(keyspace, "an index", "index", context)
    updated = replace(table, indexes={**table.indexes, index.name: index})
    view_id = options.id or timeuuid_at(database.clock.unique_micros())
    make = _local_view if local else _global_view
    columns, definition = make(index, table, column)
    view = Table(keyspace_name, index.view_name, view_id, columns, options.values, view=definition)
    return add_view(view, [updated], SchemaChange("UPDATED", "TABLE", keyspace_name, table.name), context)


def _check_written(statement: ast.CreateIndex) -> None:
    """Refuse what the statement alone shows to be impossible."""
    if not statement.targets and not statement.local_partition_key and not statement.custom:
        raise InvalidRequest("Only CUSTOM indexes can be created without specifying a target column")
    if statement.custom and statement.custom_class is None:
        raise InvalidRequest("CUSTOM index requires specifying the index class")
    if statement.custom_class is not None and not statement.custom:
        raise InvalidRequest("Cannot specify index class for a non-CUSTOM index")
    if "options" in statement.properties and not statement.custom:
        raise InvalidRequest("Cannot specify options for a non-CUSTOM index")


def _options(statement: ast.CreateIndex, keyspace: Keyspace, schema: Schema) -> TableOptions:
    """The options of the hidden view: those of a materialized view, but for what was kept for old programs."""
    given: dict[str, Any] = {name: value for name, value in statement.properties.items() if name != "options"}
    for name in sorted(given):
        if name in OBSOLETE:
            raise SyntaxException(f"Unknown property '{name}'")
    options = parse_table_options(given, keyspace, schema.release, view=True)
    if options.cdc is not None:
        raise InvalidRequest("Cannot enable CDC for a materialized view")
    if options.values["default_time_to_live"] > 0:
        raise InvalidRequest(NO_TTL)
    check_id(schema, options)
    return options


def _check_local(statement: ast.CreateIndex, table: Table) -> None:
    """What stands in the brackets of a local index must be the partition key, in its order."""
    expected = [column.name for column in table.partition_key]
    position = 0
    for name in statement.local_partition_key:
        column = table.columns.get(name)
        if column is None or column.role != PARTITION_KEY:
            raise InvalidRequest(
                f"Local index definition must contain full partition key only. Redundant column: {name}"
            )
        if position == len(expected):
            raise InvalidRequest(f"Duplicate column definition in local index: {name}")
        if expected[position] != name:
            break
        position += 1
    if position < len(expected):
        raise InvalidRequest(
            f"Local index definition must contain full partition key only. Missing column: {expected[position]}"
        )
    if not statement.targets:
        raise InvalidRequest("Local index definition must provide an indexed column, not just partition key")


def _checked_function(target: ast.IndexTarget, column: Column, table: Table, local: bool) -> str | None:
    """What of the column is indexed, as ``Index.function`` says it."""
    name, cql_type, function = target.column, column.type, target.function
    unordered = refuse_in_order(cql_type, "Secondary indexes are")
    if unordered is not None:
        raise InvalidRequest(unordered)
    if column.role == PARTITION_KEY and len(table.partition_key) == 1:
        raise InvalidRequest(f"Cannot create secondary index on partition key column {name}")
    if cql_type.is_multicell and not cql_type.is_collection:
        raise InvalidRequest(f"Cannot create secondary index on UDT column {name}")
    if cql_type.is_multicell:
        if local:
            raise InvalidRequest(f"Local secondary index on collection column {name} is not implemented yet.")
        if function == "full":
            raise InvalidRequest("full() indexes can only be created on frozen collections")
        if function in ("keys", "entries") and cql_type.family != "map":
            raise InvalidRequest(f"Cannot create secondary index on {function} of column {name} with non-map type")
        if cql_type.family == "set":
            return "keys"
        return function or "values"
    if cql_type.is_collection:
        if function != "full":
            raise InvalidRequest(f"Cannot create index on {_SHOWN[function]} of frozen collection column {name}")
        return function
    if function == "full":
        raise InvalidRequest("full() indexes can only be created on frozen collections")
    if function is not None:
        raise InvalidRequest(
            f"Cannot create index on {_SHOWN[function]} of column {name}; "
            f"only non-frozen collections support {_SHOWN[function]} indexes"
        )
    return None


def _free_name(table: Table, column: Column, tables: dict[str, Table], taken: set[str]) -> str:
    root = re.sub(r"\W", "", f"{table.name}_{column.name}_idx", flags=re.ASCII)
    name, count = root, 0
    while name in taken or f"{name}_index" in tables:
        count += 1
        name = f"{root}_{count}"
    return name


def _global_view(index: Index, table: Table, column: Column) -> tuple[dict[str, Column], ViewDefinition]:
    """The columns of the hidden view, the indexed one first, and what makes it a view."""
    token_name = _free_column("idx_token", table)
    computed: list[tuple[str, ...]] = [(token_name, TOKEN)]
    name, cql_type, what = column.name, column.type, index.function
    if cql_type.is_multicell:
        name, cql_type = _free_column("coll_value", table), _element_type(cql_type, what)
        computed.insert(0, (name, what, column.name))
    columns = {
        name: Column(name, cql_type, PARTITION_KEY, 0),
        token_name: Column(token_name, BIGINT, CLUSTERING, 0),
    }
    for key in (*table.partition_key, *(() if column.role == STATIC else table.clustering)):
        if key.name != column.name:
            columns[key.name] = Column(key.name, key.type, CLUSTERING, len(columns) - 1, key.descending)
    if column.type.is_multicell and what == "values":
        # Elements with the same value would be one row, and one of them could not be deleted without the others.
        name, cql_type = _free_column("keys_for_values_idx", table), _element_type(column.type, "keys")
        columns[name] = Column(name, cql_type, CLUSTERING, len(columns) - 1)
        computed.append((name, "keys", column.name))
    return columns, _definition(table, column, tuple(computed))


def _local_view(index: Index, table: Table, column: Column) -> tuple[dict[str, Column], ViewDefinition]:
    """The columns of the hidden view, behind the base table's partition key the indexed one, and what makes it a
    view."""
    columns = {key.name: Column(key.name, key.type, PARTITION_KEY, key.position) for key in table.partition_key}
    for place, key in enumerate((column, *(c for c in table.clustering if c.name != column.name))):
        columns[key.name] = Column(key.name, key.type, CLUSTERING, place, key.descending)
    return columns, _definition(table, column)


def _definition(table: Table, column: Column, computed: tuple[tuple[str, ...], ...] = ()) -> ViewDefinition:
    return ViewDefinition(
        table.id,
        table.name,
        "" if column.type.is_multicell else f"{identifier(column.name)} IS NOT NULL",
        False,
        virtual=tuple(c.name for c in table.regulars) if column.is_primary_key else (),
        computed=computed,
        backs_index=True,
    )


def _free_column(root: str, table: Table) -> str:
    name, count = root, 0
    while name in table.columns:
        count += 1
        name = f"{root}_{count}"
    return name


def _element_type(collection: CqlType, what: str) -> CqlType:
    """The type of the keys, values or entries of a collection; a list's keys are times."""
    if collection.family == "map":
        return {
            "keys": collection.key,
            "values": collection.value,
            "entries": TupleType((collection.key, collection.value)),
        }[what]
    if collection.family == "list" and what == "keys":
        return TIMEUUID
    return collection.element


def drop_index(statement: ast.DropIndex, keyspace_name: str, context: Context) -> Result:
    database, name = context.database, statement.index.name
    find_keyspace(database.schema, keyspace_name)
    table = database.schema.indexed_table(keyspace_name, name)
    if table is None:
        if statement.if_exists:
            return Void()
        raise InvalidRequest(f"Index '{name}' could not be found in any of the tables of keyspace '{keyspace_name}'")
    check_modifiable(keyspace_name)

    def change(schema: Schema) -> Result:
        kept = {n: index for n, index in table.indexes.items() if n != name}
        schema.put_tables(keyspace_name, [replace(table, indexes=kept)], drop=[table.indexes[name].view_name])
        return SchemaChange("UPDATED", "TABLE", keyspace_name, table.name)

    return database.change_schema(change)
