"""System tables: what drivers read when they connect, and where a person finds out about the node and its schema."""

from __future__ import annotations

import uuid

import pytest
from cassandra import InvalidRequest, Unauthorized

# ---------------------------------------------------------------- the node


def test_local(run):
    ((key, partitioner, center, rack, host_id, tokens, stage),) = run(
        "SELECT key, partitioner, data_center, rack, host_id, tokens, bootstrapped FROM system.local "
        "WHERE key = 'local'"
    )
    assert (key, partitioner, stage) == ("local", "org.apache.cassandra.dht.Murmur3Partitioner", "COMPLETED")
    assert (center, rack) == ("datacenter1", "rack1")
    assert isinstance(host_id, uuid.UUID)
    assert all(-(2**63) <= int(token) < 2**63 for token in tokens)


@pytest.mark.differs("cassandra", "it has versions of its own")
def test_versions(run):
    """What ScyllaDB tells every driver; only system.versions says which ScyllaDB it is."""
    assert run("SELECT release_version, cql_version, native_protocol_version FROM system.local") == [
        ("3.0.8", "3.3.1", "4")
    ]
    ((key, version),) = run("SELECT key, version FROM system.versions")
    assert key == "local"
    assert int(version.split(".")[0]) >= 2025


@pytest.mark.embedded
def test_to_a_person_it_says_what_it_is(run):
    ((version, build),) = run("SELECT version, build_id FROM system.versions")
    assert "embedded" in version
    assert "not ScyllaDB" in build
    assert "not ScyllaDB" in run("SELECT cluster_name FROM system.local")[0][0]


def test_peers_are_the_others(run):
    assert run("SELECT * FROM system.peers") == []


@pytest.mark.differs("cassandra", "these tables are ScyllaDB's")
@pytest.mark.parametrize(
    "table, column, value",
    [
        ("cluster_status", "status", "NORMAL"),
        ("protocol_servers", "protocol", "cql"),
        ("token_ring", "rack", "rack1"),
        ("config", "name", "cluster_name"),
        ("clients", "connection_stage", "READY"),
        ("runtime_info", "item", None),
    ],
)
def test_virtual_tables(run, keyspace, table, column, value):
    found = {row[0] for row in run(f"SELECT {column} FROM system.{table}")}
    assert found
    assert value is None or value in found


@pytest.mark.differs("cassandra", "its table is in system_views")
def test_clients(run, cluster):
    """Who is connected, by what each driver said of itself when it started."""
    found = run("SELECT client_type, driver_name, protocol_version, ssl_enabled, username FROM system.clients")
    assert ("cql", "ScyllaDB Python Driver", 4, False, "anonymous") in found
    assert len(found) >= 2  # a control connection, and one for requests


@pytest.mark.differs("cassandra", "these tables are ScyllaDB's")
def test_the_schema_version_is_one(run):
    """Drivers compare it between nodes after each change, until all agree."""
    ((version,),) = run("SELECT schema_version FROM system.local")
    assert isinstance(version, uuid.UUID)
    assert run("SELECT value FROM system.scylla_local WHERE key = 'group0_schema_version'") == [(str(version),)]


def test_the_schema_version_changes_with_the_schema(run, create):
    ask = "SELECT schema_version FROM system.local"
    before = run(ask)
    assert run(ask) == before
    table = create("(p int PRIMARY KEY)")
    created = run(ask)
    assert created != before
    run(f"INSERT INTO {table} (p) VALUES (1)")
    assert run(ask) == created


# ---------------------------------------------------------------- the schema


@pytest.fixture(scope="module")
def shop(session, keyspace) -> str:
    session.execute(
        f"CREATE TABLE {keyspace}.shop (p int, q text, c timeuuid, s int static, v map<text, int>, w decimal, "
        "PRIMARY KEY ((p, q), c)) WITH CLUSTERING ORDER BY (c DESC) AND comment = 'a shop'"
    )
    session.execute(f"CREATE INDEX by_w ON {keyspace}.shop (w)")
    session.execute(
        f"CREATE MATERIALIZED VIEW {keyspace}.shop_by_q AS SELECT p, q, c, w FROM {keyspace}.shop "
        "WHERE p IS NOT NULL AND q IS NOT NULL AND c IS NOT NULL PRIMARY KEY (q, p, c)"
    )
    yield keyspace
    session.execute(f"DROP MATERIALIZED VIEW {keyspace}.shop_by_q")
    session.execute(f"DROP TABLE {keyspace}.shop")


def test_columns(shop, run):
    found = run("SELECT column_name, clustering_order, kind, position, type FROM system_schema.columns "
                f"WHERE keyspace_name = '{shop}' AND table_name = 'shop'")  # fmt: skip
    assert found == [
        ("c", "desc", "clustering", 0, "timeuuid"),
        ("p", "none", "partition_key", 0, "int"),
        ("q", "none", "partition_key", 1, "text"),
        ("s", "none", "static", -1, "int"),
        ("v", "none", "regular", -1, "map<text, int>"),
        ("w", "none", "regular", -1, "decimal"),
    ]


def test_tables(shop, run):
    """Views have a table of their own, system_schema.views."""
    found = run(f"SELECT table_name, comment, flags FROM system_schema.tables WHERE keyspace_name = '{shop}'")
    assert [(n, c) for n, c, _ in found if n == "shop"] == [("shop", "a shop")]
    assert "shop_by_q" not in [n for n, _, _ in found]


def test_views(shop, run):
    ((name, base, everything, where),) = run(
        "SELECT view_name, base_table_name, include_all_columns, where_clause FROM system_schema.views "
        f"WHERE keyspace_name = '{shop}' AND view_name = 'shop_by_q'"
    )
    assert (name, base, everything) == ("shop_by_q", "shop", False)
    assert where.lower() == "p is not null and q is not null and c is not null"


def test_indexes(shop, run):
    ((name, table, kind, options),) = run(
        f"SELECT index_name, table_name, kind, options FROM system_schema.indexes WHERE keyspace_name = '{shop}'"
    )
    assert (name, table, kind, options["target"]) == ("by_w", "shop", "COMPOSITES", "w")


def test_built_views(shop, run):
    for _ in range(1000):  # a cluster builds in the background
        found = run(f"SELECT view_name FROM system.built_views WHERE keyspace_name = '{shop}'")
        if ("shop_by_q",) in found:
            break
    assert ("shop_by_q",) in found


@pytest.mark.differs("cassandra", "it keeps no CDC options here")
def test_scylla_tables(create, run):
    table = create("(p int PRIMARY KEY)", "WITH cdc = {'enabled': true, 'ttl': 60}")
    keyspace, _, name = table.partition(".")
    ((options,),) = run(
        f"SELECT cdc FROM system_schema.scylla_tables WHERE keyspace_name = '{keyspace}' AND table_name = '{name}'"
    )
    assert dict(options) == {"delta": "full", "enabled": "true", "postimage": "false", "preimage": "false", "ttl": "60"}
    ((partitioner,),) = run(
        f"SELECT partitioner FROM system_schema.scylla_tables WHERE keyspace_name = '{keyspace}' "
        f"AND table_name = '{name}_scylla_cdc_log'"
    )
    assert partitioner == "com.scylladb.dht.CDCPartitioner"


def test_dropped_columns(create, run):
    table = create("(p int PRIMARY KEY, v list<int>)")
    keyspace, _, name = table.partition(".")
    run(f"ALTER TABLE {table} DROP v")
    ((column, kind),) = run(
        f"SELECT column_name, type FROM system_schema.dropped_columns WHERE keyspace_name = '{keyspace}' "
        f"AND table_name = '{name}'"
    )
    assert column == "v"
    assert "list<int>" in kind


@pytest.mark.parametrize("table", ["types", "functions", "aggregates", "triggers"])
def test_what_is_not_there(run, keyspace, table):
    assert run(f"SELECT * FROM system_schema.{table} WHERE keyspace_name = '{keyspace}'") == []


def test_the_system_keyspaces(run):
    found = {k: dict(r) for k, r in run("SELECT keyspace_name, replication FROM system_schema.keyspaces")}
    assert {"system", "system_schema", "system_distributed", "system_traces"} <= found.keys()
    assert found["system"]["class"].endswith("LocalStrategy")
    assert found["system_distributed"]["replication_factor"] == "3"


def test_system_tables_answer_like_any(run):
    """Filters, limits, paging, aggregates: nothing is special about them."""
    assert run("SELECT count(*) FROM system.local") == [(1,)]
    found = run("SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'system_schema'")
    assert ("columns",) in found
    assert run("SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'system_schema' LIMIT 1") == found[:1]
    assert run("SELECT keyspace_name FROM system_schema.tables WHERE table_name = 'local' ALLOW FILTERING") == [
        ("system",)
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO system.local (key) VALUES ('mine')",
        "UPDATE system_schema.tables SET comment = 'x' WHERE keyspace_name = 'system' AND table_name = 'local'",
        "DELETE FROM system.peers WHERE peer = '127.0.0.1'",
        "DROP TABLE system.local",
        "ALTER TABLE system.local ADD mine int",
        "CREATE INDEX ON system.local (rack)",
        "DROP KEYSPACE system",
        "TRUNCATE system.local",
    ],
)
@pytest.mark.differs("cassandra", "with authorization off it lets much of this pass")
def test_nobody_writes_to_system_tables(refused, statement):
    refused((Unauthorized, InvalidRequest), statement, "not user-modifiable")
