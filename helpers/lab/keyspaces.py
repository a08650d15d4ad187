"""What a keyspace of the course may be called."""

from __future__ import annotations

import re

from .errors import LabError

# What needs no quotes on any server; the ScyllaDB of today takes longer ones, but not each that the course runs on.
LONGEST_NAME = 48


def check_keyspace_name(name: object) -> None:
    """A LabError if ``name`` cannot be written without quotes, or is the server's. Reserved words the server knows."""
    if not isinstance(name, str):
        raise LabError(f'keyspace must be a name in quotes, such as "seats_04", not {name!r}.')
    if not name:
        raise LabError('keyspace must not be empty: give it a name, such as "seats_04".')
    if strange := re.search(r"[^A-Za-z0-9_]", name):
        raise LabError(f"keyspace may have the letters a to z, digits and _, and {name!r} has {strange[0]!r}.")
    if name != name.lower():
        raise LabError(f"keyspace must be in lower case: CQL reads {name} as {name.lower()}.")
    if not name[0].isalpha():
        raise LabError(f"keyspace must begin with a letter, and {name!r} begins with {name[0]!r}.")
    if len(name) > LONGEST_NAME:
        raise LabError(f"keyspace must have {LONGEST_NAME} letters at most, and this name has {len(name)}.")
    if name.startswith("system"):
        raise LabError(f"keyspace must not be {name!r}: such names are the server's own.")
