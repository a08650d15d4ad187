"""Paging: whatever the page size, the pages together are the whole result, once, in its order."""

from __future__ import annotations

import itertools

import pytest
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.query import SimpleStatement

SIZES = (1, 2, 3, 5, 7, 1000)


@pytest.fixture(scope="module")
def sections(session, keyspace) -> str:
    """Partitions of 0 to 5 rows; all have a static value, and 0 has only that."""
    table = f"{keyspace}.sections"
    session.execute(f"CREATE TABLE {table} (p int, c int, v int, s int static, PRIMARY KEY (p, c))")
    for p in range(6):
        session.execute(f"INSERT INTO {table} (p, s) VALUES ({p}, {p * 100})")
        for c in range(p):
            session.execute(f"INSERT INTO {table} (p, c, v) VALUES ({p}, {c}, {c % 2})")
    return table


def pages(session, statement: str, size: int) -> list[list[tuple]]:
    """The pages of a result, the paging state carried by hand as a web shop would between two requests."""
    found, state = [], None
    while True:
        result = session.execute(SimpleStatement(statement, fetch_size=size), paging_state=state)
        found.append([tuple(row) for row in result.current_rows])
        state = result.paging_state
        if state is None:
            return found
        assert len(found) < 200, "the pages do not end"


def whole(session, statement: str) -> list[tuple]:
    return list(itertools.chain(*pages(session, statement, 10_000)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "select",
    [
        "* FROM {t}",
        "p, c FROM {t}",
        "s FROM {t}",
        "DISTINCT p, s FROM {t}",
        "* FROM {t} WHERE p = 5",
        "* FROM {t} WHERE p = 5 ORDER BY c DESC",
        "* FROM {t} WHERE p = 5 AND c >= 1 AND c < 4",
        "* FROM {t} WHERE p = 5 AND c IN (0, 2, 4)",
        "* FROM {t} WHERE p IN (1, 3, 5)",
        "* FROM {t} WHERE p IN (0, 5, 4) AND c > 0",
        "* FROM {t} PER PARTITION LIMIT 2",
        "* FROM {t} LIMIT 7",
        "* FROM {t} PER PARTITION LIMIT 1 LIMIT 4",
        "* FROM {t} WHERE v = 1 ALLOW FILTERING",
        "* FROM {t} WHERE s >= 300 ALLOW FILTERING",
        "* FROM {t} WHERE token(p) > -4069959284402364209",
        "* FROM {t} WHERE p = 0",
        "* FROM {t} WHERE p = 99",
        "count(*) FROM {t}",
    ],
)
def test_pages_are_the_whole(sections, session, select, size):
    statement = "SELECT " + select.format(t=sections)
    found = pages(session, statement, size)
    assert list(itertools.chain(*found)) == whole(session, statement)
    assert all(len(page) <= size for page in found)


def test_full_pages_are_full(sections, session):
    """Without a filter, each page but the last is as large as was asked for."""
    sizes = [len(page) for page in pages(session, f"SELECT * FROM {sections}", 4)]
    assert sizes[:-1] == [4] * (len(sizes) - 1)
    assert sum(sizes) == 16


def test_no_more_pages_than_needed(sections, session):
    """A result that fits on its page says so: there is no paging state to follow."""
    assert len(pages(session, f"SELECT * FROM {sections} WHERE p = 5", 6)) == 1
    assert len(pages(session, f"SELECT * FROM {sections} WHERE p = 5 LIMIT 2", 2)) == 1


def test_a_driver_goes_through_all_pages(sections, session):
    """Who iterates over a result sees no pages at all."""
    prepared = session.prepare(f"SELECT c FROM {sections} WHERE p = ?")
    prepared.fetch_size = 2
    result = session.execute(prepared, [5])
    assert result.has_more_pages
    assert [c for (c,) in result] == [0, 1, 2, 3, 4]


def test_paging_can_be_switched_off(sections, session):
    result = session.execute(SimpleStatement(f"SELECT * FROM {sections}", fetch_size=None))
    assert not result.has_more_pages
    assert len(result.current_rows) == 16


def test_rows_written_behind_the_page_are_seen(create, session):
    """A paging state is a place, not a snapshot."""
    table = create("(p int, c int, PRIMARY KEY (p, c))")
    for c in (1, 2, 5):
        session.execute(f"INSERT INTO {table} (p, c) VALUES (1, {c})")
    ask = SimpleStatement(f"SELECT c FROM {table} WHERE p = 1", fetch_size=2)
    first = session.execute(ask)
    assert [c for (c,) in first.current_rows] == [1, 2]
    session.execute(f"INSERT INTO {table} (p, c) VALUES (1, 0)")
    session.execute(f"INSERT INTO {table} (p, c) VALUES (1, 3)")
    session.execute(f"DELETE FROM {table} WHERE p = 1 AND c = 2")
    assert [c for (c,) in session.execute(ask, paging_state=first.paging_state)] == [3, 5]


def test_a_partition_deleted_between_two_pages(create, session):
    table = create("(p int, c int, PRIMARY KEY (p, c))")
    for p, c in itertools.product(range(3), range(3)):
        session.execute(f"INSERT INTO {table} (p, c) VALUES ({p}, {c})")
    ask = SimpleStatement(f"SELECT p, c FROM {table}", fetch_size=2)
    first = session.execute(ask)
    p = first.current_rows[0][0]
    session.execute(f"DELETE FROM {table} WHERE p = {p}")
    rest = list(session.execute(ask, paging_state=first.paging_state))
    assert sorted(rest) == sorted((q, c) for q in range(3) if q != p for c in range(3))


def test_the_page_size_may_change_on_the_way(sections, session):
    statement = f"SELECT * FROM {sections}"
    first = session.execute(SimpleStatement(statement, fetch_size=3))
    rest = session.execute(SimpleStatement(statement, fetch_size=100), paging_state=first.paging_state)
    assert [tuple(r) for r in [*first.current_rows, *rest.current_rows]] == whole(session, statement)


def test_few_tombstones_fill_no_page(create, session):
    """Deleted rows are read and passed over."""
    table = create("(p int, c int, PRIMARY KEY (p, c))")
    for c in range(30):
        session.execute(f"INSERT INTO {table} (p, c) VALUES (1, {c})")
    session.execute(f"DELETE FROM {table} WHERE p = 1 AND c >= 2 AND c < 28")
    found = pages(session, f"SELECT c FROM {table} WHERE p = 1", 3)
    assert list(itertools.chain(*found)) == [(0,), (1,), (28,), (29,)]


@pytest.mark.differs("cassandra", "it counts rows only")
def test_a_page_ends_at_a_mebibyte(create, session):
    table = create("(p int, c int, v blob, PRIMARY KEY (p, c))")
    insert = session.prepare(f"INSERT INTO {table} (p, c, v) VALUES (1, ?, ?)")
    execute_concurrent_with_args(session, insert, [(c, b"x" * 10_240) for c in range(300)])
    found = pages(session, f"SELECT c, v FROM {table} WHERE p = 1", 5000)
    assert [c for c, _ in itertools.chain(*found)] == list(range(300))
    assert all(90 <= len(page) <= 110 for page in found[:-1])
    whole = session.execute(SimpleStatement(f"SELECT c, v FROM {table} WHERE p = 1", fetch_size=None))
    assert len(whole.current_rows) == 300


@pytest.mark.differs("cassandra", "it counts rows only")
def test_a_page_ends_at_ten_thousand_tombstones(create, session):
    """Though nothing is on it: who asks for the first row of such a page gets none."""
    table = create("(p int, c int, PRIMARY KEY (p, c))")
    for begin in range(0, 12_000, 500):
        deletes = "".join(f"DELETE FROM {table} WHERE p = 1 AND c = {c};" for c in range(begin, begin + 500))
        session.execute(f"BEGIN UNLOGGED BATCH {deletes} APPLY BATCH")
    session.execute(f"INSERT INTO {table} (p, c) VALUES (1, 12000)")
    ask = f"SELECT c FROM {table} WHERE p = 1"
    assert pages(session, ask, 100) == [[], [(12_000,)]]
    assert session.execute(SimpleStatement(ask, fetch_size=100)).one() is None
    assert list(session.execute(SimpleStatement(ask, fetch_size=100))) == [(12_000,)]
    assert session.execute(SimpleStatement(ask, fetch_size=None)).one() == (12_000,)


@pytest.mark.differs("cassandra", "its pages have as many rows as pass")
def test_where_rows_are_filtered_the_page_counts_what_was_read(create, session):
    table = create("(p int, c int, v int, PRIMARY KEY (p, c))")
    for c in range(12):
        session.execute(f"INSERT INTO {table} (p, c, v) VALUES (1, {c}, {c % 4})")
    found = pages(session, f"SELECT c FROM {table} WHERE p = 1 AND v = 3 ALLOW FILTERING", 5)
    assert found == [[(3,)], [(7,)], [(11,)], []], "and it cannot know that a short page is the last"


@pytest.mark.parametrize("size", [1, 2, 100])
def test_pages_through_an_index(create, session, size):
    table = create("(p int, c int, v int, PRIMARY KEY (p, c))")
    session.execute(f"CREATE INDEX ON {table} (v)")
    for p, c in itertools.product(range(3), range(3)):
        session.execute(f"INSERT INTO {table} (p, c, v) VALUES ({p}, {c}, {c % 2})")
    found = pages(session, f"SELECT p, c FROM {table} WHERE v = 0", size)
    assert sorted(itertools.chain(*found)) == sorted((p, c) for p in range(3) for c in (0, 2))


@pytest.mark.parametrize("size", [1, 3, 100])
def test_pages_through_a_view(create, session, size):
    table = create("(p int, c int, v int, PRIMARY KEY (p, c))")
    view = f"{table}_v"
    session.execute(
        f"CREATE MATERIALIZED VIEW {view} AS SELECT * FROM {table} "
        "WHERE p IS NOT NULL AND c IS NOT NULL AND v IS NOT NULL PRIMARY KEY (v, c, p)"
    )
    for p, c in itertools.product(range(3), range(3)):
        session.execute(f"INSERT INTO {table} (p, c, v) VALUES ({p}, {c}, 1)")
    ask = f"SELECT c, p FROM {view} WHERE v = 1"
    for _ in range(1000):  # a view follows its table in its own time
        if len(whole(session, ask)) == 9:
            break
    assert list(itertools.chain(*pages(session, ask, size))) == sorted(itertools.product(range(3), range(3)))
    session.execute(f"DROP MATERIALIZED VIEW {view}")
