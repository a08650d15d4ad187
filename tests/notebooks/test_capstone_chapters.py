"""The second night: as committed, and again with all tries, each of which plays a part of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebooks.chapters import paths, run_twice
from tests.patience import LONG_SECONDS


@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.timeout(4 * LONG_SECONDS)
@pytest.mark.parametrize("path", paths("07"), ids=lambda path: path.stem)
def test_notebook_is_as_committed_and_runs_again(path: Path, tmp_path: Path):
    run_twice(path, tmp_path)
