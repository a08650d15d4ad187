"""Tests of values: what filtering looks at, row by row. Comparisons with null are never true."""

from __future__ import annotations

import operator as op
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .. import types
from ..request import Context
from ..schema import CLUSTERING, PARTITION_KEY, Column, Table
from ..storage.rows import Collection, Key, Row, cell_value, live, live_elements, read_cell
from ..types import CqlType
from .like import like

if TYPE_CHECKING:
    from .relations import Predicate

Test = Callable[[Key, Row | None], bool]
ValueTest = Callable[[bytes | None], bool]
ReadColumn = Callable[[Key, Row | None], bytes | None]

COMPARE = {"<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge, "=": op.eq}

# Types whose equal values have equal bytes; 1.0 and 1.00 are the same decimal.
_ONE_FORM = {
    types.ASCII, types.TEXT, types.BLOB, types.BIGINT, types.INT, types.SMALLINT, types.TINYINT,
    types.UUID, types.TIMEUUID, types.TIMESTAMP, types.DATE, types.TIME, types.INET,
}  # fmt: skip


def never(key: Key, row: Row | None) -> bool:
    """The test that nothing passes."""
    return False


def reader(table: Table, column: Column, now: int) -> ReadColumn:
    """How to read a column of a row; the key is the partition's. A missing row has nulls."""
    position = column.position
    if column.role == PARTITION_KEY:
        return lambda key, row: key[position]
    if column.role == CLUSTERING:
        return lambda key, row: None if row is None else row.key[position]
    return lambda key, row: None if row is None else read_cell(row, column, now)


def compile_tests(table: Table, predicates: Sequence[Predicate], context: Context) -> Test | None:
    """One test that all predicates pass, with this execution's values; None if there is nothing to test."""
    tests = [_compile(table, predicate, context) for predicate in predicates]
    if not tests:
        return None
    if len(tests) == 1:
        return tests[0]
    return lambda key, row: all(test(key, row) for test in tests)


def _compile(table: Table, p: Predicate, context: Context) -> Test:
    column, cql_type, now = p.column, p.column.type, context.now
    if p.subscript is not None:
        return _element_test(p, context)
    value = p.value(context)
    if value is None:
        return never
    if p.operator == "CONTAINS" or p.operator == "CONTAINS KEY":
        return _contains_test(table, p, value, now)
    test = value_test(cql_type, p.operator, value)
    read = reader(table, column, now)
    return lambda key, row: test(read(key, row))


def value_test(cql_type: CqlType, operator: str, value: bytes | list[bytes]) -> ValueTest:
    """A test of one value: = < <= > >= LIKE against ``value``, IN and NOT IN against a list of values."""
    order = cql_type.order
    if operator == "LIKE":
        matches = like(value)
        return lambda data: data is not None and matches(data)
    if operator in ("IN", "NOT IN"):
        listed, inside = {order(v) for v in value}, operator == "IN"
        return lambda data: data is not None and (order(data) in listed) == inside
    if operator == "=" and cql_type in _ONE_FORM:
        return lambda data: data == value
    bound, compare = order(value), COMPARE[operator]
    return lambda data: data is not None and compare(order(data), bound)


def _contains_test(table: Table, p: Predicate, value: bytes, now: int) -> Test:
    column, cql_type = p.column, p.column.type
    by_key = p.operator == "CONTAINS KEY"
    element = cql_type.key if by_key else cql_type.value if cql_type.family == "map" else cql_type.element
    wanted = element.order(value)
    order = element.order
    if cql_type.is_multicell:
        # A set's elements are its keys; a map's and a list's are the cells' values.
        keys = by_key or cql_type.family == "set"

        def test(key: Key, row: Row | None) -> bool:
            collection = row.cells.get(column.name) if row is not None else None
            if not isinstance(collection, Collection):
                return False
            return any(
                order(name if keys else cell[1]) == wanted
                for name, cell in collection.elements.items()
                if live(cell, now)
            )

        return test
    read = reader(table, column, now)
    side = 0 if by_key else 1

    def test_frozen(key: Key, row: Row | None) -> bool:
        data = read(key, row)
        if data is None:
            return False
        parts = cql_type.split(data)
        return any(order(part[side] if cql_type.family == "map" else part) == wanted for part in parts)

    return test_frozen


def _element_test(p: Predicate, context: Context) -> Test:
    column, cql_type, now = p.column, p.column.type, context.now
    subscript, value = p.subscript(context), p.value(context)
    if subscript is None or value is None:
        return never
    test = value_test(cql_type.value if cql_type.family == "map" else cql_type.element, p.operator, value)

    def test_element(key: Key, row: Row | None) -> bool:
        collection = row.cells.get(column.name) if row is not None else None
        return isinstance(collection, Collection) and test(element_value(collection, cql_type, subscript, now))

    return test_element


def element_value(collection: Collection, cql_type: CqlType, subscript: bytes, now: int) -> bytes | None:
    """``collection[subscript]``: of a map by key, of a list by its index (an int's bytes); None if it is not there."""
    if cql_type.family == "list":
        found = live_elements(collection, cql_type, now)
        index = int.from_bytes(subscript, "big", signed=True)
        return found[index][1][1] if 0 <= index < len(found) else None
    cell = collection.elements.get(subscript)
    if cell is None:
        wanted = cql_type.key.order(subscript)
        cell = next((c for k, c in collection.elements.items() if cql_type.key.order(k) == wanted), None)
    return None if cell is None else cell_value(cell, now)
