"""A write to one partition, taken apart for the CDC log: by timestamp, by row, by TTL.

Everything in one log row was written at one time with one TTL, so what is to be one row of the log is one ``Part``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..schema import Column, Table
from ..storage.rows import Cell, Collection, Key, Mutation, RangeDeletion, Row
from ..types import TIMEUUID, CollectionType, CqlType, ListType, MapType, SetType, UserType

Values = dict[str, bytes]  # by base column: the live value of each, as one (frozen) value


def log_type(base_type: CqlType) -> CqlType:
    """The type in the log of a column of the base table: collections as one value, lists as maps from timeuuid."""
    if isinstance(base_type, ListType) and base_type.is_multicell:
        return MapType(TIMEUUID, base_type.element, True)
    return base_type.freeze()


def as_one_value(column_type: CqlType, cells: dict[bytes, Cell]) -> bytes:
    """Elements of a collection (or fields), by key, as the value of the log's column."""
    cql_type: CollectionType | UserType = log_type(column_type)
    if isinstance(cql_type, UserType):
        return cql_type.join_cells({key: cell[1] for key, cell in cells.items()})
    return cql_type.join(cells if isinstance(cql_type, SetType) else [(key, cell[1]) for key, cell in cells.items()])


@dataclass
class Part:
    """What a write does to one row with one TTL: the values it sets, and the columns it deletes."""

    values: Values = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    elements: dict[str, list[bytes]] = field(default_factory=dict)  # deleted elements, by column

    @property
    def columns(self) -> set[str]:
        """The columns that it touches."""
        return self.values.keys() | self.deleted | self.elements.keys()


@dataclass
class RowChange:
    """What a write does to one row at one timestamp: ``parts`` by TTL; ``marker_ttl`` None for an UPDATE."""

    parts: dict[int, Part] = field(default_factory=dict)
    marker_ttl: int | None = None
    is_delete: bool = False

    def part(self, ttl: int) -> Part:
        return self.parts.setdefault(ttl, Part())

    @property
    def columns(self) -> set[str]:
        return set().union(*(part.columns for part in self.parts.values()))

    @property
    def ttls(self) -> set[int]:
        """The TTLs it writes with, 0 for none (deletions have none)."""
        return self.parts.keys() | ({self.marker_ttl} if self.marker_ttl is not None else set())

    def insert_and_updates(self, base: Table) -> tuple[Part | None, list[tuple[int, Part]]]:
        """The change as statements would say it: an INSERT (if there is a marker), then UPDATEs by TTL.

        An INSERT sets single cells with the marker's TTL, and collections only where it overwrites them.
        """
        updates = dict(self.parts)
        insert = None
        if self.marker_ttl is not None:
            whole = updates.pop(self.marker_ttl, Part())
            insert, rest = Part(deleted=whole.deleted), Part(elements=whole.elements)
            for name, value in whole.values.items():
                added_to = base.columns[name].type.is_multicell and name not in whole.deleted
                (rest if added_to else insert).values[name] = value
            if rest.columns:
                updates[self.marker_ttl] = rest
        return insert, sorted(updates.items(), key=lambda item: item[0])


@dataclass
class Group:
    """All that a write does to a partition at one timestamp."""

    static: RowChange | None = None
    rows: dict[Key, RowChange] = field(default_factory=dict)
    ranges: list[RangeDeletion] = field(default_factory=list)
    is_partition_delete: bool = False

    def row(self, key: Key) -> RowChange:
        return self.rows.setdefault(key, RowChange())

    def static_row(self) -> RowChange:
        self.static = self.static or RowChange()
        return self.static

    @property
    def is_uniform(self) -> bool:
        """Whether it is of rows only, written with one TTL: the log then has them in the order of their keys."""
        changes = self.rows.values()
        deletes = self.ranges or self.is_partition_delete or any(change.is_delete for change in changes)
        ttls = set().union(*(change.ttls for change in changes))
        return self.static is None and not deletes and len(ttls) == 1


def groups_of(mutation: Mutation) -> dict[int, Group]:
    """The groups of a mutation by timestamp, oldest first."""
    groups: dict[int, Group] = {}

    def group(timestamp: int) -> Group:
        return groups.setdefault(timestamp, Group())

    if mutation.deletion is not None:
        group(mutation.deletion[0]).is_partition_delete = True
    for deletion in mutation.ranges:
        group(deletion.tombstone[0]).ranges.append(deletion)
    if mutation.static is not None:
        _take_cells(mutation.table, mutation.static, lambda timestamp: group(timestamp).static_row())
    for row in mutation.rows.values():

        def change(timestamp: int, row: Row = row) -> RowChange:
            return group(timestamp).row(row.key)

        if row.deletion is not None:
            change(row.deletion[0]).is_delete = True
        if row.marker is not None:
            change(row.marker[0]).marker_ttl = row.marker[2]
        _take_cells(mutation.table, row, change)
    return dict(sorted(groups.items()))


def _take_cells(table: Table, row: Row, change: Callable[[int], RowChange]) -> None:
    for name, cell in row.cells.items():
        if isinstance(cell, Collection):
            _take_collection(table.columns[name], cell, change)
            continue
        timestamp, value, _, ttl = cell
        if value is None:
            change(timestamp).part(0).deleted.add(name)
        else:
            change(timestamp).part(ttl).values[name] = value


def _take_collection(column: Column, collection: Collection, change: Callable[[int], RowChange]) -> None:
    if collection.deletion is not None:
        # Overwriting a collection deletes what is older by one microsecond, then adds: it is one change.
        change(collection.deletion[0] + 1).part(0).deleted.add(column.name)
    live: dict[tuple[int, int], dict[bytes, Cell]] = {}
    for key, cell in collection.elements.items():
        if cell[1] is None:
            change(cell[0]).part(0).elements.setdefault(column.name, []).append(key)
        else:
            live.setdefault((cell[0], cell[3]), {})[key] = cell
    for (timestamp, ttl), cells in live.items():
        change(timestamp).part(ttl).values[column.name] = as_one_value(column.type, cells)
