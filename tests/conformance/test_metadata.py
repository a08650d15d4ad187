"""The schema as a driver sees it: read at connect, kept in step by events, and printed as CQL again."""

from __future__ import annotations

import pytest

from .conftest import eventually, open_cluster


@pytest.fixture(scope="module")
def cluster(engine):
    """One that reads the schema, unlike the other tests'."""
    cluster = open_cluster(engine)
    yield cluster
    cluster.shutdown()


@pytest.fixture(scope="module")
def session(cluster):
    return cluster.connect()


@pytest.fixture
def metadata(cluster, keyspace):
    """What the driver knows of this module's keyspace."""
    return lambda: cluster.metadata.keyspaces[keyspace]


def test_the_cluster(cluster, session):
    assert cluster.metadata.partitioner.endswith("Murmur3Partitioner")
    (host,) = cluster.metadata.all_hosts()
    assert (host.datacenter, host.rack, host.is_up) == ("datacenter1", "rack1", True)
    assert cluster.metadata.token_map is not None


def test_a_keyspace(metadata):
    strategy = metadata().replication_strategy
    assert type(strategy).__name__ == "NetworkTopologyStrategy"
    assert metadata().durable_writes


def test_a_table(create, metadata):
    table = create(
        "(p int, q text, c timeuuid, s int static, v map<text, int>, PRIMARY KEY ((p, q), c))",
        "WITH CLUSTERING ORDER BY (c DESC) AND comment = 'it''s' AND default_time_to_live = 60",
    )
    found = metadata().tables[table.partition(".")[2]]
    assert [c.name for c in found.partition_key] == ["p", "q"]
    assert [(c.name, c.is_reversed) for c in found.clustering_key] == [("c", True)]
    assert [(name, c.cql_type, c.is_static) for name, c in found.columns.items()] == [
        ("p", "int", False),
        ("q", "text", False),
        ("c", "timeuuid", False),
        ("s", "int", True),
        ("v", "map<text, int>", False),
    ]
    assert (found.options["comment"], found.options["default_time_to_live"]) == ("it's", 60)


def test_changes_are_followed(create, metadata, run):
    table = create("(p int PRIMARY KEY)")
    name = table.partition(".")[2]
    run(f"ALTER TABLE {table} ADD v int")
    assert "v" in metadata().tables[name].columns
    run(f"ALTER TABLE {table} RENAME p TO key")
    assert list(metadata().tables[name].columns) == ["key", "v"]
    run(f"DROP TABLE {table}")
    assert name not in metadata().tables


def test_others_changes_are_followed(create, metadata, cluster, engine, run):
    """Another client's changes arrive as events, and the driver reads the schema anew."""
    other = open_cluster(engine, schema_event_refresh_window=0)
    other.connect()
    table = create("(p int PRIMARY KEY)")
    keyspace, _, name = table.partition(".")
    assert eventually(lambda: name in other.metadata.keyspaces[keyspace].tables)
    run(f"DROP TABLE {table}")
    assert eventually(lambda: name not in other.metadata.keyspaces[keyspace].tables)
    other.shutdown()


def test_views_and_indexes(create, metadata, run):
    table = create("(p int, c int, v int, PRIMARY KEY (p, c))")
    name = table.partition(".")[2]
    run(f"CREATE INDEX {name}_by_v ON {table} (v)")
    run(f"CREATE MATERIALIZED VIEW {table}_by_c AS SELECT * FROM {table} WHERE p IS NOT NULL AND c IS NOT NULL "
        "PRIMARY KEY (c, p)")  # fmt: skip
    found = metadata().tables[name]
    assert f"{name}_by_v" in found.indexes
    assert f"{name}_by_c" in found.views
    view = metadata().views[f"{name}_by_c"]
    assert (view.base_table_name, view.include_all_columns) == (name, True)
    assert [c.name for c in (*view.partition_key, *view.clustering_key)] == ["c", "p"]
    run(f"DROP MATERIALIZED VIEW {table}_by_c")
    assert f"{name}_by_c" not in metadata().views  # the view behind the index may be there by then
    run(f"DROP INDEX {metadata().name}.{name}_by_v")
    assert metadata().tables[name].indexes == {}


def test_the_drivers_cql_makes_the_same_table(create, metadata, run):
    table = create(
        '("P" int, c int, v frozen<list<text>>, s int static, PRIMARY KEY ("P", c))',
        "WITH CLUSTERING ORDER BY (c DESC) AND comment = 'x' AND gc_grace_seconds = 7",
    )
    name = table.partition(".")[2]
    before = metadata().tables[name].export_as_string()
    run(f"DROP TABLE {table}")
    run(before)
    assert metadata().tables[name].export_as_string() == before


@pytest.mark.differs("cassandra", "it has no CDC of this kind")
def test_cdc_shows_as_an_option(create, metadata):
    """The log is a table of its own, which came with another event."""
    table = create("(p int PRIMARY KEY)", "WITH cdc = {'enabled': true}")
    name = table.partition(".")[2]
    assert metadata().tables[name].extensions.keys() >= {"cdc"} or "cdc" in metadata().tables[name].options
    assert eventually(lambda: f"{name}_scylla_cdc_log" in metadata().tables)
