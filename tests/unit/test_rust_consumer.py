"""The Rust consumer of chapter 5: that it prints what is kept of it, and that the chapter's table has its words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from cassandra.cluster import Session

from helpers import connect, open_chapter, rust_consumer
from helpers.course.exercises import exercises
from helpers.lab import rust_consumer as program
from helpers.lab.connection import disconnect
from tools.private_node import private_node
from tools.refresh_outputs import NOTEBOOKS


@pytest.fixture
def alone() -> Iterator[Session]:
    """A session to a node whose clock nobody has pushed, in the keyspace of a chapter."""
    with private_node():
        session = connect()
        open_chapter(session, "seats_05", 100)
        yield session
        disconnect()


@pytest.mark.slow
def test_it_learns_forgets_and_lets_expire(alone: Session, capsys: pytest.CaptureFixture[str]):
    if program.built_program() is None:
        pytest.skip("the Rust consumer was not built: make rust builds it, where cargo is")
    capsys.readouterr()
    for _ in range(2):
        rust_consumer(alone)
        assert capsys.readouterr().out == f"Run here, against the embedded node.\n{program.kept_output()}"


def test_where_it_was_not_built_its_kept_output_is_shown(monkeypatch, capsys):
    monkeypatch.setattr(program, "built_program", lambda: None)
    rust_consumer(_session())
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("Not built here: make rust builds it.")
    assert [line.split()[:2] for line in lines] == [
        ["learn", "Ada,"],
        ["learn", "Bo,"],
        ["learn", "Cy,"],
        ["forget", "Cy"],
        ["expire", "Bo"],
    ]


@pytest.mark.parametrize(
    ("cluster", "reason"),
    [({"auth_provider": object()}, "knows no password"), ({"ssl_context": object()}, "does not speak TLS")],
)
def test_where_it_cannot_reach_the_server_its_kept_output_is_shown(monkeypatch, capsys, cluster, reason):
    monkeypatch.setattr(program, "built_program", lambda: program.CRATE)
    rust_consumer(_session(**cluster))
    told = capsys.readouterr().out
    assert told.startswith(f"Not run here: the program {reason}.")
    assert told.endswith(program.kept_output())


def _session(**cluster: object) -> Session:
    usual = {"auth_provider": None, "ssl_context": None, "ssl_options": None}
    return SimpleNamespace(cluster=SimpleNamespace(**{**usual, **cluster}))  # type: ignore[return-value]


def test_its_crates_come_from_where_cargo_gets_them():
    """And from no registry of the machine on which the file was written."""
    lock = (program.CRATE / "Cargo.lock").read_text(encoding="utf-8")
    assert set(re.findall(r'source = "([^"]+)"', lock)) == {"registry+https://github.com/rust-lang/crates.io-index"}
    assert {"scylla", "scylla-cdc"} <= set(re.findall(r'name = "([^"]+)"', lock))


def test_the_chapter_sets_it_beside_the_python_line_by_line():
    cells = json.loads(next(NOTEBOOKS.glob("05_*.ipynb")).read_text(encoding="utf-8"))["cells"]
    text = next("".join(cell["source"]) for cell in cells if cell["id"] == "rust-intro")
    rows = [re.split(r" \| ", line.strip("| ")) for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 8
    rust = (program.CRATE / "src" / "main.rs").read_text(encoding="utf-8")
    python = exercises("05")["05.3"].solution
    for _, ours, theirs in rows:
        for written, source in (ours, python), (theirs, rust):
            for part in re.findall(r"`([^`]+)`", written):
                for piece in part.split("…"):
                    assert _squeezed(piece) in _squeezed(source), f"{part} is not in the code"


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)
