"""A cell of CQL in a real JupyterLab: Tab completes it."""

from __future__ import annotations

from collections.abc import Iterator

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tools.refresh_outputs import METADATA, private_node

from .jupyterlab import start_jupyterlab
from .notebook_page import IN_A_BROWSER, NotebookPage, open_notebook

pytestmark = IN_A_BROWSER

OPEN = """
from helpers import connect, open_chapter
session = connect()
event = open_chapter(session, "seats_00", seats=100)
"""
BEGUN = "%%cql\nSELECT status FROM tickets WHERE pri"
_EDIT_ITS_END = """
const done = arguments[arguments.length - 1];
(async () => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = 1;
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
    """A notebook whose first cell has run, and whose second is begun."""
    notebook = new_notebook(metadata=METADATA)
    notebook.cells = [new_code_cell(OPEN.strip(), id="open"), new_code_cell(BEGUN, id="begun")]
    with private_node(), start_jupyterlab(tmp_path_factory.mktemp("lab")) as lab:
        path = lab.notebooks / "cql.ipynb"
        nbformat.write(notebook, path)
        with open_notebook(lab, path, tmp_path_factory.mktemp("profile")) as opened:
            opened.run_all()
            yield opened


def test_tab_completes_cql(page: NotebookPage):
    assert page.driver.execute_async_script(_EDIT_ITS_END) is None

    def offered() -> list[str]:
        # JupyterLab gives the kernel a second to answer; on a busy machine it is asked again.
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
        try:
            return page.until(lambda: page.driver.execute_script(_OFFERED), "Tab offers something", seconds=5)
        except TimeoutException:
            return []

    assert page.until(offered, "Tab offers a column") == ["price", "PRIMARY"]
