"""USING TIMEOUT: the value is checked as ScyllaDB checks it; on one node that waits for nobody it has no effect."""

from __future__ import annotations

import re

from ..cql import ast
from ..errors import InvalidRequest, unsupported
from .fitting import kind_of

_NANOSECONDS = {
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "µs": 1_000,
    "ns": 1,
}
_PART = re.compile(r"(\d+)(mo|ms|us|µs|ns|y|w|d|h|m|s)", re.IGNORECASE)


def check_timeout(term: ast.Term | None) -> None:
    """Refuse a timeout that ScyllaDB refuses; none at all is fine."""
    if term is None:
        return
    if isinstance(term, ast.BindMarker):
        raise unsupported("Bind markers in USING TIMEOUT", "are")
    if isinstance(term, ast.Literal) and term.kind == "null":
        raise InvalidRequest("Timeout value cannot be null")
    if not isinstance(term, ast.Literal) or term.kind != "duration":
        raise _no_duration(term)
    text = term.text
    nanoseconds = 0
    for amount, unit in _PART.findall(text):
        factor = _NANOSECONDS.get(unit.lower())
        if factor is None:
            raise InvalidRequest("Timeout values cannot be expressed in days/months")
        nanoseconds += int(amount) * factor
    if nanoseconds % 1_000_000:
        raise InvalidRequest("Timeout values cannot have granularity finer than milliseconds")
    if text.startswith("-"):
        raise InvalidRequest("Timeout values must be non-negative")


def _no_duration(term: ast.Term) -> InvalidRequest:
    if isinstance(term, ast.Literal):
        return InvalidRequest(f'Invalid {kind_of(term)} constant ({term.text}) for "[timeout]" of type duration')
    return InvalidRequest("A duration, such as 500ms, is needed for [timeout] of type duration")
