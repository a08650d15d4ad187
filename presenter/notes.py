"""A presenter's notes of a chapter, as ``notes/chapter_NN.toml`` has them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from helpers.lab.errors import LabError

NOTES = Path(__file__).resolve().parent / "notes"
# What the room does with a section: work on it, watch it, or hear of it.
MODES = ("do", "demo", "tell")


@dataclass(frozen=True)
class Chapter:
    """``point``: what a group should leave with. ``before``: what to have ready."""

    point: str
    before: str


@dataclass(frozen=True)
class Section:
    """A section of a chapter: ``at`` is the id of the cell with its heading.

    ``do`` and ``demo`` are minutes: of learners who work on it, and of a presenter who shows it. ``slide`` are the
    lines of its slide, ``show`` the ids of the cells that follow as slides of their own. ``ask`` is for the room,
    ``slow`` says where it takes longer, ``wrong`` what goes wrong, ``drop`` what may go when time is short.
    """

    at: str
    do: int
    demo: int
    mode: str
    slide: tuple[str, ...]
    ask: str
    wrong: str
    drop: str
    slow: str = ""
    show: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"its mode is {self.mode!r}, and not one of {', '.join(MODES)}")

    def minutes(self, mode: str) -> int:
        """The minutes that it takes in this mode."""
        return self.do if mode == "do" else self.demo


@dataclass(frozen=True)
class Notes:
    """The notes of one chapter; ``sections`` by the id of their heading's cell, in their order."""

    chapter: Chapter
    sections: dict[str, Section]


@cache
def notes_of(number: str, folder: Path = NOTES) -> Notes:
    """The notes of chapter ``number``: "04". A LabError names what is missing."""
    path = folder / f"chapter_{number}.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LabError(f"There are no notes of chapter {number}: {path.name} is missing.") from None
    try:
        found = tomllib.loads(text)
        sections = [section_from(each) for each in found["section"]]
        return Notes(Chapter(**found["chapter"]), {each.at: each for each in sections})
    except (KeyError, TypeError, ValueError) as error:
        raise LabError(f"The notes in {path.name} are not whole: {error}.") from error


def section_from(table: dict[str, Any]) -> Section:
    """A section as TOML, or a cell's metadata, has it; a TypeError or ValueError says what is wrong with it."""
    lists = {name: tuple(table.get(name, ())) for name in ("slide", "show")}
    return Section(**{**table, **lists})
