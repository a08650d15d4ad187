"""Change data capture: what a write adds to the log table of its base table.

A pure function of the write (a ``Mutation``), the rows as they were, and the time. One write to one partition gives,
for each of its timestamps, rows that share ``cdc$time`` and are numbered by ``cdc$batch_seq_no``, in this order:
preimages, static row, inserts, updates, row deletes, range deletes, partition delete, postimages; the last one says
``cdc$end_of_batch``. A log row has one ``cdc$ttl``, so what is written with another TTL (nulls have none) gets a row of
its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from . import timeuuid
from .keys import clustering_order
from .rows import Cell, Collection, Key, Mutation, Row
from .schema import CLUSTERING, PARTITION_KEY, REGULAR, CdcOptions, Column, Table
from .types import BIGINT, BLOB, BOOLEAN, INT, TIMEUUID, TINYINT, CollectionType, CqlType, ListType, MapType, SetType

PREIMAGE, UPDATE, INSERT, ROW_DELETE, PARTITION_DELETE = 0, 1, 2, 3, 4
RANGE_START, RANGE_START_EXCLUSIVE, RANGE_END, RANGE_END_EXCLUSIVE, POSTIMAGE = 5, 6, 7, 8, 9
SERVICE_ROW_DELETE, SERVICE_PARTITION_DELETE = -3, -4

STREAM_ID, TIME, SEQUENCE = "cdc$stream_id", "cdc$time", "cdc$batch_seq_no"
OPERATION, TTL, END_OF_BATCH = "cdc$operation", "cdc$ttl", "cdc$end_of_batch"
PARTITIONER = "com.scylladb.dht.CDCPartitioner"
TRUE = BOOLEAN.encode(True)

Values = dict[str, bytes]  # by base column: the live value of each, as one (frozen) value


def deleted(column: str) -> str:
    return f"cdc$deleted_{column}"


def deleted_elements(column: str) -> str:
    return f"cdc$deleted_elements_{column}"


# ---------------------------------------------------------------- the log table


def log_type(base_type: CqlType) -> CqlType:
    """The type in the log of a column of the base table: collections as one value, lists as maps from timeuuid."""
    if isinstance(base_type, ListType) and base_type.is_multicell:
        return MapType(TIMEUUID, base_type.element, True)
    return base_type.freeze()


def _elements_type(base_type: CqlType) -> CqlType:
    if isinstance(base_type, ListType):
        return SetType(TIMEUUID, True)
    return SetType(base_type.key if isinstance(base_type, MapType) else base_type.element, True)


def log_table(base: Table, existing: Table | None, default_options: dict) -> Table:
    """The log table that belongs to ``base`` as it is now.

    An existing log (the base is altered, or CDC is enabled again) keeps its id and its options.
    """
    columns = {
        STREAM_ID: Column(STREAM_ID, BLOB, PARTITION_KEY, 0),
        TIME: Column(TIME, TIMEUUID, CLUSTERING, 0),
        SEQUENCE: Column(SEQUENCE, INT, CLUSTERING, 1),
    }

    def add(name: str, cql_type: CqlType) -> None:
        columns[name] = Column(name, cql_type, REGULAR)

    add(OPERATION, TINYINT)
    add(TTL, BIGINT)
    add(END_OF_BATCH, BOOLEAN)
    for column in base.columns.values():
        add(column.name, log_type(column.type))
        if not column.is_primary_key:
            add(deleted(column.name), BOOLEAN)
            if column.type.is_multicell:
                add(deleted_elements(column.name), _elements_type(column.type))
    if existing is not None:
        return existing.with_columns(columns)
    options = {**default_options, **_log_options(base)}
    return Table(
        base.keyspace, base.log_name, uuid.uuid1(), columns, options, partitioner=PARTITIONER, is_cdc_log=True
    )


def _log_options(base: Table) -> dict:
    ttl = base.cdc.ttl
    compaction = {"class": "TimeWindowCompactionStrategy"}
    if ttl > 0:
        window = -(-ttl // 24)  # seconds: some 24 windows in the log's life
        compaction |= {
            "compaction_window_unit": "MINUTES",
            "compaction_window_size": str(-(-window // 60)),
            "expired_sstable_check_frequency_seconds": str(max(1, window // 2)),
        }
    return {
        "comment": f"CDC log for {base.keyspace}.{base.name}",
        "compaction": compaction,
        "caching": {"enabled": "false", "keys": "NONE", "rows_per_partition": "NONE"},
        **({"gc_grace_seconds": 0} if ttl > 0 else {}),
    }


# ---------------------------------------------------------------- a write, taken apart


@dataclass
class _Part:
    """What a write does to one row with one TTL: the values it sets, and the columns it deletes."""

    values: Values = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    elements: dict[str, list[bytes]] = field(default_factory=dict)  # deleted elements, by column

    @property
    def columns(self) -> set[str]:
        return self.values.keys() | self.deleted | self.elements.keys()


@dataclass
class _RowChange:
    """What a write does to one row at one timestamp: ``parts`` by TTL; ``marker_ttl`` None for an UPDATE."""

    parts: dict[int, _Part] = field(default_factory=dict)
    marker_ttl: int | None = None
    is_delete: bool = False

    def part(self, ttl: int) -> _Part:
        return self.parts.setdefault(ttl, _Part())

    @property
    def columns(self) -> set[str]:
        return set().union(*(part.columns for part in self.parts.values()))

    @property
    def is_write(self) -> bool:
        return bool(self.parts) or self.marker_ttl is not None


@dataclass
class _Group:
    """All that a write does to a partition at one timestamp."""

    static: _RowChange | None = None
    rows: dict[Key, _RowChange] = field(default_factory=dict)
    ranges: list = field(default_factory=list)
    is_partition_delete: bool = False

    def row(self, key: Key) -> _RowChange:
        return self.rows.setdefault(key, _RowChange())

    def static_row(self) -> _RowChange:
        self.static = self.static or _RowChange()
        return self.static


def _take_apart(mutation: Mutation) -> dict[int, _Group]:
    """The groups of a mutation by timestamp, oldest first."""
    groups: dict[int, _Group] = {}

    def group(timestamp: int) -> _Group:
        return groups.setdefault(timestamp, _Group())

    if mutation.deletion is not None:
        group(mutation.deletion[0]).is_partition_delete = True
    for deletion in mutation.ranges:
        group(deletion.tombstone[0]).ranges.append(deletion)
    if mutation.static is not None:
        _take_cells(mutation.table, mutation.static, lambda timestamp: group(timestamp).static_row())
    for row in mutation.rows.values():

        def change(timestamp: int, row: Row = row) -> _RowChange:
            return group(timestamp).row(row.key)

        if row.deletion is not None:
            change(row.deletion[0]).is_delete = True
        if row.marker is not None:
            change(row.marker[0]).marker_ttl = row.marker[2]
        _take_cells(mutation.table, row, change)
    return dict(sorted(groups.items()))


def _take_cells(table: Table, row: Row, change: Callable[[int], _RowChange]) -> None:
    for name, cell in row.cells.items():
        if isinstance(cell, Collection):
            _take_collection(table.columns[name], cell, change)
            continue
        timestamp, value, _, ttl = cell
        if value is None:
            change(timestamp).part(0).deleted.add(name)
        else:
            change(timestamp).part(ttl).values[name] = value


def _take_collection(column: Column, collection: Collection, change: Callable[[int], _RowChange]) -> None:
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
        change(timestamp).part(ttl).values[column.name] = _as_one_value(column.type, cells)


def _as_one_value(column_type: CqlType, cells: dict[bytes, Cell]) -> bytes:
    """Elements, by key, as the value of the log's column."""
    kind: CollectionType = log_type(column_type)
    return kind.join(cells if isinstance(kind, SetType) else [(key, cell[1]) for key, cell in cells.items()])


# ---------------------------------------------------------------- the rows before the write


class Before:
    """Reads the base partition as it was before the write. ``row(key)``: that row (() with ``static``), or None."""

    def __init__(
        self,
        row: Callable[[Key], Row | None],
        static: Callable[[], Row | None],
        is_live: Callable[[Row], bool],
        cell_is_live: Callable[[Cell], bool],
    ):
        self._row, self._static, self._is_live, self._cell_is_live = row, static, is_live, cell_is_live

    def clustered(self, table: Table, key: Key) -> Values | None:
        """The live values of a row, or None if there is no such row."""
        row = self._row(key)
        return self._values(table.regulars, row) if row is not None and self._is_live(row) else None

    def static(self, table: Table) -> Values | None:
        row = self._static()
        values = self._values(table.statics, row) if row is not None else None
        return values or None

    def _values(self, columns: Iterable[Column], row: Row) -> Values:
        values = {}
        for column in columns:
            cell = row.cells.get(column.name)
            if isinstance(cell, Collection):
                live = {k: c for k, c in cell.elements.items() if self._cell_is_live(c)}
                if live:
                    values[column.name] = _as_one_value(column.type, live)
            elif cell is not None and self._cell_is_live(cell):
                values[column.name] = cell[1]
        return values


# ---------------------------------------------------------------- the log rows


@dataclass
class _LogRow:
    operation: int
    key: Key = ()
    ttl: int = 0
    part: _Part = field(default_factory=_Part)


class _Image:
    """The state of one row, carried from the preimage through the groups of a write to the postimage."""

    def __init__(self, values: Values | None):
        self.values = values

    def change(self, base: Table, change: _RowChange) -> None:
        if change.is_delete:
            self.values = None
        if change.is_write:
            self.values = dict(self.values or {})
            for _, part in sorted(change.parts.items()):
                for name in part.deleted:
                    self.values.pop(name, None)
                for name, removed in part.elements.items():
                    self._collection(base.columns[name], b"", removed)
                for name, value in part.values.items():
                    column = base.columns[name]
                    if column.type.is_multicell:
                        self._collection(column, value, ())
                    else:
                        self.values[name] = value

    def _collection(self, column: Column, added: bytes, removed: Iterable[bytes]) -> None:
        kind: CollectionType = log_type(column.type)
        removed = set(removed)
        present = kind.split(self.values.get(column.name, b""))
        new = kind.split(added)
        if isinstance(kind, SetType):
            merged = [e for e in dict.fromkeys(present + new) if e not in removed]
        else:
            merged = [(k, v) for k, v in dict(present + new).items() if k not in removed]
        self.values.pop(column.name, None)
        if merged:
            self.values[column.name] = kind.join(merged)


def log_mutations(
    log: Table,
    mutation: Mutation,
    before: Before,
    stream_for: Callable[[int], bytes],
    now: int,
    by_service: bool = False,
) -> list[Mutation]:
    """The writes to ``log`` that belong to a write to its base table.

    ``stream_for`` gives the stream of a timestamp (µs); ``now`` is in seconds; ``by_service`` marks what the node
    itself deletes (per-row TTL).
    """
    base, options = mutation.table, mutation.table.cdc
    images: dict[Key | None, _Image] = {}  # None: the static row
    written = []
    for timestamp, group in _take_apart(mutation).items():
        rows = _group_rows(base, options, group, images, before, by_service)
        written.append(_encode(log, mutation, rows, timestamp, stream_for(timestamp), options, now))
    return written


def _group_rows(
    base: Table, options: CdcOptions, group: _Group, images: dict, before: Before, by_service: bool
) -> list[_LogRow]:
    """The log rows of one timestamp, in order."""
    order = sorted(group.rows, key=lambda key: clustering_order(base, key))
    changes = [(None, group.static)] if group.static else []
    changes += [(key, group.rows[key]) for key in order]
    if options.preimage != "false" or options.postimage:
        for key, _ in changes:
            if key not in images:
                images[key] = _Image(before.static(base) if key is None else before.clustered(base, key))
        if group.is_partition_delete and not base.clustering and () not in images:
            images[()] = _Image(before.clustered(base, ()))

    rows: list[_LogRow] = []
    if options.preimage != "false":
        rows += _preimages(base, options, changes, images)
        if group.is_partition_delete and not base.clustering and images[()].values is not None:
            everything = [column.name for column in base.regulars]
            rows.append(_LogRow(PREIMAGE, (), 0, _image_part(images[()].values, everything, True)))
    if group.static:
        rows += _updates((), group.static)
    for key in order:
        change = group.rows[key]
        if change.marker_ttl is not None:
            rows.append(_LogRow(INSERT, key, change.marker_ttl, _insert_part(base, change)))
    for key in order:
        rows += _updates(key, group.rows[key])
    delete = SERVICE_ROW_DELETE if by_service else ROW_DELETE
    partition_delete = SERVICE_PARTITION_DELETE if by_service else PARTITION_DELETE
    row_delete = delete if base.clustering else partition_delete
    rows += [_LogRow(row_delete, key) for key in order if group.rows[key].is_delete]
    for deletion in group.ranges:
        start = RANGE_START if deletion.start_inclusive or not deletion.start else RANGE_START_EXCLUSIVE
        end = RANGE_END if deletion.end_inclusive or not deletion.end else RANGE_END_EXCLUSIVE
        rows += (_LogRow(start, deletion.start), _LogRow(end, deletion.end))
    if group.is_partition_delete:
        rows.append(_LogRow(partition_delete))

    for key, change in changes:
        if key in images:
            images[key].change(base, change)
    if options.postimage:
        for key, change in changes:
            if change.is_write:
                names = [column.name for column in (base.statics if key is None else base.regulars)]
                rows.append(_LogRow(POSTIMAGE, key or (), 0, _image_part(images[key].values or {}, names, False)))
    return rows




def _insert_part(base: Table, change: _RowChange) -> _Part:
    """What of a change one INSERT can say: cells with the marker's TTL, collections only where they are overwritten."""
    part = change.parts.pop(change.marker_ttl, None)
    if part is None:
        return _Part()
    rest = _Part()
    for name in list(part.values):
        if base.columns[name].type.is_multicell and name not in part.deleted:
            rest.values[name] = part.values.pop(name)
    rest.elements, part.elements = part.elements, {}
    if rest.columns:
        change.parts[change.marker_ttl] = rest
        return replace(part)
    return part


def _updates(key: Key, change: _RowChange) -> list[_LogRow]:
    return [_LogRow(UPDATE, key, ttl, part) for ttl, part in sorted(change.parts.items())]


def _preimages(base: Table, options: CdcOptions, changes: list, images: dict) -> list[_LogRow]:
    rows = []
    for key, change in changes:
        values = images[key].values
        if values is None:
            continue
        columns = base.statics if key is None else base.regulars
        whole = options.preimage == "full" or change.is_delete
        touched = change.columns
        names = [column.name for column in columns if whole or column.name in touched]
        rows.append(_LogRow(PREIMAGE, key or (), 0, _image_part(values, names, True)))
    return rows


def _image_part(values: Values, names: Iterable[str], mark_nulls: bool) -> _Part:
    part = _Part({name: values[name] for name in names if name in values})
    if mark_nulls:
        part.deleted = {name for name in names if name not in values}
    return part


def _encode(
    log: Table, mutation: Mutation, rows: list[_LogRow], timestamp: int, stream: bytes, options: CdcOptions, now: int
) -> Mutation:
    base = mutation.table
    expires_at = now + options.ttl if options.ttl else 0
    written = Mutation(log, (stream,))
    time = timeuuid.timeuuid_at(timestamp).bytes

    def cell(value: bytes) -> Cell:
        return (timestamp, value, expires_at, options.ttl)

    for sequence, entry in enumerate(rows):
        row = Row((time, INT.encode(sequence)))
        cells = row.cells
        cells[OPERATION] = cell(TINYINT.encode(entry.operation))
        if entry.ttl:
            cells[TTL] = cell(BIGINT.encode(entry.ttl))
        for column, value in zip(base.partition_key, mutation.key, strict=True):
            cells[column.name] = cell(value)
        for column, value in zip(base.clustering, entry.key, strict=False):
            cells[column.name] = cell(value)
        keys_only = options.delta == "keys" and entry.operation not in (PREIMAGE, POSTIMAGE)
        if not keys_only:
            _encode_part(base, entry.part, cells, cell)
        written.rows[row.key] = row
    row.cells[END_OF_BATCH] = cell(TRUE)
    return written


def _encode_part(base: Table, part: _Part, cells: dict, cell: Callable[[bytes], Cell]) -> None:
    for name, value in part.values.items():
        cells[name] = cell(value)
    for name in part.deleted:
        cells[deleted(name)] = cell(TRUE)
    for name, keys in part.elements.items():
        kind = base.columns[name].type
        cells[deleted_elements(name)] = cell(_elements_type(kind).join(keys))


