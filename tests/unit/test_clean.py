"""`make clean` ends the node, removes what the course made, and nothing else; it needs no environment."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from helpers.lab.node import running_node, stop_node
from helpers.lab.waiting import wait_until
from tests.patience import SECONDS
from tools import recorded_node
from tools.recorded_node import RecordedNode
from tools.results import Results, ResultsError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of the tools alone, in a folder with a space in its name."""
    folder = tmp_path / "a checkout"
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def clean(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Clean as a Python without any package does."""
    command = [sys.executable, "-I", "-S", "-B", str(checkout / "tools" / "clean.py")]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_checkout_without_anything_is_clean(checkout: Path) -> None:
    for _ in range(2):
        done = clean(checkout)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert names_in(checkout) == {"tools"}


def test_what_was_made_goes_and_what_is_ones_own_stays(checkout: Path) -> None:
    for folder in (
        "helpers/__pycache__",
        "notebooks/.ipynb_checkpoints",
        ".ruff_cache/0",
        ".embedded/data",
        ".git/__pycache__",
        "rust/consumer/target/debug",
    ):
        (checkout / folder).mkdir(parents=True)
    for name in "node.json", "node.json.new", "node.log", "node.log.1", "node.lock":
        (checkout / ".embedded" / name).write_text("{}")
    (checkout / ".venv" / "lib").mkdir(parents=True)
    (checkout / ".venv" / "made-from.json").write_text("{}")
    (checkout / ".venv.lock").touch()
    (checkout / ".progress.json").write_text("{}")
    (checkout / "mine" / "deep").mkdir(parents=True)
    (checkout / "mine" / "deep" / "thesis.txt").touch()
    results = Results(checkout / "out").open()
    page, node = results.claim("report.html", "embedded")
    page.touch()
    node.mkdir()
    done = clean(checkout)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert names_in(checkout) == {"tools", "helpers", "notebooks", "mine", ".progress.json", ".git", "rust"}
    assert names_in(checkout / "helpers") == names_in(checkout / "notebooks") == set()
    assert names_in(checkout / "rust" / "consumer") == set()
    assert (checkout / ".git" / "__pycache__").is_dir()
    assert (checkout / "mine" / "deep" / "thesis.txt").is_file()


def test_what_the_course_did_not_make_stays_and_is_named(checkout: Path) -> None:
    for name in ".venv/bin/python", ".venv/lib/x/__pycache__/x.pyc", "out/mine.txt", ".embedded/mine.txt":
        (checkout / name).parent.mkdir(parents=True)
        (checkout / name).touch()
    (checkout / ".venv" / "pyvenv.cfg").touch()
    (checkout / ".embedded" / "data").mkdir()
    Results(checkout / "out").open().claim("report.html")[0].touch()
    done = clean(checkout)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        ".venv was not made by this project, so it stays.",
        ".embedded has files that the course did not make; they stay.",
        "out has files that the course did not make; they stay: mine.txt.",
    ]
    assert (checkout / ".venv" / "lib" / "x" / "__pycache__" / "x.pyc").is_file()
    assert names_in(checkout / ".embedded") == {"mine.txt"}
    assert names_in(checkout / "out") == {"mine.txt", ".made-by-the-course"}


@pytest.mark.skipif(os.name == "nt", reason="making links needs a right there")
def test_a_link_stays_with_what_it_leads_to(checkout: Path, tmp_path: Path) -> None:
    for name in ".venv", ".embedded", "out":
        (tmp_path / name / "data").mkdir(parents=True)
        (tmp_path / name / "made-from.json").write_text("{}")
        (checkout / name).symlink_to(tmp_path / name)
    assert clean(checkout).returncode == 0
    for name in ".venv", ".embedded", "out":
        assert (checkout / name).is_symlink()
        assert names_in(tmp_path / name) == {"data", "made-from.json"}


@pytest.fixture
def node(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[psutil.Process]:
    """The embedded node of that checkout."""
    monkeypatch.setenv("EMBEDDED_DIR", str(checkout / ".embedded"))
    process = psutil.Process(running_node().pid)
    yield process
    if process.is_running() and process.status() == psutil.STATUS_STOPPED:
        process.resume()
    stop_node()


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_the_node_is_ended_before_its_folder_goes(checkout: Path, node: psutil.Process) -> None:
    done = clean(checkout)
    assert done.returncode == 0, done.stderr
    assert f"Stopping the embedded node, process {node.pid}" in done.stdout
    assert has_ended(node)
    assert names_in(checkout) == {"tools"}


@pytest.mark.skipif(os.name == "nt", reason="there is no stopping a process for a while")
def test_a_node_that_hangs_is_made_to_end(
    checkout: Path, node: psutil.Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded_node, "TERMINATED", 0.1)
    found = RecordedNode.of(checkout / ".embedded")
    assert found and found.runs() and found.status()["pid"] == node.pid
    node.send_signal(signal.SIGSTOP)
    assert found.status(0.1) is None
    assert found.runs()
    monkeypatch.setattr(
        RecordedNode, "status", lambda self: None
    )  # it was asked above, and need not be waited for again
    assert found.stop()
    # A process that was killed lets go of its memory before it is gone.
    wait_until(lambda: has_ended(node), why="the killed node to be gone", seconds=SECONDS)


def test_a_process_that_got_the_nodes_number_is_left_alone(checkout: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        (checkout / ".embedded").mkdir()
        known = {"host": "127.0.0.1", "port": 1, "pid": other.pid, "created": 1.0}
        (checkout / ".embedded" / "node.json").write_text(json.dumps(known))
        assert clean(checkout).returncode == 0
        assert other.poll() is None
        other.communicate(b"\n")
    assert names_in(checkout) == {"tools"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"host": 1, "port": "x", "pid": 2}'])
def test_notes_that_cannot_be_read_are_no_node(tmp_path: Path, text: str) -> None:
    (tmp_path / "node.json").write_text(text)
    assert RecordedNode.of(tmp_path) is None


# --- results ---------------------------------------------------------------------------------------------------------


def test_results_are_overwritten_and_other_files_are_not(tmp_path: Path) -> None:
    results = Results(tmp_path / "out").open()
    results.claim("report.html")[0].write_text("one")
    assert Results(tmp_path / "out").open().claim("report.html")[0].read_text() == "one"
    (tmp_path / "out" / "embedded").mkdir()
    with pytest.raises(ResultsError, match="embedded is there, and no earlier run wrote it, so it stays"):
        results.claim("new.html", "embedded")
    assert results.made() == ["report.html"]
    results.claim("embedded", known=Path.is_dir)
    (tmp_path / "out" / "mine.txt").touch()
    assert results.remove() == ["mine.txt"]
    assert names_in(tmp_path / "out") == {".made-by-the-course", "mine.txt"}


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResultsError, match=r"results cannot be written to .*Name another folder: --output"):
        Results(tmp_path / "file" / "out").open()


def test_a_damaged_list_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    results = Results(tmp_path / "out").open()
    (tmp_path / "out" / ".made-by-the-course").write_text(f"../mine\n..\n.\n{tmp_path / 'mine'}\n\n")
    assert results.remove() == []
    assert names_in(tmp_path) == {"mine"}
