"""Checks of chapter 03b: a table in an order of its own, a view over buckets, a sale under the whole key."""

from __future__ import annotations

from typing import Any

from ..course.look import Look, NotYet
from ..shop.ids import user_id
from .keys import rows_by_key

_SECTION = "L04"


def check_1(look: Look) -> str:
    """``my_orders`` has all orders of Bo, and his partition begins with the latest."""
    bo = (user_id("Bo"),)
    # The lesson's index on user_id may not be made yet.
    orders = look.rows("SELECT order_id, purchased_at FROM orders WHERE user_id = %s ALLOW FILTERING", bo)
    times = {row.order_id: row.purchased_at for row in orders if row.purchased_at is not None}
    if not times:
        raise NotYet("Bo has no orders yet: cells above write them, so run those, then this exercise.")
    query = "SELECT order_id FROM my_orders WHERE user_id = %s"
    rows = [row.order_id for row in rows_by_key(look, "my_orders", "one buyer", query, bo)]
    there = set(rows) & set(times)
    if not there:
        raise NotYet(f"my_orders has none of Bo's {len(times)} orders.")
    if len(there) < len(times):
        raise NotYet(
            f"my_orders has {len(there)} of Bo's {len(times)} orders: "
            "those of one moment share a key, and the last one wrote over the others."
        )
    in_order = [times[order] for order in rows if order in times]
    if in_order != sorted(in_order, reverse=True):
        raise NotYet("Bo's orders are all in my_orders, and do not begin with the latest.")
    return f"Bo's {len(times)} orders are in my_orders, the latest first."


def undo_1(look: Look) -> None:
    look.drop("my_orders")


def check_2(look: Look) -> str:
    """``my_prices`` is a view that is asked by event and section, and begins with the cheapest seat."""
    look.view("my_prices")
    seats = {seat.ticket_id: seat for seat in look.event.section(_SECTION)}
    key = (look.event.id, next(iter(seats.values())).section_id)
    query = "SELECT ticket_id, price FROM my_prices WHERE event_id = %s AND section = %s"

    def found() -> list[Any]:
        rows = rows_by_key(look, "my_prices", "one section", query, key)
        return [row for row in rows if row.ticket_id in seats]

    if not look.once_filled("my_prices", lambda: len(found()) >= len(seats)):
        raise NotYet(f"my_prices has {len(found())} of the {len(seats)} seats of {_SECTION}.")
    prices = [row.price for row in found()]
    if prices != sorted(prices):
        cheapest = f"the cheapest costs {min(prices)}"
        raise NotYet(f"my_prices has the seats of {_SECTION}, and begins with one at {prices[0]}; {cheapest}.")
    return f"my_prices gives you the {len(seats)} seats of {_SECTION}, from {prices[0]} to {prices[-1]}."


def undo_2(look: Look) -> None:
    look.drop("my_prices")


def check_3(look: Look) -> str:
    """The first seat of F05 is sold in its own section, and has no row in another."""
    seat = look.event.section("F05")[0]
    query = "SELECT status FROM tickets_by_section WHERE event_id = %s AND section = %s AND ticket_id = %s"
    for section in look.event.venue.drop_duplicates("section").itertuples():
        if section.section == seat.section:
            continue
        if look.row(query, (seat.event_id, section.section_id, seat.ticket_id)) is not None:
            raise NotYet(f"{section.section} has a row for {seat.label}, which is no seat of {section.section}.")
    row = look.row(query, (seat.event_id, seat.section_id, seat.ticket_id))
    if row is None:
        raise NotYet(f"{seat.label} has no row in {seat.section} any more.")
    if row.status != "sold":
        raise NotYet(f"{seat.label} is not sold: its status is {row.status or 'null'}.")
    return f"{seat.label} is sold in {seat.section}, and no other section has a row for it."


def undo_3(look: Look) -> None:
    seat = look.event.section("F05")[0]
    wrong = look.event.section("F06")[0].section_id
    ghost = "DELETE FROM tickets_by_section WHERE event_id = %s AND section = %s AND ticket_id = %s"
    look.session.execute(ghost, (seat.event_id, wrong, seat.ticket_id))
    look.session.execute(
        "INSERT INTO tickets_by_section (event_id, section, ticket_id, price, status, type_id) "
        "VALUES (%s, %s, %s, %s, 'available', %s)",
        (seat.event_id, seat.section_id, seat.ticket_id, seat.price, seat.type_id),
    )
