"""What keyspaces, tables, views and columns may be called, and the keyspace in which one is made or changed."""

from __future__ import annotations

import re

from ..errors import InvalidRequest
from ..limits import MOST_COLUMNS
from ..schema import Keyspace, Schema

MAX_LENGTH = 192
MAX_COLUMN_BYTES = 65_535  # what a [string] of the protocol can hold: a longer name could be told to nobody
_WORD = re.compile(r"\w+", re.ASCII)


def is_word(name: str) -> bool:
    return _WORD.fullmatch(name) is not None


def keyspace_to_change(schema: Schema, name: str, refusal: str = "Can't find a keyspace") -> Keyspace:
    """The keyspace of that name. InvalidRequest where there is none; statements have words of their own for it, which
    come before its name."""
    found = schema.keyspaces.get(name)
    if found is None:
        raise InvalidRequest(f"{refusal} {name}")
    return found


def check_table_name(name: str) -> None:
    if not is_word(name):
        raise InvalidRequest(f'"{name}" is not a valid table name (must be alphanumeric character only: [0-9A-Za-z]+)')
    if len(name) > MAX_LENGTH:
        raise InvalidRequest(f'Table names shouldn\'t be more than {MAX_LENGTH} characters long (got "{name}")')


def check_view_name(name: str) -> None:
    if not is_word(name):
        raise InvalidRequest(
            f'"{name}" is not a valid materialized view name '
            "(must contain alphanumeric character only: [0-9A-Za-z] or the underscore)"
        )
    if len(name) > MAX_LENGTH:
        raise InvalidRequest(
            f'materialized view names shouldn\'t be more than {MAX_LENGTH} characters long (got "{name}")'
        )


def check_column_count(count: int) -> None:
    if count > MOST_COLUMNS:
        raise InvalidRequest(f"A table may have {MOST_COLUMNS:,} columns, and this one would have {count:,}.")


def check_column_name(name: str) -> None:
    length = len(name.encode())
    if length > MAX_COLUMN_BYTES:
        raise InvalidRequest(f"Column names shouldn't be more than {MAX_COLUMN_BYTES} bytes long (got {length})")
