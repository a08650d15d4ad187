"""nbformat without the parsers that it never asks."""

from __future__ import annotations

import subprocess
import sys

from tests.patience import SECONDS

_TRIED = """
import sys
from tools.run_notebooks import leave_out_iri_grammar
leave_out_iri_grammar()
import nbformat
assert "lark" not in sys.modules, "the parsers were built"
good = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
nbformat.validate(good)
good.cells[0].cell_type = "poem"
try:
    nbformat.validate(good)
except nbformat.ValidationError:
    print("refused")
"""


def test_a_notebook_is_judged_as_before_and_no_parser_is_built() -> None:
    run = subprocess.run([sys.executable, "-c", _TRIED], capture_output=True, text=True, timeout=SECONDS)
    assert (run.returncode, run.stdout.strip()) == (0, "refused"), run.stderr
