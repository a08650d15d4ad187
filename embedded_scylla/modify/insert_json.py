"""INSERT … JSON: the row's columns are the members of a JSON object.

Names in the document are in lower case unless they stand in quotes of their own. A column that it does not name becomes
null, or keeps what it has with DEFAULT UNSET. Static columns are not written: ScyllaDB passes over them.
"""

from __future__ import annotations

from ..cql import ast
from ..errors import InvalidRequest
from ..request import UNSET, Context
from ..schema import Column, ColumnSpec, Schema, Table
from ..terms.compile import Value, Variables, compile_term, computed, required
from ..types import TEXT
from ..types.json_parser import parse
from ..types.json_text import wrong_kind
from .assignments import put_value
from .insert import InsertPlan, compile_if
from .using import UsingClause

Members = dict[str, bytes | None]


def plan_insert_json(
    statement: ast.Insert, document: ast.Term, table: Table, variables: Variables, schema: Schema
) -> InsertPlan:
    """Check an INSERT JSON and compile it. What is wrong with the document itself is found at execution."""
    if table.is_counter:
        counter = (*table.regulars, *table.statics)[0]
        raise InvalidRequest(f"Cannot set the value of counter column {counter.name} in JSON")
    receiver = ColumnSpec(table.keyspace, table.name, "", TEXT)
    source = _Document(table, compile_term(document, receiver, variables, table, "VALUES clause"))
    using = UsingClause.of_table(statement.using, table, variables)
    conditions = compile_if(statement, table, variables, schema, bool(table.clustering))
    otherwise = UNSET if statement.json_default_unset else None
    operations = [put_value(column, _member(source, column, otherwise)) for column in table.regulars]
    partition = [_key_member(source, column) for column in table.partition_key]
    clustering = [_key_member(source, column) for column in table.clustering]
    return InsertPlan(table, variables, using, operations, conditions, partition, clustering)


class _Document:
    """The members of the document, by column, as wire bytes; read once for all columns of an execution."""

    def __init__(self, table: Table, text: Value):
        self._columns = table.columns
        self._text = text
        self._read: tuple[bytes, Members] | None = None

    def members(self, context: Context) -> Members:
        data = required(self._text, context)
        if data is None:
            raise InvalidRequest("Got null for INSERT JSON values")
        if self._read is None or self._read[0] != data:
            self._read = data, self._decode(data.decode())
        return self._read[1]

    def _decode(self, text: str) -> Members:
        document = parse(text)
        if not isinstance(document, dict):
            raise wrong_kind("Object")
        given: dict[str, object] = {}
        for name, value in document.items():
            given.setdefault(_column_name(name), value)
        members: Members = {}
        for name, column in self._columns.items():
            if name in given:
                value = given.pop(name)
                members[name] = None if value is None else column.type.from_json(value)
        if given:
            raise InvalidRequest(f"JSON values map contains unrecognized column: {next(iter(given))}")
        return members


def _column_name(name: str) -> str:
    if len(name) > 1 and name[0] == name[-1] == '"':
        return name[1:-1]
    return "".join(c.lower() if c.isascii() else c for c in name)


def _member(source: _Document, column: Column, otherwise: object) -> Value:
    name = column.name
    return computed(lambda context: source.members(context).get(name, otherwise))


def _key_member(source: _Document, column: Column) -> Value:
    name = column.name

    def run(context: Context) -> bytes:
        value = source.members(context).get(name)
        if value is None:
            raise InvalidRequest(f"Missing mandatory PRIMARY KEY part {name}")
        return value

    return computed(run)
