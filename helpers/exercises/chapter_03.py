"""Checks of chapter 03: a view of one's own, a seat that leaves the view, a table for the front page."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from ..course.look import Look, NotYet
from ..lab.waiting import wait_until
from .keys import rows_by_key

if TYPE_CHECKING:
    from ..shop.venue import Ticket

_ROW = "SELECT price, status, ttl(status) AS ends FROM tickets WHERE event_id = %s AND ticket_id = %s"
# What the shop writes to my_events.
_SHOP = {"month": "text", "date": "timestamp", "event_id": "uuid", "name": "text"}
# A month that no real event is in: two halls at the same hour, and one evening that comes before.
_MONTH = "1999-12"
_EVENINGS = ((24, "Nutcracker"), (24, "Nutcracker"), (3, "Nutcracker"), (31, "Countdown"))


def check_1(look: Look) -> str:
    """``my_sections`` is a view that is asked by venue and type, and has the sections of each type."""
    look.view("my_sections")
    venue = look.event.venue
    query = "SELECT section_id FROM my_sections WHERE venue_id = %s AND type_id = %s"

    def wanted(type_id: str) -> set[Any]:
        return set(venue[venue["type_id"] == type_id]["section_id"])

    def found(type_id: str) -> set[Any]:
        rows = rows_by_key(look, "my_sections", "one type of a venue", query, (look.event.venue_id, type_id))
        return {row.section_id for row in rows} & wanted(type_id)

    other = next(each for each in venue["type_id"] if each != "accessible")
    look.once_filled("my_sections", lambda: all(found(each) == wanted(each) for each in ("accessible", other)))
    there, places = found("accessible"), wanted("accessible")
    if there != places:
        raise NotYet(f"my_sections has {len(there)} of {len(places)} sections with accessible places.")
    if found(other) != wanted(other):
        raise NotYet(
            f"my_sections knows the accessible places, and {len(found(other))} of {len(wanted(other))} sections of "
            f"another type, {other}: does its WHERE leave them out?"
        )
    return f"my_sections gives you the {len(places)} sections with accessible places, by venue and type."


def undo_1(look: Look) -> None:
    look.drop("my_sections")


def check_2(look: Look) -> str:
    """The first seat of F05 has its price and is off sale; a seat that was paid keeps its buyer."""
    seat = look.event.section("F05")[0]
    _is_off_sale(look, seat)
    off_sale = _statement_on_tickets(look)
    free, paid = [ticket for ticket in look.event.tickets if ticket != seat][-2:]
    try:
        look.put_back(free, paid)
        update = "UPDATE tickets SET status = 'sold' WHERE event_id = %s AND ticket_id = %s IF EXISTS"
        look.session.execute(update, paid[:2])
        look.replay(off_sale, ticket_id=paid.ticket_id)
        row = look.row(_ROW, paid[:2])
        if row is None or row.status != "sold":
            raise NotYet(
                f"{seat.label} is off sale; but Bo had just paid for {paid.label}, and there your statement took the "
                "seat from him."
            )
        look.replay(off_sale, ticket_id=free.ticket_id)
        _is_off_sale(look, free)
    finally:
        look.put_back(free, paid)
    row = look.row(_ROW, seat[:2])
    return f"{seat.label} costs {row.price:.2f}, is {row.status or 'without a status'}, and nobody is offered it."


def _is_off_sale(look: Look, seat: Ticket) -> None:
    row = look.row(_ROW, seat[:2])
    if row is None:
        raise NotYet(f"{seat.label} is gone from the table, and its price with it.")
    if row.status == "available":
        raise NotYet(f"{seat.label} is still on sale.")
    if row.status == "sold":
        raise NotYet(f"{seat.label} counts as sold, and nobody has paid for it.")
    if row.price != seat.price:
        raise NotYet(f"{seat.label} has lost its price: it was {seat.price}.")
    if row.ends is not None:
        raise NotYet(f"{seat.label} is off sale, but not for the day: its status ends by itself in {row.ends} s.")
    offered = "SELECT status FROM available_tickets WHERE event_id = %s AND status = 'available' AND ticket_id = %s"
    wait_until(lambda: look.row(offered, seat[:2]) is None, why="the view to follow its table")


def _statement_on_tickets(look: Look) -> str:
    """The learner's own statement that took the seat off sale."""
    for verb in "UPDATE", "DELETE", "INSERT":
        found = look.answer.said(verb, "tickets")
        if found:
            return found
    return look.statement("UPDATE", "tickets")


def undo_2(look: Look) -> None:
    look.put_back(look.event.section("F05")[0])


def check_3(look: Look) -> str:
    """``my_events``, filled with what the shop has and with two halls at one hour, is read by the month, in order."""
    columns = look.columns("my_events")
    for name, kind in _SHOP.items():
        if name not in columns:
            raise NotYet(f"my_events has no column {name}.")
        if columns[name][2] != kind:
            raise NotYet(f"The column {name} of my_events is a {columns[name][2]}, and the shop has a {kind} for it.")
    strange = [
        name for name, each in columns.items() if each[0] in ("partition_key", "clustering") and name not in _SHOP
    ]
    query = "SELECT date, event_id FROM my_events WHERE month = %s"
    rows_by_key(look, "my_events", "the events of a month", query, (_MONTH,))
    if strange:
        raise NotYet(f"{strange[0]} is part of the key of my_events, and the shop has nothing to write there.")
    house = look.event.id
    ours = [(_MONTH, datetime(1999, 12, day, 20), uuid5(house, f"hall {i}"), name)
            for i, (day, name) in enumerate(_EVENINGS)]  # fmt: skip
    shop = [
        (f"{row.date:%Y-%m}", row.date, row.event_id, row.name or "")
        for row in look.rows("SELECT event_id, date, name FROM events")
        if row.date is not None  # an event that a learner has written without a date belongs to no month
    ]
    insert = look.session.prepare("INSERT INTO my_events (month, date, event_id, name) VALUES (?, ?, ?, ?)")
    try:
        for event in ours + shop:
            look.session.execute(insert, event)
        _in_order(look, query, ours)
    finally:
        look.session.execute("DELETE FROM my_events WHERE month = %s", (_MONTH,))
    months: dict[str, set[UUID]] = {}
    for month, _, event_id, _ in shop:
        months.setdefault(month, set()).add(event_id)
    busiest = max(months, key=lambda month: len(months[month]))
    there = {row.event_id for row in look.rows(query, (busiest,))}
    if not months[busiest] <= there:
        raise NotYet(_lost(len(there & months[busiest]), len(months[busiest])))
    return f"my_events has {len(shop)} events in {len(months)} months, {len(months[busiest])} in the busiest, in order."


def _in_order(look: Look, query: str, wanted: list[tuple[str, datetime, UUID, str]]) -> None:
    rows = look.rows(query, (_MONTH,))
    if len(rows) < len(wanted):
        raise NotYet(_lost(len(rows), len(wanted)))
    dates = [row.date for row in rows]
    if dates == sorted(dates):
        return
    if dates == sorted(dates, reverse=True):
        raise NotYet("my_events has the events of a month, and begins with the last evening.")
    partition, clustering = look.key("my_events")
    key = ", ".join([*partition, *clustering])
    raise NotYet(f"my_events has the events of a month, and not in the order of their evenings: its key is ({key}).")


def _lost(there: int, all_of_them: int) -> str:
    return f"my_events has {there} of {all_of_them} events of its busiest month: those that share a key became one row."


def undo_3(look: Look) -> None:
    look.drop("my_events")
