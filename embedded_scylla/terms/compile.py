"""Terms made ready: literals, bind markers and function calls become closures that give a value's wire bytes.

Whether a term fits where it stands is checked once, when the statement is planned, by ``fitting`` and with
ScyllaDB's messages; a bound value is checked on each execution.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ..cql import ast
from ..errors import InvalidRequest
from ..quoting import identifier
from ..request import UNSET, Context
from ..schema import ColumnSpec, Table
from ..types import INT, MarshalError, parse_type
from . import aggregates, functions
from .fitting import TermArgument, check_literal, fit, kind_of, text_of
from .functions import Fit, ScalarFunction

_LONGEST_KEY = 0xFFFF  # bytes of a set's element or a map's key in a literal


class Variables:
    """The bind markers of one statement. ``names`` are theirs, in order (None for ``?``).

    ``specs[i]`` says what the i-th variable is, once ``bind`` has been called for it.
    """

    def __init__(self, names: Sequence[str | None] = ()):
        self._names = tuple(names)
        self.specs: list[ColumnSpec | None] = [None] * len(self._names)

    def bind(self, marker: ast.BindMarker, spec: ColumnSpec) -> int:
        """Note what a marker stands for and give its index. InvalidRequest if a named one has another type
        already."""
        index = marker.index
        known = self.specs[index]
        if known is not None and known.type is not spec.type:
            raise InvalidRequest(
                f"variable :{self._names[index]} has type {known.type.name} which doesn't match {spec.name}"
            )
        name = self._names[index]
        self.specs[index] = spec if name is None else spec._replace(name=name)
        return index


class Value(Protocol):
    """A term made ready: called with the execution's context it gives bytes, None (null) or UNSET.

    ``is_constant``: the same each time, and then it is in ``constant``. ``variable``: the variable's index if
    the term is exactly one bind marker. UNSET comes from such a term only; deeper within a term an unset
    variable is refused.
    """

    is_constant: bool
    constant: bytes | None
    variable: int | None

    def __call__(self, context: Context) -> Any: ...


def constant(data: bytes | None) -> Value:
    """A Value that is always the same."""

    def run(context: Context) -> bytes | None:
        return data

    run.is_constant, run.constant, run.variable = True, data, None
    return run


def _computed(run: Any, variable: int | None = None) -> Value:
    run.is_constant, run.constant, run.variable = False, None, variable
    return run


def compile_term(
    term: ast.Term,
    receiver: ColumnSpec,
    variables: Variables,
    table: Table | None = None,
    clause: str = "WHERE clause",
) -> Value:
    """The term as a Value for ``receiver`` (a column, or what takes its place in messages).

    InvalidRequest if the term does not fit the receiver's type. ``table`` is what ``token(…)`` refers to.
    ``clause`` names the place for the refusal of aggregates. A collection comes as the bytes of its frozen
    form; the empty literal of a non-frozen one is null.
    """
    if isinstance(term, ast.Literal):
        return constant(_literal(term, receiver))
    if isinstance(term, ast.BindMarker):
        return _marker(variables.bind(term, receiver), receiver)
    if isinstance(term, ast.FunctionCall):
        return _call(term, receiver, variables, table, clause)
    if isinstance(term, ast.TypeHint):
        return _hinted(term, receiver, variables, table, clause)
    if isinstance(term, ast.UserTypeLiteral):
        raise InvalidRequest(f"Invalid user type literal for {receiver.name} of type {receiver.type.name}")
    if isinstance(term, ast.ListLiteral | ast.SetLiteral | ast.MapLiteral | ast.TupleLiteral):
        check_literal(term, receiver, table)
        return _composite(term, receiver, variables, table, clause)
    raise InvalidRequest(f"{text_of(term)} cannot be used as a value here")


# ---------------------------------------------------------------- constants and variables


def _literal(term: ast.Literal, receiver: ColumnSpec) -> bytes | None:
    if term.kind == "null":
        return None
    if fit(term, receiver.type, None) is Fit.NOT:
        raise InvalidRequest(
            f'Invalid {kind_of(term)} constant ({term.text}) for "{receiver.name}" of type {receiver.type.name}'
        )
    return receiver.type.from_text(term.text)


def _marker(index: int, receiver: ColumnSpec) -> Value:
    type = receiver.type
    validate, name = type.validate, receiver.name

    def check(value: bytes) -> bytes:
        try:
            validate(value)
        except MarshalError as error:
            raise InvalidRequest(f"Exception while binding column {identifier(name)}: {error.message}") from None
        return value

    def run(context: Context) -> Any:
        value = context.values[index]
        if value is None or value is UNSET:
            return value
        try:
            validate(value)
        except MarshalError:
            return check(value)
        return value

    def run_in_order(context: Context) -> Any:
        value = context.values[index]
        if value is None or value is UNSET:
            return value
        return type.canonical(check(value))

    def run_list(context: Context) -> Any:
        value = context.values[index]
        if value is None or value is UNSET:
            return value
        return _without_null(type.canonical(check(value)), receiver)

    if type.kind == "list":
        return _computed(run_list, index)
    return _computed(run_in_order if type.holds_set_or_map else run, index)


def _without_null(data: bytes, receiver: ColumnSpec) -> bytes:
    # The list of an IN may hold nulls (nothing is equal to them), a list that is stored may not.
    if not receiver.name.lower().startswith(("in(", "not in(")) and None in receiver.type.split(data):
        raise InvalidRequest("Cannot store NULL in list or set")
    return data


# ---------------------------------------------------------------- function calls and type hints


def _call(
    term: ast.FunctionCall, receiver: ColumnSpec, variables: Variables, table: Table | None, clause: str
) -> Value:
    if aggregates.is_aggregate(term.name):
        raise InvalidRequest(f"Aggregation functions are not supported in the {clause}")
    function = functions.find(term.name, [TermArgument(a, table) for a in term.arguments], table)
    if function is None:
        raise functions.unknown_function(term.name)
    if not receiver.type.accepts_value_of(function.return_type):
        raise InvalidRequest(
            f"Type error: cannot assign result of function {function.full_name} "
            f"(type {function.return_type.name}) to {receiver.name} (type {receiver.type.name})"
        )
    arguments = compile_arguments(term, function, receiver.keyspace, receiver.table, variables, table)
    if function.pure and all(a.is_constant for a in arguments):
        return constant(function.call([a.constant for a in arguments], None))  # type: ignore[arg-type]
    body = function.call

    def run(context: Context) -> bytes | None:
        return body([_set(argument, context) for argument in arguments], context)

    return _computed(run)


def compile_arguments(
    term: ast.FunctionCall,
    function: ScalarFunction,
    keyspace: str,
    table_name: str,
    variables: Variables,
    table: Table | None = None,
) -> list[Value]:
    """The arguments of a call, which must be terms (no columns), as Values for the function found for it."""
    return [
        compile_term(
            argument, ColumnSpec(keyspace, table_name, f"arg{i}({function.full_name})", type), variables, table
        )
        for i, (argument, type) in enumerate(zip(term.arguments, function.argument_types, strict=True))
    ]


def _set(value: Value, context: Context) -> bytes | None:
    """The value of a term within another one, where UNSET has no meaning."""
    data = value(context)
    if data is UNSET:
        raise InvalidRequest(f"Unexpected unset value for bind variable {value.variable}")
    return data


def _hinted(term: ast.TypeHint, receiver: ColumnSpec, variables: Variables, table: Table | None, clause: str) -> Value:
    hint = parse_type(term.type, receiver.keyspace)
    if fit(term.term, hint, table) is Fit.NOT:
        raise InvalidRequest(f"Cannot cast value {text_of(term.term)} to type {hint.name}")
    if not receiver.type.accepts_value_of(hint):
        raise InvalidRequest(f"Cannot assign value {text_of(term)} to {receiver.name} of type {receiver.type.name}")
    hinted = receiver._replace(name=f"({hint.name}){text_of(term.term)}", type=hint)
    inner = compile_term(term.term, hinted, variables, table, clause)
    if inner.is_constant:
        return inner
    return _computed(lambda context: _set(inner, context))


# ---------------------------------------------------------------- lists, sets, maps and tuples


def _composite(term: Any, receiver: ColumnSpec, variables: Variables, table: Table | None, clause: str) -> Value:
    type = receiver.type
    if not term.items:
        return constant(None if type.is_multicell else type.join([]))

    def part(item: ast.Term, part_receiver: ColumnSpec) -> Value:
        return compile_term(item, part_receiver, variables, table, clause)

    if isinstance(term, ast.MapLiteral):
        keys = [part(key, key_spec(receiver)) for key, _ in term.items]
        values = [part(value, value_spec(receiver)) for _, value in term.items]
        parts = [*keys, *values]
    elif isinstance(term, ast.TupleLiteral):
        parts = [part(item, field_spec(receiver, i)) for i, item in enumerate(term.items)]
    else:
        parts = [part(item, value_spec(receiver)) for item in term.items]
    join = _JOINS[type.kind]

    def run(context: Context) -> bytes:
        return join([_set(each, context) for each in parts], receiver)

    if all(each.is_constant for each in parts):
        return constant(join([each.constant for each in parts], receiver))
    return _computed(run)


def key_spec(column: ColumnSpec) -> ColumnSpec:
    """What a map's keys go by in messages."""
    return column._replace(name=f"key({column.name})", type=column.type.key)


def value_spec(column: ColumnSpec) -> ColumnSpec:
    """What the elements of a list or set, or the values of a map, go by in messages."""
    element = column.type.value if column.type.kind == "map" else column.type.element
    return column._replace(name=f"value({column.name})", type=element)


def index_spec(column: ColumnSpec) -> ColumnSpec:
    """What a list's indexes go by in messages."""
    return column._replace(name=f"index({column.name})", type=INT)


def field_spec(column: ColumnSpec, index: int) -> ColumnSpec:
    """What a tuple's field goes by in messages."""
    return column._replace(name=f"{column.name}[{index}]", type=column.type.types[index])


def _join_list(parts: list[bytes | None], receiver: ColumnSpec) -> bytes:
    return _without_null(receiver.type.join(parts), receiver)


def _join_set(parts: list[bytes | None], receiver: ColumnSpec) -> bytes:
    for part in parts:
        _check_key(part, "Set value is too long. Set values are limited", "value")
    return receiver.type.join(parts)


def _join_map(parts: list[bytes | None], receiver: ColumnSpec) -> bytes:
    half = len(parts) // 2
    keys, values = parts[:half], parts[half:]
    if None in values:
        raise InvalidRequest("null is not supported inside collections")
    for key in keys:
        _check_key(key, "Map key is too long. Map keys are limited", "keys")
    return receiver.type.join(zip(keys, values, strict=True))


def _join_tuple(parts: list[bytes | None], receiver: ColumnSpec) -> bytes:
    return receiver.type.join(parts)


_JOINS = {"list": _join_list, "set": _join_set, "map": _join_map, "tuple": _join_tuple}


def _check_key(data: bytes | None, complaint: str, what: str) -> None:
    if data is None:
        raise InvalidRequest("null is not supported inside collections")
    if len(data) > _LONGEST_KEY:
        raise InvalidRequest(f"{complaint} to {_LONGEST_KEY} bytes but {len(data)} bytes {what} provided")
