"""The IF clause of a lightweight transaction: EXISTS, NOT EXISTS, or conditions on columns.

Null is a value like any other here: ``IF c = null`` holds when there is none, ``c != 1`` too; only < <= > >= cannot
be asked of null. An empty non-frozen collection is null, an empty frozen one is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..cql import ast
from ..errors import InvalidRequest
from ..request import Context
from ..schema import STATIC, Column, ColumnSpec, Table
from ..storage.rows import Row, read_cell
from ..terms import receivers
from ..terms.compile import Value, Variables, compile_term, required
from ..types import ASCII, TEXT, CqlType, SetType
from ..where.like import like
from ..where.matching import COMPARE
from ..where.relations import check_order, find_column


class OldRow:
    """A row as a transaction finds it, with the partition's static columns; either may be missing."""

    __slots__ = ("_now", "_row", "_static")

    def __init__(self, row: Row | None, static: Row | None, now: int):
        self._row, self._static, self._now = row, static, now

    def value(self, column: Column) -> bytes | None:
        """What a regular or static column holds."""
        row = self._static if column.role == STATIC else self._row
        return None if row is None else read_cell(row, column, self._now)

    def has_static(self, table: Table) -> bool:
        """Whether any static column has a value."""
        return self._static is not None and any(self.value(column) is not None for column in table.statics)


Check = Callable[[OldRow | None, Context], bool]


class Conditions:
    """``exists``: True for IF EXISTS, False for IF NOT EXISTS, None for conditions on columns.

    ``on_static_columns``/``on_regular_columns``: what it has to look at; for EXISTS that is known only once the
    WHERE clause is: ``resolve_existence``.
    """

    def __init__(self, exists: bool | None, columns: Sequence[Column] = (), checks: Sequence[Check] = ()):
        self.exists = exists
        self._columns = {column.name for column in columns}
        self._checks = checks
        self.on_static_columns = any(c.role == STATIC for c in columns)
        self.on_regular_columns = any(c.role != STATIC for c in columns)

    @property
    def on_static_only(self) -> bool:
        return self.on_static_columns and not self.on_regular_columns

    def resolve_existence(self, table: Table, names_clustering: bool) -> None:
        """EXISTS asks for the static row when the statement names no clustering column, else for the row."""
        if self.exists is not None:
            self.on_static_columns = bool(table.statics) and not names_clustering
            self.on_regular_columns = not self.on_static_columns

    def result_columns(self, table: Table) -> list[Column]:
        """The columns that the answer shows beside [applied]: all for EXISTS, else those of the conditions."""
        if self.exists is not None:
            return list(table.columns.values())
        return [column for column in table.columns.values() if column.name in self._columns]

    def hold(self, table: Table, old: OldRow | None, context: Context) -> bool:
        """Whether the transaction may go ahead, given the row that it found."""
        if old is not None and self.on_static_only and not old.has_static(table):
            old = None
        if self.exists is not None:
            return (old is not None) is self.exists
        return all(check(old, context) for check in self._checks)


def compile_conditions(
    table: Table,
    relations: Sequence[ast.Relation],
    variables: Variables,
    if_exists: bool = False,
    if_not_exists: bool = False,
) -> Conditions | None:
    """The IF clause, or None if there is none. InvalidRequest with ScyllaDB's text for what cannot be asked."""
    if if_exists or if_not_exists:
        return Conditions(if_exists)
    if not relations:
        return None
    compiled = [_compile(table, relation, variables) for relation in relations]
    return Conditions(None, [column for column, _ in compiled], [check for _, check in compiled])


def _compile(table: Table, relation: ast.Relation, variables: Variables) -> tuple[Column, Check]:
    left = relation.left
    if isinstance(left, ast.Subscript):
        column = find_column(table, left.column)
        spec, read = _element(table, column, left.key, variables)
    else:
        assert isinstance(left, ast.ColumnRef)
        column = find_column(table, left.name)
        spec = table.spec(column)
        read = _whole(column)
    test = _test(relation, spec, variables)
    if column.is_primary_key:
        raise InvalidRequest(f"PRIMARY KEY column '{column.name}' cannot have IF conditions")

    def check(old: OldRow | None, context: Context) -> bool:
        return test(None if old is None else read(old, context), context)

    return column, check


# ---------------------------------------------------------------- left sides

ReadOld = Callable[[OldRow, Context], "bytes | None"]


def _whole(column: Column) -> ReadOld:
    return lambda old, context: old.value(column)


def _element(table: Table, column: Column, key_term: ast.Term, variables: Variables) -> tuple[ColumnSpec, ReadOld]:
    """``column[key]``: the receiver of what it is compared with, and how it is read."""
    found = receivers.key_and_element(table.spec(column), index="index")
    if found is None or isinstance(column.type, SetType):
        raise InvalidRequest(f"Column {column.name} is not a map/list, cannot be subscripted")
    of_key, of_element = found
    key = compile_term(key_term, of_key, variables)

    def read(old: OldRow, context: Context) -> bytes | None:
        data, wanted = old.value(column), required(key, context)
        return None if data is None or wanted is None else receivers.element_at(column.type, data, wanted)

    return of_element, read


# ---------------------------------------------------------------- operators

Test = Callable[["bytes | None", Context], bool]


def _test(relation: ast.Relation, spec: ColumnSpec, variables: Variables) -> Test:
    operator = relation.operator
    check_order(spec, operator)
    if operator in ("IN", "NOT IN"):
        return _membership(relation, spec, variables)
    value = _compile_value(relation.right, spec, variables)
    if operator == "LIKE":
        return _likeness(spec, value)
    order = spec.type.order
    if operator in ("=", "!="):
        positive = operator == "="

        def equals(data: bytes | None, context: Context) -> bool:
            wanted = _comparable(spec.type, value, context)
            if data is None or wanted is None:
                return (data is None and wanted is None) is positive
            return (order(data) == order(wanted)) is positive

        return equals
    if operator not in COMPARE:
        raise InvalidRequest(f"Unsupported operator type {operator} in a condition ")
    compare = COMPARE[operator]

    def compares(data: bytes | None, context: Context) -> bool:
        bound = _comparable(spec.type, value, context)
        if bound is None:
            raise InvalidRequest(f'Invalid comparison with null for operator "{operator}"')
        return data is not None and compare(order(data), order(bound))

    return compares


def _compile_value(term: ast.Term, spec: ColumnSpec, variables: Variables) -> Value:
    """The right side. Unlike a list that is stored, one to compare with may hold nulls, as that of an IN may."""
    has_null = isinstance(term, ast.ListLiteral) and any(getattr(item, "kind", "") == "null" for item in term.items)
    return compile_term(term, spec, variables, clause="IF clause", to_compare=has_null)


def _likeness(spec: ColumnSpec, pattern: Value) -> Test:
    if spec.type not in (TEXT, ASCII):
        raise InvalidRequest(f"LIKE is allowed only on string types, which {spec.name} is not")
    fixed = like(pattern.constant) if pattern.is_constant and pattern.constant is not None else None

    def matches(data: bytes | None, context: Context) -> bool:
        if fixed is not None:
            return data is not None and fixed(data)
        wanted = required(pattern, context)
        if wanted is None:
            raise InvalidRequest("Invalid NULL value in LIKE pattern")
        return data is not None and like(wanted)(data)

    return matches


def _membership(relation: ast.Relation, spec: ColumnSpec, variables: Variables) -> Test:
    positive = relation.operator == "IN"
    cql_type = spec.type
    if isinstance(relation.right, tuple):
        items = [_compile_value(term, spec, variables) for term in relation.right]

        def members(context: Context) -> list[bytes | None]:
            return [_comparable(cql_type, item, context) for item in items]
    else:
        many = receivers.many_of(spec, relation.operator)
        whole = compile_term(relation.right, many, variables, to_compare=True)

        def members(context: Context) -> list[bytes | None]:
            data = required(whole, context)
            return [] if data is None else [_or_null(cql_type, item) for item in receivers.parts_of(many.type, data)]

    def is_member(data: bytes | None, context: Context) -> bool:
        keys = {None if item is None else cql_type.order(item) for item in members(context)}
        return ((None if data is None else cql_type.order(data)) in keys) is positive

    return is_member


def _comparable(cql_type: CqlType, term: Value, context: Context) -> bytes | None:
    return _or_null(cql_type, required(term, context))


def _or_null(cql_type: CqlType, data: bytes | None) -> bytes | None:
    return None if data is not None and receivers.is_nothing(cql_type, data) else data
