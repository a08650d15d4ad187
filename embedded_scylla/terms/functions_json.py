"""toJson() and fromJson(): functions made for the type of their argument or of their result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import FunctionFailure
from ..types import TEXT, CqlType, MarshalError
from ..types.json_text import JsonError

if TYPE_CHECKING:
    from ..request import Context
    from .functions import Body

Arguments = Sequence[bytes | None]


def to_json(type: CqlType) -> Body:
    """Null is JSON's null, and so never null."""

    def call(arguments: Arguments, context: Context) -> bytes:
        value = arguments[0]
        if value is None:
            return b"null"
        try:
            return type.to_json(value).encode()
        except MarshalError as error:
            raise _failed("tojson", error, type) from None

    return call


def from_json(type: CqlType, keyspace: str) -> Body:
    """Null and JSON's null are null."""
    from ..types.json_parser import parse

    def call(arguments: Arguments, context: Context) -> bytes | None:
        document = arguments[0]
        if document is None:
            return None
        try:
            value = parse(document.decode())
            return None if value is None else type.from_json(value)
        except JsonError as error:
            detail = f"Failed parsing fromJson parameter: {error.message}"
            raise FunctionFailure(detail, keyspace, "fromJson", (type.class_name,)) from None
        except MarshalError as error:
            raise _failed("fromjson", error, TEXT) from None

    return call


def _failed(name: str, error: MarshalError, argument: CqlType) -> FunctionFailure:
    detail = f"Failed execution of function system.{name}: marshal_exception ({error.message})"
    return FunctionFailure(detail, "system", name, (argument.class_name,))
