"""What a reader's changes say about the writes behind them. Written first, read at once: no safety is needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cassandra.cluster import Session

from scylla_cdc import Change, ChangeReader, Operation
from tests.conformance.conftest import eventually

pytestmark = pytest.mark.differs("cassandra", "its change log is a file, not a table")

Now = Callable[[], datetime]
Read = Callable[[str], list[Change]]


@pytest.fixture
def now(session: Session) -> Now:
    """The database's time."""
    return lambda: session.execute("SELECT toTimestamp(now()) FROM system.local WHERE key = 'local'").one()[0]


@pytest.fixture
def read(session: Session, now: Now) -> Read:
    """All changes of a table, in the order of their times."""

    def changes_of(table: str) -> list[Change]:
        keyspace, name = table.split(".")
        end = now() + timedelta(milliseconds=2)
        assert eventually(lambda: now() >= end)
        reader = ChangeReader(
            session, keyspace, name, start="beginning", stop=end, safety=0, pause=0.01, group_by=64, now=now
        )
        return sorted(reader, key=lambda change: change.micros)

    return changes_of


def test_what_was_done_and_when(create: Callable[..., str], run: Callable[..., Any], read: Read) -> None:
    table = create("(p int, c int, v text, PRIMARY KEY (p, c))", "WITH cdc = {'enabled': true}")
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 'three') USING TTL 900")
    run(f"UPDATE {table} SET v = null WHERE p = 1 AND c = 2")
    run(f"DELETE FROM {table} WHERE p = 1 AND c = 2")
    run(f"DELETE FROM {table} WHERE p = 1 AND c > 2 AND c <= 7")
    run(f"DELETE FROM {table} WHERE p = 1")
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 'four')")
    ((written,),) = run(f"SELECT WRITETIME(v) FROM {table}")
    insert, update, row_delete, range_delete, partition_delete, last = read(table)
    (row,) = insert.rows
    assert (row.operation, row.ttl, row.end_of_batch, row.batch_seq_no) == (Operation.INSERT, 900, True, 0)
    assert (dict(row.key), dict(row.values)) == ({"p": 1, "c": 2}, {"p": 1, "c": 2, "v": "three"})
    assert (row["v"], row.get("v"), "v" in row) == ("three", "three", True)
    assert row.ends_at == row.written_at + timedelta(seconds=900) == insert.written_at + timedelta(seconds=900)
    (row,) = update.rows
    assert (row.operation, row.deleted, "v" in row, row.ttl) == (Operation.UPDATE, {"v"}, False, None)
    assert [row.operation for row in row_delete.rows] == [Operation.ROW_DELETE]
    begin, end = range_delete.rows
    assert (begin.operation, begin["c"]) == (Operation.RANGE_DELETE_FROM_EXCLUSIVE, 2)
    assert (end.operation, end["c"]) == (Operation.RANGE_DELETE_TO_INCLUSIVE, 7)
    assert (begin.end_of_batch, end.end_of_batch) == (False, True)
    (row,) = partition_delete.rows
    assert (row.operation, dict(row.key), row.is_expiration) == (Operation.PARTITION_DELETE, {"p": 1}, False)
    assert last.micros == written == last.rows[0].micros


def test_before_what_was_done_and_after(create: Callable[..., str], run: Callable[..., Any], read: Read) -> None:
    table = create(
        "(p int, c int, v int, PRIMARY KEY (p, c))",
        "WITH cdc = {'enabled': true, 'preimage': 'full', 'postimage': true}",
    )
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 1, 10)")
    run(
        f"BEGIN BATCH UPDATE {table} SET v = 11 WHERE p = 1 AND c = 1; "
        f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 20); APPLY BATCH"
    )
    first, batch = read(table)
    assert first.preimage == ()
    assert [(row["c"], row["v"]) for row in batch.preimage] == [(1, 10)]
    assert sorted((row["c"], row.operation, row["v"]) for row in batch.delta) == [
        (1, Operation.UPDATE, 11),
        (2, Operation.INSERT, 20),
    ]
    assert sorted((row["c"], row["v"]) for row in batch.postimage) == [(1, 11), (2, 20)]
    assert [row.batch_seq_no for row in batch.rows] == list(range(5))
    assert [row.end_of_batch for row in batch.rows] == [False] * 4 + [True]


def test_what_became_of_collections(create: Callable[..., str], run: Callable[..., Any], read: Read) -> None:
    table = create("(p int PRIMARY KEY, s set<int>, m map<text, int>, l list<int>)", "WITH cdc = {'enabled': true}")
    run(f"UPDATE {table} SET s = s + {{1, 2}}, m = m + {{'a': 1}} WHERE p = 1")
    run(f"UPDATE {table} SET s = s - {{1}}, m = m - {{'a'}} WHERE p = 1")
    run(f"UPDATE {table} SET s = {{5}}, l = [7] WHERE p = 1")
    added, taken, replaced = (change.rows[0] for change in read(table))
    assert (set(added["s"]), dict(added["m"])) == ({1, 2}, {"a": 1})
    assert not added.deleted and not added.deleted_elements
    assert taken.deleted_elements == {"s": {1}, "m": {"a"}} and not taken.deleted
    assert replaced.deleted == {"s", "l"} and set(replaced["s"]) == {5}
    assert list(replaced["l"].values()) == [7]


def test_stream_ids_are_taken_apart(
    create: Callable[..., str], run: Callable[..., Any], session: Session, read: Read
) -> None:
    table = create("(p int PRIMARY KEY)", "WITH cdc = {'enabled': true}")
    run(f"INSERT INTO {table} (p) VALUES (1)")
    (change,) = read(table)
    assert (len(change.stream), change.stream.version) == (16, 1)
    assert change.stream.token == int.from_bytes(change.stream[:8], "big", signed=True)
    # It is bytes still: what was read can be asked for.
    log = f"{table}_scylla_cdc_log"
    select = session.prepare(f'SELECT p FROM {log} WHERE "cdc$stream_id" = ?')
    assert run(select, (change.stream,)) == [(1,)]


def test_a_table_may_be_altered_while_it_is_read(
    create: Callable[..., str], run: Callable[..., Any], session: Session, keyspace: str, now: Now
) -> None:
    table = create("(p int PRIMARY KEY, v int)", "WITH cdc = {'enabled': true}")

    reader = ChangeReader(
        session, keyspace, table.split(".")[1], start="beginning", safety=0, pause=0.01, group_by=64, now=now
    )
    delivered: list[Change] = []

    def came(number: int) -> bool:
        delivered.extend(reader.poll())
        return len(delivered) == number

    run(f"INSERT INTO {table} (p, v) VALUES (1, 1)")
    assert eventually(lambda: came(1))
    run(f"ALTER TABLE {table} ADD word text")
    run(f"INSERT INTO {table} (p, word) VALUES (2, 'new')")
    assert eventually(lambda: came(2))
    run(f"ALTER TABLE {table} DROP v")
    run(f"INSERT INTO {table} (p, word) VALUES (3, 'newer')")
    assert eventually(lambda: came(3))
    assert [dict(change.rows[0].values) for change in delivered] == [
        {"p": 1, "v": 1},
        {"p": 2, "word": "new"},
        {"p": 3, "word": "newer"},
    ]


def test_names_whose_letters_count(run: Callable[..., Any], session: Session, keyspace: str, now: Now) -> None:
    run(f'CREATE TABLE {keyspace}."SoldOut" ("Seat" int PRIMARY KEY) WITH cdc = {{\'enabled\': true}}')
    run(f'INSERT INTO {keyspace}."SoldOut" ("Seat") VALUES (7)')

    reader = ChangeReader(session, keyspace, "SoldOut", start="beginning", safety=0, group_by=64, now=now)
    found: list[Any] = []
    assert eventually(lambda: found.extend(change.rows[0]["Seat"] for change in reader.poll()) or found == [7])


@pytest.mark.embedded
def test_what_the_database_deletes_itself(
    create: Callable[..., str], run: Callable[..., Any], session: Session, keyspace: str, now: Now
) -> None:
    table = create("(p int PRIMARY KEY, v int, until timestamp TTL)", "WITH cdc = {'enabled': true}")
    run(f"INSERT INTO {table} (p, v, until) VALUES (1, 1, '{now() - timedelta(minutes=1):%Y-%m-%d %H:%M:%S}+0000')")
    assert eventually(lambda: run(f"SELECT * FROM {table}") == [])

    reader = ChangeReader(session, keyspace, table.split(".")[1], start="beginning", safety=0, group_by=64, now=now)
    found: list[Change] = []
    assert eventually(lambda: found.extend(reader.poll()) or len(found) == 2)
    assert [change.is_expiration for change in found] == [False, True]
    assert found[1].rows[0].operation < 0
