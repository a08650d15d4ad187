"""Both halves of every exercise, tried in the notebook itself, where a learner meets it: untouched it fails with the
intended sentence, wrong answers with theirs, and the solution passes, as right answers of another kind do. Each is
tried from a fresh start, in Python or as a ``%%cql`` cell, with the mark by which an answer is found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from helpers.course.answers import marked
from helpers.course.exercises import Exercise
from tools.build_exercises import KINDS, cell_id

_IMPORTS = "from helpers.course.exercises import undo, verdict"


@dataclass(frozen=True)
class Try:
    """One answer to an exercise: ``judged_by`` is the id of the cell that says what the check thinks of it."""

    what: str
    code: str
    done: bool
    sentence: str
    judged_by: str


def tries_of(each: Exercise) -> list[Try]:
    """Untouched, then every wrong answer, then right ones by another way, then the solution."""
    answers = [("untouched", each.starter, False, each.untouched)]
    answers += [(wrong.what, wrong.code, False, wrong.says) for wrong in each.wrong]
    answers += [(right.what, right.code, True, "…") for right in each.right]
    answers += [("the solution", each.solution, True, "…")]
    return [
        Try(f"{each.number}, {what}", code, done, sentence, f"{cell_id(each.number, 'try')}-{i}")
        for i, (what, code, done, sentence) in enumerate(answers)
    ]


def with_tries(notebook: NotebookNode, wanted: dict[str, Exercise]) -> NotebookNode:
    """The notebook with all tries, each from a fresh start, in place of the exercises' own cells."""
    replaced = [kind for kind in KINDS if kind != "task"]
    ours = {cell_id(number, kind): (number, kind) for number in wanted for kind in replaced}
    cells = []
    for cell in notebook.cells:
        number, kind = ours.get(cell.id, ("", ""))
        if not kind:
            cells.append(cell)
        if kind == "starter":
            for each in tries_of(wanted[number]):
                before = f'{_IMPORTS}\nundo("{number}")\n{wanted[number].given}'.rstrip()
                sources = {"before": before, "try": marked(number, each.code)}
                cells += [nbformat.v4.new_code_cell(text, id=f"{each.judged_by}-{id}") for id, text in sources.items()]
                cells.append(nbformat.v4.new_code_cell(f'print(*verdict("{number}"))', id=each.judged_by))
    return nbformat.from_dict({**notebook, "cells": cells})


def misjudged(executed: NotebookNode, wanted: dict[str, Exercise]) -> list[str]:
    """The tries of which a check thought otherwise than its exercise says."""
    told = {cell.id: _printed(cell) for cell in executed.cells if cell.cell_type == "code"}
    wrong = []
    for each in (each for one in wanted.values() for each in tries_of(one)):
        expected = f"{each.done} {each.sentence}"
        verdict = told[each.judged_by].splitlines()[-1]
        if not re.fullmatch(".*".join(map(re.escape, expected.split("…"))), verdict):
            wrong.append(f"{each.what}:\n  {verdict}\nnot\n  {expected}")
    return wrong


def _printed(cell: NotebookNode) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)
