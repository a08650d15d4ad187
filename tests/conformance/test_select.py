"""SELECT by key, range, IN and token; order, limits, DISTINCT; what comes back, and in which order."""

from __future__ import annotations

import pytest
from cassandra import InvalidRequest
from cassandra.protocol import SyntaxException

TWO_KEYS = "Cannot execute this query as it might involve data filtering"


@pytest.fixture(scope="module")
def rows(session, keyspace) -> str:
    """Two partitions: p = 1 has (c, d) of 1..3 × 1..2 and a static 10; p = 2 has a static row alone."""
    table = f"{keyspace}.rows"
    session.execute(f"CREATE TABLE {table} (p int, c int, d int, v text, s int static, PRIMARY KEY (p, c, d))")
    for c in (1, 2, 3):
        for d in (1, 2):
            session.execute(f"INSERT INTO {table} (p, c, d, v) VALUES (1, {c}, {d}, 'v{c}{d}')")
    session.execute(f"INSERT INTO {table} (p, s) VALUES (1, 10)")
    session.execute(f"INSERT INTO {table} (p, s) VALUES (2, 20)")
    return table


# ---------------------------------------------------------------- ranges of clustering keys

ALL = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]


@pytest.mark.parametrize(
    "where, expected",
    [
        ("c = 2", [(2, 1), (2, 2)]),
        ("c = 2 AND d = 1", [(2, 1)]),
        ("c = 2 AND d > 1", [(2, 2)]),
        ("c > 1", [(2, 1), (2, 2), (3, 1), (3, 2)]),
        ("c >= 1 AND c < 3", [(1, 1), (1, 2), (2, 1), (2, 2)]),
        ("c > 1 AND c <= 2", [(2, 1), (2, 2)]),
        ("c < 1", []),
        ("c > 2 AND c < 2", []),
        ("c IN (3, 1)", [(1, 1), (1, 2), (3, 1), (3, 2)]),
        ("c IN (3, 1) AND d = 2", [(1, 2), (3, 2)]),
        ("c IN (1, 2) AND d IN (2, 1)", [(1, 1), (1, 2), (2, 1), (2, 2)]),
        ("c = 2 AND d IN (2, 7)", [(2, 2)]),
        ("c IN (1, 2) AND d >= 2", [(1, 2), (2, 2)]),
        ("c IN ()", []),
        ("c IN (1, 1, 1)", [(1, 1), (1, 2)]),
        ("(c, d) = (2, 1)", [(2, 1)]),
        ("(c, d) > (2, 1)", [(2, 2), (3, 1), (3, 2)]),
        ("(c, d) >= (2, 1) AND (c, d) < (3, 2)", [(2, 1), (2, 2), (3, 1)]),
        ("(c, d) <= (1, 2)", [(1, 1), (1, 2)]),
        ("(c) > (2)", [(3, 1), (3, 2)]),
        ("(c) IN ((1), (3))", [(1, 1), (1, 2), (3, 1), (3, 2)]),
        ("(c, d) IN ((3, 1), (1, 1), (9, 9))", [(1, 1), (3, 1)]),
        ("(c, d) >= (2, 1) AND (c) < (3)", [(2, 1), (2, 2)]),
        ("(c, d) IN ()", []),
    ],
)
def test_slices_of_a_partition(rows, run, where, expected):
    """Always in clustering order, whatever the order of the values in an IN."""
    assert run(f"SELECT c, d FROM {rows} WHERE p = 1 AND {where}") == expected
    assert run(f"SELECT c, d FROM {rows} WHERE p = 1 AND {where} ORDER BY c DESC, d DESC") == expected[::-1]


@pytest.mark.differs("cassandra", "it allows each column one relation with =, and one on each side")
@pytest.mark.parametrize(
    "where, expected",
    [
        ("c = 1 AND c = 2", []),
        ("c = 1 AND c = 1", [(1, 1), (1, 2)]),
        ("c = 2 AND c > 1", [(2, 1), (2, 2)]),
        ("c > 1 AND c > 2", [(3, 1), (3, 2)]),
        ("c < 3 AND c < 2", [(1, 1), (1, 2)]),
        ("c IN (1, 2) AND c IN (2, 3)", [(2, 1), (2, 2)]),
        ("c IN (1, 2) AND c > 1", [(2, 1), (2, 2)]),
        ("c = 2 AND c IN (2, 3)", [(2, 1), (2, 2)]),
    ],
)
def test_several_relations_on_one_column(rows, run, where, expected):
    """All must hold: they may contradict each other, and then nothing is found."""
    assert run(f"SELECT c, d FROM {rows} WHERE p = 1 AND {where}") == expected


@pytest.mark.differs("cassandra", "it refuses a null in a relation")
@pytest.mark.parametrize("where", ["p = null", "p IN (null)", "p = 1 AND c = null", "p = 1 AND c > null"])
def test_nothing_equals_null(rows, run, where):
    assert run(f"SELECT * FROM {rows} WHERE {where}") == []


@pytest.mark.differs("cassandra", "it refuses two relations with = on a column")
def test_contradicting_partition_keys(rows, run):
    assert run(f"SELECT * FROM {rows} WHERE p = 1 AND p = 2") == []
    assert run(f"SELECT c FROM {rows} WHERE p = 1 AND p = 1 AND c = 1 AND d = 1") == [(1,)]


@pytest.mark.parametrize(
    "where, message",
    [
        ("p = 1 AND d = 1", 'PRIMARY KEY column "d" cannot be restricted as preceding column "c" is not restricted'),
        (
            "p = 1 AND c > 1 AND d = 1",
            r'Clustering column "d" cannot be restricted \(preceding column "c" is restricted by a non-EQ relation\)',
        ),
        (
            "p > 1",
            r"Only EQ and IN relation are supported on the partition key \(unless you use the token\(\) function",
        ),
        ("p = 1 AND v = 'x'", TWO_KEYS),
        ("p = 1 AND (d, c) = (1, 1)", "PRIMARY KEY order"),
        ("p = 1 AND (d) = (1)", "Clustering columns may not be skipped in multi-column relations"),
        ("p = 1 AND (c, v) > (1, 'x')", "Multi-column relations can only be applied to clustering columns"),
        ("(p, c) = (1, 1)", "Multi-column relations can only be applied to clustering columns"),
        ("p = 1 AND (c, d) > (1, 1) AND c > 1", "Mixing single column relations and multi column relations"),
        (
            "p = 1 AND (c, d) > (1, 1) AND (c, d) > (2, 1)",
            "More than one restriction was found for the start bound on c",
        ),
        ("p = 1 AND (c) < (1) AND (c, d) < (2, 1)", "More than one restriction was found for the end bound on c"),
        ("p = 1 AND (c, d) = (1, 1) AND (c, d) = (1, 2)", "cannot be restricted by more than one relation"),
        (
            "token(p) > 0 AND p = 1",
            r'Columns "ColumnDefinition\{name=p, type=org.apache.cassandra.db.marshal.Int32Type, kind=PARTITION_KEY, '
            r'componentIndex=0, droppedAt=-9223372036854775808\}" cannot be restricted by both a normal relation and a',
        ),
    ],
)
@pytest.mark.differs("cassandra", "it says most of this in words of its own")
def test_relations_that_do_not_go_together(rows, refused, where, message):
    refused(InvalidRequest, f"SELECT * FROM {rows} WHERE {where}", message)


@pytest.mark.parametrize(
    "value, message",
    [
        ("(1, 2, 3)", r"Expected 2 elements in value tuple, but got 3: \(1, 2, 3\)"),
        ("(null, 2)", "Invalid null value in condition for column c"),
    ],
)
@pytest.mark.differs("cassandra", "it says this in words of its own")
def test_tuples_must_fit(rows, refused, value, message):
    refused(InvalidRequest, f"SELECT * FROM {rows} WHERE p = 1 AND (c, d) = {value}", message)


@pytest.mark.differs("cassandra", "it says this in words of its own")
def test_tuples_of_an_in_must_fit(rows, refused):
    ask = f"SELECT * FROM {rows} WHERE p = 1 AND (c, d) IN "
    refused(InvalidRequest, ask + "((1, 2), (1, null))", "Invalid null value in condition for column d")
    refused(
        InvalidRequest,
        ask + "((1, 2, 3), (1, 2))",
        r"Invalid list literal for IN\(\(c,d\)\): value \(1, 2, 3\) is not of type frozen<tuple<int, int>>",
    )


def test_descending_clustering(create, run):
    """The stored order is turned around; what < and > mean is not."""
    table = create("(p int, c int, PRIMARY KEY (p, c))", "WITH CLUSTERING ORDER BY (c DESC)")
    for c in (1, 2, 3):
        run(f"INSERT INTO {table} (p, c) VALUES (1, {c})")
    assert run(f"SELECT c FROM {table} WHERE p = 1") == [(3,), (2,), (1,)]
    assert run(f"SELECT c FROM {table} WHERE p = 1 AND c > 1") == [(3,), (2,)]
    assert run(f"SELECT c FROM {table} WHERE p = 1 ORDER BY c ASC") == [(1,), (2,), (3,)]
    assert run(f"SELECT c FROM {table} WHERE p = 1 LIMIT 1") == [(3,)]


@pytest.mark.parametrize(
    "where, expected",
    [
        ("(c, d) > (1, 1)", [(2, 2), (2, 1)]),
        ("(c, d) >= (1, 1)", [(1, 1), (2, 2), (2, 1)]),
        ("(c, d) < (1, 2)", [(1, 1), (0, 1)]),
        ("(c, d) >= (1, 1) AND (c, d) < (2, 2)", [(1, 1), (2, 1)]),
    ],
)
def test_tuples_compare_by_value_in_mixed_orders(create, run, where, expected):
    """(c, d) > (1, 1) is about values, even where c runs up and d runs down; the rows come in the stored order."""
    table = create("(p int, c int, d int, PRIMARY KEY (p, c, d))", "WITH CLUSTERING ORDER BY (c ASC, d DESC)")
    for c, d in ((0, 1), (1, 1), (2, 1), (2, 2)):
        run(f"INSERT INTO {table} (p, c, d) VALUES (1, {c}, {d})")
    assert sorted(run(f"SELECT c, d FROM {table} WHERE p = 1 AND {where}")) == sorted(expected)
    in_order = [row for row in run(f"SELECT c, d FROM {table} WHERE p = 1") if row in expected]
    assert run(f"SELECT c, d FROM {table} WHERE p = 1 AND {where}") == in_order


# ---------------------------------------------------------------- partitions and tokens


def test_in_on_the_partition_key(rows, run):
    """Each partition is read as if it were asked for alone; the same key twice is one key."""
    assert sorted(run(f"SELECT p, s FROM {rows} WHERE p IN (2, 1, 2, 5) PER PARTITION LIMIT 1")) == [(1, 10), (2, 20)]


def test_in_on_a_compound_partition_key(create, run):
    table = create("(a int, b int, v int, PRIMARY KEY ((a, b)))")
    for a in (1, 2):
        for b in (1, 2):
            run(f"INSERT INTO {table} (a, b, v) VALUES ({a}, {b}, {a * 10 + b})")
    assert sorted(run(f"SELECT v FROM {table} WHERE a IN (1, 2) AND b = 2")) == [(12,), (22,)]
    assert sorted(run(f"SELECT v FROM {table} WHERE a IN (1, 2) AND b IN (1, 2)")) == [(11,), (12,), (21,), (22,)]


def test_a_scan_goes_by_token(create, run):
    table = create("(p int PRIMARY KEY)")
    for p in range(20):
        run(f"INSERT INTO {table} (p) VALUES ({p})")
    tokens = [t for (t,) in run(f"SELECT token(p) FROM {table}")]
    assert tokens == sorted(tokens)
    middle = tokens[10]
    assert len(run(f"SELECT p FROM {table} WHERE token(p) > {middle}")) == 9
    assert len(run(f"SELECT p FROM {table} WHERE token(p) >= {middle} AND token(p) <= {tokens[15]}")) == 6
    assert len(run(f"SELECT p FROM {table} WHERE token(p) = {middle}")) == 1
    first = run(f"SELECT p FROM {table}")[0][0]
    assert len(run(f"SELECT p FROM {table} WHERE token(p) > token({first})")) == 19


def test_the_token_of_a_known_key(create, run):
    """Murmur3 as every driver computes it: otherwise requests would go to the wrong node."""
    table = create("(p int PRIMARY KEY)")
    run(f"INSERT INTO {table} (p) VALUES (1)")
    assert run(f"SELECT token(p) FROM {table}") == [(-4069959284402364209,)]


def test_the_smallest_token_as_an_end_is_the_end_of_the_ring(create, run):
    table = create("(p int PRIMARY KEY)")
    for p in range(5):
        run(f"INSERT INTO {table} (p) VALUES ({p})")
    assert len(run(f"SELECT p FROM {table} WHERE token(p) > {-(2**63)} AND token(p) <= {-(2**63)}")) == 5


@pytest.mark.differs("cassandra", "it says this in words of its own")
@pytest.mark.parametrize(
    "token, message",
    [
        ("token(a)", "Invalid number of arguments in call to function system.token: 2 required but 1 provided"),
        ("token(a, a)", "duplicate partition key components"),
        ("token(b, a)", "The token function arguments must be in the partition key order: a, b"),
    ],
)
def test_token_takes_the_whole_partition_key(create, refused, token, message):
    table = create("(a int, b int, PRIMARY KEY ((a, b)))")
    refused(InvalidRequest, f"SELECT * FROM {table} WHERE {token} > 0", message)


# ---------------------------------------------------------------- static columns


def test_a_static_value_belongs_to_every_row(rows, run):
    assert run(f"SELECT c, s FROM {rows} WHERE p = 1 AND c = 1") == [(1, 10), (1, 10)]


def test_a_partition_with_statics_alone_is_one_row(rows, run):
    assert run(f"SELECT * FROM {rows} WHERE p = 2") == [(2, None, None, 20, None)]


def test_asking_for_clustering_finds_no_static_row(rows, run):
    assert run(f"SELECT * FROM {rows} WHERE p = 2 AND c > 0") == []


def test_static_columns_come_before_the_others(rows, run, session):
    assert session.execute(f"SELECT * FROM {rows} WHERE p = 1").column_names == ["p", "c", "d", "s", "v"]


# ---------------------------------------------------------------- DISTINCT


def test_distinct(rows, run):
    assert sorted(run(f"SELECT DISTINCT p FROM {rows}")) == [(1,), (2,)]
    assert sorted(run(f"SELECT DISTINCT p, s FROM {rows}")) == [(1, 10), (2, 20)]
    assert run(f"SELECT DISTINCT p, s FROM {rows} WHERE p IN (2)") == [(2, 20)]
    assert len(run(f"SELECT DISTINCT p FROM {rows} LIMIT 1")) == 1


@pytest.mark.differs("cassandra", "it says some of this in words of its own")
@pytest.mark.parametrize(
    "select, message",
    [
        ("DISTINCT c FROM {t}", r"must only request partition key columns and/or static columns \(not c\)"),
        ("DISTINCT s FROM {t}", r"must request all the partition key columns \(missing p\)"),
        ("DISTINCT p FROM {t} WHERE c = 1 ALLOW FILTERING", "only supports restriction by partition key"),
        ("DISTINCT v FROM {t}", r"must only request partition key columns and/or static columns \(not v\)"),
    ],
)
def test_distinct_is_about_partitions(rows, refused, select, message):
    refused(InvalidRequest, f"SELECT {select.format(t=rows)}", message)


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_limit(rows, run, limit):
    assert len(run(f"SELECT * FROM {rows} LIMIT {limit}")) == min(limit, 7)


def test_per_partition_limit(rows, run):
    assert sorted(run(f"SELECT p, c, d FROM {rows} PER PARTITION LIMIT 2")) == sorted(
        [(1, 1, 1), (1, 1, 2), (2, None, None)], key=lambda row: row[0]
    )
    assert run(f"SELECT c, d FROM {rows} WHERE p = 1 ORDER BY c DESC PER PARTITION LIMIT 1") == [(3, 2)]
    assert len(run(f"SELECT * FROM {rows} PER PARTITION LIMIT 2 LIMIT 2")) == 2


@pytest.mark.parametrize("limit", ["0", "-1"])
@pytest.mark.parametrize("what", ["LIMIT", "PER PARTITION LIMIT"])
def test_limits_are_positive(rows, refused, what, limit):
    refused(InvalidRequest, f"SELECT * FROM {rows} {what} {limit}", "LIMIT must be strictly positive")


@pytest.mark.parametrize(
    "statement, message",
    [
        ("SELECT DISTINCT p FROM {t} PER PARTITION LIMIT 1", "is not allowed with SELECT DISTINCT queries"),
        ("SELECT count(*) FROM {t} PER PARTITION LIMIT 1", "is not allowed with aggregate queries"),
        ("SELECT max(c) FROM {t} WHERE p = 1 PER PARTITION LIMIT 1", "is not allowed with aggregate queries"),
    ],
)
def test_where_a_limit_of_partitions_makes_no_sense(rows, refused, statement, message):
    """One answer for each partition, or one for all: there is nothing to limit."""
    refused(InvalidRequest, statement.format(t=rows), f"PER PARTITION LIMIT {message}")


def test_limits_may_be_bound(rows, session):
    prepared = session.prepare(f"SELECT * FROM {rows} PER PARTITION LIMIT ? LIMIT ?")
    assert len(list(session.execute(prepared, (2, 3)))) == 3


def test_the_order_of_the_clauses(rows, refused):
    """PER PARTITION LIMIT, then LIMIT, then ALLOW FILTERING; another order is no CQL."""
    refused(SyntaxException, f"SELECT * FROM {rows} LIMIT 1 PER PARTITION LIMIT 1")
    refused(SyntaxException, f"SELECT * FROM {rows} ALLOW FILTERING LIMIT 1")
    refused(SyntaxException, f"SELECT * FROM {rows} LIMIT 1 WHERE p = 1")


# ---------------------------------------------------------------- ORDER BY


def test_order_by(rows, run):
    assert run(f"SELECT c, d FROM {rows} WHERE p = 1 ORDER BY c") == ALL
    assert run(f"SELECT c, d FROM {rows} WHERE p = 1 ORDER BY c ASC, d ASC") == ALL
    assert run(f"SELECT c, d FROM {rows} WHERE p = 1 ORDER BY c DESC") == ALL[::-1]
    assert run(f"SELECT c, d FROM {rows} WHERE p = 1 ORDER BY c DESC LIMIT 2") == [(3, 2), (3, 1)]
    assert run(f"SELECT d FROM {rows} WHERE p = 1 AND c = 2 ORDER BY d DESC") == [(2,), (1,)]


@pytest.mark.differs("cassandra", "it says some of this in words of its own")
@pytest.mark.parametrize(
    "order, message",
    [
        ("v", "Order by is currently only supported on the clustered columns of the PRIMARY KEY, got v"),
        ("p", "Order by is currently only supported on the clustered columns of the PRIMARY KEY, got p"),
        ("nope", "Order by on unknown column nope"),
        ("d", "Unsupported order by relation - column c doesn't have an ordering or EQ relation"),
        ("c DESC, d ASC", "Unsupported order by relation - only reversing all columns is supported"),
    ],
)
def test_orders_that_are_not_stored(rows, refused, order, message):
    refused(InvalidRequest, f"SELECT * FROM {rows} WHERE p = 1 ORDER BY {order}", message)


def test_order_by_needs_a_partition(rows, refused):
    refused(
        InvalidRequest,
        f"SELECT * FROM {rows} ORDER BY c",
        "ORDER BY is only supported when the partition key is restricted by an EQ or an IN",
    )


@pytest.mark.differs("cassandra", "with any page size it refuses")
def test_order_over_several_partitions(create, session, refused):
    """The partitions' rows are merged into one order, which cannot be paged."""
    table = create("(p int, c int, PRIMARY KEY (p, c))")
    for p, c in ((1, 1), (2, 2), (1, 3), (2, 4)):
        session.execute(f"INSERT INTO {table} (p, c) VALUES ({p}, {c})")
    ask = f"SELECT c FROM {table} WHERE p IN (1, 2) ORDER BY c"
    refused(InvalidRequest, ask, "Cannot page queries with both ORDER BY and a IN restriction on the partition key")
    prepared = session.prepare(ask)
    prepared.fetch_size = None
    assert [c for (c,) in session.execute(prepared)] == [1, 2, 3, 4]
    prepared = session.prepare(ask + " DESC LIMIT 3")
    assert [c for (c,) in session.execute(prepared)] == [4, 3, 2]


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    "statement, message",
    [
        ("SELECT nope FROM {t}", "Unrecognized name nope"),
        ("SELECT * FROM {t} WHERE nope = 1", "Unrecognized name nope"),
        ('SELECT "V" FROM {t}', "Unrecognized name V"),
        ("SELECT * FROM {k}.nope", "unconfigured table nope"),
        ("SELECT * FROM nope.nope", "Keyspace nope does not exist"),
        ("SELECT p AS x FROM {t} WHERE x = 1", r"Aliases aren't allowed in the WHERE clause \(name: 'x'\)"),
        ("SELECT c AS x FROM {t} WHERE p = 1 ORDER BY x", r"Aliases are not allowed in order by clause \('x'\)"),
    ],
)
@pytest.mark.differs("cassandra", "it says most of this in words of its own")
def test_unknown_names(rows, refused, keyspace, statement, message):
    refused(InvalidRequest, statement.format(t=rows, k=keyspace), message)


def test_aliases(rows, session):
    found = session.execute(f'SELECT p AS x, v AS "A b", c AS x FROM {rows} WHERE p = 1 LIMIT 1')
    assert found.column_names == ["x", "A b", "x"]


def test_a_column_may_be_selected_twice(rows, run):
    assert run(f"SELECT c, c, p FROM {rows} WHERE p = 1 AND c = 2 AND d = 1") == [(2, 2, 1)]


@pytest.mark.differs("cassandra", "these are ScyllaDB's")
@pytest.mark.parametrize(
    "clause", ["BYPASS CACHE", "USING TIMEOUT 5s", "USING TIMEOUT 500ms", "BYPASS CACHE USING TIMEOUT 1m"]
)
def test_clauses_of_scylladb(rows, run, clause):
    assert len(run(f"SELECT * FROM {rows} WHERE p = 1 {clause}")) == 6


def test_case_of_names_and_keywords(create, run):
    table = create('(p int PRIMARY KEY, "Seat" int, seat int)')
    run(f'iNsErT INTO {table} (P, "Seat", SEAT) values (1, 2, 3)')
    assert run(f'select SEAT, "Seat" from {table} where P = 1') == [(3, 2)]


def test_comments_and_semicolons(rows, run):
    assert run(f"SELECT p /* which\nseat */ FROM {rows} -- the first\n WHERE p = 2 // only\n;") == [(2,)]
