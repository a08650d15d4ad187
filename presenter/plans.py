"""What is done when: the plans of ``plans.toml``, with the minutes of the notes and the time on the clock."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from helpers.lab.errors import LabError
from presenter.notes import MODES, Section
from presenter.talks import Talk, talk_of

PLANS = Path(__file__).resolve().parent / "plans.toml"
# A room goes on when three quarters of it are ready, which takes longer than one learner alone. Nobody timed it.
ROOM = 1.25


@dataclass(frozen=True)
class Part:
    """A stretch of a plan: of a chapter's section, or with words of its own. ``minutes`` are the room's."""

    title: str
    minutes: int
    mode: str = ""
    text: str = ""
    talk: Talk | None = None
    section: Section | None = None

    @property
    def exercises(self) -> tuple[str, ...]:
        """The numbers of the exercises that stand in its section."""
        return self.talk.exercises[self.section.at] if self.talk and self.section else ()


@dataclass(frozen=True)
class Plan:
    """A workshop of ``minutes``; what its parts leave of them is in reserve."""

    name: str
    title: str
    minutes: int
    parts: tuple[Part, ...]

    @property
    def reserve(self) -> int:
        """The minutes that nothing is planned for; less than none where the parts do not fit."""
        return self.minutes - sum(part.minutes for part in self.parts)

    def clock(self, start: time) -> Iterator[tuple[time, Part]]:
        """Each part with the time at which it begins."""
        now = datetime.combine(datetime.min, start)
        for part in self.parts:
            yield now.time(), part
            now += timedelta(minutes=part.minutes)

    def ends(self, start: time) -> time:
        """When all is over, the reserve used."""
        return (datetime.combine(datetime.min, start) + timedelta(minutes=self.minutes)).time()


@cache
def plans(path: Path = PLANS) -> dict[str, Plan]:
    """Name → plan. A LabError says what a plan names that there is not."""
    found = {}
    for table in tomllib.loads(path.read_text(encoding="utf-8"))["plan"]:
        parts = tuple(_part(each) for each in table.pop("part"))
        found[table["name"]] = Plan(**table, parts=parts)
    return found


def _part(table: dict[str, Any]) -> Part:
    if "section" not in table:
        return Part(**table)
    number, _, at = table["section"].partition("/")
    talk = talk_of(number)
    if at not in talk.sections:
        raise LabError(f"Chapter {number} has no section {at!r} with a note. It has: {', '.join(talk.sections)}.")
    section = talk.sections[at]
    mode = table.get("as", section.mode)
    if mode not in MODES:
        raise LabError(f"A part is for {', '.join(MODES)}, and not {mode!r}.")
    minutes = table.get("minutes") or _minutes(section, mode)
    return Part(talk.headings[at], minutes, mode, table.get("text", ""), talk, section)


def _minutes(section: Section, mode: str) -> int:
    return math.ceil(section.do * ROOM) if mode == "do" else section.demo
