"""ALTER TABLE in all its forms: what becomes of rows that are there, and what cannot be altered."""

from __future__ import annotations

import pytest
from cassandra import InvalidRequest
from cassandra.protocol import ConfigurationException, SyntaxException

# ---------------------------------------------------------------- ADD


def test_a_new_column_is_null_in_old_rows(create, run):
    table = create("(p int PRIMARY KEY, v int)")
    run(f"INSERT INTO {table} (p, v) VALUES (1, 1)")
    run(f"ALTER TABLE {table} ADD w text")
    assert run(f"SELECT p, v, w FROM {table}") == [(1, 1, None)]
    run(f"UPDATE {table} SET w = 'x' WHERE p = 1")
    assert run(f"SELECT p, v, w FROM {table}") == [(1, 1, "x")]


def test_several_columns_at_once(create, session, run):
    table = create("(p int, c int, PRIMARY KEY (p, c))")
    run(f"ALTER TABLE {table} ADD (a int, s int static, l list<int>, m map<int, frozen<set<int>>>)")
    run(f"UPDATE {table} SET s = 1, l = [1], m = {{1: {{2}}}} WHERE p = 1 AND c = 1")
    assert session.execute(f"SELECT * FROM {table}").column_names == ["p", "c", "s", "a", "l", "m"]


@pytest.mark.differs("cassandra", "it says some of this in words of its own")
@pytest.mark.parametrize(
    "added, message",
    [
        ("v int", "Invalid column name v because it conflicts with an existing column"),
        ("p int", "Invalid column name p because it conflicts with a PRIMARY KEY part"),
        ("n list<list<int>>", "collections are not allowed inside collections"),
        ("n nothing", r"Unknown type \w+\.nothing"),
    ],
)
def test_columns_that_cannot_be_added(create, refused, added, message):
    table = create("(p int PRIMARY KEY, v int)")
    refused(InvalidRequest, f"ALTER TABLE {table} ADD {added}", message)


@pytest.mark.differs("cassandra", "it says this in words of its own")
def test_static_columns_need_clustering(create, refused):
    table = create("(p int PRIMARY KEY)")
    refused(InvalidRequest, f"ALTER TABLE {table} ADD s int static", "(?i)static")


# ---------------------------------------------------------------- DROP


def test_a_dropped_column_is_gone(create, run, refused):
    table = create("(p int PRIMARY KEY, v int, w int)")
    run(f"INSERT INTO {table} (p, v, w) VALUES (1, 2, 3)")
    run(f"ALTER TABLE {table} DROP v")
    assert run(f"SELECT * FROM {table}") == [(1, 3)]
    refused(InvalidRequest, f"SELECT v FROM {table}")


def test_a_column_that_comes_back_is_empty(create, run):
    """What was in it before it was dropped does not come back."""
    table = create("(p int PRIMARY KEY, v int)")
    run(f"INSERT INTO {table} (p, v) VALUES (1, 2)")
    run(f"ALTER TABLE {table} DROP v")
    run(f"ALTER TABLE {table} ADD v int")
    assert run(f"SELECT p, v FROM {table}") == [(1, None)]
    run(f"UPDATE {table} SET v = 7 WHERE p = 1")
    assert run(f"SELECT p, v FROM {table}") == [(1, 7)]


def test_several_columns_are_dropped(create, run):
    table = create("(p int PRIMARY KEY, a int, b int, c int)")
    run(f"ALTER TABLE {table} DROP (a, c)")
    run(f"INSERT INTO {table} (p, b) VALUES (1, 2)")
    assert run(f"SELECT * FROM {table}") == [(1, 2)]


@pytest.mark.differs("cassandra", "it says this in words of its own")
def test_columns_that_cannot_be_dropped(create, refused):
    table = create("(p int, c int, v int, PRIMARY KEY (p, c))")
    name = table.partition(".")[2]
    for column in ("p", "c"):
        refused(InvalidRequest, f"ALTER TABLE {table} DROP {column}", f"Cannot drop PRIMARY KEY part {column}")
    refused(InvalidRequest, f"ALTER TABLE {table} DROP nope", f"Column nope was not found in table {name}")


@pytest.mark.differs("cassandra", "it says this in words of its own")
def test_a_collection_comes_back_with_its_type_alone(create, run, refused):
    """Old cells may still lie about on disk: another type could not read them."""
    table = create("(p int PRIMARY KEY, l list<int>)")
    run(f"ALTER TABLE {table} DROP l")
    for kind in ("set<int>", "list<text>"):
        refused(
            InvalidRequest,
            f"ALTER TABLE {table} ADD l {kind}",
            "Cannot add a collection with the name l because a collection with the same name and a different type has "
            "already been used in the past",
        )
    run(f"ALTER TABLE {table} ADD l list<int>")


def test_a_drop_with_a_timestamp_of_its_own(create, run, session):
    """What was written before it is gone, should the column come back."""
    table = create("(p int PRIMARY KEY, a int, b int)")
    run(f"INSERT INTO {table} (p, a, b) VALUES (1, 1, 1) USING TIMESTAMP 1000")
    run(f"ALTER TABLE {table} DROP a USING TIMESTAMP 2000")
    run(f"ALTER TABLE {table} ADD a int")
    assert run(f"SELECT p, a, b FROM {table}") == [(1, None, 1)]
    run(f"UPDATE {table} USING TIMESTAMP 3000 SET a = 3 WHERE p = 1")
    assert run(f"SELECT p, a, b FROM {table}") == [(1, 3, 1)]


@pytest.mark.differs("cassandra", "it takes no variables there")
def test_a_bound_timestamp_of_a_drop(create, run, session):
    table = create("(p int PRIMARY KEY, a int, b int)")
    run(f"INSERT INTO {table} (p, a, b) VALUES (1, 1, 1) USING TIMESTAMP 1000")
    session.execute(session.prepare(f"ALTER TABLE {table} DROP a USING TIMESTAMP ?"), (2000,))
    run(f"ALTER TABLE {table} ADD a int")
    assert run(f"SELECT p, a, b FROM {table}") == [(1, None, 1)]


def test_a_row_of_dropped_cells_alone(create, run):
    """An UPDATE makes no row marker: without its cells there is no row."""
    table = create("(p int PRIMARY KEY, v int)")
    run(f"UPDATE {table} SET v = 1 WHERE p = 1")
    run(f"INSERT INTO {table} (p, v) VALUES (2, 2)")
    run(f"ALTER TABLE {table} DROP v")
    assert run(f"SELECT * FROM {table}") == [(2,)]


# ---------------------------------------------------------------- RENAME


def test_keys_can_be_renamed(create, run):
    table = create("(p int, c int, v int, PRIMARY KEY (p, c))")
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    run(f"ALTER TABLE {table} RENAME p TO event AND c TO seat")
    assert run(f"SELECT event, seat, v FROM {table} WHERE event = 1 AND seat = 2") == [(1, 2, 3)]


@pytest.mark.differs("cassandra", "it says this in words of its own")
@pytest.mark.parametrize(
    "rename, message",
    [
        ("v TO w", "Cannot rename non PRIMARY KEY part v"),
        ("nope TO w", "Cannot rename unknown column nope in table"),
        ("c TO v", "Cannot rename column c to v in table .*; another column of that name already exist"),
    ],
)
def test_columns_that_cannot_be_renamed(create, refused, rename, message):
    table = create("(p int, c int, v int, PRIMARY KEY (p, c))")
    refused(InvalidRequest, f"ALTER TABLE {table} RENAME {rename}", message)


# ---------------------------------------------------------------- ALTER … TYPE


@pytest.mark.differs("cassandra", "it changes no types any more")
@pytest.mark.parametrize("old, new", [("int", "blob"), ("int", "varint"), ("text", "blob"), ("ascii", "text"),
                                      ("timeuuid", "uuid"), ("bigint", "timestamp")])  # fmt: skip
def test_types_with_the_same_bytes(create, run, old, new):
    table = create(f"(p int PRIMARY KEY, v {old})")
    run(f"ALTER TABLE {table} ALTER v TYPE {new}")
    keyspace, _, name = table.partition(".")
    assert run(f"SELECT type FROM system_schema.columns WHERE keyspace_name = '{keyspace}' AND table_name = '{name}' "
               "AND column_name = 'v'") == [(new,)]  # fmt: skip


@pytest.mark.differs("cassandra", "it changes no types any more")
@pytest.mark.parametrize("old, new", [("int", "text"), ("blob", "int"), ("text", "int"), ("int", "bigint")])
def test_types_with_other_bytes(create, refused, old, new):
    table = create(f"(p int PRIMARY KEY, v {old})")
    refused(
        ConfigurationException,
        f"ALTER TABLE {table} ALTER v TYPE {new}",
        f"Cannot change v from type {old} to type {new}: types are incompatible",
    )


# ---------------------------------------------------------------- WITH


def test_an_option_leaves_the_others(create, run):
    table = create("(p int PRIMARY KEY)", "WITH comment = 'kept' AND gc_grace_seconds = 5")
    run(f"ALTER TABLE {table} WITH default_time_to_live = 100")
    keyspace, _, name = table.partition(".")
    assert run("SELECT comment, gc_grace_seconds, default_time_to_live FROM system_schema.tables "
               f"WHERE keyspace_name = '{keyspace}' AND table_name = '{name}'") == [("kept", 5, 100)]  # fmt: skip


def test_a_default_ttl_is_for_later_writes(create, run):
    table = create("(p int PRIMARY KEY, v int)")
    run(f"INSERT INTO {table} (p, v) VALUES (1, 1)")
    run(f"ALTER TABLE {table} WITH default_time_to_live = 1000")
    run(f"INSERT INTO {table} (p, v) VALUES (2, 2)")
    left = dict(run(f"SELECT p, ttl(v) FROM {table}"))
    assert left[1] is None
    assert 990 <= left[2] <= 1000


@pytest.mark.parametrize("what", ["WITH CLUSTERING ORDER BY (c DESC)", "", "ADD", "DROP", "WITH", "RENAME p"])
def test_no_cql(create, refused, what):
    table = create("(p int, c int, PRIMARY KEY (p, c))")
    refused(SyntaxException, f"ALTER TABLE {table} {what}")


@pytest.mark.differs("cassandra", "it alters what is not there in words of its own")
def test_tables_that_are_not_there(keyspace, refused):
    refused(InvalidRequest, f"ALTER TABLE {keyspace}.nope ADD v int", "nope")
    refused(InvalidRequest, "ALTER TABLE nope.nope ADD v int", "nope")


@pytest.mark.differs("cassandra", "it says this in words of its own")
def test_views_are_altered_as_views(create, run, refused):
    table = create("(p int, c int, PRIMARY KEY (p, c))")
    run(f"CREATE MATERIALIZED VIEW {table}_v AS SELECT * FROM {table} WHERE p IS NOT NULL AND c IS NOT NULL "
        "PRIMARY KEY (c, p)")  # fmt: skip
    refused(
        InvalidRequest,
        f"ALTER TABLE {table}_v WITH comment = 'x'",
        r"Cannot use ALTER TABLE on Materialized View. \(Did you mean ALTER MATERIALIZED VIEW\)\?",
    )
    refused(
        InvalidRequest,
        f"ALTER MATERIALIZED VIEW {table} WITH comment = 'x'",
        r"Cannot use ALTER MATERIALIZED VIEW on Table. \(Did you mean ALTER TABLE\)\?",
    )
    run(f"ALTER MATERIALIZED VIEW {table}_v WITH comment = 'x'")
    run(f"ALTER TABLE {table} ADD v int")
    assert run(f"SELECT v FROM {table}_v") == []
    run(f"DROP MATERIALIZED VIEW {table}_v")
