"""Checks of the exercises of chapter 06."""

from __future__ import annotations

from ..course.look import Look, NotYet
from ..lab.clock import server_now


def check_1(look: Look) -> str:
    partition, clustering = look.key("my_tickets")
    if "ticket_id" in partition:
        raise NotYet(
            "Each ticket of my_tickets is a partition of its own: no batch could hold two seats in one decision."
        )
    if sorted(partition) != ["event_id", "section"]:
        where = "a whole event still decides in one place" if partition == ["event_id"] else "event and section make it"
        raise NotYet(f"The partition key of my_tickets is ({', '.join(partition)}): {where}.")
    if "ticket_id" not in clustering:
        raise NotYet(
            "A section of my_tickets has room for one ticket only: ticket_id is missing from the clustering key."
        )
    if clustering != ["ticket_id"]:
        more = next(name for name in clustering if name != "ticket_id")
        raise NotYet(f"{more} is in the clustering key: a ticket would get a second row when its {more} changes.")
    return "Each section of an event is a partition of my_tickets, with a row for each ticket."


def undo_1(look: Look) -> None:
    look.drop("my_tickets")


def check_2(look: Look) -> str:
    rows = {
        (row.name, row.seat): row
        for row in look.rows("SELECT name, seat, held_by, WRITETIME(held_by) AS written FROM my_row")
    }
    holders = {place: row.held_by for place, row in rows.items()}
    if not holders.get(("B", 2)):
        raise NotYet("Nobody holds seat 2 of row B, which was Cy's: let the cell begin as the starter did.")
    if holders["B", 2] != "Cy":
        raise NotYet(f"Seat 2 of row B was Cy's, and now {holders['B', 2]} has it: the batch did not look.")
    if holders.get(("B", 1)):
        raise NotYet(f"{holders['B', 1]} has seat 1 of row B and not seat 2: each seat was decided for itself.")
    for seat in 1, 2:
        holder = holders.get(("A", seat))
        if holder is None:
            alone = ": Bo would sit alone" if holders.get(("A", 3 - seat)) else ""
            raise NotYet(f"Nobody holds seat {seat} of row A{alone}.")
        if holder != "Bo":
            raise NotYet(f"{holder} holds seat {seat} of row A, not Bo.")
    # What one decision writes has one timestamp.
    if rows["A", 1].written != rows["A", 2].written:
        raise NotYet("Bo has both seats of row A, by two decisions: between them was room for another buyer.")
    return "One decision has given Bo seats 1 and 2 of row A, and in row B only Cy has a seat."


def undo_2(look: Look) -> None:
    look.drop("my_row")


def check_3(look: Look) -> str:
    rows = {row.seat: row for row in look.rows("SELECT seat, held_by, held_until FROM my_holds WHERE name = 'A'")}
    if 2 not in rows or rows[2].held_by != "Bo" or rows[2].held_until is None:
        raise NotYet("Seat 2 was Bo's for another hour, and it was taken from Bo.")
    if rows[2].held_until <= server_now(look.session):
        raise NotYet("Bo's hour is over too by now: run the cell again.")
    if 1 in rows and rows[1].held_by is not None:
        holder = rows[1].held_by or "A buyer without a name"
        raise NotYet(f"{holder} still holds seat 1, an hour after the hold's end.")
    return "Seat 1 is free, and Bo still has seat 2."


def undo_3(look: Look) -> None:
    look.drop("my_holds")
