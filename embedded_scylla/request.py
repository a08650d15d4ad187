"""What passes between the protocol and the plans: a request's options, its context, and the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .clock import Clock, Clocks
    from .decisions import Decisions, Turn
    from .identity import NodeIdentity
    from .roles import Need, Roles
    from .schema import ColumnSpec, Schema, Table
    from .storage.rows import Key, Mutation
    from .storage.store import TableStore


class _Unset:
    """The value of a variable that the client left unset (protocol 4)."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = _Unset()
BoundValue = bytes | None | _Unset  # a bound value as it came over the wire

ANY, ONE, TWO, THREE, QUORUM, ALL, LOCAL_QUORUM, EACH_QUORUM, SERIAL, LOCAL_SERIAL, LOCAL_ONE = range(11)
CONSISTENCY_NAMES = (
    "ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_QUORUM", "EACH_QUORUM", "SERIAL", "LOCAL_SERIAL", "LOCAL_ONE",
)  # fmt: skip


@dataclass(slots=True)
class QueryOptions:
    """The query parameters of QUERY, EXECUTE and BATCH. ``timestamp``: the client's default timestamp in µs (already
    moved by the clock's offset) or None. ``page_size``: rows, or None for all. ``keyspace``: the connection's."""

    consistency: int = ONE
    serial_consistency: int = SERIAL
    page_size: int | None = None
    paging_state: bytes | None = None
    timestamp: int | None = None
    skip_metadata: bool = False
    keyspace: str | None = None


class Database(Protocol):
    """What a plan may ask of the node that executes it."""

    schema: Schema
    clock: Clock  # the node's
    clocks: Clocks
    node: NodeIdentity
    decisions: Decisions
    roles: Roles
    requests: int  # so many were executed

    def store(self, table: Table, viewer: str | None = None) -> TableStore:
        """The data of a table or view; of a virtual table, what it shows at this moment to a client in the keyspace
        ``viewer``."""

    def apply(self, mutations: Sequence[Mutation], context: Context) -> None:
        """Carry out writes: all of them, or (with an error) none."""

    def ballot(self, table: Table, key: Key) -> int:
        """A timestamp (µs) for a lightweight transaction on a partition: above that of every earlier one."""

    def truncate(self, table: Table) -> None:
        """Empty a table and its views."""

    def change_schema(self, change: Callable[[Schema], Result]) -> Result:
        """Let ``change`` alter the schema; if it raises, the schema is as before."""

    def change_roles(self, change: Callable[[], None]) -> Result:
        """Let ``change`` alter the roles; if it raises, they are as before."""


@dataclass(slots=True)
class Context:
    """One execution: the bound values (by variable index), its options, and one instant that all of it shares.

    ``timestamp`` is the write timestamp in µs, ``now`` the time in whole seconds (what TTLs are compared with), by the
    ``clock``. ``warnings`` travel back with the answer; ``trace`` (None when not asked for) takes a step's sentence.
    """

    database: Database
    values: Sequence[BoundValue]
    options: QueryOptions
    micros: int  # the time, µs
    timestamp: int  # µs
    now: int  # seconds
    warnings: list[str] = field(default_factory=list)
    trace: Tracer | None = None
    clock_of: str | None = None  # the keyspace by whose clock it goes; None: the node's
    user: str | None = None  # who has logged in; None where nobody has to

    @property
    def clock(self) -> Clock:
        """The clock that it goes by, for who needs another instant."""
        return self.database.clocks.of(self.clock_of)

    def step(self, activity: str) -> None:
        """Note a step of this execution in its trace, if it is traced."""
        if self.trace is not None:
            self.trace.step(activity)


class Tracer:
    """What a traced request did: sentences with the µs since it began. ``tracing`` writes them to system_traces."""

    def __init__(self, clock_micros: Callable[[], int]) -> None:
        self._clock = clock_micros
        self.started = clock_micros()
        self.request = self.text = ""  # unknown until so much of the request has been read
        self.steps: list[tuple[int, str]] = []

    def step(self, activity: str) -> None:
        self.steps.append((self._clock() - self.started, activity))


# ---------------------------------------------------------------- results


@dataclass(slots=True)
class Void:
    pass


@dataclass(slots=True)
class Rows:
    """``rows``: per row a sequence of wire bytes (None for null), in the order of ``columns``; ``cells``: all of them
    behind one another, where that is made already."""

    columns: Sequence[ColumnSpec]
    rows: Sequence[Sequence[bytes | None]]
    paging_state: bytes | None = None
    cells: bytes = b""


@dataclass(slots=True)
class SetKeyspace:
    keyspace: str


@dataclass(slots=True)
class SchemaChange:
    """``change``: CREATED, UPDATED or DROPPED; ``target``: KEYSPACE, TYPE or TABLE; ``name``: the type's or table's."""

    change: str
    target: str
    keyspace: str
    name: str = ""


Result = Void | Rows | SetKeyspace | SchemaChange


class Plan:
    """A statement made ready: parsed and checked once, executed often, working on the bound values' bytes.

    ``variables``: the specs of the bind markers, by index. ``partition_key_variables``: for each partition key column,
    in order, the index of the variable that gives it (empty when some are not variables): the routing key.
    ``columns``: the result's, or None when it gives no rows. ``is_lwt`` marks lightweight transactions. ``clock_of``:
    the keyspace whose time it is about; None where it is about no stored table: then it is the connection's. ``needs``:
    what must be permitted to whoever executes it, where anybody has to log in.
    """

    variables: Sequence[ColumnSpec] = ()
    partition_key_variables: Sequence[int] = ()
    columns: Sequence[ColumnSpec] | None = None
    is_lwt = False
    clock_of: str | None = None
    needs: Sequence[Need] = ()

    def turn(self, context: Context) -> Turn | None:
        """What an execution decides about, if it is a lightweight transaction or a read at SERIAL."""
        return None

    def execute(self, context: Context) -> Result:
        raise NotImplementedError
