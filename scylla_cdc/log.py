"""A table's log: is it there, how long does it keep changes, and what is in a window of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cassandra import ConsistencyLevel, InvalidRequest

from .asking import Asker
from .errors import NoLogError
from .rows import ChangeRow, RowDecoder
from .streams import Group
from .windows import Window

if TYPE_CHECKING:
    from cassandra.cluster import ResponseFuture, Session

SUFFIX = "_scylla_cdc_log"


def quoted(name: str) -> str:
    """A name as CQL takes it whatever its letters are."""
    return '"' + name.replace('"', '""') + '"'


class LogTable:
    """The log of ``keyspace.table``, of which names are as the schema tables have them (their case counts)."""

    def __init__(self, session: Session, keyspace: str, table: str, consistency: int, page_size: int):
        self.session, self.keyspace, self.table = session, keyspace, table
        self._page_size = page_size
        self._consistency = consistency
        self.asker = Asker(session)

    @property
    def name(self) -> str:
        """The base table's full name."""
        return f"{self.keyspace}.{self.table}"

    def open(self) -> None:
        """Look whether the log is there (NoLogError), learn the table's key, and prepare the query of windows."""
        if self.table.endswith(SUFFIX):
            raise NoLogError(f"Name the table whose changes are to be read, not its log: {self.name[: -len(SUFFIX)]}.")
        tables = self._ask("SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s", self.keyspace)
        names = {row["table_name"] for row in tables}
        if self.table not in names:
            raise NoLogError(f"There is no table {self.name}.")
        if self.table + SUFFIX not in names:
            raise NoLogError(
                f"{self.name} has no log of its changes: on ScyllaDB, "
                f"ALTER TABLE {self.name} WITH cdc = {{'enabled': true}} begins one."
            )
        columns = self._ask(
            "SELECT column_name, kind, position FROM system_schema.columns WHERE keyspace_name = %s "
            "AND table_name = %s",
            self.keyspace,
            self.table,
        )
        partition = sorted((c["position"], c["column_name"]) for c in columns if c["kind"] == "partition_key")
        clustering = sorted((c["position"], c["column_name"]) for c in columns if c["kind"] == "clustering")
        self.decode = RowDecoder(name for _, name in partition + clustering)
        # IN for a single stream too: with = the driver would take the stream id for a key of the usual partitioner,
        # and ask the wrong replicas.
        self.select = self.session.prepare(
            f"SELECT * FROM {quoted(self.keyspace)}.{quoted(self.table + SUFFIX)} "
            'WHERE "cdc$stream_id" IN ? AND "cdc$time" >= minTimeuuid(?) AND "cdc$time" < minTimeuuid(?) BYPASS CACHE'
        )
        self.select.fetch_size = self._page_size
        self.select.is_idempotent = True
        self.select.consistency_level = self._consistency

    def keeps_for(self) -> timedelta | None:
        """How long a change stays in the log; None: for ever, or unknown (the log of a table whose CDC was ended)."""
        try:
            rows = self._ask(
                "SELECT cdc FROM system_schema.scylla_tables WHERE keyspace_name = %s AND table_name = %s",
                self.keyspace,
                self.table,
            )
        except InvalidRequest:
            return None
        options = (rows[0]["cdc"] if rows else None) or {}
        seconds = int(options.get("ttl", 0))
        return timedelta(seconds=seconds) if seconds else None

    def _ask(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        return self.asker.ask(statement, parameters, ConsistencyLevel.ONE)


class WindowQuery:
    """The rows of a window of a group of streams, page by page. A page that fails can be asked for again."""

    def __init__(self, log: LogTable, streams: Group, window: Window):
        self._log = log
        self._bound = log.select.bind((list(streams), window.begin, window.end))
        self._paging_state: bytes | None = None
        self._request: ResponseFuture | None = None
        self.finished = False

    def send(self) -> None:
        """Ask for the next page, without waiting for it."""
        self._request = self._sent()

    def page(self) -> list[dict[str, Any]]:
        """The next page's rows; it is asked for if ``send`` was not called. Errors are the driver's."""
        request, self._request = self._sent(), None
        result = request.result()
        rows = list(result.current_rows)
        self._paging_state = result.paging_state
        self.finished = not self._paging_state
        return rows

    def _sent(self) -> ResponseFuture:
        if self._request is not None:
            return self._request
        return self._log.asker.send(self._bound, paging_state=self._paging_state)


def read_log(session: Session, keyspace: str, table: str, since: datetime | None = None) -> list[ChangeRow]:
    """Every row that the log of ``keyspace.table`` still has, written at ``since`` (UTC) or later, oldest first.

    It reads the whole log, at LOCAL_QUORUM and without waiting for writes that are still under way: right for a look
    at a small table. For all else there is ChangeReader. Raises NoLogError, and the driver's own errors.

    >>> for row in read_log(session, "shop", "orders"):
    ...     print(row.written_at, row.operation, dict(row.values))
    """
    log = LogTable(session, keyspace, table, ConsistencyLevel.LOCAL_QUORUM, page_size=1000)
    log.open()
    whole = f"SELECT * FROM {quoted(keyspace)}.{quoted(table + SUFFIX)}"
    rows = list(map(log.decode, log.asker.ask(whole, consistency=ConsistencyLevel.LOCAL_QUORUM)))
    rows.sort(key=lambda row: (row.time.time, row.time.bytes, row.batch_seq_no))
    if since is None:
        return rows
    begin = since.astimezone(UTC).replace(tzinfo=None) if since.tzinfo is not None else since
    return [row for row in rows if row.written_at >= begin]
