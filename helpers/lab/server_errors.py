"""What the driver raises when a request does not succeed, and what of it the server said."""

from __future__ import annotations

from collections.abc import Mapping

from cassandra import DriverException
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionException
from cassandra.protocol import ErrorMessage

# Three of its classes have no parent in common with others.
SERVER_ERRORS = (DriverException, ErrorMessage, NoHostAvailable, ConnectionException)


def inner_error(error: Exception) -> Exception:
    """The driver asks the next node after some refusals, and when none is left wraps the last one."""
    inside = getattr(error, "errors", None)
    if isinstance(inside, Mapping) and inside:
        return next((each for each in inside.values() if isinstance(each, SERVER_ERRORS)), error)
    return error


def is_lost(error: BaseException) -> bool:
    """Is there nobody at the other end any more?"""
    return isinstance(error, NoHostAvailable | ConnectionException)
