"""A clock for each keyspace that is pushed: its time passes, and no other's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cassandra.cluster import Session

from embedded_scylla.clock import MICROS, Clock
from embedded_scylla.errors import InvalidRequest
from embedded_scylla.modify.batch import execute_batch
from embedded_scylla.storage.journal import JournalError
from embedded_scylla.upkeep.expiry import Expiry
from embedded_scylla.upkeep.purge import Purge
from helpers.lab.clock import let_time_pass, server_now
from tests.unit.asking import Asking
from tests.unit.test_clock import BEGIN, HOUR, Machine

KEYSPACE = (
    "CREATE KEYSPACE {} WITH replication = {{'class': 'NetworkTopologyStrategy', 'replication_factor': 1}} "
    "AND tablets = {{'enabled': false}}"
)


class Two(Asking):
    """A node with the keyspaces ``early`` and ``late``; of these, ``late`` is the one that is pushed."""

    def __init__(self, directory: Path | None = None, machine: Machine | None = None) -> None:
        super().__init__(directory, Clock(machine or Machine()))
        for name in "early", "late":
            if name not in self.engine.schema.keyspaces:
                self.run(KEYSPACE.format(name))

    def time(self, keyspace: str | None) -> float:
        """Seconds since the machine began."""
        return self.engine.clocks.of(keyspace).micros() / MICROS - BEGIN

    def both(self, text: str) -> None:
        for name in "early", "late":
            self.run(text.replace("KS", name))

    def each(self, query: str) -> tuple[list[tuple], list[tuple]]:
        early, late = (self.rows(query.replace("KS", name)) for name in ("early", "late"))
        return early, late


@pytest.fixture
def node() -> Iterator[Two]:
    node = Two()
    yield node
    node.engine.close()


def test_a_ttl_ends_in_the_keyspace_that_was_pushed_alone(node: Two) -> None:
    node.both("CREATE TABLE KS.holds (seat int PRIMARY KEY, buyer text)")
    node.both("INSERT INTO KS.holds (seat, buyer) VALUES (1, 'Ada') USING TTL 900")
    node.engine.push_clock(600, "late")
    assert node.each("SELECT TTL(buyer) FROM KS.holds") == ([(900,)], [(300,)])
    node.engine.push_clock(301, "late")
    assert node.each("SELECT buyer FROM KS.holds") == ([("Ada",)], [])


def test_what_is_written_afterwards_has_its_keyspaces_time(node: Two) -> None:
    node.both("CREATE TABLE KS.t (p int PRIMARY KEY, at timestamp, a int)")
    node.engine.push_clock(HOUR, "late")
    node.both("INSERT INTO KS.t (p, at, a) VALUES (1, currentTimestamp(), 1)")
    (early,), (late,) = node.each("SELECT WRITETIME(a), toTimestamp(now()) FROM KS.t")
    for one, other, unit in zip(late, early, (MICROS, 1000), strict=True):
        assert (HOUR - 1) * unit <= one - other <= (HOUR + 1) * unit
    node.both("UPDATE KS.t SET a = 2 WHERE p = 1 IF a = 1")
    assert node.each("SELECT a FROM KS.t") == ([(2,)], [(2,)])


def test_a_push_without_a_keyspace_moves_all(node: Two) -> None:
    node.engine.push_clock(60, "late")
    node.engine.push_clock(HOUR)
    assert [round(node.time(name)) for name in (None, "early", "late")] == [HOUR, HOUR, HOUR + 60]


def test_a_statement_about_no_stored_table_has_the_connections_time(node: Two) -> None:
    plan = node.plan("SELECT toTimestamp(now()) FROM system.local")
    assert plan.clock_of is None
    assert node.plan("SELECT * FROM system_traces.sessions").clock_of == "system_traces", "traces keep the node's time"
    node.run("CREATE TABLE late.t (p int PRIMARY KEY)")
    for text in (
        "SELECT * FROM late.t",
        "SELECT * FROM MUTATION_FRAGMENTS(late.t)",
        "INSERT INTO late.t (p) VALUES (1)",
        "BEGIN BATCH INSERT INTO late.t (p) VALUES (1); APPLY BATCH",
    ):
        assert node.plan(text).clock_of == "late"


def test_a_batch_has_one_time(node: Two) -> None:
    node.both("CREATE TABLE KS.t (p int PRIMARY KEY)")
    plans = [(node.plan(f"INSERT INTO {name}.t (p) VALUES (1)"), ()) for name in ("early", "late")]
    context = node.context(plans[0][0])
    execute_batch(plans, "LOGGED", context)
    assert node.each("SELECT p FROM KS.t") == ([(1,)], [(1,)]), "while both have the node's"
    node.engine.push_clock(1, "late")
    with pytest.raises(InvalidRequest, match="pushed apart"):
        execute_batch(plans, "LOGGED", context)


@pytest.mark.parametrize("name", ["nowhere", "system", "system_traces"])
def test_only_a_keyspace_that_is_there_has_a_time_of_its_own(node: Two, name: str) -> None:
    with pytest.raises(ValueError, match=f"no keyspace {name}"):
        node.engine.push_clock(1, name)


def test_no_clock_goes_back(node: Two) -> None:
    node.engine.push_clock(HOUR, "late")
    with pytest.raises(ValueError, match="only be pushed forward"):
        node.engine.push_clock(-1, "late")
    node.run("DROP KEYSPACE late")
    node.run(KEYSPACE.format("late"))
    assert node.time("late") >= HOUR, "not even for a keyspace that is made anew"


def test_a_machine_that_is_set_back_sets_none_back() -> None:
    machine = Machine()
    node = Two(machine=machine)
    node.engine.push_clock(HOUR, "late")
    node.time("late"), node.time("early")
    machine.time -= 2 * HOUR
    assert node.time("late") >= HOUR and node.time("early") >= 0
    node.engine.close()


def test_per_row_ttls_and_garbage_go_by_their_keyspaces_time(node: Two) -> None:
    node.both("CREATE TABLE KS.holds (seat int PRIMARY KEY, ends timestamp TTL)")
    node.both("CREATE TABLE KS.notes (p int PRIMARY KEY) WITH gc_grace_seconds = 60")
    ends = (BEGIN + 900) * 1000
    for name in "early", "late":
        node.run(f"INSERT INTO {name}.holds (seat, ends) VALUES (1, {ends})")
        node.run(f"DELETE FROM {name}.notes WHERE p = 1")
    node.engine.push_clock(901, "late")
    schema, store = node.engine.schema, node.engine.store
    for name, deleted in ("early", 0), ("late", 1):
        assert Expiry(node.engine).scan(schema.table(name, "holds")) == deleted
        notes = store(schema.table(name, "notes"))
        Purge(node.engine).purge(notes, (b"\0\0\0\1",))
        assert len(notes) == 1 - deleted


def test_a_log_has_its_keyspaces_time_and_generations() -> None:
    """A change is found in the streams of the generation that was in force at its time, in either keyspace."""
    machine = Machine()
    node = Two(machine=machine)
    node.both("CREATE TABLE KS.t (p int PRIMARY KEY, a int) WITH cdc = {'enabled': true}")
    node.engine.push_clock(HOUR, "late")
    for a in 1, 2:
        for p in range(8):
            node.both(f"INSERT INTO KS.t (p, a) VALUES ({p}, {a})")
        machine.time += 10
        node.engine.begin_cdc_generation()
        machine.time += 10
    streams = node.engine.streams
    for name in "early", "late":
        shown = [row["time"] for row in streams.generation_timestamps(name)]
        assert shown == sorted(shown) and len(shown) == 3
        described: dict[int, set[bytes]] = {}
        for row in streams.descriptions(name):
            described.setdefault(row["time"], set()).update(row["streams"])
        assert list(described) == shown
        log = node.rows(f'SELECT "cdc$stream_id", toTimestamp("cdc$time"), a FROM {name}.t_scylla_cdc_log')
        assert len(log) == 16
        for stream, at, a in log:
            in_force = max(time for time in shown if time <= at)
            assert shown.index(in_force) == a - 1
            assert stream in described[in_force]
    early, late = ([row["time"] for row in streams.generation_timestamps(name)] for name in ("early", "late"))
    assert early[0] == late[0], "before the push they had one time"
    assert late[1] - early[1] == HOUR * 1000
    node.engine.close()


# ---------------------------------------------------------------- over a restart


@pytest.mark.parametrize("how", ["ended", "killed", "by a snapshot"])
def test_all_times_go_on_after_a_restart(tmp_path: Path, how: str) -> None:
    machine = Machine()
    node = Two(tmp_path, machine)
    node.both("CREATE TABLE KS.holds (seat int PRIMARY KEY, buyer text)")
    node.both("CREATE TABLE KS.t (p int PRIMARY KEY) WITH cdc = {'enabled': true}")
    node.both("INSERT INTO KS.holds (seat, buyer) VALUES (1, 'Ada') USING TTL 900")
    node.engine.push_clock(60, "late")
    node.engine.begin_cdc_generation()
    node.engine.push_clock(841, "late")
    node.both("INSERT INTO KS.t (p) VALUES (1)")
    generations = [list(node.engine.streams.generation_timestamps(name)) for name in ("early", "late")]
    if how == "by a snapshot":
        node.engine.persistence.snapshot()
    if how == "killed":
        node.engine.persistence.abandon()
    else:
        node.engine.close()

    node = Two(tmp_path, machine)
    assert [round(node.time(name)) for name in (None, "early", "late")] == [0, 0, 901]
    assert node.each("SELECT buyer FROM KS.holds") == ([("Ada",)], [])
    assert [list(node.engine.streams.generation_timestamps(name)) for name in ("early", "late")] == generations
    assert node.engine.persistence.notices == []
    node.engine.close()

    machine.time -= HOUR
    node = Two(tmp_path, machine)
    assert [round(node.time(name)) for name in (None, "early", "late")] == [0, 0, 901], "though the machine's went back"
    (notice,) = node.engine.persistence.notices
    assert "3,600 seconds" in notice
    node.engine.close()


@pytest.mark.parametrize("state", [900 * MICROS, (900 * MICROS, (BEGIN + 900) * MICROS)])
def test_what_older_nodes_kept_is_understood(tmp_path: Path, state: Any) -> None:
    machine = Machine()
    node = Two(tmp_path, machine)
    node.engine.persistence._save("clock", state)
    node.engine.persistence.abandon()
    node = Two(tmp_path, machine)
    assert [round(node.time(name)) for name in (None, "late")] == [900, 900]
    assert node.engine.persistence.notices == []
    node.engine.close()


def test_a_push_that_the_disk_refuses_has_not_happened(node: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise JournalError("The journal cannot be written to.")

    monkeypatch.setattr(node.engine.persistence, "save_clocks", refuse)
    with pytest.raises(JournalError):
        node.engine.push_clock(HOUR, "late")
    assert round(node.time("late")) == 0
    assert json.dumps(node.node.dials.status()["keyspace_offset_seconds"]) == "{}"


# ---------------------------------------------------------------- as a chapter meets it


def test_a_chapter_that_lets_time_pass_changes_nothing_in_another(lab: Session) -> None:
    before = lab.keyspace
    try:
        for name in "clock_one", "clock_two":
            lab.execute(KEYSPACE.replace("KEYSPACE {}", "KEYSPACE IF NOT EXISTS {}").format(name))
        lab.set_keyspace("clock_two")
        untouched = server_now(lab)
        lab.set_keyspace("clock_one")
        begun = server_now(lab)
        let_time_pass(lab, HOUR)
        assert HOUR <= (server_now(lab) - begun).total_seconds() < HOUR + 60
        lab.execute("CREATE TABLE IF NOT EXISTS t (p int PRIMARY KEY, a int)")
        lab.use_client_timestamp = True  # a client's own timestamps are moved along
        lab.execute("INSERT INTO t (p, a) VALUES (1, 1)")
        (stamp,) = lab.execute("SELECT WRITETIME(a) FROM t").one()
        assert abs(datetime(1970, 1, 1) + timedelta(microseconds=stamp) - server_now(lab)) < timedelta(seconds=60)
        lab.set_keyspace("clock_two")
        assert 0 <= (server_now(lab) - untouched).total_seconds() < 60
    finally:
        lab.use_client_timestamp = False
        if before:
            lab.set_keyspace(before)
