"""Every error the node answers with: one class per error code of the native protocol.

The texts are ScyllaDB's; the codes are the native protocol's (v4, section 9), and so are the fields that some errors
have beside their message.
"""

from __future__ import annotations

#: What drivers are told to expect when a partition is asked too often. The node keeps such limits, and enforces none.
RATE_LIMIT = 0xF000


class CqlError(Exception):
    """Base class. ``code`` is the protocol's error code, ``message`` the sentence the client shows."""

    code = 0x0000

    def __init__(self, message: str):
        super().__init__(message)
        self.message = message


class ServerError(CqlError):
    """Something unexpected broke inside the node: never the answer to a user's mistake."""

    code = 0x0000


class ProtocolError(CqlError):
    code = 0x000A


class BadCredentials(CqlError):
    """Whoever logs in is not known, or has another password."""

    code = 0x0100


class Unavailable(CqlError):
    """Fewer live replicas than the consistency level needs: ``required`` of ``alive``."""

    code = 0x1000

    def __init__(self, consistency: int, name: str, required: int, alive: int):
        super().__init__(f"Cannot achieve consistency level for cl {name}. Requires {required}, alive {alive}")
        self.consistency, self.required, self.alive = consistency, required, alive


class Overloaded(CqlError):
    """The node has no room for what it is asked to take."""

    code = 0x1001


class TruncateError(CqlError):
    """A table could not be emptied."""

    code = 0x1003


class WriteTimeout(CqlError):
    """``write_type`` is one of SIMPLE, BATCH, UNLOGGED_BATCH, COUNTER, BATCH_LOG, CAS, VIEW, CDC."""

    code = 0x1100

    def __init__(self, message: str, consistency: int, received: int, required: int, write_type: str):
        super().__init__(message)
        self.consistency, self.received, self.required, self.write_type = consistency, received, required, write_type


class ReadTimeout(CqlError):
    code = 0x1200

    def __init__(self, message: str, consistency: int, received: int, required: int, data_present: bool):
        super().__init__(message)
        self.consistency, self.received, self.required, self.data_present = (
            consistency,
            received,
            required,
            data_present,
        )


class FunctionFailure(CqlError):
    """A function could not do with what it was given: ``detail``; ``argument_types`` by their marshalling classes."""

    code = 0x1400

    def __init__(self, detail: str, keyspace: str, function: str, argument_types: tuple[str, ...]):
        super().__init__(f"execution of {function} failed: {detail}")
        self.keyspace, self.function, self.argument_types = keyspace, function, argument_types


class SyntaxException(CqlError):
    """The text is not CQL; the message names line, column and the offending text."""

    code = 0x2000


class Unauthorized(CqlError):
    code = 0x2100


class InvalidRequest(CqlError):
    """Well-formed CQL that cannot be carried out as it stands."""

    code = 0x2200


class ConfigurationException(CqlError):
    """A property of a keyspace or table that cannot be."""

    code = 0x2300


class AlreadyExists(CqlError):
    """``table`` is empty when it is the keyspace that exists."""

    code = 0x2400

    def __init__(self, keyspace: str, table: str = "", message: str | None = None):
        if message is None:
            message = (
                f'Cannot add already existing table "{table}" to keyspace "{keyspace}"'
                if table
                else f'Cannot add existing keyspace "{keyspace}"'
            )
        super().__init__(message)
        self.keyspace, self.table = keyspace, table


class Unprepared(CqlError):
    """The statement id is not known (any more): the driver prepares again by itself."""

    code = 0x2500

    def __init__(self, statement_id: bytes):
        super().__init__(f"No prepared statement with ID {statement_id.hex()} found.")
        self.statement_id = statement_id


def unsupported(what: str, verb: str = "is", why: str = "") -> InvalidRequest:
    """The error for what ScyllaDB has and this node has not: it was left out."""
    return InvalidRequest(f"{what} {verb} not supported by this embedded node{f': {why}' if why else ''}.")
