"""Every section has its note, the notebooks have what the notes say, and the notes' minutes are the model's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest

from helpers.course.exercises import exercises
from helpers.course.outline import Chapter, outline
from helpers.lab.errors import LabError
from presenter import marks
from presenter.minutes import parts
from presenter.notes import NOTES, Notes, Section, notes_of
from tools.build_exercises import rebuilt
from tools.refresh_outputs import PRESENTED

# An estimate of a section, rounded by hand, may differ by this many minutes from the model's.
MARGIN = 1.5
MOST_LINES = 4
MOST_WORDS = 14
LONGEST = 420  # characters of one note: it is glanced at, not read out
CLOSING = {"What you can now say"}


@pytest.fixture(params=list(outline().values()), ids=lambda chapter: chapter.number)
def chapter(request: pytest.FixtureRequest) -> Chapter:
    found: Chapter = request.param
    return found


@pytest.fixture
def notes(chapter: Chapter) -> Notes:
    return notes_of(chapter.number)


def test_the_notebook_has_what_its_notes_say(chapter: Chapter) -> None:
    assert marks.drifted(chapter.path) is None, "run: python -m presenter.marks"


def test_each_section_has_a_note(chapter: Chapter, notes: Notes) -> None:
    sections = [part.at for part in parts(chapter)[1:] if part.name not in CLOSING and not part.at.startswith("ex-")]
    assert list(notes.sections) == sections


def test_the_minutes_are_the_model_s(chapter: Chapter, notes: Notes) -> None:
    estimated = {part.at: part.seconds / 60 for part in parts(chapter)}
    off = {at: round(estimated[at], 1) for at, each in notes.sections.items() if abs(each.do - estimated[at]) > MARGIN}
    assert not off, "estimated otherwise"


def test_a_note_says_what_to_ask_what_goes_wrong_and_what_to_drop(notes: Notes) -> None:
    for at, section in notes.sections.items():
        for name in ("ask", "wrong", "drop"):
            assert re.search(r"\w{4,}.*[.?!)]$", getattr(section, name)), f"{at} says nothing to {name!r}"
        for text in (section.ask, section.slow, section.wrong, section.drop):
            assert len(text) <= LONGEST, at
            assert text == " ".join(text.split()), at
        assert 1 <= section.demo <= 15, at
    assert notes.chapter.point
    assert notes.chapter.before


def test_a_slide_is_no_wall_of_text(notes: Notes) -> None:
    for at, section in notes.sections.items():
        assert 1 <= len(section.slide) <= MOST_LINES, at
        assert not [line for line in section.slide if len(line.split()) > MOST_WORDS], at


def test_what_is_marked_skip_if_late_is_for_nobody_s_hands_in_a_first_workshop(chapter: Chapter, notes: Notes) -> None:
    late = {part.at for part in parts(chapter) if part.late}
    assert [at for at in late & set(notes.sections) if notes.sections[at].mode == "do"] == []


def test_marks_touch_metadata_alone(chapter: Chapter, notes: Notes) -> None:
    before = nbformat.read(chapter.path, as_version=4)
    bare = nbformat.from_dict(json.loads(json.dumps(before)))
    for cell in bare.cells:
        for name in PRESENTED & set(cell.metadata):
            del cell.metadata[name]
    assert marks.marked(bare, notes) == before


def test_exercises_that_are_built_anew_keep_their_marks() -> None:
    notebook = nbformat.read(outline()["07"].path, as_version=4)
    task = next(cell for cell in notebook.cells if cell.id == "ex-07-2-task")
    wanted, task.source = task.source, "an older task"
    task.metadata["slideshow"] = {"slide_type": "subslide"}
    (built,) = [cell for cell in rebuilt(notebook, exercises("07")).cells if cell.id == task.id]
    assert (built.source, built.metadata) == (wanted, task.metadata)


def test_a_note_of_a_cell_that_is_gone_is_named() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A title", id="title")])
    with pytest.raises(LabError, match="cells that are not there: shop-intro"):
        marks.marked(notebook, Notes(notes_of("00").chapter, {"shop-intro": notes_of("00").sections["shop-intro"]}))


def test_notes_that_are_not_whole_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"chapter_00\.toml is missing"):
        notes_of("00", tmp_path)
    text = (NOTES / "chapter_00.toml").read_text(encoding="utf-8")
    (tmp_path / "chapter_00.toml").write_text(re.sub(r"^ask = .*\n", "", text, count=1, flags=re.M), encoding="utf-8")
    with pytest.raises(LabError, match="'ask'"):
        notes_of("00", tmp_path)
    with pytest.raises(ValueError, match="and not one of do, demo, tell"):
        Section("at", 1, 1, "sing", ("a",), "a", "b", "c")
