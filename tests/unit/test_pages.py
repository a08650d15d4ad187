"""What ends a page beside the rows asked for: its bytes, tombstones, and rows that are read and do not pass."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedded_scylla.reading import collect, select_plan
from embedded_scylla.reading.paging import PAGE_BYTES
from tests.unit.asking import Asking, joined


@pytest.fixture
def node() -> Asking:
    node = Asking()
    node.run("CREATE TABLE t (p int, c int, v int, s int static, PRIMARY KEY (p, c))")
    return node


@pytest.fixture
def ten_tombstones(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page ends at 10 tombstones, that nobody has to make 10,000."""
    monkeypatch.setattr(collect, "PAGE_TOMBSTONES", 10)


def pages(node: Asking, rest: str, page: int = 10, what: str = "c") -> list[list[int]]:
    return [[value for (value,) in rows] for rows in node.paged(f"SELECT {what} FROM t {rest}", page=page)]


def insert(node: Asking, *places: int, p: int = 1) -> None:
    for c in places:
        node.run("INSERT INTO t (p, c, v) VALUES (?, ?, 0)", p, c)


FILTERED = "WHERE p = 1 AND v = 0 ALLOW FILTERING"
BOTH = pytest.mark.parametrize("rest", ["WHERE p = 1", FILTERED])

# ---------------------------------------------------------------- bytes


def test_a_page_ends_at_a_mebibyte(node):
    node.run("CREATE TABLE wide (p int, c int, w blob, PRIMARY KEY (p, c))")
    for c in range(250):
        node.run("INSERT INTO wide (p, c, w) VALUES (1, ?, ?)", c, b"w" * 10_240)
    found = node.paged("SELECT c, w FROM wide WHERE p = 1", page=5000)
    assert [len(rows) for rows in found] == [103, 103, 44]
    assert [c for c, _ in joined(found)] == list(range(250))
    for rows in found[:-1]:
        assert sum(len(w) for _, w in rows) >= PAGE_BYTES - 11 * 103 > sum(len(w) for _, w in rows[:-1]) - 11 * 103
    assert [len(rows) for rows in node.paged("SELECT c, w FROM wide WHERE p = 1", page=60)] == [60, 60, 60, 60, 10]
    assert len(node.rows("SELECT c, w FROM wide WHERE p = 1")) == 250, "who wants no pages gets none"
    assert [len(rows) for rows in node.paged("SELECT c FROM wide WHERE p = 1", page=5000)] == [250]


def test_rows_of_many_sizes_are_cut_where_a_mebibyte_is_full(node):
    node.run("CREATE TABLE wide (p int PRIMARY KEY, w blob)")
    for p in range(60):
        node.run("INSERT INTO wide (p, w) VALUES (?, ?)", p, b"w" * (300_000 if p % 10 == 0 else p))
    text = "SELECT p, w FROM wide"
    for plan in node.plan(text), node.plan(text):
        del plan  # a plan learns the size of rows; each of these begins anew
        found = node.paged(text, page=5000)
        assert joined(found) == node.rows(text)
        for rows in found[:-1]:
            assert sum(8 + 4 + len(w) for _, w in rows) >= PAGE_BYTES
            assert sum(8 + 4 + len(w) for _, w in rows[:-1]) < PAGE_BYTES


def test_a_plan_learns_how_large_rows_are(node):
    node.run("CREATE TABLE wide (p int, c int, w blob, PRIMARY KEY (p, c))")
    for c in range(220):
        node.run("INSERT INTO wide (p, c, w) VALUES (1, ?, ?)", c, b"w" * 10_240)
        node.run("INSERT INTO wide (p, c, w) VALUES (2, ?, ?)", c, b"w")
    plan = node.plan("SELECT c, w FROM wide WHERE p = ?")
    sizes = []
    for p in (2, 1, 2, 1):
        result = plan.execute(node.context(plan, [p], page=5000))
        sizes.append((len(result.rows), result.paging_state is not None))
    assert sizes == [(220, False), (103, True), (220, False), (103, True)]


def test_a_row_larger_than_a_page_is_one(node):
    node.run("CREATE TABLE wide (p int, c int, w blob, PRIMARY KEY (p, c))")
    for c in range(3):
        node.run("INSERT INTO wide (p, c, w) VALUES (1, ?, ?)", c, b"w" * (PAGE_BYTES + 1))
    found = node.paged("SELECT c FROM wide WHERE p = 1", page=10)
    assert [len(rows) for rows in found] == [3]
    assert [len(rows) for rows in node.paged("SELECT c, w FROM wide WHERE p = 1", page=10)] == [1, 1, 1]
    assert [len(rows) for rows in node.paged("SELECT c, w FROM wide WHERE p = 1 LIMIT 2", page=10)] == [1, 1]


def test_rows_that_do_not_pass_fill_a_page_too(node):
    node.run("CREATE TABLE wide (p int, c int, v int, w blob, PRIMARY KEY (p, c))")
    for c in range(250):
        node.run("INSERT INTO wide (p, c, v, w) VALUES (1, ?, ?, ?)", c, c, b"w" * 10_240)
    found = node.paged("SELECT c FROM wide WHERE p = 1 AND v = 200 ALLOW FILTERING", page=5000)
    assert joined(found) == [(200,)]
    assert found[0] == [] and len(found) > 2


# ---------------------------------------------------------------- tombstones


@BOTH
def test_rows_that_are_tombstones(node, ten_tombstones, rest):
    for c in range(30):
        node.run("DELETE FROM t WHERE p = 1 AND c = ?", c)
    insert(node, 31)
    assert pages(node, rest) == [[], [], [], [31]]
    assert joined(node.paged("SELECT c FROM t WHERE p = 1 ORDER BY c DESC", page=10)) == [(31,)]


@BOTH
def test_rows_before_tombstones(node, ten_tombstones, rest):
    insert(node, *range(11), 51)
    for c in range(30, 50):
        node.run("DELETE FROM t WHERE p = 1 AND c = ?", c)
    assert pages(node, rest) == [list(range(10)), [10], [], [51]]


@BOTH
def test_rows_that_have_lost_their_values(node, ten_tombstones, rest):
    for c in range(20):
        node.run("UPDATE t SET v = 0 WHERE p = 1 AND c = ?", c)
    for c in range(16):
        node.run("DELETE v FROM t WHERE p = 1 AND c = ?", c)
    assert pages(node, rest) == [[], [16, 17, 18, 19]]


@BOTH
def test_range_tombstones_count_where_they_begin_and_where_they_end(node, ten_tombstones, rest):
    for c in range(0, 48, 4):
        node.run("DELETE FROM t WHERE p = 1 AND c > ? AND c < ?", c, c + 3)
    insert(node, 2000)
    assert pages(node, rest) == [[], [], [2000]]
    assert pages(node, "WHERE p = 1 ORDER BY c DESC") == [[2000], [], []]


@BOTH
def test_range_tombstones_behind_rows(node, ten_tombstones, rest):
    insert(node, *range(12), 2000)
    for c in range(32, 72, 4):
        node.run("DELETE FROM t WHERE p = 1 AND c > ? AND c < ?", c, c + 3)
    assert pages(node, rest) == [list(range(10)), [10, 11], [], [2000]]


@pytest.mark.parametrize("rest", ["", "WHERE v = 0 ALLOW FILTERING"])
def test_partitions_that_are_tombstones(node, ten_tombstones, rest):
    for p in range(25):
        insert(node, 0, p=p)
    order = [p for (p,) in node.rows("SELECT DISTINCT p FROM t")]
    for p in order[1:-1]:
        node.run("DELETE FROM t WHERE p = ?", p)
    assert pages(node, rest, what="p") == [[order[0]], [], [order[-1]]]


def test_who_wants_no_pages_gets_none(node, ten_tombstones):
    for c in range(30):
        node.run("DELETE FROM t WHERE p = 1 AND c = ?", c)
    insert(node, 31)
    assert node.rows("SELECT c FROM t WHERE p = 1") == [(31,)]
    assert node.ask("SELECT count(*) FROM t WHERE p = 1", page=5)[1:3] == ([(1,)], None)
    assert node.ask("SELECT c FROM t WHERE p = 1 GROUP BY p", page=5)[1:3] == ([(31,)], None)
    assert node.ask("SELECT v FROM t WHERE p = 1 AND c = 31", page=5)[1:3] == ([(0,)], None)


@pytest.mark.parametrize(
    "rest",
    ["WHERE p = 1 LIMIT 1", "WHERE p = 1 PER PARTITION LIMIT 1", "LIMIT 1", "WHERE p = 1 ORDER BY c DESC LIMIT 1"],
)
def test_who_wants_one_row_gets_it(node, ten_tombstones, rest):
    """However many tombstones stand before it: one row needs no pages."""
    for c in (*range(30), *range(32, 60)):
        node.run("DELETE FROM t WHERE p = 1 AND c = ?", c)
    insert(node, 31)
    assert pages(node, rest) == [[31]]


def test_a_static_row_behind_tombstones_is_not_lost(node, ten_tombstones):
    node.run("INSERT INTO t (p, s) VALUES (1, 7)")
    for c in range(25):
        node.run("DELETE FROM t WHERE p = 1 AND c = ?", c)
    assert pages(node, "WHERE p = 1", what="s") == [[], [], [7]]
    insert(node, 26)
    assert pages(node, "WHERE p = 1", what="s") == [[], [], [7]]


@pytest.mark.parametrize("indexed, where", [("v", "v = 0"), ("c", "c = 0"), ("s", "s = 0")])
def test_tombstones_of_an_index(node, ten_tombstones, indexed, where):
    node.run(f"CREATE INDEX ON t ({indexed})")
    for p in range(25):
        node.run("INSERT INTO t (p, c, v, s) VALUES (?, 0, 0, 0)", p)
    order = [p for (p,) in node.rows("SELECT DISTINCT p FROM t")]
    for p in order[:-1]:
        node.run("DELETE FROM t WHERE p = ?", p)
    assert pages(node, f"WHERE {where}", what="p") == [[], [], [order[-1]]]


def test_tombstones_of_a_local_index(node, ten_tombstones):
    node.run("CREATE INDEX ON t ((p), v)")
    insert(node, *range(25))
    for c in range(24):
        node.run("DELETE FROM t WHERE p = 1 AND c = ?", c)
    assert pages(node, "WHERE p = 1 AND v = 0") == [[], [], [24]]


# ---------------------------------------------------------------- filters


def test_where_rows_are_filtered_those_that_were_read_make_the_page(node):
    for c in range(12):
        node.run("INSERT INTO t (p, c, v) VALUES (1, ?, ?)", c, c % 4)
    assert pages(node, "WHERE p = 1 AND v = 3 ALLOW FILTERING", page=5) == [[3], [7], [11], []]
    assert pages(node, "WHERE p = 1 AND v = 3 LIMIT 2 ALLOW FILTERING", page=5) == [[3], [7]]
    assert pages(node, "WHERE p = 1 AND v < 4 ALLOW FILTERING", page=5) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11]]
    assert pages(node, "WHERE v = 3 ALLOW FILTERING", page=100) == [[3, 7, 11], []], "it cannot know that this is all"


def test_partitions_that_do_not_pass_are_read_too(node):
    for p in range(20):
        node.run("INSERT INTO t (p, c, s) VALUES (?, 0, ?)", p, p % 2)
    order = [p for (p,) in node.rows("SELECT DISTINCT p FROM t")]
    found = pages(node, "WHERE s = 1 ALLOW FILTERING", page=5, what="p")
    assert found == [*([p for p in order[place : place + 5] if p % 2] for place in (0, 5, 10, 15)), []]


def test_through_an_index_too(node):
    node.run("CREATE INDEX ON t (v)")
    for c in range(12):
        node.run("INSERT INTO t (p, c, v, s) VALUES (1, ?, 0, 1)", c)
    found = pages(node, "WHERE v = 0 AND c > 6 ALLOW FILTERING", page=5)
    assert joined(found) == [7, 8, 9, 10, 11]


# ---------------------------------------------------------------- all together


STATEMENTS = [
    "SELECT * FROM t",
    "SELECT p, c FROM t PER PARTITION LIMIT 3",
    "SELECT p, c FROM t LIMIT 9",
    "SELECT DISTINCT p, s FROM t",
    "SELECT * FROM t WHERE p = 1",
    "SELECT * FROM t WHERE p = 1 AND c > 3 AND c < 17",
    "SELECT * FROM t WHERE p = 1 AND c IN (1, 5, 9, 12, 18)",
    "SELECT * FROM t WHERE p = 1 ORDER BY c DESC",
    "SELECT * FROM t WHERE p = 1 AND c > 3 ORDER BY c DESC LIMIT 4",
    "SELECT * FROM t WHERE p IN (0, 1, 2)",
    "SELECT * FROM t WHERE v > 1 ALLOW FILTERING",
    "SELECT * FROM t WHERE v > 1 LIMIT 3 ALLOW FILTERING",
    "SELECT * FROM t WHERE s = 1 AND v > 1 ALLOW FILTERING",
    "SELECT * FROM t WHERE v = 1",
    "SELECT * FROM t WHERE v = 1 PER PARTITION LIMIT 2",
    "SELECT * FROM t WHERE v = 1 AND s = 1 ALLOW FILTERING",
]
CHANGES = st.one_of(
    st.tuples(
        st.just("INSERT INTO t (p, c, v) VALUES (?, ?, ?)"), st.integers(0, 2), st.integers(0, 19), st.integers(0, 3)
    ),
    st.tuples(st.just("INSERT INTO t (p, s) VALUES (?, ?)"), st.integers(0, 2), st.integers(0, 1)),
    st.tuples(st.just("DELETE FROM t WHERE p = ? AND c = ?"), st.integers(0, 2), st.integers(0, 19)),
    st.tuples(st.just("DELETE FROM t WHERE p = ? AND c >= ? AND c < ?"), st.integers(0, 2), *[st.integers(0, 19)] * 2),
    st.tuples(st.just("DELETE FROM t WHERE p = ?"), st.integers(0, 2)),
)  # fmt: skip


@settings(deadline=None, max_examples=12)
@given(
    changes=st.lists(CHANGES, min_size=20, max_size=60),
    page=st.integers(1, 6),
    tombstones=st.integers(1, 5),
    size=st.integers(10, 200),
)
def test_the_pages_are_the_whole_wherever_they_end(changes, page, tombstones, size):
    node = Asking()
    node.run("CREATE TABLE t (p int, c int, v int, s int static, PRIMARY KEY (p, c))")
    node.run("CREATE INDEX ON t (v)")
    for text, *values in changes:
        node.run(text, *values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collect, "PAGE_TOMBSTONES", tombstones)
        patch.setattr(collect, "PAGE_BYTES", size)
        patch.setattr(select_plan, "PAGE_BYTES", size)
        for text in STATEMENTS:
            assert joined(node.paged(text, page=page)) == node.rows(text), text
