"""Batches: what becomes one change, what is settled how, and what is refused."""

from __future__ import annotations

import pytest

from embedded_scylla.cql import parse
from embedded_scylla.errors import InvalidRequest, Unavailable
from embedded_scylla.modify.batch import execute_batch
from embedded_scylla.request import QUORUM, Plan
from tests.unit.writing import Node


@pytest.fixture
def node() -> Node:
    node = Node()
    node.run("CREATE TABLE t (p int, c int, s int static, v int, l list<int>, PRIMARY KEY (p, c))")
    node.run("CREATE TABLE two (p int PRIMARY KEY, v text)")
    return node


def batch(*statements: str, begin: str = "BEGIN BATCH") -> str:
    return f"{begin} {'; '.join(statements)}; APPLY BATCH"


# ---------------------------------------------------------------- plain batches


def test_statements_on_one_partition_are_one_mutation(node: Node):
    node.run(batch(
        "INSERT INTO t (p, c, v) VALUES (1, 1, 1)",
        "UPDATE t SET v = 2 WHERE p = 1 AND c = 2",
        "UPDATE t SET s = 3 WHERE p = 1",
        "DELETE FROM t WHERE p = 1 AND c = 3",
        "INSERT INTO t (p, c) VALUES (2, 1)",
        "INSERT INTO two (p) VALUES (1)",
    ))  # fmt: skip
    assert [(m.table.name, len(m.rows)) for m in node.applied] == [("t", 3), ("t", 1), ("two", 1)]
    assert node.values("p", "c", "s", "v") == [(1, 1, 3, 1), (1, 2, 3, 2), (2, 1, None, None)]


def test_all_share_the_requests_timestamp(node: Node):
    node.run(batch("INSERT INTO t (p, c, v) VALUES (1, 1, 1)", "INSERT INTO t (p, c, v) VALUES (2, 1, 1)"), timestamp=9)
    assert {row.marker[0] for mutation in node.applied for row in mutation.rows.values()} == {9}


def test_writes_to_one_cell_are_settled_by_value_not_by_order(node: Node):
    for first, second in ((5, 3), (3, 5)):
        node.run(
            batch(f"UPDATE t SET v = {first} WHERE p = 1 AND c = 1", f"UPDATE t SET v = {second} WHERE p = 1 AND c = 1")
        )
        assert node.values("v") == [(5,)]


def test_a_deletion_beats_a_write_of_the_same_batch(node: Node):
    node.run(batch("INSERT INTO t (p, c, v) VALUES (1, 1, 1)", "DELETE FROM t WHERE p = 1 AND c = 1"))
    node.run(batch("DELETE FROM t WHERE p = 2 AND c = 1", "INSERT INTO t (p, c, v) VALUES (2, 1, 1)"))
    node.run(batch("DELETE FROM t WHERE p = 3", "INSERT INTO t (p, c, v) VALUES (3, 1, 1)"))
    assert node.rows() == []


def test_timestamps_of_the_batch_and_of_statements(node: Node):
    node.run(batch("INSERT INTO t (p, c, v) VALUES (1, 1, 1)", begin="BEGIN UNLOGGED BATCH USING TIMESTAMP 100"))
    assert node.applied[0].rows[(b"\0\0\0\1",)].marker[0] == 100
    node.run(batch(
        "INSERT INTO t (p, c, v) VALUES (1, 1, 2) USING TIMESTAMP 200",
        "UPDATE t USING TIMESTAMP 300 SET v = 1 WHERE p = 1 AND c = 1",
    ))  # fmt: skip
    # A batch merges by partition alone (as ScyllaDB's get_mutations): timestamps part its changes in the log only.
    assert len(node.applied) == 1
    row = node.applied[0].rows[(b"\0\0\0\1",)]
    assert (row.marker[0], row.cells["v"][:2]) == (200, (300, b"\0\0\0\1"))
    assert node.values("v") == [(1,)]


def test_list_appends_keep_the_order_of_statements(node: Node):
    add = [f"UPDATE t SET l = l + [{n}] WHERE p = 1 AND c = 1" for n in (1, 2, 3)]
    node.run(batch(*add))
    assert node.values("l") == [([1, 2, 3],)]
    put = [f"UPDATE t SET l = [{n}] + l WHERE p = 2 AND c = 1" for n in (1, 2, 3)]
    node.run(batch(*put))
    assert node.values("l")[-1] == ([3, 2, 1],)


def test_an_empty_batch_does_nothing(node: Node):
    assert node.run("BEGIN BATCH APPLY BATCH") is None
    assert node.applied == []


def test_variables_run_through_all_statements(node: Node):
    text = batch("INSERT INTO t (p, c, v) VALUES (?, ?, ?)", "UPDATE t SET v = ? WHERE p = ? AND c = ?")
    plan = node.plan(text)
    assert [spec.name for spec in plan.variables] == ["p", "c", "v", "v", "p", "c"]
    assert list(plan.partition_key_variables) == [0]
    node.run(text, 1, 1, 10, 20, 1, 2)
    assert node.values("c", "v") == [(1, 10), (2, 20)]


def test_batch_message(node: Node):
    insert = "INSERT INTO t (p, c, v) VALUES (?, ?, ?)"
    result = node.run_message((insert, 1, 1, 1), (insert, 1, 2, 2), ("DELETE FROM t WHERE p = 9",), timestamp=50)
    assert result is None
    assert len(node.applied) == 2
    assert node.values("c", "v") == [(1, 1), (2, 2)]


def test_large_batches_over_several_partitions_are_refused(node: Node):
    insert = "INSERT INTO two (p, v) VALUES (?, ?)"
    node.run_message(*[(insert, n, "x" * 1024) for n in range(500)])
    with pytest.raises(InvalidRequest, match="Batch too large"):
        node.run_message(*[(insert, n, "x" * 1024) for n in range(1000, 2025)])
    assert len(node.rows("two")) == 500
    one_partition = "INSERT INTO t (p, c, v) VALUES (1, ?, 1)"
    node.run_message(*[(one_partition, n) for n in range(20_000)])
    assert len(node.rows()) == 20_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (batch("INSERT INTO t (p, c) VALUES (1, 1)", begin="BEGIN BATCH USING TTL 5"),
         "Global TTL on the BATCH statement is not supported."),
        (batch("INSERT INTO t (p, c) VALUES (1, 1) USING TIMESTAMP 5", begin="BEGIN BATCH USING TIMESTAMP 6"),
         "Timestamp must be set either on BATCH or individual statements"),
        (batch("INSERT INTO t (p, c) VALUES (1, 1)", begin="BEGIN COUNTER BATCH"),
         "Cannot include non-counter statement in a counter batch"),
        (batch("INSERT INTO t (p, c) VALUES (1, null)"), "Invalid null value in condition for column c"),
        (batch("INSERT INTO t (p, c) VALUES (1, 1)", "INSERT INTO nothing (p) VALUES (1)"),
         "unconfigured table nothing"),
        # conditional ones
        (batch("INSERT INTO t (p, c) VALUES (1, 1) IF NOT EXISTS", begin="BEGIN BATCH USING TIMESTAMP 6"),
         "Cannot provide custom timestamp for conditional BATCH"),
        (batch("INSERT INTO t (p, c) VALUES (1, 1) IF NOT EXISTS USING TIMESTAMP 6"),
         "Cannot provide custom timestamp for conditional updates"),
        (batch("INSERT INTO t (p, c) VALUES (1, 1) IF NOT EXISTS", "INSERT INTO two (p) VALUES (1)"),
         "BATCH with conditions cannot span multiple tables"),
        (batch("INSERT INTO t (p, c) VALUES (1, 1) IF NOT EXISTS", "INSERT INTO t (p, c) VALUES (2, 1)"),
         "BATCH with conditions cannot span multiple partitions"),
        (batch("UPDATE t SET v = 1 WHERE p = 1 AND c IN (1, 2) IF v = 1"),
         "IN on the clustering key columns is not supported with conditional updates"),
    ],
)  # fmt: skip
def test_refusals(node: Node, text: str, message: str):
    with pytest.raises(InvalidRequest) as caught:
        node.run(text)
    assert caught.value.message == message
    assert node.applied == []


def test_only_modifications_go_into_a_batch(node: Node):
    plan = node.plan("BEGIN BATCH APPLY BATCH")
    for other in (plan, Plan()):
        with pytest.raises(InvalidRequest, match="only UPDATE, INSERT and DELETE statements are allowed"):
            execute_batch([(other, ())], "LOGGED", node.context())
    with pytest.raises(InvalidRequest, match="Cannot include non-counter statement in a counter batch"):
        node.run_message(("INSERT INTO two (p) VALUES (1)",), kind="COUNTER")
    assert parse("BEGIN BATCH APPLY BATCH").statement.statements == ()


def test_nothing_of_a_batch_is_written_when_a_part_is_refused(node: Node):
    with pytest.raises(InvalidRequest):
        node.run_message(
            ("INSERT INTO t (p, c) VALUES (?, ?)", 1, 1),
            ("INSERT INTO t (p, c) VALUES (?, ?)", 1, None),
        )
    assert node.rows() == []


def test_consistency_is_checked_for_every_keyspace():
    node = Node(replication_factor=3)
    node.run("CREATE TABLE t (p int PRIMARY KEY)")
    with pytest.raises(Unavailable):
        node.run(batch("INSERT INTO t (p) VALUES (1)"), consistency=QUORUM)


# ---------------------------------------------------------------- conditional batches


def test_a_row_for_each_statement_in_their_order(node: Node):
    text = batch("INSERT INTO t (p, c, v) VALUES (1, 2, 2) IF NOT EXISTS", "INSERT INTO t (p, c, v) VALUES (1, 1, 1)")
    assert [spec.name for spec in node.plan(text).columns] == ["[applied]", "p", "c", "s", "l", "v"]
    empty = (True, None, None, None, None, None)
    assert node.run(text) == [empty, empty]
    refused = batch(
        "INSERT INTO t (p, c, v) VALUES (1, 3, 3) IF NOT EXISTS",
        "INSERT INTO t (p, c, v) VALUES (1, 2, 9) IF NOT EXISTS",
    )
    assert node.run(refused) == [(False, None, None, None, None, None), (False, 1, 2, None, None, 2)]
    assert node.values("c", "v") == [(1, 1), (2, 2)]


def test_key_columns_and_the_union_of_conditions_are_shown(node: Node):
    node.run("INSERT INTO t (p, c, s, v) VALUES (1, 1, 7, 10)")
    text = batch(
        "UPDATE t SET v = 11 WHERE p = 1 AND c = 1 IF v = 10",
        "UPDATE t SET v = 21 WHERE p = 1 AND c = 2 IF s = 7",
    )  # fmt: skip
    plan = node.plan(text)
    assert [spec.name for spec in plan.columns] == ["[applied]", "p", "c", "s", "v"]
    assert plan.is_lwt
    assert node.run(text) == [(True, 1, 1, 7, 10), (True, 1, None, 7, None)]
    assert node.values("c", "v") == [(1, 11), (2, 21)]


def test_each_statement_has_its_own_row(node: Node):
    node.run("INSERT INTO t (p, c, s, v) VALUES (1, 1, 2, 1)")
    text = batch(
        "UPDATE t SET s = 3, v = 10 WHERE p = 1 AND c = 1 IF s = 2 AND v = 1",
        "UPDATE t SET s = 4, v = 2 WHERE p = 1 AND c = 2 IF s = 2 AND v = null",
        "UPDATE t SET s = 5, v = 3 WHERE p = 1 AND c = 3 IF s = 2 AND v = null",
    )  # fmt: skip
    assert node.run(text) == [(True, 1, 1, 2, 1), (True, 1, None, 2, None), (True, 1, None, 2, None)]
    assert node.values("c", "s", "v") == [(1, 5, 10), (2, 5, 2), (3, 5, 3)]


def test_one_failed_condition_stops_all(node: Node):
    node.run("INSERT INTO t (p, c, v) VALUES (1, 1, 1)")
    text = batch(
        "UPDATE t SET v = 2 WHERE p = 1 AND c = 1 IF v = 1",
        "UPDATE t SET v = 2 WHERE p = 1 AND c = 2 IF v = 1",
        "INSERT INTO t (p, c) VALUES (1, 3)",
    )  # fmt: skip
    assert [row[0] for row in node.run(text)] == [False, False, False]
    assert node.values("c", "v") == [(1, 1)]


def test_an_unconditional_in_stands_beside_a_condition(node: Node):
    node.run("CREATE TABLE plain (a int, b int, c int, PRIMARY KEY (a, b))")
    text = batch(
        "UPDATE plain SET c = 2 WHERE a = 1 AND b = 1 IF c = null", "UPDATE plain SET c = 2 WHERE a = 1 AND b IN (1, 2)"
    )
    assert node.run(text) == [(True, None, None, None), (True, None, None, None)]
    assert node.values("b", "c", name="plain") == [(1, 2), (2, 2)]


def test_rows_read_for_list_changes_are_shown(node: Node):
    node.run("CREATE TABLE lists (p int, c int, i int, l list<int>, PRIMARY KEY (p, c))")
    node.run("INSERT INTO lists (p, c, i, l) VALUES (1, 1, 1, [1, 2])")
    node.run("INSERT INTO lists (p, c, i, l) VALUES (1, 2, 2, [1, 2, 3, 4])")
    text = batch(
        "UPDATE lists SET i = 2 WHERE p = 1 AND c = 1 IF i = 1", "UPDATE lists SET l = l - [2] WHERE p = 1 AND c = 2"
    )
    assert node.run(text) == [(True, 1, 1, 1), (True, 1, 2, 2)]
    assert node.values("i", "l", name="lists") == [(2, [1, 2]), (2, [1, 3, 4])]


def test_a_timestamp_on_an_unconditional_statement_gives_way_to_the_ballot(node: Node):
    node.run(
        batch(
            "INSERT INTO t (p, c) VALUES (1, 1) IF NOT EXISTS",
            "INSERT INTO t (p, c, v) VALUES (1, 2, 2) USING TIMESTAMP 1",
        )
    )
    (mutation,) = node.applied
    assert len({row.marker[0] for row in mutation.rows.values()}) == 1


def test_conditional_batch_message(node: Node):
    insert = "INSERT INTO t (p, c, v) VALUES (?, ?, ?) IF NOT EXISTS"
    assert [row[0] for row in node.run_message((insert, 1, 1, 1), (insert, 1, 2, 2))] == [True, True]
    assert [row[:3] for row in node.run_message((insert, 1, 3, 1), (insert, 1, 2, 2), kind="UNLOGGED")] == [
        (False, None, None), (False, 1, 2)
    ]  # fmt: skip


def test_a_batch_of_many_small_rows_can_be_too_large(node: Node):
    """ScyllaDB counts the memory that a row takes, which is more than its values."""
    statements = [("INSERT INTO two (p, v) VALUES (?, ?)", p, "foobar" * 30) for p in range(2500)]
    with pytest.raises(InvalidRequest, match=r"^Batch too large$"):
        node.run_message(*statements, kind="UNLOGGED")
    node.run_message(*statements[:1000], kind="UNLOGGED")
