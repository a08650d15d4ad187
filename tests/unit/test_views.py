"""Materialized views: after any writes, a view has just the rows that its base makes of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedded_scylla.derived.views import ViewUpdater, build, make_updater
from embedded_scylla.schema import ViewDefinition
from embedded_scylla.storage.rows import Collection, Row, live, row_is_live
from embedded_scylla.storage.store import TableStore
from tests.full import in_full
from tests.unit.example_tables import ONE, between, deletion, insert, make_table, number, update, write

NOW = 1000

BASE = make_table("tickets", static="s int", regular="status int, price int, note int")


def make_view(name: str, key: str, clustering: str, regular: str, *, base=BASE, restrictions=(), virtual=()):
    definition = ViewDefinition(base.id, base.name, "", False, restrictions, virtual)
    return make_table(name, key=key, clustering=clustering, regular=regular, view=definition)


BY_STATUS = make_view("by_status", "p int, status int", "c int", "price int, note int")
ONLY_ONES = make_view(
    "only_ones", "status int", "p int, c int", "price int", restrictions=(("status", lambda data: data == number(1)),)
)
TWIN = make_view("twin", "c int", "p int", "price int", virtual=("status", "note"))
FIRST = make_view(
    "first",
    "p int",
    "c int",
    "status int, price int, note int",
    restrictions=(("c", lambda data: data == number(1)),),
)
VIEWS = [BY_STATUS, ONLY_ONES, TWIN, FIRST]


class Pair:
    """A base table and a view of it, as the engine keeps them in step."""

    def __init__(self, view, base=BASE):
        self.base, self.view = TableStore(base), TableStore(view)
        self.updater = ViewUpdater(view, base)

    def apply(self, mutation, now=NOW):
        """Write to the base; the number of view mutations that it took."""
        changes = self.base.apply(mutation, now, want_old=True)
        mutations = self.updater.mutations(mutation.key, changes, now)
        for one in mutations:
            self.view.apply(one, now)
        return len(mutations)

    def write(self, *rows, now=NOW, **parts):
        return self.apply(write(self.base.table, rows=rows, **parts), now)

    def rows(self, now=NOW) -> dict:
        """The live rows of the view: key columns' values to the living cells that a reader can see."""
        shown = {c.name for c in self.view.table.regulars}
        return {
            (*partition.key, *row.key): _visible(row, shown, now)
            for partition in self.view.scan()
            for row in partition.scan()
            if row_is_live(row, now)
        }

    def expected(self, now=NOW) -> dict:
        """The same, computed from the base's live rows by the definition of a view."""
        view, base = self.view.table, self.base.table
        shown = {c.name for c in view.regulars}
        found = {}
        for partition in self.base.scan():
            for row in partition.scan():
                if not row_is_live(row, now):
                    continue
                values = dict(zip([c.name for c in base.partition_key], partition.key, strict=True))
                values |= zip([c.name for c in base.clustering], row.key, strict=True)
                values |= {n: c[1] for n, c in row.cells.items() if type(c) is tuple and live(c, now)}
                key = [values.get(c.name) for c in (*view.partition_key, *view.clustering)]
                accepted = all(n in values and accepts(values[n]) for n, accepts in view.view.restrictions)
                if None not in key and accepted:
                    found[tuple(key)] = _visible(row, shown, now)
        return found


def _visible(row: Row, names: set[str], now: int) -> dict:
    found = {}
    for name, cell in row.cells.items():
        if name in names:
            if type(cell) is Collection:
                elements = {k: e for k, e in cell.elements.items() if live(e, now)}
                if elements:
                    found[name] = elements
            elif live(cell, now):
                found[name] = cell
    return found


def keys(pair: Pair, now=NOW) -> list[tuple[int, ...]]:
    return sorted(tuple(int.from_bytes(part, "big", signed=True) for part in key) for key in pair.rows(now))


def with_ttl(row: Row, ttl: int, now=NOW) -> Row:
    """The same write USING TTL."""
    if row.marker is not None:
        row.marker = (row.marker[0], now + ttl, ttl)
    row.cells = {n: c if c[1] is None else (c[0], c[1], now + ttl, ttl) for n, c in row.cells.items()}
    return row


# ---------------------------------------------------------------- one thing at a time


def test_a_status_flip_moves_the_row_and_leaves_a_tombstone():
    pair = Pair(BY_STATUS)
    pair.write(insert(7, 10, status=1, price=50))
    pair.write(update(7, 20, status=2))
    assert keys(pair) == [(1, 2, 7)]
    assert pair.rows() == pair.expected()
    old_place = pair.view.partition((number(1), number(1)))
    assert old_place.tombstones(NOW) == 1
    (tombstone,) = old_place.scan()
    assert tombstone.shadowable == (10, NOW), "as old as the cell that it stands for"


def test_a_row_that_flips_back_is_whole_again():
    pair = Pair(BY_STATUS)
    pair.write(insert(7, 10, status=1, price=50))
    pair.write(update(7, 20, status=2))
    pair.write(update(7, 30, status=1))
    assert keys(pair) == [(1, 1, 7)]
    assert pair.rows()[number(1), number(1), number(7)] == {"price": (10, number(50), 0, 0)}


def test_a_null_key_column_keeps_the_row_out():
    pair = Pair(BY_STATUS)
    assert pair.write(insert(7, 10, price=50)) == 0
    pair.write(update(7, 20, status=1))
    assert keys(pair) == [(1, 1, 7)]
    pair.write(update(7, 30, status=None))
    assert keys(pair) == []


def test_a_write_that_comes_too_late_changes_nothing():
    pair = Pair(BY_STATUS)
    pair.write(insert(7, 10, status=1, price=50))
    assert pair.write(update(7, 5, status=2)) == 0
    assert pair.write(update(7, 10, status=0)) == 0
    assert keys(pair) == [(1, 1, 7)]


def test_the_same_write_twice_is_one_view_update():
    pair = Pair(BY_STATUS)
    assert pair.write(insert(7, 10, status=1, price=50)) == 1
    assert pair.write(insert(7, 10, status=1, price=50)) == 0


def test_a_column_that_was_not_selected_makes_no_update():
    pair = Pair(make_view("narrow", "p int, status int", "c int", ""))
    pair.write(insert(7, 10, status=1, price=50))
    assert pair.write(update(7, 20, price=60)) == 0


def test_the_view_carries_the_base_cells_timestamps_and_ttls():
    pair = Pair(BY_STATUS)
    pair.write(insert(7, 10, status=1))
    pair.write(with_ttl(update(7, 20, price=50), 60))
    assert pair.rows()[number(1), number(1), number(7)] == {"price": (20, number(50), NOW + 60, 60)}


def test_the_whole_view_row_expires_with_its_key_column():
    pair = Pair(BY_STATUS)
    pair.write(insert(7, 10, price=50))
    pair.write(with_ttl(update(7, 20, status=1), 60))
    assert keys(pair, NOW + 59) == [(1, 1, 7)]
    assert keys(pair, NOW + 60) == []
    # What happens to the base row while the view row is gone shows when it is back.
    pair.write(update(7, 30, price=None), now=NOW + 60)
    pair.write(update(7, 40, status=1), now=NOW + 70)
    assert pair.rows(NOW + 70) == {(number(1), number(1), number(7)): {}}


def test_nothing_of_an_expired_view_row_comes_back_with_it():
    """The base partition is deleted while the view row is gone, so the view hears nothing of it."""
    pair = Pair(BY_STATUS)
    pair.write(insert(7, 10, price=50))
    pair.write(with_ttl(update(7, 20, status=1), 60))
    pair.write(deletion=(30, NOW + 70), now=NOW + 70)
    pair.write(update(7, 40, status=1), now=NOW + 80)
    assert pair.rows(NOW + 80) == {(number(1), number(1), number(7)): {}}


def test_a_deleted_row_leaves_the_view_and_may_come_again():
    pair = Pair(BY_STATUS)
    pair.write(insert(7, 10, status=1, price=50))
    pair.write(deletion(7, 20))
    assert keys(pair) == []
    pair.write(insert(7, 30, status=1))
    assert pair.rows() == {(number(1), number(1), number(7)): {}}


@pytest.mark.parametrize("parts", [{"deletion": (20, 100)}, {"ranges": [between(1, 3, 20)]}])
@pytest.mark.parametrize("view", [BY_STATUS, TWIN], ids=lambda view: view.name)
def test_a_deletion_from_above_reaches_each_view_row(view, parts):
    pair = Pair(view)
    pair.write(*(insert(c, 10, status=1, price=c) for c in range(1, 3)))
    pair.write(update(2, 30, status=1))
    pair.write(**parts)
    assert pair.rows() == pair.expected() and len(pair.rows()) == 1


def test_a_filter_lets_only_its_rows_in():
    pair = Pair(ONLY_ONES)
    pair.write(insert(7, 10, status=1), insert(8, 10, status=2))
    assert keys(pair) == [(1, 1, 7)]
    assert pair.write(update(8, 20, status=3)) == 0
    pair.write(update(8, 30, status=1), update(7, 30, status=2))
    assert keys(pair) == [(1, 1, 8)]


def test_columns_that_were_not_selected_keep_a_row_alive_without_their_values():
    pair = Pair(TWIN)
    pair.write(update(7, 10, note=5))
    assert pair.rows() == {(number(7), number(1)): {}}
    (row,) = pair.view.partition((number(7),)).scan()
    assert row.cells["note"] == (10, b"", 0, 0)
    pair.write(update(7, 20, note=None))
    assert keys(pair) == []


def test_statics_are_ignored():
    pair = Pair(BY_STATUS)
    assert pair.write(static=Row((), cells={"s": (10, number(1), 0, 0)})) == 0


def test_collections_go_along_element_by_element():
    base = make_table("tagged", regular="status int, tags map<text,int>")
    selecting = make_view("tags_by_status", "status int", "p int, c int", "tags map<text,int>", base=base)
    pair = Pair(selecting, base)
    pair.write(Row((number(7),), cells={"status": (10, number(1), 0, 0)}))
    tags = Collection((9, 100), {b"a": (10, number(1), 0, 0), b"b": (10, number(2), 0, 0)})
    pair.write(Row((number(7),), cells={"tags": tags}))
    pair.write(Row((number(7),), cells={"tags": Collection(None, {b"a": (20, None, 100, 0)})}))
    assert pair.rows() == pair.expected()
    assert pair.rows()[number(1), number(1), number(7)]["tags"] == {b"b": (10, number(2), 0, 0)}
    assert pair.write(Row((number(7),), cells={"tags": Collection(None, {b"a": (19, number(3), 0, 0)})})) == 0

    twin = Pair(make_view("untagged", "c int", "p int", "", base=base, virtual=("status", "tags")), base)
    twin.write(Row((number(7),), cells={"tags": Collection(None, {b"a": (20, number(5), 0, 0)})}))
    (row,) = twin.view.partition((number(7),)).scan()
    assert row_is_live(row, NOW) and row.cells["tags"].elements == {b"a": (20, b"", 0, 0)}


def test_an_index_has_the_token_of_the_base_partition():
    index = make_view("status_index", "status int", "idx_token bigint, p int, c int", "")
    pair = Pair(index)
    pair.write(insert(7, 10, status=1))
    (row,) = pair.view.partition((number(1),)).scan()
    token = int.from_bytes(row.key[0], "big", signed=True)
    assert token == pair.base.partition(ONE).token and row.key[1:] == (number(1), number(7))


def test_the_rows_of_a_batch_share_the_view_mutations():
    pair = Pair(BY_STATUS)
    assert pair.write(*(insert(c, 10, status=c % 2) for c in range(10))) == 2


def test_a_view_is_built_from_what_is_there():
    pair = Pair(BY_STATUS)
    pair.base.apply(write(BASE, rows=[insert(7, 10, status=1), insert(8, 10, price=1), deletion(9, 10)]), NOW)
    build(BY_STATUS, BASE, pair.base, pair.view, NOW)
    assert keys(pair) == [(1, 1, 7)] and pair.rows() == pair.expected()


def test_an_updater_fits_two_definitions():
    changes = [(None, insert(7, 10, status=1))]
    (mutation,) = make_updater(BY_STATUS, BASE).mutations(ONE, changes, NOW)
    assert mutation.table is BY_STATUS and mutation.key == (number(1), number(1))


# ---------------------------------------------------------------- anything at all

clusterings = st.integers(1, 2)
small = st.one_of(st.none(), st.integers(1, 2))
values = st.fixed_dictionaries({}, optional={"status": small, "price": small, "note": small})
ttls = st.sampled_from([0, 0, 5, 50])
steps = st.one_of(
    st.tuples(st.just("insert"), clusterings, values, ttls),
    st.tuples(st.just("update"), clusterings, values, ttls),
    st.tuples(st.just("update"), clusterings, values, ttls),
    st.tuples(st.just("delete"), clusterings),
    st.tuples(st.just("range"), st.integers(0, 3), st.integers(0, 3)),
    st.tuples(st.just("partition")),
    st.tuples(st.just("push"), st.integers(1, 60)),
)


def perform(pair: Pair, step: tuple, timestamp: int, now: int) -> None:
    match step:
        case ("insert" | "update" as kind, clustering, cells, ttl):
            made = (insert if kind == "insert" else update)(clustering, timestamp, **cells)
            if kind == "insert":
                made.cells = {n: c for n, c in made.cells.items() if c[1] is not None} | {
                    n: (timestamp, None, now, 0) for n, v in cells.items() if v is None
                }
            pair.write(with_ttl(made, ttl, now) if ttl else made, now=now)
        case ("delete", clustering):
            pair.write(deletion(clustering, timestamp), now=now)
        case ("range", low, high):
            pair.write(ranges=[between(low, high, timestamp)], now=now)
        case ("partition",):
            pair.write(deletion=(timestamp, now), now=now)


def play(view, script) -> None:
    """Write a script of (step, timestamp) to a base, and compare its view at each point, then and later on."""
    pair, now = Pair(view), NOW
    for step, timestamp in script:
        if step[0] == "push":
            now += step[1]
        else:
            perform(pair, step, timestamp, now)
        for moment in (now, now + 5, now + 50):
            assert pair.rows(moment) == pair.expected(moment)
    for store in (pair.base, pair.view):
        for key in store.partition_keys():
            store.purge(key, now)
            assert not store.has_garbage(key, now)
    assert pair.rows(now) == pair.expected(now), "a purge is not to be seen"


timestamps = st.integers(1, 6)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_is_what_its_base_makes_of_it(view):
    """With timestamps in any order, equal ones among them, and nothing that expires."""
    lasting = steps.filter(lambda step: step[0] not in ("insert", "update") or not step[3])

    @settings(max_examples=in_full(200, 60), deadline=None)
    @given(st.lists(st.tuples(lasting, timestamps), max_size=8))
    def check(script):
        play(view, script)

    check()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_expires_as_its_base_does(view):
    """With TTLs and a clock that moves on. Timestamps come in any order but never twice: see the next test."""

    @settings(max_examples=in_full(300, 80), deadline=None)
    @given(st.lists(st.tuples(steps, timestamps), max_size=8))
    def check(script):
        play(view, [(step, timestamp * 100 + place) for place, (step, timestamp) in enumerate(script)])

    check()


def test_a_view_loses_a_row_to_equal_timestamps_as_in_scylladb():
    """A key column goes from 1 to 2 and back at one timestamp, each time with a later expiry, and so wins. But the
    tombstone that the view's row got when it left has that timestamp too, and a tombstone beats what is as old as
    itself: ScyllaDB's rules, followed to the letter, lose the row."""
    pair = Pair(BY_STATUS)
    for status, ttl in ((1, 10), (2, 20), (1, 30)):
        pair.write(with_ttl(update(7, 10, status=status), ttl))
    assert [key[1] for key in pair.expected()] == [number(1)]
    assert keys(pair) == []
