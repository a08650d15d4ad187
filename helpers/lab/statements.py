"""Reads the statements under ``cql/`` and runs them.

A file is plain CQL. A comment line ``-- name: hold_seat`` names the statement below it, so that a notebook can ask for
it by name; ``/*seconds*/ 900`` marks a value that the caller may replace, and 900 is what it is otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from .errors import LabError
from .keyspaces import check_keyspace_name

if TYPE_CHECKING:
    from cassandra.cluster import Session
    from cassandra.query import PreparedStatement

CQL_DIRECTORY = Path(__file__).resolve().parents[2] / "cql"
_prepared: WeakKeyDictionary[Session, dict[tuple[str | None, str], PreparedStatement]] = WeakKeyDictionary()

# The pieces of a file that matter for cutting it: what stands in a comment or in quotes ends no statement.
_PIECES = re.compile(
    r"""(?P<comment>(?:--|//)[^\n]*|/\*(?!\w+\*/).*?\*/)
      | (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$.*?\$\$)
      | (?P<end>;)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
# A batch has semicolons of its own; what ends it is APPLY BATCH.
_OPEN_BATCH = re.compile(
    r"\s*BEGIN\s+(?:(?:UNLOGGED|COUNTER)\s+)?BATCH\b(?!.*\bAPPLY\s+BATCH\s*$)", re.IGNORECASE | re.DOTALL
)
_PLACEHOLDER = re.compile(r"/\*(\w+)\*/\s*('?)([\w.]+)'?")
_ADD_COLUMN = re.compile(r"ALTER\s+TABLE\s+(?:(\w+)\.)?(\w+)\s+ADD\s+(\w+)\s", re.IGNORECASE)
# What Apache Cassandra does not know: it has no tablets, and its cdc option is another one.
_SCYLLA_ONLY = re.compile(r"\s+AND\s+(?:cdc|tablets)\s*=\s*\{[^}]*\}", re.IGNORECASE)


class Statement(str):
    """One statement's text, ready for ``session.execute`` or ``session.prepare``.

    ``name`` is the name it goes by, or None; ``why`` the comment above it, as one paragraph.
    """

    name: str | None
    why: str

    def __new__(cls, text: str, name: str | None = None, why: str = "") -> Statement:
        statement = super().__new__(cls, text)
        statement.name, statement.why = name, why
        return statement


def statements(file: str, **substitutions: object) -> list[Statement]:
    """The statements of ``cql/<file>``, in order, with ``/*name*/`` values replaced by ``name=value``.

    >>> [each.name for each in statements("inserts.cql")][:2]
    ['insert_ticket', 'insert_order_queue']
    """
    return list(split(_substitute(_read(file), file, substitutions)))


def statement(name: str) -> Statement:
    """The statement that goes by ``name``, whichever file of ``cql/`` it stands in.

    >>> statement("insert_ticket")[:19]
    'INSERT INTO tickets'
    """
    known = _named()
    if name not in known:
        raise LabError(f"No statement in cql/ is named {name!r}. There are: {', '.join(sorted(known))}.")
    return known[name]


def apply_cql(session: Session, file: str, **substitutions: object) -> list[Statement]:
    """Run the statements of ``cql/<file>`` that have no name, and return them; safe to repeat.

    Those with a name are for ``statement(name)`` and are passed over, and so is an ALTER that adds a column which is
    there already.

    >>> apply_cql(session, "keyspace.cql", keyspace="seats_01", replicas=1)
    """
    from .engine import engine_of

    done = []
    cassandra = engine_of(session).kind == "cassandra"
    for each in statements(file, **substitutions):
        if each.name or _adds_known_column(session, each):
            continue
        session.execute(without_scylla_options(each) if cassandra else each)
        done.append(each)
    return done


def split(text: str) -> Iterator[Statement]:
    """Cut CQL text into statements, each without its final semicolon and the comments around it; a batch is one."""
    body, comments = "", []
    for piece in _PIECES.finditer(text):
        kind, found = piece.lastgroup, piece.group()
        if kind == "comment":
            if body.strip():
                continue
            comments.append(found)
        elif kind == "end" and _OPEN_BATCH.match(body):
            body += found
        elif kind == "end":
            if body.strip():
                yield _statement(body, comments)
            body, comments = "", []
        else:
            # A blank line parts a file's header from the comment of its first statement.
            if found == "\n" and not body.strip() and text[piece.start() - 1 : piece.start()] == "\n":
                comments = []
            body += found
    if body.strip():
        yield _statement(body, comments)


def bare(text: str) -> str:
    """CQL without what only looks like CQL: comments become a blank, and what is quoted is empty.

    >>> bare("SELECT * FROM t WHERE a = 'IF' -- if")
    "SELECT * FROM t WHERE a = ''  "
    """
    cut = {"comment": " ", "quoted": "''"}
    return "".join(cut.get(piece.lastgroup or "", piece.group()) for piece in _PIECES.finditer(text))


def without_scylla_options(text: str) -> str:
    """The same DDL without the two options that only ScyllaDB has."""
    return _SCYLLA_ONLY.sub("", text)


def _statement(body: str, comments: list[str]) -> Statement:
    lines = [line.lstrip("-/ ").rstrip() for line in comments]
    names = [line.removeprefix("name:").strip() for line in lines if line.startswith("name:")]
    why = " ".join(line for line in lines if not line.startswith("name:"))
    return Statement(body.strip(), names[-1] if names else None, why)


def _read(file: str) -> str:
    path = CQL_DIRECTORY / file
    if not path.is_file():
        there = ", ".join(sorted(each.name for each in CQL_DIRECTORY.glob("*.cql")))
        raise LabError(f"There is no file cql/{file}. There are: {there}.")
    return path.read_text(encoding="utf-8")


@cache
def _named() -> dict[str, Statement]:
    files = sorted(each.name for each in CQL_DIRECTORY.glob("*.cql"))
    return {each.name: each for file in files for each in statements(file) if each.name}


def _substitute(text: str, file: str, substitutions: dict[str, object]) -> str:
    unknown = sorted(set(substitutions) - {found[1] for found in _PLACEHOLDER.finditer(text)})
    if unknown:
        raise LabError(f"cql/{file} has no place for {', '.join(unknown)}.")

    def replacement(found: re.Match[str]) -> str:
        name, quote, default = found.groups()
        if name not in substitutions:
            return f"{quote}{default}{quote}"
        # ks.tickets: only the word that is marked changes, what hangs on it stays.
        word, dot, rest = default.partition(".")
        if name == "keyspace":
            check_keyspace_name(substitutions[name])
        value = str(substitutions[name])
        if word in ("true", "false"):
            value = value.lower()
        if not re.fullmatch(r"\d+" if word.isdecimal() else r"[A-Za-z]\w{0,47}", value):
            wanted = "a whole number" if word.isdecimal() else "a name of letters, digits and _"
            raise LabError(f"{name} in cql/{file} must be {wanted}, not {value!r}.")
        return f"{quote}{value}{dot}{rest}{quote}"

    return _PLACEHOLDER.sub(replacement, text)


def _adds_known_column(session: Session, text: str) -> bool:
    found = _ADD_COLUMN.match(text)
    if not found:
        return False
    keyspace, table, column = found.groups()
    rows = session.execute(
        "SELECT column_name FROM system_schema.columns WHERE keyspace_name = %s AND table_name = %s",
        (keyspace or session.keyspace, table),
    )
    return column in {row.column_name for row in rows}


def prepared(session: Session, name: str) -> PreparedStatement:
    """The statement ``name`` of ``cql/``, prepared for this session in the keyspace that it uses.

    Preparing sends the text to the server once; from then on only an id and the values travel.
    """
    statements = _prepared.setdefault(session, {})
    key = session.keyspace, name
    if key not in statements:
        statements[key] = session.prepare(statement(name))
    return statements[key]
