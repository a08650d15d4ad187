"""What every CQL type can do: check, decode, encode, order and print values.

A value is its wire bytes, as the native protocol and the store hold it; null is None and never reaches a type.
``b""`` is a value too: for text and blob the empty string, for most other types CQL's peculiar "empty" value,
which sorts before all others.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from ..errors import InvalidRequest

Made = TypeVar("Made", bound="CqlType")


class MarshalError(InvalidRequest):
    """Bytes or text that are no value of a type."""

    def __init__(self, message: str):
        super().__init__(f"marshaling error: {message}")


def interned(make: Callable[..., Made]) -> Callable[..., Made]:
    """One object for the same arguments, for as long as anybody holds it: clients may think up types without end."""
    alive: WeakValueDictionary[tuple[Any, ...], Made] = WeakValueDictionary()

    @wraps(make)
    def find(*parts: Any) -> Made:
        found = alive.get(parts)
        if found is None:
            found = alive[parts] = make(*parts)
        return found

    return find


class CqlType:
    """A CQL type. Instances are interned: two types are the same exactly when they are one object.

    ``name`` is the CQL spelling, ``option`` the wire form in result metadata, ``class_name`` the marshalling class by
    which the server's tools and some error texts call it. ``family`` is "native", "list", "set", "map", "tuple" or
    "vector" or "udt" (user-defined).
    """

    family = "native"
    is_multicell = False  # not frozen: stored as a cell for each element or field
    is_collection = False
    holds_set_or_map = False  # then a client's bytes may not be ``canonical``
    json_name = ""  # of a type whose values are strings in JSON: what the refusal of another kind calls it

    def __init__(self, name: str, option: bytes, class_name: str):
        self.name = name
        self.option = option
        self.class_name = f"org.apache.cassandra.db.marshal.{class_name}"

    def __repr__(self) -> str:
        return f"<CqlType {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        from .parse import by_name  # a type comes back as the interned instance

        return by_name, (self.name,)

    @property
    def name_without_frozen(self) -> str:
        """The CQL spelling without an outer ``frozen<…>``."""
        return self.name

    def freeze(self) -> CqlType:
        """The same type, stored as one value."""
        return self

    def validate(self, data: bytes) -> None:
        """Raise MarshalError unless ``data`` is a value of this type."""
        raise NotImplementedError

    def decode(self, data: bytes) -> Any:
        """The value as a Python object; None for an empty value of a type that has no other use for it."""
        raise NotImplementedError

    def encode(self, value: Any) -> bytes:
        """The wire bytes of a Python object as ``decode`` gives it."""
        raise NotImplementedError

    def order(self, data: bytes) -> bytes:
        """Bytes that sort as the values do and that end by themselves: none is a prefix of another.

        Values that CQL holds equal (1.0 and 1.00) give the same bytes.
        """
        raise NotImplementedError

    def to_text(self, data: bytes) -> str:
        """The value as a CQL literal."""
        raise NotImplementedError

    def from_text(self, text: str) -> bytes:
        """The value that a constant's text stands for (the text of a string without its quotes)."""
        raise NotImplementedError

    def to_json(self, data: bytes) -> str:
        """The value as JSON; of most types a string with its text."""
        from .json_text import quote

        return quote(self.to_text(data).strip("'"))

    def from_json(self, value: Any) -> bytes:
        """The value that a JSON value (see ``json_text``) stands for, which is not null where null is not to be.

        MarshalError (or JsonError) for JSON of another kind.
        """
        from .json_text import string_of

        return self.from_text(string_of(value, self.json_name))

    def canonical(self, data: bytes) -> bytes:
        """The same value with all sets and maps within in their order: what a client sent may be in any."""
        return data

    def accepts_value_of(self, other: CqlType) -> bool:
        """Whether every value of ``other`` is a value of this type as it stands (bytes for bytes)."""
        return self is other
