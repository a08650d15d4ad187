"""One relation of a WHERE clause, checked against the table and with its right side made ready: a ``Predicate``.

What the relations together may and may not ask for is in ``restrictions``; here each one stands alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from .. import types
from ..cql import ast
from ..errors import InvalidRequest
from ..quoting import identifier
from ..request import Context
from ..schema import CLUSTERING, Column, ColumnSpec, Table
from ..terms import receivers
from ..terms.compile import Variables, compile_term, required
from ..terms.fitting import check_literal, text_of
from ..types import CqlType

SLICES = ("<", "<=", ">", ">=")

ON_COLUMN, ON_TUPLE, ON_TOKEN = "column", "tuple", "token"

Side = Callable[[Context], Any]  # of a relation, made ready: what it gives in an execution


@dataclass(slots=True)
class Predicate:
    """``on``: a column, a tuple of clustering columns or the partition key's token; ``operator`` as in ast.Relation,
    but that an IN of one value has become =.

    ``value(context)`` gives the right side: bytes; for IN a list of values; for tuples a list of fields in place of
    bytes; None for null. ``subscript(context)`` gives the key of ``column[key]``. ``variable`` is the index of the bind
    marker, if the right side is just one. ``clustering_bound``: a slice in stored order, not in the values'.
    """

    on: str
    columns: tuple[Column, ...]
    operator: str
    value: Side
    text: str
    subscript: Side | None = None
    variable: int | None = None
    clustering_bound: bool = False

    @property
    def column(self) -> Column:
        return self.columns[0]

    @property
    def is_slice(self) -> bool:
        return self.operator in SLICES

    @property
    def is_equality(self) -> bool:
        return self.operator == "="

    @property
    def is_in(self) -> bool:
        return self.operator == "IN"

    @property
    def always_filters(self) -> bool:
        """Whether this relation can only be answered by looking at each value."""
        return self.operator in ("CONTAINS", "CONTAINS KEY", "LIKE", "NOT IN") or self.subscript is not None


class UnrecognizedName(InvalidRequest):
    """A column that the table has not; SELECT looks whether it is one of its aliases."""

    def __init__(self, name: str):
        super().__init__(f"Unrecognized name {name}")
        self.name = name


def find_column(table: Table, name: str) -> Column:
    """The column of that name; ``UnrecognizedName`` if there is none."""
    column = table.columns.get(name)
    if column is None:
        raise UnrecognizedName(name)
    return column


def prepare_relation(relation: ast.Relation, table: Table, variables: Variables) -> Predicate:
    """Check one relation and compile its values. InvalidRequest with the database's text if it cannot be."""
    _check_operator(relation)
    left = relation.left
    if isinstance(left, ast.TokenOf):
        return _on_token(left, relation, table, variables)
    if isinstance(left, ast.ColumnTuple):
        return _on_tuple(left, relation, table, variables)
    if isinstance(left, ast.Subscript):
        return _on_element(left, relation, table, variables)
    return _on_column(left, relation, table, variables)


# ---------------------------------------------------------------- the three left sides


def _on_column(left: ast.ColumnRef, relation: ast.Relation, table: Table, variables: Variables) -> Predicate:
    column = find_column(table, left.name)
    operator, cql_type = relation.operator, column.type
    spec = table.spec(column)
    check_order(spec, operator)
    if operator == "IS NOT NULL":
        return Predicate(ON_COLUMN, (column,), operator, lambda context: None, relation_text(relation))
    if operator == "CONTAINS":
        if not cql_type.is_collection:
            raise InvalidRequest(f'Cannot use CONTAINS on non-collection column "{column.name}"')
        spec = receivers.value_of(spec)
    elif operator == "CONTAINS KEY":
        if cql_type.family != "map":
            raise InvalidRequest(f"Cannot use CONTAINS KEY on non-map column {column.name}")
        spec = receivers.key_of(spec)
    elif operator == "LIKE" and cql_type not in (types.TEXT, types.ASCII):
        raise InvalidRequest(f"LIKE is allowed only on string types, which {column.name} is not")
    operator, value = _right_side(relation, spec._replace(type=spec.type.freeze()), variables, table)
    if cql_type.is_collection and cql_type.is_multicell and operator not in ("CONTAINS", "CONTAINS KEY"):
        raise InvalidRequest(
            f"Collection column '{column.name}' ({cql_type.name}) cannot be restricted by a "
            f"'{relation.operator}' relation"
        )
    return _predicate(ON_COLUMN, (column,), operator, value, relation)


def _on_element(left: ast.Subscript, relation: ast.Relation, table: Table, variables: Variables) -> Predicate:
    column = find_column(table, left.column)
    cql_type, found = column.type, receivers.key_and_element(table.spec(column))
    if found is None or isinstance(cql_type, types.SetType):
        raise InvalidRequest(f"Column {column.name} is not a map/list, cannot be subscripted")
    key, element = found
    check_order(element, relation.operator)
    subscript = _checked(compile_term(left.key, key, variables, table))
    operator, value = _right_side(relation, element, variables, table)
    if not cql_type.is_multicell:
        what = "Map-entry" if cql_type.family == "map" else "List element"
        raise InvalidRequest(
            f"{what} equality predicates on frozen {cql_type.family} column {column.name} are not supported"
        )
    if operator != "=":
        raise InvalidRequest("Only EQ relations are supported on map/list entries")
    return Predicate(ON_COLUMN, (column,), operator, value, relation_text(relation), subscript=subscript)


def _on_tuple(left: ast.ColumnTuple, relation: ast.Relation, table: Table, variables: Variables) -> Predicate:
    columns = tuple(find_column(table, name) for name in left.columns)
    types_of = [c.type.freeze() for c in columns]
    name = f"({','.join(left.columns)})"
    spec = ColumnSpec(table.keyspace, table.name, name, types.TupleType(types_of))
    operator, value = _tuple_right_side(relation, spec, variables, table)
    for expected, column in enumerate(columns):
        if column.role != CLUSTERING:
            raise InvalidRequest(
                f"Multi-column relations can only be applied to clustering columns but was applied to: {column.name}"
            )
        if column.position != expected:
            if expected == 0:
                raise InvalidRequest(
                    "Clustering columns may not be skipped in multi-column relations. "
                    "They should appear in the PRIMARY KEY order"
                )
            raise InvalidRequest("Clustering columns must appear in the PRIMARY KEY order in multi-column relations")
    return Predicate(
        ON_TUPLE, columns, operator, value, relation_text(relation), clustering_bound=relation.clustering_bound
    )


def _on_token(left: ast.TokenOf, relation: ast.Relation, table: Table, variables: Variables) -> Predicate:
    columns = tuple(find_column(table, name) for name in left.columns)
    if len(columns) != len(table.partition_key):
        raise InvalidRequest(
            "Invalid number of arguments in call to function system.token: "
            f"{len(table.partition_key)} required but {len(columns)} provided"
        )
    if len(set(columns)) < len(columns):
        raise InvalidRequest("The token() function contains duplicate partition key components")
    if columns != table.partition_key:
        order = ", ".join(c.name for c in table.partition_key)
        raise InvalidRequest(f"The token function arguments must be in the partition key order: {order}")
    spec = ColumnSpec(table.keyspace, table.name, "partition key token", types.BIGINT)
    operator, value = _right_side(relation, spec, variables, table)
    return Predicate(ON_TOKEN, columns, operator, value, relation_text(relation))


# ---------------------------------------------------------------- right sides


def _right_side(relation: ast.Relation, spec: ColumnSpec, variables: Variables, table: Table) -> tuple[str, Side]:
    """The operator (IN of one value is =) and the closure that gives bytes, or for IN and NOT IN a list of bytes."""
    operator = relation.operator
    if operator not in ("IN", "NOT IN"):
        return operator, _checked(compile_term(relation.right, spec, variables, table))
    many = receivers.many_of(spec, operator)
    gather = _without_nulls if operator == "IN" else _null_if_any
    if not isinstance(relation.right, tuple):
        whole = _checked(compile_term(relation.right, many, variables, table, to_compare=True))
        return operator, _split_list(whole, many.type, gather)
    check_literal(ast.ListLiteral(relation.right), many, table)
    one = receivers.item_of(many, spec)
    items = [_checked(compile_term(term, one, variables, table)) for term in relation.right]
    if len(items) == 1 and operator == "IN":
        return "=", items[0]
    return operator, lambda context: gather([item(context) for item in items])


def _tuple_right_side(relation: ast.Relation, spec: ColumnSpec, variables: Variables, table: Table) -> tuple[str, Side]:
    """Like ``_right_side``, with lists of fields where it has bytes."""
    if relation.operator != "IN":
        return relation.operator, _fields(relation.right, spec, variables, table)
    many = receivers.many_of(spec, "IN")
    if not isinstance(relation.right, tuple):
        whole = _checked(compile_term(relation.right, many, variables, table, to_compare=True))
        split = _split_list(whole, many.type, _without_nulls)

        def split_twice(context: Context) -> list[list[bytes | None]] | None:
            tuples = split(context)
            return None if tuples is None else [spec.type.split(t) for t in tuples]

        return "IN", split_twice
    check_literal(ast.ListLiteral(relation.right), many, table)
    one = receivers.item_of(many, spec)
    items = [_fields(term, one, variables, table) for term in relation.right]
    if len(items) == 1:
        return "=", items[0]
    return "IN", lambda context: _without_nulls([item(context) for item in items])


def _fields(term: ast.Term, spec: ColumnSpec, variables: Variables, table: Table) -> Side:
    """The fields of a tuple of values: one by one if they are written out, else of the bound tuple."""
    types_of = spec.type.types
    if isinstance(term, ast.TupleLiteral):
        if len(term.items) != len(types_of):
            raise InvalidRequest(
                f"Expected {len(types_of)} elements in value tuple, but got {len(term.items)}: {text_of(term)}"
            )
        parts = [
            _checked(compile_term(item, receivers.field_of(spec, i), variables, table))
            for i, item in enumerate(term.items)
        ]
        return lambda context: [part(context) for part in parts]
    whole = _checked(compile_term(term, spec, variables, table))

    def fields(context: Context) -> list[bytes | None] | None:
        data = whole(context)
        return None if data is None else spec.type.split(data)

    return fields


def _split_list(whole: Side, cql_type: CqlType, gather: Callable[[list], list | None]) -> Side:
    def values(context: Context) -> list[bytes] | None:
        data = whole(context)
        return None if data is None else gather(cql_type.split(data))

    return values


def _without_nulls(values: list[Any]) -> list[Any]:
    """The values of an IN: nothing is equal to null, so it may as well be left out."""
    return [value for value in values if value is not None]


def _null_if_any(values: list[Any]) -> list[Any] | None:
    """The values of a NOT IN: of nothing can be said that it is other than null."""
    return None if None in values else values


def _checked(term: Any) -> Side:
    """The same term, but unset is refused: a condition cannot be left out by leaving out its value."""
    if term.variable is None:
        return term
    value: Any = partial(required, term)
    value.variable = term.variable
    return value


def _predicate(on: str, columns: tuple[Column, ...], operator: str, value: Side, relation: ast.Relation) -> Predicate:
    variable = getattr(value, "variable", None)
    return Predicate(on, columns, operator, value, relation_text(relation), variable=variable)


# ---------------------------------------------------------------- checks and texts


def check_order(spec: ColumnSpec, operator: str) -> None:
    """Refuse to ask which of two durations is longer."""
    if operator in SLICES and types.holds_duration(spec.type):
        raise InvalidRequest(f"Duration type is unordered for {spec.name}")


def _check_operator(relation: ast.Relation) -> None:
    operator, left = relation.operator, relation.left
    if operator == "!=":
        raise InvalidRequest(f'Unsupported "{operator}" relation: {relation_text(relation)}')
    if operator == "IS NOT":
        raise InvalidRequest(
            "IS NOT NULL is the only expression that is allowed when using IS NOT. "
            f"Invalid binary operator: {relation_text(relation)}"
        )
    if isinstance(left, ast.ColumnTuple):
        if operator in ("CONTAINS", "CONTAINS KEY", "LIKE", "NOT IN"):
            raise InvalidRequest(f"{operator.replace(' ', '_')} cannot be used for Multi-column relations")
        if operator == "IS NOT NULL":
            raise InvalidRequest("IS NOT only supports single column")
    if isinstance(left, ast.TokenOf) and operator in ("IN", "NOT IN", "LIKE", "CONTAINS", "CONTAINS KEY"):
        raise InvalidRequest(f"{operator} cannot be used with the token function")


def relation_text(relation: ast.Relation) -> str:
    """A relation as error texts print it."""
    left = relation.left
    if isinstance(left, ast.TokenOf):
        name = f"token({', '.join(map(identifier, left.columns))})"
    elif isinstance(left, ast.ColumnTuple):
        name = f"({', '.join(map(identifier, left.columns))})"
    else:
        name = text_of(left)
    if relation.operator == "IS NOT NULL":
        return f"{name} IS NOT null"
    right = relation.right
    shown = f"({', '.join(map(text_of, right))})" if isinstance(right, tuple) else text_of(right)
    return f"{name} {relation.operator} {shown}"
