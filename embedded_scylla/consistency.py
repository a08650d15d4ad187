"""Consistency levels on a cluster of one node: how many replicas a level needs, and whether they are there.

A keyspace may ask for three replicas, but one node holds one of them at most: a plain read or write that needs more is
refused. Paxos counts otherwise: its quorum is one of the replicas that exist, here one of one, so that a lightweight
transaction is decided whatever the keyspace asks for. What was decided is then written at the statement's ordinary
level, and if that needs replicas that are not there, they are waited for in vain: the outcome is in, and the client is
told of a timeout.
"""

from __future__ import annotations

from . import request
from .errors import InvalidRequest, ReadTimeout, Unavailable, WriteTimeout
from .request import CONSISTENCY_NAMES
from .schema import Keyspace, Table

ALIVE = 1  # this node

_ONE_IS_ENOUGH = frozenset((request.ANY, request.ONE, request.LOCAL_ONE))
_FIXED = {request.ANY: 1, request.ONE: 1, request.LOCAL_ONE: 1, request.TWO: 2, request.THREE: 3}
_SERIAL = frozenset((request.SERIAL, request.LOCAL_SERIAL))


def replicas_needed(keyspace: Keyspace, level: int) -> int:
    """How many replicas must answer at this level (a number of ``request``'s)."""
    fixed = _FIXED.get(level)
    if fixed is not None:
        return fixed
    factor = keyspace.replication_factor
    return factor if level == request.ALL else factor // 2 + 1


def check_read(keyspace: Keyspace, level: int) -> None:
    """Refuse a read that cannot be had at this level: InvalidRequest or Unavailable."""
    if level in (request.ONE, request.LOCAL_ONE):
        return
    if level in (request.ANY, request.EACH_QUORUM):
        raise InvalidRequest(f"{CONSISTENCY_NAMES[level]} ConsistencyLevel is only supported for writes")
    if level not in _SERIAL:
        _check_alive(keyspace, level)


def check_write(keyspace: Keyspace, level: int) -> None:
    """Refuse a plain write that cannot be had at this level: InvalidRequest or Unavailable."""
    if level in _ONE_IS_ENOUGH:
        return
    if level in _SERIAL:
        raise InvalidRequest("You must use conditional updates for serializable writes")
    _check_alive(keyspace, level)


def check_counter_write(table: Table, level: int) -> None:
    """Refuse a write to counters at a level that they cannot have."""
    if level == request.ANY:
        raise InvalidRequest(f"Consistency level ANY is not yet supported for counter table {table.name}")
    if level in _SERIAL:
        raise InvalidRequest("Counter operations are inherently non-serializable")


def check_read_before_write(keyspace: Keyspace, level: int) -> None:
    """Refuse a write that has to read a list first, at a level which no read can have."""
    if level in (request.ANY, request.EACH_QUORUM):
        raise InvalidRequest(
            f"Write operation require a read but consistency {CONSISTENCY_NAMES[level]} is not supported on reads"
        )


def check_serial(level: int, commit_level: int) -> None:
    """Refuse a lightweight transaction with levels that none can have. ``level`` is the serial one, ``commit_level``
    the ordinary one, at which what was decided is written."""
    if level not in _SERIAL:
        raise InvalidRequest("Invalid consistency for conditional update. Must be one of SERIAL or LOCAL_SERIAL")
    if commit_level in _SERIAL:
        raise InvalidRequest(
            f"{CONSISTENCY_NAMES[commit_level]} is not supported as conditional update commit consistency. "
            "Use ANY if you mean \"make sure it is accepted but I don't care how many replicas commit it "
            'for non-SERIAL reads"'
        )


def check_learnt(keyspace: Keyspace, table: Table, commit_level: int) -> None:
    """After what was decided is written: WriteTimeout if more replicas than there are had to confirm it."""
    needed = replicas_needed(keyspace, commit_level)
    if needed > ALIVE:
        raise WriteTimeout(_timed_out(table, ALIVE, needed, commit_level), commit_level, ALIVE, needed, "CAS")


def read_timeout(keyspace: Keyspace, table: Table, level: int) -> ReadTimeout:
    """What a client is told whose read took longer than it allowed."""
    needed = replicas_needed(keyspace, level)
    return ReadTimeout(_timed_out(table, 0, needed, level), level, 0, needed, False)


def write_timeout(keyspace: Keyspace, table: Table, level: int, write_type: str) -> WriteTimeout:
    """What a client is told whose write took longer than it allowed."""
    needed = replicas_needed(keyspace, level)
    return WriteTimeout(_timed_out(table, 0, needed, level), level, 0, needed, write_type)


def _timed_out(table: Table, received: int, needed: int, level: int) -> str:
    return (
        f"Operation timed out for {table.full_name} - received only {received} responses from {needed} "
        f"CL={CONSISTENCY_NAMES[level]}."
    )


def _check_alive(keyspace: Keyspace, level: int) -> None:
    needed = replicas_needed(keyspace, level)
    if needed > ALIVE:
        raise Unavailable(level, CONSISTENCY_NAMES[level], needed, ALIVE)
