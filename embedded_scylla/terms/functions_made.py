"""Functions that are made for the types of their arguments: set_intersection() and the similarities of vectors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..errors import InvalidRequest
from ..types import FLOAT, CqlType, SetType, VectorType
from .functions import Argument, Fit, ScalarFunction, check_arguments

if TYPE_CHECKING:
    from ..request import Context

Arguments = Sequence[bytes | None]


def make(name: str, arguments: Sequence[Argument]) -> ScalarFunction:
    """The function of that name (one of ``functions.MADE``) for these arguments, or InvalidRequest."""
    return _set_intersection(arguments) if name == "set_intersection" else _similarity(name, arguments)


# ---------------------------------------------------------------- sets


def _set_intersection(arguments: Sequence[Argument]) -> ScalarFunction:
    known = next((a.type for a in arguments if a.type is not None), None)
    if known is None:
        raise InvalidRequest("set_intersection() function is only valid when argument types are known")
    if not isinstance(known, SetType):
        text = next(a.text for a in arguments if a.type is known)
        raise InvalidRequest(
            f"Type error: {text} cannot be passed as argument 0 of function system.set_intersection of type set"
        )
    # A set that is stored element by element and one that is stored whole are read as the same bytes.
    alike = (known, known.freeze(), known.thaw())
    types = [a.type if a.type in alike else known for a in arguments]
    made = ScalarFunction("set_intersection", (*types, known, known)[:2], known, _common_elements(known))
    return check_arguments(made, arguments)


def _common_elements(type: SetType) -> Callable[[Arguments, Context], bytes | None]:
    order = type.element.order

    def call(arguments: Arguments, context: Context) -> bytes | None:
        one, other = arguments
        if one is None or other is None:
            return None
        wanted = {order(element) for element in type.split(other)}
        return type.join([element for element in type.split(one) if order(element) in wanted])

    return call


# ---------------------------------------------------------------- vectors


def _cosine(one: list[float], other: list[float]) -> float:
    norms = math.sqrt(_dot(one, one) * _dot(other, other))
    if not norms:
        raise InvalidRequest("Function system.similarity_cosine doesn't support all-zero vectors")
    return (1 + _dot(one, other) / norms) / 2


def _euclidean(one: list[float], other: list[float]) -> float:
    return 1 / (1 + sum((a - b) * (a - b) for a, b in zip(one, other, strict=True)))


def _dot_product(one: list[float], other: list[float]) -> float:
    return (1 + _dot(one, other)) / 2


def _dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


_SIMILARITIES = {
    "similarity_cosine": _cosine,
    "similarity_euclidean": _euclidean,
    "similarity_dot_product": _dot_product,
}


def _similarity(name: str, arguments: Sequence[Argument]) -> ScalarFunction:
    called = f"system.{name}"
    signature = f"function {called}(vector<float, n>, vector<float, n>)"
    if len(arguments) != 2:
        raise InvalidRequest(f"Invalid number of arguments for {signature}")
    found = [a.type for a in arguments]
    for argument, type in zip(arguments, found, strict=True):
        if type is not None and not _is_float_vector(type):
            raise InvalidRequest(
                f"Function {called} requires a float vector argument, but found {argument.text} of type {type.name}"
            )
    dimensions = [type.dimension for type in found if isinstance(type, VectorType)]
    if not dimensions:
        raise InvalidRequest(f"Cannot infer type of argument {arguments[0].text} for {signature}")
    if dimensions[0] != dimensions[-1]:
        raise InvalidRequest(
            "All arguments must have the same vector dimensions, but found "
            f"vector<float, {dimensions[0]}> and vector<float, {dimensions[1]}>"
        )
    vector = VectorType(FLOAT, dimensions[0])
    for argument in arguments:
        if argument.fit(vector) is Fit.NOT:
            raise InvalidRequest(f"Function {called} requires a float vector argument, but found {argument.text}")
    score = _SIMILARITIES[name]

    def call(given: Arguments, context: Context) -> bytes | None:
        one, other = given
        if one is None or other is None:
            return None
        return FLOAT.encode(score(vector.decode(one), vector.decode(other)))

    return ScalarFunction(name, (vector, vector), FLOAT, call)


def _is_float_vector(type: CqlType) -> bool:
    return isinstance(type, VectorType) and type.element is FLOAT
