"""The keys of list elements: timeuuids that sort as the elements stand in the list.

An appended element's key is of the write's own time; a prepended one's is as far before 2010 as the write is after it,
so that later prepends sort first. A running number in the low bits keeps the order within one statement or batch.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import InvalidRequest
from ..timeuuid import EPOCH

_CLOCK_SEQUENCE_BITS = 14
_LIMIT = 8 << _CLOCK_SEQUENCE_BITS  # a microsecond has ten steps of 100 ns, of which three bits are used
_REFERENCE = 1_262_304_000 * 1_000_000  # 2010-01-01, µs
_NODE = 0x8080_8080_8080  # so that keys depend on time and number only


class ListKeys:
    """Gives out keys within one request; its statements share one object."""

    __slots__ = ("_appended", "_prepended")

    def __init__(self) -> None:
        self._appended = self._prepended = 0

    def append(self, timestamp: int) -> bytes:
        """The key of the next appended element of a write with this timestamp (µs)."""
        number = self._appended
        self._appended += 1
        if number >= _LIMIT:
            raise InvalidRequest("Too many list values per single CQL statement or batch")
        return _key(timestamp, number)

    def prepend(self, timestamp: int, count: int) -> Sequence[bytes]:
        """Keys for ``count`` elements put before all that are there, in their order."""
        if timestamp <= _REFERENCE:
            raise InvalidRequest("List prepend custom timestamp must be greater than Jan 1 2010 00:00:00")
        if self._prepended + count > _LIMIT:
            raise InvalidRequest("Too many list values per single CQL statement or batch")
        self._prepended += count
        first = _LIMIT - self._prepended
        mirrored = 2 * _REFERENCE - timestamp
        return [_key(mirrored, number) for number in range(first, first + count)]


def _key(micros: int, number: int) -> bytes:
    steps = micros * 10 + EPOCH + (number >> _CLOCK_SEQUENCE_BITS)
    high = (steps & 0xFFFF_FFFF) << 32 | (steps >> 32 & 0xFFFF) << 16 | 0x1000 | steps >> 48 & 0x0FFF
    # The low eight bytes compare as signed ones: with the sign turned, the number's low byte sorts upwards.
    sequence = (number & (1 << _CLOCK_SEQUENCE_BITS) - 1) ^ 0x80
    return (high << 64 | 0x8000_0000_0000_0000 | sequence << 48 | _NODE).to_bytes(16, "big")
