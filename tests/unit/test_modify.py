"""INSERT, UPDATE and DELETE: what they store, and what they refuse."""

from __future__ import annotations

import pytest

from embedded_scylla.errors import (
    CqlError,
    InvalidRequest,
    SyntaxException,
    TruncateError,
    Unauthorized,
    Unavailable,
    WriteTimeout,
)
from embedded_scylla.request import ANY, LOCAL_ONE, QUORUM, SERIAL, UNSET
from embedded_scylla.storage.rows import Collection
from embedded_scylla.types import DURATION
from embedded_scylla.types.duration import Duration
from tests.unit.writing import BEGIN, Node

ROWS = "CREATE TABLE t (p int, c int, s int static, v text, n int, PRIMARY KEY (p, c))"
COLLECTIONS = "CREATE TABLE t (p int PRIMARY KEY, l list<int>, f frozen<list<int>>, m map<text, int>, z set<int>)"


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def rows(node: Node) -> Node:
    node.run(ROWS)
    return node


@pytest.fixture
def collections(node: Node) -> Node:
    node.run(COLLECTIONS)
    return node


def stored(node: Node, *key: int):
    """The row with these int keys, as it is stored."""
    table = node.engine.schema.table("ks", "t")
    parts = tuple(part.to_bytes(4, "big", signed=True) for part in key)
    return node.engine.store(table).row(parts[:1], parts[1:])


# ---------------------------------------------------------------- INSERT


def test_insert_writes_marker_and_cells(rows: Node):
    rows.run("INSERT INTO t (p, c, v) VALUES (1, 2, 'a')", timestamp=1000)
    row = stored(rows, 1, 2)
    assert row.marker == (1000, 0, 0)
    assert row.cells == {"v": (1000, b"a", 0, 0)}


def test_insert_of_the_key_alone_makes_a_row(rows: Node):
    rows.run("INSERT INTO t (p, c) VALUES (1, 2)")
    assert rows.values("p", "c", "v") == [(1, 2, None)]


def test_prepared_insert_writes_what_its_text_would(rows: Node):
    rows.run("INSERT INTO t (p, c, v, n) VALUES (?, ?, ?, ?)", 1, 2, "a", 7, timestamp=1000)
    quick = stored(rows, 1, 2)
    rows.run("INSERT INTO t (p, c, v, n) VALUES (3, 4, 'a', 7)", timestamp=1000)
    thorough = stored(rows, 3, 4)
    assert (quick.marker, quick.cells) == (thorough.marker, thorough.cells)


def test_null_is_a_tombstone_and_unset_is_nothing(rows: Node):
    rows.run("INSERT INTO t (p, c, v, n) VALUES (?, ?, ?, ?)", 1, 2, None, UNSET, timestamp=1000)
    assert stored(rows, 1, 2).cells == {"v": (1000, None, BEGIN, 0)}


def test_insert_into_static_columns_alone(rows: Node):
    rows.run("INSERT INTO t (p, s) VALUES (1, 5)")
    assert rows.values("p", "c", "s") == [(1, None, 5)]


def test_insert_with_static_column_and_row(rows: Node):
    rows.run("INSERT INTO t (p, c, s) VALUES (1, 2, 5)")
    assert rows.values("p", "c", "s") == [(1, 2, 5)]
    assert stored(rows, 1, 2).marker is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("INSERT INTO t (p, c, v) VALUES (1, 2)", "Unmatched column names/values"),
        ("INSERT INTO t (p, c, x) VALUES (1, 2, 3)", "Unknown identifier x"),
        ("INSERT INTO t (p, c, v, v) VALUES (1, 2, 'a', 'b')", "Multiple definitions found for column v"),
        ("INSERT INTO t (p, v) VALUES (1, 'a')", "Missing mandatory PRIMARY KEY part c"),
        ("INSERT INTO t (p) VALUES (1)", "Missing mandatory PRIMARY KEY part c"),
        ("INSERT INTO t (c, v) VALUES (1, 'a')", "Missing mandatory PRIMARY KEY part p"),
        ("INSERT INTO t (p, c) VALUES (1, null)", "Invalid null value in condition for column c"),
        ("INSERT INTO t (p, c) VALUES (null, 1)", "Invalid null value in condition for column p"),
        ("INSERT INTO t (p, c, n) VALUES (1, 2, 'a')", 'Invalid STRING constant (a) for "n" of type int'),
        ("INSERT INTO nothing (p) VALUES (1)", "unconfigured table nothing"),
        ("INSERT INTO elsewhere.t (p) VALUES (1)", "Keyspace elsewhere does not exist"),
    ],
)
def test_insert_refusals(rows: Node, text: str, message: str):
    with pytest.raises(InvalidRequest) as caught:
        rows.run(text)
    assert caught.value.message == message


def test_a_clustering_column_before_the_given_one_is_missing(node: Node):
    node.run("CREATE TABLE t (p int, a int, b int, PRIMARY KEY (p, a, b))")
    with pytest.raises(InvalidRequest, match='PRIMARY KEY column "b" cannot be restricted as preceding column "a"'):
        node.run("INSERT INTO t (p, b) VALUES (1, 2)")


@pytest.mark.parametrize("text", ["INSERT INTO t (p, c) VALUES (?, ?)", "UPDATE t SET v = 'a' WHERE p = ? AND c = ?"])
def test_null_and_unset_keys_are_refused(rows: Node, text: str):
    for values, message in [
        ((None, 1), "Invalid null value in condition for column p"),
        ((1, None), "Invalid null value in condition for column c"),
        ((1, UNSET), "Unexpected unset value for bind variable 1"),
    ]:
        with pytest.raises(InvalidRequest, match=message):
            rows.run(text, *values)
    assert rows.rows() == []


def test_key_lengths(node: Node):
    node.run("CREATE TABLE t (p text, c text, PRIMARY KEY (p, c))")
    insert = "INSERT INTO t (p, c) VALUES (?, ?)"
    node.run(insert, "x" * 65535, "y" * 65535)
    with pytest.raises(InvalidRequest, match="Key length of 65536 is longer than maximum of 65535"):
        node.run(insert, "x" * 65536, "y")
    with pytest.raises(InvalidRequest, match="Key length of 65536 is longer than maximum of 65535"):
        node.run(insert, "x", "y" * 65536)
    with pytest.raises(InvalidRequest, match="Key may not be empty"):
        node.run(insert, "", "y")
    node.run(insert, "x", "")
    assert len(node.rows()) == 2


def test_a_composite_partition_key_may_have_empty_parts_but_no_more_bytes(node: Node):
    node.run("CREATE TABLE t (a text, b text, PRIMARY KEY ((a, b)))")
    insert = "INSERT INTO t (a, b) VALUES (?, ?)"
    node.run(insert, "", "")
    node.run(insert, "x" * 65000, "y" * 500)
    with pytest.raises(InvalidRequest, match="is longer than maximum of 65535"):
        node.run(insert, "x" * 65000, "y" * 600)


def test_values_that_are_none_of_the_type_are_refused(rows: Node):
    plan = rows.plan("INSERT INTO t (p, c, n) VALUES (?, ?, ?)")
    context = rows.context([b"\0\0\0\1", b"\0\0\0\2", b"\0\0"])
    with pytest.raises(InvalidRequest, match="Exception while binding column n: marshaling error"):
        plan.execute(context)


# ---------------------------------------------------------------- UPDATE


def test_update_writes_no_marker(rows: Node):
    rows.run("UPDATE t SET v = 'a' WHERE p = 1 AND c = 2", timestamp=1000)
    assert stored(rows, 1, 2).marker is None
    rows.run("UPDATE t SET v = null WHERE p = 1 AND c = 2", timestamp=1001)
    assert rows.rows() == []


def test_update_of_static_and_regular_columns(rows: Node):
    rows.run("UPDATE t SET s = 1 WHERE p = 1")
    rows.run("UPDATE t SET s = 2, v = 'a' WHERE p = 1 AND c = 1")
    assert rows.values("p", "c", "s", "v") == [(1, 1, 2, "a")]


def test_update_names_several_rows_by_in(rows: Node):
    rows.run("UPDATE t SET n = 1 WHERE p IN (1, 2) AND c IN (3, 4)")
    assert sorted(rows.values("p", "c", "n")) == [(1, 3, 1), (1, 4, 1), (2, 3, 1), (2, 4, 1)]
    rows.run("UPDATE t SET n = 2 WHERE p IN ? AND (c) IN ((3), (4))", [1])
    assert sorted(rows.values("p", "c", "n")) == [(1, 3, 2), (1, 4, 2), (2, 3, 1), (2, 4, 1)]


def test_an_update_whose_values_are_all_unset_writes_nothing(rows: Node):
    rows.run("UPDATE t SET v = ? WHERE p = 1 AND c = 1", UNSET)
    assert rows.applied == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("UPDATE t SET x = 1 WHERE p = 1 AND c = 1", "Unknown identifier x"),
        ("UPDATE t SET c = 1 WHERE p = 1 AND c = 1", "PRIMARY KEY part c found in SET part"),
        ("UPDATE t SET v = 'a' WHERE p = 1", "Missing mandatory PRIMARY KEY part c"),
        ("UPDATE t SET v = 'a' WHERE c = 1", "Missing mandatory PRIMARY KEY part p"),
        ("UPDATE t SET n = 1 WHERE p = 1 AND c = 1 AND v = 'a'",
         "Invalid where clause contains non PRIMARY KEY columns: v"),
        ("UPDATE t SET n = 1 WHERE n = 1", "Invalid where clause contains non PRIMARY KEY columns: n"),
        ("UPDATE t SET n = 1 WHERE p = 1 AND c > 1", "Invalid operator in where clause c > 1"),
        ("UPDATE t SET n = 1 WHERE p > 1 AND c = 1",
         "Only EQ and IN relation are supported on the partition key "
         "(unless you use the token() function or ALLOW FILTERING)"),
        ("UPDATE t SET s = 1 WHERE p = 1 AND c = 1",
         "Invalid restrictions on clustering columns since the UPDATE statement modifies only static columns"),
        ("UPDATE t SET n = n + 1 WHERE p = 1 AND c = 1", "Invalid operation (n = n + 1) for non counter column n"),
        ("UPDATE t SET n = n - 1 WHERE p = 1 AND c = 1", "Invalid operation (n = n - 1) for non counter column n"),
        ("UPDATE t SET n[0] = 1 WHERE p = 1 AND c = 1",
         "Invalid operation (n[0] = 1) for non collection column n"),
    ],
)  # fmt: skip
def test_update_refusals(rows: Node, text: str, message: str):
    with pytest.raises(InvalidRequest) as caught:
        rows.run(text)
    assert caught.value.message == message


def test_token_in_where_is_refused(rows: Node):
    with pytest.raises(
        InvalidRequest, match="The token function cannot be used in WHERE clauses for UPDATE and DELETE"
    ):
        rows.run("UPDATE t SET n = 1 WHERE token(p) = 1")


def test_a_column_is_set_once(rows: Node):
    with pytest.raises(SyntaxException, match="Multiple incompatible setting of column v"):
        rows.run("UPDATE t SET v = 'a', v = 'b' WHERE p = 1 AND c = 1")


# ---------------------------------------------------------------- collections


def test_collections_are_overwritten_with_a_tombstone_just_before(collections: Node):
    collections.run("INSERT INTO t (p, m) VALUES (1, {'a': 1})", timestamp=1000)
    found = stored(collections, 1).cells["m"]
    assert isinstance(found, Collection)
    assert found.deletion == (999, BEGIN)
    assert found.elements == {b"a": (1000, b"\0\0\0\1", 0, 0)}


def test_setting_null_leaves_the_tombstone_only(collections: Node):
    collections.run("INSERT INTO t (p, m) VALUES (1, {'a': 1})", timestamp=1000)
    collections.run("UPDATE t SET m = null WHERE p = 1", timestamp=2000)
    found = stored(collections, 1).cells["m"]
    assert (found.deletion, found.elements) == ((1999, BEGIN), {})


def test_lists_grow_at_both_ends(collections: Node):
    collections.run("UPDATE t SET l = [3, 4] WHERE p = 1")
    collections.run("UPDATE t SET l = l + [5, 6] WHERE p = 1")
    collections.run("UPDATE t SET l = [1, 2] + l WHERE p = 1")
    assert collections.values("l") == [([1, 2, 3, 4, 5, 6],)]


def test_a_long_list_keeps_its_order(collections: Node):
    long = list(range(1000))
    collections.run("UPDATE t SET l = ? WHERE p = 1", long)
    collections.run("UPDATE t SET l = ? + l WHERE p = 1", long)
    assert collections.values("l") == [(long + long,)]


def test_list_elements_by_index_and_value(collections: Node):
    collections.run("UPDATE t SET l = [1, 2, 3, 2] WHERE p = 1")
    collections.run("UPDATE t SET l[0] = 9 WHERE p = 1")
    collections.run("UPDATE t SET l = l - [2] WHERE p = 1")
    assert collections.values("l") == [([9, 3],)]
    collections.run("DELETE l[0] FROM t WHERE p = 1")
    assert collections.values("l") == [([3],)]
    collections.run("UPDATE t SET l[0] = null WHERE p = 1")
    assert collections.values("l") == []  # an UPDATE made the row, and its last cell is gone


def test_maps_and_sets_by_element(collections: Node):
    collections.run("UPDATE t SET m['a'] = 1, m['b'] = 2, z = z + {1, 2, 3} WHERE p = 1")
    collections.run("UPDATE t SET m = m + {'c': 3}, z = z - {2} WHERE p = 1")
    assert collections.values("m", "z") == [({"a": 1, "b": 2, "c": 3}, [1, 3])]
    collections.run("UPDATE t SET m = m - {'a'} WHERE p = 1")
    collections.run("DELETE m['b'], z[3] FROM t WHERE p = 1")
    assert collections.values("m", "z") == [({"c": 3}, [1])]
    collections.run("UPDATE t SET m['c'] = null WHERE p = 1")
    collections.run("DELETE z FROM t WHERE p = 1")
    assert collections.rows() == []


def test_adding_null_or_unset_changes_nothing(collections: Node):
    collections.run("UPDATE t SET l = [1] WHERE p = 1")
    collections.run("UPDATE t SET l = l + ? WHERE p = 1", None)
    collections.run("UPDATE t SET l = l + ? WHERE p = 1", UNSET)
    collections.run("UPDATE t SET l = l - ? WHERE p = 1", None)
    assert collections.values("l") == [([1],)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("UPDATE t SET l[5] = 1 WHERE p = 1", "List index 5 out of bound, list has size 2"),
        ("UPDATE t SET l[-1] = 1 WHERE p = 1", "List index -1 out of bound, list has size 2"),
        ("UPDATE t SET l[0] = 1 WHERE p = 2", "Attempted to set an element on a list which is null"),
        ("DELETE l[0] FROM t WHERE p = 2", "Attempted to delete an element from a list which is null"),
        ("UPDATE t SET l[null] = 1 WHERE p = 1", "Invalid null value for list index"),
        ("UPDATE t SET m[null] = 1 WHERE p = 1", "Invalid null map key"),
        ("UPDATE t SET f = f + [1] WHERE p = 1", "Invalid operation (f = f + [1]) for frozen collection column f"),
        ("UPDATE t SET f = [1] + f WHERE p = 1", "Invalid operation (f = [1] + f) for frozen list column f"),
        ("UPDATE t SET f[0] = 1 WHERE p = 1", "Invalid operation (f[0] = 1) for frozen collection column f"),
        ("UPDATE t SET z = {1} + z WHERE p = 1", "Invalid operation (z = {1} + z) for non list column z"),
        ("UPDATE t SET z[1] = 1 WHERE p = 1", "Invalid operation (z[1] = 1) for set column z"),
        ("DELETE f[0] FROM t WHERE p = 1", "Invalid deletion operation for frozen collection column f"),
        ("DELETE p FROM t WHERE p = 1", "Invalid identifier p for deletion (should not be a PRIMARY KEY part)"),
        ("UPDATE t USING TIMESTAMP 1 SET l = [1] + l WHERE p = 1",
         "List prepend custom timestamp must be greater than Jan 1 2010 00:00:00"),
    ],
)  # fmt: skip
def test_collection_refusals(collections: Node, text: str, message: str):
    collections.run("UPDATE t SET l = [1, 2] WHERE p = 1")
    with pytest.raises(InvalidRequest) as caught:
        collections.run(text)
    assert caught.value.message == message


def test_a_write_that_reads_needs_a_level_that_reads_have(collections: Node):
    with pytest.raises(InvalidRequest, match="Write operation require a read but consistency ANY is not supported"):
        collections.run("UPDATE t SET l = l - [1] WHERE p = 1", consistency=ANY)


# ---------------------------------------------------------------- DELETE


@pytest.fixture
def filled(rows: Node) -> Node:
    for c in range(5):
        rows.run("INSERT INTO t (p, c, v, n) VALUES (1, ?, 'a', 1)", c)
    rows.run("UPDATE t SET s = 1 WHERE p = 1")
    return rows


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ("c = 2", [0, 1, 3, 4]),
        ("c IN (0, 4)", [1, 2, 3]),
        ("c > 2", [0, 1, 2]),
        ("c >= 2", [0, 1]),
        ("c < 2", [2, 3, 4]),
        ("c <= 2", [3, 4]),
        ("c > 0 AND c < 4", [0, 4]),
        ("c >= 1 AND c <= 3", [0, 4]),
        ("(c) > (2)", [0, 1, 2]),
        ("c > 3 AND c < 2", [0, 1, 2, 3, 4]),
    ],
)
def test_rows_and_ranges_are_deleted(filled: Node, where: str, left: list[int]):
    filled.run(f"DELETE FROM t WHERE p = 1 AND {where}")
    assert [row["c"] for row in filled.rows()] == left


def test_ranges_of_a_descending_column(node: Node):
    node.run("CREATE TABLE t (p int, c int, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC)")
    for c in range(5):
        node.run("INSERT INTO t (p, c) VALUES (1, ?)", c)
    node.run("DELETE FROM t WHERE p = 1 AND c > 2")
    assert [row["c"] for row in node.rows()] == [2, 1, 0]
    node.run("DELETE FROM t WHERE p = 1 AND c <= 1")
    assert [row["c"] for row in node.rows()] == [2]


def test_a_prefix_of_the_clustering_key_is_a_range(node: Node):
    node.run("CREATE TABLE t (p int, a int, b int, PRIMARY KEY (p, a, b))")
    for a in (1, 2):
        for b in (1, 2):
            node.run("INSERT INTO t (p, a, b) VALUES (1, ?, ?)", a, b)
    node.run("DELETE FROM t WHERE p = 1 AND a = 1")
    (mutation,) = node.applied
    assert not mutation.rows
    assert len(mutation.ranges) == 1
    assert node.values("a", "b") == [(2, 1), (2, 2)]


def test_the_whole_partition(filled: Node):
    filled.run("DELETE FROM t WHERE p = 1")
    assert filled.applied[0].deletion is not None
    assert filled.rows() == []


def test_in_a_table_without_clustering_a_row_is_a_partition(collections: Node):
    collections.run("INSERT INTO t (p) VALUES (1)")
    collections.run("DELETE FROM t WHERE p = 1")
    assert collections.applied[0].deletion is not None


def test_columns_are_deleted(filled: Node):
    filled.run("DELETE v, n FROM t WHERE p = 1 AND c = 0")
    filled.run("DELETE s FROM t WHERE p = 1")
    assert filled.rows()[0] == {"p": 1, "c": 0, "s": None, "v": None, "n": None}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("DELETE v FROM t WHERE p = 1", "Primary key column 'c' must be specified in order to modify column 'v'"),
        ("DELETE v FROM t WHERE p = 1 AND c > 1", "Range deletions are not supported for specific columns"),
        ("DELETE s FROM t WHERE p = 1 AND c = 1",
         "Invalid restrictions on clustering columns since the DELETE statement modifies only static columns"),
        ("DELETE FROM t WHERE c = 1", "Missing mandatory PRIMARY KEY part p"),
        ("DELETE FROM t WHERE p = 1 AND v = 'a'", "Invalid where clause contains non PRIMARY KEY columns: v"),
        ("DELETE FROM t WHERE p = null", "Invalid null value in condition for column p"),
        ("DELETE FROM t WHERE p = 1 AND c = null", "Invalid null value in condition for column c"),
        ("DELETE x FROM t WHERE p = 1", "Unknown identifier x"),
    ],
)  # fmt: skip
def test_delete_refusals(filled: Node, text: str, message: str):
    with pytest.raises(InvalidRequest) as caught:
        filled.run(text)
    assert caught.value.message == message


def test_delete_with_a_null_list_of_keys(filled: Node):
    with pytest.raises(InvalidRequest, match="Invalid null value in condition for column p"):
        filled.run("DELETE FROM t WHERE p IN ?", None)


# ---------------------------------------------------------------- USING


def test_ttl_is_on_marker_and_cells(rows: Node):
    rows.run("INSERT INTO t (p, c, v, n) VALUES (1, 1, 'a', null) USING TTL 10", timestamp=1000)
    row = stored(rows, 1, 1)
    assert row.marker == (1000, BEGIN + 10, 10)
    assert row.cells == {"v": (1000, b"a", BEGIN + 10, 10), "n": (1000, None, BEGIN, 0)}
    rows.time += 10
    assert rows.rows() == []


def test_the_tables_default_ttl_holds_unless_the_statement_says_otherwise(node: Node):
    node.run("CREATE TABLE t (p int PRIMARY KEY, v int) WITH default_time_to_live = 60")
    node.run("INSERT INTO t (p, v) VALUES (1, 1)")
    node.run("INSERT INTO t (p, v) VALUES (?, ?)", 2, 1)
    node.run("INSERT INTO t (p, v) VALUES (3, 1) USING TTL ?", UNSET)
    node.run("INSERT INTO t (p, v) VALUES (4, 1) USING TTL 0")
    node.run("INSERT INTO t (p, v) VALUES (5, 1) USING TTL 90")
    node.time += 60
    assert sorted(node.values("p")) == [(4,), (5,)]


def test_timestamps_come_from_the_statement_or_the_request(rows: Node):
    rows.run("INSERT INTO t (p, c, v) VALUES (1, 1, 'new')", timestamp=5000)
    rows.run("UPDATE t USING TIMESTAMP 4000 SET v = 'old' WHERE p = 1 AND c = 1", timestamp=9000)
    assert rows.values("v") == [("new",)]
    rows.run("UPDATE t USING TIMESTAMP ? SET v = 'newest' WHERE p = 1 AND c = 1", UNSET, timestamp=6000)
    assert stored(rows, 1, 1).cells["v"][:2] == (6000, b"newest")
    rows.run("DELETE FROM t USING TIMESTAMP 5500 WHERE p = 1 AND c = 1")
    assert rows.values("v") == [("newest",)]


@pytest.mark.parametrize(
    ("using", "value", "message"),
    [
        ("TTL", -1, "A TTL must be greater or equal to 0"),
        ("TTL", 630720001, "ttl is too large. requested (630720001) maximum (630720000)"),
        ("TTL", None, "Invalid null value of TTL"),
        ("TIMESTAMP", None, "Invalid null value of timestamp"),
        ("TIMESTAMP", (BEGIN + 4 * 86400) * 1_000_000,
         "Cannot provide a timestamp more than 3 days into the future. "
         "If this was not intended, make sure the timestamp is in microseconds"),
    ],
)  # fmt: skip
def test_using_refusals(rows: Node, using: str, value, message: str):
    statements = [
        (f"INSERT INTO t (p, c) VALUES (1, 1) USING {using} ?", (value,)),
        (f"UPDATE t USING {using} ? SET n = 1 WHERE p = 1 AND c = 1", (value,)),
    ]
    if value is not None:
        statements.append((f"INSERT INTO t (p, c) VALUES (1, 1) USING {using} {value}", ()))
    for text, values in statements:
        with pytest.raises(InvalidRequest) as caught:
            rows.run(text, *values)
        assert caught.value.message == message


@pytest.mark.parametrize(
    ("timeout", "message"),
    [
        ("100us", "Timeout values cannot have granularity finer than milliseconds"),
        ("1d", "Timeout values cannot be expressed in days/months"),
        ("1mo", "Timeout values cannot be expressed in days/months"),
        ("-5s", "Timeout values must be non-negative"),
    ],
)
def test_timeouts_are_checked(rows: Node, timeout: str, message: str):
    rows.run("INSERT INTO t (p, c) VALUES (1, 1) USING TIMEOUT 1m500ms")
    bound = DURATION.decode(DURATION.from_text(timeout))
    for statement in ("INSERT INTO t (p, c) VALUES (1, 1)", "SELECT * FROM t", "TRUNCATE t"):
        with pytest.raises(InvalidRequest, match=message):
            rows.run(f"{statement} USING TIMEOUT {timeout}")
        with pytest.raises(InvalidRequest, match=message):
            rows.run(f"{statement} USING TIMEOUT ?", bound)
        with pytest.raises(InvalidRequest, match="Timeout value cannot be null"):
            rows.run(f"{statement} USING TIMEOUT ?", None)
        with pytest.raises(InvalidRequest, match="Unexpected unset value"):
            rows.run(f"{statement} USING TIMEOUT ?", UNSET)
    assert len(rows.rows()) == 1


_SAID = "Operation timed out for ks.t - received only 0 responses from 1 CL=ONE."
_BATCH = "BATCH USING TIMEOUT {} INSERT INTO t (p, c) VALUES (9, 9); APPLY BATCH"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("INSERT INTO t (p, c) VALUES (9, 9) USING TTL 5 AND TIMEOUT {}", "SIMPLE"),
        ("UPDATE t USING TIMEOUT {} SET n = 9 WHERE p = 1 AND c = 1", "SIMPLE"),
        ("DELETE FROM t USING TIMEOUT {} AND TIMESTAMP 5 WHERE p = 1", "SIMPLE"),
        (f"BEGIN {_BATCH}", "BATCH"),
        (f"BEGIN UNLOGGED {_BATCH}", "UNLOGGED_BATCH"),
    ],
)
def test_nothing_is_written_in_no_time(rows: Node, text: str, kind: str):
    rows.run("INSERT INTO t (p, c, n) VALUES (1, 1, 1)")
    before = rows.rows()
    for run in (lambda: rows.run(text.format("0ms")), lambda: rows.run(text.format("?"), Duration(0, 0, 0))):
        with pytest.raises(WriteTimeout) as refused:
            run()
        error = refused.value
        assert (error.message, error.write_type, error.received, error.required) == (_SAID, kind, 0, 1)
    assert rows.rows() == before
    rows.run(text.format("?"), Duration(0, 0, 10**15))
    assert rows.rows() != before or "TIMESTAMP 5" in text


def test_counting_takes_time_too(node: Node):
    node.run("CREATE TABLE t (p int PRIMARY KEY, n counter)")
    with pytest.raises(WriteTimeout) as refused:
        node.run("UPDATE t USING TIMEOUT 0s SET n = n + 1 WHERE p = 1")
    assert refused.value.write_type == "COUNTER"


def test_a_conditional_statement_takes_the_servers_time(rows: Node):
    assert rows.run("UPDATE t USING TIMEOUT 0s SET n = 1 WHERE p = 1 AND c = 1 IF n = null")[0][0] is True
    batch = "BEGIN BATCH USING TIMEOUT 0s UPDATE t SET n = 2 WHERE p = 1 AND c = 1 IF n = 1; APPLY BATCH"
    assert rows.run(batch)[0][0] is True


def test_within_a_batch_message_no_statement_has_a_timeout_of_its_own(rows: Node):
    rows.run_message(("INSERT INTO t (p, c) VALUES (1, 1) USING TIMEOUT 0s",))
    assert len(rows.rows()) == 1


def test_a_table_is_not_emptied_in_no_time(rows: Node):
    rows.run("INSERT INTO t (p, c) VALUES (1, 1)")
    with pytest.raises(TruncateError, match=r"truncate: seastar::rpc::timeout_error \(rpc call timed out\)$"):
        rows.run("TRUNCATE t USING TIMEOUT 0s")
    assert len(rows.rows()) == 1
    rows.run("TRUNCATE t USING TIMEOUT 10s")
    assert rows.rows() == []


# ---------------------------------------------------------------- what is known at PREPARE


def test_variables_and_routing_key(node: Node):
    node.run("CREATE TABLE t (a int, b int, c int, m map<text, int>, l list<int>, PRIMARY KEY ((a, b), c))")
    plan = node.plan("INSERT INTO t (c, b, a, m) VALUES (?, ?, ?, ?) USING TTL ? AND TIMESTAMP ?")
    assert [spec.name for spec in plan.variables] == ["c", "b", "a", "m", "[ttl]", "[timestamp]"]
    assert [spec.type.name for spec in plan.variables] == ["int", "int", "int", "map<text, int>", "int", "bigint"]
    assert list(plan.partition_key_variables) == [2, 1]
    assert plan.columns is None
    plan = node.plan("UPDATE t SET m[?] = ?, l[?] = ? WHERE a = ? AND b = 1 AND c IN ?")
    assert [spec.name for spec in plan.variables] == ["key(m)", "value(m)", "idx(l)", "value(l)", "a", "IN(c)"]
    assert not plan.partition_key_variables
    plan = node.plan("DELETE FROM t WHERE b = :b AND a = :a")
    assert [spec.name for spec in plan.variables] == ["b", "a"]
    assert list(plan.partition_key_variables) == [1, 0]


# ---------------------------------------------------------------- guards


def test_views_and_system_tables_are_not_written_to(node: Node):
    node.run("CREATE TABLE base (p int PRIMARY KEY, v int)")
    where = "WHERE v IS NOT NULL AND p IS NOT NULL"
    node.run(f"CREATE MATERIALIZED VIEW by_v AS SELECT * FROM base {where} PRIMARY KEY (v, p)")
    with pytest.raises(InvalidRequest, match="Cannot directly modify a materialized view"):
        node.run("INSERT INTO by_v (v, p) VALUES (1, 1)")
    with pytest.raises(Unauthorized, match="system keyspace is not user-modifiable"):
        node.run("DELETE FROM system.local WHERE key = 'local'")


def test_consistency_levels_are_looked_at():
    node = Node(replication_factor=3)
    node.run(ROWS)
    node.run("INSERT INTO t (p, c) VALUES (1, 1)", consistency=LOCAL_ONE)
    with pytest.raises(Unavailable):
        node.run("INSERT INTO t (p, c) VALUES (1, 1)", consistency=QUORUM)
    with pytest.raises(InvalidRequest, match="You must use conditional updates for serializable writes"):
        node.run("INSERT INTO t (p, c) VALUES (1, 1)", consistency=SERIAL)


def test_no_refused_write_is_a_server_error(collections: Node):
    """Whatever stands in for a value, the answer is a sentence about it."""
    for term in ("1", "'a'", "[1]", "{1}", "{'a': 1}", "(1, 2)", "null", "now()", "?", "nothing()", "0xff"):
        for text in (
            f"INSERT INTO t (p, l) VALUES (1, {term})",
            f"UPDATE t SET m = m + {term} WHERE p = 1",
            f"UPDATE t SET l = {term} + l WHERE p = 1",
            f"UPDATE t SET z = z - {term} WHERE p = 1",
            f"UPDATE t SET l[{term}] = 1 WHERE p = 1",
            f"DELETE m[{term}] FROM t WHERE p = {term}",
        ):
            try:
                plan = collections.plan(text)
                plan.execute(collections.context([b"\xff"] * len(plan.variables)))
            except CqlError as error:
                assert error.code != 0


@pytest.mark.parametrize("column", ["l", "in(l", "NOT IN(l"])
def test_no_name_of_a_column_lets_nulls_into_a_list(node: Node, column: str):
    node.run(f'CREATE TABLE named (p int PRIMARY KEY, "{column}" list<int>)')
    assign = f'UPDATE named SET "{column}" = '
    with pytest.raises(InvalidRequest, match="Cannot store NULL in list or set"):
        node.run(f"{assign} [1, null] WHERE p = 1")
    plan = node.plan(f"{assign} ? WHERE p = 1")
    with pytest.raises(InvalidRequest, match="Cannot store NULL in list or set"):
        plan.execute(node.context([b"\0\0\0\1" + b"\xff" * 4]))
    with pytest.raises(InvalidRequest, match="Cannot store NULL in list or set"):
        node.run(f'UPDATE named SET "{column}" = [1] WHERE p = 1 IF "{column}" = [1, ?]', None)
    assert node.rows("named") == []
