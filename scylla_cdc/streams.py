"""Which streams there are, since when, and which of them are read together.

A generation is a set of streams in force from a moment on until the next one's. In a keyspace on vnodes all tables
share the cluster's generations; on tablets each table has its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from cassandra import ConsistencyLevel, InvalidRequest

from .asking import Asker
from .errors import StreamsNotPublishedError
from .rows import StreamId

if TYPE_CHECKING:
    from cassandra.cluster import Session

MAX_STREAMS = 100  # of one query: the server's default limit to the keys in an IN list
STREAMS_A_QUERY = 64  # unless told otherwise: a node on vnodes has 256 streams for each of its cores
CURRENT = 0  # stream_state in system.cdc_streams

GroupBy = Literal["stream", "range"] | int
Group = tuple[StreamId, ...]


class Discovery:
    """Asks a cluster for the generations and streams of one table's log. Errors are the driver's."""

    def __init__(self, session: Session, keyspace: str, table: str):
        self._session, self._keyspace, self._table = session, keyspace, table
        self._tablets: bool | None = None
        self._asker = Asker(session)

    def uses_tablets(self) -> bool:
        """Does the keyspace place its data by tablets? Otherwise by vnodes. Asked once."""
        if self._tablets is None:
            try:
                rows = self._ask(
                    "SELECT initial_tablets FROM system_schema.scylla_keyspaces WHERE keyspace_name = %s",
                    (self._keyspace,),
                )
            except InvalidRequest:  # a version that knows no tablets has no such table, or no such column
                rows = []
            self._tablets = any(row["initial_tablets"] is not None for row in rows)
        return self._tablets

    def generations(self) -> list[datetime]:
        """When each generation begins, oldest first; never empty (StreamsNotPublishedError)."""
        if self.uses_tablets():
            rows = self._ask(
                "SELECT timestamp AS time FROM system.cdc_timestamps WHERE keyspace_name = %s AND table_name = %s",
                (self._keyspace, self._table),
            )
        else:
            rows = self._ask("SELECT time FROM system_distributed.cdc_generation_timestamps WHERE key = 'timestamps'")
        if not rows:
            raise StreamsNotPublishedError(
                f"The cluster has no CDC streams for {self._keyspace}.{self._table} yet; it publishes them within "
                "a minute of its start."
            )
        return sorted(row["time"] for row in rows)

    def ranges(self, generation: datetime) -> list[list[StreamId]]:
        """The generation's streams by the part of the ring that they belong to (a vnode's, or a tablet's), in the
        order of their tokens; never empty. Ask only for a generation that ``generations`` has told: before, its
        streams may be half-written."""
        if self.uses_tablets():
            rows = self._ask(
                "SELECT stream_id FROM system.cdc_streams "
                "WHERE keyspace_name = %s AND table_name = %s AND timestamp = %s AND stream_state = %s",
                (self._keyspace, self._table, generation, CURRENT),
            )
            found = [[row["stream_id"]] for row in rows]
        else:
            rows = self._ask(
                "SELECT streams FROM system_distributed.cdc_streams_descriptions_v2 WHERE time = %s", (generation,)
            )
            found = [list(row["streams"]) for row in rows if row["streams"]]
        if not found:
            raise StreamsNotPublishedError(f"The streams of the generation of {generation} UTC are not published yet.")
        ranges = [sorted(map(StreamId, streams), key=_token) for streams in found]
        return sorted(ranges, key=lambda streams: streams[-1].token)

    def now(self) -> datetime:
        """The database's time."""
        (row,) = self._ask("SELECT toTimestamp(now()) AS now FROM system.local WHERE key = 'local'")
        present: datetime = row["now"]
        return present

    def _ask(self, statement: str, parameters: Sequence[Any] | None = None) -> list[dict[str, Any]]:
        # system_distributed has three replicas: on a cluster of one node a quorum of them is never there. The tablets'
        # tables are each node's own, and schema tables too: ONE is all of them.
        nodes = len(self._session.cluster.metadata.all_hosts())
        shared = "system_distributed." in statement and nodes > 1
        consistency = ConsistencyLevel.QUORUM if shared else ConsistencyLevel.ONE
        return self._asker.ask(statement, parameters, consistency)


def stream_ids(session: Session, keyspace: str, table: str, generation: datetime | None = None) -> list[StreamId]:
    """The streams of a generation of a table's log (the one in force unless told), in the order of their tokens.

    A generation is published about a minute before it begins: so long the newest is not yet in force. Raises
    StreamsNotPublishedError, and the driver's own errors.
    """
    discovery = Discovery(session, keyspace, table)
    if generation is None:
        generation = generation_at(discovery.generations(), discovery.now())
    ranges = discovery.ranges(generation)
    return sorted((stream for streams in ranges for stream in streams), key=_token)


def group(ranges: Sequence[Sequence[StreamId]], by: GroupBy) -> list[Group]:
    """Streams that are read together, by one query a window: each for itself ("stream"), those of a part of the ring
    ("range"), or so many neighbours (a number). No group has more than the server takes in one query."""
    if by == "stream":
        return [(stream,) for streams in ranges for stream in streams]
    if by == "range":
        return [piece for streams in ranges for piece in _pieces(streams, MAX_STREAMS)]
    return _pieces([stream for streams in ranges for stream in streams], min(by, MAX_STREAMS))


def generation_at(generations: Sequence[datetime], moment: datetime) -> datetime:
    """The generation in force at ``moment``; before the oldest: the oldest. ``generations``: oldest first."""
    return max((begun for begun in generations if begun <= moment), default=generations[0])


def _pieces(streams: Sequence[StreamId], size: int) -> list[Group]:
    return [tuple(streams[at : at + size]) for at in range(0, len(streams), size)]


def _token(stream: StreamId) -> int:
    return stream.token
