"""What SELECT gives: columns and their names, order, limits, pages, static rows, aggregates, and its refusals."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedded_scylla.errors import InvalidRequest, ProtocolError, ReadTimeout, Unavailable
from embedded_scylla.reading.paging import PagingState
from embedded_scylla.request import ANY, QUORUM, SERIAL, UNSET
from embedded_scylla.types.duration import Duration
from tests.unit.asking import Asking, joined

NO_TIME = Duration(0, 0, 0)


@pytest.fixture(scope="module")
def node() -> Asking:
    """Table t: partitions 0, 1 and 2 with rows c 0..2 by d 1..0 (stored descending); 3 has only a static value."""
    node = Asking()
    node.run(
        "CREATE TABLE t (p int, c int, d int, s int static, v int, w text, m map<text, int>, l list<int>, "
        "u set<int>, PRIMARY KEY (p, c, d)) WITH CLUSTERING ORDER BY (c ASC, d DESC)"
    )
    node.run("CREATE TABLE single (k text PRIMARY KEY, v int)")
    for p in range(3):
        node.run("INSERT INTO t (p, s) VALUES (?, ?)", p, p * 10)
        for c in range(3):
            for d in range(2):
                node.run(
                    "INSERT INTO t (p, c, d, v, w, m, l, u) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    *(p, c, d, c * d, f"w{c}", {"a": c}, [c, d], {c, 7}),
                )
    node.run("INSERT INTO t (p, s) VALUES (3, 30)")
    node.run("INSERT INTO single (k, v) VALUES ('one', 1)")
    node.run("CREATE TABLE many (k int PRIMARY KEY, v int)")
    for k in range(10):
        node.run("INSERT INTO many (k, v) VALUES (?, ?)", k, k)
    return node


STORED = [(c, d) for c in range(3) for d in (1, 0)]


# ---------------------------------------------------------------- columns


def test_all_columns_in_the_schema_s_order(node):
    answer = node.ask("SELECT * FROM t WHERE p = 1 AND c = 2 AND d = 1")
    assert answer.names == ["p", "c", "d", "s", "l", "m", "u", "v", "w"]
    assert answer.rows == [(1, 2, 1, 10, [2, 1], {"a": 2}, [2, 7], 2, "w2")]


@pytest.mark.parametrize(
    ("selectors", "name", "value"),
    [
        ("v", "v", 2),
        ("v AS Other", "other", 2),
        ('v AS "Other"', "Other", 2),
        ("m['a']", "m['a']", 2),
        ("m['b']", "m['b']", None),
        ("l[1]", "l[1]", 1),
        ("l[9]", "l[9]", None),
        ("token(p)", "system.token(p)", -4069959284402364209),
        ("ttl(v)", "ttl(v)", None),
        ("cast(v AS text)", "cast(v as text)", "2"),
        ("intasblob(v)", "system.intasblob(v)", b"\0\0\0\2"),
        ("blobasint(intasblob(v))", "system.blobasint(system.intasblob(v))", 2),
        ("count(*)", "count", 1),
        ("count(1)", "count", 1),
        ("count(v)", "system.count(v)", 1),
        ("count(*) AS n", "n", 1),
        ("max(v)", "system.max(v)", 2),
        ("cast(sum(v) AS text)", "cast(system.sum(v) as text)", "2"),
        ("sum(cast(v AS bigint))", "system.sum(cast(v as bigint))", 2),
    ],
)
def test_a_column_s_name_and_value(node, selectors, name, value):
    answer = node.ask(f"SELECT {selectors} FROM t WHERE p = 1 AND c = 2 AND d = 1")
    assert (answer.names, answer.rows) == ([name], [(value,)])


def test_the_same_column_twice_and_in_any_order(node):
    answer = node.ask("SELECT w, p, s, d, w AS again FROM t WHERE p = 1 AND c = 0 AND d = 0")
    assert (answer.names, answer.rows) == (["w", "p", "s", "d", "again"], [("w0", 1, 10, 0, "w0")])


def test_writetime_and_ttl(node):
    node.run("UPDATE t USING TIMESTAMP 1234 AND TTL 600 SET v = 1, m['k'] = 2, s = 3 WHERE p = 8 AND c = 0 AND d = 0")
    text = "SELECT writetime(v), ttl(v), writetime(m['k']), ttl(m['k']), writetime(s), ttl(w) FROM t WHERE p = 8"
    answer = node.ask(text)
    assert answer.names == ["writetime(v)", "ttl(v)", "writetime(m['k'])", "ttl(m['k'])", "writetime(s)", "ttl(w)"]
    ((written, left, element, element_left, static, nothing),) = answer.rows
    assert (written, element, static, nothing) == (1234, 1234, 1234, None)
    assert 595 <= left <= 600 and 595 <= element_left <= 600
    node.engine.push_clock(600)
    assert node.rows(text) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT nope FROM t", "Unrecognized name nope"),
        ("SELECT v FROM t WHERE nope = 1", "Unrecognized name nope"),
        ("SELECT v AS x FROM t WHERE x = 1", "Aliases aren't allowed in the WHERE clause (name: 'x')"),
        ("SELECT v[7] FROM t", "Column v is not a map/set/list, cannot be subscripted"),
        ("SELECT writetime(c) FROM t", "WRITETIME is not legal on partition key component c"),
        ("SELECT ttl(m) FROM t", "TTL expects an atomic column, but m is a non-frozen collection"),
        ("SELECT 1 FROM t", "Could not infer type of 1"),
        ("SELECT nope(v) FROM t", "Unknown function nope called"),
        ("SELECT max(count(v)) FROM t", "SELECT clause contains aggeregation of an aggregation"),
        ("SELECT max(v, v) FROM t", "max() function requires only 1 argument"),
        ("SELECT v FROM nope", "unconfigured table nope"),
        ("SELECT v FROM nope.t", "Keyspace nope does not exist"),
        ("SELECT v FROM t LIMIT 0", "LIMIT must be strictly positive"),
        ("SELECT v FROM t PER PARTITION LIMIT -1", "PER PARTITION LIMIT must be strictly positive"),
        (
            "SELECT DISTINCT p, v FROM t",
            "SELECT DISTINCT queries must only request partition key columns and/or static columns (not v)",
        ),
        ("SELECT DISTINCT s FROM t", "SELECT DISTINCT queries must request all the partition key columns (missing p)"),
        (
            "SELECT DISTINCT p FROM t WHERE p = 1 AND c = 1",
            "SELECT DISTINCT with WHERE clause only supports restriction by partition key.",
        ),
        (
            "SELECT s FROM t WHERE p = 1 AND c = 1",
            "Cannot restrict clustering columns when selecting only static columns",
        ),
    ],
)
def test_refused(node, text, message):
    with pytest.raises(InvalidRequest) as refusal:
        node.rows(text)
    assert refusal.value.message == message


def test_without_a_keyspace(node):
    with pytest.raises(InvalidRequest) as refusal:
        node.plan("SELECT * FROM t", keyspace=None)
    assert refusal.value.message == (
        "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename"
    )
    assert node.plan("SELECT * FROM ks.t", keyspace=None).columns[0].name == "p"


# ---------------------------------------------------------------- order


@pytest.mark.parametrize(
    ("clauses", "expected"),
    [
        ("", STORED),
        ("ORDER BY c ASC", STORED),
        ("ORDER BY c ASC, d DESC", STORED),
        ("ORDER BY c DESC", STORED[::-1]),
        ("ORDER BY c DESC, d ASC", STORED[::-1]),
        ("AND c = 1 ORDER BY d ASC", [(1, 0), (1, 1)]),
        ("AND c IN (2, 0) ORDER BY c DESC", [(2, 0), (2, 1), (0, 0), (0, 1)]),
        ("AND c > 0 ORDER BY c DESC LIMIT 3", [(2, 0), (2, 1), (1, 0)]),
    ],
)
def test_order_by(node, clauses, expected):
    assert node.rows(f"SELECT c, d FROM t WHERE p = 1 {clauses}") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "SELECT * FROM t ORDER BY c",
            "ORDER BY is only supported when the partition key is restricted by an EQ or an IN.",
        ),
        (
            "SELECT * FROM t WHERE p = 1 ORDER BY v",
            "Order by is currently only supported on the clustered columns of the PRIMARY KEY, got v",
        ),
        ("SELECT * FROM t WHERE p = 1 ORDER BY nope", "Order by on unknown column nope"),
        ("SELECT c AS x FROM t WHERE p = 1 ORDER BY x", "Aliases are not allowed in order by clause ('x')"),
        (
            "SELECT * FROM t WHERE p = 1 ORDER BY d, c",
            "Order by currently only supports the ordering of columns following their declared order "
            "in the PRIMARY KEY",
        ),
        (
            "SELECT * FROM t WHERE p = 1 ORDER BY c, d",
            "Unsupported order by relation - only reversing all columns is supported, "
            "but column d has opposite ordering",
        ),
        (
            "SELECT * FROM t WHERE p = 1 ORDER BY d",
            "Unsupported order by relation - column c doesn't have an ordering or EQ relation.",
        ),
    ],
)
def test_orders_that_cannot_be_had(node, text, message):
    with pytest.raises(InvalidRequest) as refusal:
        node.rows(text)
    assert refusal.value.message == message


def test_several_partitions_in_one_order(node):
    both = node.rows("SELECT p, c, d FROM t WHERE p IN (2, 0) ORDER BY c DESC, d ASC")
    assert [(c, d) for _, c, d in both] == [place for place in STORED[::-1] for _ in range(2)]
    assert node.rows("SELECT p, c, d FROM t WHERE p IN (2, 0) ORDER BY c DESC, d ASC LIMIT 5") == both[:5]
    assert node.rows("SELECT c FROM t WHERE p IN (2, 0) ORDER BY c ASC LIMIT 5", page=5) == [(0,)] * 4 + [(1,)]
    with pytest.raises(InvalidRequest, match="Cannot page queries with both ORDER BY and a IN restriction"):
        node.rows("SELECT p, c FROM t WHERE p IN (2, 0) ORDER BY c DESC", page=5)


def test_in_gives_partitions_in_the_order_of_values(node):
    assert node.rows("SELECT DISTINCT p FROM t WHERE p IN (2, 0, 1, 2)") == [(0,), (1,), (2,)]


# ---------------------------------------------------------------- limits and pages


def test_limits(node):
    everything = node.rows("SELECT p, c, d FROM t WHERE p IN (0, 1)")
    assert len(everything) == 12
    assert node.rows("SELECT p, c, d FROM t WHERE p IN (0, 1) LIMIT 7") == everything[:7]
    assert node.rows("SELECT p, c, d FROM t WHERE p IN (0, 1) LIMIT ?", 7) == everything[:7]
    assert node.rows("SELECT p, c, d FROM t WHERE p IN (0, 1) LIMIT ?", UNSET) == everything
    of_each = node.rows("SELECT p, c, d FROM t WHERE p IN (0, 1) PER PARTITION LIMIT 2")
    assert of_each == everything[:2] + everything[6:8]
    assert node.rows("SELECT p, c, d FROM t WHERE p IN (0, 1) PER PARTITION LIMIT 2 LIMIT 3") == of_each[:3]
    with pytest.raises(InvalidRequest, match="Invalid null value of limit"):
        node.rows("SELECT p FROM t LIMIT ?", None)


PAGED = [
    "SELECT * FROM t",
    "SELECT p, s FROM t",
    "SELECT DISTINCT p, s FROM t",
    "SELECT p, c, d FROM t WHERE p IN (0, 1, 2) AND c IN (0, 2)",
    "SELECT c, d FROM t WHERE p = 1 ORDER BY c DESC",
    "SELECT c, d FROM t WHERE p = 1 AND c IN (0, 2) ORDER BY c DESC",
    "SELECT p, c, d FROM t WHERE v = 2 ALLOW FILTERING",
    "SELECT p, c, m, m['a'] FROM t WHERE u CONTAINS 1 ALLOW FILTERING",
    "SELECT p, c FROM t PER PARTITION LIMIT 4",
    "SELECT p, c FROM t PER PARTITION LIMIT 4 LIMIT 7",
    "SELECT p, c FROM t WHERE token(p) > -5000000000000000000 LIMIT 9",
    "SELECT p, c FROM t WHERE s = 10 ALLOW FILTERING",
    "SELECT * FROM many",
    "SELECT k FROM many WHERE k IN (3, 1, 4, 5, 9, 2, 6) LIMIT 5",
    "SELECT k FROM many WHERE v > 3 ALLOW FILTERING",
]


@settings(deadline=None, max_examples=100)
@given(text=st.sampled_from(PAGED), page=st.integers(1, 9))
def test_pages_make_up_the_whole(node, text, page):
    pages = node.paged(text, page=page)
    assert joined(pages) == node.rows(text)
    if "FILTERING" not in text:
        assert all(len(rows) == page for rows in pages[:-1])


def test_aggregates_know_no_pages(node):
    answer = node.ask("SELECT count(*), min(v), avg(v) FROM t WHERE p IN (0, 1, 2)", page=2)
    assert (answer.rows, answer.state) == ([(18, 0, 0)], None)


def test_a_page_goes_on_after_writes(node):
    node.run("INSERT INTO t (p, c, d) VALUES (70, 1, 0)")
    node.run("INSERT INTO t (p, c, d) VALUES (70, 3, 0)")
    first = node.ask("SELECT c FROM t WHERE p = 70", page=1)
    assert first.rows == [(1,)]
    for c in (0, 1, 2):
        node.run("INSERT INTO t (p, c, d) VALUES (70, ?, 0)", c)
    node.run("DELETE FROM t WHERE p = 70 AND c = 1")
    assert node.rows("SELECT c FROM t WHERE p = 70", state=first.state) == [(2,), (3,)]
    node.run("DELETE FROM t WHERE p = 70")
    assert node.rows("SELECT c FROM t WHERE p = 70", state=first.state) == []


@pytest.mark.parametrize("damage", [b"", b"\0", b"x" * 60, None])
def test_a_paging_state_of_somebody_else_is_refused(node, damage):
    state = node.ask("SELECT * FROM t", page=2).state
    with pytest.raises(ProtocolError, match="Invalid value for the paging state"):
        node.rows("SELECT * FROM t", state=state[:-1] + b"\xff\xff" if damage is None else damage)
    with pytest.raises(ProtocolError):
        node.rows("SELECT * FROM single", state=state)
    with pytest.raises(ProtocolError):
        node.rows("SELECT * FROM t WHERE p = 99", state=state)


def test_paging_state_survives_its_encoding(node):
    table = node.engine.schema.table("ks", "t")
    for position in (None, b"", b"\x40\x01"):
        state = PagingState((b"\0\0\0\1",), position, 5, 2**62)
        assert PagingState.decode(state.encode(table), table) == state


# ---------------------------------------------------------------- rows that are not quite there


def test_a_partition_with_only_static_values_is_one_row(node):
    assert node.rows("SELECT * FROM t WHERE p = 3") == [(3, None, None, 30, None, None, None, None, None)]
    assert node.rows("SELECT c, v FROM t WHERE p = 3") == [(None, None)]
    assert node.rows("SELECT s FROM t WHERE p = 3 LIMIT 1") == [(30,)]
    assert node.rows("SELECT p, s FROM t WHERE s = 30 ALLOW FILTERING") == [(3, 30)]
    for where in ("c = 1", "c > 0", "c > 0 AND d = 1 ALLOW FILTERING", "v = 1 ALLOW FILTERING"):
        assert node.rows(f"SELECT p, s, c FROM t WHERE p = 3 AND {where}") == []
    assert node.rows("SELECT count(*) FROM t WHERE p = 3") == [(1,)]


def test_rows_that_lost_everything_are_gone(node):
    node.run("UPDATE t SET v = 1 WHERE p = 50 AND c = 1 AND d = 1")
    node.run("INSERT INTO t (p, c, d) VALUES (50, 2, 2)")
    assert node.rows("SELECT c, v FROM t WHERE p = 50") == [(1, 1), (2, None)]
    node.run("UPDATE t SET v = null WHERE p = 50 AND c = 1 AND d = 1")
    assert node.rows("SELECT c, v FROM t WHERE p = 50") == [(2, None)]
    node.run("DELETE FROM t WHERE p = 50")
    assert node.rows("SELECT c, v FROM t WHERE p = 50") == []
    assert node.rows("SELECT * FROM t WHERE p = 50 AND c = 2 AND d = 2") == []


def test_expired_cells_are_null(node):
    node.run("INSERT INTO t (p, c, d, v) VALUES (60, 1, 1, 1)")
    node.run("UPDATE t USING TTL 100 SET v = 2, w = 'x', s = 5 WHERE p = 60 AND c = 1 AND d = 1")
    assert node.rows("SELECT c, v, w, s FROM t WHERE p = 60") == [(1, 2, "x", 5)]
    node.engine.push_clock(101)
    assert node.rows("SELECT c, v, w, s FROM t WHERE p = 60") == [(1, None, None, None)]
    assert node.rows("SELECT v FROM t WHERE p = 60 AND c = 1 AND d = 1") == [(None,)]


# ---------------------------------------------------------------- aggregates


def test_aggregates(node):
    answer = node.ask("SELECT count(*), count(v), min(v), max(w), sum(v), avg(v), s, v FROM t WHERE p = 1")
    assert answer.rows == [(6, 6, 0, "w2", 3, 0, 10, 0)]


def test_aggregates_of_nothing(node):
    answer = node.ask("SELECT count(*), min(v), sum(v), avg(v), v FROM t WHERE p = 99")
    assert answer.rows == [(0, None, 0, 0, None)]


def test_a_limit_does_not_reach_into_aggregates(node):
    assert node.rows("SELECT count(*) FROM t WHERE p IN (0, 1) LIMIT 1") == [(12,)]
    assert node.rows("SELECT count(*) FROM t WHERE v = 2 ALLOW FILTERING") == [(3,)]


# ---------------------------------------------------------------- consistency, tracing


def test_consistency(node):
    assert node.rows("SELECT v FROM single WHERE k = 'one'", consistency=SERIAL) == [(1,)]
    assert len(node.rows("SELECT v FROM t WHERE p IN (1)", consistency=SERIAL)) == 6
    for text in ("SELECT v FROM single", "SELECT v FROM single WHERE k IN ('one', 'two')"):
        with pytest.raises(InvalidRequest) as refusal:
            node.rows(text, consistency=SERIAL)
        assert refusal.value.message == (
            "SERIAL/LOCAL_SERIAL consistency may only be requested for one partition at a time"
        )
    with pytest.raises(InvalidRequest, match="ANY ConsistencyLevel is only supported for writes"):
        node.rows("SELECT v FROM single", consistency=ANY)


@pytest.mark.parametrize("text", ["SELECT * FROM t", "SELECT v FROM single WHERE k = 'one'", "SELECT count(*) FROM t"])
def test_nothing_is_read_in_no_time(node, text):
    for late in (lambda: node.rows(f"{text} USING TIMEOUT 0ms"), lambda: node.rows(f"{text} USING TIMEOUT ?", NO_TIME)):
        with pytest.raises(ReadTimeout) as refusal:
            late()
        table = text.split()[3]
        assert refusal.value.message == (
            f"Operation timed out for ks.{table} - received only 0 responses from 1 CL=ONE."
        )
        assert (refusal.value.received, refusal.value.required, refusal.value.data_present) == (0, 1, False)
    assert node.rows(f"{text} USING TIMEOUT 1h") == node.rows(text)


def test_a_read_may_be_late_with_its_answer(node, monkeypatch):
    seconds = iter((100.0, 100.6, 200.0, 200.4))
    monkeypatch.setattr("embedded_scylla.terms.timeout.time.monotonic", lambda: next(seconds))
    with pytest.raises(ReadTimeout):
        node.rows("SELECT * FROM t USING TIMEOUT 500ms")
    assert node.rows("SELECT * FROM t USING TIMEOUT 500ms") == node.rows("SELECT * FROM t")


def test_a_level_that_cannot_be_had(node):
    node.run(
        "CREATE KEYSPACE three WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 3} "
        "AND tablets = {'enabled': false}"
    )
    node.run("CREATE TABLE three.t (k int PRIMARY KEY)")
    assert node.rows("SELECT * FROM three.t") == []
    with pytest.raises(Unavailable):
        node.rows("SELECT * FROM three.t", consistency=QUORUM)


def traced(node: Asking, text: str) -> list[str]:
    plan = node.plan(text)
    context = node.context(plan, traced=True)
    plan.execute(context)
    return [step for _, step in context.trace.steps]


def test_traces_count_what_was_met(node):
    for c in range(5):
        node.run("INSERT INTO t (p, c, d) VALUES (80, ?, 0)", c)
    for c in range(3):
        node.run("DELETE FROM t WHERE p = 80 AND c = ? AND d = 0", c)
    assert traced(node, "SELECT c FROM t WHERE p = 80") == [
        "Executing single-partition query on ks.t",
        "Read 2 live rows and 3 dead rows of ks.t, returning 2",
    ]
    assert traced(node, "SELECT v FROM single WHERE k = 'one'") == [
        "Executing single-row query on ks.single: 1 live rows"
    ]
    assert traced(node, "SELECT k FROM single")[0] == "Executing scan of ks.single"


# ---------------------------------------------------------------- other tables


def test_system_tables(node):
    assert node.rows("SELECT key, partitioner FROM system.local WHERE key = 'local'") == [
        ("local", "org.apache.cassandra.dht.Murmur3Partitioner")
    ]
    tables = node.rows("SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'ks'")
    assert ("t",) in tables and ("single",) in tables


def test_views(node):
    node.run("CREATE TABLE tickets (event int, seat int, status text, price int, PRIMARY KEY (event, seat))")
    node.run(
        "CREATE MATERIALIZED VIEW free AS SELECT * FROM tickets WHERE event IS NOT NULL AND seat IS NOT NULL "
        "AND status IS NOT NULL PRIMARY KEY ((event, status), seat)"
    )
    for seat in range(5):
        node.run("INSERT INTO tickets (event, seat, status, price) VALUES (1, ?, 'FREE', 10)", seat)
    node.run("UPDATE tickets SET status = 'HELD' WHERE event = 1 AND seat = 2")
    assert node.rows("SELECT seat FROM free WHERE event = 1 AND status = 'FREE'") == [(0,), (1,), (3,), (4,)]
    assert node.rows("SELECT price, seat FROM free WHERE event = 1 AND status = 'HELD'") == [(10, 2)]


@pytest.mark.parametrize("page", [1, 2, 3, 50])
def test_pages_through_an_index(node, page):
    if node.engine.schema.table("ks", "things") is None:
        node.run("CREATE TABLE things (p int, q int, c int, v int, PRIMARY KEY ((p, q), c)) "
                 "WITH CLUSTERING ORDER BY (c DESC)")  # fmt: skip
        for column in ("v", "c", "q"):
            node.run(f"CREATE INDEX ON things ({column})")
        for p in range(4):
            for c in range(4):
                node.run("INSERT INTO things (p, q, c, v) VALUES (?, ?, ?, ?)", p, p % 2, c, c % 2)
    for where in ("v = 1", "c = 2", "q = 1", "v = 1 AND p > 1 ALLOW FILTERING"):
        whole = node.rows("SELECT p, q, c, v FROM things")
        column, value = where.split(" AND")[0].split(" = ")
        expected = [row for row in whole if row["pqcv".index(column)] == int(value)]
        if "p > 1" in where:
            expected = [row for row in expected if row[0] > 1]
        assert joined(node.paged(f"SELECT p, q, c, v FROM things WHERE {where}", page=page)) == expected
    of_each = joined(node.paged("SELECT p, c FROM things WHERE v = 1 PER PARTITION LIMIT 1", page=page))
    assert sorted(of_each) == [(p, 3) for p in range(4)]
