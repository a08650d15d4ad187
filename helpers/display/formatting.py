"""How a value is printed: short, and the same in every run, so that outputs can be compared.

Ids become names; a random id becomes "random-1" where it first appears and stays that within the table; a moment near
to now becomes "now" or "in ~15 min"; a remaining TTL is rounded up.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from ..lab.clock import latest_known_now
from ..shop.names import name_of

_REMAINING = re.compile(r"(system\.)?ttl[(_]", re.IGNORECASE)
_WRITETIME = re.compile(r"(system\.)?writetime[(_]", re.IGNORECASE)
_NEAR = timedelta(hours=36)
_PAGE = 92  # letters; a page of the workbook breaks longer lines in the middle of a word


# Times in what MUTATION_FRAGMENTS tells of a row: a timestamp of today has 16 figures, and the others are moments.
_STAMP = re.compile(r'(?<="timestamp":)\d{16}\b')
_STORED_MOMENT = re.compile(r'(?<=")(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)z(?=")')


class Formatter:
    """Formats the values of one table; it remembers which random ids it has met there."""

    def __init__(self) -> None:
        self._met: dict[str, dict[object, int]] = {}

    def format(self, value: Any, column: str = "") -> str:
        """One value as text; ``column`` is its name as the server gives it: "ttl(status)", "cdc$stream_id", …"""
        if value is None:
            return "null"
        if isinstance(value, Enum):
            return str(value)
        if isinstance(value, int) and not isinstance(value, bool):
            if _REMAINING.match(column):
                return about(value)
            if _WRITETIME.match(column):
                return _moment(datetime(1970, 1, 1) + timedelta(microseconds=value))
        if isinstance(value, UUID):
            return self._uuid(value)
        if isinstance(value, bytes):
            return self._number("stream", value) if column.endswith("stream_id") else _blob(value)
        if isinstance(value, datetime):
            return _moment(value)
        if isinstance(value, Decimal):
            return format(value, "f")
        if isinstance(value, float):
            return f"{value:.4g}"
        if isinstance(value, str) and column == "metadata":
            return _stored(value)
        if isinstance(value, date | str | int):
            return str(value)
        return self._collection(value)

    def _uuid(self, value: UUID) -> str:
        name = name_of(value)
        if name is not None:
            return name
        if value.version == 1:
            return self._number("time", value)
        return self._number("random", value) if value.version == 4 else str(value)[:8]

    def _number(self, kind: str, value: object) -> str:
        met = self._met.setdefault(kind, {})
        return f"{kind}-{met.setdefault(value, len(met) + 1)}"

    def _collection(self, value: Any) -> str:
        if hasattr(value, "_asdict"):  # what the driver makes of a user-defined type
            value = value._asdict()
        if isinstance(value, Mapping):
            return "{" + ", ".join(f"{self.format(k)}: {self.format(v)}" for k, v in value.items()) + "}"
        if isinstance(value, tuple | list):
            return "[" + ", ".join(self.format(each) for each in value) + "]"
        # The driver's sets: SortedSet, and frozenset within collections.
        if hasattr(value, "__iter__"):
            return "{" + ", ".join(self.format(each) for each in value) + "}"
        return str(value)


def about(seconds: float) -> str:
    """A stretch of time that is a moment shorter at each look, rounded up: 898 → "~15 min", 58 → "~60 s".

    >>> about(898)
    '~15 min'
    """
    if seconds <= 90:
        return f"~{max(5, math.ceil(seconds / 5) * 5)} s"
    if seconds <= 5400:
        return f"~{math.ceil(seconds / 60)} min"
    return f"~{math.ceil(seconds / 3600)} h"


def _stored(metadata: str) -> str:
    """What is stored of a row (JSON), its times as one says them."""
    epoch = datetime(1970, 1, 1)
    metadata = _STAMP.sub(lambda found: _moment(epoch + timedelta(microseconds=int(found[0]))), metadata)
    return _STORED_MOMENT.sub(lambda found: _moment(datetime.fromisoformat(found[1])), metadata)


def _moment(value: datetime) -> str:
    away = value.replace(tzinfo=None) - latest_known_now()
    if abs(away) > _NEAR:
        return f"{value:%Y-%m-%d %H:%M}"
    seconds = away.total_seconds()
    if abs(seconds) < 30:
        return "now"
    return f"in {about(seconds)}" if seconds > 0 else f"{about(-seconds - 30)} ago"


def _blob(value: bytes) -> str:
    return f"0x{value.hex()}" if len(value) <= 16 else f"0x{value[:16].hex()}… ({len(value)} bytes)"


def paragraph(text: str) -> str:
    """The text in lines that fit on a page, those behind the first a little further in. Its own breaks stay."""
    fit = textwrap.TextWrapper(_PAGE, break_long_words=False, break_on_hyphens=False)
    lines = []
    for line in text.splitlines():
        fit.subsequent_indent = " " * (len(line) - len(line.lstrip()) + 2)
        lines.append(fit.fill(line) if len(line) > _PAGE else line)
    return "\n".join(lines)
