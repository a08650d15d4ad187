"""A node just large enough to write to: schema and stores, without server, journal, views or CDC."""

from __future__ import annotations

import uuid

from embedded_scylla.clock import Clock
from embedded_scylla.cql import ast, parse
from embedded_scylla.modify import plan_modification
from embedded_scylla.modify.batch import execute_batch, plan_batch
from embedded_scylla.request import ONE, UNSET, Context, QueryOptions, Rows
from embedded_scylla.schema import CLUSTERING, PARTITION_KEY, REGULAR, STATIC, Column, Keyspace, Schema, Table
from embedded_scylla.storage.rows import read_cell, row_is_live
from embedded_scylla.storage.store import TableStore
from embedded_scylla.types import parse_type

BEGIN = 1_700_000_000  # seconds: when the node's clock starts


class Node:
    """Stands in for the engine. ``time`` (seconds) moves only when a test says so."""

    def __init__(self, replication_factor: int = 1):
        self.time = float(BEGIN)
        self.clock = Clock(lambda: int(self.time * 1_000_000_000))
        self.schema = Schema()
        replication = {"class": "NetworkTopologyStrategy", "datacenter1": str(replication_factor)}
        self.schema.put(Keyspace("ks", replication))
        self.stores: dict[uuid.UUID, TableStore] = {}
        self.applied = []  # the mutations of the last write

    # what plans ask of the engine

    def store(self, table: Table) -> TableStore:
        return self.stores[table.id]

    def apply(self, mutations, context) -> None:
        self.applied = list(mutations)
        for mutation in mutations:
            self.store(mutation.table).apply(mutation, context.now)

    def ballot(self, table: Table, key) -> int:
        return self.clock.unique_micros()

    # what tests ask of it

    def create(self, text: str, **changes) -> Table:
        """CREATE TABLE, without any of its checks; ``changes`` are attributes of the Table."""
        statement = parse(text).statement
        assert isinstance(statement, ast.CreateTable)
        keys = list(statement.primary_keys) or [
            ast.PrimaryKey(tuple(c.name for c in statement.columns if c.primary_key), ())
        ]
        partition, clustering = keys[0].partition, keys[0].clustering
        descending = dict(statement.clustering_order)
        columns = {}
        for definition in statement.columns:
            name, kind = definition.name, parse_type(definition.type, "ks")
            if name in partition:
                columns[name] = Column(name, kind, PARTITION_KEY, partition.index(name))
            elif name in clustering:
                place = clustering.index(name)
                columns[name] = Column(name, kind, CLUSTERING, place, descending.get(name, False))
            else:
                columns[name] = Column(name, kind, STATIC if definition.static else REGULAR)
        table = Table("ks", statement.table.name, uuid.uuid4(), columns, **changes)
        self.schema.put_table(table)
        self.stores[table.id] = TableStore(table)
        return table

    def plan(self, text: str):
        parsed = parse(text)
        if isinstance(parsed.statement, ast.Batch):
            return plan_batch(parsed.statement, parsed, self.schema, "ks")
        return plan_modification(parsed.statement, parsed, self.schema, "ks")

    def context(self, values=(), timestamp: int | None = None, **options) -> Context:
        micros = self.clock.micros()
        if timestamp is None:
            timestamp = self.clock.unique_micros()
        return Context(self, values, QueryOptions(ONE, **options), micros, timestamp, micros // 1_000_000)

    def run(self, text: str, *values, timestamp: int | None = None, consistency: int = ONE, **options):
        """Carry out one statement with Python values; a conditional one gives its rows, decoded."""
        plan = self.plan(text)
        context = self.context(self.encode(plan, values), timestamp, **options)
        context.options.consistency = consistency
        return decoded(plan.execute(context))

    def run_message(self, *statements, kind: str = "LOGGED", timestamp: int | None = None):
        """A BATCH message of (text, values…)."""
        plans = [(self.plan(text), values) for text, *values in statements]
        encoded = [(plan, self.encode(plan, values)) for plan, values in plans]
        return decoded(execute_batch(encoded, kind, self.context(timestamp=timestamp)))

    @staticmethod
    def encode(plan, values) -> list:
        return [
            value if value is None or value is UNSET else spec.type.encode(value)
            for spec, value in zip(plan.variables, values, strict=True)
        ]

    def rows(self, name: str = "t") -> list[dict]:
        """All that a reader of the table sees, in order of token and clustering."""
        table = self.schema.table("ks", name)
        now, found = self.clock.seconds(), []
        for partition in self.store(table).scan():
            static = partition.static
            live = [row for row in partition.scan() if row_is_live(row, now)]
            if not live and static is not None and row_is_live(static, now):
                live = [None]
            for row in live:
                values = {}
                for column in table.columns.values():
                    if column.kind == PARTITION_KEY:
                        data = partition.key[column.position]
                    elif column.kind == CLUSTERING:
                        data = None if row is None else row.key[column.position]
                    else:
                        holder = static if column.kind == STATIC else row
                        data = None if holder is None else read_cell(holder, column, now)
                    values[column.name] = None if data is None else column.type.decode(data)
                found.append(values)
        return found

    def values(self, *columns: str, name: str = "t") -> list[tuple]:
        return [tuple(row[c] for c in columns) for row in self.rows(name)]


def decoded(result):
    """The rows of a result as tuples of Python values; None for no rows."""
    if not isinstance(result, Rows):
        return None
    return [
        tuple(None if data is None else spec.type.decode(data) for spec, data in zip(result.columns, row, strict=True))
        for row in result.rows
    ]
