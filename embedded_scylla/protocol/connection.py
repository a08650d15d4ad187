"""One client's conversation: bytes in, bytes out. It never touches a socket.

    OPTIONS → SUPPORTED;  STARTUP → READY;  REGISTER → READY, later EVENTs;  QUERY, PREPARE, EXECUTE, BATCH → RESULT
Anything else than OPTIONS and STARTUP before STARTUP is a ProtocolError. Every user's mistake becomes an ERROR message
on its own stream and the conversation goes on; a broken frame ends it.
"""

from __future__ import annotations

import sys
import traceback
import uuid
from typing import TYPE_CHECKING, Any

from .. import errors
from ..modify.batch import execute_batch
from ..request import Context, Plan, QueryOptions, Result, SetKeyspace, Tracer
from . import frame, messages
from .compression import ALGORITHMS, decompress
from .frame import Frame, Frames, Reader
from .tracing import save_trace

if TYPE_CHECKING:
    from .server import Node

TRACED = (frame.QUERY, frame.PREPARE, frame.EXECUTE, frame.BATCH)
EVENT_TYPES = ("TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE")


class Connection:
    """``send`` takes response bytes; ``peer`` is the client's address; ``closing`` says that the socket may be closed
    once everything is sent."""

    def __init__(self, node: Node, peer: tuple[str, int], send):
        self.node, self.peer, self.send = node, peer, send
        self.engine = node.engine
        self.closing = False
        self.registered: set[str] = set()
        self.version = frame.SUPPORTED_VERSIONS[-1]
        self.keyspace: str | None = None
        self.started = False
        self.compressed = False  # whether the client may compress its frames; the node sends its own as they are
        self.lwt_marks = False
        self.options: dict[str, str] = {}  # what the client said of itself at STARTUP
        self._frames = Frames()
        self._handlers = {
            frame.OPTIONS: self._options,
            frame.STARTUP: self._startup,
            frame.REGISTER: self._register,
            frame.QUERY: self._query,
            frame.PREPARE: self._prepare,
            frame.EXECUTE: self._execute,
            frame.BATCH: self._batch,
            frame.AUTH_RESPONSE: self._auth_response,
        }

    # ---------------------------------------------------------------- frames

    @property
    def incomplete(self) -> bool:
        """Whether the client is in the middle of a request."""
        return self._frames.incomplete

    def feed(self, data: bytes) -> None:
        """Take what the client sent and answer every whole request in it."""
        try:
            for request in self._frames.feed(data):
                compressed = request.flags & frame.COMPRESSED
                self._answer(request, self._decompress(request.body) if compressed else request.body)
        except frame.RequestTooLarge as error:
            self._end(error, error.stream)
        except errors.ProtocolError as error:
            self._end(error, 0)

    def _end(self, error: errors.CqlError, stream: int) -> None:
        """Say why, and hang up: what follows on the wire cannot be told apart any more."""
        self._send(self.version, stream, frame.ERROR, messages.encode_error(error))
        self.closing = True

    def _decompress(self, body: bytes) -> bytes:
        if not self.compressed:
            raise errors.ProtocolError("Unknown compression algorithm")
        return decompress(body)

    def _answer(self, request: Frame, body: bytes) -> None:
        self.version = request.version
        self._warnings: list[str] = []
        self._tracer: Tracer | None = None
        try:
            opcode, body = self._handle(request, body)
        except errors.CqlError as error:
            opcode, body = frame.ERROR, messages.encode_error(error)
        except Exception as error:  # a fault of the node, not of the client: say so and go on
            traceback.print_exc(file=sys.stderr)
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

    def _save_trace(self, tracer: Tracer) -> uuid.UUID | None:
        """The trace's id; None when it cannot be written, which is no reason to keep back the answer."""
        try:
            return save_trace(self.engine, tracer, self.peer[0])
        except errors.CqlError:
            return None

    def _handle(self, request: Frame, body: bytes) -> tuple[int, bytes]:
        reader = Reader(body)
        if request.flags & frame.CUSTOM_PAYLOAD:
            for _ in range(reader.short()):
                reader.string(), reader.bytes()
        if not self.started and request.opcode not in (frame.OPTIONS, frame.STARTUP):
            raise errors.ProtocolError(f"Unexpected message {request.opcode}, expecting STARTUP or OPTIONS")
        if self.started and request.opcode == frame.STARTUP:
            raise errors.ProtocolError("Unexpected message STARTUP, the connection is already initialized")
        handler = self._handlers.get(request.opcode)
        if handler is None:
            raise errors.ProtocolError(f"Unknown opcode {request.opcode}")
        if request.flags & frame.TRACING and request.opcode in TRACED:
            self._tracer = Tracer(self.engine.clock.micros)
        return handler(reader)

    def describe(self) -> dict[str, Any]:
        """This connection as a row of system.clients."""
        address, port = self.peer
        return {
            "address": address,
            "port": port,
            "client_type": "cql",
            "client_options": self.options,
            "connection_stage": "READY" if self.started else "ESTABLISHED",
            "driver_name": self.options.get("DRIVER_NAME"),
            "driver_version": self.options.get("DRIVER_VERSION"),
            "protocol_version": self.version,
            "scheduling_group": "sl:default",
            "shard_id": 0,
            "ssl_enabled": False,
            "username": "anonymous",
        }

    def _send(self, version: int, stream: int, opcode: int, body: bytes, flags: int = 0) -> None:
        self.send(frame.encode_frame(version, flags, stream, opcode, body))

    def send_event(self, event: bytes) -> None:
        self._send(self.version, -1, frame.EVENT, event)

    # ---------------------------------------------------------------- opening

    def _options(self, reader: Reader) -> tuple[int, bytes]:
        supported = {
            "CQL_VERSION": ["3.3.1"],
            "COMPRESSION": ALGORITHMS,
            # One shard: whoever asks is told the truth, and opens one connection.
            "SCYLLA_SHARD": ["0"],
            "SCYLLA_NR_SHARDS": ["1"],
            "SCYLLA_PARTITIONER": ["org.apache.cassandra.dht.Murmur3Partitioner"],
            "SCYLLA_SHARDING_ALGORITHM": ["biased-token-round-robin"],
            "SCYLLA_SHARDING_IGNORE_MSB": ["12"],
            "SCYLLA_LWT_ADD_METADATA_MARK": [f"LWT_OPTIMIZATION_META_BIT_MASK={messages.LWT_MARK}"],
        }
        return frame.SUPPORTED, frame.encode_string_multimap(supported)

    def _startup(self, reader: Reader) -> tuple[int, bytes]:
        options = reader.string_map()
        compression = options.get("COMPRESSION")
        if compression is not None and compression.lower() not in ALGORITHMS:
            raise errors.ProtocolError(f"Unknown compression algorithm: {compression.lower()}")
        self.compressed = compression is not None
        self.lwt_marks = "SCYLLA_LWT_ADD_METADATA_MARK" in options
        self.options = options
        self.started = True
        return frame.READY, b""

    def _auth_response(self, reader: Reader) -> tuple[int, bytes]:
        raise errors.ProtocolError("No authentication is going on: this node lets everybody in.")

    def _register(self, reader: Reader) -> tuple[int, bytes]:
        for event in reader.string_list():
            if event.upper() not in EVENT_TYPES:
                raise errors.ProtocolError(f"Invalid value '{event}' for Type")
            self.registered.add(event.upper())
        return frame.READY, b""

    # ---------------------------------------------------------------- statements

    def _query(self, reader: Reader) -> tuple[int, bytes]:
        text = reader.long_string()
        parameters = messages.decode_parameters(reader, self.version)
        self._trace_request("Execute CQL3 query", text)
        plan = self.engine.prepared.text(text, self.keyspace)
        return self._run(plan, parameters)

    def _prepare(self, reader: Reader) -> tuple[int, bytes]:
        text = reader.long_string()
        self._trace_request("Preparing CQL3 query", text)
        statement_id, plan = self.engine.prepared.prepare(text, self.keyspace)
        return frame.RESULT, messages.encode_prepared(statement_id, plan, self.version, self.lwt_marks)

    def _execute(self, reader: Reader) -> tuple[int, bytes]:
        statement_id = reader.short_bytes()
        parameters = messages.decode_parameters(reader, self.version)
        plan = self.engine.prepared.get(statement_id)
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
        context = self._context(values, parameters.options)
        result = plan.execute(context)
        skip = parameters.options.skip_metadata
        return self._finish(result, context, skip)

    def _batch(self, reader: Reader) -> tuple[int, bytes]:
        message = messages.decode_batch(reader, self.version)
        self._trace_request("Execute batch of CQL3 queries", "")
        prepared = self.engine.prepared
        plans = []
        for statement, values in message.statements:
            plan = prepared.get(statement) if isinstance(statement, bytes) else prepared.text(statement, self.keyspace)
            if len(values) != len(plan.variables):
                raise errors.InvalidRequest(
                    f"There were {len(plan.variables)} markers(?) in CQL but {len(values)} bound variables"
                )
            plans.append((plan, values))
        context = self._context((), message.options)
        return self._finish(execute_batch(plans, message.kind, context), context, False)

    def _context(self, values, options: QueryOptions) -> Context:
        clock = self.engine.clock
        micros = clock.micros()
        if options.timestamp is None:
            timestamp = clock.unique_micros()
        else:
            timestamp = options.timestamp = clock.from_client(options.timestamp)
        options.keyspace = self.keyspace
        return Context(self.engine, values, options, micros, timestamp, micros // 1_000_000, [], self._tracer)

    def _finish(self, result: Result, context: Context, skip_metadata: bool) -> tuple[int, bytes]:
        self._warnings = context.warnings
        if isinstance(result, SetKeyspace):
            self.keyspace = result.keyspace
        context.step("Done processing - preparing a result")
        return frame.RESULT, messages.encode_result(result, skip_metadata)

    def _trace_request(self, request: str, text: str) -> None:
        if self._tracer is not None:
            self._tracer.request, self._tracer.text = request, text
            self._tracer.step("Parsing a statement" if text else "Looking up a prepared statement")


def _in_order(plan: Plan, names: list[str], values: list) -> list:
    """Values given by name, in the order of the statement's variables."""
    given = dict(zip(names, values, strict=True))
    ordered = []
    for spec in plan.variables:
        if spec.name not in given:
            raise errors.InvalidRequest(f"Missing value for bind variable {spec.name}")
        ordered.append(given[spec.name])
    return ordered
