"""Change data capture: what a write adds to the log table of its base table.

A pure function of the write (a ``Mutation``), the rows as they were, and the time. One write to one partition gives,
for each of its timestamps, rows that share ``cdc$time`` and are numbered by ``cdc$batch_seq_no``, in this order:
preimages, static row, inserts, updates, row deletes, range deletes, partition delete, postimages; the last one says
``cdc$end_of_batch``. (Inserts and updates of one TTL and nothing else come in the order of their keys instead.) A log
row has one ``cdc$ttl``, so what is written with another TTL (nulls have none) gets a row of its own.

``cdc_changes`` takes a write apart, ``cdc_images`` follows the rows through it, ``streams`` says where it is logged.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from .. import timeuuid
from ..errors import InvalidRequest
from ..schema import CLUSTERING, PARTITION_KEY, REGULAR, Column, Table
from ..storage.keys import clustering_encoder
from ..storage.rows import Cell, Key, Mutation, Row
from ..types import (
    BIGINT,
    BLOB,
    BOOLEAN,
    INT,
    SMALLINT,
    TIMEUUID,
    TINYINT,
    CqlType,
    ListType,
    MapType,
    SetType,
    UserType,
)
from .cdc_changes import Group, Part, RowChange, groups_of, log_type
from .cdc_images import Before, Images, image_part

PREIMAGE, UPDATE, INSERT, ROW_DELETE, PARTITION_DELETE = 0, 1, 2, 3, 4
RANGE_START, RANGE_START_EXCLUSIVE, RANGE_END, RANGE_END_EXCLUSIVE, POSTIMAGE = 5, 6, 7, 8, 9
SERVICE_ROW_DELETE, SERVICE_PARTITION_DELETE = -3, -4

STREAM_ID, TIME, SEQUENCE = "cdc$stream_id", "cdc$time", "cdc$batch_seq_no"
OPERATION, TTL, END_OF_BATCH = "cdc$operation", "cdc$ttl", "cdc$end_of_batch"
PARTITIONER = "com.scylladb.dht.CDCPartitioner"
TRUE = BOOLEAN.encode(True)


def deleted(column: str) -> str:
    return f"cdc$deleted_{column}"


def deleted_elements(column: str) -> str:
    return f"cdc$deleted_elements_{column}"


# ---------------------------------------------------------------- the log table


def _elements_type(base_type: CqlType) -> CqlType:
    if isinstance(base_type, ListType):
        return SetType(TIMEUUID, True)
    if isinstance(base_type, UserType):
        return SetType(SMALLINT, True)  # the fields' numbers
    return SetType(base_type.key if isinstance(base_type, MapType) else base_type.element, True)


def log_table(base: Table, existing: Table | None, default_options: dict) -> Table:
    """The log table that belongs to ``base`` as it is now.

    An existing log (the base is altered, or CDC is enabled again) keeps its id and its options. InvalidRequest when a
    column of the base has a name that the log needs for itself.
    """
    columns = {
        STREAM_ID: Column(STREAM_ID, BLOB, PARTITION_KEY, 0),
        TIME: Column(TIME, TIMEUUID, CLUSTERING, 0),
        SEQUENCE: Column(SEQUENCE, INT, CLUSTERING, 1),
    }

    def add(name: str, cql_type: CqlType) -> None:
        if name in columns:
            raise InvalidRequest(
                f"Cannot create CDC log for table {base.full_name}: the log would have two columns of the name {name}"
            )
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
    return Table(base.keyspace, base.log_name, uuid.uuid1(), columns, options, partitioner=PARTITIONER, is_cdc_log=True)


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


# ---------------------------------------------------------------- the log rows


@dataclass
class _LogRow:
    """``key``: the row's, or None for the static row and for what is about no single row."""

    operation: int
    key: Key | None = None
    ttl: int = 0
    part: Part = field(default_factory=Part)


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
    images = Images(base, before, whole_static=options.postimage or options.preimage == "full")
    groups = groups_of(mutation)
    in_key_order = len(groups) == 1 and next(iter(groups.values())).is_uniform
    writers = {ts: _GroupWriter(base, images, group, by_service, in_key_order) for ts, group in groups.items()}
    _read_before(images, writers.values())
    return [
        _encode(log, mutation, writer.rows(), timestamp, stream_for(timestamp), now)
        for timestamp, writer in writers.items()
    ]


def _read_before(images: Images, writers: Iterable[_GroupWriter]) -> None:
    """Look up all that the write touches before any of it is told: an older group may delete a range or change the
    static row, and what a later group shows must have come through that."""
    touched: dict[Key | None, set[str]] = {}
    for writer in writers:
        for key, change in writer.touched:
            touched.setdefault(key, set()).update(change.columns)
    for key, columns in touched.items():
        images.read(key, columns)


class _GroupWriter:
    """Makes the log rows of what a write does to a partition at one timestamp."""

    def __init__(self, base: Table, images: Images, group: Group, by_service: bool, in_key_order: bool):
        self._base, self._options, self._images, self._group = base, base.cdc, images, group
        self._keys = sorted(group.rows, key=clustering_encoder(base))
        self._in_key_order = in_key_order
        self._row_delete = SERVICE_ROW_DELETE if by_service else ROW_DELETE
        self._partition_delete = SERVICE_PARTITION_DELETE if by_service else PARTITION_DELETE
        self.touched = self._touched()

    def _touched(self) -> list[tuple[Key | None, RowChange]]:
        """The rows that images are about, the static row first."""
        group = self._group
        touched: list[tuple[Key | None, RowChange]] = [(None, group.static)] if group.static else []
        touched += [(key, group.rows[key]) for key in self._keys]
        if group.is_partition_delete and not self._base.clustering and () not in group.rows:
            touched.append(((), RowChange(is_delete=True)))  # its only row: to be shown as it was
        return touched

    def rows(self) -> list[_LogRow]:
        """What the group has to tell. The rows touched have been read."""
        rows = self._preimages() if self._options.preimage != "false" else []
        rows += self._changes()
        return rows + (self._postimages() if self._options.postimage else [])

    # ------------------------------------------------------------ images

    def _names(self, key: Key | None) -> list[str]:
        return [column.name for column in (self._base.statics if key is None else self._base.regulars)]

    def _preimages(self) -> list[_LogRow]:
        rows = []
        for key, change in self.touched:
            values = self._images.of(key)
            if values is None:
                continue
            names, columns = self._names(key), change.columns
            if self._options.preimage != "full" and not change.is_delete:
                names = [name for name in names if name in columns]
            rows.append(_LogRow(PREIMAGE, key, 0, image_part(values, names, mark_nulls=True)))
        return rows

    def _postimages(self) -> list[_LogRow]:
        return [
            _LogRow(POSTIMAGE, key, 0, image_part(values, self._names(key), mark_nulls=False))
            for key, _ in self.touched
            if (values := self._images.of(key)) is not None
        ]

    # ------------------------------------------------------------ changes

    def _changes(self) -> list[_LogRow]:
        """The changes, each carried over to the images as it is made."""
        group, images, rows = self._group, self._images, []
        for row in self._upserts():
            images.write(row.key, row.part)
            rows.append(row)
        for key in self._keys:
            if group.rows[key].is_delete:
                images.delete_row(key)
                rows.append(_LogRow(self._row_delete, key))
        for deletion in group.ranges:
            images.delete_range(deletion)
            start = RANGE_START if deletion.start_inclusive or not deletion.start else RANGE_START_EXCLUSIVE
            end = RANGE_END if deletion.end_inclusive or not deletion.end else RANGE_END_EXCLUSIVE
            rows += (_LogRow(start, deletion.start), _LogRow(end, deletion.end))
        if group.is_partition_delete:
            images.delete_rows()
            rows.append(_LogRow(self._partition_delete))
        return rows

    def _upserts(self) -> Iterator[_LogRow]:
        group = self._group
        if group.static:
            yield from (_LogRow(UPDATE, None, ttl, part) for ttl, part in sorted(group.static.parts.items()))
        inserts, updates = [], []
        for key in self._keys:
            insert, more = group.rows[key].insert_and_updates(self._base)
            if insert is not None:
                inserts.append(_LogRow(INSERT, key, group.rows[key].marker_ttl, insert))
            updates += [_LogRow(UPDATE, key, ttl, part) for ttl, part in more]
        if self._in_key_order and len(inserts) + len(updates) == len(self._keys):
            place = {key: n for n, key in enumerate(self._keys)}
            yield from sorted(inserts + updates, key=lambda row: place[row.key])
        else:
            yield from inserts + updates


# ---------------------------------------------------------------- the log rows as a mutation


def _encode(log: Table, mutation: Mutation, rows: list[_LogRow], timestamp: int, stream: bytes, now: int) -> Mutation:
    base, options = mutation.table, mutation.table.cdc
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
        for column, value in zip(base.clustering, entry.key or (), strict=False):
            cells[column.name] = cell(value)
        if options.delta != "keys" or entry.operation in (PREIMAGE, POSTIMAGE):
            _encode_part(base, entry.part, cells, cell)
        written.rows[row.key] = row
    row.cells[END_OF_BATCH] = cell(TRUE)
    return written


def _encode_part(base: Table, part: Part, cells: dict, cell: Callable[[bytes], Cell]) -> None:
    for name, value in part.values.items():
        cells[name] = cell(value)
    for name in part.deleted:
        cells[deleted(name)] = cell(TRUE)
    for name, keys in part.elements.items():
        cql_type = base.columns[name].type
        cells[deleted_elements(name)] = cell(_elements_type(cql_type).join(keys))
