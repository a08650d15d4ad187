"""Three ways to run a box office: the course's, and two that sell a seat twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from helpers.lab.clock import server_now
from helpers.lab.statements import prepared
from helpers.shop import box_office, parties
from helpers.shop.box_office import Hold, Outcome
from helpers.shop.seats import seconds_left, write_order
from helpers.shop.venue import Ticket


class Office:
    """The helpers' own. ``keeps_books``: more can be asked of it than not to sell a seat twice."""

    keeps_books = True
    hold = staticmethod(box_office.hold_seat)
    pay = staticmethod(box_office.pay)
    cancel = staticmethod(box_office.cancel)
    hold_together = staticmethod(parties.hold_together)
    hold_in_turn = staticmethod(parties.hold_in_turn)
    pay_together = staticmethod(parties.pay_together)
    cancel_together = staticmethod(parties.cancel_together)


class PlainOffice(Office):
    """The source's: look whether the seat is free, put a row into the queue, and later write that it is sold."""

    keeps_books = False

    @staticmethod
    def hold(session: Any, ticket: Ticket, buyer: str, *, seconds: int = 900, hold_id: Any = None) -> Hold:
        now, hold_id = server_now(session), hold_id or uuid4()
        until = now + timedelta(seconds=seconds)
        status = session.execute(prepared(session, "read_seat"), (ticket.event_id, ticket.ticket_id)).one().status
        free = status == "available"
        if free:
            row = (ticket.event_id, ticket.ticket_id, now, buyer, seconds_left(until, now))
            session.execute(prepared(session, "join_queue"), row)
        return Hold(free, ticket, buyer, hold_id, now, until, status, None)

    @staticmethod
    def pay(session: Any, hold: Hold) -> Outcome:
        key = hold.ticket.event_id, hold.ticket.ticket_id
        if not hold.applied:
            return Outcome(False, hold.status)
        sell = "UPDATE tickets SET status = 'sold', hold_id = ? WHERE event_id = ? AND ticket_id = ?"
        session.execute(session.prepare(sell), (hold.hold_id, *key))
        session.execute(write_order(session, hold.order, "paid", server_now(session)))
        return Outcome(True, "sold")

    @staticmethod
    def cancel(session: Any, hold: Hold) -> Outcome:
        session.execute(box_office.leave_queue(session, hold))
        return Outcome(hold.applied, "available")


class TokenlessOffice(Office):
    """Conditional updates, but the payment does not say which hold it is for."""

    keeps_books = False

    @staticmethod
    def pay(session: Any, hold: Hold) -> Outcome:
        key = hold.ticket.event_id, hold.ticket.ticket_id
        now = server_now(session)
        sell = session.prepare(
            "UPDATE tickets SET status = 'sold' WHERE event_id = ? AND ticket_id = ? "
            "IF status = 'held' AND held_until > ?"
        )
        row = session.execute(sell, (*key, now)).one()
        if not row.applied and row.status != "sold":
            return Outcome(False, row.status)
        session.execute(write_order(session, hold.order, "paid", now))
        session.execute(box_office.leave_queue(session, hold))
        return Outcome(True, "sold")
