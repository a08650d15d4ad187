"""``check``, ``hint``, ``starter`` and ``solving``: exercises that are judged by the rows they leave, and by what the
learner's own statements do to rows that they have not seen. Never by variable names.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from .. import course
from ..display.formatting import paragraph
from ..display.frontend import somebody_watches
from ..lab.errors import LabError
from . import answers, record_file
from .look import Look, NotYet
from .numbers import chapter_of

EXERCISES = Path(str(import_module(course.exercises_package).__file__)).parent
# What a learner is asked to do: fix what is there, write a statement, or make a design that answers for itself.
RUNGS = ("repair", "write", "design")
_TRIES_BEFORE_HELP = 2
_HINTS = 2


@dataclass(frozen=True)
class Wrong:
    """An answer that people give, and what ``check`` says to it; "…" there stands for anything."""

    what: str
    code: str
    says: str


@dataclass(frozen=True)
class Right:
    """An answer by another way than the solution's, which ``check`` accepts as well."""

    what: str
    code: str


@dataclass(frozen=True)
class Exercise:
    """One exercise as its TOML file has it.

    ``untouched`` is what ``check`` says to the starter as it is. ``given`` is the code, if any, of a cell of its own
    before the starter: the rows and the variables that an answer in CQL begins with.
    """

    number: str
    title: str
    task: str
    starter: str
    solution: str
    untouched: str
    hints: tuple[str, str]
    why: str
    wrong: tuple[Wrong, ...]
    right: tuple[Right, ...] = ()
    rung: str = "repair"
    given: str = ""

    def __post_init__(self) -> None:
        if self.rung not in RUNGS:
            raise ValueError(f"its rung is {self.rung!r}, and not one of {', '.join(RUNGS)}")

    @property
    def untouched_cell(self) -> str:
        """The starter's cell as it stands in the notebook."""
        return answers.marked(self.number, self.starter)


@cache
def exercises(chapter: str) -> dict[str, Exercise]:
    """The exercises of a chapter by number; none where the chapter has no file. A LabError names what is missing."""
    path = EXERCISES / f"chapter_{chapter}.toml"
    if not path.is_file():
        return {}
    found = {}
    for i, each in enumerate(tomllib.loads(path.read_text(encoding="utf-8"))["exercise"], start=1):
        number = f"{chapter}.{i}"
        try:
            wrong = tuple(Wrong(**_texts(one)) for one in each.pop("wrong"))
            right = tuple(Right(**_texts(one)) for one in each.pop("right", ()))
            first, second = each.pop("hints")
            found[number] = Exercise(number=number, hints=(first, second), wrong=wrong, right=right, **_texts(each))
        except (KeyError, TypeError, ValueError) as error:
            raise LabError(f"Exercise {number} in {path.name} is not whole: {error}.") from error
    return found


def _texts(table: dict[str, str]) -> dict[str, str]:
    return {name: text.strip("\n") for name, text in table.items()}


def exercise(number: str) -> Exercise:
    """The exercise with this number, or a LabError that says which there are."""
    there = exercises(chapter_of(number))
    if number not in there:
        raise LabError(f"There is no exercise {number}; its chapter has: {', '.join(there) or 'none'}.")
    return there[number]


def check(number: str) -> None:
    """Look at the rows that exercise ``number`` is about, and say in one sentence what is right or still wrong."""
    wanted = exercise(number)
    done, sentence = verdict(number)
    tries = _note(wanted, done)
    if done:
        print(paragraph(f"✓ {number}: {sentence}\n  Why it works: {wanted.why}"))
        return
    print(paragraph(f"✗ {number}: {sentence}"))
    if not somebody_watches():
        return
    if record_file.read()["exercises"][number]["done"]:
        # Whoever opens a chapter again begins it anew; what was solved there is nobody's to take away.
        print("  You have solved it before, and that stays. Run the cell of your answer, and its rows are back.")
    elif tries >= _TRIES_BEFORE_HELP:
        print(f'  hint("{number}") helps.')


def verdict(number: str) -> tuple[bool, str]:
    """Whether the exercise is done, and the sentence that says so about the learner's rows; nothing is recorded."""
    try:
        look = Look(chapter_of(number), number, exercise(number).untouched_cell)
        return True, str(_function(number, "check")(look))
    except NotYet as not_yet:
        return False, str(not_yet)


def solved(number: str) -> bool:
    """Whether the learner's answer passes now; nothing is said and nothing recorded.

    >>> mine = MySweeper if solved("06.2") else None
    """
    return verdict(number)[0]


def hint(number: str) -> None:
    """The first hint; asked again, the second; after that the solution, which the folded cell below then runs."""
    wanted = exercise(number)
    given = 0

    def note(record: dict[str, Any]) -> None:
        nonlocal given
        mine = _mine(record, number)
        # Whoever has solved it may look at the hints without their being counted as help.
        kind = "hints_after" if mine["done"] else "hints"
        mine[kind] = mine.get(kind, 0) + 1
        given = _hints_of(mine)

    record_file.step(chapter_of(number), note)
    if given <= _HINTS:
        print(paragraph(f"Hint {given} of {_HINTS} for {number}: {wanted.hints[given - 1]}"))
        return
    print(f"The solution of {number}:\n\n{wanted.solution}\n\nThe folded cell below check() now runs it.")


def solving(number: str) -> bool:
    """Whether the folded solution may run: headless always, for a learner once three calls of ``hint`` led to it."""
    exercise(number)
    if not somebody_watches():
        return True
    if _hints_of(record_file.read()["exercises"].get(number, {})) > _HINTS:
        return True
    print(f'The solution of {number} is folded in this cell, and was not run. hint("{number}") leads there in steps.')
    return False


def behind_solution(number: str, run: Callable[[], object]) -> None:
    """``run`` is the folded solution of a ``%%cql`` cell: run it where that may be, then judge what it did."""
    if solving(number):
        run()
        check(number)


def starter(number: str) -> None:
    """Give the starter's cell back as it was: as a new cell below this one."""
    cell = exercise(number).untouched_cell
    shell = None
    if "IPython" in sys.modules:
        from IPython import get_ipython

        shell = get_ipython()
    if shell is not None and somebody_watches():
        shell.set_next_input(cell)
        print(f"Exercise {number}: its starter is in the cell below.")
    else:
        print(cell)


def undo(number: str) -> None:
    """Put the rows of an exercise back, so that it can be tried afresh."""
    exercise(number)
    function = _found(number, "undo")
    if function is not None:
        function(Look(chapter_of(number)))


def _function(number: str, kind: str) -> Callable[[Look], object]:
    function = _found(number, kind)
    if function is None:
        chapter, _, position = number.partition(".")
        raise LabError(f"Exercise {number} has no {kind}_{position} in helpers/exercises/chapter_{chapter}.py.")
    return function


def _found(number: str, kind: str) -> Callable[[Look], object] | None:
    chapter, _, position = number.partition(".")
    return getattr(_checks(chapter), f"{kind}_{position}", None)


def _checks(chapter: str) -> ModuleType:
    return import_module(f"{course.exercises_package}.chapter_{chapter}")


def _mine(record: dict[str, Any], number: str) -> dict[str, Any]:
    mine: dict[str, Any] = record["exercises"].setdefault(number, record_file.new_exercise())
    return mine


def _hints_of(mine: dict[str, Any]) -> int:
    return int(mine.get("hints", 0)) + int(mine.get("hints_after", 0))


def _note(wanted: Exercise, done: bool) -> int:
    """Record a try; how many there were."""
    code = _own_code(wanted) if done else None
    tries = 0

    def note(record: dict[str, Any]) -> None:
        nonlocal tries
        mine = _mine(record, wanted.number)
        if not mine["done"]:
            tries = mine["tries"] = mine["tries"] + 1
        if done:
            mine |= {"done": True, "title": wanted.title} | ({"code": code} if code else {})

    record_file.step(chapter_of(wanted.number), note)
    return tries


def _own_code(wanted: Exercise) -> str | None:
    """The learner's own answer; None where there is none: the starter as it was and the solution are nobody's."""
    answer = answers.latest(wanted.number, wanted.untouched_cell)
    if answer is None or answer.is_solution or answer.source.split() == wanted.untouched_cell.split():
        return None
    return answer.source.strip()
