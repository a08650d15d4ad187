"""The minutes in the titles are honest, and whoever skips what may be skipped misses nothing that follows."""

from __future__ import annotations

import ast
import re

import nbformat
import pytest
from nbformat import NotebookNode

from helpers.course.cells import cql_of, python_of
from helpers.course.outline import Chapter, outline
from presenter.minutes import LATE, core_path, minutes, parts

# The core path is an afternoon's and an evening's work.
WHOLE = 300
# What a title says may differ from the estimate by this many minutes, which is how exactly anybody can know it.
MARGIN = 4
STEP = 5


@pytest.fixture(params=list(outline().values()), ids=lambda chapter: chapter.number)
def chapter(request: pytest.FixtureRequest) -> Chapter:
    found: Chapter = request.param
    return found


def test_a_title_says_what_is_estimated(chapter: Chapter):
    assert chapter.minutes % STEP == 0
    assert abs(chapter.minutes - minutes(chapter)) <= MARGIN, f"estimated: {minutes(chapter):.1f}"


def test_the_core_path_fits_into_five_hours():
    assert sum(each.minutes for each in core_path()) <= WHOLE
    assert sum(map(minutes, core_path())) <= WHOLE


def test_each_mark_is_counted(chapter: Chapter):
    """A mark within a paragraph, or in a section that is skipped as a whole, would skip nothing."""
    cells = nbformat.read(chapter.path, as_version=4).cells
    marks = sum(cell.source.count(LATE.strip("*")) for cell in cells if cell.id != "path")
    assert marks == sum(part.late for part in parts(chapter))


def core_and_late(notebook: NotebookNode) -> list[tuple[NotebookNode, bool]]:
    """Each cell with whether it is skipped by whoever is late."""
    found, section, exercise = [], False, False
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.search(r"^##+ ", cell.source, re.MULTILINE):
            marked = bool(re.search(rf"^{re.escape(LATE)}", cell.source, re.MULTILINE))
            if cell.id.startswith("ex-"):
                exercise = marked
            else:
                section = marked
        found.append((cell, section or (exercise and cell.id.startswith("ex-"))))
    return found


def made(cell: NotebookNode) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(python_of(cell.source))):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
    return names


def used(cell: NotebookNode) -> set[str]:
    loaded = (node for node in ast.walk(ast.parse(python_of(cell.source))) if isinstance(node, ast.Name))
    names = {node.id for node in loaded if isinstance(node.ctx, ast.Load)}
    return names | set(re.findall(r"(?<![\w:]):(\w+)", cql_of(cell.source) or ""))


def missed(cells: list[tuple[NotebookNode, bool]]) -> set[str]:
    """The names that a cell of the core takes from cells that were skipped, and from no other before it."""
    here: set[str] = set()
    skipped: set[str] = set()
    found: set[str] = set()
    for cell, late in cells:
        if cell.cell_type != "code":
            continue
        if late:
            skipped |= made(cell) - here
            continue
        found |= used(cell) & (skipped - here - made(cell))
        here |= made(cell)
        skipped -= here
    return found


def test_whoever_skips_misses_no_name(chapter: Chapter):
    assert not missed(core_and_late(nbformat.read(chapter.path, as_version=4)))


def test_a_name_that_is_missed_is_found():
    code, prose = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    notebook = nbformat.v4.new_notebook(
        cells=[
            prose("## A part"),
            code("one = 1"),
            prose("## Another\n*Skip if late.* It gives two."),
            code("one = two = 2"),
            prose("## The rest"),
            code("print(one)"),
            code("%%cql\nSELECT * FROM t WHERE k = :two"),
        ]
    )
    assert missed(core_and_late(notebook)) == {"two"}
