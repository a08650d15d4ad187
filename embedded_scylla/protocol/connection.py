"""One client's conversation: bytes in, bytes out. It never touches a socket.

    OPTIONS → SUPPORTED;  STARTUP → READY;  REGISTER → READY, later EVENTs;  QUERY, PREPARE, EXECUTE, BATCH → RESULT
    where clients have to log in:  STARTUP → AUTHENTICATE;  AUTH_RESPONSE → AUTH_SUCCESS
Anything else than OPTIONS and STARTUP before STARTUP is a ProtocolError, and then anything else than AUTH_RESPONSE.
Every user's mistake becomes an ERROR message on its own stream and the conversation goes on; a broken frame ends it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from .. import errors
from ..decisions import Turn
from ..modify.batch import batch_turn, execute_batch
from ..notices import Notices
from ..prepared import PreparedStatements
from ..release import CQL_VERSION
from ..request import BoundValue, Context, Database, Plan, QueryOptions, Result, SchemaChange, SetKeyspace, Tracer
from ..rights import give_to_creator
from . import frame, messages
from .access import AUTHENTICATOR, EVERYBODY, Access, log_in
from .compression import ALGORITHMS, decompress
from .frame import Frame, Frames, Reader
from .tracing import save_trace

TRACED = (frame.QUERY, frame.PREPARE, frame.EXECUTE, frame.BATCH)
EVENT_TYPES = ("TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE")


class _InLine(Exception):
    """The request has to wait for its turn to decide: nothing of it has been done."""

    def __init__(self, turn: Turn):
        self.turn = turn


class _Waited(NamedTuple):
    """A request that has stood in line: since when (µs), and what its client is told if its turn did not come."""

    since: int
    missed: errors.CqlError | None


def _at_once(answer: Callable[[], None]) -> None:
    answer()


class Connection:
    """``send`` takes response bytes, and tells whether there is room for more; ``peer`` is the client's address.
    ``later`` is given what answers a request that had to wait, and sees that the answer goes out.

    ``closing`` says that nothing more is heard, and that the socket may be closed once everything is sent. ``crowded``
    says that requests wait until there is room for their answers: feed it then. ``refusal``, if there is one, is the
    answer to whatever the client says first, and the last.
    """

    def __init__(
        self,
        database: Database,
        prepared: PreparedStatements,
        peer: tuple[str, int],
        send: Callable[[bytes], bool],
        notices: Notices,
        later: Callable[[Callable[[], None]], None] = _at_once,
        access: Access = EVERYBODY,
    ):
        self._access = access
        self._database, self._prepared, self._notices = database, prepared, notices
        self._later = later
        self._peer, self._send_bytes = peer, send
        self.closing = self.crowded = False
        self.refusal: errors.CqlError | None = None
        self.registered: set[str] = set()
        self._version = frame.SUPPORTED_VERSIONS[-1]
        self._keyspace: str | None = None
        self._started = self._logging_in = False
        self._user: str | None = None
        self._compressed = False  # whether the client may compress its frames; the node sends its own as they are
        self._lwt_marks = False
        self._client_options: dict[str, str] = {}  # what the client said of itself at STARTUP
        self._frames = Frames()
        self._warnings: list[str] = []  # of the request that is being answered,
        self._tracer: Tracer | None = None  # its trace,
        self._waited: _Waited | None = None  # and whether it has waited for its turn

    # ---------------------------------------------------------------- frames

    @property
    def held(self) -> int:
        """How many bytes of a request that is not whole yet it holds."""
        return self._frames.held

    def feed(self, data: bytes) -> None:
        """Take what the client sent and answer every whole request in it, while there is room for the answers."""
        self.crowded = False
        try:
            for request in self._frames.feed(data):
                compressed = request.flags & frame.COMPRESSED
                self._answer(request, self._decompress(request.body) if compressed else request.body)
                if self.closing or self.crowded:
                    return
        except frame.RequestTooLarge as error:
            self.end(error, error.stream)
        except errors.ProtocolError as error:
            self.end(error)

    def end(self, error: errors.CqlError, stream: int = 0) -> None:
        """Say why, and hang up: what follows on the wire cannot be told apart any more, or is too much."""
        self._send(self._version, stream, frame.ERROR, messages.encode_error(error))
        self._frames.forget()
        self.closing, self.crowded = True, False

    def _decompress(self, body: bytes) -> bytes:
        if not self._compressed:
            raise errors.ProtocolError("Unknown compression algorithm")
        return decompress(body)

    def _answer(self, request: Frame, body: bytes, waited: _Waited | None = None) -> None:
        self._version = request.version
        self._warnings, self._tracer, self._waited = [], None, waited
        try:
            opcode, body = self._handle(request, body)
        except _InLine as line:
            self._line_up(line.turn, request, body)
            return
        except errors.CqlError as error:
            opcode, body = frame.ERROR, messages.encode_error(error)
        except Exception as error:  # a fault of the node, not of the client: say so and go on
            self._notices.fault("which a client was told of", error)
            fault = errors.ServerError(f"{type(error).__name__} in the embedded node: {error}")
            opcode, body = frame.ERROR, messages.encode_error(fault)
        flags = 0
        if self._warnings:
            flags |= frame.WARNING if request.version >= 4 else 0
            body = messages.encode_warnings(self._warnings) + body if flags & frame.WARNING else body
        if self._tracer is not None and (trace := self._save_trace(self._tracer)) is not None:
            flags |= frame.TRACING
            body = trace.bytes + body
        self._send(request.version, request.stream, opcode, body, flags)

    def _line_up(self, turn: Turn, request: Frame, body: bytes) -> None:
        """Let a request wait for its turn to decide. Then it is handled from its beginning, as if it came just now: the
        schema may be another one."""
        since = self._database.clock.micros()

        def carry_out(has_turn: bool) -> None:
            waited = _Waited(since, None if has_turn else turn.missed())
            self._later(partial(self._answer, request, body, waited))

        self._database.decisions.line_up(turn.place, carry_out, len(body), turn.allowed)

    def _take_turn(self, turn: Turn | None) -> None:
        """Go on with a request whose turn it is to decide, or that decides nothing: for while decisions take time."""
        if turn is None:
            return
        if self._waited is None:
            raise _InLine(turn)
        if self._waited.missed is not None:
            raise self._waited.missed

    def _save_trace(self, tracer: Tracer) -> uuid.UUID | None:
        """The trace's id; None when it cannot be written, which is no reason to keep back the answer."""
        try:
            return save_trace(self._database, tracer, self._peer[0])
        except errors.CqlError:
            return None
        except Exception as error:
            self._notices.fault("which cost a request its trace", error)
            return None

    def _handle(self, request: Frame, body: bytes) -> tuple[int, bytes]:
        reader = Reader(body)
        if request.flags & frame.CUSTOM_PAYLOAD:
            for _ in range(reader.short()):
                reader.string(), reader.blob()
        if self.refusal is not None:
            self.closing = True
            raise self.refusal
        if self._logging_in and request.opcode != frame.AUTH_RESPONSE:
            raise errors.ProtocolError(f"Unexpected message {request.opcode}, needed SASL_RESPONSE or CREDENTIALS")
        if not (self._started or self._logging_in) and request.opcode not in (frame.OPTIONS, frame.STARTUP):
            raise errors.ProtocolError(f"Unexpected message {request.opcode}, expecting STARTUP or OPTIONS")
        if self._started and request.opcode == frame.STARTUP:
            raise errors.ProtocolError("Unexpected message STARTUP, the connection is already initialized")
        handler = _HANDLERS.get(request.opcode)
        if handler is None:
            raise errors.ProtocolError(f"Unknown opcode {request.opcode}")
        if request.flags & frame.TRACING and request.opcode in TRACED:
            self._tracer = Tracer(self._database.clock.micros)
            if self._waited is not None:
                self._tracer.started = self._waited.since
                self._tracer.step("Waited in line, and for the decision's time")
        return handler(self, reader)

    def describe(self) -> dict[str, Any]:
        """This connection as a row of system.clients."""
        address, port = self._peer
        return {
            "address": address,
            "port": port,
            "client_type": "cql",
            "client_options": self._client_options,
            "connection_stage": self._stage(),
            "driver_name": self._client_options.get("DRIVER_NAME"),
            "driver_version": self._client_options.get("DRIVER_VERSION"),
            "protocol_version": self._version,
            "scheduling_group": "sl:default",
            "shard_id": 0,
            "ssl_enabled": self._access.tls is not None,
            "username": self._user or "anonymous",
        }

    def _stage(self) -> str:
        if self._started:
            return "READY"
        return "AUTHENTICATING" if self._logging_in else "ESTABLISHED"

    def _send(self, version: int, stream: int, opcode: int, body: bytes, flags: int = 0) -> None:
        if not self._send_bytes(frame.encode_frame(version, flags, stream, opcode, body)):
            self.crowded = True

    def send_event(self, event: bytes) -> None:
        self._send(self._version, -1, frame.EVENT, event)

    # ---------------------------------------------------------------- opening

    def _options(self, reader: Reader) -> tuple[int, bytes]:
        supported = {
            "CQL_VERSION": [CQL_VERSION],
            "COMPRESSION": ALGORITHMS,
            # One shard: whoever asks is told the truth, and opens one connection.
            "SCYLLA_SHARD": ["0"],
            "SCYLLA_NR_SHARDS": ["1"],
            "SCYLLA_PARTITIONER": ["org.apache.cassandra.dht.Murmur3Partitioner"],
            "SCYLLA_SHARDING_ALGORITHM": ["biased-token-round-robin"],
            "SCYLLA_SHARDING_IGNORE_MSB": ["12"],
            "SCYLLA_RATE_LIMIT_ERROR": [f"ERROR_CODE={errors.RATE_LIMIT}"],
            "CLIENT_OPTIONS": [""],
            "SCYLLA_LWT_ADD_METADATA_MARK": [f"LWT_OPTIMIZATION_META_BIT_MASK={messages.LWT_MARK}"],
        }
        if self._database.schema.release.tells_host_id:
            supported["SCYLLA_HOST_ID"] = [str(self._database.node.host_id)]
        return frame.SUPPORTED, frame.encode_string_multimap(supported)

    def _startup(self, reader: Reader) -> tuple[int, bytes]:
        options = reader.string_map()
        compression = options.get("COMPRESSION")
        if compression is not None and compression.lower() not in ALGORITHMS:
            raise errors.ProtocolError(f"Unknown compression algorithm: {compression.lower()}")
        self._compressed = compression is not None
        self._lwt_marks = "SCYLLA_LWT_ADD_METADATA_MARK" in options
        self._client_options = options
        if self._access.user is not None:
            self._logging_in = True
            return frame.AUTHENTICATE, frame.encode_string(AUTHENTICATOR)
        self._open()
        return frame.READY, b""

    def _auth_response(self, reader: Reader) -> tuple[int, bytes]:
        if not self._logging_in:
            raise errors.ProtocolError("No authentication is going on.")
        self._user = log_in(reader.blob() or b"", self._database.roles)
        self._open()
        return frame.AUTH_SUCCESS, frame.encode_bytes(None)

    def _open(self) -> None:
        self._logging_in = False
        self._started = self._frames.opened = True

    def _register(self, reader: Reader) -> tuple[int, bytes]:
        for event in reader.string_list():
            if event.upper() not in EVENT_TYPES:
                raise errors.ProtocolError(f"Invalid value '{event}' for Type")
            self.registered.add(event.upper())
        return frame.READY, b""

    # ---------------------------------------------------------------- statements

    def _query(self, reader: Reader) -> tuple[int, bytes]:
        text = reader.long_string()
        parameters = messages.decode_parameters(reader, self._version)
        self._trace_request("Execute CQL3 query", text)
        plan = self._prepared.text(text, self._keyspace)
        return self._run(plan, parameters)

    def _prepare(self, reader: Reader) -> tuple[int, bytes]:
        text = reader.long_string()
        self._trace_request("Preparing CQL3 query", text)
        statement_id, plan = self._prepared.prepare(text, self._keyspace)
        return frame.RESULT, messages.encode_prepared(statement_id, plan, self._version, self._lwt_marks)

    def _execute(self, reader: Reader) -> tuple[int, bytes]:
        statement_id = reader.short_bytes()
        parameters = messages.decode_parameters(reader, self._version)
        plan = self._prepared.get(statement_id)
        self._trace_request("Execute CQL3 prepared query", "")
        return self._run(plan, parameters)

    def _run(self, plan: Plan, parameters: messages.Parameters) -> tuple[int, bytes]:
        values = parameters.values
        if parameters.names is not None:
            values = _in_order(plan, parameters.names, values)
        if len(values) != len(plan.variables):
            raise errors.InvalidRequest(
                f"Invalid amount of bind variables: expected {len(plan.variables)} received {len(values)}"
            )
        context = self._context(values, parameters.options, plan.clock_of)
        if self._user is not None:
            self._database.roles.check(self._user, plan.needs)
        if self._waited is not None or self._database.decisions.duration:
            self._take_turn(plan.turn(context))
        result = plan.execute(context) if self._user is None else self._execute_as(self._user, plan, context)
        return self._finish(result, context, plan)

    def _execute_as(self, user: str, plan: Plan, context: Context) -> Result:
        """Execute, and let who makes a thing have all rights on it."""
        version = self._database.schema.version
        result = plan.execute(context)
        if isinstance(result, SchemaChange) and version != self._database.schema.version:
            give_to_creator(self._database, user, result)
        return result

    def _batch(self, reader: Reader) -> tuple[int, bytes]:
        message = messages.decode_batch(reader, self._version)
        self._trace_request("Execute batch of CQL3 queries", "")
        prepared = self._prepared
        plans = []
        for statement, values in message.statements:
            plan = prepared.get(statement) if isinstance(statement, bytes) else prepared.text(statement, self._keyspace)
            if len(values) != len(plan.variables):
                raise errors.InvalidRequest(
                    f"There were {len(plan.variables)} markers(?) in CQL but {len(values)} bound variables"
                )
            if self._user is not None:
                self._database.roles.check(self._user, plan.needs)
            plans.append((plan, values))
        context = self._context((), message.options, plans[0][0].clock_of if plans else None)
        if self._waited is not None or self._database.decisions.duration:
            self._take_turn(batch_turn(plans, context))
        return self._finish(execute_batch(plans, message.kind, context), context, None)

    def _context(self, values: Sequence[BoundValue], options: QueryOptions, clock_of: str | None) -> Context:
        database = self._database
        database.requests += 1
        if clock_of is None:
            clock_of = self._keyspace
        clock = database.clocks.of(clock_of)
        micros = clock.micros()
        if options.timestamp is None:
            timestamp = clock.unique_micros()
        else:
            timestamp = options.timestamp = clock.from_client(options.timestamp)
        options.keyspace = self._keyspace
        return Context(
            database, values, options, micros, timestamp, micros // 1_000_000, [], self._tracer, clock_of, self._user
        )

    def _finish(self, result: Result, context: Context, plan: Plan | None) -> tuple[int, bytes]:
        self._warnings = context.warnings
        if isinstance(result, SetKeyspace):
            self._keyspace = result.keyspace
        context.step("Done processing - preparing a result")
        return frame.RESULT, messages.encode_result(result, plan, context.options.skip_metadata)

    def _trace_request(self, request: str, text: str) -> None:
        if self._tracer is not None:
            self._tracer.request, self._tracer.text = request, text
            self._tracer.step("Parsing a statement" if text else "Looking up a prepared statement")


_HANDLERS: dict[int, Callable[[Connection, Reader], tuple[int, bytes]]] = {
    frame.OPTIONS: Connection._options,
    frame.STARTUP: Connection._startup,
    frame.REGISTER: Connection._register,
    frame.QUERY: Connection._query,
    frame.PREPARE: Connection._prepare,
    frame.EXECUTE: Connection._execute,
    frame.BATCH: Connection._batch,
    frame.AUTH_RESPONSE: Connection._auth_response,
}


def _in_order(plan: Plan, names: list[str], values: list[BoundValue]) -> list[BoundValue]:
    """Values given by name, in the order of the statement's variables."""
    given = dict(zip(names, values, strict=True))
    ordered = []
    for spec in plan.variables:
        if spec.name not in given:
            raise errors.InvalidRequest(f"Missing value for bind variable {spec.name}")
        ordered.append(given[spec.name])
    return ordered
