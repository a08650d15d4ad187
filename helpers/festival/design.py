"""``Design``: a learner's statements by name, and the sentences that say what is missing or misspelt."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..lab.errors import LabError
from ..lab.node import PROJECT
from .scripts import Statement, only_statements

# What the crowd can be asked to bind, by the name behind the colon.
MARKERS = {
    "stage": "text: Lake or Hill",
    "block": "text: A, B, C …",
    "seat": "int: its number in the block, from 1",
    "seats": "list of int: all seats of the party",
    "guest": "text: adult or child, whose seat this is",
    "price": "int: of one seat, in euros",
    "total": "int: of all seats of the party",
    "buyer": "text: who asks",
    "hold_id": "timeuuid: new for each hold, and kept when it is paid",
    "held_until": "timestamp: when this hold will be over",
    "hold_seconds": "int: how long a hold lasts",
    "now": "timestamp: the server's time",
    "minute": "int: the minute of the night, for the report",
    "place": "int: the number on the slip of paper that one gets in the line",
}


@dataclass(frozen=True)
class Wanted:
    """A statement that a design may have: what for, the markers of which it names one, the columns that it gives."""

    why: str
    names: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()


STATEMENTS = {
    "put_on_sale": Wanted("before the doors open, once for each seat"),
    "free_seats": Wanted("which seats are free?", (), ("seat",)),
    "taken_seats": Wanted("which seats are not free? Instead of free_seats", (), ("seat",)),
    "owners": Wanted("who has paid for which seat?", (), ("seat", "buyer")),
    "hold": Wanted("a party asks for its seats", ("seat", "seats")),
    "undo_hold": Wanted("after a hold that was refused halfway"),
    "pay": Wanted("a party pays for its hold"),
    "undo_pay": Wanted("after a payment that was refused halfway"),
    "cancel": Wanted("a party lets go of its hold"),
    "overdue": Wanted("a sweeper asks which holds may be over"),
    "expire": Wanted("a sweeper ends a hold, once for each row of overdue"),
    "give_back": Wanted("a party gives its paid seats back"),
    "join_line": Wanted("somebody joins the line of a stage", ("buyer",)),
    "returned_seats": Wanted("a clerk asks which seats were given back", (), ("seat",)),
    "next_in_line": Wanted("a clerk asks who is first in the line of a stage", (), ("buyer",)),
    "resell": Wanted("a clerk gives a seat to whom next_in_line named", ("buyer",)),
    "undo_resell": Wanted("after a resale that was refused halfway"),
    "report": Wanted("finance asks what a stage took in a minute", ("minute",), ("revenue",)),
    "seats_left": Wanted("the front page asks how many seats a stage has left", (), ("seats_left",)),
}
READS = ("free_seats", "taken_seats", "owners", "overdue", "returned_seats", "next_in_line", "report", "seats_left")

# What an exercise's cell says of itself.
_MARKS = re.compile(r"^-- (?:Exercise|The solution of) \d\d[^\n]*\n?", re.MULTILINE)

_latest: Design | None = None


class DesignError(LabError):
    """A design cannot be played; the sentence says which statement, and why."""


class Design:
    """Your statements by name, as the letter lists them; ``tables`` has the CREATE statements, unless cells ran them.

    Each is CQL: one statement, or several with semicolons between them, which are sent one after the other. What the
    crowd knows stands behind a colon (``:seat``). The design that was made last is the one that ``check`` looks at.

    >>> design = Design()
    >>> design.hold = '''UPDATE seats SET hold_id = :hold_id
    ...     WHERE stage = :stage AND block = :block AND seat = :seat IF hold_id = null'''
    """

    tables: str
    scripts: dict[str, str]
    _cut: dict[str, list[Statement]]

    def __init__(self, **texts: str) -> None:
        global _latest
        object.__setattr__(self, "scripts", {})
        object.__setattr__(self, "tables", "")
        object.__setattr__(self, "_cut", {})
        for name, text in texts.items():
            setattr(self, name, text)
        _latest = self

    @classmethod
    def read(cls, file: str | Path) -> Design:
        """A design from a file, also of ``cql/second_night``: the tables first, ``-- name: hold`` above the rest.

        >>> Design.read("my_design.cql")
        """
        given = Path(file).expanduser()
        path = next((each for each in (given, PROJECT / "cql" / "second_night" / given) if each.is_file()), None)
        if path is None:
            raise LabError(f"There is no file {file}.")
        design = cls()
        design.add(path.read_text(encoding="utf-8"))
        return design

    def add(self, text: str) -> list[str]:
        """Take in a piece of a design, as ``read`` does a file: CREATE statements, then statements with their names.

        What is there of the same name is replaced, a table too. Returns the names of what was in it.
        """
        text = _MARKS.sub("", text)
        tables, *named = re.split(r"^[ \t]*--\s*name:\s*(\S+)[^\n]*\n?", text, flags=re.MULTILINE)
        found = []
        made = {name_made_by(each): each.text for each in only_statements(self.tables)}
        for each in only_statements(tables):
            if each.verb != "CREATE":
                raise LabError(f"A design's statement has its name above it, -- name: hold; {each.verb} has none.")
            made[name_made_by(each)] = each.text
            found.append(name_made_by(each))
        self.tables = ";\n\n".join(made.values())
        for name, script in zip(named[::2], named[1::2], strict=True):
            script = _without_last_comment(script)
            # A name with nothing below it is a place that is still empty: what was there stays.
            if only_statements(script) or name not in STATEMENTS:
                setattr(self, name, script)
                found.append(name)
        return found

    def __setattr__(self, name: str, text: Any) -> None:
        if name not in STATEMENTS and name != "tables":
            near = difflib.get_close_matches(name, [*STATEMENTS, "tables"], n=1)
            known = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(['tables', *STATEMENTS])}."
            raise LabError(f"A design has no statement called {name}. {known}")
        if text is None:
            text = ""
        if isinstance(text, list | tuple) and all(isinstance(each, str) for each in text):
            text = ";\n".join(each.strip().rstrip(";") for each in text)
        if not isinstance(text, str):
            raise LabError(f"{name} is CQL, so it is a text, not {type(text).__name__}.")
        text = _dedented(text)
        if name == "tables":
            object.__setattr__(self, "tables", text)
        elif only_statements(text):
            self.scripts[name] = text
        else:
            self.scripts.pop(name, None)

    def __getattr__(self, name: str) -> str:
        if name in STATEMENTS:
            return self.scripts.get(name, "")
        raise AttributeError(f"A design has no statement called {name}.", name=name, obj=self)

    def __dir__(self) -> list[str]:
        return ["tables", "read", "add", *STATEMENTS]

    def __repr__(self) -> str:
        there = [name for name in STATEMENTS if name in self.scripts]
        return f"A design with {', '.join(there) or 'no statement yet'}."

    def has(self, name: str) -> bool:
        """Is there such a statement?"""
        return name in self.scripts

    def statements(self, name: str) -> list[Statement]:
        """The statements of one script; none where the design has no such script."""
        text = self.scripts.get(name, "")
        if text not in self._cut:
            self._cut[text] = only_statements(text)
        return self._cut[text]

    def forget(self, *names: str) -> None:
        """Take statements out again."""
        for name in names:
            self.scripts.pop(name, None)

    def text(self) -> str:
        """The whole design as one CQL file, which ``read`` reads."""
        parts = [self.tables] if self.tables else []
        parts += [f"-- name: {name}\n{self.scripts[name].rstrip(';')};" for name in STATEMENTS if name in self.scripts]
        return "\n\n".join(parts) + "\n"

    def check(self, *names: str) -> None:
        """A ``DesignError`` unless these statements are there, and all that are there make sense by themselves."""
        if not any(self.has(name) for name in ("free_seats", "taken_seats")):
            raise DesignError("Your design has neither free_seats nor taken_seats: nobody can tell what is on sale.")
        for name in names:
            if not self.has(name):
                raise DesignError(f"Your design has no {name} yet: {STATEMENTS[name].why}.")
        for name, other in ("expire", "overdue"), ("overdue", "expire"):
            if self.has(name) and not self.has(other):
                raise DesignError(f"Your design has {name} and no {other}: a sweeper wants both, or neither.")
        for name in self.scripts:
            self._check_one(name)

    def _check_one(self, name: str) -> None:
        wanted, statements = STATEMENTS[name], self.statements(name)
        named = frozenset().union(*(each.markers for each in statements))
        if wanted.names and not named & set(wanted.names):
            raise DesignError(f"{name} never names {' or '.join(':' + each for each in wanted.names)}: {wanted.why}.")
        for each in statements:
            if each.verb not in ("SELECT", "INSERT", "UPDATE", "DELETE", "BEGIN"):
                raise DesignError(f"{name} has {each.verb} in it; CREATE and the like belong into `tables` or a cell.")
            if each.verb == "BEGIN" and not re.search(r"APPLY\s+BATCH\s*$", each.text, re.IGNORECASE):
                raise DesignError(f"{name} begins a batch and never ends it: APPLY BATCH is missing.")
        if name in READS and {each.verb for each in statements} != {"SELECT"}:
            raise DesignError(f"{name} is a question, so it is made of SELECT: {wanted.why}")
        if name not in READS and {each.verb for each in statements} == {"SELECT"}:
            raise DesignError(f"{name} only reads: {wanted.why}, and nothing is written.")


_CREATE = re.compile(
    r"CREATE\s+(?:CUSTOM\s+)?(TABLE|MATERIALIZED\s+VIEW|TYPE|INDEX)\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:(\w+)\.)?\"?(\w+)",
    re.IGNORECASE,
)


def name_made_by(create: Statement) -> str:
    """The name of what a CREATE statement makes."""
    found = made_by(create)
    return found[2] if found else create.text


def made_by(create: Statement) -> tuple[str, str, str] | None:
    """What a CREATE statement makes: (TABLE, VIEW, TYPE or INDEX; its keyspace or ""; its name)."""
    text = "".join(piece for kind, piece in create.pieces if kind != "comment").strip()
    found = _CREATE.match(text)
    return (found[1].upper().split()[-1], found[2] or "", found[3]) if found else None


def latest_design() -> Design | None:
    """The design that was made last in this process."""
    return _latest


def forget_design() -> None:
    """As before any design was made."""
    global _latest
    _latest = None


def _dedented(text: str) -> str:
    import inspect

    return inspect.cleandoc(text).strip()


def _without_last_comment(text: str) -> str:
    """What stands above the next name belongs to it."""
    lines = text.rstrip().splitlines()
    while lines and (lines[-1].lstrip().startswith("--") or not lines[-1].strip()):
        lines.pop()
    return "\n".join(lines)
