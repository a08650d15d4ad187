"""The selectors of a SELECT: what is read of each row (sources), and what is made of it (the result's columns).

A row that was read is a *record*: a list with one value (wire bytes or None) for each source. A plain ``SELECT a, b``
only picks from it; functions, casts and subscripts are closures over it; aggregates first take in all records, then
their results are appended to the first record, and the closures run once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import types
from ..cql import ast
from ..errors import InvalidRequest
from ..limits import MOST_SELECTORS
from ..quoting import identifier
from ..request import Context
from ..schema import CLUSTERING, PARTITION_KEY, STATIC, Column, ColumnSpec, Table
from ..storage.rows import Collection, Key, Row, live, read_cell
from ..terms import aggregates, functions, receivers
from ..terms.casts import cast
from ..terms.compile import Value, Variables, compile_term, required
from ..terms.fitting import TermArgument, field_of_type, text_of
from ..terms.functions import TypedArgument
from ..types import CqlType
from ..types.user import field_key
from ..where.relations import find_column

Record = list[bytes | None]
Evaluate = Callable[[Record, Context], bytes | None]
ReadSource = Callable[[Key, Row | None, Row | None, Context], bytes | None]


@dataclass(slots=True)
class Source:
    """One thing read of each row: a column's value, or (``what`` is 'writetime' or 'ttl') what its cell says of
    itself; ``element`` gives the key of the collection's element that is meant, if one is."""

    column: Column
    what: str = "value"
    element: Evaluate | None = None

    @property
    def is_plain(self) -> bool:
        """A value that is one cell, or part of the key."""
        return self.what == "value" and not self.column.type.is_multicell

    def reader(self) -> ReadSource:
        """A function of (partition key, row, static row, context); a missing row has nulls."""
        column, name, position = self.column, self.column.name, self.column.position
        if column.role == PARTITION_KEY:
            return lambda key, row, static, context: key[position]
        if column.role == CLUSTERING:
            return lambda key, row, static, context: None if row is None else row.key[position]
        of_static = column.role == STATIC
        if self.what == "value":

            def read(key: Key, row: Row | None, static: Row | None, context: Context) -> bytes | None:
                row = static if of_static else row
                return None if row is None else read_cell(row, column, context.now)

            return read
        show = _written_at if self.what == "writetime" else _left_to_live
        element = self.element

        def read_attribute(key: Key, row: Row | None, static: Row | None, context: Context) -> bytes | None:
            row = static if of_static else row
            cell = None if row is None else row.cells.get(name)
            if isinstance(cell, Collection):
                subscript = element([], context) if element is not None else None
                cell = None if subscript is None else cell.elements.get(subscript)
            return show(cell, context.now) if cell is not None and live(cell, context.now) else None

        return read_attribute


def _written_at(cell: tuple, now: int) -> bytes:
    return cell[0].to_bytes(8, "big", signed=True)


def _left_to_live(cell: tuple, now: int) -> bytes | None:
    return (cell[2] - now).to_bytes(4, "big") if cell[2] else None


@dataclass(slots=True)
class Expression:
    """A selector made ready. ``name``: what the result calls it. ``pick``: the source it is, if it is just one."""

    type: CqlType
    evaluate: Evaluate
    name: str
    pick: int | None = None


@dataclass(slots=True)
class Accumulation:
    """An aggregate of the statement with its arguments."""

    aggregate: aggregates.Aggregate
    arguments: list[Evaluate]


@dataclass(slots=True)
class Selection:
    """``columns``: the result's. ``picks``: the source of each, when nothing is computed; else None. ``wildcard``:
    SELECT *. ``accumulations``: the aggregates; any makes one row of all."""

    columns: list[ColumnSpec]
    sources: list[Source]
    expressions: list[Expression]
    accumulations: list[Accumulation] = field(default_factory=list)
    wildcard: bool = False

    @property
    def is_aggregate(self) -> bool:
        """Whether all rows become one."""
        return bool(self.accumulations)

    @property
    def counts_rows_only(self) -> bool:
        """Whether all that is asked for is the number of rows."""
        return self.is_aggregate and not self.sources and not any(a.arguments for a in self.accumulations)

    @property
    def picks(self) -> list[int] | None:
        if self.is_aggregate or any(e.pick is None for e in self.expressions):
            return None
        return [e.pick for e in self.expressions]

    @property
    def read_columns(self) -> list[Column]:
        """The columns that are looked at."""
        return [source.column for source in self.sources]

    @property
    def only_static(self) -> bool:
        """Whether static columns, and beside them only the partition key, are selected."""
        roles = {column.role for column in self.read_columns}
        return not self.wildcard and STATIC in roles and roles <= {STATIC, PARTITION_KEY}

    def evaluate(self, record: Record, context: Context) -> list[bytes | None]:
        """The result's row for a record (for aggregates: with their results appended)."""
        return [expression.evaluate(record, context) for expression in self.expressions]

    def start(self) -> list[Any]:
        return [a.aggregate.start() for a in self.accumulations]

    def add(self, states: list[Any], record: Record, context: Context) -> None:
        """Let the aggregates take in one row."""
        for i, a in enumerate(self.accumulations):
            states[i] = a.aggregate.add(states[i], [argument(record, context) for argument in a.arguments])

    def count(self, rows: int) -> list[Any]:
        """What the states are after so many rows, if rows are all that is counted."""
        return [rows] * len(self.accumulations)

    def finish(self, states: list[Any], first: Record | None, context: Context) -> list[bytes | None]:
        """The one row that the aggregates make; ``first`` is the first record, None if there was no row."""
        record = list(first) if first is not None else [None] * len(self.sources)
        record += [a.aggregate.finish(s) for a, s in zip(self.accumulations, states, strict=True)]
        return self.evaluate(record, context)


def select_all(table: Table) -> Selection:
    """SELECT *: every column, in the schema's order."""
    columns = list(table.columns.values())
    expressions = [_pick(i, column) for i, column in enumerate(columns)]
    return Selection([table.spec(c) for c in columns], [Source(c) for c in columns], expressions, wildcard=True)


def plan_selection(selectors: Sequence[ast.Selector] | None, table: Table, variables: Variables) -> Selection:
    """Check the selectors and make them ready. InvalidRequest with the database's text for what cannot be selected."""
    if selectors is None:
        return select_all(table)
    if len(selectors) > MOST_SELECTORS:
        raise InvalidRequest(f"A SELECT may have {MOST_SELECTORS:,} selectors, and this one has {len(selectors):,}.")
    compiler = _Compiler(table, variables)
    expressions = [compiler.compile(selector.term) for selector in selectors]
    columns = [
        ColumnSpec(table.keyspace, table.name, selector.alias or expression.name, expression.type)
        for selector, expression in zip(selectors, expressions, strict=True)
    ]
    return Selection(columns, compiler.sources, expressions, compiler.accumulations)


def _nth(index: int) -> Evaluate:
    return lambda record, context: record[index]


def _pick(index: int, column: Column) -> Expression:
    return Expression(column.type, _nth(index), column.name, index)


class _Compiler:
    """Turns the selectors' terms into expressions, and collects the sources and aggregates that they need."""

    def __init__(self, table: Table, variables: Variables):
        self.table = table
        self.variables = variables
        self.sources: list[Source] = []
        self.accumulations: list[Accumulation] = []
        self._in_aggregate = False

    def compile(self, term: ast.Term) -> Expression:
        match term:
            case ast.ColumnRef(name):
                return self._column(find_column(self.table, name))
            case ast.Subscript(name, key):
                column = find_column(self.table, name)
                return self._element(self._column(column), self.table.spec(column), key)
            case ast.Element(inner, key):
                whole = self.compile(inner)
                spec = ColumnSpec(self.table.keyspace, self.table.name, whole.name, whole.type)
                return self._element(whole, spec, key)
            case ast.WritetimeOrTtl():
                return self._attribute(term)
            case ast.Cast():
                return self._cast(term)
            case ast.FunctionCall():
                return self._call(term)
            case ast.TypeHint(type_name, inner):
                cql_type = types.parse_type(type_name)
                if _is_value(inner):
                    return self._value(inner, cql_type, text_of(inner))
                inner_expression = self.compile(inner)
                if not cql_type.accepts_value_of(inner_expression.type):
                    raise InvalidRequest(
                        f"Cannot assign value {text_of(inner)} to {text_of(term)} of type {cql_type.name}"
                    )
                return Expression(cql_type, inner_expression.evaluate, f"({cql_type.name}) {inner_expression.name}")
            case ast.FieldRef():
                return self._field(term)
        raise InvalidRequest(f"Could not infer type of {text_of(term)}")

    # ------------------------------------------------------------ columns

    def _column(self, column: Column) -> Expression:
        for index, source in enumerate(self.sources):
            if source.what == "value" and source.column is column:
                return _pick(index, column)
        self.sources.append(Source(column))
        return _pick(len(self.sources) - 1, column)

    def _subscript(self, spec: ColumnSpec, key: ast.Term) -> tuple[CqlType, Evaluate, str]:
        """The type of an element of ``spec``, the element's key, and the key as the result's metadata shows it."""
        found = receivers.key_and_element(spec)
        if found is None:
            raise InvalidRequest(f"Column {spec.name} is not a map/set/list, cannot be subscripted")
        key_spec, element = found
        value = compile_term(key, key_spec, self.variables, self.table)
        shown = text_of(key)
        if value.is_constant and value.constant is not None:
            shown = key_spec.type.to_text(value.constant)
        return element.type, _of_context(value), shown

    def _element(self, whole: Expression, spec: ColumnSpec, term: ast.Term) -> Expression:
        """One element of a collection; ``spec`` is what names the collection to clients."""
        element, key, shown = self._subscript(spec, term)
        cql_type = spec.type

        def evaluate(record: Record, context: Context) -> bytes | None:
            data, wanted = whole.evaluate(record, context), key(record, context)
            return None if data is None or wanted is None else receivers.element_at(cql_type, data, wanted)

        return Expression(element, evaluate, f"{spec.name}[{shown}]")

    def _field(self, term: ast.FieldRef) -> Expression:
        """One field of a value of a user-defined type."""
        whole = self.compile(term.term)
        cql_type, number = field_of_type(term, whole.type)

        def evaluate(record: Record, context: Context) -> bytes | None:
            data = whole.evaluate(record, context)
            return None if data is None else cql_type.split(data)[number]

        return Expression(cql_type.types[number], evaluate, f"{whole.name}.{term.field}")

    def _field_attribute(self, what: str, column: Column, target: ast.FieldRef) -> Evaluate:
        """The key of the field whose cell is asked for."""
        key = field_key(field_of_type(target, column.type)[1])
        if column.is_primary_key:
            raise InvalidRequest(f"{what} is not legal on primary key component {column.name}")
        if not column.type.is_multicell:
            raise InvalidRequest(f"{what} on a field selection is only valid for non-frozen UDT columns")
        return lambda record, context: key

    def _attribute(self, term: ast.WritetimeOrTtl) -> Expression:
        what, target = term.what.upper(), term.target
        element: Evaluate | None = None
        if isinstance(target, ast.FieldRef):
            column = find_column(self.table, target.term.name)
            element = self._field_attribute(what, column, target)
            return self._cell_attribute(term, column, element, f"{column.name}.{target.field}")
        column = find_column(self.table, target.column if isinstance(target, ast.Subscript) else target.name)
        name = column.name
        if isinstance(target, ast.Subscript):
            _, element, shown = self._subscript(self.table.spec(column), target.key)
            if column.is_primary_key:
                raise InvalidRequest(f"{what} is not legal on primary key component {column.name}")
            if not column.type.is_multicell or column.type.family == "list":
                raise InvalidRequest(f"{what} on a subscript is only valid for non-frozen map or set columns")
            name = f"{name}[{shown}]"
        elif column.type.is_multicell:
            raise InvalidRequest(f"{what} expects an atomic column, but {identifier(name)} is a non-frozen collection")
        if column.is_primary_key:
            raise InvalidRequest(f"{what} is not legal on partition key component {identifier(column.name)}")
        return self._cell_attribute(term, column, element, name)

    def _cell_attribute(
        self, term: ast.WritetimeOrTtl, column: Column, element: Evaluate | None, name: str
    ) -> Expression:
        cql_type = types.BIGINT if term.what == "writetime" else types.INT
        self.sources.append(Source(column, term.what, element))
        index = len(self.sources) - 1
        return Expression(cql_type, _nth(index), f"{term.what}({name})", index)

    # ------------------------------------------------------------ computed

    def _cast(self, term: ast.Cast) -> Expression:
        inner = self.compile(term.term)
        cql_type = types.parse_type(term.type)
        convert = cast(inner.type, cql_type)
        return Expression(
            cql_type,
            lambda record, context: convert(inner.evaluate(record, context)),
            f"cast({inner.name} as {cql_type.name})",
        )

    def _call(self, call: ast.FunctionCall) -> Expression:
        if aggregates.is_aggregate(call.name):
            return self._aggregate(call)
        known = [None if _is_value(a) else self.compile(a) for a in call.arguments]
        offered = [
            TermArgument(a, self.table) if expression is None else TypedArgument(expression.type, text_of(a))
            for expression, a in zip(known, call.arguments, strict=True)
        ]
        function = functions.find(call.name, offered, self.table, release=self.variables.release)
        if function is None:
            raise functions.unknown_function(call.name)
        arguments = [
            expression or self._value(argument, cql_type, f"arg{i}({function.full_name})")
            for i, (expression, argument, cql_type) in enumerate(
                zip(known, call.arguments, function.argument_types, strict=True)
            )
        ]
        evaluates = [a.evaluate for a in arguments]
        run = function.call
        shown = ", ".join(a.name for a in arguments)
        return Expression(
            function.return_type,
            lambda record, context: run([e(record, context) for e in evaluates], context),
            f"{function.full_name}({shown})",
        )

    def _aggregate(self, call: ast.FunctionCall) -> Expression:
        if self._in_aggregate:
            raise InvalidRequest("SELECT clause contains aggeregation of an aggregation")
        name = call.name.name.lower()
        if call.star or name == "countrows":
            return self._final(aggregates.count_rows(), [], "count")
        if len(call.arguments) != 1:
            raise InvalidRequest(f"{name}() function requires only 1 argument")
        only = call.arguments[0]
        if name == "count" and isinstance(only, ast.Literal) and only.kind == "integer":
            if only.text != "1":
                raise InvalidRequest("count() expects a column or the literal 1 as an argument")
            return self._final(aggregates.count_rows(), [], "count")
        if _is_value(only):
            raise aggregates.refuse_untyped(call.name, TermArgument(only, self.table))
        self._in_aggregate = True
        try:
            argument = self.compile(call.arguments[0])
        finally:
            self._in_aggregate = False
        found = aggregates.resolve(call.name, argument.type, text_of(call.arguments[0]))
        return self._final(found, [argument.evaluate], f"{found.full_name}({argument.name})")

    def _final(self, found: aggregates.Aggregate, arguments: list[Evaluate], name: str) -> Expression:
        place, sources = len(self.accumulations), self.sources
        self.accumulations.append(Accumulation(found, arguments))
        # The results stand behind the sources, whose number is only known at the end.
        return Expression(found.return_type, lambda record, context: record[len(sources) + place], name)

    def _value(self, term: ast.Term, cql_type: CqlType, name: str) -> Expression:
        """A literal or bind marker where a value of ``cql_type`` is expected."""
        spec = ColumnSpec(self.table.keyspace, self.table.name, name, cql_type)
        value = compile_term(term, spec, self.variables, self.table)
        shown = text_of(term)
        if value.is_constant:
            shown = "null" if value.constant is None else cql_type.to_text(value.constant)
        return Expression(cql_type, _of_context(value), shown)


def _is_value(term: ast.Term) -> bool:
    """Whether a term has no type of its own, but takes the one that is expected."""
    return isinstance(
        term,
        ast.Literal
        | ast.BindMarker
        | ast.ListLiteral
        | ast.SetLiteral
        | ast.MapLiteral
        | ast.TupleLiteral
        | ast.UserTypeLiteral,
    )


def _of_context(value: Value) -> Evaluate:
    return lambda record, context: required(value, context)
