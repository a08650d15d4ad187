"""ALLOW FILTERING: which questions need it, which are refused even with it, and what passes a filter.

Without an index or a key, the database would have to look at every row to answer: it wants to be told that this is
meant.
"""

from __future__ import annotations

import pytest
from cassandra import InvalidRequest
from cassandra.query import UNSET_VALUE

NEEDED = (
    "Cannot execute this query as it might involve data filtering and thus may have unpredictable performance. "
    "If you want to execute this query despite the performance unpredictability, use ALLOW FILTERING"
)


@pytest.fixture(scope="module")
def seats(session, keyspace) -> str:
    """(a, b) of 1..2 × 1..2, in each c of 1..3: v = 100 a + 10 b + c; name 'a-b-c'; free where c is 2; s = a."""
    table = f"{keyspace}.seats"
    session.execute(
        f"CREATE TABLE {table} (a int, b int, c int, v int, name text, free boolean, s int static, "
        "l list<int>, st set<text>, m map<text, int>, fl frozen<list<int>>, PRIMARY KEY ((a, b), c))"
    )
    for a in (1, 2):
        for b in (1, 2):
            session.execute(f"INSERT INTO {table} (a, b, s) VALUES ({a}, {b}, {a})")
            for c in (1, 2, 3):
                session.execute(
                    f"INSERT INTO {table} (a, b, c, v, name, free, l, st, m, fl) VALUES ({a}, {b}, {c}, "
                    f"{100 * a + 10 * b + c}, '{a}-{b}-{c}', {'true' if c == 2 else 'null'}, [{c}, 9], {{'c{c}'}}, "
                    f"{{'c': {c}, 'a': {a}}}, [{c}])"
                )
    return table


def found(run, table: str, where: str) -> list[int]:
    return sorted(v for (v,) in run(f"SELECT v FROM {table} WHERE {where}"))


# ---------------------------------------------------------------- needed, and what it then finds


@pytest.mark.parametrize(
    "where, expected",
    [
        ("v = 112", [112]),
        ("v > 212", [213, 221, 222, 223]),
        ("v >= 112 AND v < 122", [112, 113, 121]),
        ("a = 1 AND b = 1 AND v = 112", [112]),
        ("a = 1 AND b = 1 AND c > 1 AND v = 112", [112]),
        ("a = 1 AND b = 1 AND c = 2 AND v = 112", [112]),
        ("name = '2-2-2'", [222]),
        ("free = true AND a = 1 AND b = 2", [122]),
        ("s = 2 AND c = 3", [213, 223]),
        ("c = 3 AND v > 200", [213, 223]),
    ],
)
def test_filters_of_other_columns(seats, run, refused, where, expected):
    refused(InvalidRequest, f"SELECT v FROM {seats} WHERE {where}", "ALLOW FILTERING")
    assert found(run, seats, f"{where} ALLOW FILTERING") == expected


@pytest.mark.parametrize(
    "where, expected",
    [
        ("a = 1", [111, 112, 113, 121, 122, 123]),
        ("b = 2 AND c = 1", [121, 221]),
        ("a > 1 AND b = 1", [211, 212, 213]),
        ("a = 1 AND b > 1", [121, 122, 123]),
        ("a >= 1 AND c = 3 AND v < 200", [113, 123]),
    ],
)
def test_filters_of_part_of_the_partition_key(seats, run, refused, where, expected):
    refused(InvalidRequest, f"SELECT v FROM {seats} WHERE {where}", "ALLOW FILTERING")
    assert found(run, seats, f"{where} ALLOW FILTERING") == expected


def test_the_sentence(seats, refused):
    assert NEEDED in refused(InvalidRequest, f"SELECT * FROM {seats} WHERE v = 1")


@pytest.mark.differs("cassandra", "it says this in words of its own, or refuses it with ALLOW FILTERING too")
@pytest.mark.parametrize(
    "where, expected",
    [
        ("a IN (1) AND c IN (3)", [113, 123]),
        ("v IN (112, 999, 221)", [112, 221]),
        ("b IN (2, 3) AND v IN (121, 122)", [121, 122]),
        ("v NOT IN (111, 112, 113, 121, 122, 123, 211)", [212, 213, 221, 222, 223]),
        ("c NOT IN (1, 2) AND a = 1", [113, 123]),
        ("name LIKE '1-%-3'", [113, 123]),
        ("name LIKE '_-2-1'", [121, 221]),
        ("name LIKE '%'", [111, 112, 113, 121, 122, 123, 211, 212, 213, 221, 222, 223]),
        ("name LIKE 'x%'", []),
        ("free = null", []),
        ("m['c'] = 3 AND a = 2", [213, 223]),
        ("m['none'] = 3", []),
        ("m[null] = 3", []),
        ("l[0] = 2 AND a = 1", [112, 122]),
        ("l[5] = 2", []),
        ("l[-1] = 2", []),
    ],
)
def test_filters_of_scylladb(seats, run, where, expected):
    assert found(run, seats, f"{where} ALLOW FILTERING") == expected


@pytest.mark.parametrize(
    "where, expected",
    [
        ("l CONTAINS 2", [112, 122, 212, 222]),
        ("l CONTAINS 9 AND l CONTAINS 1 AND a = 1 AND b = 1", [111]),
        ("st CONTAINS 'c3' AND a = 1", [113, 123]),
        ("m CONTAINS 3 AND a = 2 AND b = 2", [223]),
        ("m CONTAINS KEY 'a' AND v < 112", [111]),
        ("fl CONTAINS 3 AND a = 1", [113, 123]),
        ("fl = [2] AND a = 1", [112, 122]),
        ("fl > [2] AND a = 1", [113, 123]),
    ],
)
def test_filters_of_collections(seats, run, refused, where, expected):
    refused(InvalidRequest, f"SELECT v FROM {seats} WHERE {where}", "ALLOW FILTERING")
    assert found(run, seats, f"{where} ALLOW FILTERING") == expected


# ---------------------------------------------------------------- not needed


@pytest.mark.parametrize(
    "where, count",
    [
        ("a = 1 AND b = 1", 3),
        ("a = 1 AND b IN (1, 2)", 6),
        ("a = 1 AND b = 1 AND c >= 2", 2),
        ("token(a, b) > 0", None),
    ],
)
def test_keys_need_no_filtering(seats, run, where, count):
    """To say it anyway does no harm."""
    plain, allowed = found(run, seats, where), found(run, seats, f"{where} ALLOW FILTERING")
    assert plain == allowed
    assert count in (None, len(plain))


@pytest.mark.differs("scylla", "it only warns, as long as strict_allow_filtering is not set")
@pytest.mark.parametrize("where", ["c = 2", "c > 2", "c = 2 AND token(a, b) > -9223372036854775808"])
def test_clustering_alone_needs_filtering(seats, run, refused, where):
    """Every partition must be looked at, though in each the rows are found at once."""
    refused(InvalidRequest, f"SELECT v FROM {seats} WHERE {where}", "ALLOW FILTERING")
    assert len(found(run, seats, f"{where} ALLOW FILTERING")) == 4


# ---------------------------------------------------------------- refused in any case


@pytest.mark.differs("cassandra", "it says some of this in words of its own")
@pytest.mark.parametrize(
    "where, message",
    [
        ("v != 1", 'Unsupported "!=" relation: v != 1'),
        ("a != 1", 'Unsupported "!=" relation: a != 1'),
        ("token(a, b) != 1", r'Unsupported "!=" relation: token\(a, b\) != 1'),
        ("v LIKE 'x'", "LIKE is allowed only on string types, which v is not"),
        ("name CONTAINS 'x'", 'Cannot use CONTAINS on non-collection column "name"'),
        ("st CONTAINS KEY 'x'", "Cannot use CONTAINS KEY on non-map column st"),
        ("l = [1, 9]", r"Collection column 'l' \(list<int>\) cannot be restricted by a '=' relation"),
        ("st > {'x'}", r"Collection column 'st' \(set<text>\) cannot be restricted by a '>' relation"),
        ("m IN ({'x': 1})", r"Collection column 'm' \(map<text, int>\) cannot be restricted by a 'IN' relation"),
        ("st['x'] = 1", "Column st is not a map/list, cannot be subscripted"),
        ("m['c'] > 1", "Only EQ relations are supported on map/list entries"),
        ("fl[0] = 1", "List element equality predicates on frozen list column fl are not supported"),
        ("m[1] = 2", r'Invalid INTEGER constant \(1\) for "key\(m\)" of type text'),
        ("m['a'] = 'x'", r'Invalid STRING constant \(x\) for "value\(m\)" of type int'),
        ("l['x'] = 1", r'Invalid STRING constant \(x\) for "idx\(l\)" of type int'),
        ("st CONTAINS 1", r'Invalid INTEGER constant \(1\) for "value\(st\)" of type text'),
        ("v = 'x'", r'Invalid STRING constant \(x\) for "v" of type int'),
        ("v = 99999999999", r"[Uu]nable to|Value out of range|marshaling error"),
        ("v IS NOT NULL", "is only supported in materialized view creation"),
    ],
)
def test_no_filter_at_all(seats, refused, where, message):
    refused(InvalidRequest, f"SELECT * FROM {seats} WHERE {where} ALLOW FILTERING", message)


@pytest.mark.parametrize("marker", ["v = ?", "v IN ?", "a = ? AND b = 1", "m[?] = 1", "l CONTAINS ?"])
def test_unset_is_no_condition_left_out(seats, session, marker):
    """A filter whose value was forgotten must not turn into a filter that everything passes."""
    prepared = session.prepare(f"SELECT v FROM {seats} WHERE {marker} ALLOW FILTERING")
    with pytest.raises(InvalidRequest, match=r"(?i)unset"):
        session.execute(prepared, [UNSET_VALUE])


# ---------------------------------------------------------------- what a filter sees


def test_a_missing_value_passes_no_filter(create, run):
    table = create("(p int PRIMARY KEY, v int)")
    for p, v in ((1, "null"), (2, "2"), (3, "-1")):
        run(f"INSERT INTO {table} (p, v) VALUES ({p}, {v})")
    assert run(f"SELECT p FROM {table} WHERE v > 0 ALLOW FILTERING") == [(2,)]
    assert run(f"SELECT p FROM {table} WHERE v < 0 ALLOW FILTERING") == [(3,)]


def test_a_column_that_came_later_is_missing(create, run):
    table = create("(p int PRIMARY KEY)")
    run(f"INSERT INTO {table} (p) VALUES (1)")
    run(f"ALTER TABLE {table} ADD v int")
    run(f"INSERT INTO {table} (p, v) VALUES (2, 2)")
    assert run(f"SELECT p FROM {table} WHERE v > 0 ALLOW FILTERING") == [(2,)]
    assert run(f"SELECT p FROM {table} WHERE v < 9 ALLOW FILTERING") == [(2,)]


def test_a_filter_on_a_static_column_finds_partitions_without_rows(create, run):
    table = create("(p int, c int, v int, s int static, PRIMARY KEY (p, c))")
    run(f"INSERT INTO {table} (p, s) VALUES (1, 2)")
    assert run(f"SELECT p, c, v, s FROM {table} WHERE s = 2 ALLOW FILTERING") == [(1, None, None, 2)]
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 1, 1)")
    assert run(f"SELECT p, c, v, s FROM {table} WHERE s = 2 ALLOW FILTERING") == [(1, 1, 1, 2)]


def test_a_filter_on_rows_finds_no_static_row(create, run):
    table = create("(p int, c int, v int, s int static, PRIMARY KEY (p, c))")
    run(f"INSERT INTO {table} (p, s) VALUES (1, 2)")
    assert run(f"SELECT p FROM {table} WHERE v = 1 ALLOW FILTERING") == []


def test_the_limit_counts_what_passed(seats, run):
    assert len(run(f"SELECT v FROM {seats} WHERE c = 3 LIMIT 2 ALLOW FILTERING")) == 2
    assert len(run(f"SELECT v FROM {seats} WHERE v > 0 PER PARTITION LIMIT 1 ALLOW FILTERING")) == 4


def test_aggregates_see_what_passed(seats, run):
    assert run(f"SELECT count(*), min(v), max(v) FROM {seats} WHERE free = true ALLOW FILTERING") == [(4, 112, 222)]


def test_filtering_goes_through_all_pages(seats, session):
    """A page may be empty though more follows: the driver asks on."""
    prepared = session.prepare(f"SELECT v FROM {seats} WHERE name = ? ALLOW FILTERING")
    prepared.fetch_size = 1
    for name, v in (("1-1-1", 111), ("2-2-3", 223), ("1-2-2", 122)):
        assert list(session.execute(prepared, [name])) == [(v,)]


def test_text_compares_by_bytes(create, run):
    table = create("(p int PRIMARY KEY, v text)")
    for p, v in enumerate(("Z", "a", "é", "𝄞", "")):
        run(f"INSERT INTO {table} (p, v) VALUES ({p}, '{v}')")
    assert sorted(run(f"SELECT v FROM {table} WHERE v > 'a' ALLOW FILTERING")) == [("é",), ("𝄞",)]
    assert sorted(run(f"SELECT v FROM {table} WHERE v < 'a' ALLOW FILTERING")) == [("",), ("Z",)]


@pytest.mark.parametrize(
    "kind, low, high",
    [
        ("decimal", "1.10", "1.2"),
        ("varint", "-5", "123456789012345678901234567890"),
        ("double", "-0.5", "1e300"),
        ("timestamp", "'1969-01-01'", "'2024-01-01'"),
        ("date", "'1969-01-01'", "'2024-01-01'"),
        ("time", "'01:00:00'", "'01:00:00.000000001'"),
        ("inet", "'9.9.9.9'", "'10.0.0.1'"),
        ("timeuuid", "maxTimeuuid('2001-01-01')", "minTimeuuid('2024-01-01')"),
        ("boolean", "false", "true"),
        ("blob", "0x7f", "0xff00"),
        ("tinyint", "-128", "127"),
    ],
)
def test_values_compare_by_their_type(create, run, kind, low, high):
    table = create(f"(p int PRIMARY KEY, v {kind})")
    run(f"INSERT INTO {table} (p, v) VALUES (1, {low})")
    run(f"INSERT INTO {table} (p, v) VALUES (2, {high})")
    assert run(f"SELECT p FROM {table} WHERE v > {low} ALLOW FILTERING") == [(2,)]
    assert run(f"SELECT p FROM {table} WHERE v < {high} ALLOW FILTERING") == [(1,)]
    assert run(f"SELECT p FROM {table} WHERE v = {low} ALLOW FILTERING") == [(1,)]


def test_equal_numbers_may_be_written_differently(create, run):
    table = create("(p int PRIMARY KEY, v decimal)")
    run(f"INSERT INTO {table} (p, v) VALUES (1, 1.10)")
    assert run(f"SELECT p FROM {table} WHERE v = 1.1 ALLOW FILTERING") == [(1,)]
