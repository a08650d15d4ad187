"""The form in which chapters asked before: the words in the notebook, and ``compare`` in a cell of its own.

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
from .prediction_text import Comparison, Question


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
        show_or_print(Question(number, question, _shuffled(number, asked.options)))
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
    judged = "as predicted" if said == answer else "a surprise"
    show_or_print(Comparison(said, answer, judged, why, by_default=not somebody_watches()))


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
