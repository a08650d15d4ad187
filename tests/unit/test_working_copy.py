"""The working copy: made without outputs, completed, never overwritten; what has changed is taken when asked for."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.patience import SECONDS
from tools import working_copy
from tools.environment import ROOT
from tools.working_copy import MANIFEST, complete, main

PARK, SALE, WORDS = "00_park.ipynb", "01_sale.ipynb", "glossary.md"


def write(path: Path, source: str, output: str = "42") -> None:
    """A notebook of one cell that has run."""
    cell = {
        "cell_type": "code",
        "id": "only",
        "metadata": {},
        "source": [source],
        "execution_count": 3,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": [output]}],
    }
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")


def source(path: Path) -> str:
    return "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])


@pytest.fixture
def printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "printed"
    folder.mkdir()
    write(folder / PARK, "the park")
    write(folder / SALE, "the sale")
    (folder / WORDS).write_text("# Glossary\n", encoding="utf-8")
    monkeypatch.setattr(working_copy, "PRINTED", folder)
    return folder


@pytest.fixture
def mine(tmp_path: Path, printed: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A working copy that is complete; what its making said is read."""
    folder = tmp_path / "my"
    assert complete(mine=folder, printed=printed) == folder
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("my/ is your copy of the notebooks")
    return folder


def test_it_has_every_chapter_without_outputs_and_what_they_link_to(mine: Path):
    assert {path.name for path in mine.iterdir() if not path.name.startswith(".")} == {PARK, SALE, WORDS}
    (cell,) = json.loads((mine / SALE).read_text(encoding="utf-8"))["cells"]
    assert (cell["source"], cell["outputs"], cell["execution_count"]) == (["the sale"], [], None)


def test_the_second_time_nothing_is_written_and_nothing_said(
    mine: Path, printed: Path, capsys: pytest.CaptureFixture[str]
):
    before = {path.name: path.stat().st_mtime_ns for path in mine.iterdir()}
    write(printed / SALE, "the sale", output="other outputs are no change")
    complete(mine=mine, printed=printed)
    assert {path.name: path.stat().st_mtime_ns for path in mine.iterdir()} == before
    assert capsys.readouterr().err == ""


def test_a_presenter_s_notes_are_in_no_copy_and_change_none(
    mine: Path, printed: Path, capsys: pytest.CaptureFixture[str]
):
    before = (mine / SALE).read_bytes()
    notebook = json.loads((printed / SALE).read_text(encoding="utf-8"))
    notebook["cells"][0]["metadata"] = {"presenter": {"ask": "Who?"}, "slideshow": {"slide_type": "slide"}}
    (printed / SALE).write_text(json.dumps(notebook), encoding="utf-8")
    complete(mine=mine, printed=printed)
    assert capsys.readouterr().err == ""
    (mine / SALE).unlink()
    complete(mine=mine, printed=printed)
    assert (mine / SALE).read_bytes() == before


@pytest.mark.parametrize("touched", [True, False])
def test_a_chapter_that_has_changed_is_said_and_stays(
    mine: Path, printed: Path, capsys: pytest.CaptureFixture[str], touched: bool
):
    if touched:
        write(mine / SALE, "what I have tried")
    before = (mine / SALE).read_bytes()
    write(printed / SALE, "the sale, better told")
    for _ in range(2):
        complete(mine=mine, printed=printed)
        assert f"Changed since your copy was made: {SALE}." in capsys.readouterr().err
        assert (mine / SALE).read_bytes() == before


def test_it_is_taken_when_asked_for_and_ones_own_is_kept(mine: Path, printed: Path, capsys: pytest.CaptureFixture[str]):
    for i, kept in enumerate(["01_sale.mine.ipynb", "01_sale.mine-2.ipynb"]):
        write(mine / SALE, f"what I have tried {i}")
        write(printed / SALE, f"the sale, better told {i}")
        complete({SALE}, mine=mine, printed=printed)
        assert source(mine / SALE) == f"the sale, better told {i}"
        assert source(mine / kept) == f"what I have tried {i}"
        assert capsys.readouterr().err == f"{SALE} is taken as it is now; yours is kept as {kept}.\n"
    assert source(mine / "01_sale.mine.ipynb") == "what I have tried 0"
    complete(mine=mine, printed=printed)
    assert capsys.readouterr().err == ""


def test_all_takes_what_has_changed_and_leaves_the_rest(mine: Path, printed: Path):
    write(mine / PARK, "what I have tried")
    write(printed / SALE, "the sale, better told")
    complete({"all"}, mine=mine, printed=printed)
    assert (source(mine / PARK), source(mine / SALE)) == ("what I have tried", "the sale, better told")
    # In that copy nobody had written: there was nothing to keep.
    assert not list(mine.glob("*.mine*"))


def test_a_chapter_may_be_taken_anew_although_it_has_not_changed(mine: Path, printed: Path):
    write(mine / PARK, "what I have tried")
    complete({PARK}, mine=mine, printed=printed)
    assert source(mine / PARK) == "the park"
    assert source(mine / "00_park.mine.ipynb") == "what I have tried"


def test_half_a_copy_is_completed(mine: Path, printed: Path, capsys: pytest.CaptureFixture[str]):
    write(mine / PARK, "what I have tried")
    (mine / SALE).unlink()
    (mine / MANIFEST).write_text("{", encoding="utf-8")
    (mine / f".{SALE}.new").write_text("half a draf", encoding="utf-8")
    write(printed / "02_new.ipynb", "a new chapter")
    complete(mine=mine, printed=printed)
    assert [source(mine / name) for name in (PARK, SALE, "02_new.ipynb")] == [
        "what I have tried",
        "the sale",
        "a new chapter",
    ]
    # Nobody knows any more what that one was made from.
    assert f"Changed since your copy was made: {PARK}." in capsys.readouterr().err


def test_a_copy_that_is_no_notebook_any_more_stays(mine: Path, printed: Path):
    (mine / SALE).write_bytes(b"\xff half a noteboo")
    write(printed / SALE, "the sale, better told")
    complete(mine=mine, printed=printed)
    assert (mine / SALE).read_bytes() == b"\xff half a noteboo"


def test_where_nothing_can_be_written_the_printed_edition_is_opened(
    tmp_path: Path, printed: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "my").write_text("somebody's file", encoding="utf-8")
    assert complete(mine=tmp_path / "my", printed=printed) == printed
    assert "cannot be written" in capsys.readouterr().err


def test_a_whole_copy_that_cannot_be_written_is_opened(
    mine: Path, printed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(working_copy, "_write", refuse)
    monkeypatch.setattr("helpers.lab.filelock.os.open", refuse)
    assert complete(mine=mine, printed=printed) == mine
    assert capsys.readouterr().err == ""
    (mine / SALE).unlink()
    assert complete(mine=mine, printed=printed) == printed
    assert "cannot be written" in capsys.readouterr().err


def test_two_at_once_make_one_copy(tmp_path: Path, printed: Path):
    folder, problems = tmp_path / "my", []

    def make() -> None:
        try:
            assert complete(mine=folder, printed=printed) == folder
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert problems == []
    assert source(folder / SALE) == "the sale" and not list(folder.glob("*.mine*"))


def test_as_a_command(
    tmp_path: Path, printed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(working_copy.complete, "__kwdefaults__", {"mine": tmp_path / "my", "printed": printed})
    assert main([]) == 0
    assert capsys.readouterr().out == "my\n"
    for given in ["1"], ["01"], [SALE], ["00,01"], ["00 01"]:
        write(tmp_path / "my" / SALE, "what I have tried")
        assert main(["--take", *given]) == 0
        assert source(tmp_path / "my" / SALE) == "the sale"
    assert main(["--take", "09"]) == 1
    assert "error: There is no chapter '09' to take. There are: 00, 01, and 'all'." in capsys.readouterr().err


def test_links_and_pictures_of_the_real_chapters_lead_somewhere_from_the_copy_too():
    """Both folders lie beside the others, so what is reached by ../ is the same; what lies in the folder is copied."""
    assert working_copy.MINE.parent == working_copy.PRINTED.parent == ROOT
    linked = {path.name for path in (ROOT / "notebooks").iterdir() if path.suffix in (".md", ".ipynb")}
    assert set(working_copy._editions(ROOT / "notebooks")) == linked
    others = {path.name for path in (ROOT / "notebooks").iterdir() if not path.name.startswith((".", "passport"))}
    assert others == linked


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="there is no repository here")
def test_git_does_not_look_at_it():
    asked = ["git", "check-ignore", "--quiet", "my/00_start_here.ipynb"]
    assert subprocess.run(asked, cwd=ROOT).returncode == 0


def test_it_runs_as_a_script():
    told = subprocess.run(
        [sys.executable, "tools/working_copy.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "--take" in told.stdout and "--here" in told.stdout
