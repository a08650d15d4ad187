"""Terms made ready: literals, bind markers and function calls become closures that give a value's wire bytes.

Whether a term fits where it stands is checked once, when the statement is planned, by ``fitting`` and with
ScyllaDB's messages; a bound value is checked on each execution.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

from ..cql import ast
from ..errors import InvalidRequest
from ..quoting import identifier
from ..release import DEFAULT, Release
from ..request import UNSET, Context
from ..schema import ColumnSpec, Table
from ..types import BLOB, COUNTER, ListType, MapType, MarshalError, SetType, TupleType, VectorType, parse_type
from . import aggregates, functions, receivers
from .fitting import TermArgument, check_literal, fit, kind_of, text_of
from .functions import Fit, ScalarFunction

_LONGEST_KEY = 0xFFFF  # bytes of a set's element or a map's key in a literal


_UNBOUND = ColumnSpec("", "", "", BLOB)  # what a variable is before anybody knows


class Variables:
    """The bind markers of one statement. ``names`` are theirs, in order (None for ``?``). ``release``: the one whose
    functions the statement may call.

    ``specs[i]`` says what the i-th variable is, once ``bind`` has been called for it.
    """

    def __init__(self, names: Sequence[str | None] = (), release: Release = DEFAULT):
        self._names = tuple(names)
        self.release = release
        self.specs = [_UNBOUND] * len(self._names)

    def bind(self, marker: ast.BindMarker, spec: ColumnSpec) -> int:
        """Note what a marker stands for and give its index. InvalidRequest if a named one has another type
        already."""
        index = marker.index
        known = self.specs[index]
        if known is not _UNBOUND and known.type is not spec.type:
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


def computed(run: Any, variable: int | None = None) -> Value:
    """A Value that ``run`` gives for each context."""
    run.is_constant, run.constant, run.variable = False, None, variable
    return run


def compile_term(
    term: ast.Term,
    receiver: ColumnSpec,
    variables: Variables,
    table: Table | None = None,
    clause: str = "WHERE clause",
    to_compare: bool = False,
) -> Value:
    """The term as a Value for ``receiver`` (a column, or what takes its place in messages).

    InvalidRequest if the term does not fit the receiver's type. ``table`` is what ``token(…)`` refers to.
    ``clause`` names the place for the refusal of aggregates. A collection comes as the bytes of its frozen
    form; the empty literal of a non-frozen one is null. ``to_compare``: a list that is only compared with, as that
    of an IN, may hold nulls (nothing is equal to them); one that is stored may not.
    """
    if isinstance(term, ast.Literal):
        return constant(_literal(term, receiver))
    if isinstance(term, ast.BindMarker):
        return _marker(variables.bind(term, receiver), receiver, to_compare)
    if isinstance(term, ast.FunctionCall):
        return _call(term, receiver, variables, table, clause)
    if isinstance(term, ast.TypeHint):
        return _hinted(term, receiver, variables, table, clause)
    if isinstance(term, ast.ListLiteral | ast.SetLiteral | ast.MapLiteral | ast.TupleLiteral | ast.UserTypeLiteral):
        check_literal(term, receiver, table)
        return _composite(term, receiver, variables, table, clause, to_compare)
    raise InvalidRequest(f"{text_of(term)} cannot be used as a value here")


def required(term: Value, context: Context) -> bytes | None:
    """A term's value where leaving its variable unset has no meaning: within another term, in a key, in a condition."""
    data = term(context)
    if data is UNSET:
        raise InvalidRequest(f"Unexpected unset value for bind variable {term.variable}")
    return data


# ---------------------------------------------------------------- constants and variables


def _literal(term: ast.Literal, receiver: ColumnSpec) -> bytes | None:
    if term.kind == "null":
        if receiver.type is COUNTER:
            raise InvalidRequest("Invalid null value for counter increment/decrement")
        return None
    if fit(term, receiver.type, None) is Fit.NOT:
        raise InvalidRequest(
            f'Invalid {kind_of(term)} constant ({term.text}) for "{receiver.name}" of type {receiver.type.name}'
        )
    return receiver.type.from_text(term.text)


def _marker(index: int, receiver: ColumnSpec, to_compare: bool) -> Value:
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
        return _without_null(type.canonical(check(value)), type)

    if isinstance(type, ListType) and not to_compare:
        return computed(run_list, index)
    return computed(run_in_order if type.holds_set_or_map else run, index)


def _without_null(data: bytes, type: ListType) -> bytes:
    if None in type.split(data):
        raise InvalidRequest("Cannot store NULL in list or set")
    return data


# ---------------------------------------------------------------- function calls and type hints


def _call(
    term: ast.FunctionCall, receiver: ColumnSpec, variables: Variables, table: Table | None, clause: str
) -> Value:
    if aggregates.is_aggregate(term.name):
        raise InvalidRequest(f"Aggregation functions are not supported in the {clause}")
    offered = [TermArgument(a, table) for a in term.arguments]
    function = functions.find(term.name, offered, table, receiver, variables.release)
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
        return body([required(argument, context) for argument in arguments], context)

    return computed(run)


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
    return computed(partial(required, inner))


# ---------------------------------------------------------------- lists, sets, maps, tuples and user-defined types


def _composite(
    term: Any, receiver: ColumnSpec, variables: Variables, table: Table | None, clause: str, to_compare: bool
) -> Value:
    type = receiver.type

    def part(item: ast.Term, part_receiver: ColumnSpec) -> Value:
        return compile_term(item, part_receiver, variables, table, clause)

    if isinstance(term, ast.UserTypeLiteral):
        given = dict(term.fields)
        parts = [
            part(given[name], receivers.named_field_of(receiver, number)) if name in given else constant(None)
            for number, name in enumerate(type.fields)
        ]
    elif not term.items:
        return constant(None if type.is_multicell else type.join([]))
    elif isinstance(term, ast.MapLiteral):
        keys = [part(key, receivers.key_of(receiver)) for key, _ in term.items]
        values = [part(value, receivers.value_of(receiver)) for _, value in term.items]
        parts = [*keys, *values]
    elif isinstance(term, ast.TupleLiteral):
        parts = [part(item, receivers.field_of(receiver, i)) for i, item in enumerate(term.items)]
    else:
        parts = [part(item, receivers.value_of(receiver)) for item in term.items]
    join = type.join if to_compare and isinstance(type, ListType) else partial(_JOINS[type.family], type)

    def run(context: Context) -> bytes:
        return join([required(each, context) for each in parts])

    if all(each.is_constant for each in parts):
        return constant(join([each.constant for each in parts]))
    return computed(run)


def _join_list(type: ListType, parts: list[bytes | None]) -> bytes:
    return _without_null(type.join(parts), type)


def _join_set(type: SetType, parts: list[bytes | None]) -> bytes:
    for part in parts:
        _check_key(part, "Set value is too long. Set values are limited", "value")
    return type.join(parts)


def _join_map(type: MapType, parts: list[bytes | None]) -> bytes:
    half = len(parts) // 2
    keys, values = parts[:half], parts[half:]
    if None in values:
        raise InvalidRequest("null is not supported inside collections")
    for key in keys:
        _check_key(key, "Map key is too long. Map keys are limited", "keys")
    return type.join(zip(keys, values, strict=True))


def _join_tuple(type: TupleType, parts: list[bytes | None]) -> bytes:
    return type.join(parts)


def _join_vector(type: VectorType, parts: list[bytes | None]) -> bytes:
    if None in parts:
        raise InvalidRequest("null is not supported inside vectors")
    if b"" in parts:
        raise InvalidRequest("null/unset is not supported inside vectors")
    return type.join(parts)  # type: ignore[arg-type]


_JOINS = {
    "list": _join_list,
    "set": _join_set,
    "map": _join_map,
    "tuple": _join_tuple,
    "udt": _join_tuple,
    "vector": _join_vector,
}


def _check_key(data: bytes | None, complaint: str, what: str) -> None:
    if data is None:
        raise InvalidRequest("null is not supported inside collections")
    if len(data) > _LONGEST_KEY:
        raise InvalidRequest(f"{complaint} to {_LONGEST_KEY} bytes but {len(data)} bytes {what} provided")
