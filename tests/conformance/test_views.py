"""Materialized views follow their base table: every kind of change, TTLs, timestamps, filters."""

import pytest

from tests.patience import HOUR

from .conftest import eventually

WIDE = "(p int, c int, a int, b int, PRIMARY KEY (p, c))"


@pytest.fixture
def pair(create, run):
    """``pair(columns, select, where, key)`` makes a table and a view of it; both names."""
    made = []

    def make(columns, select, where, key, options=""):
        table = create(columns)
        run(
            f"CREATE MATERIALIZED VIEW {table}_v AS SELECT {select} FROM {table} WHERE {where} "
            f"PRIMARY KEY ({key}) {options}"
        )
        made.append(f"{table}_v")
        return table, f"{table}_v"

    yield make
    for view in made:
        run(f"DROP MATERIALIZED VIEW IF EXISTS {view}")


@pytest.fixture
def by_a(pair):
    """A view whose key has the regular column a."""
    return pair(WIDE, "*", "a IS NOT NULL AND p IS NOT NULL AND c IS NOT NULL", "a, p, c")


@pytest.fixture
def by_c(pair):
    """A view whose key is the base's in another order."""
    return pair(WIDE, "*", "p IS NOT NULL AND c IS NOT NULL", "c, p")


@pytest.fixture
def shows(run):
    """Whether the view comes to have exactly these rows."""

    def check(view, expected, columns="*"):
        answer = eventually(lambda: sorted(run(f"SELECT {columns} FROM {view}"), key=str) == sorted(expected, key=str))
        assert answer, run(f"SELECT {columns} FROM {view}")

    return check


# ---------------------------------------------------------------- a regular column in the key


def test_insert(by_a, run, shows):
    table, view = by_a
    run(f"INSERT INTO {table} (p, c, a, b) VALUES (1, 2, 3, 4)")
    shows(view, [(3, 1, 2, 4)])


def test_row_without_the_key_column_is_not_in_the_view(by_a, run, shows):
    table, view = by_a
    run(f"INSERT INTO {table} (p, c, b) VALUES (1, 2, 4)")
    run(f"INSERT INTO {table} (p, c, a) VALUES (1, 3, 5)")
    shows(view, [(5, 1, 3, None)])


def test_change_of_the_key_column_moves_the_row(by_a, run, shows):
    table, view = by_a
    run(f"INSERT INTO {table} (p, c, a, b) VALUES (1, 2, 3, 4)")
    run(f"UPDATE {table} SET a = 30 WHERE p = 1 AND c = 2")
    shows(view, [(30, 1, 2, 4)])
    assert run(f"SELECT * FROM {view} WHERE a = 3") == []


def test_there_and_back(by_a, run, shows):
    """The tombstone left in the old place must not hide the row when it comes back."""
    table, view = by_a
    run(f"INSERT INTO {table} (p, c, a, b) VALUES (1, 2, 3, 4)")
    for a in (30, 3, 30, 3):
        run(f"UPDATE {table} SET a = {a} WHERE p = 1 AND c = 2")
        shows(view, [(a, 1, 2, 4)])


def test_null_key_takes_the_row_out(by_a, run, shows):
    table, view = by_a
    run(f"INSERT INTO {table} (p, c, a, b) VALUES (1, 2, 3, 4)")
    run(f"UPDATE {table} SET a = null WHERE p = 1 AND c = 2")
    shows(view, [])
    run(f"UPDATE {table} SET a = 5 WHERE p = 1 AND c = 2")
    shows(view, [(5, 1, 2, 4)])
    run(f"DELETE a FROM {table} WHERE p = 1 AND c = 2")
    shows(view, [])


def test_change_of_another_column(by_a, run, shows):
    table, view = by_a
    run(f"INSERT INTO {table} (p, c, a) VALUES (1, 2, 3)")
    run(f"UPDATE {table} SET b = 9 WHERE p = 1 AND c = 2")
    shows(view, [(3, 1, 2, 9)])
    run(f"DELETE b FROM {table} WHERE p = 1 AND c = 2")
    shows(view, [(3, 1, 2, None)])


@pytest.mark.parametrize(
    "deletion, left", [("p = 1 AND c = 2", 1), ("p = 1", 0), ("p = 1 AND c > 2", 1), ("p = 1 AND c >= 2", 0)]
)
def test_deletions(by_a, run, shows, deletion, left):
    table, view = by_a
    run(f"INSERT INTO {table} (p, c, a, b) VALUES (1, 2, 3, 4)")
    run(f"INSERT INTO {table} (p, c, a, b) VALUES (1, 3, 3, 5)")
    run(f"DELETE FROM {table} WHERE {deletion}")
    assert eventually(lambda: len(run(f"SELECT * FROM {view}")) == left)
    assert len(run(f"SELECT * FROM {table}")) == left


def test_truncate(by_a, run, shows):
    table, view = by_a
    run(f"INSERT INTO {table} (p, c, a) VALUES (1, 2, 3)")
    run(f"TRUNCATE {table}")
    shows(view, [])


def test_batch_of_changes(by_a, run, shows):
    table, view = by_a
    run(f"INSERT INTO {table} (p, c, a, b) VALUES (1, 1, 1, 1)")
    run(
        f"BEGIN BATCH UPDATE {table} SET a = 2 WHERE p = 1 AND c = 1; INSERT INTO {table} (p, c, a) VALUES (1, 2, 2); "
        f"INSERT INTO {table} (p, c, a) VALUES (1, 3, 3); APPLY BATCH"
    )
    shows(view, [(2, 1, 1, 1), (2, 1, 2, None), (3, 1, 3, None)])


def test_transactions_reach_the_view(by_a, run, shows):
    table, view = by_a
    run(f"INSERT INTO {table} (p, c, a) VALUES (1, 1, 1) IF NOT EXISTS")
    run(f"UPDATE {table} SET a = 2 WHERE p = 1 AND c = 1 IF a = 1")
    run(f"UPDATE {table} SET a = 3 WHERE p = 1 AND c = 1 IF a = 1")
    shows(view, [(2, 1, 1, None)])


def test_updates_alone_make_rows_too(by_a, run, shows):
    table, view = by_a
    run(f"UPDATE {table} SET a = 3, b = 4 WHERE p = 1 AND c = 2")
    shows(view, [(3, 1, 2, 4)])
    run(f"DELETE a, b FROM {table} WHERE p = 1 AND c = 2")
    shows(view, [])


# ---------------------------------------------------------------- the base's own key, in another order


def test_same_key_in_another_order(by_c, run, shows):
    table, view = by_c
    run(f"INSERT INTO {table} (p, c, a) VALUES (1, 2, 3)")
    run(f"INSERT INTO {table} (p, c) VALUES (5, 2)")
    shows(view, [(2, 1, 3, None), (2, 5, None, None)])
    run(f"DELETE FROM {table} WHERE p = 1")
    shows(view, [(2, 5, None, None)])


def test_row_kept_alive_by_a_column_that_the_view_does_not_show(pair, run, shows):
    """Made by UPDATE, the row lives by b alone; the view does not show b and still must have the row."""
    table, view = pair(WIDE, "p, c, a", "p IS NOT NULL AND c IS NOT NULL", "c, p")
    run(f"UPDATE {table} SET b = 1 WHERE p = 1 AND c = 2")
    shows(view, [(2, 1, None)])
    run(f"UPDATE {table} SET b = null WHERE p = 1 AND c = 2")
    shows(view, [])


def test_row_kept_alive_by_a_collection(pair, run, shows):
    table, view = pair(
        "(p int, c int, m map<int, int>, PRIMARY KEY (p, c))", "p, c", "p IS NOT NULL AND c IS NOT NULL", "c, p"
    )
    run(f"UPDATE {table} SET m[1] = 1 WHERE p = 1 AND c = 2")
    shows(view, [(2, 1)])
    run(f"DELETE m[1] FROM {table} WHERE p = 1 AND c = 2")
    shows(view, [])


def test_collections_in_views(pair, run, shows):
    table, view = pair("(p int PRIMARY KEY, a int, l list<int>)", "*", "a IS NOT NULL AND p IS NOT NULL", "a, p")
    run(f"INSERT INTO {table} (p, a, l) VALUES (1, 2, [1])")
    run(f"UPDATE {table} SET l = l + [2] WHERE p = 1")
    shows(view, [(2, 1, [1, 2])])
    run(f"UPDATE {table} SET l = [7] WHERE p = 1")
    shows(view, [(2, 1, [7])])
    run(f"UPDATE {table} SET a = 3 WHERE p = 1")
    shows(view, [(3, 1, [7])])


# ---------------------------------------------------------------- filters


@pytest.mark.differs("cassandra", "filters on the base's key only")
def test_filter_on_the_added_key_column(pair, run, shows):
    """The shop's own view: only what is still available. (Only ScyllaDB filters on that column.)"""
    table, view = pair(
        "(event int, seat int, status text, PRIMARY KEY (event, seat))",
        "*",
        "event IS NOT NULL AND seat IS NOT NULL AND status = 'AVAILABLE'",
        "(event, status), seat",
    )
    run(f"INSERT INTO {table} (event, seat, status) VALUES (1, 1, 'AVAILABLE')")
    run(f"INSERT INTO {table} (event, seat, status) VALUES (1, 2, 'SOLD')")
    shows(view, [(1, "AVAILABLE", 1)])
    run(f"UPDATE {table} SET status = 'SOLD' WHERE event = 1 AND seat = 1")
    shows(view, [])
    run(f"UPDATE {table} SET status = 'AVAILABLE' WHERE event = 1 AND seat = 2")
    shows(view, [(1, "AVAILABLE", 2)])


@pytest.mark.parametrize(
    "where, expected",
    [
        ("p = 1 AND c IS NOT NULL", {(1, 1), (1, 2), (1, 3)}),
        ("p IS NOT NULL AND c > 1", {(1, 2), (1, 3), (2, 2), (2, 3)}),
        ("p IS NOT NULL AND c IN (1, 3)", {(1, 1), (1, 3), (2, 1), (2, 3)}),
        ("p = 2 AND c >= 2 AND c < 3", {(2, 2)}),
        ("p IN (2, 9) AND c = 1", {(2, 1)}),
    ],
)
def test_filters_on_key_columns(pair, run, where, expected):
    table, view = pair("(p int, c int, v int, PRIMARY KEY (p, c))", "*", where, "c, p")
    for p in (1, 2):
        for c in (1, 2, 3):
            run(f"INSERT INTO {table} (p, c, v) VALUES ({p}, {c}, 0)")
    assert eventually(lambda: set(run(f"SELECT p, c FROM {view}")) == expected)
    run(f"DELETE FROM {table} WHERE p = 2")
    assert eventually(lambda: set(run(f"SELECT p, c FROM {view}")) == {key for key in expected if key[0] != 2})


@pytest.mark.differs("cassandra", "filters on the base's key only")
def test_filter_after_the_base_was_altered(pair, run, shows):
    table, view = pair("(p int PRIMARY KEY, v int)", "*", "v >= 0 AND p IS NOT NULL", "v, p")
    run(f"INSERT INTO {table} (p, v) VALUES (1, 1)")
    shows(view, [(1, 1)])
    run(f"ALTER TABLE {table} WITH comment = 'altered'")
    run(f"UPDATE {table} SET v = -1 WHERE p = 1")
    shows(view, [])


# ---------------------------------------------------------------- building


def test_building_over_what_is_there(create, run):
    table = create(WIDE)
    for c in range(300):
        run(f"INSERT INTO {table} (p, c, a) VALUES (1, {c}, {c % 7})")
    run(f"DELETE FROM {table} WHERE p = 1 AND c < 100")
    run(
        f"CREATE MATERIALIZED VIEW {table}_v AS SELECT * FROM {table} WHERE a IS NOT NULL AND p IS NOT NULL "
        "AND c IS NOT NULL PRIMARY KEY (a, p, c)"
    )
    assert eventually(lambda: len(run(f"SELECT * FROM {table}_v")) == 200)
    run(f"DROP MATERIALIZED VIEW {table}_v")


def test_many_rows_deleted_at_once(by_a, run):
    table, view = by_a
    for c in range(150):
        run(f"INSERT INTO {table} (p, c, a) VALUES (1, {c}, {c})")
    run(f"DELETE FROM {table} WHERE p = 1")
    assert eventually(lambda: run(f"SELECT * FROM {view}") == [])


# ---------------------------------------------------------------- order, names, odd keys


def test_clustering_order_of_a_view(pair, run):
    table, view = pair(
        WIDE,
        "*",
        "p IS NOT NULL AND c IS NOT NULL AND a IS NOT NULL",
        "p, c, a",
        "WITH CLUSTERING ORDER BY (c DESC, a ASC)",
    )
    for c in range(4):
        run(f"INSERT INTO {table} (p, c, a) VALUES (1, {c}, {c})")
    assert eventually(lambda: run(f"SELECT c FROM {view}") == [(3,), (2,), (1,), (0,)])


@pytest.mark.differs("cassandra", "a view inherits the base's order there")
def test_order_is_ascending_unless_said(create, run):
    table = create("(p int, c int, PRIMARY KEY (p, c))", "WITH CLUSTERING ORDER BY (c DESC)")
    run(
        f"CREATE MATERIALIZED VIEW {table}_v AS SELECT * FROM {table} WHERE p IS NOT NULL AND c IS NOT NULL "
        "PRIMARY KEY (p, c)"
    )
    for c in range(3):
        run(f"INSERT INTO {table} (p, c) VALUES (1, {c})")
    assert run(f"SELECT c FROM {table}_v") == [(0,), (1,), (2,)]
    run(f"DROP MATERIALIZED VIEW {table}_v")


@pytest.mark.parametrize("column", ['"dog"', '"Dog"', "DOG", '"to"', "int"])
def test_quoted_names(pair, run, shows, column):
    table, view = pair(
        f"(p int PRIMARY KEY, {column} int)", "*", f"{column} IS NOT NULL AND p IS NOT NULL", f"{column}, p"
    )
    run(f"INSERT INTO {table} (p, {column}) VALUES (1, 2)")
    shows(view, [(2, 1)])


def test_empty_string_as_the_views_partition_key(pair, run, shows):
    """No base table may have it; in a view it is a value like any other."""
    table, view = pair("(p int PRIMARY KEY, v text)", "*", "v IS NOT NULL AND p IS NOT NULL", "v, p")
    run(f"INSERT INTO {table} (p, v) VALUES (123, '')")
    run(f"INSERT INTO {table} (p, v) VALUES (1, 'dog')")
    shows(view, [("", 123), ("dog", 1)])


@pytest.mark.differs("cassandra", "refuses to ask for the empty key")
def test_reading_the_empty_partition_key(pair, run):
    table, view = pair("(p int PRIMARY KEY, v text)", "*", "v IS NOT NULL AND p IS NOT NULL", "v, p")
    run(f"INSERT INTO {table} (p, v) VALUES (123, '')")
    assert run(f"SELECT * FROM {view} WHERE v = ''") == [("", 123)]


def test_static_columns_stay_out_of_it(create, run):
    table = create("(p int, c int, v int, s int static, PRIMARY KEY (p, c))")
    run(
        f"CREATE MATERIALIZED VIEW {table}_v AS SELECT p, c, v FROM {table} WHERE p = 42 AND c IS NOT NULL "
        "AND v IS NOT NULL PRIMARY KEY (p, c, v)"
    )
    run(f"INSERT INTO {table} (p, c, v, s) VALUES (42, 43, 44, 1)")
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    run(f"INSERT INTO {table} (p, s) VALUES (42, 5)")
    assert eventually(lambda: run(f"SELECT * FROM {table}_v") == [(42, 43, 44)])
    run(f"DROP MATERIALIZED VIEW {table}_v")


# ---------------------------------------------------------------- timestamps and TTLs


def test_a_late_write_changes_nothing(by_a, run, shows):
    table, view = by_a
    run(f"INSERT INTO {table} (p, c, a, b) VALUES (1, 2, 3, 4) USING TIMESTAMP 2000")
    run(f"UPDATE {table} USING TIMESTAMP 1000 SET a = 9 WHERE p = 1 AND c = 2")
    shows(view, [(3, 1, 2, 4)])


def test_timestamps_come_over(by_a, run):
    table, view = by_a
    run(f"INSERT INTO {table} (p, c, a, b) VALUES (1, 2, 3, 4) USING TIMESTAMP 2000")
    assert eventually(lambda: run(f"SELECT WRITETIME(b) FROM {view}") == [(2000,)])


def test_deletion_of_a_part_by_timestamp(by_a, run):
    """Of a partition's rows only those older than the deletion go, in the view as in the base."""
    table, view = by_a
    for c in range(20):
        run(f"INSERT INTO {table} (p, c, a, b) VALUES (1, {c}, {c}, 0) USING TIMESTAMP {1000 + c}")
    run(f"DELETE FROM {table} USING TIMESTAMP 1010 WHERE p = 1")
    left = [(c,) for c in range(11, 20)]
    assert run(f"SELECT c FROM {table}") == left
    assert eventually(lambda: sorted(run(f"SELECT c FROM {view}")) == left)


def test_ttl_comes_over(by_a, run, left):
    table, view = by_a
    run(f"INSERT INTO {table} (p, c, a, b) VALUES (1, 2, 3, 4) USING TTL 1000")
    assert eventually(lambda: run(f"SELECT TTL(b) FROM {view}"))
    assert run(f"SELECT TTL(b) FROM {view}")[0][0] in left(1000)


@pytest.mark.embedded
def test_the_key_column_s_ttl_ends_the_row(by_a, run, engine, shows):
    """The base row goes on without it; the view cannot show a row without its key."""
    table, view = by_a
    run(f"INSERT INTO {table} (p, c, a, b) VALUES (1, 2, 3, 4)")
    run(f"UPDATE {table} USING TTL 1000 SET a = 3 WHERE p = 1 AND c = 2")
    shows(view, [(3, 1, 2, 4)])
    engine.control("push_clock", seconds=1001)
    assert run(f"SELECT * FROM {table}") == [(1, 2, None, 4)]
    shows(view, [])


@pytest.mark.embedded
def test_another_column_s_ttl_ends_only_that(by_a, run, engine, shows):
    table, view = by_a
    run(f"INSERT INTO {table} (p, c, a) VALUES (1, 2, 3)")
    run(f"UPDATE {table} USING TTL 1000 SET b = 4 WHERE p = 1 AND c = 2")
    shows(view, [(3, 1, 2, 4)])
    engine.control("push_clock", seconds=1001)
    shows(view, [(3, 1, 2, None)])


@pytest.mark.embedded
def test_row_and_view_expire_together(by_c, run, engine, shows):
    table, view = by_c
    run(f"INSERT INTO {table} (p, c, a) VALUES (1, 2, 3) USING TTL 1000")
    shows(view, [(2, 1, 3, None)])
    engine.control("push_clock", seconds=1001)
    assert run(f"SELECT * FROM {table}") == []
    shows(view, [])


@pytest.mark.embedded
def test_expired_key_can_be_set_again(by_a, run, engine, shows):
    table, view = by_a
    run(f"INSERT INTO {table} (p, c, b) VALUES (1, 2, 4)")
    run(f"UPDATE {table} USING TTL 1000 SET a = 3 WHERE p = 1 AND c = 2")
    engine.control("push_clock", seconds=1001)
    run(f"UPDATE {table} SET a = 5 WHERE p = 1 AND c = 2")
    shows(view, [(5, 1, 2, 4)])
    run(f"UPDATE {table} SET a = 3 WHERE p = 1 AND c = 2")
    shows(view, [(3, 1, 2, 4)])


@pytest.mark.embedded
def test_views_can_be_made_to_lag(by_a, run, engine):
    """A knob for teaching: on a cluster a view follows in its own time."""
    table, view = by_a
    engine.control("delay_views", milliseconds=1000 * HOUR)
    try:
        run(f"INSERT INTO {table} (p, c, a) VALUES (1, 2, 3)")
        assert run(f"SELECT * FROM {view}") == []
    finally:
        engine.control("delay_views", milliseconds=0)
    assert run(f"SELECT * FROM {view}") == [(3, 1, 2, None)]
