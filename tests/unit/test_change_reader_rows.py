"""Log rows become changes: decoding, putting together, and the parts of stream ids and times."""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scylla_cdc import Change, ChangeRow, Operation, StreamId, micros_of, time_of
from scylla_cdc.rows import ChangeAssembler, RowDecoder

STREAM = bytes.fromhex("8a78ebc0e79835301f196f14180001f1")
MICROS = 1_700_000_000_123_456


def timeuuid(micros: int, low: int = 0x8000_0000_0000_0000) -> UUID:
    steps = micros * 10 + 0x01B21DD213814000
    high = (steps & 0xFFFF_FFFF) << 32 | (steps >> 32 & 0xFFFF) << 16 | 0x1000 | steps >> 48
    return UUID(int=high << 64 | low)


def log_row(**columns: Any) -> dict[str, Any]:
    return {
        "cdc$stream_id": STREAM,
        "cdc$time": timeuuid(MICROS),
        "cdc$batch_seq_no": 0,
        "cdc$deleted_v": None,
        "cdc$deleted_elements_tags": None,
        "cdc$deleted_tags": None,
        "cdc$end_of_batch": True,
        "cdc$operation": 2,
        "cdc$ttl": None,
        "p": 1,
        "tags": None,
        "v": None,
        **columns,
    }


decode = RowDecoder(["p"])


def test_parts_of_a_stream_id() -> None:
    stream = StreamId(STREAM)
    assert stream == STREAM and hash(stream) == hash(STREAM)
    assert (stream.token, stream.version, stream.index) == (-0x7587143F1867CAD0, 1, 31)
    assert stream.random == int.from_bytes(STREAM[8:], "big") >> 26
    assert str(stream) == "StreamId(8a78ebc0e79835301f196f14180001f1)"


@given(st.integers(0, 10**16))
def test_time_is_exact_to_the_microsecond(micros: int) -> None:
    assert micros_of(timeuuid(micros)) == micros
    assert time_of(timeuuid(micros)) == datetime(1970, 1, 1) + timedelta(microseconds=micros)


def test_values_nulls_and_elements_are_told_apart() -> None:
    row = decode(log_row(**{"v": 5, "cdc$deleted_tags": True, "cdc$deleted_elements_tags": {"a"}, "cdc$ttl": 60}))
    assert dict(row.values) == {"p": 1, "v": 5} and dict(row.key) == {"p": 1}
    assert row.deleted == {"tags"} and row.deleted_elements == {"tags": {"a"}}
    assert (row["v"], row.get("tags"), row.get("tags", 0), "tags" in row) == (5, None, 0, False)
    with pytest.raises(KeyError, match="this insert has no value for tags; it has one for p, v"):
        row["tags"]
    assert row.written_at == datetime(2023, 11, 14, 22, 13, 20, 123456)
    assert row.ends_at == row.written_at + timedelta(minutes=1)
    assert decode(log_row()).ends_at is None


def test_a_column_named_like_the_elements_of_another() -> None:
    names = {"cdc$deleted_elements_v": True, "elements_v": None}
    row = decode(log_row(**names))
    assert row.deleted == {"elements_v"} and row.deleted_elements == {}


@pytest.mark.parametrize(("number", "expired"), [(-4, True), (-3, True), (3, False), (4, False)])
def test_who_deleted(number: int, expired: bool) -> None:
    row = decode(log_row(**{"cdc$operation": number}))
    assert row.is_expiration is expired
    assert Change(row.stream, row.time, (row,)).is_expiration is expired


def test_a_change_knows_what_was_before_and_after() -> None:
    numbers = [0, 1, 2, 9, 9]
    change = Change(
        StreamId(STREAM),
        timeuuid(MICROS),
        tuple(decode(log_row(**{"cdc$operation": n, "cdc$batch_seq_no": at})) for at, n in enumerate(numbers)),
    )
    assert [row.batch_seq_no for row in change.preimage] == [0]
    assert [row.operation for row in change.delta] == [Operation.UPDATE, Operation.INSERT]
    assert [row.batch_seq_no for row in change.postimage] == [3, 4]
    assert str(change) == "22:13:20.123456 {'p': 1}: update, insert"
    assert pickle.loads(pickle.dumps(change)) == change


@st.composite
def logs(draw: st.DrawFn) -> list[Change]:
    """Changes of a few streams, some of them at the same moment or with the end not marked."""
    sizes = draw(st.lists(st.integers(1, 4), max_size=12))
    changes = []
    for number, size in enumerate(sizes):
        stream = number // 3  # streams follow each other, and times begin anew with each
        marked = draw(st.booleans())
        rows = [
            decode(
                log_row(
                    **{
                        "cdc$stream_id": stream.to_bytes(16, "big"),
                        "cdc$time": timeuuid(MICROS + number % 3 // 2, number + 1),
                        "cdc$batch_seq_no": at,
                        "cdc$end_of_batch": True if marked and at == size - 1 else None,
                    }
                )
            )
            for at in range(size)
        ]
        changes.append(Change(rows[0].stream, rows[0].time, tuple(rows)))
    return changes


@given(logs(), st.data())
def test_pages_do_not_matter(changes: list[Change], data: st.DataObject) -> None:
    rows: list[ChangeRow] = [row for change in changes for row in change.rows]
    assembler, found = ChangeAssembler(), []
    while rows:
        size = data.draw(st.integers(1, len(rows)))
        found += assembler.feed(rows[:size])
        rows = rows[size:]
    found += assembler.finish()
    assert found == changes
    assert list(assembler.finish()) == []
