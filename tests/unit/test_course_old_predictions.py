"""predict with its words in the notebook, compare and surprises: what was said, what happened, what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers import compare, predict, surprises
from helpers.course import old_predictions, predictions, record_file
from helpers.lab.errors import LabError

OPTIONS = {"one row": 1, "two rows": 2, "none": 0}


@pytest.fixture(autouse=True)
def nothing_done(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(record_file, "_for_this_process", {})
    monkeypatch.setattr(old_predictions, "_asked", {})
    monkeypatch.delenv("PROGRESS_FILE", raising=False)
    monkeypatch.delenv("HELPERS_LIVE", raising=False)


@pytest.fixture
def learner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Somebody sits before the notebook; where their record is kept."""
    path = tmp_path / "mine.json"
    monkeypatch.setenv("HELPERS_LIVE", "1")
    monkeypatch.setenv("PROGRESS_FILE", str(path))
    return path


def test_headless_the_usual_guess_is_taken(capsys: pytest.CaptureFixture[str]):
    predict("04.1", "How many rows?", OPTIONS)
    compare("04.1", 2, "Different keys are different rows.")
    told = capsys.readouterr().out
    assert "04.1 How many rows?" in told and all(f"○ {option}" in told for option in OPTIONS)
    assert "The usual guess: one row\nIt happened (a surprise): two rows\nWhy: Different keys" in told


def test_a_learner_says_first_and_sees_afterwards(learner: Path, capsys: pytest.CaptureFixture[str]):
    predict("04.1", "How many rows?", OPTIONS)
    compare("04.1", 2, "Different keys.")
    assert "waits for you" in capsys.readouterr().out
    old_predictions.choose("04.1", "none")
    old_predictions.choose("04.1", "two rows")
    compare("04.1", 2, "Different keys.")
    assert "You said: two rows\nIt happened (as predicted): two rows" in capsys.readouterr().out
    assert json.loads(learner.read_text(encoding="utf-8"))["predictions"]["04.1"]["surprise"] is False


def test_a_choice_outlives_a_second_run_of_the_cell(learner: Path, capsys: pytest.CaptureFixture[str]):
    predict("04.1", "How many rows?", OPTIONS)
    old_predictions.choose("04.1", "none")
    predict("04.1", "How many rows?", OPTIONS)
    compare("04.1", 2, "Different keys.")
    assert "You said: none" in capsys.readouterr().out


def test_only_the_first_answer_is_a_prediction(learner: Path):
    for option in ("one row", "two rows"):
        predict("04.1", "How many rows?", OPTIONS)
        old_predictions.choose("04.1", option)
        compare("04.1", 2, "Different keys.")
    assert record_file.read()["predictions"]["04.1"]["said"] == "one row"


def test_after_the_result_a_prediction_stays_what_it_was(learner: Path, capsys: pytest.CaptureFixture[str]):
    predict("04.1", "How many rows?", OPTIONS)
    old_predictions.choose("04.1", "none")
    compare("04.1", 2, "Different keys.")
    capsys.readouterr()
    old_predictions.choose("04.1", "two rows")
    compare("04.1", 2, "Different keys.")
    assert "You said: none\nIt happened (a surprise): two rows" in capsys.readouterr().out


def test_surprises_are_a_table_in_a_notebook(monkeypatch: pytest.MonkeyPatch):
    shown = []
    for module in (old_predictions, predictions):
        monkeypatch.setattr(module, "show_or_print", shown.append)
    for number, happened in ("04.1", 2), ("04.2", 1):
        predict(number, "Is a < b?", OPTIONS)
        compare(number, happened, "So it is.")
    surprises("04")
    page = shown[-1]._repr_html_()
    assert "2 predictions, 1 surprise." in page and page.count("<tr>") == 2
    assert "Is a &lt; b?" in page and "The usual guess" in page and "two rows" in page
    monkeypatch.setattr(record_file, "_for_this_process", {})
    predict("04.2", "Is a < b?", OPTIONS)
    compare("04.2", 1, "So it is.")
    surprises("04")
    assert shown[-1]._repr_html_() == "<p>Chapter 04: 1 prediction, no surprises.</p>"


def test_surprises_are_listed(capsys: pytest.CaptureFixture[str]):
    surprises("04")
    assert capsys.readouterr().out == "Chapter 04: no prediction made yet.\n"
    for number, happened in ("04.1", 2), ("04.2", 1), ("05.1", 2):
        predict(number, "How many rows?", OPTIONS)
        compare(number, happened, "So it is.")
    capsys.readouterr()
    surprises("04")
    told = capsys.readouterr().out
    assert told.splitlines() == [
        "Chapter 04: 2 predictions, 1 surprise.",
        "  04.1  How many rows? Not one row: two rows.",
    ]


def test_the_order_of_the_options_is_the_same_in_every_run_and_no_hint(capsys: pytest.CaptureFixture[str]):
    firsts = set()
    for number in (f"04.{i}" for i in range(1, 12)):
        orders = []
        for _ in range(2):
            predict(number, "How many rows?", OPTIONS)
            orders.append(capsys.readouterr().out)
        assert orders[0] == orders[1]
        firsts.add(orders[0].splitlines()[1])
    assert len(firsts) > 1


@pytest.mark.parametrize(
    "mistake, sentence",
    [
        (lambda: predict("4.1", "?", OPTIONS), "A number looks like"),
        (lambda: predict(4.1, "?", OPTIONS), "A number looks like"),
        (lambda: predict("99.1", "?", OPTIONS), "There is no chapter '99'"),
        (lambda: surprises("4"), "There is no chapter '4'"),
        (lambda: predict("04.1", "?", {"one": 1}), "needs two options or more"),
        (lambda: predict("04.1", "?", {"one": 1, "two": 1}), "each with a value of its own"),
        (lambda: compare("04.9", 1, "why"), "has not been asked yet: run the cell with predict"),
    ],
)
def test_mistakes_get_a_sentence(mistake, sentence):
    with pytest.raises(LabError, match=sentence):
        mistake()


def test_an_outcome_that_nobody_could_choose_is_a_mistake_of_the_notebook():
    predict("04.1", "How many rows?", OPTIONS)
    for outcome in (3, "two rows", 2.0, True):
        with pytest.raises(LabError, match="not among the options"):
            compare("04.1", outcome, "why")


def test_a_second_run_may_find_what_nobody_could_choose(capsys: pytest.CaptureFixture[str]):
    predict("04.1", "How many rows?", OPTIONS)
    compare("04.1", 2, "Different keys.")
    capsys.readouterr()
    compare("04.1", 4, "Different keys.")
    assert capsys.readouterr().out.startswith("Prediction 04.1: it happened, two rows. This run found 4; run the cells")


def test_html_is_escaped_and_says_the_same(monkeypatch: pytest.MonkeyPatch):
    shown = []
    for module in (old_predictions, predictions):
        monkeypatch.setattr(module, "show_or_print", shown.append)
    predict("04.1", "Is a < b?", {"<b>": 1, "no": 2})
    compare("04.1", 2, "a & b")
    page = "".join(each._repr_html_() for each in shown)
    assert "Is a &lt; b?" in page and "&lt;b&gt;" in page and "a &amp; b" in page and "<b>:" not in page
