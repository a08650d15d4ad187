"""A session without a socket: the driver's statements, bound by the driver, carried out by an engine in this process.

It has of the driver's Session what the helpers use, and answers an error with the driver's exception.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

from cassandra import InvalidRequest, cqltypes
from cassandra.encoder import Encoder
from cassandra.protocol import ColumnMetadata
from cassandra.query import BatchStatement, BoundStatement, PreparedStatement, bind_params, dict_factory

from embedded_scylla import errors
from embedded_scylla.assembly import Assembly
from embedded_scylla.modify.batch import execute_batch
from embedded_scylla.request import LOCAL_QUORUM, LOCAL_SERIAL, Context, QueryOptions, Result, Rows, SetKeyspace

PROTOCOL = 4
NATIVE = {
    "ascii": cqltypes.AsciiType,
    "bigint": cqltypes.LongType,
    "blob": cqltypes.BytesType,
    "boolean": cqltypes.BooleanType,
    "decimal": cqltypes.DecimalType,
    "int": cqltypes.Int32Type,
    "text": cqltypes.UTF8Type,
    "timestamp": cqltypes.DateType,
    "timeuuid": cqltypes.TimeUUIDType,
    "tinyint": cqltypes.ByteType,
    "uuid": cqltypes.UUIDType,
}


class InProcessSession:
    """What a driver's Session is, for an engine in this process; ``keyspace`` is the one in use."""

    def __init__(self, node: Assembly):
        self.engine, self.prepared = node.engine, node.prepared
        self.keyspace: str | None = None
        node = SimpleNamespace(endpoint=SimpleNamespace(address="in process", port=0), datacenter="datacenter1")
        self.cluster = SimpleNamespace(
            metadata=SimpleNamespace(all_hosts=lambda: [node]), endpoints_resolved=[node.endpoint]
        )

    def set_keyspace(self, keyspace: str) -> None:
        self.execute(f"USE {keyspace}")

    def prepare(self, text: str) -> PreparedStatement:
        try:
            statement_id, plan = self.prepared.prepare(text, self.keyspace)
        except errors.InvalidRequest as error:
            raise InvalidRequest(error.message) from error
        columns = [ColumnMetadata(spec.keyspace, spec.table, spec.name, driver_type(spec)) for spec in plan.variables]
        return PreparedStatement(columns, statement_id, None, text, self.keyspace, PROTOCOL, None, None)

    def execute(self, query: Any, values: Any = None, execution_profile: Any = None, **_: Any) -> Answer:
        if isinstance(query, PreparedStatement):
            query = query.bind(values or ())
        options = QueryOptions(LOCAL_QUORUM, LOCAL_SERIAL, keyspace=self.keyspace)
        try:
            if isinstance(query, BatchStatement):
                steps = [(self.prepared.get(each), bound) for _, each, bound in query._statements_and_parameters]
                result = execute_batch(steps, "UNLOGGED", self._context((), options))
            elif isinstance(query, BoundStatement):
                options.consistency = query.consistency_level or LOCAL_QUORUM
                plan = self.prepared.get(query.prepared_statement.query_id)
                result = plan.execute(self._context(query.values, options))
            else:
                text = str(query) if values is None else bind_params(str(query), values, Encoder())
                result = self.prepared.text(text, self.keyspace).execute(self._context((), options))
        except errors.InvalidRequest as error:
            raise InvalidRequest(error.message) from error
        if isinstance(result, SetKeyspace):
            self.keyspace = result.keyspace
        return Answer(result, as_dicts=execution_profile is dict_factory)

    def execute_async(self, query: Any, values: Any = None, **options: Any) -> SimpleNamespace:
        answer = self.execute(query, values, **options)
        return SimpleNamespace(result=lambda: answer)

    def execution_profile_clone_update(self, profile: Any, row_factory: Any = None, **_: Any) -> Any:
        return row_factory

    def _context(self, values: Sequence[Any], options: QueryOptions) -> Context:
        micros = self.engine.clock.micros()
        return Context(self.engine, values, options, micros, self.engine.clock.unique_micros(), micros // 1_000_000)


class Answer(list):
    """A result's rows, as named tuples or as dicts."""

    def __init__(self, result: Result, as_dicts: bool = False):
        super().__init__()
        if isinstance(result, Rows):
            names = tuple(spec.name for spec in result.columns)
            types = [driver_type(spec) for spec in result.columns]
            make = (lambda *values: dict(zip(names, values, strict=True))) if as_dicts else row_class(names)
            for row in result.rows:
                self.append(make(*(kind.from_binary(data, PROTOCOL) for kind, data in zip(types, row, strict=True))))

    def one(self) -> Any:
        return self[0] if self else None


@cache
def row_class(names: tuple[str, ...]) -> type:
    """As the driver names them: [applied] becomes applied."""
    clean = ["".join(sign if sign.isalnum() else "_" for sign in name).strip("_") for name in names]
    return namedtuple("Row", clean, rename=True)


def driver_type(spec: Any) -> Any:
    return _driver_type(spec.type.name)


@cache
def _driver_type(name: str) -> Any:
    if name.startswith("frozen<"):
        return _driver_type(name[7:-1])
    if name.startswith("list<"):
        return cqltypes.ListType.apply_parameters([_driver_type(name[5:-1])])
    return NATIVE[name]
