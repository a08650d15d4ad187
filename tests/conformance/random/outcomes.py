"""What an engine answers, in a form in which two answers can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .operations import Select

# Timestamps from here on (in 2020) until those of the future are given by clocks, not by sequences.
_RECENT = 1_600_000_000_000_000
RECENT = "by the clock"
# What is left of a TTL is said in steps of this many seconds, rounded up: a sequence takes less long than that.
TTL_STEP = 50


@dataclass(frozen=True)
class Done:
    """Carried out; there is nothing to say about it."""


@dataclass(frozen=True)
class Applied:
    """What a lightweight transaction answers: rows follow with the next read."""

    applied: bool


@dataclass(frozen=True)
class Refused:
    """InvalidRequest; each engine has its own words for it."""

    message: str = field(default="", compare=False)


@dataclass(frozen=True)
class Rows:
    rows: tuple[tuple, ...]


Outcome = Done | Applied | Refused | Rows


def normal(value: Any) -> Any:
    """A value as plain Python: collections of the driver and of the model become alike."""
    if isinstance(value, Mapping):
        return {normal(key): normal(item) for key, item in value.items()}
    if isinstance(value, str | bytes) or value is None:
        return value
    if isinstance(value, list):
        return [normal(item) for item in value]
    if isinstance(value, tuple):
        return tuple(normal(item) for item in value)
    if hasattr(value, "__iter__"):  # any kind of set
        return frozenset(normal(item) for item in value)
    return value


def rows_of(statement: Select, rows: list[tuple], late: int) -> Rows:
    """The rows of an answer, with what depends on the clock rounded, and in an order that can be compared.

    ``late`` is the timestamp (µs) from which on sequences write into the future.
    """
    made = [
        tuple(
            _rounded(selector.function, normal(value), late)
            for selector, value in zip(statement.selectors, row, strict=True)
        )
        for row in rows
    ]
    if statement.keys > 1 and not statement.is_aggregate:
        # Which partition of an IN comes first is not promised; nor, with an ORDER BY, which of two equal rows.
        width = len(statement.table.partition)
        if statement.backwards is None:
            made.sort(key=lambda row: repr(row[:width]))
        else:
            made.sort(key=repr)
    return Rows(tuple(made))


def _rounded(function: str | None, value: Any, late: int) -> Any:
    if value is None:
        return None
    if function == "ttl":
        return -(-value // TTL_STEP) * TTL_STEP
    if function == "writetime":
        if value >= late:
            return ("late", value - late)
        return RECENT if value >= _RECENT else value
    return value
