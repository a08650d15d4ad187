"""A chapter as a presenter sees it, read from its notebook: sections with their notes, and cells to be shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers.course import outline
from presenter.notes import Chapter, Section, section_from

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_EXERCISE = re.compile(r"### Exercise (\S+) ")


@dataclass(frozen=True)
class Talk:
    """``headings``: a section's id → its title; ``exercises``: → the numbers of those that stand in it."""

    chapter: outline.Chapter
    notes: Chapter
    sections: dict[str, Section]
    headings: dict[str, str]
    exercises: dict[str, tuple[str, ...]]
    cells: dict[str, NotebookNode]


@cache
def talk_of(number: str) -> Talk:
    """Chapter ``number``: "04"."""
    return read_talk(outline.chapter(number))


def read_talk(chapter: outline.Chapter) -> Talk:
    """What the metadata of a chapter's cells say to a presenter."""
    title, *cells = _cells(chapter.path)
    sections: dict[str, Section] = {}
    headings: dict[str, str] = {}
    exercises: dict[str, list[str]] = {}
    for cell in cells:
        if "presenter" in cell.metadata:
            sections[cell.id] = section_from({"at": cell.id, **cell.metadata["presenter"]})
            headings[cell.id] = _HEADING.findall(cell.source)[0].strip()
            exercises[cell.id] = []
        if sections and (task := _EXERCISE.match(cell.source)):
            exercises[next(reversed(sections))].append(task[1])
    return Talk(
        chapter,
        Chapter(**title.metadata["presenter"]),
        sections,
        headings,
        {at: tuple(numbers) for at, numbers in exercises.items()},
        {cell.id: cell for cell in cells},
    )


def _cells(path: Path) -> list[NotebookNode]:
    cells: list[NotebookNode] = nbformat.read(path, as_version=4).cells
    return cells
