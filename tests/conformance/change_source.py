"""For tests of the change reader: a table that is written to, the list of what was written, and power over time."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from cassandra.cluster import Session

from scylla_cdc import Change, ChangeReader, TableCheckpoints
from tests.conformance.conftest import CHOSEN, _unique

EMBEDDED = CHOSEN == "embedded"
# Pushed through on the embedded node, so it may be the libraries' own; waited for on a cluster.
SAFETY = 30.0 if EMBEDDED else 3.0


class Lab:
    """A session, and the power over the node's time; a real cluster's passes by itself."""

    def __init__(self, node: Any, session: Session):
        self.node, self.session = node, session
        self._now = session.prepare("SELECT toTimestamp(now()) FROM system.local WHERE key = 'local'")

    def now(self) -> datetime:
        return self.session.execute(self._now).one()[0]

    def soon(self) -> datetime:
        """A moment after all that was written so far."""
        return self.now() + timedelta(milliseconds=10)

    def push(self, seconds: float) -> None:
        assert self.node.control("push_clock", seconds=seconds)["ok"]

    def settle(self) -> None:
        """Let so much time pass that a reader sees what was written until now."""
        if EMBEDDED:
            self.push(SAFETY + 0.1)

    def make_keyspace(self, tablets: bool) -> Iterator[str]:
        """For a fixture: its name; dropped in the end."""
        name = _unique("reader")
        layout = "{'enabled': true, 'initial': 4}" if tablets else "{'enabled': false}"
        replication = "{'class': 'NetworkTopologyStrategy', 'replication_factor': 1}"
        self.session.execute(f"CREATE KEYSPACE {name} WITH replication = {replication} AND tablets = {layout}")
        yield name
        self.session.execute(f"DROP KEYSPACE {name}")


class Source:
    """A table with a log, and the values ``v`` whose writes were acknowledged; each is written once."""

    def __init__(self, lab: Lab, keyspace: str, tablets: bool = False, cdc: str = "'enabled': true"):
        self.lab, self.keyspace, self.tablets, self.table = lab, keyspace, tablets, _unique("t")
        self.name = f"{keyspace}.{self.table}"
        lab.session.execute(f"CREATE TABLE {self.name} (p int, c int, v int, PRIMARY KEY (p, c)) WITH cdc = {{{cdc}}}")
        self._insert = lab.session.prepare(f"INSERT INTO {self.name} (p, c, v) VALUES (?, ?, ?)")
        self._values = count()
        self.written: list[int] = []

    def write(self, rows: int = 1) -> None:
        for _ in range(rows):
            value = next(self._values)
            self.lab.session.execute(self._insert, (random.randrange(60), random.randrange(4), value))
            self.written.append(value)

    @contextmanager
    def being_written(self, most: int) -> Iterator[None]:
        """Somebody else writes all the while, up to ``most`` rows, and stops at the end."""
        enough = threading.Event()

        def write() -> None:
            while not enough.is_set() and len(self.written) < most:
                self.write()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            yield
        finally:
            enough.set()
            writer.join()

    def new_streams(self) -> None:
        """Begin a new generation of the table's streams."""
        if self.tablets:
            assert self.lab.node.control("split_tablets", table=self.name)["ok"]
        else:
            assert self.lab.node.control("new_cdc_generation")["ok"]

    def reader(self, **options: Any) -> ChangeReader:
        values = {"start": "beginning", "safety": SAFETY, "pause": 0.05, "group_by": 64, "now": self.lab.now}
        return ChangeReader(self.lab.session, self.keyspace, self.table, **{**values, **options})

    def checkpoints(self) -> TableCheckpoints:
        return TableCheckpoints(self.lab.session, self.keyspace, f"{self.table}_checkpoints")

    def rest_of(self, reader: ChangeReader) -> list[Change]:
        """All that was written until now and that the reader has not delivered yet."""
        reader.stop(at=self.lab.soon())
        self.lab.settle()
        return list(reader)


def values_of(changes: list[Change]) -> list[int]:
    """The values ``v`` that changes of a Source have written."""
    return [row["v"] for change in changes for row in change.delta]


def assert_in_order(changes: list[Change]) -> None:
    """Within each stream. Of what was delivered several times, the first time counts."""
    seen: set[Any] = set()
    last: dict[bytes, int] = {}
    for change in changes:
        if (change.stream, change.time) not in seen:
            seen.add((change.stream, change.time))
            assert last.get(change.stream, 0) <= change.micros
            last[change.stream] = change.micros
