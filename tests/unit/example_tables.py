"""Small tables, values and writes that the tests of the storage share."""

from __future__ import annotations

import uuid

from embedded_scylla import types
from embedded_scylla.schema import CLUSTERING, PARTITION_KEY, REGULAR, STATIC, Column, Table
from embedded_scylla.storage.rows import Mutation, RangeDeletion, Row


def number(value: int) -> bytes:
    """An int's wire bytes."""
    return value.to_bytes(4, "big", signed=True)


def make_table(
    name="seats", *, key="p int", clustering="c int", regular="a int, b int", static="", **settings
) -> Table:
    """A table from short texts: ``name type [desc], …`` for each kind of column."""
    columns = {}
    for kind, text in ((PARTITION_KEY, key), (CLUSTERING, clustering), (STATIC, static), (REGULAR, regular)):
        for position, definition in enumerate(filter(None, text.split(", "))):
            column_name, type_name, *order = definition.split()
            place = position if kind in (PARTITION_KEY, CLUSTERING) else -1
            kind_of_type = SHAPES[type_name] if type_name in SHAPES else types.by_name(type_name)
            columns[column_name] = Column(column_name, kind_of_type, kind, place, order == ["desc"])
    return Table("shop", name, uuid.uuid5(uuid.NAMESPACE_DNS, name), columns, **settings)


SHAPES = {
    "list<text>": types.ListType(types.TEXT),
    "set<int>": types.SetType(types.INT),
    "map<text,int>": types.MapType(types.TEXT, types.INT),
}


ONE = (number(1),)  # the key of the partition that most tests use


def write(table: Table, key=ONE, **parts) -> Mutation:
    """A mutation of one partition. ``rows``: Row objects; ``deletion``, ``static``, ``ranges`` as in Mutation."""
    mutation = Mutation(table, key)
    for row in parts.pop("rows", ()):
        mutation.rows[row.key] = row
    for name, value in parts.items():
        setattr(mutation, name, value)
    return mutation


def insert(clustering: int, timestamp: int, **values: int) -> Row:
    """What INSERT makes: a marker, and cells of ints."""
    row = update(clustering, timestamp, **values)
    row.marker = (timestamp, 0, 0)
    return row


def update(clustering: int, timestamp: int, **values: int | None) -> Row:
    """What UPDATE makes: cells of ints, None for a deleted one (at second 100)."""
    cells = {
        name: (timestamp, None, 100, 0) if value is None else (timestamp, number(value), 0, 0)
        for name, value in values.items()
    }
    return Row((number(clustering),), cells=cells)


def deletion(clustering: int, timestamp: int) -> Row:
    """What DELETE of a row makes."""
    return Row((number(clustering),), deletion=(timestamp, 100))


def between(low: int | None, high: int | None, timestamp: int) -> RangeDeletion:
    """The deletion of ``low <= c < high``; None for an open side."""
    start = () if low is None else (number(low),)
    end = () if high is None else (number(high),)
    return RangeDeletion(start, True, end, high is None, (timestamp, 100))
