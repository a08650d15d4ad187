"""Both halves of every exercise: untouched it fails with the intended sentence, wrong answers with theirs, and the
solution passes. Run in the notebook itself, at the place where a learner meets it.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from helpers.course.exercises import EXERCISES, Exercise, exercises
from tests.notebooks.test_papermill import SEATS
from tools.build_exercises import cell_id, cells_of, rebuilt
from tools.refresh_outputs import NOTEBOOKS, private_node

PATHS = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if exercises(path.name.split("_")[0])]
LEAST = 3
VERDICT = "from helpers.course.exercises import undo, verdict"


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def wanted(path: Path) -> dict[str, Exercise]:
    return exercises(path.name.split("_")[0])


def test_every_file_of_exercises_has_its_notebook():
    chapters = {path.name.split("_")[0] for path in PATHS}
    assert {file.stem.removeprefix("chapter_") for file in EXERCISES.glob("*.toml")} == chapters
    assert {file.stem.removeprefix("chapter_") for file in EXERCISES.glob("chapter_*.py")} == chapters


def test_the_notebook_has_them_as_their_source_says(path: Path, wanted: dict[str, Exercise]):
    notebook = nbformat.read(path, as_version=4)
    assert rebuilt(notebook, wanted) == notebook, "run tools/build_exercises.py, then make outputs"


def test_each_is_whole(wanted: dict[str, Exercise]):
    assert len(wanted) >= LEAST
    for number, each in wanted.items():
        assert "**Finish line:**" in each.task, number
        assert len(set(each.hints)) == 2 and all(each.hints), number
        assert each.why and each.wrong, number
        assert len(each.starter.splitlines()) <= 12, number
        for cell in cells_of(each):
            assert len(cell.source.splitlines()) <= 20, number


@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_untouched_wrong_and_solved(path: Path, wanted: dict[str, Exercise]):
    notebook = nbformat.read(path, as_version=4)
    tries = _with_tries(notebook, wanted)
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": NOTEBOOKS}})
    with private_node():
        client.execute()
    told = {
        cell.id: "".join(out.get("text", "") for out in cell.outputs) for cell in notebook.cells if "outputs" in cell
    }
    for id, (what, done, sentence) in tries.items():
        verdict = told[id].splitlines()[-1]
        pattern = ".*".join(re.escape(part) for part in f"{done} {sentence}".split("…"))
        assert re.fullmatch(pattern, verdict), f"{what}:\n{verdict}\nnot\n{done} {sentence}"


def _printed(cell: NotebookNode) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def _with_tries(notebook: NotebookNode, wanted: dict[str, Exercise]) -> dict[str, tuple[str, bool, str]]:
    """Put every try in place of the exercise's own cells; id of the cell that judges → (what, done, sentence)."""
    cells, judged = [], {}
    ours = {cell_id(number, kind): (number, kind) for number in wanted for kind in ("starter", "check", "solution")}
    for cell in notebook.cells:
        number, kind = ours.get(cell.id, ("", ""))
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            cell.source += f"\nseats = {SEATS}\n{VERDICT}"
        if kind == "starter":
            each = wanted[number]
            tries = [("untouched", each.starter, False, each.untouched)]
            tries += [(wrong.what, wrong.code, False, wrong.says) for wrong in each.wrong]
            tries += [("the solution", each.solution, True, "…")]
            for i, (what, code, done, sentence) in enumerate(tries):
                stem = f"{cell_id(number, 'try')}-{i}"
                judged[f"{stem}-judged"] = (f"{number}, {what}", done, sentence)
                cells += [
                    nbformat.v4.new_code_cell(f'undo("{number}")', id=f"{stem}-undo"),
                    nbformat.v4.new_code_cell(code, id=stem),
                    nbformat.v4.new_code_cell(f'print(*verdict("{number}"))', id=f"{stem}-judged"),
                ]
        if not kind:
            cells.append(cell)
    notebook.cells = cells
    return judged
