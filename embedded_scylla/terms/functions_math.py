"""abs(), exp(), log(), log10() and round(): of a number of each type, and of the same type as that.

Whole numbers are computed as doubles and cut; where they cannot hold the result they give their limits, and 0 for what
is no number. Decimals and varints are computed to 32 figures, or to as many as the argument has.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any

from ..errors import FunctionFailure, InvalidRequest
from ..types import BIGINT, COUNTER, DECIMAL, DOUBLE, FLOAT, INT, SMALLINT, TINYINT, VARINT, CqlType
from .functions import Body, ScalarFunction

if TYPE_CHECKING:
    from ..request import Context as Execution

_LEAST_FIGURES, _MOST_FIGURES = 32, 10_000
_LARGEST_EXPONENT = 67_108_864  # of ScyllaDB's decimal floating numbers
_MOST_DIGITS = 100_000  # that a whole number is given
_EXACT = Context(prec=_MOST_DIGITS * 2, Emax=MAX_EMAX, Emin=MIN_EMIN, rounding=ROUND_HALF_UP)


def _natural_log(number: float) -> float:
    return math.log(number) if number > 0 else -math.inf if number == 0 else math.nan


def _decimal_log(number: float) -> float:
    return math.log10(number) if number > 0 else -math.inf if number == 0 else math.nan


def _exponential(number: float) -> float:
    try:
        return math.exp(number)
    except OverflowError:
        return math.inf


def _rounded(number: float, bits: int) -> float:
    """Half up, within the limits of a whole number of so many bits."""
    if math.isnan(number):
        return 0.0
    limit = 1 << (bits - 1)
    if not -limit <= number < limit:
        return float(limit - 1 if number > 0 else -limit)
    return float(math.floor(number + 0.5))


def _whole(function: Callable[[float], float], type: Any) -> Callable[[int], int]:
    def run(number: int) -> int:
        result = function(float(number))
        if math.isnan(result):
            return 0
        if not type.low < result < type.high:
            return int(type.high if result > 0 else type.low)
        return int(result)

    return run


# ---------------------------------------------------------------- decimals


def _decimal(name: str, number: Decimal) -> Decimal:
    """exp, log or log10 of a decimal."""
    figures = min(_MOST_FIGURES, max(_LEAST_FIGURES, len(number.as_tuple().digits)))
    context = Context(prec=figures + 1, Emax=MAX_EMAX, Emin=MIN_EMIN)
    if name == "exp":
        if number > 2 * _LARGEST_EXPONENT:
            return _beyond(name)
        result = Decimal(0) if number < -3 * _LARGEST_EXPONENT else context.exp(number)
    else:
        if number <= 0:
            what = "Natural log" if name == "log" else "Log10"
            raise _failed(name, f"std::domain_error ({what} of number zero or less)")
        result = context.ln(number) if name == "log" else context.log10(number)
    if result.adjusted() > _LARGEST_EXPONENT:
        return _beyond(name)
    return Decimal(f"{result:.{figures}e}")


def _beyond(name: str) -> Decimal:
    raise _failed(name, "marshal_exception (marshaling error: unable to make BigDecimal from 'inf')")


def _failed(name: str, what: str) -> FunctionFailure:
    detail = f"Failed execution of function system.{name}: {what}"
    return FunctionFailure(detail, "system", name, (DECIMAL.class_name,))


def _to_whole(number: Decimal) -> Decimal:
    """Half up, as a decimal without a fraction."""
    _check_size(number)
    return number.quantize(Decimal(1), context=_EXACT)


def _check_size(number: Decimal) -> None:
    if number.adjusted() > _MOST_DIGITS:
        raise InvalidRequest(f"{number} has too many figures to be written as a whole number")


def _of_varint(name: str) -> Callable[[int], int]:
    def run(number: int) -> int:
        result = _decimal(name, Decimal(number))
        _check_size(result)
        return int(result)

    return run


# ---------------------------------------------------------------- all of them


def _body(type: CqlType, function: Callable[[Any], Any]) -> Body:
    def call(arguments: Sequence[bytes | None], context: Execution) -> bytes | None:
        data = arguments[0]
        return type.encode(function(type.decode(data))) if data else data

    return call


_DOUBLES: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "exp": _exponential,
    "log": _natural_log,
    "log10": _decimal_log,
}


def _of_type(name: str, type: Any) -> Callable[[Any], Any]:
    if type is FLOAT or type is DOUBLE:
        return _DOUBLES.get(name) or (lambda number: _rounded(number, 8 * type.width))
    if name == "abs":
        limit = None if type in (VARINT, DECIMAL) else type.low
        return lambda number: number if number == limit else number.copy_abs() if type is DECIMAL else abs(number)
    if name == "round":
        return _to_whole if type is DECIMAL else lambda number: number
    if type is DECIMAL:
        return lambda number: _decimal(name, number)
    return _of_varint(name) if type is VARINT else _whole(_DOUBLES[name], type)


_TYPES = (TINYINT, SMALLINT, INT, BIGINT, COUNTER, FLOAT, DOUBLE, VARINT, DECIMAL)
FUNCTIONS = {
    name: [ScalarFunction(name, (type,), type, _body(type, _of_type(name, type))) for type in _TYPES]
    for name in (*_DOUBLES, "round")
}
