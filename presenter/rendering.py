"""All pages for the presenter, by the names of their files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time

from helpers.course.outline import outline
from presenter import papers
from presenter.cheat_sheet import cheat_sheet
from presenter.decks import THEMES, chapter_deck, copy_reveal, plan_deck
from presenter.pages import listed, page
from presenter.plans import Plan, plans

__all__ = ["THEMES", "copy_reveal", "index", "plans", "rendered"]


def rendered(chosen: list[Plan], start: time, theme: str, *, chapters: bool = True) -> Iterator[tuple[str, str]]:
    """Each page with the name of its file; with ``chapters`` also the slides of each."""
    for plan in chosen:
        yield f"run-of-show-{plan.name}.html", papers.run_of_show(plan, start)
        yield f"slides-{plan.name}.html", plan_deck(plan, theme)
    yield "speaker-notes.html", papers.speaker_notes()
    yield "handout.html", papers.handout()
    yield "cheat-sheet.html", cheat_sheet()
    for number in outline() if chapters else ():
        yield f"slides-chapter-{number}.html", chapter_deck(number, theme)


def index(names: list[str]) -> str:
    links = "".join(f'<li><a href="{name}">{name.removesuffix(".html").replace("-", " ")}</a></li>' for name in names)
    keys = listed(["In the slides: `S` opens the speaker's view with the notes, `F` fills the screen, `O` shows all."])
    return page("For the presenter", "<h1>For the presenter</h1>", f"<ul>{links}</ul>", keys)
