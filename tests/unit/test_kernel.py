"""What a notebook has before anything was imported in it: the learner's commands, and mistakes in sentences."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import helpers
from helpers.course import kernel
from tests.patience import PATIENT_KERNEL
from tools.environment import KERNEL_CONFIG
from tools.private_node import private_node
from tools.refresh_outputs import NOTEBOOKS

# A cell → what a notebook shows of it, from the first cell on.
FIRST_CELLS = {
    # In IPython reset is a magic, which asks back and blocks the kernel, where a line may go without its %.
    'reset("00.1")': ["LabError: No chapter is open here"],
    'check("00.99")': ["LabError: There is no exercise 00.99"],
    "session.execute('SELECT 1')": ["NameError: session is not there yet.", "→ A cell above makes it: run"],
    "lapse_seconds": ["NameError: lapse_seconds is not there yet.", "→ A cell above makes it"],
    "show_error(1)": ["NameError: show_error is not there yet.", "→ It is one of the course's own: from"],
    "evnt = 1\nevnnt": ["NameError: nothing here is called evnnt. Did you mean evnt?"],
    "SELECT * FROM tickets;": ["SyntaxError: this is CQL, in a cell of Python.", "→ A cell of CQL begins with"],
}
AS_EVER = {"1 / 0": "ZeroDivisionError", "x = = 2": "SyntaxError", "  x = 1\n y = 2": "IndentationError"}
OTHERS = ("progress()", "hint('00.1')", "%nonsense", "import helpers", "check", "1 + 1")
# Rows, no rows and no answer at all, as the last expression of a cell.
RESULTS = {
    "from helpers import connect\nsession = connect()\nsession.execute('SELECT key FROM system.local')": [
        "key",
        "-----",
        "local",
        "(1 row)",
    ],
    "session.execute(\"SELECT key FROM system.local WHERE key = 'nowhere'\")": ["key", "---", "(0 rows)"],
    "session.execute(\"CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}\")": [
        "Done: this statement returns no rows."
    ],
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Cell → its outputs, in a kernel that reads what set-up writes for it, and whose notebook is chapter 00's."""
    ipython = tmp_path_factory.mktemp("ipython")
    (ipython / "profile_default").mkdir()
    (ipython / "profile_default" / "ipython_kernel_config.py").write_text(KERNEL_CONFIG, encoding="utf-8")
    sources = [*FIRST_CELLS, *AS_EVER, *OTHERS, *RESULTS]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    client = NotebookClient(
        notebook,
        allow_errors=True,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        **PATIENT_KERNEL,
    )
    with private_node(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(ipython))
        patch.setenv("JPY_SESSION_NAME", "my/00_start_here.ipynb")
        client.execute()
    return {cell.source: cell.outputs for cell in notebook.cells}


def text_of(outputs: list[Any]) -> str:
    return "".join(
        output.get("text") or output.get("data", {}).get("text/plain") or "\n".join(output.get("traceback", ()))
        for output in outputs
    )


@pytest.mark.parametrize("cell", FIRST_CELLS)
def test_the_first_cell_has_the_commands_and_sentences(cell: str, shown: dict[str, list[Any]]):
    (error,) = [output for output in shown[cell] if output.output_type == "error"]
    lines = "\n".join(error.traceback).splitlines()
    assert len(lines) <= 3
    for line, wanted in zip(lines, FIRST_CELLS[cell], strict=False):
        assert line.startswith(wanted)
    assert len(lines) >= len(FIRST_CELLS[cell])


@pytest.mark.parametrize("cell", AS_EVER)
def test_python_s_own_errors_look_as_ever(cell: str, shown: dict[str, list[Any]]):
    (error,) = shown[cell]
    assert error.output_type == "error" and error.ename == AS_EVER[cell]
    assert "→" not in "".join(error.traceback)


def test_the_other_commands_work(shown: dict[str, list[Any]]):
    assert "00 " in text_of(shown["progress()"]) and "Next: exercise" in text_of(shown["progress()"])
    assert text_of(shown["hint('00.1')"]).startswith("Hint 1 of 2 for 00.1")
    assert "not found" in text_of(shown["%nonsense"]) and shown["%nonsense"][0].output_type == "stream"
    assert text_of(shown["1 + 1"]) == "2"
    assert "function" in text_of(shown["check"])


@pytest.mark.parametrize("cell", RESULTS)
def test_what_execute_returns_is_shown_as_rows_or_in_a_sentence(cell: str, shown: dict[str, list[Any]]):
    (result,) = [output for output in shown[cell] if output.output_type == "execute_result"]
    assert [line.rstrip() for line in result.data["text/plain"].splitlines()] == RESULTS[cell]
    assert ("text/html" in result.data) == (len(RESULTS[cell]) > 1)


def test_every_command_is_there_and_says_what_it_does():
    assert set(kernel.COMMANDS) <= set(helpers.__all__)
    shell = SimpleNamespace(user_ns={"check": "a learner's own"}, pushed={})
    shell.push = lambda names, interactive: shell.pushed.update(names)
    shell.set_custom_exc = lambda kinds, handler: None
    kernel.furnish(shell, lambda name: lambda *values: (name, *values))
    assert set(shell.pushed) == set(kernel.COMMANDS) - {"check"}, "what a learner has named stays"
    assert shell.pushed["hint"]("04.2") == ("hint", "04.2")
    assert shell.pushed["hint"].__doc__ == kernel.COMMANDS["hint"]


def test_an_explanation_that_fails_leaves_python_s_own(monkeypatch: pytest.MonkeyPatch):
    told = []
    shell = SimpleNamespace(user_ns={}, showtraceback=lambda exc, **_: told.append(exc[0]))
    monkeypatch.setattr("helpers.course.error_handler.sentences", lambda *_: 1 / 0)
    assert kernel._explain(shell, NameError, NameError("x"), None) == []
    assert told == [NameError]


def test_only_a_notebook_is_furnished(monkeypatch: pytest.MonkeyPatch):
    """In a terminal's IPython errors are shown as ever; a notebook is a shell with a kernel."""
    notebook = SimpleNamespace(kernel=object())
    for shell, found in (None, None), (SimpleNamespace(), None), (notebook, notebook):
        monkeypatch.setattr("IPython.get_ipython", lambda shell=shell: shell)
        assert kernel.shell_of_a_notebook() is found


SLOW_TO_IMPORT = {"cassandra", "pandas", "matplotlib", "nbformat", "ipywidgets"}


def test_a_kernel_s_start_imports_nothing_that_takes_long():
    look = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.kernel = object()\n"
        "shell.extension_manager.load_extension('helpers')\n"
        f"print(sorted({SLOW_TO_IMPORT!r} & set(sys.modules)), 'hint' in shell.user_ns)"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] True"


def test_a_kernel_starts_where_the_course_is_gone(tmp_path: Path):
    """The environment may outlive the checkout that it leads to."""
    config = tmp_path / "ipython_kernel_config.py"
    config.write_text(KERNEL_CONFIG, encoding="utf-8")
    look = (
        "import importlib.util, sys\n"
        "from traitlets.config import PyFileConfigLoader\n"
        "found = importlib.util.find_spec\n"
        "def find_spec(name, *rest):\n"
        "    if name.startswith('helpers'): raise ModuleNotFoundError(name)\n"
        "    return found(name, *rest)\n"
        "importlib.util.find_spec = find_spec\n"
        f"config = PyFileConfigLoader('ipython_kernel_config.py', path={str(tmp_path)!r}).load_config()\n"
        "print(config.InteractiveShell.automagic, 'extensions' in config.InteractiveShellApp)"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"
