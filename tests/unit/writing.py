"""A whole node in memory that is written to: its time stands still, and what it was given to write is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from embedded_scylla.assembly import assemble
from embedded_scylla.clock import Clock
from embedded_scylla.modify.batch import execute_batch
from embedded_scylla.request import ONE, UNSET, Context, Plan, QueryOptions, Result, Rows
from embedded_scylla.storage.rows import Mutation

BEGIN = 1_700_000_000  # seconds: when the node's clock starts


class Node:
    """The keyspace ``ks`` of an engine. ``time`` (seconds) moves only when a test says so. ``directory``: where it is
    kept, if it is."""

    def __init__(self, replication_factor: int = 1, directory: Path | None = None, time: float = BEGIN):
        self.time = float(time)
        node = assemble(directory, clock=Clock(lambda: int(self.time * 1_000_000_000)))
        self.engine, self.prepared = node.engine, node.prepared
        self.applied: list[Mutation] = []  # those of the last write that was carried out
        self._remember_writes()
        replication = f"{{'class': 'NetworkTopologyStrategy', 'datacenter1': {replication_factor}}}"
        options = f"replication = {replication} AND tablets = {{'enabled': false}}"
        self.run(f"CREATE KEYSPACE IF NOT EXISTS ks WITH {options}")

    def _remember_writes(self) -> None:
        apply = self.engine.apply

        def remember(mutations: Sequence[Mutation], context: Context) -> None:
            apply(mutations, context)
            self.applied = list(mutations)

        self.engine.apply = remember

    def plan(self, text: str) -> Plan:
        return self.prepared.text(text, "ks")

    def context(self, values: Sequence[Any] = (), timestamp: int | None = None, **options: Any) -> Context:
        clock = self.engine.clock
        micros = clock.micros()
        if timestamp is None:
            timestamp = clock.unique_micros()
        return Context(self.engine, values, QueryOptions(ONE, **options), micros, timestamp, micros // 1_000_000)

    def run(self, text: str, *values: Any, timestamp: int | None = None, consistency: int = ONE, **options: Any) -> Any:
        """Carry out one statement with Python values; one that answers with rows gives them, decoded."""
        plan = self.plan(text)
        context = self.context(self.encode(plan, values), timestamp, **options)
        context.options.consistency = consistency
        return decoded(plan.execute(context))

    def run_message(self, *statements: Any, kind: str = "LOGGED", timestamp: int | None = None) -> Any:
        """A BATCH message of (text, values…)."""
        plans = [(self.plan(text), values) for text, *values in statements]
        encoded = [(plan, self.encode(plan, values)) for plan, values in plans]
        return decoded(execute_batch(encoded, kind, self.context(timestamp=timestamp)))

    @staticmethod
    def encode(plan: Plan, values: Sequence[Any]) -> list[Any]:
        return [
            value if value is None or value is UNSET else spec.type.encode(value)
            for spec, value in zip(plan.variables, values, strict=True)
        ]

    def rows(self, name: str = "t") -> list[dict[str, Any]]:
        """All that a reader of the table sees, in order of token and clustering."""
        columns = [spec.name for spec in self.plan(f"SELECT * FROM {name}").columns]
        return [dict(zip(columns, row, strict=True)) for row in self.run(f"SELECT * FROM {name}")]

    def values(self, *columns: str, name: str = "t") -> list[tuple]:
        return [tuple(row[c] for c in columns) for row in self.rows(name)]


def decoded(result: Result) -> list[tuple] | None:
    """The rows of a result as tuples of Python values; None for no rows."""
    if not isinstance(result, Rows):
        return None
    return [
        tuple(None if data is None else spec.type.decode(data) for spec, data in zip(result.columns, row, strict=True))
        for row in result.rows
    ]
