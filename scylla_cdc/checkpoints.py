"""Where a reader remembers how far it came: in a table, or, for as long as the process lives, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from cassandra import ConsistencyLevel
from cassandra.concurrent import execute_concurrent_with_args

from .asking import Asker
from .errors import ChangeReaderError
from .log import quoted
from .streams import MAX_STREAMS

if TYPE_CHECKING:
    from cassandra.cluster import Session
    from cassandra.query import PreparedStatement

WEEK = 7 * 24 * 3600
GENERATION_KEY = b"\0"  # the row of the generation that is being read; a stream id has 16 bytes
_CONCURRENCY = 64


class Checkpoints(Protocol):
    """What a reader wants of a memory. All times are UTC without a zone, in whole milliseconds.

    A checkpoint of a stream says: every change before ``time`` has been consumed.
    """

    def open(self, source: str) -> None:
        """Called once, before all else. ``source``: the table whose changes are read, as ``keyspace.table``."""

    def load_generation(self) -> datetime | None:
        """The generation that was being read; None if nothing was remembered."""

    def save_generation(self, generation: datetime) -> None: ...

    def load(self, streams: Iterable[bytes]) -> Mapping[bytes, datetime]:
        """The checkpoints of those of the streams that have one."""

    def save(self, generation: datetime, positions: Mapping[bytes, datetime]) -> None:
        """Remember each stream's checkpoint; ``generation`` is theirs."""


class MemoryCheckpoints:
    """A memory that ends with the process: a reader made anew in it goes on where the last one was."""

    def __init__(self) -> None:
        self._generation: datetime | None = None
        self._positions: dict[bytes, datetime] = {}

    def open(self, source: str) -> None:
        pass  # nothing to prepare

    def load_generation(self) -> datetime | None:
        return self._generation

    def save_generation(self, generation: datetime) -> None:
        self._generation = generation

    def load(self, streams: Iterable[bytes]) -> dict[bytes, datetime]:
        return {stream: self._positions[stream] for stream in streams if stream in self._positions}

    def save(self, generation: datetime, positions: Mapping[bytes, datetime]) -> None:
        self._positions.update(positions)


class TableCheckpoints:
    """A memory in the table ``keyspace.name``, which is made when it is not there. One table for one reader.

    Its columns are those of the Rust library's: stream_id, generation, time; the row 0x00 has the generation that is
    being read. What is not renewed for ``ttl`` seconds is forgotten (0: never), so that the streams of old
    generations do not stay for ever.
    """

    def __init__(
        self,
        session: Session,
        keyspace: str,
        name: str,
        *,
        ttl: int = WEEK,
        consistency: int = ConsistencyLevel.LOCAL_QUORUM,
    ):
        self._session, self._keyspace, self._name = session, keyspace, name
        self._ttl, self._consistency = ttl, consistency
        self._asker = Asker(session)
        self._statements: dict[str, PreparedStatement] = {}

    @property
    def table(self) -> str:
        """The table's full name, as CQL writes it."""
        return f"{quoted(self._keyspace)}.{quoted(self._name)}"

    def open(self, source: str) -> None:
        """Make the table if it is not there. ChangeReaderError if it is the memory of a reader of another table:
        tables on vnodes share their streams, so two readers would take each other's checkpoints for their own."""
        comment = f"Checkpoints of a reader of {source}"
        found = self._execute(
            "SELECT comment FROM system_schema.tables WHERE keyspace_name = %s AND table_name = %s",
            (self._keyspace, self._name),
        )
        if not found:
            self._execute(
                f"CREATE TABLE IF NOT EXISTS {self.table} (stream_id blob PRIMARY KEY, generation timestamp, "
                f"time timestamp) WITH comment = '{comment}'"
            )
        elif (found[0]["comment"] or comment) != comment:
            raise ChangeReaderError(
                f"{self.table} is taken: {found[0]['comment']!r}, this one reads {source}. "
                "Give each a table of its own."
            )

    def load_generation(self) -> datetime | None:
        rows = self._execute(self._prepared("SELECT generation FROM {} WHERE stream_id = ?"), (GENERATION_KEY,))
        return rows[0]["generation"] if rows else None

    def save_generation(self, generation: datetime) -> None:
        update = self._prepared("UPDATE {} USING TTL ? SET generation = ? WHERE stream_id = ?")
        self._execute(update, (self._ttl, generation, GENERATION_KEY))

    def load(self, streams: Iterable[bytes]) -> dict[bytes, datetime]:
        select = self._prepared("SELECT stream_id, time FROM {} WHERE stream_id IN ?")
        wanted, found = list(streams), {}
        for at in range(0, len(wanted), MAX_STREAMS):
            for row in self._execute(select, (wanted[at : at + MAX_STREAMS],)):
                found[row["stream_id"]] = row["time"]
        return found

    def save(self, generation: datetime, positions: Mapping[bytes, datetime]) -> None:
        update = self._prepared("UPDATE {} USING TTL ? SET generation = ?, time = ? WHERE stream_id = ?")
        rows = [(self._ttl, generation, time, stream) for stream, time in positions.items()]
        session, profile = self._asker.way()
        execute_concurrent_with_args(session, update, rows, concurrency=_CONCURRENCY, execution_profile=profile)

    def _prepared(self, statement: str) -> PreparedStatement:
        if statement not in self._statements:
            prepared = self._session.prepare(statement.format(self.table))
            prepared.is_idempotent = True
            prepared.consistency_level = self._consistency
            self._statements[statement] = prepared
        return self._statements[statement]

    def _execute(self, statement: Any, parameters: Any = None) -> list[dict[str, Any]]:
        consistency = self._consistency if isinstance(statement, str) else None
        return self._asker.ask(statement, parameters, consistency)
