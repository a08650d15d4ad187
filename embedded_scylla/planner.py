"""From a text to a plan: parse it, and let the module of its statement make the plan."""

from __future__ import annotations

from . import errors
from .cql import ast, parse
from .ddl import plan_schema_change
from .describe.statement import plan_describe
from .modify import plan_modification
from .modify.batch import plan_batch
from .reading.select import plan_select
from .request import Context, Plan, Result, SetKeyspace
from .rights import needs, plan_rights
from .schema import Schema
from .terms.known_types import with_known_types

MAX_VARIABLES = 0xFFFF
MAX_NAME = 0xFFFF  # bytes: a [string] of the protocol


class UsePlan(Plan):
    """USE: the answer tells the connection which keyspace it is in."""

    def __init__(self, keyspace: str):
        self.keyspace = keyspace

    def execute(self, context: Context) -> Result:
        if self.keyspace not in context.database.schema.keyspaces:
            raise errors.InvalidRequest(f"Keyspace '{self.keyspace}' does not exist")
        return SetKeyspace(self.keyspace)


def plan(text: str, schema: Schema, keyspace: str | None) -> Plan:
    """Make the plan of one statement. Everything that can be known without its values is checked here."""
    made = _plan(text, schema, keyspace)
    for spec in (*made.variables, *(made.columns or ())):
        if len(spec.name) > MAX_NAME // 4 and len(spec.name.encode()) > MAX_NAME:
            raise errors.InvalidRequest(
                f"The name of a column or variable has {len(spec.name.encode())} bytes, and may have {MAX_NAME}"
            )
    return made


def _plan(text: str, schema: Schema, keyspace: str | None) -> Plan:
    parsed = parse(text, row_ttl=schema.release.row_ttl)
    if len(parsed.variables) > MAX_VARIABLES:
        raise errors.InvalidRequest(
            f"Too many markers(?). {len(parsed.variables)} markers exceed the allowed maximum of {MAX_VARIABLES}"
        )
    made = _plan_statement(parsed, schema, keyspace)
    if not made.needs:
        made.needs = needs(parsed.statement, schema, keyspace)
    return made


def _plan_statement(parsed: ast.Parsed, schema: Schema, keyspace: str | None) -> Plan:
    statement = parsed.statement
    if parsed.names_user_types and isinstance(statement, ast.Select | ast.Insert | ast.Update | ast.Delete | ast.Batch):
        statement = with_known_types(statement, schema.user_types, keyspace)
    match statement:
        case ast.Select():
            return plan_select(statement, parsed, schema, keyspace)
        case ast.Insert() | ast.Update() | ast.Delete():
            return plan_modification(statement, parsed, schema, keyspace)
        case ast.Batch():
            return plan_batch(statement, parsed, schema, keyspace)
        case ast.Use():
            return UsePlan(statement.keyspace)
        case ast.Describe():
            return plan_describe(statement, parsed, schema, keyspace)
        case ast.Refused():
            raise errors.unsupported(statement.what)
    return plan_rights(statement, schema, keyspace) or plan_schema_change(statement, parsed, schema, keyspace)
