"""Prepared statements: what the server says of them, how values are bound, and what schema changes do to them."""

from __future__ import annotations

import uuid

import pytest
from cassandra import InvalidRequest
from cassandra.protocol import SyntaxException
from cassandra.query import UNSET_VALUE


@pytest.fixture(scope="module")
def orders(session, keyspace) -> str:
    table = f"{keyspace}.orders"
    session.execute(
        f"CREATE TABLE {table} (a int, b text, c timeuuid, v int, s int static, l list<int>, st set<text>, "
        "m map<text, int>, fl frozen<list<int>>, tp tuple<int, text>, PRIMARY KEY ((a, b), c))"
    )
    return table


def names(prepared) -> list[str]:
    return [spec.name for spec in prepared.column_metadata]


def types(prepared) -> list[str]:
    return [spec.type.cql_parameterized_type() for spec in prepared.column_metadata]


# ---------------------------------------------------------------- variables


@pytest.mark.parametrize(
    "statement, expected",
    [
        ("INSERT INTO {t} (a, b, c, v) VALUES (?, ?, ?, ?)", ["a", "b", "c", "v"]),
        ("INSERT INTO {t} (a, b, c, v) VALUES (:x, :y, :z, ?)", ["x", "y", "z", "v"]),
        (
            "INSERT INTO {t} (a, b, c) VALUES (?, ?, ?) USING TTL ? AND TIMESTAMP ?",
            ["a", "b", "c", "[ttl]", "[timestamp]"],
        ),
        ("UPDATE {t} USING TTL ? SET v = ? WHERE a = ? AND b = ? AND c = ?", ["[ttl]", "v", "a", "b", "c"]),
        ("SELECT * FROM {t} WHERE a = ? AND b = ? LIMIT ?", ["a", "b", "[limit]"]),
        ("SELECT * FROM {t} WHERE token(a, b) > ?", ["partition key token"]),
        ("DELETE FROM {t} USING TIMESTAMP ? WHERE a = ? AND b = ?", ["[timestamp]", "a", "b"]),
    ],
)
def test_names_of_variables(orders, session, statement, expected):
    assert names(session.prepare(statement.format(t=orders))) == expected


@pytest.mark.differs("cassandra", "it calls this limit [per_partition_limit]")
def test_both_limits_have_one_name(orders, session):
    assert names(session.prepare(f"SELECT * FROM {orders} PER PARTITION LIMIT ? LIMIT ?")) == ["[limit]", "[limit]"]


@pytest.mark.differs("cassandra", "it writes in(a) in small letters")
def test_names_of_variables_in_an_in(orders, session):
    assert names(session.prepare(f"SELECT * FROM {orders} WHERE a IN ? AND b = ?")) == ["IN(a)", "b"]


@pytest.mark.parametrize(
    "statement, expected",
    [
        (
            "UPDATE {t} SET l = ?, st = ?, m = ? WHERE a = 1 AND b = 'x' AND c = now()",
            ["list<int>", "set<text>", "map<text, int>"],
        ),
        ("UPDATE {t} SET m[?] = ?, l[?] = ? WHERE a = 1 AND b = 'x' AND c = now()", ["text", "int", "int", "int"]),
        ("UPDATE {t} SET st = st + ?, m = m - ? WHERE a = 1 AND b = 'x' AND c = now()", ["set<text>", "set<text>"]),
        (
            "SELECT * FROM {t} WHERE st CONTAINS ? AND m CONTAINS KEY ? AND m CONTAINS ? ALLOW FILTERING",
            ["text", "text", "int"],
        ),
        ("SELECT * FROM {t} WHERE a IN ? AND b = ?", ["list<int>", "text"]),
        ("SELECT * FROM {t} WHERE token(a, b) > ? LIMIT ?", ["bigint", "int"]),
        ("SELECT blobasint(?) FROM {t}", ["blob"]),
    ],
)
def test_types_of_variables(orders, session, statement, expected):
    assert [kind.replace("varchar", "text") for kind in types(session.prepare(statement.format(t=orders)))] == expected


@pytest.mark.parametrize(
    "statement, expected",
    [
        ("INSERT INTO {t} (c, b, a) VALUES (?, ?, ?)", [2, 1]),
        ("SELECT * FROM {t} WHERE b = ? AND a = ?", [1, 0]),
        ("UPDATE {t} SET v = ? WHERE a = ? AND b = ? AND c = ?", [1, 2]),
        ("SELECT * FROM {t} WHERE a = 1 AND b = ?", None),
        ("SELECT * FROM {t} WHERE a IN ? AND b = ?", None),
        ("SELECT * FROM {t}", None),
    ],
)
def test_routing_indexes(orders, session, statement, expected):
    """Where the partition key is found among the variables; without it a driver cannot choose the right node."""
    assert session.prepare(statement.format(t=orders)).routing_key_indexes == expected


def test_a_batch_text_can_be_prepared(orders, session):
    prepared = session.prepare(
        f"BEGIN BATCH INSERT INTO {orders} (a, b, c) VALUES (?, ?, ?); "
        f"DELETE FROM {orders} WHERE a = ? AND b = ? APPLY BATCH"
    )
    assert len(prepared.column_metadata) == 5


# ---------------------------------------------------------------- binding


def test_one_name_may_stand_twice(create, session):
    table = create("(p int PRIMARY KEY, v int, w int)")
    prepared = session.prepare(f"INSERT INTO {table} (p, v, w) VALUES (:n, :n, :m)")
    session.execute(prepared, {"n": 1, "m": 2})
    assert list(session.execute(f"SELECT * FROM {table}")) == [(1, 1, 2)]


def test_names_keep_their_case_in_quotes(create, session):
    table = create("(p int PRIMARY KEY)")
    assert names(session.prepare(f'SELECT * FROM {table} WHERE p = :"Wanted"')) == ["Wanted"]
    assert names(session.prepare(f"SELECT * FROM {table} WHERE p = :Wanted")) == ["wanted"]


def test_null_deletes_and_unset_leaves_alone(create, session):
    table = create("(p int PRIMARY KEY, v int, w int)")
    prepared = session.prepare(f"INSERT INTO {table} (p, v, w) VALUES (?, ?, ?)")
    session.execute(prepared, (1, 1, 1))
    session.execute(prepared, (1, None, UNSET_VALUE))
    assert list(session.execute(f"SELECT * FROM {table}")) == [(1, None, 1)]


@pytest.mark.parametrize("value", [None, UNSET_VALUE])
def test_a_key_needs_a_value(create, session, value):
    table = create("(p text, c text, PRIMARY KEY (p, c))")
    prepared = session.prepare(f"INSERT INTO {table} (p, c) VALUES (?, ?)")
    for key in (("x", value), (value, "x")):
        # The driver itself refuses what it cannot route.
        with pytest.raises((InvalidRequest, ValueError)):
            session.execute(prepared, key)


def test_unset_limit_is_no_limit(orders, session):
    prepared = session.prepare(f"SELECT * FROM {orders} LIMIT ?")
    assert list(session.execute(prepared, [UNSET_VALUE])) == []


@pytest.mark.parametrize("limit", [0, -5])
def test_bound_limits_are_positive(orders, session, limit):
    prepared = session.prepare(f"SELECT * FROM {orders} LIMIT ?")
    with pytest.raises(InvalidRequest, match="LIMIT must be strictly positive"):
        session.execute(prepared, [limit])


@pytest.mark.differs("cassandra", "it refuses null here")
def test_in_of_a_bound_list(create, session):
    table = create("(p int PRIMARY KEY)")
    for p in (1, 2, 3):
        session.execute(f"INSERT INTO {table} (p) VALUES ({p})")
    prepared = session.prepare(f"SELECT p FROM {table} WHERE p IN ?")
    for keys, found in (([1, 3], {1, 3}), ([], set()), ([2, 2], {2}), (None, set())):
        assert {p for (p,) in session.execute(prepared, [keys])} == found


def test_tuples_may_be_bound_whole_or_in_parts(create, session):
    table = create("(p int, c int, d int, PRIMARY KEY (p, c, d))")
    for c, d in ((1, 1), (1, 2), (2, 1)):
        session.execute(f"INSERT INTO {table} (p, c, d) VALUES (1, {c}, {d})")
    for relation, values in (
        ("(c, d) > (?, ?)", [1, 1]),
        ("(c, d) > ?", [(1, 1)]),
        ("(c, d) IN ?", [[(1, 2), (2, 1)]]),
        ("(c, d) IN (?, ?)", [(1, 2), (2, 1)]),
        ("(c, d) IN ((?, ?), (2, ?))", [1, 2, 1]),
    ):
        prepared = session.prepare(f"SELECT c, d FROM {table} WHERE p = 1 AND {relation}")
        assert list(session.execute(prepared, values)) == [(1, 2), (2, 1)], relation


def test_functions_take_variables(create, session):
    table = create("(p int PRIMARY KEY, v timeuuid)")
    session.execute(f"INSERT INTO {table} (p, v) VALUES (1, now())")
    prepared = session.prepare(f"SELECT p FROM {table} WHERE token(p) = token(?)")
    assert list(session.execute(prepared, [1])) == [(1,)]


# ---------------------------------------------------------------- refused already when prepared


@pytest.mark.differs("cassandra", "it says most of this in words of its own")
@pytest.mark.parametrize(
    "statement, error, message",
    [
        ("SELECT nope FROM {t}", InvalidRequest, "Unrecognized name nope"),
        ("SELECT * FROM {t} WHERE v = ?", InvalidRequest, "ALLOW FILTERING"),
        ("INSERT INTO {t} (a, v) VALUES (?, ?)", InvalidRequest, "Missing mandatory PRIMARY KEY part c"),
        ("INSERT INTO {t} (a, b, c) VALUES (?, ?)", InvalidRequest, "Unmatched column names/values"),
        ("SELECT ? FROM {t}", InvalidRequest, ""),
        ("SELECT * FROM ?", SyntaxException, ""),
        ("SELECT * FROM {t} WHERE ? = 1", SyntaxException, ""),
        (
            "SELECT * FROM {t} WHERE a = 'x' AND b = ?",
            InvalidRequest,
            r'Invalid STRING constant \(x\) for "a" of type int',
        ),
    ],
)
def test_mistakes_show_when_preparing(orders, session, statement, error, message):
    with pytest.raises(error, match=message or None):
        session.prepare(statement.format(t=orders))


def test_ddl_can_be_prepared(create, session):
    table = create("(p int PRIMARY KEY)")
    session.execute(session.prepare(f"ALTER TABLE {table} ADD v int"))
    assert session.execute(f"SELECT * FROM {table}").column_names == ["p", "v"]


# ---------------------------------------------------------------- results


def test_the_result_is_described_when_preparing(orders, session):
    prepared = session.prepare(f"SELECT c, m, tp, count(*) FROM {orders}")
    assert [column[2] for column in prepared.result_metadata] == ["c", "m", "tp", "count"]


@pytest.mark.differs("cassandra", "its answer grows by the old values when it is not applied")
def test_conditional_writes_describe_their_answer(orders, session):
    """The same columns with every execution: that is why ScyllaDB gives the old values even when it applied."""
    prepared = session.prepare(f"UPDATE {orders} SET v = ? WHERE a = ? AND b = ? AND c = ? IF v = ?")
    assert [column[2] for column in prepared.result_metadata] == ["[applied]", "v"]


# ---------------------------------------------------------------- schema changes


def test_a_new_column_shows_in_a_prepared_wildcard(create, session):
    """The server forgets the statement, the driver prepares it anew; nobody notices."""
    table = create("(p int PRIMARY KEY, v int)")
    session.execute(f"INSERT INTO {table} (p, v) VALUES (1, 2)")
    prepared = session.prepare(f"SELECT * FROM {table} WHERE p = ?")
    assert list(session.execute(prepared, [1])) == [(1, 2)]
    session.execute(f"ALTER TABLE {table} ADD a int")
    found = session.execute(prepared, [1])
    assert sorted(found.one(), key=str) == sorted((1, 2, None), key=str)


def test_a_prepared_statement_outlives_other_changes(create, session):
    table = create("(p int PRIMARY KEY, v int)")
    prepared = session.prepare(f"INSERT INTO {table} (p, v) VALUES (?, ?)")
    session.execute(f"ALTER TABLE {table} ADD w text")
    session.execute(f"ALTER TABLE {table} WITH comment = 'changed'")
    session.execute(prepared, (1, 2))
    assert list(session.execute(f"SELECT p, v FROM {table}")) == [(1, 2)]


def test_a_dropped_column_is_gone_from_prepared_statements(create, session):
    table = create("(p int PRIMARY KEY, v int)")
    prepared = session.prepare(f"SELECT p, v FROM {table}")
    session.execute(f"ALTER TABLE {table} DROP v")
    with pytest.raises(InvalidRequest):
        session.execute(prepared)


def test_a_table_that_came_back(create, session):
    table = create("(p int PRIMARY KEY, v int)")
    prepared = session.prepare(f"SELECT * FROM {table} WHERE p = ?")
    session.execute(f"DROP TABLE {table}")
    with pytest.raises(InvalidRequest):
        session.execute(prepared, [1])
    session.execute(f"CREATE TABLE {table} (p int PRIMARY KEY, v int)")
    session.execute(f"INSERT INTO {table} (p, v) VALUES (1, 1)")
    assert list(session.execute(prepared, [1])) == [(1, 1)]


def test_use_is_part_of_what_was_prepared(create, cluster, keyspace):
    """The keyspace in use when it was prepared is meant, wherever it is executed."""
    table = create("(p uuid PRIMARY KEY)")
    own = cluster.connect(keyspace)
    prepared = own.prepare(f"INSERT INTO {table.partition('.')[2]} (p) VALUES (?)")
    own.execute(prepared, [uuid.UUID(int=7)])
    own.set_keyspace("system")
    own.execute(prepared, [uuid.UUID(int=8)])
    assert len(list(own.execute(f"SELECT * FROM {table}"))) == 2
    own.shutdown()
