"""Pictures of stream ids and of a log over time: what is written and drawn in them, without a server."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cassandra.util import uuid_from_time

from helpers import Operation, stream_id_diagram, timeline
from scylla_cdc import ChangeRow, StreamId

# The source system's own sample.
SAMPLE = bytes.fromhex("8a78ebc0e79835301f196f14180001f1")


def test_a_stream_id_shows_its_bytes_and_its_four_numbers():
    words = [text.get_text() for text in stream_id_diagram(SAMPLE).axes[0].texts]
    parts = StreamId(SAMPLE)
    assert words[:16] == [f"{byte:02x}" for byte in SAMPLE]
    assert {f"{parts.token:,}".replace("-", "−"), f"{parts.random:,}", str(parts.index), "1"} <= set(words)


# 64, 38, 22 and 4 bits of sixteen bytes: the bars must be as wide as the numbers are long.
def test_the_parts_are_as_wide_as_they_are_long():
    widths = [patch.get_width() + 0.06 for patch in stream_id_diagram(SAMPLE).axes[0].patches]
    assert [round(width * 8, 6) for width in widths] == [64, 38, 22, 4]


# Fifteen minutes are no number of seconds that a reader knows by heart.
@pytest.mark.parametrize(("ttl", "unit", "last"), [(60, "seconds", 60), (900, "minutes", 15), (7_200, "minutes", 120)])
def test_a_long_log_counts_minutes(ttl, unit, last):
    time = uuid_from_time(datetime(2031, 6, 14, 20, 0))
    key = {"ticket_id": "A-1"}
    insert = ChangeRow(Operation.INSERT, 0, True, ttl, key, key, frozenset(), {}, StreamId(SAMPLE), time)
    assert insert.ends_at - insert.written_at == timedelta(seconds=ttl)
    fig = timeline([insert])
    fig.draw_without_rendering()
    ax = fig.axes[0]
    marks = [float(label.get_text().replace("−", "-")) for label in ax.get_xticklabels()]
    assert ax.get_xlabel() == f"{unit} since the first change"
    assert max(mark for mark in marks if mark <= last) > last * 0.6
    assert len(marks) <= 12
