"""The paging state: where the next page begins, as opaque bytes that a client hands back.

It names a place in the data (partition key, clustering position), not a cursor of this process, so it stays good
after a restart and after writes. It is checked when it comes back: bytes that this node did not make, or made for
another table, are refused.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from ..errors import ProtocolError
from ..schema import Table
from ..storage.rows import Key

_MAGIC = b"FS"
_FIXED = struct.Struct(">2s16sqqBH")  # magic, table id, remaining, remaining in partition, flags, key columns
_LENGTH = struct.Struct(">I")
_HAS_POSITION = 1

UNLIMITED = 2**62  # rows


@dataclass(slots=True)
class PagingState:
    """``key``: the partition of the last row sent. ``position``: that row's clustering order; None when the partition
    is done. ``remaining`` and ``partition_remaining``: rows that LIMIT and PER PARTITION LIMIT still allow."""

    key: Key
    position: bytes | None
    remaining: int
    partition_remaining: int

    def encode(self, table: Table) -> bytes:
        """The bytes for the client."""
        flags = 0 if self.position is None else _HAS_POSITION
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
        position = parts.pop()
        return cls(tuple(parts), position if flags & _HAS_POSITION else None, remaining, partition_remaining)
