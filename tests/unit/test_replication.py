"""How many copies of each row there are on a cluster, why, and which keyspace was made for another one."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cassandra import InvalidRequest
from cassandra.cluster import Session

from helpers import connect, replicas, tablets
from helpers.lab import replication as rules
from helpers.lab.connection import disconnect
from helpers.lab.errors import LabError
from helpers.lab.replication import misfit, replication
from helpers.shop.opening import use_keyspace
from tests.engines.embedded import start_embedded

NTS = "org.apache.cassandra.locator.NetworkTopologyStrategy"
THREE = {"dc1": ["r1", "r2", "r3"]}


class Server:
    """A session to a cluster whose nodes stand in these racks, with the rows that it answers a query with."""

    def __init__(self, centres: dict[str, list[str]], rows: dict[str, Any] | None = None, version: str = "2026.1.9"):
        hosts = [
            SimpleNamespace(datacenter=centre, rack=rack, endpoint=SimpleNamespace(address="::1", port=9042))
            for centre, racks in centres.items()
            for rack in racks
        ]
        self.cluster = SimpleNamespace(
            metadata=SimpleNamespace(all_hosts=lambda: hosts), endpoints_resolved=[hosts[0].endpoint]
        )
        self.rows = {"system.versions": SimpleNamespace(version=version), **(rows or {})}

    def execute(self, query: str, values: tuple[str, ...] = ()) -> SimpleNamespace:
        (found,) = [row for table, row in self.rows.items() if f"FROM {table} " in query] or [None]
        if isinstance(found, Exception):
            raise found
        return SimpleNamespace(one=lambda: found)


def on(monkeypatch: pytest.MonkeyPatch, tablets: bool | None) -> None:
    monkeypatch.setattr(rules, "_on_tablets", lambda session: tablets)


# --- on what ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "chosen", "expected"),
    [
        ("2026.1.9", None, True),
        ("2026.4.0~dev", None, True),
        ("2025.4.5", None, False),
        ("6.2.3", None, False),
        ("2026.1.0-embedded-1", None, False),
        ("2026.1.9", "0", False),
        ("2025.4.5", "1", True),
        ("2026.1.0-embedded-1", "1", True),
    ],
)
def test_what_suits_the_server_unless_the_learner_chooses(
    monkeypatch: pytest.MonkeyPatch, version: str, chosen: str | None, expected: bool
) -> None:
    monkeypatch.setenv("SCYLLA_TABLETS", chosen or "")
    assert tablets(Server(THREE, version=version)) is expected


def test_tablets_without_change_logs_are_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCYLLA_TABLETS", "1")
    with pytest.raises(LabError, match=r"^ScyllaDB 6\.2\.3 keeps no change log on tablets: leave SCYLLA_TABLETS out"):
        tablets(Server(THREE, version="6.2.3"))


def test_apache_cassandra_knows_no_tablets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCYLLA_TABLETS", "1")
    local = SimpleNamespace(release_version="5.0.8")
    server = Server(THREE, {"system.versions": InvalidRequest(), "system.local": local})
    assert not tablets(server)
    assert replication(server).tablets is None


# --- how many, and why -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("centres", "tablets", "copies", "why"),
    [
        ({"dc1": ["r1"]}, True, 1, "one node can keep no more"),
        ({"dc1": ["r1", "r2"]}, True, 1, "3 need as many nodes, and there are 2"),
        (THREE, True, 3, "^one in each rack, so one may be lost and two are still a quorum$"),
        (THREE, False, 3, "^one in each rack, so one may be lost and two are still a quorum$"),
        ({"dc1": ["r1"] * 3}, False, 3, "^one may be lost, and two are still a quorum$"),
        ({"dc1": ["r1"] * 3}, True, 1, "with tablets 3 need as many racks, no fewer and no more, and dc1 has 1 rack"),
        ({"dc1": ["r1", "r2", "r3", "r4"]}, True, 1, "with tablets 3 need as many racks, .* and dc1 has 4 racks"),
        ({"dc1": ["r1", "r2", "r3", "r4"]}, False, 3, "^one may be lost, and two are still a quorum$"),
        ({**THREE, "dc2": ["r1"]}, True, 1, "one node of dc2 can keep no more"),
        ({**THREE, "dc2": ["r1", "r2", "r3"]}, True, 3, "one in each rack"),
        ({**THREE, "dc2": ["r1", "r1", "r2"]}, True, 1, "and dc2 has 2 racks"),
    ],
)
def test_the_copies_that_a_cluster_has_room_for(
    monkeypatch: pytest.MonkeyPatch, centres: dict[str, list[str]], tablets: bool, copies: int, why: str
) -> None:
    on(monkeypatch, tablets)
    chosen = replication(Server(centres))
    assert chosen.copies == replicas(Server(centres)) == copies
    assert re.search(why, chosen.why), chosen.why


@pytest.mark.parametrize(
    ("tablets", "sentence"),
    [
        (True, "A new keyspace on tablets keeps 1 copy of each row: one node can keep no more."),
        (False, "A new keyspace on vnodes keeps 1 copy of each row: one node can keep no more."),
        (None, "A new keyspace keeps 1 copy of each row: one node can keep no more."),
    ],
)
def test_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tablets: bool | None, sentence: str) -> None:
    on(monkeypatch, tablets)
    assert str(replication(Server({"dc1": ["r1"]}))) == sentence


# --- a keyspace of another cluster -----------------------------------------------------------------------------------


def left(factors: dict[str, str], tablets: int | None, strategy: str = NTS) -> dict[str, Any]:
    """The rows of a keyspace that is there."""
    row = None if tablets is None else SimpleNamespace(initial_tablets=tablets)
    return {
        "system_schema.keyspaces": SimpleNamespace(replication={"class": strategy, **factors}),
        "system_schema.scylla_keyspaces": row,
    }


@pytest.mark.parametrize(
    ("centres", "rows", "says"),
    [
        (THREE, left({"dc1": "1"}, 0), "it keeps 1 copy of each row, where a new one would keep 3."),
        ({"dc1": ["r1"]}, left({"dc1": "3"}, 0), "it keeps 3 copies of each row, where a new one would keep 1."),
        (THREE, left({"dc1": "3"}, None), "it is on vnodes, where a new one would be on tablets."),
        (
            THREE,
            left({"dc1": "1"}, None),
            "it keeps 1 copy of each row, where a new one would keep 3, and it is on vnodes, where",
        ),
        (
            {**THREE, "dc2": ["a", "b", "c"]},
            left({"dc1": "3"}, 0),
            "it keeps 3 copies of each row in dc1, where a new one would keep 3 in each.",
        ),
    ],
)
def test_a_keyspace_of_another_cluster_is_recognised(
    monkeypatch: pytest.MonkeyPatch, centres: dict[str, list[str]], rows: dict[str, Any], says: str
) -> None:
    on(monkeypatch, True)
    said = misfit(Server(centres, rows), "seats_01")
    assert said is not None
    assert said.startswith("The keyspace seats_01 was made when the cluster was another: it ")
    assert says in said
    assert 'run session.execute("DROP KEYSPACE seats_01"), and the notebook from its top.' in said


@pytest.mark.parametrize(
    "rows",
    [
        left({"dc1": "3"}, 0),
        left({"dc1:0": "r1", "dc1:1": "r2", "dc1:2": "r3"}, 8),  # a factor as the racks that have a copy
        left({"replication_factor": "1"}, 0, "org.apache.cassandra.locator.SimpleStrategy"),  # a learner's own
        {"system_schema.keyspaces": None, "system_schema.scylla_keyspaces": None},
    ],
    ids=["as a new one", "racks by name", "another strategy", "not there"],
)
def test_a_keyspace_that_fits_is_passed_over(monkeypatch: pytest.MonkeyPatch, rows: dict[str, Any]) -> None:
    on(monkeypatch, True)
    assert misfit(Server(THREE, rows), "seats_01") is None


def test_where_nobody_knows_tablets(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, None)
    rows = {**left({"dc1": "1"}, 0), "system_schema.scylla_keyspaces": InvalidRequest("no such table")}
    assert "keeps 1 copy" in str(misfit(Server(THREE, rows), "seats_01"))


def test_a_chapter_says_it_where_it_opens(
    lab: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a cluster: the embedded node is always one, and its lines are as they are printed."""
    lab.execute("DROP KEYSPACE IF EXISTS unit_left")
    strategy = "{'class': 'NetworkTopologyStrategy', 'replication_factor': 3}"
    lab.execute(f"CREATE KEYSPACE unit_left WITH replication = {strategy} AND tablets = {{'enabled': false}}")
    use_keyspace(lab, "unit_left")
    assert capsys.readouterr().out == ""
    monkeypatch.setattr("helpers.shop.opening.engine_of", lambda session: SimpleNamespace(kind="scylla"))
    use_keyspace(lab, "unit_left")
    assert capsys.readouterr().out.startswith(
        "Note: The keyspace unit_left was made when the cluster was another: it keeps 3 copies of each row, where "
    )
    lab.execute("DROP KEYSPACE unit_left")
    use_keyspace(lab, "unit_left")
    assert capsys.readouterr().out == ""


def test_a_keyspace_that_was_made_by_the_other_choice_is_recognised_on_a_server_that_nobody_knows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing stands in for anything here: one run on tablets, the next on vnodes, in the same keyspace."""
    monkeypatch.setattr("helpers.lab.connection._clusters", {})
    monkeypatch.setenv("EMBEDDED_DIR", str(tmp_path))
    with start_embedded(arguments=("--plain", "--as", "2026.1")) as node:
        monkeypatch.setenv("SCYLLA_HOSTS", node.host)
        monkeypatch.setenv("SCYLLA_PORT", str(node.port))
        use_keyspace(connect(), "seats_01")
        assert "A new keyspace on tablets keeps 1 copy of each row" in capsys.readouterr().out
        monkeypatch.setenv("SCYLLA_TABLETS", "0")
        session = connect()
        use_keyspace(session, "seats_01")
        said = capsys.readouterr().out
        assert "A new keyspace on vnodes keeps 1 copy" in said
        assert "Note: The keyspace seats_01 was made when the cluster was another: it is on tablets, where" in said
        session.execute("DROP KEYSPACE seats_01")
        use_keyspace(session, "seats_01")
        assert capsys.readouterr().out == ""
        disconnect()


# --- what connect() says of a cluster --------------------------------------------------------------------------------


def test_connect_says_what_a_cluster_is_and_what_is_made_there(
    lab: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (host,) = lab.cluster.metadata.all_hosts()
    monkeypatch.setenv("SCYLLA_HOSTS", host.endpoint.address)
    monkeypatch.setenv("SCYLLA_PORT", str(host.endpoint.port))
    monkeypatch.setattr("helpers.lab.connection._clusters", {})
    connect()
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith(f" at {host.endpoint.address}: 1 node, data centre datacenter1.")
    assert re.fullmatch(r"A new keyspace .*keeps 1 copy of each row: one node can keep no more\.", second)
    monkeypatch.setattr(
        "helpers.lab.connection.racks_of", lambda session: {"eu": ["a", "b", "c"], "us": ["a", "a"], "sea": ["a"]}
    )
    connect()
    assert (
        capsys.readouterr()
        .out.splitlines()[0]
        .endswith(": 3 nodes in 3 racks, data centre eu; 2 nodes in 1 rack, data centre us; 1 node, data centre sea.")
    )
    disconnect()
