"""Tables: columns, keys, types, names and options, as they are made, kept and refused."""

from __future__ import annotations

import pytest
from cassandra import AlreadyExists, InvalidRequest
from cassandra.protocol import ConfigurationException, SyntaxException


@pytest.fixture
def name(session, keyspace):
    """A name for a table that is dropped after the test."""
    yield f"{keyspace}.made"
    session.execute(f"DROP TABLE IF EXISTS {keyspace}.made")


def options_of(run, table: str) -> dict:
    """Every option as the schema tables keep it."""
    keyspace, _, name = table.partition(".")
    ((*values,),) = run(
        "SELECT bloom_filter_fp_chance, caching, comment, compaction, compression, crc_check_chance, "
        "default_time_to_live, gc_grace_seconds, max_index_interval, memtable_flush_period_in_ms, min_index_interval, "
        f"speculative_retry FROM system_schema.tables WHERE keyspace_name = '{keyspace}' AND table_name = '{name}'"
    )
    names = ("bloom_filter_fp_chance", "caching", "comment", "compaction", "compression", "crc_check_chance",
             "default_time_to_live", "gc_grace_seconds", "max_index_interval", "memtable_flush_period_in_ms",
             "min_index_interval", "speculative_retry")  # fmt: skip
    return dict(zip(names, values, strict=True))


# ---------------------------------------------------------------- columns and keys


@pytest.mark.parametrize(
    "columns, partition, clustering",
    [
        ("(p int PRIMARY KEY)", ["p"], []),
        ("(p int, c int, PRIMARY KEY (p, c))", ["p"], ["c"]),
        ("(p int, c int, PRIMARY KEY ((p), c))", ["p"], ["c"]),
        ("(a int, b int, c int, d int, v int, PRIMARY KEY ((b, a), d, c))", ["b", "a"], ["d", "c"]),
        ("(a int, b int, PRIMARY KEY ((a, b)))", ["a", "b"], []),
    ],
)
def test_keys(name, session, run, columns, partition, clustering):
    run(f"CREATE TABLE {name} {columns}")
    keyspace, _, table = name.partition(".")
    found = run(f"SELECT column_name, kind, position FROM system_schema.columns WHERE keyspace_name = '{keyspace}' "
                f"AND table_name = '{table}'")  # fmt: skip
    assert [n for n, kind, _ in sorted(found, key=lambda c: c[2]) if kind == "partition_key"] == partition
    assert [n for n, kind, _ in sorted(found, key=lambda c: c[2]) if kind == "clustering"] == clustering


def test_columns_come_in_the_order_of_the_schema(name, session, run):
    """Partition key, clustering key, statics, the others; the last two by name: not as they were written."""
    run(f"CREATE TABLE {name} (z int, s2 int static, y int, b int, s1 int static, a int, x int, PRIMARY KEY (x, z, y))")
    assert session.execute(f"SELECT * FROM {name}").column_names == ["x", "z", "y", "s1", "s2", "a", "b"]


@pytest.mark.parametrize("kind", [
    "ascii", "bigint", "blob", "boolean", "date", "decimal", "double", "float", "inet", "int", "smallint", "text",
    "time", "timestamp", "timeuuid", "tinyint", "uuid", "varint", "list<int>", "set<text>", "map<text, int>",
    "frozen<list<int>>", "frozen<map<int, frozen<set<text>>>>", "list<frozen<list<int>>>", "frozen<tuple<int, text>>",
])  # fmt: skip
def test_types(name, run, kind):
    run(f"CREATE TABLE {name} (p int PRIMARY KEY, v {kind})")
    keyspace, _, table = name.partition(".")
    assert run(f"SELECT type FROM system_schema.columns WHERE keyspace_name = '{keyspace}' AND table_name = '{table}' "
               "AND column_name = 'v'") == [(kind,)]  # fmt: skip


def test_varchar_is_text(name, run):
    run(f"CREATE TABLE {name} (p varchar PRIMARY KEY)")
    keyspace, _, table = name.partition(".")
    assert run(f"SELECT type FROM system_schema.columns WHERE keyspace_name = '{keyspace}' AND table_name = '{table}'"
               ) == [("text",)]  # fmt: skip


def test_clustering_order(name, run):
    run(f"CREATE TABLE {name} (p int, c int, d int, PRIMARY KEY (p, c, d)) WITH CLUSTERING ORDER BY (c DESC, d ASC)")
    keyspace, _, table = name.partition(".")
    found = run(f"SELECT column_name, clustering_order FROM system_schema.columns WHERE keyspace_name = '{keyspace}' "
                f"AND table_name = '{table}'")  # fmt: skip
    assert dict(found) == {"p": "none", "c": "desc", "d": "asc"}


@pytest.mark.differs("cassandra", "it says most of this in words of its own")
@pytest.mark.parametrize(
    "columns, message",
    [
        (
            "(p int, v int)",
            r"No PRIMARY KEY specifed \(exactly one required\)|No PRIMARY KEY specified \(exactly one required\)",
        ),
        ("(p int PRIMARY KEY, v int PRIMARY KEY)", r"Multiple PRIMARY KEYs specif(i)?ed \(exactly one required\)"),
        ("(p int PRIMARY KEY, v int, PRIMARY KEY (v))", r"Multiple PRIMARY KEYs specif(i)?ed \(exactly one required\)"),
        ("(p int, PRIMARY KEY (nope))", "Unknown definition nope referenced in PRIMARY KEY"),
        ("(p int, p int, PRIMARY KEY (p))", "Multiple definition of identifier p"),
        ("(p int, c int, PRIMARY KEY (p, c, c))", "c"),
        (
            "(p list<int> PRIMARY KEY)",
            "Invalid non-frozen collection type for PRIMARY KEY component p",
        ),
        ("(p int, c map<int, int>, PRIMARY KEY (p, c))", "PRIMARY KEY component c"),
        (
            "(p int PRIMARY KEY, s int static)",
            "Static columns are only useful .*if the table has at least one clustering column",
        ),
        ("(p int static, c int, PRIMARY KEY (p, c))", "Static column p cannot be part of the PRIMARY KEY"),
        ("(p int, c int static, PRIMARY KEY (p, c))", "Static column c cannot be part of the PRIMARY KEY"),
        (
            "(p int PRIMARY KEY, v list<list<int>>)",
            "Non-frozen user types or collections are not allowed inside collections: list<list<int>>",
        ),
        ("(p int PRIMARY KEY, v nothing)", r"Unknown type \w+\.nothing"),
    ],
)
def test_definitions_that_are_refused(name, refused, columns, message):
    refused(InvalidRequest, f"CREATE TABLE {name} {columns}", message)


@pytest.mark.differs("cassandra", "it says this in words of its own")
@pytest.mark.parametrize(
    "order, message",
    [
        (
            "(v DESC)",
            "Missing CLUSTERING ORDER for column c|Only clustering key columns can be defined in CLUSTERING ORDER",
        ),
        ("(d DESC)", "Missing CLUSTERING ORDER for column c|CLUSTERING ORDER"),
        ("(d DESC, c ASC)", "The order of columns in the CLUSTERING ORDER directive must|CLUSTERING ORDER"),
    ],
)
def test_clustering_order_names_the_clustering_columns(name, refused, order, message):
    refused(InvalidRequest, f"CREATE TABLE {name} (p int, c int, d int, v int, PRIMARY KEY (p, c, d)) "
            f"WITH CLUSTERING ORDER BY {order}", message)  # fmt: skip


# ---------------------------------------------------------------- names


def test_names(keyspace, run, refused):
    run(f'CREATE TABLE {keyspace}."Mixed" ("Key" int PRIMARY KEY, "a ""quoted"" name" int)')
    refused(InvalidRequest, f"SELECT * FROM {keyspace}.Mixed", "mixed")
    run(f'INSERT INTO {keyspace}."Mixed" ("Key", "a ""quoted"" name") VALUES (1, 2)')
    assert run(f'SELECT "a ""quoted"" name" FROM {keyspace}."Mixed"') == [(2,)]
    run(f'DROP TABLE {keyspace}."Mixed"')


@pytest.mark.differs("cassandra", "it says this in words of its own")
@pytest.mark.parametrize("bad", ['"no-name"', '"a b"', '"x/y"', '""'])
def test_names_that_are_refused(keyspace, refused, bad):
    refused((InvalidRequest, SyntaxException), f"CREATE TABLE {keyspace}.{bad} (p int PRIMARY KEY)", "")


@pytest.mark.parametrize("word", ["table", "select", "from", "where", "order", "token"])
def test_reserved_words_need_quotes(keyspace, run, refused, word):
    if word != "token":
        refused(SyntaxException, f"CREATE TABLE {keyspace}.{word} (p int PRIMARY KEY)")
    run(f'CREATE TABLE {keyspace}."{word}" ("{word}" int PRIMARY KEY)')
    run(f'DROP TABLE {keyspace}."{word}"')


@pytest.mark.parametrize(
    "word", ["key", "type", "values", "ttl", "writetime", "list", "map", "timestamp", "count", "user", "filtering"]
)
def test_other_keywords_are_names(name, run, word):
    run(f"CREATE TABLE {name} ({word} int PRIMARY KEY)")
    run(f"INSERT INTO {name} ({word}) VALUES (1)")
    assert run(f"SELECT {word} FROM {name}") == [(1,)]


# ---------------------------------------------------------------- options


@pytest.mark.differs("cassandra", "its defaults are others")
def test_defaults(name, run):
    run(f"CREATE TABLE {name} (p int PRIMARY KEY)")
    assert options_of(run, name) == {
        "bloom_filter_fp_chance": 0.01,
        "caching": {"keys": "ALL", "rows_per_partition": "ALL"},
        "comment": "",
        "compaction": {"class": "IncrementalCompactionStrategy"},
        "compression": {"sstable_compression": "LZ4WithDictsCompressor"},
        "crc_check_chance": 1,
        "default_time_to_live": 0,
        "gc_grace_seconds": 864000,
        "max_index_interval": 2048,
        "memtable_flush_period_in_ms": 0,
        "min_index_interval": 128,
        "speculative_retry": "99.0PERCENTILE",
    }


@pytest.mark.parametrize(
    "option, written, kept",
    [
        ("comment", "'It''s a seat'", "It's a seat"),
        ("bloom_filter_fp_chance", "0.1", 0.1),
        ("default_time_to_live", "900", 900),
        ("gc_grace_seconds", "3600", 3600),
        ("min_index_interval", "64", 64),
        ("max_index_interval", "4096", 4096),
        ("memtable_flush_period_in_ms", "60000", 60000),
    ],
)
def test_options(name, run, option, written, kept):
    run(f"CREATE TABLE {name} (p int PRIMARY KEY) WITH {option} = {written}")
    assert options_of(run, name)[option] == kept
    run(f"DROP TABLE {name}")
    run(f"CREATE TABLE {name} (p int PRIMARY KEY)")
    run(f"ALTER TABLE {name} WITH {option} = {written}")
    assert options_of(run, name)[option] == kept


@pytest.mark.differs("cassandra", "it refuses other things, in words of its own")
@pytest.mark.parametrize(
    "option, error, message",
    [
        ("nothing = 1", SyntaxException, "Unknown property 'nothing'"),
        ("additional_write_policy = '99p'", SyntaxException, "Unknown property 'additional_write_policy'"),
        ("comment = 'a' AND comment = 'b'", SyntaxException, "Multiple definition for property 'comment'"),
        ("default_time_to_live = -1", ConfigurationException, "default_time_to_live cannot be smaller than 0"),
        ("gc_grace_seconds = 'x'", (ConfigurationException, SyntaxException), "gc_grace_seconds"),
        ("bloom_filter_fp_chance = 0", ConfigurationException, "bloom_filter_fp_chance"),
        ("bloom_filter_fp_chance = 2", ConfigurationException, "bloom_filter_fp_chance"),
        ("min_index_interval = 0", ConfigurationException, "min_index_interval"),
        ("memtable_flush_period_in_ms = 5", ConfigurationException, "memtable_flush_period_in_ms"),
        ("compaction = {'class': 'Nothing'}", ConfigurationException, "Nothing"),
        (
            "compaction = {'min_threshold': 4}",
            ConfigurationException,
            "Missing sub-option 'class' for the 'compaction' option",
        ),
        ("compression = {'sstable_compression': 'Nothing'}", ConfigurationException, "Nothing"),
        (
            "compression = {'sstable_compression': 'LZ4Compressor', 'chunk_length_in_kb': 3}",
            ConfigurationException,
            "chunk",
        ),
        ("speculative_retry = 'often'", ConfigurationException, "often"),
        ("caching = {'keys': 'SOME'}", ConfigurationException, "SOME"),
        ("cdc = {'enabled': 'perhaps'}", ConfigurationException, 'Invalid value for CDC option "enabled": perhaps'),
        ("cdc = {'nothing': true}", ConfigurationException, "Invalid CDC option: nothing"),
        ("synchronous_updates = true", InvalidRequest, "only applicable to materialized views, not to base tables"),
    ],
)
def test_options_that_are_refused(name, refused, option, error, message):
    refused(error, f"CREATE TABLE {name} (p int PRIMARY KEY) WITH {option}", message)


@pytest.mark.differs("cassandra", "it has dropped these")
@pytest.mark.parametrize(
    "option", ["read_repair_chance = 0.1", "dclocal_read_repair_chance = 0.1", "crc_check_chance = 0.5"]
)
def test_options_of_old_are_passed_over(name, run, option):
    run(f"CREATE TABLE {name} (p int PRIMARY KEY) WITH {option}")


# ---------------------------------------------------------------- there already, not there


def test_a_name_is_taken_once(create, run, refused):
    table = create("(p int PRIMARY KEY)")
    refused(AlreadyExists, f"CREATE TABLE {table} (p int PRIMARY KEY)")
    run(f"CREATE TABLE IF NOT EXISTS {table} (other text PRIMARY KEY)")
    assert run(f"SELECT p FROM {table}") == []


@pytest.mark.differs("cassandra", "it says most of this in words of its own")
@pytest.mark.parametrize(
    "statement, error, message",
    [
        (
            "DROP TABLE {k}.nope",
            InvalidRequest,
            "Cannot drop non existing table 'nope' in keyspace '{k}'|unconfigured table nope",
        ),
        ("TRUNCATE {k}.nope", InvalidRequest, "unconfigured table nope"),
        ("ALTER TABLE {k}.nope ADD v int", InvalidRequest, "unconfigured table nope|nope"),
        ("DROP TABLE nope.nope", (InvalidRequest, ConfigurationException), "nope"),
        ("CREATE TABLE system.mine (p int PRIMARY KEY)", Exception, "system keyspace is not user-modifiable"),
        ("DROP TABLE system.local", Exception, "system keyspace is not user-modifiable"),
    ],
)
def test_tables_that_are_not_there(keyspace, refused, statement, error, message):
    refused(error, statement.format(k=keyspace), message.format(k=keyspace))


def test_drop_if_exists(keyspace, run):
    run(f"DROP TABLE IF EXISTS {keyspace}.nope")


def test_truncate(create, run):
    table = create("(p int, c int, s int static, PRIMARY KEY (p, c))")
    for p in range(5):
        run(f"INSERT INTO {table} (p, c, s) VALUES ({p}, 1, 1)")
    run(f"TRUNCATE TABLE {table}")
    assert run(f"SELECT * FROM {table}") == []
    run(f"INSERT INTO {table} (p, c) VALUES (1, 1)")
    assert run(f"SELECT p, c, s FROM {table}") == [(1, 1, None)]


def test_a_table_that_was_dropped_comes_back_empty(create, run):
    table = create("(p int PRIMARY KEY)")
    run(f"INSERT INTO {table} (p) VALUES (1)")
    run(f"DROP TABLE {table}")
    run(f"CREATE TABLE {table} (p int PRIMARY KEY)")
    assert run(f"SELECT * FROM {table}") == []
