"""The functions of CQL that make or read points in time: now(), minTimeuuid(), toTimestamp() and the rest."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import timeuuid
from ..errors import InvalidRequest
from ..types import BIGINT, DATE, TIME, TIMESTAMP
from ..types.text_forms import DAY_MS

if TYPE_CHECKING:
    from ..request import Context

LOWEST_LOW = 0x8080_8080_8080_8080  # timeuuids compare their last eight bytes as signed numbers
HIGHEST_LOW = 0x7F7F_7F7F_7F7F_7F7F
# This process's own: the variant's two bits, a clock sequence, and a node number marked as made up.
PROCESS_LOW = (secrets.randbits(64) & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0100_0000_0000


def _timeuuid(steps: int, low: int) -> bytes:
    """The timeuuid of an instant in 100 ns since 1582-10-15. InvalidRequest if its 60 bits do not hold it."""
    if not 0 <= steps < 1 << 60:
        raise InvalidRequest("timeuuid time must fit in 60 bits")
    return timeuuid.pack(steps, low)


def millis_of(data: bytes) -> int:
    """A timeuuid's time in ms since 1970: what CQL's functions show."""
    return (timeuuid.steps_of(data) - timeuuid.EPOCH) // 10_000


def min_timeuuid(millis: int) -> bytes:
    """The lowest possible timeuuid of a millisecond."""
    return _timeuuid(millis * 10_000 + timeuuid.EPOCH, LOWEST_LOW)


def max_timeuuid(millis: int) -> bytes:
    """The highest possible timeuuid of a millisecond."""
    return _timeuuid(millis * 10_000 + 9_999 + timeuuid.EPOCH, HIGHEST_LOW)


# ---------------------------------------------------------------- the functions' bodies


Arguments = Sequence[bytes | None]


def now(arguments: Arguments, context: Context) -> bytes:
    return timeuuid.pack(context.clock.unique_micros() * 10 + timeuuid.EPOCH, PROCESS_LOW)


def current_timestamp(arguments: Arguments, context: Context) -> bytes:
    return TIMESTAMP.encode(context.clock.micros() // 1000)


def current_date(arguments: Arguments, context: Context) -> bytes:
    return millis_to_date(context.clock.micros() // 1000)


def current_time(arguments: Arguments, context: Context) -> bytes:
    return TIME.encode(context.clock.micros() // 1000 % DAY_MS * 1_000_000)


def millis_to_date(millis: int) -> bytes:
    days = millis // DAY_MS + (1 << 31)
    if not 0 <= days < 1 << 32:
        raise InvalidRequest(f"{millis} ms since 1970 is not within the range of type date")
    return DATE.encode(days)


def date_to_millis(days: int) -> int:
    return (days - (1 << 31)) * DAY_MS


def timeuuid_to_timestamp(data: bytes) -> bytes:
    return TIMESTAMP.encode(millis_of(data))


def timeuuid_to_date(data: bytes) -> bytes:
    return millis_to_date(millis_of(data))


def timestamp_to_date(data: bytes) -> bytes:
    return millis_to_date(TIMESTAMP.decode(data))


def date_to_timestamp(data: bytes) -> bytes:
    return TIMESTAMP.encode(date_to_millis(DATE.decode(data)))


def timestamp_to_bigint(data: bytes) -> bytes:
    return data


def timeuuid_to_bigint(data: bytes) -> bytes:
    return BIGINT.encode(millis_of(data))


def timestamp_to_min_timeuuid(data: bytes) -> bytes:
    return min_timeuuid(TIMESTAMP.decode(data))


def timestamp_to_max_timeuuid(data: bytes) -> bytes:
    return max_timeuuid(TIMESTAMP.decode(data))
