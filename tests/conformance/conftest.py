"""One text, any engine: the tests here are given a session and do not know whose it is (``tests/engines/choice.py``).

Where an engine rightly answers otherwise, the test says so: ``@pytest.mark.differs("cassandra", "why")``. ScyllaDB is
right where they differ. What came with a release is not asked of older ones: ``@pytest.mark.since("2026.2")``.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from cassandra import ConsistencyLevel, ReadFailure
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session
from cassandra.policies import RoundRobinPolicy
from cassandra.query import tuple_factory

from tests.engines.choice import CHOSEN, UNKNOWN
from tests.engines.embedded import start_embedded
from tests.engines.second import cassandra_or_skip
from tests.patience import PATIENT_CLUSTER, SECONDS, Stopwatch


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "differs(engine, reason): this engine rightly answers otherwise")
    config.addinivalue_line("markers", "since(release): older releases of ScyllaDB do not have it")
    config.addinivalue_line("markers", "embedded: about the embedded node itself (its clock, its knobs)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark in item.iter_markers("differs"):
            engine, reason = mark.args
            if engine == CHOSEN:
                item.add_marker(pytest.mark.skip(reason=f"{engine} differs: {reason}"))
        if CHOSEN != "embedded" and item.get_closest_marker("embedded"):
            item.add_marker(pytest.mark.skip(reason="this is about the embedded node"))


@pytest.fixture(scope="session")
def engine() -> Iterator[SimpleNamespace]:
    """Whoever answers: ``name``, ``host``, ``port``, and for the embedded node ``control``."""
    if CHOSEN == "embedded":
        with start_embedded() as node:
            yield SimpleNamespace(name=CHOSEN, host=node.host, port=node.port, control=node.control)
    elif CHOSEN == "cassandra":
        with cassandra_or_skip() as node:
            yield SimpleNamespace(name=CHOSEN, host=node.host, port=node.port)
    elif CHOSEN == "scylla":
        host = os.environ["SCYLLA_HOSTS"].split(",")[0]
        yield SimpleNamespace(name=CHOSEN, host=host, port=int(os.environ.get("SCYLLA_PORT", "9042")))
    else:
        raise pytest.UsageError(UNKNOWN)


def open_cluster(engine: SimpleNamespace, **options: Any) -> Cluster:
    profile = ExecutionProfile(
        load_balancing_policy=RoundRobinPolicy(),
        row_factory=tuple_factory,
        request_timeout=SECONDS,
        consistency_level=ConsistencyLevel.LOCAL_QUORUM,
        serial_consistency_level=ConsistencyLevel.LOCAL_SERIAL,
    )
    return Cluster(
        [engine.host],
        port=engine.port,
        protocol_version=options.pop("protocol_version", 4),
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        **PATIENT_CLUSTER,
        **options,
    )


@pytest.fixture(scope="session")
def cluster(engine: SimpleNamespace) -> Iterator[Cluster]:
    # The driver would read the schema anew after every CREATE and DROP, which takes longer than most tests do; what it
    # makes of the schema is test_metadata.py's.
    cluster = open_cluster(engine, schema_metadata_enabled=False)
    yield cluster
    cluster.shutdown()


@pytest.fixture(scope="session")
def session(cluster: Cluster) -> Session:
    """Rows come as tuples."""
    return cluster.connect()


@pytest.fixture(autouse=True)
def _since(request: pytest.FixtureRequest) -> None:
    """Pass over what a ScyllaDB is too old for."""
    mark = request.node.get_closest_marker("since")
    if mark is None or CHOSEN != "scylla":
        return
    query = "SELECT version FROM system.versions WHERE key = 'local'"
    ((version,),) = request.getfixturevalue("session").execute(query)
    if _numbers_of(version) < _numbers_of(mark.args[0]):
        pytest.skip(f"this came with {mark.args[0]}, and the server is {version}")


def _numbers_of(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


_numbers = itertools.count()


def _unique(prefix: str) -> str:
    return f"{prefix}_{os.getpid()}_{int(time.time()) % 100_000}_{next(_numbers)}"


def keyspace_options(engine: SimpleNamespace) -> str:
    """One replica; on vnodes, where every version of ScyllaDB has all features."""
    tablets = "" if engine.name == "cassandra" else " AND tablets = {'enabled': false}"
    return f"WITH replication = {{'class': 'NetworkTopologyStrategy', 'replication_factor': 1}}{tablets}"


@pytest.fixture(scope="module")
def keyspace(session: Session, engine: SimpleNamespace) -> Iterator[str]:
    """A keyspace of the test module's own, in use."""
    name = _unique("conformance")
    session.execute(f"CREATE KEYSPACE {name} {keyspace_options(engine)}")
    session.execute(f"USE {name}")
    yield name
    session.execute(f"DROP KEYSPACE {name}")


@pytest.fixture
def create(session: Session, keyspace: str) -> Iterator[Callable[..., str]]:
    """``create("(p int, c int, PRIMARY KEY (p, c))", "WITH …")`` makes a table for one test; its name."""
    made = []

    def create_table(columns: str, options: str = "") -> str:
        name = f"{keyspace}.{_unique('t')}"
        session.execute(f"CREATE TABLE {name} {columns} {options}")
        made.append(name)
        return name

    yield create_table
    views = "SELECT base_table_name, view_name FROM system_schema.views WHERE keyspace_name = %s"
    for table, view in session.execute(views, (keyspace,)):
        # The view behind an index goes with the table.
        if f"{keyspace}.{table}" in made and not view.endswith("_index"):
            session.execute(f"DROP MATERIALIZED VIEW IF EXISTS {keyspace}.{view}")
    for name in made:
        session.execute(f"DROP TABLE IF EXISTS {name}")


@pytest.fixture
def run(session: Session) -> Callable[..., list[tuple]]:
    """Execute a statement and give its rows as a list of tuples."""

    def execute(statement: str, parameters: Any = None) -> list[tuple]:
        return [tuple(row) for row in session.execute(statement, parameters)]

    return execute


@pytest.fixture
def refused(session: Session) -> Callable[..., str]:
    """Execute a statement that must be refused with an error of this class; the server's sentence."""

    def execute(error: type[Exception], statement: str, match: str = "", parameters: Any = None) -> str:
        with pytest.raises(error) as caught:
            session.execute(statement, parameters)
        message = getattr(caught.value, "message", None) or str(caught.value)
        assert re.search(match, message, re.IGNORECASE), f"{message!r} does not match {match!r}"
        return message

    return execute


@pytest.fixture
def left() -> Callable[[int], range]:
    """What may be left of a TTL that the test has given, however long it has taken since: ``ttl(…) in left(1000)``."""
    return Stopwatch().left


def eventually(question: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """Ask until the answer is true; views follow their base table in their own time, and an index that is still being
    built may refuse to be read."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = question()
        except ReadFailure:
            answer = None
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(0.01)
