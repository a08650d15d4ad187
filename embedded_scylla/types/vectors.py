"""Vectors: a fixed number of elements of one type, none of them null, kept as one value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import InvalidRequest
from . import wire
from .base import CqlType, MarshalError, interned
from .json_text import Json
from .native import BIGINT, BOOLEAN, DOUBLE, FLOAT, INT, TIMESTAMP, TIMEUUID, UUID

MAX_DIMENSION = 16_000
# Types whose values stand in a vector without their lengths; those of tinyint, smallint, date and time have them.
_WIDTHS = {BOOLEAN: 1, INT: 4, FLOAT: 4, BIGINT: 8, DOUBLE: 8, TIMESTAMP: 8, UUID: 16, TIMEUUID: 16}


class VectorType(CqlType):
    """``VectorType(element, dimension)`` gives the interned vector type; its elements are frozen. ``width``: of each
    value in bytes, if all have the same."""

    family = "vector"
    element: CqlType

    def __new__(cls, element: CqlType, dimension: int) -> VectorType:
        return _vector(element.freeze(), dimension)

    def __init__(self, element: CqlType, dimension: int):
        pass  # made once, by ``_make``

    def _make(self, element: CqlType, dimension: int) -> VectorType:
        class_name = f"VectorType({element.class_name}, {dimension})"
        super().__init__(f"vector<{element.name}, {dimension}>", b"", class_name)
        # The protocol has no number for it: a custom type, by its class.
        named = self.class_name.encode()
        self.option = b"\x00\x00" + len(named).to_bytes(2, "big") + named
        self.element, self.dimension = element, dimension
        self.holds_set_or_map = element.holds_set_or_map
        self._element_width = element.width if isinstance(element, VectorType) else _WIDTHS.get(element)
        self.width = None if self._element_width is None else self._element_width * dimension
        return self

    def split(self, data: bytes) -> list[bytes]:
        """The wire bytes of the elements."""
        parts, position, width = [], 0, self._element_width
        for _ in range(self.dimension):
            length = width
            if length is None:
                if position >= len(data):
                    raise MarshalError("Not enough bytes to read a vector element")
                length, position = wire.unpack_vint(data, position)
                if not length:
                    raise InvalidRequest("null/unset is not supported inside vectors")
            if position + length > len(data):
                raise MarshalError("Not enough bytes to read a vector element")
            parts.append(data[position : position + length])
            position += length
        if position < len(data):
            raise MarshalError(f"Unexpected {len(data) - position} extraneous bytes after {self.name} value")
        return parts

    def join(self, parts: Iterable[bytes]) -> bytes:
        """The wire form of elements as ``split`` gives them. What ``split`` could not read again is refused."""
        parts, width = list(parts), self._element_width
        if not all(parts):
            raise InvalidRequest("null/unset is not supported inside vectors")
        if width is None:
            return b"".join(wire.pack_vint(len(part)) + part for part in parts)
        if any(len(part) != width for part in parts):
            raise MarshalError(f"Each element of a {self.name} takes {width} bytes")
        return b"".join(parts)

    def validate(self, data: bytes) -> None:
        check = self.element.validate
        for part in self.split(data):
            check(part)

    def decode(self, data: bytes) -> list[Any]:
        return [self.element.decode(part) for part in self.split(data)]

    def encode(self, value: Iterable[Any]) -> bytes:
        return self.join([self.element.encode(v) for v in value])

    def order(self, data: bytes) -> bytes:
        order = self.element.order
        return b"".join([order(part) for part in self.split(data)])

    def to_text(self, data: bytes) -> str:
        return "[" + ", ".join(self.element.to_text(part) for part in self.split(data)) + "]"

    def from_text(self, text: str) -> bytes:
        raise MarshalError(f"'{text}' is no {self.name}")

    def to_json(self, data: bytes) -> str:
        return "[" + ", ".join(self.element.to_json(part) for part in self.split(data)) + "]"

    def from_json(self, value: Json) -> bytes:
        if not isinstance(value, list):
            raise MarshalError("vector_type must be represented as JSON Array")
        if len(value) != self.dimension:
            many = "many" if len(value) > self.dimension else "few"
            raise MarshalError(f"Too {many} values ({len(value)}) for vector with size {self.dimension}")
        return self.join([self.element.from_json(item) for item in value])

    def canonical(self, data: bytes) -> bytes:
        if not self.holds_set_or_map:
            return data
        return self.join([self.element.canonical(part) for part in self.split(data)])

    def accepts_value_of(self, other: CqlType) -> bool:
        return self is other or (
            isinstance(other, VectorType)
            and other.dimension == self.dimension
            and other.width == self.width
            and self.element.accepts_value_of(other.element)
        )


@interned
def _vector(element: CqlType, dimension: int) -> VectorType:
    return object.__new__(VectorType)._make(element, dimension)
