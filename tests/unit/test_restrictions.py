"""What a WHERE clause may ask for, and that it finds exactly the rows that it asks for."""

from __future__ import annotations

import operator as op

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedded_scylla.errors import InvalidRequest
from embedded_scylla.request import UNSET
from embedded_scylla.where.restrictions import FILTERING_NEEDED
from tests.unit.asking import Asking, joined

TABLE = (
    "CREATE TABLE t (p int, c int, d int, e int, s int static, v int, x text, m map<text, int>, l list<int>, "
    "u set<int>, f frozen<list<int>>, PRIMARY KEY (p, c, d, e)) "
    "WITH CLUSTERING ORDER BY (c ASC, d DESC, e ASC)"
)


@pytest.fixture(scope="module")
def node() -> Asking:
    node = Asking()
    node.run(TABLE)
    node.run("CREATE TABLE two (p int, q int, c int, v int, PRIMARY KEY ((p, q), c))")
    node.run("CREATE TABLE indexed (p int, q int, c int, v int, w int, PRIMARY KEY ((p, q), c))")
    node.run("CREATE INDEX by_v ON indexed (v)")
    node.run("CREATE INDEX by_c ON indexed (c)")
    for p in range(2):
        for c in range(3):
            for d in range(3):
                node.run(
                    "INSERT INTO t (p, c, d, e, v, x, m, l, u, f) VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?)",
                    *(p, c, d, c * d, f"x{c}_{d}", {"k": c}, [c, d], {c, d}, [c, d]),
                )
    for p in range(3):
        for c in range(3):
            node.run("INSERT INTO two (p, q, c, v) VALUES (?, ?, ?, ?)", p, p, c, c)
            node.run("INSERT INTO indexed (p, q, c, v, w) VALUES (?, ?, ?, ?, ?)", p, p, c, c % 2, c)
    return node


# ---------------------------------------------------------------- refused, with the database's words

REFUSED = [
    (
        "p > 1",
        "Only EQ and IN relation are supported on the partition key "
        "(unless you use the token() function or ALLOW FILTERING)",
    ),
    (
        "p = 1 AND token(p) > 0",
        'Columns "ColumnDefinition{name=p, type=org.apache.cassandra.db.marshal.Int32Type, kind=PARTITION_KEY, '
        'componentIndex=0, droppedAt=-9223372036854775808}" cannot be restricted by both a normal relation and a '
        "token relation",
    ),
    ("token(p, p) = 0", "Invalid number of arguments in call to function system.token: 1 required but 2 provided"),
    ("token(c) = 0", "The token function arguments must be in the partition key order: p"),
    ("p != 1", 'Unsupported "!=" relation: p != 1'),
    ("p IS NOT NULL", "restriction 'p IS NOT null' is only supported in materialized view creation"),
    ("nope = 1", "Unrecognized name nope"),
    ("p = 'a'", 'Invalid STRING constant (a) for "p" of type int'),
    ("p IN (1, 'a')", "Invalid list literal for IN(p): value 'a' is not of type int"),
    ("p = 1 AND d = 1", 'PRIMARY KEY column "d" cannot be restricted as preceding column "c" is not restricted'),
    (
        "p = 1 AND c > 1 AND d = 1",
        'Clustering column "d" cannot be restricted (preceding column "c" is restricted by a non-EQ relation)',
    ),
    (
        "p = 1 AND d = 1 AND c > 1",
        'PRIMARY KEY column "d" cannot be restricted (preceding column "c" is restricted by a non-EQ relation)',
    ),
    ("p = 1 AND c CONTAINS 1", 'Cannot use CONTAINS on non-collection column "c"'),
    ("p = 1 AND l CONTAINS KEY 1", "Cannot use CONTAINS KEY on non-map column l"),
    ("p = 1 AND v LIKE 'a'", "LIKE is allowed only on string types, which v is not"),
    ("p = 1 AND l = [1]", "Collection column 'l' (list<int>) cannot be restricted by a '=' relation"),
    ("p = 1 AND u[1] = 1", "Column u is not a map/list, cannot be subscripted"),
    ("p = 1 AND f[1] = 1", "List element equality predicates on frozen list column f are not supported"),
    ("p = 1 AND m['k'] > 1", "Only EQ relations are supported on map/list entries"),
    ("p = 1 AND v = 1", FILTERING_NEEDED),
    ("v = 1", FILTERING_NEEDED),
    ("p = 1 AND (c, d) > (1)", "Expected 2 elements in value tuple, but got 1: (1)"),
    (
        "p = 1 AND (c, d) IN ((1, 2, 3), (1, 2))",
        "Invalid list literal for IN((c,d)): value (1, 2, 3) is not of type frozen<tuple<int, int>>",
    ),
    ("(p, c) = (1, 1)", "Multi-column relations can only be applied to clustering columns but was applied to: p"),
    (
        "p = 1 AND (d, e) > (1, 1)",
        "Clustering columns may not be skipped in multi-column relations. They should appear in the PRIMARY KEY order",
    ),
    ("p = 1 AND (c, e) > (1, 1)", "Clustering columns must appear in the PRIMARY KEY order in multi-column relations"),
    (
        "p = 1 AND (c, d) > (1, 1) AND c = 1",
        "Mixing single column relations and multi column relations on clustering columns is not allowed",
    ),
    (
        "p = 1 AND c = 1 AND (c, d) > (1, 1)",
        "Mixing single column relations and multi column relations on clustering columns is not allowed",
    ),
    (
        "p = 1 AND (c) > (1) AND (c, d) = (1, 1)",
        "c cannot be restricted by more than one relation if it includes an Equal",
    ),
    (
        "p = 1 AND (c) > (1) AND (c, d) IN ((1, 1), (2, 2))",
        "c cannot be restricted by more than one relation if it includes a IN",
    ),
    (
        "p = 1 AND (c) = (1) AND (c) > (0)",
        'Column "c" cannot be restricted by both an equality and an inequality relation',
    ),
    ("p = 1 AND (c) > (1) AND (c) >= (0)", "More than one restriction was found for the start bound on c"),
    ("p = 1 AND (c) < (1) AND (c) <= (0)", "More than one restriction was found for the end bound on c"),
    ("p = 1 AND (c, d) > (1, null)", "Invalid null value in condition for column d"),
]


@pytest.mark.parametrize(("where", "message"), REFUSED, ids=[where for where, _ in REFUSED])
def test_refused(node, where, message):
    with pytest.raises(InvalidRequest) as refusal:
        node.rows(f"SELECT * FROM t WHERE {where}")
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "SELECT DISTINCT p FROM t WHERE c = 1",
            "SELECT DISTINCT with WHERE clause only supports restriction by partition key.",
        ),
        (
            "SELECT c FROM t WHERE c = 1 ORDER BY c",
            "ORDER BY is only supported when the partition key is restricted by an EQ or an IN.",
        ),
        ("SELECT c FROM indexed WHERE v = 1 AND w = 1 ORDER BY c", "ORDER BY with 2ndary indexes is not supported."),
        ("SELECT c FROM t WHERE c = 1 GROUP BY p, c", FILTERING_NEEDED),
    ],
)
def test_other_clauses_are_checked_before_filtering(node, query, message):
    with pytest.raises(InvalidRequest) as refusal:
        node.rows(query)
    assert refusal.value.message == message


# Each is refused without ALLOW FILTERING, and answered with it.
NEEDS_FILTERING = [
    ("SELECT c FROM two WHERE p = 1", [(0,), (1,), (2,)]),
    ("SELECT p FROM two WHERE p = 1 AND c = 2", [(1,)]),
    ("SELECT c FROM two WHERE p = 1 AND q = 1 AND v = 2", [(2,)]),
    ("SELECT p, c FROM two WHERE v IN (7, 2) AND p IN (0, 1)", [(1, 2), (0, 2)]),
    ("SELECT d FROM t WHERE p = 0 AND x LIKE '%_\\_1' AND c = 1", [(1,)]),
    ("SELECT c, d FROM t WHERE p = 0 AND u CONTAINS 2 AND m CONTAINS KEY 'k' AND m['k'] = 1", [(1, 2)]),
    ("SELECT c, d FROM t WHERE p = 0 AND l[1] = 2 AND m CONTAINS 2", [(2, 2)]),
    ("SELECT c, d FROM t WHERE p = 0 AND f = [2, 0]", [(2, 0)]),
    ("SELECT c, d FROM t WHERE p = 0 AND f CONTAINS 2 AND f > [2, 1]", [(2, 2)]),
    ("SELECT c, d FROM t WHERE p = 0 AND v NOT IN (0, 1, 2)", [(2, 2)]),
    ("SELECT c FROM indexed WHERE p = 1 AND v = 1", [(1,)]),
    ("SELECT p, c FROM indexed WHERE v = 0 AND w = 2 AND p = 2", [(2, 2)]),
    ("SELECT p, c FROM indexed WHERE v = 0 AND c = 2 AND p = 2", [(2, 2)]),
    ("SELECT p, c FROM indexed WHERE w = 2 AND p = 1", [(1, 2)]),
    ("SELECT p, c FROM indexed WHERE p IN (1, 2) AND q = 1 AND v = 1", [(1, 1)]),
]


@pytest.mark.parametrize(("text", "expected"), NEEDS_FILTERING, ids=[text for text, _ in NEEDS_FILTERING])
def test_the_line_of_allow_filtering(node, text, expected):
    with pytest.raises(InvalidRequest) as refusal:
        node.rows(text)
    assert refusal.value.message == FILTERING_NEEDED
    assert sorted(node.rows(f"{text} ALLOW FILTERING")) == sorted(expected)


ALLOWED = [
    ("SELECT c FROM two WHERE p = 1 AND q = 1 AND c > 1", [(2,)]),
    ("SELECT c FROM two WHERE p = 1 AND q IN (1, 2) AND c IN (2, 0, 2)", [(0,), (2,)]),
    ("SELECT c FROM two WHERE p = 1 AND q = 1 AND c = 1 AND c = 2", []),
    ("SELECT c FROM two WHERE p = 1 AND p = 2 AND q = 1", []),
    ("SELECT c FROM two WHERE p = 1 AND q = 1 AND c > 2 AND c < 1", []),
    ("SELECT c FROM two WHERE p = 1 AND q = 1 AND c >= 1 AND c = 1", [(1,)]),
    ("SELECT c FROM two WHERE p = 1 AND q = 1 AND c > 0 AND c > 1", [(2,)]),
    ("SELECT c FROM two WHERE p = 1 AND q = 1 AND c IN ()", []),
    ("SELECT c FROM two WHERE p IN () AND q = 1", []),
    ("SELECT c FROM two WHERE p IN (1, 1) AND q = 1 AND c = 0", [(0,)]),
    ("SELECT p, c FROM indexed WHERE v = 1", [(0, 1), (1, 1), (2, 1)]),
    ("SELECT p FROM indexed WHERE c = 2", [(0,), (1,), (2,)]),
    ("SELECT c FROM indexed WHERE v = 0 AND p = 1 AND q = 1", [(0,), (2,)]),
    ("SELECT c FROM indexed WHERE v = 0 AND p = 1 AND q = 1 AND c > 0", [(2,)]),
    ("SELECT p, c FROM indexed WHERE v = 1 AND token(p, q) >= -9223372036854775808", [(0, 1), (1, 1), (2, 1)]),
    ("SELECT p, c FROM indexed WHERE v = 7", []),
]


@pytest.mark.parametrize(("text", "expected"), ALLOWED, ids=[text for text, _ in ALLOWED])
def test_allowed(node, text, expected):
    assert sorted(node.rows(text)) == expected


def test_an_index_does_not_serve_in_or_orders(node):
    for where in ("v IN (0, 1)", "v > 0", "v = 1 AND w = 1"):
        with pytest.raises(InvalidRequest, match="ALLOW FILTERING"):
            node.rows(f"SELECT * FROM indexed WHERE {where}")
    with pytest.raises(InvalidRequest, match="ORDER BY with 2ndary indexes is not supported"):
        node.rows("SELECT * FROM indexed WHERE v = 1 ORDER BY c")


@pytest.mark.parametrize("where", ["c > 1", "c = 2", "(c) = (2)", "token(p, q) > -9223372036854775808 AND c = 2"])
def test_a_slice_of_every_partition_needs_filtering(node, where):
    with pytest.raises(InvalidRequest) as caught:
        node.plan(f"SELECT p, c FROM two WHERE {where}")
    assert caught.value.message == FILTERING_NEEDED
    answer = node.ask(f"SELECT p, c FROM two WHERE {where} ALLOW FILTERING")
    assert sorted(answer.rows) == [(0, 2), (1, 2), (2, 2)] and answer.warnings == []


@pytest.mark.parametrize(
    ("where", "values", "length"),
    [
        ("p = ? AND q = 'a'", ["x" * 65536], 65537),
        ("p = ? AND q = ?", ["x" * 40000, "y" * 40000], 80000),
        ("p IN ? AND q = 'a'", [["x", "y" * 65536]], 65537),
    ],
)
def test_no_partition_has_a_key_that_long(node, where, values, length):
    node.run("CREATE TABLE IF NOT EXISTS long (p text, q text, c text, PRIMARY KEY ((p, q), c))")
    with pytest.raises(InvalidRequest) as caught:
        node.rows(f"SELECT * FROM long WHERE {where}", *values)
    assert caught.value.message == f"Key length of {length} is longer than maximum of 65535"
    assert node.rows("SELECT * FROM long WHERE p = 'x' AND q = 'a' AND c = ?", "z" * 65536) == []


# ---------------------------------------------------------------- null and unset


@pytest.mark.parametrize("where", ["p = ?", "p IN ?", "token(p) > ?", "p = 1 AND c = ?", "p = 1 AND c > ?"])
def test_nothing_is_equal_to_null(node, where):
    assert node.rows(f"SELECT * FROM t WHERE {where}", None) == []


@pytest.mark.parametrize("where", ["v = ?", "v > ?", "v IN ?", "v NOT IN ?", "u CONTAINS ?", "m[?] = 1", "m['k'] = ?"])
def test_filters_with_null_let_nothing_through(node, where):
    assert node.rows(f"SELECT * FROM t WHERE {where} ALLOW FILTERING", None) == []


def test_null_within_lists(node):
    assert len(node.rows("SELECT * FROM t WHERE p = 0 AND c IN (1, null)")) == 3
    assert len(node.rows("SELECT * FROM t WHERE p = 0 AND v IN (4, null) ALLOW FILTERING")) == 1
    assert node.rows("SELECT * FROM t WHERE p = 0 AND v NOT IN (4, null) ALLOW FILTERING") == []


@pytest.mark.parametrize("where", ["p = ?", "p = 1 AND c > ?", "p = 1 AND c IN ?", "v = ?", "m[?] = 1"])
def test_unset_is_no_condition(node, where):
    with pytest.raises(InvalidRequest) as refusal:
        node.rows(f"SELECT * FROM t WHERE {where} ALLOW FILTERING", UNSET)
    assert refusal.value.message == "Unexpected unset value for bind variable 0"


def test_writes_refuse_null_keys(node):
    for where in ("p = ?", "p IN ?"):
        with pytest.raises(InvalidRequest) as refusal:
            node.run(f"DELETE FROM t WHERE {where}", None)
        assert refusal.value.message == "Invalid null value in condition for column p"
    with pytest.raises(InvalidRequest) as refusal:
        node.run("DELETE FROM t WHERE p = 1 AND c > ?", None)
    assert refusal.value.message == "Invalid null value in condition for column c"
    with pytest.raises(InvalidRequest) as refusal:
        node.run("DELETE FROM t WHERE p = 1 AND c NOT IN (1)")
    assert refusal.value.message == "Invalid operator in where clause c NOT IN (1)"


def test_too_many_combinations(node):
    with pytest.raises(InvalidRequest, match=r"size of partition-key IN list .* 101 is greater than maximum 100"):
        node.rows("SELECT * FROM t WHERE p IN ?", list(range(101)))
    assert len(node.rows("SELECT * FROM t WHERE p IN ?", list(range(100)))) == 18


# ---------------------------------------------------------------- variables


def names(node: Asking, text: str) -> list[tuple[str, str]]:
    return [(spec.name, spec.type.name) for spec in node.plan(text).variables]


def test_variables_are_named_after_what_they_restrict(node):
    assert names(node, "SELECT * FROM t WHERE p = ? AND c IN ? LIMIT ?") == [
        ("p", "int"), ("IN(c)", "frozen<list<int>>"), ("[limit]", "int"),
    ]  # fmt: skip
    assert names(node, "SELECT * FROM t WHERE token(p) > ? PER PARTITION LIMIT ?") == [
        ("partition key token", "bigint"),
        ("[limit]", "int"),
    ]
    assert names(node, "SELECT * FROM t WHERE u CONTAINS ? AND m CONTAINS KEY ? AND m[?] = ? ALLOW FILTERING") == [
        ("value(u)", "int"), ("key(m)", "text"), ("key(m)", "text"), ("value(m)", "int"),
    ]  # fmt: skip
    assert names(node, "SELECT * FROM t WHERE p = 1 AND (c, d) > (?, ?)") == [("(c,d)[0]", "int"), ("(c,d)[1]", "int")]
    assert names(node, "SELECT * FROM t WHERE p = 1 AND (c, d) = ?") == [("(c,d)", "frozen<tuple<int, int>>")]
    assert names(node, "SELECT * FROM t WHERE p = :mine") == [("mine", "int")]


def test_routing_key(node):
    assert node.plan("SELECT * FROM two WHERE q = ? AND c = ? AND p = ?").partition_key_variables == [2, 0]
    for where in ("p = ? AND q = 1", "p = ? AND q IN ?", "token(p, q) = ?"):
        assert node.plan(f"SELECT * FROM two WHERE {where}").partition_key_variables == []


# ---------------------------------------------------------------- the rows that are found

OPERATORS = {"<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge, "=": op.eq}
small = st.integers(-1, 3)
ROWS = [(c, d) for c in range(3) for d in (2, 1, 0)]  # of each partition, in stored order


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_tuples_of_columns_find_what_they_say(node, data):
    """(c, d) op (…), in an order that is ascending for one column and descending for the other."""
    conditions, parts = [], []
    for operators in data.draw(st.sampled_from([[">", "<"], [">=", "<="], [">"], ["<="], ["="], [">=", "<"]])):
        width = data.draw(st.integers(1, 2))
        bound = tuple(data.draw(small) for _ in range(width))
        columns = "(c, d)" if width == 2 else "(c)"
        parts.append(f"{columns} {operators} ({', '.join(map(str, bound))})")
        conditions.append((OPERATORS[operators], width, bound))
    expected = [row for row in ROWS if all(compare(row[:width], bound) for compare, width, bound in conditions)]
    text = f"SELECT c, d FROM t WHERE p = 1 AND {' AND '.join(parts)}"
    assert node.rows(text) == expected
    page = data.draw(st.integers(1, 5))
    assert joined(node.paged(text, page=page)) == expected
    assert joined(node.paged(f"{text} ORDER BY c DESC", page=page)) == expected[::-1]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_single_columns_find_what_they_say(node, data):
    values = data.draw(st.lists(small, min_size=1, max_size=3))
    first = f"c IN ({', '.join(map(str, values))})"
    slices = data.draw(st.lists(st.tuples(st.sampled_from(sorted(OPERATORS)), small), max_size=2))
    text = " AND ".join(["SELECT c, d FROM t WHERE p = 1", first, *(f"d {o} {bound}" for o, bound in slices)])
    expected = [(c, d) for c, d in ROWS if c in values and all(OPERATORS[o](d, bound) for o, bound in slices)]
    assert node.rows(text) == expected
    assert joined(node.paged(text, page=data.draw(st.integers(1, 4)))) == expected


def test_lists_of_tuples(node):
    assert node.rows("SELECT c, d FROM t WHERE p = 1 AND (c, d) IN ((2, 1), (0, 0), (2, 1), (9, 9))") == [
        (0, 0),
        (2, 1),
    ]
    assert node.rows("SELECT c, d FROM t WHERE p = 1 AND (c, d) IN ?", [(1, 0), (1, 2)]) == [(1, 2), (1, 0)]
    assert node.rows("SELECT c, d FROM t WHERE p = 1 AND (c) IN ((1), (2)) LIMIT 4") == [(1, 2), (1, 1), (1, 0), (2, 2)]
    assert node.rows("SELECT c, d FROM t WHERE p = 1 AND (c, d) IN ?", None) == []


def test_clustering_bound_slices_in_stored_order(node):
    text = "SELECT c, d FROM t WHERE p = 1 AND (c, d) > SCYLLA_CLUSTERING_BOUND (1, 1)"
    assert node.rows(text) == ROWS[ROWS.index((1, 1)) + 1 :]


def test_tokens(node):
    everyone = node.rows("SELECT token(p, q), p FROM two PER PARTITION LIMIT 1")
    tokens = [token for token, _ in everyone]
    assert tokens == sorted(tokens) and len(tokens) == 3
    middle = tokens[1]
    for where, expected in [
        ("> ?", everyone[2:]),
        (">= ?", everyone[1:]),
        ("< ?", everyone[:1]),
        ("<= ?", everyone[:2]),
        ("= ?", everyone[1:2]),
    ]:
        text = f"SELECT token(p, q), p FROM two WHERE token(p, q) {where} PER PARTITION LIMIT 1"
        assert node.rows(text, middle) == expected
    assert node.rows("SELECT p FROM two WHERE token(p, q) > ? AND token(p, q) < ?", tokens[1], tokens[0]) == []
    assert len(node.rows("SELECT p FROM two WHERE token(p, q) <= -9223372036854775808")) == 9  # the ring's end, too
