"""Consistency levels against replication factors, on the one node that there is."""

from __future__ import annotations

import uuid

import pytest

from embedded_scylla import consistency
from embedded_scylla.errors import InvalidRequest, Unavailable, WriteTimeout
from embedded_scylla.request import (
    ALL,
    ANY,
    EACH_QUORUM,
    LOCAL_ONE,
    LOCAL_QUORUM,
    LOCAL_SERIAL,
    ONE,
    QUORUM,
    SERIAL,
    THREE,
    TWO,
)
from embedded_scylla.schema import Keyspace, Table


def keyspace(factor: int) -> Keyspace:
    return Keyspace("ks", {"class": "NetworkTopologyStrategy", "datacenter1": str(factor)})


LOCAL = Keyspace("system", {"class": "LocalStrategy"})
TABLE = Table("ks", "t", uuid.UUID(int=1), {}, {})


@pytest.mark.parametrize(
    ("factor", "level", "needed"),
    [
        (1, ONE, 1), (1, QUORUM, 1), (1, ALL, 1), (1, SERIAL, 1), (1, TWO, 2), (1, THREE, 3),
        (2, QUORUM, 2), (2, ALL, 2), (2, LOCAL_ONE, 1),
        (3, ANY, 1), (3, ONE, 1), (3, LOCAL_ONE, 1), (3, TWO, 2), (3, THREE, 3), (3, ALL, 3),
        (3, QUORUM, 2), (3, LOCAL_QUORUM, 2), (3, EACH_QUORUM, 2), (3, SERIAL, 2), (3, LOCAL_SERIAL, 2),
    ],
)  # fmt: skip
def test_replicas_needed(factor: int, level: int, needed: int):
    assert consistency.replicas_needed(keyspace(factor), level) == needed


def test_one_replica_serves_every_level_but_those_that_name_more():
    for level in (ONE, QUORUM, ALL, LOCAL_QUORUM, LOCAL_ONE):
        consistency.check_read(keyspace(1), level)
        consistency.check_write(keyspace(1), level)
    consistency.check_write(keyspace(1), ANY)
    consistency.check_write(keyspace(1), EACH_QUORUM)
    for level in (TWO, THREE):
        with pytest.raises(Unavailable):
            consistency.check_write(keyspace(1), level)


def test_unavailable_says_what_is_missing():
    with pytest.raises(Unavailable) as caught:
        consistency.check_write(keyspace(3), QUORUM)
    error = caught.value
    assert error.message == "Cannot achieve consistency level for cl QUORUM. Requires 2, alive 1"
    assert (error.consistency, error.required, error.alive) == (QUORUM, 2, 1)
    with pytest.raises(Unavailable, match=r"cl LOCAL_QUORUM\. Requires 2, alive 1"):
        consistency.check_read(keyspace(3), LOCAL_QUORUM)


def test_system_keyspaces_are_local():
    consistency.check_read(LOCAL, QUORUM)
    consistency.check_read(LOCAL, ALL)


def test_levels_that_reads_or_writes_do_not_have():
    with pytest.raises(InvalidRequest, match="ANY ConsistencyLevel is only supported for writes"):
        consistency.check_read(keyspace(1), ANY)
    with pytest.raises(InvalidRequest, match="EACH_QUORUM ConsistencyLevel is only supported for writes"):
        consistency.check_read(keyspace(1), EACH_QUORUM)
    for level in (SERIAL, LOCAL_SERIAL):
        with pytest.raises(InvalidRequest, match="You must use conditional updates for serializable writes"):
            consistency.check_write(keyspace(1), level)


def test_lightweight_transactions():
    consistency.check_serial(SERIAL, ONE)
    consistency.check_serial(LOCAL_SERIAL, ANY)
    with pytest.raises(InvalidRequest, match="Must be one of SERIAL or LOCAL_SERIAL"):
        consistency.check_serial(ONE, ONE)
    with pytest.raises(InvalidRequest, match=r"^SERIAL is not supported as conditional update commit consistency"):
        consistency.check_serial(SERIAL, SERIAL)


@pytest.mark.parametrize(
    ("factor", "level", "needed"),
    [(1, TWO, 2), (1, THREE, 3), (3, QUORUM, 2), (3, LOCAL_QUORUM, 2), (3, EACH_QUORUM, 2), (3, ALL, 3)],
)
def test_a_decision_that_too_few_confirm_times_out(factor: int, level: int, needed: int):
    with pytest.raises(WriteTimeout) as caught:
        consistency.check_learnt(keyspace(factor), TABLE, level)
    error = caught.value
    assert (error.consistency, error.received, error.required, error.write_type) == (level, 1, needed, "CAS")
    assert error.message.startswith(f"Operation timed out for ks.t - received only 1 responses from {needed} CL=")


def test_a_decision_that_enough_confirm():
    for factor, level in ((1, QUORUM), (1, ALL), (1, EACH_QUORUM), (3, ANY), (3, ONE), (3, LOCAL_ONE)):
        consistency.check_learnt(keyspace(factor), TABLE, level)


@pytest.mark.parametrize("level", [SERIAL, LOCAL_SERIAL])
def test_serial_reads_count_the_replicas_that_exist(level: int):
    consistency.check_read(keyspace(3), level)
