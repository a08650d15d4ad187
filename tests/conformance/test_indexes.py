"""Secondary indexes: they make a query possible, they follow every write, and they have rules of their own."""

import pytest
from cassandra import InvalidRequest

from .conftest import eventually

words = pytest.mark.differs("cassandra", "words and rules of its own")


@pytest.fixture
def table(create, run):
    name = create("(p int, c int, s int static, v int, w text, l list<int>, f frozen<list<int>>, PRIMARY KEY (p, c))")
    run(f"CREATE INDEX ON {name} (v)")
    return name


@pytest.fixture
def finds(run):
    """Whether a query comes to have exactly these rows, in whatever order."""

    def check(statement, expected):
        assert eventually(lambda: sorted(run(statement)) == sorted(expected)), run(statement)

    return check


# ---------------------------------------------------------------- they follow


def test_finding_by_value(table, run, finds):
    for p, c, v in ((1, 1, 7), (1, 2, 8), (2, 1, 7)):
        run(f"INSERT INTO {table} (p, c, v) VALUES ({p}, {c}, {v})")
    finds(f"SELECT p, c FROM {table} WHERE v = 7", [(1, 1), (2, 1)])
    finds(f"SELECT p, c FROM {table} WHERE v = 9", [])


def test_update_and_delete(table, run, finds):
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 1, 7)")
    run(f"UPDATE {table} SET v = 8 WHERE p = 1 AND c = 1")
    finds(f"SELECT c FROM {table} WHERE v = 7", [])
    finds(f"SELECT c FROM {table} WHERE v = 8", [(1,)])
    run(f"UPDATE {table} SET v = 7 WHERE p = 1 AND c = 1")
    finds(f"SELECT c FROM {table} WHERE v = 7", [(1,)])
    run(f"DELETE v FROM {table} WHERE p = 1 AND c = 1")
    finds(f"SELECT c FROM {table} WHERE v = 7", [])
    run(f"UPDATE {table} SET v = 7 WHERE p = 1 AND c = 1")
    run(f"DELETE FROM {table} WHERE p = 1")
    finds(f"SELECT c FROM {table} WHERE v = 7", [])


def test_truncate(table, run, finds):
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 1, 7)")
    run(f"TRUNCATE {table}")
    finds(f"SELECT c FROM {table} WHERE v = 7", [])


@pytest.mark.differs("cassandra", "answers with a failure while an index is being built")
def test_building_over_what_is_there(create, run, finds):
    table = create("(p int PRIMARY KEY, v int)")
    for p in range(50):
        run(f"INSERT INTO {table} (p, v) VALUES ({p}, {p % 5})")
    run(f"CREATE INDEX ON {table} (v)")
    finds(f"SELECT p FROM {table} WHERE v = 3", [(p,) for p in range(3, 50, 5)])


def test_batches_and_transactions(table, run, finds):
    run(f"BEGIN BATCH INSERT INTO {table} (p, c, v) VALUES (1, 1, 7); INSERT INTO {table} (p, c, v) VALUES (2, 1, 7); "
        "APPLY BATCH")  # fmt: skip
    run(f"UPDATE {table} SET v = 8 WHERE p = 1 AND c = 1 IF v = 7")
    finds(f"SELECT p FROM {table} WHERE v = 7", [(2,)])


@pytest.mark.embedded
def test_expiry(table, run, finds, engine):
    run(f"INSERT INTO {table} (p, c) VALUES (1, 1)")
    run(f"UPDATE {table} USING TTL 1000 SET v = 7 WHERE p = 1 AND c = 1")
    finds(f"SELECT c FROM {table} WHERE v = 7", [(1,)])
    engine.control("push_clock", seconds=1001)
    finds(f"SELECT c FROM {table} WHERE v = 7", [])


# ---------------------------------------------------------------- what they serve


def test_with_the_partition_key(table, run, finds):
    for p, c, v in ((1, 1, 7), (1, 2, 7), (2, 1, 7)):
        run(f"INSERT INTO {table} (p, c, v) VALUES ({p}, {c}, {v})")
    finds(f"SELECT p, c FROM {table} WHERE v = 7 AND p = 1", [(1, 1), (1, 2)])
    finds(f"SELECT p, c FROM {table} WHERE v = 7 AND p = 1 AND c = 2", [(1, 2)])


def test_another_filter_needs_allow_filtering(table, run, refused, finds):
    run(f"INSERT INTO {table} (p, c, v, w) VALUES (1, 1, 7, 'x')")
    run(f"INSERT INTO {table} (p, c, v, w) VALUES (2, 1, 7, 'y')")
    refused(InvalidRequest, f"SELECT p FROM {table} WHERE v = 7 AND w = 'x'", "ALLOW FILTERING")
    finds(f"SELECT p FROM {table} WHERE v = 7 AND w = 'x' ALLOW FILTERING", [(1,)])


def test_ranges_are_not_served(table, refused):
    refused(InvalidRequest, f"SELECT p FROM {table} WHERE v > 7", "ALLOW FILTERING")


def test_limit_and_paging(table, run, session):
    from cassandra.query import SimpleStatement

    for p in range(25):
        run(f"INSERT INTO {table} (p, c, v) VALUES ({p}, 1, 7)")
    assert eventually(lambda: len(run(f"SELECT p FROM {table} WHERE v = 7")) == 25)
    assert len(run(f"SELECT p FROM {table} WHERE v = 7 LIMIT 10")) == 10
    paged = session.execute(SimpleStatement(f"SELECT p FROM {table} WHERE v = 7", fetch_size=4))
    assert sorted(row[0] for row in paged) == list(range(25))


@words
def test_rows_come_in_token_order(table, run):
    for p in range(10):
        run(f"INSERT INTO {table} (p, c, v) VALUES ({p}, 1, 7)")
    tokens = [row[0] for row in run(f"SELECT token(p) FROM {table} WHERE v = 7")]
    assert tokens == sorted(tokens) and len(tokens) == 10


def test_index_on_a_clustering_column(create, run, finds):
    table = create("(p int, c int, PRIMARY KEY (p, c))")
    run(f"CREATE INDEX ON {table} (c)")
    for p in (1, 2):
        run(f"INSERT INTO {table} (p, c) VALUES ({p}, 5)")
    finds(f"SELECT p FROM {table} WHERE c = 5", [(1,), (2,)])


def test_index_on_a_part_of_the_partition_key(create, run, finds):
    table = create("(p int, q int, c int, PRIMARY KEY ((p, q), c))")
    run(f"CREATE INDEX ON {table} (q)")
    run(f"INSERT INTO {table} (p, q, c) VALUES (1, 5, 1)")
    run(f"INSERT INTO {table} (p, q, c) VALUES (2, 5, 1)")
    finds(f"SELECT p FROM {table} WHERE q = 5", [(1,), (2,)])


def test_index_on_a_frozen_collection(table, run, finds):
    run(f"CREATE INDEX ON {table} (FULL(f))")
    run(f"INSERT INTO {table} (p, c, f) VALUES (1, 1, [1, 2])")
    finds(f"SELECT p FROM {table} WHERE f = [1, 2]", [(1,)])


# ---------------------------------------------------------------- names and rules


def index_names(run, table):
    keyspace, name = table.split(".")
    return sorted(
        row[0]
        for row in run(
            f"SELECT index_name FROM system_schema.indexes WHERE keyspace_name = '{keyspace}' AND table_name = '{name}'"
        )
    )


def test_default_name(table, run):
    assert index_names(run, table) == [f"{table.split('.')[1]}_v_idx"]


def test_own_name_and_drop(table, run, refused, keyspace):
    run(f"CREATE INDEX by_w ON {table} (w)")
    assert "by_w" in index_names(run, table)
    run(f"DROP INDEX {keyspace}.by_w")
    refused(InvalidRequest, f"SELECT p FROM {table} WHERE w = 'x'", "ALLOW FILTERING")


def test_if_not_exists_and_if_exists(table, run, keyspace):
    run(f"CREATE INDEX IF NOT EXISTS ON {table} (v)")
    run(f"DROP INDEX IF EXISTS {keyspace}.never")
    assert len(index_names(run, table)) == 1


@words
@pytest.mark.parametrize(
    "statement, sentence",
    [
        ("CREATE INDEX ON {table} (v)", "is a duplicate of existing index"),
        ("CREATE INDEX ON {table} (nowhere)", "No column definition found for column nowhere"),
        ("CREATE INDEX ON {table} (p)", "Cannot create secondary index on partition key column p"),
        ("CREATE INDEX ON {keyspace}.never (v)", "never"),
        ("DROP INDEX {keyspace}.never", "never"),
        ("CREATE CUSTOM INDEX ON {table} (w)", "CUSTOM index requires specifying the index class"),
        ("CREATE CUSTOM INDEX ON {table} (w) USING 'org.example.Index'", "Non-supported custom class"),
    ],
)
def test_rules(table, keyspace, refused, statement, sentence):
    assert sentence in refused(InvalidRequest, statement.format(table=table, keyspace=keyspace))


@words
def test_dropping_an_indexed_column(table, refused, run):
    refused(InvalidRequest, f"ALTER TABLE {table} DROP v", "v")


@words
def test_the_view_behind_an_index(table, run, refused):
    """An index is a hidden view; nobody drops it as one."""
    refused(InvalidRequest, f"DROP MATERIALIZED VIEW {table}_v_idx_index", "Cannot use DROP MATERIALIZED VIEW on Index")


def test_dropping_the_table_drops_its_indexes(keyspace, run):
    run(f"CREATE TABLE {keyspace}.indexed (p int PRIMARY KEY, v int)")
    run(f"CREATE INDEX gone ON {keyspace}.indexed (v)")
    run(f"DROP TABLE {keyspace}.indexed")
    assert index_names(run, f"{keyspace}.indexed") == []
    run(f"CREATE TABLE {keyspace}.indexed (p int PRIMARY KEY, v int)")
    run(f"CREATE INDEX gone ON {keyspace}.indexed (v)")
    run(f"DROP TABLE {keyspace}.indexed")


@words
def test_index_building_is_told_as_a_view(table, run):
    keyspace, name = table.split(".")
    assert run(
        f"SELECT view_name FROM system.built_views WHERE keyspace_name = '{keyspace}' "
        f"AND view_name = '{name}_v_idx_index'"
    )


def test_built_indexes_are_listed_by_keyspace(table, run, keyspace):
    """A table kept from the oldest versions, where a name of a keyspace stands under ``table_name``."""
    name = f"{table.split('.')[1]}_v_idx"
    asked = f"SELECT table_name, index_name FROM system.\"IndexInfo\" WHERE table_name = '{keyspace}'"
    assert eventually(lambda: (keyspace, name) in run(asked))
    run(f"DROP INDEX {keyspace}.{name}")
    assert (keyspace, name) not in run(asked)


# ---------------------------------------------------------------- local indexes

scylla = pytest.mark.differs("cassandra", "has no local indexes")


@pytest.fixture
def near(table, run):
    run(f"CREATE INDEX ON {table} ((p), w)")
    for p, c, w in ((1, 1, "x"), (1, 2, "y"), (1, 3, "x"), (2, 1, "x")):
        run(f"INSERT INTO {table} (p, c, w) VALUES ({p}, {c}, '{w}')")
    return table


@scylla
def test_a_local_index_serves_one_partition(near, run, refused, finds):
    finds(f"SELECT c FROM {near} WHERE p = 1 AND w = 'x'", [(1,), (3,)])
    refused(InvalidRequest, f"SELECT c FROM {near} WHERE w = 'x'", "ALLOW FILTERING")
    refused(InvalidRequest, f"SELECT c FROM {near} WHERE p IN (1, 2) AND w = 'x'", "ALLOW FILTERING")
    run(f"UPDATE {near} SET w = 'y' WHERE p = 1 AND c = 1")
    finds(f"SELECT c FROM {near} WHERE p = 1 AND w = 'x'", [(3,)])


@scylla
def test_a_local_index_in_pages(near, session):
    from cassandra.query import SimpleStatement

    question = f"SELECT c FROM {near} WHERE p = 1 AND w = 'x'"
    for size in (1, 2, 3):
        rows = session.execute(SimpleStatement(question, fetch_size=size))
        assert [row[0] for row in rows] == [1, 3]


@scylla
def test_a_local_index_is_described(near, run, keyspace):
    name = near.split(".")[1]
    ((statement,),) = [row[3:] for row in run(f"DESCRIBE INDEX {keyspace}.{name}_w_idx")]
    assert statement.strip() == f"CREATE INDEX {name}_w_idx ON {near}((p), w);"


@scylla
@pytest.mark.parametrize(
    "target, sentence",
    [
        ("((p), l)", "Local secondary index on collection column l is not implemented yet."),
        ("((p), s)", "Local indexes containing static columns are not supported."),
        ("((c), v)", "Local index definition must contain full partition key only. Redundant column: c"),
        ("((p))", "Local index definition must provide an indexed column, not just partition key"),
    ],
)
def test_what_a_local_index_cannot_be(table, refused, target, sentence):
    assert sentence in refused(InvalidRequest, f"CREATE INDEX ON {table} {target}")


@words
def test_the_view_behind_an_index_takes_properties(table, run, refused, keyspace):
    run(f"CREATE INDEX said ON {table} (w) WITH comment = 'by w' AND gc_grace_seconds = 3600")
    assert run(
        "SELECT comment, gc_grace_seconds FROM system_schema.views "
        f"WHERE keyspace_name = '{keyspace}' AND view_name = 'said_index'"
    ) == [("by w", 3600)]
    refused(InvalidRequest, f"CREATE INDEX ON {table} (c) WITH default_time_to_live = 5", "materialized view")
