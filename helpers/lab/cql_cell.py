"""What a ``%%cql`` cell says: its options, its statements, and the names of their markers.

A cell is read and checked as a whole before its first statement is sent, by ``cql_answers.py``.
"""

from __future__ import annotations

import difflib
import keyword
import re
from dataclasses import dataclass
from typing import Any

from .errors import LabError
from .statements import split

SERIAL_LEVELS = ("SERIAL", "LOCAL_SERIAL")
LEVELS = ("ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_QUORUM", "EACH_QUORUM", "LOCAL_ONE", *SERIAL_LEVELS)

# Option → what it takes, as an example in a sentence; None for one that takes nothing.
OPTIONS: dict[str, str | None] = {
    "each": "tickets",
    "consistency": "QUORUM",
    "serial": "LOCAL_SERIAL",
    "raw": None,
    "trace": None,
    "limit": "20",
    "columns": "ticket_id,status",
    "sort": "price",
    "after": "04.1",
    "solution": "04.2",
    "design": None,
}
_KEEP = re.compile(r"(\S+?)\s*<<\s*")
_OPTION = re.compile(r"--(\w[\w-]*)(?:\s*=\s*|\s+|$)")
_WORD = re.compile(r"(\S+)\s*")

# The pieces of a statement that matter for finding its markers.
_PIECES = re.compile(
    r"""(?P<comment>(?:--|//)[^\n]*|/\*.*?\*/)
      | (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$.*?\$\$)
      | (?P<marker>:(?P<name>[A-Za-z]\w*)(?P<part>[.\[]\w+)?)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
# Words that CQL keeps for itself: no marker may be called so.
_RESERVED = re.compile(
    r"(?i)add|allow|alter|and|apply|asc|authorize|batch|begin|by|columnfamily|create|default|delete|desc|describe|drop|"
    r"entries|execute|from|full|grant|if|in|index|infinity|insert|into|is|keyspace|limit|materialized|modify|nan|"
    r"norecursive|not|null|of|on|or|order|primary|rename|replace|revoke|schema|select|set|table|to|token|truncate|"
    r"unlogged|unset|update|use|using|view|where|with"
)


@dataclass(frozen=True)
class Options:
    """What stands behind ``%%cql`` on its line. ``keep`` is the name before ``<<``."""

    keep: str | None = None
    each: str | None = None
    consistency: str | None = None
    serial: str | None = None
    raw: bool = False
    trace: bool = False
    limit: int | None = None
    columns: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    after: str | None = None
    solution: str | None = None
    design: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell as it was read: its options, and its statements without comments and final semicolons."""

    options: Options
    statements: tuple[str, ...]


def read(line: str, body: str | None) -> Cell:
    """Read a cell, ``body`` being what stands below ``line``; None where the statement stands in the line itself.

    A LabError says in a sentence what of it makes no sense.
    """
    options, rest = _options(line)
    if body is None:
        body = rest
    elif rest and not rest.startswith(("--", "//")):
        raise LabError(f"The line of %%cql is for its options, and {short(rest)} stands on it: put it one line below.")
    statements = tuple(split(body))
    for each in statements:
        if re.match(r"USE\b", each, re.IGNORECASE):
            raise LabError(
                "USE would take the whole notebook to another keyspace. Name the keyspace with the table instead: "
                "SELECT * FROM seats_00.tickets."
            )
    return Cell(options, statements)


def markers(statement: str) -> list[str]:
    """The names behind colons, in their order, each once; not what stands in quotes, in comments or parts a map.

    >>> markers("SELECT * FROM tickets WHERE event_id = :event_id AND status = ':sold' -- :later")
    ['event_id']
    """
    found, depth, behind_a_term = [], 0, False
    for piece in _PIECES.finditer(statement):
        kind, text = piece.lastgroup, piece.group()
        if kind == "comment" or text.isspace():
            continue
        # In {'a':b} the colon parts a key from its value.
        if kind == "marker" and not (depth and behind_a_term):
            if piece["part"]:
                raise LabError(_of_part(text))
            name = piece["name"]
            if _RESERVED.fullmatch(name):
                raise LabError(
                    f"{name.upper()} is a word of CQL, and no marker may be called so: set my_{name} = {name} in a "
                    f"cell above, and write :my_{name} here."
                )
            found.append(piece["name"])
        elif kind == "other" and text == "?":
            raise LabError("A ? has no name: write :event_id, and the notebook's variable event_id is its value.")
        elif kind == "other" and text in "{}":
            depth += 1 if text == "{" else -1
        behind_a_term = kind in ("quoted", "marker") or text.isalnum() or text in "_)]}"
    return list(dict.fromkeys(found))


def _of_part(text: str) -> str:
    python = text[1:] + "]" * ("[" in text)
    plain = re.sub(r"\W+", "_", text[1:])
    return (
        f":{python} is Python, and a marker is a plain name: set {plain} = {python} in a cell above, "
        f"and write :{plain} here."
    )


def _options(line: str) -> tuple[Options, str]:
    """The options at the beginning of a line, and what follows them."""
    rest = line.strip()
    found: dict[str, Any] = {}
    name = _KEEP.match(rest)
    if name:
        if not name[1].isidentifier() or keyword.iskeyword(name[1]):
            raise LabError(f"{name[1]} << keeps the rows under a name, and {name[1]} is none: write rows <<.")
        found["keep"], rest = name[1], rest[name.end() :]
    while option := _OPTION.match(rest):
        rest = rest[option.end() :]
        if option[1] not in OPTIONS:
            raise LabError(_unknown_option(option[1]))
        example = OPTIONS[option[1]]
        if example is None:
            found[option[1]] = True
            continue
        value = _WORD.match(rest)
        if value is None or value[1].startswith("--"):
            raise LabError(f"--{option[1]} needs a word behind it, as in --{option[1]} {example}.")
        rest = rest[value.end() :]
        found[option[1]] = _value(option[1], value[1])
    return Options(**found), rest


def _unknown_option(name: str) -> str:
    near = next(iter(difflib.get_close_matches(name, OPTIONS, n=1)), None)
    if near:
        return f"%%cql has no option --{name}. Did you mean --{near}?"
    return f"%%cql has no option --{name}. It has: {', '.join(f'--{each}' for each in OPTIONS)}."


def _value(option: str, text: str) -> Any:
    if option == "limit":
        if not text.isdecimal() or not int(text):
            raise LabError(f"--limit is the most rows that are shown, a whole number from 1 on, not {text}.")
        return int(text)
    if option in ("columns", "sort"):
        return tuple(each for each in text.split(",") if each)
    if option in ("consistency", "serial"):
        levels = LEVELS if option == "consistency" else SERIAL_LEVELS
        if text.upper() not in levels:
            what = "consistency level" if option == "consistency" else "level for conditional writes"
            raise LabError(f"There is no {what} {text}. There are: {', '.join(levels)}.")
        return text.upper()
    return text


def short(text: str) -> str:
    """The beginning of a text, for a sentence that names it."""
    first = text.splitlines()[0]
    return first if len(first) <= 40 else f"{first[:40]}…"
