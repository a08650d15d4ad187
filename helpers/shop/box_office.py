"""Hold, pay, cancel and expire a seat: the arrows of ``checkout_protocol``, each statement in its order.

The ticket's row is the only truth. It changes by conditional updates alone, each of which names the state and the hold
that it expects; the orders, the event's ``has_tickets`` and the queue are written after it and follow what it says.

    available ──hold──▶ held ──pay──▶ sold
        ▲                │
        └─cancel, expire─┘

Every call may be repeated, also by another process, and a process may die between any two statements:
``docs/checkout.md`` says what each leaves behind, and ``settle`` puts it right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from ..lab.clock import server_now
from . import on_sale
from .asking import ask
from .checkout_protocol import CANCEL, EXPIRE, HOLD, PAY
from .event import Event
from .ids import user_id
from .seats import (
    Order,
    Seat,
    check_hold_seconds,
    decide,
    order_status,
    read,
    seconds_left,
    statement_of,
    together,
    write_order,
)
from .venue import Ticket

if TYPE_CHECKING:
    from cassandra.cluster import Session
    from cassandra.query import BoundStatement

HOLD_SECONDS = 900
_LOOKS = 5  # at a seat that changes, or that the database does not decide about, before somebody comes again
_ASKED_AT_ONCE = 100  # seats in one query of the plain scan


@dataclass(frozen=True)
class Hold:
    """The database's answer to one attempt to hold a seat.

    ``applied`` tells whether ``buyer`` has it now, and so does the hold's own truth: ``if hold:``. If not, ``status``
    and ``held_by`` say what the seat was and whose. ``hold_id`` is its own, and its order's too.
    """

    applied: bool
    ticket: Ticket
    buyer: str
    hold_id: UUID
    started_at: datetime
    held_until: datetime
    status: str | None
    held_by: str | None

    def __bool__(self) -> bool:
        return self.applied

    def __str__(self) -> str:
        if self.applied:
            return f"{self.buyer} holds {self.ticket.label}."
        whose = f" by {self.held_by}" if self.held_by else ""
        return f"{self.buyer} was too late: {self.ticket.label} is {self.status or 'not on sale'}{whose}."

    @property
    def order(self) -> Order:
        """What the order of this hold says."""
        ticket = self.ticket
        return Order(self.hold_id, ticket.event_id, ticket.ticket_id, ticket.price, user_id(self.buyer))


@dataclass(frozen=True)
class Outcome:
    """The answer to pay, cancel or expire: was it applied (then it is true), and which status has the seat now."""

    applied: bool
    status: str | None

    def __bool__(self) -> bool:
        return self.applied


@dataclass(frozen=True)
class Settled:
    """What ``settle`` found and did: was the seat freed by it, or must somebody come again, and when?"""

    released: bool = False
    again_at: datetime | None = None


def hold_seat(
    session: Session, ticket: Ticket, buyer: str, *, seconds: int = HOLD_SECONDS, hold_id: UUID | None = None
) -> Hold:
    """Try to hold ``ticket`` for ``buyer`` for so many seconds; the database decides, and only one is applied.

    An applied hold is followed by a row in the queue, which ends by itself when the hold does, and by a pending order.
    With the ``hold_id`` of an earlier call whose outcome nobody knows, the call may be repeated: it is the same hold.
    Once that hold has ended it is not applied: an id is for one hold and never comes back.

    >>> if hold := hold_seat(session, event.seat("L04 C-12"), "Ada"):
    ...     pay(session, hold)
    """
    if hold_id is not None and has_ended(session, hold_id):
        seat, now = seat_of(session, ticket), server_now(session)
        return Hold(False, ticket, buyer, hold_id, now, now, seat.status, seat.held_by)
    return hold_with_id(session, ticket, buyer, seconds=seconds, hold_id=hold_id or uuid4())


def hold_with_id(session: Session, ticket: Ticket, buyer: str, *, seconds: int, hold_id: UUID) -> Hold:
    """``hold_seat`` with an id of which it is known that no hold of it has ended, as a new one."""
    check_hold_seconds(seconds, "seconds")
    now = server_now(session)
    until = now + timedelta(seconds=seconds)
    values = (buyer, hold_id, until, ticket.event_id, ticket.ticket_id)
    applied, before = decide(session, HOLD.decision, values, _key(ticket), lambda seat: seat.hold_id == hold_id)
    status, held_by = ("available", None) if applied else (before.status, before.held_by)
    if not applied and held_by == buyer:
        seat = seat_of(session, ticket)
        if seat.hold_id == hold_id and seat.held_until is not None:
            # An earlier call with this id was applied, and its answer got lost: go on from there, with its times.
            applied = seat.status == "sold" or seat.held_until > now
            status, until = seat.status, seat.held_until
            now = until - timedelta(seconds=seconds)
    hold = Hold(applied, ticket, buyer, hold_id, now, until, status, held_by)
    if not applied or status == "sold":
        return hold
    together(session, follow_hold(session, hold, server_now(session)))
    return Hold(True, ticket, buyer, hold_id, now, until, "held", buyer)


def pay(session: Session, hold: Hold) -> Outcome:
    """Sell the seat to the holder: applied if this very hold still stands and its time is not over.

    Paying twice sells once and says both times that it was applied. A hold that was refused buys nothing; whoever does
    not know whether it was asks ``hold_seat`` again first.
    """
    if not hold.applied:
        return Outcome(False, hold.status)
    now = server_now(session)
    values = (hold.ticket.event_id, hold.ticket.ticket_id, hold.hold_id, now)

    def sold(seat: Seat) -> bool:
        return seat.status == "sold" and seat.hold_id == hold.hold_id

    applied, before = decide(session, PAY.decision, values, _key(hold.ticket), sold)
    if not applied and not sold(before):
        return Outcome(False, before.status)
    if applied or order_status(session, hold.hold_id) != PAY.order:
        ask(session, write_order(session, hold.order, PAY.order, now))
    on_sale.seat_sold(session, hold.ticket.event_id, hold.ticket.ticket_id)
    ask(session, leave_queue(session, hold))
    return Outcome(True, "sold")


def cancel(session: Session, hold: Hold) -> Outcome:
    """Give the seat back: applied if this very hold still stands.

    Once it does not, another call is not applied; it only completes what an earlier one may have left undone. A hold
    that was refused has nothing to give back; if it was applied after all, its time runs out.
    """
    if not hold.applied:
        return Outcome(False, hold.status)
    values = (hold.ticket.event_id, hold.ticket.ticket_id, hold.hold_id)
    applied, before = decide(
        session, CANCEL.decision, values, _key(hold.ticket), lambda seat: seat.hold_id != hold.hold_id
    )
    # Before its deadline only a cancel can have ended a hold without a sale: then it was an earlier one of these.
    mine = applied or (before.hold_id != hold.hold_id and server_now(session) < hold.held_until)
    if mine:
        ask(session, write_order(session, hold.order, CANCEL.order, hold.started_at))
        on_sale.seat_freed(session, hold.ticket.event_id, hold.ticket.ticket_id)
        ask(session, leave_queue(session, hold))
    return Outcome(True, "available") if applied else Outcome(False, before.status)


def release_expired(session: Session, event: Event, *, now: datetime | None = None) -> list[Ticket]:
    """Make every seat available again whose hold is over, and return their tickets.

    The end of a TTL writes nothing anywhere, so somebody has to look: candidates come from the view, and a conditional
    update on each row decides, so that a seat that is paid or held anew in the meantime stays as it is.
    """
    now = now or server_now(session)
    return [event.by_id[each] for each in release_lapsed(session, event.id, now) if each in event.by_id]


def release_lapsed(session: Session, event_id: UUID, now: datetime) -> list[UUID]:
    """``release_expired`` for an event of which only the id is known; the ids of the tickets."""
    released = []
    for ticket_id in lapsed(session, event_id, now):
        if settle(session, event_id, ticket_id, now=now).released:
            released.append(ticket_id)
    if released:
        on_sale.refresh(session, event_id, released[-1])
    return released


def lapsed(session: Session, event_id: UUID, now: datetime) -> list[UUID]:
    """The tickets whose hold is over, without making sure: a read of the held seats in the view, then of their rows."""
    found: list[UUID] = []
    held = (row.ticket_id for row in ask(session, statement_of(session, "held_seats"), (event_id,)))
    for some in _portions(held):
        rows = ask(session, statement_of(session, "read_holds"), (event_id, some))
        found += [row.ticket_id for row in rows if row.status == "held" and row.held_until and row.held_until <= now]
    return found


def settle(
    session: Session,
    event_id: UUID,
    ticket_id: UUID,
    *,
    hold_id: UUID | None = None,
    user: UUID | None = None,
    started_at: datetime | None = None,
    now: datetime | None = None,
) -> Settled:
    """Put right what a hold left behind whose time is over, whatever became of it and of the process that made it.

    ``hold_id``, ``user`` and ``started_at`` are what the queue's row or the order said; without an id it is about
    whoever holds the seat now. Frees a seat whose hold has lapsed, and brings the order to its end: paid if the seat is
    sold to it, otherwise expired, unless it got further. ``has_tickets`` is the caller's (``on_sale.refresh``), once
    for many.
    """
    now = now or server_now(session)
    for _ in range(_LOOKS):
        seat = read(session, event_id, ticket_id, price=True)
        hold_id = hold_id or seat.hold_id
        if hold_id is None:
            return Settled()
        order = Order(hold_id, event_id, ticket_id, seat.price, user_id(seat.held_by or ""))
        if seat.hold_id != hold_id or seat.held_until is None:
            if user is not None:
                # Nobody can say any more how it ended; that it did not end in a sale is certain.
                order = Order(hold_id, event_id, ticket_id, seat.price, user)
                ask(session, write_order(session, order, EXPIRE.order, started_at or now))
            return Settled()
        if seat.status == "sold":
            if order_status(session, hold_id) != PAY.order:
                ask(session, write_order(session, order, PAY.order, started_at or seat.held_until))
            return Settled()
        if seat.held_until > now:
            return Settled(again_at=seat.held_until)
        # The order first: once the seat is free, its row no longer says whose order there is to end.
        ask(session, write_order(session, order, EXPIRE.order, seat.held_until))
        values = (event_id, ticket_id, hold_id, now)
        applied, _ = decide(session, EXPIRE.decision, values, (event_id, ticket_id), partial(_not_held_by, hold_id))
        if applied:
            return Settled(released=True)
    return Settled(again_at=now)  # the database decides nothing about this seat now


def unpaid_sales(session: Session, event_id: UUID) -> Iterator[UUID]:
    """Complete the orders of sold seats that do not say paid, and give their tickets' ids: the books at closing time.

    Reads every sold seat and its order. There is one way to such a sale that no deadline tells of: a hold that was
    cancelled came back by a delayed message, was paid, and the payer died before writing the order.
    """
    rows = session.execute("SELECT ticket_id, status, hold_id FROM tickets WHERE event_id = %s", (event_id,))
    for row in rows:
        if row.status == "sold" and row.hold_id and order_status(session, row.hold_id) != PAY.order:
            settle(session, event_id, row.ticket_id)
            yield row.ticket_id


def stale_orders(session: Session, now: datetime) -> Iterator[UUID]:
    """End the pending orders of holds that are over, and give their ids. Reads every order of the shop.

    For whoever tidies up without the log: a buyer who cancelled and died before writing it, or whose pending order
    came late, leaves a seat that is free, so nobody who looks at seats comes by. The log's deadlines find both.
    """
    for row in session.execute(statement_of(session, "list_orders")):
        if row.status != HOLD.order or row.ticket_id is None:
            continue
        settled = settle(
            session,
            row.event_id,
            row.ticket_id,
            hold_id=row.order_id,
            user=row.user_id,
            started_at=row.purchased_at,
            now=now,
        )
        if settled.again_at is None:
            yield row.order_id


def seat_of(session: Session, ticket: Ticket) -> Seat:
    """The state of a seat, read at SERIAL: it sees, and if need be finishes, what a conditional update began."""
    return read(session, *_key(ticket))


def has_ended(session: Session, hold_id: UUID) -> bool:
    """Was the hold with this id given back, or did its time run out? Its order says so, for good."""
    return order_status(session, hold_id) in (CANCEL.order, EXPIRE.order)


def is_held(session: Session, ticket: Ticket) -> bool:
    """Does somebody hold this seat, and is the hold's time not over?"""
    seat = seat_of(session, ticket)
    return seat.status == "held" and (seat.held_until is None or seat.held_until > server_now(session))


def count_by_status(session: Session, event: Event) -> dict[str, int]:
    """How many seats are available, held and sold, counted on the tickets themselves."""
    rows = session.execute("SELECT status FROM tickets WHERE event_id = %s", (event.id,))
    counts = Counter(row.status for row in rows)
    return {status: counts[status] for status in ("available", "held", "sold")}


def follow_hold(session: Session, hold: Hold, now: datetime) -> Iterator[BoundStatement]:
    """What is written after an applied hold: its row in the queue, until the hold ends, and its order."""
    ticket = hold.ticket
    lifetime = max(1, seconds_left(hold.held_until, now))
    yield statement_of(session, "join_queue_for_hold").bind(
        (ticket.event_id, ticket.ticket_id, hold.started_at, hold.buyer, hold.hold_id, lifetime)
    )
    yield write_order(session, hold.order, HOLD.order, hold.started_at)


def leave_queue(session: Session, hold: Hold) -> BoundStatement:
    """The statement that takes a hold's row out of the queue."""
    return statement_of(session, "leave_queue").bind((*_key(hold.ticket), hold.started_at))


def _key(ticket: Ticket) -> tuple[UUID, UUID]:
    return ticket.event_id, ticket.ticket_id


def _portions(ids: Iterator[UUID]) -> Iterator[list[UUID]]:
    while some := list(islice(ids, _ASKED_AT_ONCE)):
        yield some


def _not_held_by(hold_id: UUID, seat: Seat) -> bool:
    return seat.hold_id != hold_id
