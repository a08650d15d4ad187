"""JSON values as ScyllaDB takes and shows them: what is a number, a string; quoting. ``json_parser`` reads them.

A value is None, a bool, an int (of 64 bits), a float, a str, a list, or a dict whose keys are str: of members with the
same name the first counts. A whole number beyond 64 bits is read as a float.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from ..errors import InvalidRequest
from .base import MarshalError

Json = Any

_DEEPEST_SHOWN = 39


class JsonError(InvalidRequest):
    """Text that is no JSON, or JSON of another kind than is wanted where it stands."""


def wrong_kind(wanted: str) -> JsonError:
    """The error for a value that is none of ``wanted``: String, Object."""
    return JsonError(f"JSON error: condition not met: Is{wanted}()")


# ---------------------------------------------------------------- values of one kind


def string_of(value: Json, called: str) -> str:
    """A string; MarshalError, with what ScyllaDB calls the type, if it is none."""
    if not isinstance(value, str):
        raise MarshalError(f"{called} must be represented as string in JSON, instead got '{show(value)}'")
    return value


def is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def integer_of(value: Json, low: int, high: int) -> int:
    """A whole number, perhaps with an exponent or .0; MarshalError for anything else."""
    if not is_number(value):
        raise MarshalError(f"Incorrect JSON value for int64 type: {show(value)}")
    if isinstance(value, float):
        fraction = math.modf(value)[0]
        if fraction:
            raise MarshalError(
                f"Incorrect JSON floating-point value for int64 type: {show(value)} "
                f"(it should not contain fractional part {fraction!r})"
            )
        if not low <= value < high + 1:
            raise MarshalError(f"Value {repr(value).removesuffix('.0')} out of range")
        return int(value)
    if not low <= value <= high:
        raise MarshalError(f"Value {value} out of range")
    return int(value)


# ---------------------------------------------------------------- back to text

_ESCAPED = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_QUOTING = {code: f"\\u{code:04X}" for code in range(0x20)} | {ord(c): escaped for c, escaped in _ESCAPED.items()}


def quote(text: str) -> str:
    """A string, in quotes."""
    return f'"{text.translate(_QUOTING)}"'


def show(value: Json, depth: int = 0) -> str:
    """A value as compact JSON: what messages say of it."""
    if isinstance(value, dict | list) and depth >= _DEEPEST_SHOWN:
        raise JsonError(f"Max nested level reached: {_DEEPEST_SHOWN}")
    if isinstance(value, dict):
        return "{" + ",".join(f"{quote(k)}:{show(v, depth + 1)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(show(item, depth + 1) for item in value) + "]"
    if isinstance(value, str):
        return quote(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _floating(value) if isinstance(value, float) else str(value)


def _floating(number: float) -> str:
    """The shortest figures, with .0 where there is no fraction; an exponent beyond 21 places only."""
    sign, figures, exponent = Decimal(repr(number)).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, figures)).rstrip("0") or "0"
    point = len(figures) + exponent  # so many figures stand before the decimal point
    minus = "-" if sign else ""
    if text == "0":
        return f"{minus}0.0"
    if len(text) <= point <= 21:
        return f"{minus}{text.ljust(point, '0')}.0"
    if 0 < point <= 21:
        return f"{minus}{text[:point]}.{text[point:]}"
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{text}"
    mantissa = text if len(text) == 1 else f"{text[0]}.{text[1:]}"
    return f"{minus}{mantissa}e{point - 1}"
