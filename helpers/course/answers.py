"""A learner's answer: which cell it is, what it says in CQL, and how an exercise's cells are recognized.

The builder marks the starter's cell and the folded solution's with their first lines, and by these they are found
again. An answer whose mark is gone is still found where it is the last cell that ran before ``check``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import indent
from typing import Any

from ..lab import sent
from ..lab.sent import Sent, is_conditional, tables_of
from ..lab.statements import bare, split

CQL = "%%cql"
_SOLUTION = "The solution of"
_MARK = re.compile(r"(?:#|--) Exercise (\d\d[a-z]?\.\d+)\b")
_OF_SOLUTION = re.compile(rf"(?:# {_SOLUTION}|if solving\(.|{CQL}\b[^\n]*--solution) ?(\d\d[a-z]?\.\d+)\b")
# A cell of nothing else is nobody's answer.
_ASIDE = re.compile(
    r"(?:from|import) |(?:print\(\*)?(?:check|hint|reset|starter|progress|passport|undo|verdict|predict|surprises)\("
)


def install(shell: Any) -> None:
    """Have it known of this notebook which cell runs when something is sent; twice does no harm."""
    if _begin not in shell.events.callbacks["pre_run_cell"]:
        shell.events.register("pre_run_cell", _begin)


def _begin(info: Any) -> None:
    sent.begin(info.raw_cell or "")


def marked(number: str, code: str) -> str:
    """The starter, or an answer, as a cell that says which exercise it is about."""
    first, _, rest = code.partition("\n")
    if first.startswith(CQL):
        return f"{first}\n-- Exercise {number}\n{rest}".rstrip("\n")
    return f"# Exercise {number}\n{code}"


def given(number: str, code: str) -> str:
    """What an exercise begins with, as a cell before the starter's."""
    return f"# For exercise {number}\n{code}"


def folded(number: str, solution: str) -> str:
    """The solution as the cell that is folded: its first line is what JupyterLab shows of it."""
    when = f'it runs when three calls of hint("{number}") have led to it.'
    first, _, rest = solution.partition("\n")
    if first.startswith(CQL):
        return f"{first} --solution {number}\n-- {_SOLUTION} {number}; {when}\n{rest}".rstrip("\n")
    body = indent(f'{solution}\ncheck("{number}")', "    ", lambda line: bool(line.strip()))
    return f'# {_SOLUTION} {number}; {when}\nif solving("{number}"):\n{body}'


@dataclass(frozen=True)
class Answer:
    """The cell that answers an exercise, and what was sent while it ran."""

    source: str
    sent: tuple[Sent, ...] = ()

    @property
    def is_solution(self) -> bool:
        """Is it the folded cell, and nobody's own?"""
        return bool(_OF_SOLUTION.match(self.source.lstrip()))

    @property
    def statements(self) -> tuple[str, ...]:
        """Its statements in CQL: those of a ``%%cql`` cell, or else what a Python cell has sent, each text once.

        What the shop's functions send is in ``sent``, and not here: nobody wrote it for this answer, though somebody
        may write the same.
        """
        if self.source.lstrip().startswith(CQL):
            return tuple(str(each) for each in split(self.source.lstrip().partition("\n")[2]))
        return tuple(dict.fromkeys(each.text for each in self.sent if not each.of_course))

    def said(self, verb: str, table: str | None = None) -> str | None:
        """The last of its statements that begins with ``verb``, as in "UPDATE", and names ``table``."""
        for text in reversed(self.statements):
            if bare(text).upper().split()[:1] == [verb] and (table is None or table in tables_of(text)):
                return text
        return None

    @property
    def is_conditional(self) -> bool:
        """Does one of its statements write with an IF?"""
        return any(map(is_conditional, self.statements))


def latest(number: str, untouched: str | None = None) -> Answer | None:
    """The answer to an exercise as it ran last; None if none did. ``untouched`` is the starter as it was given.

    The cell that runs now counts where it is the answer itself, as the folded solution is.
    """
    *before, now = sent.cells()
    if _number_of(now.source) == number:
        return Answer(now.source, tuple(now.sent()))
    last = next(_candidates(before), None)
    with_mark = next((each for each in reversed(before) if _number_of(each.source) == number), None)
    if last is not None and _number_of(last.source) not in (None, number):
        last = None  # another exercise's
    if with_mark is None or (last is not None and untouched is not None and _same(with_mark.source, untouched)):
        with_mark = last
    return None if with_mark is None else Answer(with_mark.source, tuple(with_mark.sent()))


def _candidates(cells: list[sent.Cell]) -> Iterator[sent.Cell]:
    """The cells that may answer something, the latest first."""
    for each in reversed(cells):
        lines = [line for line in each.source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        if not each.source.startswith("# For exercise") and not all(map(_ASIDE.match, map(str.lstrip, lines))):
            yield each


def _number_of(source: str) -> str | None:
    """Which exercise a cell names: in its first line, or in the second behind ``%%cql``."""
    source = source.lstrip()
    if found := _OF_SOLUTION.match(source):
        return found[1]
    first, _, rest = source.partition("\n")
    found = _MARK.match(rest.lstrip() if first.startswith(CQL) else first)
    return found[1] if found else None


def _same(source: str, other: str) -> bool:
    return source.split() == other.split()
