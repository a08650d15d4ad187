"""Reads a CDC log: what was done to a table, change by change.

``read_log`` reads everything at once, which is right for one node and a lesson; ``change_reader`` is for all else.
Decoding is here too: what the log says about deleted columns, what a stream id is made of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from scylla_cdc import Operation, time_of

from ..lab.errors import LabError
from ..lab.statements import prepared

if TYPE_CHECKING:
    from cassandra.cluster import Session


class StreamId(NamedTuple):
    """The parts of a 16-byte stream id. ``token`` places it on the ring, beside the rows whose changes it carries."""

    token: int
    random: int
    index: int
    version: int


@dataclass(frozen=True)
class Change:
    """One row of a log. ``values`` are the table's own columns that the row has; ``deleted`` those set to null.

    ``ttl`` is in seconds, or None; ``time`` orders the changes of a stream.
    """

    operation: Operation
    time: UUID
    batch_seq_no: int
    end_of_batch: bool
    ttl: int | None
    stream_id: bytes
    values: dict[str, Any]
    deleted: frozenset[str]

    @property
    def written_at(self) -> datetime:
        """The write's timestamp, UTC, to the microsecond."""
        return time_of(self.time)

    @property
    def ends_at(self) -> datetime | None:
        """When what was written ends by itself; the log will not say so again."""
        return None if self.ttl is None else self.written_at + timedelta(seconds=self.ttl)

    def __getattr__(self, name: str) -> Any:
        # The columns read as attributes, so that a lesson says change.ticket_id.
        values = object.__getattribute__(self, "values")
        if name in values:
            return values[name]
        raise AttributeError(f"This {self.operation} has no value for {name!r}.")


def read_log(session: Session, keyspace: str, table: str, since: datetime | None = None) -> list[Change]:
    """Every change to ``keyspace.table`` that its log still has, from ``since`` on, oldest first.

    >>> for change in read_log(session, "seats_05", "order_queue"):
    ...     print(change.operation, change.ttl)
    insert 900
    """
    from cassandra import InvalidRequest
    from cassandra.cluster import EXEC_PROFILE_DEFAULT
    from cassandra.query import dict_factory

    for name in (keyspace, table):
        if not re.fullmatch(r"\w+", name):
            raise LabError(f"{name!r} is not the name of a keyspace or a table.")
    by_name = session.execution_profile_clone_update(EXEC_PROFILE_DEFAULT, row_factory=dict_factory)
    try:
        rows = list(session.execute(f"SELECT * FROM {keyspace}.{table}_scylla_cdc_log", execution_profile=by_name))
    except InvalidRequest as error:
        raise LabError(
            f"{keyspace}.{table} has no log: it needs ALTER TABLE {table} WITH cdc = {{'enabled': true}}, on ScyllaDB."
        ) from error
    changes = [decode(row) for row in rows]
    changes.sort(key=lambda change: (change.time.time, change.time.bytes, change.batch_seq_no))
    return [change for change in changes if since is None or change.written_at >= since]


def decode(row: dict[str, Any]) -> Change:
    """A row of a log, as a dict with the log's own column names, as a Change."""
    own = {name: value for name, value in row.items() if not name.startswith("cdc$")}
    flags = {name.removeprefix("cdc$deleted_") for name, value in row.items() if value is True}
    return Change(
        operation=Operation(row["cdc$operation"]),
        time=row["cdc$time"],
        batch_seq_no=row["cdc$batch_seq_no"],
        end_of_batch=bool(row["cdc$end_of_batch"]),
        ttl=row["cdc$ttl"],
        stream_id=row["cdc$stream_id"],
        values={name: value for name, value in own.items() if value is not None},
        deleted=frozenset(flags & set(own)),
    )


def abandoned(changes: list[Change], now: datetime) -> list[Change]:
    """The inserts that ended by themselves: their time was over at ``now``, and no delete of their row came before.

    Rows are told apart by their keys, which a delete carries and an insert has among its values.
    """
    open_rows: dict[frozenset[tuple[str, Any]], Change] = {}
    for change in changes:
        if change.operation is Operation.INSERT:
            open_rows[frozenset(change.values.items())] = change
        elif change.operation is Operation.ROW_DELETE:
            key = set(change.values.items())
            open_rows = {values: insert for values, insert in open_rows.items() if not key <= values}
    return [change for change in open_rows.values() if change.ends_at is not None and change.ends_at <= now]


def decode_stream_id(stream_id: bytes) -> StreamId:
    """Take a stream id apart: 64 bits of token, 38 random ones, 22 of index, 4 of version.

    >>> decode_stream_id(bytes.fromhex("8a78ebc0e79835301f196f14180001f1")).version
    1
    """
    if len(stream_id) != 16:
        raise LabError(f"A stream id has 16 bytes, this has {len(stream_id)}.")
    token, rest = int.from_bytes(stream_id[:8], "big", signed=True), int.from_bytes(stream_id[8:], "big")
    return StreamId(token, rest >> 26, (rest >> 4) & 0x3FFFFF, rest & 0xF)


def uses_tablets(session: Session, keyspace: str) -> bool:
    """Does this keyspace place its data by tablets? Otherwise by vnodes, and its tables share their streams."""
    row = session.execute(prepared(session, "select_tablets"), (keyspace,)).one()
    return row is not None and row.initial_tablets is not None


def generations(session: Session, keyspace: str, table: str) -> list[datetime]:
    """When each generation of the table's streams began, newest first."""
    if uses_tablets(session, keyspace):
        rows = session.execute(_at_one(session, "select_tablet_generations", keyspace, table))
        return sorted((row.timestamp for row in rows), reverse=True)
    return sorted((row.time for row in session.execute(_at_one(session, "select_generations"))), reverse=True)


def stream_ids(session: Session, keyspace: str, table: str, generation: datetime | None = None) -> list[bytes]:
    """The streams of a generation of the table's log (the newest unless told), in the order of their tokens."""
    if generation is None:
        known = generations(session, keyspace, table)
        if not known:
            raise LabError("The cluster has no CDC streams yet: a node publishes them within a minute of its start.")
        generation = known[0]
    if uses_tablets(session, keyspace):
        rows = session.execute(_at_one(session, "select_tablet_streams", keyspace, table, generation))
        found = [row.stream_id for row in rows]
    else:
        rows = session.execute(_at_one(session, "select_streams", generation))
        found = [stream for row in rows for stream in row.streams]
    return sorted(found, key=lambda stream: decode_stream_id(stream).token)


def _at_one(session: Session, name: str, *values: object) -> Any:
    """These tables live on few nodes or on each for itself, and on a cluster of one a quorum of three would fail."""
    from cassandra import ConsistencyLevel

    query = prepared(session, name).bind(values)
    query.consistency_level = ConsistencyLevel.ONE
    return query
