"""The chapters about the tables, the stock and the reads: as committed, and again with all tries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebooks.chapters import paths, run_twice
from tests.patience import LONG_SECONDS


@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.timeout(4 * LONG_SECONDS)
@pytest.mark.parametrize("path", paths("00", "01", "02", "02b", "03", "03b"), ids=lambda path: path.stem)
def test_notebook_is_as_committed_and_runs_again(path: Path, tmp_path: Path):
    run_twice(path, tmp_path)
