"""The node's own tables: what drivers and tools read to learn about node and schema."""

from __future__ import annotations

import gc
import weakref

import pytest

from embedded_scylla.system.definitions import TABLES
from embedded_scylla.system.tables import column_definitions
from tests.unit.asking import Asking
from tests.unit.schema_session import KEYSPACE, SchemaSession


@pytest.fixture
def session() -> SchemaSession:
    return SchemaSession(
        KEYSPACE,
        "CREATE TABLE t (p int, q text, c timeuuid, s int static, v list<int>, w int, PRIMARY KEY ((p, q), c)) "
        "WITH CLUSTERING ORDER BY (c DESC) AND cdc = {'enabled': true} AND comment = 'seats'",
        "CREATE MATERIALIZED VIEW v AS SELECT p, q, c FROM t "
        "WHERE p IS NOT NULL AND q IS NOT NULL AND c IS NOT NULL PRIMARY KEY (q, p, c)",
        "CREATE INDEX ON t (w)",
    )


def test_local_says_who_the_node_is(session: SchemaSession) -> None:
    (row,) = session.rows("system.local")
    node = session.engine.node
    assert (row["key"], row["data_center"], row["rack"]) == ("local", "datacenter1", "rack1")
    assert (row["release_version"], row["cql_version"]) == ("3.0.8", "3.3.1")
    assert row["partitioner"] == "org.apache.cassandra.dht.Murmur3Partitioner"
    assert row["host_id"] == node.host_id
    assert row["schema_version"] == session.engine.schema.uuid
    assert sorted(map(int, row["tokens"])) == sorted(node.tokens)
    assert "not ScyllaDB" in row["cluster_name"]
    assert session.rows("system.peers") == []


def test_the_schema_version_changes_with_the_schema(session: SchemaSession) -> None:
    (before,) = session.rows("system.local")
    session.execute("CREATE TABLE another (p int PRIMARY KEY)")
    (after,) = session.rows("system.local")
    assert before["schema_version"] != after["schema_version"]


def test_versions_say_plainly_what_it_is(session: SchemaSession) -> None:
    (row,) = session.rows("system.versions")
    assert "embedded" in row["version"]
    assert "is not ScyllaDB" in row["build_id"]


def test_tools_find_a_name_with_scylla_in_it(session: SchemaSession) -> None:
    assert any("scylla" in row["table_name"] for row in session.rows("system_schema.tables", keyspace_name="system"))


def test_keyspaces(session: SchemaSession) -> None:
    (row,) = session.rows("system_schema.keyspaces", keyspace_name="ks")
    assert row["durable_writes"] is True
    assert row["replication"] == {
        "class": "org.apache.cassandra.locator.NetworkTopologyStrategy",
        "datacenter1": "1",
    }
    session.execute("CREATE KEYSPACE k WITH replication = {'replication_factor': 1} AND tablets = {'initial': 4}")
    assert [(r["keyspace_name"], r["initial_tablets"]) for r in session.rows("system_schema.scylla_keyspaces")] == [
        ("k", 4)
    ]


def test_tables_and_their_options(session: SchemaSession) -> None:
    (row,) = session.rows("system_schema.tables", keyspace_name="ks", table_name="t")
    assert (row["id"], row["comment"]) == (session.table("t").id, "seats")
    assert row["flags"] == ["compound"]
    assert row["gc_grace_seconds"] == 864000
    assert sorted(row["extensions"]) == ["cdc", "tombstone_gc"]
    (scylla,) = session.rows("system_schema.scylla_tables", keyspace_name="ks", table_name="t")
    assert scylla["cdc"] == {
        "delta": "full", "enabled": "true", "postimage": "false", "preimage": "false", "ttl": "86400",
    }  # fmt: skip
    (log,) = session.rows("system_schema.scylla_tables", keyspace_name="ks", table_name="t_scylla_cdc_log")
    assert log["partitioner"] == "com.scylladb.dht.CDCPartitioner"


def test_a_table_s_version_follows_its_definition(session: SchemaSession) -> None:
    def version() -> object:
        return session.rows("system_schema.scylla_tables", keyspace_name="ks", table_name="t")[0]["version"]

    before = version()
    assert version() == before
    session.execute("ALTER TABLE t WITH comment = 'gates'")
    assert version() != before


def test_columns(session: SchemaSession) -> None:
    rows = session.rows("system_schema.columns", keyspace_name="ks", table_name="t")
    shown = {r["column_name"]: (r["kind"], r["position"], r["clustering_order"], r["type"]) for r in rows}
    assert shown == {
        "p": ("partition_key", 0, "none", "int"),
        "q": ("partition_key", 1, "none", "text"),
        "c": ("clustering", 0, "desc", "timeuuid"),
        "s": ("static", -1, "none", "int"),
        "v": ("regular", -1, "none", "list<int>"),
        "w": ("regular", -1, "none", "int"),
    }


def test_views_and_indexes(session: SchemaSession) -> None:
    (view,) = session.rows("system_schema.views", view_name="v")
    assert view["base_table_id"] == session.table("t").id
    assert view["where_clause"] == "p IS NOT null AND q IS NOT null AND c IS NOT null"
    assert view["include_all_columns"] is False
    virtual = session.rows("system_schema.view_virtual_columns", table_name="v")
    assert [(row["column_name"], row["type"]) for row in virtual] == [("v", "empty"), ("w", "empty")]
    (index,) = session.rows("system_schema.indexes")
    assert (index["index_name"], index["kind"], index["options"]) == ("t_w_idx", "COMPOSITES", {"target": "w"})
    (computed,) = session.rows("system_schema.computed_columns")
    assert (computed["table_name"], computed["column_name"]) == ("t_w_idx_index", "idx_token")
    assert {row["view_name"] for row in session.rows("system.built_views")} == {"v", "t_w_idx_index"}
    (status,) = session.rows("system_distributed.view_build_status", view_name="v")
    assert (status["host_id"], status["status"]) == (session.engine.node.host_id, "SUCCESS")


def test_dropped_columns(session: SchemaSession) -> None:
    session.execute("ALTER TABLE t DROP s")
    (row,) = session.rows("system_schema.dropped_columns", table_name="t")
    assert (row["column_name"], row["type"]) == ("s", "int")
    assert abs(row["dropped_time"] - session.engine.clock.micros() // 1000) < 60_000


def test_the_schemas_rows_are_made_once_for_a_schema(session: SchemaSession) -> None:
    table = session.table("tables", "system_schema")
    first = session.engine.store(table)
    assert session.engine.store(table) is first
    session.execute("DROP INDEX t_w_idx")
    assert session.engine.store(table) is not first


def test_forgotten_engines_leave_nothing_behind() -> None:
    session = SchemaSession(KEYSPACE)
    session.rows("system_schema.tables")
    schema = weakref.ref(session.engine.schema)
    session.engine.close()
    del session
    gc.collect()
    assert schema() is None


def test_size_estimates_cover_the_ring(session: SchemaSession) -> None:
    session.execute("CREATE TABLE seats (p int PRIMARY KEY, v text)")
    for number in range(10):
        session.write("seats", p=number, v="x")
    (row,) = session.rows("system.size_estimates", table_name="seats")
    assert row["partitions_count"] == 10
    assert row["mean_partition_size"] > 0


def test_streams_are_discovered(session: SchemaSession) -> None:
    (generation,) = session.rows("system_distributed.cdc_generation_timestamps")
    assert generation["key"] == "timestamps"
    described = session.rows("system_distributed.cdc_streams_descriptions_v2", time=generation["time"])
    assert len(described) == len(session.engine.node.tokens)
    assert session.rows("system.cdc_streams") == []
    session.execute("CREATE KEYSPACE k WITH replication = {'replication_factor': 1}")
    session.execute("CREATE TABLE k.t (p int PRIMARY KEY) WITH cdc = {'enabled': true}")
    (timestamp,) = session.rows("system.cdc_timestamps")
    assert (timestamp["keyspace_name"], timestamp["table_name"]) == ("k", "t")
    assert session.rows("system.cdc_streams", timestamp=timestamp["timestamp"])


@pytest.mark.parametrize(
    "name",
    [
        "system.config", "system.runtime_info", "system.cluster_status", "system.token_ring",
        "system.protocol_servers", "system.scylla_local",
    ],
)  # fmt: skip
def test_more_about_the_node(session: SchemaSession, name: str) -> None:
    assert session.rows(name)


def test_the_topology_is_this_node() -> None:
    asking = Asking()
    node = asking.engine.node
    found = asking.rows("SELECT key, host_id, node_state, rack, version, upgrade_state, tokens FROM system.topology")
    (*told, tokens) = found[0]
    assert told == ["topology", node.host_id, "normal", node.rack, 1, "done"]
    assert sorted(map(int, tokens)) == sorted(node.tokens)


def test_the_tablets_of_a_table_cover_the_ring() -> None:
    asking = Asking()
    assert asking.rows("SELECT * FROM system.tablets") == []
    asking.run("CREATE KEYSPACE k WITH replication = {'replication_factor': 1} AND tablets = {'initial': 4}")
    asking.run("CREATE TABLE k.t (p int PRIMARY KEY)")
    rows = asking.rows("SELECT keyspace_name, table_name, tablet_count, last_token, replicas FROM system.tablets")
    place = [(asking.engine.node.host_id, 0)]
    assert rows == [("k", "t", 4, last, place) for last in (-(2**62) - 1, -1, 2**62 - 1, 2**63 - 1)]


def test_the_newest_generation_is_this_node_s(session: SchemaSession) -> None:
    (row,) = session.rows("system.cdc_local")
    assert (row["key"], row["streams_timestamp"]) == ("cdc_local", session.engine.streams.generations[-1].timestamp)


def test_no_column_of_a_definition_is_lost() -> None:
    for tables in TABLES.values():
        for parts in tables.values():
            for text in parts:
                assert ", ".join(" ".join(filter(None, column)) for column in column_definitions(text)) == text


def test_static_columns_of_system_tables(session: SchemaSession) -> None:
    table = session.table("repair_history", "system")
    assert [column.name for column in table.statics] == ["keyspace_name", "table_name"]
    assert [column.name for column in table.clustering] == ["repair_time", "repair_uuid", "range_start", "range_end"]


@pytest.mark.parametrize(
    "name",
    [
        "system.large_partitions", "system.large_rows", "system.large_cells", "system.snapshots", "system.paxos",
        "system.batchlog", "system.compaction_history", "system.sstables", "system.hints", "system.group0_history",
        "system.truncated", "system.raft", "system.client_routes", "system_traces.node_slow_log",
        "system_traces.sessions_time_idx", "system_distributed.service_levels",
    ],
)  # fmt: skip
def test_tables_that_are_there_and_empty(session: SchemaSession, name: str) -> None:
    assert session.rows(name) == []


def test_every_virtual_table_can_be_read(session: SchemaSession) -> None:
    for keyspace in session.engine.schema.keyspaces.values():
        for table in keyspace.tables.values():
            assert session.engine.store(table).table.name == table.name


def test_traces_are_stored(session: SchemaSession) -> None:
    table = session.table("sessions", "system_traces")
    assert not table.virtual
    assert table.options["default_time_to_live"] == 86400
