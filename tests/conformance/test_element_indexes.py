"""Indexes on what is in a collection, and on static columns: one element, or one partition, may lead to many rows."""

import random

import pytest
from cassandra import InvalidRequest
from cassandra.query import SimpleStatement

from .conftest import eventually

words = pytest.mark.differs("cassandra", "words and rules of its own")


@pytest.fixture
def finds(run):
    """Whether a query comes to have exactly these rows, in whatever order."""

    def check(statement, expected):
        assert eventually(lambda: sorted(run(statement)) == sorted(expected)), run(statement)

    return check


@pytest.fixture
def table(create):
    return create(
        "(p int, c int, x int, l list<int>, s set<text>, m map<text, int>, t tuple<int, int>, f frozen<map<int, int>>, "
        "PRIMARY KEY (p, c))"
    )


@pytest.fixture
def fixed(create):
    """A table with static columns."""
    return create("(p int, c int, s int static, l list<int> static, v int, PRIMARY KEY (p, c))")


# ---------------------------------------------------------------- elements


def test_values_of_a_list(table, run, finds):
    run(f"CREATE INDEX ON {table} (l)")
    run(f"INSERT INTO {table} (p, c, l) VALUES (1, 1, [4, 5, 4])")
    run(f"INSERT INTO {table} (p, c, l) VALUES (1, 2, [5])")
    finds(f"SELECT p, c FROM {table} WHERE l CONTAINS 4", [(1, 1)])
    finds(f"SELECT p, c FROM {table} WHERE l CONTAINS 5", [(1, 1), (1, 2)])
    run(f"DELETE l[0] FROM {table} WHERE p = 1 AND c = 1")
    finds(f"SELECT p, c FROM {table} WHERE l CONTAINS 4", [(1, 1)])  # the other 4 is still there
    run(f"UPDATE {table} SET l = l - [4] WHERE p = 1 AND c = 1")
    finds(f"SELECT p, c FROM {table} WHERE l CONTAINS 4", [])
    run(f"UPDATE {table} SET l[0] = 9 WHERE p = 1 AND c = 2")
    finds(f"SELECT p, c FROM {table} WHERE l CONTAINS 5", [(1, 1)])
    finds(f"SELECT p, c FROM {table} WHERE l CONTAINS 9", [(1, 2)])


def test_what_is_in_a_set(table, run, finds):
    run(f"CREATE INDEX ON {table} (VALUES(s))")
    run(f"UPDATE {table} SET s = s + {{'a', 'b'}} WHERE p = 1 AND c = 1")
    finds(f"SELECT p FROM {table} WHERE s CONTAINS 'a'", [(1,)])
    run(f"UPDATE {table} SET s = {{'b'}} WHERE p = 1 AND c = 1")
    finds(f"SELECT p FROM {table} WHERE s CONTAINS 'a'", [])
    finds(f"SELECT p FROM {table} WHERE s CONTAINS 'b'", [(1,)])
    run(f"DELETE FROM {table} WHERE p = 1")
    finds(f"SELECT p FROM {table} WHERE s CONTAINS 'b'", [])


@pytest.mark.parametrize(
    "target, served, refused_ones",
    [
        ("m", "m CONTAINS 1", ("m CONTAINS KEY 'a'", "m['a'] = 1")),
        ("VALUES(m)", "m CONTAINS 1", ("m CONTAINS KEY 'a'", "m['a'] = 1")),
        ("KEYS(m)", "m CONTAINS KEY 'a'", ("m CONTAINS 1", "m['a'] = 1")),
        ("ENTRIES(m)", "m['a'] = 1", ("m CONTAINS 1", "m CONTAINS KEY 'a'")),
    ],
)
def test_what_of_a_map_is_indexed(table, run, refused, finds, target, served, refused_ones):
    """An index serves the one question it was made for; the others still have to be filtered for."""
    run(f"CREATE INDEX ON {table} ({target})")
    run(f"INSERT INTO {table} (p, c, m) VALUES (1, 1, {{'a': 1, 'b': 1}})")
    run(f"INSERT INTO {table} (p, c, m) VALUES (2, 1, {{'c': 2}})")
    finds(f"SELECT p FROM {table} WHERE {served}", [(1,)])
    for relation in refused_ones:
        refused(InvalidRequest, f"SELECT p FROM {table} WHERE {relation}", "ALLOW FILTERING")
    run(f"DELETE m['a'] FROM {table} WHERE p = 1 AND c = 1")
    finds(f"SELECT p FROM {table} WHERE {served}", [(1,)] if served == "m CONTAINS 1" else [])


def test_all_indexes_of_a_map_at_once(table, run, finds):
    for target in ("m", "KEYS(m)", "ENTRIES(m)"):
        run(f"CREATE INDEX ON {table} ({target})")
    run(f"INSERT INTO {table} (p, c, m) VALUES (1, 1, {{'a': 1}})")
    run(f"UPDATE {table} SET m['a'] = 2, m['b'] = 1 WHERE p = 1 AND c = 1")
    for relation in ("m CONTAINS 1", "m CONTAINS 2", "m CONTAINS KEY 'a'", "m['a'] = 2", "m['b'] = 1"):
        finds(f"SELECT p, c FROM {table} WHERE {relation}", [(1, 1)])
    finds(f"SELECT p, c FROM {table} WHERE m['a'] = 1", [])


def test_a_row_is_found_once_however_it_is_paged(table, run, session):
    run(f"CREATE INDEX ON {table} (m)")
    for c in range(5):
        run(f"INSERT INTO {table} (p, c, m) VALUES (1, {c}, {{'a': 3, 'b': 3, 'c': 3, 'd': {c}}})")
    question = f"SELECT p, c FROM {table} WHERE m CONTAINS 3"
    assert eventually(lambda: len(run(question)) == 5)
    for size in (1, 2, 3, 100):
        assert [tuple(row) for row in session.execute(SimpleStatement(question, fetch_size=size))] == [
            (1, c) for c in range(5)
        ]


def test_elements_without_clustering_columns(create, run, finds):
    table = create("(p int PRIMARY KEY, m map<int, int>)")
    run(f"CREATE INDEX ON {table} (m)")
    for p in range(6):
        run(f"INSERT INTO {table} (p, m) VALUES ({p}, {{1: {p % 2}, 2: {p % 2}}})")
    finds(f"SELECT p FROM {table} WHERE m CONTAINS 1", [(1,), (3,), (5,)])


def test_building_over_elements_that_are_there(table, run, finds):
    run(f"INSERT INTO {table} (p, c, m) VALUES (1, 1, {{'a': 1}})")
    run(f"CREATE INDEX ON {table} (ENTRIES(m))")
    finds(f"SELECT p FROM {table} WHERE m['a'] = 1", [(1,)])


@pytest.mark.embedded
def test_an_element_expires_alone(table, run, finds, engine):
    run(f"CREATE INDEX ON {table} (KEYS(m))")
    run(f"UPDATE {table} SET m['a'] = 1 WHERE p = 1 AND c = 1")
    run(f"UPDATE {table} USING TTL 1000 SET m['b'] = 1 WHERE p = 1 AND c = 1")
    finds(f"SELECT p FROM {table} WHERE m CONTAINS KEY 'b'", [(1,)])
    engine.control("push_clock", seconds=1001)
    finds(f"SELECT p FROM {table} WHERE m CONTAINS KEY 'b'", [])
    finds(f"SELECT p FROM {table} WHERE m CONTAINS KEY 'a'", [(1,)])


@pytest.mark.parametrize("seed", range(3))
def test_an_index_finds_what_filtering_finds(create, run, finds, seed):
    """Whatever is done to a map, its indexes say the same of it as looking at every row."""
    table = create("(p int PRIMARY KEY, m map<int, text>)")
    plain = create("(p int PRIMARY KEY, m map<int, text>)")
    for target in ("KEYS(m)", "VALUES(m)", "ENTRIES(m)"):
        run(f"CREATE INDEX ON {table} ({target})")
    chance = random.Random(seed)
    for _ in range(25):
        p, k, v = chance.choice((1, 2)), chance.choice((1, 2, 3)), chance.choice("abc")
        statement = chance.choice(
            (
                "INSERT INTO {} (p, m) VALUES ({p}, {{{k}: '{v}', 9: '{v}'}})",
                "UPDATE {} SET m[{k}] = '{v}' WHERE p = {p}",
                "UPDATE {} SET m = m + {{{k}: '{v}'}} WHERE p = {p}",
                "UPDATE {} SET m = m - {{{k}}} WHERE p = {p}",
                "DELETE m[{k}] FROM {} WHERE p = {p}",
                "DELETE m FROM {} WHERE p = {p}",
                "DELETE FROM {} WHERE p = {p}",
            )
        )
        for name in (table, plain):
            run(statement.format(name, p=p, k=k, v=v))
        for relation in (f"m CONTAINS KEY {k}", f"m CONTAINS '{v}'", f"m[{k}] = '{v}'"):
            expected = run(f"SELECT p FROM {plain} WHERE {relation} ALLOW FILTERING")
            finds(f"SELECT p FROM {table} WHERE {relation}", expected)


def test_an_index_answers_for_one_element(table, run, refused, finds):
    """Two relations on one collection are more than an index can answer."""
    run(f"CREATE INDEX ON {table} (s)")
    run(f"CREATE INDEX ON {table} (ENTRIES(m))")
    run(f"INSERT INTO {table} (p, c, s, m) VALUES (1, 1, {{'a', 'b'}}, {{'a': 1, 'b': 2}})")
    run(f"INSERT INTO {table} (p, c, s, m) VALUES (2, 1, {{'a'}}, {{'a': 1}})")
    for relations in ("s CONTAINS 'a' AND s CONTAINS 'b'", "m['a'] = 1 AND m['b'] = 2"):
        refused(InvalidRequest, f"SELECT p FROM {table} WHERE {relations}", "ALLOW FILTERING")
        finds(f"SELECT p FROM {table} WHERE {relations} ALLOW FILTERING", [(1,)])


# ---------------------------------------------------------------- static columns


def test_a_static_value_finds_all_rows_of_its_partitions(fixed, run, finds):
    run(f"CREATE INDEX ON {fixed} (s)")
    run(f"INSERT INTO {fixed} (p, c, s) VALUES (1, 1, 7)")
    run(f"INSERT INTO {fixed} (p, c) VALUES (1, 2)")
    run(f"INSERT INTO {fixed} (p, c, s) VALUES (2, 1, 8)")
    finds(f"SELECT p, c FROM {fixed} WHERE s = 7", [(1, 1), (1, 2)])
    finds(f"SELECT p, c FROM {fixed} WHERE s = 7 AND p = 1", [(1, 1), (1, 2)])
    finds(f"SELECT p, c FROM {fixed} WHERE s = 7 AND p = 2", [])
    run(f"UPDATE {fixed} SET s = 8 WHERE p = 1")
    finds(f"SELECT p, c FROM {fixed} WHERE s = 7", [])
    finds(f"SELECT p, c FROM {fixed} WHERE s = 8", [(1, 1), (1, 2), (2, 1)])


@words
def test_static_values_outlive_rows(fixed, run, finds):
    """Deleting all rows leaves the static value, and one row with nulls to show it; deleting the partition does not."""
    run(f"CREATE INDEX ON {fixed} (s)")
    run(f"INSERT INTO {fixed} (p, c, s, v) VALUES (1, 1, 7, 1)")
    run(f"DELETE FROM {fixed} WHERE p = 1 AND c >= 0")
    assert run(f"SELECT p, c, v FROM {fixed} WHERE s = 7") == [(1, None, None)]
    run(f"DELETE FROM {fixed} WHERE p = 1")
    finds(f"SELECT p FROM {fixed} WHERE s = 7", [])


def test_static_and_regular_indexes_side_by_side(fixed, run, finds):
    run(f"CREATE INDEX ON {fixed} (s)")
    run(f"CREATE INDEX ON {fixed} (v)")
    run(f"INSERT INTO {fixed} (p, c, s, v) VALUES (1, 1, 7, 1)")
    run(f"INSERT INTO {fixed} (p, c, s, v) VALUES (2, 1, 7, 2)")
    run(
        f"BEGIN BATCH UPDATE {fixed} SET s = 8 WHERE p = 1; UPDATE {fixed} SET v = 5 WHERE p = 1 AND c = 1; APPLY BATCH"
    )
    finds(f"SELECT p FROM {fixed} WHERE s = 7", [(2,)])
    finds(f"SELECT p FROM {fixed} WHERE s = 8", [(1,)])
    finds(f"SELECT p FROM {fixed} WHERE v = 1", [])
    finds(f"SELECT p FROM {fixed} WHERE v = 5", [(1,)])


def test_a_static_collection(fixed, run, finds):
    run(f"CREATE INDEX ON {fixed} (l)")
    run(f"INSERT INTO {fixed} (p, c, l) VALUES (1, 1, [4, 4])")
    run(f"INSERT INTO {fixed} (p, c) VALUES (1, 2)")
    finds(f"SELECT p, c FROM {fixed} WHERE l CONTAINS 4", [(1, 1), (1, 2)])
    run(f"UPDATE {fixed} SET l = l - [4] WHERE p = 1")
    finds(f"SELECT p, c FROM {fixed} WHERE l CONTAINS 4", [])


def test_pages_through_a_static_index(fixed, run, session):
    run(f"CREATE INDEX ON {fixed} (s)")
    for p in range(4):
        for c in range(3):
            run(f"INSERT INTO {fixed} (p, c, s) VALUES ({p}, {c}, 7)")
    question = f"SELECT p, c FROM {fixed} WHERE s = 7"
    assert eventually(lambda: len(run(question)) == 12)
    for size in (1, 2, 3, 5):
        rows = [tuple(row) for row in session.execute(SimpleStatement(question, fetch_size=size))]
        assert sorted(rows) == [(p, c) for p in range(4) for c in range(3)]
    assert len(run(f"{question} LIMIT 7")) == 7
    assert len(run(f"{question} PER PARTITION LIMIT 2")) == 8


# ---------------------------------------------------------------- names and rules


def described(run, table):
    keyspace, name = table.split(".")
    return sorted(
        run(
            "SELECT index_name, options FROM system_schema.indexes "
            f"WHERE keyspace_name = '{keyspace}' AND table_name = '{name}'"
        )
    )


@words
def test_default_names_and_targets(table, run, keyspace):
    """Indexes on one column are numbered, whatever of it they are on; a set's elements are kept as its keys."""
    for target in ("m", "keys(m)", "entries(m)", "s", "full(f)"):
        run(f"CREATE INDEX ON {table} ({target})")
    name = table.split(".")[1]
    assert [(index, dict(options)) for index, options in described(run, table)] == [
        (f"{name}_f_idx", {"target": "f"}),
        (f"{name}_m_idx", {"target": "values(m)"}),
        (f"{name}_m_idx_1", {"target": "keys(m)"}),
        (f"{name}_m_idx_2", {"target": "entries(m)"}),
        (f"{name}_s_idx", {"target": "keys(s)"}),
    ]
    statements = {
        index: run(f"DESCRIBE INDEX {keyspace}.{name}_{index}")[0][3].strip()
        for index in ("f_idx", "m_idx", "m_idx_1", "m_idx_2", "s_idx")
    }
    for index, target in {
        "f_idx": "full(f)",
        "m_idx": "values(m)",
        "m_idx_1": "keys(m)",
        "m_idx_2": "entries(m)",
        "s_idx": "s",
    }.items():
        assert statements[index] == f"CREATE INDEX {name}_{index} ON {table}({target});"


@words
def test_the_tables_behind(table, run):
    """Of elements, the hidden view has a computed column; on values, also the key, to tell equal ones apart."""
    keyspace = table.split(".")[0]
    run(f"CREATE INDEX by_value ON {table} (m)")
    run(f"CREATE INDEX by_entry ON {table} (entries(m))")

    def columns(view):
        return sorted(
            run(
                "SELECT kind, position, column_name, type FROM system_schema.columns "
                f"WHERE keyspace_name = '{keyspace}' AND table_name = '{view}'"
            )
        )

    assert columns("by_value_index") == [
        ("clustering", 0, "idx_token", "bigint"),
        ("clustering", 1, "p", "int"),
        ("clustering", 2, "c", "int"),
        ("clustering", 3, "keys_for_values_idx", "text"),
        ("partition_key", 0, "coll_value", "int"),
    ]
    assert columns("by_entry_index") == [
        ("clustering", 0, "idx_token", "bigint"),
        ("clustering", 1, "p", "int"),
        ("clustering", 2, "c", "int"),
        ("partition_key", 0, "coll_value", "frozen<tuple<text, int>>"),
    ]


@words
@pytest.mark.parametrize(
    "target, sentence",
    [
        ("keys(x)", "Cannot create index on keys() of column x; only non-frozen collections support keys() indexes"),
        ("entries(t)", "Cannot create index on entries() of column t; only non-frozen collections support entries"),
        ("values(x)", "Cannot create index on values() of column x; only non-frozen collections support values()"),
        ("keys(l)", "Cannot create secondary index on keys of column l with non-map type"),
        ("entries(s)", "Cannot create secondary index on entries of column s with non-map type"),
        ("full(m)", "full() indexes can only be created on frozen collections"),
        ("full(x)", "full() indexes can only be created on frozen collections"),
        ("f", "Cannot create index on value of frozen collection column f"),
        ("keys(f)", "Cannot create index on keys() of frozen collection column f"),
    ],
)
def test_what_cannot_be_indexed(table, refused, target, sentence):
    assert sentence in refused(InvalidRequest, f"CREATE INDEX ON {table} ({target})")


@words
def test_a_column_and_its_values_are_one_target(table, run, refused):
    for column in ("l", "s", "m"):
        run(f"CREATE INDEX ON {table} ({column})")
        refused(InvalidRequest, f"CREATE INDEX ON {table} (values({column}))", "is a duplicate of existing index")


@words
def test_an_indexed_collection_cannot_be_dropped(table, run, refused):
    run(f"CREATE INDEX by_key ON {table} (keys(m))")
    refused(InvalidRequest, f"ALTER TABLE {table} DROP m", "materialized view by_key_index needs this column")
    run(f"ALTER TABLE {table} ADD more int")
    run(f"INSERT INTO {table} (p, c, m, more) VALUES (1, 1, {{'a': 1}}, 1)")
    assert run(f"SELECT more FROM {table} WHERE m CONTAINS KEY 'a'") == [(1,)]


@words
def test_writes_do_not_look_into_clustering_collections(create, refused):
    """Only a query may ask what a key contains; for writes neither an index nor filtering would help."""
    table = create("(p int, c frozen<map<int, int>>, v int, PRIMARY KEY (p, c))")
    for relation in ("c CONTAINS 1", "c CONTAINS KEY 1"):
        for statement in (
            f"UPDATE {table} SET v = 1 WHERE p = 1 AND {relation}",
            f"UPDATE {table} SET v = 1 WHERE p = 1 AND {relation} IF v = 2",
        ):
            refused(InvalidRequest, statement, "Cannot restrict clustering columns by a CONTAINS relation without")
