"""``tools/refresh_outputs.py`` leaves of an executed notebook what lasts, and nothing of one that fails."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools.private_node import private_node
from tools.refresh_outputs import METADATA, WIDGET, main, normalise


def printed(text: str, name: str = "stdout"):
    return new_output("stream", name=name, text=text)


def outputs_after(*outputs):
    cell = new_code_cell("…", id="cell", execution_count=7, outputs=list(outputs))
    return normalise(new_notebook(cells=[cell])).cells[0].outputs


def test_standard_error_goes_and_standard_output_stays():
    assert outputs_after(printed("12%", "stderr"), printed("done\n")) == [printed("done\n")]


def test_what_was_printed_in_pieces_becomes_one_piece():
    assert outputs_after(printed("a\n"), printed("12%", "stderr"), printed("b\n")) == [printed("a\nb\n")]


def test_pieces_on_both_sides_of_a_picture_stay_apart():
    picture = new_output("display_data", {"text/plain": "Picture: a map"}, metadata={"image/png": {"alt": "a map"}})
    assert outputs_after(printed("a\n"), picture, printed("b\n")) == [printed("a\n"), picture, printed("b\n")]


def test_a_live_widget_goes():
    assert outputs_after(new_output("display_data", {WIDGET: {"model_id": "1f"}, "text/plain": "HBox()"})) == []


def test_metadata_and_numbers_are_the_same_in_every_run():
    result = new_output("execute_result", {"text/plain": "1"}, execution_count=9)
    notebook = new_notebook(
        metadata={"language_info": {"name": "python", "version": "3.11.7"}, "widgets": {}},
        cells=[
            new_markdown_cell("# Title", id="title", metadata={"trusted": True}),
            new_code_cell("1", id="one", execution_count=9, metadata={"tags": ["parameters"], "execution": {}}),
            new_code_cell("1", id="two", execution_count=12, outputs=[result]),
        ],
    )
    title, one, two = normalise(notebook).cells
    assert notebook.metadata == METADATA
    assert (title.metadata, one.metadata) == ({}, {"tags": ["parameters"]})
    assert [one.execution_count, two.execution_count, two.outputs[0].execution_count] == [1, 2, 2]


def test_a_private_node_leaves_the_environment_as_it_was(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SCYLLA_HOSTS", "192.0.2.1")
    before = dict(os.environ)
    with private_node():
        assert "SCYLLA_HOSTS" not in os.environ
        folder = Path(os.environ["EMBEDDED_DIR"])
        assert folder.is_dir()
    assert dict(os.environ) == before
    assert not folder.exists()


def test_a_notebook_that_fails_is_left_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "failing.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("1 / 0", id="boom")]), path)
    before = path.read_bytes()
    assert main([str(path)]) == 1
    assert path.read_bytes() == before
    told = capsys.readouterr().err
    assert "failing.ipynb: left as it was" in told
    assert "ZeroDivisionError" in told


def test_a_notebook_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]):
    assert main(["no.ipynb"]) == 2
    assert "There is no no.ipynb." in capsys.readouterr().err


def test_cleaning_executes_nothing_and_keeps_the_outputs(tmp_path: Path):
    path = tmp_path / "opened.ipynb"
    cell = new_code_cell("1 / 0", id="one", execution_count=9, metadata={"collapsed": False}, outputs=[printed("so\n")])
    nbformat.write(new_notebook(metadata={"widgets": {}}, cells=[cell]), path)
    assert main(["--clean", str(path)]) == 0
    cleaned = nbformat.read(path, as_version=4)
    assert (cleaned.metadata, cleaned.cells[0].metadata) == (METADATA, {})
    assert cleaned.cells[0].outputs == [printed("so\n")]
    before = path.read_bytes()
    assert main(["--clean", str(path)]) == 0
    assert path.read_bytes() == before


@pytest.mark.parametrize("options", [[], ["--clean"]])
@pytest.mark.parametrize("text", ["", "# No notebook", "[]", "{}"])
def test_what_is_no_notebook_is_left_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, options: list[str]
):
    path = tmp_path / "readme.md"
    path.write_text(text)
    assert main([*options, str(path)]) == 1
    assert path.read_text() == text
    assert "readme.md: left as it was, because it cannot be read or written: " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_a_notebook_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "one.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("1", id="one")]), path)
    before = path.read_bytes()
    whole = Path.write_text

    def interrupted(self: Path, text: str, **kind: str) -> None:
        whole(self, text[:20], **kind)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", interrupted)
    assert main(["--clean", str(path)]) == 130
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
