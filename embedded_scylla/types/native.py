"""The native types. Decoded values: int, float, bool, str, bytes, Decimal, UUID and ip addresses as one expects;
a timestamp is an int of milliseconds since 1970, a date an int of days with 1970-01-01 at 2**31, a time an int of
nanoseconds since midnight.
"""

from __future__ import annotations

import datetime
import ipaddress
import math
import struct
import uuid
from decimal import Decimal

from cassandra.marshal import varint_pack, varint_unpack

from ..errors import InvalidRequest
from ..limits import LONGEST_NUMBER
from ..quoting import string
from . import json_text, text_forms
from .base import CqlType, MarshalError
from .duration import DURATION
from .json_text import Json

_TOO_LONG = f"a number may have {LONGEST_NUMBER:,} bytes, and this one has {{:,}}"
_EMPTY = b"\x00"  # order() of an empty value: below the marker 1 of all others
_NO_JSON = "Cannot create JSON string - deserialization error"


class IntegerType(CqlType):
    """tinyint, smallint, int, bigint: signed, big-endian, of one width. ``time`` shares the layout."""

    def __init__(self, name: str, option: bytes, class_name: str, width: int, wrong_length: str):
        super().__init__(name, option, class_name)
        self.width = width
        self._wrong_length = wrong_length
        self.low, self.high = -(1 << (8 * width - 1)), (1 << (8 * width - 1)) - 1
        # Flips the sign bit, and puts the marker 1 before the number.
        self._marker = (1 << (8 * width)) | (1 << (8 * width - 1))
        self._order_width = width + 1

    def validate(self, data: bytes) -> None:
        if len(data) != self.width and data:
            raise MarshalError(self._wrong_length.format(len(data)))

    def decode(self, data: bytes) -> int | None:
        return int.from_bytes(data, "big", signed=True) if data else None

    def encode(self, value: int) -> bytes:
        return value.to_bytes(self.width, "big", signed=True)

    def order(self, data: bytes) -> bytes:
        if not data:
            return _EMPTY
        return (int.from_bytes(data, "big") ^ self._marker).to_bytes(self._order_width, "big")

    def to_text(self, data: bytes) -> str:
        return str(self.decode(data)) if data else ""

    def from_text(self, text: str) -> bytes:
        number = text_forms.integer(text)
        if number is None or not -(1 << 63) <= number < 1 << 63:
            raise MarshalError(f"Invalid number format '{text}'")
        if not self.low <= number <= self.high:
            raise MarshalError(f"Value out of range for type {self.class_name}: '{text}'")
        return self.encode(number)

    def to_json(self, data: bytes) -> str:
        if len(data) != self.width:
            raise MarshalError(f"Size mismatch for type {self.class_name}: got {len(data)} bytes")
        return str(self.decode(data))

    def from_json(self, value: Json) -> bytes:
        if isinstance(value, str):
            return self.from_text(value)
        return self.encode(json_text.integer_of(value, self.low, self.high))

    def accepts_value_of(self, other: CqlType) -> bool:
        return other is self or (self is BIGINT and other in (TIMESTAMP, COUNTER))


class TimestampType(IntegerType):
    def accepts_value_of(self, other: CqlType) -> bool:
        return other is self or other is BIGINT

    def encode(self, value: int | datetime.datetime) -> bytes:
        if isinstance(value, datetime.datetime):
            if value.tzinfo is None:
                value = value.replace(tzinfo=datetime.UTC)
            value = (value - text_forms.EPOCH) // datetime.timedelta(milliseconds=1)
        return super().encode(value)

    def to_text(self, data: bytes) -> str:
        return f"'{text_forms.timestamp_text(self.decode(data))}'" if data else ""

    def from_text(self, text: str) -> bytes:
        return super().encode(text_forms.timestamp(text)) if text else b""

    def to_json(self, data: bytes) -> str:
        return f'"{text_forms.timestamp_text(self.decode(data), " ")}"' if data else '""'

    def from_json(self, value: Json) -> bytes:
        if json_text.is_number(value):
            return super().encode(json_text.integer_of(value, self.low, self.high))
        if not isinstance(value, str):
            raise MarshalError("timestamp_type must be represented as string or integer")
        return self.from_text(value)


class TimeType(IntegerType):
    def to_text(self, data: bytes) -> str:
        return f"'{text_forms.time_text(self.decode(data))}'" if data else ""

    def from_text(self, text: str) -> bytes:
        return self.encode(text_forms.time_of_day(text)) if text else b""

    json_name = "time_type"
    to_json, from_json = CqlType.to_json, CqlType.from_json


class DateType(CqlType):
    json_name = "simple_date_type"

    def validate(self, data: bytes) -> None:
        if len(data) != 4 and data:
            raise MarshalError(f"Expected 4 byte long for date ({len(data)})")

    def decode(self, data: bytes) -> int | None:
        return int.from_bytes(data, "big") if data else None

    def encode(self, value: int | datetime.date) -> bytes:
        if isinstance(value, datetime.date):
            value = (value - text_forms.EPOCH.date()).days + (1 << 31)
        return value.to_bytes(4, "big")

    def order(self, data: bytes) -> bytes:
        return b"\x01" + data if data else _EMPTY

    def to_text(self, data: bytes) -> str:
        return f"'{text_forms.date_text(self.decode(data))}'" if data else ""

    def from_text(self, text: str) -> bytes:
        return self.encode(text_forms.date(text)) if text else b""


class TextType(CqlType):
    """text: UTF-8."""

    def accepts_value_of(self, other: CqlType) -> bool:
        return other is self or (self is TEXT and other is ASCII)

    def validate(self, data: bytes) -> None:
        try:
            data.decode()
        except UnicodeDecodeError as error:
            raise MarshalError(
                f"Validation failed - non-UTF8 character in a UTF8 string, at byte offset {error.start}"
            ) from None

    def decode(self, data: bytes) -> str:
        return data.decode()

    def encode(self, value: str) -> bytes:
        return value.encode()

    def order(self, data: bytes) -> bytes:
        return data.replace(b"\x00", b"\x00\xff") + b"\x00\x00"

    def to_text(self, data: bytes) -> str:
        return string(data.decode())

    def from_text(self, text: str) -> bytes:
        return text.encode()

    def to_json(self, data: bytes) -> str:
        return json_text.quote(data.decode())

    def from_json(self, value: Json) -> bytes:
        if not isinstance(value, str):
            raise json_text.wrong_kind("String")
        return self.from_text(value)


class AsciiType(TextType):
    def validate(self, data: bytes) -> None:
        if not data.isascii():
            raise MarshalError("Validation failed - non-ASCII character in an ASCII string")

    def from_text(self, text: str) -> bytes:
        if not text.isascii():
            raise MarshalError(f"Invalid ASCII character in string literal: '{text}'")
        return text.encode()

    def encode(self, value: str) -> bytes:
        return value.encode("ascii")


class BlobType(CqlType):
    def validate(self, data: bytes) -> None:
        pass  # any bytes are a blob

    def decode(self, data: bytes) -> bytes:
        return data

    def encode(self, value: bytes) -> bytes:
        return bytes(value)

    def order(self, data: bytes) -> bytes:
        return data.replace(b"\x00", b"\x00\xff") + b"\x00\x00"

    def to_text(self, data: bytes) -> str:
        return "0x" + data.hex()

    def from_text(self, text: str) -> bytes:
        return text_forms.blob(text)

    def from_json(self, value: Json) -> bytes:
        text = json_text.string_of(value, "bytes_type")
        if not text.startswith("0x"):
            raise MarshalError("Blob JSON strings must start with 0x")
        return text_forms.blob(text)

    def accepts_value_of(self, other: CqlType) -> bool:
        return True


class BooleanType(CqlType):
    def validate(self, data: bytes) -> None:
        if len(data) != 1 and data:
            raise MarshalError(f"Validation failed for boolean, got {len(data)} bytes")

    def decode(self, data: bytes) -> bool | None:
        return data != b"\x00" if data else None

    def encode(self, value: bool) -> bytes:
        return b"\x01" if value else b"\x00"

    def order(self, data: bytes) -> bytes:
        if not data:
            return _EMPTY
        return b"\x01" if data == b"\x00" else b"\x02"

    def to_text(self, data: bytes) -> str:
        return str(self.decode(data)).lower() if data else ""

    def from_text(self, text: str) -> bytes:
        return text_forms.boolean(text)

    def to_json(self, data: bytes) -> str:
        return self.to_text(data)

    def from_json(self, value: Json) -> bytes:
        if isinstance(value, bool):
            return self.encode(value)
        word = value.strip().lower() if isinstance(value, str) else None
        if word not in ("true", "false"):
            raise MarshalError(f"Invalid JSON object {json_text.show(value)}")
        return self.encode(word == "true")


class FloatingType(CqlType):
    """float and double, in IEEE 754. -0.0 sorts below 0.0, NaN above everything."""

    def __init__(self, name: str, option: bytes, class_name: str, width: int):
        super().__init__(name, option, class_name)
        self.width = width
        self._struct = struct.Struct(">f" if width == 4 else ">d")
        self._sign = 1 << (8 * width - 1)
        self._ones = (1 << (8 * width)) - 1
        self._infinity = int.from_bytes(self._struct.pack(math.inf), "big")

    def validate(self, data: bytes) -> None:
        if len(data) != self.width and data:
            raise MarshalError(f"Expected {self.width} bytes for a floating type, got {len(data)}")

    def decode(self, data: bytes) -> float | None:
        return self._struct.unpack(data)[0] if data else None

    def encode(self, value: float) -> bytes:
        try:
            return self._struct.pack(value)
        except OverflowError:
            return self._struct.pack(math.copysign(math.inf, value))

    def order(self, data: bytes) -> bytes:
        if not data:
            return _EMPTY
        bits = int.from_bytes(data, "big")
        if bits & ~self._sign > self._infinity:
            bits = self._ones  # NaN, whatever its sign and payload
        elif bits & self._sign:
            bits ^= self._ones
        else:
            bits |= self._sign
        return b"\x01" + bits.to_bytes(self.width, "big")

    def to_text(self, data: bytes) -> str:
        return text_forms.floating_text(self.decode(data), self.width) if data else ""

    def from_text(self, text: str) -> bytes:
        return self.encode(text_forms.floating(text)) if text else b""

    def to_json(self, data: bytes) -> str:
        if not data:
            raise InvalidRequest(_NO_JSON)
        number = self.decode(data)
        assert number is not None
        return text_forms.floating_text(number, self.width) if math.isfinite(number) else "null"

    def from_json(self, value: Json) -> bytes:
        if isinstance(value, str):
            return self.from_text(value)
        if not json_text.is_number(value):
            raise MarshalError("JSON value must be represented as double or string")
        return self.encode(float(value))


class VarintType(CqlType):
    def validate(self, data: bytes) -> None:
        if len(data) > LONGEST_NUMBER:  # else any bytes are a two's complement number
            raise MarshalError(_TOO_LONG.format(len(data)))

    def decode(self, data: bytes) -> int | None:
        return varint_unpack(data) if data else None

    def encode(self, value: int) -> bytes:
        return varint_pack(value)

    def order(self, data: bytes) -> bytes:
        return _order_integer(varint_unpack(data)) if data else _EMPTY

    def to_text(self, data: bytes) -> str:
        return text_forms.digits(varint_unpack(data)) if data else ""

    def from_text(self, text: str) -> bytes:
        number = text_forms.integer(text)
        if number is None:
            raise MarshalError(f"unable to make int from '{text}'")
        return varint_pack(number)

    def to_json(self, data: bytes) -> str:
        if not data:
            raise InvalidRequest(_NO_JSON)
        return self.to_text(data)

    def from_json(self, value: Json) -> bytes:
        return self.from_text(value if isinstance(value, str) else json_text.show(value))

    def accepts_value_of(self, other: CqlType) -> bool:
        return other is self or other in (TINYINT, SMALLINT, INT, BIGINT, TIMESTAMP)


def _order_integer(number: int) -> bytes:
    """Marker 1 (negative) or 2, length of the magnitude in bytes, magnitude; all inverted for a negative."""
    magnitude = abs(number)
    width = (magnitude.bit_length() + 7) // 8
    data = width.to_bytes(4, "big") + magnitude.to_bytes(width, "big")
    return b"\x02" + data if number >= 0 else b"\x01" + invert(data)


_INVERSE = bytes(255 - i for i in range(256))


def invert(data: bytes) -> bytes:
    """Every bit flipped: turns an ascending order into a descending one."""
    return data.translate(_INVERSE)


class DecimalType(CqlType):
    """Four bytes of scale, then the unscaled number as a varint."""

    def validate(self, data: bytes) -> None:
        if len(data) > LONGEST_NUMBER:  # else checked by nobody: shorter values are zeros
            raise MarshalError(_TOO_LONG.format(len(data)))

    def decode(self, data: bytes) -> Decimal | None:
        if not data:
            return None
        scale = int.from_bytes(data[:4], "big", signed=True)
        return text_forms.scaled(varint_unpack(data[4:]) if len(data) > 4 else 0, scale)

    def encode(self, value: Decimal | int) -> bytes:
        sign, figures, exponent = Decimal(value).as_tuple()
        if not isinstance(exponent, int):
            raise MarshalError(f"{value} is not a finite number")
        unscaled = text_forms.from_digits(figures)
        return (-exponent).to_bytes(4, "big", signed=True) + varint_pack(-unscaled if sign else unscaled)

    def order(self, data: bytes) -> bytes:
        if not data:
            return _EMPTY
        sign, figures, exponent = self.decode(data).as_tuple()
        end = len(figures)
        while end and not figures[end - 1]:
            end -= 1
        if not end:
            return b"\x02"
        # Where the first figure stands, then the figures (shifted by one, so that 0 ends them).
        first = len(figures) + exponent + (1 << 39)
        magnitude = first.to_bytes(5, "big") + bytes(f + 1 for f in figures[:end]) + b"\x00"
        return b"\x01" + invert(magnitude) if sign else b"\x03" + magnitude

    def to_text(self, data: bytes) -> str:
        return text_forms.decimal_text(self.decode(data)) if data else ""

    def from_text(self, text: str) -> bytes:
        return self.encode(text_forms.decimal(text)) if text else b""

    def to_json(self, data: bytes) -> str:
        if not data:
            raise InvalidRequest(_NO_JSON)
        return self.to_text(data)

    def from_json(self, value: Json) -> bytes:
        if isinstance(value, str):
            return self.from_text(value)
        if not json_text.is_number(value):
            raise MarshalError(f"{json_text.show(value)} must be represented as numeric or string in JSON")
        return self.from_text(json_text.show(value))


_VERSIONS = [bytes((1, version << 4)) for version in range(16)]


class UuidType(CqlType):
    """Sorts by version, then, for version 1, by time, else by bytes."""

    json_name = "uuid_type"

    def validate(self, data: bytes) -> None:
        if len(data) != 16 and data:
            raise MarshalError(f"Validation failed for uuid - got {len(data)} bytes")

    def decode(self, data: bytes) -> uuid.UUID | None:
        return uuid.UUID(bytes=data) if data else None

    def encode(self, value: uuid.UUID) -> bytes:
        return value.bytes

    def order(self, data: bytes) -> bytes:
        if not data:
            return _EMPTY
        version = data[6] >> 4
        if version == 1:
            # The version's nibble is the first one of the rearranged time.
            return b"\x01" + data[6:8] + data[4:6] + data[:4] + data[8:]
        return _VERSIONS[version] + data

    def to_text(self, data: bytes) -> str:
        return str(uuid.UUID(bytes=data)) if data else ""

    def from_text(self, text: str) -> bytes:
        return text_forms.uuid_bytes(text) if text else b""

    def accepts_value_of(self, other: CqlType) -> bool:
        return other is self or other is TIMEUUID


_SIGNS = bytes(i ^ 0x80 for i in range(256))


class TimeuuidType(UuidType):
    """Sorts by time, then by the other bytes as signed ones."""

    json_name = "timeuuid_type"

    def validate(self, data: bytes) -> None:
        if len(data) == 16:
            if data[6] >> 4 != 1:
                raise MarshalError(f"Unsupported UUID version ({data[6] >> 4})")
        elif data:
            raise MarshalError(f"Validation failed for timeuuid - got {len(data)} bytes")

    def order(self, data: bytes) -> bytes:
        if not data:
            return _EMPTY
        return b"\x01" + data[6:8] + data[4:6] + data[:4] + data[8:].translate(_SIGNS)

    def from_text(self, text: str) -> bytes:
        if not text:
            return b""
        data = text_forms.uuid_bytes(text, "Invalid UUID format ({})")
        if data[6] >> 4 != 1:
            raise MarshalError(f"Unsupported UUID version ({data[6] >> 4})")
        return data

    def accepts_value_of(self, other: CqlType) -> bool:
        return other is self


class InetType(CqlType):
    json_name = "inet_addr_type"

    def validate(self, data: bytes) -> None:
        if len(data) not in (0, 4, 16):
            raise MarshalError(f"Validation failed for inet_addr - got {len(data)} bytes")

    def decode(self, data: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        return ipaddress.ip_address(data) if data else None

    def encode(self, value: ipaddress.IPv4Address | ipaddress.IPv6Address | str) -> bytes:
        return ipaddress.ip_address(value).packed

    def order(self, data: bytes) -> bytes:
        # An address may be a prefix of a longer one: the byte of its length comes after the first four.
        if not data:
            return _EMPTY
        return b"\x01" + data[:4] + (b"\x00" if len(data) == 4 else b"\x01" + data[4:])

    def to_text(self, data: bytes) -> str:
        return f"'{ipaddress.ip_address(data)}'" if data else ""

    def from_text(self, text: str) -> bytes:
        return text_forms.inet(text) if text else b""


def _option(number: int) -> bytes:
    return number.to_bytes(2, "big")


_LENGTH = "Validation failed for type org.apache.cassandra.db.marshal.{}: got {{}} bytes"
ASCII = AsciiType("ascii", _option(0x01), "AsciiType")
BIGINT = IntegerType("bigint", _option(0x02), "LongType", 8, _LENGTH.format("LongType"))
BLOB = BlobType("blob", _option(0x03), "BytesType")
BOOLEAN = BooleanType("boolean", _option(0x04), "BooleanType")
# What a counter counts to is a bigint; that it is counted and never set is what ``modify.counters`` is about.
COUNTER = IntegerType("counter", _option(0x05), "CounterColumnType", 8, _LENGTH.format("LongType"))
DECIMAL = DecimalType("decimal", _option(0x06), "DecimalType")
DOUBLE = FloatingType("double", _option(0x07), "DoubleType", 8)
FLOAT = FloatingType("float", _option(0x08), "FloatType", 4)
INT = IntegerType("int", _option(0x09), "Int32Type", 4, _LENGTH.format("Int32Type"))
TIMESTAMP = TimestampType(
    "timestamp", _option(0x0B), "TimestampType", 8, "Validation failed for timestamp - got {} bytes"
)
UUID = UuidType("uuid", _option(0x0C), "UUIDType")
TEXT = TextType("text", _option(0x0D), "UTF8Type")
VARINT = VarintType("varint", _option(0x0E), "IntegerType")
TIMEUUID = TimeuuidType("timeuuid", _option(0x0F), "TimeUUIDType")
INET = InetType("inet", _option(0x10), "InetAddressType")
DATE = DateType("date", _option(0x11), "SimpleDateType")
TIME = TimeType("time", _option(0x12), "TimeType", 8, "Expected 8 byte long for time ({})")
SMALLINT = IntegerType("smallint", _option(0x13), "ShortType", 2, "Expected 2 bytes for a smallint ({})")
TINYINT = IntegerType("tinyint", _option(0x14), "ByteType", 1, "Expected 1 byte for a tinyint ({})")

NATIVE: dict[str, CqlType] = {
    t.name: t
    for t in (
        ASCII, BIGINT, BLOB, BOOLEAN, COUNTER, DECIMAL, DOUBLE, FLOAT, INT, TIMESTAMP, UUID, TEXT, VARINT, TIMEUUID,
        INET, DATE, TIME, SMALLINT, TINYINT, DURATION,
    )
}  # fmt: skip
