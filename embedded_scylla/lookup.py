"""Names in statements: whose keyspace, which table, or ScyllaDB's refusal."""

from __future__ import annotations

from .cql import ast
from .errors import InvalidRequest, Unauthorized
from .schema import Keyspace, Schema, Table, is_system_keyspace


def keyspace_of(name: ast.Name, current: str | None) -> str:
    """The keyspace that a name is in: its own, else the connection's."""
    keyspace = name.keyspace or current
    if not keyspace:
        raise InvalidRequest("No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename")
    return keyspace


def find_keyspace(schema: Schema, name: str) -> Keyspace:
    found = schema.keyspaces.get(name)
    if found is None:
        raise InvalidRequest(f"Keyspace {name} does not exist")
    return found


def find_table(schema: Schema, keyspace: str, name: str) -> Table:
    """The table, view or log of that name."""
    found = find_keyspace(schema, keyspace).tables.get(name)
    if found is None:
        raise InvalidRequest(f"unconfigured table {name}")
    return found


def check_modifiable(keyspace: str) -> None:
    """The node's own keyspaces are closed to everybody."""
    if is_system_keyspace(keyspace):
        raise Unauthorized(f"{keyspace} keyspace is not user-modifiable.")
