"""Writes the notes into the notebooks' cell metadata, and takes them out again where they are gone.

    python -m presenter.marks            write what has changed
    python -m presenter.marks --check    only say what differs; exit code 1 if anything does

Sources, outputs and execution are not touched, so this can be run at any time and after any change of a notebook. A
heading has its section's note under ``presenter``, and the roles of slides stand where nbconvert looks for them: a
heading is a ``slide``, a cell that is shown a ``subslide``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from helpers.course.outline import NOTEBOOKS
from helpers.lab.errors import LabError
from presenter.notes import Notes, notes_of
from tools.arguments import Arguments
from tools.refresh_outputs import PRESENTED, read, write


def marked(notebook: NotebookNode, notes: Notes) -> NotebookNode:
    """The notebook with the marks of ``notes`` and no others; a LabError when a cell that they name is not there."""
    there = {cell.id: cell for cell in notebook.cells}
    shown = [id for section in notes.sections.values() for id in section.show]
    _no_strangers([*notes.sections, *shown], there)
    marks = {id: {"slideshow": {"slide_type": "subslide"}} for id in shown}
    marks |= {
        id: {"slideshow": {"slide_type": "slide"}, "presenter": _plain(asdict(section))}
        for id, section in notes.sections.items()
    }
    marks[notebook.cells[0].id] = {"slideshow": {"slide_type": "slide"}, "presenter": asdict(notes.chapter)}
    cells = []
    for cell in notebook.cells:
        kept = {name: value for name, value in cell.metadata.items() if name not in PRESENTED}
        cells.append(nbformat.from_dict({**cell, "metadata": {**kept, **marks.get(cell.id, {})}}))
    whole: NotebookNode = nbformat.from_dict({**notebook, "cells": cells})
    return whole


def _no_strangers(named: Iterable[str], there: dict[str, NotebookNode]) -> None:
    strange = [id for id in named if id not in there]
    if strange:
        raise LabError(f"The notes name cells that are not there: {', '.join(strange)}.")


def _plain(section: dict[str, Any]) -> dict[str, Any]:
    """A section as a cell keeps it: without ``at``, which the cell says itself, and without what is empty."""
    fields = {name: list(value) if isinstance(value, tuple) else value for name, value in section.items()}
    return {name: value for name, value in fields.items() if name != "at" and value not in ("", [])}


def drifted(path: Path) -> NotebookNode | None:
    """The notebook as its notes want it, where it is not so; None where it is."""
    notebook = read(path)
    wanted = marked(notebook, notes_of(path.name.split("_")[0]))
    return None if wanted == notebook else wanted


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="python -m presenter.marks", description="Write a presenter's notes into the notebooks.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a notebook would change")
    check_only = parser.parse_args(arguments).check
    found = 0
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        try:
            wanted = drifted(path)
        except (LabError, OSError, ValueError) as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            return 2
        if wanted is None:
            continue
        found += 1
        if not check_only:
            write(wanted, path)
        print(f"{path.name}: {'differs from its notes' if check_only else 'written'}")
    return int(check_only and bool(found))


if __name__ == "__main__":
    sys.exit(main())
