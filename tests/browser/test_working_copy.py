"""A learner takes chapter 00 in the working copy that `make lab` has made, with mouse and keyboard."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.full import only_in_full
from tools.build_exercises import cell_id
from tools.refresh_outputs import private_node

from .jupyterlab import JupyterLab, learners_project, start_jupyterlab
from .notebook_page import IN_A_BROWSER, NotebookPage, open_notebook

pytestmark = [
    *IN_A_BROWSER,
    only_in_full("a whole chapter in a browser; every day test_course predicts, tries and reopens in a small notebook"),
]

SEATS = 500
CHAPTER = "00_start_here.ipynb"
ORDERS = """
UPDATE plain_tickets SET buyer = 'Ada' WHERE seat = 'F05 A-1';
UPDATE plain_tickets SET buyer = 'Bo' WHERE seat = 'F05 A-1';"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    project = learners_project(tmp_path_factory.mktemp("learner"))
    with private_node(), start_jupyterlab(tmp_path_factory.mktemp("lab"), project) as running:
        yield running


@pytest.fixture(scope="module")
def page(lab: JupyterLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotebookPage]:
    """The chapter, open, in a smaller venue; nothing has run yet."""
    path = lab.notebooks / "my" / CHAPTER
    notebook = nbformat.read(path, as_version=4)
    assert all(cell.outputs == [] for cell in notebook.cells if cell.cell_type == "code")
    (parameters,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    parameters.source, patched = re.subn(r"(?m)^seats = .*", f"seats = {SEATS}", parameters.source)
    assert patched == 1
    nbformat.write(notebook, path)
    with open_notebook(lab, path, tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def test_it_is_worked_through_with_mouse_and_keyboard(page: NotebookPage):
    page.run_all()
    assert page.errors() == []
    # Nobody has chosen: what happened is kept, and does not stand there.
    assert "InvalidRequest" not in page.output("by-section").text
    page.screenshot("a question in the working copy")

    page.choose(page.output("predict-section"), "no rows")
    answer = page.output("by-section")
    page.until_says(answer, "InvalidRequest")
    page.until_says(answer, "You said")
    page.screenshot("a prediction in the working copy")

    assert page.printed(cell_id("00.1", "check")).startswith("✗ 00.1: Nobody has ordered")
    page.write(cell_id("00.1", "starter"), ORDERS)
    page.run(cell_id("00.1", "starter"))
    page.run(cell_id("00.1", "check"))
    assert page.printed(cell_id("00.1", "check")).startswith("✓ 00.1: Two orders were sent")
    page.screenshot("an exercise in the working copy")


def test_what_was_done_is_kept(page: NotebookPage):
    kept = json.loads(Path(os.environ["PROGRESS_FILE"]).read_text(encoding="utf-8"))
    assert kept["exercises"]["00.1"]["done"] is True
    assert "SET buyer = 'Bo'" in kept["exercises"]["00.1"]["code"]
    assert kept["predictions"]["00.2"]["said"] == "no rows"


def test_the_next_day_it_can_be_read(page: NotebookPage):
    page.save_and_open_again()
    answer = page.output("by-section").text
    assert "You said" in answer and "no rows" in answer and "a refusal" in answer
    assert "Error displaying widget" not in page.output("predict-section").text
    assert "Error displaying widget" not in page.output("predict-who").text


def test_links_lead_somewhere_in_the_working_copy(lab: JupyterLab):
    linked = set()
    for path in (lab.notebooks / "my").glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                linked |= set(re.findall(r"\]\((?!https?:)([^)#\s]+)", cell.source))
    assert "glossary.md" in linked and any(target.startswith("../docs/") for target in linked)
    missing = {each for each in linked if not lab.has(os.path.normpath(f"my/{each}").replace(os.sep, "/"))}
    # The project of this test has no code; that links to it lead somewhere is tested where that is.
    assert not {each for each in missing if not each.startswith(("../helpers/", "../embedded_scylla/", "../rust/"))}
