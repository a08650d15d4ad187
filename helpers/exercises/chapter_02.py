"""The checks of chapter 02: a request for each partition, a table for parties, a write of one column."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from uuid import uuid5

from ..course.look import Look, NotYet
from ..shop import fan_out

_ORDERS = 50
_GUESTS = {"Ada": "F05 A-1", "Bo": "F05 A-2", "Cy": "F05 A-3"}
_COLUMNS = {"event": "uuid", "seat": "text", "guest": "text"}
_NEW_PRICE = Decimal(150)
_BATCH = re.compile(r"\s*BEGIN\b", re.IGNORECASE)


def check_1(look: Look) -> str:
    """Fifty orders, each by a request of its own."""
    partition_key, clustering = look.key("my_orders")
    if (partition_key, clustering) != (["order_id"], []):
        names = ", ".join(partition_key + clustering)
        raise NotYet(
            f"The key of my_orders is ({names}) now, so all orders meet in one partition; it was order_id alone."
            if partition_key != ["order_id"]
            else f"The key of my_orders is ({names}) now; it was order_id alone."
        )
    rows = {row.order_id: row for row in look.rows("SELECT order_id, WRITETIME(status) AS stamp FROM my_orders")}
    wanted = [uuid5(look.event.id, f"order {number}") for number in range(_ORDERS)]
    found = sum(order in rows for order in wanted)
    if found < _ORDERS:
        raise NotYet(f"my_orders has {found or 'none'} of the fifty orders.")
    stamps = {rows[order].stamp for order in wanted}
    if len(stamps) == 1:
        raise NotYet("The fifty orders came in 1 request: one node had to split it.")
    if len(stamps) < _ORDERS // 2:  # a server may stamp two requests of one moment alike, and never so many
        raise NotYet(f"The fifty orders came in {len(stamps)} requests: a node had to split each of them.")
    if any(map(_is_batch, look.sent)):
        raise NotYet("Your cell sent a batch, and its orders lie in many partitions: send each order alone.")
    return "Fifty orders are there, and each went to its replica by a request of its own."


def undo_1(look: Look) -> None:
    look.drop("my_orders")


def check_2(look: Look) -> str:
    """Three rows by one batch in one partition; and a table that stands the next two parties."""
    columns = look.columns("my_guests")
    for name, kind in _COLUMNS.items():
        if name not in columns:
            raise NotYet(f"my_guests has no column {name}.")
        if columns[name][2] != kind:
            raise NotYet(f"The column {name} of my_guests is {columns[name][2]}, and should be {kind}.")
    partition_key, clustering = look.key("my_guests")
    names = ", ".join(partition_key)
    rows = look.rows(f"SELECT guest, seat, token({names}) AS place FROM my_guests")
    if len(rows) < len(_GUESTS) and not clustering:
        raise NotYet(
            f"my_guests has {_rows(len(rows))} for three guests: with {names} as its whole key, "
            "each INSERT writes the same row."
        )
    if {row.guest: row.seat for row in rows} != _GUESTS or len(rows) != len(_GUESTS):
        raise NotYet(f"my_guests has {_rows(len(rows))}; wanted is one each for Ada, Bo and Cy, on their seats.")
    places = {row.place for row in rows}
    if len(places) > 1:
        raise NotYet(f"The three rows lie in {len(places)} partitions: the partition key of my_guests is ({names}).")
    if not any(_is_batch(each) and each.text.upper().count("INSERT") >= len(_GUESTS) for each in look.sent):
        raise NotYet("Your cell sent no batch with three INSERTs: the rows came one by one.")
    _next_parties(look, partition_key, clustering)
    return f"Ada, Bo and Cy are three rows of one partition, by {names}; and the next parties find their places."


def _next_parties(look: Look, partition_key: list[str], clustering: list[str]) -> None:
    """Write another Ada beside them, and a guest of another event; look where they are; and take them away again."""
    key = [*partition_key, *clustering]
    strange = [name for name in key if name not in _COLUMNS]
    if strange:
        raise NotYet(
            f"The next party has event, seat and guest, and no {strange[0]}: the key of my_guests wants that, too."
        )
    ours, other = look.event.id, uuid5(look.event.id, "another night")
    next_rows: list[dict[str, Any]] = [
        {"event": ours, "seat": "F05 B-7", "guest": "Ada"},
        {"event": other, "seat": "F05 A-1", "guest": "Di"},
    ]
    insert = look.session.prepare("INSERT INTO my_guests (event, seat, guest) VALUES (?, ?, ?)")
    try:
        for row in next_rows:
            look.session.execute(insert, (row["event"], row["seat"], row["guest"]))
        names = ", ".join(partition_key)
        rows = look.rows(f"SELECT event, seat, guest, token({names}) AS place FROM my_guests")
    finally:
        where = " AND ".join(f"{name} = ?" for name in key)
        delete = look.session.prepare(f"DELETE FROM my_guests WHERE {where}")
        for row in next_rows:
            look.session.execute(delete, tuple(row[name] for name in key))
    shown = f"the key is ({', '.join(key)})"
    if sum(row.guest == "Ada" for row in rows) < 2:
        _put_back(look)
        raise NotYet(f"The next party has an Ada too, and her row wrote over the first one: {shown}.")
    if {row.place for row in rows if row.event == ours} & {row.place for row in rows if row.event == other}:
        raise NotYet(f"A guest of another event lies in the same partition: {shown}.")


def _put_back(look: Look) -> None:
    insert = "INSERT INTO my_guests (event, seat, guest) VALUES (%s, %s, %s)"
    for guest, seat in _GUESTS.items():
        look.session.execute(insert, (look.event.id, seat, guest))


def undo_2(look: Look) -> None:
    look.drop("my_guests")


def check_3(look: Look) -> str:
    """Every unsold ticket of F05 has the new price, the sold one is sold; and a seat that is held stays so."""
    tickets = look.event.section("F05")
    sold, *others = tickets
    query = "SELECT ticket_id, price, status FROM tickets WHERE event_id = %s AND section = %s ALLOW FILTERING"
    rows = {row.ticket_id: row for row in look.rows(query, (look.event.id, sold.section_id))}
    if not rows:
        raise NotYet("F05 has no tickets yet: cells above write them, so run those, then this exercise.")
    missing = [ticket for ticket in tickets if ticket.ticket_id not in rows]
    if missing:
        raise NotYet(f"{missing[0].label} has no row in tickets, or no section there.")
    status = rows[sold.ticket_id].status
    if status != "sold":
        now = status or "without a status"
        raise NotYet(f"{sold.label} is {now}, and Bo has paid for it: its status was written over.")
    unsold = [rows[ticket.ticket_id] for ticket in others]
    expensive = [row for row in unsold if row.price != _NEW_PRICE]
    if expensive and expensive[0].price != sold.price:
        cost = "have no price" if expensive[0].price is None else f"cost {_plain(expensive[0].price)}"
        raise NotYet(f"{len(expensive)} of F05 {cost} now, not {_NEW_PRICE}.")
    if expensive:
        raise NotYet(
            f"{len(expensive)} of F05 still cost {expensive[0].price}: "
            "a newer write stands against the new price, or nothing was written."
        )
    if any(row.status != "available" for row in unsold):
        raise NotYet("F05 has unsold tickets that are not available.")
    _while_it_is_held(look, others[-1] if others else sold)
    return f"F05 costs {_NEW_PRICE} a seat, and {sold.label} is still Bo's."


def _while_it_is_held(look: Look, ticket: Any) -> None:
    """Let somebody hold a seat, and run the learner's own statements on it."""
    statements = [text for text in look.answer.statements if "tickets" in text.lower() and not _BATCH.match(text)]
    key = (ticket.event_id, ticket.ticket_id)
    update = look.session.prepare("UPDATE tickets SET status = ? WHERE event_id = ? AND ticket_id = ?")
    look.session.execute(update, ("held", *key))
    try:
        for text in statements:
            look.replay(text, **ticket._asdict())
        query = "SELECT status FROM tickets WHERE event_id = %s AND ticket_id = %s"
        status = look.row(query, key).status
    finally:
        look.session.execute(update, ("available", *key))
    if status != "held":
        raise NotYet(
            f"Somebody holds {ticket.label} while your statement runs, and then it is {status}: "
            "the statement writes more than the price."
        )


def undo_3(look: Look) -> None:
    fan_out.batches(look.session, look.event.section("F05"), bar=False)


def _is_batch(sent: Any) -> bool:
    return bool(_BATCH.match(sent.text))


def _rows(count: int) -> str:
    return f"{count} row{'s' * (count != 1)}"


def _plain(price: Decimal) -> str:
    """A price without the noughts behind its point."""
    return f"{price.normalize():f}"
