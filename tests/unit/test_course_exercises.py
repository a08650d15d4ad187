"""check, hint, starter and solving: what a learner is told, step by step, and what is kept of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from cassandra.cluster import Session

from helpers import Event, check, checkpoint, connect, hint, reset, solving
from helpers.course import exercises as module
from helpers.course import record_file
from helpers.course.exercises import behind_solution, exercise, exercises, starter, verdict
from helpers.course.look import Look, NotYet
from helpers.lab import sent
from helpers.lab.errors import LabError

TOML = """
[[exercise]]
title = "Write a note"
task = "Write one. **Finish line:** a row in my_notes."
starter = '''
print("nothing yet")
'''
solution = '''
session.execute("…")
'''
untouched = "There is no my_notes in seats_00 yet."
hints = ["look up INSERT", "nearly there"]
why = "A write makes the row."

[[exercise.wrong]]
what = "another table"
code = "pass"
says = "There is no my_notes in … yet."
"""


@pytest.fixture(scope="module")
def keyspace(lab: Session) -> Iterator[None]:
    """The chapter's keyspace stays from test to test: to put its rows back is quicker than to make its tables."""
    yield
    lab.execute("DROP KEYSPACE IF EXISTS seats_00")


@pytest.fixture
def session(lab: Session, keyspace: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Session]:
    """An open chapter 00 with one exercise of the test's own, and a record of progress."""

    def check_1(look: Look) -> str:
        look.columns("my_notes")
        rows = look.rows("SELECT note FROM my_notes")
        if not rows:
            raise NotYet("my_notes is empty.")
        return f"my_notes has {rows[0].note!r}."

    (tmp_path / "chapter_00.toml").write_text(TOML, encoding="utf-8")
    monkeypatch.setattr(module, "EXERCISES", tmp_path)
    checks = SimpleNamespace(check_1=check_1, undo_1=lambda look: look.drop("my_notes"))
    monkeypatch.setattr(module, "_checks", lambda chapter: checks)
    monkeypatch.setenv("PROGRESS_FILE", str(tmp_path / "mine.json"))
    exercises.cache_clear()
    for _ in range(sent.MOST_CELLS):
        sent.begin("")  # no test finds what another one has run
    session = connect()
    checkpoint("00", seats=100)
    yield session
    exercises.cache_clear()
    session.execute("DROP TABLE IF EXISTS seats_00.my_notes")


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]):
    capsys.readouterr()
    return lambda: capsys.readouterr().out


def test_a_check_speaks_of_the_rows(session: Session, told):
    told()
    check("00.1")
    assert told() == "✗ 00.1: There is no my_notes in seats_00 yet.\n"
    session.execute("CREATE TABLE my_notes (day int PRIMARY KEY, note text)")
    check("00.1")
    assert told() == "✗ 00.1: my_notes is empty.\n"
    session.execute("INSERT INTO my_notes (day, note) VALUES (1, 'ring Bo')")
    check("00.1")
    assert told() == "✓ 00.1: my_notes has 'ring Bo'.\n  Why it works: A write makes the row.\n"
    mine = record_file.read()["exercises"]["00.1"]
    assert mine == {"tries": 3, "hints": 0, "done": True, "title": "Write a note"}


def test_whether_it_is_solved_can_be_asked_without_a_word_and_without_a_trace(session: Session, told):
    told()
    assert not module.solved("00.1")
    session.execute("CREATE TABLE my_notes (day int PRIMARY KEY, note text)")
    session.execute("INSERT INTO my_notes (day, note) VALUES (1, 'ring Bo')")
    assert module.solved("00.1")
    assert told() == "" and "00.1" not in record_file.read()["exercises"]


def test_a_missing_column_is_told_too(session: Session):
    session.execute("CREATE TABLE my_notes (day int PRIMARY KEY)")
    done, sentence = verdict("00.1")
    assert not done and "note" in sentence


def test_after_two_tries_a_learner_hears_of_the_hints(session: Session, monkeypatch: pytest.MonkeyPatch, told):
    monkeypatch.setenv("HELPERS_LIVE", "1")
    told()
    check("00.1")
    assert "hint" not in told()
    check("00.1")
    assert told().endswith('  hint("00.1") helps.\n')


def test_what_was_solved_stays_solved_when_the_chapter_begins_anew(
    session: Session, monkeypatch: pytest.MonkeyPatch, told
):
    monkeypatch.setenv("HELPERS_LIVE", "1")
    session.execute("CREATE TABLE my_notes (day int PRIMARY KEY, note text)")
    session.execute("INSERT INTO my_notes (day, note) VALUES (1, 'ring Bo')")
    check("00.1")
    reset("00.1")
    told()
    check("00.1")
    assert told().splitlines()[1:] == [
        "  You have solved it before, and that stays. Run the cell of your answer, and its rows are back."
    ]
    assert record_file.read()["exercises"]["00.1"]["done"]


def test_two_hints_and_then_the_solution(session: Session, monkeypatch: pytest.MonkeyPatch, told):
    monkeypatch.setenv("HELPERS_LIVE", "1")
    told()
    assert not solving("00.1")
    assert "was not run" in told()
    for wanted in ("Hint 1 of 2 for 00.1: look up INSERT", "Hint 2 of 2 for 00.1: nearly there"):
        hint("00.1")
        assert told().strip() == wanted
        assert not solving("00.1")
        told()
    hint("00.1")
    assert 'session.execute("…")' in told()
    assert solving("00.1")


def test_a_solution_in_cql_runs_when_it_may_and_is_judged(session: Session, monkeypatch: pytest.MonkeyPatch, told):
    ran = []
    monkeypatch.setenv("HELPERS_LIVE", "1")
    behind_solution("00.1", lambda: ran.append(1))
    assert not ran and "was not run" in told()
    monkeypatch.setenv("HELPERS_LIVE", "0")
    behind_solution("00.1", lambda: ran.append(1))
    assert ran and told().startswith("✗ 00.1: There is no my_notes")


def test_headless_the_solution_runs(session: Session, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HELPERS_LIVE", "0")
    assert solving("00.1")


def test_an_exercise_can_be_tried_afresh(session: Session, told):
    session.execute("CREATE TABLE my_notes (day int PRIMARY KEY, note text)")
    session.execute("INSERT INTO my_notes (day, note) VALUES (1, 'x')")
    assert verdict("00.1")[0]
    reset("00.1")
    assert not verdict("00.1")[0]


STARTER = '# Exercise 00.1\nprint("nothing yet")'
SOLUTION = '# The solution of 00.1; it runs when …\nif solving("00.1"):\n    …'
MINE = "# Exercise 00.1\nmine()"
IN_CQL = "%%cql\n-- Exercise 00.1\nINSERT INTO my_notes (day, note) VALUES (1, 'x');"


def solved(session: Session) -> None:
    session.execute("CREATE TABLE IF NOT EXISTS my_notes (day int PRIMARY KEY, note text)")
    session.execute("INSERT INTO my_notes (day, note) VALUES (1, 'x')")


def run_cells(*sources: str) -> None:
    """As a notebook would run them, the last of them now."""
    for source in sources:
        sent.begin(source)


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        (["import this", STARTER, MINE, 'check("00.1")'], MINE),
        ([STARTER, IN_CQL, 'check("00.1")'], IN_CQL),
        # Without the mark it is the last cell before check() that may be an answer.
        ([STARTER, "mine()", 'check("00.1")'], "mine()"),
        (["mine()", 'hint("00.1")', 'check("00.1")'], "mine()"),
        ([STARTER, MINE, "a_look_at_it()", 'check("00.1")'], MINE),
        ([MINE, "# Exercise 00.2\nanother()", 'check("00.1")'], MINE),
        (["# For exercise 00.1\nrow = 1", 'check("00.1")'], None),
        # Nobody's own: the starter as it was, and the solution.
        ([STARTER, 'check("00.1")'], None),
        ([STARTER, SOLUTION], None),
        ([STARTER, "%%cql --solution 00.1\nSELECT note FROM my_notes;"], None),
    ],
)
def test_the_passport_keeps_the_learners_own_answer(session: Session, cells: list[str], kept: str | None):
    solved(session)
    run_cells(*cells)
    check("00.1")
    assert record_file.read()["exercises"]["00.1"].get("code") == kept


def test_the_solutions_run_overwrites_no_answer_of_the_learners(session: Session):
    solved(session)
    for cells in ([MINE, 'check("00.1")'], [SOLUTION]):
        run_cells(*cells)
        check("00.1")
        assert record_file.read()["exercises"]["00.1"]["code"] == MINE


def test_a_hint_that_is_asked_after_solving_is_no_help(session: Session, monkeypatch: pytest.MonkeyPatch, told):
    monkeypatch.setenv("HELPERS_LIVE", "1")
    solved(session)
    check("00.1")
    for _ in range(3):
        hint("00.1")
    assert record_file.read()["exercises"]["00.1"]["hints"] == 0
    assert solving("00.1")


def test_the_starter_can_be_had_again(session: Session, told):
    told()
    starter("00.1")
    assert told() == f"{STARTER}\n"


def test_in_a_notebook_the_starter_comes_as_a_new_cell(session: Session, monkeypatch: pytest.MonkeyPatch, told):
    monkeypatch.setenv("HELPERS_LIVE", "1")
    cells: list[str] = []
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(set_next_input=cells.append))
    starter("00.1")
    assert cells == [STARTER]
    assert told().endswith("Exercise 00.1: its starter is in the cell below.\n")


def test_an_exercise_comes_back_also_where_a_table_of_the_chapter_is_gone(
    session: Session, monkeypatch: pytest.MonkeyPatch, told
):
    checks = SimpleNamespace(undo_1=lambda look: look.put_back(*look.event.tickets[:1]))
    monkeypatch.setattr(module, "_checks", lambda chapter: checks)
    for view in "available_tickets", "tickets_by_type":
        session.execute(f"DROP MATERIALIZED VIEW IF EXISTS {view}")
    session.execute("DROP TABLE tickets")
    told()
    reset("00.1")
    assert "A table of the chapter was gone." in told()
    assert len(session.execute("SELECT ticket_id FROM tickets").all()) == 100


def test_a_file_that_is_not_whole_is_named(session: Session, tmp_path: Path):
    (tmp_path / "chapter_03.toml").write_text(re.sub("hints = .*", "", TOML), encoding="utf-8")
    with pytest.raises(LabError, match=r"Exercise 03\.1 in chapter_03\.toml is not whole: 'hints'"):
        exercises("03")


def test_a_rung_that_nobody_knows_is_named(session: Session, tmp_path: Path):
    (tmp_path / "chapter_03.toml").write_text(TOML.replace("why =", 'rung = "jump"\nwhy ='), encoding="utf-8")
    with pytest.raises(LabError, match=r"not whole: its rung is 'jump', and not one of repair, write, design"):
        exercises("03")


def test_bad_numbers_are_a_sentence(session: Session):
    with pytest.raises(LabError, match=r"There is no exercise 00\.2; its chapter has: 00\.1\."):
        check("00.2")
    with pytest.raises(LabError, match="A number looks like"):
        hint("first")
    assert exercise("00.1").title == "Write a note"


def test_in_another_chapters_notebook_it_looks_at_nothing(session: Session, told):
    session.execute("CREATE TABLE my_notes (day int PRIMARY KEY, note text)")
    session.execute(
        "CREATE KEYSPACE IF NOT EXISTS seats_03 WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
    )
    session.set_keyspace("seats_03")
    for ask in check, reset:
        with pytest.raises(LabError, match=r"about chapter 00, and chapter 03 is open here: .* checkpoint\(\"00\"\)"):
            ask("00.1")
    session.set_keyspace("seats_00")
    session.execute("DROP KEYSPACE seats_03")
    assert session.execute(
        "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'seats_00' AND table_name = 'my_notes'"
    ).one()


def test_a_check_speaks_of_the_learners_table_where_its_query_is_refused(session: Session):
    look = Look("00")
    for statement, query, sentence in (
        (None, "SELECT note FROM my_notes", "There is no my_notes in seats_00 yet."),
        ("(day int PRIMARY KEY)", "SELECT note FROM my_notes", "my_notes has no column note."),
        ("(day int, note text, PRIMARY KEY (day, note))", "SELECT TTL(note) FROM my_notes", "note is part of the key"),
    ):
        look.drop("my_notes")
        if statement:
            session.execute(f"CREATE TABLE my_notes {statement}")
        with pytest.raises(NotYet) as refused:
            look.rows(query)
        assert str(refused.value).startswith(sentence)


def test_what_an_exercise_drops_may_be_a_view_or_have_a_log_that_was_switched_off(session: Session):
    look = Look("00")
    for _ in range(2):
        session.execute("CREATE TABLE my_notes (day int PRIMARY KEY, note text) WITH cdc = {'enabled': true}")
        session.execute("ALTER TABLE my_notes WITH cdc = {'enabled': false}")
        look.drop("my_notes")
    where = "WHERE venue_id IS NOT NULL AND section_id IS NOT NULL AND type_id IS NOT NULL"
    key = "PRIMARY KEY ((venue_id, type_id), section_id)"
    session.execute(f"CREATE MATERIALIZED VIEW my_notes AS SELECT * FROM venue_sections {where} {key}")
    look.drop("my_notes")
    with pytest.raises(NotYet, match="There is no view my_notes"):
        look.view("my_notes")
    session.execute("CREATE TABLE my_notes (day int PRIMARY KEY)")
    with pytest.raises(NotYet, match="my_notes is a table, not a view"):
        look.view("my_notes")


def test_without_an_open_chapter_it_says_so(session: Session, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("helpers.lab.connection._latest", None)  # whoever connects again goes on where they were
    connect()
    with pytest.raises(LabError, match="No chapter is open here"):
        check("00.1")


def test_a_view_is_asked_until_the_server_has_filled_it(
    lab: Session, chapter: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Look()
    assert look._is_filled("available_tickets")
    assert not look._is_filled("nowhere")
    filled, answers = iter([False, False, True]), []
    monkeypatch.setattr(look, "_is_filled", lambda view: next(filled))

    def question() -> bool:
        answers.append(len(answers) == 3)  # the last row comes while the server says that it is done
        return answers[-1]

    assert look.once_filled("available_tickets", question)
    assert answers == [False, False, False, True]


def test_a_view_that_is_filled_and_wrong_is_not_waited_for(
    lab: Session, chapter: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helpers.lab.waiting.time.sleep", lambda seconds: pytest.fail("waited for nothing"))
    assert not Look().once_filled("available_tickets", lambda: False)


def test_a_view_that_is_never_filled_is_judged_as_it_is(
    lab: Session, chapter: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Look()
    monkeypatch.setattr(look, "_is_filled", lambda view: False)
    assert not look.once_filled("available_tickets", lambda: False, seconds=0)
