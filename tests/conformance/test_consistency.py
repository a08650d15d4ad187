"""Consistency levels mean something, even on one node: what needs more replicas than there are is refused."""

from __future__ import annotations

import pytest
from cassandra import ConsistencyLevel, InvalidRequest, Unavailable, WriteTimeout, WriteType
from cassandra.cluster import NoHostAvailable
from cassandra.query import SimpleStatement

pytestmark = pytest.mark.differs("cassandra", "its texts differ, and so do levels that only ScyllaDB takes")

LEVELS = ("ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_QUORUM", "EACH_QUORUM", "LOCAL_ONE")


@pytest.fixture(scope="module")
def wide(session, keyspace):
    """A table with three replicas, of which this cluster has one."""
    name = f"{keyspace}_wide"
    session.execute(
        f"CREATE KEYSPACE {name} WITH replication = {{'class': 'NetworkTopologyStrategy', 'replication_factor': 3}} "
        "AND tablets = {'enabled': false}"
    )
    session.execute(f"CREATE TABLE {name}.t (p int PRIMARY KEY, v int)")
    yield f"{name}.t"
    session.execute(f"DROP KEYSPACE {name}")


def at(session, statement: str, level: str, serial: str | None = None):
    options = {"serial_consistency_level": ConsistencyLevel.name_to_value[serial]} if serial else {}
    return session.execute(
        SimpleStatement(statement, consistency_level=ConsistencyLevel.name_to_value[level], **options)
    )


def unavailable(session, statement: str, level: str, serial: str | None = None) -> Unavailable:
    """The refusal: with one node the driver has nobody else to ask, and says that."""
    with pytest.raises((NoHostAvailable, Unavailable)) as caught:
        at(session, statement, level, serial)
    error = caught.value
    if isinstance(error, NoHostAvailable):
        (error,) = error.errors.values()
    assert isinstance(error, Unavailable), error
    return error


@pytest.mark.parametrize("level", LEVELS)
def test_one_replica_is_enough_for_every_write(create, session, level):
    table = create("(p int PRIMARY KEY, v int)")
    if level in ("TWO", "THREE"):
        error = unavailable(session, f"INSERT INTO {table} (p) VALUES (1)", level)
        assert (error.required_replicas, error.alive_replicas) == (2 + (level == "THREE"), 1)
        return
    at(session, f"INSERT INTO {table} (p, v) VALUES (1, 1)", level)
    at(session, f"DELETE FROM {table} WHERE p = 1", level)


@pytest.mark.parametrize("level, needed", [("QUORUM", 2), ("LOCAL_QUORUM", 2), ("TWO", 2), ("THREE", 3), ("ALL", 3)])
def test_what_three_replicas_need(wide, session, level, needed):
    for statement in (
        f"SELECT * FROM {wide}",
        f"INSERT INTO {wide} (p) VALUES (1)",
        f"SELECT * FROM {wide} WHERE p = 1",
    ):
        error = unavailable(session, statement, level)
        assert (error.consistency, error.required_replicas, error.alive_replicas) == (
            ConsistencyLevel.name_to_value[level],
            needed,
            1,
        )
        assert f"Cannot achieve consistency level for cl {level}. Requires {needed}, alive 1" in str(error)


@pytest.mark.parametrize("level", ["ONE", "LOCAL_ONE"])
def test_one_is_always_there(wide, session, level):
    at(session, f"INSERT INTO {wide} (p, v) VALUES (7, 1)", level)
    assert list(at(session, f"SELECT v FROM {wide} WHERE p = 7", level)) == [(1,)]


@pytest.mark.parametrize("level", ["ANY", "EACH_QUORUM"])
def test_levels_for_writes_only(create, session, level):
    table = create("(p int PRIMARY KEY)")
    with pytest.raises(InvalidRequest, match=f"{level} ConsistencyLevel is only supported for writes"):
        at(session, f"SELECT * FROM {table}", level)


@pytest.mark.parametrize("level", ["SERIAL", "LOCAL_SERIAL"])
def test_serial_levels(create, session, level):
    """For reads of one partition; a plain write has nothing to be serial with."""
    table = create("(p int PRIMARY KEY, v int)")
    with pytest.raises(InvalidRequest, match="You must use conditional updates for serializable writes"):
        at(session, f"INSERT INTO {table} (p) VALUES (1)", level)
    assert list(at(session, f"SELECT * FROM {table} WHERE p = 1", level)) == []
    for where in ("", " WHERE p IN (1, 2)"):
        with pytest.raises(InvalidRequest, match="may only be requested for one partition at a time"):
            at(session, f"SELECT * FROM {table}{where}", level)


@pytest.mark.parametrize("serial", ["SERIAL", "LOCAL_SERIAL"])
@pytest.mark.parametrize("level", ["ANY", "ONE", "LOCAL_ONE"])
def test_transactions_are_decided_by_the_replicas_that_exist(wide, session, level, serial):
    """Three are asked for and one is there: its vote is the quorum of Paxos."""
    insert = f"INSERT INTO {wide} (p, v) VALUES (100, 1) IF NOT EXISTS"
    delete = f"DELETE FROM {wide} WHERE p = 100 IF EXISTS"
    outcomes = [at(session, statement, level, serial).was_applied for statement in (insert, insert, delete, delete)]
    assert outcomes == [True, False, True, False]


@pytest.mark.parametrize("level, needed", [("TWO", 2), ("QUORUM", 2), ("LOCAL_QUORUM", 2), ("ALL", 3)])
def test_a_decision_that_too_few_replicas_confirm(wide, session, level, needed):
    """It is made, and it is in; the client is told of a timeout, because the replicas that should confirm it are not
    there."""
    key = 200 + ConsistencyLevel.name_to_value[level]
    insert = f"INSERT INTO {wide} (p, v) VALUES ({key}, 1) IF NOT EXISTS"
    with pytest.raises(WriteTimeout) as caught:
        at(session, insert, level)
    error = caught.value
    assert (error.write_type, error.received_responses, error.required_responses) == (WriteType.CAS, 1, needed)
    for serial in ("SERIAL", "LOCAL_SERIAL"):
        assert list(at(session, f"SELECT v FROM {wide} WHERE p = {key}", serial)) == [(1,)]
    # Nothing to write, nothing to confirm.
    assert at(session, insert, level).was_applied is False


def test_a_transaction_commits_at_an_ordinary_level(create, session):
    table = create("(p int PRIMARY KEY)")
    with pytest.raises(InvalidRequest, match="SERIAL is not supported as conditional update commit consistency"):
        at(session, f"INSERT INTO {table} (p) VALUES (1) IF NOT EXISTS", "SERIAL")


@pytest.mark.parametrize("level", ["QUORUM", "ALL"])
def test_system_tables_have_one_replica(session, level):
    assert len(list(at(session, "SELECT * FROM system.local", level))) == 1


def test_a_table_on_tablets_needs_its_replicas_to_be_made(session, keyspace):
    """With vnodes it is the first request that fails; with tablets already CREATE TABLE."""
    from cassandra.protocol import ConfigurationException

    name = f"{keyspace}_tablets"
    session.execute(f"CREATE KEYSPACE {name} WITH replication = "
                    "{'class': 'NetworkTopologyStrategy', 'replication_factor': 3}")  # fmt: skip
    with pytest.raises(ConfigurationException, match="doesn't have enough token-owning nodes for replication_factor=3"):
        session.execute(f"CREATE TABLE {name}.t (p int PRIMARY KEY)")
    session.execute(f"DROP KEYSPACE {name}")
