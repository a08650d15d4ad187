"""The run of show, the speaker's notes and the handout."""

from __future__ import annotations

from datetime import time

from helpers.course.outline import outline
from presenter.notes import Section
from presenter.pages import defined, inline, listed, page, table
from presenter.plans import Part, Plan
from presenter.talks import Talk, talk_of

_DOES = {"do": "everybody", "demo": "you show", "tell": "you tell", "": ""}
_RESCUE = (
    ("it will not run", "Click the cell, and take Run All Above Selected Cell from the menu Run."),
    ("I am stuck", '`hint("04.1")`, twice; a third time it shows the solution, and the folded cell runs it.'),
    ("my cell is beyond repair", '`starter("04.1")` gives it back; `reset("04.1")` puts its rows back.'),
    ("I came late", '`checkpoint("04")` puts the database where a chapter begins. Each chapter stands alone.'),
    ("the server does not answer", "`session = connect()` in a cell of its own, and go on where you were."),
    ("what have I done?", '`progress()`, and `passport("your name")` for the page to take home.'),
)
_AT_HOME = (
    "`make lab` opens your own copy of the notebooks; nothing else is needed. `make doctor` says what is missing.",
    "`make up`, then `SCYLLA_HOSTS=127.0.0.1 make lab`: the same chapters on a ScyllaDB in Docker.",
    "No figure that you saw is ScyllaDB's: the embedded node has its rules, not its speed, its replicas or its "
    "tolerance of faults.",
)


def run_of_show(plan: Plan, start: time) -> str:
    """One page: when, what, who works, what to ask, and what may go."""
    rows = [
        (f"{begins:%H:%M}", str(part.minutes), _what(part), _DOES[part.mode], _to_ask(part), _to_drop(part))
        for begins, part in plan.clock(start)
    ]
    rows.append((f"{plan.ends(start):%H:%M}", str(plan.reserve), "<b>The end.</b> In reserve", "", "", ""))
    return page(
        f"{plan.title}: run of show",
        f"<h1>{plan.title}</h1>",
        f'<p class="quiet">From {start:%H:%M} to {plan.ends(start):%H:%M}, with {plan.reserve} minutes in reserve. The '
        "minutes are a model's and nobody timed them: where you are late by more than the reserve, drop what the last "
        "column says.</p>",
        table(
            ["from", "min", "what", "who works", "ask the room", "if late"],
            rows,
            ["time", "number", "", "", "", ""],
        ),
    )


def _what(part: Part) -> str:
    where = f'<span class="quiet">{part.talk.chapter.number}</span> ' if part.talk else ""
    with_exercises = f" · {', '.join(part.exercises)}" if part.exercises and part.mode == "do" else ""
    text = f"<br>{inline(part.text)}" if part.text else ""
    return f"{where}<b>{inline(part.title)}</b>{with_exercises}{text}"


def _to_ask(part: Part) -> str:
    return inline(part.section.ask) if part.section else ""


def _to_drop(part: Part) -> str:
    return inline(part.section.drop) if part.section else ""


def speaker_notes() -> str:
    """Every chapter's notes, section by section."""
    body = [f"{_chapter(talk_of(number))}" for number in outline()]
    return page("Speaker's notes", "<h1>Speaker's notes</h1>", *body)


def _chapter(talk: Talk) -> str:
    sections = "".join(
        f"<h3>{inline(talk.headings[at])} <span class='quiet'>· {_minutes(section)}</span></h3>"
        f"{defined(spoken(section))}"
        for at, section in talk.sections.items()
    )
    first = defined([("the point", talk.notes.point), ("before", talk.notes.before)])
    return f"<h2>{talk.chapter.number} · {inline(talk.chapter.title)}</h2>{first}{sections}"


def _minutes(section: Section) -> str:
    return f"{section.do} min to do, {section.demo} to show"


def spoken(section: Section) -> list[tuple[str, str]]:
    """A section's note as words and what they say."""
    return [
        ("ask the room", section.ask),
        ("slow here", section.slow),
        ("what goes wrong", section.wrong),
        ("if late", section.drop),
    ]


def handout() -> str:
    """Two pages of paper: what one can now say, and what helps."""
    core = [each for each in outline().values() if not each.backstage]
    said = "".join(
        f"<div><h3>{each.number} · {inline(each.title)}</h3>{listed(each.learnt, 'ol')}</div>" for each in core
    )
    words = [(talk_of(each.number).chapter.number, talk_of(each.number).notes.point) for each in core]
    return page(
        "Fifty Thousand Seats: handout",
        "<h1>Fifty Thousand Seats</h1>",
        '<div class="page"><h2>What you can now say</h2>',
        f'<div class="columns">{said}</div></div>',
        f"<h2>Each chapter in a sentence or two</h2>{defined(words)}",
        f"<h2>When something is stuck</h2>{defined(_RESCUE)}",
        f"<h2>At home</h2>{listed(_AT_HOME)}",
    )
