"""A learner at work in a real JupyterLab: predicts by a click, tries, is checked, asks for hints, makes a mistake, lets
Tab complete a cell of CQL."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from helpers.course.exercises import exercises
from tools.build_exercises import cell_id, cells_of
from tools.refresh_outputs import METADATA, private_node

from .jupyterlab import start_jupyterlab
from .notebook_page import IN_A_BROWSER, NotebookPage, open_notebook

pytestmark = IN_A_BROWSER

NUMBER = "04.1"
ASKED, RELOADED, UNANSWERED = "03.6", "03.2", "03.5"
CELLS = {
    "open": """
from helpers import *
session, hold_seconds = connect(), 900
event = checkpoint("04", seats=500)
event_id = event.id
_ = apply_cql(session, "checkout.cql")
""",
    "predict": f'predict("{ASKED}")',
    "after": f'%%after {ASKED}\nprint("what the cell shows")\nrows = [False, True]',
    "reloaded": f'predict("{RELOADED}")',
    "after-reloaded": f'%%after {RELOADED}\nprint("what the other cell shows")\nrows = []',
    "unanswered": f'predict("{UNANSWERED}")',
    "hints": f'for _ in range(3):\n    hint("{NUMBER}")',
    "mistake": 'session.execute("SELECT * FORM tickets")',
    # Behind the mistake, where a run of all cells stops.
    "begun": "%%cql\nSELECT status FROM tickets WHERE pri",
}
_EDIT_ITS_END = """
const [id, done] = arguments;
(async () => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = notebook.widgets.findIndex(cell => cell.model.id === id);
    notebook.mode = 'edit';
    const editor = notebook.activeCell.editor, last = editor.lineCount - 1;
    editor.focus();
    editor.setCursorPosition({line: last, column: editor.getLine(last).length});
})().then(() => done(null), error => done(String(error)));
"""
_OFFERED = """
return [...document.querySelectorAll('.jp-Completer-item .jp-Completer-match')].map(each => each.textContent)
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotebookPage]:
    """The notebook, open in JupyterLab; nothing has run yet."""
    first = exercises("04")[NUMBER]
    notebook = new_notebook(metadata=METADATA)
    cells = {name: new_code_cell(source.strip(), id=name) for name, source in CELLS.items()}
    asked = [cells[name] for name in ("predict", "after", "reloaded", "after-reloaded", "unanswered")]
    notebook.cells = [cells["open"], *asked, *cells_of(first), cells["hints"], cells["mistake"], cells["begun"]]
    with private_node(), start_jupyterlab(tmp_path_factory.mktemp("lab")) as lab:
        path = lab.notebooks / "course.ipynb"
        nbformat.write(notebook, path)
        with open_notebook(lab, path, tmp_path_factory.mktemp("profile")) as opened:
            yield opened


@pytest.fixture
def record(page: NotebookPage) -> Path:
    """Where the learner's progress is kept."""
    return Path(os.environ["PROGRESS_FILE"])


def test_predict_try_ask_and_recover(page: NotebookPage):
    page.run_all()
    # Nobody has said anything yet, and a solution is not run over a learner's head.
    assert page.printed("after").startswith("Choose above; what happened is kept")
    assert page.printed(cell_id(NUMBER, "check")).startswith("✗")
    assert "was not run" in page.printed(cell_id(NUMBER, "solution"))

    choice = page.output("predict")
    page.until_says(choice, "301 events")
    page.screenshot("a prediction")
    said = "one for each event"
    page.choose(choice, said)
    # What was held back appears in its place; nothing had to be run again.
    page.until_says(page.output("after"), "It happened (a surprise)")
    assert page.printed("after").startswith("what the cell shows\n") and f"You said: {said}" in page.printed("after")
    page.until_says(page.output("predict"), f"You said: {said}.")
    page.screenshot("a prediction that was made")

    page.run_all()
    assert f"You said: {said}" in page.printed("after")
    # Three calls of hint have led to the solution: now the folded cell runs it.
    assert f"✓ {NUMBER}" in page.printed(cell_id(NUMBER, "solution"))


def test_the_record_is_kept_for_the_next_notebook(page: NotebookPage, record: Path):
    kept = json.loads(record.read_text(encoding="utf-8"))
    assert kept["predictions"][ASKED]["said"] == "one for each event"
    assert kept["exercises"][NUMBER]["done"] is True


def test_a_mistake_is_a_sentence_with_the_trace_folded(page: NotebookPage):
    output = page.output("mistake")
    page.until_says(output, "SyntaxException: line 1:9")
    trace = page.find(output, "details")
    assert "Traceback" not in trace.text
    trace.find_element(By.CSS_SELECTOR, "summary").click()
    page.until_says(output, "Traceback (most recent call last)")
    page.screenshot("a mistake")


def test_tab_completes_cql(page: NotebookPage):
    page.cell("begun")
    assert page.driver.execute_async_script(_EDIT_ITS_END, "begun") is None

    def offered() -> list[str]:
        # JupyterLab gives the kernel a second to answer; on a busy machine it is asked again.
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
        try:
            return page.until(lambda: page.driver.execute_script(_OFFERED), "Tab offers something", seconds=5)
        except TimeoutException:
            return []

    assert page.until(offered, "Tab offers a column") == ["price", "PRIMARY"]
    ActionChains(page.driver).send_keys(Keys.ESCAPE).perform()


def test_a_page_that_was_loaded_anew_still_shows_what_was_held_back(page: NotebookPage):
    """The kernel lives, and the page that the result was promised to is gone."""
    page.save_and_open_again()
    choice = page.output("reloaded")
    page.choose(choice, "it is gone")
    page.until_says(page.output("reloaded"), "what the other cell shows")
    page.until_says(page.output("reloaded"), "It happened (")
    page.screenshot("a prediction on a page that was loaded anew")


def test_the_next_day_questions_and_answers_can_be_read(page: NotebookPage):
    """Saved, its kernel ended, and opened again: no widget is left that nobody can show."""
    page.save()
    # Other front ends than ours keep nothing of a widget beyond its kernel.
    page.reopen(without_widgets=True)
    page.until_says(page.output("predict"), "one for each event")
    page.until_says(page.output("after"), "It happened (a surprise)")
    # Below the question stood a widget; JupyterLab looks for it, finds none, and would say so.
    whole = "(If a click does nothing here, run this cell again.)"
    page.until(lambda: page.output("unanswered").text.rstrip().endswith(whole), "nothing speaks of models")
    assert page.output("unanswered").find_elements(By.CSS_SELECTOR, ".jupyter-widgets"), "it was looked for"
    page.screenshot("a question the next day")
