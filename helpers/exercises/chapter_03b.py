"""Checks of chapter 03b: one order for two tables, a view of refunds, and a statement that goes straight to its row."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from ..course.look import Look, NotYet
from ..lab.sent import tables_of
from ..lab.statements import bare
from ..lab.waiting import wait_until
from ..shop.ids import event_id, user_id
from .keys import rows_by_key

_TABLES = ("orders", "buyers_table")
# A column that a WHERE holds against a value, or against a list of them.
_NAMED = re.compile(r"(\w+)\s*(?:=|\bin\b)")
_WHERE = {"orders": "order_id = %s", "buyers_table": "order_id = %s AND user_id = %s"}


def check_1(look: Look) -> str:
    """Bo's order is in both tables by one logged batch, and another order sent the same way would be as well."""
    bo, order = user_id("Bo"), event_id("Bo's new order")
    for table in _TABLES:
        _has_order(look, table, order, bo, "Bo's", Decimal(95))
    batch = look.answer.said("BEGIN")
    if batch is None:
        raise NotYet(
            "Both tables have Bo's order, by two requests: a program that ends between them leaves one table "
            "without it."
        )
    if re.match(r"\s*BEGIN\s+UNLOGGED\b", batch, re.IGNORECASE):
        raise NotYet(
            "Both tables have Bo's order, by an UNLOGGED batch: nothing is kept aside, and a node that stops halfway "
            "may leave one table without it."
        )
    beside = {
        table for each in look.sent if not each.text.lstrip().upper().startswith("BEGIN") for table in each.tables
    }
    outside = sorted(beside & set(_TABLES) - tables_of(batch))
    if outside:
        raise NotYet(
            f"Your batch leaves out {outside[0]}, which is written by a request of its own: both belong in one."
        )
    if look.answer.source.lstrip().startswith("%%cql"):
        _try_for_cy(look, batch)
    return "both tables have Bo's order, by one request that arrives as a whole."


def _try_for_cy(look: Look, batch: str) -> None:
    cy, order = user_id("Cy"), event_id("an order of Cy's")
    try:
        look.replay(batch, order_id=order, user_id=cy, total_price=Decimal(40), purchased_at=datetime(2031, 3, 2))
        for table in _TABLES:
            _has_order(look, table, order, cy, "Cy's", Decimal(40))
    finally:
        _forget(look, order, cy)


def _has_order(look: Look, table: str, order: Any, buyer: Any, whose: str, price: Decimal) -> None:
    key = (order, buyer)[: _WHERE[table].count("%s")]
    query = f"SELECT user_id, event_id, status, total_price, purchased_at FROM {table} WHERE {_WHERE[table]}"
    row = look.row(query, key)
    if row is None:
        raise NotYet(f"{table} has no such order of {whose} yet.")
    wanted = {"user_id": buyer, "event_id": look.event.id, "status": "paid", "total_price": price}
    for name, value in wanted.items():
        if getattr(row, name) != value:
            raise NotYet(f"{table} has {whose} order with the {name} {getattr(row, name)}, and it should be {value}.")
    if row.purchased_at is None:
        raise NotYet(f"{table} has {whose} order without its purchased_at.")


def _forget(look: Look, order: Any, buyer: Any) -> None:
    for table in _TABLES:
        key = (order, buyer)[: _WHERE[table].count("%s")]
        look.session.execute(f"DELETE FROM {table} WHERE {_WHERE[table]}", key)


def undo_1(look: Look) -> None:
    _forget(look, event_id("Bo's new order"), user_id("Bo"))


def check_2(look: Look) -> str:
    """``my_refunds`` is a view that has refunded orders and no others, and follows an order back and forth."""
    look.view("my_refunds")
    query = "SELECT order_id, total_price FROM my_refunds WHERE status = 'refunded'"

    if "total_price" not in look.columns("my_refunds"):
        raise NotYet("my_refunds has no column total_price.")

    def listed() -> set[Any]:
        return {row.order_id for row in rows_by_key(look, "my_refunds", "the refunded orders", query, ())}

    rows = look.rows("SELECT order_id, status FROM orders")
    wanted = {row.order_id for row in rows if row.status == "refunded"}
    paid = next((row.order_id for row in rows if row.status == "paid"), None)
    if paid is None:
        raise NotYet("There is no paid order yet: cells above write them, so run those, then this exercise.")
    if not look.once_filled("my_refunds", lambda: listed() == wanted):
        raise NotYet(f"my_refunds has {len(listed() & wanted)} of {len(wanted)} refunded orders.")
    others = [row for row in look.rows("SELECT status FROM my_refunds") if row.status != "refunded"]
    if others:
        raise NotYet(
            "my_refunds lists the refunds, and it also keeps a row for each order that is paid: its WHERE takes "
            "them all."
        )
    update = "UPDATE orders SET status = %s WHERE order_id = %s"
    try:
        look.session.execute(update, ("refunded", paid))
        wait_until(lambda: paid in listed(), why="my_refunds to follow a refund")
    finally:
        look.session.execute(update, ("paid", paid))
    wait_until(lambda: paid not in listed(), why="my_refunds to follow an order that is paid again")
    return f"my_refunds has {len(wanted)} refunded order{'s' * (len(wanted) != 1)}, and follows orders both ways."


def undo_2(look: Look) -> None:
    look.session.execute("DROP INDEX IF EXISTS my_refunds")
    look.drop("my_refunds")


def check_3(look: Look) -> str:
    """The statement names a partition, and gives whichever order it is asked for."""
    text = next((each for each in map(look.answer.said, ["SELECT"]) if each), None)
    if text is None:
        raise NotYet("Your cell has no SELECT yet.")
    table = next(iter(tables_of(text)), "orders")
    partition, clustering = look.key(table)
    if not set(partition) <= set(_NAMED.findall(bare(text).lower())):
        raise NotYet(
            f"Your statement names no partition of {table}, whose key begins with {partition[0]}: the server looks "
            "through all of them."
        )
    if "order_id" not in partition + clustering:
        raise NotYet(
            f"Your statement names the partition, and order_id is not in the key of {table}: the server looks through "
            "all rows of it."
        )
    for row in look.rows("SELECT order_id, user_id FROM orders LIMIT 3"):
        outcome = look.replay(text, order_id=row.order_id, user_id=row.user_id)
        if outcome.rows and not hasattr(outcome.rows[0], "order_id"):
            raise NotYet("Your statement finds a row and does not say which order it is: SELECT its order_id as well.")
        found = [each.order_id for each in outcome.rows]
        if found != [row.order_id]:
            what = f"{len(outcome.rows)} rows" if len(outcome.rows) != 1 else "another one"
            raise NotYet(f"Asked for another order, your statement gives {what}.")
    return f"each order is one row of {table}, found by its key."
