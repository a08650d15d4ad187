"""USING TIMEOUT: how long a request may take, after which ScyllaDB gives up and says so.

Hardly anything takes long on one node: what does is a read of much, and a read at SERIAL while decisions take time. And
nothing is done in no time at all, which is how a timeout is tried out. Conditional statements take the time that the
server gives them, whatever they ask for.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

from ..cql import ast
from ..decisions import Turn
from ..errors import CqlError, InvalidRequest
from ..request import Context, Plan, Result
from ..schema import ColumnSpec
from ..types import DURATION
from .compile import Variables, compile_term, required

_NANOSECONDS = 1_000_000_000  # in a second
_GRAIN = 1_000_000  # nanoseconds

Timeout = Callable[[Context], float]  # seconds
P = TypeVar("P", bound=Plan)


def compile_timeout(term: ast.Term | None, keyspace: str, table: str, variables: Variables) -> Timeout | None:
    """A request's timeout, if it has one of its own. InvalidRequest if it is none that ScyllaDB takes; a bound one is
    checked when the request is executed."""
    if term is None:
        return None
    value = compile_term(term, ColumnSpec(keyspace, table, "[timeout]", DURATION), variables)
    if value.is_constant:
        seconds = _seconds(value.constant)
        return lambda context: seconds
    return lambda context: _seconds(required(value, context))


def _seconds(data: bytes | None) -> float:
    duration = DURATION.decode(data) if data is not None else None
    if duration is None:
        raise InvalidRequest("Timeout value cannot be null")
    if duration.months or duration.days:
        raise InvalidRequest("Timeout values cannot be expressed in days/months")
    if duration.nanoseconds % _GRAIN:
        raise InvalidRequest("Timeout values cannot have granularity finer than milliseconds")
    if duration.nanoseconds < 0:
        raise InvalidRequest("Timeout values must be non-negative")
    return duration.nanoseconds / _NANOSECONDS


def within(plan: P, timeout: Timeout | None, late: Callable[[Context], CqlError], reads: bool = False) -> P:
    """The plan, with no more than ``timeout`` for each of its executions; ``late`` makes the error of one that takes
    longer. What ``reads`` may be late with its answer; a write that is carried out has been in time."""
    if timeout is None:
        return plan
    execute, turn = plan.execute, plan.turn

    def in_time(context: Context) -> Result:
        seconds = timeout(context)
        if not seconds:
            raise late(context)
        ends = time.monotonic() + seconds if reads else math.inf
        result = execute(context)
        if reads and time.monotonic() > ends:
            raise late(context)
        return result

    def turn_in_time(context: Context) -> Turn | None:
        found = turn(context)
        return None if found is None else found._replace(allowed=timeout(context))

    # Over the methods of this one plan, so that no other pays for it.
    plan.execute = in_time  # type: ignore[method-assign]
    plan.turn = turn_in_time  # type: ignore[method-assign]
    return plan
