"""Version-1 UUIDs made from microseconds: for now(), the CDC log and traces."""

from __future__ import annotations

import os
import uuid

EPOCH = 0x01B21DD213814000  # 100-ns steps from 1582-10-15 to 1970-01-01


def pack(steps: int, low: int) -> bytes:
    """The timeuuid of an instant in 100-ns steps since 1582-10-15 (60 bits); ``low`` is its last eight bytes."""
    high = (steps & 0xFFFF_FFFF) << 32 | (steps >> 32 & 0xFFFF) << 16 | 0x1000 | steps >> 48 & 0x0FFF
    return (high << 64 | low).to_bytes(16, "big")


def steps_of(data: bytes) -> int:
    """The instant of a timeuuid, in 100-ns steps since 1582-10-15."""
    high = int.from_bytes(data[:8], "big")
    return (high & 0x0FFF) << 48 | (high >> 16 & 0xFFFF) << 32 | high >> 32


def timeuuid_at(micros: int, low: int | None = None) -> uuid.UUID:
    """A timeuuid of that instant (µs since 1970); ``low``, its last eight bytes, is random when not given."""
    if low is None:
        low = int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
    return uuid.UUID(bytes=pack(micros * 10 + EPOCH, low))
