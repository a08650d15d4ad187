"""Local indexes: hidden views that have the base table's partitions, and serve queries that name one of them."""

from __future__ import annotations

import pytest

from embedded_scylla.errors import InvalidRequest
from embedded_scylla.where.restrictions import FILTERING_NEEDED
from tests.unit.asking import Asking, joined

TABLE = (
    "CREATE TABLE t (p int, q int, c int, d int, s int static, v int, w int, l list<int>, f frozen<list<int>>, "
    "PRIMARY KEY ((p, q), c, d)) WITH CLUSTERING ORDER BY (c DESC, d ASC)"
)


@pytest.fixture
def node() -> Asking:
    node = Asking()
    node.run(TABLE)
    for p in range(2):
        for c in range(4):
            for d in range(3):
                node.run("INSERT INTO t (p, q, c, d, v, w) VALUES (?, 1, ?, ?, ?, ?)", p, c, d, c % 2, d)
    return node


def used(node: Asking, query: str) -> str | None:
    """The index that a query is read by."""
    index = node.plan(query).restrictions.index
    return None if index is None else index.name


def test_it_serves_one_partition(node):
    filtered = node.rows("SELECT c, d FROM t WHERE p = 1 AND q = 1 AND v = 1 ALLOW FILTERING")
    node.run("CREATE INDEX near ON t ((p, q), v)")
    query = "SELECT c, d FROM t WHERE p = 1 AND q = 1 AND v = 1"
    assert used(node, query) == "near"
    assert node.rows(query) == filtered == [(3, 0), (3, 1), (3, 2), (1, 0), (1, 1), (1, 2)]
    for page in (1, 2, 5):
        assert joined(node.paged(query, page=page)) == filtered
    assert node.rows(f"{query} LIMIT 2") == filtered[:2]
    assert node.rows(f"{query} AND c = 3") == filtered[:3]
    assert node.rows(f"{query} AND w = 2 ALLOW FILTERING") == [(3, 2), (1, 2)]


@pytest.mark.parametrize(
    "where", ["v = 1", "p = 1 AND v = 1", "p = 1 AND q IN (1, 2) AND v = 1", "token(p, q) > 0 AND v = 1"]
)
def test_it_serves_nothing_wider(node, where):
    node.run("CREATE INDEX near ON t ((p, q), v)")
    with pytest.raises(InvalidRequest) as caught:
        node.plan(f"SELECT c FROM t WHERE {where}")
    assert caught.value.message == FILTERING_NEEDED


def test_it_follows_what_is_written(node):
    node.run("CREATE INDEX near ON t ((p, q), v)")

    def found(v: int) -> list:
        return node.rows(f"SELECT c, d FROM t WHERE p = 0 AND q = 1 AND v = {v}")

    node.run("UPDATE t SET v = 9 WHERE p = 0 AND q = 1 AND c = 1 AND d = 1")
    assert found(9) == [(1, 1)] and (1, 1) not in found(1)
    node.run("DELETE v FROM t WHERE p = 0 AND q = 1 AND c = 1 AND d = 1")
    assert found(9) == []
    node.run("DELETE FROM t WHERE p = 0 AND q = 1 AND c = 3")
    assert found(1) == [(1, 0), (1, 2)]
    node.run("DELETE FROM t WHERE p = 0 AND q = 1")
    assert found(0) == found(1) == []


def test_on_a_clustering_column_and_on_a_frozen_collection(node):
    node.run("CREATE INDEX by_d ON t ((p, q), d)")
    query = "SELECT c FROM t WHERE p = 1 AND q = 1 AND d = 2"
    assert used(node, query) == "by_d"
    assert node.rows(query) == [(3,), (2,), (1,), (0,)]
    assert joined(node.paged(query, page=1)) == [(3,), (2,), (1,), (0,)]
    node.run("CREATE INDEX by_f ON t ((p, q), FULL(f))")
    node.run("UPDATE t SET f = [1, 2] WHERE p = 1 AND q = 1 AND c = 0 AND d = 0")
    assert node.rows("SELECT c FROM t WHERE p = 1 AND q = 1 AND f = [1, 2]") == [(0,)]


def test_without_clustering_columns(node):
    node.run("CREATE TABLE flat (p int PRIMARY KEY, v int)")
    node.run("CREATE INDEX ON flat ((p), v)")
    node.run("INSERT INTO flat (p, v) VALUES (1, 7)")
    assert node.rows("SELECT p FROM flat WHERE p = 1 AND v = 7") == [(1,)]
    assert joined(node.paged("SELECT p FROM flat WHERE p = 1 AND v = 7", page=1)) == [(1,)]
    assert node.rows("SELECT p FROM flat WHERE p = 1 AND v = 8") == []


def test_local_ones_go_before_global_ones_and_then_the_order_of_the_question_decides(node):
    node.run("CREATE TABLE many (p int PRIMARY KEY, v1 int, v2 int, v3 int)")
    node.run("CREATE INDEX by_v3 ON many (v3)")
    node.run("CREATE INDEX by_v1 ON many (v1)")
    node.run("CREATE INDEX by_v2 ON many ((p), v2)")
    for where, index in [
        ("v3 = 1", "by_v3"),
        ("v3 = 1 AND v1 = 2", "by_v3"),
        ("p = 1 AND v1 = 1 AND v3 = 2", "by_v1"),
        ("p = 1 AND v3 = 1 AND v1 = 2", "by_v3"),
        ("v2 = 1 AND v1 = 2", "by_v1"),
        ("v2 = 1 AND v3 = 2 AND v1 = 3", "by_v3"),
        ("p = 1 AND v1 = 1 AND v3 = 2 AND v2 = 2", "by_v2"),
        ("p = 1 AND v2 = 1 AND v1 = 2", "by_v2"),
    ]:
        assert used(node, f"SELECT * FROM many WHERE {where} ALLOW FILTERING") == index, where


def test_one_column_may_have_both(node):
    node.run("CREATE INDEX ON t (v)")
    node.run("CREATE INDEX ON t ((p, q), v)")
    targets = dict(node.rows("SELECT index_name, options FROM system_schema.indexes WHERE keyspace_name = 'ks'"))
    assert targets == {"t_v_idx": {"target": "v"}, "t_v_idx_1": {"target": '{"pk":["p","q"],"ck":["v"]}'}}
    assert used(node, "SELECT * FROM t WHERE v = 1") == "t_v_idx"
    assert used(node, "SELECT * FROM t WHERE p = 1 AND q = 1 AND v = 1") == "t_v_idx_1"
    columns = node.rows(
        "SELECT column_name, kind, position FROM system_schema.columns "
        "WHERE keyspace_name = 'ks' AND table_name = 't_v_idx_1_index'"
    )
    assert sorted(columns, key=lambda column: (column[1] == "clustering", column[2])) == [
        ("p", "partition_key", 0), ("q", "partition_key", 1), ("v", "clustering", 0), ("c", "clustering", 1),
        ("d", "clustering", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("((p), v)", "Local index definition must contain full partition key only. Missing column: q"),
        ("((q, p), v)", "Local index definition must contain full partition key only. Missing column: p"),
        ("((p, q, c), v)", "Local index definition must contain full partition key only. Redundant column: c"),
        ("((p, q, never), v)", "Local index definition must contain full partition key only. Redundant column: never"),
        ("((p, q, p), v)", "Duplicate column definition in local index: p"),
        ("((p, q))", "Local index definition must provide an indexed column, not just partition key"),
        ("((p, q), s)", "Local indexes containing static columns are not supported."),
        ("((p, q), l)", "Local secondary index on collection column l is not implemented yet."),
        ("((p, q), v, w)", "Only CUSTOM indexes support multiple columns"),
        ("((p, q), never)", "No column definition found for column never"),
        ("(v, (p, q))", "Multi-column index targets are currently only supported for partition key"),
        (
            "((p, q), p)",
            "Local indexing based on partition key column is not allowed, since whole base partition key must be used "
            "in queries anyway. Use global indexing instead.",
        ),
    ],
)
def test_what_a_local_index_cannot_be(node, target, message):
    with pytest.raises(InvalidRequest) as caught:
        node.run(f"CREATE INDEX ON t {target}")
    assert caught.value.message == message


def test_it_is_described_and_survives_a_restart(tmp_path):
    node = Asking(tmp_path)
    node.run(TABLE)
    node.run("CREATE INDEX near ON t ((p, q), v)")
    node.run("INSERT INTO t (p, q, c, d, v) VALUES (1, 1, 1, 1, 7)")
    node.engine.close()
    again = Asking(tmp_path)
    (described,) = again.rows("DESCRIBE INDEX near")
    assert described[3] == "CREATE INDEX near ON ks.t((p, q), v);\n"
    assert ("index", "near_index") in [row[1:3] for row in again.rows("DESCRIBE TABLE t")]
    assert again.rows("SELECT c FROM t WHERE p = 1 AND q = 1 AND v = 7") == [(1,)]
    with pytest.raises(InvalidRequest, match="Cannot use DROP MATERIALIZED VIEW on Index"):
        again.run("DROP MATERIALIZED VIEW near_index")
    again.run("DROP INDEX near")
    assert again.rows("SELECT index_name FROM system_schema.indexes WHERE keyspace_name = 'ks'") == []
    again.engine.close()


# ---------------------------------------------------------------- properties of indexes


def test_the_view_behind_an_index_has_the_properties_given(node):
    node.run("CREATE INDEX i ON t (v) WITH comment = 'by v' AND gc_grace_seconds = 3 "
             "AND compaction = {'class': 'TimeWindowCompactionStrategy'} "
             "AND ID = 018ad550-b25d-09d0-7e90-ea5438411dc7")  # fmt: skip
    view = node.engine.schema.table("ks", "i_index")
    assert str(view.id) == "018ad550-b25d-09d0-7e90-ea5438411dc7"
    assert view.options["comment"] == "by v" and view.options["gc_grace_seconds"] == 3
    assert node.rows("DESCRIBE INDEX i")[0][3] == "CREATE INDEX i ON ks.t(v);\n"
    described = node.rows("DESCRIBE INDEX i WITH INTERNALS")[0][3]
    assert described.startswith(f"CREATE INDEX i ON ks.t(v) WITH ID = {view.id}\n    AND bloom_filter_fp_chance = ")
    node.run("DROP INDEX i")
    node.run(described)
    assert node.engine.schema.table("ks", "i_index").options == view.options


@pytest.mark.parametrize(
    ("properties", "error", "message"),
    [
        ("read_repair_chance = 0.0", "SyntaxException", "Unknown property 'read_repair_chance'"),
        ("never = 1", "SyntaxException", "Unknown property 'never'"),
        ("gc_grace_seconds = 'x'", "SyntaxException", "Invalid integer value x for 'gc_grace_seconds'"),
        ("default_time_to_live = -13", "ConfigurationException",
         "default_time_to_live cannot be smaller than 0, (default 0)"),
        ("default_time_to_live = 13", "InvalidRequest",
         "Cannot set or alter default_time_to_live for a materialized view. Data in a materialized view always expire "
         "at the same time than the corresponding data in the parent table."),
        ("cdc = {'enabled': true}", "InvalidRequest", "Cannot enable CDC for a materialized view"),
        ("COMPACT STORAGE", "InvalidRequest", "Cannot use 'COMPACT STORAGE' when defining a materialized view"),
        ("CLUSTERING ORDER BY (p ASC)", "InvalidRequest", "Indexes do not allow for specifying the clustering order"),
        ("OPTIONS = {'a': 'b'}", "InvalidRequest", "Cannot specify options for a non-CUSTOM index"),
    ],
)  # fmt: skip
def test_properties_that_an_index_cannot_have(node, properties, error, message):
    with pytest.raises(Exception) as caught:
        node.run(f"CREATE INDEX ON t (v) WITH {properties}")
    assert (type(caught.value).__name__, caught.value.message) == (error, message)


def test_a_name_that_another_index_has(node):
    node.run("CREATE INDEX i ON t (v)")
    node.run("CREATE INDEX IF NOT EXISTS i ON t (v)")
    node.run("CREATE INDEX IF NOT EXISTS j ON t (v)")
    assert node.engine.schema.indexed_table("ks", "j") is None
    with pytest.raises(InvalidRequest) as caught:
        node.run("CREATE INDEX IF NOT EXISTS i ON t (w)")
    assert caught.value.message == "Index i cannot be created, because table i_index already exists"
