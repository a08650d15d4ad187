"""Names and strings as CQL must spell them, so that what is printed can be read back."""

from __future__ import annotations

import re

from .cql.lexer import names_something

_PLAIN = re.compile(r"[a-z][a-z0-9_]*")


def identifier(name: str) -> str:
    """A name, in double quotes if it is not all lower case or is a reserved word."""
    if _PLAIN.fullmatch(name) and names_something(name):
        return name
    return '"' + name.replace('"', '""') + '"'


def string(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"


def qualified(keyspace: str, name: str) -> str:
    return f"{identifier(keyspace)}.{identifier(name)}"


def string_map(values: dict[str, str]) -> str:
    """A map of strings to strings in the order in which ScyllaDB shows it: by key, but ``class`` first."""
    keys = sorted(values, key=lambda key: (key != "class", key))
    return "{" + ", ".join(f"{string(key)}: {string(values[key])}" for key in keys) + "}"
