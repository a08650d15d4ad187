"""What a term stands for when it is no column itself: the parts of a collection or tuple, the list of an IN.

Each is a ``ColumnSpec`` with a type of its own, and the name that goes for it in messages and in the metadata of
variables.
"""

from __future__ import annotations

from typing import Any

from ..schema import ColumnSpec
from ..types import (
    INT,
    UUID,
    CollectionType,
    CqlType,
    ListType,
    MapType,
    SetType,
    TupleType,
    UserType,
    VectorType,
)


def _part(whole: ColumnSpec, name: str, type: CqlType) -> ColumnSpec:
    return ColumnSpec(whole.keyspace, whole.table, name, type)


def key_of(map: ColumnSpec) -> ColumnSpec:
    """A map's keys."""
    assert isinstance(map.type, MapType)
    return _part(map, f"key({map.name})", map.type.key)


def value_of(collection: ColumnSpec) -> ColumnSpec:
    """The elements of a list, set or vector, the values of a map."""
    type = collection.type
    assert isinstance(type, ListType | SetType | MapType | VectorType)
    return _part(collection, f"value({collection.name})", type.value if isinstance(type, MapType) else type.element)


def index_of(list: ColumnSpec, called: str = "idx") -> ColumnSpec:
    """A list's indexes, which ScyllaDB calls ``idx(l)`` everywhere but in an IF clause."""
    return _part(list, f"{called}({list.name})", INT)


def element_id_of(list: ColumnSpec) -> ColumnSpec:
    """The timeuuid by which a list keeps an element in its place."""
    return _part(list, f"uuid_idx({list.name})", UUID)


def field_of(tuple: ColumnSpec, index: int) -> ColumnSpec:
    """A field of a tuple, or of a user-defined type written as one."""
    assert isinstance(tuple.type, TupleType)
    return _part(tuple, f"{tuple.name}[{index}]", tuple.type.types[index])


def named_field_of(whole: ColumnSpec, number: int) -> ColumnSpec:
    """A field of a user-defined type."""
    type = whole.type
    assert isinstance(type, UserType)
    return _part(whole, f"{whole.name}.{type.fields[number]}", type.types[number])


def many_of(one: ColumnSpec, operator: str) -> ColumnSpec:
    """The list on the right of IN or NOT IN."""
    return _part(one, f"{operator}({one.name})", ListType(one.type.freeze(), True))


def item_of(many: ColumnSpec, one: ColumnSpec) -> ColumnSpec:
    """A value written out in the list of an IN; it has the type of what is on the left."""
    return _part(many, f"value({many.name})", one.type)


def parts_of(type: CqlType, collection: bytes) -> list[Any]:
    """The elements (of a map: pairs) of a collection in its frozen form."""
    assert isinstance(type, CollectionType)
    return type.split(collection)


def is_nothing(type: CqlType, data: bytes) -> bool:
    """Whether a value is none as its column stores it: an empty non-frozen collection, or a non-frozen value of a
    user-defined type with nothing but nulls."""
    if not type.is_multicell:
        return False
    return not (type.cells_of(data) if isinstance(type, UserType) else parts_of(type, data))


def key_and_element(column: ColumnSpec, index: str = "idx") -> tuple[ColumnSpec, ColumnSpec] | None:
    """What stands in the brackets of ``column[key]``, and what that is; None if the column is no list, set or map.
    ``index``: what a list's indexes are called."""
    type = column.type
    if isinstance(type, MapType):
        return key_of(column), value_of(column)
    if isinstance(type, ListType):
        return index_of(column, index), value_of(column)
    return (value_of(column), value_of(column)) if isinstance(type, SetType) else None


def element_at(type: CqlType, collection: bytes, key: bytes) -> bytes | None:
    """``column[key]`` of a collection in its frozen form; None if there is no such element."""
    if isinstance(type, ListType):
        items, position = type.split(collection), int.from_bytes(key, "big", signed=True)
        return items[position] if 0 <= position < len(items) else None
    if isinstance(type, SetType):
        order = type.element.order
        wanted = order(key)
        return next((element for element in type.split(collection) if order(element) == wanted), None)
    assert isinstance(type, MapType)
    order = type.key.order
    wanted = order(key)
    return next((value for entry, value in type.split(collection) if order(entry) == wanted), None)
