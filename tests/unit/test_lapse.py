"""Where the clock cannot be pushed: which holds are short, what is waited for, and what is too long to wait."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from cassandra.cluster import Session

from helpers import let_time_pass, time_to_lapse
from helpers.lab import clock
from helpers.lab.clock import push_clock
from helpers.lab.engine import Engine
from helpers.lab.errors import LabError
from tools.refresh_outputs import NOTEBOOKS

CHAPTERS = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A session talks to ScyllaDB; sleeping takes no time, and is counted."""
    seconds = [0.0]
    monkeypatch.setattr(clock, "engine_of", lambda session: Engine("scylla", "2026.1.0", 3, "127.0.0.1", 9042))
    monkeypatch.setattr(clock.time, "monotonic", lambda: seconds[0])
    monkeypatch.setattr(clock.time, "sleep", lambda wait: seconds.append(seconds.pop() + wait))
    return seconds


def test_where_the_clock_can_be_pushed_all_holds_last_alike(lab: Session, capsys: pytest.CaptureFixture[str]) -> None:
    assert time_to_lapse(lab, 900) == 900
    assert capsys.readouterr().out == "Holds last 15 minutes. The clock can be pushed to their end.\n"


def test_where_it_cannot_be_pushed_what_lapses_is_short(slept: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    assert time_to_lapse(None, 900) == 10
    assert capsys.readouterr().out == (
        "Holds last 15 minutes. This clock cannot be pushed: those whose end is the lesson last 10 seconds, and are "
        "waited for.\n"
    )
    assert time_to_lapse(None, 3) == 3  # whoever asked for less gets less


@pytest.mark.parametrize("wrong", [0, "900", True])
def test_a_time_that_no_hold_can_last_is_refused(slept: list[float], wrong: object) -> None:
    with pytest.raises(LabError, match="hold_seconds must be"):
        time_to_lapse(None, wrong)


def test_waiting_counts_down(slept: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    let_time_pass(None, 3)
    assert slept == [3.0]
    said = [text.strip() for text in capsys.readouterr().out.split("\r")]
    assert said == ["", "Waiting: 3 s …", "Waiting: 2 s …", "Waiting: 1 s …", "Waited 3 s."]


def test_a_moment_is_waited_for_in_silence(slept: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    let_time_pass(None, 2)
    assert slept == [2.0]
    assert capsys.readouterr().out == ""


def test_what_would_take_too_long_is_refused_and_what_is_advised_is_not(slept: list[float]) -> None:
    with pytest.raises(LabError) as refusal:
        let_time_pass(None, 900)
    assert "clock of ScyllaDB 2026.1.0 cannot be pushed, and 15 minutes are long to wait" in str(refusal.value)
    assert "some seconds will do" in str(refusal.value)
    assert slept == [0.0]
    let_time_pass(None, time_to_lapse(None, 900) * 4 // 3)


def test_only_the_embedded_node_is_pushed(slept: list[float]) -> None:
    with pytest.raises(LabError, match=r"clock of ScyllaDB 2026\.1\.0 cannot be pushed"):
        push_clock(None, 1)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_no_chapter_waits_for_a_hold_that_lasts(path: Path) -> None:
    """What a cell lets pass is made of the short time; and a chapter that waits has said before which that is."""
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    waits = [wait for source in cells for wait in re.findall(r"let_time_pass\(session, (.+)\)", source)]
    assert not [wait for wait in waits if "hold_seconds" in wait]
    if waits:
        first = next(i for i, source in enumerate(cells) if "let_time_pass(session, " in source)
        assert any(
            re.search(r"^\w+ = time_to_lapse\(session, hold_seconds\)", source, re.M) for source in cells[:first]
        )
