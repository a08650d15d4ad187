"""The course as its notebooks tell it: number, title, minutes, promises, and what a learner can say at the end."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..lab.errors import LabError
from ..lab.node import PROJECT
from .cells import python_of

NOTEBOOKS = PROJECT / "notebooks"
# A learner's own copy of them, where `make lab` has made one.
MINE = PROJECT / "my"
# The chapter that gives nothing but a letter: it asks for a design, shows little and predicts nothing.
CAPSTONE = "07"
_ITEM = re.compile(r"^\d+\. (.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Chapter:
    """One notebook. ``learnt`` are the sentences of "What you can now say"; ``predictions`` the numbers asked in it;
    ``least_seats`` the smallest venue of which what it tells is true, as the cell that opens it says."""

    number: str
    path: Path
    title: str
    minutes: int
    promises: tuple[str, ...]
    learnt: tuple[str, ...]
    predictions: tuple[str, ...]
    least_seats: int

    @property
    def backstage(self) -> bool:
        """Is it beside the course's core path: a companion, such as 02b of 02, for whoever wants to know more?"""
        return not self.number.isdecimal()


@cache
def outline() -> dict[str, Chapter]:
    """Chapter number → chapter, in the order of the course."""
    return {path.name.split("_")[0]: read_chapter(path) for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))}


def chapter(number: str) -> Chapter:
    """The chapter with this number: "04". A LabError says which there are."""
    if number not in outline():
        raise LabError(f"There is no chapter {number!r}. There are: {', '.join(outline())}.")
    return outline()[number]


@cache
def names_made_in(number: str) -> frozenset[str]:
    """What the code cells of a chapter give a name to: variables, functions, imports."""
    names: set[str] = set()
    for source in _sources(chapter(number).path, "code"):
        for node in ast.walk(ast.parse(python_of(source))):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.alias):
                names.add((node.asname or node.name).split(".")[0])
    return frozenset(names)


def _sources(path: Path, kind: str) -> list[str]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == kind]


def read_chapter(path: Path) -> Chapter:
    """What a notebook's file says of itself."""
    prose, code = _sources(path, "markdown") or [""], "\n".join(_sources(path, "code"))
    minutes = re.search(r"(\d+) minutes", prose[0])
    least = re.search(r"\bleast_seats=([\d_]+)", code)
    return Chapter(
        number=path.name.split("_")[0],
        path=path,
        title=prose[0].partition("\n")[0].lstrip("# "),
        minutes=int(minutes[1]) if minutes else 0,
        promises=_items(prose, "You will learn", "You will need"),
        learnt=_items(prose, "## What you can now say", "\n## "),
        predictions=tuple(dict.fromkeys(re.findall(r'predict\(\s*"([^"]+)"', code))),
        least_seats=int(least[1]) if least else 1,
    )


def _items(prose: list[str], start: str, end: str) -> tuple[str, ...]:
    """The numbered items between two marks, without the stars around them."""
    text = next((each for each in prose if start in each), "").partition(start)[2].partition(end)[0]
    return tuple(item.strip("*") for item in _ITEM.findall(text))
