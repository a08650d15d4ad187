"""Keeps ``events.has_tickets`` true as long as a seat is available, however many buyers change that at once.

Each look and each write is a moment of its own, so somebody may come between. What makes it right in the end: whoever
writes looks again afterwards, and goes on until what is there agrees with what was written. The one who writes last
thereby also looks last.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import UUID

from .asking import PAUSES, ask, passes
from .seats import statement_of

if TYPE_CHECKING:
    from cassandra.cluster import Session

# The LIMIT of the statements: so many seats in the view are proof enough. Of fewer, the tickets themselves are asked,
# because a view may be behind its table.
_MANY = 20


def seat_sold(session: Session, event_id: UUID, ticket_id: UUID) -> None:
    """After a sale: take the event off ``available_events`` if that was the last seat."""
    if not any_available(session, event_id, ticket_id):
        refresh(session, event_id, ticket_id)


def seat_freed(session: Session, event_id: UUID, ticket_id: UUID) -> None:
    """After a seat came back: put the event on ``available_events`` again if it was sold out."""
    if not is_offered(session, event_id):
        refresh(session, event_id, ticket_id)


def refresh(session: Session, event_id: UUID, ticket_id: UUID | None = None) -> bool:
    """Make ``has_tickets`` say whether a seat is available, and return it. ``ticket_id`` is a good seat to begin at."""
    pauses = iter(PAUSES)
    while True:
        truth = any_available(session, event_id, ticket_id)
        flag = is_offered(session, event_id)
        if flag is None or flag == truth:
            return truth
        try:
            session.execute(statement_of(session, "set_has_tickets"), (truth, event_id, flag))
        except Exception as error:
            pause = next(pauses, None)
            if pause is None or not passes(error):
                raise
            time.sleep(pause)  # whether it was applied, the next look tells


def is_offered(session: Session, event_id: UUID) -> bool | None:
    """What ``has_tickets`` says; None if there is no such event."""
    rows = ask(session, statement_of(session, "read_has_tickets"), (event_id,))
    return rows[0].has_tickets if rows else None


def any_available(session: Session, event_id: UUID, ticket_id: UUID | None = None) -> bool:
    """Is there a seat that a buyer could hold? ``ticket_id`` itself is looked at in any case."""
    behind = ask(session, statement_of(session, "some_left_after"), (event_id, ticket_id)) if ticket_id else []
    if len(behind) >= _MANY:
        return True
    found = {row.ticket_id for row in ask(session, statement_of(session, "seats_left"), (event_id,))}
    if len(found) >= _MANY:
        return True
    asked = list(found | {ticket_id} - {None})
    rows = ask(session, statement_of(session, "read_holds"), (event_id, asked)) if asked else []
    return any(row.status == "available" for row in rows)
