"""The plans fit their time, and what is rendered of them is whole and needs no network."""

from __future__ import annotations

import re
from datetime import time
from pathlib import Path

import pytest

from helpers.course.outline import outline
from helpers.lab.errors import LabError
from presenter import command, rendering
from presenter.cheat_sheet import cheat_sheet, chosen, taught
from presenter.decks import MOST_CODE, chapter_deck
from presenter.papers import handout, run_of_show, speaker_notes
from presenter.plans import PLANS, Plan, plans
from presenter.talks import talk_of

# Of the whole: less is no plan for a room, and more is no plan.
LEAST_RESERVE, MOST_RESERVE = 0.05, 0.15
# It was two pages of paper when printed with 1,108; with many more it is looked at again.
MOST_WORDS_OF_HANDOUT = 1_150
FETCHED = re.compile(r"""(?:src|href)=["'](?:https?:)?//""")


@pytest.fixture(params=list(plans().values()), ids=lambda plan: plan.name)
def plan(request: pytest.FixtureRequest) -> Plan:
    found: Plan = request.param
    return found


def test_a_plan_fits_its_time_with_something_in_reserve(plan: Plan) -> None:
    assert LEAST_RESERVE * plan.minutes <= plan.reserve <= MOST_RESERVE * plan.minutes, f"{plan.reserve} min in reserve"


def test_nobody_sits_for_two_hours(plan: Plan) -> None:
    sitting = 0
    for part in plan.parts:
        sitting = 0 if part.title in ("Break", "Lunch") else sitting + part.minutes
        assert sitting <= 120, part.title


def test_a_plan_goes_through_the_course_in_its_order(plan: Plan) -> None:
    taken = [(part.talk.chapter.number, part.section.at) for part in plan.parts if part.talk and part.section]
    order = [(number, at) for number in outline() for at in talk_of(number).sections]
    assert [order.index(each) for each in taken] == sorted({order.index(each) for each in taken})


def test_the_clock(plan: Plan) -> None:
    times = [begins for begins, _ in plan.clock(time(9))]
    assert times[0] == time(9)
    assert times == sorted(times)
    page = run_of_show(plan, time(9))
    assert all(f"{each:%H:%M}" in page for each in [*times, plan.ends(time(9))])


def test_a_plan_that_does_not_fit_is_said(tmp_path: Path, monkeypatch, capsys) -> None:
    short = Plan("short", "Short", 1, plans()["90-minutes"].parts[:1])
    monkeypatch.setattr(rendering, "plans", lambda: {"90-minutes": short})
    assert command.main(["--only", "90-minutes", "--output", str(tmp_path)]) == 1
    assert "Short does not fit: its parts take 7 minutes more." in capsys.readouterr().err
    assert {path.name for path in (tmp_path / "schedule").iterdir()} == {
        "run-of-show-short.html",
        "slides-short.html",
        "speaker-notes.html",
        "handout.html",
        "cheat-sheet.html",
        "index.html",
        "reveal",
    }


def test_a_section_that_is_gone_is_named(tmp_path: Path) -> None:
    path = tmp_path / "plans.toml"
    path.write_text(PLANS.read_text(encoding="utf-8").replace("04/race-intro", "04/chase"), encoding="utf-8")
    with pytest.raises(LabError, match="Chapter 04 has no section 'chase' with a note"):
        plans(path)


@pytest.mark.parametrize("wrong", [["--start", "noon"], ["--start", "25:00"], ["--only", "a-week"]])
def test_a_wrong_argument_gets_a_sentence(wrong: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(wrong)
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_every_word_of_cql_that_is_taught_is_on_the_sheet() -> None:
    every, sheet = taught(), chosen(taught())
    assert {each.kind for each in every} == set(sheet)
    for kind, found in sheet.items():
        words = {word for each in every if each.kind == kind for word in each.words}
        assert words == {word for each in found for word in each.words}
    assert "IF EXISTS" in cheat_sheet()
    assert len(sheet["Ask"]) < sum(each.kind == "Ask" for each in every)


def test_the_sheet_gives_no_exercise_away_and_nothing_that_is_refused() -> None:
    texts = [each.text for each in taught()]
    assert [text for text in texts if "my_" in text or "PRIMARY (event_id" in text] == []


def test_the_handout_has_what_one_can_now_say_and_no_more_than_two_pages() -> None:
    words = re.sub(r"<style>.*?</style>|<[^>]+>", " ", handout(), flags=re.DOTALL).split()
    assert 600 <= len(words) <= MOST_WORDS_OF_HANDOUT
    assert "Two UPDATEs of one row are two good statements" in handout()


def test_the_notes_have_every_section() -> None:
    page = speaker_notes()
    assert page.count("<h3>") == sum(len(talk_of(number).sections) for number in outline())


def test_slides_have_titles_pictures_and_notes_and_fetch_nothing() -> None:
    deck = chapter_deck("00")
    talk = talk_of("00")
    assert deck.count('<aside class="notes">') == 1 + len(talk.sections)
    assert "<img" in deck
    assert not FETCHED.search(deck)
    assert "mathjax" not in deck.lower()
    for name in re.findall(r'(?:src|href)="(reveal/[^"]+)"', deck):
        assert (Path(command.__file__).parent / name).is_file(), name


def test_code_on_a_slide_is_short() -> None:
    for number in outline():
        talk = talk_of(number)
        for section in talk.sections.values():
            for id in section.show:
                cell = talk.cells[id]
                assert cell.cell_type == "code", f"{id} of {number} would be a wall of text"
                assert cell.source.count("\n") < MOST_CODE or cell.outputs, f"{id} of {number} would be empty"


def test_a_dark_room_gets_dark_slides() -> None:
    assert 'dataset.paper = "dark"' in chapter_deck("07", "dark")
