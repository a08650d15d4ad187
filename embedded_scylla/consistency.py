"""Consistency levels on a cluster of one node: how many replicas a level needs, and whether they are there.

A keyspace may ask for three replicas, but one node holds one of them at most: what needs more is refused, as
ScyllaDB refuses it.
"""

from __future__ import annotations

from . import request
from .errors import InvalidRequest, Unavailable
from .request import CONSISTENCY_NAMES
from .schema import Keyspace

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
    _check_alive(keyspace, level)


def check_write(keyspace: Keyspace, level: int) -> None:
    """Refuse a plain write that cannot be had at this level: InvalidRequest or Unavailable."""
    if level in _ONE_IS_ENOUGH:
        return
    if level in _SERIAL:
        raise InvalidRequest("You must use conditional updates for serializable writes")
    _check_alive(keyspace, level)


def check_read_before_write(keyspace: Keyspace, level: int) -> None:
    """Refuse a write that has to read a list first, at a level which no read can have."""
    if level in (request.ANY, request.EACH_QUORUM):
        raise InvalidRequest(
            f"Write operation require a read but consistency {CONSISTENCY_NAMES[level]} is not supported on reads"
        )


def check_serial(keyspace: Keyspace, level: int, commit_level: int | None = None) -> None:
    """Refuse a lightweight transaction that cannot be had at this serial level. ``commit_level`` is the ordinary
    level, at which what was decided is written; a serial read has none."""
    if level not in _SERIAL:
        raise InvalidRequest("Invalid consistency for conditional update. Must be one of SERIAL or LOCAL_SERIAL")
    if commit_level is not None and commit_level in _SERIAL:
        raise InvalidRequest(
            f"{CONSISTENCY_NAMES[commit_level]} is not supported as conditional update commit consistency. "
            "Use ANY if you mean \"make sure it is accepted but I don't care how many replicas commit it "
            'for non-SERIAL reads"'
        )
    _check_alive(keyspace, level)
    if commit_level is not None and commit_level not in _ONE_IS_ENOUGH:
        _check_alive(keyspace, commit_level)


def _check_alive(keyspace: Keyspace, level: int) -> None:
    needed = replicas_needed(keyspace, level)
    if needed > ALIVE:
        raise Unavailable(level, CONSISTENCY_NAMES[level], needed, ALIVE)
