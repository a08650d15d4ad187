"""Runs a learner's own statement once more, with other values for its marks: on rows that the learner has not seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..display.refusals import SERVER_ERRORS, inner_error
from ..lab.sent import Sent

if TYPE_CHECKING:
    from cassandra.cluster import Session

# A mark for a value: ? or %s by its place, :name by its name. What is in quotes or in a comment is none.
_PIECES = re.compile(
    r"""(?P<comment>(?:--|//)[^\n]*|/\*.*?\*/)
      | (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$.*?\$\$)
      | (?:\?|%s|(?<![\w:]):(?P<name>[A-Za-z]\w*))""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Outcome:
    """What the server answered: the rows, whether a conditional write was applied (None: it had no condition), and the
    class of its refusal, or None. ``left_out`` are the values for which the statement has no mark."""

    rows: tuple[Any, ...] = ()
    applied: bool | None = None
    error: str | None = None
    left_out: frozenset[str] = frozenset()


class NoValue(Exception):
    """A mark of the statement, ``name``, for which nobody has a value."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Marks:
    """A statement with question marks alone, and the name that each had: None for one that had none."""

    text: str
    names: tuple[str | None, ...]


def marks_of(text: str) -> Marks:
    """The marks of a statement, whichever way they were written."""
    names: list[str | None] = []

    def replaced(found: re.Match[str]) -> str:
        if found["comment"]:
            return " "
        if found["quoted"]:
            return found[0]
        names.append(found["name"])
        return "?"

    return Marks(_PIECES.sub(replaced, text), tuple(names))


def replay(
    session: Session,
    text: str,
    values: Mapping[str, Any],
    notebook: Mapping[str, Any],
    before: Sent | None = None,
) -> Outcome:
    """Run ``text`` with ``values``, each for the mark of that name or of that column.

    What is not among them comes from the ``notebook``'s variables, by the mark's name, or is what was bound
    ``before``. Whatever the server refuses is told by the outcome; ``NoValue`` where a mark is left without a value.
    """
    marks = marks_of(text)
    try:
        prepared = session.prepare(marks.text)
        bound: list[Any] = []
        used: set[str] = set()
        for place, (name, column) in enumerate(zip(marks.names, prepared.column_metadata or (), strict=True)):
            given = next((key for key in (name, column.name) if key is not None and key in values), None)
            used |= {given} if given is not None else set()
            read = _reader(column, session)
            if given is not None:
                bound.append(values[given])
            elif name is not None and name in notebook:
                bound.append(notebook[name])
            elif before is not None and place < len(before.values):
                bound.append(read(before.values[place]))
            else:
                raise NoValue(name or column.name)
        rows = tuple(session.execute(prepared, bound))
    except SERVER_ERRORS as error:
        return Outcome(error=type(inner_error(error)).__name__)
    except (TypeError, ValueError) as error:  # a value that does not fit its mark; the driver finds out
        return Outcome(error=type(error).__name__)
    applied = getattr(rows[0], "applied", None) if rows else None
    return Outcome(rows, applied, left_out=frozenset(values) - used)


def _reader(column: Any, session: Session) -> Callable[[bytes | None], Any]:
    return lambda raw: None if raw is None else column.type.from_binary(raw, session.cluster.protocol_version)
