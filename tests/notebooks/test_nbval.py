"""What a reader sees on the web is what the notebooks print today: nbval runs them and compares every output."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.refresh_outputs import NOTEBOOKS, private_node

PROJECT = Path(__file__).resolve().parents[2]
CELL_SECONDS = 400
# At the size that is committed.
NOTEBOOK_SECONDS = 600


@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.skipif("SCYLLA_HOSTS" in os.environ, reason="the committed outputs are the embedded node's")
@pytest.mark.timeout(NOTEBOOK_SECONDS + 30)
@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_committed_outputs_are_true(path: Path):
    # A process of its own: nbval's options would turn every notebook that this run collects into tests.
    command = [sys.executable, "-m", "pytest", "-p", "tests.notebooks.nbval_rules", "-p", "no:cacheprovider"]
    options = ["--nbval", f"--nbval-cell-timeout={CELL_SECONDS}", "--nbval-sanitize-with=nbval_sanitize.cfg"]
    quiet = ["--quiet", "--no-header", "--color=no", "--timeout=0", "--tb=short", "--import-mode=importlib"]
    with private_node():
        run = subprocess.run(
            [*command, *options, *quiet, str(path.relative_to(PROJECT))],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=NOTEBOOK_SECONDS,
        )
    failing = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", run.stdout, re.MULTILINE)
    told = f"{run.stdout}{run.stderr}"
    assert run.returncode == 0, f"not as committed: {', '.join(failing) or 'nothing'}; mend, or: make outputs\n{told}"
