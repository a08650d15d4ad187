"""The predictions of a chapter, from ``helpers/exercises/chapter_NN.toml``: asked there, and answered by a notebook.

No notebook has these words in its source: whoever reads on sees neither the answer nor the reason.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from .. import course
from ..lab.errors import LabError
from .numbers import chapter_of

PREDICTIONS = Path(str(import_module(course.exercises_package).__file__)).parent
# Whoever is off by less has had the right idea.
SURPRISING_FACTOR = 2.0

Said = str | float
_WORDS = {2: "twice as much", 10: "ten times more", 100: "a hundred times more", 1000: "a thousand times more"}
_WORDS_LESS = {2: "half of it", 10: "ten times less", 100: "a hundred times less", 1000: "a thousand times less"}


@dataclass(frozen=True)
class Prediction:
    """One question. ``options``: what can be said → the value that it stands for; none where a number is asked for.

    ``usual`` is what most people would say, ``happened`` a Python expression over the notebook's names, ``unit`` what
    a number counts.
    """

    number: str
    question: str
    usual: Said
    happened: str
    why: str
    unit: str = ""
    options: Mapping[str, object] = field(default_factory=dict)

    def outcome(self, value: object) -> Said:
        """What ``value`` is among all that can be said; a LabError where nobody could have said it."""
        if not self.options:
            if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
                return plain(float(value))
        else:
            for label, meant in self.options.items():
                if meant == value and type(meant) is type(value):
                    return label
        raise LabError(
            f"What happened, {value!r}, is not among what prediction {self.number} knows: run the cells above in their "
            "order, then this one again. If an exercise left rows behind, reset() helps."
        )

    def understood(self, said: object) -> Said:
        """What somebody said, as it is kept; a LabError if it is nothing that can be said here."""
        if self.options:
            if said in self.options:
                return str(said)
            known = ", ".join(self.options)
            raise LabError(f"Prediction {self.number} has no option {said!r}; it has: {known}.")
        try:
            number = float(str(said).translate(str.maketrans("", "", ", _\u2009\u00a0")))
        except ValueError:
            number = float("nan")
        if not 0 <= number < 1e15:
            raise LabError(f"A number, please, like 500 or 50,000; this is {str(said).strip() or 'nothing'}.")
        return plain(number)

    def in_words(self, said: Said) -> str:
        """What was said or what happened, as it is shown: a number with its unit."""
        if isinstance(said, str):
            return said
        unit = self.unit[:-1] if said == 1 and len(self.unit) > 2 and self.unit.endswith("s") else self.unit
        return f"{said:,} {unit}".strip()

    def in_order(self) -> list[str]:
        """The options, in the same order in every run, which gives nothing away."""
        return sorted(self.options, key=lambda label: hashlib.sha256(f"{self.number} {label}".encode()).digest())

    def judge(self, said: Said, happened: Said) -> tuple[bool, str]:
        """Whether it is a surprise, and what stands in brackets behind "It happened"."""
        if isinstance(said, str) or isinstance(happened, str):
            return said != happened, "as predicted" if said == happened else "a surprise"
        return _distance(said, happened)


def plain(number: float) -> float:
    """A number without a needless ``.0``."""
    return int(number) if number.is_integer() else number


def _distance(said: float, happened: float) -> tuple[bool, str]:
    if said == happened:
        return False, "as predicted"
    low, high = sorted((said, happened))
    if low == 0:
        return True, "a surprise"
    factor = high / low
    more = happened > said
    if factor < SURPRISING_FACTOR:
        return False, f"close: {'a little more' if more else 'a little less'}"
    rounded = round(factor) if factor < 100 else int(float(f"{factor:.1g}"))
    words = (_WORDS if more else _WORDS_LESS).get(rounded, f"{rounded:,} times {'more' if more else 'less'}")
    return True, words if rounded == factor else f"about {words}"


@cache
def predictions_of(chapter: str) -> dict[str, Prediction]:
    """The predictions of a chapter by number; none where its file has none. A LabError names what is missing."""
    path = PREDICTIONS / f"chapter_{chapter}.toml"
    if not path.is_file():
        return {}
    asked = tomllib.loads(path.read_text(encoding="utf-8")).get("prediction", [])
    return {f"{chapter}.{i}": _read(f"{chapter}.{i}", each) for i, each in enumerate(asked, start=1)}


def _read(number: str, table: dict[str, Any]) -> Prediction:
    try:
        options = {str(label): value for label, value in table.pop("options", [])}
        texts = {name: text.strip() if isinstance(text, str) else text for name, text in table.items()}
        found = Prediction(number=number, options=options, **texts)
    except (TypeError, ValueError) as error:
        raise LabError(f"Prediction {number} is not whole: {error}.") from error
    if options and (len(options) < 2 or len(set(map(repr, options.values()))) < len(options)):
        raise LabError(f"Prediction {number} needs two options or more, each with a value of its own.")
    if options and found.usual not in options:
        raise LabError(f"The usual guess of prediction {number}, {found.usual!r}, is none of its options.")
    if not options and (isinstance(found.usual, str) or not found.unit):
        raise LabError(f"Prediction {number} needs options, or a number for its usual guess and the unit of it.")
    return found


def prediction(number: str) -> Prediction:
    """The prediction with this number, or a LabError that says which there are."""
    there = predictions_of(chapter_of(number))
    if number not in there:
        raise LabError(f"There is no prediction {number}; its chapter has: {', '.join(there) or 'none'}.")
    return there[number]
