"""A client that speaks the native protocol byte by byte: what a driver would never send can be sent with it."""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

from tests.patience import SECONDS

ERROR, STARTUP, READY, OPTIONS, SUPPORTED, QUERY, RESULT = 0x00, 0x01, 0x02, 0x05, 0x06, 0x07, 0x08
PREPARE, EXECUTE, REGISTER, EVENT, BATCH, AUTH_RESPONSE = 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0F
COMPRESSED, TRACING, CUSTOM_PAYLOAD, WARNING = 0x01, 0x02, 0x04, 0x08

ONE, QUORUM, LOCAL_ONE = 1, 4, 10
VALUES, SKIP_METADATA, PAGE_SIZE, PAGING_STATE, SERIAL, TIMESTAMP, NAMES = 1, 2, 4, 8, 16, 32, 64

VOID, ROWS, SET_KEYSPACE, PREPARED, SCHEMA_CHANGE = range(1, 6)


class Frame(NamedTuple):
    version: int
    flags: int
    stream: int
    opcode: int
    body: bytes


class Body:
    """Takes a response's body apart."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        assert self.at + count <= len(self.data), "the body is too short"
        self.at += count
        return self.data[self.at - count : self.at]

    def int(self) -> int:
        return struct.unpack(">i", self.take(4))[0]

    def short(self) -> int:
        return struct.unpack(">H", self.take(2))[0]

    def string(self) -> str:
        return self.take(self.short()).decode()

    def strings(self) -> list[str]:
        return [self.string() for _ in range(self.short())]

    def multimap(self) -> dict[str, list[str]]:
        return {self.string(): self.strings() for _ in range(self.short())}

    def bytes(self) -> bytes | None:
        length = self.int()
        return None if length < 0 else self.take(length)

    def short_bytes(self) -> bytes:
        return self.take(self.short())


def short(number: int) -> bytes:
    return struct.pack(">H", number)


def integer(number: int) -> bytes:
    return struct.pack(">i", number)


def string(text: str) -> bytes:
    return short(len(text.encode())) + text.encode()


def strings(*texts: str) -> bytes:
    return short(len(texts)) + b"".join(map(string, texts))


def string_map(**pairs: str) -> bytes:
    return short(len(pairs)) + b"".join(string(k) + string(v) for k, v in pairs.items())


def long_string(text: str) -> bytes:
    return integer(len(text.encode())) + text.encode()


def value(data: bytes | None) -> bytes:
    return integer(-1) if data is None else integer(len(data)) + data


UNSET = integer(-2)


def query(text: str, consistency: int = ONE, flags: int = 0, rest: bytes = b"") -> bytes:
    """The body of a QUERY; ``rest`` is what ``flags`` announce."""
    return long_string(text) + short(consistency) + bytes((flags,)) + rest


def execute(statement_id: bytes, consistency: int = ONE, flags: int = 0, rest: bytes = b"") -> bytes:
    return short(len(statement_id)) + statement_id + short(consistency) + bytes((flags,)) + rest


class Wire:
    """One connection. ``ask`` sends a request and gives the response to it."""

    def __init__(self, host: str, port: int, version: int = 4, start: bool = True, **options: str):
        self.version = version
        self._socket = socket.create_connection((host, port), timeout=SECONDS)
        self._stream = 0
        if start:
            answer = self.ask(STARTUP, string_map(CQL_VERSION="3.3.1", **options))
            assert answer.opcode == READY, answer

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, opcode: int, body: bytes = b"", flags: int = 0, stream: int | None = None) -> int:
        """Send a request; its stream number."""
        if stream is None:
            self._stream = stream = (self._stream + 1) % 32768
        self.send_bytes(struct.pack(">BBhBi", self.version, flags, stream, opcode, len(body)) + body)
        return stream

    def send_bytes(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self) -> Frame:
        """The next frame that comes."""
        version, flags, stream, opcode, length = struct.unpack(">BBhBi", self._exactly(9))
        return Frame(version, flags, stream, opcode, self._exactly(length))

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self._socket.recv(count - len(data))
            if not piece:
                raise EOFError("the node has closed the connection")
            data += piece
        return data

    def is_closed(self) -> bool:
        """Whether the node has closed the connection (waits for it)."""
        try:
            self.receive()
        except (EOFError, ConnectionError):
            return True
        return False

    def rest(self) -> bytes:
        """All bytes until the node closes the connection."""
        data = b""
        while piece := self._socket.recv(65_536):
            data += piece
        return data

    def ask(self, opcode: int, body: bytes = b"", flags: int = 0) -> Frame:
        stream = self.send(opcode, body, flags)
        answer = self.receive()
        while answer.stream != stream:  # an event
            answer = self.receive()
        return answer

    def query(self, text: str, consistency: int = ONE, flags: int = 0, rest: bytes = b"") -> Frame:
        return self.ask(QUERY, query(text, consistency, flags, rest))

    def prepare(self, text: str) -> tuple[bytes, Body]:
        """The id of a statement, and the body of the answer from there on."""
        answer = self.ask(PREPARE, long_string(text))
        assert answer.opcode == RESULT, error_of(answer)
        body = Body(answer.body)
        assert body.int() == PREPARED
        return body.short_bytes(), body


def error_of(answer: Frame) -> tuple[int, str]:
    """The code and the sentence of an ERROR."""
    assert answer.opcode == ERROR, answer
    body = Body(answer.body)
    return body.int(), body.string()


def rows_of(answer: Frame) -> list[list[bytes | None]]:
    """The values of a result of rows, whose metadata is there or skipped."""
    assert answer.opcode == RESULT, error_of(answer)
    body = Body(answer.body)
    assert body.int() == ROWS
    flags, count = body.int(), body.int()
    if flags & 2:
        body.bytes()
    if not flags & 4:
        if flags & 1:
            body.string(), body.string()
        for _ in range(count):
            if not flags & 1:
                body.string(), body.string()
            body.string()
            skip_type(body)
    return [[body.bytes() for _ in range(count)] for _ in range(body.int())]


def skip_type(body: Body) -> None:
    """Pass over an [option]."""
    kind = body.short()
    if kind in (0x20, 0x22):  # list, set
        skip_type(body)
    elif kind == 0x21:  # map
        skip_type(body)
        skip_type(body)
    elif kind == 0x31:  # tuple
        for _ in range(body.short()):
            skip_type(body)
    elif kind == 0:  # custom
        body.string()
