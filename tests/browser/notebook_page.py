"""A notebook in JupyterLab as a reader has it before them: run all cells, look at an output, click, type."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.sign import NotebookNotary
from selenium.common.exceptions import JavascriptException, StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.patience import LONG_SECONDS, SECONDS
from tools.refresh_outputs import PROJECT
from tools.results import Results

from .jupyterlab import JupyterLab

SCREENSHOTS = PROJECT / "out" / "browser"

_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # root, as in a container, may not have one
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1280,1500",
)

# The page has JupyterLab's own objects: what stands where in the page may change from release to release, and which
# cells are attached to it depends on where the reader has scrolled to.
_OPENED = "return Boolean(window.jupyterapp?.shell.currentWidget?.context?.isReady)"
_RUN_ALL = """
const [waits, done] = arguments;
(async () => {
    const app = window.jupyterapp;
    await app.restored;
    const session = app.shell.currentWidget.sessionContext;
    await session.ready;
    await session.session.kernel.info;
    const over = app.commands.execute('notebook:run-all-cells');
    if (waits)
        await over;
})().then(() => done(null), error => done(String(error)));
"""
_SAVE = """
const done = arguments[arguments.length - 1];
window.jupyterapp.shell.currentWidget.context.save().then(() => done(null), error => done(String(error)));
"""
_OUTPUT = """
const [id, done] = [arguments[0], arguments[arguments.length - 1]];
(async () => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    const index = notebook.widgets.findIndex(cell => cell.model.id === id);
    await notebook.scrollToItem(index, 'start');
    return notebook.widgets[index].outputArea.node;
})().then(done, error => done(null));
"""
_CELL = """
const [id, done] = [arguments[0], arguments[arguments.length - 1]];
(async () => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    const index = notebook.widgets.findIndex(cell => cell.model.id === id);
    await notebook.scrollToItem(index, 'center');
    await notebook.widgets[index].ready;
    return notebook.widgets[index].node;
})().then(done, error => done(null));
"""
_MODEL = "return window.jupyterapp.shell.currentWidget.context.model.toJSON()"


def programs() -> tuple[str, str] | None:
    """Where Chromium and its driver are, or None where one of them is missing."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


IN_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(3 * LONG_SECONDS),
    pytest.mark.skipif(programs() is None, reason="drives Chromium: chromium or chromedriver is not on the path"),
]


class NotebookPage:
    """One notebook, open in JupyterLab in a browser of its own."""

    def __init__(self, driver: Chrome, lab: JupyterLab, notebook: Path):
        self.driver, self._lab, self._notebook = driver, lab, notebook

    def open(self) -> None:
        """Open the notebook, as it was saved last."""
        self.driver.get(self._lab.url_of(self._notebook))
        opened = f"JupyterLab has opened {self._notebook.name}"
        self.until(lambda: self.driver.execute_script(_OPENED), opened, LONG_SECONDS)

    def reopen(self, *, without_widgets: bool) -> None:
        """The next day: the kernel has ended, and the notebook is opened again, with or without its widgets' state."""
        self._lab.end_kernels()
        self.driver.get("about:blank")
        if without_widgets:
            saved = nbformat.read(self._notebook, as_version=4)
            saved.metadata.pop("widgets", None)
            nbformat.write(saved, self._notebook)
            # A file that is not as it was saved is not trusted, and a widget in it not looked for.
            NotebookNotary(data_dir=str(self._lab.notebooks.parent / "data")).sign(saved)
        self.open()

    def until(self, ready: Callable[[], Any], why: str, seconds: float = SECONDS) -> Any:
        """Wait until ``ready()`` gives something true, and return that; ``why`` says what did not happen in time."""
        wait = WebDriverWait(self.driver, seconds, 0.05, [StaleElementReferenceException, JavascriptException])
        return wait.until(lambda _: ready(), f"not within {seconds} s: {why}")

    def run_all(self) -> None:
        """Run all cells, as Run ▸ Run All Cells does, and wait for the last one."""
        self.driver.set_script_timeout(LONG_SECONDS)
        self._do(_RUN_ALL, True)

    def start_all(self) -> None:
        """Run all cells, and wait for none."""
        self._do(_RUN_ALL, False)

    def save(self) -> None:
        """Save the notebook."""
        self._do(_SAVE)

    def save_and_open_again(self) -> None:
        """Save the notebook, and load the page anew; the kernel goes on."""
        self.save()
        self.driver.refresh()
        self.until(lambda: self.driver.execute_script(_OPENED), "the notebook is open again", LONG_SECONDS)

    def _do(self, script: str, *arguments: object) -> None:
        problem = self.driver.execute_async_script(script, *arguments)
        assert problem is None, problem

    def cell(self, cell_id: str) -> WebElement:
        """A cell, scrolled to."""
        return self.until(lambda: self.driver.execute_async_script(_CELL, cell_id), f"cell {cell_id} is there")

    def write(self, cell_id: str, text: str) -> None:
        """Click into a cell, go to its end, and type."""
        self.find(self.cell(cell_id), ".cm-content").click()
        keys = ActionChains(self.driver).key_down(Keys.CONTROL).send_keys(Keys.END).key_up(Keys.CONTROL)
        keys.send_keys(text).perform()

    def run(self, cell_id: str) -> None:
        """Click into a cell, press Shift and Enter, and wait until it has run."""
        self.find(self.cell(cell_id), ".cm-content").click()
        before = self.execution_count(cell_id)
        ActionChains(self.driver).key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).perform()
        self.until(lambda: self.execution_count(cell_id) not in (None, before), f"cell {cell_id} has run", LONG_SECONDS)

    def execution_count(self, cell_id: str) -> int | None:
        """The number of a cell's last run; None where it has not run, or runs now."""
        count: int | None = next(cell for cell in self.cells() if cell["id"] == cell_id)["execution_count"]
        return count

    def cells(self) -> list[dict[str, Any]]:
        """The notebook's cells with their outputs, as they would be saved now."""
        return self.driver.execute_script(_MODEL)["cells"]

    def printed(self, cell_id: str) -> str:
        """What stands below a cell as text."""
        outputs = next(cell for cell in self.cells() if cell["id"] == cell_id)["outputs"]
        texts = [output.get("text") or output.get("data", {}).get("text/plain") or "" for output in outputs]
        return "".join(line for text in texts for line in text)

    def errors(self) -> list[str]:
        """What the cells say of errors: exceptions, and whatever went to stderr, a red band in JupyterLab."""
        outputs = [(cell["id"], output) for cell in self.cells() for output in cell.get("outputs", [])]
        return [
            f"cell {name}: {output.get('evalue') or output.get('text')}"
            for name, output in outputs
            if output["output_type"] == "error" or output.get("name") == "stderr"
        ]

    def output(self, cell_id: str) -> WebElement:
        """What stands below a cell, scrolled to."""
        return self.until(lambda: self.driver.execute_async_script(_OUTPUT, cell_id), f"cell {cell_id} has an output")

    def find(self, within: WebElement, css: str) -> WebElement:
        """The first element that is displayed, waited for."""

        def shown() -> WebElement | None:
            return next((each for each in within.find_elements(By.CSS_SELECTOR, css) if each.is_displayed()), None)

        return self.until(shown, f"{css} is displayed")

    def button(self, within: WebElement, words: str) -> WebElement:
        """The control's button with these words on it."""

        def there() -> WebElement | None:
            buttons = within.find_elements(By.CSS_SELECTOR, "button.jupyter-button")
            return next((each for each in buttons if each.is_displayed() and each.text == words), None)

        return self.until(there, f"a button {words!r} is displayed")

    def choose(self, within: WebElement, words: str) -> None:
        """Click on the choice with these words."""
        self.until_says(within, words)
        labels = within.find_elements(By.CSS_SELECTOR, "label")
        next(each for each in labels if each.text.strip() == words).click()

    def until_says(self, within: WebElement, words: str) -> None:
        """Wait until a control shows these words."""
        self.until(lambda: words in within.text, f"the control says {words!r}")

    def screenshot(self, name: str) -> None:
        """Save what the browser shows now as ``out/browser/NAME.png``."""
        Results(SCREENSHOTS.parent).open().claim(SCREENSHOTS.name, known=Path.is_dir)
        SCREENSHOTS.mkdir(exist_ok=True)
        self.driver.save_screenshot(str(SCREENSHOTS / f"{name}.png"))


@contextmanager
def open_notebook(lab: JupyterLab, notebook: Path, profile: Path) -> Iterator[NotebookPage]:
    """Open a notebook in a fresh Chromium; at the end the browser and the notebook's kernel end."""
    browser, driver_program = programs() or ("", "")
    options = ChromeOptions()
    options.binary_location = browser
    for argument in (*_ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    # With both programs named, selenium has no reason to look for any to download.
    driver = Chrome(options=options, service=Service(driver_program))
    driver.command_executor.client_config.timeout = 2 * LONG_SECONDS
    page = NotebookPage(driver, lab, notebook)
    try:
        page.open()
        yield page
    except Exception:
        page.screenshot(f"failed, {notebook.stem}")
        raise
    finally:
        driver.quit()
        lab.end_kernels()
