"""Where one ticket stands: in its table, and in the partitions of the view that follows the table."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..lab.waiting import wait_until

if TYPE_CHECKING:
    from cassandra.cluster import Session

    from ..shop.venue import Ticket

NO_ROW = "no row"
TABLE = "table"


def places(session: Session, ticket: Ticket) -> dict[str, str | None]:
    """The ticket's status by place: in the table, and in the view's partitions of seats that are available and sold.

    "no row" where there is none; None where the row has no status.

    >>> places(session, event.seat("L04 A-1"))
    {'table': 'available', 'view, available': 'available', 'view, sold': 'no row'}
    """
    found = {TABLE: _status(session, ticket, "tickets")}
    for key in ("available", "sold"):
        found[f"view, {key}"] = _status(session, ticket, "available_tickets", f"AND status = '{key}'")
    return found


def watch_sale(session: Session, ticket: Ticket, *, seconds: float = 30.0) -> dict[str, list[tuple[float, str | None]]]:
    """Look, until the view does not offer the ticket any more; what the table and the view said, for ``status_bands``.

    A moment is milliseconds since the call. Both lists begin 100 ms before it, with the ticket on sale.
    """
    begin = time.perf_counter()
    table: list[tuple[float, str | None]] = [(-100.0, "available")]
    view = list(table)

    def look() -> bool:
        now = 1000 * (time.perf_counter() - begin)
        found = places(session, ticket)
        table.append((now, found[TABLE]))
        view.append((now, found["view, available"]))
        return found["view, available"] == NO_ROW

    wait_until(look, why="the view to follow its table", seconds=seconds)
    for moments in (table, view):
        moments.append((moments[-1][0] + 100, None))
    return {"the table says": table, "the view says": view}


def _status(session: Session, ticket: Ticket, table: str, more: str = "") -> str | None:
    query = f"SELECT status FROM {table} WHERE event_id = %s AND ticket_id = %s {more}"
    row = session.execute(query, (ticket.event_id, ticket.ticket_id)).one()
    return row.status if row else NO_ROW
