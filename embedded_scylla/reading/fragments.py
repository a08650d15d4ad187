"""SELECT … FROM MUTATION_FRAGMENTS(table): what is stored of a partition, piece by piece, as rows of a table.

The pieces stand in the order of the partition: its start with its tombstone, the static row, then in clustering order
the rows and the places at which a range tombstone begins and ends, and the partition's end. Each is a row of a table
that is derived from the one that is asked (``fragments_table``), so that it is selected from as from any other; what a
piece has of times, tombstones and values stands in it as JSON, as ``scylla sstable dump-data`` prints it.

ScyllaDB shows each memtable, the row cache and each sstable; this node has one store, which it calls ``memtable:0``.
What a tombstone covers is dropped there at once, so it is never shown beside it. A counter has one shard, this node's;
how often it was changed is not kept, so that the shard's clock, which rises with each change, is the cell's timestamp.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from ..errors import ServerError
from ..schema import CLUSTERING, REGULAR, Column, Table
from ..storage.keys import clustering_encoder
from ..storage.merge import newest
from ..storage.partition import Partition
from ..storage.rows import Cell, Collection, Key, Marker, Row, Tombstone
from ..storage.store import TableStore
from ..types import BLOB, COUNTER, TEXT, TIMEUUID, TINYINT, CqlType, MapType, SetType, UserType
from .fragment_text import printed

START, STATIC_ROW, CLUSTERED, END = range(4)  # partition_region
BEFORE, AT, AFTER = -1, 0, 1  # position_weight
_KIND, _METADATA, _VALUE = "mutation_fragment_kind", "metadata", "value"
_LIVE: Marker = (1, 0, 0)
_FIRST, _LAST = b"\x00", b"\xfe"  # below and above what follows a prefix in clustering order

Encoder = Callable[[Key], bytes]


class _Absent(bytes):
    """A key column of a piece that has no such part: an empty value, which can be told from an empty text."""


class _AbsentEnd(_Absent):
    """The weight behind all rows: shown as absent, as the one before all rows is."""


_ABSENT, _ABSENT_END = _Absent(), _AbsentEnd()


def fragments_table(stored: Table) -> Table:
    """The table that a table's fragments are rows of."""
    columns = {column.name: column for column in stored.partition_key}
    clustering = [
        ("mutation_source", TEXT, False),
        ("partition_region", TINYINT, False),
        *((column.name, column.type, column.descending) for column in stored.clustering),
        ("position_weight", TINYINT, False),
    ]
    for position, (name, kind, descending) in enumerate(clustering):
        columns[name] = Column(name, kind, CLUSTERING, position, descending)
    for name in (_KIND, _METADATA, _VALUE):
        columns[name] = Column(name, TEXT, REGULAR)
    name = f"{stored.name}_$mutation_fragments"
    table_id = uuid.uuid3(stored.id, name)
    return Table(stored.keyspace, name, table_id, columns, partitioner=stored.partitioner, virtual=True)


def fragments_encoder(stored: Table) -> Encoder:
    """The order of the pieces of a table's partitions, by their keys. Where a range tombstone begins or ends at the
    prefix of a key, that is before or behind all rows with the prefix."""
    encode, order_text, order_byte = clustering_encoder(stored), TEXT.order, TINYINT.order

    def order(key: Key) -> bytes:
        source, region, *inner, weight = key
        place = b"\x40" + order_text(source) + b"\x40" + order_byte(region)
        prefix = tuple(part for part in inner if not isinstance(part, _Absent))
        if region != TINYINT.encode(CLUSTERED):
            return place
        if len(prefix) == len(inner) and prefix:
            return place + encode(prefix) + b"\x40" + order_byte(weight)
        ends = weight == TINYINT.encode(AFTER) or isinstance(weight, _AbsentEnd)
        return place + encode(prefix) + (_LAST if ends else _FIRST)

    return order


class Fragments(TableStore):
    """What a table's store holds, taken apart when it is read. ``host_id``: whose shard of its counters it holds."""

    def __init__(self, table: Table, stored: TableStore, encode: Encoder, host_id: uuid.UUID):
        super().__init__(table)
        self._stored, self._order, self._host_id = stored, encode, host_id
        self._source = b"virtual-table" if stored.table.virtual else b"memtable:0"

    def partition(self, key: Key) -> Partition | None:
        found = self._stored.partition(key)
        return None if found is None else self._apart(found)

    def scan(self, *bounds: Any, **named: Any) -> Iterator[Partition]:
        return map(self._apart, self._stored.scan(*bounds, **named))

    def _apart(self, stored: Partition) -> Partition:
        """A partition whose rows are the pieces of another."""
        pieces = Partition(stored.key, stored.token, stored.key_bytes)
        for key, cells in self._pieces(stored):
            kept = {name: (1, text.encode(), 0, 0) for name, text in cells.items() if text is not None}
            pieces.rows[self._order(key)] = Row(key, _LIVE, cells=kept)
        return pieces

    def _pieces(self, stored: Partition) -> Iterator[tuple[Key, dict[str, str | None]]]:
        table = self._stored.table
        yield self._key(START), _piece("partition start", {"tombstone": _tombstone(stored.deletion)})
        if stored.static is not None and stored.static.cells:
            cells = _in_order(stored.static, table.statics)
            yield self._key(STATIC_ROW), _piece("static row", _columns(cells), self._values(cells))
        weight = TINYINT.encode(AT) if table.clustering else _ABSENT
        for row in stored.scan():
            yield self._key(CLUSTERED, row.key, weight), self._row(row, table)
        yield from self._changes(stored)
        yield self._key(END), _piece("partition end", None)

    def _changes(self, stored: Partition) -> Iterator[tuple[Key, dict[str, str | None]]]:
        """Where the range tombstone that holds becomes another one, or none."""
        ends: bytes | None = None
        for start, end, tombstone in stored.ranges or ():
            if ends is not None and ends != start:
                yield self._change(stored, ends, None)
            yield self._change(stored, start, tombstone)
            ends = end
        if ends is not None:
            yield self._change(stored, ends, None)

    def _change(
        self, stored: Partition, order: bytes, tombstone: Tombstone | None
    ) -> tuple[Key, dict[str, str | None]]:
        prefix = stored.ranges.bounds.get(order) if stored.ranges is not None else None
        if prefix is None:
            raise ServerError(
                "The range tombstones of this partition were kept by an older embedded node, which did not keep where "
                "they begin and end."
            )
        ends = order != self._stored.encode(prefix)
        weight = TINYINT.encode(AFTER if ends else BEFORE) if prefix else (_ABSENT_END if ends else _ABSENT)
        piece = _piece("range tombstone change", {"tombstone": _tombstone(tombstone)})
        return self._key(CLUSTERED, prefix, weight), piece

    def _row(self, row: Row, table: Table) -> dict[str, str | None]:
        metadata: dict[str, Any] = {}
        if row.deletion is not None or row.shadowable is not None:
            metadata["tombstone"] = _tombstone(row.deletion)
            # Never the older one.
            metadata["shadowable_tombstone"] = _tombstone(newest(row.deletion, row.shadowable))
        if row.marker is not None:
            timestamp, expires_at, ttl = row.marker
            metadata["marker"] = {"timestamp": timestamp, **_end(expires_at, ttl)}
        cells = _in_order(row, table.regulars)
        metadata["columns"] = _columns(cells)
        return _piece("clustering row", metadata, self._values(cells))

    def _values(self, cells: list[tuple[Column, Cell | Collection]]) -> dict[str, Any]:
        """The cells' values, as text; a counter's are its shards."""
        found: dict[str, Any] = {}
        for column, cell in cells:
            if type(cell) is Collection:
                found[column.name] = [
                    {"key": key, "value": _text(value_type, element[1])}
                    for key, element, value_type in _elements(cell, column.type)
                ]
            elif column.type is COUNTER and cell[1] is not None:
                count = COUNTER.decode(cell[1])
                found[column.name] = [{"id": str(self._host_id), "value": count, "clock": cell[0]}]
            else:
                found[column.name] = _text(column.type, cell[1])
        return found

    def _key(self, region: int, inner: Key = (), weight: bytes = _ABSENT) -> Key:
        missing = len(self._stored.table.clustering) - len(inner)
        return (self._source, TINYINT.encode(region), *inner, *[_ABSENT] * missing, weight)


# ---------------------------------------------------------------- as JSON


def _piece(kind: str, metadata: Any, value: Any = None) -> dict[str, str | None]:
    return {
        _KIND: kind,
        _METADATA: None if metadata is None else _json(metadata),
        _VALUE: None if value is None else _json(value),
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _in_order(row: Row, columns: tuple[Column, ...]) -> list[tuple[Column, Cell | Collection]]:
    """The row's cells in the order of the table's columns."""
    return [(column, row.cells[column.name]) for column in columns if column.name in row.cells]


def _columns(cells: list[tuple[Column, Cell | Collection]]) -> dict[str, Any]:
    """Everything about the cells but their values."""
    found: dict[str, Any] = {}
    for column, cell in cells:
        if type(cell) is not Collection:
            found[column.name] = _cell(cell, column.type)
            continue
        inner = [
            {"key": key, "value": _cell(element, value_type)}
            for key, element, value_type in _elements(cell, column.type)
        ]
        tombstone = {} if cell.deletion is None else {"tombstone": _tombstone(cell.deletion)}
        found[column.name] = {**tombstone, "cells": inner}
    return found


def _elements(collection: Collection, kind: CqlType) -> Iterator[tuple[str, Cell, CqlType]]:
    """The elements in their order, the dead and expired ones too, each with its key as text and its value's type."""
    if isinstance(kind, UserType):
        for key in sorted(collection.elements):
            yield "", collection.elements[key], kind.types[int.from_bytes(key, "big")]  # fields print no key
        return
    if isinstance(kind, MapType):
        key_type, value_type = kind.key, kind.value
    elif isinstance(kind, SetType):
        key_type, value_type = kind.element, BLOB  # its cells are empty
    else:
        key_type, value_type = TIMEUUID, kind.element
    for key in sorted(collection.elements, key=key_type.order):
        yield printed(key_type, key), collection.elements[key], value_type


def _cell(cell: Cell, kind: CqlType) -> dict[str, Any]:
    timestamp, value, expires_at, ttl = cell
    shown: dict[str, Any] = {
        "is_live": value is not None,
        "type": "frozen-collection" if kind.is_collection else "counter-shards" if kind is COUNTER else "regular",
        "timestamp": timestamp,
    }
    if kind is COUNTER:
        return shown
    if value is None:
        return {**shown, "deletion_time": _moment(expires_at)}
    return {**shown, **_end(expires_at, ttl)}


def _end(expires_at: int, ttl: int) -> dict[str, str]:
    return {"ttl": f"{ttl}s", "expiry": _moment(expires_at)} if expires_at else {}


def _tombstone(tombstone: Tombstone | None) -> dict[str, Any]:
    return {} if tombstone is None else {"timestamp": tombstone[0], "deletion_time": _moment(tombstone[1])}


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}z"


def _text(kind: CqlType, data: bytes | None) -> str | None:
    return None if data is None else printed(kind, data)
