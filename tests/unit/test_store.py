"""The store: order, tombstones over partitions and ranges, what it reports, what it forgets."""

import itertools
import marshal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded_scylla.storage.keys import clustering_encoder, token
from embedded_scylla.storage.ranges import RangeTombstones
from embedded_scylla.storage.rows import Collection, Row, row_is_live
from embedded_scylla.storage.store import TableStore
from tests.unit.example_tables import ONE, between, deletion, insert, make_table, number, update, write

NOW = 1000
TABLE = make_table(static="s int")
ORDER = clustering_encoder(TABLE)


@pytest.fixture
def store():
    return TableStore(TABLE)


def clusterings(rows) -> list[int]:
    return [int.from_bytes(row.key[0], "big", signed=True) for row in rows]


def live_rows(store: TableStore, key=ONE) -> list[int]:
    partition = store.partition(key)
    return clusterings(row for row in partition.scan() if row_is_live(row, NOW)) if partition else []


# ---------------------------------------------------------------- reading


def test_rows_come_in_clustering_order_either_way(store):
    store.apply(write(TABLE, rows=[insert(c, 1) for c in (3, -1, 2)]), NOW)
    partition = store.partition(ONE)
    assert clusterings(partition.scan()) == [-1, 2, 3]
    assert clusterings(partition.scan(reverse=True)) == [3, 2, -1]
    start, end = ORDER((number(2),)), ORDER((number(3),))
    assert clusterings(partition.scan(start, end)) == [2]
    assert clusterings(partition.scan(start)) == [2, 3]
    assert partition.get(start) is store.row(ONE, (number(2),))
    assert store.row(ONE, (number(9),)) is None and store.row((number(9),), (number(2),)) is None


places = st.integers(-50, 50)


@given(st.lists(st.one_of(places, st.just("read"), st.tuples(places, places))))
def test_order_holds_while_rows_come_and_go(steps):
    store, expected = TableStore(TABLE), set()
    for timestamp, step in enumerate(steps):
        if step == "read":
            assert live_rows(store) == sorted(expected)
        elif isinstance(step, tuple):
            store.apply(write(TABLE, ranges=[between(*step, timestamp)]), NOW)
            expected -= set(range(*step))
        else:
            store.apply(write(TABLE, rows=[insert(step, timestamp)]), NOW)
            expected.add(step)
    assert live_rows(store) == sorted(expected)


def test_order_holds_when_many_rows_come_between_two_reads(store):
    for first in (0, 1, 2):
        store.apply(write(TABLE, rows=[insert(c, 1) for c in range(first, 300, 3)]), NOW)
        assert live_rows(store) == sorted(c for start in range(first + 1) for c in range(start, 300, 3))


def test_partitions_come_by_token(store):
    keys = [(number(p),) for p in range(20)]
    for key in keys[:10]:
        store.apply(write(TABLE, key, rows=[insert(1, 1)]), NOW)
    list(store.scan())
    for key in keys[10:]:
        store.apply(write(TABLE, key, rows=[insert(1, 1)]), NOW)
    expected = sorted(keys, key=lambda key: token(TABLE, key))
    found = list(store.scan())
    assert [p.key for p in found] == expected and len(store) == 20
    third, sixth = found[2], found[5]
    assert next(store.scan(after=(third.token, third.key_bytes))).key == expected[3]
    ranged = store.scan(start_token=third.token, end_token=sixth.token)
    assert [p.key for p in ranged] == expected[2:6]
    assert not list(store.scan(after=(third.token, third.key_bytes), end_token=third.token))


# ---------------------------------------------------------------- tombstones


def test_a_deleted_row_stays_as_a_tombstone(store):
    store.apply(write(TABLE, rows=[insert(1, 10), insert(2, 10)]), NOW)
    store.apply(write(TABLE, rows=[deletion(1, 11)]), NOW)
    assert live_rows(store) == [2]
    assert store.partition(ONE).tombstones(NOW) == 1
    assert clusterings(store.partition(ONE).scan()) == [1, 2]


def test_a_partition_deletion_takes_rows_statics_and_ranges(store):
    static = Row((), cells={"s": (10, number(1), 0, 0)})
    store.apply(write(TABLE, static=static, rows=[insert(1, 10), insert(2, 30)], ranges=[between(0, 1, 5)]), NOW)
    store.apply(write(TABLE, deletion=(20, 100)), NOW)
    partition = store.partition(ONE)
    assert live_rows(store) == [2] and partition.static is None and partition.range_tombstones() == 0
    assert partition.tombstones(NOW) == 1
    late = Row((), cells={"s": (20, number(1), 0, 0)})
    store.apply(write(TABLE, static=late, rows=[insert(3, 20)], ranges=[between(None, None, 20)]), NOW)
    assert live_rows(store) == [2] and partition.static is None and partition.range_tombstones() == 0


def test_static_cells_survive_range_deletions(store):
    store.apply(write(TABLE, static=Row((), cells={"s": (10, number(1), 0, 0)})), NOW)
    store.apply(write(TABLE, static=Row((), cells={"s": (9, number(2), 0, 0)}), ranges=[between(None, None, 20)]), NOW)
    assert store.partition(ONE).static.cells == {"s": (10, number(1), 0, 0)}


def test_a_range_deletion_covers_late_writes_too(store):
    store.apply(write(TABLE, rows=[insert(c, 10) for c in range(5)]), NOW)
    store.apply(write(TABLE, ranges=[between(1, 3, 20)]), NOW)
    store.apply(write(TABLE, rows=[insert(2, 20), insert(3, 20)]), NOW)
    assert live_rows(store) == [0, 3, 4]
    store.apply(write(TABLE, rows=[insert(2, 21)]), NOW)
    assert live_rows(store) == [0, 2, 3, 4]
    assert store.partition(ONE).range_tombstones() == 1
    assert store.partition(ONE).range_tombstones(ORDER((number(3),))) == 0


def test_deleting_what_is_not_there_leaves_a_tombstone_and_writing_under_it_nothing(store):
    store.apply(write(TABLE, deletion=(10, 100)), NOW)
    assert len(store) == 1 and store.partition(ONE).tombstones(NOW) == 1
    assert store.apply(write(TABLE, rows=[insert(1, 10)]), NOW, want_old=True) == []
    assert not store.partition(ONE).rows


deletions = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 5))


@given(st.lists(deletions, max_size=12))
def test_range_tombstones_keep_the_newest_everywhere(made):
    ranges, expected = RangeTombstones(), {}
    for start, end, timestamp in made:
        ranges.add(bytes([start]), bytes([end]), (timestamp, 100))
        for place in range(start, end):
            expected[place] = max(expected.get(place, (0, 0)), (timestamp, 100))
    assert {p: found for p in range(21) if (found := ranges.covering(bytes([p])))} == expected
    intervals = list(ranges)
    assert all(start < end for start, end, _ in intervals)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(intervals))
    assert ranges.between(bytes([5]), bytes([9])) == [i for i in intervals if i[0] < bytes([9]) and i[1] > bytes([5])]


# ---------------------------------------------------------------- what it reports


def test_a_fresh_row_is_taken_over(store):
    row = insert(1, 10, a=1)
    ((old, new),) = store.apply(write(TABLE, rows=[row]), NOW, want_old=True)
    assert old is None and new is row is store.row(ONE, (number(1),))


def test_a_change_shows_the_row_before_and_after(store):
    store.apply(write(TABLE, rows=[insert(1, 10, a=1)]), NOW)
    assert store.apply(write(TABLE, rows=[update(1, 11, a=2)]), NOW) == []
    ((old, new),) = store.apply(write(TABLE, rows=[update(1, 12, b=3)]), NOW, want_old=True)
    assert old.cells == {"a": (11, number(2), 0, 0)}
    assert new.cells == {"a": (11, number(2), 0, 0), "b": (12, number(3), 0, 0)}


@pytest.mark.parametrize("parts", [{"deletion": (20, 100)}, {"ranges": [between(1, 3, 20)]}])
def test_a_deletion_from_above_shows_in_each_row_that_it_covers(store, parts):
    store.apply(write(TABLE, rows=[insert(1, 10, a=1), insert(2, 10, a=1)]), NOW)
    store.apply(write(TABLE, rows=[update(2, 30, b=2)]), NOW)
    changes = store.apply(write(TABLE, rows=[insert(1, 40)], **parts), NOW, want_old=True)
    shown = {clusterings([new])[0]: (old, new) for old, new in changes}
    old, new = shown[1]
    assert old.marker == (10, 0, 0) and new.marker == (40, 0, 0) and new.deletion == (20, 100) and not new.cells
    old, new = shown[2]
    assert set(old.cells) == {"a", "b"} and set(new.cells) == {"b"} and new.deletion == (20, 100)
    assert store.row(ONE, (number(2),)).deletion is None, "only the report has it as the row's own"


# ---------------------------------------------------------------- what it forgets


def test_a_purge_forgets_what_is_past_the_grace_period():
    table = make_table(static="s int", options={"gc_grace_seconds": 50})
    store = TableStore(table)
    gone, kept = (number(1),), (number(2),)
    store.apply(write(table, gone, deletion=(10, 100), ranges=[between(0, 1, 11)], rows=[deletion(1, 12)]), NOW)
    store.apply(write(table, kept, rows=[insert(1, 10), update(2, 10, a=None)]), NOW)
    assert not store.has_garbage(gone, 150)
    store.purge(gone, 150)
    assert store.partition(gone).tombstones(150) == 3, "not past it yet"
    assert store.has_garbage(gone, 151)
    for key in (gone, kept):
        store.purge(key, 151)
    assert store.partition(gone) is None and live_rows(store, kept) == [1]
    assert [p.key for p in store.scan()] == [kept]


def test_truncate_forgets_all(store):
    store.apply(write(TABLE, deletion=(10, 100), rows=[insert(1, 20)]), NOW)
    list(store.scan())
    store.truncate()
    assert len(store) == 0 and not list(store.scan())


def test_a_dropped_column_leaves_no_cells(store):
    static = Row((), cells={"s": (10, number(1), 0, 0)})
    store.apply(write(TABLE, static=static, rows=[insert(1, 10, a=1, b=2), update(2, 10, a=1)]), NOW)
    store.drop_column("a", 10)
    assert live_rows(store) == [1] and set(store.row(ONE, (number(1),)).cells) == {"b"}
    store.drop_column("s", 10)
    assert store.partition(ONE).static is None
    for name in "as":
        store.bring_back(name, fits=True)
    assert store.partition(ONE).static is None and set(store.row(ONE, (number(1),)).cells) == {"b"}


def test_size_counts_rows_and_guesses_bytes(store):
    assert store.size() == (0, 0, 0)
    for p in range(3):
        rows = [insert(c, 10, a=1, b=2) for c in range(100)]
        store.apply(write(TABLE, (number(p),), rows=rows), NOW)
    size = store.size()
    assert (size.rows, size.partitions) == (300, 3)
    assert 300 * 8 < size.bytes < 300 * 100


# ---------------------------------------------------------------- snapshots


def test_what_is_dumped_is_loaded():
    table = make_table(static="s int", regular="a int, m set<int>, l list<text>")
    store = TableStore(table)
    members = Collection((5, 100), {number(7): (10, b"", 0, 0)})
    full = Row(ONE, (10, 2000, 60), (4, 100), {"a": (10, number(1), 2000, 60), "m": members})
    statics = Row((), cells={"s": (10, number(1), 0, 0)})
    store.apply(write(table, static=statics, rows=[full], deletion=(1, 100), ranges=[between(5, 9, 3)]), NOW)
    store.apply(write(table, (number(2),), rows=[insert(1, 10, a=1)]), NOW)

    loaded = TableStore(table)
    loaded.load(marshal.loads(marshal.dumps(store.dump())))
    assert loaded.dump() == store.dump()
    assert [p.key for p in loaded.scan()] == [p.key for p in store.scan()]
    row = loaded.row(ONE, ONE)
    assert row.cells["m"].elements == members.elements and row.cells["m"].deletion == (5, 100)
    loaded.apply(write(table, rows=[insert(6, 3), insert(7, 10)]), NOW)
    assert live_rows(loaded) == [1, 7]
