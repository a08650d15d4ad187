"""Lists, sets and maps, frozen (one value) or not (a cell for each element; the wire form is the same)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import json_text, wire
from .base import CqlType, MarshalError, interned
from .json_text import Json


class CollectionType(CqlType):
    """What lists, sets and maps share. ``frozen`` says how it is stored; ``freeze()`` and ``thaw()`` convert."""

    is_collection = True

    def __init__(self, name: str, option: bytes, class_name: str, frozen: bool):
        super().__init__(f"frozen<{name}>" if frozen else name, option, class_name)
        if frozen:
            self.class_name = f"org.apache.cassandra.db.marshal.FrozenType({self.class_name})"
        self._bare_name = name
        self.frozen = frozen
        self.is_multicell = not frozen

    @property
    def name_without_frozen(self) -> str:
        return self._bare_name

    def to_text(self, data: bytes) -> str:
        raise NotImplementedError

    def from_text(self, text: str) -> bytes:
        raise MarshalError(f"'{text}' is no {self.name}")

    def split(self, data: bytes) -> list[Any]:
        """The wire bytes of the elements: of a list or set a list of bytes, of a map a list of pairs."""
        return wire.unpack_values(data)[0] if data else []

    def join(self, parts: Iterable[Any]) -> bytes:
        """The wire form of elements as ``split`` gives them; sets and maps are put in order."""
        raise NotImplementedError

    def thaw(self) -> CollectionType:
        """The same type, stored as a cell for each element."""
        raise NotImplementedError


class _Sequence(CollectionType):
    """``element`` is the type of the elements."""

    element: CqlType

    def validate(self, data: bytes) -> None:
        check = self.element.validate
        for part in wire.unpack_values(data)[0]:
            check(part)

    def to_json(self, data: bytes) -> str:
        shown = ("null" if part is None else self.element.to_json(part) for part in self.split(data))
        return "[" + ", ".join(shown) + "]"

    def from_json(self, value: Json) -> bytes:
        if not isinstance(value, list):
            raise MarshalError(f"{self.family}_type must be represented as JSON Array")
        return self.join([self.element.from_json(item) for item in value])

    def order(self, data: bytes) -> bytes:
        if not data:
            return b"\x00"
        order = self.element.order
        # The empty bytes sort first, then the sequences; in them 3 goes before an element, 2 is null, 1 ends all.
        parts = [b"\x02" if part is None else b"\x03" + order(part) for part in self.split(data)]
        return b"".join(parts) + b"\x01"

    def canonical(self, data: bytes) -> bytes:
        if not self.holds_set_or_map or not data:
            return data
        canonical = self.element.canonical
        return self.join([None if part is None else canonical(part) for part in self.split(data)])


class ListType(_Sequence):
    """``ListType(element, frozen)`` gives the interned list type."""

    family = "list"

    def __new__(cls, element: CqlType, frozen: bool = False) -> ListType:
        return _list(element, frozen)

    def __init__(self, element: CqlType, frozen: bool = False):
        pass  # made once, by ``_make``

    def _make(self, element: CqlType, frozen: bool) -> ListType:
        super().__init__(
            f"list<{element.name}>", b"\x00\x20" + element.option, f"ListType({element.class_name})", frozen
        )
        self.element = element
        self.holds_set_or_map = element.holds_set_or_map
        return self

    def freeze(self) -> ListType:
        return _list(self.element, True)

    def thaw(self) -> ListType:
        return _list(self.element, False)

    def validate(self, data: bytes) -> None:
        """As with every type; null elements pass (``IN ?`` may have them), though no list is stored with one."""
        parts, rest = wire.unpack_values(data, null_allowed=True)
        check = self.element.validate
        for part in parts:
            if part is not None:
                check(part)
        if rest:
            raise MarshalError(
                f"Validation failed for type {self.class_name}: bytes remaining after "
                f"reading all {len(parts)} elements of the list -> [{rest.hex()}]"
            )

    def split(self, data: bytes) -> list[bytes | None]:
        return wire.unpack_values(data, null_allowed=True)[0] if data else []

    def decode(self, data: bytes) -> list[Any]:
        return [None if part is None else self.element.decode(part) for part in self.split(data)]

    def encode(self, value: Iterable[Any]) -> bytes:
        return self.join([self.element.encode(v) for v in value])

    def join(self, parts: Iterable[bytes | None]) -> bytes:
        return wire.pack_values(list(parts))

    def to_text(self, data: bytes) -> str:
        texts = ("null" if part is None else self.element.to_text(part) for part in self.split(data))
        return "[" + ", ".join(texts) + "]"

    def accepts_value_of(self, other: CqlType) -> bool:
        return self is other or (_alike(self, other) and self.element.accepts_value_of(other.element))


class SetType(_Sequence):
    """``SetType(element, frozen)`` gives the interned set type. Decodes to a list in the set's order."""

    family = "set"
    holds_set_or_map = True

    def __new__(cls, element: CqlType, frozen: bool = False) -> SetType:
        return _set(element, frozen)

    def __init__(self, element: CqlType, frozen: bool = False):
        pass  # made once, by ``_make``

    def _make(self, element: CqlType, frozen: bool) -> SetType:
        super().__init__(f"set<{element.name}>", b"\x00\x22" + element.option, f"SetType({element.class_name})", frozen)
        self.element = element
        return self

    def freeze(self) -> SetType:
        return _set(self.element, True)

    def thaw(self) -> SetType:
        return _set(self.element, False)

    def decode(self, data: bytes) -> list[Any]:
        return [self.element.decode(part) for part in self.split(data)]

    def encode(self, value: Iterable[Any]) -> bytes:
        return self.join([self.element.encode(v) for v in value])

    def join(self, parts: Iterable[bytes]) -> bytes:
        order = self.element.order
        distinct = {order(part): part for part in parts}
        return wire.pack_values([distinct[key] for key in sorted(distinct)])

    def to_text(self, data: bytes) -> str:
        return "{" + ", ".join(self.element.to_text(part) for part in self.split(data)) + "}"

    def accepts_value_of(self, other: CqlType) -> bool:
        return self is other


class MapType(CollectionType):
    """``MapType(key, value, frozen)`` gives the interned map type. Decodes to a dict in the map's order (to a list of
    pairs when the keys are collections, which Python cannot hash)."""

    family = "map"
    holds_set_or_map = True

    def __new__(cls, key: CqlType, value: CqlType, frozen: bool = False) -> MapType:
        return _map(key, value, frozen)

    def __init__(self, key: CqlType, value: CqlType, frozen: bool = False):
        pass  # made once, by ``_make``

    def _make(self, key: CqlType, value: CqlType, frozen: bool) -> MapType:
        super().__init__(
            f"map<{key.name}, {value.name}>",
            b"\x00\x21" + key.option + value.option,
            f"MapType({key.class_name},{value.class_name})",
            frozen,
        )
        self.key, self.value = key, value
        return self

    def freeze(self) -> MapType:
        return _map(self.key, self.value, True)

    def thaw(self) -> MapType:
        return _map(self.key, self.value, False)

    def validate(self, data: bytes) -> None:
        for key, value in self._pairs(data):
            self.key.validate(key)
            self.value.validate(value)

    def _pairs(self, data: bytes) -> list[tuple[bytes, bytes]]:
        flat = iter(wire.unpack_values(data, 2)[0])
        return list(zip(flat, flat, strict=True))

    def split(self, data: bytes) -> list[tuple[bytes, bytes]]:
        return self._pairs(data) if data else []

    def join(self, parts: Iterable[tuple[bytes, bytes]]) -> bytes:
        order = self.key.order
        distinct: dict[bytes, tuple[bytes, bytes]] = {}
        for key, value in parts:
            distinct.setdefault(order(key), (key, value))  # of entries with the same key the first one counts
        return wire.pack_pairs([distinct[key] for key in sorted(distinct)])

    def canonical(self, data: bytes) -> bytes:
        if not data:
            return data
        key, value = self.key.canonical, self.value.canonical
        return self.join([(key(k), value(v)) for k, v in self._pairs(data)])

    def decode(self, data: bytes) -> dict[Any, Any] | list[tuple[Any, Any]]:
        pairs = [(self.key.decode(k), self.value.decode(v)) for k, v in self.split(data)]
        return pairs if self.key.is_collection or self.key.family == "tuple" else dict(pairs)

    def encode(self, value: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> bytes:
        pairs = value.items() if isinstance(value, Mapping) else value
        return self.join([(self.key.encode(k), self.value.encode(v)) for k, v in pairs])

    def order(self, data: bytes) -> bytes:
        if not data:
            return b"\x00"
        key, value = self.key.order, self.value.order
        return b"".join([b"\x02" + key(k) + value(v) for k, v in self._pairs(data)]) + b"\x01"

    def to_text(self, data: bytes) -> str:
        pairs = self.split(data)
        return "{" + ", ".join(f"{self.key.to_text(k)}: {self.value.to_text(v)}" for k, v in pairs) + "}"

    def to_json(self, data: bytes) -> str:
        pairs = self.split(data)
        return "{" + ", ".join(f"{_as_name(self.key.to_json(k))}: {self.value.to_json(v)}" for k, v in pairs) + "}"

    def from_json(self, value: Json) -> bytes:
        if not isinstance(value, dict):
            raise MarshalError("map_type must be represented as JSON Object")
        pairs = [(member, self.value.from_json(value[member])) for member in value]
        return self.join([(self._key_from_json(member), part) for member, part in pairs])

    def _key_from_json(self, name: str) -> bytes:
        """A key of a native type is its string; any other is JSON within the string."""
        if self.key.family == "native":
            return self.key.from_json(name)
        from .json_parser import parse

        try:
            return self.key.from_json(parse(name))
        except json_text.JsonError as error:
            raise MarshalError(f"Failed parsing map_key {json_text.quote(name)}: {error.message}") from None

    def accepts_value_of(self, other: CqlType) -> bool:
        return self is other or (
            _alike(self, other) and self.key is other.key and self.value.accepts_value_of(other.value)
        )


def _as_name(shown: str) -> str:
    """A key's JSON as the name of a member. ScyllaDB puts the quotes around it and escapes none within."""
    return shown if shown.startswith('"') else f'"{shown}"'


def _alike(one: CollectionType, other: CqlType) -> bool:
    return one.family == other.family and one.is_multicell == other.is_multicell


@interned
def _list(element: CqlType, frozen: bool) -> ListType:
    return object.__new__(ListType)._make(element, frozen)


@interned
def _set(element: CqlType, frozen: bool) -> SetType:
    return object.__new__(SetType)._make(element, frozen)


@interned
def _map(key: CqlType, value: CqlType, frozen: bool) -> MapType:
    return object.__new__(MapType)._make(key, value, frozen)
