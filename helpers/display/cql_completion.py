"""What Tab offers in a ``%%cql`` cell: words of CQL, the keyspace's tables and columns, the notebook's variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..lab.cql_cell import LEVELS, OPTIONS, SERIAL_LEVELS

# fmt: off
WORDS = (
    "ADD", "ALLOW", "ALTER", "AND", "APPLY", "AS", "ASC", "BATCH", "BEGIN", "BY", "CLUSTERING", "COLUMN", "COUNT",
    "CREATE", "DELETE", "DESC", "DESCRIBE", "DISTINCT", "DROP", "EXISTS", "FILTERING", "FROM", "GROUP", "IF", "IN",
    "INDEX", "INSERT", "INTO", "IS", "KEY", "KEYSPACE", "LIMIT", "MATERIALIZED", "NOT", "NULL", "ORDER", "PARTITION",
    "PER", "PRIMARY", "SELECT", "SET", "STATIC", "TABLE", "TIMESTAMP", "TOKEN", "TRUNCATE", "TTL", "UNLOGGED",
    "UPDATE", "USING", "VALUES", "VIEW", "WHERE", "WITH", "WRITETIME", "ascii", "bigint", "blob", "boolean",
    "counter", "date", "decimal", "double", "duration", "float", "inet", "int", "smallint", "text", "time",
    "timestamp", "timeuuid", "tinyint", "uuid", "varint",
)
# fmt: on
_TABLE_FOLLOWS = re.compile(r"\b(?:FROM|INTO|UPDATE|TABLE|VIEW|TRUNCATE)\s+$", re.IGNORECASE)
_OPTION_VALUE = re.compile(r"--(\w+)\s+$")
_LINE = re.compile(r"\s*%cql\b")


def offers(
    text: str, before: str, tables: Mapping[str, Sequence[str]], names: Iterable[str]
) -> tuple[str, list[tuple[str, str]]]:
    """The part of a word that is there, and what may stand for it: (text, kind), the likeliest first.

    ``text`` is the whole cell, ``before`` what stands before the cursor in it; ``tables`` has the columns of each table
    and view.
    """
    fragment = re.search(r"\w*$", before)
    begun = fragment[0] if fragment else ""
    lead = before[: len(before) - len(begun)]
    variables = sorted(name for name in names if not name.startswith("_"))
    line = before.rpartition("\n")[2]
    if line.startswith("%%") or (_LINE.match(line) and "--" in line.split()[-1]):
        found = _of_the_line(lead, variables)
    elif lead.endswith(":"):
        found = [(name, "variable") for name in variables]
    elif _TABLE_FOLLOWS.search(lead):
        found = [(name, "table") for name in sorted(tables)]
    else:
        mentioned = [name for name in sorted(tables) if re.search(rf"\b{name}\b", text)]
        columns = dict.fromkeys(column for name in mentioned or sorted(tables) for column in tables[name])
        found = [(name, "column") for name in columns] + [(name, "table") for name in sorted(tables)]
        found += [(word, "keyword") for word in WORDS]
    fitting = [each for each in found if each[0].lower().startswith(begun.lower()) and each[0] != begun]
    kinds: dict[str, str] = {}
    for word, kind in fitting:
        kinds.setdefault(word, kind)
    return begun, list(kinds.items())


def install(shell: Any) -> None:
    """Have this IPython's completer ask here in a cell or a line of CQL; twice does no harm."""
    completer = getattr(shell, "Completer", None)
    there = getattr(completer, "custom_matchers", None)
    if there is None or any(getattr(each, "matcher_identifier", "") == "cql" for each in there):
        return
    from IPython.core.completer import SimpleCompletion, context_matcher

    def matcher(context: Any) -> dict[str, Any]:
        lines = context.full_text.split("\n")
        before = "\n".join([*lines[: context.cursor_line], context.text_until_cursor])
        if not context.full_text.startswith("%%cql") and not _LINE.match(context.line_with_cursor):
            return {"completions": [], "suppress": False}
        begun, found = offers(context.full_text, before, tables_of(shell.user_ns.get("session")), shell.user_ns)
        completions = [SimpleCompletion(text, type=kind) for text, kind in found]
        # Python has nothing to say here, also where CQL has not.
        return {"completions": completions, "matched_fragment": begun, "suppress": True, "ordered": True}

    there.append(context_matcher(priority=1000, identifier="cql")(matcher))


def tables_of(session: Any) -> dict[str, list[str]]:
    """The columns of each table and view in the session's keyspace, as the driver knows them."""
    try:
        keyspace = session.cluster.metadata.keyspaces[session.keyspace]
    except (AttributeError, KeyError):
        return {}
    return {name: list(table.columns) for name, table in {**keyspace.tables, **keyspace.views}.items()}


def _of_the_line(lead: str, variables: Sequence[str]) -> list[tuple[str, str]]:
    """What may stand on the line of ``%%cql``."""
    option = _OPTION_VALUE.search(lead)
    values: Mapping[str, Sequence[str]] = {"consistency": LEVELS, "serial": SERIAL_LEVELS, "each": variables}
    if option:
        return [(value, "value") for value in values.get(option[1], ())]
    return [(name, "option") for name in OPTIONS] if lead.endswith("--") else []
