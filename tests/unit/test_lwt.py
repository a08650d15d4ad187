"""Lightweight transactions: what their conditions mean, what they answer, and what they refuse."""

from __future__ import annotations

import pytest

from embedded_scylla.errors import InvalidRequest, WriteTimeout
from embedded_scylla.request import ALL, ANY, LOCAL_SERIAL, ONE, QUORUM, SERIAL, TWO, UNSET
from tests.unit.writing import BEGIN, Node


@pytest.fixture
def node() -> Node:
    """Table t: key, a static and a regular column. Table one: no clustering key, values of many types."""
    node = Node()
    node.run("CREATE TABLE t (p int, c int, s int static, v int, PRIMARY KEY (p, c))")
    node.run(
        "CREATE TABLE one (p int PRIMARY KEY, i int, d decimal, x text, m map<int, int>, l list<int>, z set<int>,"
        " fm frozen<map<int, int>>, fl frozen<list<int>>)"
    )
    return node


def names(plan) -> list[str]:
    return [spec.name for spec in plan.columns]


# ---------------------------------------------------------------- the shape of the answer


def test_columns_are_known_at_prepare(node: Node):
    exists = ["[applied]", "p", "c", "s", "v"]
    assert names(node.plan("INSERT INTO t (p, c) VALUES (?, ?) IF NOT EXISTS")) == exists
    assert names(node.plan("DELETE FROM t WHERE p = ? AND c = ? IF EXISTS")) == exists
    assert names(node.plan("UPDATE t SET v = ? WHERE p = ? AND c = ? IF v = ? AND s = ?")) == ["[applied]", "s", "v"]
    assert names(node.plan("UPDATE t SET v = 1 WHERE p = 1 AND c = 1 IF v > 1 AND v < 9")) == ["[applied]", "v"]
    plan = node.plan("UPDATE t SET v = 1 WHERE p = 1 AND c = 1 IF v = 1")
    assert plan.is_lwt
    assert plan.columns[0].type.name == "boolean"
    assert not node.plan("UPDATE t SET v = 1 WHERE p = 1 AND c = 1").is_lwt


def test_insert_if_not_exists(node: Node):
    insert = "INSERT INTO t (p, c, v) VALUES (1, 1, ?) IF NOT EXISTS"
    assert node.run(insert, 10) == [(True, None, None, None, None)]
    assert node.run(insert, 20) == [(False, 1, 1, None, 10)]
    assert node.values("v") == [(10,)]


def test_old_values_come_back_when_applied_too(node: Node):
    node.run("INSERT INTO t (p, c, s, v) VALUES (1, 1, 7, 10)")
    assert node.run("UPDATE t SET v = 20 WHERE p = 1 AND c = 1 IF v = 10") == [(True, 10)]
    assert node.run("UPDATE t SET v = 30 WHERE p = 1 AND c = 1 IF v = 10") == [(False, 20)]
    assert node.run("UPDATE t SET v = 30 WHERE p = 1 AND c = 1 IF EXISTS") == [(True, 1, 1, 7, 20)]
    assert node.run("DELETE FROM t WHERE p = 1 AND c = 1 IF EXISTS") == [(True, 1, 1, 7, 30)]
    assert node.run("DELETE FROM t WHERE p = 1 AND c = 1 IF EXISTS") == [(False, None, None, None, None)]


def test_a_missing_row_has_nulls(node: Node):
    assert node.run("UPDATE t SET v = 1 WHERE p = 1 AND c = 1 IF v = 1") == [(False, None)]
    assert node.run("UPDATE t SET v = 1 WHERE p = 1 AND c = 1 IF EXISTS") == [(False, None, None, None, None)]
    assert node.rows() == []
    assert node.run("UPDATE t SET v = 1 WHERE p = 1 AND c = 1 IF v = null") == [(True, None)]
    assert node.values("p", "c", "v") == [(1, 1, 1)]


def test_an_expired_row_does_not_exist(node: Node):
    insert = "INSERT INTO t (p, c, v) VALUES (1, 1, 1) IF NOT EXISTS USING TTL 10"
    assert node.run(insert)[0][0] is True
    assert node.run(insert)[0][0] is False
    node.time += 10
    assert node.run(insert)[0][0] is True
    assert node.applied[0].rows[(b"\0\0\0\1",)].marker[1:] == (BEGIN + 20, 10)


def test_nothing_is_written_when_the_condition_fails(node: Node):
    node.run("INSERT INTO t (p, c, v) VALUES (1, 1, 1)")
    node.applied = []
    node.run("UPDATE t SET v = 2 WHERE p = 1 AND c = 1 IF v = 5")
    assert node.applied == []


def test_the_timestamp_is_the_ballots_not_the_clients(node: Node):
    node.run("INSERT INTO t (p, c, v) VALUES (1, 1, 1) IF NOT EXISTS", timestamp=5)
    first = node.applied[0].rows[(b"\0\0\0\1",)].cells["v"][0]
    assert first >= BEGIN * 1_000_000
    node.run("UPDATE t SET v = 2 WHERE p = 1 AND c = 1 IF v = 1", timestamp=5)
    second = node.applied[0].rows[(b"\0\0\0\1",)].cells["v"][0]
    assert second > first


# ---------------------------------------------------------------- static columns


def test_existence_of_the_static_row(node: Node):
    node.run("INSERT INTO t (p, c, v) VALUES (1, 1, 1)")
    # The partition is there, so its key is shown; the static row is not.
    assert node.run("UPDATE t SET s = 2 WHERE p = 1 IF EXISTS") == [(False, 1, None, None, None)]
    assert node.run("INSERT INTO t (p, s) VALUES (1, 1) IF NOT EXISTS") == [(True, 1, None, None, None)]
    assert node.run("INSERT INTO t (p, s) VALUES (1, 2) IF NOT EXISTS") == [(False, 1, None, 1, None)]
    assert node.run("UPDATE t SET s = 3 WHERE p = 1 IF EXISTS") == [(True, 1, None, 1, None)]
    assert node.run("INSERT INTO t (p, s) VALUES (2, 1) IF NOT EXISTS") == [(True, None, None, None, None)]


def test_static_conditions_hold_without_a_row(node: Node):
    node.run("INSERT INTO t (p, s) VALUES (1, 1)")
    assert node.run("UPDATE t SET v = 5 WHERE p = 1 AND c = 1 IF s = 2") == [(False, 1)]
    assert node.run("UPDATE t SET v = 5 WHERE p = 1 AND c = 1 IF s = 1") == [(True, 1)]
    assert node.values("c", "v") == [(1, 5)]
    assert node.run("DELETE s FROM t WHERE p = 1 IF s = 1") == [(True, 1)]


def test_static_and_regular_conditions_together(node: Node):
    node.run("INSERT INTO t (p, s) VALUES (1, 1)")
    assert node.run("UPDATE t SET s = 2, v = 1 WHERE p = 1 AND c = 1 IF s = 1 AND v = 9") == [(False, 1, None)]
    assert node.run("UPDATE t SET s = 2, v = 1 WHERE p = 1 AND c = 1 IF s = 1 AND v = null") == [(True, 1, None)]
    assert node.values("c", "s", "v") == [(1, 2, 1)]
    assert node.run("DELETE v FROM t WHERE p = 1 AND c = 1 IF v = 1 AND s = 2") == [(True, 2, 1)]


def test_a_row_does_not_exist_where_only_static_columns_do(node: Node):
    node.run("INSERT INTO t (p, s) VALUES (1, 1)")
    assert node.run("UPDATE t SET v = 1 WHERE p = 1 AND c = 1 IF EXISTS") == [(False, None, None, None, None)]
    assert node.run("INSERT INTO t (p, c) VALUES (1, 1) IF NOT EXISTS") == [(True, None, None, None, None)]


# ---------------------------------------------------------------- conditions


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("i = 5", True), ("i = 6", False), ("i != 6", True), ("i != 5", False),
        ("i < 6", True), ("i < 5", False), ("i <= 5", True), ("i > 4", True), ("i > 5", False), ("i >= 5", True),
        ("i = null", False), ("i != null", True), ("i IN (1, 5)", True), ("i IN (1, null)", False),
        ("i IN ()", False), ("i NOT IN (1, 2)", True), ("i NOT IN (5)", False),
        ("i = 5 AND x = 'seat'", True), ("i = 5 AND x = 'row'", False),
        ("d = 1.00", True), ("d = 1.0", True), ("d > 0.999", True), ("d IN (1, 2)", True),
        ("x = 'seat'", True), ("x > 'sea'", True),
        ("x LIKE 'se%'", True), ("x LIKE '_eat'", True), ("x LIKE 'eat'", False), ("x LIKE ''", False),
        ("m[1] = 10", True), ("m[1] > 9", True), ("m[2] = null", True), ("m[2] != 3", True), ("m[null] = null", True),
        ("m = {1: 10}", True), ("m != {1: 11}", True), ("m > {1: 9}", True), ("m = null", False),
        ("m[1] IN (9, 10)", True),
        ("l[0] = 1", True), ("l[1] = 2", True), ("l[2] = null", True), ("l[-1] = null", True), ("l = [1, 2]", True),
        ("l < [1, 3]", True), ("l = [null]", False), ("l IN ([1, 2], [3])", True),
        ("z = {2, 1}", True), ("z != {}", True),
        ("fm = {1: 10}", True), ("fm[1] = 10", True), ("fl[0] = 1", True), ("fl = [1]", True), ("fl[7] = null", True),
    ],
)  # fmt: skip
def test_conditions_on_a_row(node: Node, condition: str, holds: bool):
    node.run(
        "INSERT INTO one (p, i, d, x, m, l, z, fm, fl)"
        " VALUES (1, 5, 1.0, 'seat', {1: 10}, [1, 2], {1, 2}, {1: 10}, [1])"
    )
    assert node.run(f"UPDATE one SET i = 5 WHERE p = 1 IF {condition}")[0][0] is holds


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("i = null", True), ("i != null", False), ("i != 1", True), ("i = 1", False), ("i > 1", False),
        ("i IN (1, null)", True), ("i IN (1)", False), ("i NOT IN (null, 7)", False), ("i NOT IN (7)", True),
        ("x LIKE '%'", False), ("m[1] = null", True), ("l[0] = null", True),
        # An empty non-frozen collection is null, an empty frozen one is a value.
        ("m = {}", True), ("l = []", True), ("z = {}", True), ("l IN ([])", True), ("z != {}", False),
        ("fm = {}", False), ("fl = []", False), ("fl IN ([], null)", True), ("fl IN ([])", False),
    ],
)  # fmt: skip
def test_conditions_on_nothing(node: Node, condition: str, holds: bool):
    assert node.run(f"UPDATE one SET i = 1 WHERE p = 1 IF {condition}")[0][0] is holds


def test_conditions_with_variables(node: Node):
    node.run("INSERT INTO one (p, i, l, m) VALUES (1, 5, [1, 2], {1: 2})")
    assert node.run("UPDATE one SET i = ? WHERE p = ? IF i IN ?", 5, 1, [4, 5]) == [(True, 5)]
    assert node.run("UPDATE one SET i = ? WHERE p = ? IF i IN ?", 5, 1, []) == [(False, 5)]
    assert node.run("UPDATE one SET i = ? WHERE p = ? IF i IN ?", 5, 1, None) == [(False, 5)]
    assert node.run("UPDATE one SET i = 5 WHERE p = 1 IF l[?] = ?", 1, 2)[0][0] is True
    assert node.run("UPDATE one SET i = 5 WHERE p = 1 IF m[?] = ?", 1, None)[0][0] is False
    assert node.run("UPDATE one SET i = null WHERE p = 1 IF i = ?", 5)[0][0] is True
    assert node.run("UPDATE one SET i = 1 WHERE p = 1 IF i = ?", None)[0][0] is True
    plan = node.plan("UPDATE one SET i = 1 WHERE p = 1 IF i IN ? AND m[?] = ? AND l[?] = ? AND x LIKE ?")
    assert [s.name for s in plan.variables] == ["IN(i)", "key(m)", "value(m)", "index(l)", "value(l)", "x"]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("i > null", 'Invalid comparison with null for operator ">"'),
        ("i <= null", 'Invalid comparison with null for operator "<="'),
        ("m > {}", 'Invalid comparison with null for operator ">"'),
        ("x LIKE null", "Invalid NULL value in LIKE pattern"),
        ("i LIKE 'a%'", 'Invalid STRING constant (a%) for "i" of type int'),
        ("p = 1", "PRIMARY KEY column 'p' cannot have IF conditions"),
        ("nothing = 1", "Unrecognized name nothing"),
        ("z[1] = 1", "Column z is not a map/list, cannot be subscripted"),
        ("m['a'] = 1", 'Invalid STRING constant (a) for "key(m)" of type int'),
        ("l['a'] = 1", 'Invalid STRING constant (a) for "index(l)" of type int'),
        ("l[0] = 'a'", 'Invalid STRING constant (a) for "value(l)" of type int'),
    ],
)
def test_conditions_that_cannot_be_asked(node: Node, condition: str, message: str):
    node.run("INSERT INTO one (p, i) VALUES (1, 1)")
    with pytest.raises(InvalidRequest) as caught:
        node.run(f"UPDATE one SET i = 1 WHERE p = 1 IF {condition}")
    assert caught.value.message == message


def test_an_unset_condition_is_refused(node: Node):
    with pytest.raises(InvalidRequest, match="Unexpected unset value for bind variable 1"):
        node.run("UPDATE one SET i = ? WHERE p = 1 IF i = ?", 1, UNSET)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("UPDATE t SET v = 1 WHERE p IN (1, 2) AND c = 1 IF v = 1",
         "IN on the partition key is not supported with conditional updates"),
        ("DELETE FROM t WHERE p IN (1, 2) AND c = 1 IF v = 1",
         "IN on the partition key is not supported with conditional deletions"),
        ("UPDATE t SET v = 1 WHERE p = 1 AND c IN (1, 2) IF v = 1",
         "IN on the clustering key columns is not supported with conditional updates"),
        ("UPDATE t SET v = 1 WHERE p = 1 AND (c) IN ((1), (2)) IF v = 1",
         "IN on the clustering key columns is not supported with conditional updates"),
        ("UPDATE t SET v = 1 WHERE p = 1 IF EXISTS", "Missing mandatory PRIMARY KEY part c"),
        ("UPDATE t SET s = 1 WHERE p = 1 IF v = 1", "Missing mandatory PRIMARY KEY part c"),
        ("UPDATE t SET s = 1 WHERE p = 1 AND c = 1 IF s = 1",
         "Invalid restrictions on clustering columns since the UPDATE statement modifies only static columns"),
        ("UPDATE t SET v = 1 WHERE v = 1 IF EXISTS", "Invalid where clause contains non PRIMARY KEY columns: v"),
        ("DELETE FROM t WHERE p = 1 IF EXISTS",
         "DELETE statements must restrict all PRIMARY KEY columns with equality relations "
         "in order to delete non static columns"),
        ("DELETE FROM t WHERE p = 1 AND c > 0 IF v = 10",
         "DELETE statements must restrict all PRIMARY KEY columns with equality relations "
         "in order to delete non static columns"),
        ("DELETE v FROM t WHERE p = 1 AND c > 0 IF EXISTS",
         "DELETE statements must restrict all PRIMARY KEY columns with equality relations "
         "in order to delete non static columns"),
        ("DELETE v FROM t WHERE p = 1 IF v = 10",
         "Primary key column 'c' must be specified in order to modify column 'v'"),
        ("DELETE s FROM t WHERE p = 1 IF v = 1",
         "DELETE statements must restrict all PRIMARY KEY columns with equality relations "
         "in order to use IF condition on non static columns"),
        ("INSERT INTO t (p, c) VALUES (1, 1) IF NOT EXISTS USING TIMESTAMP 1",
         "Cannot provide custom timestamp for conditional updates"),
        ("UPDATE t USING TIMESTAMP 1 SET v = 1 WHERE p = 1 AND c = 1 IF v = 1",
         "Cannot provide custom timestamp for conditional updates"),
        ("UPDATE t SET v = 1 WHERE p = 1 AND p = 2 AND c = 1 IF v = 1",
         "Unrestricted partition key in a conditional update"),
        ("UPDATE t SET v = 1 WHERE p = 1 AND c = 1 AND c = 2 IF v = 1",
         "Unrestricted clustering key in a conditional update"),
    ],
)  # fmt: skip
def test_refusals(node: Node, text: str, message: str):
    with pytest.raises(InvalidRequest) as caught:
        node.run(text)
    assert caught.value.message == message


def test_an_in_of_one_value_is_an_equality(node: Node):
    assert node.run("UPDATE t SET v = 1 WHERE p IN (1) AND c IN (1) IF v = null") == [(True, None)]


def test_serial_levels(node: Node):
    insert = "INSERT INTO t (p, c) VALUES (1, 1) IF NOT EXISTS"
    assert node.run(insert, serial_consistency=LOCAL_SERIAL)[0][0] is True
    with pytest.raises(InvalidRequest, match="Must be one of SERIAL or LOCAL_SERIAL"):
        node.run(insert, serial_consistency=ONE)
    with pytest.raises(InvalidRequest, match="SERIAL is not supported as conditional update commit consistency"):
        node.run(insert, consistency=SERIAL)


def test_paxos_counts_the_replicas_that_exist():
    """The keyspace asks for three; what decides is the one that there is."""
    node = Node(replication_factor=3)
    node.run("CREATE TABLE t (p int PRIMARY KEY, v int)")
    insert = "INSERT INTO t (p, v) VALUES (?, 0) IF NOT EXISTS"
    assert node.run(insert, 1)[0][0] is True
    assert node.run(insert, 1)[0][0] is False


def test_what_is_decided_but_not_confirmed_is_in_and_times_out():
    node = Node(replication_factor=3)
    node.run("CREATE TABLE t (p int PRIMARY KEY, v int)")
    insert = "INSERT INTO t (p, v) VALUES (1, 0) IF NOT EXISTS"
    with pytest.raises(WriteTimeout) as caught:
        node.run(insert, consistency=QUORUM)
    error = caught.value
    assert error.message == "Operation timed out for ks.t - received only 1 responses from 2 CL=QUORUM."
    assert (error.consistency, error.received, error.required, error.write_type) == (QUORUM, 1, 2, "CAS")
    assert node.values("v") == [(0,)]
    for level in (QUORUM, ALL, TWO):  # nothing is written, so nothing has to be confirmed
        assert node.run(insert, consistency=level)[0][0] is False
    assert node.run(insert, consistency=ANY, serial_consistency=LOCAL_SERIAL)[0][0] is False


def test_no_transactions_on_the_log_of_a_table_on_tablets(node: Node):
    insert = (
        'INSERT INTO {}.log_scylla_cdc_log ("cdc$stream_id", "cdc$time", "cdc$batch_seq_no") '
        "VALUES (0x00, now(), 0) IF NOT EXISTS"
    )
    node.run("CREATE KEYSPACE tablets WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}")
    for keyspace in "ks", "tablets":
        node.run(f"CREATE TABLE {keyspace}.log (p int PRIMARY KEY) WITH cdc = {{'enabled': true}}")
    assert node.run(insert.format("ks"))[0][0] is True
    with pytest.raises(InvalidRequest, match=r"LWT is not supported on CDC log tables: tablets\.log_scylla_cdc_log"):
        node.run(insert.format("tablets"))


def test_changes_to_lists_read_the_same_row(node: Node):
    node.run("CREATE TABLE lists (p int, c int, s int static, l list<int>, PRIMARY KEY (p, c))")
    node.run("INSERT INTO lists (p, c, l) VALUES (1, 2, [1, 2, 3])")
    node.run("INSERT INTO lists (p, c, s) VALUES (1, 3, 1)")
    assert node.run("UPDATE lists SET l = l - [2] WHERE p = 1 AND c = 2 IF s = 1") == [(True, 1)]
    assert node.values("c", "l", name="lists") == [(2, [1, 3]), (3, None)]
