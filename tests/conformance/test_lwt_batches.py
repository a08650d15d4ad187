"""Conditional batches: one transaction over several rows of one partition. All conditions hold, or nothing is written.

ScyllaDB answers one row for each statement, in their order, unconditional ones included.
"""

import pytest
from cassandra import ConsistencyLevel, InvalidRequest
from cassandra.query import BatchStatement, BatchType

pytestmark = pytest.mark.differs("cassandra", "answers with the conditions' rows only, and only when refused")


@pytest.fixture
def pairs(create):
    return create("(a int, b int, PRIMARY KEY (a, b))")


@pytest.fixture
def valued(create):
    return create("(a int, b int, c int, PRIMARY KEY (a, b))")


def batch(*statements, kind=""):
    return f"BEGIN {kind} BATCH " + " ".join(f"{s};" for s in statements) + " APPLY BATCH"


def test_one_row_for_each_statement(pairs, run):
    first = f"INSERT INTO {pairs} (a, b) VALUES (1, 1) IF NOT EXISTS"
    assert run(batch(first)) == [(True, None, None)]
    assert run(batch(first, f"INSERT INTO {pairs} (a, b) VALUES (1, 2) IF NOT EXISTS")) == [
        (False, 1, 1),
        (False, None, None),
    ]


def test_unconditional_statements_answer_too(pairs, run):
    run(f"INSERT INTO {pairs} (a, b) VALUES (1, 1)")
    answer = run(
        batch(f"INSERT INTO {pairs} (a, b) VALUES (1, 1) IF NOT EXISTS", f"INSERT INTO {pairs} (a, b) VALUES (1, 2)")
    )
    assert answer == [(False, 1, 1), (False, None, None)]
    assert run(f"SELECT * FROM {pairs} WHERE a = 1") == [(1, 1)]


def test_unlogged_is_all_the_same(pairs, run):
    assert run(batch(f"INSERT INTO {pairs} (a, b) VALUES (1, 1) IF NOT EXISTS", kind="UNLOGGED")) == [
        (True, None, None)
    ]


def test_columns_are_the_key_and_what_the_conditions_name(valued, session):
    answer = session.execute(batch(f"UPDATE {valued} SET c = 1 WHERE a = 1 AND b = 1 IF c = null"))
    assert answer.column_names == ["[applied]", "a", "b", "c"]


def test_rows_come_in_statement_order(valued, run):
    """And a row that two statements name comes twice."""
    run(f"INSERT INTO {valued} (a, b, c) VALUES (0, 0, 5)")
    run(f"INSERT INTO {valued} (a, b, c) VALUES (0, 4, 6)")
    answer = run(
        batch(
            f"UPDATE {valued} SET c = 1 WHERE a = 0 AND b = 4 IF c = 6",
            f"UPDATE {valued} SET c = 2 WHERE a = 0 AND b = 0 IF c = 5",
            f"UPDATE {valued} SET c = 3 WHERE a = 0 AND b = 9 IF c = null",
            f"UPDATE {valued} SET c = 4 WHERE a = 0 AND b = 0 IF c != 7",
        )
    )
    assert answer == [(True, 0, 4, 6), (True, 0, 0, 5), (True, None, None, None), (True, 0, 0, 5)]
    # One timestamp for all: of two values for one cell the larger stays.
    assert run(f"SELECT b, c FROM {valued} WHERE a = 0") == [(0, 4), (4, 1), (9, 3)]


def test_one_false_condition_stops_all(valued, run):
    run(f"INSERT INTO {valued} (a, b, c) VALUES (1, 1, 1)")
    answer = run(
        batch(
            f"UPDATE {valued} SET c = 9 WHERE a = 1 AND b = 1 IF c = 1",
            f"UPDATE {valued} SET c = 9 WHERE a = 1 AND b = 2 IF c = 1",
        )
    )
    assert answer == [(False, 1, 1, 1), (False, None, None, None)]
    assert run(f"SELECT * FROM {valued}") == [(1, 1, 1)]


def test_different_conditions_show_the_union_of_their_columns(create, run):
    table = create("(p int, c int, s int static, r int, PRIMARY KEY (p, c))")
    run(f"INSERT INTO {table} (p, s) VALUES (1, 1)")
    run(f"UPDATE {table} SET s = 2, r = 1 WHERE p = 1 AND c = 1 IF s = 1 AND r = null")
    answer = run(
        batch(
            f"UPDATE {table} SET s = 3, r = 10 WHERE p = 1 AND c = 1 IF s = 2 AND r = 1",
            f"UPDATE {table} SET s = 4, r = 2 WHERE p = 1 AND c = 2 IF s = 2 AND r = null",
            f"UPDATE {table} SET s = 5, r = 3 WHERE p = 1 AND c = 3 IF s = 2 AND r = null",
        )
    )
    # A row that is not there shows the partition's key and static columns when its conditions could be asked.
    assert answer == [(True, 1, 1, 2, 1), (True, 1, None, 2, None), (True, 1, None, 2, None)]
    assert run(f"SELECT c, s, r FROM {table} WHERE p = 1") == [(1, 5, 10), (2, 5, 2), (3, 5, 3)]


def test_static_condition_beside_a_new_row(create, run):
    table = create("(p int, c int, s int static, PRIMARY KEY (p, c))")
    run(f"INSERT INTO {table} (p, s) VALUES (1, 1)")
    answer = run(
        batch(
            f"INSERT INTO {table} (p, c) VALUES (1, 1) IF NOT EXISTS", f"UPDATE {table} SET s = 2 WHERE p = 1 IF s = 1"
        )
    )
    assert answer == [(True, None, None, None), (True, 1, None, 1)]
    assert run(f"SELECT * FROM {table}") == [(1, 1, 2)]


def test_static_condition_for_an_empty_partition(create, run):
    table = create("(a int, b int, s int static, d text, PRIMARY KEY (a, b))")
    answer = run(
        batch(f"INSERT INTO {table} (a, b, d) VALUES (3, 3, 'a')", f"UPDATE {table} SET s = 3 WHERE a = 3 IF s = null")
    )
    assert answer == [(True, None, None, None)] * 2
    assert run(f"SELECT * FROM {table}") == [(3, 3, 3, "a")]


def test_a_static_condition_shows_the_static_row(create, run):
    """Though a row is there: the statement that names none gets the partition key and the static columns."""
    table = create("(a int, b int, s int static, d text, PRIMARY KEY (a, b))")
    run(f"INSERT INTO {table} (a, b) VALUES (2, 2)")
    answer = run(
        batch(f"INSERT INTO {table} (a, b, d) VALUES (2, 2, 'a')", f"UPDATE {table} SET s = 2 WHERE a = 2 IF s = null")
    )
    assert answer == [(True, 2, 2, None), (True, 2, None, None)]


def test_delete_beats_insert(create, run):
    """Both have the ballot's timestamp; what is deleted stays deleted."""
    table = create("(key int, ck int, cv set<text>, PRIMARY KEY (key, ck))")
    run(f"INSERT INTO {table} (key, ck, cv) VALUES (1, 0, {{'a', 'b'}})")
    answer = run(
        batch(
            f"DELETE FROM {table} WHERE key = 1 AND ck = 0 IF EXISTS",
            f"INSERT INTO {table} (key, ck, cv) VALUES (1, 0, {{'b', 'c'}})",
        )
    )
    assert [(*row[:3], set(row[3])) for row in answer] == [(True, 1, 0, {"a", "b"})] * 2
    assert run(f"SELECT * FROM {table}") == []


def test_clearing_a_set_and_filling_it_anew(create, run):
    """The set's tombstone is older than its new elements by a microsecond."""
    table = create("(key int, ck int, cv set<text>, PRIMARY KEY (key, ck))")
    run(f"INSERT INTO {table} (key, ck, cv) VALUES (1, 0, {{'a', 'b'}})")
    run(
        batch(
            f"UPDATE {table} SET cv = null WHERE key = 1 AND ck = 0 IF EXISTS",
            f"INSERT INTO {table} (key, ck, cv) VALUES (1, 0, {{'b', 'c'}})",
        )
    )
    assert [set(row[0]) for row in run(f"SELECT cv FROM {table}")] == [{"b", "c"}]


def test_lists_grow_in_statement_order(create, run):
    table = create("(a int, b int, c list<text>, d list<text> static, PRIMARY KEY (a, b))")
    answer = run(
        batch(
            f"INSERT INTO {table} (a, b, c, d) VALUES (1, 1, ['1'], ['1']) IF NOT EXISTS",
            f"INSERT INTO {table} (a, b, c, d) VALUES (1, 2, ['2'], ['2']) IF NOT EXISTS",
        )
    )
    assert answer == [(True, None, None, None, None)] * 2
    assert run(f"SELECT b, c, d FROM {table} WHERE a = 1") == [(1, ["1"], ["1", "2"]), (2, ["2"], ["1", "2"])]
    answer = run(
        batch(
            f"UPDATE {table} SET c = c + ['3'], d = d + ['3'] WHERE a = 1 AND b = 1 IF c[0] = '1'",
            f"UPDATE {table} SET c = c + ['4'], d = d + ['4'] WHERE a = 1 AND b = 2",
        )
    )
    # Row 2 was not read: in its place there is the static row, of which only the partition key shows.
    assert answer == [(True, 1, 1, ["1"]), (True, 1, None, None)]
    assert run(f"SELECT b, c, d FROM {table} WHERE a = 1") == [
        (1, ["1", "3"], ["1", "2", "3", "4"]),
        (2, ["2", "4"], ["1", "2", "3", "4"]),
    ]


def test_rows_that_a_change_of_a_list_reads_are_shown(create, run):
    table = create("(p int, c int, i int, l list<int>, PRIMARY KEY (p, c))")
    run(f"INSERT INTO {table} (p, c, i, l) VALUES (1, 1, 1, [1, 2])")
    run(f"INSERT INTO {table} (p, c, i, l) VALUES (1, 2, 2, [1, 2, 3, 4])")
    remove = f"UPDATE {table} SET l = l - [{{}}] WHERE p = 1 AND c = 2"
    assert run(batch(f"UPDATE {table} SET i = 3 WHERE p = 1 AND c = 1 IF i = 2", remove.format(1))) == [
        (False, 1, 1, 1),
        (False, 1, 2, 2),
    ]
    assert run(batch(f"UPDATE {table} SET i = 2 WHERE p = 1 AND c = 1 IF i = 1", remove.format(2))) == [
        (True, 1, 1, 1),
        (True, 1, 2, 2),
    ]
    assert run(batch(f"DELETE l FROM {table} WHERE p = 1 AND c = 3 IF EXISTS", remove.format(3))) == [
        (False, None, None, None, None),
        (False, 1, 2, 2, [1, 3, 4]),
    ]
    assert run(batch(f"DELETE l FROM {table} WHERE p = 1 AND c = 1 IF EXISTS", remove.format(4))) == [
        (True, 1, 1, 2, [1, 2]),
        (True, 1, 2, 2, [1, 3, 4]),
    ]
    assert run(f"SELECT * FROM {table}") == [(1, 1, 2, None), (1, 2, 2, [1, 3])]


def test_unconditional_statements_may_name_many_rows(create, run):
    table = create("(a int, b int, c int, d int, PRIMARY KEY (a, b, c))")
    run(f"INSERT INTO {table} (a, b, c, d) VALUES (1, 1, 1, 1)")
    answer = run(
        batch(
            f"UPDATE {table} SET d = 7 WHERE a = 1 AND b = 1 AND c = 1 IF EXISTS",
            f"UPDATE {table} SET d = 7 WHERE a = 1 AND b IN (1, 2) AND c IN (1, 2)",
        )
    )
    assert answer == [(True, 1, 1, 1, 1)] * 2
    assert run(f"SELECT b, c, d FROM {table} WHERE a = 1") == [(1, 1, 7), (1, 2, 7), (2, 1, 7), (2, 2, 7)]


def test_an_older_timestamp_in_an_unconditional_statement(pairs, run):
    """Only statements with a condition must leave time to the transaction."""
    run(f"INSERT INTO {pairs} (a, b) VALUES (1, 1)")
    answer = run(
        batch(
            f"INSERT INTO {pairs} (a, b) VALUES (1, 1) IF NOT EXISTS",
            f"INSERT INTO {pairs} (a, b) VALUES (1, 1) USING TIMESTAMP 1",
        )
    )
    assert answer == [(False, 1, 1), (False, 1, 1)]


def test_mixed_existence_conditions(pairs, run):
    """ScyllaDB does not mind IF EXISTS and IF NOT EXISTS about one row; it just cannot come true."""
    answer = run(
        batch(
            f"INSERT INTO {pairs} (a, b) VALUES (1, 1) IF NOT EXISTS",
            f"DELETE FROM {pairs} WHERE a = 1 AND b = 1 IF EXISTS",
        )
    )
    assert [row[0] for row in answer] == [False, False]


@pytest.mark.parametrize(
    "statements, kind, sentence",
    [
        (["INSERT INTO {t} (a, b) VALUES (1, 1) IF NOT EXISTS", "INSERT INTO {t} (a, b) VALUES (2, 1) IF NOT EXISTS"],
         "",
         "BATCH with conditions cannot span multiple partitions"),
        (["INSERT INTO {t} (a, b) VALUES (1, 1) IF NOT EXISTS", "INSERT INTO {t} (a, b) VALUES (2, 1)"], "",
         "BATCH with conditions cannot span multiple partitions"),
        (["INSERT INTO {t} (a, b) VALUES (1, 1) IF NOT EXISTS", "UPDATE {t} SET c = 1 WHERE a IN (1, 2) AND b = 1"], "",
         "BATCH with conditions cannot span multiple partitions"),
        (["INSERT INTO {t} (a, b) VALUES (1, 1) IF NOT EXISTS", "INSERT INTO {other} (a, b) VALUES (1, 1)"], "",
         "BATCH with conditions cannot span multiple tables"),
        (["INSERT INTO {t} (a, b) VALUES (1, 1) IF NOT EXISTS"], "COUNTER",
         "Cannot include non-counter statement in a counter batch"),
        (["INSERT INTO {t} (a, b) VALUES (1, 1) IF NOT EXISTS USING TIMESTAMP 1"], "",
         "Cannot provide custom timestamp for conditional updates"),
        (["UPDATE {t} SET c = 2 WHERE a = 1 AND b = 1 IF a > 0"], "",
         "PRIMARY KEY column 'a' cannot have IF conditions"),
        (["UPDATE {t} SET c = 2 WHERE a = 1 IF c = null"], "", "Missing mandatory PRIMARY KEY part b"),
        (["UPDATE {t} SET c = 2 WHERE a = 1 AND b IN (1, 2) IF c = null"], "",
         "IN on the clustering key columns is not supported with conditional updates"),
        (["DELETE FROM {t} WHERE a = 1 IF EXISTS", "DELETE FROM {t} WHERE a = 1 AND b = 2 IF EXISTS"], "",
         "DELETE statements must restrict all PRIMARY KEY columns with equality relations "
         "in order to delete non static columns"),
        (["UPDATE {t} SET c = 1 WHERE a = 1 AND b = 1 IF c = 1", "DELETE FROM {t} WHERE a = 1 AND b IN () IF c = 1"],
         "",
         "IN on the clustering key columns is not supported with conditional deletions"),
    ],
)  # fmt: skip
def test_what_a_conditional_batch_cannot_ask(valued, pairs, refused, statements, kind, sentence):
    text = batch(*statements, kind=kind).format(t=valued, other=pairs)
    assert refused(InvalidRequest, text).endswith(f'"{sentence}"')


def test_timestamp_of_a_conditional_batch_is_the_transactions(pairs, refused):
    message = refused(
        InvalidRequest,
        f"BEGIN BATCH USING TIMESTAMP 1 INSERT INTO {pairs} (a, b) VALUES (1, 1) IF NOT EXISTS APPLY BATCH",
    )
    assert message.endswith('"Cannot provide custom timestamp for conditional BATCH"')


def test_batch_message(valued, session):
    """The protocol's own batches, with prepared statements in them, are the same."""
    insert = session.prepare(f"INSERT INTO {valued} (a, b, c) VALUES (?, ?, ?) IF NOT EXISTS")
    change = session.prepare(f"UPDATE {valued} SET c = ? WHERE a = ? AND b = ?")
    statements = BatchStatement(BatchType.UNLOGGED, consistency_level=ConsistencyLevel.QUORUM)
    statements.add(insert, (1, 1, 1))
    statements.add(change, (2, 1, 2))
    answer = session.execute(statements)
    assert [tuple(row) for row in answer] == [(True, None, None, None)] * 2
    again = session.execute(statements)
    assert again.was_applied is False


def test_prepared_batch_text(valued, session):
    prepared = session.prepare(
        f"BEGIN BATCH INSERT INTO {valued} (a, b, c) VALUES (?, ?, ?) IF NOT EXISTS; "
        f"UPDATE {valued} SET c = ? WHERE a = ? AND b = ?; APPLY BATCH"
    )
    answer = session.execute(prepared, (1, 1, 1, 5, 1, 2))
    assert [tuple(row) for row in answer] == [(True, None, None, None)] * 2
