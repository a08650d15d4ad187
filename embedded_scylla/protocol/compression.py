"""Compressed bodies of frames: LZ4, where the driver that is installed has it compiled in."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from ..errors import ProtocolError
from ..limits import MAX_BODY


def _lz4() -> Callable[[bytes], bytes] | None:
    try:
        decompress: Callable[[bytes], bytes] = import_module("cassandra.cython_lz4").lz4_decompress
    except ImportError:
        return None
    return decompress


_lz4_decompress = _lz4()
ALGORITHMS = ["lz4"] if _lz4_decompress else []  # what is offered; all in small letters
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
    if _lz4_decompress is None:  # it was not offered, so nobody can have agreed on it
        raise ProtocolError("Unknown compression algorithm")
    try:
        return _lz4_decompress(body)
    except RuntimeError:
        raise ProtocolError("CQL frame LZ4 uncompression failure") from None
