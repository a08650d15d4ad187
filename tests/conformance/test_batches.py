"""Plain batches: one request, one timestamp, one fate. (Conditional ones are in test_lwt_batches.)"""

import pytest
from cassandra import ConsistencyLevel, InvalidRequest
from cassandra.protocol import SyntaxException
from cassandra.query import UNSET_VALUE, BatchStatement, BatchType, SimpleStatement

words = pytest.mark.differs("cassandra", "words of its own")


@pytest.fixture
def table(create):
    return create("(p int, c int, a int, b int, PRIMARY KEY (p, c))")


def batch(*statements, kind="", using=""):
    return f"BEGIN {kind} BATCH {using} " + " ".join(f"{s};" for s in statements) + " APPLY BATCH"


@pytest.mark.parametrize("kind", ["", "LOGGED", "UNLOGGED"])
def test_all_kinds_of_statements(table, run, kind):
    if kind == "LOGGED":
        kind = ""
    run(f"INSERT INTO {table} (p, c, a) VALUES (1, 1, 1)")
    run(f"INSERT INTO {table} (p, c, a) VALUES (1, 2, 2)")
    run(
        batch(
            f"INSERT INTO {table} (p, c, a) VALUES (2, 1, 3)",
            f"UPDATE {table} SET a = 5 WHERE p = 1 AND c = 1",
            f"DELETE FROM {table} WHERE p = 1 AND c = 2",
            kind=kind,
        )
    )
    assert sorted(run(f"SELECT p, c, a FROM {table}")) == [(1, 1, 5), (2, 1, 3)]


def test_empty_batch(run):
    run("BEGIN BATCH APPLY BATCH")


def test_semicolons_are_optional(table, run):
    run(f"BEGIN BATCH INSERT INTO {table} (p, c) VALUES (1, 1) INSERT INTO {table} (p, c) VALUES (1, 2) APPLY BATCH;")
    assert len(run(f"SELECT * FROM {table}")) == 2


def test_one_timestamp_for_all(table, run):
    run(batch(f"INSERT INTO {table} (p, c, a) VALUES (1, 1, 1)", f"INSERT INTO {table} (p, c, a) VALUES (2, 1, 1)"))
    assert len({row[0] for row in run(f"SELECT WRITETIME(a) FROM {table}")}) == 1


def test_timestamp_of_the_batch(table, run):
    run(batch(f"INSERT INTO {table} (p, c, a) VALUES (1, 1, 1)", using="USING TIMESTAMP 1234"))
    assert run(f"SELECT WRITETIME(a) FROM {table}") == [(1234,)]


def test_timestamps_of_the_statements(table, run):
    """The order in the text is nothing, the timestamps are all."""
    run(
        batch(
            f"INSERT INTO {table} (p, c, a) VALUES (1, 1, 1) USING TIMESTAMP 20",
            f"INSERT INTO {table} (p, c, a) VALUES (1, 1, 2) USING TIMESTAMP 10",
        )
    )
    assert run(f"SELECT a, WRITETIME(a) FROM {table}") == [(1, 20)]


@pytest.mark.parametrize("values, winner", [((5, 7), 7), ((7, 5), 7)])
def test_order_does_not_settle_a_tie(table, run, values, winner):
    run(batch(*[f"UPDATE {table} SET a = {value} WHERE p = 1 AND c = 1" for value in values]))
    assert run(f"SELECT a FROM {table}") == [(winner,)]


@pytest.mark.parametrize("delete_first", [True, False])
def test_a_deletion_wins_over_an_insert_in_the_same_batch(table, run, delete_first):
    """It catches everybody once: a batch is no script."""
    statements = [f"DELETE FROM {table} WHERE p = 1 AND c = 1", f"INSERT INTO {table} (p, c, a) VALUES (1, 1, 1)"]
    run(batch(*(statements if delete_first else reversed(statements))))
    assert run(f"SELECT * FROM {table}") == []


def test_deleting_one_row_and_writing_another(table, run):
    run(f"INSERT INTO {table} (p, c, a) VALUES (1, 1, 1)")
    run(batch(f"DELETE FROM {table} WHERE p = 1 AND c = 1", f"INSERT INTO {table} (p, c, a) VALUES (1, 2, 2)"))
    assert run(f"SELECT p, c, a FROM {table}") == [(1, 2, 2)]


def test_lists_in_a_batch_grow_in_order(create, run):
    table = create("(p int PRIMARY KEY, l list<int>)")
    run(batch(*[f"UPDATE {table} SET l = l + [{n}] WHERE p = 1" for n in (1, 2, 3)]))
    assert run(f"SELECT l FROM {table}") == [([1, 2, 3],)]
    run(batch(*[f"UPDATE {table} SET l = [{n}] + l WHERE p = 2" for n in (1, 2, 3)]))
    assert run(f"SELECT l FROM {table} WHERE p = 2") == [([3, 2, 1],)]


def test_several_tables(create, table, run):
    other = create("(k int PRIMARY KEY, v int)")
    run(batch(f"INSERT INTO {table} (p, c) VALUES (1, 1)", f"UPDATE {other} SET v = 1 WHERE k = 1"))
    assert len(run(f"SELECT * FROM {table}")) == len(run(f"SELECT * FROM {other}")) == 1


def test_all_or_nothing(table, refused, run):
    """One bad statement, and nothing of the batch is carried out."""
    refused(
        InvalidRequest,
        batch(f"INSERT INTO {table} (p, c) VALUES (1, 1)", f"INSERT INTO {table} (p, c) VALUES (1, null)"),
    )
    assert run(f"SELECT * FROM {table}") == []


def test_markers_in_batch_text(table, session, run):
    prepared = session.prepare(
        batch(f"INSERT INTO {table} (p, c, a) VALUES (?, ?, ?)", f"UPDATE {table} SET a = ? WHERE p = ? AND c = ?")
    )
    session.execute(prepared, (1, 1, 5, 6, 1, 2))
    assert run(f"SELECT p, c, a FROM {table}") == [(1, 1, 5), (1, 2, 6)]


def test_bound_timestamp_of_the_batch(table, session, run):
    prepared = session.prepare(batch(f"INSERT INTO {table} (p, c, a) VALUES (1, 1, 1)", using="USING TIMESTAMP ?"))
    session.execute(prepared, (4321,))
    assert run(f"SELECT WRITETIME(a) FROM {table}") == [(4321,)]


# ---------------------------------------------------------------- BATCH messages


@pytest.mark.parametrize("kind", [BatchType.LOGGED, BatchType.UNLOGGED])
def test_batch_message(table, session, run, kind):
    insert = session.prepare(f"INSERT INTO {table} (p, c, a) VALUES (?, ?, ?)")
    statements = BatchStatement(kind, consistency_level=ConsistencyLevel.ONE)
    statements.add(insert, (1, 1, 1))
    statements.add(f"INSERT INTO {table} (p, c, a) VALUES (1, 2, 2)")
    statements.add(SimpleStatement(f"INSERT INTO {table} (p, c, a) VALUES (%s, %s, %s)"), (1, 3, 3))
    statements.add(insert, (1, 4, UNSET_VALUE))
    session.execute(statements)
    assert run(f"SELECT c, a FROM {table} WHERE p = 1") == [(1, 1), (2, 2), (3, 3), (4, None)]


def test_empty_batch_message(session):
    session.execute(BatchStatement())


def test_select_has_no_place_in_a_batch(table, session):
    statements = BatchStatement()
    statements.add(f"SELECT * FROM {table}")
    with pytest.raises(InvalidRequest, match="only UPDATE, INSERT and DELETE statements are allowed"):
        session.execute(statements)


def test_plain_statements_in_a_counter_batch(table, session):
    statements = BatchStatement(BatchType.COUNTER)
    statements.add(f"INSERT INTO {table} (p, c) VALUES (1, 1)")
    with pytest.raises(InvalidRequest, match="Cannot include non-counter statement in a counter batch"):
        session.execute(statements)


# ---------------------------------------------------------------- refusals


@words
@pytest.mark.parametrize(
    "statements, kind, using, sentence",
    [
        (["INSERT INTO {} (p, c) VALUES (1, 1)"], "", "USING TTL 5",
         "Global TTL on the BATCH statement is not supported."),
        (["INSERT INTO {} (p, c) VALUES (1, 1) USING TIMESTAMP 5"], "", "USING TIMESTAMP 5",
         "Timestamp must be set either on BATCH or individual statements"),
        (["INSERT INTO {} (p, c) VALUES (1, 1)"], "COUNTER", "",
         "Cannot include non-counter statement in a counter batch"),
        (["INSERT INTO {} (p, c) VALUES (1, 1)"], "COUNTER", "USING TIMESTAMP 5",
         "Cannot provide custom timestamp for counter BATCH"),
        (["INSERT INTO {} (p) VALUES (1)"], "", "", "Missing mandatory PRIMARY KEY part c"),
    ],
)  # fmt: skip
def test_refusals(table, refused, statements, kind, using, sentence):
    text = batch(*[s.format(table) for s in statements], kind=kind, using=using)
    assert sentence in refused(InvalidRequest, text)


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN BATCH SELECT * FROM t; APPLY BATCH",
        "BEGIN BATCH INSERT INTO t (p) VALUES (1)",
        "BEGIN INSERT INTO t (p) VALUES (1); APPLY BATCH",
        "APPLY BATCH",
        "BEGIN BATCH CREATE TABLE t (p int PRIMARY KEY); APPLY BATCH",
    ],
)
def test_not_cql(refused, text):
    refused(SyntaxException, text)


@words
def test_a_batch_can_be_too_large(create, session):
    """Over several partitions a batch may write a megabyte; over one it may write what it likes."""
    table = create("(p int, c int, t text, PRIMARY KEY (p, c))")
    text = "x" * 1024
    many = BatchStatement()
    one = BatchStatement()
    insert = session.prepare(f"INSERT INTO {table} (p, c, t) VALUES (?, ?, ?)")
    for n in range(1100):
        many.add(insert, (n, 0, text))
        one.add(insert, (0, n, text))
    with pytest.raises(InvalidRequest, match="Batch too large"):
        session.execute(many)
    session.execute(one)
    assert session.execute(f"SELECT count(*) FROM {table}").one()[0] == 1100
