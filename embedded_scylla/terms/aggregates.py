"""Aggregate functions: count, min, max, sum and avg. They take and give wire bytes, and pass over nulls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact
from typing import Any

from ..cql.ast import Name
from ..errors import InvalidRequest
from ..types import BIGINT, DECIMAL, DOUBLE, FLOAT, INT, SMALLINT, TINYINT, VARINT, CqlType
from .functions import Argument, TypedArgument, choose

_FIXED = (TINYINT, SMALLINT, INT, BIGINT)
_NUMBERS = (*_FIXED, FLOAT, DOUBLE, VARINT, DECIMAL)
# 1e2147483647 and 1 together have two thousand million figures: a sum is of so many, or there is none.
_MOST_FIGURES = 10_000
_EXACT = Context(prec=_MOST_FIGURES, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact])


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``state = add(state, values)`` for each row, from ``start()`` on; ``finish(state)`` gives the result.

    ``values`` are the arguments' bytes in one row (none for ``count(*)``). ``name`` is lower-case and without
    its keyspace, which is always system.
    """

    name: str
    argument_types: tuple[CqlType, ...]
    return_type: CqlType
    start: Callable[[], Any]
    add: Callable[[Any, Sequence[bytes | None]], Any]
    finish: Callable[[Any], bytes | None]

    @property
    def full_name(self) -> str:
        return f"system.{self.name}"

    @property
    def signature(self) -> str:
        arguments = ", ".join(t.name for t in self.argument_types)
        return f"{self.full_name} : ({arguments}) -> {self.return_type.name}"


# ---------------------------------------------------------------- count


def _zero() -> int:
    return 0


def count_rows() -> Aggregate:
    """``count(*)``, which is also ``countRows()``."""
    return Aggregate("count", (), BIGINT, _zero, lambda state, values: state + 1, BIGINT.encode)


def _count(type: CqlType) -> Aggregate:
    def add(state: int, values: Sequence[bytes | None]) -> int:
        return state + (values[0] is not None)

    return Aggregate("count", (type,), BIGINT, _zero, add, BIGINT.encode)


# ---------------------------------------------------------------- min and max


def _extreme(name: str, type: CqlType) -> Aggregate:
    order = type.order
    highest = name == "max"

    def add(state: tuple[bytes, bytes] | None, values: Sequence[bytes | None]) -> tuple[bytes, bytes] | None:
        value = values[0]
        if value is None:
            return state
        key = order(value)
        if state is None or (key > state[0] if highest else key < state[0]):
            return key, value
        return state

    return Aggregate(name, (type,), type, lambda: None, add, lambda state: state and state[1])


# ---------------------------------------------------------------- sum and avg


def _plus(type: CqlType) -> Callable[[Any, Any], Any]:
    """Addition in the accumulator's own precision; whole numbers have no bounds in it."""
    if type is FLOAT:
        return lambda a, b: _as_float32(a + b)
    if type is DECIMAL:
        return _add_decimals
    return lambda a, b: a + b


def _add_decimals(a: Decimal, b: Decimal) -> Decimal:
    try:
        return _EXACT.add(a, b)
    except Inexact:
        raise InvalidRequest(
            f"Sums of decimals with more than {_MOST_FIGURES} figures are not supported by this embedded node."
        ) from None


def _as_float32(number: float) -> float:
    return FLOAT.decode(FLOAT.encode(number))


def _nothing(type: CqlType) -> Any:
    return 0.0 if type in (FLOAT, DOUBLE) else Decimal(0) if type is DECIMAL else 0


def _sum(type: CqlType) -> Aggregate:
    plus, decode = _plus(type), type.decode

    def add(state: Any, values: Sequence[bytes | None]) -> Any:
        return plus(state, decode(values[0])) if values[0] else state

    def finish(state: Any) -> bytes:
        if type in _FIXED and not type.low <= state <= type.high:
            raise InvalidRequest("Sum overflow. Values should be casted to a wider type.")
        return type.encode(state)

    return Aggregate("sum", (type,), type, lambda: _nothing(type), add, finish)


def _avg(type: CqlType) -> Aggregate:
    plus, decode = _plus(type), type.decode

    def add(state: tuple[Any, int], values: Sequence[bytes | None]) -> tuple[Any, int]:
        if not values[0]:
            return state
        return plus(state[0], decode(values[0])), state[1] + 1

    def finish(state: tuple[Any, int]) -> bytes:
        total, count = state
        return type.encode(_divide(type, total, count) if count else _nothing(type))

    return Aggregate("avg", (type,), type, lambda: (_nothing(type), 0), add, finish)


def _divide(type: CqlType, total: Any, count: int) -> Any:
    """Whole numbers are cut towards zero; a decimal keeps its scale and is rounded half to even."""
    if type in (FLOAT, DOUBLE):
        return total / count
    if type is DECIMAL:
        # Divided as whole numbers of the last figure, so that the scale stays.
        exponent = total.as_tuple().exponent
        quotient, rest = divmod(abs(int(total.scaleb(-exponent, _EXACT))), count)
        if 2 * rest > count or (2 * rest == count and quotient % 2):
            quotient += 1
        return Decimal(-quotient if total < 0 else quotient).scaleb(exponent, _EXACT)
    quotient = abs(total) // count
    return quotient if total >= 0 else -quotient


# ---------------------------------------------------------------- by name

NAMES = ("count", "countrows", "min", "max", "sum", "avg")


def refuse_untyped(name: Name, argument: Argument) -> InvalidRequest:
    """The error for an aggregate of a constant or bind marker, whose type nothing tells."""
    lower = name.name.lower()
    if lower == "sum" or lower == "avg":
        choose(str(name), [_sum(t) if lower == "sum" else _avg(t) for t in _NUMBERS], [argument])
    return InvalidRequest(f"{lower}() function is only valid when argument types are known")


def is_aggregate(name: Name) -> bool:
    """Whether a function of this name is an aggregate."""
    return name.keyspace in (None, "system") and name.name.lower() in NAMES


def resolve(name: Name, argument_type: CqlType | None = None, text: str = "?") -> Aggregate:
    """The aggregate of a name and its argument's type; without a type ``count(*)``. InvalidRequest if there
    is none.

    ``text`` is the argument as messages show it.
    """
    lower = name.name.lower()
    if lower == "countrows" or (lower == "count" and argument_type is None):
        return count_rows()
    if argument_type is None:
        raise InvalidRequest(f"{lower}() function requires only 1 argument")
    if lower == "count":
        return _count(argument_type)
    if lower in ("min", "max"):
        return _extreme(lower, argument_type)
    if lower in ("sum", "avg"):
        make = _sum if lower == "sum" else _avg
        return choose(str(name), [make(t) for t in _NUMBERS], [TypedArgument(argument_type, text)])
    raise InvalidRequest(f"Unknown function {name} called")
