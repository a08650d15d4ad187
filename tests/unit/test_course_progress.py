"""The learner's record: kept, shared, never lost; what progress() and passport() make of it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from helpers import passport, progress
from helpers.course import record_file
from helpers.course.exercises import exercises
from helpers.course.outline import chapter, outline
from helpers.lab.errors import LabError
from helpers.lab.filelock import FileLock


@pytest.fixture(autouse=True)
def record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "a folder" / "mine.json"
    monkeypatch.setenv("PROGRESS_FILE", str(path))
    return path


def _done(record: dict, number: str, **more: object) -> None:
    record["exercises"][number] = {"tries": 2, "hints": 0, "done": True, "title": "A <title>", **more}


def test_what_is_written_is_there_in_the_next_notebook(record: Path):
    record_file.change(lambda each: _done(each, "04.1"))
    assert json.loads(record.read_text(encoding="utf-8"))["exercises"]["04.1"]["done"] is True
    assert record_file.read()["exercises"]["04.1"]["tries"] == 2


def test_two_notebooks_at_once_lose_nothing():
    def write(notebook: int) -> None:
        for i in range(1, 21):
            record_file.change(lambda each, i=i: _done(each, f"0{notebook}.{i}"))

    threads = [threading.Thread(target=write, args=(notebook,)) for notebook in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(record_file.read()["exercises"]) == 60


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "",
        '{"exercises": []}',
        '{"chapters": {"04": 3}}',
        '{"chapters": {"04": {"seconds": "many"}}}',
        '{"predictions": {"04.1": {}}}',
    ],
)
def test_a_file_that_cannot_be_read_is_kept_aside(record: Path, text: str, capsys: pytest.CaptureFixture[str]):
    record.parent.mkdir()
    record.write_text(text, encoding="utf-8")
    assert record_file.read()["exercises"] == {}
    assert "is kept as mine.unreadable.json" in capsys.readouterr().out
    assert record.with_suffix(".unreadable.json").read_text(encoding="utf-8") == text
    record.write_text("a second one", encoding="utf-8")
    assert record_file.read()["exercises"] == {}
    assert record.with_suffix(".unreadable.json").read_text(encoding="utf-8") == text
    assert record.with_suffix(".unreadable-2.json").read_text(encoding="utf-8") == "a second one"


def test_what_an_older_file_lacks_is_added(record: Path):
    record.parent.mkdir()
    record.write_text('{"exercises": {"04.1": {"done": true}}, "chapters": {"04": {}}}', encoding="utf-8")
    record_file.step("04")
    progress()
    assert record_file.read()["exercises"]["04.1"] == {"tries": 0, "hints": 0, "done": True}


def _a_folder_in_its_place(record: Path) -> None:
    record.mkdir(parents=True)


def _a_file_in_place_of_its_folder(record: Path) -> None:
    record.parent.write_text("no folder", encoding="utf-8")


@pytest.mark.parametrize("broken", [_a_folder_in_its_place, _a_file_in_place_of_its_folder])
def test_where_nothing_can_be_kept_the_course_goes_on(
    record: Path, broken, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    broken(record)
    for number in ("04.1", "04.2"):
        record_file.change(lambda each, number=number: _done(each, number))
    assert set(record_file.read()["exercises"]) == {"04.1", "04.2"}
    told = capsys.readouterr().out
    assert told.count("Your progress cannot be kept in") == 1 and "PROGRESS_FILE names another place" in told


def test_what_could_be_read_still_counts_where_nothing_can_be_written(record: Path, monkeypatch: pytest.MonkeyPatch):
    record_file.change(lambda each: _done(each, "04.1"))
    record.with_suffix(".new").mkdir()
    record_file.change(lambda each: _done(each, "04.2"))
    assert set(record_file.read()["exercises"]) == {"04.1", "04.2"}
    assert _saved(record) == {"04.1"}


def test_saving_never_stops_for_good(record: Path, capsys: pytest.CaptureFixture[str]):
    """What could not be written is written with the next change that can be, on what others have written meanwhile."""
    record_file.change(lambda each: _done(each, "04.1"))
    record.with_suffix(".new").mkdir()
    for number in ("04.2", "04.3"):
        record_file.change(lambda each, number=number: _done(each, number))
    theirs = json.loads(record.read_text(encoding="utf-8"))
    _done(theirs, "05.1")
    record.write_text(json.dumps(theirs), encoding="utf-8")
    record.with_suffix(".new").rmdir()
    record_file.change(lambda each: _done(each, "04.4"))
    assert _saved(record) == {"04.1", "04.2", "04.3", "04.4", "05.1"}
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 2 and "cannot be kept" in told[0] and "is kept in" in told[1] and "again" in told[1]


def test_a_count_that_is_saved_late_is_the_same(record: Path):
    """A change that is made again begins anew: no try is counted twice."""

    def tried(each: dict) -> None:
        mine = each["exercises"].setdefault("04.1", record_file.new_exercise())
        mine["tries"] += 1

    record.mkdir(parents=True)
    for tries in (1, 2, 3):
        record_file.change(tried)
        assert record_file.read()["exercises"]["04.1"]["tries"] == tries
    record.rmdir()
    record_file.change(tried)
    assert json.loads(record.read_text(encoding="utf-8"))["exercises"]["04.1"]["tries"] == 4


def test_a_reader_that_keeps_the_file_from_being_replaced_is_waited_for(record: Path, monkeypatch: pytest.MonkeyPatch):
    """Windows refuses it while anybody reads the file, be it a program that is none of the course's."""
    refusals = iter([PermissionError(13, "in use")] * 3)
    replace = Path.replace

    def in_use(self: Path, target: Path) -> Path:
        for error in refusals:
            raise error
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", in_use)
    record_file.change(lambda each: _done(each, "04.1"))
    assert _saved(record) == {"04.1"}


def test_reading_and_writing_exclude_each_other(record: Path, monkeypatch: pytest.MonkeyPatch):
    record_file.change(lambda each: _done(each, "04.1"))
    monkeypatch.setattr(record_file, "_LOCK_SECONDS", 0.05)
    load, free = record_file._load, []

    def while_it_reads(path: Path) -> dict:
        free.append(FileLock(path.with_suffix(".lock")).take())
        return load(path)

    monkeypatch.setattr(record_file, "_load", while_it_reads)
    record_file.read()
    assert free == [False]


def _saved(record: Path) -> set[str]:
    return set(json.loads(record.read_text(encoding="utf-8"))["exercises"])


def test_headless_nothing_is_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PROGRESS_FILE")
    monkeypatch.setenv("HELPERS_LIVE", "0")
    assert record_file.progress_path() is None
    monkeypatch.setenv("HELPERS_LIVE", "1")
    assert record_file.progress_path().name == ".progress.json"


def test_minutes_are_those_at_work(monkeypatch: pytest.MonkeyPatch):
    now = [1000.0]
    monkeypatch.setattr(record_file.time, "time", lambda: now[0])
    for gap in (0, 60, 120, 7200, 30):
        now[0] += gap
        record_file.step("04")
    assert record_file.read()["chapters"]["04"]["seconds"] == 60 + 120 + 30


def test_forgetting_a_chapter_leaves_the_others():
    for number in ("04.1", "04.2", "05.1"):
        record_file.change(lambda each, number=number: _done(each, number))
    record_file.forget("04")
    assert list(record_file.read()["exercises"]) == ["05.1"]
    record_file.forget()
    assert record_file.read()["exercises"] == {}


def test_the_outline_is_what_the_notebooks_say():
    for number, each in outline().items():
        assert each.title and each.minutes >= 5, number
        assert len(each.promises) == len(each.learnt) == 3, number
    with pytest.raises(LabError, match=r"There is no chapter '99'\. There are: 00, 01"):
        chapter("99")


def test_progress_counts(capsys: pytest.CaptureFixture[str]):
    progress()
    told = capsys.readouterr().out
    for number, each in outline().items():
        line = next(line for line in told.splitlines() if line.startswith(f"{number} "))
        assert each.title in line and f"0 of {len(exercises(number))}" in line


def test_progress_shows_the_core_path_before_what_lies_backstage(capsys: pytest.CaptureFixture[str]):
    progress()
    told = [line for line in capsys.readouterr().out.splitlines() if line[:2].isdecimal()]
    numbers = [line.split()[0] for line in told]
    assert numbers == sorted(numbers, key=lambda number: (not number.isdecimal(), number))
    assert [number for number, line in zip(numbers, told, strict=True) if "(backstage)" in line] == ["02b", "03b"]


def test_the_next_exercise_is_one_of_the_core_path(capsys: pytest.CaptureFixture[str]):
    core = [number for each in outline().values() if not each.backstage for number in exercises(each.number)]
    for number in core:
        progress()
        assert capsys.readouterr().out.endswith(f"Next: exercise {number}.\n")
        record_file.change(lambda record, number=number: _done(record, number))
    progress()
    assert capsys.readouterr().out.endswith("Next: exercise 02b.1.\n")


def test_the_passport_has_what_was_done_and_the_learners_own_cql(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    number, numbers = next((number, list(exercises(number))) for number in outline() if exercises(number))
    for i, each in enumerate(numbers):
        code = f"session.execute('SELECT {i} < 5')"
        record_file.change(lambda record, each=each, code=code, i=i: _done(record, each, code=code, hints=i))
    path = tmp_path / "ada.html"
    passport("Ada <3", path)
    page = path.read_text(encoding="utf-8")
    assert "Ada &lt;3" in page and "SELECT 0 &lt; 5" in page and "A &lt;title&gt;" in page
    assert "without a hint" in page and "with one hint" in page
    assert outline()[number].title in page and page.count("<section>") == 1
    assert "1 chapter with every exercise done" in capsys.readouterr().out


def test_a_passport_says_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("PROGRESS_FILE", str(tmp_path / "mine.json"))
    passport("Bo")
    assert (tmp_path / "passport.html").is_file()
    assert capsys.readouterr().out.endswith("Open passport.html, beside your progress file.\n")
    passport("Bo", tmp_path / "bo.html")
    assert capsys.readouterr().out.endswith(f"Open {tmp_path / 'bo.html'}.\n")


def test_a_passport_lies_beside_the_notebooks_that_a_learner_works_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.delenv("PROGRESS_FILE")
    monkeypatch.setenv("HELPERS_LIVE", "0")  # and nobody's record is touched
    printed, mine = tmp_path / "notebooks", tmp_path / "my"
    monkeypatch.setattr("helpers.course.passport.NOTEBOOKS", printed)
    monkeypatch.setattr("helpers.course.passport.MINE", mine)
    passport("Bo")
    assert (printed / "passport.html").is_file()
    mine.mkdir()
    passport("Bo")
    assert (mine / "passport.html").is_file()
    assert capsys.readouterr().out.endswith("Open passport.html, beside the notebooks.\n")


def test_an_empty_passport_says_so(tmp_path: Path):
    passport("Bo", tmp_path / "bo.html")
    assert "they are yours to fill" in (tmp_path / "bo.html").read_text(encoding="utf-8")
    with pytest.raises(LabError, match="needs a name"):
        passport(" ")
    with pytest.raises(LabError, match=r'could not be written to .*passport\("Ada", "ada\.html"\)'):
        passport("Bo", str(tmp_path / "bo.html" / "no folder.html"))


def test_a_passport_keeps_the_name_that_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("HELPERS_LIVE", "1")
    path = tmp_path / "mine.html"
    passport(path=path)
    assert 'passport("your name") puts your name on it.' in capsys.readouterr().out
    passport("Cleo", path)
    passport(path=path)
    assert "<h1>Cleo</h1>" in path.read_text(encoding="utf-8")
    assert "puts your name" not in capsys.readouterr().out
