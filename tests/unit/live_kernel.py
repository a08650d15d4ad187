"""Small notebooks in kernels of their own, with somebody before them or nobody: what stands below each cell."""

from __future__ import annotations

import os
from pathlib import Path

from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from tests.patience import PATIENT_KERNEL
from tools.refresh_outputs import METADATA, PROJECT

# A click: the choice that was shown last takes a value, as it does when the page says so.
CLICK = """
from ipywidgets.widgets import widget
def click(kind, value):
    [each for each in list(widget._instances.values()) if type(each).__name__ == kind][-1].value = value
"""


def run(cells: list[str], record: Path, *, watched: bool, questions: Path, errors: bool = False) -> list[NotebookNode]:
    """Run ``cells``; ``record`` is the learner's file, ``questions`` a folder with the TOML files. The cells' outputs.

    ``errors`` lets a cell fail; otherwise that is an error here, as in papermill.
    """
    first = f"""
from pathlib import Path
from helpers.course import questions
questions.PREDICTIONS = Path({str(questions)!r})
from helpers import predict, surprises
{CLICK}"""
    notebook = new_notebook(metadata=METADATA, cells=[new_code_cell(source) for source in [first, *cells]])
    live = {"HELPERS_LIVE": str(int(watched)), "PROGRESS_FILE": str(record)}
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        resources={"metadata": {"path": str(PROJECT)}},
        allow_errors=errors,
        **PATIENT_KERNEL,
    )
    client.execute(env={**os.environ, **live})
    return [cell.outputs for cell in notebook.cells[1:]]


def text(outputs: list[NotebookNode]) -> str:
    """What stands below a cell as text, its pieces in their order."""
    pieces = []
    for output in outputs:
        if output.get("name") == "stderr":
            continue
        pieces.append(output.get("text") or output.get("data", {}).get("text/plain") or output.get("evalue") or "")
    return "\n".join(filter(None, (piece.rstrip("\n") for piece in pieces)))
