"""The package's face: it has what chapters use and nothing else, and costs nothing until it is used."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import helpers
from helpers.course.cells import python_of
from helpers.course.exercises import EXERCISES, Exercise, exercises
from helpers.course.kernel import COMMANDS

PROJECT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("name", helpers.__all__)
def test_every_public_name_is_there_and_explained(name: str) -> None:
    assert getattr(helpers, name).__doc__


def test_no_function_has_the_name_of_a_module() -> None:
    # Importing helpers.x sets the attribute x of the package: a function x of helpers would be gone after that.
    modules = {path.stem for path in Path(helpers.__file__).parent.iterdir()}
    assert {name for name in helpers.__all__ if name in modules and not helpers._PUBLIC[name].endswith(":")} == set()


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"helpers has no 'conect'\. It has: .*connect"):
        helpers.conect  # noqa: B018


def test_importing_helpers_imports_no_driver_and_no_plotting() -> None:
    look = "import sys, helpers; print(sorted({'cassandra', 'pandas', 'matplotlib', 'IPython'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def cells(kind: str) -> list[str]:
    """The sources of the notebooks' cells of a kind; with the code, also what the exercises' files have of it."""
    notebooks = [nbformat.read(path, as_version=4) for path in NOTEBOOKS]
    found = [cell.source for notebook in notebooks for cell in notebook.cells if cell.cell_type == kind]
    if kind == "code":
        chapters = sorted(path.stem.removeprefix("chapter_") for path in EXERCISES.glob("*.toml"))
        found += [code for chapter in chapters for each in exercises(chapter).values() for code in codes_of(each)]
    return found


def codes_of(exercise: Exercise) -> list[str]:
    return [exercise.starter, exercise.solution, *(each.code for each in (*exercise.wrong, *exercise.right))]


def imports_of(code: str) -> set[tuple[str, str]]:
    """(module, name) for each import of the project's own in a cell; the name of ``import x`` is empty."""
    tree = ast.parse(python_of(code))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {(node.module or "", alias.name) for alias in node.names}
    own = {"helpers", "scylla_cdc", "embedded_scylla", "tools", "tests"}
    return {(module, name) for module, name in found if module.partition(".")[0] in own}


def test_chapters_import_what_the_face_has_and_go_round_it_nowhere() -> None:
    imported = set().union(*map(imports_of, cells("code")))
    assert {pair for pair in imported if pair[0] != "helpers" or pair[1] not in helpers.__all__} == set()


def test_the_face_has_nothing_that_no_chapter_uses() -> None:
    imported = {name for code in cells("code") for _, name in imports_of(code)}
    # What a text offers for the learner to call: `progress()`, from `helpers` too.
    offered = {name for text in cells("markdown") for name in re.findall(r"`(\w+)\(\)`, from `helpers`", text)}
    assert set(helpers.__all__) - imported - offered - set(COMMANDS) == set()
