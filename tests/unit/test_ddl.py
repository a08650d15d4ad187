"""Schema statements: what they make of the schema, what they answer, and the words in which they refuse."""

from __future__ import annotations

import marshal
import uuid

import pytest

from embedded_scylla import errors
from embedded_scylla.request import SchemaChange, Void
from embedded_scylla.schema import Schema
from embedded_scylla.schema_codec import encode_schema, restore_schema
from embedded_scylla.system_tables import define
from tests.unit.schema_session import KEYSPACE, SchemaSession

Invalid, Config, Syntax = errors.InvalidRequest, errors.ConfigurationException, errors.SyntaxException

TICKETS = (
    "CREATE TABLE tickets (event_id int, ticket_id int, status text, price decimal, PRIMARY KEY (event_id, ticket_id))"
)
AVAILABLE = (
    "CREATE MATERIALIZED VIEW available AS SELECT * FROM tickets "
    "WHERE event_id IS NOT NULL AND ticket_id IS NOT NULL AND status = 'AVAILABLE' "
    "PRIMARY KEY ((event_id, status), ticket_id)"
)


@pytest.fixture
def session() -> SchemaSession:
    return SchemaSession(KEYSPACE)


def refused(session: SchemaSession, text: str, error: type[errors.CqlError], message: str) -> None:
    answer = session.error(text)
    assert (type(answer), answer.message) == (error, message)


# ---------------------------------------------------------------- keyspaces


class TestKeyspaces:
    def replication(self, options: str) -> dict[str, str]:
        session = SchemaSession(f"CREATE KEYSPACE k WITH {options}")
        return session.engine.schema.keyspaces["k"].replication

    def test_a_replication_factor_is_kept_per_datacenter(self) -> None:
        kept = self.replication("replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}")
        assert kept == {"class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "datacenter1": "1"}

    def test_the_class_and_the_factor_have_defaults(self) -> None:
        kept = self.replication("durable_writes = false")
        assert kept == {"class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "datacenter1": "1"}

    @pytest.mark.parametrize(
        ("options", "tablets"),
        [("", 0), ("AND tablets = {'enabled': false}", None), ("AND tablets = {'initial': 8}", 8)],
    )
    def test_tablets_are_the_default(self, options: str, tablets: int | None) -> None:
        session = SchemaSession(
            f"CREATE KEYSPACE k WITH replication = {{'class': 'NetworkTopologyStrategy', 'datacenter1': 1}} {options}"
        )
        assert session.engine.schema.keyspaces["k"].tablets == tablets

    def test_simple_strategy_has_no_tablets_and_a_warning(self) -> None:
        session = SchemaSession(
            "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}"
        )
        assert session.engine.schema.keyspaces["k"].tablets is None
        assert len(session.warnings) == 1
        assert session.warnings[0].startswith(
            "SimpleStrategy replication class is not recommended, but was used for keyspace k."
        )

    def test_a_low_factor_is_warned_of(self, session: SchemaSession) -> None:
        assert session.warnings == [
            "Using Replication Factor replication_factor=1 lower than the minimum_replication_factor_warn_threshold=3 "
            "is not recommended."
        ]

    def test_three_replicas_with_tablets_make_a_keyspace_but_no_table(self) -> None:
        session = SchemaSession(
            "CREATE KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 3}"
        )
        assert session.warnings[0].startswith("Keyspace 'k' is not RF-rack-valid:")
        refused(
            session,
            "CREATE TABLE k.t (p int PRIMARY KEY)",
            Config,
            "Datacenter datacenter1 doesn't have enough token-owning nodes for replication_factor=3",
        )

    def test_answers(self, session: SchemaSession) -> None:
        assert session.execute(KEYSPACE.replace("KEYSPACE", "KEYSPACE IF NOT EXISTS")) == SchemaChange(
            "CREATED", "KEYSPACE", "ks"
        )
        error = session.error(KEYSPACE)
        assert isinstance(error, errors.AlreadyExists)
        assert (error.keyspace, error.table) == ("ks", "")
        assert session.execute("ALTER KEYSPACE ks WITH durable_writes = false") == SchemaChange(
            "UPDATED", "KEYSPACE", "ks"
        )
        assert session.engine.schema.keyspaces["ks"].durable_writes is False
        assert session.execute("DROP KEYSPACE ks") == SchemaChange("DROPPED", "KEYSPACE", "ks")
        assert session.execute("DROP KEYSPACE IF EXISTS ks") == Void()
        refused(session, "DROP KEYSPACE ks", Config, "Cannot drop non existing keyspace 'ks'.")

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ("colour = 'red'", Syntax, "Unknown property 'colour'"),
            ("replication = 'x'", Syntax, "Invalid value for property 'replication'. It should be a map."),
            ("replication = {'class': 'NoSuchStrategy'}", Config, "unable to find class 'NoSuchStrategy'"),
            (
                "replication = {'class': 'SimpleStrategy'}",
                Config,
                "SimpleStrategy requires a replication_factor strategy option.",
            ),
            (
                "replication = {'class': 'SimpleStrategy', 'replication_factor': 1} AND tablets = {'enabled': true}",
                Config,
                "SimpleStrategy doesn't support tablet replication",
            ),
            (
                "replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 'foo'}",
                Config,
                "Replication factor must be numeric and non-negative, found 'foo'",
            ),
            (
                "replication = {'class': 'NetworkTopologyStrategy', 'mars': 1}",
                Config,
                "Unrecognized strategy option {mars} passed to org.apache.cassandra.locator.NetworkTopologyStrategy "
                "for keyspace k",
            ),
            (
                "replication = {'replication_factor': 1} AND tablets = {'enabled': 'maybe'}",
                Config,
                "Tablets enabled value must be true or false; found: maybe",
            ),
            (
                "replication = {'replication_factor': 1} AND tablets = {'sold': 'out'}",
                Config,
                "Unrecognized tablets option sold",
            ),
        ],
    )
    def test_refusals(self, session: SchemaSession, options: str, error: type, message: str) -> None:
        refused(session, f"CREATE KEYSPACE k WITH {options}", error, message)

    def test_names(self, session: SchemaSession) -> None:
        options = "WITH replication = {'replication_factor': 1}"
        refused(session, f'CREATE KEYSPACE "xyz!123" {options}', Invalid, '"xyz!123" is not a valid keyspace name')
        name = "k" * 193
        refused(
            session,
            f"CREATE KEYSPACE {name} {options}",
            Invalid,
            f'Keyspace names shouldn\'t be more than 192 characters long (got "{name}")',
        )
        refused(session, f"CREATE KEYSPACE system {options}", Invalid, "system keyspace is not user-modifiable")

    @pytest.mark.parametrize(
        "statement",
        [
            "DROP KEYSPACE system",
            "ALTER KEYSPACE system WITH durable_writes = false",
            "CREATE TABLE system.t (p int PRIMARY KEY)",
            "DROP TABLE system.local",
            "ALTER TABLE system.local ADD c int",
        ],
    )
    def test_the_nodes_own_keyspaces_are_closed(self, session: SchemaSession, statement: str) -> None:
        refused(session, statement, errors.Unauthorized, "system keyspace is not user-modifiable.")

    def test_altering_replication(self, session: SchemaSession) -> None:
        session.execute("ALTER KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 3}")
        assert session.engine.schema.keyspaces["ks"].replication_factor == 3
        refused(
            session,
            "ALTER KEYSPACE ks WITH tablets = {'enabled': true}",
            Invalid,
            "Cannot alter replication strategy vnode/tablets flavor",
        )
        refused(session, "ALTER KEYSPACE nope WITH durable_writes = true", Invalid, "Can't find a keyspace nope")

    def test_altering_a_factor_with_tablets(self) -> None:
        session = SchemaSession(
            "CREATE KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}"
        )
        refused(
            session,
            "ALTER KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 2}",
            Invalid,
            "'replication_factor' tag is not allowed when executing ALTER KEYSPACE with tablets, please list the DCs "
            "explicitly",
        )
        refused(
            session,
            "ALTER KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 3}",
            Invalid,
            "Only one DC's RF can be changed at a time and not by more than 1",
        )


# ---------------------------------------------------------------- tables


class TestTables:
    def test_columns_get_their_places(self, session: SchemaSession) -> None:
        session.execute(
            "CREATE TABLE t (z int, a text, k2 int, k1 int, s int static, c uuid, PRIMARY KEY ((k2, k1), c)) "
            "WITH CLUSTERING ORDER BY (c DESC)"
        )
        table = session.table("t")
        assert list(table.columns) == ["k2", "k1", "c", "s", "a", "z"]
        assert table.clustering[0].descending
        assert table.id.version == 1

    def test_answers(self, session: SchemaSession) -> None:
        created = SchemaChange("CREATED", "TABLE", "ks", "t")
        assert session.execute("CREATE TABLE t (p int PRIMARY KEY)") == created
        assert session.execute("CREATE TABLE IF NOT EXISTS t (p int PRIMARY KEY)") == created
        error = session.error("CREATE TABLE t (p int PRIMARY KEY)")
        assert isinstance(error, errors.AlreadyExists)
        assert error.message == 'Cannot add already existing table "t" to keyspace "ks"'
        assert session.execute("DROP TABLE t") == SchemaChange("DROPPED", "TABLE", "ks", "t")
        assert session.execute("DROP TABLE IF EXISTS t") == Void()
        refused(session, "DROP TABLE t", Invalid, "Cannot drop non existing table 't' in keyspace 'ks'.")
        refused(session, "DROP TABLE nope.t", Invalid, "Cannot drop non existing table 't' in keyspace 'nope'.")

    @pytest.mark.parametrize(
        ("definition", "message"),
        [
            ("t (p int)", "No PRIMARY KEY specified (exactly one required)"),
            ("t (p int PRIMARY KEY, q int, PRIMARY KEY (q))", "Multiple PRIMARY KEYs specified (exactly one required)"),
            ("t (p int, PRIMARY KEY (q))", "Unknown definition q referenced in PRIMARY KEY"),
            ("t (p int PRIMARY KEY, p text)", "Multiple definition of identifier p"),
            ("t (p set<int> PRIMARY KEY)", "Invalid non-frozen collection type for PRIMARY KEY component p"),
            ("t (p int, s int static, PRIMARY KEY (p, s))", "Static column s cannot be part of the PRIMARY KEY"),
            (
                "t (p int PRIMARY KEY, s int static)",
                "Static columns are only useful (and thus allowed) if the table has at least one clustering column",
            ),
            (
                "t (p int, c int, d int, PRIMARY KEY (p, c, d)) WITH CLUSTERING ORDER BY (d DESC)",
                "Missing CLUSTERING ORDER for column c",
            ),
            (
                "t (p int, c int, d int, PRIMARY KEY (p, c, d)) WITH CLUSTERING ORDER BY (d DESC, c ASC)",
                "The order of columns in the CLUSTERING ORDER directive must be the one of the clustering key "
                "(c must appear before d)",
            ),
            (
                "t (p int PRIMARY KEY) WITH CLUSTERING ORDER BY (p ASC)",
                "Only clustering key columns can be defined in CLUSTERING ORDER directive",
            ),
            ("t (p int PRIMARY KEY, v seat)", "Unknown type ks.seat"),
            (
                '"a-b" (p int PRIMARY KEY)',
                '"a-b" is not a valid table name (must be alphanumeric character only: [0-9A-Za-z]+)',
            ),
            ("nope.t (p int PRIMARY KEY)", "Can't find a keyspace nope"),
            (
                "t (p int PRIMARY KEY) WITH COMPACT STORAGE",
                "Support for the deprecated feature of 'CREATE TABLE WITH COMPACT STORAGE' is disabled and will "
                "eventually be removed in a future version.  To enable, set the "
                "'enable_create_table_with_compact_storage' config option to 'true'.",
            ),
            ("t (p timestamp TTL, PRIMARY KEY (p))", "TTL column p cannot be part of the PRIMARY KEY"),
            (
                "t (p int, c int, s int TTL static, PRIMARY KEY (p, c))",
                "TTL column s cannot be a static column",
            ),
            (
                "t (p int PRIMARY KEY, a int TTL, b int TTL)",
                "Cannot have more than one TTL column in a table. Saw a and b",
            ),
            (
                "t (p int PRIMARY KEY, a text TTL)",
                "TTL column 'a' must be of type timestamp, bigint or int, can't be text",
            ),
        ],
    )
    def test_refusals(self, session: SchemaSession, definition: str, message: str) -> None:
        refused(session, f"CREATE TABLE {definition}", Invalid, message)

    def test_a_name_has_192_characters_at_most(self, session: SchemaSession) -> None:
        session.execute(f"CREATE TABLE {'t' * 192} (p int PRIMARY KEY)")
        name = "t" * 193
        refused(
            session,
            f"CREATE TABLE {name} (p int PRIMARY KEY)",
            Invalid,
            f'Table names shouldn\'t be more than 192 characters long (got "{name}")',
        )

    def test_a_keyspace_must_be_named(self) -> None:
        session = SchemaSession(KEYSPACE, keyspace=None)
        refused(
            session,
            "CREATE TABLE t (p int PRIMARY KEY)",
            Invalid,
            "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename",
        )

    def test_an_id_can_be_given(self, session: SchemaSession) -> None:
        wanted = uuid.UUID("5a1c395e-b41f-11e5-9f22-ba0be0483c18")
        session.execute(f"CREATE TABLE t (p int PRIMARY KEY) WITH id = {wanted}")
        assert session.table("t").id == wanted
        refused(
            session,
            f"CREATE TABLE u (p int PRIMARY KEY) WITH id = {wanted}",
            Invalid,
            f"Table with ID {wanted} already exists: ks.t",
        )

    def test_a_per_row_ttl_column(self, session: SchemaSession) -> None:
        session.execute("CREATE TABLE t (p int PRIMARY KEY, e timestamp TTL)")
        assert session.table("t").ttl_column == "e"
        session.execute("ALTER TABLE t TTL NULL")
        assert session.table("t").ttl_column is None
        session.execute("ALTER TABLE t TTL e")
        assert session.table("t").ttl_column == "e"


class TestOptions:
    def options(self, text: str) -> dict:
        session = SchemaSession(KEYSPACE, f"CREATE TABLE t (p int PRIMARY KEY) WITH {text}")
        return session.table("t").options

    def test_defaults(self) -> None:
        options = SchemaSession(KEYSPACE, "CREATE TABLE t (p int PRIMARY KEY)").table("t").options
        assert options["gc_grace_seconds"] == 864000
        assert options["compaction"] == {"class": "IncrementalCompactionStrategy"}
        assert options["caching"] == {"keys": "ALL", "rows_per_partition": "ALL"}
        assert "cdc" not in options

    def test_every_option_of_the_source(self) -> None:
        options = self.options(
            "bloom_filter_fp_chance = 0.01 AND caching = {'keys': 'ALL', 'rows_per_partition': 'ALL'} "
            "AND comment = 'seats' AND compaction = {'class': 'SizeTieredCompactionStrategy'} "
            "AND compression = {'sstable_compression': 'org.apache.cassandra.io.compress.LZ4Compressor'} "
            "AND crc_check_chance = 1.0 AND default_time_to_live = 5 AND gc_grace_seconds = 864000 "
            "AND max_index_interval = 2048 AND memtable_flush_period_in_ms = 0 AND min_index_interval = 128 "
            "AND speculative_retry = '99.0PERCENTILE'"
        )
        assert options["comment"] == "seats"
        assert options["default_time_to_live"] == 5
        assert options["compaction"] == {"class": "SizeTieredCompactionStrategy"}
        assert options["compression"] == {"sstable_compression": "org.apache.cassandra.io.compress.LZ4Compressor"}

    @pytest.mark.parametrize(
        ("written", "name", "kept"),
        [
            ("speculative_retry = '50ms'", "speculative_retry", "50.00ms"),
            ("speculative_retry = 'always'", "speculative_retry", "ALWAYS"),
            ("compression = {}", "compression", {}),
            ("compression = {'sstable_compression': ''}", "compression", {}),
            (
                "compression = {'sstable_compression': 'SnappyCompressor', 'chunk_length_kb': 64}",
                "compression",
                {
                    "chunk_length_in_kb": "64",
                    "sstable_compression": "org.apache.cassandra.io.compress.SnappyCompressor",
                },
            ),
            (
                "caching = {'enabled': 'false', 'keys': 'NONE', 'rows_per_partition': 'NONE'}",
                "caching",
                {"enabled": "false", "keys": "NONE", "rows_per_partition": "NONE"},
            ),
            ("tombstone_gc = {'mode': 'immediate'}", "tombstone_gc",
             {"mode": "immediate", "propagation_delay_in_seconds": "3600"}),
            ("paxos_grace_seconds = 100", "paxos_grace_seconds", 100),
        ],
    )  # fmt: skip
    def test_what_is_kept(self, written: str, name: str, kept: object) -> None:
        assert self.options(written)[name] == kept

    @pytest.mark.parametrize("obsolete", ["read_repair_chance = 0.1", "index_interval = 128"])
    def test_obsolete_options_are_ignored(self, obsolete: str) -> None:
        assert obsolete.split()[0] not in self.options(obsolete)

    @pytest.mark.parametrize(
        ("written", "error", "message"),
        [
            ("nodes = 3", Syntax, "Unknown property 'nodes'"),
            ("default_time_to_live = -1", Config, "default_time_to_live cannot be smaller than 0, (default 0)"),
            ("default_time_to_live = 'soon'", Syntax, "Invalid integer value soon for 'default_time_to_live'"),
            ("default_time_to_live = {'a': 'b'}", Syntax,
             "Invalid value for property 'default_time_to_live'. It should be a string"),
            ("compaction = 'x'", Syntax, "Invalid value for property 'compaction'. It should be a map."),
            ("compaction = {'min_threshold': 4}", Config, "Missing sub-option 'class' for the 'compaction' option."),
            ("compaction = {'class': 'Nope'}", Config, "Unable to find compaction strategy class 'Nope'"),
            ("compaction = {'class': 'LeveledCompactionStrategy', 'sstable_size_in_mb': -5}", Config,
             "sstable_size_in_mb value (-5) must be positive"),
            ("compaction = {'class': 'SizeTieredCompactionStrategy', 'foo': 'bar'}", Config,
             'Invalid compaction strategy options {"foo": "bar"} for chosen strategy type'),
            ("compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'SECONDS'}", Syntax,
             "Invalid window unit SECONDS for compaction_window_unit"),
            ("compression = {'chunk_length_kb': 64}", Config,
             "Missing sub-option 'sstable_compression' for the 'compression' option."),
            ("compression = {'sstable_compression': 'Nope'}", Config, "Unknown sstable_compression: Nope"),
            ("compression = {'sstable_compression': 'LZ4Compressor', 'x': 'y'}", Config,
             "Unknown compression option 'x'."),
            ("compression = {'sstable_compression': 'LZ4Compressor', 'chunk_length_kb': 7}", Config,
             "chunk_length_in_kb/chunk_length_kb must be a power of 2."),
            ("caching = {'keys': 'SOME'}", Config, "Invalid key value: SOME"),
            ("caching = {'rows': 'ALL'}", Config, "Invalid caching option: rows"),
            ("bloom_filter_fp_chance = 0", Config,
             "bloom_filter_fp_chance must be larger than 6.71e-05 and less than or equal to 1.0 (got 0)"),
            ("min_index_interval = 0", Config, "min_index_interval must be greater than 0"),
            ("max_index_interval = 100", Config, "max_index_interval must be greater than min_index_interval"),
            ("memtable_flush_period_in_ms = 10", Config, "memtable_flush_period_in_ms must be 0 or greater than 60000"),
            ("tablets = {'min_tablet_count': '8'}", Config,
             "tablet options cannot be used when tablets are disabled for the keyspace"),
            ("tombstone_gc = {'mode': 'never'}", Config, "Invalid value for tombstone_gc option mode: never"),
            ("synchronous_updates = true", Invalid,
             "The synchronous_updates option is only applicable to materialized views, not to base tables"),
            ("cdc = {'colour': 'red'}", Config, "Invalid CDC option: colour"),
            ("cdc = {'enabled': 'maybe'}", Config, 'Invalid value for CDC option "enabled": maybe'),
            ("cdc = {'enabled': true, 'ttl': -1}", Config, "Invalid CDC option: ttl must be >= 0"),
            ("cdc = {'enabled': true, 'ttl': 99999999999}", Config, "Invalid CDC option: ttl too large"),
            ("id = 'x'", Config, "Invalid table id"),
        ],
    )  # fmt: skip
    def test_refusals(self, session: SchemaSession, written: str, error: type, message: str) -> None:
        refused(session, f"CREATE TABLE t (p int PRIMARY KEY) WITH {written}", error, message)

    def test_too_many_time_windows(self, session: SchemaSession) -> None:
        error = session.error(
            "CREATE TABLE t (p int PRIMARY KEY) WITH default_time_to_live = 31536000 "
            "AND compaction = {'class': 'TimeWindowCompactionStrategy'}"
        )
        assert "compaction window=86400(s) can lead to 365 windows" in error.message


# ---------------------------------------------------------------- ALTER TABLE


class TestAlter:
    @pytest.fixture
    def session(self) -> SchemaSession:
        return SchemaSession(
            KEYSPACE, "CREATE TABLE t (p int, c text, v int, s int static, m set<int>, PRIMARY KEY (p, c))"
        )

    def test_add_and_drop(self, session: SchemaSession) -> None:
        assert session.execute("ALTER TABLE t ADD w bigint") == SchemaChange("UPDATED", "TABLE", "ks", "t")
        session.execute("ALTER TABLE t ADD (x int, y int static)")
        assert {"w", "x", "y"} <= session.table("t").columns.keys()
        session.execute("ALTER TABLE t DROP (w, x)")
        table = session.table("t")
        assert not {"w", "x"} & table.columns.keys()
        assert table.dropped_columns["w"][0].name == "bigint"

    def test_a_dropped_column_comes_back_empty(self, session: SchemaSession) -> None:
        session.write("t", p=1, c="a", v=7)
        session.execute("ALTER TABLE t DROP v")
        session.execute("ALTER TABLE t ADD v int")
        assert [row["v"] for row in session.rows("ks.t")] == [None]

    def test_other_types(self, session: SchemaSession) -> None:
        session.execute("ALTER TABLE t ALTER v TYPE blob")
        session.execute("ALTER TABLE t ALTER c TYPE blob")
        assert session.table("t").columns["v"].type.name == "blob"
        refused(
            session,
            "ALTER TABLE t ALTER v TYPE text",
            Config,
            "Cannot change v from type blob to type text: types are incompatible.",
        )
        refused(
            session,
            "ALTER TABLE t ALTER c TYPE int",
            Config,
            "Cannot change c from type blob to type int: types are not order-compatible.",
        )

    def test_rename_keeps_the_rows(self, session: SchemaSession) -> None:
        session.write("t", p=1, c="a", v=7)
        session.execute("ALTER TABLE t RENAME c TO d AND p TO q")
        assert [(row["q"], row["d"], row["v"]) for row in session.rows("ks.t")] == [(1, "a", 7)]

    def test_options_not_named_stay(self, session: SchemaSession) -> None:
        session.execute("ALTER TABLE t WITH comment = 'seats'")
        session.execute("ALTER TABLE t WITH default_time_to_live = 900")
        options = session.table("t").options
        assert (options["comment"], options["default_time_to_live"]) == ("seats", 900)

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ("ADD p int", Invalid, "Invalid column name p because it conflicts with a PRIMARY KEY part"),
            ("ADD v int", Invalid, "Invalid column name v because it conflicts with an existing column"),
            ("DROP nope", Invalid, "Column nope was not found in table t"),
            ("DROP c", Invalid, "Cannot drop PRIMARY KEY part c"),
            ("ALTER nope TYPE int", Invalid, "Column nope was not found in table t"),
            ("RENAME nope TO x", Invalid, "Cannot rename unknown column nope in table t"),
            ("RENAME c TO v", Invalid,
             "Cannot rename column c to v in table t; another column of that name already exist"),
            ("RENAME v TO x", Invalid, "Cannot rename non PRIMARY KEY part v"),
            ("WITH id = 5a1c395e-b41f-11e5-9f22-ba0be0483c18", Config, "Cannot alter table id."),
            ("WITH cdc = {'ttl': 900}", Invalid, 'Altering CDC options requires specifying "enabled" flag'),
        ],
    )  # fmt: skip
    def test_refusals(self, session: SchemaSession, change: str, error: type, message: str) -> None:
        refused(session, f"ALTER TABLE t {change}", error, message)

    def test_a_collection_cannot_come_back_as_another(self, session: SchemaSession) -> None:
        session.execute("ALTER TABLE t DROP m")
        refused(
            session,
            "ALTER TABLE t ADD m map<int, int>",
            Invalid,
            "Cannot add a collection with the name m because a collection with the same name and a different type "
            "has already been used in the past",
        )
        session.execute("ALTER TABLE t ADD m set<int>")

    def test_a_failed_change_leaves_nothing(self, session: SchemaSession) -> None:
        before = session.table("t")
        session.error("ALTER TABLE t DROP (v, c)")
        assert session.table("t") is before

    def test_unknown_tables(self, session: SchemaSession) -> None:
        refused(session, "ALTER TABLE nope ADD v int", Invalid, "unconfigured table nope")
        refused(session, "ALTER TABLE no.t ADD v int", Invalid, "Keyspace no does not exist")


# ---------------------------------------------------------------- CDC


class TestLog:
    LOG = "t_scylla_cdc_log"

    @pytest.fixture
    def session(self) -> SchemaSession:
        return SchemaSession(KEYSPACE, "CREATE TABLE t (p int PRIMARY KEY, v int, w int) WITH cdc = {'enabled': true}")

    def test_the_log_comes_and_goes_with_its_base(self, session: SchemaSession) -> None:
        assert session.table(self.LOG).is_cdc_log
        session.execute("DROP TABLE t")
        assert session.table(self.LOG) is None

    def test_the_log_follows_its_base(self, session: SchemaSession) -> None:
        session.execute("ALTER TABLE t ADD x int")
        assert "cdc$deleted_x" in session.table(self.LOG).columns
        session.execute("ALTER TABLE t DROP v")
        assert "v" not in session.table(self.LOG).columns

    def test_a_disabled_log_stays_and_is_taken_up_again(self, session: SchemaSession) -> None:
        session.execute(f"ALTER TABLE {self.LOG} WITH comment = 'mine'")
        old = session.table(self.LOG).id
        session.execute("ALTER TABLE t WITH cdc = {'enabled': false}")
        assert session.table(self.LOG).id == old
        session.execute("ALTER TABLE t WITH cdc = {'enabled': true}")
        log = session.table(self.LOG)
        assert (log.id, log.options["comment"]) == (old, "mine")
        session.execute("ALTER TABLE t WITH cdc = {'enabled': false}")
        assert session.execute(f"DROP TABLE {self.LOG}").change == "DROPPED"

    def test_altering_replaces_the_whole_option(self, session: SchemaSession) -> None:
        session.execute("ALTER TABLE t WITH cdc = {'enabled': true, 'preimage': 'full'}")
        session.execute("ALTER TABLE t WITH cdc = {'enabled': true, 'ttl': 900}")
        cdc = session.table("t").cdc
        assert (cdc.preimage, cdc.ttl) == ("false", 900)

    @pytest.mark.parametrize(
        ("statement", "error", "message"),
        [
            (f"DROP TABLE {LOG}", errors.Unauthorized, f"Cannot DROP cdc log table {LOG}"),
            (f"ALTER TABLE {LOG} ADD x int", Invalid,
             "You cannot modify the set of columns of a CDC log table directly. Modify the base table instead."),
            (f'ALTER TABLE {LOG} RENAME "cdc$time" TO x', Invalid, "Cannot rename a column of a CDC log table."),
            (f'CREATE MATERIALIZED VIEW v AS SELECT * FROM {LOG} WHERE "cdc$stream_id" IS NOT NULL '
             'PRIMARY KEY ("cdc$stream_id", "cdc$time", "cdc$batch_seq_no")', Invalid,
             "Materialized views cannot be created on CDC Log tables"),
        ],
    )  # fmt: skip
    def test_guards(self, session: SchemaSession, statement: str, error: type, message: str) -> None:
        refused(session, statement, error, message)

    def test_a_name_that_is_taken(self, session: SchemaSession) -> None:
        session.execute("CREATE TABLE u_scylla_cdc_log (p int PRIMARY KEY)")
        refused(
            session,
            "CREATE TABLE u (p int PRIMARY KEY) WITH cdc = {'enabled': true}",
            Invalid,
            "Cannot create CDC log table for table ks.u because a table of name ks.u_scylla_cdc_log already exists",
        )
        assert session.table("u") is None

    def test_a_dropped_column_comes_back_only_later(self, session: SchemaSession) -> None:
        session.execute("ALTER TABLE t DROP v")
        error = session.error("ALTER TABLE t ADD v int")
        assert error.message.startswith(
            "Cannot add column v because a column with the same name was dropped too recently. Please retry after 5"
        )
        session.engine.push_clock(6)
        session.execute("ALTER TABLE t ADD v int")
        assert "v" in session.table(self.LOG).columns


# ---------------------------------------------------------------- views


class TestViews:
    @pytest.fixture
    def session(self) -> SchemaSession:
        return SchemaSession(KEYSPACE, TICKETS)

    def test_a_filtered_view(self, session: SchemaSession) -> None:
        assert session.execute(AVAILABLE) == SchemaChange("CREATED", "TABLE", "ks", "available")
        view = session.table("available")
        assert [c.name for c in view.partition_key] == ["event_id", "status"]
        assert view.view.where == "event_id IS NOT null AND ticket_id IS NOT null AND status = 'AVAILABLE'"
        assert view.view.include_all_columns
        ((name, accepts),) = view.view.restrictions
        assert name == "status"
        assert accepts(b"AVAILABLE")
        assert not accepts(b"SOLD")

    def test_a_view_begins_with_what_the_base_has(self, session: SchemaSession) -> None:
        session.write("tickets", event_id=1, ticket_id=1, status="AVAILABLE")
        session.write("tickets", event_id=1, ticket_id=2, status="SOLD")
        session.execute(AVAILABLE)
        assert [row["ticket_id"] for row in session.rows("ks.available")] == [1]
        assert {"keyspace_name": "ks", "view_name": "available"} in session.rows("system.built_views")

    def test_unselected_columns_are_virtual(self, session: SchemaSession) -> None:
        where = "WHERE event_id IS NOT NULL AND ticket_id IS NOT NULL"
        session.execute(
            f"CREATE MATERIALIZED VIEW v AS SELECT event_id, ticket_id, price FROM tickets {where} "
            "PRIMARY KEY (ticket_id, event_id)"
        )
        view = session.table("v")
        assert (list(view.columns), view.view.virtual) == (["ticket_id", "event_id", "price"], ("status",))
        session.execute("ALTER TABLE tickets ADD note text")
        assert session.table("v").view.virtual == ("status", "note")
        refused(
            session,
            "ALTER TABLE tickets DROP status",
            Invalid,
            "Cannot drop column status from base table ks.tickets: materialized view v needs this column",
        )

    def test_a_view_of_everything_follows_its_base(self, session: SchemaSession) -> None:
        session.execute(AVAILABLE)
        session.execute("ALTER TABLE tickets ADD note text")
        assert "note" in session.table("available").columns
        session.execute("ALTER TABLE tickets RENAME ticket_id TO seat")
        view = session.table("available")
        assert [c.name for c in view.clustering] == ["seat"]
        assert view.view.where == "event_id IS NOT null AND seat IS NOT null AND status = 'AVAILABLE'"

    def test_a_key_column_that_is_restricted_needs_no_not_null(self, session: SchemaSession) -> None:
        session.execute(
            "CREATE MATERIALIZED VIEW v AS SELECT * FROM tickets WHERE ticket_id IN (1, 2) AND status >= 'A' "
            "PRIMARY KEY (status, event_id, ticket_id)"
        )
        tests = dict(session.table("v").view.restrictions)
        encode = session.table("tickets").columns["ticket_id"].type.encode
        assert [tests["ticket_id"](encode(n)) for n in (1, 2, 3)] == [True, True, False]

    def test_a_not_null_that_means_nothing_is_warned_of(self, session: SchemaSession) -> None:
        session.execute(
            "CREATE MATERIALIZED VIEW v AS SELECT * FROM tickets WHERE ticket_id IS NOT NULL AND price IS NOT NULL "
            "PRIMARY KEY (ticket_id, event_id)"
        )
        (warning,) = session.warnings
        assert "found columns: price." in warning

    @pytest.mark.parametrize(
        ("view", "message"),
        [
            ("SELECT * FROM tickets WHERE ticket_id IS NOT NULL PRIMARY KEY (status, ticket_id, event_id)",
             "Primary key column 'status' is required to be filtered by 'IS NOT NULL'"),
            ("SELECT * FROM tickets WHERE ticket_id IS NOT NULL AND status IS NOT NULL AND price IS NOT NULL "
             "PRIMARY KEY (status, price, ticket_id, event_id)",
             "Cannot include more than one non-primary key column 'price' in materialized view primary key"),
            ("SELECT * FROM tickets WHERE status IS NOT NULL PRIMARY KEY (status)",
             "Cannot create Materialized View v without primary key columns from base tickets (event_id, ticket_id)"),
            ("SELECT seat FROM tickets WHERE status IS NOT NULL PRIMARY KEY (status)",
             "Unknown column name detected in CREATE MATERIALIZED VIEW statement: seat"),
            ("SELECT * FROM tickets WHERE status IS NOT NULL PRIMARY KEY (status, status)",
             "Duplicate entry found in PRIMARY KEY: status"),
            ("SELECT price AS p FROM tickets WHERE status IS NOT NULL PRIMARY KEY (status)",
             "Cannot use alias when defining a materialized view"),
            ("SELECT now() FROM tickets WHERE status IS NOT NULL PRIMARY KEY (status)",
             "Cannot use general expressions when defining a materialized view"),
            ("SELECT * FROM tickets WHERE ticket_id IS NOT NULL AND price = 1 PRIMARY KEY (ticket_id, event_id)",
             "Non-primary key columns cannot be restricted in the SELECT statement used for materialized view v "
             "creation (got restrictions on: price)"),
            ("SELECT * FROM other.tickets WHERE ticket_id IS NOT NULL PRIMARY KEY (ticket_id, event_id)",
             "Cannot create a materialized view on a table in a separate keyspace ('other' != 'ks')"),
            ("SELECT * FROM nope WHERE ticket_id IS NOT NULL PRIMARY KEY (ticket_id, event_id)",
             "unconfigured table nope"),
            ("SELECT * FROM tickets WHERE ticket_id = ? PRIMARY KEY (ticket_id, event_id)",
             "Cannot use query parameters in CREATE MATERIALIZED VIEW statements"),
            ("SELECT * FROM tickets WHERE ticket_id IS NOT NULL PRIMARY KEY (ticket_id, event_id) "
             "WITH CLUSTERING ORDER BY (price ASC)",
             "CLUSTERING ORDER BY lists price which is not a clustering column in the view"),
            ("SELECT * FROM tickets WHERE ticket_id IS NOT NULL PRIMARY KEY (ticket_id, event_id) "
             "WITH default_time_to_live = 5",
             "Cannot set or alter default_time_to_live for a materialized view. Data in a materialized view always "
             "expire at the same time than the corresponding data in the parent table."),
            ("SELECT * FROM tickets WHERE ticket_id IS NOT NULL PRIMARY KEY (ticket_id, event_id) "
             "WITH cdc = {'enabled': true}",
             "Cannot enable CDC for a materialized view"),
        ],
    )  # fmt: skip
    def test_refusals(self, session: SchemaSession, view: str, message: str) -> None:
        refused(session, f"CREATE MATERIALIZED VIEW v AS {view}", Invalid, message)

    @pytest.mark.parametrize(
        ("statement", "message"),
        [
            ("DROP TABLE available",
             "Cannot use DROP TABLE on Materialized View. (Did you mean DROP MATERIALIZED VIEW)?"),
            ("ALTER TABLE available ADD x int",
             "Cannot use ALTER TABLE on Materialized View. (Did you mean ALTER MATERIALIZED VIEW)?"),
            ("DROP MATERIALIZED VIEW tickets",
             "Cannot use DROP MATERIALIZED VIEW on Table. (Did you mean DROP TABLE)?"),
            ("ALTER MATERIALIZED VIEW tickets WITH comment = ''",
             "Cannot use ALTER MATERIALIZED VIEW on Table. (Did you mean ALTER TABLE)?"),
            ("DROP TABLE tickets",
             "Cannot drop table when materialized views still depend on it (ks.{available})"),
            ("TRUNCATE available", "Cannot TRUNCATE materialized view directly; must truncate base table instead"),
            ("CREATE MATERIALIZED VIEW w AS SELECT * FROM available WHERE status IS NOT NULL "
             "PRIMARY KEY (event_id, status, ticket_id)",
             "Materialized views cannot be created against other materialized views"),
        ],
    )  # fmt: skip
    def test_what_a_view_is_not(self, session: SchemaSession, statement: str, message: str) -> None:
        session.execute(AVAILABLE)
        refused(session, statement, Invalid, message)

    def test_gc_grace_and_views(self, session: SchemaSession) -> None:
        session.execute("ALTER TABLE tickets WITH gc_grace_seconds = 0")
        assert session.error(AVAILABLE).message.startswith(
            "Cannot create materialized view 'available' for base table 'tickets' with gc_grace_seconds of 0"
        )
        session.execute("ALTER TABLE tickets WITH gc_grace_seconds = 10")
        session.execute(AVAILABLE)
        assert session.error("ALTER TABLE tickets WITH gc_grace_seconds = 0").message.startswith(
            "Cannot alter gc_grace_seconds of the base table of a materialized view to 0"
        )

    def test_static_columns_have_no_place_in_views(self, session: SchemaSession) -> None:
        session.execute("CREATE TABLE t (p int, c int, s int static, PRIMARY KEY (p, c))")
        view = "CREATE MATERIALIZED VIEW v AS SELECT {} FROM t WHERE c IS NOT NULL PRIMARY KEY (c, p)"
        refused(
            session,
            view.format("*"),
            Invalid,
            "Unable to include static column 's' which would be included by Materialized View SELECT * statement",
        )
        session.execute(view.format("p"))

    def test_answers(self, session: SchemaSession) -> None:
        session.execute(AVAILABLE)
        again = AVAILABLE.replace("VIEW", "VIEW IF NOT EXISTS", 1)
        assert session.execute(again) == SchemaChange("CREATED", "TABLE", "ks", "available")
        assert isinstance(session.error(AVAILABLE), errors.AlreadyExists)
        session.execute("ALTER MATERIALIZED VIEW available WITH comment = 'for sale'")
        assert session.table("available").options["comment"] == "for sale"
        dropped = SchemaChange("DROPPED", "TABLE", "ks", "available")
        assert session.execute("DROP MATERIALIZED VIEW available") == dropped
        assert session.execute("DROP MATERIALIZED VIEW IF EXISTS available") == Void()
        refused(
            session,
            "DROP MATERIALIZED VIEW available",
            Config,
            "Cannot drop non existing materialized view 'available' in keyspace 'ks'.",
        )


# ---------------------------------------------------------------- indexes


class TestIndexes:
    @pytest.fixture
    def session(self) -> SchemaSession:
        return SchemaSession(
            KEYSPACE,
            "CREATE TABLE t (p int, q int, c int, v text, s int static, m map<int, int>, f frozen<list<int>>, "
            "PRIMARY KEY ((p, q), c))",
        )

    def test_the_view_behind_it(self, session: SchemaSession) -> None:
        assert session.execute("CREATE INDEX ON t (v)") == SchemaChange("UPDATED", "TABLE", "ks", "t")
        view = session.table("t_v_idx_index")
        assert [c.name for c in view.partition_key] == ["v"]
        assert [c.name for c in view.clustering] == ["idx_token", "p", "q", "c"]
        session.write("t", p=1, q=2, c=3, v="x")
        assert [(row["v"], row["c"]) for row in session.rows("ks.t_v_idx_index")] == [("x", 3)]

    def test_names(self, session: SchemaSession) -> None:
        session.execute("CREATE TABLE t_v_idx_index (p int PRIMARY KEY)")
        session.execute("CREATE INDEX ON t (v)")
        session.execute("CREATE INDEX by_c ON t (c)")
        assert list(session.table("t").indexes) == ["t_v_idx_1", "by_c"]
        assert session.table("by_c_index").view.virtual == ("f", "m", "v")

    def test_answers(self, session: SchemaSession) -> None:
        session.execute("CREATE INDEX by_v ON t (v)")
        assert session.execute("CREATE INDEX IF NOT EXISTS by_v ON t (v)") == Void()
        assert session.execute("CREATE INDEX IF NOT EXISTS other ON t (v)") == Void()
        assert session.execute("DROP INDEX by_v") == SchemaChange("UPDATED", "TABLE", "ks", "t")
        assert session.table("by_v_index") is None
        assert session.execute("DROP INDEX IF EXISTS by_v") == Void()

    def test_a_table_goes_with_its_indexes(self, session: SchemaSession) -> None:
        session.execute("CREATE INDEX by_v ON t (v)")
        session.execute("DROP TABLE t")
        assert session.table("by_v_index") is None

    @pytest.mark.parametrize(
        ("statement", "message"),
        [
            ("CREATE INDEX by_v ON t (c)", "Index already exists"),
            ("CREATE INDEX other ON t (v)", "Index other is a duplicate of existing index by_v"),
            ("CREATE INDEX ON t (nope)", "No column definition found for column nope"),
            ("CREATE INDEX ON nope (v)", "unconfigured table nope"),
            ("CREATE INDEX ON t (full(v))", "full() indexes can only be created on frozen collections"),
            ("CREATE INDEX ON t (keys(v))",
             "Cannot create index on keys() of column v; only non-frozen collections support keys() indexes"),
            ("CREATE INDEX ON t (f)", "Cannot create index on value of frozen collection column f"),
            ("CREATE INDEX ON t (m)", "Secondary indexes on collections (column m) are not supported by this node."),
            ("CREATE INDEX ON t (s)", "Secondary indexes on static columns (column s) are not supported by this node."),
            ("CREATE INDEX ON t ((p, q), v)", "Local secondary indexes are not supported by this node."),
            ("CREATE CUSTOM INDEX ON t (v) USING 'Sasi'", "Non-supported custom class 'Sasi' provided"),
            ("CREATE INDEX ON by_v_index (c)", "Secondary indexes are not supported on materialized views"),
            ("DROP INDEX nope", "Index 'nope' could not be found in any of the tables of keyspace 'ks'"),
            ("DROP MATERIALIZED VIEW by_v_index",
             "Cannot use DROP MATERIALIZED VIEW on Index. (Did you mean DROP INDEX)?"),
            ("ALTER TABLE t DROP v",
             "Cannot drop column v from base table ks.t: materialized view by_v_index needs this column"),
        ],
    )  # fmt: skip
    def test_refusals(self, session: SchemaSession, statement: str, message: str) -> None:
        session.execute("CREATE INDEX by_v ON t (v)")
        refused(session, statement, Invalid, message)

    def test_a_whole_partition_key_needs_no_index(self, session: SchemaSession) -> None:
        session.execute("CREATE TABLE u (p int PRIMARY KEY)")
        refused(session, "CREATE INDEX ON u (p)", Invalid, "Cannot create secondary index on partition key column p")


# ---------------------------------------------------------------- truncation, and the journal's form


def test_truncate_empties_the_table_and_its_views(session: SchemaSession) -> None:
    session.execute(TICKETS)
    session.execute(AVAILABLE)
    session.write("tickets", event_id=1, ticket_id=1, status="AVAILABLE")
    assert len(session.rows("ks.available")) == 1
    assert session.execute("TRUNCATE tickets") == Void()
    assert session.rows("ks.tickets") == session.rows("ks.available") == []
    refused(session, "TRUNCATE nope", Invalid, "unconfigured table nope")


def test_the_schema_survives_the_journal() -> None:
    session = SchemaSession(
        KEYSPACE,
        TICKETS,
        AVAILABLE,
        'CREATE TABLE "Select" ("A b" int, c frozen<tuple<int, text>>, s text static, m map<text, frozen<set<uuid>>>, '
        'e timestamp TTL, PRIMARY KEY (("A b"), c)) WITH CLUSTERING ORDER BY (c DESC) '
        "AND cdc = {'enabled': true, 'ttl': 5}",
        "CREATE INDEX ON tickets (price)",
        "ALTER TABLE tickets ADD note text",
        'ALTER TABLE "Select" DROP m',
    )
    kept = marshal.loads(marshal.dumps(encode_schema(session.engine.schema)))
    restored = Schema()
    define(restored)
    restore_schema(kept, restored)
    assert restored.uuid == session.engine.schema.uuid
    old, new = session.engine.schema.keyspaces["ks"], restored.keyspaces["ks"]
    assert encode_schema(restored) == encode_schema(session.engine.schema)
    assert old.tables.keys() == new.tables.keys()
    ((_, accepts),) = new.tables["available"].view.restrictions
    assert accepts(b"AVAILABLE")
    assert not accepts(b"SOLD")
