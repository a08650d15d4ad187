"""What a log row says, as an object; and the rows of one write together, as a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any
from uuid import UUID

# 100-nanosecond steps between the beginning of the timeuuid's calendar (1582) and of Unix time (1970).
_TIMEUUID_EPOCH = 0x01B21DD213814000
_UNIX_EPOCH = datetime(1970, 1, 1)


class Operation(IntEnum):
    """``cdc$operation``. The negative ones are deletes by the database itself, when a row's time was over."""

    PARTITION_EXPIRED = -4
    ROW_EXPIRED = -3
    PREIMAGE = 0
    UPDATE = 1
    INSERT = 2
    ROW_DELETE = 3
    PARTITION_DELETE = 4
    RANGE_DELETE_FROM_INCLUSIVE = 5
    RANGE_DELETE_FROM_EXCLUSIVE = 6
    RANGE_DELETE_TO_INCLUSIVE = 7
    RANGE_DELETE_TO_EXCLUSIVE = 8
    POSTIMAGE = 9

    def __str__(self) -> str:
        return self.name.lower().replace("_", " ")


class StreamId(bytes):
    """The 16 bytes of ``cdc$stream_id``, which know what they are made of: 64 bits of token, 38 random ones, 22 of
    index and 4 of version. The token places the stream on the ring, beside the rows whose changes it carries.

    A prepared statement takes it as the blob that it is.
    """

    __slots__ = ()

    @property
    def token(self) -> int:
        """Signed, 64 bits."""
        return int.from_bytes(self[:8], "big", signed=True)

    @property
    def random(self) -> int:
        return self._low >> 26

    @property
    def index(self) -> int:  # type: ignore[override]  # nobody searches an id for a byte
        """Which token range of its generation (vnodes); 0 with tablets."""
        return self._low >> 4 & 0x3FFFFF

    @property
    def version(self) -> int:
        return self._low & 0xF

    @property
    def _low(self) -> int:
        return int.from_bytes(self[8:], "big")

    def __repr__(self) -> str:
        return f"StreamId({self.hex()})"

    __str__ = __repr__


def micros_of(timeuuid: UUID) -> int:
    """The moment in a timeuuid such as ``cdc$time``: µs since 1970, exactly the write's timestamp."""
    return (timeuuid.time - _TIMEUUID_EPOCH) // 10


def time_of(timeuuid: UUID) -> datetime:
    """The moment in a timeuuid such as ``cdc$time``: UTC, without a zone as the driver's timestamps are, to the µs."""
    return _UNIX_EPOCH + timedelta(microseconds=micros_of(timeuuid))


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One row of a log.

    ``values``: the table's own columns that have a value here, key columns included. ``deleted``: those set to null
    (in a preimage: those that were null); a collection that is both deleted and has a value was replaced.
    ``deleted_elements``: by column, the keys (of a list: timeuuids; of a user-defined type: field numbers) taken out
    of a collection. ``key``: the primary key, as far as the operation has one. ``ttl`` is in seconds, or None.
    """

    operation: Operation
    batch_seq_no: int
    end_of_batch: bool
    ttl: int | None
    key: Mapping[str, Any]
    values: Mapping[str, Any]
    deleted: frozenset[str]
    deleted_elements: Mapping[str, frozenset[Any]]
    stream: StreamId
    time: UUID

    def __getitem__(self, column: str) -> Any:
        """The column's value. KeyError if this row has none, with what it has: see ``get`` and ``deleted``."""
        try:
            return self.values[column]
        except KeyError:
            has = ", ".join(self.values) or "nothing"
            raise KeyError(f"this {self.operation} has no value for {column}; it has one for {has}") from None

    def __contains__(self, column: str) -> bool:
        return column in self.values

    def get(self, column: str, default: Any = None) -> Any:
        """The column's value, or ``default``."""
        return self.values.get(column, default)

    @property
    def is_expiration(self) -> bool:
        """Deleted by the database itself, because the row's time was over (per-row TTL)."""
        return self.operation < 0

    @property
    def micros(self) -> int:
        """The write's timestamp in µs since 1970."""
        return micros_of(self.time)

    @property
    def written_at(self) -> datetime:
        """The write's timestamp, UTC, to the microsecond."""
        return time_of(self.time)

    @property
    def ends_at(self) -> datetime | None:
        """When what was written ends by itself, which the log does not say again; None if it does not.

        A TTL counts from the clock of the node that took the write: so exact is this as that clock and the write's
        timestamp agree.
        """
        return None if self.ttl is None else self.written_at + timedelta(seconds=self.ttl)


@dataclass(frozen=True, slots=True)
class Change:
    """What one write did to one partition: the log's rows of one stream and one ``cdc$time``, in their order.

    ``(stream, time)`` names a change for good: keep it to recognize one that is delivered twice.
    """

    stream: StreamId
    time: UUID
    rows: tuple[ChangeRow, ...]

    @property
    def preimage(self) -> tuple[ChangeRow, ...]:
        """The rows as a read just before the write found them, where the table's log keeps that."""
        return tuple(row for row in self.rows if row.operation is Operation.PREIMAGE)

    @property
    def delta(self) -> tuple[ChangeRow, ...]:
        """What was done: everything but preimage and postimage."""
        return tuple(row for row in self.rows if row.operation not in (Operation.PREIMAGE, Operation.POSTIMAGE))

    @property
    def postimage(self) -> tuple[ChangeRow, ...]:
        """The preimage with this change in it, where the table's log keeps that."""
        return tuple(row for row in self.rows if row.operation is Operation.POSTIMAGE)

    @property
    def is_expiration(self) -> bool:
        """Is this the database's own delete of what had expired (per-row TTL)?"""
        return any(row.is_expiration for row in self.rows)

    @property
    def micros(self) -> int:
        """The write's timestamp in µs since 1970."""
        return micros_of(self.time)

    @property
    def written_at(self) -> datetime:
        """The write's timestamp, UTC, to the microsecond."""
        return time_of(self.time)

    def __str__(self) -> str:
        did = ", ".join(str(row.operation) for row in self.delta)
        return f"{self.written_at:%H:%M:%S.%f} {dict(self.rows[0].key)}: {did}"


class RowDecoder:
    """Makes ChangeRows of a log's rows given as dicts; ``key_columns`` are the base table's, in their order."""

    def __init__(self, key_columns: Iterable[str]):
        self._key = tuple(key_columns)
        self._columns: dict[tuple[str, ...], _Columns] = {}

    def __call__(self, row: Mapping[str, Any]) -> ChangeRow:
        names = tuple(row)
        # A table that is altered while it is read changes the names: so they are looked at, once for each set.
        columns = self._columns.get(names) or self._columns.setdefault(names, _Columns.of(names))
        values = {name: value for name in columns.own if (value := row[name]) is not None}
        return ChangeRow(
            operation=Operation(row["cdc$operation"]),
            batch_seq_no=row["cdc$batch_seq_no"],
            end_of_batch=bool(row["cdc$end_of_batch"]),
            ttl=row["cdc$ttl"],
            key={name: values[name] for name in self._key if name in values},
            values=values,
            deleted=frozenset(name for flag, name in columns.flags if row[flag]),
            deleted_elements={name: frozenset(gone) for source, name in columns.elements if (gone := row[source])},
            stream=StreamId(row["cdc$stream_id"]),
            time=row["cdc$time"],
        )


@dataclass(frozen=True, slots=True)
class _Columns:
    """A log's columns sorted by what they say: the table's own; (flag, column); (taken-out elements, column)."""

    own: tuple[str, ...]
    flags: tuple[tuple[str, str], ...]
    elements: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, names: tuple[str, ...]) -> _Columns:
        own = tuple(name for name in names if not name.startswith("cdc$"))
        flags, elements = [], []
        for name in names:
            if not name.startswith("cdc$deleted_"):
                continue
            column = name.removeprefix("cdc$deleted_")
            # A column may be called elements_x: then this is its flag, and not the elements of a column x.
            if column in own:
                flags.append((name, column))
            elif column.removeprefix("elements_") in own:
                elements.append((name, column.removeprefix("elements_")))
        return cls(own, tuple(flags), tuple(elements))


class ChangeAssembler:
    """Puts rows, which come in pages, together to changes; a change may begin on one page and end on the next."""

    def __init__(self) -> None:
        self._rows: list[ChangeRow] = []

    def feed(self, rows: Iterable[ChangeRow]) -> Iterator[Change]:
        """The changes that are complete."""
        for row in rows:
            if self._rows and (row.time != self._rows[-1].time or row.stream != self._rows[-1].stream):
                yield self._take()
            self._rows.append(row)
            if row.end_of_batch:
                yield self._take()

    def finish(self) -> Iterator[Change]:
        """The change at the end, if nothing had marked it as complete."""
        if self._rows:
            yield self._take()

    def _take(self) -> Change:
        rows, self._rows = tuple(self._rows), []
        return Change(rows[0].stream, rows[0].time, rows)
