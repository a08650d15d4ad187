"""Readers of the values in ``WITH name = value``: ScyllaDB's conversions, with its error texts.

A value is a ``Literal``, a bare identifier (str) or a dict, as the syntax tree has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..cql import ast
from ..errors import SyntaxException
from ..types.text_forms import whole


def check_known(properties: Mapping[str, Any], known: Iterable[str]) -> None:
    """SyntaxException for a property that is none of ``known``."""
    names = set(known)
    for name in sorted(properties):
        if name not in names:
            raise SyntaxException(f"Unknown property '{name}'")


def text(properties: Mapping[str, Any], name: str) -> str | None:
    """A simple value as text, or None when it was not given."""
    value = properties.get(name)
    if isinstance(value, Mapping):
        raise SyntaxException(f"Invalid value for property '{name}'. It should be a string")
    return plain(value)


def plain(value: Any) -> str | None:
    """The text of a literal or bare identifier."""
    return value.text if isinstance(value, ast.Literal) else value


def mapping(properties: Mapping[str, Any], name: str, with_lists: bool = False) -> dict[str, Any] | None:
    """A map's keys and values as text, or None when it was not given. ``with_lists``: a value may be a list."""
    if name not in properties:
        return None
    value = properties[name]
    if isinstance(value, ast.SetLiteral) and not value.items:
        return {}
    if not isinstance(value, Mapping):
        raise SyntaxException(f"Invalid value for property '{name}'. It should be a map.")
    if not with_lists and any(isinstance(item, list) for item in value.values()):
        raise SyntaxException(f"Invalid value for property '{name}'. It should be a map of strings.")
    return {
        str(plain(key)): item if isinstance(item, list | tuple) else str(plain(item)) for key, item in value.items()
    }


def integer(name: str, value: str | None, default: int) -> int:
    """A 32-bit integer; what follows its digits is ignored, as ScyllaDB does."""
    if value is None:
        return default
    digits = re.match(r"\s*[+-]?\d+", value)
    if digits is None or not -(1 << 31) <= whole(digits[0]) < 1 << 31:
        raise SyntaxException(f"Invalid integer value {value} for '{name}'")
    return whole(digits[0])


def long(name: str, value: str | None, default: int) -> int:
    """A 64-bit integer."""
    if value is None:
        return default
    digits = re.match(r"\s*[+-]?\d+", value)
    if digits is None or not -(1 << 63) <= whole(digits[0]) < 1 << 63:
        raise SyntaxException(f"Invalid long value {value} for '{name}'")
    return whole(digits[0])


def double(name: str, value: str | None, default: float) -> float:
    if value is None:
        return default
    digits = re.match(r"\s*[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf|nan)", value, re.IGNORECASE)
    if digits is None:
        raise SyntaxException(f"Invalid double value {value} for '{name}'")
    return float(digits[0])


def boolean(value: str | None, default: bool) -> bool:
    return default if value is None else value.lower() in ("1", "true", "yes")
