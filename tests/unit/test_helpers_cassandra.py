"""The helpers on a second, real engine, behind TLS and a password: connecting, fan-out, and the checkout."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from cassandra.cluster import Session

from helpers import (
    apply_cql,
    cancel,
    connect,
    count_by_status,
    hold_seat,
    let_time_pass,
    open_chapter,
    pay,
    read_log,
    release_expired,
)
from helpers.lab.clock import push_clock
from helpers.lab.connection import disconnect
from helpers.lab.errors import LabError
from scylla_cdc import NoLogError
from tests.engines.cassandra import CassandraNode
from tests.engines.second import cassandra_or_skip
from tests.full import only_in_full

pytestmark = [
    only_in_full("a second engine takes half a minute of both cores to start; test_rehearse has strangers every day"),
    pytest.mark.cassandra,
    pytest.mark.slow,
    pytest.mark.timeout(300),
]
KEYSPACE = "unit_helpers"


@pytest.fixture(scope="module")
def node() -> Iterator[CassandraNode]:
    with cassandra_or_skip(tls=True, credentials=("ada", "secret")) as started:
        yield started


@pytest.fixture
def variables(node: CassandraNode, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """SCYLLA_* as they must be for this node."""
    for name, value in {
        "SCYLLA_HOSTS": node.host,
        "SCYLLA_PORT": node.port,
        "SCYLLA_USER": node.user,
        "SCYLLA_PASSWORD": node.password,
        "SCYLLA_CA_FILE": node.ca_file,
    }.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr("helpers.lab.connection._clusters", {})  # other tests' sessions stay open
    yield monkeypatch
    disconnect()


@pytest.fixture
def session(variables: pytest.MonkeyPatch) -> Session:
    return connect()


def test_it_says_which_engine_it_found(variables: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    connect()
    assert capsys.readouterr().out.startswith("Connected to Apache Cassandra 5.")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SCYLLA_PASSWORD": "guess"}, "does not accept this password for the user 'ada'"),
        ({"SCYLLA_USER": None, "SCYLLA_PASSWORD": None}, "wants a name and a password: set SCYLLA_USER"),
        ({"SCYLLA_CA_FILE": None}, "hung up.* set SCYLLA_CA_FILE"),
        ({"SCYLLA_LOCAL_DC": "moon"}, "SCYLLA_LOCAL_DC is 'moon', and the server at .* knows no node there"),
    ],
)
def test_what_keeps_the_door_shut_is_told(
    variables: pytest.MonkeyPatch, change: dict[str, str | None], sentence: str
) -> None:
    for name, value in change.items():
        variables.delenv(name) if value is None else variables.setenv(name, value)
    with pytest.raises(LabError, match=sentence):
        connect()


def test_a_certificate_of_somebody_else_is_told(variables: pytest.MonkeyPatch) -> None:
    certifi = pytest.importorskip("certifi", reason="certifi has certificates that did not sign this node's")
    variables.setenv("SCYLLA_CA_FILE", certifi.where())
    with pytest.raises(LabError, match="is not signed by what SCYLLA_CA_FILE holds"):
        connect()


def test_a_checkout_from_the_fan_out_to_the_end(session: Session) -> None:
    event = open_chapter(session, KEYSPACE, 300)
    apply_cql(session, "checkout.cql")
    ada, bo = (hold_seat(session, ticket, name) for ticket, name in zip(event.tickets[:2], ("Ada", "Bo"), strict=True))
    cy = hold_seat(session, event.tickets[2], "Cy", seconds=1)
    assert ada.applied and bo.applied and cy.applied
    late = hold_seat(session, event.tickets[0], "Bo")
    assert (late.applied, late.status, late.held_by) == (False, "held", "Ada")
    assert pay(session, ada).applied
    assert cancel(session, bo).applied
    let_time_pass(session, 1.2)
    assert not pay(session, cy).applied
    assert release_expired(session, event) == [cy.ticket]
    assert count_by_status(session, event) == {"available": 299, "held": 0, "sold": 1}
    assert count_by_status(session, open_chapter(session, KEYSPACE, 300))["sold"] == 0


def test_of_many_buyers_one_gets_the_seat(session: Session) -> None:
    event = open_chapter(session, KEYSPACE, 300)
    apply_cql(session, "checkout.cql")
    with ThreadPoolExecutor(16) as buyers:
        holds = list(buyers.map(lambda i: hold_seat(session, event.tickets[0], f"buyer {i}"), range(16)))
    assert sum(hold.applied for hold in holds) == 1


def test_what_this_engine_cannot_do_is_told(session: Session) -> None:
    open_chapter(session, KEYSPACE, 300)
    with pytest.raises(NoLogError, match=r"has no log of its changes: on ScyllaDB"):
        read_log(session, KEYSPACE, "order_queue")
    with pytest.raises(LabError, match=r"clock of Apache Cassandra .* cannot be pushed"):
        push_clock(session, 900)
    with pytest.raises(LabError, match="15 minutes are long to wait"):
        let_time_pass(session, 900)
