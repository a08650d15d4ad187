"""Journal first, or leave no trace; and whatever the journal holds, the node starts."""

from __future__ import annotations

import errno
import marshal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from embedded_scylla import persistence
from embedded_scylla.ddl.schema_codec import encode_schema
from embedded_scylla.errors import InvalidRequest
from embedded_scylla.storage import journal
from embedded_scylla.storage.child import CAN_FORK
from embedded_scylla.storage.journal import JournalError
from embedded_scylla.storage.record_file import RecordReader
from embedded_scylla.upkeep.expiry import Expiry
from embedded_scylla.upkeep.purge import Purge
from tests.patience import SECONDS
from tests.unit.asking import Asking

TABLETS = "{'class': 'NetworkTopologyStrategy', 'replication_factor': 1} AND tablets = {'enabled': true}"
VIEW = (
    "CREATE MATERIALIZED VIEW ks.{} AS SELECT * FROM ks.{} WHERE {} IS NOT NULL AND seat IS NOT NULL "
    "PRIMARY KEY ({}, seat)"
)
DAY = 86_400


@contextmanager
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(file: int, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(journal, "write_all", refuse)
        yield


def portrait(node: Asking) -> Any:
    """All that the node keeps, written out."""
    engine = node.engine
    return (
        encode_schema(engine.schema),
        engine.streams.state(),
        engine.clock.offset,
        sorted((store.table.full_name, repr(sorted(store.dump()))) for store in engine.stores()),
        len(engine.late_views),
    )


def shop(directory: Path) -> Asking:
    node = Asking(directory)
    node.run("CREATE TABLE ks.tickets (seat int PRIMARY KEY, buyer text) WITH cdc = {'enabled': true}")
    node.run(VIEW.format("by_buyer", "tickets", "buyer", "buyer"))
    node.run("CREATE TABLE ks.holds (seat int PRIMARY KEY, ends bigint TTL, extra int) WITH gc_grace_seconds = 0")
    node.run(f"CREATE KEYSPACE tab WITH replication = {TABLETS}")
    node.run("CREATE TABLE tab.log (p int PRIMARY KEY) WITH cdc = {'enabled': true}")
    node.run("INSERT INTO ks.tickets (seat, buyer) VALUES (1, 'Ada')")
    node.run("INSERT INTO ks.holds (seat, ends) VALUES (1, ?)", node.engine.clock.seconds() - 1)
    node.run("DELETE FROM ks.holds WHERE seat = 2")
    return node


def delete_expired(node: Asking) -> None:
    Expiry(node.engine).scan(node.engine.schema.table("ks", "holds"))


def purge(node: Asking) -> None:
    node.engine.clock.push(2)
    store = node.engine.store(node.engine.schema.table("ks", "holds"))
    key = (b"\0\0\0\x02",)
    assert store.has_garbage(key, node.engine.clock.seconds())
    try:
        Purge(node.engine).purge(store, key)
    finally:
        node.engine.clock.offset = 0


CHANGES: dict[str, Callable[[Asking], Any]] = {
    text: (lambda node, text=text: node.run(text))
    for text in (
        "INSERT INTO ks.tickets (seat, buyer) VALUES (2, 'Bo')",
        "UPDATE ks.tickets SET buyer = 'Bo' WHERE seat = 1",
        "UPDATE ks.tickets SET buyer = 'Bo' WHERE seat = 1 IF buyer = 'Ada'",
        "DELETE FROM ks.tickets WHERE seat = 1",
        "BEGIN BATCH INSERT INTO ks.tickets (seat) VALUES (5); DELETE FROM ks.holds WHERE seat = 1; APPLY BATCH",
        "TRUNCATE ks.tickets",
        "CREATE TABLE ks.more (p int PRIMARY KEY)",
        "CREATE TABLE tab.more (p int PRIMARY KEY) WITH cdc = {'enabled': true}",
        "DROP TABLE ks.holds",
        "ALTER TABLE ks.tickets ADD note text",
        "ALTER TABLE ks.tickets WITH cdc = {'enabled': false}",
        "ALTER TABLE ks.holds DROP extra",
        "CREATE INDEX ON ks.tickets (buyer)",
        "DROP MATERIALIZED VIEW ks.by_buyer",
        "CREATE KEYSPACE more WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "DROP KEYSPACE tab",
    )
}
CHANGES |= {
    "push_clock": lambda node: node.engine.push_clock(900),
    "new_cdc_generation": lambda node: node.node.dials.new_cdc_generation(),
    "split_tablets": lambda node: node.node.dials.split_tablets("tab.log"),
    "delete_expired": delete_expired,
    "purge": purge,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_the_journal_does_not_take_has_not_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Asking], Any]
) -> None:
    node = shop(tmp_path)
    before = portrait(node)
    with full_disk(monkeypatch), pytest.raises(JournalError, match="No space left on device"):
        change(node)
    assert portrait(node) == before, "it left a trace in memory"
    change(node)
    after = portrait(node)
    assert after != before, "this change changes nothing: it proves nothing"
    node.engine.persistence.abandon()
    again = Asking(tmp_path)
    assert portrait(again) == after, "what was acknowledged is not there after a kill"
    assert again.engine.persistence.notices == []
    again.engine.persistence.snapshot()
    again.engine.close()
    last = Asking(tmp_path)
    assert portrait(last)[:4] == after[:4], "what was acknowledged is not in the snapshot"
    last.engine.close()


@pytest.mark.skipif(not CAN_FORK, reason="this system cannot copy a process")
def test_what_changes_while_a_snapshot_is_written_is_in_the_journal_and_not_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SNAPSHOT_WHEN_IDLE", 1)
    monkeypatch.setattr(persistence, "QUIET", 0)
    node = shop(tmp_path)
    before = set(node.rows("SELECT seat, buyer FROM ks.tickets"))
    node.engine.persistence.run_due()
    node.run("INSERT INTO ks.tickets (seat, buyer) VALUES (2, 'Bo')")
    node.run("DELETE FROM ks.tickets WHERE seat = 1")
    deadline = time.monotonic() + SECONDS
    while not (written := [file for file in tmp_path.iterdir() if file.name == "snapshot-1"]):
        assert node.engine.persistence.seconds_until_due() == persistence.LOOK_AGAIN
        assert time.monotonic() < deadline, "no snapshot came"
        time.sleep(persistence.LOOK_AGAIN)
        node.engine.persistence.run_due()
    assert b"Bo" not in written[0].read_bytes()
    after = portrait(node)
    node.engine.persistence.abandon()
    again = Asking(tmp_path)
    assert portrait(again) == after
    assert set(again.rows("SELECT seat, buyer FROM ks.tickets")) == {*before, (2, "Bo")} - {(1, "Ada")}
    again.engine.close()


# ---------------------------------------------------------------- records that cannot be used


def poison(node: Asking, kind: str, payload: Any) -> None:
    node.engine.persistence._save(kind, payload)


def unknown_table(node: Asking) -> bytes:
    return bytes(16)


POISON: dict[str, Callable[[Asking], tuple[str, Any]]] = {
    "of an unknown kind": lambda node: ("prophecy", (1, 2, 3)),
    "of an unknown table": lambda node: (persistence.WRITE, (1, [(bytes(16), (b"",), [])], 1)),
    "of no shape": lambda node: (persistence.WRITE, "what"),
    "of a key that fits nowhere": lambda node: (
        persistence.WRITE,
        (1, [(node.engine.schema.table("ks", "tickets").id.bytes, (b"1",) * 5, [((b"",), None, {"buyer": 7})])], 1),
    ),
    "of a schema that is none": lambda node: (persistence.SCHEMA, {"keyspaces": [{"name": "x"}]}),
    "of streams that are none": lambda node: (persistence.STREAMS, 3),
    "of a clock that is none": lambda node: (persistence.CLOCK, "late"),
    "of a truncation of nothing": lambda node: (persistence.TRUNCATE, bytes(16)),
    "of a purge of nothing": lambda node: (persistence.PURGE, (bytes(16), (b"",), 1)),
    "of an identity that is none": lambda node: (persistence.IDENTITY, b"me"),
}


@pytest.mark.parametrize("record", POISON.values(), ids=POISON)
def test_a_record_that_cannot_be_used_costs_no_other(tmp_path: Path, record: Callable[[Asking], Any]) -> None:
    node = shop(tmp_path)
    before = portrait(node)
    poison(node, *record(node))
    node.run("INSERT INTO ks.tickets (seat, buyer) VALUES (2, 'Bo')")
    node.engine.persistence.abandon()
    again = Asking(tmp_path)
    assert sorted(again.rows("SELECT seat, buyer FROM ks.tickets")) == [(1, "Ada"), (2, "Bo")]
    assert sorted(again.rows("SELECT seat, buyer FROM ks.by_buyer")) == [(1, "Ada"), (2, "Bo")]
    assert portrait(again)[0] == before[0]
    (notice,) = again.engine.persistence.notices
    assert "1 record could not be used" in notice
    assert again.node.dials.status()["notices"] == [notice]
    again.run("INSERT INTO ks.tickets (seat, buyer) VALUES (3, 'Cy')")
    again.engine.persistence.snapshot()
    again.engine.close()
    last = Asking(tmp_path)
    assert len(last.rows("SELECT seat FROM ks.tickets")) == 3
    assert any(file.name.startswith("rejected") for file in tmp_path.iterdir()), "what was set aside is kept"
    last.engine.close()


def test_a_record_with_collections_that_cannot_be_used_is_set_aside_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Asking(tmp_path)
    node.run("CREATE TABLE ks.t (k int PRIMARY KEY, m map<int, text>)")
    node.run("INSERT INTO ks.t (k, m) VALUES (1, {1: 'set aside'})")
    node.engine.persistence.abandon()
    with monkeypatch.context() as patch:

        def refuse(self: Any, mutation: Any, now: int) -> None:
            raise InvalidRequest("it fits nowhere")

        patch.setattr("embedded_scylla.engine.Engine.merge", refuse)
        again = Asking(tmp_path)
    (notice,) = again.engine.persistence.notices
    assert "it fits nowhere" in notice
    again.engine.persistence.abandon()
    (aside,) = [file for file in tmp_path.iterdir() if file.name.startswith("rejected")]
    ((kind, (why, *record)),) = RecordReader(aside.read_bytes()).records()
    assert (kind, record[0]) == ("rejected", persistence.WRITE) and "it fits nowhere" in why
    assert b"set aside" in marshal.dumps(record)


def test_a_node_that_cannot_load_lets_go_and_replaces_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop(tmp_path).engine.close()
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.name[0] in "js"}
    with monkeypatch.context() as patch:
        patch.setattr(persistence.Persistence, "load", lambda self, state: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Asking(tmp_path)
    assert before == {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.name[0] in "js"}
    Asking(tmp_path).engine.close()  # the lock is free


# ---------------------------------------------------------------- found out before the journal has it


def test_a_key_too_long_for_a_view_is_refused_and_the_directory_opens(tmp_path: Path) -> None:
    node = shop(tmp_path)
    before = portrait(node)
    for statement in (
        "INSERT INTO ks.tickets (seat, buyer) VALUES (3, ?)",
        "UPDATE ks.tickets SET buyer = ? WHERE seat = 1",
    ):
        with pytest.raises(InvalidRequest, match="Key length of 65536 is longer than maximum of 65535"):
            node.run(statement, "b" * 65_536)
    assert portrait(node) == before
    node.engine.persistence.abandon()
    again = Asking(tmp_path)
    assert portrait(again) == before and again.engine.persistence.notices == []
    again.engine.close()


def test_a_view_that_cannot_be_built_is_refused_whole(tmp_path: Path) -> None:
    node = shop(tmp_path)
    node.run("CREATE TABLE ks.long (seat int PRIMARY KEY, buyer text)")
    node.run("INSERT INTO ks.long (seat, buyer) VALUES (1, ?)", "b" * 65_536)
    before = portrait(node)
    for statement in (VIEW.format("v", "long", "buyer", "buyer"), "CREATE INDEX ON ks.long (buyer)"):
        with pytest.raises(InvalidRequest, match="Key length of 65536"):
            node.run(statement)
        assert portrait(node) == before
    node.engine.persistence.abandon()
    again = Asking(tmp_path)
    assert portrait(again) == before and again.engine.persistence.notices == []
    again.engine.close()
