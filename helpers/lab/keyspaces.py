"""What a keyspace of the course may be called."""

from __future__ import annotations

import re

from .errors import LabError

# What needs no quotes on any server; the ScyllaDB of today takes longer ones, but not each that the course runs on.
_PLAIN = re.compile(r"[a-z][a-z0-9_]{0,47}")


def check_keyspace_name(name: object) -> None:
    """A LabError if ``name`` cannot be written without quotes, or is the server's. Reserved words the server knows."""
    if not isinstance(name, str) or not _PLAIN.fullmatch(name):
        raise LabError(
            "keyspace must be a name in lower case of at most 48 letters, digits and _, and begin with a letter, "
            f"not {name!r}."
        )
    if name.startswith("system"):
        raise LabError(f"keyspace must not be {name!r}: such names are the server's own.")
