"""The gate in a real kernel: held back, revealed at once or the next day, and nothing in the way of a run of all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nbclient.exceptions import CellExecutionError

from tests.unit.live_kernel import run, text
from tests.unit.test_course_predictions import TOML

pytestmark = pytest.mark.slow

ASK = 'predict("04.1")'
ASK_NUMBER = 'predict("04.2")'
AFTER = """%%after 04.1
from IPython.display import display
rows = [1, 2]
print("first")
display(len(rows))
print("last")
rows"""
SHOWN = "first\n2\nlast\n[1, 2]"
COMPARED = "You said: none\nIt happened (a surprise): two rows\nWhy: Different keys are different rows."
HELD = "Choose above; what happened is kept and appears then."
CLICK = 'click("RadioButtons", "none")'
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    (tmp_path / "chapter_04.toml").write_text(TOML, encoding="utf-8")
    return tmp_path


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "mine.json"


def kept(record: Path) -> dict[str, dict[str, object]]:
    return json.loads(record.read_text(encoding="utf-8"))


def test_a_result_is_held_back_until_the_learner_chooses(questions: Path, record: Path):
    cells = [ASK, AFTER, "print(rows)", CLICK]
    asked, shown, _, _ = run([*cells[:3], "pass"], record, watched=True, questions=questions)
    assert "04.1 How many rows?" in text(asked) and text(shown) == HELD
    assert "surprise" not in str(asked) + str(shown) and "Different keys" not in str(asked) + str(shown)
    assert kept(record)["asked"]["04.1"]["happened"] == "two rows"

    record.unlink()
    asked, shown, later, clicked = run(cells, record, watched=True, questions=questions)
    # What the cell showed stands in its order, the comparison below it; the names it made were there at once.
    assert text(shown) == f"{SHOWN}\n{COMPARED}" and text(later) == "[1, 2]" and text(clicked) == ""
    # The choice is made: no widget is left that the next day could not show.
    assert "You said: none." in text(asked) and WIDGET not in str(asked)
    assert kept(record)["predictions"]["04.1"]["said"] == "none" and kept(record)["asked"] == {}


def test_who_has_chosen_sees_the_result_at_once(questions: Path, record: Path):
    change = 'click("RadioButtons", "two rows")'
    asked, _, changed, shown, late, again = run(
        [ASK, CLICK, change, AFTER, CLICK, ASK], record, watched=True, questions=questions
    )
    assert text(shown).startswith(f"{SHOWN}\nYou said: two rows\nIt happened (as predicted): two rows")
    assert "You said: two rows." in text(asked) and not late and not changed
    # Asked again, the question has its answer, and offers no other.
    assert "It happened (as predicted)" in text(again) and WIDGET not in str(again)
    assert kept(record)["predictions"]["04.1"]["surprise"] is False


def test_the_next_day_it_shows_what_was_said_and_what_happened(questions: Path, record: Path):
    run([ASK, CLICK, AFTER], record, watched=True, questions=questions)
    other = AFTER.replace("[1, 2]", "[1]")
    asked, shown = run([ASK, other], record, watched=True, questions=questions)
    assert text(asked) == f"04.1 How many rows?\n{COMPARED}" and WIDGET not in str(asked)
    assert "<td" in str(asked[0].data["text/html"])
    afterwards = "That was the first run. The rows are different now: this run found one row."
    assert text(shown).endswith(f"{COMPARED}\n{afterwards}")


def test_what_was_held_back_yesterday_is_compared_today(questions: Path, record: Path):
    run([ASK, AFTER], record, watched=True, questions=questions)
    asked, _ = run([ASK, CLICK], record, watched=True, questions=questions)
    assert text(asked) == f"04.1 How many rows?\n{COMPARED}"


def test_a_cell_that_is_run_before_its_question_says_where_to_choose(questions: Path, record: Path):
    shown, _, _ = run([AFTER, ASK, CLICK], record, watched=True, questions=questions)
    assert text(shown) == f"{SHOWN}\n{COMPARED}"
    (shown,) = run([AFTER], record.with_name("other.json"), watched=True, questions=questions)
    assert text(shown).startswith("Run the cell above and choose there")


def test_a_second_run_before_the_choice_keeps_the_first_result(questions: Path, record: Path):
    cells = [ASK, AFTER, AFTER.replace("[1, 2]", "[1]"), CLICK]
    _, _, shown, _ = run(cells, record, watched=True, questions=questions)
    assert "It happened (a surprise): two rows" in text(shown) and "this run found one row" in text(shown)


def test_a_page_that_was_loaded_anew_shows_the_result_with_the_question(questions: Path, record: Path):
    """What older pages have shown by an id is out of reach; the widget of the choice is not."""
    load = "from ipywidgets import Widget\nWidget._control_comm = object()"
    look = """from ipywidgets import HTML, Output
from ipywidgets.widgets import widget
for each in list(widget._instances.values()):
    for child in getattr(each, "children", ()):
        if isinstance(child, HTML | Output):
            print(child.value if isinstance(child, HTML) else child.outputs)"""
    *_, seen = run([ASK, AFTER, load, CLICK, look], record, watched=True, questions=questions)
    assert "You said: none." in text(seen) and "'first\\n'" in text(seen) and "It happened (a surprise)" in text(seen)
    *_, seen = run([ASK, AFTER, CLICK, look], record.with_name("other.json"), watched=True, questions=questions)
    assert "It happened" not in text(seen), "the page that is there shows it in its place"


def test_a_number_is_typed(questions: Path, record: Path):
    asked, shown, _, _ = run(
        [ASK_NUMBER, "%%after 04.2\nread = 50_000", 'click("Text", "lots")', 'click("Text", "5,000")'],
        record,
        watched=True,
        questions=questions,
    )
    assert "You said: 5,000 rows." in text(asked)
    assert text(shown) == (
        "You said: 5,000 rows\nIt happened (ten times more): 50,000 rows\nWhy: All of them are looked at."
    )


def test_an_error_stops_the_run_as_usual(questions: Path, record: Path):
    broken = "%%after 04.1\nprint('so far')\nraise ZeroDivisionError('by none')"
    for watched in False, True:
        with pytest.raises(CellExecutionError, match="by none"):
            run([ASK, broken], record, watched=watched, questions=questions)
    _, failed, mended = run([ASK, broken, AFTER], record, watched=True, questions=questions, errors=True)
    assert text(failed).startswith("so far") and "by none" in text(failed)
    assert text(mended) == HELD


def test_where_nobody_watches_all_is_shown_at_once(questions: Path, record: Path):
    asked, shown, recap = run([ASK, AFTER, 'surprises("04")'], record, watched=False, questions=questions)
    assert WIDGET not in str(asked) and "○ two rows" in text(asked)
    assert text(shown).startswith(f"{SHOWN}\nThe usual guess: one row\nIt happened (a surprise): two rows")
    assert text(recap).startswith("Chapter 04: 1 prediction, 1 surprise.")


def test_updates_and_clearings_are_made_before_it_is_shown(questions: Path, record: Path):
    cell = """%%after 04.1
from IPython.display import clear_output, display
print("too early")
clear_output()
rows, place = [1, 2], display("draft", display_id=True)
place.update("done")
print("kept")"""
    _, shown, _ = run([ASK, cell, CLICK], record, watched=True, questions=questions)
    assert text(shown) == f"'done'\nkept\n{COMPARED}"
