"""INSERT, UPDATE and DELETE: from a statement to mutations.

``insert``, ``update`` and ``delete`` plan one kind of statement each; ``plan`` is what their plans share;
``assignments`` is what they do to a column, ``counters`` what becomes of those that count, ``where`` what they demand
of a WHERE clause, ``using`` the timestamp and TTL that their cells carry.
"""

from __future__ import annotations

from ..cql import ast
from ..schema import Schema
from ..terms.compile import Variables
from ..terms.timeout import within
from .delete import plan_delete
from .insert import plan_insert
from .plan import ModificationPlan
from .update import plan_update

__all__ = ["ModificationPlan", "compile_statement", "plan_modification"]

Modification = ast.Insert | ast.Update | ast.Delete


def plan_modification(
    statement: Modification, parsed: ast.Parsed, schema: Schema, keyspace: str | None
) -> ModificationPlan:
    """The plan of a statement that stands alone; ``keyspace`` is the connection's. CqlError if it cannot be."""
    plan = compile_statement(statement, Variables(parsed.variables, schema.release), schema, keyspace)
    return plan if plan.conditions is not None else within(plan, plan.using.timeout, plan.timed_out)


def compile_statement(
    statement: Modification, variables: Variables, schema: Schema, keyspace: str | None
) -> ModificationPlan:
    """The plan of a statement whose variables are perhaps shared with others: those of a batch."""
    match statement:
        case ast.Insert():
            return plan_insert(statement, variables, schema, keyspace)
        case ast.Update():
            return plan_update(statement, variables, schema, keyspace)
        case ast.Delete():
            return plan_delete(statement, variables, schema, keyspace)
    raise TypeError(f"no modification: {statement!r}")
