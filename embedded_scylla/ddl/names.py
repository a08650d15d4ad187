"""Names in schema statements: whose keyspace, which table, and what may be called what."""

from __future__ import annotations

import re

from ..cql import ast
from ..errors import InvalidRequest, Unauthorized
from ..schema import Keyspace, Schema, Table, is_system_keyspace

MAX_LENGTH = 192
_WORD = re.compile(r"\w+", re.ASCII)


def keyspace_of(name: ast.Name, current: str | None) -> str:
    """The keyspace that a name is in: its own, else the connection's."""
    keyspace = name.keyspace or current
    if not keyspace:
        raise InvalidRequest("No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename")
    return keyspace


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


def check_modifiable(keyspace: str) -> None:
    """The node's own keyspaces are closed to schema statements."""
    if is_system_keyspace(keyspace):
        raise Unauthorized(f"{keyspace} keyspace is not user-modifiable.")


def find_keyspace(schema: Schema, name: str) -> Keyspace:
    found = schema.keyspaces.get(name)
    if found is None:
        raise InvalidRequest(f"Keyspace {name} does not exist")
    return found


def find_table(schema: Schema, keyspace: str, name: str) -> Table:
    """The table, view or log of that name, or ScyllaDB's refusal."""
    found = find_keyspace(schema, keyspace).tables.get(name)
    if found is None:
        raise InvalidRequest(f"unconfigured table {name}")
    return found
