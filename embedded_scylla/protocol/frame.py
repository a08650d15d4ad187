"""Frames of the CQL native protocol (v3 and v4) and the primitive notations inside them. No sockets, no meaning.

A frame is a nine-byte header (version, flags, stream, opcode, length of the body) and a body. ``Frames`` takes bytes
as they come and gives whole frames; ``Reader`` takes a body apart; the ``encode_…`` functions build one.
Source: native protocol specification v4, sections 2 and 3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..errors import InvalidRequest, ProtocolError
from ..limits import MAX_BODY, MAX_FIRST_BODY, MAX_REQUEST_MEMORY, request_memory
from ..request import UNSET, BoundValue

HEADER = struct.Struct(">BBhBI")
SUPPORTED_VERSIONS = (3, 4)
RESPONSE_BIT = 0x80

COMPRESSED, TRACING, CUSTOM_PAYLOAD, WARNING = 0x01, 0x02, 0x04, 0x08  # flags

# opcodes
ERROR, STARTUP, READY, AUTHENTICATE, OPTIONS, SUPPORTED, QUERY, RESULT = 0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x08
PREPARE, EXECUTE, REGISTER, EVENT, BATCH, AUTH_CHALLENGE, AUTH_RESPONSE = 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F
AUTH_SUCCESS = 0x10

_INT, _SHORT, _LONG = struct.Struct(">i"), struct.Struct(">H"), struct.Struct(">q")
_NULL = _INT.pack(-1)


class Frame(NamedTuple):
    version: int
    flags: int
    stream: int
    opcode: int
    body: bytes


class RequestTooLarge(InvalidRequest):
    """A body that is not even read. ``stream`` is the request's."""

    def __init__(self, length: int, stream: int):
        super().__init__(
            f"request size too large (frame size {length}; estimate {request_memory(length)}; "
            f"allowed {MAX_REQUEST_MEMORY})"
        )
        self.stream = stream


def truncated(expected: int, left: int) -> ProtocolError:
    """The error of a body that ends before what it promises."""
    return ProtocolError(f"truncated frame: expected {expected} bytes, length is {left}")


class Frames:
    """Bytes in, frames out. Keeps what is not yet a whole frame. Frames are short until the connection is ``opened``:
    nobody has so much to say before."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._version: int | None = None  # of the first frame, and so of all
        self.opened = False

    @property
    def held(self) -> int:
        """How many bytes of a frame that is not whole have come."""
        return len(self._buffer)

    def forget(self) -> None:
        """Let go of them: nobody is heard any more."""
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Give each whole frame; raise ``RequestTooLarge`` or ``ProtocolError`` for what cannot be one."""
        kept = self._buffer
        buffer: bytes | bytearray = data
        if kept:
            kept += data
            buffer = kept
        start, end = 0, len(buffer)
        try:
            while end - start >= 1:
                version = buffer[start]
                if version != self._version and (self._version is not None or version not in SUPPORTED_VERSIONS):
                    raise self._wrong_version(version)
                if end - start < HEADER.size:
                    return
                version, flags, stream, opcode, length = HEADER.unpack_from(buffer, start)
                if not self.opened and length > MAX_FIRST_BODY:
                    raise ProtocolError(f"Initial message size too large ({length}), rejecting as invalid")
                if length > MAX_BODY:
                    raise RequestTooLarge(length, stream)
                self._version = version
                stop = start + HEADER.size + length
                if stop > end:
                    return
                body = bytes(buffer[start + HEADER.size : stop])
                start = stop
                yield Frame(version, flags, stream, opcode, body)
        finally:
            if buffer is kept:
                del kept[:start]
            else:
                kept += data[start:]

    def _wrong_version(self, version: int) -> ProtocolError:
        """The client may try again with one of ``SUPPORTED_VERSIONS``, but not change it on the way."""
        if self._version is not None:
            return ProtocolError(
                f"Invalid message version. Got {version} but previous messages on this connection had version "
                f"{self._version}"
            )
        return ProtocolError(f"Invalid or unsupported protocol version: {version}")


class Reader:
    """Reads the notations of a body one after another; a body that ends too early is a ProtocolError."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0):
        self.data = data
        self.at = at

    def _take(self, count: int) -> bytes:
        end = self.at + count
        if count < 0 or end > len(self.data):
            raise truncated(count, len(self.data) - self.at)
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def unpack(self, form: struct.Struct) -> tuple[Any, ...]:
        """Several numbers at once."""
        at = self.at
        self.at = at + form.size
        try:
            return form.unpack_from(self.data, at)
        except struct.error:
            raise truncated(form.size, len(self.data) - at) from None

    def byte(self) -> int:
        return self._take(1)[0]

    def short(self) -> int:
        (number,) = self.unpack(_SHORT)
        return int(number)

    def integer(self) -> int:
        (number,) = self.unpack(_INT)
        return int(number)

    def long(self) -> int:
        (number,) = self.unpack(_LONG)
        return int(number)

    def string(self) -> str:
        return self._text(self.short())

    def long_string(self) -> str:
        return self._text(self.integer())

    def _text(self, length: int) -> str:
        try:
            return self._take(length).decode()
        except UnicodeDecodeError as error:
            raise ProtocolError(
                f"Cannot decode string as UTF8, invalid character at byte offset {error.start}"
            ) from None

    def short_bytes(self) -> bytes:
        return self._take(self.short())

    def blob(self) -> bytes | None:
        length = self.integer()
        return None if length < 0 else self._take(length)

    def value(self, version: int) -> BoundValue:
        """A bound value: bytes, None for null, UNSET (from version 4 on)."""
        return self.values(1, version)[0]

    def values(self, count: int, version: int) -> list[BoundValue]:
        """Bound values one after another: every request with variables comes through here."""
        data, at, end = self.data, self.at, len(self.data)
        found: list[BoundValue] = []
        length_at = _INT.unpack_from
        for _ in range(count):
            if at + 4 > end:
                raise truncated(4, end - at)
            (length,) = length_at(data, at)
            at += 4
            if length >= 0:
                stop = at + length
                if stop > end:
                    raise truncated(length, end - at)
                found.append(data[at:stop])
                at = stop
            elif length == -1 or version < 4:
                found.append(None)
            elif length == -2:
                found.append(UNSET)
            else:
                raise ProtocolError("invalid value length")
        self.at = at
        return found

    def string_map(self) -> dict[str, str]:
        return {self.string(): self.string() for _ in range(self.short())}

    def string_list(self) -> list[str]:
        return [self.string() for _ in range(self.short())]


def encode_frame(version: int, flags: int, stream: int, opcode: int, body: bytes) -> bytes:
    return HEADER.pack(version | RESPONSE_BIT, flags, stream, opcode, len(body)) + body


encode_int = _INT.pack
encode_short = _SHORT.pack


def encode_string(text: str) -> bytes:
    data = text.encode()
    return _SHORT.pack(len(data)) + data


def encode_bytes(value: bytes | None) -> bytes:
    return _NULL if value is None else _INT.pack(len(value)) + value


def encode_short_bytes(value: bytes) -> bytes:
    return _SHORT.pack(len(value)) + value


def encode_string_list(items: Iterable[str]) -> bytes:
    items = list(items)
    return _SHORT.pack(len(items)) + b"".join(map(encode_string, items))


def encode_string_multimap(items: dict[str, list[str]]) -> bytes:
    parts = [_SHORT.pack(len(items))]
    for key, values in items.items():
        parts += (encode_string(key), encode_string_list(values))
    return b"".join(parts)
