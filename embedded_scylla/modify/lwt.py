"""Lightweight transactions: read, decide, write, in one step that nobody can come between.

On the one node a request is carried out as a whole, so that what Paxos does among replicas is here a check: the old
rows are read, all conditions are tested against them, and if all hold the writes of all statements become one
mutation with the ballot's timestamp. The answer has a row for each statement: [applied] and the old values, whether
applied or not.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .. import consistency
from ..decisions import Turn
from ..errors import InvalidRequest
from ..request import CONSISTENCY_NAMES, Context, Rows
from ..schema import CLUSTERING, PARTITION_KEY, Column, ColumnSpec, Table
from ..storage.merge import merge_mutation
from ..storage.rows import Key, Mutation, Row, row_is_live
from ..types import BOOLEAN
from .conditions import OldRow
from .list_keys import ListKeys
from .write import Write

if TYPE_CHECKING:
    from ..storage.store import TableStore
    from .plan import ModificationPlan

Step = tuple["ModificationPlan", Context]  # a statement, and the context with its own values

_TRUE, _FALSE = b"\x01", b"\x00"


def result_columns(table: Table, columns: Sequence[Column]) -> list[ColumnSpec]:
    """The answer's columns: [applied], then these."""
    return [ColumnSpec(table.keyspace, table.name, "[applied]", BOOLEAN), *map(table.spec, columns)]


def turn(steps: Sequence[Step], context: Context, in_batch: bool = False) -> Turn:
    """The partition that a conditional statement, or a batch with at least one, decides about."""
    table, level = steps[0][0].table, context.options.serial_consistency
    return Turn(table.id, table.full_name, _partition_key(steps, in_batch), level, CONSISTENCY_NAMES[level])


def execute(steps: Sequence[Step], columns: Sequence[ColumnSpec], context: Context, in_batch: bool = False) -> Rows:
    """Carry out a conditional statement, or a batch with at least one. ``columns`` are the answer's."""
    table = steps[0][0].table
    options = context.options
    keyspace = context.database.schema.keyspaces[table.keyspace]
    consistency.check_serial(options.serial_consistency, options.consistency)
    key = _partition_key(steps, in_batch)
    ballot = context.database.ballot(table, key)
    context.step(f"Reading the old values of {table.full_name}")
    found = _OldRows(steps, context.database.store(table), key, context.now)
    old = [found.of(plan, own) for plan, own in steps]
    applied = all(
        plan.conditions.hold(table, row, own)
        for (plan, own), (_, row) in zip(steps, old, strict=True)
        if plan.conditions is not None
    )
    shown = [table.columns[spec.name] for spec in columns[1:]]
    flag = _TRUE if applied else _FALSE
    # The old values are read out before the write: it changes the rows in place.
    answer = Rows(columns, [_answer(flag, shown, key, clustering, row) for clustering, row in old])
    if applied:
        context.step(f"Condition met: writing to {table.full_name} with the ballot's timestamp {ballot}")
        _write(steps, ballot, context)
        consistency.check_learnt(keyspace, table, options.consistency)
    else:
        context.step("Condition not met: nothing is written")
    return answer


def _partition_key(steps: Sequence[Step], in_batch: bool) -> Key:
    """The one partition that all statements name."""
    key: Key | None = None
    for plan, context in steps:
        keys = plan.partition_keys(context)
        if not keys:
            continue
        if len(keys) > 1 or (key is not None and keys[0] != key):
            raise InvalidRequest("BATCH with conditions cannot span multiple partitions")
        key = keys[0]
    if key is not None:
        return key
    what = "BATCH" if in_batch else "deletion" if steps[0][0].verb == "DELETE" else "update"
    raise InvalidRequest(f"Unrestricted partition key in a conditional {what}")


class _OldRows:
    """The rows that a transaction reads: those that its conditions, and its changes to lists, are about."""

    def __init__(self, steps: Sequence[Step], store: TableStore, key: Key, now: int):
        self._rows: dict[Key, OldRow] = {}
        self._static: OldRow | None = None
        partition = store.partition(key)
        if partition is None:
            return
        wanted: set[Key] = set()
        for plan, context in steps:
            if plan.reads or (plan.conditions is not None and not plan.conditions.on_static_only):
                wanted.update(plan.row_keys(context))
        static, table = partition.static, store.table
        rows: Iterable[Row | None]
        if wanted:
            rows = (store.row(key, clustering) for clustering in wanted)
        else:  # conditions on static columns only: any row shows that the partition is there
            rows = itertools.islice((row for row in partition.scan() if row_is_live(row, now)), 1)
        for row in rows:
            if row is not None and row_is_live(row, now):
                self._rows[row.key] = OldRow(row, static, now)
        if table.clustering and table.statics and (self._rows or (static is not None and row_is_live(static, now))):
            self._static = OldRow(None, static, now)

    def of(self, plan: ModificationPlan, context: Context) -> tuple[Key, OldRow | None]:
        """What a statement's conditions are tested on: its row, or where there is none the static row. With it the
        clustering key found, () for the static row."""
        keys = plan.row_keys(context)
        if not keys and plan.names_rows:
            what = "deletion" if plan.verb == "DELETE" else "update"
            raise InvalidRequest(f"Unrestricted clustering key in a conditional {what}")
        key = keys[0] if keys else ()
        row = self._rows.get(key)
        if row is not None:
            return key, row
        conditions = plan.conditions
        if not key or conditions is None or conditions.exists is None:
            return (), self._static
        return (), None


def _write(steps: Sequence[Step], ballot: int, context: Context) -> None:
    lists = ListKeys()
    merged: Mutation | None = None
    for plan, own in steps:
        write = Write(ballot, plan.using.ttl(own), own.now, lists)
        for mutation in plan.build(own, write):
            if merged is None:
                merged = mutation
            else:
                merge_mutation(merged, mutation)
    if merged is not None:
        context.database.apply([merged], context)


def _answer(
    flag: bytes, columns: Sequence[Column], key: Key, clustering: Key, row: OldRow | None
) -> list[bytes | None]:
    if row is None:
        return [flag, *[None] * len(columns)]
    answer: list[bytes | None] = [flag]
    for column in columns:
        if column.role == PARTITION_KEY:
            answer.append(key[column.position])
        elif column.role == CLUSTERING:
            answer.append(clustering[column.position] if column.position < len(clustering) else None)
        else:
            answer.append(row.value(column))
    return answer
