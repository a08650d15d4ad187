"""Checks of the exercises of chapter 04: what the tickets and the learner's table of locks say."""

from __future__ import annotations

from typing import Any

from ..course.look import Look, NotYet
from ..shop.venue import Ticket

_FREE = (
    "UPDATE tickets SET status = 'available', held_by = null, hold_id = null, held_until = null "
    "WHERE event_id = %s AND ticket_id = %s IF EXISTS"
)


def check_1(look: Look) -> str:
    free, taken = _seats(look, "F05")
    row = _row(look, taken)
    if row.held_by == "Cy":
        raise NotYet(f"{taken.label} was Bo's, and now Cy has it: the UPDATE did not look.")
    if row.status != "held" or row.held_by != "Bo":
        raise NotYet(f"{taken.label} is {row.status}, and not Bo's: let the cell begin as the starter did.")
    row = _row(look, free)
    if row.status != "held":
        raise NotYet(f"{free.label} is {row.status}: nobody holds it.")
    if row.held_by is None:
        raise NotYet(f"{free.label} is held, but by nobody: the UPDATE sets held_by too.")
    if row.held_by != "Cy":
        raise NotYet(f"{row.held_by} holds {free.label}, not Cy.")
    return f"Cy holds {free.label}, and {taken.label} is still Bo's."


def undo_1(look: Look) -> None:
    _free(look, "F05")


def check_2(look: Look) -> str:
    seat = look.event.seat("F05 A-1")
    partition, clustering = look.key("my_locks")
    key = partition + clustering
    if "buyer" in key:
        raise NotYet(
            f"The key of my_locks is ({', '.join(key)}): with the buyer in it, each buyer has a lock of theirs."
        )
    if "ticket_id" not in key:
        raise NotYet(f"The key of my_locks is ({', '.join(key)}): it does not say which seat is locked.")
    # Filtering, because a ticket's id alone is a good key too.
    query = "SELECT buyer, TTL(buyer) AS seconds FROM my_locks WHERE event_id = %s AND ticket_id = %s ALLOW FILTERING"
    rows = look.rows(query, (look.event.id, seat.ticket_id))
    if not rows:
        raise NotYet(f"my_locks has no row for {seat.label}.")
    if len(rows) > 1:
        why = "started_at is still in the key" if "started_at" in key else "its key parts them"
        raise NotYet(f"{' and '.join(sorted(str(row.buyer) for row in rows))} both have a lock on {seat.label}: {why}.")
    (lock,) = rows
    if lock.buyer != "Ada":
        raise NotYet(f"{lock.buyer} has the lock on {seat.label}: his INSERT took it from Ada, who came first.")
    if lock.seconds is None:
        raise NotYet(f"Ada has the only lock on {seat.label}, but for ever: it has no time to live.")
    return f"Ada has the only lock on {seat.label}, and it ends by itself."


def undo_2(look: Look) -> None:
    look.drop("my_locks")


def check_3(look: Look) -> str:
    first, second = _seats(look, "F06")
    if _row(look, first).status != "held":
        raise NotYet(f"{first.label} is {_row(look, first).status}: a cancel of Bo's first hold has ended his second.")
    if _row(look, first).held_by != "Bo":
        raise NotYet(f"{first.label} is not Bo's: let the cell begin as the starter did.")
    if _row(look, second).status != "available":
        raise NotYet(f"{second.label} is still held: its cancel came in time, and had no effect.")
    return f"{first.label} is still Bo's, and {second.label} is available."


def undo_3(look: Look) -> None:
    _free(look, "F06")


def _seats(look: Look, section: str) -> tuple[Ticket, Ticket]:
    first, second = look.event.section(section)[:2]
    return first, second


def _row(look: Look, ticket: Ticket) -> Any:
    if "held_by" not in look.columns("tickets"):
        raise NotYet("The tickets have no columns for holds yet: run the cells above, from the start.")
    query = "SELECT status, held_by FROM tickets WHERE event_id = %s AND ticket_id = %s"
    row = look.row(query, (look.event.id, ticket.ticket_id))
    if row is None:
        raise NotYet(f"{ticket.label} has no row any more: let the cell begin as the starter did.")
    return row


def _free(look: Look, section: str) -> None:
    # By condition, like every change of these columns.
    for ticket in _seats(look, section):
        look.session.execute(_FREE, (look.event.id, ticket.ticket_id))
