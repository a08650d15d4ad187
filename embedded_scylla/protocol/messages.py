"""Messages of the native protocol: request bodies to plain values, results and errors to response bodies.

Source: native protocol specification v4, sections 4 and 9.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from .. import errors
from ..request import (
    LOCAL_ONE,
    LOCAL_SERIAL,
    SERIAL,
    BoundValue,
    Plan,
    QueryOptions,
    Result,
    Rows,
    SchemaChange,
    SetKeyspace,
    Void,
)
from ..schema import ColumnSpec
from ..types.wire import pack_cells
from .frame import (
    Reader,
    encode_bytes,
    encode_int,
    encode_short,
    encode_short_bytes,
    encode_string,
    encode_string_list,
)

_LEVEL_AND_FLAGS = struct.Struct(">HB")
# flags of query parameters
_VALUES, _SKIP_METADATA, _PAGE_SIZE, _PAGING_STATE, _SERIAL, _TIMESTAMP, _NAMES = 1, 2, 4, 8, 16, 32, 64
# flags of result metadata
_GLOBAL_SPEC, _HAS_MORE_PAGES, _NO_METADATA = 1, 2, 4
LWT_MARK = 0x80000000  # SCYLLA_LWT_ADD_METADATA_MARK: set in a prepared statement's metadata flags

VOID, ROWS, SET_KEYSPACE, PREPARED, SCHEMA_CHANGE = (encode_int(kind) for kind in range(1, 6))
BATCH_KINDS = ("LOGGED", "UNLOGGED", "COUNTER")


@dataclass(slots=True)
class Parameters:
    """What QUERY and EXECUTE carry beside the statement. ``names`` is None for positional values."""

    options: QueryOptions
    values: list[BoundValue] = field(default_factory=list)
    names: list[str] | None = None


@dataclass(slots=True)
class BatchMessage:
    """``statements``: the text or the prepared id of each, with its values."""

    kind: str
    statements: list[tuple[str | bytes, list[BoundValue]]]
    options: QueryOptions


def decode_parameters(reader: Reader, version: int) -> Parameters:
    level, flags = reader.unpack(_LEVEL_AND_FLAGS)
    options = QueryOptions(_known_level(level))
    parameters = Parameters(options)
    if flags & _VALUES:
        count = reader.short()
        if flags & _NAMES:
            pairs = [(reader.string(), reader.value(version)) for _ in range(count)]
            parameters.names = [name for name, _ in pairs]
            parameters.values = [value for _, value in pairs]
        else:
            parameters.values = reader.values(count, version)
    options.skip_metadata = bool(flags & _SKIP_METADATA)
    if flags & _PAGE_SIZE:
        size = reader.integer()
        options.page_size = size if size > 0 else None
    if flags & _PAGING_STATE:
        options.paging_state = reader.blob()
    if flags & _SERIAL:
        options.serial_consistency = _serial(reader)
    if flags & _TIMESTAMP:
        options.timestamp = _timestamp(reader)
    return parameters


def decode_batch(reader: Reader, version: int) -> BatchMessage:
    kind = reader.byte()
    if kind >= len(BATCH_KINDS):
        raise errors.ProtocolError(f"Unknown BATCH type {kind}")
    statements: list[tuple[str | bytes, list[BoundValue]]] = []
    for _ in range(reader.short()):
        prepared = reader.byte()
        if prepared not in (0, 1):
            raise errors.ProtocolError(f"Invalid query kind in BATCH messages. Must be 0 or 1 but got {prepared}")
        statement = reader.short_bytes() if prepared else reader.long_string()
        statements.append((statement, reader.values(reader.short(), version)))
    options = QueryOptions(consistency=_consistency(reader))
    flags = reader.byte()
    if flags & _NAMES:
        raise errors.ProtocolError("Named values are not supported in BATCH messages")
    if flags & _SERIAL:
        options.serial_consistency = _serial(reader)
    if flags & _TIMESTAMP:
        options.timestamp = _timestamp(reader)
    return BatchMessage(BATCH_KINDS[kind], statements, options)


def _consistency(reader: Reader) -> int:
    return _known_level(reader.short())


def _known_level(level: int) -> int:
    if level > LOCAL_ONE:
        raise errors.ProtocolError(f"Unknown code {level} for a consistency level")
    return level


def _serial(reader: Reader) -> int:
    level = _consistency(reader)
    if level not in (SERIAL, LOCAL_SERIAL):
        raise errors.ProtocolError("Invalid consistency level for serial consistency: only SERIAL or LOCAL_SERIAL")
    return level


def _timestamp(reader: Reader) -> int:
    timestamp = reader.long()
    if timestamp == -(2**63):
        raise errors.ProtocolError("Out of bound timestamp, must be in [-9223372036854775807, 9223372036854775807]")
    return timestamp


# ---------------------------------------------------------------- responses


def encode_result(result: Result, plan: Plan | None = None, skip_metadata: bool = False) -> bytes:
    """The body of a RESULT. With the ``plan`` that gave it, what describes the columns is made once."""
    if isinstance(result, Rows):
        flags = _HAS_MORE_PAGES if result.paging_state is not None else 0
        metadata = _metadata(result.columns, flags, result.paging_state, skip_metadata, plan)
        return ROWS + metadata + encode_int(len(result.rows)) + (result.cells or pack_cells(result.rows))
    if isinstance(result, Void):
        return VOID
    if isinstance(result, SetKeyspace):
        return SET_KEYSPACE + encode_string(result.keyspace)
    return SCHEMA_CHANGE + encode_schema_change(result)


def encode_schema_change(change: SchemaChange) -> bytes:
    """As in a RESULT, and (after the event's type) in an EVENT."""
    parts = [encode_string(change.change), encode_string(change.target), encode_string(change.keyspace)]
    if change.target != "KEYSPACE":
        parts.append(encode_string(change.name))
    return b"".join(parts)


def encode_prepared(statement_id: bytes, plan: Plan, version: int, mark_lwt: bool) -> bytes:
    """The body of a RESULT of kind PREPARED: the variables, the routing key's indexes, the result's columns."""
    specs = plan.variables
    flags = _GLOBAL_SPEC if specs and _one_table(specs) else 0
    if plan.is_lwt and mark_lwt:
        flags |= LWT_MARK
    parts = [PREPARED, encode_short_bytes(statement_id), flags.to_bytes(4, "big"), encode_int(len(specs))]
    if version >= 4:
        indexes = plan.partition_key_variables
        parts.append(encode_int(len(indexes)))
        parts += map(encode_short, indexes)
    parts.append(_encode_specs(specs, bool(flags & _GLOBAL_SPEC)))
    if plan.columns is None:
        parts.append(encode_int(_NO_METADATA) + encode_int(0))
    else:
        parts.append(_metadata(plan.columns, 0, None, False, plan))
    return b"".join(parts)


def _metadata(
    columns: Sequence[ColumnSpec], flags: int, paging_state: bytes | None, skip: bool, plan: Plan | None
) -> bytes:
    count = encode_int(len(columns))
    state = b"" if paging_state is None else encode_bytes(paging_state)
    if skip:
        return encode_int(flags | _NO_METADATA) + count + state
    own_flags, specs = _described(columns, plan)
    return encode_int(flags | own_flags) + count + state + specs


# A plan gives the same list of columns with each of its results; its description goes when the plan goes.
_descriptions: WeakKeyDictionary[Plan, tuple[Sequence[ColumnSpec], int, bytes]] = WeakKeyDictionary()


def _described(columns: Sequence[ColumnSpec], plan: Plan | None) -> tuple[int, bytes]:
    """The flags and the bytes that describe columns."""
    kept = None if plan is None else _descriptions.get(plan)
    if kept is None or kept[0] is not columns:
        flags = _GLOBAL_SPEC if columns and _one_table(columns) else 0
        kept = (columns, flags, _encode_specs(columns, bool(flags)))
        if plan is not None:
            _descriptions[plan] = kept
    return kept[1], kept[2]


def _one_table(specs: Sequence[ColumnSpec]) -> bool:
    first = specs[0][:2]
    return all(spec[:2] == first for spec in specs)


def _encode_specs(specs: Sequence[ColumnSpec], one_table: bool) -> bytes:
    parts: list[bytes] = []
    if one_table:
        parts += (encode_string(specs[0].keyspace), encode_string(specs[0].table))
    for spec in specs:
        if not one_table:
            parts += (encode_string(spec.keyspace), encode_string(spec.table))
        parts += (encode_string(spec.name), spec.type.option)
    return b"".join(parts)


def encode_error(error: errors.CqlError) -> bytes:
    """The body of an ERROR, with the fields that its code has."""
    parts = [encode_int(error.code), encode_string(_short_enough(error.message))]
    if isinstance(error, errors.Unavailable):
        parts += (encode_short(error.consistency), encode_int(error.required), encode_int(error.alive))
    elif isinstance(error, errors.WriteTimeout):
        parts += (encode_short(error.consistency), encode_int(error.received), encode_int(error.required))
        parts.append(encode_string(error.write_type))
    elif isinstance(error, errors.ReadTimeout):
        parts += (encode_short(error.consistency), encode_int(error.received), encode_int(error.required))
        parts.append(bytes((error.data_present,)))
    elif isinstance(error, errors.FunctionFailure):
        parts += (encode_string(error.keyspace), encode_string(error.function))
        parts.append(encode_string_list(error.argument_types))
    elif isinstance(error, errors.AlreadyExists):
        parts += (encode_string(error.keyspace), encode_string(error.table))
    elif isinstance(error, errors.Unprepared):
        parts.append(encode_short_bytes(error.statement_id))
    return b"".join(parts)


def _short_enough(message: str) -> str:
    """A [string] holds 65,535 bytes of UTF-8; a message that quotes too much, or half a character, is mended."""
    data = message.encode("utf-8", "replace")
    if len(data) > 60_000:
        data = data[:60_000] + b"\xe2\x80\xa6"  # …
    return data.decode("utf-8", "ignore")


def encode_warnings(warnings: Sequence[str]) -> bytes:
    return encode_string_list(map(_short_enough, warnings))


def encode_schema_event(change: SchemaChange) -> bytes:
    return encode_string("SCHEMA_CHANGE") + encode_schema_change(change)
