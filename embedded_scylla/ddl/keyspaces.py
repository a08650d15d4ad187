"""CREATE, ALTER and DROP KEYSPACE."""

from __future__ import annotations

from ..cql import ast
from ..errors import AlreadyExists, ConfigurationException, InvalidRequest
from ..lookup import check_modifiable
from ..request import Context, Result, SchemaChange, Void
from ..schema import Schema, is_system_keyspace
from . import replication
from .names import MAX_LENGTH, is_word, keyspace_to_change


def create_keyspace(statement: ast.CreateKeyspace, context: Context) -> Result:
    name = statement.name
    if name.lower() in ("system", "system_schema"):
        raise InvalidRequest("system keyspace is not user-modifiable")
    if not is_word(name):
        raise InvalidRequest(f'"{name}" is not a valid keyspace name')
    if len(name) > MAX_LENGTH:
        raise InvalidRequest(f'Keyspace names shouldn\'t be more than {MAX_LENGTH} characters long (got "{name}")')
    options = replication.parse_keyspace_options(statement.properties)
    keyspace = replication.new_keyspace(name, options, context.database.node.data_center)
    created = SchemaChange("CREATED", "KEYSPACE", name)

    def change(schema: Schema) -> Result:
        schema.put(keyspace)
        return created

    if name in context.database.schema.keyspaces:
        if not statement.if_not_exists:
            raise AlreadyExists(name)
        context.warnings += replication.warnings_for(name, options)
        return created
    result = context.database.change_schema(change)
    context.warnings += replication.warnings_for(name, options)
    if keyspace.tablets:
        context.warnings.append(
            "Keyspace `initial` tablets option is deprecated.  Use per-table tablet options instead."
        )
    if not replication.is_rack_valid(keyspace):
        context.warnings.append(replication.NOT_RACK_VALID.format(name))
    return result


def alter_keyspace(statement: ast.AlterKeyspace, context: Context) -> Result:
    name = statement.name
    check_modifiable(name)
    old = keyspace_to_change(context.database.schema, name)
    options = replication.parse_keyspace_options(statement.properties)
    data_center = context.database.node.data_center
    keyspace = replication.altered_keyspace(old, options, data_center)
    if keyspace.tables and keyspace.replication != old.replication:
        replication.check_room_for_tablets(keyspace, data_center)

    def change(schema: Schema) -> Result:
        schema.put(keyspace)
        return SchemaChange("UPDATED", "KEYSPACE", name)

    result = context.database.change_schema(change)
    context.warnings += replication.warnings_for(name, options)
    if not replication.is_rack_valid(keyspace):
        context.warnings.append(replication.NOT_RACK_VALID.format(name))
    return result


def drop_keyspace(statement: ast.DropKeyspace, context: Context) -> Result:
    name = statement.name
    if is_system_keyspace(name):
        check_modifiable(name)
    if name not in context.database.schema.keyspaces:
        if statement.if_exists:
            return Void()
        raise ConfigurationException(f"Cannot drop non existing keyspace '{name}'.")

    def change(schema: Schema) -> Result:
        schema.remove(name)
        return SchemaChange("DROPPED", "KEYSPACE", name)

    return context.database.change_schema(change)
