"""Every notebook stands alone, at another size too, and may be run again."""

from __future__ import annotations

from pathlib import Path

import papermill
import pytest

from tools.refresh_outputs import NOTEBOOKS, private_node

# Small enough to be quick; the committed outputs are of the full size, and nbval runs that.
SEATS = 500


@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebook_runs_on_an_empty_node_and_again(path: Path, tmp_path: Path):
    with private_node():
        for run in ("on an empty node", "again"):
            executed = papermill.execute_notebook(
                path,
                tmp_path / f"{path.stem}, {run}.ipynb",
                parameters={"seats": SEATS},
                kernel_name="python3",
                cwd=NOTEBOOKS,
                progress_bar=False,
            )
            injected = [cell for cell in executed.cells if "injected-parameters" in cell.metadata.get("tags", [])]
            assert len(injected) == 1, "papermill found no cell tagged parameters"
