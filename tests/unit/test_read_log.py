"""Reading the CDC log: what was caused is found, decoded, and in its order."""

from __future__ import annotations

import ast
import pickle
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cassandra import ConsistencyLevel
from cassandra.cluster import Cluster, Session
from cassandra.policies import RoundRobinPolicy
from cassandra.query import SimpleStatement, tuple_factory

import scylla_cdc
from helpers import Event, Operation, hold_seat, let_time_pass, pay, prepared, read_log, server_now, stream_ids
from scylla_cdc import ChangeReader, NoLogError, TableCheckpoints, time_of
from tests.unit.conftest import KEYSPACE

GENERATIONS = "SELECT time FROM system_distributed.cdc_generation_timestamps WHERE key = 'timestamps'"


def log(session: Session) -> list[tuple[str, int | None]]:
    return [(str(change.operation), change.ttl) for change in read_log(session, KEYSPACE, "order_queue")]


def test_what_was_done_is_what_the_log_says(lab: Session, chapter: Event) -> None:
    pay(lab, hold_seat(lab, chapter.tickets[0], "Ada", seconds=600))
    lab.execute(prepared(lab, "insert_order_queue"), (chapter.id, chapter.tickets[1].ticket_id, server_now(lab), "Bo"))
    key = chapter.id, chapter.tickets[2].ticket_id
    lab.execute(
        "UPDATE order_queue SET session_id = null WHERE event_id = %s AND ticket_id = %s AND started_at = 1", key
    )
    lab.execute("DELETE FROM order_queue WHERE event_id = %s AND ticket_id = %s", key)
    lab.execute("DELETE FROM order_queue WHERE event_id = %s", key[:1])
    assert log(lab) == [
        ("insert", 600),
        ("row delete", None),
        ("insert", 900),
        ("update", None),
        ("range delete from inclusive", None),
        ("range delete to inclusive", None),
        ("partition delete", None),
    ]
    first, *_, update, start, end, partition = read_log(lab, KEYSPACE, "order_queue")
    assert first.values == {
        "event_id": chapter.id,
        "ticket_id": chapter.tickets[0].ticket_id,
        "started_at": first["started_at"],
        "session_id": "Ada",
        "hold_id": first["hold_id"],
    }
    assert first.deleted == frozenset()
    assert (update.deleted, update.end_of_batch) == ({"session_id"}, True)
    assert (start.batch_seq_no, start.end_of_batch, end.batch_seq_no, end.end_of_batch) == (0, False, 1, True)
    assert start.time == end.time
    assert partition.values == {"event_id": chapter.id}
    with pytest.raises(KeyError, match="ticket_id"):
        partition["ticket_id"]
    assert pickle.loads(pickle.dumps(first)) == first


def test_only_what_is_new_can_be_asked_for(lab: Session, chapter: Event) -> None:
    hold_seat(lab, chapter.tickets[0], "Ada")
    first = read_log(lab, KEYSPACE, "order_queue")[0]
    hold_seat(lab, chapter.tickets[1], "Bo")
    later = read_log(lab, KEYSPACE, "order_queue", since=first.written_at + timedelta(microseconds=1))
    assert [change["session_id"] for change in later] == ["Bo"]


def test_the_time_of_a_change_is_the_time_of_its_write(lab: Session, chapter: Event) -> None:
    hold_seat(lab, chapter.tickets[0], "Ada")
    change = read_log(lab, KEYSPACE, "order_queue")[0]
    written = lab.execute("SELECT WRITETIME(session_id) FROM order_queue").one()[0]
    assert (time_of(change.time) - time_of(change.time).min.replace(year=1970)).total_seconds() * 1e6 == pytest.approx(
        written, abs=1
    )


def test_the_streams_of_the_log_are_known_ones(lab: Session, chapter: Event) -> None:
    hold_seat(lab, chapter.tickets[0], "Ada")
    streams = stream_ids(lab, KEYSPACE, "order_queue")
    assert read_log(lab, KEYSPACE, "order_queue")[0].stream in streams
    generations = lab.execute(SimpleStatement(GENERATIONS, consistency_level=ConsistencyLevel.ONE))
    newest = max(row.time for row in generations)
    assert streams == stream_ids(lab, KEYSPACE, "order_queue", newest)
    tokens = [stream.token for stream in streams]
    assert tokens == sorted(tokens)


def test_operations_have_the_numbers_of_the_log() -> None:
    assert [int(each) for each in Operation] == [-4, -3, *range(10)]
    assert str(Operation.ROW_DELETE) == "row delete"


def test_a_table_without_a_log_is_told(lab: Session, chapter: Event) -> None:
    with pytest.raises(NoLogError, match=rf"{KEYSPACE}\.tickets has no log of its changes: on ScyllaDB, ALTER TABLE"):
        read_log(lab, KEYSPACE, "tickets")
    with pytest.raises(NoLogError, match=r"There is no table a b\.t"):
        read_log(lab, "a b", "t")


def set_row_factory(session: Session) -> None:
    session.row_factory = tuple_factory


def leave_alone(session: Session) -> None:
    """Its cluster has the driver's older settings already."""


@pytest.mark.parametrize(
    ("options", "change"),
    [
        ({}, set_row_factory),
        ({"load_balancing_policy": RoundRobinPolicy()}, leave_alone),
        ({"load_balancing_policy": RoundRobinPolicy()}, set_row_factory),
    ],
    ids=["row factory set", "legacy mode", "both"],
)
def test_a_session_of_any_kind_will_do(lab: Session, chapter: Event, options: Any, change: Any) -> None:
    hold_seat(lab, chapter.tickets[0], "Ada")
    own = Cluster(["127.0.0.1"], port=lab.cluster.port, compression=False, **options)
    try:
        session = own.connect()
        reader = ChangeReader.demo(
            session,
            KEYSPACE,
            "order_queue",
            start="beginning",
            stop=server_now(lab) + timedelta(seconds=1),
            checkpoints=TableCheckpoints(session, KEYSPACE, "any_reader"),
            now=lambda: server_now(lab),
        )
        change(session)  # at the worst moment: after the reader was made
        let_time_pass(lab, 3)
        assert [row["session_id"] for each in reader for row in each.delta] == ["Ada"]
        assert [row["session_id"] for row in read_log(session, KEYSPACE, "order_queue")] == ["Ada"]
        assert lab.execute(f"SELECT stream_id FROM {KEYSPACE}.any_reader").one() is not None
    finally:
        own.shutdown()
        lab.execute(f"DROP TABLE IF EXISTS {KEYSPACE}.any_reader")


def test_the_package_imports_the_driver_alone_and_names_no_course() -> None:
    imported, texts = set(), ""
    for path in Path(scylla_cdc.__file__).parent.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        texts += source
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(str(node.module).partition(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"cassandra"}
    texts += Path(scylla_cdc.__file__).with_name("README.md").read_text(encoding="utf-8")
    assert re.findall(r"(?i)helpers|seats?\b|lantern|ticket|embedded|this course|notebook", texts) == []
