"""What a materialized view may be, and what may be done to it and to its base table; every refusal in its words."""

import itertools

import pytest
from cassandra import InvalidRequest
from cassandra.protocol import ConfigurationException, SyntaxException

words = pytest.mark.differs("cassandra", "words and rules of its own")

BASE = "(p int, c int, v int, w int, l list<int>, s int static, PRIMARY KEY (p, c))"
NOT_NULL = "p IS NOT NULL AND c IS NOT NULL"


@pytest.fixture(scope="module")
def base(session, keyspace):
    session.execute(f"CREATE TABLE {keyspace}.base {BASE}")
    session.execute(f"CREATE TABLE {keyspace}.plain (p int PRIMARY KEY, a int, b int)")
    return f"{keyspace}.base"


@pytest.fixture(scope="module")
def plain(base):
    return base.replace(".base", ".plain")


_numbers = itertools.count()


@pytest.fixture
def view(session, keyspace):
    """``view("SELECT …")`` makes a view for one test; its name."""
    made = []

    def create(definition):
        name = f"{keyspace}.view_{next(_numbers)}"
        session.execute(f"CREATE MATERIALIZED VIEW {name} AS {definition}")
        made.append(name)
        return name

    yield create
    for name in made:
        session.execute(f"DROP MATERIALIZED VIEW IF EXISTS {name}")


# ---------------------------------------------------------------- creation

CREATION_REFUSALS = [
    ("SELECT p, c, v FROM {base} WHERE p IS NOT NULL PRIMARY KEY (c, p)",
     "Primary key column 'c' is required to be filtered by 'IS NOT NULL'"),
    ("SELECT p, c, v FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL PRIMARY KEY (v, p, c)",
     "Primary key column 'v' is required to be filtered by 'IS NOT NULL'"),
    ("SELECT p, c, v, w FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL AND v IS NOT NULL AND w IS NOT NULL "
     "PRIMARY KEY ((v, w), p, c)",
     "Cannot include more than one non-primary key column 'w' in materialized view primary key"),
    ("SELECT p, c, v FROM {base} WHERE c IS NOT NULL PRIMARY KEY (c)",
     "Cannot create Materialized View {view} without primary key columns from base base (p)"),
    ("SELECT p, c, v FROM {base} WHERE v IS NOT NULL PRIMARY KEY (v)",
     "Cannot create Materialized View {view} without primary key columns from base base (p, c)"),
    ("SELECT p, c, nowhere FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, p)",
     "Unknown column name detected in CREATE MATERIALIZED VIEW statement: nowhere"),
    ("SELECT p, c FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, nowhere)",
     "Unknown column name detected in CREATE MATERIALIZED VIEW statement: nowhere"),
    ("SELECT p, c FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, p, c)",
     "Duplicate entry found in PRIMARY KEY: c"),
    ("SELECT p, c, l FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL AND l IS NOT NULL PRIMARY KEY (l, p, c)",
     "Cannot use MultiCell column 'l' in PRIMARY KEY of materialized view"),
    ("SELECT p, c, v FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL AND s IS NOT NULL PRIMARY KEY (s, p, c)",
     "Cannot use Static column 's' in PRIMARY KEY of materialized view"),
    ("SELECT * FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, p)",
     "Unable to include static column 's' which would be included by Materialized View SELECT * statement"),
    ("SELECT p, c, s FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, p)",
     "Unable to include static column 's' which would be included by Materialized View SELECT * statement"),
    ("SELECT p AS key, c FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, p)",
     "Cannot use alias when defining a materialized view"),
    ("SELECT p, c, writetime(v) FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, p)",
     "Cannot use general expressions when defining a materialized view"),
    ("SELECT p, c, blobAsInt(intAsBlob(v)) FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, p)",
     "Cannot use general expressions when defining a materialized view"),
    ("SELECT p, c, v FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL AND v = 5 PRIMARY KEY (c, p)",
     "Non-primary key columns cannot be restricted in the SELECT statement used for materialized view {view} creation "
     "(got restrictions on: v)"),
    ("SELECT p, c, v FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL AND s = 5 PRIMARY KEY (c, p)",
     "Non-primary key columns cannot be restricted in the SELECT statement used for materialized view {view} creation "
     "(got restrictions on: s)"),
    ("SELECT p, c FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, p) "
        "WITH CLUSTERING ORDER BY (c DESC)",
     "CLUSTERING ORDER BY lists c which is not a clustering column in the view"),
    ("SELECT p, c FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, p) WITH default_time_to_live = 5",
     "Cannot set or alter default_time_to_live for a materialized view. Data in a materialized view always expire at "
     "the same time than the corresponding data in the parent table."),
    ("SELECT p, c FROM {base} WHERE p IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, p) WITH cdc = {{'enabled': true}}",
     "Cannot enable CDC for a materialized view"),
    ("SELECT p, c FROM {base} WHERE p = ? AND c IS NOT NULL PRIMARY KEY (c, p)",
     "Cannot use query parameters in CREATE MATERIALIZED VIEW statements"),
]  # fmt: skip


@words
@pytest.mark.parametrize("definition, sentence", CREATION_REFUSALS)
def test_views_that_cannot_be(base, keyspace, refused, definition, sentence):
    name = f"never_{next(_numbers)}"
    message = refused(InvalidRequest, f"CREATE MATERIALIZED VIEW {keyspace}.{name} AS {definition.format(base=base)}")
    assert sentence.replace("{view}", name) in message


def test_is_not_wants_null(base, refused):
    refused(
        SyntaxException,
        f"CREATE MATERIALIZED VIEW {base}_n AS SELECT p, c FROM {base} WHERE p IS NOT 42 AND c IS NOT NULL "
        "PRIMARY KEY (c, p)",
        "null",
    )


@words
def test_is_not_null_outside_of_a_view(plain, refused):
    message = refused(InvalidRequest, f"SELECT * FROM {plain} WHERE a IS NOT NULL ALLOW FILTERING")
    assert "is only supported in materialized view creation" in message


@pytest.mark.differs("cassandra", "it takes the restriction, and ignores it")
def test_is_not_null_on_a_column_outside_of_the_key(plain, keyspace, refused):
    """As scylla.yaml sets it; older clusters, whose file does not say, warn."""
    message = refused(
        InvalidRequest,
        f"CREATE MATERIALIZED VIEW {keyspace}.warned AS SELECT * FROM {plain} WHERE p IS NOT NULL AND a IS NOT NULL "
        "PRIMARY KEY (p)",
    )
    assert "allowed only columns which are part of the view's primary key, found columns: a. The flag" in message


@words
def test_view_on_a_view(plain, view, refused):
    first = view(f"SELECT * FROM {plain} WHERE a IS NOT NULL AND p IS NOT NULL PRIMARY KEY (a, p)")
    refused(
        InvalidRequest,
        f"CREATE MATERIALIZED VIEW {first}_2 AS SELECT * FROM {first} WHERE a IS NOT NULL AND p IS NOT NULL "
        "PRIMARY KEY (p, a)",
        "Materialized views cannot be created against other materialized views",
    )


@words
def test_view_in_another_keyspace(plain, keyspace, run, refused):
    other = f"{keyspace}_2"
    run(f"CREATE KEYSPACE {other} WITH replication = {{'class': 'NetworkTopologyStrategy', 'replication_factor': 1}}")
    message = refused(
        InvalidRequest,
        f"CREATE MATERIALIZED VIEW {other}.elsewhere AS SELECT * FROM {plain} WHERE a IS NOT NULL "
        "AND p IS NOT NULL PRIMARY KEY (a, p)",
    )
    run(f"DROP KEYSPACE {other}")
    assert f"Cannot create a materialized view on a table in a separate keyspace ('{keyspace}' != '{other}')" in message


@words
def test_view_on_a_table_without_gc_grace(create, refused):
    table = create("(p int PRIMARY KEY, a int)", "WITH gc_grace_seconds = 0")
    message = refused(
        InvalidRequest,
        f"CREATE MATERIALIZED VIEW {table}_v AS SELECT * FROM {table} WHERE a IS NOT NULL AND p IS NOT NULL "
        "PRIMARY KEY (a, p)",
    )
    name = table.split(".")[1]
    assert f"Cannot create materialized view '{name}_v' for base table '{name}' with gc_grace_seconds of 0" in message


def test_name_taken(plain, view, refused):
    from cassandra import AlreadyExists

    name = view(f"SELECT * FROM {plain} WHERE a IS NOT NULL AND p IS NOT NULL PRIMARY KEY (a, p)")
    refused(
        AlreadyExists,
        f"CREATE MATERIALIZED VIEW {name} AS SELECT * FROM {plain} WHERE a IS NOT NULL AND p IS NOT NULL "
        "PRIMARY KEY (a, p)",
    )


def test_if_not_exists(plain, view, run):
    name = view(f"SELECT * FROM {plain} WHERE a IS NOT NULL AND p IS NOT NULL PRIMARY KEY (a, p)")
    run(
        f"CREATE MATERIALIZED VIEW IF NOT EXISTS {name} AS SELECT * FROM {plain} WHERE a IS NOT NULL AND p IS NOT NULL "
        "PRIMARY KEY (a, p)"
    )


@words
def test_a_single_partition_key_need_not_be_filtered(plain, view, run):
    """It can never be null, so nothing has to be said about it."""
    name = view(f"SELECT * FROM {plain} WHERE a IS NOT NULL PRIMARY KEY (a, p)")
    run(f"INSERT INTO {plain} (p, a) VALUES (500, 501)")
    assert run(f"SELECT p FROM {name} WHERE a = 501") == [(500,)]


# ---------------------------------------------------------------- what is refused of a view


@pytest.fixture
def by_a(plain, view):
    return view(f"SELECT * FROM {plain} WHERE a IS NOT NULL AND p IS NOT NULL PRIMARY KEY (a, p)")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {} (p, a) VALUES (1, 1)",
        "UPDATE {} SET b = 1 WHERE a = 1 AND p = 1",
        "DELETE FROM {} WHERE a = 1",
        "BEGIN BATCH DELETE FROM {} WHERE a = 1; APPLY BATCH",
    ],
)
def test_views_are_not_written_to(by_a, refused, statement):
    refused(InvalidRequest, statement.format(by_a), "Cannot directly modify a materialized view")


@words
def test_other_refusals(by_a, plain, refused):
    for error, statement, sentence in [
        (InvalidRequest, f"TRUNCATE {by_a}",
         "Cannot TRUNCATE materialized view directly; must truncate base table instead"),
        (InvalidRequest, f"DROP TABLE {by_a}",
         "Cannot use DROP TABLE on Materialized View. (Did you mean DROP MATERIALIZED VIEW)?"),
        (InvalidRequest, f"ALTER TABLE {by_a} ADD x int",
         "Cannot use ALTER TABLE on Materialized View. (Did you mean ALTER MATERIALIZED VIEW)?"),
        (InvalidRequest, f"ALTER TABLE {by_a} WITH comment = 'x'",
         "Cannot use ALTER TABLE on Materialized View. (Did you mean ALTER MATERIALIZED VIEW)?"),
        (InvalidRequest, f"DROP MATERIALIZED VIEW {plain}",
         "Cannot use DROP MATERIALIZED VIEW on Table. (Did you mean DROP TABLE)?"),
        (InvalidRequest, f"ALTER MATERIALIZED VIEW {plain} WITH comment = 'x'",
         "Cannot use ALTER MATERIALIZED VIEW on Table. (Did you mean ALTER TABLE)?"),
        (InvalidRequest, f"ALTER MATERIALIZED VIEW {by_a} WITH default_time_to_live = 7",
         "Cannot set or alter default_time_to_live for a materialized view."),
        (InvalidRequest, f"ALTER MATERIALIZED VIEW {by_a} WITH cdc = {{'enabled': true}}",
         "Cannot enable CDC for a materialized view"),
        (InvalidRequest, f"DROP TABLE {plain}",
         "Cannot drop table when materialized views still depend on it"),
        (InvalidRequest, f"ALTER TABLE {plain} WITH gc_grace_seconds = 0",
         "Cannot alter gc_grace_seconds of the base table of a materialized view to 0"),
        (ConfigurationException, f"DROP MATERIALIZED VIEW {by_a}_never",
         "Cannot drop non existing materialized view"),
    ]:  # fmt: skip
        assert sentence in refused(error, statement), statement


@words
def test_dependent_views_are_named(create, run, refused):
    table = create("(p int PRIMARY KEY, a int)")
    keyspace, name = table.split(".")
    for suffix in ("v2", "v1"):
        run(
            f"CREATE MATERIALIZED VIEW {table}_{suffix} AS SELECT * FROM {table} WHERE a IS NOT NULL AND p IS NOT NULL "
            "PRIMARY KEY (a, p)"
        )
    message = refused(InvalidRequest, f"DROP TABLE {table}")
    assert f"still depend on it ({keyspace}.{{{name}_v1, {name}_v2}})" in message
    run(f"DROP MATERIALIZED VIEW {table}_v1")
    run(f"DROP MATERIALIZED VIEW {table}_v2")


@words
def test_synchronous_updates_are_for_views(by_a, plain, run, refused):
    run(f"ALTER MATERIALIZED VIEW {by_a} WITH synchronous_updates = true")
    refused(
        InvalidRequest,
        f"ALTER TABLE {plain} WITH synchronous_updates = true",
        "The synchronous_updates option is only applicable to materialized views, not to base tables",
    )


# ---------------------------------------------------------------- changes of the base table


@words
def test_added_columns_come_into_views_of_everything(create, run):
    table = create("(p int PRIMARY KEY, a int)")
    for name, columns in (("whole", "*"), ("part", "p, a")):
        run(
            f"CREATE MATERIALIZED VIEW {table}_{name} AS SELECT {columns} FROM {table} "
            "WHERE a IS NOT NULL AND p IS NOT NULL PRIMARY KEY (a, p)"
        )
    run(f"ALTER TABLE {table} ADD b int")
    run(f"INSERT INTO {table} (p, a, b) VALUES (1, 2, 3)")
    assert run(f"SELECT * FROM {table}_whole") == [(2, 1, 3)]
    assert run(f"SELECT * FROM {table}_part") == [(2, 1)]
    for name in ("whole", "part"):
        run(f"DROP MATERIALIZED VIEW {table}_{name}")


@words
def test_columns_that_a_view_needs_cannot_be_dropped(create, run, refused):
    table = create("(p int, c int, a int, b int, d int, PRIMARY KEY (p, c))")
    run(
        f"CREATE MATERIALIZED VIEW {table}_v AS SELECT p, c, a, b FROM {table} WHERE a IS NOT NULL AND p IS NOT NULL "
        "AND c IS NOT NULL PRIMARY KEY (a, p, c)"
    )
    for column in ("a", "b"):
        message = refused(InvalidRequest, f"ALTER TABLE {table} DROP {column}")
        assert (
            f"Cannot drop column {column} from base table {table}: "
            f"materialized view {table.split('.')[1]}_v needs this column"
        ) in message
    run(f"ALTER TABLE {table} DROP d")  # it is not in the view, and the view's rows live by a
    run(f"DROP MATERIALIZED VIEW {table}_v")


@words
def test_columns_that_keep_rows_alive_cannot_be_dropped(create, run, refused):
    """Without a regular column in its key a view's row lives as long as the base row: by any of its cells."""
    table = create("(p int, c int, b int, PRIMARY KEY (p, c))")
    run(
        f"CREATE MATERIALIZED VIEW {table}_v AS SELECT p, c FROM {table} WHERE p IS NOT NULL AND c IS NOT NULL "
        "PRIMARY KEY (c, p)"
    )
    refused(InvalidRequest, f"ALTER TABLE {table} DROP b", "needs this column")
    run(f"DROP MATERIALIZED VIEW {table}_v")


def test_renaming_a_key_column_renames_it_in_views(create, run):
    table = create("(p int, c int, PRIMARY KEY (p, c))")
    run(
        f"CREATE MATERIALIZED VIEW {table}_v AS SELECT * FROM {table} WHERE c IS NOT NULL AND p IS NOT NULL "
        "PRIMARY KEY (c, p)"
    )
    run(f"ALTER TABLE {table} RENAME c TO k")
    run(f"INSERT INTO {table} (p, k) VALUES (1, 2)")
    assert run(f"SELECT k, p FROM {table}_v") == [(2, 1)]
    run(f"DROP MATERIALIZED VIEW {table}_v")


def test_dropping_the_keyspace_drops_all(session, run):
    run("CREATE KEYSPACE IF NOT EXISTS short_lived WITH replication = "
        "{'class': 'NetworkTopologyStrategy', 'replication_factor': 1}")  # fmt: skip
    run("CREATE TABLE short_lived.t (p int PRIMARY KEY, a int)")
    run(
        "CREATE MATERIALIZED VIEW short_lived.v AS SELECT * FROM short_lived.t WHERE a IS NOT NULL AND p IS NOT NULL "
        "PRIMARY KEY (a, p)"
    )
    run("DROP KEYSPACE short_lived")
    assert run("SELECT view_name FROM system_schema.views WHERE keyspace_name = 'short_lived'") == []


# ---------------------------------------------------------------- build status


@words
def test_a_built_view_is_listed(by_a, run):
    keyspace, name = by_a.split(".")
    where = f"WHERE keyspace_name = '{keyspace}' AND view_name = '{name}'"
    assert run(f"SELECT view_name FROM system.built_views {where}") == [(name,)]


@words
def test_build_status(by_a, session):
    from cassandra import ConsistencyLevel
    from cassandra.query import SimpleStatement

    keyspace, name = by_a.split(".")
    statement = (
        "SELECT status FROM system_distributed.view_build_status "
        f"WHERE keyspace_name = '{keyspace}' AND view_name = '{name}'"
    )
    rows = session.execute(SimpleStatement(statement, consistency_level=ConsistencyLevel.ONE)).all()
    assert [row[0] for row in rows] == ["SUCCESS"]
