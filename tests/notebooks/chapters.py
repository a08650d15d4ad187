"""A chapter in a test: alone in an empty place, every exercise tried in every way; with FULL=1 three times over.

Every day papermill runs it once, for a small venue, as `make copy` gives it to a learner, with each exercise untouched,
wrong, and as its solutions have it. With FULL=1 nbval runs it before that in the same place, at its full size, and
compares what it prints with what is committed, and papermill runs it once more on the rows that all of this has left.
On a cluster, whose outputs are its own, papermill runs it for nbval.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import nbformat
import papermill

from helpers import connect
from helpers.course.exercises import exercises
from helpers.lab.connection import disconnect
from tests.full import FULL, in_full
from tests.notebooks.exercise_tries import misjudged, with_tries
from tests.patience import LONG_SECONDS, PATIENT_KERNEL, SECONDS
from tools.private_node import private_node
from tools.refresh_outputs import NOTEBOOKS
from tools.working_copy import complete

PROJECT = Path(__file__).resolve().parents[2]
# Small enough to be quick; the committed outputs are of the full size.
SEATS = 500
# A night of the capstone plays with up to 480, and a smaller house tells the same; with FULL=1 it is as large as any.
NIGHT = in_full(SEATS, 96)
SANITIZER = PROJECT / "nbval_sanitize.cfg"
# To compare a chapter takes as long as all tries of its exercises, and minutes where it fills the house. Every day the
# first chapter alone is compared, so that a change to what tables, pictures and refusals look like is seen at once.
COMPARED = ("00_",)


def paths(*chapters: str) -> list[Path]:
    """The notebooks of these chapters, in this order."""
    return [path for chapter in chapters for path in NOTEBOOKS.glob(f"{chapter}_*.ipynb")]


def run_chapter(path: Path, folder: Path) -> None:
    """Run a notebook in an empty place, as a learner has it, with all tries, and with FULL=1 before and after that as
    it is; what is executed lies in ``folder``."""
    copy = complete(mine=folder / "my") / path.name
    notebook, wanted = nbformat.read(copy, as_version=4), exercises(path.name.split("_")[0])
    again = copy.with_name(f"{path.stem}, with tries.ipynb")
    nbformat.write(with_tries(notebook, wanted), again)
    with _empty_place() as place:
        if os.environ.get("SCYLLA_HOSTS"):
            _execute(path, folder, place)
        elif FULL or path.name.startswith(COMPARED):
            compare_outputs(path)
        executed = _execute(again, folder, place)
        if FULL:
            _execute(copy, folder, place)
    wrong = misjudged(executed, wanted)
    assert not wrong, "\n".join(wrong)


def compare_outputs(path: Path) -> None:
    """Let nbval run a notebook with its outputs, and compare every one of them."""
    # A process of its own: nbval's options would turn every notebook that this run collects into tests.
    command = [sys.executable, "-m", "pytest", "-p", "tests.notebooks.nbval_rules", "-p", "no:cacheprovider"]
    options = ["--nbval", f"--nbval-sanitize-with={SANITIZER}", "-c", "pyproject.toml", f"--rootdir={PROJECT}"]
    patience = [f"--nbval-cell-timeout={LONG_SECONDS}", f"--nbval-kernel-startup-timeout={SECONDS}"]
    quiet = ["--quiet", "--no-header", "--color=no", "--timeout=0", "--tb=short", "--import-mode=importlib"]
    run = subprocess.run(
        [*command, *options, *patience, *quiet, str(path)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=2 * LONG_SECONDS,
    )
    failing = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", run.stdout, re.MULTILINE)
    told = f"{run.stdout}{run.stderr}"
    assert run.returncode == 0, f"not as committed: {', '.join(failing) or 'nothing'}; mend, or: make outputs\n{told}"


def parameters_of(path: Path) -> str:
    """The source of the cell that papermill puts its own values behind."""
    cells = nbformat.read(path, as_version=4).cells
    return next(cell.source for cell in cells if "parameters" in cell.metadata.get("tags", []))


@contextmanager
def _empty_place() -> Iterator[dict[str, Any]]:
    """An empty place for a notebook, as parameters: a node of its own or, on a cluster, a keyspace of its own."""
    if not os.environ.get("SCYLLA_HOSTS"):
        with private_node():
            yield {}
        return
    keyspace = f"alone_{uuid4().hex[:12]}"
    yield {"keyspace": keyspace}
    connect().execute(f"DROP KEYSPACE IF EXISTS {keyspace}")
    disconnect()


def _execute(path: Path, folder: Path, place: dict[str, Any]) -> nbformat.NotebookNode:
    source = parameters_of(path)
    seats = NIGHT if path.name.startswith("07_") else SEATS
    chosen = {name: value for name, value in {"seats": seats, **place}.items() if f"{name} = " in source}
    assert "seats" in chosen
    return papermill.execute_notebook(
        path,
        folder / f"{path.stem}, executed.ipynb",
        parameters=chosen,
        kernel_name="python3",
        cwd=path.parent,
        progress_bar=False,
        request_save_on_cell_execute=False,  # it writes the whole notebook twice a cell: half of the time
        start_timeout=PATIENT_KERNEL["startup_timeout"],
        execution_timeout=PATIENT_KERNEL["timeout"],
        iopub_timeout=PATIENT_KERNEL["iopub_timeout"],
    )
