"""Which permissions a statement needs, by ScyllaDB's rules: found out when its plan is made, asked for when it runs."""

from __future__ import annotations

from ..cql import ast
from ..lookup import keyspace_of
from ..roles import DATA, Need
from ..schema import Schema

_READABLE = {("system", "local"), ("system", "peers")}  # and all of system_schema: drivers read them at every connect

_WRITES = (ast.Insert, ast.Update, ast.Delete)
# On a table, by the attribute that names it; and on a view's base, for those that are about a view.
_ON_TABLE = {
    ast.AlterTable: ("table", "ALTER"),
    ast.DropTable: ("table", "DROP"),
    ast.Truncate: ("table", "MODIFY"),
    ast.CreateIndex: ("table", "ALTER"),
    ast.CreateView: ("base", "ALTER"),
    ast.AlterView: ("view", "ALTER"),
    ast.DropView: ("view", "ALTER"),
}


def needs(statement: ast.Statement, schema: Schema, current: str | None) -> tuple[Need, ...]:
    """What must be permitted to whoever executes the statement in the keyspace ``current``."""
    if isinstance(statement, ast.Select):
        return _to_read(statement, schema, current)
    if isinstance(statement, _WRITES):
        return _to_write(statement, current)
    if isinstance(statement, ast.Batch):
        return tuple(dict.fromkeys(need for each in statement.statements for need in _to_write(each, current)))
    known = _ON_TABLE.get(type(statement))
    if known is not None:
        attribute, permission = known
        return ((permission, _stored(getattr(statement, attribute), schema, current)),)
    match statement:
        case ast.CreateKeyspace():
            return (("CREATE", (DATA,)),)
        case ast.AlterKeyspace():
            return (("ALTER", (DATA, statement.name)),)
        case ast.DropKeyspace():
            return (("DROP", (DATA, statement.name)),)
        case ast.CreateTable():
            return (("CREATE", (DATA, keyspace_of(statement.table, current))),)
        case ast.CreateType():
            return (("CREATE", (DATA, keyspace_of(statement.type, current))),)
        case ast.AlterType():
            return (("ALTER", (DATA, keyspace_of(statement.type, current))),)
        case ast.DropType():
            return (("DROP", (DATA, keyspace_of(statement.type, current))),)
        case ast.DropIndex():
            keyspace = keyspace_of(statement.index, current)
            table = schema.indexed_table(keyspace, statement.index.name)
            return () if table is None else (("ALTER", (DATA, keyspace, table.name)),)
    return ()


def _to_read(statement: ast.Select, schema: Schema, current: str | None) -> tuple[Need, ...]:
    keyspace = keyspace_of(statement.table, current)
    if keyspace == "system_schema" or (keyspace, statement.table.name) in _READABLE:
        return ()
    return (("SELECT", _stored(statement.table, schema, current)),)


def _to_write(statement: ast.Insert | ast.Update | ast.Delete, current: str | None) -> tuple[Need, ...]:
    resource = (DATA, keyspace_of(statement.table, current), statement.table.name)
    if isinstance(statement, ast.Insert):
        conditional = statement.if_not_exists
    else:
        conditional = statement.if_exists or bool(statement.conditions)
    return (("MODIFY", resource), ("SELECT", resource)) if conditional else (("MODIFY", resource),)


def _stored(name: ast.Name, schema: Schema, current: str | None) -> tuple[str, str, str]:
    """The table that a name means; for a view or a log its base, whose rights hold for both."""
    keyspace = keyspace_of(name, current)
    table = schema.table(keyspace, name.name)
    if table is not None and table.is_view:
        table = schema.base_of_view(table)
    elif table is not None and table.is_cdc_log:
        table = schema.base_of_log(table) or table
    return (DATA, keyspace, name.name if table is None else table.name)
