"""The state machine: it sends each statement to two engines and holds their answers against each other."""

from __future__ import annotations

import dataclasses
import time
from typing import Any, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.patience import SECONDS

from . import generators
from .differences import Dialect, is_rightful
from .generators import LATE
from .operations import Batch, Operation, Select, Truncate, may_be_refused, written_out
from .outcomes import Outcome, Refused, Rows
from .placement import tokens_of
from .shapes import Table

KEYSPACE_OPTIONS = "WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}"
_DAY = 86_400_000_000  # microseconds
_EARLY = 1_300_000_000_000_000  # in 2011: lists know no time before 2010
LONG = 15  # statements after which there is something to truncate


class Engine(Protocol):
    """Whoever answers: a server, or the model of one."""

    name: str

    def now(self) -> int:
        """Microseconds since 1970, by the engine's clock."""

    def reset(self, late: int) -> None:
        """Empty the table. ``late``: the timestamp (µs) at which those of the future begin."""

    def run(self, operation: Operation, bound: bool) -> Outcome:
        """Carry out a statement; ``bound``: with its values bound to markers."""


def machine(
    table: Table, keyspace: str, embedded: Engine, other: Engine, dialect: Dialect
) -> type[RuleBasedStateMachine]:
    """A state machine for one table; run it with ``run_state_machine_as_test``."""
    views = dialect.views(table)
    has_list = any(column.collection == "list" for column in table.columns)
    timed = (dialect.views_in_disorder or not views) and (dialect.lists_by_timestamp or not has_list)
    reads = generators.reads(table, keyspace, tokens_of(table), dialect.functions)

    class Sequences(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.script: list[str] = []
            self.used: set[int] = set()
            self.late = embedded.now() + _DAY

        @initialize()
        def begin(self) -> None:
            embedded.reset(self.late)
            other.reset(self.late)

        @rule(statement=generators.stamped(table, keyspace, timed), bound=st.booleans())
        def write(self, statement: Operation, bound: bool) -> None:
            self.both(statement, bound)

        @rule(statement=generators.batches(table, keyspace, timed), bound=st.booleans())
        def batch(self, statement: Batch, bound: bool) -> None:
            self.both(statement, bound)

        @rule(statement=generators.conditional(table, keyspace), bound=st.booleans())
        def transaction(self, statement: Operation, bound: bool) -> None:
            self.both(statement, bound)

        @rule(statement=generators.conditional_batches(table, keyspace, dialect.mixed_conditions), bound=st.booleans())
        def conditional_batch(self, statement: Batch, bound: bool) -> None:
            self.both(statement, bound)

        @rule(statement=reads, bound=st.booleans())
        def read(self, statement: Select, bound: bool) -> None:
            self.both(statement, bound)

        @rule(statement=reads, bound=st.booleans())
        def read_again(self, statement: Select, bound: bool) -> None:
            self.both(statement, bound)

        @precondition(lambda self: len(self.script) > LONG)
        @rule()
        def truncate(self) -> None:
            self.both(Truncate(table, keyspace), False)

        def both(self, drawn: Operation, bound: bool) -> None:
            operation = self.stamped(drawn)
            self.script.append(written_out(operation.parts()) + ";")
            deadline = time.monotonic() + SECONDS
            while True:
                mine, theirs = embedded.run(operation, bound), other.run(operation, bound)
                if isinstance(mine, Refused) and not may_be_refused(operation):
                    raise AssertionError(self.report(operation, mine, theirs, bound))
                if mine == theirs or is_rightful(operation, mine, theirs, dialect):
                    return
                of_view = isinstance(operation, Select) and operation.table is not table
                if not of_view or time.monotonic() > deadline:
                    raise AssertionError(self.report(operation, mine, theirs, bound))

        def stamped(self, operation: Any) -> Any:
            """The operation with real timestamps, each another one."""
            changes: dict[str, Any] = {}
            if getattr(operation, "timestamp", None) is not None:
                number = operation.timestamp
                start, number = (_EARLY, number) if number < LATE else (self.late, number - LATE)
                changes["timestamp"] = self.unused(start + 2 * number)
            if isinstance(operation, Batch):
                changes["statements"] = tuple(self.stamped(statement) for statement in operation.statements)
            return dataclasses.replace(operation, **changes) if changes else operation

        def unused(self, timestamp: int) -> int:
            """Two apart: an overwritten collection is deleted one microsecond before its elements are written."""
            while timestamp in self.used:
                timestamp += 2
            self.used.add(timestamp)
            return timestamp

        def report(self, operation: Operation, mine: Outcome, theirs: Outcome, bound: bool) -> str:
            lines = ["", f"CREATE KEYSPACE {keyspace} {KEYSPACE_OPTIONS};"]
            lines += [table.create(keyspace) + ";", *(f"{v.create(keyspace, table.name)};" for v in views)]
            lines += self.script
            if bound:
                lines.append("-- the last statement was prepared, its values bound")
            page = getattr(operation, "page_size", None)
            if page:
                lines.append(f"-- in pages of {page}")
            lines += [f"-- {embedded.name}:", *_shown(mine), f"-- {other.name}:", *_shown(theirs)]
            return "\n".join(lines)

    for view in views:
        name = f"read_{view.name}"
        body = rule(
            statement=generators.reads(view, keyspace, tokens_of(view), dialect.functions), bound=st.booleans()
        )(lambda self, statement, bound: self.both(statement, bound))
        setattr(Sequences, name, body)
    if dialect.clock:
        Sequences.push_clock = rule(push=generators.pushes)(lambda self, push: self.both(push, False))
    return Sequences


def _shown(outcome: Outcome) -> list[str]:
    if isinstance(outcome, Rows):
        return [f"--   {row}" for row in outcome.rows] or ["--   no rows"]
    return [f"--   {outcome}"]
