"""DESCRIBE: ScyllaDB's statements to the letter, and that they make the same schema again."""

from __future__ import annotations

import pytest

from embedded_scylla import errors
from embedded_scylla.ddl.schema_codec import encode_keyspace
from embedded_scylla.request import Rows
from embedded_scylla.schema import Schema
from tests.unit.schema_session import KEYSPACE, SchemaSession

OPTIONS = """bloom_filter_fp_chance = 0.01
    AND caching = {'keys': 'ALL', 'rows_per_partition': 'ALL'}
    AND comment = ''
    AND compaction = {'class': 'IncrementalCompactionStrategy'}
    AND compression = {'sstable_compression': 'LZ4WithDictsCompressor'}
    AND crc_check_chance = 1
    AND default_time_to_live = 0
    AND gc_grace_seconds = 864000
    AND max_index_interval = 2048
    AND memtable_flush_period_in_ms = 0
    AND min_index_interval = 128
    AND speculative_retry = '99.0PERCENTILE'
    AND """
TIMEOUT = "tombstone_gc = {'mode': 'timeout', 'propagation_delay_in_seconds': '3600'};\n"

TICKETS = f"""CREATE TABLE ks.tickets (
    event_id uuid,
    ticket_id uuid,
    price decimal,
    status text,
    PRIMARY KEY (event_id, ticket_id)
) WITH CLUSTERING ORDER BY (ticket_id ASC)
    AND {OPTIONS}{TIMEOUT}"""

AVAILABLE = f"""CREATE MATERIALIZED VIEW ks.available AS
    SELECT event_id, status, ticket_id, price
    FROM ks.tickets
    WHERE event_id IS NOT null AND ticket_id IS NOT null AND status = 'on sale'
    PRIMARY KEY ((event_id, status), ticket_id)
    WITH CLUSTERING ORDER BY (ticket_id ASC)
    AND {OPTIONS}{TIMEOUT}"""


@pytest.fixture
def session() -> SchemaSession:
    return SchemaSession(
        KEYSPACE,
        "CREATE TABLE tickets (event_id uuid, ticket_id uuid, status text, price decimal, "
        "PRIMARY KEY (event_id, ticket_id))",
        "CREATE MATERIALIZED VIEW available AS SELECT event_id, status, ticket_id, price FROM tickets "
        "WHERE event_id IS NOT NULL AND ticket_id IS NOT NULL AND status = 'on sale' "
        "PRIMARY KEY ((event_id, status), ticket_id)",
        "CREATE INDEX ON tickets (price)",
    )


def test_a_keyspace() -> None:
    session = SchemaSession(
        KEYSPACE,
        "CREATE KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1} "
        "AND tablets = {'initial': 8} AND durable_writes = false",
    )
    assert session.statements("DESC ONLY KEYSPACE ks") == [
        "CREATE KEYSPACE ks WITH replication = {'class': 'org.apache.cassandra.locator.NetworkTopologyStrategy', "
        "'datacenter1': '1'} AND durable_writes = true AND tablets = {'enabled': false};"
    ]
    assert session.statements("DESC ONLY KEYSPACE k") == [
        "CREATE KEYSPACE k WITH replication = {'class': 'org.apache.cassandra.locator.NetworkTopologyStrategy', "
        "'datacenter1': '1'} AND durable_writes = false AND tablets = {'enabled': true, 'initial': 8};"
    ]


def test_a_table_with_what_belongs_to_it(session: SchemaSession) -> None:
    assert session.described("DESCRIBE TABLE tickets") == [
        ("ks", "table", "tickets", TICKETS),
        ("ks", "index", "tickets_price_idx_index", "CREATE INDEX tickets_price_idx ON ks.tickets(price);\n"),
        ("ks", "view", "available", AVAILABLE),
    ]


def test_one_view_and_one_index(session: SchemaSession) -> None:
    assert session.statements("DESCRIBE MATERIALIZED VIEW ks.available") == [AVAILABLE]
    assert session.statements("DESCRIBE INDEX tickets_price_idx") == [
        "CREATE INDEX tickets_price_idx ON ks.tickets(price);\n"
    ]


def test_a_name_of_any_kind(session: SchemaSession) -> None:
    assert session.statements("DESCRIBE available") == [AVAILABLE]
    assert session.statements("DESCRIBE tickets") == session.statements("DESCRIBE TABLE tickets")
    assert session.statements("DESCRIBE ks") == session.statements("DESCRIBE KEYSPACE ks")
    assert session.statements("DESCRIBE tickets_price_idx")[0].startswith("CREATE INDEX")


def test_names_that_need_quotes() -> None:
    session = SchemaSession(KEYSPACE, 'CREATE TABLE "Seats" ("select" int PRIMARY KEY, "x ""y" text, key int)')
    ((keyspace, _, name, statement),) = session.described('DESCRIBE TABLE "Seats"')
    assert (keyspace, name) == ("ks", '"Seats"')
    assert statement.startswith(
        'CREATE TABLE ks."Seats" (\n    "select" int,\n    key int,\n    "x ""y" text,\n    PRIMARY KEY ("select")\n'
    )


def test_every_extension_in_its_place() -> None:
    session = SchemaSession(
        KEYSPACE,
        "CREATE TABLE t (p int PRIMARY KEY, e timestamp TTL) WITH cdc = {'enabled': true, 'ttl': 900} "
        "AND paxos_grace_seconds = 10 AND comment = 'it''s'",
    )
    statement = session.statements("DESCRIBE TABLE t")[0]
    assert "\n    e timestamp TTL,\n" in statement
    assert "\n    AND comment = 'it''s'\n" in statement
    assert statement.endswith(
        "\n    AND speculative_retry = '99.0PERCENTILE'"
        "\n    AND cdc = {'delta': 'full', 'enabled': 'true', 'postimage': 'false', 'preimage': 'false', 'ttl': '900'}"
        "\n    AND paxos_grace_seconds = 10"
        "\n    AND tombstone_gc = {'mode': 'timeout', 'propagation_delay_in_seconds': '3600'};\n"
    )


def test_a_log_is_made_by_its_base() -> None:
    session = SchemaSession(KEYSPACE, "CREATE TABLE t (p int PRIMARY KEY) WITH cdc = {'enabled': true}")
    created, altered = session.described("DESCRIBE TABLE t")
    assert created[2] == "t"
    assert altered[:3] == ("ks", "table", "t_scylla_cdc_log")
    assert altered[3].startswith("ALTER TABLE ks.t_scylla_cdc_log WITH bloom_filter_fp_chance = 0.01\n")
    assert "\n    AND comment = 'CDC log for ks.t'\n" in altered[3]
    assert [row[2] for row in session.described("DESCRIBE TABLES")] == ["t"]
    (log,) = session.statements("DESCRIBE TABLE t_scylla_cdc_log")
    assert log.startswith("/* Do NOT execute this statement!")
    assert log.endswith("\n*/")


def test_internals_tell_what_was_dropped(session: SchemaSession) -> None:
    session.execute("CREATE TABLE t (a int PRIMARY KEY, b int, c int)")
    session.execute("ALTER TABLE t DROP b")
    assert "b int" not in session.statements("DESC TABLE t")[0]
    (internals,) = session.statements("DESC TABLE t WITH INTERNALS")
    assert f") WITH ID = {session.table('t').id}\nAND bloom_filter_fp_chance" in internals
    assert "\n    b int," in internals
    assert "\nALTER TABLE ks.t DROP b USING TIMESTAMP " in internals
    session.execute("ALTER TABLE t ADD b int")
    assert session.statements("DESC TABLE t WITH INTERNALS")[0].endswith("\nALTER TABLE ks.t ADD b int;")


def test_listings(session: SchemaSession) -> None:
    answer = session.execute("DESC TABLES")
    assert isinstance(answer, Rows)
    assert [spec.name for spec in answer.columns] == ["keyspace_name", "type", "name"]
    assert session.described("DESC TABLES") == [("ks", "table", "tickets")]
    assert ("ks", "keyspace", "ks") in session.described("DESC KEYSPACES")
    assert ("system", "keyspace", "system") in session.described("DESC KEYSPACES")
    assert session.described("DESC TYPES") == []
    session.keyspace = None
    assert ("system", "table", "local") in session.described("DESC TABLES")


def test_the_schema_leaves_the_nodes_own_tables_out_unless_full(session: SchemaSession) -> None:
    assert {row[0] for row in session.described("DESC SCHEMA")} == {"ks"}
    assert {"ks", "system", "system_schema"} <= {row[0] for row in session.described("DESC FULL SCHEMA")}


def test_the_cluster(session: SchemaSession) -> None:
    answer = session.execute("DESC CLUSTER")
    assert [spec.name for spec in answer.columns] == ["cluster", "partitioner", "snitch", "range_ownership"]
    owners = answer.columns[3].type.decode(answer.rows[0][3])
    assert len(owners) == len(session.engine.node.tokens)
    assert set(map(tuple, owners.values())) == {("127.0.0.1",)}
    session.keyspace = None
    assert len(session.execute("DESC CLUSTER").columns) == 3


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DESC KEYSPACE nope", "'nope' not found in keyspaces"),
        ("DESC TABLE nope", "Table 'nope' not found in keyspace 'ks'"),
        ("DESC TABLE nope.t", "'nope' not found in keyspaces"),
        (
            "DESC TABLE available",
            "Cannot use DESC TABLE on materialized View. (Did you mean DESC MATERIALIZED VIEW)?",
        ),
        ("DESC MATERIALIZED VIEW tickets", "Materialized view 'tickets' not found in keyspace 'ks'"),
        ("DESC INDEX nope", "Table for existing index 'nope' not found in 'ks'"),
        ("DESC TYPE nope", "Type 'nope' not found in keyspace 'ks'"),
        ("DESC nope", "'nope' not found in keyspace 'ks'"),
    ],
)
def test_refusals(session: SchemaSession, statement: str, message: str) -> None:
    error = session.error(statement)
    assert (type(error), error.message) == (errors.InvalidRequest, message)


def without_identity(schema: Schema) -> dict:
    """A keyspace without what differs from one making to the next: ids."""
    kept = encode_keyspace(schema.keyspaces["ks"])
    for table in kept["tables"]:
        del table["id"]
        if table["view"]:
            del table["view"]["base_id"]
    kept["tables"].sort(key=lambda table: table["name"])
    return kept


def test_what_is_described_makes_the_same_schema_again(session: SchemaSession) -> None:
    for statement in (
        'CREATE TABLE "MixedCase" (p int PRIMARY KEY)',
        'CREATE TABLE quoted (p int, "select" int, "x y" text, z int, PRIMARY KEY (p, "select"))',
        'CREATE INDEX "By XY" ON quoted ("x y")',
        "CREATE TABLE wide (a int, b text, c frozen<map<text, frozen<list<int>>>>, s set<inet> static, "
        "t frozen<tuple<int, text>>, m map<int, text>, expires bigint TTL, PRIMARY KEY ((a, b), c)) "
        "WITH CLUSTERING ORDER BY (c DESC) AND cdc = {'enabled': true, 'preimage': 'full', 'ttl': 60} "
        "AND compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'HOURS'} "
        "AND compression = {} AND caching = {'keys': 'NONE', 'rows_per_partition': '10'} "
        "AND default_time_to_live = 900 AND speculative_retry = '50ms' AND tombstone_gc = {'mode': 'immediate'} "
        "AND bloom_filter_fp_chance = 0.1",
        "ALTER TABLE wide_scylla_cdc_log WITH gc_grace_seconds = 77",
        "CREATE MATERIALIZED VIEW rest AS SELECT \"select\", \"x y\", p FROM quoted WHERE \"x y\" IN ('it''s', 'b') "
        'AND "select" >= 5 PRIMARY KEY ("x y", "select", p) WITH CLUSTERING ORDER BY ("select" DESC) '
        "AND synchronous_updates = true",
    ):
        session.execute(statement)
    copy = SchemaSession()
    for statement in session.statements("DESCRIBE SCHEMA"):
        copy.execute(statement)
    assert without_identity(copy.engine.schema) == without_identity(session.engine.schema)
    assert copy.statements("DESCRIBE SCHEMA") == session.statements("DESCRIBE SCHEMA")


def test_the_rate_limit_of_a_partition_is_kept_and_shown() -> None:
    session = SchemaSession(KEYSPACE, "CREATE TABLE t (p int PRIMARY KEY)")
    session.execute("ALTER TABLE t WITH per_partition_rate_limit = {'max_reads_per_second': 100}")
    (row,) = session.rows("system_schema.scylla_tables", keyspace_name="ks", table_name="t")
    assert row["per_partition_rate_limit"] == {"max_reads_per_second": "100"}
    assert (
        "AND per_partition_rate_limit = {'max_reads_per_second': '100'}" in session.described("DESCRIBE TABLE t")[0][3]
    )
    for options, sentence in (
        (
            "{'max_scans_per_second': 1}",
            "Unknown key in map for per_partition_rate_limit extension: max_scans_per_second",
        ),
        ("{'max_reads_per_second': -1}", "Invalid value for max_reads_per_second: -1"),
    ):
        error = session.error(f"ALTER TABLE t WITH per_partition_rate_limit = {options}")
        assert (type(error), error.message) == (errors.ConfigurationException, sentence)
