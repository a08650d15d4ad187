"""A whole engine in memory, asked in CQL and Python values."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from embedded_scylla import planner
from embedded_scylla.assembly import Assembly, assemble
from embedded_scylla.clock import Clock
from embedded_scylla.request import ONE, UNSET, Context, QueryOptions, Rows, Tracer

KEYSPACE = (
    "CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1} "
    "AND tablets = {'enabled': false}"
)


class Answer(NamedTuple):
    """A result: column names, rows of Python values, where the next page begins, and the warnings."""

    names: list[str]
    rows: list[tuple]
    state: bytes | None
    warnings: list[str]


def joined(pages: list[list[tuple]]) -> list[tuple]:
    """The rows of all pages."""
    return [row for page in pages for row in page]


class Asking:
    """Carries out statements in the keyspace ``ks``. ``directory``: where its data is kept; None: nowhere. ``node``:
    one that is put together already."""

    def __init__(self, directory: Path | None = None, clock: Clock | None = None, node: Assembly | None = None) -> None:
        self.node = node or assemble(directory, clock=clock)
        self.engine = self.node.engine
        if "ks" not in self.engine.schema.keyspaces:
            self.run(KEYSPACE)

    def plan(self, text: str, keyspace: str | None = "ks"):
        return planner.plan(text, self.engine.schema, keyspace)

    def context(self, plan, values=(), page=None, state=None, consistency=ONE, traced=False) -> Context:
        encoded = [
            value if value is None or value is UNSET else spec.type.encode(value)
            for spec, value in zip(plan.variables, values, strict=True)
        ]
        clock_of = plan.clock_of or "ks"
        micros = self.engine.clocks.of(clock_of).unique_micros()
        options = QueryOptions(consistency, page_size=page, paging_state=state, keyspace="ks")
        context = Context(self.engine, encoded, options, micros, micros, micros // 1_000_000, clock_of=clock_of)
        if traced:
            context.trace = Tracer(self.engine.clock.micros)
        return context

    def ask(self, text: str, *values: Any, **options: Any) -> Answer:
        """One page of a SELECT."""
        plan = self.plan(text)
        context = self.context(plan, values, **options)
        result = plan.execute(context)
        assert isinstance(result, Rows)
        assert list(result.columns) == list(plan.columns)
        rows = [
            tuple(None if v is None else spec.type.decode(v) for spec, v in zip(result.columns, row, strict=True))
            for row in result.rows
        ]
        return Answer([spec.name for spec in result.columns], rows, result.paging_state, context.warnings)

    def rows(self, text: str, *values: Any, **options: Any) -> list[tuple]:
        """All rows of a SELECT, in one page."""
        return self.ask(text, *values, **options).rows

    def paged(self, text: str, *values: Any, page: int) -> list[list[tuple]]:
        """The pages of a SELECT."""
        pages, state = [], None
        while True:
            answer = self.ask(text, *values, page=page, state=state)
            pages.append(answer.rows)
            state = answer.state
            if state is None:
                return pages

    def run(self, text: str, *values: Any) -> None:
        """Any other statement."""
        plan = self.plan(text)
        plan.execute(self.context(plan, values))
