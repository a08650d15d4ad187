"""CQL's scalar functions: which there are, and which of them a call means.

Functions are found by name and arguments. An argument says how well it fits a type (``Fit``): a function is
chosen when it is the only one that all arguments fit, or when they fit it exactly. ``casts`` has CAST(x AS
type).
"""

from __future__ import annotations

import enum
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..cql.ast import Name
from ..errors import InvalidRequest
from ..release import DEFAULT, Release
from ..types import BIGINT, BLOB, COUNTER, DATE, NATIVE, TEXT, TIME, TIMESTAMP, TIMEUUID, UUID, CqlType, MarshalError
from . import functions_json as json
from . import functions_time as time

if TYPE_CHECKING:
    from ..request import Context
    from ..schema import ColumnSpec, Table

Body = Callable[[Sequence[bytes | None], "Context"], bytes | None]


class Fit(enum.IntEnum):
    """How a term fits a type: not at all, by conversion or by luck, or exactly."""

    NOT = 0
    WEAK = 1
    EXACT = 2


class Argument(Protocol):
    """What the choice of a function needs to know of an argument; ``text`` is how messages show it, ``type`` is its
    own, or None where only its place can tell."""

    text: str

    @property
    def type(self) -> CqlType | None: ...

    def fit(self, type: CqlType) -> Fit: ...


@dataclass(frozen=True, slots=True)
class TypedArgument:
    """An argument whose type is known (a column, say); None for one that may be anything."""

    type: CqlType | None
    text: str = "?"

    def fit(self, type: CqlType) -> Fit:
        if self.type is None:
            return Fit.WEAK
        return fit_of_type(self.type, type)


def fit_of_type(given: CqlType, wanted: CqlType) -> Fit:
    """How a value of type ``given`` fits where ``wanted`` is wanted."""
    if given is wanted:
        return Fit.EXACT
    return Fit.WEAK if wanted.accepts_value_of(given) else Fit.NOT


@dataclass(frozen=True, slots=True)
class ScalarFunction:
    """``name`` is lower-case and without the keyspace, which is always system. ``pure``: the same arguments
    always give the same result. ``call(arguments, context)`` takes and gives wire bytes, None for null."""

    name: str
    argument_types: tuple[CqlType, ...]
    return_type: CqlType
    call: Body
    pure: bool = True

    @property
    def full_name(self) -> str:
        return f"system.{self.name}"

    @property
    def signature(self) -> str:
        """As error messages show it: ``system.todate : (timeuuid) -> date``."""
        arguments = ", ".join(t.name for t in self.argument_types)
        return f"{self.full_name} : ({arguments}) -> {self.return_type.name}"


def _of_one(convert: Callable[[bytes], bytes]) -> Body:
    """A function of one argument that gives null for null, and for CQL's empty value."""

    def call(arguments: Sequence[bytes | None], context: Context) -> bytes | None:
        return convert(arguments[0]) if arguments[0] else None

    return call


def _same(arguments: Sequence[bytes | None], context: Context) -> bytes | None:
    return arguments[0]


def _from_blob(name: str, type: CqlType) -> Body:
    def call(arguments: Sequence[bytes | None], context: Context) -> bytes | None:
        value = arguments[0]
        if value is not None:
            try:
                type.validate(value)
            except MarshalError:
                raise InvalidRequest(
                    f"In call to function system.{name}, value 0x{value.hex()} "
                    f"is not a valid binary representation for type {type.name}"
                ) from None
        return value

    return call


def _random_uuid(arguments: Sequence[bytes | None], context: Context) -> bytes:
    number = secrets.randbits(128) & ~(0xF << 76) & ~(0x3 << 62)
    return (number | 0x4 << 76 | 0x2 << 62).to_bytes(16, "big")


def _declare() -> dict[str, list[ScalarFunction]]:
    found: dict[str, list[ScalarFunction]] = {}

    def add(name: str, arguments: list[CqlType], returns: CqlType, call: Body, pure: bool = True) -> None:
        found.setdefault(name, []).append(ScalarFunction(name, tuple(arguments), returns, call, pure))

    add("now", [], TIMEUUID, time.now, pure=False)
    add("currenttimeuuid", [], TIMEUUID, time.now, pure=False)
    add("currenttimestamp", [], TIMESTAMP, time.current_timestamp, pure=False)
    add("currentdate", [], DATE, time.current_date, pure=False)
    add("currenttime", [], TIME, time.current_time, pure=False)
    add("uuid", [], UUID, _random_uuid, pure=False)
    add("mintimeuuid", [TIMESTAMP], TIMEUUID, _of_one(time.timestamp_to_min_timeuuid))
    add("maxtimeuuid", [TIMESTAMP], TIMEUUID, _of_one(time.timestamp_to_max_timeuuid))
    add("dateof", [TIMEUUID], TIMESTAMP, _of_one(time.timeuuid_to_timestamp))
    add("unixtimestampof", [TIMEUUID], BIGINT, _of_one(time.timeuuid_to_bigint))
    add("todate", [TIMEUUID], DATE, _of_one(time.timeuuid_to_date))
    add("todate", [TIMESTAMP], DATE, _of_one(time.timestamp_to_date))
    add("totimestamp", [TIMEUUID], TIMESTAMP, _of_one(time.timeuuid_to_timestamp))
    add("totimestamp", [DATE], TIMESTAMP, _of_one(time.date_to_timestamp))
    add("tounixtimestamp", [TIMEUUID], BIGINT, _of_one(time.timeuuid_to_bigint))
    add("tounixtimestamp", [TIMESTAMP], BIGINT, _of_one(time.timestamp_to_bigint))
    add("tounixtimestamp", [DATE], BIGINT, _of_one(time.date_to_timestamp))
    for name, type in [*NATIVE.items(), ("varchar", TEXT)]:
        if type is not BLOB and type is not COUNTER:
            add(f"{name}asblob", [type], BLOB, _same)
            add(f"blobas{name}", [BLOB], type, _from_blob(f"blobas{name}", type))
    return found


_FUNCTIONS = _declare()
# Functions that few ask for are declared when somebody does.
MADE = frozenset(("set_intersection", "similarity_cosine", "similarity_euclidean", "similarity_dot_product"))
MATH = frozenset(("abs", "exp", "log", "log10", "round"))


def token_of(table: Table) -> ScalarFunction:
    """The function ``token``, whose arguments are the partition key columns of ``table``."""
    from ..storage import keys  # it knows rows, which know types: needed for this one function only

    def call(arguments: Sequence[bytes | None], context: Context) -> bytes | None:
        if None in arguments:
            raise InvalidRequest("Invalid null value in the arguments of function token")
        return BIGINT.encode(keys.token(table, tuple(arguments)))  # type: ignore[arg-type]

    return ScalarFunction("token", tuple(c.type for c in table.partition_key), BIGINT, call)


def _to_json(arguments: Sequence[Argument]) -> ScalarFunction:
    if len(arguments) != 1:
        raise InvalidRequest("toJson() accepts 1 argument only")
    type = arguments[0].type
    if type is None:
        raise InvalidRequest("toJson() is only valid when its argument type is known")
    return ScalarFunction("tojson", (type,), TEXT, json.to_json(type))


def _from_json(arguments: Sequence[Argument], receiver: ColumnSpec | None) -> ScalarFunction:
    if len(arguments) != 1:
        raise InvalidRequest("fromJson() accepts 1 argument only")
    if receiver is None:
        raise InvalidRequest("fromJson() can only be called if receiver type is known")
    type = receiver.type
    return check_arguments(
        ScalarFunction("fromjson", (TEXT,), type, json.from_json(type, receiver.keyspace)), arguments
    )


def find(
    name: Name,
    arguments: Sequence[Argument],
    table: Table | None = None,
    receiver: ColumnSpec | None = None,
    release: Release = DEFAULT,
) -> ScalarFunction | None:
    """The scalar function that this call means; None if none has this name.

    InvalidRequest if no function of the name takes such arguments, or several do. ``table`` is the statement's:
    ``token`` depends on it. ``receiver``: what gets the result, where that is known: ``fromJson`` depends on it.
    ``release``: whose functions there are.
    """
    lower = name.name.lower()
    if name.keyspace not in (None, "system"):
        return None
    if lower == "token":
        if table is None:
            raise InvalidRequest("functions::get for token doesn't have a known column family")
        return check_arguments(token_of(table), arguments)
    if lower == "tojson":
        return _to_json(arguments)
    if lower == "fromjson":
        return _from_json(arguments, receiver)
    if lower in MADE:
        from . import functions_made

        return functions_made.make(lower, arguments)
    candidates = _FUNCTIONS.get(lower)
    if lower in MATH and release.math_functions:
        from . import functions_math

        candidates = functions_math.FUNCTIONS[lower]
    if candidates is None:
        return None
    if len(candidates) == 1:
        return check_arguments(candidates[0], arguments)
    return choose(str(name).lower(), candidates, arguments)


def choose(name: str, candidates: Sequence[ScalarFunction], arguments: Sequence[Argument]) -> ScalarFunction:
    """The one of several functions that fits the arguments (anything with argument_types and signature)."""
    compatible = []
    for candidate in candidates:
        fit = _fit_of_all(candidate, arguments)
        if fit is Fit.EXACT:
            return candidate
        if fit is Fit.WEAK:
            compatible.append(candidate)
    if not compatible:
        known = ", ".join(c.signature for c in candidates)
        raise InvalidRequest(
            f"Invalid call to function {name}, none of its type signatures match (known type signatures: {known})"
        )
    if len(compatible) > 1:
        matching = ", ".join(c.signature for c in compatible)
        raise InvalidRequest(
            f"Ambiguous call to function {name} (can be matched by following signatures: {matching}): "
            "use type casts to disambiguate"
        )
    return compatible[0]


def _fit_of_all(function: ScalarFunction, arguments: Sequence[Argument]) -> Fit:
    if len(arguments) != len(function.argument_types):
        return Fit.NOT
    return min(
        (argument.fit(type) for argument, type in zip(arguments, function.argument_types, strict=True)),
        default=Fit.EXACT,
    )


def check_arguments(function: ScalarFunction, arguments: Sequence[Argument]) -> ScalarFunction:
    """The function, if its arguments fit it; InvalidRequest if not."""
    if len(arguments) != len(function.argument_types):
        raise InvalidRequest(
            f"Invalid number of arguments in call to function {function.full_name}: "
            f"{len(function.argument_types)} required but {len(arguments)} provided"
        )
    for index, (argument, type) in enumerate(zip(arguments, function.argument_types, strict=True)):
        if argument.fit(type) is Fit.NOT:
            raise InvalidRequest(
                f"Type error: {argument.text} cannot be passed as argument {index} "
                f"of function {function.full_name} of type {type.name}"
            )
    return function


def unknown_function(name: Name) -> InvalidRequest:
    """The error for a name that no function has."""
    return InvalidRequest(f"Unknown function {name} called")
