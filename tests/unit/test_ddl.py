"""Schema statements: what they make of the schema, what they answer, and the words in which they refuse."""

from __future__ import annotations

import uuid

import pytest

from embedded_scylla import errors
from embedded_scylla.request import SchemaChange, Void
from tests.unit.schema_session import KEYSPACE, SchemaSession, refused

Invalid, Config, Syntax = errors.InvalidRequest, errors.ConfigurationException, errors.SyntaxException


@pytest.fixture
def session() -> SchemaSession:
    return SchemaSession(KEYSPACE)


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
            ("cdc = {'enabled': ['x']}", Syntax, "Invalid value for property 'cdc'. It should be a map of strings."),
            ("compaction = {'min_threshold': 4}", Config, "Missing sub-option 'class' for the 'compaction' option."),
            ("compaction = {'class': 'Nope'}", Config, "Unable to find compaction strategy class 'Nope'"),
            ("compaction = {'class': 'LeveledCompactionStrategy', 'sstable_size_in_mb': -5}", Config,
             "sstable_size_in_mb value (-5) must be positive"),
            ("compaction = {'class': 'SizeTieredCompactionStrategy', 'foo': 'bar'}", Config,
             'Invalid compaction strategy options {"foo": "bar"} for chosen strategy type'),
            ("compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'SECONDS'}", Syntax,
             "Invalid window unit SECONDS for compaction_window_unit"),
            ("compaction = {'class': 'LeveledCompactionStrategy', 'enabled': 'certainly'}", Config,
             'enabled value (certainly) must be "true" or "false"'),
            ("compaction = {'class': 'LeveledCompactionStrategy', 'unchecked_tombstone_compaction': 'maybe'}", Config,
             'unchecked_tombstone_compaction value (maybe) must be "true" or "false"'),
            ("compaction = {'class': 'LeveledCompactionStrategy', 'sstable_size_in_mb': 2147483648}", Syntax,
             "Invalid integer value 2147483648 for 'sstable_size_in_mb'"),
            ("compaction = {'class': 'IncrementalCompactionStrategy', 'space_amplification_goal': 2.2}", Config,
             "space_amplification_goal value (2.2) must be greater than 1.0 and less than or equal to 2.0"),
            ("compaction = {'class': 'IncrementalCompactionStrategy', 'space_amplification_goal': 1.0}", Config,
             "space_amplification_goal value (1) must be greater than 1.0 and less than or equal to 2.0"),
            ("compaction = {'class': 'IncrementalCompactionStrategy', 'cold_reads_to_omit': 0.5}", Config,
             'Invalid compaction strategy options {"cold_reads_to_omit": "0.5"} for chosen strategy type'),
            ("compression = {'sstable_compression': 'ZstdCompressor', 'compression_level': 23}", Config,
             "compression_level must be between -131072 and 22, got 23"),
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
