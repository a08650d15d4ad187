"""Garbage goes by itself, also where nothing is kept on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded_scylla.upkeep import purge
from embedded_scylla.upkeep.purge import Purge
from tests.unit.asking import Asking

DAY = 86_400


def stored(node: Asking, table: str, keyspace: str = "ks") -> int:
    """Rows, dead ones included."""
    return node.engine.store(node.engine.schema.table(keyspace, table)).size().rows


def look_through(node: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look through all tables."""
    monkeypatch.setattr(purge, "PERIOD", 0.0)
    task = Purge(node.engine)
    while task._next != float("inf"):
        task.run_due()
        if task._look is None:
            return


@pytest.mark.parametrize("on_disk", [False, True])
def test_tombstones_and_expired_rows_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_disk: bool) -> None:
    node = Asking(tmp_path if on_disk else None)
    node.run("CREATE TABLE ks.seats (p int, c int, v int, PRIMARY KEY (p, c)) WITH gc_grace_seconds = 100")
    node.run(
        "CREATE MATERIALIZED VIEW ks.by_v AS SELECT * FROM ks.seats WHERE v IS NOT NULL AND p IS NOT NULL "
        "AND c IS NOT NULL PRIMARY KEY (v, p, c) WITH gc_grace_seconds = 100"
    )
    for seat in range(10):
        node.run("INSERT INTO ks.seats (p, c, v) VALUES (1, ?, 1)", seat)
        node.run("INSERT INTO ks.seats (p, c, v) VALUES (2, ?, 1) USING TTL 50", seat)
    node.run("DELETE FROM ks.seats WHERE p = 1 AND c = 3")
    look_through(node, monkeypatch)
    assert (stored(node, "seats"), stored(node, "by_v")) == (20, 20), "nothing is old enough"
    node.engine.push_clock(151)
    look_through(node, monkeypatch)
    assert (stored(node, "seats"), stored(node, "by_v")) == (9, 9)
    assert len(node.rows("SELECT * FROM ks.seats")) == len(node.rows("SELECT * FROM ks.by_v")) == 9
    node.engine.close()


def test_expired_traces_go(monkeypatch: pytest.MonkeyPatch) -> None:
    from embedded_scylla.protocol.tracing import save_trace
    from embedded_scylla.request import Tracer

    node = Asking()
    tracer = Tracer(node.engine.clock.micros)
    tracer.step("Reading")
    for _ in range(5):
        save_trace(node.engine, tracer, "127.0.0.1")
    assert stored(node, "sessions", "system_traces") > 0
    node.engine.push_clock(DAY + 1)
    look_through(node, monkeypatch)
    assert stored(node, "sessions", "system_traces") == stored(node, "events", "system_traces") == 0


def test_a_look_goes_on_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Asking()
    node.run("CREATE TABLE ks.seats (p int PRIMARY KEY) WITH gc_grace_seconds = 0")
    for seat in range(20):
        node.run("DELETE FROM ks.seats WHERE p = ?", seat)
    node.engine.push_clock(2)
    monkeypatch.setattr(purge, "PERIOD", 0.0)
    monkeypatch.setattr(purge, "SLICE", 0.0)
    task = Purge(node.engine)
    assert stored(node, "seats") == 0 and len(node.engine.store(node.engine.schema.table("ks", "seats"))) == 20
    task.run_due()
    first = len(node.engine.store(node.engine.schema.table("ks", "seats")))
    assert first >= 19 and task.seconds_until_due() == 0.0
    node.run("DROP TABLE ks.seats")  # meanwhile
    while task._look is not None:
        task.run_due()
    assert task.seconds_until_due() is not None


def test_an_older_write_after_a_purge_is_there_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tombstone that would cover it was gone when it came: it must not come back with the journal."""
    node = Asking(tmp_path)
    node.run("CREATE TABLE ks.seats (p int PRIMARY KEY, v int) WITH gc_grace_seconds = 10")
    node.run("DELETE FROM ks.seats USING TIMESTAMP 2000 WHERE p = 1")
    node.engine.push_clock(20)
    look_through(node, monkeypatch)
    node.run("INSERT INTO ks.seats (p, v) VALUES (1, 5) USING TIMESTAMP 1000")
    assert node.rows("SELECT v FROM ks.seats") == [(5,)]
    node.engine.persistence.abandon()
    again = Asking(tmp_path)
    assert again.rows("SELECT v FROM ks.seats") == [(5,)]
    again.engine.close()
