"""CREATE, ALTER and DROP TYPE. What consists of a type changes with it: other types, columns, views and logs."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from ..cql import ast
from ..errors import InvalidRequest
from ..lookup import check_modifiable
from ..quoting import identifier
from ..request import Context, Result, SchemaChange, Void
from ..schema import Column, Keyspace, Schema, Table
from ..types import NATIVE, CqlType, UserType, holds_duration, parse_type
from ..types.user import MAX_FIELDS, check_column_type, mentions, with_changed
from .names import check_column_name, keyspace_to_change
from .where import compile_restrictions, rename_fields


def create_type(statement: ast.CreateType, keyspace_name: str, context: Context) -> Result:
    database, name = context.database, statement.type.name
    check_modifiable(keyspace_name)
    check_column_name(name)
    if len(statement.fields) > MAX_FIELDS:
        raise InvalidRequest(f"A user type cannot have more than {MAX_FIELDS} fields")
    for field, written in statement.fields:
        check_column_name(field)
        _check_field_type(written)
    keyspace = keyspace_to_change(database.schema, keyspace_name)
    created = SchemaChange("CREATED", "TYPE", keyspace_name, name)
    if name in keyspace.types:
        if not statement.if_not_exists:
            raise InvalidRequest(f"A user type of name {_shown(keyspace_name, name)} already exists")
        return created
    types = [parse_type(written, keyspace_name, keyspace.types) for _, written in statement.fields]
    made = UserType(keyspace_name, name, [field for field, _ in statement.fields], types)
    _check_names(made)

    def change(schema: Schema) -> Result:
        schema.put(replace(keyspace, types={**keyspace.types, name: made}))
        return created

    return database.change_schema(change)


def alter_type(statement: ast.AlterType, keyspace_name: str, context: Context) -> Result:
    database, name = context.database, statement.type.name
    check_modifiable(keyspace_name)
    keyspace = keyspace_to_change(database.schema, keyspace_name, "Cannot alter type in unknown keyspace")
    shown = _shown(keyspace_name, name)
    old = _find(keyspace, name)
    for table in keyspace.tables.values():
        for column in table.partition_key:
            if mentions(column.type, name):
                raise InvalidRequest(
                    f"Cannot add new field to type {shown} because it is used in the partition key column "
                    f"{column.name} of table {table.full_name}"
                )
    if statement.add is not None:
        changed = _with_field(old, statement.add, keyspace, shown)
    elif statement.alter is not None:
        changed = _with_field_type(old, statement.alter, keyspace, shown)
    else:
        changed = _with_names(old, statement.rename or (), shown)
    types = {other.type_name: with_changed(other, changed) for other in keyspace.types.values()}
    tables = {table.name: _with_type(table, changed) for table in keyspace.tables.values()}
    before, bases = ({table.id: table for table in some.values()} for some in (keyspace.tables, tables))
    for table in tables.values():
        for column in table.columns.values():
            check_column_type(column.type)
        if table.view is not None and table.view.restrictions:
            text = rename_fields(table.view.where, before[table.view.base_id], name, dict(statement.rename or ()))
            tests = compile_restrictions(text, bases[table.view.base_id])
            tables[table.name] = replace(table, view=replace(table.view, where=text, restrictions=tests))

    def change(schema: Schema) -> Result:
        schema.put(replace(keyspace, types=types, tables=tables))
        return SchemaChange("UPDATED", "TYPE", keyspace_name, name)

    return database.change_schema(change)


def drop_type(statement: ast.DropType, keyspace_name: str, context: Context) -> Result:
    database, name = context.database, statement.type.name
    check_modifiable(keyspace_name)
    keyspace = keyspace_to_change(database.schema, keyspace_name, "Cannot drop type in unknown keyspace")
    if name not in keyspace.types and statement.if_exists:
        return Void()
    found = _find(keyspace, name)
    for other in keyspace.types.values():
        if other is not found and mentions(other, name):
            raise InvalidRequest(
                f"Cannot drop user type {found.full_name} as it is still used by user type {other.type_name}"
            )
    for table in keyspace.tables.values():
        if any(mentions(column.type, name) for column in table.columns.values()):
            raise InvalidRequest(
                f"Cannot drop user type {found.full_name} as it is still used by table {table.full_name}"
            )

    def change(schema: Schema) -> Result:
        kept = {n: t for n, t in keyspace.types.items() if n != name}
        schema.put(replace(keyspace, types=kept))
        return SchemaChange("DROPPED", "TYPE", keyspace_name, name)

    return database.change_schema(change)


def _shown(keyspace: str, name: str) -> str:
    return f"{keyspace}.{identifier(name)}"


def _find(keyspace: Keyspace, name: str) -> UserType:
    found = keyspace.types.get(name)
    if found is None:
        raise InvalidRequest(f"No user type named {_shown(keyspace.name, name)} exists.")
    return found


def _check_field_type(written: ast.TypeName) -> None:
    """A field may be of another user-defined type if that is frozen."""
    if written.name == "counter":
        raise InvalidRequest("A user type cannot contain counters")
    if not written.parameters and not written.custom and written.name not in (*NATIVE, "varchar"):
        raise InvalidRequest("A user type cannot contain non-frozen user type fields")


def _check_names(user_type: UserType) -> None:
    if len(set(user_type.fields)) == len(user_type.fields):
        return
    twice = next(one for one, other in combinations(user_type.fields, 2) if one == other)
    raise InvalidRequest(f"Duplicate field name {twice.encode().hex()} in type {user_type.type_name}")


# ---------------------------------------------------------------- a type on its way to its new form


def _with_field(old: UserType, added: tuple[str, ast.TypeName], keyspace: Keyspace, shown: str) -> UserType:
    field, written = added
    check_column_name(field)
    if field in old.fields:
        raise InvalidRequest(f"Cannot add new field {field} to type {shown}: a field of the same name already exists")
    if len(old.fields) == MAX_FIELDS:
        raise InvalidRequest(f"Cannot add new field to type {shown}: maximum number of fields reached")
    cql_type = parse_type(written, keyspace.name, keyspace.types)
    if holds_duration(cql_type):
        for table in keyspace.tables.values():
            for column in table.clustering:
                if mentions(column.type, old.type_name):
                    raise InvalidRequest(
                        f"Cannot add new field to type {shown} because it is used in the clustering key column "
                        f"{column.name} of table {table.full_name} where durations are not allowed"
                    )
    if mentions(cql_type, old.type_name):
        raise InvalidRequest(
            f"Cannot add new field {field} of type {cql_type.name} to type {shown} as this would create a circular "
            "reference"
        )
    _check_field_type(written)
    return old.changed((*old.fields, field), (*old.types, cql_type))


def _with_field_type(old: UserType, altered: tuple[str, ast.TypeName], keyspace: Keyspace, shown: str) -> UserType:
    field, written = altered
    number = old.number_of(field)
    if number is None:
        raise InvalidRequest(f"Unknown field {field} in type {shown}")
    cql_type = parse_type(written, keyspace.name, keyspace.types)
    previous = old.types[number]
    if not cql_type.accepts_value_of(previous):
        raise InvalidRequest(
            f"Type {cql_type.name} in incompatible with previous type {previous.name} of field {field} "
            f"in user type {shown}"
        )
    return old.changed(old.fields, (*old.types[:number], cql_type, *old.types[number + 1 :]))


def _with_names(old: UserType, renamed: tuple[tuple[str, str], ...], shown: str) -> UserType:
    fields = list(old.fields)
    for before, after in renamed:
        check_column_name(after)
        number = old.number_of(before)
        if number is None:
            raise InvalidRequest(f"Unknown field {before} in type {shown}")
        fields[number] = after
    changed = old.changed(fields, old.types)
    _check_names(changed)
    return changed


def _with_type(table: Table, changed: UserType) -> Table:
    """The table with the changed type in its columns; the same object if it has none of it."""

    def renew(column: Column) -> Column:
        cql_type: CqlType = with_changed(column.type, changed)
        return column if cql_type is column.type else replace(column, type=cql_type)

    columns = {name: renew(column) for name, column in table.columns.items()}
    unchanged = all(columns[name] is column for name, column in table.columns.items())
    return table if unchanged else table.with_columns(columns)
