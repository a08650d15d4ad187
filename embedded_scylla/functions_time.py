"""Time-based UUIDs, and the functions of CQL that make or read points in time.

A timeuuid's time counts steps of 100 ns since 1582-10-15; its other eight bytes ("low") make it unique.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .errors import InvalidRequest
from .types import BIGINT, DATE, TIME, TIMESTAMP
from .types.text_forms import DAY_MS

if TYPE_CHECKING:
    from .request import Context

UUID_EPOCH = 0x01B21DD213814000  # 1970-01-01 in steps of 100 ns since 1582-10-15
LOWEST_LOW = b"\x80" * 8  # timeuuids compare these bytes as signed numbers
HIGHEST_LOW = b"\x7f" * 8
# This process's own: the variant's two bits, a clock sequence, and a node number marked as made up.
PROCESS_LOW = ((secrets.randbits(64) & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000 | (1 << 40)).to_bytes(8, "big")


def timeuuid(steps: int, low: bytes = PROCESS_LOW) -> bytes:
    """The timeuuid of an instant in 100 ns since 1582-10-15. InvalidRequest if its 60 bits do not hold it."""
    if not 0 <= steps < 1 << 60:
        raise InvalidRequest("timeuuid time must fit in 60 bits")
    high = ((steps & 0xFFFFFFFF) << 32) | ((steps >> 32 & 0xFFFF) << 16) | 0x1000 | (steps >> 48)
    return high.to_bytes(8, "big") + low


def timeuuid_of_micros(micros: int, low: bytes = PROCESS_LOW) -> bytes:
    """The timeuuid of an instant in µs since 1970."""
    return timeuuid(micros * 10 + UUID_EPOCH, low)


def steps_of(data: bytes) -> int:
    """A timeuuid's time in 100 ns since 1582-10-15."""
    high = int.from_bytes(data[:8], "big")
    return ((high & 0x0FFF) << 48) | ((high >> 16 & 0xFFFF) << 32) | (high >> 32)


def micros_of(data: bytes) -> int:
    """A timeuuid's time in µs since 1970."""
    return (steps_of(data) - UUID_EPOCH) // 10


def millis_of(data: bytes) -> int:
    """A timeuuid's time in ms since 1970: what CQL's functions show."""
    return (steps_of(data) - UUID_EPOCH) // 10_000


def min_timeuuid(millis: int) -> bytes:
    """The lowest possible timeuuid of a millisecond."""
    return timeuuid(millis * 10_000 + UUID_EPOCH, LOWEST_LOW)


def max_timeuuid(millis: int) -> bytes:
    """The highest possible timeuuid of a millisecond."""
    return timeuuid(millis * 10_000 + 9_999 + UUID_EPOCH, HIGHEST_LOW)


# ---------------------------------------------------------------- the functions' bodies


Arguments = Sequence[bytes | None]


def now(arguments: Arguments, context: Context) -> bytes:
    return timeuuid_of_micros(context.engine.clock.unique_micros())


def current_timestamp(arguments: Arguments, context: Context) -> bytes:
    return TIMESTAMP.encode(context.engine.clock.micros() // 1000)


def current_date(arguments: Arguments, context: Context) -> bytes:
    return millis_to_date(context.engine.clock.micros() // 1000)


def current_time(arguments: Arguments, context: Context) -> bytes:
    return TIME.encode(context.engine.clock.micros() // 1000 % DAY_MS * 1_000_000)


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
