"""The chapters about the tables, the stock and the reads: as committed, and again with all tries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebooks.chapters import NOTEBOOK_SECONDS, paths, run_twice


@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.timeout(NOTEBOOK_SECONDS + 400)
@pytest.mark.parametrize("path", paths("00", "01", "02", "02b", "03", "03b"), ids=lambda path: path.stem)
def test_notebook_is_as_committed_and_runs_again(path: Path, tmp_path: Path):
    run_twice(path, tmp_path)
