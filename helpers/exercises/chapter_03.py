"""Checks of chapter 03: a view of one's own, a seat that leaves the view, a partition key with many values."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..course.look import Look, NotYet
from ..lab.waiting import wait_until
from .keys import rows_by_key


def check_1(look: Look) -> str:
    """``my_sections`` is a view that is asked by venue and type, and has every section with accessible places."""
    look.view("my_sections")
    venue = look.event.venue
    wanted = set(venue[venue["type_id"] == "accessible"]["section_id"])
    query = "SELECT section_id FROM my_sections WHERE venue_id = %s AND type_id = 'accessible'"

    def found() -> set[Any]:
        rows = rows_by_key(look, "my_sections", "one type of a venue", query, (look.event.venue_id,))
        return {row.section_id for row in rows} & wanted

    if not look.once_filled("my_sections", lambda: found() == wanted):
        raise NotYet(f"my_sections has {len(found())} of {len(wanted)} sections with accessible places.")
    return f"my_sections gives you the {len(wanted)} sections with accessible places, by venue and type."


def undo_1(look: Look) -> None:
    look.drop("my_sections")


def check_2(look: Look) -> str:
    """The first seat of F05 has its price, is neither available nor sold, and the view does not offer it."""
    seat = look.event.section("F05")[0]
    query = "SELECT price, status FROM tickets WHERE event_id = %s AND ticket_id = %s"
    row = look.row(query, seat[:2])
    if row is None:
        raise NotYet(f"{seat.label} is gone from the table, and its price with it.")
    if row.status == "available":
        raise NotYet(f"{seat.label} is still on sale.")
    if row.status == "sold":
        raise NotYet(f"{seat.label} counts as sold, and nobody has paid for it.")
    if row.price != seat.price:
        raise NotYet(f"{seat.label} has lost its price: it was {seat.price}.")
    offered = "SELECT status FROM available_tickets WHERE event_id = %s AND status = 'available' AND ticket_id = %s"
    wait_until(lambda: look.row(offered, seat[:2]) is None, why="the view to follow its table")
    return f"{seat.label} costs {row.price:.2f}, is {row.status or 'without a status'}, and nobody is offered it."


def undo_2(look: Look) -> None:
    seat = look.event.section("F05")[0]
    look.session.execute(
        "INSERT INTO tickets (event_id, ticket_id, price, section, status, type_id) "
        "VALUES (%s, %s, %s, %s, 'available', %s)",
        (seat.event_id, seat.ticket_id, seat.price, seat.section_id, seat.type_id),
    )


def check_3(look: Look) -> str:
    """``my_events`` has every event and is read by the month."""
    rows = look.rows("SELECT event_id, date FROM events")
    # An event that a learner has written without a date belongs to no month.
    events = {row.event_id: f"{row.date:%Y-%m}" for row in rows if row.date is not None}
    month, busiest = Counter(events.values()).most_common(1)[0]
    query = "SELECT event_id FROM my_events WHERE month = %s"
    rows = rows_by_key(look, "my_events", "the events of a month", query, (month,))
    there = {row.event_id for row in look.rows("SELECT event_id FROM my_events")} & set(events)
    if len(there) < len(events):
        raise NotYet(f"my_events has {len(there)} of {len(events)} events: those that share a key became one row.")
    if {row.event_id for row in rows} != {event for event, its_month in events.items() if its_month == month}:
        raise NotYet(f"my_events lists {len(rows)} events for {month}; events has {busiest}.")
    return f"my_events has all {len(events)} events in {len(set(events.values()))} months, {busiest} in the busiest."


def undo_3(look: Look) -> None:
    look.drop("my_events")
