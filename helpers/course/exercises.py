"""``check``, ``hint`` and ``solving``: exercises that are judged by the rows they leave, not by variable names."""

from __future__ import annotations

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
from ..lab.errors import LabError
from . import record_file
from .frontend import somebody_watches
from .look import Look, NotYet
from .numbers import chapter_of

EXERCISES = Path(str(import_module(course.exercises_package).__file__)).parent
_TRIES_BEFORE_HELP = 2


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
    """One exercise as its TOML file has it; ``untouched`` is what ``check`` says to the starter as it is."""

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
    if somebody_watches() and tries >= _TRIES_BEFORE_HELP:
        print(f'  hint("{number}") helps.')


def verdict(number: str) -> tuple[bool, str]:
    """Whether the exercise is done, and the sentence that says so about the learner's rows; nothing is recorded."""
    try:
        return True, str(_function(number, "check")(Look(chapter_of(number))))
    except NotYet as not_yet:
        return False, str(not_yet)


def hint(number: str) -> None:
    """The first hint; asked again, the second; after that the solution, which the folded cell below then runs."""
    wanted = exercise(number)
    given = 0

    def note(record: dict[str, Any]) -> None:
        nonlocal given
        mine = _mine(record, number)
        given = mine["hints"] = mine["hints"] + 1

    record_file.step(chapter_of(number), note)
    if given <= 2:
        print(paragraph(f"Hint {given} of 2 for {number}: {wanted.hints[given - 1]}"))
        return
    print(f"The solution of {number}:\n\n{wanted.solution}\n\nThe folded cell below check() now runs it.")


def solving(number: str) -> bool:
    """Whether the folded solution may run: headless always, for a learner once three calls of ``hint`` led to it."""
    exercise(number)
    if not somebody_watches():
        return True
    mine = record_file.read()["exercises"].get(number, {})
    if mine.get("hints", 0) > 2:
        return True
    print(f'The solution of {number} is folded in this cell, and was not run. hint("{number}") leads there in steps.')
    return False


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


def _note(wanted: Exercise, done: bool) -> int:
    """Record a try; how many there were."""
    code = _cell_of(wanted) if done else None
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


def _cell_of(wanted: Exercise) -> str | None:
    """What solved the exercise: the last cell that ran and begins with its first line, or the folded solution.

    None where neither is found; the starter as it was is nobody's answer.
    """
    try:
        from IPython import get_ipython

        cells = get_ipython().user_ns["In"]
    except (ImportError, AttributeError, KeyError):
        return None
    folded, own = f'if solving("{wanted.number}")', first_line(wanted.number)
    for cell in reversed(cells):
        if cell.lstrip().startswith(folded):
            return f"{own}\n{wanted.solution}"
        if cell.lstrip().startswith(own):
            return None if cell.strip() == f"{own}\n{wanted.starter}".strip() else cell
    return None


def first_line(number: str) -> str:
    """What the starter's cell begins with; by it the learner's answer is found for the passport."""
    return f"# Exercise {number}"
