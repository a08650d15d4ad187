"""Questions from the exercises' files, what was said and what happened, and what is kept of both."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers import predict, surprises
from helpers.course import gate, predictions, record_file
from helpers.course import questions as questions_of
from helpers.course.gate import behind_gate
from helpers.course.prediction_text import Comparison, Question, Surprises
from helpers.course.questions import Prediction, prediction, predictions_of
from helpers.display import cql_magic
from helpers.lab import cql_answers
from helpers.lab.errors import LabError

TOML = """
[[prediction]]
question = "How many rows?"
options = [["one row", 1], ["two rows", 2], ["none", 0]]
usual = "one row"
happened = "len(rows)"
why = "Different keys are different rows."

[[prediction]]
question = "How many are read?"
unit = "rows"
usual = 500
happened = "read"
why = "All of them are looked at."
"""


@pytest.fixture(autouse=True)
def nothing_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "chapter_04.toml").write_text(TOML, encoding="utf-8")
    monkeypatch.setattr(questions_of, "PREDICTIONS", tmp_path)
    monkeypatch.setattr(record_file, "_for_this_process", {})
    monkeypatch.setattr(predictions, "_cards", {})
    monkeypatch.setattr(predictions, "_waiting", {})
    monkeypatch.delenv("PROGRESS_FILE", raising=False)
    monkeypatch.setenv("HELPERS_LIVE", "0")
    predictions_of.cache_clear()
    yield
    predictions_of.cache_clear()


def after(number: str, **names: object) -> None:
    """A cell that shows what ``names`` has, as the answer to a prediction."""
    behind_gate(number, lambda: print("the result"), lambda: names)


def test_where_nobody_watches_the_usual_guess_is_taken(capsys: pytest.CaptureFixture[str]):
    predict("04.1")
    asked = capsys.readouterr().out
    assert asked.startswith("04.1 How many rows?\n") and "  ○ two rows\n" in asked and "keys" not in asked
    after("04.1", rows=[1, 2])
    assert capsys.readouterr().out == (
        "the result\nThe usual guess: one row\nIt happened (a surprise): two rows\n"
        "Why: Different keys are different rows.\n"
    )


def test_a_number_is_judged_by_its_distance(capsys: pytest.CaptureFixture[str]):
    predict("04.2")
    assert "a number of rows" in capsys.readouterr().out
    after("04.2", read=50_000)
    told = capsys.readouterr().out
    assert "The usual guess: 500 rows\nIt happened (a hundred times more): 50,000 rows\n" in told


@pytest.mark.parametrize(
    "said, happened, surprise, judged",
    [
        (500, 500, False, "as predicted"),
        (500, 700, False, "close: a little more"),
        (500, 400, False, "close: a little less"),
        (500, 1000, True, "twice as much"),
        (500, 250, True, "half of it"),
        (500, 3600, True, "about 7 times more"),
        (500, 3500, True, "7 times more"),
        (500, 50_000, True, "a hundred times more"),
        (50_000, 500, True, "a hundred times less"),
        (500, 53_210, True, "about a hundred times more"),
        (3, 1_234_000, True, "about 400,000 times more"),
        (0, 7, True, "a surprise"),
        (7, 0, True, "a surprise"),
        (0, 0, False, "as predicted"),
    ],
)
def test_distances(said: float, happened: float, surprise: bool, judged: str):
    assert prediction("04.2").judge(said, happened) == (surprise, judged)


@pytest.mark.parametrize(
    "typed, understood", [("500", 500), ("50,000", 50_000), (" 50 000 ", 50_000), ("50_000", 50_000), ("2.5", 2.5)]
)
def test_a_number_may_be_written_as_people_write_it(typed: str, understood: float):
    assert prediction("04.2").understood(typed) == understood


@pytest.mark.parametrize("typed", ["", "many", "-3", "nan", "inf", "1e99"])
def test_what_is_no_number_is_said_to_be_none(typed: str):
    with pytest.raises(LabError, match="A number, please"):
        prediction("04.2").understood(typed)


def test_one_is_one_row():
    assert prediction("04.2").in_words(1) == "1 row" and prediction("04.2").in_words(50_000) == "50,000 rows"


def test_a_second_run_changes_nothing_and_says_what_is_different(capsys: pytest.CaptureFixture[str]):
    after("04.1", rows=[1, 2])
    kept = record_file.read()["predictions"]
    capsys.readouterr()
    after("04.1", rows=[1])
    told = capsys.readouterr().out
    assert "It happened (a surprise): two rows" in told
    assert told.endswith("That was the first run. The rows are different now: this run found one row.\n")
    # A second run may find what nobody could have said, or nothing at all.
    for names in {"rows": range(17)}, {}:
        after("04.1", **names)
        assert capsys.readouterr().out.endswith("That was the first run. The rows are different now.\n")
    after("04.1", rows=[1, 2])
    assert "first run" not in capsys.readouterr().out
    assert record_file.read()["predictions"] == kept


def test_a_first_run_that_finds_no_answer_is_an_error_and_keeps_nothing():
    with pytest.raises(LabError, match="is not among what prediction"):
        after("04.1", rows=range(17))
    with pytest.raises(LabError, match=r"What happened could not be found \(NameError"):
        after("04.1")
    assert record_file.read()["predictions"] == {}
    after("04.1", rows=[1])
    assert record_file.read()["predictions"]["04.1"]["happened"] == "one row"


def test_a_cell_of_cql_answers_by_what_it_came_to(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(user_ns={"rows": "the notebook's"}))

    def run() -> None:
        monkeypatch.setattr(cql_answers, "last", cql_answers.Outcome(["a row", "another"], None, None, ["SELECT"]))
        print("the table")

    gate.install(SimpleNamespace(register_magic_function=lambda *args, **kinds: None))
    cql_magic.around["after"]("04.1", run)
    assert capsys.readouterr().out.startswith("the table\nThe usual guess: one row\nIt happened (a surprise): two rows")


def test_true_and_one_are_two_answers():
    asked = Prediction("04.3", "?", "yes", "x", "why", options={"yes": True, "one": 1})
    assert asked.outcome(True) == "yes" and asked.outcome(1) == "one"


def test_an_error_in_the_cell_surfaces_and_keeps_nothing():
    def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        behind_gate("04.1", fails, lambda: {"rows": [1]})
    assert record_file.read()["predictions"] == {}


def test_the_recap_knows_them(capsys: pytest.CaptureFixture[str]):
    after("04.1", rows=[1])
    after("04.2", read=50_000)
    capsys.readouterr()
    surprises("04")
    assert capsys.readouterr().out.splitlines() == [
        "Chapter 04: 2 predictions, 1 surprise.",
        "  04.2  How many are read? Not 500 rows: 50,000 rows.",
    ]
    with pytest.raises(LabError, match="There is no chapter '4'"):
        surprises("4")


def test_a_question_that_has_changed_is_asked_anew(tmp_path: Path):
    after("04.1", rows=[1])
    (tmp_path / "chapter_04.toml").write_text(TOML.replace("How many rows?", "How many now?"), encoding="utf-8")
    predictions_of.cache_clear()
    assert predictions.settled(prediction("04.1")) is None
    after("04.1", rows=[1, 2])
    assert record_file.read()["predictions"]["04.1"]["happened"] == "two rows"


def test_what_waits_for_its_answer_is_forgotten_with_its_chapter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PROGRESS_FILE", str(tmp_path / "mine.json"))
    predictions.keep(prediction("04.1"), happened="one row")
    assert json.loads((tmp_path / "mine.json").read_text(encoding="utf-8"))["asked"]["04.1"]["happened"] == "one row"
    record_file.forget("04")
    assert record_file.read()["asked"] == {}


def test_the_order_of_the_options_is_the_same_in_every_run_and_no_hint():
    firsts = set()
    for i in range(1, 12):
        orders = [Prediction(f"04.{i}", "?", "a", "x", "why", options={"a": 1, "b": 2}).in_order() for _ in range(2)]
        assert orders[0] == orders[1]
        firsts.add(orders[0][0])
    assert firsts == {"a", "b"}


@pytest.mark.parametrize(
    "change, sentence",
    [
        (('"one row", 1', '"one row", 2'), "04.1 needs two options or more, each with a value of its own"),
        (('usual = "one row"', 'usual = "many"'), "The usual guess of prediction 04.1, 'many', is none of its options"),
        (('why = "Different', 'because = "Different'), "Prediction 04.1 is not whole"),
        (('unit = "rows"\n', ""), "Prediction 04.2 needs options, or a number"),
        (("usual = 500", 'usual = "500"'), "Prediction 04.2 needs options, or a number"),
    ],
)
def test_a_file_that_is_not_whole_is_named(change: tuple[str, str], sentence: str, tmp_path: Path):
    assert change[0] in TOML
    (tmp_path / "chapter_04.toml").write_text(TOML.replace(*change), encoding="utf-8")
    predictions_of.cache_clear()
    with pytest.raises(LabError, match=sentence):
        prediction("04.1")


@pytest.mark.parametrize(
    "number, sentence",
    [("4.1", "A number looks like"), (4.1, "A number looks like"), ("04.3", "its chapter has: 04.1, 04.2"),
     ("05.1", "its chapter has: none")],
)  # fmt: skip
def test_a_number_that_is_none_gets_a_sentence(number: object, sentence: str):
    with pytest.raises(LabError, match=sentence):
        predict(number)


def test_html_is_escaped_and_says_the_same():
    compared = Comparison("<b>", "no", "a surprise", "a & b", by_default=False, afterwards="x < y")
    page = Question("04.1", "Is a < b?", ["<b>"], "1 > 0", compared)._repr_html_()
    page += Surprises("04", 1, {"04.1": {"question": "a < b", "said": "<i>", "happened": "y"}}, False)._repr_html_()
    assert "Is a &lt; b?" in page and "&lt;b&gt;" in page and "a &amp; b" in page and "<i>" not in page
    assert "1 &gt; 0" in page and "x &lt; y" in page and "You said" in page
