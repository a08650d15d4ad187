"""checkpoint() puts a chapter's rows where it begins and keeps a learner's own; reset() starts over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from cassandra.cluster import Session

from helpers import checkpoint, connect, hold_seat, reset
from helpers.course import catch_up, record_file
from helpers.lab.errors import LabError
from tools.checkpoint import main as command

SEATS = 600


@pytest.fixture
def session(lab: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Session]:
    """The notebook's session, and a record of progress of the test's own."""
    monkeypatch.setenv("PROGRESS_FILE", str(tmp_path / "mine.json"))
    session = connect()
    yield session
    for number in ("00", "01", "02", "04"):
        session.execute(f"DROP KEYSPACE IF EXISTS {catch_up.keyspace_of(number)}")


def tables(session: Session, keyspace: str) -> set[str]:
    query = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s"
    return {row.table_name for row in session.execute(query, (keyspace,))}


def test_a_chapter_begins_with_the_event_on_sale(session: Session):
    event = checkpoint("04", seats=SEATS)
    assert session.keyspace == "seats_04"
    assert session.execute("SELECT count(*) FROM tickets WHERE event_id = %s", (event.id,)).one()[0] == SEATS


def test_some_begin_with_less(session: Session):
    checkpoint("02", seats=SEATS)
    assert session.execute("SELECT * FROM tickets LIMIT 1").one() is None
    assert {"tickets", "order_queue"} <= tables(session, "seats_02")
    checkpoint("01", seats=SEATS)
    assert tables(session, "seats_01") == set()


def test_a_learners_own_rows_stay_and_the_chapters_go_back(session: Session):
    event = checkpoint("04", seats=SEATS)
    mine = uuid4()
    session.execute("CREATE TABLE my_notes (day int PRIMARY KEY, note text)")
    session.execute("INSERT INTO my_notes (day, note) VALUES (1, 'keep me')")
    session.execute("INSERT INTO events (event_id, has_tickets, name) VALUES (%s, true, 'My own concert')", (mine,))
    session.execute("INSERT INTO tickets (event_id, ticket_id, status) VALUES (%s, %s, 'sold')", (mine, uuid4()))
    session.execute("INSERT INTO orders (order_id, event_id, status) VALUES (%s, %s, 'paid')", (uuid4(), mine))
    session.execute("UPDATE tickets SET status = 'sold' WHERE event_id = %s AND ticket_id = %s", _first(event))
    session.execute("INSERT INTO orders (order_id, event_id, status) VALUES (%s, %s, 'paid')", (uuid4(), event.id))
    checkpoint("04", seats=SEATS)
    assert session.execute("SELECT note FROM my_notes").one().note == "keep me"
    assert {row.name for row in session.execute("SELECT name FROM events")} == {event.name, "My own concert"}
    assert session.execute("SELECT status FROM tickets WHERE event_id = %s", (mine,)).one().status == "sold"
    assert [row.event_id for row in session.execute("SELECT event_id FROM orders")] == [mine]
    query = "SELECT status FROM tickets WHERE event_id = %s AND ticket_id = %s"
    assert session.execute(query, _first(event)).one().status == "available"


def test_chapter_one_drops_its_tables_and_no_others(session: Session):
    checkpoint("01", seats=SEATS)
    for name in ("tickets", "my_tickets"):
        session.execute(f"CREATE TABLE {name} (seat text PRIMARY KEY)")
    checkpoint("01", seats=SEATS)
    assert tables(session, "seats_01") == {"my_tickets"}


def test_chapter_one_begins_although_its_tables_have_a_learners_views_and_indexes(session: Session):
    checkpoint("01", seats=SEATS)
    session.execute("CREATE TABLE tickets (seat text PRIMARY KEY, status text, section text)")
    session.execute("CREATE INDEX my_index ON tickets (section)")
    where = "WHERE seat IS NOT null AND status IS NOT null"
    session.execute(f"CREATE MATERIALIZED VIEW my_view AS SELECT * FROM tickets {where} PRIMARY KEY (status, seat)")
    checkpoint("01", seats=SEATS)
    assert tables(session, "seats_01") == set()


def test_another_size_of_venue_keeps_a_learners_tickets(session: Session):
    event = checkpoint("04", seats=4 * SEATS)
    mine = uuid4()
    session.execute("INSERT INTO tickets (event_id, ticket_id, status) VALUES (%s, %s, 'sold')", (mine, uuid4()))
    event = checkpoint("04", seats=SEATS)
    assert session.execute("SELECT count(*) FROM tickets WHERE event_id = %s", (event.id,)).one()[0] == SEATS
    assert session.execute("SELECT status FROM tickets WHERE event_id = %s", (mine,)).one().status == "sold"


def test_a_second_call_is_as_the_first(session: Session, capsys: pytest.CaptureFixture[str]):
    event = checkpoint("04", seats=SEATS)
    first = capsys.readouterr().out
    from helpers import apply_cql

    apply_cql(session, "checkout.cql")
    assert hold_seat(session, event.tickets[0], "Bo").applied
    checkpoint("04", seats=SEATS)
    assert capsys.readouterr().out == first
    assert hold_seat(session, event.tickets[0], "Cy").applied


def test_reset_starts_the_open_chapter_over(session: Session):
    checkpoint("04", seats=SEATS)
    session.execute("CREATE TABLE my_notes (day int PRIMARY KEY)")
    record_file.change(lambda record: record["exercises"].update({"04.1": {"done": True}, "05.1": {"done": True}}))
    reset(seats=SEATS)
    assert "my_notes" not in tables(session, "seats_04") and "tickets" in tables(session, "seats_04")
    assert set(record_file.read()["exercises"]) == {"04.1", "05.1"}
    reset("04", seats=SEATS, progress=True)
    assert set(record_file.read()["exercises"]) == {"05.1"}


def test_bad_input_is_a_sentence_and_changes_nothing(session: Session):
    checkpoint("04", seats=SEATS)
    with pytest.raises(LabError, match="There is no chapter '44'"):
        checkpoint("44")
    with pytest.raises(LabError, match=r"There is no chapter 4\."):
        reset(4)
    with pytest.raises(LabError, match=r"There is no exercise 04\.99"):
        reset("04.99")
    with pytest.raises(LabError, match="seats must be a whole number from 1"):
        checkpoint("04", seats=0)
    for act in checkpoint, reset:
        with pytest.raises(LabError, match="54 seats are too few for this chapter: it needs at least 500"):
            act("04", seats=54)
    session.set_keyspace("system")
    with pytest.raises(LabError, match="No chapter is open here"):
        reset()
    query = "SELECT count(*) FROM seats_04.tickets"
    assert session.execute(query).one()[0] == SEATS


def test_the_venue_stays_as_large_as_the_one_that_is_open(session: Session):
    checkpoint("04", seats=SEATS)
    for event in checkpoint("04"), checkpoint("00"):
        assert event.seats == SEATS
        assert session.execute("SELECT count(*) FROM tickets").one()[0] == SEATS
    reset("04")
    assert session.execute("SELECT count(*) FROM seats_04.tickets").one()[0] == SEATS


def test_a_server_that_is_gone_is_told_before_anything_is_tried(session: Session, monkeypatch: pytest.MonkeyPatch):
    gone = SimpleNamespace(execute=lambda *_, **__: 1 / 0, keyspace="seats_04")
    monkeypatch.setattr("helpers.lab.connection._latest", gone)
    for act in checkpoint, reset:
        with pytest.raises(LabError, match=r"does not answer any more: run session = connect\(\) in a cell of its own"):
            act("04", seats=SEATS)


def test_as_a_command(session: Session, capsys: pytest.CaptureFixture[str]):
    for named in "04", "4":
        assert command([named, "--seats", str(SEATS)]) == 0
        assert f"seats_04: Midnight Orchestra, one night only, at Lantern Park; {SEATS} t" in capsys.readouterr().out
    assert command(["77"]) == 1
    assert "error: There is no chapter '77'. There are: 00, 01, 02, 02b" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ([], "error: name the chapter, as in: seats checkpoint 04; there are 00, 01, 02, 02b"),
        (["04", "--seats", "many"], "'many' is not a number of seats from 1 to 1,000,000"),
    ],
)
def test_a_command_without_sense_gets_one_sentence(arguments, sentence, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        command(arguments)
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.splitlines()) == 1


def _first(event) -> tuple:
    return event.id, event.tickets[0].ticket_id
