"""Text of native values: what constants may say, and how values are printed. ScyllaDB's rules and messages."""

from __future__ import annotations

import datetime
import ipaddress
import math
import re
import struct
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation, localcontext

from ..limits import MOST_FIGURES
from .base import MarshalError

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
DAY_MS = 86_400_000

# ---------------------------------------------------------------- the calendar (Python's own ends at year 9999)


def days_of(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a day of the proleptic Gregorian calendar; ``day`` may run over the month's end."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + day_of_year - 719_468


def civil(days: int) -> tuple[int, int, int]:
    """The year, month and day that are ``days`` after 1970-01-01."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    day_of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def _year(year: int) -> str:
    return f"{year:04d}" if year >= 0 else f"-{-year:04d}"


# ---------------------------------------------------------------- numbers

_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
# Exact at any size: Python's own int() and str() refuse very long numbers.
_EXACT = Context(prec=1_000_000, Emax=MAX_EMAX, Emin=MIN_EMIN)


def integer(text: str) -> int | None:
    """The number that ``text`` spells, or None."""
    if not _INTEGER.match(text):
        return None
    check_figures(len(text))
    return int(Decimal(text))


def whole(text: str) -> int:
    """The number that checked figures spell. Python refuses to read thousands of them: then it is one that is out of
    every range."""
    try:
        return int(text)
    except ValueError:
        return -(1 << 128) if "-" in text else 1 << 128


def check_figures(count: int) -> None:
    """MarshalError if a number has more figures than one may have."""
    if count > MOST_FIGURES:
        raise MarshalError(f"a number may have {MOST_FIGURES:,} figures, and this one has {count:,}")


def digits(number: int) -> str:
    """The decimal figures of an integer of any size."""
    return f"{Decimal(number):f}"


def from_digits(figures: tuple[int, ...]) -> int:
    return int(Decimal((0, figures, 0)))


def scaled(unscaled: int, scale: int) -> Decimal:
    """``unscaled`` · 10^-``scale``, exactly."""
    return Decimal(unscaled).scaleb(-scale, _EXACT)


_DECIMAL = re.compile(r"([+-]?)([0-9]*)(\.[0-9]*)?([eE][+-]?[0-9]+)?\Z")


def decimal(text: str) -> Decimal:
    match = _DECIMAL.match(text)
    if not match or not (match[2] or len(match[3] or "") > 1):
        raise MarshalError(f"unable to make BigDecimal from '{text}'")
    check_figures(len(match[2]) + len(match[3] or ".") - 1)
    try:
        with localcontext(_EXACT):
            number = Decimal(text)
    except InvalidOperation:  # an exponent of more figures than Python's can have
        raise MarshalError(f"unable to make BigDecimal from '{text}'") from None
    if not -(1 << 31) <= -number.as_tuple().exponent < 1 << 31:
        raise MarshalError(f"unable to make BigDecimal from '{text}'")
    return number


def decimal_text(number: Decimal) -> str:
    """All figures, without an exponent and without zeros at the end of a fraction (but for enormous scales)."""
    if not number:
        return "0"
    exponent = number.as_tuple().exponent
    if not -10_000 < exponent < 10_000:
        return str(number)
    text = f"{number:f}"
    return text.rstrip("0").removesuffix(".") if exponent < 0 else text


_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*([eE][+-]?[0-9]+)?|\.[0-9]+([eE][+-]?[0-9]+)?|nan|inf|infinity)\Z", re.I)


def floating(text: str) -> float:
    if not _FLOAT.match(text):
        raise MarshalError(f"Invalid number format '{text}'")
    return float(text)


_LARGEST_FLOAT = 3.4028234663852886e38  # in four bytes


def floating_text(number: float, width: int) -> str:
    """The shortest figures that give the number back."""
    if math.isnan(number):
        return "nan"
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    if width == 8:
        text = repr(number)
    else:
        packed = struct.pack(">f", number)
        shorter = (float(f"{number:.{precision}g}") for precision in range(1, 18))
        text = repr(next(n for n in shorter if abs(n) <= _LARGEST_FLOAT and struct.pack(">f", n) == packed))
    return text.removesuffix(".0")


def boolean(text: str) -> bytes:
    lower = text.lower()
    if lower == "true":
        return b"\x01"
    if lower in ("", "false"):
        return b"\x00"
    raise MarshalError(f"unable to make boolean from '{text}'")


# ---------------------------------------------------------------- bytes


def blob(text: str) -> bytes:
    """The bytes of hexadecimal figures, with or without 0x."""
    figures = text[2:] if text[:2] in ("0x", "0X") else text
    if len(figures) % 2:
        raise MarshalError("Invalid hex string length")
    try:
        return bytes.fromhex(figures)
    except ValueError:
        raise MarshalError(f"Invalid hex character in '{text}'") from None


_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


def uuid_bytes(text: str, complaint: str = "Cannot parse uuid from '{}'") -> bytes:
    if not _UUID.match(text):
        raise MarshalError(complaint.format(text))
    return bytes.fromhex(text.replace("-", ""))


def inet(text: str) -> bytes:
    try:
        return ipaddress.ip_address(text).packed
    except ValueError:
        raise MarshalError(f"Failed to parse inet_addr from '{text}'") from None


# ---------------------------------------------------------------- dates and times

_TIMESTAMP = re.compile(r"([0-9]{4})-([0-9]+)-([0-9]+)([ t]([0-9]+):([0-9]+)(:([0-9]+)(\.([0-9]+))?)?)?")
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})?\Z")


def timestamp(text: str) -> int:
    """Milliseconds since 1970 of an integer or a date with or without time and zone; UTC when no zone is given."""
    number = integer(text)
    if number is not None and -(1 << 63) <= number < 1 << 63 and not text.startswith("+"):
        return number
    try:
        return _parse_timestamp(text.lower())
    except MarshalError as error:
        raise MarshalError(f"unable to parse date '{text}': {error.message}") from None
    except _OutOfCalendar as error:
        raise MarshalError(f"unable to parse date '{text}': {error}") from None


class _OutOfCalendar(Exception):
    """A day that no calendar has, in the words of the server's date library."""

    def __init__(self, kind: str, reason: str):
        super().__init__(f"boost::wrapexcept<boost::gregorian::{kind}> ({reason})")


def _parse_timestamp(text: str) -> int:
    match = _TIMESTAMP.match(text)
    if not match:
        raise MarshalError(f"Unable to parse timestamp from '{text}'")
    year, month, day = int(match[1]), whole(match[2]), whole(match[3])
    if not 1400 <= year <= 9999:
        raise _OutOfCalendar("bad_year", "Year is out of valid range: 1400..9999")
    if not 1 <= month <= 12:
        raise _OutOfCalendar("bad_month", "Month number is out of range 1..12")
    if not 1 <= day <= 31:
        raise _OutOfCalendar("bad_day_of_month", "Day of month value is out of range 1..31")
    if civil(days_of(year, month, day))[1] != month:
        raise _OutOfCalendar("bad_day_of_month", "Day of month is not valid for year")
    seconds = whole(match[5] or "0") * 3600 + whole(match[6] or "0") * 60 + whole(match[8] or "0")
    fraction = match[10] or ""
    if len(fraction) > 3:
        raise MarshalError(f"Milliseconds length exceeds expected ({len(fraction)})")
    millis = days_of(year, month, day) * DAY_MS + seconds * 1000 + int(fraction.ljust(3, "0"))
    return millis - _zone_millis(text[match.end() :])


def _zone_millis(zone: str) -> int:
    offset = _OFFSET.match(zone)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return minutes * 60_000 * (-1 if offset[1] == "-" else 1)
    if zone.strip(" ") not in ("", "z", "utc", "gmt"):
        raise MarshalError(f"Unable to parse timezone '{zone}'")
    return 0


def timestamp_text(millis: int, separator: str = "T") -> str:
    """As in 2024-07-23T08:59:19.829Z."""
    days, rest = divmod(millis, DAY_MS)
    year, month, day = civil(days)
    seconds, rest = divmod(rest, 1000)
    return (
        f"{_year(year)}-{month:02d}-{day:02d}{separator}"
        f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}Z"
    )


_DATE = re.compile(r"(-?[0-9]+)-([0-9]+)-([0-9]+)\Z")


def date(text: str) -> int:
    """Days, with 1970-01-01 at 2**31, of a date or of that number itself."""
    number = integer(text)
    if number is not None and 0 <= number < 1 << 32:
        return number
    if number is not None or not re.match(r"-?[0-9]", text):
        raise MarshalError(f"Unable to make unsigned int (for date) from {text}")
    match = _DATE.match(text)
    if not match:
        raise MarshalError(f"Unable to coerce '{text}' to a formatted date (long)")
    days = days_of(int(match[1][:12]), int(match[2]) if len(match[2]) < 3 else 1, int(match[3][:9]))
    if days < -(1 << 31):
        raise MarshalError(f"Input date {text} is less than min supported date -5877641-06-23")
    if days >= 1 << 31:
        raise MarshalError(f"Input date {text} is greater than max supported date 5881580-07-11")
    return days + (1 << 31)


def date_text(number: int) -> str:
    year, month, day = civil(number - (1 << 31))
    return f"{_year(year)}-{month:02d}-{day:02d}"


_TIME_FORMAT = "Timestamp format must be hh:mm:ss[.fffffffff]"
_TIME = re.compile(r"(-?[0-9]+):(-?[0-9]+):(-?[0-9]+)(\.([0-9]+))?\Z")


def time_of_day(text: str) -> int:
    """Nanoseconds since midnight of hh:mm:ss[.fffffffff]."""
    match = _TIME.match(text)
    if not match:
        raise MarshalError(_TIME_FORMAT)
    hours, minutes, seconds = whole(match[1]), whole(match[2]), whole(match[3])
    for name, value, limit in (("Hour", hours, 24), ("Minute", minutes, 60), ("Second", seconds, 60)):
        if not 0 <= value < limit:
            raise MarshalError(f"{name} out of bounds ({value}).")
    fraction = match[5] or ""
    if len(fraction) > 9:
        raise MarshalError(f"more than 9 nanosecond digits: {text}")
    return (hours * 3600 + minutes * 60 + seconds) * 1_000_000_000 + int(fraction.ljust(9, "0"))


def time_text(nanos: int) -> str:
    seconds, rest = divmod(nanos, 1_000_000_000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:09d}"
