"""The bytes of a result's values as the server sent them, before the driver makes Python values of them."""

from __future__ import annotations

from typing import Any

from cassandra.marshal import int32_unpack
from cassandra.protocol import ProtocolHandler, ResultMessage


def _receive_rows(message: Any, stream: Any, version: int, types: Any, known: Any, *_: Any) -> None:
    """As the driver's own, but each value stays the bytes that it came in; None is a null."""
    message.recv_results_metadata(stream, types)
    columns = message.column_metadata or known
    message.column_names = [column[2] for column in columns]
    message.column_types = [column[3] for column in columns]
    number = int32_unpack(stream.read(4))
    message.parsed_rows = [tuple(_value(stream) for _ in columns) for _ in range(number)]


def _value(stream: Any) -> bytes | None:
    length = int32_unpack(stream.read(4))
    if length < 0:
        return None
    data: bytes = stream.read(length)
    return data


_RawResult: Any = type("_RawResult", (ResultMessage,), {"recv_results_rows": _receive_rows})

# Put into a session's client_protocol_handler for one request, it gives rows of bytes.
RawProtocolHandler: Any = type(
    "RawProtocolHandler",
    (ProtocolHandler,),
    {"message_types_by_opcode": {**ProtocolHandler.message_types_by_opcode, ResultMessage.opcode: _RawResult}},
)
