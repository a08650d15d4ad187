"""open_chapter: whatever has happened in a keyspace, a chapter finds it as it wants it."""

from __future__ import annotations

import pytest
from cassandra.cluster import Session

from helpers import Event, count_by_status, hold_seat, name_of, open_chapter, pay, prepared, statement, user_id
from helpers.lab.errors import LabError
from tests.unit.conftest import KEYSPACE


def test_it_tells_what_is_on_sale(lab: Session, capsys: pytest.CaptureFixture[str]) -> None:
    open_chapter(lab, KEYSPACE, 1)
    open_chapter(lab, KEYSPACE, 200)
    assert capsys.readouterr().out.splitlines() == [
        f"{KEYSPACE}: Midnight Orchestra, one night only, at Lantern Park; 1 ticket on sale.",
        f"{KEYSPACE}: Midnight Orchestra, one night only, at Lantern Park; 200 tickets on sale.",
    ]
    assert lab.keyspace == KEYSPACE


def test_whatever_was_changed_is_back_at_its_start(lab: Session, chapter: Event) -> None:
    pay(lab, hold_seat(lab, chapter.tickets[0], "Ada"))
    hold_seat(lab, chapter.tickets[1], "Bo")
    gone, moved, stranger = chapter.tickets[2], chapter.tickets[3], chapter.tickets[4]
    lab.execute("DELETE FROM tickets WHERE event_id = %s AND ticket_id = %s", gone[:2])
    lab.execute("UPDATE tickets SET price = 1 WHERE event_id = %s AND ticket_id = %s", moved[:2])
    lab.execute(
        prepared(lab, "insert_ticket"), (chapter.id, user_id("x"), stranger.price, stranger.section_id, "sold", "?")
    )
    lab.execute("UPDATE events SET has_tickets = false WHERE event_id = %s", (chapter.id,))
    lab.execute("DELETE FROM venue_sections WHERE venue_id = %s", (chapter.venue_id,))
    lab.execute("ALTER TABLE order_queue WITH default_time_to_live = 5 AND cdc = {'enabled': false}")

    event = open_chapter(lab, KEYSPACE, 200)

    rows = {row.ticket_id: row for row in lab.execute("SELECT * FROM tickets")}
    assert set(rows) == set(event.by_id)
    for ticket in event.tickets:
        row = rows[ticket.ticket_id]
        assert (row.price, row.status, row.held_by, row.hold_id) == (ticket.price, "available", None, None)
    for table in ("orders", "order_queue", "order_queue_scylla_cdc_log"):
        assert lab.execute(f"SELECT * FROM {table}").one() is None
    assert lab.execute(statement("select_available_events")).one().event_id == event.id
    assert lab.execute("SELECT count(*) FROM venue_sections").one()[0] == len(event.venue)
    options = lab.execute(
        "SELECT default_time_to_live FROM system_schema.tables WHERE keyspace_name = %s AND table_name = 'order_queue'",
        (KEYSPACE,),
    ).one()
    assert options.default_time_to_live == 900
    hold_seat(lab, event.tickets[0], "Cy")
    assert len(list(lab.execute(statement("select_log")))) == 1


def test_opening_again_writes_nothing(lab: Session, chapter: Event) -> None:
    times = "SELECT ticket_id, WRITETIME(status) FROM tickets"
    before = {tuple(row) for row in lab.execute(times)}
    open_chapter(lab, KEYSPACE, 200)
    assert {tuple(row) for row in lab.execute(times)} == before


def test_seats_have_names_from_then_on(lab: Session, chapter: Event) -> None:
    assert name_of(chapter.tickets[7].ticket_id) == chapter.tickets[7].label
    assert count_by_status(lab, chapter) == {"available": 200, "held": 0, "sold": 0}


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        (("seats 1",), {}, "keyspace may have the letters a to z, digits and _, and 'seats 1' has ' '"),
        (("Seats",), {}, "keyspace must be in lower case: CQL reads Seats as seats"),
        (("s" * 60,), {}, "keyspace must have 48 letters at most, and this name has 60"),
        (("1st",), {}, "keyspace must begin with a letter, and '1st' begins with '1'"),
        (("",), {}, "keyspace must not be empty"),
        ((7,), {}, "keyspace must be a name in quotes, .*, not 7"),
        (("select",), {}, "keyspace must not be 'select', which is a reserved word of CQL"),
        (("system_auth",), {}, "keyspace must not be 'system_auth': such names are the server's own"),
        (("ÄMTER",), {}, "keyspace may have the letters a to z, digits and _, and 'ÄMTER' has 'Ä'"),
        ((KEYSPACE, 54), {"least_seats": 100}, "54 seats are too few for this chapter: it needs at least 100"),
        ((KEYSPACE, 0), {}, "seats must be a whole number"),
        ((KEYSPACE, 10), {"hold_seconds": 0}, "hold_seconds must be at least 1, and is 0"),
        ((KEYSPACE, 10), {"hold_seconds": -900}, "hold_seconds must be at least 1, and is -900"),
        ((KEYSPACE, 10), {"hold_seconds": 10**10}, "hold_seconds must be 630,720,000 at most, and is 10,000,000,000"),
        ((KEYSPACE, 10), {"hold_seconds": "900"}, "hold_seconds must be a whole number of seconds, not '900'"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(
    lab: Session, chapter: Event, arguments: tuple[object, ...], options: dict[str, object], sentence: str
) -> None:
    with pytest.raises(LabError, match=sentence):
        open_chapter(lab, *arguments, **options)
    assert count_by_status(lab, chapter)["available"] == 200
