"""The second night: with all tries, each of which plays a part of it, and in full as committed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebooks.chapters import paths, run_chapter
from tests.patience import LONG_SECONDS


@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.timeout(4 * LONG_SECONDS)
@pytest.mark.parametrize("path", paths("07"), ids=lambda path: path.stem)
def test_notebook_runs_with_all_tries_and_in_full_is_as_committed(path: Path, tmp_path: Path):
    run_chapter(path, tmp_path)
