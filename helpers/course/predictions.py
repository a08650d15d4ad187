"""``predict`` asks before a surprise, ``compare`` sets beside the answer what happened and why.

>>> predict("04.1", "How many rows has the queue for this seat?", {"one": 1, "two": 2})
>>> compare("04.1", len(rows), "Different keys are different rows.")

Where a program runs the notebook, the first option is taken: an author puts there what most people would say.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from ..display.showing import show_or_print
from ..lab.errors import LabError
from . import record_file
from .frontend import somebody_watches
from .numbers import chapter_of
from .outline import chapter as chapter_called


@dataclass
class _Question:
    text: str
    options: dict[str, Hashable]
    said: str | None = None


_asked: dict[str, _Question] = {}


def predict(number: str, question: str, options: Mapping[str, Hashable]) -> None:
    """Ask for a prediction before the cell that shows the answer.

    ``options``: what can be said → the value that it would be in the end; the first is the usual guess. They are shown
    in an order that gives nothing away. A choice can be changed until ``compare``.
    """
    chapter = chapter_of(number)
    chapter_called(chapter)
    if not isinstance(options, Mapping) or len(options) < 2 or len(set(options.values())) < len(options):
        raise LabError(f"Prediction {number} needs two options or more, each with a value of its own.")
    asked, before = _Question(question, dict(options)), _asked.get(number)
    _asked[number] = asked
    record_file.step(chapter)
    if not somebody_watches():
        asked.said = next(iter(asked.options))
        show_or_print(_Options(number, question, _shuffled(number, asked.options)))
        return
    # A choice outlives a second run of the cell, and one that was compared outlives the kernel.
    asked.said = _said_before(number, asked) or (before.said if before and before.options == asked.options else None)
    _show_choice(number, asked)


def choose(number: str, option: str) -> None:
    """Say ``option``: what a click on it does. Once the result was seen, the prediction stays what it was."""
    asked = _question(number)
    if option not in asked.options:
        raise LabError(f"Prediction {number} has no option {option!r}; it has: {', '.join(asked.options)}.")
    asked.said = _said_before(number, asked) or option


def compare(number: str, happened: Hashable, why: str) -> None:
    """Show side by side what was said, what happened, and why.

    ``happened`` is the value that the cells before have found, one of those in the options of ``predict``.
    """
    asked = _question(number)
    found = [label for label, value in asked.options.items() if value == happened and type(value) is type(happened)]
    before = record_file.read()["predictions"].get(number)
    if not found and before:
        # Whoever runs a cell again may find what only a second run finds.
        print(
            f"Prediction {number}: it happened, {before['happened']}. This run found {happened!r}; "
            "run the cells above once each, in their order, to see the same again."
        )
        return
    if not found:
        raise LabError(
            f"What happened, {happened!r}, is not among the options of prediction {number}: "
            "run the cells above in their order, then this one again. If an exercise left rows behind, reset() helps."
        )
    if asked.said is None:
        print(f"Prediction {number} waits for you: say above what you expect, then run this cell again.")
        return
    said, answer = asked.said, found[0]

    def note(record: dict[str, Any]) -> None:
        # The first answer is the prediction; one that is given after the result is not.
        record["predictions"].setdefault(
            number, {"question": asked.text, "said": said, "happened": answer, "surprise": said != answer, "why": why}
        )

    record_file.step(chapter_of(number), note)
    show_or_print(_Comparison(number, said, answer, why, by_default=not somebody_watches()))


def surprises(chapter: str) -> None:
    """List the predictions of a chapter that came out otherwise."""
    chapter_called(chapter)
    made = {
        number: each
        for number, each in sorted(record_file.read()["predictions"].items())
        if number.split(".")[0] == chapter
    }
    if not made:
        print(f"Chapter {chapter}: no prediction made yet.")
        return
    others = {number: each for number, each in made.items() if each["surprise"]}
    show_or_print(_Surprises(chapter, len(made), others, by_default=not somebody_watches()))


def _question(number: str) -> _Question:
    chapter_of(number)
    if number not in _asked:
        raise LabError(f'Prediction {number} has not been asked yet: run the cell with predict("{number}", …) first.')
    return _asked[number]


def _said_before(number: str, asked: _Question) -> str | None:
    before = record_file.read()["predictions"].get(number, {}).get("said")
    return before if before in asked.options else None


def _shuffled(number: str, options: Mapping[str, Hashable]) -> list[str]:
    """The same order in every run, and none in which the first is always the usual guess."""
    return sorted(options, key=lambda label: hashlib.sha256(f"{number} {label}".encode()).digest())


def _show_choice(number: str, asked: _Question) -> None:
    import ipywidgets
    from IPython.display import display

    choice = ipywidgets.RadioButtons(
        options=_shuffled(number, asked.options), value=asked.said, layout={"width": "max-content"}
    )
    thanks = ipywidgets.HTML(_noted(asked.said))

    def noted(chosen: Any) -> None:
        choose(number, chosen["new"])
        late = "" if asked.said == chosen["new"] else " You have seen the result, so that stays."
        thanks.value = _noted(asked.said) + late

    choice.observe(noted, names="value")
    title = ipywidgets.HTML(f"<b>{html.escape(number)}</b> {html.escape(asked.text)}")
    view = ipywidgets.VBox([title, choice, thanks])
    display({**view._repr_mimebundle_(), "text/plain": f"{number} {asked.text}"}, raw=True)


def _noted(said: str | None) -> str:
    return "Choose one, then run the next cell." if said is None else f"Noted: {html.escape(said)}."


@dataclass
class _Options:
    """The question and its options where nobody can choose: on the web, in an executed notebook."""

    number: str
    question: str
    options: list[str]

    def __str__(self) -> str:
        return "\n".join([f"{self.number} {self.question}", *(f"  ○ {option}" for option in self.options)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        options = "".join(f"<li>{html.escape(option)}</li>" for option in self.options)
        return (
            f"<p><b>{html.escape(self.number)}</b> {html.escape(self.question)}</p>\n"
            f'<ul style="list-style: circle">{options}</ul>'
        )


@dataclass
class _Comparison:
    number: str
    said: str
    happened: str
    why: str
    by_default: bool

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Heading and text of each."""
        first = "The usual guess" if self.by_default else "You said"
        mark = "as predicted" if self.said == self.happened else "a surprise"
        return [(first, self.said), (f"It happened ({mark})", self.happened), ("Why", self.why)]

    def __str__(self) -> str:
        return "\n".join(f"{heading}: {text}" for heading, text in self.columns)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        style = 'style="text-align: left; vertical-align: top"'
        head = "".join(f"<th {style}>{html.escape(heading)}</th>" for heading, _ in self.columns)
        body = "".join(f"<td {style}>{html.escape(text)}</td>" for _, text in self.columns)
        return f'<table class="dataframe">\n<thead><tr>{head}</tr></thead>\n<tbody><tr>{body}</tr></tbody>\n</table>'


@dataclass
class _Surprises:
    """The recap of a chapter: the predictions that came out otherwise, as a table in a notebook."""

    chapter: str
    made: int
    others: dict[str, dict[str, Any]]
    by_default: bool

    @property
    def heading(self) -> str:
        """How many predictions there were, and how many surprises."""
        number = f"{self.made} prediction{'s' * (self.made != 1)}"
        return f"Chapter {self.chapter}: {number}, {len(self.others) or 'no'} surprise{'s' * (len(self.others) != 1)}."

    def __str__(self) -> str:
        lines = [
            f"  {number}  {each['question']} Not {each['said']}: {each['happened']}."
            for number, each in self.others.items()
        ]
        return "\n".join([self.heading, *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        heading = f"<p>{html.escape(self.heading)}</p>"
        if not self.others:
            return heading
        # A notebook's page keeps the cells of a table on one line unless told otherwise.
        style = 'style="text-align: left; vertical-align: top; white-space: normal"'
        names = ["", "Question", "The usual guess" if self.by_default else "You said", "It happened"]
        head = "".join(f"<th {style}>{name}</th>" for name in names)
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td {style}>{html.escape(text)}</td>"
                for text in (number, each["question"], each["said"], each["happened"])
            )
            + "</tr>\n"
            for number, each in self.others.items()
        )
        return (
            f'{heading}\n<table class="dataframe">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>'
        )
