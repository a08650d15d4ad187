"""What INSERT, UPDATE and DELETE have in common: a plan that makes mutations and hands them to the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import consistency
from ..cql import ast
from ..errors import CqlError, InvalidRequest
from ..lookup import check_modifiable, find_table, keyspace_of
from ..request import Context, Plan, Result, Void
from ..schema import Schema, Table
from ..storage.rows import Key, Mutation, Row
from ..terms.compile import Variables
from . import lwt
from .assignments import Operation
from .conditions import Conditions
from .list_keys import ListKeys
from .using import UsingClause
from .write import Write

if TYPE_CHECKING:
    from ..decisions import Turn
    from ..schema import ColumnSpec

VOID = Void()


class ModificationPlan(Plan):
    """One INSERT, UPDATE or DELETE. ``verb`` is its keyword.

    A plain one makes mutations and applies them; a conditional one (``conditions`` is set) runs as a lightweight
    transaction. Batches call ``write`` and ``build`` themselves, to merge what goes to the same partition.
    """

    verb = ""
    names_rows = False  # whether it names clustering columns (or writes to rows without any)

    def __init__(
        self,
        table: Table,
        variables: Variables,
        using: UsingClause,
        operations: Sequence[Operation],
        conditions: Conditions | None,
    ):
        self.table = table
        self.clock_of = table.keyspace
        self.variables: Sequence[ColumnSpec] = variables.specs
        self.using = using
        self.conditions = conditions
        self.static_operations = [o for o in operations if o.is_static]
        self.row_operations = [o for o in operations if not o.is_static]
        self.reads = any(o.reads for o in operations)
        self.counts = table.is_counter  # then its mutations are changes, to be settled
        if conditions is not None:
            self.is_lwt = True
            self.columns = lwt.result_columns(table, conditions.result_columns(table))

    # ---------------------------------------------------------------- for each kind of statement

    def partition_keys(self, context: Context) -> list[Key]:
        """The partitions it writes to."""
        raise NotImplementedError

    def row_keys(self, context: Context) -> list[Key]:
        """The clustering keys that it names: prefixes where it names ranges, none where it names no clustering
        column, ``()`` in a table without clustering columns."""
        raise NotImplementedError

    def build(self, context: Context, write: Write) -> list[Mutation]:
        """The mutations, one for each partition; those that would do nothing are left out."""
        raise NotImplementedError

    # ---------------------------------------------------------------- for all

    def write(self, context: Context, otherwise: int, lists: ListKeys | None = None) -> Write:
        """Timestamp and TTL of this execution; ``otherwise`` is the timestamp in µs if the statement names none."""
        using = self.using
        if using.is_plain:
            return Write(otherwise, using.default_ttl, context.now, lists)
        return Write(using.timestamp(context, otherwise), using.ttl(context), context.now, lists)

    def mutations(self, context: Context) -> list[Mutation]:
        """What one execution writes."""
        return self.build(context, self.write(context, context.timestamp))

    def execute(self, context: Context) -> Result:
        if self.conditions is not None:
            return lwt.execute([(self, context)], self.columns or (), context)
        self.check_consistency(context)
        mutations = self.mutations(context)
        if mutations:
            context.step(f"{self.verb}: writing to {len(mutations)} partition(s) of {self.table.full_name}")
            context.database.apply(mutations, context)
        return VOID

    def turn(self, context: Context) -> Turn | None:
        return None if self.conditions is None else lwt.turn([(self, context)], context)

    def timed_out(self, context: Context) -> CqlError:
        """What a client is told whose USING TIMEOUT was too short."""
        keyspace = context.database.schema.keyspaces[self.table.keyspace]
        kind = "COUNTER" if self.counts else "SIMPLE"
        return consistency.write_timeout(keyspace, self.table, context.options.consistency, kind)

    def check_consistency(self, context: Context) -> None:
        """Refuse the write if its consistency level cannot be had."""
        keyspace = context.database.schema.keyspaces[self.table.keyspace]
        level = context.options.consistency
        if self.reads:
            consistency.check_read_before_write(keyspace, level)
        consistency.check_write(keyspace, level)

    def build_rows(
        self, context: Context, write: Write, key: Key, row_keys: Sequence[Key], with_marker: bool
    ) -> Mutation | None:
        """The mutation of one partition: the operations on its static row and on the rows named."""
        store = context.database.store(self.table) if self.reads else None
        partition = store.partition(key) if store is not None else None
        mutation = Mutation(self.table, key)
        if self.static_operations:
            old = partition.static if partition is not None else None
            static = Row(())
            # Once for each row written to: a static list that is appended to grows with each of them. A row may also be
            # named for the sake of its conditions alone.
            for _ in row_keys if row_keys or self.row_operations else ((),):
                for operation in self.static_operations:
                    operation.run(static.cells, context, write, old)
            if static.cells:
                mutation.static = static
        for row_key in row_keys:
            old = store.row(key, row_key) if store is not None else None
            row = Row(row_key, write.marker() if with_marker else None)
            for operation in self.row_operations:
                operation.run(row.cells, context, write, old)
            if with_marker or row.cells:
                mutation.rows[row_key] = row
        return mutation if mutation.rows or mutation.static is not None else None


def table_to_modify(name: ast.Name, schema: Schema, keyspace: str | None) -> Table:
    """The table that a statement writes to, or the reason why it cannot."""
    keyspace = keyspace_of(name, keyspace)
    table = find_table(schema, keyspace, name.name)
    check_modifiable(keyspace)
    if table.is_view:
        raise InvalidRequest("Cannot directly modify a materialized view")
    return table


def refuse_custom_timestamp(using: ast.Using) -> None:
    """A lightweight transaction's timestamp is its ballot's."""
    if using.timestamp is not None:
        raise InvalidRequest("Cannot provide custom timestamp for conditional updates")


def refuse_on_counters(table: Table, using: ast.Using, conditional: bool) -> None:
    """What cannot be asked of counters."""
    if not table.is_counter:
        return
    if conditional:
        raise InvalidRequest("Conditional updates are not supported on counter tables")
    if using.timestamp is not None:
        raise InvalidRequest("Cannot provide custom timestamp for counter updates")
    if using.ttl is not None:
        raise InvalidRequest("Cannot provide custom TTL for counter updates")


def refuse_on_log(table: Table, schema: Schema) -> None:
    """No lightweight transaction on the CDC log of a table on tablets."""
    if table.is_cdc_log and schema.keyspaces[table.keyspace].tablets is not None:
        raise InvalidRequest(f"LWT is not supported on CDC log tables: {table.full_name}")
