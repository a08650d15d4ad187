"""Batches: several writes carried out together, from BEGIN BATCH text or from the protocol's BATCH message.

What goes to one partition becomes one mutation, whatever its statements' timestamps: two writes to one cell are
reconciled before the store or the CDC log sees them, so that only the winner is logged. (The log then tells what is
left by timestamp.) Changes of one counter are added up. With a condition anywhere in it a batch is a lightweight
transaction. Logged and unlogged make no difference on one node: a request is applied as a whole.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .. import consistency
from ..cql import ast
from ..errors import CqlError, InvalidRequest
from ..request import BoundValue, Context, Plan, Result, Void
from ..storage.merge import merge_mutation
from ..storage.rows import Collection, Key, Mutation, Row
from ..terms.compile import Variables
from ..terms.timeout import within
from . import ModificationPlan, compile_statement, counters, lwt
from .list_keys import ListKeys
from .using import UsingClause

if TYPE_CHECKING:
    from ..decisions import Turn
    from ..schema import ColumnSpec, Schema

FAIL_THRESHOLD = 1024 * 1024  # bytes
_ROW_OVERHEAD, _CELL_OVERHEAD = 280, 33  # bytes, roughly what ScyllaDB's memory has for each

_SEVERAL_TIMES = (
    "This batch writes into keyspaces whose clocks were pushed apart, which only this embedded node can do, and a "
    "batch has one time. Send a batch for each."
)
_VOID = Void()
_WRITE_TYPES = {"LOGGED": "BATCH", "UNLOGGED": "UNLOGGED_BATCH", "COUNTER": "COUNTER"}  # as errors name them


class BatchPlan(Plan):
    """BEGIN BATCH … APPLY BATCH. All statements share the text's variables."""

    def __init__(self, plans: Sequence[ModificationPlan], kind: str, using: UsingClause, variables: Variables):
        self._plans = plans
        self._kind = kind
        self._using = using
        self.variables = variables.specs
        _check(plans, kind, using)
        self.is_lwt = _is_conditional(plans)
        if self.is_lwt:
            self.columns = _columns(plans)
        if plans:
            self.clock_of = plans[0].clock_of
        if plans and len({plan.table.id for plan in plans}) == 1:
            self.partition_key_variables = plans[0].partition_key_variables

    def execute(self, context: Context) -> Result:
        steps = [(plan, context.values) for plan in self._plans]
        if self.is_lwt:
            return _execute_conditional(steps, self.columns or (), context)
        return _execute_plain(steps, self._using.timestamp(context, context.timestamp), context)

    def timed_out(self, context: Context) -> CqlError:
        """What a client is told whose USING TIMEOUT was too short."""
        table = self._plans[0].table
        keyspace = context.database.schema.keyspaces[table.keyspace]
        kind = _WRITE_TYPES[self._kind]
        return consistency.write_timeout(keyspace, table, context.options.consistency, kind)

    def turn(self, context: Context) -> Turn | None:
        return _turn([(plan, context.values) for plan in self._plans], context) if self.is_lwt else None


def plan_batch(statement: ast.Batch, parsed: ast.Parsed, schema: Schema, keyspace: str | None) -> BatchPlan:
    """Check a batch and compile its statements. CqlError with ScyllaDB's text if it cannot be."""
    variables = Variables(parsed.variables, schema.release)
    using = UsingClause(statement.using, keyspace or "", "", variables)
    plans = [compile_statement(inner, variables, schema, keyspace) for inner in statement.statements]
    plan = BatchPlan(plans, statement.kind, using, variables)
    return within(plan, using.timeout, plan.timed_out) if plans and not plan.is_lwt else plan


def execute_batch(
    plans_with_values: Sequence[tuple[Plan, Sequence[BoundValue]]], kind: str, context: Context
) -> Result:
    """Carry out a BATCH message: plans, each with its own values. ``kind``: LOGGED, UNLOGGED or COUNTER."""
    steps = [(plan, values) for plan, values in plans_with_values if isinstance(plan, ModificationPlan)]
    if len(steps) < len(plans_with_values):
        raise InvalidRequest("Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed.")
    plans = [plan for plan, _ in steps]
    _check(plans, kind, None)
    if _is_conditional(plans):
        return _execute_conditional(steps, _columns(plans), context)
    return _execute_plain(steps, context.timestamp, context)


def batch_turn(plans_with_values: Sequence[tuple[Plan, Sequence[BoundValue]]], context: Context) -> Turn | None:
    """What a BATCH message decides about, if it has a conditional statement."""
    steps = [(plan, values) for plan, values in plans_with_values if isinstance(plan, ModificationPlan)]
    return _turn(steps, context) if _is_conditional([plan for plan, _ in steps]) else None


# ---------------------------------------------------------------- rules


def _is_conditional(plans: Sequence[ModificationPlan]) -> bool:
    return any(plan.conditions is not None for plan in plans)


def _check(plans: Sequence[ModificationPlan], kind: str, using: UsingClause | None) -> None:
    """Refuse what no batch may be; ``using`` is the clause of the batch itself."""
    conditional = _is_conditional(plans)
    counting = {plan.counts for plan in plans}
    if using is not None and using.has_ttl:
        raise InvalidRequest("Global TTL on the BATCH statement is not supported.")
    if using is not None and using.has_timestamp:
        if conditional:
            raise InvalidRequest("Cannot provide custom timestamp for conditional BATCH")
        if kind == "COUNTER":
            raise InvalidRequest("Cannot provide custom timestamp for counter BATCH")
        if True in counting:
            raise InvalidRequest("Cannot provide custom timestamp for a BATCH containing counters")
        if any(plan.using.has_timestamp for plan in plans):
            raise InvalidRequest("Timestamp must be set either on BATCH or individual statements")
    if kind == "COUNTER" and False in counting:
        raise InvalidRequest("Cannot include non-counter statement in a counter batch")
    if kind == "LOGGED" and True in counting:
        raise InvalidRequest("Cannot include a counter statement in a logged batch")
    if len(counting) > 1:
        raise InvalidRequest("Counter and non-counter mutations cannot exist in the same batch")
    if conditional and len({plan.table.id for plan in plans}) > 1:
        raise InvalidRequest("BATCH with conditions cannot span multiple tables")


def _columns(plans: Sequence[ModificationPlan]) -> list[ColumnSpec]:
    """The answer of a conditional batch: the key's columns and all that any condition looks at."""
    table = plans[0].table
    shown = {column.name for column in (*table.partition_key, *table.clustering)}
    for plan in plans:
        if plan.conditions is not None:
            shown.update(column.name for column in plan.conditions.result_columns(table))
    return lwt.result_columns(table, [c for c in table.columns.values() if c.name in shown])


# ---------------------------------------------------------------- execution


def _turn(steps: Sequence[tuple[ModificationPlan, Sequence[BoundValue]]], context: Context) -> Turn:
    return lwt.turn(_with_own_values(steps, context), context, in_batch=True)


def _execute_conditional(
    steps: Sequence[tuple[ModificationPlan, Sequence[BoundValue]]], columns: Sequence[ColumnSpec], context: Context
) -> Result:
    return lwt.execute(_with_own_values(steps, context), columns, context, in_batch=True)


def _with_own_values(
    steps: Sequence[tuple[ModificationPlan, Sequence[BoundValue]]], context: Context
) -> list[lwt.Step]:
    return [(plan, replace(context, values=values)) for plan, values in steps]


def _execute_plain(
    steps: Sequence[tuple[ModificationPlan, Sequence[BoundValue]]], timestamp: int, context: Context
) -> Result:
    lists = ListKeys()
    merged: dict[tuple[uuid.UUID, Key], Mutation] = {}
    keyspaces: set[str] = set()
    counting = bool(steps) and steps[0][0].counts  # all of them, or none
    join = counters.add_up if counting else merge_mutation
    own = replace(context)  # the values change from statement to statement
    for plan, values in steps:
        own.values = values
        if plan.reads or plan.table.keyspace not in keyspaces:
            plan.check_consistency(context)
            keyspaces.add(plan.table.keyspace)
        write = plan.write(own, timestamp, lists)
        for mutation in plan.build(own, write):
            place = (mutation.table.id, mutation.key)
            present = merged.get(place)
            if present is None:
                merged[place] = mutation
            else:
                join(present, mutation)
    if len(keyspaces) > 1 and len({*map(context.database.clocks.of, keyspaces)}) > 1:
        raise InvalidRequest(_SEVERAL_TIMES)
    mutations = list(merged.values())
    if counting:
        counters.settle(mutations, context)
    if len(mutations) > 1:
        _check_size(mutations)
    if mutations:
        context.step(f"Batch of {len(steps)} statement(s): writing {len(mutations)} mutation(s)")
        context.database.apply(mutations, context)
    return _VOID


def _check_size(mutations: Sequence[Mutation]) -> None:
    """A batch over several partitions has a limit; one over a single partition has not. (ScyllaDB warns of large ones
    too, but in its log: no client hears of it.)"""
    size = 0
    for mutation in mutations:
        for row in _rows(mutation):
            size += _ROW_OVERHEAD + sum(map(len, row.key))
            for cell in row.cells.values():
                for part in cell.elements.values() if type(cell) is Collection else (cell,):
                    size += _CELL_OVERHEAD + len(part[1] or b"")
    if size > FAIL_THRESHOLD:
        raise InvalidRequest("Batch too large")


def _rows(mutation: Mutation) -> Iterator[Row]:
    if mutation.static is not None:
        yield mutation.static
    yield from mutation.rows.values()
