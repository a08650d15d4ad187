"""INSERT, UPDATE and DELETE: what they write, what they leave, and what they refuse."""

import pytest
from cassandra import InvalidRequest, ReadTimeout, WriteTimeout
from cassandra.protocol import SyntaxException
from cassandra.query import UNSET_VALUE
from cassandra.util import Duration

words = pytest.mark.differs("cassandra", "words of its own")


@pytest.fixture(scope="module")
def shared(session, keyspace):
    """Tables for tests that keep to a partition of their own."""
    session.execute(f"CREATE TABLE {keyspace}.plain (p int PRIMARY KEY, a int, b text)")
    session.execute(f"CREATE TABLE {keyspace}.wide (p int, c int, s int static, a int, b text, PRIMARY KEY (p, c))")
    session.execute(f"CREATE TABLE {keyspace}.deep (p int, c int, d int, a int, PRIMARY KEY (p, c, d))")
    session.execute(f"CREATE TABLE {keyspace}.pair (p int, q int, c int, a int, PRIMARY KEY ((p, q), c))")
    return keyspace


@pytest.fixture
def plain(shared):
    return f"{shared}.plain"


@pytest.fixture
def wide(shared):
    return f"{shared}.wide"


@pytest.fixture
def deep(shared):
    return f"{shared}.deep"


# ---------------------------------------------------------------- INSERT and UPDATE


def test_insert_and_read(plain, run):
    run(f"INSERT INTO {plain} (p, a, b) VALUES (1, 2, 'x')")
    assert run(f"SELECT * FROM {plain} WHERE p = 1") == [(1, 2, "x")]


def test_insert_is_an_upsert(plain, run):
    """Columns that a second INSERT does not name keep their values."""
    run(f"INSERT INTO {plain} (p, a, b) VALUES (2, 2, 'x')")
    run(f"INSERT INTO {plain} (p, a) VALUES (2, 3)")
    assert run(f"SELECT * FROM {plain} WHERE p = 2") == [(2, 3, "x")]


def test_update_is_an_upsert(plain, run):
    run(f"UPDATE {plain} SET a = 5 WHERE p = 3")
    assert run(f"SELECT * FROM {plain} WHERE p = 3") == [(3, 5, None)]


def test_null_deletes(plain, run):
    run(f"INSERT INTO {plain} (p, a, b) VALUES (4, 2, 'x')")
    run(f"INSERT INTO {plain} (p, a) VALUES (4, null)")
    assert run(f"SELECT * FROM {plain} WHERE p = 4") == [(4, None, "x")]


def test_insert_leaves_a_row_of_nulls(plain, run):
    """INSERT writes a row marker: the row is there even when all its columns are gone."""
    run(f"INSERT INTO {plain} (p, a) VALUES (5, 2)")
    run(f"DELETE a FROM {plain} WHERE p = 5")
    assert run(f"SELECT * FROM {plain} WHERE p = 5") == [(5, None, None)]


def test_update_leaves_nothing_of_a_row_of_nulls(plain, run):
    run(f"UPDATE {plain} SET a = 2 WHERE p = 6")
    run(f"UPDATE {plain} SET a = null WHERE p = 6")
    assert run(f"SELECT * FROM {plain} WHERE p = 6") == []


def test_setting_null_where_nothing_is_makes_no_row(plain, run):
    run(f"UPDATE {plain} SET a = null WHERE p = 7")
    assert run(f"SELECT * FROM {plain} WHERE p = 7") == []


def test_unset_leaves_the_value(plain, session, run):
    """Unlike null, which a driver also sends for None."""
    insert = session.prepare(f"INSERT INTO {plain} (p, a, b) VALUES (?, ?, ?)")
    session.execute(insert, (8, 2, "x"))
    session.execute(insert, (8, UNSET_VALUE, None))
    assert run(f"SELECT * FROM {plain} WHERE p = 8") == [(8, 2, None)]


def test_values_left_out_at_the_end_are_unset(plain, session, run):
    insert = session.prepare(f"INSERT INTO {plain} (p, a, b) VALUES (?, ?, ?)")
    session.execute(insert, (9, 2, "x"))
    session.execute(insert, (9, 3))
    assert run(f"SELECT * FROM {plain} WHERE p = 9") == [(9, 3, "x")]


def test_update_of_nothing_but_unset(plain, session, run):
    update = session.prepare(f"UPDATE {plain} SET a = ? WHERE p = ?")
    session.execute(update, (UNSET_VALUE, 10))
    assert run(f"SELECT * FROM {plain} WHERE p = 10") == []


@pytest.mark.parametrize("where", ["p = 20 AND c IN (1, 3)", "p = 20 AND (c) IN ((1), (3))"])
def test_update_of_many_rows(wide, run, where):
    run(f"DELETE FROM {wide} WHERE p = 20")
    run(f"UPDATE {wide} SET a = 7 WHERE {where}")
    assert run(f"SELECT c, a FROM {wide} WHERE p = 20") == [(1, 7), (3, 7)]


def test_update_of_many_partitions(wide, run):
    run(f"UPDATE {wide} SET a = 7 WHERE p IN (21, 22) AND c = 1")
    assert run(f"SELECT p, c, a FROM {wide} WHERE p IN (21, 22)") == [(21, 1, 7), (22, 1, 7)]


def test_update_by_pairs_of_columns(deep, run):
    run(f"UPDATE {deep} SET a = 7 WHERE p = 1 AND (c, d) = (1, 2)")
    run(f"UPDATE {deep} SET a = 8 WHERE p = 1 AND (c, d) IN ((1, 3), (2, 2))")
    run(f"UPDATE {deep} SET a = 9 WHERE p = 1 AND c IN (5, 6) AND d IN (1, 2)")
    assert run(f"SELECT c, d, a FROM {deep} WHERE p = 1") == [
        (1, 2, 7), (1, 3, 8), (2, 2, 8), (5, 1, 9), (5, 2, 9), (6, 1, 9), (6, 2, 9),
    ]  # fmt: skip


def test_bound_lists_of_keys(wide, session, run):
    update = session.prepare(f"UPDATE {wide} SET a = ? WHERE p IN ? AND c IN ?")
    session.execute(update, (5, [23, 24], [1, 2]))
    assert run(f"SELECT p, c, a FROM {wide} WHERE p IN (23, 24)") == [(23, 1, 5), (23, 2, 5), (24, 1, 5), (24, 2, 5)]


def test_empty_list_of_keys_writes_nothing(wide, session, run):
    update = session.prepare(f"UPDATE {wide} SET a = 1 WHERE p = 25 AND c IN ?")
    session.execute(update, ([],))
    assert run(f"SELECT * FROM {wide} WHERE p = 25") == []


def test_functions_in_values(plain, run):
    run(f"INSERT INTO {plain} (p, a, b) VALUES (11, blobAsInt(0x00000007), (text)'cast')")
    assert run(f"SELECT a, b FROM {plain} WHERE p = 11") == [(7, "cast")]


@pytest.mark.parametrize(
    "assignment",
    ["b = (ascii)'foo'", "b = (text)(ascii)'foo'", "a = (int)3"],
)
def test_type_hints_that_fit(plain, run, assignment):
    run(f"UPDATE {plain} SET {assignment} WHERE p = 12")


@pytest.mark.parametrize("assignment", ["a = (double)3", "a = (bigint)3", "b = (int)3"])
def test_type_hints_that_do_not_fit(plain, refused, assignment):
    refused(InvalidRequest, f"UPDATE {plain} SET {assignment} WHERE p = 12", "Type error|assign|cast")


# ---------------------------------------------------------------- static columns


def test_static_value_is_shared(wide, run):
    run(f"INSERT INTO {wide} (p, c, s, a) VALUES (30, 1, 100, 1)")
    run(f"INSERT INTO {wide} (p, c, a) VALUES (30, 2, 2)")
    assert run(f"SELECT c, s FROM {wide} WHERE p = 30") == [(1, 100), (2, 100)]
    run(f"UPDATE {wide} SET s = 200 WHERE p = 30")
    assert run(f"SELECT c, s FROM {wide} WHERE p = 30") == [(1, 200), (2, 200)]


def test_static_value_without_rows(wide, run):
    run(f"INSERT INTO {wide} (p, s) VALUES (31, 5)")
    assert run(f"SELECT * FROM {wide} WHERE p = 31") == [(31, None, 5, None, None)]


def test_deleting_the_rows_leaves_the_static_value(wide, run):
    run(f"INSERT INTO {wide} (p, c, s) VALUES (32, 1, 5)")
    run(f"DELETE FROM {wide} WHERE p = 32 AND c = 1")
    assert run(f"SELECT c, s FROM {wide} WHERE p = 32") == [(None, 5)]
    run(f"DELETE FROM {wide} WHERE p = 32 AND c >= 0")
    assert run(f"SELECT c, s FROM {wide} WHERE p = 32") == [(None, 5)]
    run(f"DELETE FROM {wide} WHERE p = 32")
    assert run(f"SELECT c, s FROM {wide} WHERE p = 32") == []


def test_deleting_a_static_value(wide, run):
    run(f"INSERT INTO {wide} (p, c, s, a) VALUES (33, 1, 5, 1)")
    run(f"DELETE s FROM {wide} WHERE p = 33")
    assert run(f"SELECT c, s, a FROM {wide} WHERE p = 33") == [(1, None, 1)]


def test_static_and_row_in_one_delete(wide, run):
    run(f"INSERT INTO {wide} (p, c, s, a) VALUES (34, 1, 5, 1)")
    run(f"DELETE s, a FROM {wide} WHERE p = 34 AND c = 1")
    assert run(f"SELECT c, s, a FROM {wide} WHERE p = 34") == [(1, None, None)]


# ---------------------------------------------------------------- DELETE


@pytest.mark.parametrize(
    "where, left",
    [
        ("c = 2", [0, 1, 3, 4]),
        ("c > 2", [0, 1, 2]),
        ("c >= 2", [0, 1]),
        ("c < 2", [2, 3, 4]),
        ("c <= 2", [3, 4]),
        ("c > 0 AND c < 3", [0, 3, 4]),
        ("c >= 1 AND c <= 3", [0, 4]),
        ("c > 3 AND c < 1", [0, 1, 2, 3, 4]),
        ("(c) > (2)", [0, 1, 2]),
        ("(c) >= (0) AND (c) <= (1)", [2, 3, 4]),
        ("c IN (0, 4)", [1, 2, 3]),
        ("c IN ()", [0, 1, 2, 3, 4]),
    ],
)
def test_range_deletes(create, run, where, left):
    table = create("(p int, c int, PRIMARY KEY (p, c))")
    for c in range(5):
        run(f"INSERT INTO {table} (p, c) VALUES (1, {c})")
    run(f"DELETE FROM {table} WHERE p = 1 AND {where}")
    assert [row[0] for row in run(f"SELECT c FROM {table} WHERE p = 1")] == left


@pytest.mark.parametrize(
    "where, left",
    [
        ("c > 2", [2, 1, 0]),
        ("c >= 1 AND c < 3", [4, 3, 0]),
    ],
)
def test_range_deletes_in_descending_order(create, run, where, left):
    table = create("(p int, c int, PRIMARY KEY (p, c))", "WITH CLUSTERING ORDER BY (c DESC)")
    for c in range(5):
        run(f"INSERT INTO {table} (p, c) VALUES (1, {c})")
    run(f"DELETE FROM {table} WHERE p = 1 AND {where}")
    assert [row[0] for row in run(f"SELECT c FROM {table} WHERE p = 1")] == left


@pytest.mark.parametrize(
    "where, left",
    [
        ("c = 1", {(0, 0), (0, 1), (0, 2), (2, 0), (2, 1), (2, 2)}),
        ("c = 1 AND d = 1", {(a, b) for a in range(3) for b in range(3)} - {(1, 1)}),
        ("c = 1 AND d > 0", {(a, b) for a in range(3) for b in range(3)} - {(1, 1), (1, 2)}),
        ("c IN (0, 2) AND d >= 1", {(0, 0), (1, 0), (1, 1), (1, 2), (2, 0)}),
        ("(c, d) > (1, 1)", {(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)}),
        ("(c, d) >= (1, 1) AND (c) <= (1)", {(0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (2, 1), (2, 2)}),
        ("(c, d) IN ((0, 0), (2, 2))", {(a, b) for a in range(3) for b in range(3)} - {(0, 0), (2, 2)}),
        ("c >= 1", {(0, 0), (0, 1), (0, 2)}),
    ],
)
def test_deletes_of_two_clustering_columns(create, run, where, left):
    table = create("(p int, c int, d int, PRIMARY KEY (p, c, d))")
    for c in range(3):
        for d in range(3):
            run(f"INSERT INTO {table} (p, c, d) VALUES (1, {c}, {d})")
    run(f"DELETE FROM {table} WHERE p = 1 AND {where}")
    assert set(run(f"SELECT c, d FROM {table} WHERE p = 1")) == left


def test_delete_of_a_partition(wide, run):
    run(f"INSERT INTO {wide} (p, c, a) VALUES (40, 1, 1)")
    run(f"DELETE FROM {wide} WHERE p = 40")
    assert run(f"SELECT * FROM {wide} WHERE p = 40") == []


def test_delete_of_several_partitions(wide, run):
    for p in (41, 42, 43):
        run(f"INSERT INTO {wide} (p, c, a) VALUES ({p}, 1, 1)")
    run(f"DELETE FROM {wide} WHERE p IN (41, 43)")
    assert run(f"SELECT p FROM {wide} WHERE p IN (41, 42, 43)") == [(42,)]


def test_delete_of_columns_in_several_rows(wide, run):
    for c in (1, 2, 3):
        run(f"INSERT INTO {wide} (p, c, a) VALUES (44, {c}, {c})")
    run(f"DELETE a FROM {wide} WHERE p = 44 AND c IN (1, 3)")
    assert run(f"SELECT c, a FROM {wide} WHERE p = 44") == [(1, None), (2, 2), (3, None)]


def test_rows_can_come_back(wide, run):
    run(f"INSERT INTO {wide} (p, c, a) VALUES (45, 1, 1)")
    run(f"DELETE FROM {wide} WHERE p = 45")
    run(f"INSERT INTO {wide} (p, c, b) VALUES (45, 1, 'new')")
    assert run(f"SELECT c, a, b FROM {wide} WHERE p = 45") == [(1, None, "new")]


# ---------------------------------------------------------------- refusals

REFUSALS = [
    ("INSERT INTO {wide} (c, a) VALUES (0, 1)", "Missing mandatory PRIMARY KEY part p"),
    ("INSERT INTO {wide} (p, a) VALUES (0, 1)", "Missing mandatory PRIMARY KEY part c"),
    ("INSERT INTO {wide} (p) VALUES (0)", "Missing mandatory PRIMARY KEY part c"),
    ("INSERT INTO {pair} (p, c) VALUES (0, 1)", "Missing mandatory PRIMARY KEY part q"),
    ("INSERT INTO {deep} (p, d, a) VALUES (0, 1, 1)",
     'PRIMARY KEY column "d" cannot be restricted as preceding column "c" is not restricted'),
    ("INSERT INTO {deep} (p, c, a) VALUES (0, 1, 1)", "Missing mandatory PRIMARY KEY part d"),
    ("INSERT INTO {plain} (p, a) VALUES (null, 1)", "Invalid null value in condition for column p"),
    ("INSERT INTO {wide} (p, c) VALUES (1, null)", "Invalid null value in condition for column c"),
    ("INSERT INTO {plain} (p, a, a) VALUES (1, 2, 3)", "Multiple definitions found for column a"),
    ("INSERT INTO {plain} (p, nowhere) VALUES (1, 2)", "Unknown identifier nowhere"),
    ("INSERT INTO {plain} (p, a) VALUES (1)", "Unmatched column names/values"),
    ("INSERT INTO {plain} (p, a) VALUES (1, 2, 3)", "Unmatched column names/values"),
    ("INSERT INTO {plain} (p, a) VALUES (1, 'two')", 'Invalid STRING constant (two) for "a" of type int'),
    ("INSERT INTO {plain} (p, b) VALUES (1, 2)", 'Invalid INTEGER constant (2) for "b" of type text'),
    ("INSERT INTO {plain} (p, a) VALUES (1, 2.5)", 'Invalid FLOAT constant (2.5) for "a" of type int'),
    ("INSERT INTO {plain} (p, a) VALUES (1, true)", 'Invalid BOOLEAN constant (true) for "a" of type int'),
    ("INSERT INTO {plain} (p, a) VALUES (1, 99999999999)", "99999999999"),
    ("UPDATE {plain} SET a = 1 WHERE a = 1", "Invalid where clause contains non PRIMARY KEY columns: a"),
    ("UPDATE {plain} SET p = 1 WHERE p = 1", "PRIMARY KEY part p found in SET part"),
    ("UPDATE {plain} SET nowhere = 1 WHERE p = 1", "Unknown identifier nowhere"),
    ("UPDATE {plain} SET a = 1 WHERE nowhere = 1", "Unrecognized name nowhere"),
    ("UPDATE {wide} SET a = 1 WHERE p = 1", "Missing mandatory PRIMARY KEY part c"),
    ("UPDATE {wide} SET a = 1 WHERE c = 1", "Missing mandatory PRIMARY KEY part p"),
    ("UPDATE {wide} SET a = 1 WHERE p = 1 AND c = 1 AND a = 1",
     "Invalid where clause contains non PRIMARY KEY columns: a"),
    ("UPDATE {wide} SET a = 1 WHERE p = 1 AND c > 1", "Invalid operator in where clause"),
    ("UPDATE {wide} SET a = 1 WHERE p > 1 AND c = 1", "Only EQ and IN relation are supported on the partition key"),
    ("UPDATE {wide} SET a = 1 WHERE token(p) = token(1) AND c = 1",
     "The token function cannot be used in WHERE clauses for UPDATE and DELETE statements"),
    ("UPDATE {wide} SET s = 1 WHERE p = 1 AND c = 1",
     "Invalid restrictions on clustering columns since the UPDATE statement modifies only static columns"),
    ("UPDATE {plain} SET a = a + 1 WHERE p = 1", "Invalid operation (a = a + 1) for non counter column a"),
    ("UPDATE {plain} SET a = a - 1 WHERE p = 1", "Invalid operation (a = a - 1) for non counter column a"),
    ("UPDATE {plain} SET a[0] = 1 WHERE p = 1", "Invalid operation (a[0] = 1) for non collection column a"),
    ("UPDATE {plain} SET a = null WHERE p = null", "Invalid null value in condition for column p"),
    ("DELETE FROM {plain} WHERE a = 1", "Invalid where clause contains non PRIMARY KEY columns: a"),
    ("DELETE p FROM {plain} WHERE p = 1", "Invalid identifier p for deletion (should not be a PRIMARY KEY part)"),
    ("DELETE nowhere FROM {plain} WHERE p = 1", "Unknown identifier nowhere"),
    ("DELETE FROM {plain} WHERE p = null", "Invalid null value in condition for column p"),
    ("DELETE FROM {wide} WHERE c = 1", "Missing mandatory PRIMARY KEY part p"),
    ("DELETE FROM {wide} WHERE p = 1 AND c = null", "null value"),
    ("DELETE a FROM {wide} WHERE p = 1", "Primary key column 'c' must be specified in order to modify column 'a'"),
    ("DELETE a FROM {wide} WHERE p = 1 AND c > 1", "Range deletions are not supported for specific columns"),
    ("DELETE a FROM {deep} WHERE p = 1 AND (c, d) > (1, 1)", "Range deletions are not supported for specific columns"),
    ("DELETE s FROM {wide} WHERE p = 1 AND c = 1",
     "Invalid restrictions on clustering columns since the DELETE statement modifies only static columns"),
    ("DELETE FROM {wide} WHERE token(p) = token(1)",
     "The token function cannot be used in WHERE clauses for UPDATE and DELETE statements"),
    ("DELETE FROM {deep} WHERE p = 1 AND d = 1",
     'PRIMARY KEY column "d" cannot be restricted as preceding column "c" is not restricted'),
    ("DELETE a[0] FROM {plain} WHERE p = 1", "Invalid deletion operation for non collection column a"),
    ("INSERT INTO {keyspace}.never (p) VALUES (1)", "unconfigured table never"),
    ("UPDATE {keyspace}.never SET a = 1 WHERE p = 1", "unconfigured table never"),
    ("DELETE FROM {keyspace}.never WHERE p = 1", "unconfigured table never"),
    ("INSERT INTO nokeyspace.t (p) VALUES (1)", "nokeyspace"),
]  # fmt: skip


@words
@pytest.mark.parametrize("statement, sentence", REFUSALS)
def test_refusals(shared, refused, statement, sentence):
    names = {name: f"{shared}.{name}" for name in ("plain", "wide", "deep", "pair")}
    message = refused(InvalidRequest, statement.format(keyspace=shared, **names))
    assert sentence in message


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {} () VALUES ()",
        "INSERT INTO {} (p, a) VALUES",
        "INSERT {} (p) VALUES (1)",
        "UPDATE {} SET WHERE p = 1",
        "UPDATE {} SET a = 1",
        "UPDATE {} SET a == 1 WHERE p = 1",
        "DELETE * FROM {} WHERE p = 1",
        "DELETE FROM {}",
        "DELETE {} WHERE p = 1",
        "UPDATE {} SET a = 1 WHERE p = 1 OR p = 2",
    ],
)
def test_not_cql(plain, refused, statement):
    refused(SyntaxException, statement.format(plain))


@words
def test_null_keys_bound(wide, session):
    for statement in (
        f"INSERT INTO {wide} (p, c) VALUES (1, ?)",
        f"UPDATE {wide} SET a = 1 WHERE p = 1 AND c = ?",
        f"DELETE FROM {wide} WHERE p = 1 AND c = ?",
        f"INSERT INTO {wide} (p, c) VALUES (1, ?) IF NOT EXISTS",
        f"BEGIN BATCH INSERT INTO {wide} (p, c) VALUES (1, ?); APPLY BATCH",
    ):
        prepared = session.prepare(statement)
        with pytest.raises(InvalidRequest, match="null value"):
            session.execute(prepared, (None,))
        with pytest.raises(InvalidRequest, match="unset"):
            session.execute(prepared, (UNSET_VALUE,))


@words
def test_keys_have_a_longest_length(create, refused, run):
    table = create("(p text, c text, PRIMARY KEY (p, c))")
    long = "x" * 65536
    assert "Key length of 65536 is longer than maximum of 65535" in refused(
        InvalidRequest, f"INSERT INTO {table} (p, c) VALUES ('{long}', 'c')"
    )
    refused(InvalidRequest, f"INSERT INTO {table} (p, c) VALUES ('p', '{long}')", "65535|too large|too long")
    run(f"INSERT INTO {table} (p, c) VALUES ('{long[:65535]}', 'c')")


@words
def test_empty_partition_key(create, refused, run):
    table = create("(p text, c text, PRIMARY KEY (p, c))")
    assert "Key may not be empty" in refused(InvalidRequest, f"INSERT INTO {table} (p, c) VALUES ('', 'c')")
    run(f"INSERT INTO {table} (p, c) VALUES ('p', '')")
    assert run(f"SELECT * FROM {table}") == [("p", "")]


def test_empty_parts_of_a_compound_partition_key(create, run):
    table = create("(p text, q text, PRIMARY KEY ((p, q)))")
    run(f"INSERT INTO {table} (p, q) VALUES ('', '')")
    assert run(f"SELECT * FROM {table} WHERE p = '' AND q = ''") == [("", "")]


@pytest.mark.differs("cassandra", "without users everybody may")
@pytest.mark.parametrize(
    "statement", ["INSERT INTO system.local (key) VALUES ('x')", "DELETE FROM system.peers WHERE peer = '127.0.0.9'"]
)
def test_system_tables_are_closed(session, statement):
    from cassandra import Unauthorized

    with pytest.raises((Unauthorized, InvalidRequest)):
        session.execute(statement)


# ---------------------------------------------------------------- timestamps


def test_later_timestamp_wins_whenever_it_comes(plain, run):
    run(f"INSERT INTO {plain} (p, a) VALUES (50, 2) USING TIMESTAMP 2000")
    run(f"INSERT INTO {plain} (p, a) VALUES (50, 1) USING TIMESTAMP 1000")
    assert run(f"SELECT a, WRITETIME(a) FROM {plain} WHERE p = 50") == [(2, 2000)]


@pytest.mark.parametrize("first, second, winner", [(5, 9, 9), (9, 5, 9), (-1, 0, -1), (0, -1, -1)])
def test_larger_bytes_win_a_tie(plain, run, first, second, winner):
    run(f"DELETE FROM {plain} USING TIMESTAMP 1 WHERE p = 51")
    for value in (first, second):
        run(f"UPDATE {plain} USING TIMESTAMP 1000 SET a = {value} WHERE p = 51")
    assert run(f"SELECT a FROM {plain} WHERE p = 51") == [(winner,)]


@pytest.mark.parametrize("delete_first", [True, False])
def test_deletion_wins_a_tie(create, run, delete_first):
    table = create("(p int PRIMARY KEY, a int)")
    statements = [
        f"DELETE a FROM {table} USING TIMESTAMP 1000 WHERE p = 1",
        f"INSERT INTO {table} (p, a) VALUES (1, 5) USING TIMESTAMP 1000",
    ]
    for statement in statements if delete_first else reversed(statements):
        run(statement)
    assert run(f"SELECT * FROM {table}") == [(1, None)]


@pytest.mark.parametrize("where", ["p = 1", "p = 1 AND c = 1", "p = 1 AND c > 0"])
def test_a_deletion_hides_what_is_older_even_if_it_comes_later(create, run, where):
    table = create("(p int, c int, a int, PRIMARY KEY (p, c))")
    run(f"DELETE FROM {table} USING TIMESTAMP 1000 WHERE {where}")
    run(f"INSERT INTO {table} (p, c, a) VALUES (1, 1, 5) USING TIMESTAMP 1000")
    assert run(f"SELECT * FROM {table}") == []
    run(f"INSERT INTO {table} (p, c, a) VALUES (1, 1, 5) USING TIMESTAMP 1001")
    assert run(f"SELECT * FROM {table}") == [(1, 1, 5)]


def test_negative_timestamps(plain, run):
    run(f"INSERT INTO {plain} (p, a) VALUES (52, 1) USING TIMESTAMP -5")
    assert run(f"SELECT WRITETIME(a) FROM {plain} WHERE p = 52") == [(-5,)]


def test_the_lowest_timestamp_of_all_is_none(plain, session, refused):
    refused(InvalidRequest, f"INSERT INTO {plain} (p, a) VALUES (52, 1) USING TIMESTAMP {-(1 << 63)}")
    with pytest.raises(InvalidRequest):
        session.execute(session.prepare(f"UPDATE {plain} USING TIMESTAMP ? SET a = 1 WHERE p = 52"), (-(1 << 63),))


def test_bound_timestamp(plain, session, run):
    prepared = session.prepare(f"INSERT INTO {plain} (p, a) VALUES (53, ?) USING TIMESTAMP ?")
    session.execute(prepared, (1, 777))
    assert run(f"SELECT WRITETIME(a) FROM {plain} WHERE p = 53") == [(777,)]
    session.execute(prepared, (2, UNSET_VALUE))
    assert run(f"SELECT WRITETIME(a) FROM {plain} WHERE p = 53")[0][0] > 10**15


@words
@pytest.mark.parametrize(
    "clause, sentence",
    [
        ("TIMESTAMP 99999999999999999",
         "Cannot provide a timestamp more than 3 days into the future. "
         "If this was not intended, make sure the timestamp is in microseconds"),
    ],
)  # fmt: skip
def test_bad_timestamps(plain, refused, clause, sentence):
    assert sentence in refused(InvalidRequest, f"INSERT INTO {plain} (p) VALUES (1) USING {clause}")


def test_one_clock_for_all_columns(plain, run):
    run(f"INSERT INTO {plain} (p, a, b) VALUES (54, 1, 'x')")
    ((one, two),) = run(f"SELECT WRITETIME(a), WRITETIME(b) FROM {plain} WHERE p = 54")
    assert one == two


# ---------------------------------------------------------------- TRUNCATE, USING TIMEOUT


def test_truncate(create, run):
    table = create("(p int PRIMARY KEY, a int)")
    run(f"INSERT INTO {table} (p, a) VALUES (1, 1)")
    run(f"TRUNCATE {table}")
    assert run(f"SELECT * FROM {table}") == []
    run(f"INSERT INTO {table} (p, a) VALUES (2, 1)")
    run(f"TRUNCATE TABLE {table}")
    assert run(f"SELECT * FROM {table}") == []


def test_truncate_forgets_deletions_too(create, run):
    """What is truncated is gone with its tombstones: an older write shows again."""
    table = create("(p int PRIMARY KEY, a int)")
    run(f"DELETE FROM {table} USING TIMESTAMP 2000 WHERE p = 1")
    run(f"TRUNCATE {table}")
    run(f"INSERT INTO {table} (p, a) VALUES (1, 1) USING TIMESTAMP 1000")
    assert run(f"SELECT * FROM {table}") == [(1, 1)]


def test_truncate_of_nothing(keyspace, refused):
    refused(InvalidRequest, f"TRUNCATE {keyspace}.never", "unconfigured table never|does not exist")


@pytest.mark.differs("cassandra", "has no USING TIMEOUT")
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {} (p, a) VALUES (60, 1) USING TIMEOUT 500ms",
        "UPDATE {} USING TIMEOUT 1s SET a = 2 WHERE p = 60",
        "UPDATE {} USING TTL 100 AND TIMEOUT 1m AND TIMESTAMP 5 SET a = 2 WHERE p = 60",
        "DELETE FROM {} USING TIMEOUT 2h WHERE p = 60",
    ],
)
def test_timeouts(plain, run, statement):
    run(statement.format(plain))


@pytest.mark.differs("cassandra", "has no USING TIMEOUT")
@pytest.mark.parametrize(
    "timeout, sentence",
    [
        ("1us", "Timeout values cannot have granularity finer than milliseconds"),
        ("1d", "Timeout values cannot be expressed in days/months"),
        ("-1s", "Timeout values must be non-negative"),
        ("5", 'Invalid INTEGER constant (5) for "[timeout]" of type duration'),
        ("'5s'", 'Invalid STRING constant (5s) for "[timeout]" of type duration'),
    ],
)
def test_bad_timeouts(plain, refused, timeout, sentence):
    assert sentence in refused(InvalidRequest, f"INSERT INTO {plain} (p) VALUES (1) USING TIMEOUT {timeout}")


@pytest.mark.differs("cassandra", "has no USING TIMEOUT")
def test_what_cannot_be_done_in_its_time(create, session, run):
    table = create("(p int PRIMARY KEY, a int)")
    insert = session.prepare(f"INSERT INTO {table} (p, a) VALUES (1, 1) USING TIMEOUT ?")
    with pytest.raises(WriteTimeout):
        session.execute(insert, (Duration(nanoseconds=0),))
    session.execute(insert, (Duration(nanoseconds=10**15),))
    with pytest.raises(ReadTimeout):
        run(f"SELECT * FROM {table} USING TIMEOUT 0ms")
    with pytest.raises(WriteTimeout):
        run(f"BEGIN BATCH USING TIMEOUT 0s INSERT INTO {table} (p) VALUES (2); APPLY BATCH")
    assert run(f"SELECT * FROM {table}") == [(1, 1)]
