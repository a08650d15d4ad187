"""Durations: months, days and nanoseconds, kept apart, for months differ in their days, and days (twice a year) in
their hours. For the same reason durations have no order: they are in no key, set or index, and nobody may ask which of
two is longer.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from . import wire
from .base import CqlType, MarshalError


class Duration(NamedTuple):
    """All three of one sign, or 0."""

    months: int
    days: int
    nanoseconds: int


class _Unit(NamedTuple):
    """``part``: where in a ``Duration`` it counts, ``factor`` of them each."""

    name: str
    part: int
    factor: int


_MICROSECOND = _Unit("microseconds", 2, 1_000)
# From the greatest to the least: in this order they are written.
_UNITS = {
    "y": _Unit("years", 0, 12),
    "mo": _Unit("months", 0, 1),
    "w": _Unit("weeks", 1, 7),
    "d": _Unit("days", 1, 1),
    "h": _Unit("hours", 2, 3_600_000_000_000),
    "m": _Unit("minutes", 2, 60_000_000_000),
    "s": _Unit("seconds", 2, 1_000_000_000),
    "ms": _Unit("milliseconds", 2, 1_000_000),
    "us": _MICROSECOND,
    "µs": _MICROSECOND,
    "ns": _Unit("nanoseconds", 2, 1),
}
_RANK = {unit: -place for place, unit in enumerate(_UNITS.values())}
_HIGHEST = ((1 << 31) - 1, (1 << 31) - 1, (1 << 63) - 1)
_SHOWN = (("y", "mo"), ("d",), ("h", "m", "s", "ms", "us", "ns"))  # the units of each part, as values are printed

_STANDARD = re.compile(r"([0-9]+)(y|mo|w|d|h|ms|us|µs|ns|m|s)", re.IGNORECASE)
_ISO = re.compile(r"P(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)D)?(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)S)?)?\Z")
_ISO_DATE = re.compile(r"P([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\Z")
_ISO_WEEKS = re.compile(r"P([0-9]+)W\Z")
_ISO_UNITS = ("y", "mo", "d", "h", "m", "s")


def parse_duration(text: str) -> Duration:
    """Of ``1y2mo3h``, ``P1Y2MT3H``, ``P0001-02-00T03:00:00`` or ``P3W``, each perhaps with a minus sign in front."""
    unsigned = text.removeprefix("-")
    pieces = _pieces(unsigned)
    if pieces is None:
        raise MarshalError(f"Unable to convert '{text}' to a duration")
    parts = [0, 0, 0]
    last: _Unit | None = None
    for figures, unit in pieces:
        if len(figures.lstrip("0")) > 19 or int(figures) >= 1 << 63:
            raise MarshalError(f"Invalid duration. The count for the {unit.name} is out of range")
        left = (_HIGHEST[unit.part] - parts[unit.part]) // unit.factor
        if int(figures) > left:
            raise MarshalError(f"Invalid duration. The number of {unit.name} must be less than or equal to {left}")
        if last is not None and unit is last:
            raise MarshalError(f"Invalid duration. The {unit.name} are specified multiple times")
        if last is not None and _RANK[unit] > _RANK[last]:
            raise MarshalError(f"Invalid duration. The {last.name} should be after {unit.name}")
        last = unit
        parts[unit.part] += int(figures) * unit.factor
    sign = -1 if text.startswith("-") else 1
    return Duration(*(sign * part for part in parts))


def _pieces(text: str) -> list[tuple[str, _Unit]] | None:
    """The numbers that are written, with their units; None if the text is no duration."""
    if text.startswith("P"):
        weeks = _ISO_WEEKS.match(text)
        if weeks is not None:
            return [(weeks[1], _UNITS["w"])]
        match = (_ISO_DATE if "-" in text else _ISO).match(text)
        if match is None:
            return None
        found = zip(match.groups(), _ISO_UNITS, strict=True)
        return [(figures, _UNITS[name]) for figures, name in found if figures is not None]
    pieces, position = [], 0
    while position < len(text):
        match = _STANDARD.match(text, position)
        if match is None:
            return None
        pieces.append((match[1], _UNITS[match[2].lower()]))
        position = match.end()
    return pieces or None


def duration_text(duration: Duration) -> str:
    """As in ``1y2mo3h``; nothing at all for no time."""
    text = "-" if any(part < 0 for part in duration) else ""
    for part, names in zip(duration, _SHOWN, strict=True):
        rest = abs(part)
        for name in names:
            count, rest = divmod(rest, _UNITS[name].factor)
            if count:
                text += f"{count}{name}"
    return text


class DurationType(CqlType):
    """Three signed integers of variable length."""

    json_name = "duration_type"

    def validate(self, data: bytes) -> None:
        if len(data) < 3:
            raise MarshalError(f"Expected at least 3 bytes for a duration, got {len(data)}")
        parts = _read(data)
        for name, value, bits in zip(("months", "days", "nanoseconds"), parts, (32, 32, 64), strict=True):
            if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
                raise MarshalError(f"The duration {name} ({value}) must be a {bits} bit integer")
        if min(parts) < 0 < max(parts):
            raise MarshalError(
                "The duration months, days, and nanoseconds must be all of the same sign "
                f"({', '.join(map(str, parts))})"
            )

    def decode(self, data: bytes) -> Duration | None:
        return _read(data) if data else None

    def encode(self, value: Duration) -> bytes:
        """Of anything that has ``months``, ``days`` and ``nanoseconds``."""
        return b"".join(wire.pack_signed_vint(part) for part in (value.months, value.days, value.nanoseconds))

    def order(self, data: bytes) -> bytes:
        """Nobody sees this order: it tells equal ones from others."""
        return data.replace(b"\x00", b"\x00\xff") + b"\x00\x00"

    def to_text(self, data: bytes) -> str:
        return duration_text(_read(data)) if data else ""

    def from_text(self, text: str) -> bytes:
        return self.encode(parse_duration(text)) if text else b""


def _read(data: bytes) -> Duration:
    parts, position = [], 0
    for _ in range(3):
        if position >= len(data):
            raise MarshalError("Cannot deserialize duration")
        part, position = wire.unpack_signed_vint(data, position)
        parts.append(part)
    return Duration(*parts)


DURATION = DurationType("duration", b"\x00\x15", "DurationType")


def holds_duration(cql_type: CqlType) -> bool:
    """Whether values of the type are durations, or have some within."""
    if cql_type is DURATION:
        return True
    within = [getattr(cql_type, name, None) for name in ("element", "key", "value")]
    return any(holds_duration(part) for part in (*within, *getattr(cql_type, "types", ())) if part is not None)


def refuse_in_order(cql_type: CqlType, what: str) -> str | None:
    """Why what needs an order (``what``: "Secondary indexes are") cannot have values of this type; None: it can."""
    if not holds_duration(cql_type):
        return None
    if cql_type is DURATION:
        return f"{what} not supported on duration columns"
    family = {"tuple": "tuples", "udt": "UDTs", "user": "UDTs"}.get(cql_type.family, "collections")
    return f"{what} not supported on {family} containing durations"
