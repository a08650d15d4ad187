"""CAST(x AS type): conversions between types, as wire bytes."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ..errors import InvalidRequest
from ..types import (
    ASCII,
    BIGINT,
    BOOLEAN,
    COUNTER,
    DATE,
    DECIMAL,
    DOUBLE,
    FLOAT,
    INET,
    INT,
    SMALLINT,
    TEXT,
    TIME,
    TIMESTAMP,
    TIMEUUID,
    TINYINT,
    UUID,
    VARINT,
    CqlType,
)
from ..types.text_forms import decimal_text, digits, floating_text
from . import functions_time as time

Conversion = Callable[[bytes], bytes]

_FIXED = (TINYINT, SMALLINT, INT, BIGINT)
_WHOLE = (*_FIXED, VARINT)
_FLOATING = (FLOAT, DOUBLE)
_NUMBERS = (*_WHOLE, *_FLOATING, DECIMAL)
_MOST_FIGURES = 100_000  # an exponent of ten bytes could ask for gigabytes of them
_SHOWN_AS_TEXT = (TIMESTAMP, DATE, TIME, TIMEUUID, UUID, BOOLEAN, INET)


def cast(from_type: CqlType, to_type: CqlType) -> Callable[[bytes | None], bytes | None]:
    """The conversion between two types; null stays null. InvalidRequest if there is none."""
    convert = _conversion(from_type, to_type)
    if convert is None:
        raise InvalidRequest(f"{from_type.class_name} cannot be cast to {to_type.class_name}")

    def run(value: bytes | None) -> bytes | None:
        return convert(value) if value else value

    return run


def _conversion(source: CqlType, target: CqlType) -> Conversion | None:
    if source is target or (source is ASCII and target is TEXT):
        return bytes
    if source is COUNTER:  # it is cast as the number that it holds
        source = BIGINT
    if source in _NUMBERS and target in _NUMBERS:
        to_number = _to_number(source, target)
        return lambda data: target.encode(to_number(source.decode(data)))
    if target in (ASCII, TEXT):
        if source in _NUMBERS:
            return lambda data: _number_text(source, source.decode(data)).encode()
        if source in _SHOWN_AS_TEXT:
            return lambda data: source.to_text(data).strip("'").encode()
    return _TIMES.get((source, target))


_TIMES: dict[tuple[CqlType, CqlType], Conversion] = {
    (TIMESTAMP, DATE): time.timestamp_to_date,
    (TIMEUUID, DATE): time.timeuuid_to_date,
    (DATE, TIMESTAMP): time.date_to_timestamp,
    (TIMEUUID, TIMESTAMP): time.timeuuid_to_timestamp,
}


def _number_text(source: CqlType, number: Any) -> str:
    if source in _FLOATING:
        return floating_text(number, source.width)
    return decimal_text(number) if source is DECIMAL else digits(number)


def _to_number(source: CqlType, target: CqlType) -> Callable[[Any], Any]:
    """Between decoded numbers. Whole numbers wrap around, fractions are cut off."""
    if target in _FIXED:
        if source in _FLOATING:
            return lambda number: _wrap(_saturate(number, target), target)
        return lambda number: _wrap(_whole(number), target)
    if target is VARINT:
        return _cut if source in _FLOATING else _whole
    if target in _FLOATING:
        return _as_float
    if source in _FLOATING:
        return lambda number: _decimal_of_float(number, source)
    return lambda number: Decimal(digits(number) + ".0")


def _whole(number: int | Decimal) -> int:
    if isinstance(number, Decimal) and number.adjusted() > _MOST_FIGURES:
        raise InvalidRequest(f"{number} has too many figures to be cast")
    return int(number)


def _wrap(number: int, target: CqlType) -> int:
    return (number - target.low & (1 << 8 * target.width) - 1) + target.low


def _saturate(number: float, target: CqlType) -> int:
    """The whole part, as a bigint (for a bigint) or an int (for narrower types): its limits beyond them, 0 for NaN."""
    if math.isnan(number):
        return 0
    limit = 1 << (63 if target is BIGINT else 31)
    if not -limit <= number < limit:
        return limit - 1 if number > 0 else -limit
    return int(number)


def _cut(number: float) -> int:
    if not math.isfinite(number):
        raise InvalidRequest(f"{number} cannot be cast to {VARINT.class_name}")
    return int(number)


def _as_float(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.copysign(math.inf, number)


def _decimal_of_float(number: float, source: CqlType) -> Decimal:
    if not math.isfinite(number):
        raise InvalidRequest(f"{number} cannot be cast to {DECIMAL.class_name}")
    return Decimal(floating_text(number, source.width))
