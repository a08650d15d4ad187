"""CREATE and DROP INDEX. A global secondary index is a hidden view: the indexed column is its partition key, the base
table's key its clustering key, after the base partition's token, which keeps its rows in the order of the ring. Of a
static column the view knows the partitions only, and of a collection that is not frozen it has each element."""

from __future__ import annotations

import re
from dataclasses import replace

from ..cql import ast
from ..errors import InvalidRequest, unsupported
from ..lookup import check_modifiable, find_keyspace, find_table
from ..quoting import identifier
from ..request import Context, Result, SchemaChange, Void
from ..schema import CLUSTERING, PARTITION_KEY, STATIC, Column, Index, Schema, Table, ViewDefinition
from ..timeuuid import timeuuid_at
from ..types import BIGINT, TIMEUUID, CqlType, TupleType
from .names import MAX_LENGTH
from .options import DEFAULTS
from .views import add_view, check_views_allowed, warn_of_racks

TOKEN = "token"
_SHOWN = {"keys": "keys()", "entries": "entries()", "values": "values()", None: "value"}


def create_index(statement: ast.CreateIndex, keyspace_name: str, context: Context) -> Result:
    database = context.database
    check_modifiable(keyspace_name)
    table = find_table(database.schema, keyspace_name, statement.table.name)
    if table.is_counter:
        raise InvalidRequest("Secondary indexes are not supported on counter tables")
    if table.is_view:
        raise InvalidRequest("Secondary indexes are not supported on materialized views")
    if statement.name and len(statement.name) > MAX_LENGTH:
        raise InvalidRequest(
            f'index names shouldn\'t be more than {MAX_LENGTH} characters long (got "{statement.name}")'
        )
    keyspace = database.schema.keyspaces[keyspace_name]
    check_views_allowed(keyspace, database.node.data_center)
    if statement.custom and statement.custom_class is None:
        raise InvalidRequest("CUSTOM index requires specifying the index class")
    if statement.custom_class is not None and not statement.custom:
        raise InvalidRequest("Cannot specify index class for a non-CUSTOM index")
    if statement.custom:
        raise InvalidRequest(f"Non-supported custom class '{statement.custom_class}' provided")
    if statement.local_partition_key:
        raise unsupported("Local secondary indexes", "are")
    if statement.properties:
        raise unsupported("Properties of secondary indexes", "are")
    if len(statement.targets) > 1:
        raise InvalidRequest("Only CUSTOM indexes support multiple columns")
    if not statement.targets:
        raise InvalidRequest("Only CUSTOM indexes can be created without specifying a target column")
    target = statement.targets[0]
    column = table.columns.get(target.column)
    if column is None:
        raise InvalidRequest(f"No column definition found for column {target.column}")
    function = _checked_function(target, column, table)
    names = {name for t in keyspace.tables.values() for name in t.indexes}
    if statement.name in names and not statement.if_not_exists:
        raise InvalidRequest("Index already exists")
    index = Index(statement.name or _free_name(table, column, keyspace.tables, names), column.name, function)
    twin = next((i for i in table.indexes.values() if (i.column, i.function) == (column.name, function)), None)
    if twin is not None or index.name in names:
        if statement.if_not_exists:
            return Void()
        raise InvalidRequest(f"Index {index.name} is a duplicate of existing index {twin.name}")
    if index.view_name in keyspace.tables:
        raise InvalidRequest(f"Index {index.name} cannot be created, because table {index.view_name} already exists")
    warn_of_racks(keyspace, "an index", "index", context)
    updated = replace(table, indexes={**table.indexes, index.name: index})
    view = _view(index, table, column, context)
    return add_view(view, [updated], SchemaChange("UPDATED", "TABLE", keyspace_name, table.name), context)


def _checked_function(target: ast.IndexTarget, column: Column, table: Table) -> str | None:
    """What of the column is indexed, as ``Index.function`` says it."""
    name, cql_type, function = target.column, column.type, target.function
    if column.role == PARTITION_KEY and len(table.partition_key) == 1:
        raise InvalidRequest(f"Cannot create secondary index on partition key column {name}")
    if cql_type.is_multicell:
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


def _view(index: Index, table: Table, column: Column, context: Context) -> Table:
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
    virtual = tuple(c.name for c in table.regulars) if column.is_primary_key else ()
    definition = ViewDefinition(
        table.id,
        table.name,
        "" if column.type.is_multicell else f"{identifier(column.name)} IS NOT NULL",
        False,
        virtual=virtual,
        computed=tuple(computed),
    )
    table_id = timeuuid_at(context.database.clock.unique_micros())
    return Table(table.keyspace, index.view_name, table_id, columns, dict(DEFAULTS), view=definition)


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
