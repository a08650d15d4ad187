"""What a check can ask of a learner's cell: its statements, what was sent, and what they do to rows not seen before."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import uuid4

import pytest
from cassandra.cluster import Session
from cassandra.query import BatchStatement
from IPython.core.events import EventManager, available_events

from helpers import Event
from helpers.course import answers
from helpers.course.answers import folded, latest, marked
from helpers.course.look import Look, NotYet
from helpers.course.replay import marks_of
from helpers.lab import sent
from helpers.lab.sent import watch
from helpers.lab.statements import prepared, statement

TAKE = "UPDATE tickets SET status = 'held' WHERE event_id = %s AND ticket_id = %s IF status = 'available'"


@pytest.fixture(autouse=True)
def no_cells() -> None:
    """No test finds what another one has run."""
    for _ in range(sent.MOST_CELLS):
        sent.begin("")


def answered(source: str) -> Look:
    """What a check looks with, once a cell with this source has run; nothing is sent by it."""
    sent.begin(source)
    sent.begin('check("04.1")')
    return Look(exercise="04.1")


# ---------------------------------------------------------------- what was sent


def test_every_kind_of_request_is_known_by_its_text(lab: Session, chapter: Event) -> None:
    watch(lab)
    seat = chapter.tickets[0]
    key = (seat.event_id, seat.ticket_id)
    plain = "UPDATE tickets SET status = 'sold' WHERE event_id = ? AND ticket_id = ?"
    update = lab.prepare(plain)
    batch = BatchStatement()
    batch.add(update, key)
    batch.add(TAKE.replace(" IF status = 'available'", ""), key)
    sent.begin("three requests")
    lab.execute(TAKE, key)
    lab.execute(update, key)
    lab.execute(batch)
    sent.begin("")
    cell = next(each for each in sent.cells() if each.source == "three requests")
    first, second, third = cell.sent()
    assert (first.text, first.is_conditional, first.tables) == (TAKE, True, {"tickets"})
    assert (second.text, second.is_conditional, second.tables) == (plain, False, {"tickets"})
    assert second.values == (seat.event_id.bytes, seat.ticket_id.bytes)
    assert third.text.startswith(f"BEGIN BATCH\n{plain};\n") and not third.is_conditional


@pytest.mark.parametrize(
    ("text", "conditional", "tables"),
    [
        ("UPDATE ks.tickets SET a = 1 WHERE b = 2 IF c = 3", True, {"tickets"}),
        ("INSERT INTO my_locks (a) VALUES (1) IF NOT EXISTS USING TTL 9", True, {"my_locks"}),
        (
            "BEGIN BATCH UPDATE a SET b = 1 WHERE c = 1 IF b = 2; DELETE FROM d WHERE e = 1 APPLY BATCH",
            True,
            {"a", "d"},
        ),
        ("CREATE TABLE IF NOT EXISTS my_locks (a int PRIMARY KEY)", False, {"my_locks"}),
        ("DROP TABLE IF EXISTS my_locks", False, {"my_locks"}),
        ("UPDATE tickets SET a = 'IF' WHERE b = 2 -- IF it is free", False, {"tickets"}),
        ("SELECT * FROM order_queue_scylla_cdc_log", False, {"order_queue_scylla_cdc_log"}),
    ],
)
def test_a_statement_says_whether_it_is_conditional(text: str, conditional: bool, tables: set[str]) -> None:
    found = sent.Sent(text)
    assert (found.is_conditional, found.tables) == (conditional, tables)


def test_what_is_kept_is_bounded(lab: Session) -> None:
    watch(lab)
    sent.begin("a busy cell")
    for _ in range(sent.MOST_REQUESTS + 5):
        lab.execute("SELECT key FROM system.local")
    assert len(sent.cells()[-1].sent()) == sent.MOST_REQUESTS
    for i in range(sent.MOST_CELLS + 5):
        sent.begin(str(i))
    assert len(sent.cells()) == sent.MOST_CELLS


def test_a_notebook_says_when_a_cell_begins() -> None:
    shell = SimpleNamespace(events=EventManager(None, available_events))
    for _ in range(2):
        answers.install(shell)
    before = len(sent.cells())
    shell.events.trigger("pre_run_cell", SimpleNamespace(raw_cell="%%cql\nSELECT a FROM b;"))
    assert sent.cells()[-1].source.startswith("%%cql")
    assert len(sent.cells()) == min(before + 1, sent.MOST_CELLS)


# ---------------------------------------------------------------- whose cell it is


@pytest.mark.parametrize("code", ["mine()", "%%cql\nSELECT a FROM b;", "%%cql rows << --raw\nSELECT a FROM b;"])
def test_the_builders_cells_are_recognized(code: str) -> None:
    sent.begin(marked("04.2", code))
    found = latest("04.2")
    assert found is not None and found.source == marked("04.2", code) and not found.is_solution
    sent.begin(folded("04.2", code))
    found = latest("04.2")
    assert found is not None and found.is_solution
    assert "The solution of 04.2" in folded("04.2", code)


def test_a_starter_in_cql_keeps_its_first_line() -> None:
    assert marked("04.2", "%%cql\n-- Take it.") == "%%cql\n-- Exercise 04.2\n-- Take it."
    assert folded("04.2", "%%cql\nSELECT a FROM b;").startswith("%%cql --solution 04.2\n-- The solution of 04.2; ")


def test_without_a_cell_of_theirs_a_learner_is_told(lab: Session, chapter: Event) -> None:
    look = answered('hint("04.1")')
    with pytest.raises(NotYet, match="No cell of yours has run"):
        look.answer  # noqa: B018


def test_an_answer_says_its_statements(lab: Session, chapter: Event) -> None:
    look = answered("%%cql\n-- Exercise 04.1\nSELECT a FROM b; -- c\nUPDATE t SET a = 1 WHERE b = 2;")
    assert look.answer.statements == ("SELECT a FROM b", "UPDATE t SET a = 1 WHERE b = 2")
    assert look.statement("UPDATE", "t") == "UPDATE t SET a = 1 WHERE b = 2"
    with pytest.raises(NotYet, match="Your cell has no DELETE of t yet"):
        look.statement("DELETE", "t")


def test_what_the_shop_sends_is_not_the_learners(lab: Session, chapter: Event) -> None:
    assert answers.Answer("", (sent.Sent(TAKE), sent.Sent("SELECT 1 FROM x"))).statements == (TAKE, "SELECT 1 FROM x")
    house = sent.Sent(TAKE, of_course=True)
    assert answers.Answer("", (house, sent.Sent("SELECT 1 FROM x"))).statements == ("SELECT 1 FROM x",)
    assert answers.Answer("", (house,)).statements == ()


def test_who_writes_what_the_shop_sends_has_written_it(lab: Session, chapter: Event) -> None:
    """A statement may be the learner's, letter for letter as ``cql/`` has it under a name: it matters who wrote it."""
    watch(lab)
    seat = chapter.tickets[0]
    taught, values = statement("select_tickets"), (seat.event_id,)
    typed = str(taught.encode(), "utf-8")
    for source, ask in {
        "the shop's": lambda: lab.execute(prepared(lab, "select_tickets"), values),
        "by its name": lambda: lab.execute(lab.prepare(taught), values),
        "typed": lambda: lab.execute(lab.prepare(typed), values),
        "typed, plain": lambda: lab.execute(typed.replace("?", str(seat.event_id))),
    }.items():
        sent.begin(source)
        ask()
    sent.begin("")
    said = {each.source: answers.Answer("", tuple(each.sent())).statements for each in sent.cells()}
    assert said["the shop's"] == said["by its name"] == ()
    assert said["typed"] == (typed,) and len(said["typed, plain"]) == 1


# ---------------------------------------------------------------- on rows that nobody has seen


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("UPDATE t SET a = ? WHERE b = %s", (None, None)),
        ("UPDATE t SET a = :price WHERE b = :b -- :not_this ?", ("price", "b")),
        ("UPDATE t SET a = 'what? :so', m = {'x': 1} WHERE b = :b", ("b",)),
    ],
)
def test_marks_are_found_however_they_are_written(text: str, names: tuple[str | None, ...]) -> None:
    found = marks_of(text)
    assert found.names == names
    assert found.text.count("?") == len(names) + text.count("what?")


@pytest.mark.parametrize(
    "cql",
    [
        "UPDATE tickets SET status = 'held' WHERE event_id = :event_id AND ticket_id = :ticket_id "
        "IF status = 'available'",
        "UPDATE tickets SET status = 'held' WHERE event_id = :e AND ticket_id = :t IF status = 'available'",
    ],
)
def test_a_statement_runs_again_on_another_row(lab: Session, chapter: Event, cql: str) -> None:
    look = answered(f"%%cql\n{cql};")
    first, second = chapter.tickets[:2]
    lab.execute("UPDATE tickets SET status = 'sold' WHERE event_id = %s AND ticket_id = %s", second[:2])
    assert look.replay(0, event_id=chapter.id, ticket_id=first.ticket_id).applied is True
    refused = look.replay(0, event_id=chapter.id, ticket_id=second.ticket_id)
    assert (refused.applied, refused.error, refused.rows[0].status) == (False, None, "sold")


def test_marks_without_a_name_go_by_their_columns_or_keep_what_was_bound(lab: Session, chapter: Event) -> None:
    watch(lab)
    price = lab.prepare("UPDATE tickets SET price = ? WHERE event_id = ? AND ticket_id = ?")
    first, second = chapter.tickets[:2]
    sent.begin("mine")
    lab.execute(price, (7, first.event_id, first.ticket_id))
    sent.begin('check("04.1")')
    look = Look(exercise="04.1")
    assert look.replay(price.query_string, ticket_id=second.ticket_id).applied is None
    row = lab.execute("SELECT price FROM tickets WHERE event_id = %s AND ticket_id = %s", second[:2]).one()
    assert row.price == 7


def test_a_refusal_is_an_outcome(lab: Session, chapter: Event) -> None:
    look = answered("%%cql\nUPDATE nothing SET a = 1 WHERE b = :b; SELEC a;")
    assert look.replay(0, b=1).error == "InvalidRequest"
    assert look.replay(1).error == "SyntaxException"
    assert answered(f"%%cql\n{TAKE}").replay(0, event_id="no uuid", ticket_id=uuid4()).error == "TypeError"


def test_a_row_that_is_written_out_cannot_be_another(lab: Session, chapter: Event) -> None:
    seat = chapter.tickets[0]
    look = answered(
        f"%%cql\nUPDATE tickets SET status = 'held' WHERE event_id = {seat.event_id} AND ticket_id = {seat.ticket_id}"
    )
    with pytest.raises(NotYet, match="says itself which ticket_id it means: with :ticket_id there, it works for any"):
        look.replay(0, ticket_id=chapter.tickets[1].ticket_id)
    # What is no part of the key may be written out.
    assert look.replay(0, held_by="Dee").error is None


def test_a_mark_without_a_value_is_told(lab: Session, chapter: Event) -> None:
    look = answered("%%cql\nSELECT status FROM tickets WHERE event_id = :event_id AND ticket_id = :seat_of_mine")
    with pytest.raises(NotYet, match="a mark, seat_of_mine, for which"):
        look.replay(0, event_id=chapter.id)


# ---------------------------------------------------------------- back to the beginning


def test_seats_come_back_whatever_became_of_their_rows(lab: Session, chapter: Event) -> None:
    deleted, changed = chapter.tickets[:2]
    lab.execute("DELETE FROM tickets WHERE event_id = %s AND ticket_id = %s", deleted[:2])
    lab.execute(
        "UPDATE tickets SET status = 'sold', held_by = 'Bo', price = null WHERE event_id = %s AND ticket_id = %s",
        changed[:2],
    )
    Look().put_back(deleted, changed)
    query = "SELECT status, held_by, price, section FROM tickets WHERE event_id = %s AND ticket_id = %s"
    for ticket in deleted, changed:
        assert tuple(lab.execute(query, ticket[:2]).one()) == ("available", None, ticket.price, ticket.section_id)
