"""TTL: how long a value lives, what TTL() and WRITETIME() say of it, and what is left when it is gone."""

from collections.abc import Callable

import pytest
from cassandra import InvalidRequest
from cassandra.protocol import ConfigurationException, SyntaxException
from cassandra.query import UNSET_VALUE

from .conftest import eventually

words = pytest.mark.differs("cassandra", "words of its own")
MOST = 20 * 365 * 24 * 3600


@pytest.fixture
def table(create):
    return create("(p int PRIMARY KEY, a int, b int)")


@pytest.fixture
def brief(create):
    return create("(p int PRIMARY KEY, a int)", "WITH default_time_to_live = 100")


def ttl(run, table, column="a", p=1):
    return run(f"SELECT TTL({column}) FROM {table} WHERE p = {p}")[0][0]


# ---------------------------------------------------------------- on any engine, by short TTLs


def test_a_row_ends(table, run):
    run(f"INSERT INTO {table} (p, a) VALUES (1, 1) USING TTL 1")
    assert eventually(lambda: run(f"SELECT * FROM {table}") == [])


def test_ttl_counts_down(table, run, left):
    run(f"INSERT INTO {table} (p, a) VALUES (1, 1) USING TTL 1000")
    assert ttl(run, table) in left(1000)


def test_no_ttl_is_null(table, run):
    run(f"INSERT INTO {table} (p, a) VALUES (1, 1)")
    assert ttl(run, table) is None


def test_names_of_the_answers(table, session):
    answer = session.execute(f"SELECT TTL(a), WRITETIME(a), ttl(b) AS left FROM {table}")
    assert answer.column_names == ["ttl(a)", "writetime(a)", "left"]


def test_null_has_neither(table, run):
    run(f"INSERT INTO {table} (p, a) VALUES (1, null)")
    assert run(f"SELECT TTL(a), WRITETIME(a), TTL(b), WRITETIME(b) FROM {table}") == [(None,) * 4]


def test_every_column_has_its_own(table, run):
    run(f"INSERT INTO {table} (p, a) VALUES (1, 1) USING TTL 1000")
    run(f"UPDATE {table} SET b = 1 WHERE p = 1")
    assert ttl(run, table, "b") is None and ttl(run, table, "a") is not None


def test_a_new_write_has_no_ttl(table, run):
    """Updating a column does not keep its TTL."""
    run(f"INSERT INTO {table} (p, a) VALUES (1, 1) USING TTL 1000")
    run(f"UPDATE {table} SET a = 2 WHERE p = 1")
    assert ttl(run, table) is None


def test_default_of_the_table(brief, run, left):
    run(f"INSERT INTO {brief} (p, a) VALUES (1, 1)")
    run(f"UPDATE {brief} SET a = 1 WHERE p = 2")
    assert ttl(run, brief) in left(100) and ttl(run, brief, p=2) in left(100)


def test_own_ttl_goes_before_the_default(brief, run, left):
    run(f"INSERT INTO {brief} (p, a) VALUES (1, 1) USING TTL 5000")
    assert ttl(run, brief) in left(5000)


def test_zero_is_for_ever_even_with_a_default(brief, run):
    run(f"INSERT INTO {brief} (p, a) VALUES (1, 1) USING TTL 0")
    assert ttl(run, brief) is None


def test_unset_is_the_default(brief, table, session, run):
    for name, expected in ((brief, 100), (table, None)):
        prepared = session.prepare(f"INSERT INTO {name} (p, a) VALUES (1, 1) USING TTL ?")
        session.execute(prepared, (UNSET_VALUE,))
        assert (ttl(run, name) is None) is (expected is None)


def test_altered_default_is_for_later_writes(brief, run):
    run(f"INSERT INTO {brief} (p, a) VALUES (1, 1)")
    run(f"ALTER TABLE {brief} WITH default_time_to_live = 0")
    run(f"INSERT INTO {brief} (p, a) VALUES (2, 1)")
    assert ttl(run, brief) is not None and ttl(run, brief, p=2) is None


def test_bound_ttl(table, session, run, left):
    prepared = session.prepare(f"UPDATE {table} USING TTL ? AND TIMESTAMP ? SET a = ? WHERE p = ?")
    session.execute(prepared, (500, 1234, 1, 1))
    assert run(f"SELECT WRITETIME(a) FROM {table}") == [(1234,)]
    assert ttl(run, table) in left(500)


@pytest.mark.parametrize("clause", ["TTL 500 AND TIMESTAMP 1234", "TIMESTAMP 1234 AND TTL 500"])
def test_clauses_in_any_order(table, run, clause):
    run(f"INSERT INTO {table} (p, a) VALUES (1, 1) USING {clause}")
    assert run(f"SELECT WRITETIME(a) FROM {table}") == [(1234,)]


def test_timestamp_does_not_move_the_end(table, run, left):
    """The end is now plus the TTL, whatever the write's timestamp says."""
    run(f"INSERT INTO {table} (p, a) VALUES (1, 1) USING TIMESTAMP 1234 AND TTL 500")
    assert ttl(run, table) in left(500)


def test_longest(table, run, left):
    run(f"INSERT INTO {table} (p, a) VALUES (1, 1) USING TTL {MOST}")
    assert ttl(run, table) in left(MOST)


@words
@pytest.mark.parametrize(
    "value, sentence",
    [
        (MOST + 1, f"ttl is too large. requested ({MOST + 1}) maximum ({MOST})"),
        (-1, "A TTL must be greater or equal to 0"),
    ],
)
def test_ttls_that_cannot_be(table, refused, session, value, sentence):
    assert sentence in refused(InvalidRequest, f"INSERT INTO {table} (p) VALUES (1) USING TTL {value}")
    prepared = session.prepare(f"INSERT INTO {table} (p) VALUES (1) USING TTL ?")
    with pytest.raises(InvalidRequest) as caught:
        session.execute(prepared, (value,))
    assert sentence in str(caught.value)


@words
def test_null_ttl(table, session):
    prepared = session.prepare(f"INSERT INTO {table} (p) VALUES (1) USING TTL ?")
    with pytest.raises(InvalidRequest, match="Invalid null value of TTL"):
        session.execute(prepared, (None,))


def test_delete_has_no_ttl(table, refused):
    refused(SyntaxException, f"DELETE FROM {table} USING TTL 5 WHERE p = 1")


@words
def test_negative_default(keyspace, refused):
    assert "default_time_to_live cannot be smaller than 0, (default 0)" in refused(
        ConfigurationException, f"CREATE TABLE {keyspace}.never (p int PRIMARY KEY) WITH default_time_to_live = -1"
    )


@words
@pytest.mark.parametrize(
    "function, sentence",
    [
        ("TTL(p)", "TTL is not legal on partition key component p"),
        ("WRITETIME(p)", "WRITETIME is not legal on partition key component p"),
        ("WRITETIME(m)", "WRITETIME"),
        ("TTL(m)", "TTL"),
        ("TTL(nowhere)", "Unrecognized name nowhere"),
    ],
)
def test_where_they_cannot_be_asked(create, refused, function, sentence):
    table = create("(p int PRIMARY KEY, m map<int, int>)")
    assert sentence in refused(InvalidRequest, f"SELECT {function} FROM {table}")


def test_of_frozen_collections_and_static_columns(create, run, left):
    table = create("(p int, c int, f frozen<list<int>>, s int static, PRIMARY KEY (p, c))")
    run(f"INSERT INTO {table} (p, c, f, s) VALUES (1, 1, [1], 5) USING TTL 1000 AND TIMESTAMP 77")
    ((frozen_ttl, written, static_ttl, static_written),) = run(
        f"SELECT TTL(f), WRITETIME(f), TTL(s), WRITETIME(s) FROM {table}"
    )
    assert frozen_ttl in left(1000) and static_ttl in left(1000) and written == static_written == 77


def test_ttl_in_a_batch(table, run, left):
    run(
        f"BEGIN BATCH INSERT INTO {table} (p, a) VALUES (1, 1) USING TTL 1000; UPDATE {table} SET b = 1 WHERE p = 1; "
        "APPLY BATCH"
    )
    assert ttl(run, table, "a") in left(1000) and ttl(run, table, "b") is None


@words
@pytest.mark.parametrize("first", [True, False])
def test_the_value_with_a_ttl_wins_a_tie(table, run, first):
    """Two writes with one timestamp: the one that expires is taken, then the one that expires later."""
    statements = [
        f"UPDATE {table} USING TIMESTAMP 5 AND TTL 1000 SET a = 1 WHERE p = 1",
        f"UPDATE {table} USING TIMESTAMP 5 SET a = 9 WHERE p = 1",
        f"UPDATE {table} USING TIMESTAMP 5 AND TTL 2000 SET a = 0 WHERE p = 1",
    ]
    for statement in statements if first else reversed(statements):
        run(statement)
    assert run(f"SELECT a FROM {table}") == [(0,)]


# ---------------------------------------------------------------- by the node's clock

pushed = pytest.mark.embedded


@pushed
def test_marker_expires_with_the_insert(table, run, engine):
    run(f"INSERT INTO {table} (p, a) VALUES (1, 1) USING TTL 10")
    run(f"UPDATE {table} SET b = 2 WHERE p = 1")
    engine.control("push_clock", seconds=11)
    assert run(f"SELECT * FROM {table}") == [(1, None, 2)]
    run(f"DELETE b FROM {table} WHERE p = 1")
    assert run(f"SELECT * FROM {table}") == []


@pushed
def test_row_outlives_a_column_with_ttl(table, run, engine):
    run(f"INSERT INTO {table} (p) VALUES (1)")
    run(f"UPDATE {table} USING TTL 10 SET a = 1 WHERE p = 1")
    engine.control("push_clock", seconds=11)
    assert run(f"SELECT * FROM {table}") == [(1, None, None)]


@pushed
def test_row_made_by_update_goes_with_its_last_column(table, run, engine):
    run(f"UPDATE {table} USING TTL 1000 SET a = 1 WHERE p = 1")
    run(f"UPDATE {table} USING TTL 2000 SET b = 1 WHERE p = 1")
    engine.control("push_clock", seconds=1001)
    assert run(f"SELECT * FROM {table}") == [(1, None, 1)]
    engine.control("push_clock", seconds=1000)
    assert run(f"SELECT * FROM {table}") == []


@pushed
def test_not_before_its_time(table, run, engine, left):
    run(f"INSERT INTO {table} (p, a) VALUES (1, 1) USING TTL 1000")
    engine.control("push_clock", seconds=900)
    assert ttl(run, table) in left(100)
    engine.control("push_clock", seconds=101)
    assert run(f"SELECT * FROM {table}") == []


@pushed
def test_expired_elements_leave_a_collection(create, run, engine):
    table = create("(p int PRIMARY KEY, m map<int, int>, l list<int>)")
    run(f"INSERT INTO {table} (p, m, l) VALUES (1, {{1: 1}}, [1])")
    run(f"UPDATE {table} USING TTL 10 SET m[2] = 2, l = l + [2] WHERE p = 1")
    engine.control("push_clock", seconds=11)
    ((found, items),) = run(f"SELECT m, l FROM {table}")
    assert dict(found) == {1: 1} and items == [1]


@pushed
def test_static_columns_expire(create, run, engine):
    table = create("(p int, c int, s int static, PRIMARY KEY (p, c))")
    run(f"INSERT INTO {table} (p, s) VALUES (1, 5) USING TTL 10")
    engine.control("push_clock", seconds=11)
    assert run(f"SELECT * FROM {table}") == []


@pushed
def test_after_expiry_an_older_write_stays_hidden(table, run, engine):
    """An expired value is a tombstone with the timestamp it was written with."""
    run(f"UPDATE {table} USING TIMESTAMP 1000 AND TTL 10 SET a = 1 WHERE p = 1")
    engine.control("push_clock", seconds=11)
    run(f"UPDATE {table} USING TIMESTAMP 900 SET a = 2 WHERE p = 1")
    assert run(f"SELECT * FROM {table}") == []


# ---------------------------------------------------------------- per-row TTL


def row_ttl(test: Callable[..., None]) -> Callable[..., None]:
    return pytest.mark.since("2026.2")(pytest.mark.differs("cassandra", "has no TTL of rows")(test))


@row_ttl
@pytest.mark.embedded  # elsewhere the scan is once a day
@pytest.mark.parametrize("kind, factor", [("timestamp", 1000), ("bigint", 1), ("int", 1)])
def test_rows_end_when_their_column_says(create, run, engine, kind, factor):
    table = create(f"(p int PRIMARY KEY, x int, e {kind} TTL)")
    run(f"INSERT INTO {table} (p, x) VALUES (2, 2)")
    ((written,),) = run(f"SELECT WRITETIME(x) FROM {table} WHERE p = 2")
    now = written // 1_000_000
    for p, end in ((1, now - 60), (3, now + 3600), (4, now - 6 * 365 * 24 * 3600), (5, 100)):
        run(f"INSERT INTO {table} (p, e) VALUES ({p}, {end * factor})")
    assert eventually(lambda: (1,) not in run(f"SELECT p FROM {table}"))
    # Never: no time at all. Not yet: an hour ahead. Surely a mistake: more than five years ago.
    assert sorted(run(f"SELECT p FROM {table}")) == [(2,), (3,), (4,), (5,)]
    engine.control("push_clock", seconds=3601)
    assert eventually(lambda: (3,) not in run(f"SELECT p FROM {table}"))


@row_ttl
@pytest.mark.embedded
def test_expired_rows_leave_views_and_indexes(create, run):
    table = create("(p int, c int, x int, e bigint TTL, PRIMARY KEY (p, c))")
    run(
        f"CREATE MATERIALIZED VIEW {table}_v AS SELECT * FROM {table} WHERE x IS NOT NULL AND p IS NOT NULL "
        "AND c IS NOT NULL PRIMARY KEY (x, p, c)"
    )
    run(f"CREATE INDEX ON {table} (x)")
    run(f"INSERT INTO {table} (p, c, x) VALUES (1, 1, 7)")
    run(f"INSERT INTO {table} (p, c, x) VALUES (1, 2, 7)")
    ((written,),) = run(f"SELECT WRITETIME(x) FROM {table} WHERE p = 1 AND c = 1")
    run(f"UPDATE {table} SET e = {written // 1_000_000 - 60} WHERE p = 1 AND c = 1")
    assert eventually(lambda: run(f"SELECT c FROM {table} WHERE p = 1") == [(2,)])
    assert run(f"SELECT c FROM {table}_v WHERE x = 7") == [(2,)]
    assert run(f"SELECT c FROM {table} WHERE x = 7") == [(2,)]
    run(f"DROP MATERIALIZED VIEW {table}_v")


@row_ttl
@pytest.mark.parametrize(
    "columns, sentence",
    [
        ("(p int PRIMARY KEY, a timestamp TTL, b timestamp TTL)",
         "Cannot have more than one TTL column in a table. Saw a and b"),
        ("(p int PRIMARY KEY, e text TTL)", "TTL column 'e' must be of type timestamp, bigint or int, can't be text"),
        ("(p int PRIMARY KEY, e varint TTL)",
         "TTL column 'e' must be of type timestamp, bigint or int, can't be varint"),
        ("(e timestamp TTL PRIMARY KEY)", "TTL column e cannot be part of the PRIMARY KEY"),
        ("(p int, e timestamp TTL, PRIMARY KEY (p, e))", "TTL column e cannot be part of the PRIMARY KEY"),
        ("(p int, c int, e timestamp TTL STATIC, PRIMARY KEY (p, c))", "TTL column e cannot be a static column"),
    ],
)  # fmt: skip
def test_ttl_columns_that_cannot_be(keyspace, refused, columns, sentence):
    assert sentence in refused(InvalidRequest, f"CREATE TABLE {keyspace}.never {columns}")


@row_ttl
def test_ttl_column_by_alter(create, run, refused):
    table = create("(p int PRIMARY KEY, e timestamp, f timestamp, t text)")
    refused(InvalidRequest, f"ALTER TABLE {table} TTL NULL", "does not have a TTL column")
    refused(InvalidRequest, f"ALTER TABLE {table} TTL nowhere", "does not exist")
    refused(InvalidRequest, f"ALTER TABLE {table} TTL p", "Cannot use a primary key column")
    refused(InvalidRequest, f"ALTER TABLE {table} TTL t", "must be of type timestamp, bigint or int")
    run(f"ALTER TABLE {table} TTL e")
    for column in ("e", "f"):
        refused(InvalidRequest, f"ALTER TABLE {table} TTL {column}", "already has a TTL column")
    run(f"ALTER TABLE {table} TTL NULL")
    run(f"ALTER TABLE {table} TTL f")


@row_ttl
def test_dropping_the_ttl_column_ends_it(create, run, refused):
    table = create("(p int PRIMARY KEY, e timestamp TTL, x int)")
    run(f"ALTER TABLE {table} DROP e")
    run(f"ALTER TABLE {table} ADD e timestamp")
    refused(InvalidRequest, f"ALTER TABLE {table} TTL NULL", "does not have a TTL column")


@row_ttl
def test_ttl_column_is_described(create, session):
    table = create('(p int PRIMARY KEY, "eXpires" timestamp TTL)')
    assert '"eXpires" timestamp TTL,' in session.execute(f"DESCRIBE TABLE {table}").one()[3]
