"""Types, and values of them: as CQL's constants, as JSON, and as bytes for a marker.

A type is a tuple: its name, and the types (and the dimension of a vector, and the names of fields) that it is made of:
``("map", ("text",), ("int",))``, ``("udt", "address", ("street", ("text",)), ("zip", ("int",)))``.
"""

from __future__ import annotations

import json
import random
import struct
from typing import Any

Type = tuple[Any, ...]

NATIVE = (
    "ascii", "bigint", "blob", "boolean", "date", "decimal", "double", "float", "inet", "int", "smallint", "text",
    "time", "timestamp", "timeuuid", "tinyint", "uuid", "varint", "duration",
)  # fmt: skip
KEYS = tuple(name for name in NATIVE if name != "duration")

INT = ("int",)
TEXT = ("text",)

# A few values of each, so that statements meet the same rows; now and then one from the edges.
_CONSTANTS = {
    "ascii": ("'a'", "'b'", "''"),
    "bigint": ("0", "1", "2", "-1", "9223372036854775807", "-9223372036854775808"),
    "blob": ("0x", "0x00", "0xff", "0xcafe"),
    "boolean": ("true", "false"),
    "counter": ("0", "1", "2", "-3", "9223372036854775807"),
    "date": ("'2024-02-29'", "'1970-01-01'", "0", "2147483648", "'-5877641-06-23'"),
    "decimal": ("0", "1.5", "-2.25", "1e10", "1E-30"),
    "double": ("0", "1.5", "-0.0", "NaN", "Infinity", "1e300"),
    "duration": ("1h", "1y2mo3d", "-5s", "P1DT2H", "'3w'", "0s", "1us"),
    "float": ("0", "1.5", "NaN", "-Infinity", "3"),
    "inet": ("'127.0.0.1'", "'::1'", "'10.0.0.1'"),
    "int": ("0", "1", "2", "3", "-1", "2147483647", "-2147483648"),
    "smallint": ("0", "1", "-1", "32767"),
    "text": ("'a'", "'b'", "''", "'é'", "'it''s'", "$$x$$"),
    "time": ("'01:02:03'", "0", "'23:59:59.999999999'", "1"),
    "timestamp": ("0", "'2024-02-29 12:00:00+0000'", "1700000000000", "'1969-12-31'", "-1", "9223372036854775807"),
    "timeuuid": ("00000000-0001-11f1-8000-000000000001", "5c2a3e00-1dd2-11b2-8000-000000000001"),
    "tinyint": ("0", "1", "-1", "127"),
    "uuid": ("123e4567-e89b-42d3-a456-426614174000", "00000000-0001-11f1-8000-000000000001"),
    "varint": ("0", "1", "-1", "255", "1208925819614629174706176"),
}
_FUNCTIONS = {
    "timeuuid": ("now()", "currentTimeUUID()", "minTimeuuid('2024-01-01')", "maxTimeuuid(0)"),
    "uuid": ("uuid()",),
    "timestamp": ("currentTimestamp()", "toTimestamp(now())"),
    "date": ("currentDate()", "toDate(now())"),
    "time": ("currentTime()",),
    "blob": ("intAsBlob(1)", "textAsBlob('a')", "bigintAsBlob(2)"),
    "int": ("blobAsInt(0x00000001)", "(int)2"),
    "bigint": ("toUnixTimestamp(now())", "blobAsBigint(0x0000000000000001)"),
    "text": ("toJson('a')", "(text)'b'", "blobAsText(0x61)"),
}


def type_text(type: Type) -> str:
    """As CQL spells it."""
    name, *of = type
    if name == "udt":
        return of[0]
    if name == "vector":
        return f"vector<{type_text(of[0])}, {of[1]}>"
    return f"{name}<{', '.join(map(type_text, of))}>" if of else name


def bare(type: Type) -> Type:
    """Without ``frozen``."""
    return bare(type[1]) if type[0] == "frozen" else type


def is_collection(type: Type) -> bool:
    """Whether its elements have cells of their own."""
    return type[0] in ("list", "set", "map")


def constant(type: Type, chance: random.Random) -> str:
    """A value as CQL writes it."""
    type = bare(type)
    name, *of = type
    if not of:
        functions = _FUNCTIONS.get(name)
        if functions and chance.random() < 0.04:
            return chance.choice(functions)
        values = _CONSTANTS[name]
        return values[chance.randrange(min(3, len(values)))] if chance.random() < 0.7 else chance.choice(values)
    if name == "vector":
        return f"[{', '.join(constant(of[0], chance) for _ in range(of[1]))}]"
    if name == "tuple":
        return f"({', '.join(constant(t, chance) for t in of)})"
    if name == "udt":
        fields = [f"{field}: {constant(t, chance)}" for field, t in of[1:] if chance.random() < 0.8]
        return f"{{{', '.join(fields or [f'{of[1][0]}: null'])}}}"
    count = chance.choice((0, 1, 1, 2, 3))
    if name == "map":
        return f"{{{', '.join(f'{constant(of[0], chance)}: {constant(of[1], chance)}' for _ in range(count))}}}"
    opening, closing = "[]" if name == "list" else "{}"
    return f"{opening}{', '.join(constant(of[0], chance) for _ in range(count))}{closing}"


_JSON = {
    "ascii": ("a", ""), "boolean": (True, False, "true"), "blob": ("0x", "0xcafe"), "date": ("2024-02-29",),
    "inet": ("127.0.0.1",), "text": ("a", "é", "'", '"'), "time": ("01:02:03",), "timestamp": ("2024-02-29", 0),
    "timeuuid": ("00000000-0001-11f1-8000-000000000001",), "uuid": ("123e4567-e89b-42d3-a456-426614174000",),
    "duration": ("1h", "P1D"), "decimal": (1.5, "1.5", 10**30), "double": (1.5, "NaN", 1), "float": (0.5,),
}  # fmt: skip
_JSON_ODD = (
    None,
    [],
    {},
    "",
    "x",
    1e400,
    -1,
    2**70,
    {"a": {}},
    [[[]]],
    True,
    "\ud83c",
    "\x00",
    0.1,
    [None],
    {"": None},
)


def json_value(type: Type, chance: random.Random) -> Any:
    """A value as Python's JSON has it; rarely one that does not fit."""
    if chance.random() < 0.03:
        return chance.choice(_JSON_ODD)
    type = bare(type)
    name, *of = type
    if name in ("vector", "tuple"):
        return [json_value(t, chance) for t in ([of[0]] * of[1] if name == "vector" else of)]
    if name == "udt":
        return {field: json_value(t, chance) for field, t in of[1:]}
    if name == "map":
        key = json_value(of[0], chance)
        return {key if isinstance(key, str) else json.dumps(key): json_value(of[1], chance)}
    if of:
        return [json_value(of[0], chance) for _ in range(chance.randrange(3))]
    return chance.choice(_JSON.get(name, (0, 1, -1, "2")))


# ---------------------------------------------------------------- bytes

_WIDTHS = {
    "bigint": 8, "boolean": 1, "counter": 8, "date": 4, "double": 8, "float": 4, "int": 4, "smallint": 2, "time": 8,
    "timestamp": 8, "tinyint": 1,
}  # fmt: skip
_BYTES = {
    "ascii": (b"a", b"b", b""), "blob": (b"", b"\0", b"\xff"), "inet": (b"\x7f\0\0\1", b"\0" * 15 + b"\1"),
    "decimal": (b"\0\0\0\1\x0f", b"\0\0\0\0\0"), "text": (b"a", b"b", "é".encode()), "varint": (b"\0", b"\1", b"\xff"),
    "duration": (b"\0\0\0", b"\2\4\6", b"\1\1\1"), "uuid": (b"\x12" * 6 + b"\x42" + b"\x12" * 9,),
    "timeuuid": (b"\0\0\0\0\0\1\x11\xf1\x80\0\0\0\0\0\0\1",),
}  # fmt: skip


def wire(type: Type, chance: random.Random) -> bytes:
    """A value's bytes."""
    type = bare(type)
    name, *of = type
    if name in _WIDTHS:
        width = _WIDTHS[name]
        number = chance.choice((0, 0, 1, 1, 2, 3))
        if chance.random() < 0.05:
            return chance.choice((b"\xff", b"\x80", b"\x7f", b"\x00")) + chance.choice((b"\xff", b"\0")) * (width - 1)
        return number.to_bytes(width, "big")
    if name in _BYTES:
        return chance.choice(_BYTES[name])
    if name == "vector":
        return b"".join(wire(of[0], chance) for _ in range(of[1]))
    if name == "tuple":
        return b"".join(_sized(wire(t, chance)) for t in of[: chance.choice((len(of), len(of), 1))])
    if name == "udt":
        return b"".join(_sized(wire(t, chance)) for _, t in of[1:])
    count = chance.randrange(3)
    parts = [t for _ in range(count) for t in of]
    return struct.pack(">i", count) + b"".join(_sized(wire(t, chance)) for t in parts)


def _sized(value: bytes) -> bytes:
    return struct.pack(">i", len(value)) + value


def broken(value: bytes, chance: random.Random) -> bytes:
    """Bytes that are not quite these."""
    match chance.randrange(8):
        case 0:
            return b""
        case 1:
            return value[:-1]
        case 2:
            return value + b"\0"
        case 3 if value:
            place = chance.randrange(len(value))
            return value[:place] + bytes([chance.randrange(256)]) + value[place + 1 :]
        case 4:
            return chance.randbytes(chance.choice((1, 2, 3, 4, 5, 8, 9, 16, 17, 40)))
        case 5:
            return chance.choice((b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80" + b"\0" * 7, b"\0\0\0\1\xff\xff\xff\xfe"))
        case 6 if chance.random() < 0.1:
            return b"x" * chance.choice((65_535, 65_536, 70_000))
    return value[chance.randrange(len(value) + 1) :] + value
