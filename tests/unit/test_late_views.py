"""View updates that wait: nothing of them is lost, and nothing comes back that was truncated or dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.asking import Asking

HOUR = 3600.0
BASE = [(n, n % 3) for n in range(1, 10)]


def late(directory: Path | None = None) -> Asking:
    """A node whose view ``by_status`` has nothing yet of what its base table holds."""
    node = Asking(directory)
    node.run("CREATE TABLE ks.tickets (seat int PRIMARY KEY, status int, price int)")
    node.run(
        "CREATE MATERIALIZED VIEW ks.by_status AS SELECT * FROM ks.tickets "
        "WHERE status IS NOT NULL AND seat IS NOT NULL PRIMARY KEY (status, seat)"
    )
    node.engine.delay_views(HOUR)
    for seat, status in BASE:
        node.run("INSERT INTO ks.tickets (seat, status, price) VALUES (?, ?, 7)", seat, status)
    assert in_view(node) == []
    return node


def in_view(node: Asking) -> list[tuple]:
    return sorted(node.rows("SELECT seat, status FROM ks.by_status"))


def test_updates_wait_until_nothing_delays_them_any_more() -> None:
    node = late()
    assert node.node.dials.status()["view_updates_waiting"] == len(BASE)
    node.engine.delay_views(0)
    assert in_view(node) == BASE
    assert node.node.dials.status()["view_updates_waiting"] == 0


def test_a_snapshot_has_what_waits(tmp_path: Path) -> None:
    node = late(tmp_path)
    node.run("UPDATE ks.tickets SET status = 2 WHERE seat = 1")
    node.run("DELETE FROM ks.tickets WHERE seat = 9")
    node.engine.persistence.snapshot()
    assert in_view(node) == [], "a snapshot makes nothing visible early"
    node.run("UPDATE ks.tickets SET status = 2 WHERE seat = 3")
    node.engine.persistence.abandon()
    again = Asking(tmp_path)
    assert in_view(again) == sorted(again.rows("SELECT seat, status FROM ks.tickets"))
    assert in_view(again) == [(1, 2), (2, 2), (3, 2), *BASE[3:8]]
    again.engine.close()


def test_a_clean_end_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedded_scylla.storage.journal.SNAPSHOT_WHEN_IDLE", 1)
    late(tmp_path).engine.close()
    assert any(file.name.startswith("snapshot") for file in tmp_path.iterdir())
    again = Asking(tmp_path)
    assert in_view(again) == BASE
    again.engine.close()


def test_a_kill_loses_nothing(tmp_path: Path) -> None:
    late(tmp_path).engine.persistence.abandon()
    again = Asking(tmp_path)
    assert in_view(again) == BASE
    again.engine.close()


def test_a_truncated_table_has_no_ghosts_in_its_view() -> None:
    node = late()
    node.run("TRUNCATE ks.tickets")
    node.run("INSERT INTO ks.tickets (seat, status, price) VALUES (1, 1, 7)")
    node.engine.delay_views(0)
    assert in_view(node) == [(1, 1)]


def test_a_view_that_was_dropped_and_made_again_is_built_from_its_base() -> None:
    node = late()
    node.run("DROP MATERIALIZED VIEW ks.by_status")
    node.run("DELETE FROM ks.tickets WHERE seat = 1")
    node.run(
        "CREATE MATERIALIZED VIEW ks.by_status AS SELECT * FROM ks.tickets "
        "WHERE status IS NOT NULL AND seat IS NOT NULL PRIMARY KEY (status, seat)"
    )
    assert in_view(node) == BASE[1:]
    node.engine.delay_views(0)
    assert in_view(node) == BASE[1:]


def test_a_dropped_column_stays_dropped(tmp_path: Path) -> None:
    """Added again, it must be empty, also in the rows that were on their way into the view."""
    node = Asking(tmp_path)
    node.run("CREATE TABLE ks.tickets (seat int PRIMARY KEY, status int, price int, note text)")
    node.run(
        "CREATE MATERIALIZED VIEW ks.twin AS SELECT seat, status FROM ks.tickets "
        "WHERE status IS NOT NULL AND seat IS NOT NULL PRIMARY KEY (status, seat)"
    )
    node.engine.delay_views(HOUR)
    node.run("INSERT INTO ks.tickets (seat, status, price, note) VALUES (1, 1, 7, 'aisle')")
    node.run("ALTER TABLE ks.tickets DROP note")
    node.run("ALTER TABLE ks.tickets ADD note text")
    node.engine.delay_views(0)
    assert node.rows("SELECT status, seat FROM ks.twin") == [(1, 1)]
    assert node.rows("SELECT note FROM ks.tickets") == [(None,)]
    node.engine.close()


def test_an_altered_view_takes_what_waits_for_it(tmp_path: Path) -> None:
    node = late(tmp_path)
    node.run("ALTER MATERIALIZED VIEW ks.by_status WITH comment = 'what is left'")
    node.run("ALTER TABLE ks.tickets ADD note text")
    node.engine.delay_views(0)
    assert in_view(node) == BASE
    assert node.rows("SELECT note FROM ks.by_status WHERE status = 1 AND seat = 1") == [(None,)]
    node.engine.close()


def test_what_waits_for_an_index_is_kept_too(tmp_path: Path) -> None:
    """Index rows are governed by a cell of the base, and move: both must come back from the disk."""
    node = Asking(tmp_path)
    node.run("CREATE TABLE ks.tickets (seat int PRIMARY KEY, buyer text, tags set<text>)")
    node.run("CREATE INDEX by_buyer ON ks.tickets (buyer)")
    node.run("CREATE INDEX by_tag ON ks.tickets (tags)")
    node.run("INSERT INTO ks.tickets (seat, buyer, tags) VALUES (1, 'Ada', {'aisle'})")
    node.engine.delay_views(HOUR)
    node.run("UPDATE ks.tickets SET buyer = 'Bo', tags = {'stage'} WHERE seat = 1")
    node.engine.persistence.snapshot()
    node.engine.persistence.abandon()
    again = Asking(tmp_path)
    for column, old, new in (("buyer =", "'Ada'", "'Bo'"), ("tags CONTAINS", "'aisle'", "'stage'")):
        assert again.rows(f"SELECT seat FROM ks.tickets WHERE {column} {old}") == []
        assert again.rows(f"SELECT seat FROM ks.tickets WHERE {column} {new}") == [(1,)]
    again.engine.close()


def test_what_is_synchronous_does_not_wait() -> None:
    """A view that asks for it, and an index that is in the partition of its rows."""
    node = late()
    node.run("ALTER MATERIALIZED VIEW ks.by_status WITH synchronous_updates = true")
    node.run("CREATE INDEX near ON ks.tickets ((seat), price)")
    node.run("CREATE INDEX far ON ks.tickets (price)")
    node.run("INSERT INTO ks.tickets (seat, status, price) VALUES (20, 1, 8)")
    assert in_view(node) == [(20, 1)]
    assert node.rows("SELECT seat FROM ks.tickets WHERE seat = 20 AND price = 8") == [(20,)]
    assert node.rows("SELECT seat FROM ks.tickets WHERE price = 8") == []
    node.run("ALTER MATERIALIZED VIEW ks.by_status WITH synchronous_updates = false")
    node.run("INSERT INTO ks.tickets (seat, status, price) VALUES (21, 1, 8)")
    assert in_view(node) == [(20, 1)]
    node.engine.delay_views(0)
    assert in_view(node) == [*BASE, (20, 1), (21, 1)]
