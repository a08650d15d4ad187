"""GROUP BY: one row of the result for the rows that share a partition and a prefix of the clustering key."""

from __future__ import annotations

import pytest
from cassandra import InvalidRequest
from cassandra.query import SimpleStatement


@pytest.fixture(scope="module")
def sold(session, keyspace) -> str:
    """Partitions 1 and 2 with blocks a and b of two rows each; 3 has only a static value. A price is missing."""
    table = f"{keyspace}.sold"
    session.execute(
        f"CREATE TABLE {table} (p int, block text, seat int, name text static, price int, buyer text, "
        "PRIMARY KEY (p, block, seat))"
    )
    for p in 1, 2:
        session.execute(f"INSERT INTO {table} (p, name) VALUES ({p}, 'night {p}')")
        for block, seat, price in (("a", 1, 10), ("a", 2, 20), ("b", 1, 30), ("b", 3, 45)):
            session.execute(
                f"INSERT INTO {table} (p, block, seat, price, buyer) VALUES (%s, %s, %s, %s, %s)",
                (p, block, seat, price * p, f"{block}{seat}"),
            )
    session.execute(f"DELETE price FROM {table} WHERE p = 1 AND block = 'a' AND seat = 1")
    session.execute(f"INSERT INTO {table} (p, name) VALUES (3, 'night 3')")
    return table


@pytest.mark.parametrize(
    "select, expected",
    [
        ("p, count(*) FROM {t} GROUP BY p", [(1, 4), (2, 4), (3, 1)]),
        ("p, count(price), min(price), max(price), sum(price), avg(price) FROM {t} GROUP BY p",
         [(1, 3, 20, 45, 95, 31), (2, 4, 20, 90, 210, 52), (3, 0, None, None, 0, 0)]),
        ("p, block, count(*), max(buyer) FROM {t} WHERE p = 1 GROUP BY p, block",
         [(1, "a", 2, "a2"), (1, "b", 2, "b3")]),
        ("block, sum(price) FROM {t} WHERE p IN (1, 2) GROUP BY p, block",
         [("a", 20), ("b", 75), ("a", 60), ("b", 150)]),
        ("seat, count(*) FROM {t} WHERE p = 1 GROUP BY p, block, seat", [(1, 1), (2, 1), (1, 1), (3, 1)]),
        ("CAST(count(*) AS text), sum(CAST(price AS bigint)) AS all_of_it FROM {t} WHERE p = 2 GROUP BY p",
         [("4", 210)]),
    ],
)  # fmt: skip
def test_aggregates_of_each_group(sold, run, select, expected):
    found = run("SELECT " + select.format(t=sold))
    if "WHERE" not in select:
        found.sort()  # by the ring, else
    assert found == expected


@pytest.mark.parametrize(
    "select, expected",
    [
        ("* FROM {t} WHERE p = 1 GROUP BY p", [(1, "a", 1, "night 1", "a1", None)]),
        ("seat, buyer FROM {t} WHERE p = 1 GROUP BY p, block", [(1, "a1"), (1, "b1")]),
        ("name, price, max(price) FROM {t} WHERE p = 1 GROUP BY block", [("night 1", None, 20), ("night 1", 30, 45)]),
        ("seat, TTL(price) FROM {t} WHERE p = 2 GROUP BY p, block", [(1, None), (1, None)]),
        ("p, block, name, count(name), count(block) FROM {t} WHERE p = 3 GROUP BY p, block",
         [(3, None, "night 3", 1, 0)]),
    ],
)  # fmt: skip
def test_other_columns_are_of_the_group_s_first_row(sold, run, select, expected):
    """Null, if the first row has none, whatever the others have."""
    assert run("SELECT " + select.format(t=sold)) == expected


@pytest.mark.parametrize(
    "rest, expected",
    [
        ("WHERE p = 1 AND block > 'a' GROUP BY p, block", [("b", 1, 2)]),
        ("WHERE p = 1 AND block IN ('a', 'b') AND seat IN (1, 2, 3) GROUP BY p, block", [("a", 1, 2), ("b", 1, 2)]),
        ("WHERE p = 1 AND (block, seat) > ('a', 1) GROUP BY p, block", [("a", 2, 1), ("b", 1, 2)]),
        ("WHERE p = 1 AND price > 20 GROUP BY p, block ALLOW FILTERING", [("b", 1, 2)]),
        ("WHERE p = 1 AND seat > 1 GROUP BY p, block ALLOW FILTERING", [("a", 2, 1), ("b", 3, 1)]),
        ("WHERE p = 1 GROUP BY p, block ORDER BY block DESC", [("b", 3, 2), ("a", 2, 2)]),
        ("WHERE p = 1 GROUP BY p, block ORDER BY block DESC LIMIT 1", [("b", 3, 2)]),
        ("WHERE p = 1 AND block = 'b' GROUP BY seat", [("b", 1, 1), ("b", 3, 1)]),
        ("WHERE p = 1 AND block = 'b' GROUP BY p, seat", [("b", 1, 1), ("b", 3, 1)]),
        ("WHERE p = 9 GROUP BY p", []),
        ("WHERE p = 1 AND block > 'b' GROUP BY p", []),
        ("WHERE token(p) > 9223372036854775000 GROUP BY p", []),
    ],
)
def test_clauses_choose_the_rows_first(sold, run, rest, expected):
    assert run(f"SELECT block, seat, count(*) FROM {sold} {rest}") == expected


def test_limits_count_groups(sold, run):
    ask = f"SELECT p, block, count(*) FROM {sold} WHERE p IN (1, 2, 3) GROUP BY p, block"
    everything = [(1, "a", 2), (1, "b", 2), (2, "a", 2), (2, "b", 2), (3, None, 1)]
    assert run(ask) == everything
    for limit in 1, 2, 3, 4, 5, 6:
        assert run(f"{ask} LIMIT {limit}") == everything[:limit]
    firsts = [everything[0], everything[2], everything[4]]
    assert run(f"{ask} PER PARTITION LIMIT 1") == firsts
    assert run(f"{ask} PER PARTITION LIMIT 1 LIMIT 2") == firsts[:2]
    assert run(f"{ask} PER PARTITION LIMIT 2 LIMIT 3") == everything[:3]
    assert run(f"SELECT sum(price) FROM {sold} WHERE p = 2 GROUP BY p, block PER PARTITION LIMIT 1") == [(60,)]


def test_limits_count_groups_without_aggregates(sold, run):
    ask = f"SELECT block, seat FROM {sold} WHERE p = 1 GROUP BY p, block"
    assert run(f"{ask} LIMIT 1") == [("a", 1)]
    assert run(f"{ask} PER PARTITION LIMIT 2") == [("a", 1), ("b", 1)]


def test_distinct(sold, run):
    assert sorted(run(f"SELECT DISTINCT p, count(p) FROM {sold} GROUP BY p")) == [(1, 1), (2, 1), (3, 1)]
    assert len(run(f"SELECT DISTINCT p, name FROM {sold} GROUP BY p LIMIT 2")) == 2


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_pages_do_not_cut_groups(sold, session, size):
    """Whatever the size of a page, a group is counted once."""
    ask = f"SELECT p, block, count(*), sum(price) FROM {sold} WHERE p IN (1, 2) GROUP BY p, block"
    found = list(session.execute(SimpleStatement(ask, fetch_size=size)))
    assert found == [(1, "a", 2, 20), (1, "b", 2, 75), (2, "a", 2, 60), (2, "b", 2, 150)]


@pytest.mark.differs("cassandra", "it gives the groups page by page")
def test_groups_come_in_one_page(sold, session):
    ask = SimpleStatement(f"SELECT p, block FROM {sold} WHERE p IN (1, 2) GROUP BY p, block", fetch_size=1)
    answer = session.execute(ask)
    assert not answer.has_more_pages
    assert len(answer.current_rows) == 4


def test_a_partition_key_of_two_columns(create, run):
    table = create("(a int, b int, c int, v int, PRIMARY KEY ((a, b), c))")
    for a, b, c, v in ((1, 1, 1, 1), (1, 1, 2, 2), (1, 2, 1, 4)):
        run(f"INSERT INTO {table} (a, b, c, v) VALUES ({a}, {b}, {c}, {v})")
    assert sorted(run(f"SELECT a, b, sum(v) FROM {table} GROUP BY a, b")) == [(1, 1, 3), (1, 2, 4)]
    assert run(f"SELECT sum(v) FROM {table} WHERE a = 1 AND b = 1 GROUP BY b") == [(3,)]


def test_a_table_without_clustering_columns(create, run):
    table = create("(p int PRIMARY KEY, v int)")
    for p in 1, 2:
        run(f"INSERT INTO {table} (p, v) VALUES ({p}, {p * 10})")
    assert sorted(run(f"SELECT p, max(v) FROM {table} GROUP BY p")) == [(1, 10), (2, 20)]


@pytest.mark.parametrize("limit, expected", [("", [(1, 2), (2, 2)]), (" LIMIT 1", [(1, 2)])])
def test_groups_through_an_index(create, run, limit, expected):
    table = create("(p int, c int, v int, PRIMARY KEY (p, c))")
    run(f"CREATE INDEX ON {table} (v)")
    for p in 1, 2:
        for c in range(4):
            run(f"INSERT INTO {table} (p, c, v) VALUES ({p}, {c}, {c % 2})")
    assert run(f"SELECT p, count(*) FROM {table} WHERE v = 1 GROUP BY p{limit}") == expected
    one_each = f"SELECT c FROM {table} WHERE v = 1 GROUP BY p, c PER PARTITION LIMIT 1"
    assert run(one_each) == [(1,), (1,)]


def test_markers_and_names(sold, session):
    prepared = session.prepare(f"SELECT p, block, count(*), max(price) FROM {sold} WHERE p = ? GROUP BY block LIMIT ?")
    answer = session.execute(prepared, (2, 1))
    assert answer.column_names == ["p", "block", "count", "system.max(price)"]
    assert list(answer) == [(2, "a", 2, 40)]


def test_quoted_names(create, run):
    table = create('(p int, "C" int, PRIMARY KEY (p, "C"))')
    run(f'INSERT INTO {table} (p, "C") VALUES (1, 2)')
    assert run(f'SELECT "C", count(*) FROM {table} GROUP BY P, "C"') == [(2, 1)]


@pytest.mark.differs("cassandra", "it says this in words of its own")
@pytest.mark.parametrize(
    "rest, message",
    [
        ("GROUP BY nope", 'Group by unknown column nope"'),
        ("GROUP BY p, block, alias", 'Group by unknown column alias"'),
        ("GROUP BY price", 'Group by non-primary-key column price"'),
        ("GROUP BY name", 'Group by non-primary-key column name"'),
        ("GROUP BY block", 'Group by column block is out of order"'),
        ("GROUP BY p, seat", 'Group by column seat is out of order"'),
        ("GROUP BY p, p", 'Group by column p is out of order"'),
        ("GROUP BY block, p", 'Group by column block is out of order"'),
        ("GROUP BY p, block, seat, seat", 'Group by column seat is out of order"'),
        ("WHERE p IN (1) GROUP BY block", 'Group by column block is out of order"'),
        ("WHERE p = 1 AND block > 'a' GROUP BY seat", 'Group by column seat is out of order"'),
        ("WHERE p = 1 AND block = 'a' AND seat = 1 GROUP BY seat, seat", 'Group by column seat is out of order"'),
        ("GROUP BY p ORDER BY block", "ORDER BY is only supported when the partition key is restricted"),
        ("GROUP BY p LIMIT 0", "LIMIT must be strictly positive"),
    ],
)
def test_what_cannot_be_grouped_by(sold, refused, rest, message):
    refused(InvalidRequest, f"SELECT p, price AS alias FROM {sold} {rest}", message)


@pytest.mark.differs("cassandra", "it says this in words of its own")
def test_a_part_of_the_partition_key_makes_no_group(create, refused):
    table = create("(a int, b int, c int, PRIMARY KEY ((a, b), c))")
    for where in "", "WHERE a = 1 AND b = 1 ":
        refused(
            InvalidRequest, f"SELECT a FROM {table} {where}GROUP BY a", "GROUP BY must include the entire partition"
        )


def test_distinct_partitions_have_no_rows_to_group(sold, refused):
    message = "Grouping on clustering columns is not allowed for SELECT DISTINCT queries"
    refused(InvalidRequest, f"SELECT DISTINCT p FROM {sold} GROUP BY p, block", message)
