"""Writes the exercises' cells into the notebooks, from ``helpers/exercises/chapter_NN.toml``, their one source.

    python tools/build_exercises.py            write what has changed; then: make outputs
    python tools/build_exercises.py --check    only say what differs; exit code 1 if anything does

An author marks the place with a Markdown cell whose id is ``ex-04-2-task``; this writes that cell and those behind it:
what is given, if anything is; the starter; the check; and the solution, folded. A cell that is as it should be keeps
its output.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from helpers.course.answers import folded, given  # noqa: E402
from helpers.course.exercises import Exercise, exercises  # noqa: E402
from helpers.lab.errors import LabError  # noqa: E402
from tools.arguments import Arguments  # noqa: E402
from tools.refresh_outputs import PRESENTED, read, write  # noqa: E402

NOTEBOOKS = PROJECT / "notebooks"
KINDS = ("task", "given", "starter", "check", "solution")


def cell_id(number: str, kind: str) -> str:
    """The id of one of an exercise's cells: "ex-04-2-task"."""
    return f"ex-{number.replace('.', '-')}-{kind}"


def cells_of(wanted: Exercise) -> list[NotebookNode]:
    """The cells of an exercise, not executed."""
    number = wanted.number
    sources = {"task": f"### Exercise {number} · {wanted.rung}: {wanted.title}\n{wanted.task}"}
    if wanted.given:
        sources["given"] = given(number, wanted.given)
    sources |= {
        "starter": wanted.untouched_cell,
        "check": f'check("{number}")',
        "solution": folded(number, wanted.solution),
    }
    cells = []
    for kind, source in sources.items():
        make: Any = nbformat.v4.new_markdown_cell if kind == "task" else nbformat.v4.new_code_cell
        metadata: dict[str, object] = {"tags": [kind if kind == "solution" else "exercise"]}
        if kind == "solution":
            metadata["jupyter"] = {"source_hidden": True}
        cells.append(make(source, id=cell_id(number, kind), metadata=metadata))
    return cells


def rebuilt(notebook: NotebookNode, wanted: dict[str, Exercise]) -> NotebookNode:
    """The notebook with its exercises' cells as they should be; a LabError when a place is missing or too much."""
    places = {cell_id(number, "task"): number for number in wanted}
    there = {cell.id: cell for cell in notebook.cells}
    missing = [place for place in places if place not in there]
    if missing:
        raise LabError(f"No Markdown cell with the id {missing[0]} says where the exercise goes.")
    ours = {cell_id(number, kind) for number in wanted for kind in KINDS}
    strange = [id for id in there if id.startswith("ex-") and id not in ours]
    if strange:
        raise LabError(f"The cell {strange[0]} belongs to no exercise.")
    cells = []
    for cell in notebook.cells:
        if cell.id in places:
            made = (_presented(each, there.get(each.id)) for each in cells_of(wanted[places[cell.id]]))
            cells += [there[each.id] if _same(there.get(each.id), each) else each for each in made]
        elif cell.id not in ours:
            cells.append(cell)
    whole: NotebookNode = nbformat.from_dict({**notebook, "cells": cells})
    return whole


def _presented(new: NotebookNode, old: NotebookNode | None) -> NotebookNode:
    """A cell with what a presenter's notes say about the one that was there."""
    if old is not None:
        new.metadata.update({name: old.metadata[name] for name in PRESENTED & set(old.metadata)})
    return new


def _same(old: NotebookNode | None, new: NotebookNode) -> bool:
    return old is not None and old.source == new.source and old.metadata == new.metadata


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(description="Write the exercises' cells into the notebooks.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a notebook would change")
    check_only = parser.parse_args(arguments).check
    drifted = []
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        try:
            notebook = read(path)
            new = rebuilt(notebook, exercises(path.name.split("_")[0]))
        except (LabError, OSError, ValueError) as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            return 2
        if new != notebook:
            drifted.append(path.name)
            if not check_only:
                write(new, path)
    for name in drifted:
        print(f"{name}: {'differs from its exercises' if check_only else 'written; its outputs: make outputs'}")
    return int(check_only and bool(drifted))


if __name__ == "__main__":
    sys.exit(main())
