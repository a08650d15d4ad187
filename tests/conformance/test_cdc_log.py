"""The CDC log as a table: its columns and options, who may change it, and what becomes of it."""

import re

import pytest
from cassandra import InvalidRequest, Unauthorized
from cassandra.protocol import ConfigurationException

pytestmark = pytest.mark.differs("cassandra", "its change log is a file, not a table")

ENABLED = "WITH cdc = {'enabled': true}"


@pytest.fixture
def base(create):
    return create("(p int, c text, v int, PRIMARY KEY (p, c))", ENABLED)


@pytest.fixture
def schema_of(run):
    """Column name → (type, kind, position), as system_schema shows it."""

    def read(table):
        keyspace, name = table.split(".")
        return {
            row[0]: row[1:]
            for row in run(
                "SELECT column_name, type, kind, position FROM system_schema.columns "
                f"WHERE keyspace_name = '{keyspace}' AND table_name = '{name}'"
            )
        }

    return read


# ---------------------------------------------------------------- its schema


def test_columns_of_the_log(base, schema_of):
    assert schema_of(f"{base}_scylla_cdc_log") == {
        "cdc$stream_id": ("blob", "partition_key", 0),
        "cdc$time": ("timeuuid", "clustering", 0),
        "cdc$batch_seq_no": ("int", "clustering", 1),
        "cdc$operation": ("tinyint", "regular", -1),
        "cdc$ttl": ("bigint", "regular", -1),
        "cdc$end_of_batch": ("boolean", "regular", -1),
        "p": ("int", "regular", -1),
        "c": ("text", "regular", -1),
        "v": ("int", "regular", -1),
        "cdc$deleted_v": ("boolean", "regular", -1),
    }


@pytest.mark.parametrize(
    "kind, in_log, elements",
    [
        ("map<int, text>", "frozen<map<int, text>>", "frozen<set<int>>"),
        ("set<text>", "frozen<set<text>>", "frozen<set<text>>"),
        ("list<int>", "frozen<map<timeuuid, int>>", "frozen<set<timeuuid>>"),
        ("frozen<list<int>>", "frozen<list<int>>", None),
        ("tuple<int, text>", "frozen<tuple<int, text>>", None),
        ("timestamp", "timestamp", None),
    ],
)
def test_column_types_of_the_log(create, schema_of, kind, in_log, elements):
    """Lists are logged by their elements' keys; what is deleted from a collection has a column of its own."""
    columns = schema_of(create(f"(p int PRIMARY KEY, x {kind})", ENABLED) + "_scylla_cdc_log")
    assert columns["x"][0] == in_log
    assert columns["cdc$deleted_x"][0] == "boolean"
    assert columns.get("cdc$deleted_elements_x", (None,))[0] == elements


def test_static_columns_are_not_static_in_the_log(create, schema_of):
    columns = schema_of(create("(p int, c int, s int static, PRIMARY KEY (p, c))", ENABLED) + "_scylla_cdc_log")
    assert columns["s"] == ("int", "regular", -1)


def test_log_follows_the_table(base, run, schema_of):
    run(f"ALTER TABLE {base} ADD added set<int>")
    run(f"ALTER TABLE {base} DROP v")
    columns = schema_of(f"{base}_scylla_cdc_log")
    assert {"added", "cdc$deleted_added", "cdc$deleted_elements_added"} <= columns.keys()
    assert not {"v", "cdc$deleted_v"} & columns.keys()


def test_reading_a_log_after_a_column_is_gone(base, run):
    run(f"INSERT INTO {base} (p, c, v) VALUES (0, 'a', 0)")
    run(f"INSERT INTO {base} (p, c, v) VALUES (1, 'a', null)")
    run(f"ALTER TABLE {base} DROP v")
    assert len(run(f"SELECT * FROM {base}_scylla_cdc_log")) == 2


def test_column_may_not_come_back_at_once(base, run, refused):
    """The log's writes may still be under way with the old one."""
    run(f"ALTER TABLE {base} DROP v")
    refused(
        InvalidRequest,
        f"ALTER TABLE {base} ADD v int",
        r"Cannot add column v because a column with the same name was dropped too recently\. "
        r"Please retry after \d seconds",
    )


@pytest.mark.embedded
def test_column_may_come_back_later(base, run, engine):
    run(f"ALTER TABLE {base} DROP v")
    engine.control("push_clock", seconds=6)
    run(f"ALTER TABLE {base} ADD v int")
    run(f"INSERT INTO {base} (p, c, v) VALUES (1, 'a', 5)")
    assert run(f"SELECT v FROM {base}_scylla_cdc_log") == [(5,)]


def test_renaming_a_key_column_renames_it_in_the_log(base, run, schema_of):
    run(f"ALTER TABLE {base} RENAME c TO k")
    columns = schema_of(f"{base}_scylla_cdc_log")
    assert "k" in columns and "c" not in columns


def options_of(session, table):
    text = session.execute(f"DESCRIBE TABLE {table}").one()[3]
    return dict(re.findall(r"^\s*(?:WITH|AND)\s+(\w+) = (.*?);?$", text, re.MULTILINE))


@pytest.mark.parametrize(
    "ttl, size, frequency", [(86400, "60", "1800"), (900, "1", "19"), (1, "1", "1"), (604800, "420", "12600")]
)
def test_log_is_compacted_by_time(create, session, ttl, size, frequency):
    """About 24 windows in the life of an entry."""
    table = create("(p int PRIMARY KEY)", f"WITH cdc = {{'enabled': true, 'ttl': {ttl}}}")
    options = options_of(session, f"{table}_scylla_cdc_log")
    for part in (
        "'class': 'TimeWindowCompactionStrategy'",
        f"'compaction_window_size': '{size}'",
        "'compaction_window_unit': 'MINUTES'",
        f"'expired_sstable_check_frequency_seconds': '{frequency}'",
    ):
        assert part in options["compaction"]
    assert options["gc_grace_seconds"] == "0"
    assert options["default_time_to_live"] == "0"
    assert options["comment"] == f"'CDC log for {table}'"


def test_token_of_a_stream_is_in_its_id(base, run):
    """The log has a partitioner of its own: the first eight bytes of the stream's id are its token."""
    run(f"INSERT INTO {base} (p, c, v) VALUES (1, 'a', 0)")
    ((stream, token),) = run(f'SELECT "cdc$stream_id", token("cdc$stream_id") FROM {base}_scylla_cdc_log')
    assert int.from_bytes(stream[:8], "big", signed=True) == token


def test_options_are_shown_where_drivers_look(create, run):
    table = create("(p int PRIMARY KEY)", "WITH cdc = {'enabled': true, 'preimage': 'full', 'ttl': 100}")
    keyspace, name = table.split(".")
    ((option,),) = run(
        f"SELECT cdc FROM system_schema.scylla_tables WHERE keyspace_name = '{keyspace}' AND table_name = '{name}'"
    )
    assert dict(option) == {
        "enabled": "true", "preimage": "full", "postimage": "false", "delta": "full", "ttl": "100",
    }  # fmt: skip


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(
    "option", ["'enabled': 'true'", "'enabled': 'TRUE'", "'enabled': 1", "'enabled': '1', 'preimage': 'FULL'"]
)
def test_ways_to_say_yes(create, run, option):
    table = create("(p int PRIMARY KEY)", f"WITH cdc = {{{option}}}")
    run(f"INSERT INTO {table} (p) VALUES (1)")
    assert len(run(f"SELECT * FROM {table}_scylla_cdc_log")) == 1


def test_not_enabled_is_no_log(create, refused):
    table = create("(p int PRIMARY KEY)", "WITH cdc = {'enabled': false}")
    refused(InvalidRequest, f"SELECT * FROM {table}_scylla_cdc_log", "unconfigured table")


@pytest.mark.parametrize(
    "option, sentence",
    [
        ("'enabled': true, 'colour': 'red'", "Invalid CDC option: colour"),
        ("'enabled': 'maybe'", 'Invalid value for CDC option "enabled": maybe'),
        ("'enabled': true, 'preimage': 'half'", 'Invalid value for CDC option "preimage": half'),
        ("'enabled': true, 'postimage': 'full'", 'Invalid value for CDC option "postimage": full'),
        ("'enabled': true, 'delta': 'off'", 'Invalid value for CDC option "delta": off'),
        ("'enabled': true, 'ttl': -1", "Invalid CDC option: ttl must be >= 0"),
        ("'enabled': true, 'ttl': 99999999999", "Invalid CDC option: ttl too large"),
        ("'enabled': true, 'ttl': 'soon'", 'Invalid value for CDC option "ttl": soon'),
    ],
)
def test_bad_options(keyspace, refused, option, sentence):
    statement = f"CREATE TABLE {keyspace}.never (p int PRIMARY KEY) WITH cdc = {{{option}}}"
    assert refused(ConfigurationException, statement) == sentence


def test_a_column_of_the_logs_own(create, run, refused):
    """What a table's column is called, the log's would be called too: some names are taken there."""
    table = create('(p int PRIMARY KEY, "cdc$operation" int, v int)')
    sentence = f"{table}: the log would have two columns of the name cdc.operation"
    refused(InvalidRequest, f"ALTER TABLE {table} WITH cdc = {{'enabled': true}}", sentence)
    run(f'ALTER TABLE {table} DROP "cdc$operation"')
    run(f"ALTER TABLE {table} WITH cdc = {{'enabled': true}}")
    refused(InvalidRequest, f'ALTER TABLE {table} ADD "cdc$deleted_v" int', "two columns of the name cdc.deleted_v")


def test_alter_must_say_whether_it_is_enabled(base, refused):
    refused(
        InvalidRequest,
        f"ALTER TABLE {base} WITH cdc = {{'preimage': true}}",
        'Altering CDC options requires specifying "enabled" flag',
    )


def test_alter_forgets_what_it_does_not_name(create, run):
    """The whole option is replaced: an ALTER that only wants another ttl ends the preimages."""
    table = create("(p int PRIMARY KEY, v int)", "WITH cdc = {'enabled': true, 'preimage': true}")
    run(f"INSERT INTO {table} (p, v) VALUES (1, 1)")
    run(f"ALTER TABLE {table} WITH cdc = {{'enabled': true, 'ttl': 100}}")
    run(f"INSERT INTO {table} (p, v) VALUES (1, 2)")
    assert [row[0] for row in run(f'SELECT "cdc$operation" FROM {table}_scylla_cdc_log')] == [2, 2]


# ---------------------------------------------------------------- guards


@pytest.mark.parametrize(
    "change",
    ["ADD x int", "DROP v", 'DROP "cdc$stream_id"', "ALTER v TYPE float", 'DROP "cdc$deleted_v"'],
)
def test_columns_of_a_log_are_its_tables(base, refused, change):
    refused(
        InvalidRequest,
        f"ALTER TABLE {base}_scylla_cdc_log {change}",
        "You cannot modify the set of columns of a CDC log table directly. Modify the base table instead",
    )


@pytest.mark.parametrize("change", ["v TO x", '"cdc$stream_id" TO x'])
def test_columns_of_a_log_are_not_renamed(base, refused, change):
    refused(
        InvalidRequest,
        f"ALTER TABLE {base}_scylla_cdc_log RENAME {change}",
        "Cannot rename a column of a CDC log table",
    )


def test_columns_of_a_detached_log(base, run, refused):
    run(f"ALTER TABLE {base} WITH cdc = {{'enabled': false}}")
    refused(
        InvalidRequest,
        f"ALTER TABLE {base}_scylla_cdc_log ADD x int",
        "Although the base table has deactivated CDC, this table will continue being a CDC log table until it is "
        "dropped. .* that will have effect on the log table too. Modifying the columns .* is never allowed",
    )
    refused(
        InvalidRequest,
        f"ALTER TABLE {base}_scylla_cdc_log RENAME v TO x",
        "You cannot rename a column of a CDC log table. Although the base table has deactivated CDC",
    )


def test_options_of_a_log_can_be_changed(base, run, session):
    run(f"ALTER TABLE {base}_scylla_cdc_log WITH gc_grace_seconds = 123 AND comment = 'mine'")
    options = options_of(session, f"{base}_scylla_cdc_log")
    assert (options["gc_grace_seconds"], options["comment"]) == ("123", "'mine'")


def test_log_of_a_log(base, refused):
    message = refused(InvalidRequest, f"ALTER TABLE {base}_scylla_cdc_log {ENABLED}")
    assert (
        f"Cannot create a CDC log for a table {base}_scylla_cdc_log, because creating nested CDC logs is not allowed"
        in message
    )


def test_view_of_a_log(base, refused):
    refused(
        InvalidRequest,
        f"CREATE MATERIALIZED VIEW {base}_v AS SELECT * FROM {base}_scylla_cdc_log WHERE p IS NOT NULL "
        'AND "cdc$stream_id" IS NOT NULL AND "cdc$time" IS NOT NULL AND "cdc$batch_seq_no" IS NOT NULL '
        'PRIMARY KEY (p, "cdc$stream_id", "cdc$time", "cdc$batch_seq_no")',
        "Materialized views cannot be created on CDC Log tables",
    )


def test_dropping_an_attached_log_is_not_allowed(base, refused):
    message = refused(Unauthorized, f"DROP TABLE {base}_scylla_cdc_log")
    assert f"Cannot DROP cdc log table {base.split('.')[1]}_scylla_cdc_log" in message


def test_dropping_a_detached_log(base, run, refused):
    run(f"ALTER TABLE {base} WITH cdc = {{'enabled': false}}")
    run(f"DROP TABLE {base}_scylla_cdc_log")
    refused(InvalidRequest, f"SELECT * FROM {base}_scylla_cdc_log", "unconfigured table")


def test_dropping_the_table_drops_the_log(keyspace, run, refused):
    run(f"CREATE TABLE {keyspace}.short_lived (p int PRIMARY KEY) {ENABLED}")
    run(f"DROP TABLE {keyspace}.short_lived")
    refused(InvalidRequest, f"SELECT * FROM {keyspace}.short_lived_scylla_cdc_log", "unconfigured table")


def test_dropping_the_table_drops_a_detached_log_too(base, run, refused):
    run(f"ALTER TABLE {base} WITH cdc = {{'enabled': false}}")
    run(f"DROP TABLE {base}")
    refused(InvalidRequest, f"SELECT * FROM {base}_scylla_cdc_log", "unconfigured table")


def test_name_of_the_log_may_be_taken(keyspace, run, refused):
    run(f"CREATE TABLE {keyspace}.taken_scylla_cdc_log (p int PRIMARY KEY)")
    sentence = (
        f"Cannot create CDC log table for table {keyspace}.taken because a table of name "
        f"{keyspace}.taken_scylla_cdc_log already exists"
    )
    refused(InvalidRequest, f"CREATE TABLE {keyspace}.taken (p int PRIMARY KEY) {ENABLED}", sentence)
    run(f"CREATE TABLE {keyspace}.taken (p int PRIMARY KEY)")
    refused(InvalidRequest, f"ALTER TABLE {keyspace}.taken {ENABLED}", sentence)
    run(f"ALTER TABLE {keyspace}.taken_scylla_cdc_log ADD v int")  # it is a table like any other
    run(f"ALTER TABLE {keyspace}.taken_scylla_cdc_log RENAME p TO q")
    run(f"DROP TABLE {keyspace}.taken_scylla_cdc_log")


def test_view_has_no_log(base, run, refused):
    where = "WHERE c IS NOT NULL AND p IS NOT NULL PRIMARY KEY (c, p)"
    refused(
        InvalidRequest,
        f"CREATE MATERIALIZED VIEW {base}_v AS SELECT * FROM {base} {where} AND cdc = {{'enabled': true}}".replace(
            " AND cdc", " WITH cdc"
        ),
        "Cannot enable CDC for a materialized view",
    )


def test_writing_into_the_log(base, run):
    """Nothing keeps anybody from it; nobody should."""
    run(
        f'INSERT INTO {base}_scylla_cdc_log ("cdc$stream_id", "cdc$time", "cdc$batch_seq_no", p) '
        "VALUES (0x00000000000000000000000000000001, now(), 0, 5)"
    )
    assert run(f"SELECT p FROM {base}_scylla_cdc_log") == [(5,)]


# ---------------------------------------------------------------- off and on again


def test_disabling_keeps_the_log_and_enabling_goes_on_with_it(base, run):
    log = f"SELECT c FROM {base}_scylla_cdc_log"
    run(f"INSERT INTO {base} (p, c) VALUES (0, 'first')")
    run(f"ALTER TABLE {base} WITH cdc = {{'enabled': false}}")
    run(f"INSERT INTO {base} (p, c) VALUES (0, 'unlogged')")
    assert run(log) == [("first",)]
    run(f"ALTER TABLE {base} WITH cdc = {{'enabled': true}}")
    run(f"INSERT INTO {base} (p, c) VALUES (0, 'second')")
    assert run(log) == [("first",), ("second",)]


def test_columns_changed_in_between(base, run):
    run(f"INSERT INTO {base} (p, c, v) VALUES (0, 'a', 100)")
    run(f"ALTER TABLE {base} WITH cdc = {{'enabled': false}}")
    run(f"ALTER TABLE {base} ADD w text")
    run(f"ALTER TABLE {base} WITH cdc = {{'enabled': true}}")
    run(f"INSERT INTO {base} (p, c, v, w) VALUES (0, 'b', 400, 'new')")
    assert run(f"SELECT c, v, w FROM {base}_scylla_cdc_log") == [("a", 100, None), ("b", 400, "new")]
    run(f"ALTER TABLE {base} WITH cdc = {{'enabled': false}}")
    run(f"ALTER TABLE {base} DROP v")
    run(f"ALTER TABLE {base} WITH cdc = {{'enabled': true}}")
    run(f"INSERT INTO {base} (p, c, w) VALUES (0, 'c', 'newer')")
    assert run(f"SELECT c, w FROM {base}_scylla_cdc_log") == [("a", None), ("b", "new"), ("c", "newer")]


def test_log_keeps_its_options(base, run, session):
    """What was set on the log is still set when it is attached again."""
    log = f"{base}_scylla_cdc_log"
    run(f"ALTER TABLE {base} WITH cdc = {{'enabled': false}}")
    run(f"ALTER TABLE {log} WITH gc_grace_seconds = 321")
    run(f"ALTER TABLE {base} WITH cdc = {{'enabled': true}}")
    assert options_of(session, log)["gc_grace_seconds"] == "321"
