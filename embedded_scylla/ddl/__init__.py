"""Schema statements: each is checked and carried out by one function, called when the plan is executed.

A change of the schema is a function of the ``Schema`` that the engine calls, journals, and makes stores for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..cql import ast
from ..errors import InvalidRequest, unsupported
from ..lookup import find_keyspace, keyspace_of
from ..request import Context, Plan, Result
from ..schema import ColumnSpec, Schema
from ..terms.compile import Variables
from ..terms.timeout import compile_timeout, within
from .alter import alter_table, drop_timestamp
from .indexes import create_index, drop_index
from .keyspaces import alter_keyspace, create_keyspace, drop_keyspace
from .tables import create_table, drop_table, truncate, truncation_timed_out
from .user_types import alter_type, create_type, drop_type
from .views import alter_view, create_view, drop_view

__all__ = ["plan_schema_change"]


class SchemaPlan(Plan):
    """A schema statement; everything happens when it is executed, against the schema of that moment."""

    def __init__(self, action: Callable[[Context], Result], variables: Sequence[ColumnSpec] = ()):
        self._action, self.variables = action, variables

    def execute(self, context: Context) -> Result:
        return self._action(context)


def plan_schema_change(statement: ast.Statement, parsed: ast.Parsed, schema: Schema, keyspace: str | None) -> Plan:
    """The plan of a schema statement, TRUNCATE or PRUNE MATERIALIZED VIEW; ``keyspace`` is the connection's."""
    match statement:
        case ast.CreateKeyspace():
            return SchemaPlan(lambda context: create_keyspace(statement, context))
        case ast.AlterKeyspace():
            return SchemaPlan(lambda context: alter_keyspace(statement, context))
        case ast.DropKeyspace():
            return SchemaPlan(lambda context: drop_keyspace(statement, context))
        case ast.CreateView() if parsed.variables:
            raise InvalidRequest("Cannot use query parameters in CREATE MATERIALIZED VIEW statements")
        case ast.PruneView():
            raise unsupported("PRUNE MATERIALIZED VIEW", why="its views are never out of step")
    name, action = _ACTIONS[type(statement)]
    where = keyspace_of(getattr(statement, name), keyspace)
    if isinstance(statement, ast.AlterTable) and statement.drop_timestamp is not None:
        variables = Variables(parsed.variables)
        when = drop_timestamp(statement, statement.drop_timestamp, where, variables)
        return SchemaPlan(lambda context: alter_table(statement, where, context, when(context)), variables.specs)
    if isinstance(statement, ast.Truncate):
        variables = Variables(parsed.variables)
        timeout = compile_timeout(statement.timeout, where, statement.table.name, variables)
        plan = SchemaPlan(lambda context: truncate(statement, where, context), variables.specs)
        name = statement.table.name
        late = lambda context: truncation_timed_out(find_keyspace(context.database.schema, where), name)  # noqa: E731
        return within(plan, timeout, late)
    return SchemaPlan(lambda context: action(statement, where, context))


# Which attribute names the thing, and what carries the statement out.
_ACTIONS = {
    ast.CreateType: ("type", create_type),
    ast.AlterType: ("type", alter_type),
    ast.DropType: ("type", drop_type),
    ast.CreateTable: ("table", create_table),
    ast.AlterTable: ("table", alter_table),
    ast.DropTable: ("table", drop_table),
    ast.Truncate: ("table", truncate),  # with a timeout
    ast.CreateView: ("view", create_view),
    ast.AlterView: ("view", alter_view),
    ast.DropView: ("view", drop_view),
    ast.CreateIndex: ("table", create_index),
    ast.DropIndex: ("index", drop_index),
}
