"""Pages: what ends one, and the paging state, which says where the next one begins, as opaque bytes for the client.

A page ends with so many rows as the client asked for, with ``PAGE_BYTES`` of them, or after ``PAGE_TOMBSTONES``, be it
empty. Where rows are filtered, those count that were read, not those that passed.

The state names a place in the data (partition key, clustering position), not a cursor of this process, so it stays good
after a restart and after writes. It is checked when it comes back: bytes that this node did not make, or made for
another table, are refused.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ProtocolError
from ..schema import Table
from ..storage.rows import Key

_MAGIC = b"FT"
_FIXED = struct.Struct(">2s16sqqBH")  # magic, table id, remaining, remaining in partition, flags, key columns
_LENGTH = struct.Struct(">I")
_HAS_POSITION, _ROWLESS = 1, 2

UNLIMITED = 2**62  # rows

PAGE_BYTES = 1 << 20  # query_page_size_in_bytes
PAGE_TOMBSTONES = 10_000  # query_tombstone_page_limit


@dataclass(slots=True)
class PagingState:
    """``key``: the partition that was read last. ``position``: where in its clustering order the next page begins
    (against that order: where it ends); None when the partition is done. ``remaining`` and ``partition_remaining``:
    rows that LIMIT and PER PARTITION LIMIT still allow. ``rowless``: no live row of the partition was met so far."""

    key: Key
    position: bytes | None
    remaining: int
    partition_remaining: int
    rowless: bool = False

    def encode(self, table: Table) -> bytes:
        """The bytes for the client."""
        flags = (0 if self.position is None else _HAS_POSITION) | (_ROWLESS if self.rowless else 0)
        parts = [_FIXED.pack(_MAGIC, table.id.bytes, self.remaining, self.partition_remaining, flags, len(self.key))]
        for part in (*self.key, self.position or b""):
            parts += (_LENGTH.pack(len(part)), part)
        body = b"".join(parts)
        return body + _LENGTH.pack(zlib.crc32(body))

    @classmethod
    def decode(cls, data: bytes, table: Table) -> PagingState:
        """The state that a client handed back. ProtocolError if it is none of this table's."""
        try:
            body, (checksum,) = data[:-4], _LENGTH.unpack(data[-4:])
            magic, table_id, remaining, partition_remaining, flags, columns = _FIXED.unpack_from(body)
            if magic != _MAGIC or zlib.crc32(body) != checksum:
                raise ValueError("not a paging state")
            if table_id != table.id.bytes or columns != len(table.partition_key):
                raise ValueError("another table's")
            parts, offset = [], _FIXED.size
            for _ in range(columns + 1):
                (length,) = _LENGTH.unpack_from(body, offset)
                offset += _LENGTH.size
                parts.append(body[offset : offset + length])
                offset += length
        except (ValueError, struct.error):
            raise ProtocolError("Invalid value for the paging state") from None
        last = parts.pop()
        position = last if flags & _HAS_POSITION else None
        return cls(tuple(parts), position, remaining, partition_remaining, bool(flags & _ROWLESS))


class Room:
    """How many rows may still be taken: on this page, in all, and of the partition that is being read."""

    __slots__ = ("_each", "in_partition", "limit", "page", "rowless")

    def __init__(self, page: int, limit: int, each: int):
        self.page, self.limit, self._each = page, limit, each
        self.in_partition = each
        self.rowless = False  # no live row of the partition was met

    @property
    def left(self) -> int:
        return min(self.page, self.limit, self.in_partition)

    @property
    def is_full(self) -> bool:
        return self.page <= 0 or self.limit <= 0

    def enter(self, state: PagingState | None) -> None:
        """Begin a partition, or (with a state) go on with one."""
        self.in_partition = self._each if state is None else min(self._each, state.partition_remaining)

    def take(self, count: int) -> None:
        self.page -= count
        self.limit -= count
        self.in_partition -= count

    def state(self, key: Key, position: bytes | None) -> PagingState:
        """Where the next page begins."""
        return PagingState(key, position, self.limit, self.in_partition, self.rowless)

    def end_page(self) -> None:
        self.page = 0


def rows_within(rows: Sequence[Sequence[bytes | None]], size: int) -> int:
    """How many of the rows it takes to fill ``size`` bytes."""
    for count, row in enumerate(rows, 1):
        size -= sum(4 + len(value or b"") for value in row)
        if size <= 0:
            return count
    return len(rows)
