"""Rows: which of two versions wins, what tombstones cover, what a reader sees."""

import itertools
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded_scylla import types
from embedded_scylla.schema import REGULAR, Column
from embedded_scylla.storage.merge import (
    NO_FLOOR,
    copy_row,
    is_empty,
    merge_collection,
    merge_mutation,
    merge_row,
    newest,
    put_cell,
    reconcile,
    reconcile_markers,
    settle,
)
from embedded_scylla.storage.purge import purge_row
from embedded_scylla.storage.rows import (
    Collection,
    GovernedRow,
    Row,
    cell_value,
    collection_value,
    live,
    read_cell,
    row_is_live,
)
from tests.unit.example_tables import between, deletion, insert, make_table, number, update, write

NOW = 1000
TABLE = make_table(static="s int")

# Each beats all that stand above it: ScyllaDB's order, from the loser to the winner.
LADDER = [
    (1, b"z", 0, 0),
    (2, b"a", 0, 0),
    (2, b"b", 0, 0),  # the larger value
    (2, b"a", 500, 60),  # one that expires, though its value is smaller
    (2, b"a", 600, 60),  # the later expiry
    (2, b"a", 600, 30),  # as late, but written later
    (2, b"c", 600, 30),
    (2, None, 400, 0),  # a tombstone
    (2, None, 401, 0),  # one made later
    (3, b"a", 0, 0),  # the newer write
]


@pytest.mark.parametrize(("loser", "winner"), list(itertools.combinations(LADDER, 2)))
def test_the_cell_that_wins(loser, winner):
    assert reconcile(loser, winner) is winner
    assert reconcile(winner, loser) is winner


def test_markers_win_by_timestamp_then_by_expiry():
    ladder = [(1, 0, 0), (2, 0, 0), (2, 500, 60), (2, 600, 60), (2, 600, 30), (3, 0, 0)]
    for loser, winner in itertools.combinations(ladder, 2):
        assert reconcile_markers(loser, winner) is winner
        assert reconcile_markers(winner, loser) is winner
    assert reconcile_markers(None, ladder[0]) is reconcile_markers(ladder[0], None) is ladder[0]


def test_a_cell_lives_until_the_second_of_its_expiry():
    cell = (1, b"x", NOW, 60)
    assert live(cell, NOW - 1) and cell_value(cell, NOW - 1) == b"x"
    assert not live(cell, NOW) and cell_value(cell, NOW) is None
    assert not live((1, None, 5, 0), 1) and cell_value((1, None, 5, 0), 1) is None


def merged(*rows: Row, floor: int = NO_FLOOR) -> Row:
    result = Row((number(1),))
    for row in rows:
        merge_row(result, copy_row(row), floor, NOW)
    return result


def test_a_row_deletion_covers_what_is_as_old_and_nothing_newer():
    row = merged(insert(1, 10, a=1, b=1), update(1, 20, b=2), deletion(1, 10))
    assert row.marker is None
    assert row.cells == {"b": (20, number(2), 0, 0)}


def test_what_comes_too_late_never_gets_in():
    row = merged(deletion(1, 10), insert(1, 10, a=1), update(1, 5, b=1))
    assert row.marker is None and not row.cells and row.deletion == (10, 100)
    assert is_empty(merged(insert(1, 10, a=1), deletion(1, 9), floor=10))


def test_an_older_deletion_changes_nothing():
    row = merged(deletion(1, 10), deletion(1, 5), insert(1, 8, a=1), insert(1, 11, a=2))
    assert row.deletion == (10, 100)
    assert row.cells == {"a": (11, number(2), 0, 0)}


def test_a_new_row_obeys_the_tombstone_it_comes_with():
    row = insert(1, 10, a=1)
    row.deletion = (10, 100)
    settle(row, NO_FLOOR)
    assert row.marker is None and not row.cells and row.deletion == (10, 100)


cells = st.tuples(
    st.integers(1, 3),
    st.one_of(st.none(), st.sampled_from([b"a", b"b"])),
    st.sampled_from([0, 500, 600]),
    st.sampled_from([30, 60]),
).map(lambda c: (c[0], c[1], c[2] or 400, 0) if c[1] is None else (c[0], c[1], c[2], c[3] if c[2] else 0))
collections = st.builds(
    Collection,
    st.one_of(st.none(), st.tuples(st.integers(1, 3), st.just(100))),
    st.dictionaries(st.sampled_from([b"k", b"l"]), cells, max_size=2),
)
row_writes = st.builds(
    Row,
    st.just((number(1),)),
    st.one_of(st.none(), st.tuples(st.integers(1, 3), st.sampled_from([0, 500]), st.just(0))),
    st.one_of(st.none(), st.tuples(st.integers(1, 3), st.integers(100, 101))),
    st.fixed_dictionaries({}, optional={"a": cells, "b": cells, "m": collections}),
)


def contents(row: Row) -> tuple:
    shown = {
        name: (cell.deletion, dict(cell.elements)) if isinstance(cell, Collection) else cell
        for name, cell in row.cells.items()
    }
    return row.marker, row.deletion, shown


@given(st.lists(row_writes, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_writes_may_come_in_any_order_and_more_than_once(writes, random):
    """What makes replicas agree: merging is commutative, associative and idempotent."""
    shuffled = writes + random.choices(writes, k=2)
    random.shuffle(shuffled)
    assert contents(merged(*writes)) == contents(merged(*shuffled))


@given(row_writes, row_writes)
def test_a_row_taken_over_is_as_one_merged_into_nothing(first, second):
    taken = copy_row(first)
    settle(taken, NO_FLOOR)
    merge_row(taken, copy_row(second), NO_FLOOR, NOW)
    assert contents(taken) == contents(merged(first, second))


@given(row_writes, row_writes, st.integers(1, 3))
def test_a_tombstone_from_above_may_come_first_or_last(first, second, floor):
    late = merged(first, second)
    settle(late, floor)
    assert contents(merged(first, second, floor=floor)) == contents(late)


def test_a_copy_does_not_change_with_its_row():
    row = Row((number(1),), cells={"m": Collection(None, {b"k": (1, b"x", 0, 0)}), "a": (1, b"y", 0, 0)})
    old = copy_row(row)
    new = Row((number(1),), cells={"m": Collection((5, 100), {b"l": (6, b"z", 0, 0)}), "a": (2, b"w", 0, 0)})
    merge_row(row, new, NO_FLOOR, NOW)
    assert contents(old) == (None, None, {"m": (None, {b"k": (1, b"x", 0, 0)}), "a": (1, b"y", 0, 0)})


def test_the_mutations_of_a_batch_become_one():
    """What the batch's own tombstones cover stays in it: the CDC log tells of it, the store drops it."""
    first = write(TABLE, rows=[insert(1, 10, a=1), insert(2, 10, a=1)], static=Row((), cells={"s": (10, b"x", 0, 0)}))
    second = write(TABLE, rows=[deletion(1, 10), update(2, 10, a=2)], static=Row((), cells={"s": (10, b"y", 0, 0)}))
    second.ranges = [between(1, 2, 10)]
    second.deletion = (3, 100)
    merge_mutation(first, second)
    assert first.deletion == (3, 100) and len(first.ranges) == 1 and first.static.cells["s"][1] == b"y"
    assert first.rows[number(2),].cells == {"a": (10, number(2), 0, 0)}
    both = first.rows[number(1),]
    assert both.deletion == (10, 100) and both.marker == (10, 0, 0) and both.cells


# ---------------------------------------------------------------- collections


def test_a_whole_new_collection_replaces_the_old_elements():
    numbers = Collection(None, {number(1): (10, b"", 0, 0), number(2): (30, b"", 0, 0)})
    merge_collection(numbers, Collection((19, 100), {number(3): (20, b"", 0, 0)}))
    assert set(numbers.elements) == {number(2), number(3)}
    merge_collection(numbers, Collection(None, {number(4): (19, b"", 0, 0)}))
    assert number(4) not in numbers.elements


def test_elements_are_read_in_the_order_of_their_type():
    numbers = Collection(None, {number(v): (1, b"", 0, 0) for v in (3, -1, 2)})
    numbers.elements[number(9)] = (1, b"", NOW, 5)
    frozen = collection_value(numbers, types.SetType(types.INT), NOW)
    assert types.SetType(types.INT, True).decode(frozen) == [-1, 2, 3]

    entries = Collection(None, {k: (1, number(v), 0, 0) for k, v in ((b"b", 2), (b"a", 1))})
    frozen = collection_value(entries, types.MapType(types.TEXT, types.INT), NOW)
    assert list(types.MapType(types.TEXT, types.INT, True).decode(frozen).items()) == [("a", 1), ("b", 2)]


def test_a_list_is_in_the_order_of_its_timeuuids():
    # As raw bytes these would sort the other way round: a timeuuid begins with the low part of its time.
    early = uuid.UUID(fields=(0xFFFFFFFF, 0, 0x1000, 0x80, 0, 1)).bytes
    late = uuid.UUID(fields=(0, 1, 0x1000, 0x80, 0, 1)).bytes
    items = Collection(None, {late: (1, b"second", 0, 0), early: (1, b"first", 0, 0)})
    frozen = collection_value(items, types.ListType(types.TEXT), NOW)
    assert types.ListType(types.TEXT, True).decode(frozen) == ["first", "second"]


def test_a_collection_without_living_elements_is_null():
    column = Column("m", types.SetType(types.INT), REGULAR)
    row = Row((), cells={"m": Collection((5, 100), {number(1): (6, None, 100, 0), number(2): (6, b"", NOW, 5)})})
    assert read_cell(row, column, NOW) is None
    assert not row_is_live(row, NOW) and row_is_live(row, NOW - 1)
    assert read_cell(row, Column("other", types.INT, REGULAR), NOW) is None


def test_put_cell_leaves_no_empty_collection():
    cells = {}
    put_cell(cells, "m", Collection((5, 100), {b"k": (5, b"x", 0, 0)}), floor=5)
    assert cells == {}


# ---------------------------------------------------------------- what a reader sees


def test_an_inserted_row_lives_by_its_marker_an_updated_one_by_its_cells():
    inserted, updated = insert(1, 10, a=1), update(1, 10, a=1)
    for row in (inserted, updated):
        merge_row(row, update(1, 20, a=None), NO_FLOOR, NOW)
    assert row_is_live(inserted, NOW) and not row_is_live(updated, NOW)


def test_a_marker_expires():
    row = Row((number(1),), marker=(1, NOW, 60))
    assert row_is_live(row, NOW - 1) and not row_is_live(row, NOW)


def test_a_governed_row_lives_by_its_marker_alone():
    row = GovernedRow((number(1),), (1, NOW, 60), cells={"a": (1, number(1), 0, 0)})
    assert row_is_live(row, NOW - 1) and not row_is_live(row, NOW)


def test_a_shadowable_tombstone_holds_until_a_newer_marker():
    key = (number(1),)
    row = GovernedRow(key, (10, 0, 0), cells={"a": (5, number(1), 0, 0)})
    merge_row(row, GovernedRow(key, shadowable=(10, 100)), NO_FLOOR, NOW)
    assert not row_is_live(row, NOW) and not row.cells
    merge_row(row, GovernedRow(key, (10, 0, 0)), NO_FLOOR, NOW)
    assert not row_is_live(row, NOW), "a marker as old as the tombstone is covered"
    # The cells of the row that comes back may be older than the tombstone, and live all the same.
    merge_row(row, GovernedRow(key, (11, 0, 0), cells={"a": (5, number(1), 0, 0)}), NO_FLOOR, NOW)
    assert row_is_live(row, NOW) and row.shadowable is None and row.cells["a"] == (5, number(1), 0, 0)


def test_the_newest_tombstone_covers_most():
    assert newest((1, 100), (2, 50)) == (2, 50)
    assert newest(None, (1, 100)) == newest((1, 100), None) == (1, 100)


# ---------------------------------------------------------------- after gc_grace_seconds


def test_tombstones_are_purged_by_the_time_they_were_made():
    row = Row((number(1),), deletion=(10, 100), cells={"a": (20, None, 200, 0), "b": (20, number(1), 0, 0)})
    purge_row(row, NOW, 100)
    assert row.deletion == (10, 100) and set(row.cells) == {"a", "b"}
    purge_row(row, NOW, 101)
    assert row.deletion is None and set(row.cells) == {"a", "b"}
    purge_row(row, NOW, 201)
    assert set(row.cells) == {"b"}


def test_what_expired_becomes_a_tombstone_made_when_it_was_written():
    row = Row(
        (number(1),), (1, NOW, 60), cells={"a": (1, b"x", NOW, 60), "m": Collection(None, {b"k": (1, b"", NOW, 60)})}
    )
    purge_row(row, NOW - 1, 5)
    assert row.cells["a"] == (1, b"x", NOW, 60), "not expired yet"
    purge_row(row, NOW, NOW - 60)
    assert row.cells["a"] == (1, None, NOW - 60, 0)
    purge_row(row, NOW, NOW - 59)
    assert is_empty(row)


def test_an_unwritten_row_reads_as_nothing():
    assert is_empty(Row(())) and not row_is_live(Row(()), NOW)
