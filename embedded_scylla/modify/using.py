"""The USING clause of a write: TTL, TIMESTAMP and TIMEOUT."""

from __future__ import annotations

from ..cql import ast
from ..errors import InvalidRequest
from ..request import UNSET, Context
from ..schema import ColumnSpec, Table
from ..terms.compile import Variables, compile_term
from ..terms.timeout import compile_timeout
from ..types import BIGINT, INT

MAX_TTL = 20 * 365 * 24 * 3600  # seconds
_NO_TIMESTAMP = -(1 << 63)
MAX_LEAD = 3 * 24 * 3600 * 1_000_000  # µs that a timestamp may be ahead of the node's clock


class UsingClause:
    """The USING clause of one statement (or of a batch), compiled."""

    def __init__(self, clause: ast.Using, keyspace: str, table: str, variables: Variables, default_ttl: int = 0):
        self.has_timestamp = clause.timestamp is not None
        self.has_ttl = clause.ttl is not None
        self.is_plain = not self.has_timestamp and not self.has_ttl
        self.default_ttl = default_ttl
        self._timestamp = self._ttl = None
        if clause.timestamp is not None:
            receiver = ColumnSpec(keyspace, table, "[timestamp]", BIGINT)
            self._timestamp = compile_term(clause.timestamp, receiver, variables)
        if clause.ttl is not None:
            self._ttl = compile_term(clause.ttl, ColumnSpec(keyspace, table, "[ttl]", INT), variables)
        self.timeout = compile_timeout(clause.timeout, keyspace, table, variables)

    @classmethod
    def of_table(cls, clause: ast.Using, table: Table, variables: Variables) -> UsingClause:
        return cls(clause, table.keyspace, table.name, variables, table.default_ttl)

    def timestamp(self, context: Context, otherwise: int) -> int:
        """The statement's own timestamp in µs; ``otherwise`` when it names none or leaves it unset."""
        if self._timestamp is None:
            return otherwise
        value = self._timestamp(context)
        if value is UNSET:
            return otherwise
        if value is None:
            raise InvalidRequest("Invalid null value of timestamp")
        if len(value) != 8:
            raise InvalidRequest("Invalid timestamp value")
        timestamp = int.from_bytes(value, "big", signed=True)
        if timestamp == _NO_TIMESTAMP:
            raise InvalidRequest(f"Out of bound timestamp, must be in [{_NO_TIMESTAMP + 1}, {-_NO_TIMESTAMP - 1}]")
        if timestamp - context.micros > MAX_LEAD:
            raise InvalidRequest(
                "Cannot provide a timestamp more than 3 days into the future. "
                "If this was not intended, make sure the timestamp is in microseconds"
            )
        return timestamp

    def ttl(self, context: Context) -> int:
        """The effective TTL in seconds: the statement's own (0 overrides the table's), or the table's default."""
        if self._ttl is None:
            return self.default_ttl
        value = self._ttl(context)
        if value is UNSET:
            return self.default_ttl
        if value is None:
            raise InvalidRequest("Invalid null value of TTL")
        if len(value) != 4:
            raise InvalidRequest("Invalid TTL value")
        ttl = int.from_bytes(value, "big", signed=True)
        if ttl < 0:
            raise InvalidRequest("A TTL must be greater or equal to 0")
        if ttl > MAX_TTL:
            raise InvalidRequest(f"ttl is too large. requested ({ttl}) maximum ({MAX_TTL})")
        return ttl
