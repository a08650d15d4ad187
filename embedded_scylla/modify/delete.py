"""DELETE: tombstones for columns, elements, rows, ranges and partitions."""

from __future__ import annotations

from collections.abc import Sequence

from ..cql import ast
from ..errors import InvalidRequest
from ..request import Context
from ..schema import Schema
from ..storage.key_limits import check_clustering_key
from ..storage.rows import Key, Mutation, RangeDeletion, Row
from ..terms.compile import Variables
from ..where.intervals import Interval
from .assignments import compile_deletion
from .conditions import compile_conditions
from .plan import refuse_custom_timestamp, refuse_on_counters, refuse_on_log, table_to_modify
from .update import WherePlan
from .using import UsingClause
from .where import plan_where
from .write import Write


class DeletePlan(WherePlan):
    """Without operations it deletes whatever the WHERE clause names."""

    verb = "DELETE"

    def build(self, context: Context, write: Write) -> list[Mutation]:
        keys = self.partition_keys(context)
        if self.row_operations or self.static_operations:
            row_keys = self.row_keys(context) if self.row_operations else ()
            found = [self.build_rows(context, write, key, row_keys, with_marker=False) for key in keys]
            return [mutation for mutation in found if mutation is not None]
        if not self.where.clustering_restricted:
            return [self._partition(key, write) for key in keys]
        intervals = self.intervals(context)
        return [self._within(key, intervals, write) for key in keys] if intervals else []

    def _partition(self, key: Key, write: Write) -> Mutation:
        mutation = Mutation(self.table, key)
        mutation.deletion = write.tombstone()
        return mutation

    def _within(self, key: Key, intervals: Sequence[Interval], write: Write) -> Mutation:
        mutation = Mutation(self.table, key)
        tombstone = write.tombstone()
        whole = len(self.table.clustering)
        for interval in intervals:
            start = interval.start_key
            check_clustering_key(start)
            check_clustering_key(interval.end_key)
            if len(start) == whole and not self.where.clustering_has_slice:
                mutation.rows[start] = Row(start, deletion=tombstone)
            else:
                mutation.ranges.append(
                    RangeDeletion(start, interval.start_inclusive, interval.end_key, interval.end_inclusive, tombstone)
                )
        return mutation


def plan_delete(statement: ast.Delete, variables: Variables, schema: Schema, keyspace: str | None) -> DeletePlan:
    """Check a DELETE and compile it."""
    table = table_to_modify(statement.table, schema, keyspace)
    using = UsingClause.of_table(statement.using, table, variables)
    operations = []
    for deletion in statement.deletions:
        column = table.columns.get(deletion.column)
        if column is None:
            raise InvalidRequest(f"Unknown identifier {deletion.column}")
        if column.is_primary_key:
            raise InvalidRequest(f"Invalid identifier {column.name} for deletion (should not be a PRIMARY KEY part)")
        operations.append(compile_deletion(table, column, deletion, variables))
    conditional = bool(statement.conditions or statement.if_exists)
    refuse_on_counters(table, statement.using, conditional)
    if conditional:
        refuse_custom_timestamp(statement.using)
        refuse_on_log(table, schema)
    conditions = compile_conditions(table, statement.conditions, variables, if_exists=statement.if_exists)
    where = plan_where(table, statement.where, variables, "DELETE", operations, conditions)
    return DeletePlan(table, variables, using, operations, conditions, where)
