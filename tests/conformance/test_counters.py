"""Counters: a number that is added to, and never set. (Their refusals to the letter are in unit/test_counters.)"""

import pytest
from cassandra import ConsistencyLevel, InvalidRequest
from cassandra.cluster import Session
from cassandra.protocol import ConfigurationException
from cassandra.query import UNSET_VALUE, BatchStatement, BatchType, SimpleStatement


@pytest.fixture
def table(create):
    return create("(p int, c int, n counter, m counter, s counter static, PRIMARY KEY (p, c))")


def test_it_is_there_from_the_first_change_on(table, run):
    run(f"UPDATE {table} SET n = n + 0 WHERE p = 1 AND c = 1")
    assert run(f"SELECT p, c, n, m FROM {table}") == [(1, 1, 0, None)]
    run(f"UPDATE {table} SET n = n + 6, m = m - 2 WHERE p = 1 AND c = 1")
    run(f"UPDATE {table} SET n = n - 1 WHERE p = 1 AND c = 1")
    assert run(f"SELECT n, m FROM {table}") == [(5, -2)]


def test_bound_and_unset(table, session, run):
    add = session.prepare(f"UPDATE {table} SET n = n + ? WHERE p = ? AND c = 1")
    for value in (1 << 40, -1, UNSET_VALUE):
        session.execute(add, (value, 1))
    assert run(f"SELECT n FROM {table}") == [((1 << 40) - 1,)]
    with pytest.raises(InvalidRequest, match="Invalid null value for counter increment"):
        session.execute(add, (None, 1))


def test_a_static_counter(table, run):
    run(f"UPDATE {table} SET s = s + 3 WHERE p = 1")
    assert run(f"SELECT p, c, s FROM {table}") == [(1, None, 3)]
    run(f"UPDATE {table} SET s = s + 3, n = n + 1 WHERE p = 1 AND c = 2")
    assert run(f"SELECT p, c, n, s FROM {table}") == [(1, 2, 1, 6)]


def test_many_hands(table, session, run):
    """No change is lost, however many come at once."""
    add = session.prepare(f"UPDATE {table} SET n = n + ? WHERE p = 1 AND c = 1")
    waiting = [session.execute_async(add, (step,)) for step in range(100)]
    for each in waiting:
        each.result()
    assert run(f"SELECT n FROM {table}") == [(sum(range(100)),)]


def test_a_deleted_row_is_gone(table, run):
    run(f"UPDATE {table} SET n = n + 6 WHERE p = 1 AND c = 1")
    run(f"DELETE FROM {table} WHERE p = 1 AND c = 1")
    assert run(f"SELECT * FROM {table}") == []


@pytest.mark.parametrize("kind", ["UNLOGGED", "COUNTER"])
def test_batches_add_up(table, run, kind):
    steps = [(1, 1, 1), (1, 1, 1), (1, 1, -5), (1, 2, 1), (2, 1, 1)]
    texts = [f"UPDATE {table} SET n = n + {step} WHERE p = {p} AND c = {c};" for p, c, step in steps]
    run(f"BEGIN {kind} BATCH {' '.join(texts)} APPLY BATCH")
    assert sorted(run(f"SELECT p, c, n FROM {table}")) == [(1, 1, -3), (1, 2, 1), (2, 1, 1)]


def test_a_batch_message(table, session, run):
    add = session.prepare(f"UPDATE {table} SET n = n + ? WHERE p = ? AND c = 1")
    statements = BatchStatement(BatchType.COUNTER, consistency_level=ConsistencyLevel.ONE)
    for p, step in ((1, 1), (1, 10), (2, 100)):
        statements.add(add, (step, p))
    session.execute(statements)
    assert sorted(run(f"SELECT p, n FROM {table}")) == [(1, 11), (2, 100)]


@pytest.mark.parametrize("kind", [BatchType.LOGGED, BatchType.UNLOGGED, BatchType.COUNTER])
def test_nothing_else_in_a_batch_beside_them(table, create, session, run, kind):
    plain = create("(p int PRIMARY KEY, v int)")
    statements = BatchStatement(kind)
    statements.add(SimpleStatement(f"UPDATE {table} SET n = n + 1 WHERE p = 1 AND c = 1"))
    statements.add(SimpleStatement(f"UPDATE {plain} SET v = 1 WHERE p = 1"))
    with pytest.raises(InvalidRequest):
        session.execute(statements)
    assert run(f"SELECT * FROM {table}") == run(f"SELECT * FROM {plain}") == []


def test_they_are_filtered_and_computed_with(table, run):
    for c in range(5):
        run(f"UPDATE {table} SET n = n + {c} WHERE p = 1 AND c = {c}")
    assert run(f"SELECT c FROM {table} WHERE n >= 3 ALLOW FILTERING") == [(3,), (4,)]
    assert run(f"SELECT c FROM {table} WHERE m >= 0 ALLOW FILTERING") == []
    assert run(f"SELECT sum(n), max(n), count(n) FROM {table}") == [(10, 4, 5)]
    assert run(f"SELECT CAST(n AS text) FROM {table} WHERE p = 1 AND c = 4") == [("4",)]


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO {} (p, c, n) VALUES (1, 1, 1)",
        "UPDATE {} SET n = 1 WHERE p = 1 AND c = 1",
        "UPDATE {} SET n = n + null WHERE p = 1 AND c = 1",
        "UPDATE {} USING TTL 5 SET n = n + 1 WHERE p = 1 AND c = 1",
        "UPDATE {} USING TIMESTAMP 5 SET n = n + 1 WHERE p = 1 AND c = 1",
        "UPDATE {} SET n = n + 1 WHERE p = 1 AND c = 1 IF EXISTS",
        "DELETE FROM {} USING TIMESTAMP 5 WHERE p = 1 AND c = 1",
        "BEGIN BATCH UPDATE {} SET n = n + 1 WHERE p = 1 AND c = 1; APPLY BATCH",
        "CREATE INDEX ON {} (n)",
        "ALTER TABLE {} WITH default_time_to_live = 5",
        "SELECT * FROM {} WHERE n = null ALLOW FILTERING",
    ],
)
def test_what_cannot_be_asked(table, refused, text):
    refused(InvalidRequest, text.format(table))


@pytest.mark.parametrize(
    "columns",
    [
        "(p int PRIMARY KEY, n counter, v int)",
        "(n counter PRIMARY KEY)",
        "(p int, n counter, PRIMARY KEY (p, n))",
        "(p int PRIMARY KEY, l list<counter>)",
        "(p int PRIMARY KEY, t tuple<counter>)",
    ],
)
def test_where_they_cannot_stand(keyspace, session: Session, columns):
    with pytest.raises((InvalidRequest, ConfigurationException)):
        session.execute(f"CREATE TABLE {keyspace}.never {columns}")


def test_one_that_was_dropped_never_comes_back(table, run, refused):
    run(f"ALTER TABLE {table} ADD more counter")
    run(f"UPDATE {table} SET more = more + 1 WHERE p = 1 AND c = 1")
    run(f"ALTER TABLE {table} DROP more")
    refused(InvalidRequest, f"ALTER TABLE {table} ADD more counter", "Cannot re-add previously dropped counter column")


def test_the_tables_that_cassandra_stress_makes(create, session, run):
    table = create(
        '(key blob PRIMARY KEY, "C0" counter, "C1" counter, "C2" counter, "C3" counter, "C4" counter)',
        "WITH compaction = {'class': 'SizeTieredCompactionStrategy'} AND compression = {}",
    )
    columns = [f'"C{n}"' for n in range(5)]
    add = session.prepare(f"UPDATE {table} SET {','.join(f'{c}={c}+?' for c in columns)} WHERE KEY=?")
    for key in (b"a", b"b", b"a"):
        session.execute(add, (1, 2, 3, 4, 5, key))
    read = session.prepare(f"SELECT {','.join(columns)} FROM {table} WHERE KEY=?")
    assert [tuple(row) for key in (b"a", b"b") for row in session.execute(read, (key,))] == [
        (2, 4, 6, 8, 10),
        (1, 2, 3, 4, 5),
    ]
