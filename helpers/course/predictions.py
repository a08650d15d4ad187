"""``predict`` asks before a result; the cell behind it shows the result, behind a gate (``gate.py``), and what happened
is set beside what was said.

>>> predict("04.1")

What was said and what happened is kept in the learner's record, each when it is known first: the question may be
answered a day after its cell was run. Where a program runs the notebook, the usual guess is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..display.frontend import somebody_watches
from ..display.showing import show_or_print
from ..lab.errors import LabError
from . import record_file
from .outline import chapter as chapter_called
from .prediction_cards import Bundle, Card
from .prediction_text import Comparison, Question, Surprises
from .questions import Prediction, Said, prediction

# By number: the question that stands on the page, and what shows a result that waits for an answer.
_cards: dict[str, Card] = {}
_waiting: dict[str, Callable[[], list[Bundle]]] = {}


def predict(number: str) -> None:
    """Ask prediction ``number`` before the cell that shows the answer; its words stand with the exercises.

    A choice can be changed until the result is seen. A second run of the cell shows what was said, and what happened
    where that is known: also in another kernel.
    """
    wanted = prediction(number)
    chapter_called(wanted.number.partition(".")[0])
    record_file.step(wanted.number.partition(".")[0])
    if not somebody_watches():
        can_be_said = wanted.in_order() or [f"a number of {wanted.unit}"]
        show_or_print(Question(number, wanted.question, can_be_said))
        return
    card = _cards[number] = Card(wanted, _said_on_the_page)
    card.show(said_of(wanted), comparison(wanted))


def choose(number: str, said: Said) -> None:
    """Say an option or a number: what a click does. Once the result was seen, the prediction stays what it was."""
    wanted = prediction(number)
    answer = wanted.understood(said)
    if settled(wanted) is None:
        keep(wanted, said=answer)
        if known(wanted).get("happened") is not None:
            settle(wanted)
    _show_on_card(wanted)
    show_result = _waiting.pop(number, None)
    out_of_reach = show_result() if show_result else []
    if out_of_reach and number in _cards:
        _cards[number].show_below(out_of_reach)


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
    show_or_print(Surprises(chapter, len(made), others, by_default=not somebody_watches()))


def known(wanted: Prediction) -> dict[str, Any]:
    """What is kept of a prediction that lacks its answer or its result: {} at first, then "said" or "happened"."""
    mine: dict[str, Any] = record_file.read()["asked"].get(wanted.number, {})
    # A chapter may have changed its question since.
    return mine if mine.get("question") == wanted.question else {}


def settled(wanted: Prediction) -> dict[str, Any] | None:
    """The record's entry of a prediction of which both are known; None before."""
    mine: dict[str, Any] = record_file.read()["predictions"].get(wanted.number, {})
    return mine if mine.get("question") == wanted.question else None


def said_of(wanted: Prediction) -> str | None:
    """What was said, in words; None if nobody has said anything yet."""
    mine = settled(wanted)
    if mine:
        return str(mine["said"])
    said = known(wanted).get("said")
    return None if said is None else wanted.in_words(said)


def keep(wanted: Prediction, *, said: Said | None = None, happened: Said | None = None) -> None:
    """Keep what was said last, and what happened first."""

    def note(record: dict[str, Any]) -> None:
        mine = record["asked"].get(wanted.number, {})
        if mine.get("question") != wanted.question:
            mine = record["asked"][wanted.number] = {"question": wanted.question}
        if said is not None:
            mine["said"] = said
        if happened is not None:
            mine.setdefault("happened", happened)

    record_file.step(wanted.number.partition(".")[0], note)


def settle(wanted: Prediction) -> None:
    """From here on neither what was said nor what happened changes: both are known."""
    mine = known(wanted)
    said, happened = mine["said"], mine["happened"]
    surprise, judged = wanted.judge(said, happened)
    entry = {
        "question": wanted.question,
        "said": wanted.in_words(said),
        "happened": wanted.in_words(happened),
        "surprise": surprise,
        "judged": judged,
        "why": wanted.why,
    }

    def note(record: dict[str, Any]) -> None:
        record["asked"].pop(wanted.number, None)
        record["predictions"][wanted.number] = entry

    record_file.change(note)


def comparison(wanted: Prediction) -> Comparison | None:
    """What was said beside what happened, once both are known."""
    mine = settled(wanted)
    if mine is None:
        return None
    judged = mine.get("judged") or ("a surprise" if mine["surprise"] else "as predicted")
    return Comparison(mine["said"], mine["happened"], judged, wanted.why, by_default=not somebody_watches())


def reveal_when_chosen(wanted: Prediction, show_result: Callable[[], list[Bundle]]) -> None:
    """Call ``show_result`` once, when something is said; a later call for the same prediction takes its place.

    What it returns could not be shown in its place, and is shown with the question.
    """
    _waiting[wanted.number] = show_result


def is_on_the_page(wanted: Prediction) -> bool:
    """Whether the question was asked in this kernel, so that there is something to choose from."""
    return wanted.number in _cards


def seen(wanted: Prediction) -> None:
    """The result stands below its own cell: the question keeps what was said, and offers nothing any more."""
    card = _cards.get(wanted.number)
    if card:
        card.close(said_of(wanted))


def _said_on_the_page(number: str, said: Said) -> str:
    """A click or a number on the page; the sentence that answers it."""
    try:
        choose(number, said)
    except LabError as error:
        return str(error)
    return ""


def _show_on_card(wanted: Prediction) -> None:
    card = _cards.get(wanted.number)
    if card is None:
        return
    if settled(wanted) is None:
        card.noted(said_of(wanted))
    elif wanted.number in _waiting:
        card.close(said_of(wanted))
    else:
        # The cell that shows it ran in another kernel, perhaps yesterday.
        card.close(said_of(wanted), comparison(wanted))
