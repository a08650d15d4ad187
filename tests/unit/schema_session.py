"""A session for schema tests: statements in, results out, on an engine that keeps nothing on disk."""

from __future__ import annotations

from typing import Any

from embedded_scylla.assembly import assemble
from embedded_scylla.cql import ast, parse
from embedded_scylla.ddl import plan_schema_change
from embedded_scylla.describe.statement import plan_describe
from embedded_scylla.errors import CqlError
from embedded_scylla.request import Context, QueryOptions, Result, Rows
from embedded_scylla.schema import Table
from embedded_scylla.storage.rows import Collection, Mutation, Row
from embedded_scylla.storage.store import TableStore

KEYSPACE = (
    "CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1} "
    "AND tablets = {'enabled': false}"
)


class SchemaSession:
    """``warnings`` are those of the last statement."""

    def __init__(self, *statements: str, keyspace: str | None = "ks"):
        self.engine = assemble().engine
        self.keyspace = keyspace
        self.warnings: list[str] = []
        for statement in statements:
            self.execute(statement)

    def execute(self, text: str) -> Result:
        parsed = parse(text)
        planner = plan_describe if isinstance(parsed.statement, ast.Describe) else plan_schema_change
        plan = planner(parsed.statement, parsed, self.engine.schema, self.keyspace)
        context = self.context()
        self.warnings = context.warnings
        return plan.execute(context)

    def context(self) -> Context:
        now = self.engine.clock.unique_micros()
        return Context(self.engine, (), QueryOptions(), now, now, now // 1_000_000)

    def error(self, text: str) -> CqlError:
        """The error that a statement is answered with."""
        try:
            self.execute(text)
        except CqlError as error:
            return error
        raise AssertionError(f"no error: {text}")

    def table(self, name: str, keyspace: str = "ks") -> Table | None:
        return self.engine.schema.table(keyspace, name)

    def described(self, text: str) -> list[tuple[str | None, ...]]:
        """The rows of a DESCRIBE, as text."""
        answer = self.execute(text)
        assert isinstance(answer, Rows)
        return [tuple(value if value is None else value.decode() for value in row) for row in answer.rows]

    def statements(self, text: str) -> list[str]:
        """The statements of a DESCRIBE."""
        return [row[3] for row in self.described(text)]

    def rows(self, full_name: str, **where: Any) -> list[dict[str, Any]]:
        """What a table shows, as Python values, restricted by equality."""
        table = self.engine.schema.table(*full_name.split("."))
        found = all_rows(table, self.engine.store(table))
        return [row for row in found if all(row[name] == value for name, value in where.items())]

    def write(self, name: str, **values: Any) -> None:
        """INSERT a row of Python values (nothing multi-cell)."""
        table = self.table(name)
        data = {column: table.columns[column].type.encode(value) for column, value in values.items()}
        context = self.context()
        mutation = Mutation(table, tuple(data[c.name] for c in table.partition_key))
        row = Row(tuple(data[c.name] for c in table.clustering), marker=(context.timestamp, 0, 0))
        row.cells = {c.name: (context.timestamp, data[c.name], 0, 0) for c in table.regulars if c.name in data}
        mutation.rows[row.key] = row
        self.engine.apply([mutation], context)


def all_rows(table: Table, store: TableStore) -> list[dict[str, Any]]:
    """Every row with a marker, by column name; what is null is None."""
    found = []
    for partition in store.scan():
        for row in partition.scan():
            if row.marker is None:
                continue
            values = dict.fromkeys(table.columns)
            keys = zip((*table.partition_key, *table.clustering), (*partition.key, *row.key), strict=True)
            values |= {column.name: column.type.decode(data) for column, data in keys}
            values |= {name: _decoded(table, name, cell) for name, cell in row.cells.items() if name in values}
            found.append(values)
    return found


def _decoded(table: Table, name: str, cell: Any) -> Any:
    kind = table.columns[name].type
    if isinstance(cell, Collection):
        return sorted(kind.element.decode(key) for key in cell.elements)
    return None if cell[1] is None else kind.decode(cell[1])


def refused(session: SchemaSession, text: str, error: type[CqlError], message: str) -> None:
    """Assert that a statement is answered with just this error."""
    answer = session.error(text)
    assert (type(answer), answer.message) == (error, message)
