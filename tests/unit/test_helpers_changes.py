"""Reading the CDC log: what was caused is found, decoded, and in its order."""

from __future__ import annotations

import pickle
from datetime import timedelta

import pytest
from cassandra.cluster import Session

from helpers import Event, Operation, cancel, hold_seat, let_time_pass, pay, prepared, read_log, server_now, stream_ids
from helpers.display.changes import abandoned, decode_stream_id, generations, time_of, uses_tablets
from helpers.lab.errors import LabError
from tests.unit.conftest import KEYSPACE


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
    assert (first.session_id, first.ticket_id, first.deleted) == ("Ada", chapter.tickets[0].ticket_id, frozenset())
    assert (update.deleted, update.end_of_batch) == ({"session_id"}, True)
    assert (start.batch_seq_no, start.end_of_batch, end.batch_seq_no, end.end_of_batch) == (0, False, 1, True)
    assert start.time == end.time
    assert partition.values == {"event_id": chapter.id}
    with pytest.raises(AttributeError, match="This partition delete has no value for 'ticket_id'"):
        partition.ticket_id  # noqa: B018
    assert pickle.loads(pickle.dumps(first)) == first


def test_only_what_is_new_can_be_asked_for(lab: Session, chapter: Event) -> None:
    hold_seat(lab, chapter.tickets[0], "Ada")
    first = read_log(lab, KEYSPACE, "order_queue")[0]
    hold_seat(lab, chapter.tickets[1], "Bo")
    later = read_log(lab, KEYSPACE, "order_queue", since=first.written_at + timedelta(microseconds=1))
    assert [change.session_id for change in later] == ["Bo"]


def test_the_end_of_a_ttl_is_silent_and_is_found_all_the_same(lab: Session, chapter: Event) -> None:
    pay(lab, hold_seat(lab, chapter.tickets[0], "Ada"))
    cancel(lab, hold_seat(lab, chapter.tickets[1], "Bo"))
    hold_seat(lab, chapter.tickets[2], "Cy")
    before = log(lab)
    assert abandoned(read_log(lab, KEYSPACE, "order_queue"), server_now(lab)) == []
    let_time_pass(lab, 901)
    assert log(lab) == before
    lost = abandoned(read_log(lab, KEYSPACE, "order_queue"), server_now(lab))
    assert [(change.session_id, change.ticket_id) for change in lost] == [("Cy", chapter.tickets[2].ticket_id)]


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
    assert read_log(lab, KEYSPACE, "order_queue")[0].stream_id in streams
    assert not uses_tablets(lab, KEYSPACE)
    assert streams == stream_ids(lab, KEYSPACE, "order_queue", generations(lab, KEYSPACE, "order_queue")[0])
    tokens = [decode_stream_id(stream).token for stream in streams]
    assert tokens == sorted(tokens)


def test_a_stream_id_comes_apart() -> None:
    # The id of the source's own sample row.
    stream = decode_stream_id(bytes.fromhex("8a78ebc0e79835301f196f14180001f1"))
    assert stream == (-8468759885518457552, 33392674054, 31, 1)
    with pytest.raises(LabError, match="A stream id has 16 bytes, this has 2"):
        decode_stream_id(b"ab")


def test_operations_have_the_numbers_of_the_log() -> None:
    assert [int(each) for each in Operation] == [-4, -3, *range(10)]
    assert str(Operation.ROW_DELETE) == "row delete"


def test_a_table_without_a_log_is_told(lab: Session, chapter: Event) -> None:
    with pytest.raises(LabError, match=rf"{KEYSPACE}\.tickets has no log: it needs ALTER TABLE tickets WITH cdc"):
        read_log(lab, KEYSPACE, "tickets")
    with pytest.raises(LabError, match="'a b' is not the name of a keyspace or a table"):
        read_log(lab, "a b", "t")
