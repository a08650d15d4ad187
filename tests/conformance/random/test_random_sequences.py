"""Random valid sequences, sent to the embedded node and to somebody else: every answer must be the same.

Who else is a model of CQL in Python (always) and, with FULL=1, Apache Cassandra 5 where it is there. A failing sequence
is shrunk and printed as CQL.

    (nothing set)                  a short run that is the same each time; with FULL=1 three times as long
    RANDOM_STEPS=200000            about that many statements for each of the two, other ones each time
                                   (RANDOM_STEPS=200000 make test ARGS=tests/conformance/random)
    CASSANDRA=host:port            a Cassandra that already runs, instead of one started for the tests (with FULL=1)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from cassandra.cluster import Session
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engines.embedded import start_embedded
from tests.engines.second import cassandra_or_skip
from tests.full import in_full, only_in_full

from ..conftest import keyspace_options, open_cluster
from .differences import CASSANDRA, MODEL, Dialect
from .machines import machine
from .model import Model
from .operations import Delete, Operation
from .outcomes import Done, Outcome
from .servers import Server
from .shapes import TABLES, Table

STEPS = int(os.environ.get("RANDOM_STEPS", "0"))
SEQUENCE = 30  # statements
SHORT = {"model": in_full(12, 4), "cassandra": 4}  # sequences for each table
KEYSPACE = "random"

pytestmark = pytest.mark.timeout(600 + STEPS)


def session_to(name: str, host: str, port: int) -> Iterator[Session]:
    engine = SimpleNamespace(name=name, host=host, port=port)
    cluster = open_cluster(engine, schema_metadata_enabled=False)
    try:
        session = cluster.connect()
        session.execute(f"DROP KEYSPACE IF EXISTS {KEYSPACE}")
        session.execute(f"CREATE KEYSPACE {KEYSPACE} {keyspace_options(engine)}")
        yield session
        session.execute(f"DROP KEYSPACE {KEYSPACE}")
    finally:
        cluster.shutdown()


@pytest.fixture(scope="module")
def embedded() -> Iterator[SimpleNamespace]:
    with start_embedded() as node:
        for session in session_to("embedded", node.host, node.port):
            yield SimpleNamespace(session=session, push=lambda seconds: node.control("push_clock", seconds=seconds))


@pytest.fixture(scope="module")
def cassandra() -> Iterator[Session]:
    if "CASSANDRA" in os.environ:
        host, port = os.environ["CASSANDRA"].rsplit(":", 1)
        yield from session_to("cassandra", host, int(port))
        return
    with cassandra_or_skip() as node:
        yield from session_to("cassandra", node.host, node.port)


def compare(table: Table, node: Server | Model, other: Server | Model, dialect: Dialect, short: int) -> None:
    sequences = max(1, STEPS // SEQUENCE // len(TABLES)) if STEPS else short
    options = settings(
        max_examples=sequences,
        stateful_step_count=SEQUENCE,
        deadline=None,
        database=None,
        derandomize=not STEPS,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        print_blob=False,
        verbosity=Verbosity.quiet,  # the sequence is shown as CQL instead
    )
    run_state_machine_as_test(machine(table, KEYSPACE, node, other, dialect), settings=options)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_node_means_what_the_model_means(embedded, table):
    node = Server("the embedded node", embedded.session, KEYSPACE, table, table.views, embedded.push)
    compare(table, node, Model(table), MODEL, SHORT["model"])


class Forgetful(Model):
    """A model that never deletes a row."""

    name = "the forgetful one"

    def run(self, operation: Operation, bound: bool) -> Outcome:
        if isinstance(operation, Delete) and not operation.targets:
            return Done()
        return super().run(operation, bound)


def test_a_wrong_answer_is_found_and_shown_as_cql(embedded):
    """What is printed can be pasted: the node takes every line of it."""
    table = TABLES[0]
    with pytest.raises(AssertionError) as failure:
        compare(table, Model(table), Forgetful(table), MODEL, 30)
    lines = str(failure.value).strip().splitlines()
    assert [line for line in lines if line.startswith("DELETE")] and "-- the forgetful one:" in lines
    embedded.session.execute(f"DROP KEYSPACE {KEYSPACE}")
    for line in lines:
        if not line.startswith("--"):
            embedded.session.execute(line)


@only_in_full("a second engine takes half a minute of both cores to start; the model answers every day")
@pytest.mark.cassandra
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_node_means_what_cassandra_means(embedded, cassandra, table):
    views = CASSANDRA.views(table)
    node = Server("the embedded node", embedded.session, KEYSPACE, table, views)
    compare(table, node, Server("cassandra", cassandra, KEYSPACE, table, views), CASSANDRA, SHORT["cassandra"])
