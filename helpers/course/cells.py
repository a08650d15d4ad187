"""What of a notebook's code cells is Python."""

from __future__ import annotations

import re

_AFTER = re.compile(r"%%after[ \t]+(\S+)[ \t]*\n")
_CQL_AFTER = re.compile(r"%%cql\b[^\n]*--after[ =]+(\S+)")
_KEPT = re.compile(r"%%cql[ \t]+([A-Za-z_]\w*)[ \t]*<<")
_LINE_MAGIC = re.compile(r"^([ \t]*)%\w[^\n]*", re.MULTILINE)


def python_of(source: str) -> str:
    """The Python of a code cell, line for line: what stands below ``%%after``; of CQL, the name before ``<<``."""
    after = _AFTER.match(source)
    if after:
        source = "\n" + source[after.end() :]
    elif source.startswith("%%"):
        kept = _KEPT.match(source)
        return f"{kept[1]} = ..." if kept else ""
    return _LINE_MAGIC.sub(r"\1pass", source)


def answers_prediction(source: str) -> str | None:
    """The number of the prediction to which a cell shows the answer, or None."""
    found = _AFTER.match(source) or _CQL_AFTER.match(source)
    return found[1] if found else None


def cql_of(source: str) -> str | None:
    """What stands below ``%%cql``; None for a cell of Python."""
    first, _, body = source.partition("\n")
    return body if re.match(r"%%cql\b", first) else None
