"""Every notebook stands alone, at another size too, and may be run again; every exercise judges rightly."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import nbformat
import papermill
import pytest

from helpers import connect, disconnect
from helpers.course.exercises import exercises
from tests.notebooks.exercise_tries import misjudged, with_tries
from tools.refresh_outputs import NOTEBOOKS, private_node

# Small enough to be quick; the committed outputs are of the full size, and nbval runs that.
SEATS = 500
# Where the clock cannot be pushed, a lesson waits for its holds to end.
HOLD_SECONDS = 5


@pytest.fixture
def where() -> Iterator[dict[str, Any]]:
    """An empty place for a notebook, as parameters: a node of its own or, on a cluster, a keyspace of its own."""
    if not os.environ.get("SCYLLA_HOSTS"):
        with private_node():
            yield {}
        return
    keyspace = f"alone_{uuid4().hex[:12]}"
    yield {"keyspace": keyspace, "hold_seconds": HOLD_SECONDS}
    connect().execute(f"DROP KEYSPACE IF EXISTS {keyspace}")
    disconnect()


@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebook_runs_in_an_empty_place_and_again(path: Path, where: dict[str, Any], tmp_path: Path):
    """The second time each exercise is tried in every way: untouched, wrong, and as its solution has it."""
    source = parameters_of(path)
    chosen = {name: value for name, value in {"seats": SEATS, **where}.items() if f"{name} = " in source}
    assert "seats" in chosen
    wanted = exercises(path.name.split("_")[0])
    again = tmp_path / f"{path.stem}, with tries.ipynb"
    nbformat.write(with_tries(nbformat.read(path, as_version=4), wanted), again)
    for source in (path, again):
        executed = papermill.execute_notebook(
            source,
            tmp_path / f"{source.stem}, executed.ipynb",
            parameters=chosen,
            kernel_name="python3",
            cwd=NOTEBOOKS,
            progress_bar=False,
            request_save_on_cell_execute=False,  # it writes the whole notebook twice a cell: half of the time
        )
    assert not misjudged(executed, wanted)


def parameters_of(path: Path) -> str:
    """The source of the cell that papermill puts its own values behind."""
    cells = nbformat.read(path, as_version=4).cells
    return next(cell.source for cell in cells if "parameters" in cell.metadata.get("tags", []))
