"""Every exercise is whole, and its cells are what its source says. That it judges rightly, chapters.py shows."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from helpers.course.exercises import EXERCISES, Exercise, exercises
from tests.content.test_notebooks import LONGEST_CELL
from tools.build_exercises import cells_of, rebuilt
from tools.refresh_outputs import NOTEBOOKS

PATHS = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if exercises(path.name.split("_")[0])]
LEAST = LEAST_WRONG = 3
LEAST_WRITE, LEAST_DESIGN = 10, 6  # over the course
_NUMBERS = re.compile(r'"(\d\d[a-z]?)"')


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
            assert len(cell.source.splitlines()) <= LONGEST_CELL, number


def test_a_chapter_asks_for_one_repair_at_most_and_knows_what_goes_wrong():
    for path in PATHS:
        wanted = exercises(path.name.split("_")[0]).values()
        rungs = [each.rung for each in wanted]
        if set(rungs) == {"repair"}:
            continue  # written before there were rungs
        assert rungs.count("repair") <= 1, path.stem
        for each in wanted:
            assert len(each.wrong) >= LEAST_WRONG, f"{each.number} needs more wrong answers"


def test_the_course_asks_for_more_than_repairs():
    rungs = {path.stem: [each.rung for each in exercises(path.name.split("_")[0]).values()] for path in PATHS}
    if any(set(each) == {"repair"} for each in rungs.values()):
        return  # a chapter is still as it was before there were rungs
    asked = [rung for each in rungs.values() for rung in each]
    assert asked.count("write") >= LEAST_WRITE and asked.count("design") >= LEAST_DESIGN


def test_every_notebook_is_run_by_one_of_the_tests_of_chapters():
    folder = Path(__file__).parent
    run = [number for file in folder.glob("test_*_chapters.py") for number in _NUMBERS.findall(file.read_text())]
    assert sorted(run) == sorted(path.name.split("_")[0] for path in NOTEBOOKS.glob("*.ipynb"))
