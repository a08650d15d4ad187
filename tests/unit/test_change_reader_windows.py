"""Windows follow each other without gap or overlap; streams are grouped without losing one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scylla_cdc import MemoryCheckpoints, StreamId, stream_ids
from scylla_cdc.log import quoted
from scylla_cdc.streams import MAX_STREAMS, Discovery, generation_at, group
from scylla_cdc.windows import WIDEST, Window, WindowSize, next_window, utc

NOON = datetime(2026, 1, 1, 12)
MILLISECONDS = st.integers(0, 10_000).map(lambda n: timedelta(milliseconds=n))


def test_times_are_utc_in_whole_milliseconds() -> None:
    assert utc(NOON.replace(microsecond=123_999)) == NOON.replace(microsecond=123_000)
    assert utc(NOON.replace(tzinfo=UTC)) == NOON
    assert utc(NOON.replace(tzinfo=timezone(timedelta(hours=2)))) == NOON - timedelta(hours=2)


@given(MILLISECONDS, st.lists(MILLISECONDS, max_size=10))
def test_windows_cover_all_time_once(size: timedelta, steps: list[timedelta]) -> None:
    size = max(size, timedelta(milliseconds=1))
    begin = limit = NOON
    windows: list[Window] = []
    for step in steps:
        limit += step
        while window := next_window(begin, size, limit):
            windows.append(window)
            begin = window.end
        assert begin == limit
    assert all(window.begin < window.end <= window.begin + size for window in windows)
    assert [NOON, *(window.end for window in windows)] == [*(window.begin for window in windows), limit]


def test_a_limit_in_the_past_gives_no_window() -> None:
    assert next_window(NOON, timedelta(minutes=1), NOON - timedelta(seconds=30)) is None


def test_windows_grow_where_there_is_nothing_and_shrink_at_once() -> None:
    size = WindowSize(timedelta(seconds=60))
    lengths = []
    for _ in range(8):
        size.round_done(found=False, behind=True)
        lengths.append(size.size / timedelta(seconds=60))
    assert lengths == [2, 4, 8, 16, 32, 64, WIDEST, WIDEST]
    size.round_done(found=True, behind=True)
    assert size.size == timedelta(seconds=60)
    size.round_done(found=False, behind=False)
    assert size.size == timedelta(seconds=60)


def streams(count: int) -> list[StreamId]:
    return [StreamId((n << 64).to_bytes(16, "big")) for n in range(count)]


@given(
    st.lists(st.integers(1, 250), min_size=1, max_size=5), st.sampled_from(["stream", "range"]) | st.integers(1, 500)
)
def test_groups_have_each_stream_once_and_fit_into_a_query(sizes: list[int], by: str | int) -> None:
    left = iter(streams(sum(sizes)))
    ranges = [[next(left) for _ in range(size)] for size in sizes]
    groups = group(ranges, by)
    assert [stream for members in groups for stream in members] == streams(sum(sizes))
    assert all(1 <= len(members) <= MAX_STREAMS for members in groups)
    if by == "stream":
        assert len(groups) == sum(sizes)
    elif by == "range":
        assert all(any(set(members) <= set(one) for one in ranges) for members in groups)
    else:
        assert all(len(members) == min(by, MAX_STREAMS) for members in groups[:-1])


@pytest.mark.parametrize(("minutes", "found"), [(-5, 0), (0, 0), (9, 0), (10, 10), (15, 10), (99, 20)])
def test_the_generation_in_force(minutes: int, found: int) -> None:
    generations = [NOON, NOON + timedelta(minutes=10), NOON + timedelta(minutes=20)]
    assert generation_at(generations, NOON + timedelta(minutes=minutes)) == NOON + timedelta(minutes=found)


def test_the_streams_are_those_in_force_though_a_generation_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a node has joined, the newest generation is published before it begins."""
    known = {NOON: streams(2), NOON + timedelta(minutes=10): streams(3)}
    monkeypatch.setattr(Discovery, "__init__", lambda self, *_: None)
    monkeypatch.setattr(Discovery, "generations", lambda self: sorted(known))
    monkeypatch.setattr(Discovery, "ranges", lambda self, generation: [known[generation]])
    for minutes, found in (9, 2), (10, 3):
        monkeypatch.setattr(Discovery, "now", lambda self, minutes=minutes: NOON + timedelta(minutes=minutes))
        assert len(stream_ids(None, "shop", "orders")) == found


def test_memory_remembers_what_it_was_told() -> None:
    one, two = streams(2)
    memory = MemoryCheckpoints()
    assert memory.load_generation() is None and memory.load([one]) == {}
    memory.save_generation(NOON)
    memory.save(NOON, {one: NOON})
    memory.save(NOON, {one: NOON + timedelta(seconds=1)})
    assert memory.load_generation() == NOON
    assert memory.load([one, two]) == {one: NOON + timedelta(seconds=1)}


def test_names_are_quoted() -> None:
    assert quoted('so "called"') == '"so ""called"""'
