"""Waiting for something: how often it asks, and what it says when that never comes."""

from __future__ import annotations

import time

import pytest

from helpers import wait_until
from helpers.lab.errors import LabError


class Clock:
    """Time that only goes by when somebody sleeps or works."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.slept = 0.0, []
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_it_asks_until_there_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, answers = Clock(monkeypatch), iter([0, "", "there"])
    assert wait_until(lambda: next(answers), why="an answer") == "there"
    assert len(clock.slept) == 2


def test_a_question_that_takes_long_is_asked_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes its time from those who are waited for."""
    clock, asked = Clock(monkeypatch), []

    def look() -> bool:
        clock.now += 1
        asked.append(clock.now)
        return False

    with pytest.raises(LabError, match=r"Waited 20 s for the sweeper, in vain\."):
        wait_until(look, why="the sweeper", seconds=20)
    assert clock.slept[0] >= 2 and asked[-1] >= 20, "it looks once more at the end"
    assert sum(clock.slept) > len(asked)
