"""Which terms fit which types: CQL's rules of assignment, without looking at the values themselves.

A string constant fits a text or a timestamp, say; whether it spells a timestamp is seen when it is converted.
"""

from __future__ import annotations

from typing import Any

from ..cql import ast
from ..errors import InvalidRequest
from ..schema import ColumnSpec, Table
from ..types import (
    ASCII,
    BIGINT,
    BLOB,
    BOOLEAN,
    COUNTER,
    DATE,
    DECIMAL,
    DOUBLE,
    DURATION,
    FLOAT,
    INET,
    INT,
    SMALLINT,
    TEXT,
    TIME,
    TIMESTAMP,
    TIMEUUID,
    TINYINT,
    UUID,
    VARINT,
    CqlType,
    TupleType,
    UserType,
    VectorType,
    parse_type,
)
from . import aggregates, functions
from .functions import Fit, fit_of_type

# By kind of constant: its name in messages, and the types that it may be.
_CONSTANTS: dict[str, tuple[str, tuple[CqlType, ...]]] = {
    "string": ("STRING", (ASCII, TEXT, INET, TIMESTAMP, DATE, TIME)),
    "integer": (
        "INTEGER",
        (BIGINT, COUNTER, DECIMAL, DOUBLE, FLOAT, INT, SMALLINT, TIMESTAMP, DATE, TINYINT, VARINT),
    ),
    "uuid": ("UUID", (UUID, TIMEUUID)),
    "float": ("FLOAT", (DECIMAL, DOUBLE, FLOAT)),
    "boolean": ("BOOLEAN", (BOOLEAN,)),
    "hex": ("HEX", (BLOB,)),
    "duration": ("DURATION", (DURATION,)),
}


def kind_of(term: ast.Literal) -> str:
    """What messages call a constant: STRING, INTEGER …."""
    return _CONSTANTS[term.kind][0] if term.kind != "null" else "NULL"


def fit(term: ast.Term, type: CqlType, table: Table | None) -> Fit:
    """How a term fits a type. ``table`` is what columns and ``token(…)`` in it refer to."""
    if isinstance(term, ast.Literal):
        return _fit_of_constant(term, type)
    if isinstance(term, ast.ListLiteral):
        return _fit_of_elements(term.items, type.element, table) if type.family in ("list", "vector") else Fit.NOT
    if isinstance(term, ast.SetLiteral):
        if type.family == "map" and not term.items:
            return Fit.WEAK  # {} is the empty map too
        return _fit_of_elements(term.items, type.element, table) if type.family == "set" else Fit.NOT
    if isinstance(term, ast.MapLiteral):
        return _fit_of_map(term, type, table)
    if isinstance(term, ast.TupleLiteral):
        return _fit_of_tuple(term, type, table)
    if isinstance(term, ast.TypeHint):
        return fit_of_type(parse_type(term.type), type)
    if isinstance(term, ast.FunctionCall):
        return _fit_of_call(term, type, table)
    if isinstance(term, ast.BindMarker):
        return Fit.WEAK
    if isinstance(term, ast.UserTypeLiteral):
        return _fit_of_fields(term, type, table)
    known = infer(term, table)
    return Fit.NOT if known is None else fit_of_type(known, type)


def _fit_of_constant(term: ast.Literal, type: CqlType) -> Fit:
    if term.kind == "null":
        return Fit.NOT if type is COUNTER else Fit.WEAK
    if type.is_collection or type.family == "vector":
        return Fit.NOT
    if type is DURATION and term.kind == "duration":
        return Fit.EXACT
    if type.family != "native":
        return Fit.WEAK  # a tuple in its old form: a string with colons
    return Fit.WEAK if type in _CONSTANTS[term.kind][1] else Fit.NOT


def _fit_of_elements(items: tuple[ast.Term, ...], type: CqlType, table: Table | None) -> Fit:
    # Nothing says what an empty collection is of.
    return min((fit(item, type, table) for item in items), default=Fit.WEAK)


def _fit_of_map(term: ast.MapLiteral, type: CqlType, table: Table | None) -> Fit:
    if type.family != "map":
        return Fit.NOT
    return min(min(fit(key, type.key, table), fit(value, type.value, table)) for key, value in term.items)


def _fit_of_tuple(term: ast.TupleLiteral, type: CqlType, table: Table | None) -> Fit:
    if not isinstance(type, TupleType) or len(term.items) > len(type.types):
        return Fit.NOT
    fits = (fit(item, cql_type, table) for item, cql_type in zip(term.items, type.types, strict=False))
    return Fit.NOT if Fit.NOT in fits else Fit.WEAK


def _fit_of_fields(term: ast.UserTypeLiteral, type: CqlType, table: Table | None) -> Fit:
    if not isinstance(type, UserType):
        return Fit.NOT
    # A field that the type has not gets a sentence of its own when the literal is compiled.
    types_of = dict(zip(type.fields, type.types, strict=True))
    fits = (fit(value, types_of[name], table) for name, value in term.fields if name in types_of)
    return Fit.NOT if Fit.NOT in fits else Fit.WEAK


def _fit_of_call(term: ast.FunctionCall, type: CqlType, table: Table | None) -> Fit:
    try:
        returned = infer(term, table)
    except InvalidRequest:
        return Fit.WEAK  # compiling the call will say better what is wrong with it
    return Fit.WEAK if returned is None else fit_of_type(returned, type)


def infer(term: ast.Term, table: Table | None) -> CqlType | None:
    """The type that a term has by itself; None if only its place can tell (constants, bind markers …)."""
    if isinstance(term, ast.TypeHint | ast.Cast):
        return parse_type(term.type)
    if isinstance(term, ast.ColumnRef):
        column = table.columns.get(term.name) if table is not None else None
        return None if column is None else column.type
    if isinstance(term, ast.FunctionCall):
        if aggregates.is_aggregate(term.name):
            argument = infer(term.arguments[0], table) if term.arguments else None
            return aggregates.resolve(term.name, argument).return_type
        arguments = [TermArgument(argument, table) for argument in term.arguments]
        function = functions.find(term.name, arguments, table)
        return None if function is None else function.return_type
    if isinstance(term, ast.FieldRef):
        whole = infer(term.term, table)
        number = whole.number_of(term.field) if isinstance(whole, UserType) else None
        return None if number is None else whole.types[number]
    if isinstance(term, ast.TupleLiteral):
        types = [infer(item, table) for item in term.items]
        return None if None in types else TupleType(types)  # type: ignore[arg-type]
    return None


def field_of_type(term: ast.FieldRef, whole: CqlType) -> tuple[UserType, int]:
    """The type that a field is selected of, which must be ``whole``, and which of its fields it is."""
    shown = text_of(term.term)
    if not isinstance(whole, UserType):
        raise InvalidRequest(f"Invalid field selection: {shown} of type {whole.name} is not a user type")
    number = whole.number_of(term.field)
    if number is None:
        raise InvalidRequest(f"{shown} of type {whole.name} has no field {term.field}")
    return whole, number


class TermArgument:
    """A term as the argument of a function that is still to be chosen."""

    def __init__(self, term: ast.Term, table: Table | None):
        self.text = text_of(term)
        self._term, self._table = term, table

    @property
    def type(self) -> CqlType | None:
        return infer(self._term, self._table)

    def fit(self, type: CqlType) -> Fit:
        return fit(self._term, type, self._table)


# ---------------------------------------------------------------- literals of collections, tuples, user-defined types


def check_literal(term: Any, receiver: ColumnSpec, table: Table | None) -> None:
    """InvalidRequest, with ScyllaDB's words, unless a literal that has parts fits the receiver."""
    if isinstance(term, ast.TupleLiteral):
        _check_tuple(term, receiver, table)
    elif isinstance(term, ast.UserTypeLiteral):
        _check_fields(term, receiver, table)
    elif isinstance(term, ast.MapLiteral):
        _check_map(term, receiver, table)
    elif isinstance(term, ast.ListLiteral) and isinstance(receiver.type, VectorType):
        _check_vector(term, receiver, receiver.type, table)
    else:
        _check_elements(term, receiver, table)


def _check_elements(term: Any, receiver: ColumnSpec, table: Table | None) -> None:
    family = "list" if isinstance(term, ast.ListLiteral) else "set"
    type = receiver.type
    if type.family != family:
        if family == "set" and type.family == "map" and not term.items:
            return
        raise InvalidRequest(f"Invalid {family} literal for {receiver.name} of type {type.name}")
    for item in term.items:
        if fit(item, type.element, table) is Fit.NOT:
            raise InvalidRequest(
                f"Invalid {family} literal for {receiver.name}: "
                f"value {text_of(item)} is not of type {type.element.name}"
            )


def _check_vector(term: ast.ListLiteral, receiver: ColumnSpec, type: VectorType, table: Table | None) -> None:
    if len(term.items) != type.dimension:
        raise InvalidRequest(
            f"Invalid vector literal for {receiver.name}: type {type.name} expects {type.dimension} elements "
            f"but got {len(term.items)}"
        )
    for item in term.items:
        if fit(item, type.element, table) is Fit.NOT:
            raise InvalidRequest(
                f"Invalid vector literal for {receiver.name}: value {text_of(item)} is not of type {type.element.name}"
            )


def _check_map(term: ast.MapLiteral, receiver: ColumnSpec, table: Table | None) -> None:
    type = receiver.type
    if type.family != "map":
        raise InvalidRequest(f"Invalid map literal for {receiver.name} of type {type.name}")
    for key, value in term.items:
        for what, part, wanted in (("key", key, type.key), ("value", value, type.value)):
            if fit(part, wanted, table) is Fit.NOT:
                raise InvalidRequest(
                    f"Invalid map literal for {receiver.name}: {what} {text_of(part)} is not of type {wanted.name}"
                )


def _check_tuple(term: ast.TupleLiteral, receiver: ColumnSpec, table: Table | None) -> None:
    type = receiver.type
    if not isinstance(type, TupleType):
        raise InvalidRequest(f"Invalid tuple type literal for {receiver.name} of type {type.name}")
    for index, item in enumerate(term.items):
        if index >= len(type.types):
            raise InvalidRequest(
                f"Invalid tuple literal for {receiver.name}: too many elements. "
                f"Type {type.name} expects {len(type.types)} but got {len(term.items)}"
            )
        if fit(item, type.types[index], table) is Fit.NOT:
            raise InvalidRequest(
                f"Invalid tuple literal for {receiver.name}: component {index} is not of type {type.types[index].name}"
            )


def _check_fields(term: ast.UserTypeLiteral, receiver: ColumnSpec, table: Table | None) -> None:
    type = receiver.type
    if not isinstance(type, UserType):
        raise InvalidRequest(f"Invalid user type literal for {receiver.name} of type {type.name}")
    given = dict(term.fields)
    for name, cql_type in zip(type.fields, type.types, strict=True):
        if name in given and fit(given[name], cql_type, table) is Fit.NOT:
            raise InvalidRequest(
                f"Invalid user type literal for {receiver.name}: field {name} is not of type {cql_type.name}"
            )
    for name in given:
        if name not in type.fields:
            raise InvalidRequest(f"Unknown field '{name}' in value of user defined type {type.type_name}")


# ---------------------------------------------------------------- terms as text


def text_of(term: ast.Term) -> str:
    """A term as messages show it."""
    if isinstance(term, ast.Literal):
        return f"'{term.text}'" if term.kind == "string" else term.text
    if isinstance(term, ast.BindMarker):
        return "?"
    if isinstance(term, ast.ListLiteral):
        return f"[{_joined(term.items)}]"
    if isinstance(term, ast.SetLiteral):
        return "{" + _joined(term.items) + "}"
    if isinstance(term, ast.MapLiteral):
        return "{" + ", ".join(f"{text_of(k)}:{text_of(v)}" for k, v in term.items) + "}"
    if isinstance(term, ast.UserTypeLiteral):
        return "{" + ", ".join(f"{name}:{text_of(v)}" for name, v in term.fields) + "}"
    if isinstance(term, ast.TupleLiteral):
        return f"({_joined(term.items)})"
    if isinstance(term, ast.FunctionCall):
        return f"{term.name}({'*' if term.star else _joined(term.arguments)})"
    if isinstance(term, ast.TypeHint):
        return f"({parse_type(term.type).name}) {text_of(term.term)}"
    if isinstance(term, ast.Cast):
        return f"({text_of(term.term)} AS {parse_type(term.type).name})"
    if isinstance(term, ast.ColumnRef):
        return term.name
    if isinstance(term, ast.Subscript):
        return f"{term.column}[{text_of(term.key)}]"
    if isinstance(term, ast.Element):
        return f"{text_of(term.term)}[{text_of(term.key)}]"
    if isinstance(term, ast.FieldRef):
        return f"{text_of(term.term)}.{term.field}"
    return f"{term.what}({text_of(term.target)})"


def _joined(items: tuple[ast.Term, ...]) -> str:
    return ", ".join(text_of(item) for item in items)
