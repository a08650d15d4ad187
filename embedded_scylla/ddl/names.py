"""What keyspaces, tables and views may be called."""

from __future__ import annotations

import re

from ..errors import InvalidRequest

MAX_LENGTH = 192
_WORD = re.compile(r"\w+", re.ASCII)


def is_word(name: str) -> bool:
    return _WORD.fullmatch(name) is not None


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
