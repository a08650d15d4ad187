"""Lightweight transactions: IF EXISTS, IF NOT EXISTS, and what the answer of a conditional statement looks like.

ScyllaDB's answer has a fixed form: ``[applied]``, then the old values of the columns that the condition is about,
whether it was applied or not. Cassandra shows old values only when it refused.
"""

import pytest
from cassandra import ConsistencyLevel, InvalidRequest
from cassandra.query import SimpleStatement

from .conftest import eventually

old_values_always = pytest.mark.differs("cassandra", "an applied transaction answers [applied] alone")


def at(level, statement):
    return SimpleStatement(statement, consistency_level=level)


@pytest.fixture
def names(session):
    """The names of the columns that a statement answers with."""
    return lambda statement, parameters=None: session.execute(statement, parameters).column_names


@pytest.fixture
def plain(create):
    return create("(a int PRIMARY KEY, b int)")


@pytest.fixture
def wide(create):
    """Rows in partitions, with a static column."""
    return create("(p int, c int, s int static, v int, PRIMARY KEY (p, c))")


# ---------------------------------------------------------------- existence


@old_values_always
def test_insert_if_not_exists_answers_with_every_column(plain, run, names):
    assert names(f"INSERT INTO {plain} (a, b) VALUES (1, 1) IF NOT EXISTS") == ["[applied]", "a", "b"]
    assert run(f"INSERT INTO {plain} (a, b) VALUES (2, 1) IF NOT EXISTS") == [(True, None, None)]


def test_insert_if_not_exists_leaves_the_row_that_is_there(plain, run):
    run(f"INSERT INTO {plain} (a, b) VALUES (1, 1)")
    assert run(f"INSERT INTO {plain} (a, b) VALUES (1, 2) IF NOT EXISTS") == [(False, 1, 1)]
    assert run(f"SELECT b FROM {plain} WHERE a = 1") == [(1,)]


@old_values_always
def test_delete_if_exists_answers_with_what_it_deleted(plain, run):
    run(f"INSERT INTO {plain} (a, b) VALUES (1, 1)")
    assert run(f"DELETE FROM {plain} WHERE a = 1 IF EXISTS") == [(True, 1, 1)]
    assert run(f"DELETE FROM {plain} WHERE a = 1 IF EXISTS") == [(False, None, None)]


@old_values_always
def test_update_if_exists(plain, run):
    assert run(f"UPDATE {plain} SET b = 2 WHERE a = 1 IF EXISTS") == [(False, None, None)]
    assert run(f"SELECT * FROM {plain}") == []
    run(f"INSERT INTO {plain} (a, b) VALUES (1, 1)")
    assert run(f"UPDATE {plain} SET b = 2 WHERE a = 1 IF EXISTS") == [(True, 1, 1)]
    assert run(f"SELECT b FROM {plain} WHERE a = 1") == [(2,)]


@old_values_always
def test_a_row_without_values_exists(plain, run):
    """INSERT leaves a marker: a row of nothing but its key is a row."""
    run(f"INSERT INTO {plain} (a) VALUES (1)")
    assert run(f"UPDATE {plain} SET b = 2 WHERE a = 1 IF EXISTS") == [(True, 1, None)]


@old_values_always
def test_a_row_made_by_update_is_gone_with_its_last_cell(plain, run):
    run(f"UPDATE {plain} SET b = 1 WHERE a = 1")
    run(f"DELETE b FROM {plain} WHERE a = 1")
    assert run(f"INSERT INTO {plain} (a, b) VALUES (1, 7) IF NOT EXISTS") == [(True, None, None)]


@old_values_always
def test_columns_come_in_schema_order(create, names):
    """Partition key, clustering key, static columns, then the others, each by name."""
    table = create("(z int, p int, s int static, k int, b int, a int, PRIMARY KEY (p, k))")
    expected = ["[applied]", "p", "k", "s", "a", "b", "z"]
    assert names(f"INSERT INTO {table} (p, k, z) VALUES (1, 1, 1) IF NOT EXISTS") == expected
    assert names(f"UPDATE {table} SET z = 1 WHERE p = 1 AND k = 1 IF z = 1 AND a = 2 AND s = 3") == [
        "[applied]", "s", "a", "z",
    ]  # fmt: skip


@old_values_always
def test_the_answer_keeps_its_form(plain, session):
    """A prepared transaction promises its columns once and for all: applied or not."""
    prepared = session.prepare(f"UPDATE {plain} SET b = ? WHERE a = ? IF b = ?")
    assert [column[2] for column in prepared.result_metadata] == ["[applied]", "b"]
    assert tuple(session.execute(prepared, (1, 1, None)).one()) == (True, None)
    assert tuple(session.execute(prepared, (2, 1, 5)).one()) == (False, 1)
    assert session.execute(prepared, (2, 1, 1)).was_applied is True


def test_plain_writes_answer_nothing(plain, session):
    assert session.execute(f"INSERT INTO {plain} (a, b) VALUES (1, 1)").column_names is None


# ---------------------------------------------------------------- static columns


@old_values_always
def test_a_static_row_exists_apart_from_the_rows(wide, run):
    """IF EXISTS of a statement that names no row asks for the static row; the partition's key tells that there are
    rows."""
    run(f"INSERT INTO {wide} (p, c, v) VALUES (1, 1, 10)")
    assert run(f"UPDATE {wide} SET s = 2 WHERE p = 1 IF EXISTS") == [(False, 1, None, None, None)]
    assert run(f"UPDATE {wide} SET s = 2 WHERE p = 9 IF EXISTS") == [(False, None, None, None, None)]
    assert run(f"DELETE s FROM {wide} WHERE p = 1 IF EXISTS") == [(False, 1, None, None, None)]
    assert run(f"INSERT INTO {wide} (p, s) VALUES (1, 1) IF NOT EXISTS") == [(True, 1, None, None, None)]
    assert run(f"INSERT INTO {wide} (p, s) VALUES (1, 2) IF NOT EXISTS") == [(False, 1, None, 1, None)]
    assert run(f"INSERT INTO {wide} (p, s) VALUES (2, 2) IF NOT EXISTS") == [(True, None, None, None, None)]
    assert run(f"SELECT * FROM {wide} WHERE p = 1") == [(1, 1, 1, 10)]


@old_values_always
def test_a_row_exists_apart_from_the_static_row(wide, run):
    run(f"INSERT INTO {wide} (p, s) VALUES (1, 1)")
    assert run(f"UPDATE {wide} SET v = 10 WHERE p = 1 AND c = 1 IF EXISTS") == [(False, None, None, None, None)]
    assert run(f"INSERT INTO {wide} (p, c, v) VALUES (1, 1, 1) IF NOT EXISTS") == [(True, None, None, None, None)]
    assert run(f"INSERT INTO {wide} (p, c, s) VALUES (1, 1, 10) IF NOT EXISTS") == [(False, 1, 1, 1, 1)]


@old_values_always
def test_static_conditions_hold_without_the_row(wide, run):
    """The static row is the partition's: a condition on it can be met though the row named is not there."""
    run(f"INSERT INTO {wide} (p, s) VALUES (1, 1)")
    assert run(f"UPDATE {wide} SET v = 10 WHERE p = 1 AND c = 1 IF s = 1") == [(True, 1)]
    assert run(f"DELETE v FROM {wide} WHERE p = 1 AND c = 2 IF s = 1") == [(True, 1)]
    assert run(f"DELETE FROM {wide} WHERE p = 1 AND c = 2 IF s = 1 AND v = 1") == [(False, 1, None)]
    assert run(f"UPDATE {wide} SET v = 1 WHERE p = 1 AND c = 3 IF s = 1 AND v = null") == [(True, 1, None)]


@old_values_always
@pytest.mark.parametrize(
    "write", ["UPDATE {} SET s = 5 WHERE p = 1 IF s = {}", "DELETE s FROM {} WHERE p = 1 IF s = {}"]
)
def test_conditional_change_of_a_static_column(wide, run, write):
    run(f"INSERT INTO {wide} (p, c, s) VALUES (1, 1, 1)")
    assert run(write.format(wide, 2)) == [(False, 1)]
    assert run(write.format(wide, 1)) == [(True, 1)]


@old_values_always
def test_static_and_regular_conditions_together(wide, run):
    run(f"INSERT INTO {wide} (p, c, v, s) VALUES (1, 1, 10, 1)")
    assert run(f"DELETE v FROM {wide} WHERE p = 1 AND c = 1 IF s = 2 AND v = 10") == [(False, 1, 10)]
    assert run(f"UPDATE {wide} SET s = 2 WHERE p = 1 AND c = 1 IF v = 10 AND s = 1") == [(True, 1, 10)]
    assert run(f"DELETE s FROM {wide} WHERE p = 1 AND c = 1 IF s = 2 AND v = 10") == [(True, 2, 10)]
    assert run(f"SELECT * FROM {wide}") == [(1, 1, None, 10)]


@old_values_always
def test_a_static_condition_beside_a_change_that_reads(create, run):
    """Taking elements out of a list reads the row; the condition reads the static row. Both are found."""
    table = create("(p int, c int, s int static, v list<int>, PRIMARY KEY (p, c))")
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, [1, 2, 3])")
    run(f"INSERT INTO {table} (p, c, s) VALUES (1, 3, 1)")
    assert run(f"UPDATE {table} SET v = v - [2] WHERE p = 1 AND c = 2 IF s = 1") == [(True, 1)]
    assert run(f"SELECT v FROM {table} WHERE p = 1 AND c = 2") == [([1, 3],)]


@old_values_always
def test_static_column_whose_partition_is_not_there(wide, run):
    assert run(f"DELETE s FROM {wide} WHERE p = 1 IF s = 1") == [(False, None)]
    assert run(f"UPDATE {wide} SET s = 1 WHERE p = 1 IF s = null") == [(True, None)]


@old_values_always
def test_a_partition_of_nothing_but_a_static_row_counts_as_one_row(wide, run):
    """And its last static value takes it along."""
    run(f"UPDATE {wide} SET s = 1 WHERE p = 1")
    assert run(f"SELECT count(*) FROM {wide}") == [(1,)]
    assert run(f"UPDATE {wide} SET s = null WHERE p = 1 IF EXISTS") == [(True, 1, None, 1, None)]
    assert run(f"SELECT count(*) FROM {wide}") == [(0,)]


# ---------------------------------------------------------------- what cannot be asked

CONDITIONAL_REFUSALS = [
    ("INSERT INTO {t} (p, c) VALUES (1, 1) IF NOT EXISTS USING TIMESTAMP 1",
     "Cannot provide custom timestamp for conditional updates"),
    ("UPDATE {t} USING TIMESTAMP 1 SET v = 1 WHERE p = 1 AND c = 1 IF v = 1",
     "Cannot provide custom timestamp for conditional updates"),
    ("DELETE FROM {t} USING TIMESTAMP 1 WHERE p = 1 AND c = 1 IF EXISTS",
     "Cannot provide custom timestamp for conditional updates"),
    ("UPDATE {t} SET v = 2 WHERE p IN (1, 2) AND c = 1 IF v = 1",
     "IN on the partition key is not supported with conditional updates"),
    ("DELETE FROM {t} WHERE p IN (1, 2) AND c = 1 IF v = 1",
     "IN on the partition key is not supported with conditional deletions"),
    ("UPDATE {t} SET v = 2 WHERE p IN () AND c = 1 IF v = 1",
     "IN on the partition key is not supported with conditional updates"),
    ("UPDATE {t} SET v = 2 WHERE p = 1 AND c IN (1, 2) IF v = 1",
     "IN on the clustering key columns is not supported with conditional updates"),
    ("UPDATE {t} SET v = 2 WHERE p = 1 AND (c) IN ((1), (2)) IF v = 1",
     "IN on the clustering key columns is not supported with conditional updates"),
    ("DELETE FROM {t} WHERE p = 1 AND c IN (1, 2) IF v = 1",
     "IN on the clustering key columns is not supported with conditional deletions"),
    ("UPDATE {t} SET v = 1 WHERE p = 1 IF EXISTS", "Missing mandatory PRIMARY KEY part c"),
    ("UPDATE {t} SET v = 1 WHERE p = 1 IF s = 1", "Missing mandatory PRIMARY KEY part c"),
    ("UPDATE {t} SET v = 1 WHERE p = 1 IF v = 1", "Missing mandatory PRIMARY KEY part c"),
    ("UPDATE {t} SET s = 1 WHERE p = 1 IF v = 1", "Missing mandatory PRIMARY KEY part c"),
    ("UPDATE {t} SET s = 1 WHERE p = 1 IF v = 1 AND s = 1", "Missing mandatory PRIMARY KEY part c"),
    ("UPDATE {t} SET v = 1 WHERE c = 1 IF v = 1", "Missing mandatory PRIMARY KEY part p"),
    ("UPDATE {t} SET v = 1 WHERE v = 1 IF EXISTS", "Invalid where clause contains non PRIMARY KEY columns: v"),
    ("UPDATE {t} SET s = 1 WHERE p = 1 AND c = 1 IF s = 1",
     "Invalid restrictions on clustering columns since the UPDATE statement modifies only static columns"),
    ("UPDATE {t} SET s = 1 WHERE p = 1 AND c = 1 IF EXISTS",
     "Invalid restrictions on clustering columns since the UPDATE statement modifies only static columns"),
    ("DELETE s FROM {t} WHERE p = 1 AND c = 1 IF s = 1",
     "Invalid restrictions on clustering columns since the DELETE statement modifies only static columns"),
    ("DELETE s FROM {t} WHERE p = 1 AND c = 1 IF EXISTS",
     "Invalid restrictions on clustering columns since the DELETE statement modifies only static columns"),
    ("DELETE FROM {t} WHERE p = 1 IF EXISTS",
     "DELETE statements must restrict all PRIMARY KEY columns with equality relations "
     "in order to delete non static columns"),
    ("DELETE FROM {t} WHERE p = 1 IF v = 10",
     "DELETE statements must restrict all PRIMARY KEY columns with equality relations "
     "in order to delete non static columns"),
    ("DELETE FROM {t} WHERE p = 1 AND c > 0 IF EXISTS",
     "DELETE statements must restrict all PRIMARY KEY columns with equality relations "
     "in order to delete non static columns"),
    ("DELETE FROM {t} WHERE p = 1 AND c > 0 IF v = 10",
     "DELETE statements must restrict all PRIMARY KEY columns with equality relations "
     "in order to delete non static columns"),
    ("DELETE v FROM {t} WHERE p = 1 AND c > 0 IF v = 10",
     "DELETE statements must restrict all PRIMARY KEY columns with equality relations "
     "in order to delete non static columns"),
    ("DELETE v FROM {t} WHERE p = 1 IF EXISTS",
     "Primary key column 'c' must be specified in order to modify column 'v'"),
    ("DELETE v FROM {t} WHERE p = 1 IF v = 10",
     "Primary key column 'c' must be specified in order to modify column 'v'"),
    ("DELETE s FROM {t} WHERE p = 1 IF v = 1",
     "DELETE statements must restrict all PRIMARY KEY columns with equality relations "
     "in order to use IF condition on non static columns"),
    ("DELETE s FROM {t} WHERE p = 1 IF v = 1 AND s = 1",
     "DELETE statements must restrict all PRIMARY KEY columns with equality relations "
     "in order to use IF condition on non static columns"),
    ("UPDATE {t} SET v = 1 WHERE p = 1 AND c = 1 IF p = 1", "PRIMARY KEY column 'p' cannot have IF conditions"),
    ("UPDATE {t} SET v = 1 WHERE p = 1 AND c = 1 IF c > 0", "PRIMARY KEY column 'c' cannot have IF conditions"),
    ("DELETE FROM {t} WHERE p = 1 AND c = 1 IF c = 1", "PRIMARY KEY column 'c' cannot have IF conditions"),
    ("UPDATE {t} SET v = 1 WHERE p < 1 AND c = 1 IF v = 1",
     "Only EQ and IN relation are supported on the partition key "
     "(unless you use the token() function or allow filtering)"),
    ("UPDATE {t} SET v = 1 WHERE p = 1 AND c = 1 IF nowhere = 1", "Unrecognized name nowhere"),
]  # fmt: skip


@pytest.mark.differs("cassandra", "words of its own")
@pytest.mark.parametrize("statement, sentence", CONDITIONAL_REFUSALS)
def test_what_a_conditional_statement_cannot_ask(wide, session, statement, sentence):
    with pytest.raises(InvalidRequest) as caught:
        session.execute(statement.format(t=wide))
    assert sentence.lower() in str(caught.value).lower()


@old_values_always
def test_in_with_a_single_value_names_one_row(wide, run):
    assert run(f"UPDATE {wide} SET v = 2 WHERE p = 1 AND c IN (2) IF v = 1") == [(False, None)]


def test_prefix_of_the_clustering_key_is_not_enough(create, refused):
    table = create("(a int, b int, c int, d int, PRIMARY KEY (a, b, c))")
    refused(
        InvalidRequest, f"UPDATE {table} SET d = 7 WHERE a = 1 AND b = 1 IF d = 0", "c$|missing: c|PRIMARY KEY part c"
    )
    refused(
        InvalidRequest,
        f"DELETE FROM {table} WHERE a = 1 AND b = 1 IF d = 0",
        "DELETE statements must restrict all PRIMARY KEY columns with equality relations",
    )


# ---------------------------------------------------------------- consistency, TTL, time


def test_serial_read_sees_what_a_transaction_wrote(plain, session, run):
    run(f"INSERT INTO {plain} (a, b) VALUES (1, 5) IF NOT EXISTS")
    for level in (ConsistencyLevel.SERIAL, ConsistencyLevel.LOCAL_SERIAL):
        assert tuple(session.execute(at(level, f"SELECT b FROM {plain} WHERE a = 1")).one()) == (5,)


@pytest.mark.differs("cassandra", "words of its own")
def test_serial_reads_are_of_one_partition(plain, session):
    with pytest.raises(
        InvalidRequest, match="SERIAL/LOCAL_SERIAL consistency may only be requested for one partition at a time"
    ):
        session.execute(at(ConsistencyLevel.SERIAL, f"SELECT * FROM {plain} WHERE a IN (1, 2)"))


def test_plain_write_at_serial_is_refused(plain, session):
    with pytest.raises(InvalidRequest, match="You must use conditional updates for serializable writes"):
        session.execute(at(ConsistencyLevel.SERIAL, f"INSERT INTO {plain} (a) VALUES (1)"))


def test_transaction_with_serial_as_its_commit_level_is_refused(plain, session):
    with pytest.raises(InvalidRequest, match="SERIAL is not supported as conditional update commit consistency"):
        session.execute(at(ConsistencyLevel.SERIAL, f"INSERT INTO {plain} (a) VALUES (1) IF NOT EXISTS"))


@pytest.mark.embedded
def test_an_expired_row_does_not_exist(plain, run, engine):
    run(f"INSERT INTO {plain} (a, b) VALUES (1, 1) IF NOT EXISTS USING TTL 100")
    assert run(f"INSERT INTO {plain} (a, b) VALUES (1, 2) IF NOT EXISTS") == [(False, 1, 1)]
    engine.control("push_clock", seconds=101)
    assert run(f"INSERT INTO {plain} (a, b) VALUES (1, 2) IF NOT EXISTS") == [(True, None, None)]


def test_a_hold_ends_by_itself(plain, run):
    """The whole idea of a seat's hold: IF NOT EXISTS USING TTL, and no one has to clean up."""
    run(f"INSERT INTO {plain} (a, b) VALUES (1, 1) IF NOT EXISTS USING TTL 1")
    taken = f"INSERT INTO {plain} (a, b) VALUES (1, 2) IF NOT EXISTS"
    assert eventually(lambda: run(taken)[0][0])
    assert run(f"SELECT b FROM {plain} WHERE a = 1") == [(2,)]


def test_ttl_of_a_conditional_update(plain, run, left):
    run(f"INSERT INTO {plain} (a, b) VALUES (1, 1)")
    assert run(f"UPDATE {plain} USING TTL 1000 SET b = 2 WHERE a = 1 IF b = 1")[0][0] is True
    assert run(f"SELECT TTL(b) FROM {plain} WHERE a = 1")[0][0] in left(1000)


def test_transactions_follow_each_other_in_time(plain, run):
    """Every transaction has a later timestamp than the one before, so the last one wins."""
    run(f"INSERT INTO {plain} (a, b) VALUES (1, 0)")
    times = []
    for n in range(5):
        run(f"UPDATE {plain} SET b = {n + 1} WHERE a = 1 IF b = {n}")
        times.append(run(f"SELECT WRITETIME(b) FROM {plain} WHERE a = 1")[0][0])
    assert times == sorted(set(times))


def test_bound_values(plain, session):
    prepared = session.prepare(f"UPDATE {plain} SET b = ? WHERE a = ? IF b IN ?")
    session.execute(f"INSERT INTO {plain} (a, b) VALUES (1, 1)")
    assert session.execute(prepared, (2, 1, [3, 4])).one()[0] is False
    assert session.execute(prepared, (2, 1, [1, 4])).one()[0] is True


def test_named_markers(plain, session):
    session.execute(f"INSERT INTO {plain} (a, b) VALUES (1, 1)")
    prepared = session.prepare(f"UPDATE {plain} SET b = :new WHERE a = :key IF b = :old")
    assert session.execute(prepared, {"new": 2, "key": 1, "old": 1}).one()[0] is True


def test_markers_in_a_list_of_alternatives(plain, session):
    session.execute(f"INSERT INTO {plain} (a, b) VALUES (1, 1)")
    prepared = session.prepare(f"UPDATE {plain} SET b = 9 WHERE a = 1 IF b IN (?, ?)")
    assert session.execute(prepared, (2, 3)).one()[0] is False
    assert session.execute(prepared, (2, 1)).one()[0] is True
