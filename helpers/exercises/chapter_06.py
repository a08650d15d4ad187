"""Checks of the exercises of chapter 06."""

from __future__ import annotations

from ..clock import server_now
from ..course.look import Look, NotYet


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
    return "Each section of an event is a partition of my_tickets, with a row for each ticket."


def undo_1(look: Look) -> None:
    look.drop("my_tickets")


def check_2(look: Look) -> str:
    rows = look.rows("SELECT seat, held_by, WRITETIME(held_by) AS written FROM my_row WHERE name = 'A'")
    seats = {row.seat: row for row in rows}
    for seat in 1, 2:
        holder = seats[seat].held_by if seat in seats else None
        if holder is None:
            raise NotYet(
                f"Nobody holds seat {seat}: Bo would sit alone." if seats else "Nobody holds seat 1 or seat 2."
            )
        if holder != "Bo":
            raise NotYet(f"{holder} holds seat {seat}, not Bo.")
    # What one decision writes has one timestamp.
    if seats[1].written != seats[2].written:
        raise NotYet("Bo has both seats, by two decisions: between them was room for another buyer.")
    return "One decision has given Bo seats 1 and 2."


def undo_2(look: Look) -> None:
    look.drop("my_row")


def check_3(look: Look) -> str:
    rows = {row.seat: row for row in look.rows("SELECT seat, held_by, held_until FROM my_holds WHERE name = 'A'")}
    if 2 not in rows or rows[2].held_by != "Bo" or rows[2].held_until is None:
        raise NotYet("Seat 2 was Bo's for another hour, and it was taken from Bo.")
    if rows[2].held_until <= server_now(look.session):
        raise NotYet("Bo's hour is over too by now: run the cell again.")
    if 1 in rows and rows[1].held_by is not None:
        raise NotYet(f"{rows[1].held_by} still holds seat 1, an hour after her time.")
    return "Seat 1 is free, and Bo still has seat 2."


def undo_3(look: Look) -> None:
    look.drop("my_holds")
