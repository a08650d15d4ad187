"""How stored pieces print values: not as CQL does, but as ``scylla sstable dump-data``, without quotes and brackets.

A list is its elements, with commas between; a set has semicolons, a frozen map pairs in braces. A tuple, as a
user-defined type, has its fields with colons between, and @ for null.
"""

from __future__ import annotations

import re

from ..types import ASCII, BLOB, TEXT, CqlType, ListType, MapType, SetType, TupleType, VectorType

_SIGNS_OF_TUPLES = re.compile("[@:]")


def printed(kind: CqlType, data: bytes) -> str:
    """A value, which is not null, as text."""
    if kind in (TEXT, ASCII):
        return data.decode(errors="replace")
    if kind is BLOB:
        return data.hex()
    if isinstance(kind, TupleType):
        fields = zip(kind.split(data), kind.types, strict=True)
        return ":".join("@" if part is None else _escaped(printed(type, part)) for part, type in fields)
    if isinstance(kind, MapType):
        pairs = ", ".join(f"{{{printed(kind.key, k)} : {printed(kind.value, v)}}}" for k, v in kind.split(data))
        return f"({pairs})" if kind.frozen else pairs
    if isinstance(kind, ListType | SetType | VectorType):
        between = "; " if isinstance(kind, SetType) else ", "
        return between.join("" if part is None else printed(kind.element, part) for part in kind.split(data))
    return kind.to_text(data).strip("'") if data else ""


def _escaped(text: str) -> str:
    return _SIGNS_OF_TUPLES.sub(r"\\\g<0>", text)
