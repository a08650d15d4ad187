"""Counters: what a write makes of them, and what cannot be asked of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedded_scylla.errors import ConfigurationException, CqlError, InvalidRequest
from embedded_scylla.request import ANY, SERIAL, UNSET
from tests.unit.writing import Node

TABLE = "CREATE TABLE t (p int, c int, n counter, m counter, s counter static, PRIMARY KEY (p, c))"


@pytest.fixture
def node() -> Node:
    node = Node()
    node.run(TABLE)
    return node


@pytest.fixture(scope="module")
def shared() -> Node:
    node = Node()
    node.run(TABLE)
    return node


def count(node: Node, column: str = "n") -> list[int | None]:
    return [value for (value,) in node.values(column)]


# ---------------------------------------------------------------- counting


def test_it_begins_at_nothing(node: Node):
    node.run("UPDATE t SET n = n + 0 WHERE p = 1 AND c = 1")
    assert node.values("p", "c", "n", "m") == [(1, 1, 0, None)]


def test_up_and_down(node: Node):
    for change in ("n = n + 5", "n = n - 2", "n = n -1", "n = n + -10"):
        node.run(f"UPDATE t SET {change} WHERE p = 1 AND c = 1")
    assert count(node) == [-8]


def test_several_in_one_statement(node: Node):
    node.run("UPDATE t SET n = n + 1, m = m - 1, n = n + 1, s = s + 7 WHERE p = 1 AND c IN (1, 2)")
    # The static one is counted for each of the rows.
    assert node.values("c", "n", "m", "s") == [(1, 2, -1, 14), (2, 2, -1, 14)]


def test_a_static_one_alone(node: Node):
    node.run("UPDATE t SET s = s + 3 WHERE p = 1")
    assert node.values("p", "c", "s") == [(1, None, 3)]


def test_a_bound_value_and_none(node: Node):
    add, take = (f"UPDATE t SET n = n {sign} ? WHERE p = 1 AND c = 1" for sign in "+-")
    node.run(add, 5)
    node.run(take, 2)
    node.run(add, UNSET)
    node.run(take, UNSET)
    assert count(node) == [3]
    for text in (add, take):
        with pytest.raises(InvalidRequest, match=r"^Invalid null value for counter increment$"):
            node.run(text, None)


def test_it_goes_round_at_eight_bytes(node: Node):
    for _ in range(2):
        node.run("UPDATE t SET n = n + ? WHERE p = 1 AND c = 1", (1 << 63) - 1)
    assert count(node) == [-2]


def test_the_lowest_number_has_no_negation(node: Node):
    with pytest.raises(InvalidRequest) as refused:
        node.run("UPDATE t SET n = n - ? WHERE p = 1 AND c = 1", -(1 << 63))
    assert refused.value.message == (
        "The negation of -9223372036854775808 overflows supported counter precision (signed 8 bytes integer)"
    )


@pytest.mark.parametrize("timestamps", [(10, 10, 10), (30, 20, 10)])
def test_no_change_is_lost_to_a_clock_that_is_late(node: Node, timestamps):
    for step, timestamp in zip((5, -1, -1), timestamps, strict=True):
        node.run("UPDATE t SET n = n + ? WHERE p = 1 AND c = 1", step, timestamp=timestamp)
    assert count(node) == [3]


def test_at_the_end_of_all_timestamps(node: Node):
    for _ in range(2):
        node.run("UPDATE t SET n = n + 1 WHERE p = 1 AND c = 1", timestamp=(1 << 63) - 1)
    assert count(node) == [2]


# ---------------------------------------------------------------- deletions


def test_a_deleted_row_begins_anew(node: Node):
    node.run("UPDATE t SET n = n + 5 WHERE p = 1 AND c = 1")
    node.run("DELETE FROM t WHERE p = 1 AND c = 1")
    assert node.rows() == []
    node.run("UPDATE t SET n = n + 1 WHERE p = 1 AND c = 1")
    assert count(node) == [1]


def test_a_deleted_partition_begins_anew(node: Node):
    node.run("UPDATE t SET n = n + 5, s = s + 5 WHERE p = 1 AND c = 1")
    node.run("DELETE FROM t WHERE p = 1")
    node.run("UPDATE t SET n = n + 1, s = s + 1 WHERE p = 1 AND c = 1")
    assert node.values("n", "s") == [(1, 1)]


def test_a_counter_that_was_deleted_by_its_name_stays_deleted(node: Node):
    """ScyllaDB lets its tombstone win, until that is garbage."""
    node.run("UPDATE t SET n = n + 5, m = m + 5 WHERE p = 1 AND c = 1", timestamp=50)
    node.run("DELETE n FROM t WHERE p = 1 AND c = 1", timestamp=40)  # by a clock that is late
    node.run("UPDATE t SET n = n + 1, m = m + 1 WHERE p = 1 AND c = 1", timestamp=60)
    assert node.values("n", "m") == [(None, 6)]


# ---------------------------------------------------------------- batches


@pytest.mark.parametrize("kind", ["UNLOGGED", "COUNTER"])
def test_a_batch_adds_up(node: Node, kind: str):
    node.run("UPDATE t SET n = n + 100 WHERE p = 1 AND c = 1")
    node.run(
        f"BEGIN {kind} BATCH "
        "UPDATE t SET n = n + 1 WHERE p = 1 AND c = 1; UPDATE t SET n = n + 1, s = s + 1 WHERE p = 1 AND c = 1; "
        "UPDATE t SET n = n - 5, s = s + 1 WHERE p = 1 AND c = 1; UPDATE t SET n = n + 1 WHERE p = 1 AND c = 2; "
        "UPDATE t SET n = n + 1 WHERE p = 2 AND c = 1; APPLY BATCH"
    )
    assert sorted(node.values("p", "c", "n", "s")) == [(1, 1, 97, 2), (1, 2, 1, 2), (2, 1, 1, None)]


def test_a_batch_message_adds_up(node: Node):
    update = "UPDATE t SET n = n + ? WHERE p = 1 AND c = 1"
    node.run_message((update, 1), (update, 2), (update, UNSET), kind="COUNTER")
    assert count(node) == [3]


@pytest.mark.parametrize("delete_first", [True, False])
def test_a_deletion_wins_over_the_changes_of_its_batch(node: Node, delete_first: bool):
    node.run("UPDATE t SET n = n + 1 WHERE p = 1 AND c = 1")
    parts = ["DELETE n FROM t WHERE p = 1 AND c = 1; ", "UPDATE t SET n = n + 1, m = m + 1 WHERE p = 1 AND c = 1; "]
    node.run(f"BEGIN COUNTER BATCH {''.join(parts if delete_first else reversed(parts))} APPLY BATCH")
    assert node.values("n", "m") == [(None, 1)]


@pytest.mark.parametrize(
    ("kind", "using", "statements", "message"),
    [
        ("", "", "t", "Cannot include a counter statement in a logged batch"),
        ("COUNTER", "", "tu", "Cannot include non-counter statement in a counter batch"),
        ("UNLOGGED", "", "ut", "Counter and non-counter mutations cannot exist in the same batch"),
        ("UNLOGGED", "USING TIMESTAMP 5", "t", "Cannot provide custom timestamp for a BATCH containing counters"),
        ("COUNTER", "USING TIMESTAMP 5", "t", "Cannot provide custom timestamp for counter BATCH"),
        ("COUNTER", "USING TTL 5", "t", "Global TTL on the BATCH statement is not supported."),
    ],
)
def test_refused_batches(node: Node, kind: str, using: str, statements: str, message: str):
    node.run("CREATE TABLE u (p int PRIMARY KEY, v int)")
    texts = {"t": "UPDATE t SET n = n + 1 WHERE p = 1 AND c = 1; ", "u": "UPDATE u SET v = 1 WHERE p = 1; "}
    with pytest.raises(InvalidRequest) as refused:
        node.run(f"BEGIN {kind} BATCH {using} {''.join(texts[each] for each in statements)} APPLY BATCH")
    assert refused.value.message == message
    assert node.rows() == []


# ---------------------------------------------------------------- what cannot be asked

_WHERE = "WHERE p = 1 AND c = 1"
_SET = "(counters can only be incremented/decremented, not set)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("INSERT INTO t (p, c, n) VALUES (1, 1, 1)",
         "INSERT statement are not allowed on counter tables, use UPDATE instead"),
        (f"UPDATE t SET n = 1 {_WHERE}", f"Cannot set the value of counter column n {_SET}"),
        (f"UPDATE t SET n = null {_WHERE}", "Invalid null value for counter increment/decrement"),
        (f"UPDATE t SET n = n + null {_WHERE}", "Invalid null value for counter increment/decrement"),
        (f"UPDATE t SET n = 1 + n {_WHERE}", "Invalid operation (n = 1 + n) for non list column n"),
        (f"UPDATE t SET n = n + 'a' {_WHERE}", 'Invalid STRING constant (a) for "n" of type counter'),
        (f"UPDATE t SET n[1] = 1 {_WHERE}", "Invalid operation (n[1] = 1) for non collection column n"),
        (f"UPDATE t SET n = SCYLLA_COUNTER_SHARD_LIST([]) {_WHERE}",
         "SCYLLA_COUNTER_SHARD_LIST is not supported by this embedded node."),
        (f"UPDATE t USING TIMESTAMP 1 SET n = n + 1 {_WHERE}", "Cannot provide custom timestamp for counter updates"),
        (f"UPDATE t USING TTL 1 SET n = n + 1 {_WHERE}", "Cannot provide custom TTL for counter updates"),
        (f"UPDATE t SET n = n + 1 {_WHERE} IF n = 1", "Conditional updates are not supported on counter tables"),
        (f"UPDATE t SET n = n + 1 {_WHERE} IF EXISTS", "Conditional updates are not supported on counter tables"),
        (f"DELETE FROM t USING TIMESTAMP 1 {_WHERE}", "Cannot provide custom timestamp for counter updates"),
        (f"DELETE FROM t {_WHERE} IF EXISTS", "Conditional updates are not supported on counter tables"),
        ("SELECT * FROM t WHERE n = null ALLOW FILTERING", "Invalid null value for counter increment/decrement"),
        ("CREATE INDEX ON t (n)", "Secondary indexes are not supported on counter tables"),
        ("CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE p IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, p)",
         "Materialized views are not supported on counter tables"),
        ("ALTER TABLE t WITH cdc = {'enabled': true}",
         "Cannot create CDC log for table ks.t. Counter support not implemented"),
        ("ALTER TABLE t WITH default_time_to_live = 5", "Cannot set default_time_to_live on a table with counters"),
    ],
)  # fmt: skip
def test_refused(node: Node, text: str, message: str):
    with pytest.raises(InvalidRequest) as refused:
        node.run(text)
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("level", "message"),
    [
        (ANY, "Consistency level ANY is not yet supported for counter table t"),
        (SERIAL, "Counter operations are inherently non-serializable"),
    ],
)
def test_levels_that_counters_cannot_have(node: Node, level: int, message: str):
    with pytest.raises(InvalidRequest) as refused:
        node.run("UPDATE t SET n = n + 1 WHERE p = 1 AND c = 1", consistency=level)
    assert refused.value.message == message


# ---------------------------------------------------------------- their tables


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ("p int PRIMARY KEY, n counter, v int, a int", ConfigurationException,
         "Cannot add a non counter column (a) in a counter column family"),
        ("p int, c int, n counter, v int static, a int, PRIMARY KEY (p, c)", ConfigurationException,
         "Cannot add a non counter column (v) in a counter column family"),
        ("n counter PRIMARY KEY", InvalidRequest, "counter type is not supported for PRIMARY KEY part n"),
        ("p int, n counter, PRIMARY KEY (p, n)", InvalidRequest,
         "counter type is not supported for PRIMARY KEY part n"),
        ("p int PRIMARY KEY, l list<counter>", InvalidRequest,
         "Counters are not allowed inside collections: list<counter>"),
        ("p int PRIMARY KEY, l frozen<map<text, counter>>", InvalidRequest,
         "Counters are not allowed inside collections: map<text, counter>"),
        ("p int PRIMARY KEY, l tuple<int, counter>", InvalidRequest, "Counters are not allowed inside tuples"),
        ("p int PRIMARY KEY, n frozen<counter>", InvalidRequest,
         "frozen<> is only allowed on collections, tuples, and user-defined types (got counter)"),
    ],
)  # fmt: skip
def test_refused_tables(node: Node, columns: str, error: type[CqlError], message: str):
    with pytest.raises(error) as refused:
        node.run(f"CREATE TABLE never ({columns})")
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("default_time_to_live = 1", "Cannot set default_time_to_live on a table with counters"),
        ("cdc = {'enabled': true}", "Cannot create CDC log for table ks.never. Counter support not implemented"),
    ],
)
def test_refused_options(node: Node, options: str, message: str):
    with pytest.raises(InvalidRequest) as refused:
        node.run(f"CREATE TABLE never (p int PRIMARY KEY, n counter) WITH {options}")
    assert refused.value.message == message


def test_columns_come_and_go(node: Node):
    node.run("ALTER TABLE t ADD (more counter, most counter static)")
    node.run("UPDATE t SET more = more + 1, most = most + 2 WHERE p = 1 AND c = 1")
    assert node.values("more", "most") == [(1, 2)]
    node.run("ALTER TABLE t DROP (more, n)")
    assert node.values("most") == [(2,)]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ("ADD n counter", InvalidRequest, "Cannot re-add previously dropped counter column n"),
        ("ADD v int", ConfigurationException, "Cannot add a non counter column (v) in a counter column family"),
        ("ALTER m TYPE bigint", ConfigurationException,
         "Cannot add a non counter column (m) in a counter column family"),
        ("ALTER p TYPE counter", InvalidRequest, "counter type is not supported for PRIMARY KEY part p"),
    ],
)  # fmt: skip
def test_refused_changes_of_the_table(node: Node, change: str, error: type[CqlError], message: str):
    node.run("ALTER TABLE t DROP n")
    with pytest.raises(error) as refused:
        node.run(f"ALTER TABLE t {change}")
    assert refused.value.message == message


def test_a_table_whose_counters_are_all_gone_still_counts(node: Node):
    node.run("CREATE TABLE last (p int PRIMARY KEY, n counter)")
    node.run("ALTER TABLE last DROP n")
    with pytest.raises(ConfigurationException, match=r"Cannot add a non counter column \(v\)"):
        node.run("ALTER TABLE last ADD v int")
    node.run("ALTER TABLE last ADD m counter")


def test_a_plain_table_gets_no_counter(node: Node):
    node.run("CREATE TABLE plain (p int PRIMARY KEY)")
    with pytest.raises(ConfigurationException) as refused:
        node.run("ALTER TABLE plain ADD n counter")
    assert refused.value.message == "Cannot add a counter column (n) in a non counter column family"


# ---------------------------------------------------------------- reading, and a restart


def test_what_can_be_read_of_them(node: Node):
    node.run("UPDATE t SET n = n + 1000 WHERE p = 1 AND c = 1")
    assert node.run("SELECT CAST(n AS tinyint), CAST(n AS double), CAST(n AS text), CAST(n AS counter) FROM t") == [
        (-24, 1000.0, "1000", 1000)
    ]
    assert node.run("SELECT bigintAsBlob(n), sum(n), max(n), avg(n) FROM t") == [
        (b"\0\0\0\0\0\0\x03\xe8", 1000, 1000, 1000)
    ]
    assert node.run("SELECT c FROM t WHERE n > 999 ALLOW FILTERING") == [(1,)]
    assert node.run("SELECT c FROM t WHERE m > 0 ALLOW FILTERING") == []


def test_nothing_becomes_a_counter_by_a_cast(node: Node):
    with pytest.raises(InvalidRequest, match=r"Int32Type cannot be cast to .*CounterColumnType"):
        node.run("SELECT CAST(c AS counter) FROM t")


def test_they_are_a_type_of_their_own_on_the_wire(node: Node):
    (spec,) = node.plan("SELECT n FROM t").columns
    assert (spec.type.name, spec.type.option) == ("counter", b"\x00\x05")


def test_the_schema_says_so(node: Node):
    flags = "SELECT flags FROM system_schema.tables WHERE keyspace_name = 'ks' AND table_name = 't'"
    assert node.run(flags) == [(["compound", "counter"],)]
    ((*_, statement),) = node.run("DESCRIBE TABLE t")
    assert "    n counter,\n" in statement


@pytest.mark.parametrize("way", ["journal", "snapshot"])
def test_they_outlive_the_process(tmp_path: Path, way: str):
    node = Node(directory=tmp_path)
    node.run(TABLE)
    node.run("UPDATE t SET n = n + 5, m = m + 5, s = s + 1 WHERE p = 1 AND c = 1")
    node.run("DELETE m FROM t WHERE p = 1 AND c = 1")
    node.run("UPDATE t SET n = n - 1 WHERE p = 1 AND c = 1")
    node.run("ALTER TABLE t DROP m")
    if way == "snapshot":
        node.engine.persistence.snapshot()
    node.engine.close()
    again = Node(directory=tmp_path)
    again.run("UPDATE t SET n = n + 1 WHERE p = 1 AND c = 1")
    assert again.values("n", "s") == [(5, 1)]
    with pytest.raises(InvalidRequest, match="Cannot re-add previously dropped counter column m"):
        again.run("ALTER TABLE t ADD m counter")


# ---------------------------------------------------------------- at random

DEAD = "deleted by its name"
_PLACES = st.tuples(st.sampled_from((1, 2)), st.sampled_from((1, 2)))
_CHANGES = st.tuples(_PLACES, st.sampled_from("nm"), st.integers(-3, 3))
_STEPS = st.one_of(
    st.tuples(st.just("change"), _CHANGES),
    st.tuples(st.just("batch"), st.lists(_CHANGES, min_size=2, max_size=5)),
    st.tuples(st.just("delete column"), st.tuples(_PLACES, st.sampled_from("nm"))),
    st.tuples(st.just("delete row"), _PLACES),
    st.tuples(st.just("delete partition"), st.sampled_from((1, 2))),
)


class Tally:
    """What the counters of ``t`` are, by their places."""

    def __init__(self) -> None:
        self.counts: dict[tuple[int, int], dict[str, Any]] = {}

    def change(self, place: tuple[int, int], column: str, step: int) -> str:
        row = self.counts.setdefault(place, {})
        if row.get(column) is not DEAD:
            row[column] = row.get(column, 0) + step
        return f"UPDATE t SET {column} = {column} + {step} WHERE p = {place[0]} AND c = {place[1]}"

    def delete(self, what: str, where: Any) -> str:
        if what == "delete column":
            place, column = where
            self.counts.setdefault(place, {})[column] = DEAD
            return f"DELETE {column} FROM t WHERE p = {place[0]} AND c = {place[1]}"
        if what == "delete row":
            self.counts.pop(where, None)
            return f"DELETE FROM t WHERE p = {where[0]} AND c = {where[1]}"
        self.counts = {place: row for place, row in self.counts.items() if place[0] != where}
        return f"DELETE FROM t WHERE p = {where}"

    def rows(self) -> list[tuple]:
        seen = {
            place: tuple(None if row.get(column) is DEAD else row.get(column) for column in "nm")
            for place, row in self.counts.items()
        }
        return sorted((*place, *values) for place, values in seen.items() if any(v is not None for v in values))


@given(steps=st.lists(_STEPS, max_size=12), kind=st.sampled_from(("UNLOGGED", "COUNTER")))
@settings(max_examples=60, deadline=None, database=None)
def test_whatever_happens_the_sum_is_right(shared: Node, steps: list[Any], kind: str):
    tally = Tally()
    shared.run("TRUNCATE t")
    for what, argument in steps:
        if what == "change":
            shared.run(tally.change(*argument))
        elif what == "batch":
            changes = "; ".join(tally.change(*change) for change in argument)
            shared.run(f"BEGIN {kind} BATCH {changes}; APPLY BATCH")
        else:
            shared.run(tally.delete(what, argument))
    assert sorted(shared.values("p", "c", "n", "m")) == tally.rows()
