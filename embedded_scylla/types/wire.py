"""The wire forms that collections and tuples are made of: values after their lengths, -1 for null, -2 for unset; and
integers of variable length, whose first byte begins with a 1 for each further byte."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..errors import InvalidRequest
from .base import MarshalError

_NULL = b"\xff\xff\xff\xff"
_LENGTHS = [n.to_bytes(4, "big") for n in range(1024)]  # the common lengths of values, packed once


def pack_fields(values: Iterable[bytes | None]) -> bytes:
    """The fields of a tuple, one after the other."""
    parts = []
    for value in values:
        if value is None:
            parts.append(_NULL)
        else:
            parts.append(len(value).to_bytes(4, "big"))
            parts.append(value)
    return b"".join(parts)


def unpack_fields(data: bytes) -> list[bytes | None]:
    """The fields that a tuple's bytes hold; those left out at its end are not there."""
    fields: list[bytes | None] = []
    position, end = 0, len(data)
    while position < end:
        if position + 4 > end:
            raise MarshalError("Not enough bytes to read size of a tuple component")
        length = int.from_bytes(data[position : position + 4], "big", signed=True)
        position += 4
        if length < 0:
            fields.append(None)
            continue
        if position + length > end:
            raise MarshalError("Not enough bytes to read a tuple component")
        fields.append(data[position : position + length])
        position += length
    return fields


def pack_values(values: Sequence[bytes | None]) -> bytes:
    """A list or set of these elements, in this order."""
    return len(values).to_bytes(4, "big") + pack_fields(values)


def pack_pairs(pairs: Sequence[tuple[bytes, bytes | None]]) -> bytes:
    """A map of these entries, in this order."""
    return len(pairs).to_bytes(4, "big") + pack_fields(part for pair in pairs for part in pair)


def _refuse_null(length: int, index: int, per_element: int) -> None:
    if per_element == 2 and index % 2 == 0:
        raise InvalidRequest("null/unset is not supported inside collections")
    what = "unset value" if length == -2 else "null"
    raise InvalidRequest(f"{what} is not supported inside collections")


def unpack_values(data: bytes, per_element: int = 1, null_allowed: bool = False) -> tuple[list[bytes | None], bytes]:
    """The elements of a list or set (with ``per_element`` 2 the keys and values of a map, in turn), and the bytes left
    over after them.

    Bytes that end too early are refused; so is null within, unless ``null_allowed``.
    """
    if len(data) < 4:
        raise MarshalError(f"read_simple - not enough bytes (expected 4, got {len(data)})")
    count = int.from_bytes(data[:4], "big", signed=True)
    if count < 0:
        count = len(data)  # no end is reached before the bytes are
    values: list[bytes | None] = []
    position, end = 4, len(data)
    for index in range(count * per_element):
        start = position + 4
        if start > end:
            raise MarshalError(f"read_simple - not enough bytes (expected 4, got {end - position})")
        length = int.from_bytes(data[position:start], "big", signed=True)
        if length < 0:
            if not (null_allowed and length == -1):
                _refuse_null(length, index, per_element)
            values.append(None)
            position = start
            continue
        position = start + length
        if position > end:
            raise MarshalError(f"read_simple_bytes - not enough bytes (requested {length}, got {end - start})")
        values.append(data[start:position])
    return values, data[position:]


# ---------------------------------------------------------------- integers of variable length


def pack_vint(number: int) -> bytes:
    """An unsigned integer of 64 bits at most, in one to nine bytes."""
    extra = min(8, max(0, (number.bit_length() - 1) // 7))
    if extra == 8:
        return b"\xff" + number.to_bytes(8, "big")
    return (number | (0xFF00 >> extra & 0xFF) << (8 * extra)).to_bytes(extra + 1, "big")


def unpack_vint(data: bytes, position: int) -> tuple[int, int]:
    """The unsigned integer that stands at ``position``, and where it ends."""
    first = data[position]
    extra = 8 - (~first & 0xFF).bit_length()
    end = position + 1 + extra
    if end > len(data):
        raise MarshalError(f"read_simple - not enough bytes (expected {extra}, got {len(data) - position - 1})")
    return (first & 0xFF >> extra) << (8 * extra) | int.from_bytes(data[position + 1 : end], "big"), end


def pack_signed_vint(number: int) -> bytes:
    """A signed integer of 64 bits: small ones are short, whatever their sign."""
    return pack_vint(number << 1 if number >= 0 else (-number << 1) - 1)


def unpack_signed_vint(data: bytes, position: int) -> tuple[int, int]:
    number, end = unpack_vint(data, position)
    return number >> 1 if not number & 1 else -(number >> 1) - 1, end


# ---------------------------------------------------------------- rows of a result


def pack_cells(rows: Iterable[Iterable[bytes | None]]) -> bytes:
    """The rows of a result, cell after cell: the hottest loop of a large read."""
    parts: list[bytes] = []
    append = parts.append
    lengths, limit = _LENGTHS, len(_LENGTHS)
    for row in rows:
        for value in row:
            if value is None:
                append(_NULL)
            else:
                size = len(value)
                append(lengths[size] if size < limit else size.to_bytes(4, "big"))
                append(value)
    return b"".join(parts)
