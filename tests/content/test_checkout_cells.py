"""Chapter 04 writes the checkout's statements out, with names for their marks: they are those of cql/checkout.cql."""

from __future__ import annotations

import re

import nbformat
import pytest

from helpers.lab.statements import bare, split, statement
from tools.refresh_outputs import NOTEBOOKS

# Cell → the statements of the file that stand in it, in order; other statements may stand between.
CELLS = {
    "lwt-ada": ["hold_seat"],
    "lwt-bo": ["hold_seat"],
    "late-pay": ["pay_seat"],
    "expire": ["expire_seat"],
    "ex-04-3-solution": ["release_seat"],
}


def plain(text: str) -> str:
    """A statement with question marks for its marks and for the buyer's name, on one line."""
    return " ".join(re.sub(r"(?<!\w):\w+|(?<=held_by = )''", "?", bare(text)).split()).replace(
        "status = ''", "status = ?"
    )


@pytest.mark.parametrize("cell", CELLS)
def test_the_cell_has_the_statement_of_the_file(cell: str):
    notebook = nbformat.read(NOTEBOOKS / "04_timed_checkouts.ipynb", as_version=4)
    source = next(each.source for each in notebook.cells if each.id == cell)
    written = [plain(each) for each in split(source.partition("\n")[2])]
    for name in CELLS[cell]:
        assert plain(statement(name)) in written
