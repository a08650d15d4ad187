"""What is looked at in the exercises of "Open the doors of Lantern Park"."""

from __future__ import annotations

from ..course.look import Look, NotYet
from ..shop.venue import Ticket

TICKET = "SELECT status FROM tickets WHERE event_id = %s AND ticket_id = %s"


def check_1(look: Look) -> str:
    """The first seat of F05 is sold."""
    seat = _cys_seat(look)
    row = look.row(TICKET, (seat.event_id, seat.ticket_id))
    if row is None:
        raise NotYet(f"{seat.label} has no row any more; its ticket should stay, and be sold.")
    if look.row(TICKET, (seat.ticket_id, seat.event_id)) is not None:
        # Left there, it would be a partition too many for the rest of the chapter.
        raise NotYet(
            f"{seat.label} is {'still ' if row.status == 'available' else ''}{row.status}, and tickets has a row that "
            'nobody wanted: an UPDATE whose ids are swapped finds no row, and makes one. reset("00.1") takes it away '
            "(from helpers import reset)."
        )
    if row.status == "available":
        raise NotYet(f"{seat.label} is still available.")
    if row.status is None:
        raise NotYet(f"{seat.label} has no status any more: it is not sold, and no page of the shop would show it.")
    if row.status != "sold":
        raise NotYet(f"{seat.label} is {row.status!r}, and no page of the shop knows that word: it asks for 'sold'.")
    return f"{seat.label} is sold, by a write that named its whole key."


def undo_1(look: Look) -> None:
    """The seat is available again, and there is no row under swapped ids."""
    seat = _cys_seat(look)
    back = "UPDATE tickets SET status = 'available' WHERE event_id = %s AND ticket_id = %s"
    look.session.execute(back, (seat.event_id, seat.ticket_id))
    look.session.execute("DELETE FROM tickets WHERE event_id = %s", (seat.ticket_id,))


def check_2(look: Look) -> str:
    """The token of the venue's partition is written down."""
    row = look.row("SELECT position FROM my_tokens WHERE name = 'Lantern Park'")
    if row is None or row.position is None:
        raise NotYet("my_tokens has no position for the name Lantern Park.")
    venue = look.row("SELECT token(venue_id) FROM venue_sections WHERE venue_id = %s LIMIT 1", (look.event.venue_id,))
    event = look.row("SELECT token(event_id) FROM events WHERE event_id = %s", (look.event.id,))
    if event is not None and row.position == event[0]:
        raise NotYet("That is the token of the event; the sections are filed under their venue.")
    if venue is None or row.position != venue[0]:
        raise NotYet(f"No partition of venue_sections lies at {row.position}.")
    return f"The sections of Lantern Park lie at token {row.position}."


def undo_2(look: Look) -> None:
    """No tokens are written down."""
    look.drop("my_tokens")


def check_3(look: Look) -> str:
    """Bo's note is there and ends within a minute."""
    row = look.row("SELECT note, TTL(note) AS seconds FROM my_notes WHERE author = 'Bo'")
    if row is None or row.note is None:
        raise NotYet("There is no note of Bo's in my_notes; if there was one, its time is over.")
    if row.seconds is None:
        raise NotYet("Bo's note would hang there for ever: nothing says when it ends.")
    if row.seconds > 60:
        raise NotYet("Bo's note would hang there for longer than a minute: a TTL is a number of seconds.")
    return f"Bo's note, {row.note!r}, ends within a minute."


def undo_3(look: Look) -> None:
    """There are no notes."""
    look.drop("my_notes")


def _cys_seat(look: Look) -> Ticket:
    return look.event.section("F05")[0]
