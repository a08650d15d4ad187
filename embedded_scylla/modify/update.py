"""UPDATE: cells only, no row marker."""

from __future__ import annotations

from collections.abc import Sequence

from .. import consistency
from ..cql import ast
from ..errors import InvalidRequest, SyntaxException
from ..request import Context
from ..schema import Schema, Table
from ..storage.key_limits import check_clustering_key, check_partition_key
from ..storage.rows import Key, Mutation
from ..terms.compile import Variables
from ..where.intervals import Interval
from ..where.restrictions import Restrictions
from . import counters
from .assignments import Operation, compile_assignment
from .conditions import Conditions, compile_conditions
from .plan import ModificationPlan, refuse_custom_timestamp, refuse_on_counters, refuse_on_log, table_to_modify
from .using import UsingClause
from .where import plan_where
from .write import Write


class WherePlan(ModificationPlan):
    """What UPDATE and DELETE share: their keys come from a WHERE clause."""

    def __init__(
        self,
        table: Table,
        variables: Variables,
        using: UsingClause,
        operations: Sequence[Operation],
        conditions: Conditions | None,
        where: Restrictions,
    ):
        super().__init__(table, variables, using, operations, conditions)
        self.where = where
        self.partition_key_variables = where.partition_key_variables
        self.names_rows = where.clustering_restricted
        self._names_one_row = where.names_one_row and where.clustering_restricted

    def mutations(self, context: Context) -> list[Mutation]:
        mutations = super().mutations(context)
        if self.counts:
            counters.settle(mutations, context)
        return mutations

    def check_consistency(self, context: Context) -> None:
        if self.counts:
            consistency.check_counter_write(self.table, context.options.consistency)
        super().check_consistency(context)

    def partition_keys(self, context: Context) -> list[Key]:
        keys = self.where.partition_keys(context) or []  # plan_where has seen to it that some are named
        for key in keys:
            check_partition_key(self.table, key)
        return keys

    def intervals(self, context: Context) -> list[Interval]:
        """What the WHERE clause names within each partition."""
        return self.where.clustering_intervals(context)

    def row_keys(self, context: Context) -> list[Key]:
        if self._names_one_row:
            exact = self.where.exact_row(context)
            keys = [] if exact is None else [exact]
        elif self.where.clustering_restricted:
            keys = [interval.start_key for interval in self.where.clustering_intervals(context)]
        else:
            return [] if self.table.clustering else [()]
        for key in keys:
            check_clustering_key(key)
        return keys


class UpdatePlan(WherePlan):
    verb = "UPDATE"

    def build(self, context: Context, write: Write) -> list[Mutation]:
        row_keys = self.row_keys(context) if self.row_operations else ()
        found = [
            self.build_rows(context, write, key, row_keys, with_marker=False) for key in self.partition_keys(context)
        ]
        return [mutation for mutation in found if mutation is not None]


def plan_update(statement: ast.Update, variables: Variables, schema: Schema, keyspace: str | None) -> UpdatePlan:
    """Check an UPDATE and compile it."""
    table = table_to_modify(statement.table, schema, keyspace)
    using = UsingClause.of_table(statement.using, table, variables)
    _refuse_incompatible(statement.assignments)
    operations = []
    for assignment in statement.assignments:
        column = table.columns.get(assignment.column)
        if column is None:
            raise InvalidRequest(f"Unknown identifier {assignment.column}")
        if column.is_primary_key:
            raise InvalidRequest(f"PRIMARY KEY part {column.name} found in SET part")
        operations.append(compile_assignment(table, column, assignment, variables))
    conditional = bool(statement.conditions or statement.if_exists)
    refuse_on_counters(table, statement.using, conditional)
    if conditional:
        refuse_custom_timestamp(statement.using)
        refuse_on_log(table, schema)
    conditions = compile_conditions(table, statement.conditions, variables, if_exists=statement.if_exists)
    where = plan_where(table, statement.where, variables, "UPDATE", operations, conditions)
    return UpdatePlan(table, variables, using, operations, conditions, where)


def _refuse_incompatible(assignments: Sequence[ast.Assignment]) -> None:
    """A column that is set as a whole is set once, and so is each of its fields."""
    seen: dict[str, str] = {}
    fields = set()
    for assignment in assignments:
        before = seen.get(assignment.column)
        again = (assignment.column, assignment.key) in fields
        if again or (before is not None and "set" in (before, assignment.operator)):
            raise SyntaxException(f"Multiple incompatible setting of column {assignment.column}")
        seen[assignment.column] = assignment.operator
        if assignment.operator == "field":
            fields.add((assignment.column, assignment.key))
