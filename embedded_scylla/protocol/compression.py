"""Compressed bodies of frames: LZ4, where the driver that is installed has it compiled in."""

from __future__ import annotations

from ..errors import ProtocolError
from .frame import MAX_BODY

try:
    from cassandra.cython_lz4 import lz4_decompress
except ImportError:
    lz4_decompress = None

ALGORITHMS = ["lz4"] if lz4_decompress else []  # what is offered; all in small letters
_LENGTH = 4  # bytes in front of the block: how long it will be


def decompress(body: bytes) -> bytes:
    """The body behind a compressed one: four bytes of its length, and an LZ4 block. ProtocolError if it is none."""
    if len(body) < _LENGTH:
        raise ProtocolError(f"CQL frame truncated: expected to have at least {_LENGTH} bytes, got {len(body)}")
    length = int.from_bytes(body[:_LENGTH], "big", signed=True)
    if length < 0:
        raise ProtocolError(f"CQL frame uncompressed length is negative: {length}")
    if length > MAX_BODY:  # before anybody makes room for it
        raise ProtocolError("CQL frame LZ4 uncompression failure")
    try:
        return lz4_decompress(body)
    except RuntimeError:
        raise ProtocolError("CQL frame LZ4 uncompression failure") from None
