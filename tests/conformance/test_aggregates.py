"""count, min, max, sum and avg: one row out of many, of nothing at all, and at the edges of the types."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from cassandra import InvalidRequest
from cassandra.protocol import SyntaxException


@pytest.fixture(scope="module")
def sales(session, keyspace) -> str:
    table = f"{keyspace}.sales"
    session.execute(
        f"CREATE TABLE {table} (p int, c int, v int, b bigint, y tinyint, vi varint, f float, d double, e decimal, "
        't text, l list<int>, fl frozen<list<int>>, "Mixed" int, s int static, PRIMARY KEY (p, c))'
    )
    rows = ((1, 1, 4, 40, 100, 1, 0.5, 1.25, "1.0", "b"), (1, 2, 5, 50, 27, 2, 1.5, 2.5, "2.0", "a"),
            (1, 3, 6, 60, -1, 3, 2.5, -1.0, "4.5", "c"), (2, 1, *(None,) * 8))  # fmt: skip
    for p, c, v, b, y, vi, f, d, e, t in rows:
        session.execute(
            f"INSERT INTO {table} (p, c, v, b, y, vi, f, d, e, t) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (p, c, v, b, y, vi, f, d, None if e is None else Decimal(e), t),
        )
    return table


@pytest.mark.parametrize(
    "selectors, expected",
    [
        ("count(*)", (4,)),
        ("COUNT(1)", (4,)),
        ("count(v)", (3,)),
        ("count(p), count(*), count(t)", (4, 4, 3)),
        ("min(v), max(v), sum(v), avg(v)", (4, 6, 15, 5)),
        ("sum(b), avg(b)", (150, 50)),
        ("sum(vi), avg(vi)", (6, 2)),
        ("sum(f), avg(f)", (4.5, 1.5)),
        ("sum(d), min(d), max(d)", (2.75, -1.0, 2.5)),
        ("sum(e), avg(e)", (Decimal("7.5"), Decimal("2.5"))),
        ("min(t), max(t)", ("a", "c")),
        ("max(c), min(p)", (3, 1)),
        ("sum(CAST(y AS int))", (126,)),
        ("count(v) AS sold, max(v) AS best", (3, 6)),
    ],
)
def test_aggregates_of_all(sales, run, selectors, expected):
    """Nulls are passed over by everything but count(*)."""
    assert run(f"SELECT {selectors} FROM {sales}") == [expected]


@pytest.mark.parametrize(
    "where, expected",
    [
        ("p = 77", (None, 0, None, 0, 0)),
        ("p = 2", (2, 1, None, 0, 0)),
        ("p IN ()", (None, 0, None, 0, 0)),
        ("p = 1 AND c > 9", (None, 0, None, 0, 0)),
    ],
)
def test_aggregates_of_nothing(sales, run, where, expected):
    """Still one row: nothing was counted, no least value, and a sum and an average of 0."""
    assert run(f"SELECT p, count(*), min(v), sum(v), avg(v) FROM {sales} WHERE {where}") == [expected]


@pytest.mark.differs("cassandra", "it refuses null")
def test_aggregates_of_no_partition(sales, run):
    assert run(f"SELECT count(*), count(v), min(v), sum(v) FROM {sales} WHERE p = null") == [(0, 0, None, 0)]


def test_other_columns_are_of_the_first_row(sales, run):
    assert run(f"SELECT c, v, max(v) FROM {sales} WHERE p = 1") == [(1, 4, 6)]


def test_clauses_that_choose_rows_come_first(sales, run):
    assert run(f"SELECT count(*) FROM {sales} WHERE p = 1 AND c >= 2") == [(2,)]
    assert run(f"SELECT sum(v) FROM {sales} WHERE v > 4 ALLOW FILTERING") == [(11,)]


def test_a_limit_is_of_the_result(sales, run):
    """There is one row: LIMIT 1 does not make the count 1."""
    assert run(f"SELECT count(*) FROM {sales} LIMIT 1") == [(4,)]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_pages_do_not_change_an_aggregate(sales, session, size):
    prepared = session.prepare(f"SELECT count(*), sum(v) FROM {sales}")
    prepared.fetch_size = size
    assert list(session.execute(prepared)) == [(4, 15)]


def test_functions_around_and_inside(create, run):
    table = create("(p int, c timeuuid, v double, PRIMARY KEY (p, c))")
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 50554d6e-29bb-11e5-b345-feff819cdc9f, 2.9)")
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 6b1b3620-33fd-11eb-8080-808080808080, 3.2)")
    ((first, last, whole),) = run(f"SELECT todate(min(c)), todate(max(c)), sum(CAST(v AS int)) FROM {table}")
    assert (str(first), str(last), whole) == ("2015-07-14", "2020-12-01", 5)


def test_names_in_capitals(sales, run, refused):
    run(f'INSERT INTO {sales} (p, c, "Mixed") VALUES (9, 9, 7)')
    assert run(f'SELECT sum("Mixed") FROM {sales} WHERE p = 9') == [(7,)]
    refused(InvalidRequest, f"SELECT sum(Mixed) FROM {sales}", "mixed")
    run(f"DELETE FROM {sales} WHERE p = 9")


# ---------------------------------------------------------------- the edges of the types


@pytest.mark.parametrize(
    "kind, values, message",
    [
        ("tinyint", (100, 100), "Sum overflow"),
        ("int", (2**31 - 1, 1), "Sum overflow"),
        ("bigint", (-(2**63), -1), "Sum overflow"),
    ],
)
@pytest.mark.differs("cassandra", "its sums wrap around")
def test_sums_that_overflow_are_refused(create, run, refused, kind, values, message):
    table = create(f"(p int, c int, v {kind}, PRIMARY KEY (p, c))")
    for c, v in enumerate(values):
        run(f"INSERT INTO {table} (p, c, v) VALUES (1, {c}, {v})")
    refused(InvalidRequest, f"SELECT sum(v) FROM {table}", message)
    assert run(f"SELECT sum(CAST(v AS varint)) FROM {table}") == [(sum(values),)]


def test_averages_of_whole_numbers_are_whole(create, run):
    table = create("(p int, c int, v int, PRIMARY KEY (p, c))")
    for c, v in enumerate((1, 2, 2)):
        run(f"INSERT INTO {table} (p, c, v) VALUES (1, {c}, {v})")
        run(f"INSERT INTO {table} (p, c, v) VALUES (2, {c}, {-v})")
    assert run(f"SELECT avg(v) FROM {table} WHERE p = 1") == [(1,)]
    assert run(f"SELECT avg(v) FROM {table} WHERE p = 2") == [(-1,)]


@pytest.mark.differs("cassandra", "it rounds at every step")
@pytest.mark.parametrize(
    "values, expected", [(("1", "2"), "2"), (("1.0", "2"), "1.5"), (("1", "2", "2", "3"), "2"), (("1.1", "1.2"), "1.2")]
)
def test_averages_of_decimals_have_the_scale_of_the_sum(create, run, values, expected):
    table = create("(p int, c int, v decimal, PRIMARY KEY (p, c))")
    for c, v in enumerate(values):
        run(f"INSERT INTO {table} (p, c, v) VALUES (1, {c}, {v})")
    ((found,),) = run(f"SELECT avg(v) FROM {table}")
    assert str(found) == expected


def test_infinity_and_nan(create, run):
    table = create("(p int, c int, v double, PRIMARY KEY (p, c))")
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 1, Infinity)")
    assert run(f"SELECT sum(v) FROM {table} WHERE p = 1") == [(math.inf,)]
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, -Infinity)")
    ((total,),) = run(f"SELECT sum(v) FROM {table} WHERE p = 1")
    assert math.isnan(total)


def test_min_and_max_of_frozen_collections(create, run):
    table = create("(p int, c int, v frozen<list<int>>, PRIMARY KEY (p, c))")
    for c, v in enumerate(("[1, 2]", "[2]", "[1]")):
        run(f"INSERT INTO {table} (p, c, v) VALUES (1, {c}, {v})")
    assert run(f"SELECT min(v), max(v), count(v) FROM {table}") == [([1], [2], 3)]


# ---------------------------------------------------------------- refusals


@pytest.mark.differs("cassandra", "it says this in words of its own")
@pytest.mark.parametrize(
    "statement, message",
    [
        ("SELECT sum(t) FROM {t}", r"none of its type signatures match .*system\.sum : \(tinyint\) -> tinyint"),
        ("SELECT avg(l) FROM {t}", "Invalid call to function avg, none of its type signatures match"),
        ("SELECT sum(v, c) FROM {t}", r"sum\(\) function requires only 1 argument"),
        ("SELECT sum(sum(v)) FROM {t}", "aggregation"),
        ("SELECT max(nope) FROM {t}", "Unrecognized name nope"),
        ("SELECT * FROM {t} WHERE p = sum((int)4)", "Aggregation functions are not supported in the WHERE clause"),
    ],
)  # fmt: skip
def test_no_aggregate(sales, refused, statement, message):
    refused(InvalidRequest, statement.format(t=sales), message)


@pytest.mark.parametrize("statement", ["SELECT sum(*) FROM {t}", "SELECT count(DISTINCT p) FROM {t}"])
def test_no_cql(sales, refused, statement):
    refused(SyntaxException, statement.format(t=sales))
