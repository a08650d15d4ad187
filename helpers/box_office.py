"""Hold, pay, cancel and expire a seat: the statements of ``cql/checkout.cql`` in the right order.

The ticket's row is the only truth. It changes by conditional updates alone, each of which names the state and the token
that it expects; the queue and the orders are written after it and follow what it says.

    available ──hold──▶ held ──pay──▶ sold
        ▲                │
        └─cancel, expire─┘
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from .clock import server_now
from .errors import LabError
from .event import Event
from .ids import user_id
from .statement_cache import prepared
from .venue import Ticket

if TYPE_CHECKING:
    from cassandra.cluster import Session
    from cassandra.query import PreparedStatement

HOLD_SECONDS = 900


@dataclass(frozen=True)
class Hold:
    """The database's answer to one attempt to hold a seat.

    ``applied`` tells whether ``buyer`` has it now; if not, ``status`` and ``held_by`` say what the seat was and whose.
    ``token`` is this hold's own and the id of its order.
    """

    applied: bool
    ticket: Ticket
    buyer: str
    token: UUID
    started_at: datetime
    held_until: datetime
    status: str | None
    held_by: str | None

    def __str__(self) -> str:
        if self.applied:
            return f"{self.buyer} holds {self.ticket.label}."
        whose = f" by {self.held_by}" if self.held_by else ""
        return f"{self.buyer} was too late: {self.ticket.label} is {self.status or 'not on sale'}{whose}."


@dataclass(frozen=True)
class Outcome:
    """The answer to pay, cancel or expire: was it applied, and which status has the seat now."""

    applied: bool
    status: str | None


@dataclass(frozen=True)
class Seat:
    """A ticket's row as far as it may change."""

    status: str | None
    held_by: str | None
    hold_token: UUID | None
    held_until: datetime | None


def hold_seat(
    session: Session, ticket: Ticket, buyer: str, *, seconds: int = HOLD_SECONDS, token: UUID | None = None
) -> Hold:
    """Try to hold ``ticket`` for ``buyer`` for so many seconds; the database decides, and only one is applied.

    An applied hold is followed by a row in the queue, which ends by itself when the hold does, and by a pending order.
    With the ``token`` of an earlier call whose outcome nobody knows, the call may be repeated.

    >>> hold_seat(session, event.seat("L04 C-12"), "Ada").applied
    True
    """
    now, token = server_now(session), token or uuid4()
    until = now + timedelta(seconds=seconds)
    values = (buyer, token, until, ticket.event_id, ticket.ticket_id)
    applied, before = _conditional(session, "hold_seat", values, ticket, lambda seat: seat.hold_token == token)
    status, held_by = ("available", None) if applied else (before.status, before.held_by)
    if not applied and held_by == buyer:
        seat = seat_of(session, ticket)
        if seat.hold_token == token and seat.held_until is not None:
            # An earlier call with this token was applied, and its answer got lost: go on from there, with its times.
            applied, now, until = True, seat.held_until - timedelta(seconds=seconds), seat.held_until
    if applied:
        status, held_by = "held", buyer
        _queue_and_order(session, ticket, buyer, token, now, seconds)
    return Hold(applied, ticket, buyer, token, now, until, status, held_by)


def pay(session: Session, hold: Hold) -> Outcome:
    """Sell the seat to the holder: applied if this very hold still stands and its time is not over.

    Paying twice sells once and says both times that it was applied.
    """
    now = server_now(session)
    values = (hold.ticket.event_id, hold.ticket.ticket_id, hold.token, now)

    def sold(seat: Seat) -> bool:
        return seat.status == "sold" and seat.hold_token == hold.token

    applied, before = _conditional(session, "pay_seat", values, hold.ticket, sold)
    if not applied and not sold(before):
        return Outcome(False, before.status)
    _end(session, hold, "paid", now)
    return Outcome(True, "sold")


def cancel(session: Session, hold: Hold) -> Outcome:
    """Give the seat back: applied if this very hold still stands."""
    values = (hold.ticket.event_id, hold.ticket.ticket_id, hold.token)
    applied, before = _conditional(
        session, "release_seat", values, hold.ticket, lambda seat: seat.hold_token != hold.token
    )
    if not applied:
        return Outcome(False, before.status)
    _end(session, hold, "cancelled", hold.started_at)
    return Outcome(True, "available")


def release_expired(session: Session, event: Event, *, now: datetime | None = None) -> list[Ticket]:
    """Make every seat available again whose hold is over, and return their tickets.

    The end of a TTL writes nothing anywhere, so somebody has to look: candidates come from the view, and a conditional
    update on each row decides, so that a seat that is paid or held anew in the meantime stays as it is.
    """
    now = now or server_now(session)
    released = []
    for row in session.execute(_prepared(session, "held_seats"), (event.id,)):
        ticket = event.by_id[row.ticket_id]
        seat = seat_of(session, ticket)
        if seat.status != "held" or seat.held_until is None or seat.held_until > now:
            continue
        token, values = seat.hold_token, (event.id, ticket.ticket_id, seat.hold_token, now)
        applied, _ = _conditional(
            session, "expire_seat", values, ticket, lambda seat, token=token: seat.hold_token != token
        )
        if applied:
            session.execute(_prepared(session, "end_order"), ("expired", seat.held_until, token))
            released.append(ticket)
    return released


def seat_of(session: Session, ticket: Ticket) -> Seat:
    """The state of a seat, read at SERIAL: it sees, and if need be finishes, what a conditional update began."""
    from cassandra import ConsistencyLevel

    query = _prepared(session, "read_seat").bind((ticket.event_id, ticket.ticket_id))
    query.consistency_level = ConsistencyLevel.LOCAL_SERIAL
    row = session.execute(query).one()
    return Seat(row.status, row.held_by, row.hold_token, row.held_until) if row else Seat(None, None, None, None)


def is_held(session: Session, ticket: Ticket) -> bool:
    """Does somebody hold this seat, and is the hold's time not over?"""
    seat = seat_of(session, ticket)
    return seat.status == "held" and (seat.held_until is None or seat.held_until > server_now(session))


def count_by_status(session: Session, event: Event) -> dict[str, int]:
    """How many seats are available, held and sold, counted on the tickets themselves."""
    rows = session.execute("SELECT status FROM tickets WHERE event_id = %s", (event.id,))
    counts = Counter(row.status for row in rows)
    return {status: counts[status] for status in ("available", "held", "sold")}


def _conditional(
    session: Session, name: str, values: tuple[Any, ...], ticket: Ticket, in_effect: Callable[[Seat], bool]
) -> tuple[bool, Seat]:
    """Execute a conditional update: was it applied, and what the seat was before (as far as the answer tells).

    After a timeout nobody knows whether it was applied. A read at SERIAL does, and ``in_effect`` says what to look for.
    """
    from cassandra import OperationTimedOut, WriteTimeout

    try:
        result = session.execute(_prepared(session, name), values)
    except (WriteTimeout, OperationTimedOut):
        seat = seat_of(session, ticket)
        return in_effect(seat), seat
    # ScyllaDB always answers with the columns of the condition, Cassandra only when it was not applied.
    row = result.one()._asdict()
    return row["applied"], Seat(row.get("status"), row.get("held_by"), row.get("hold_token"), row.get("held_until"))


def _queue_and_order(
    session: Session, ticket: Ticket, buyer: str, token: UUID, started_at: datetime, seconds: int
) -> None:
    queue = (ticket.event_id, ticket.ticket_id, started_at, buyer, seconds)
    order = (token, ticket.event_id, ticket.ticket_id, started_at, "pending", ticket.price, user_id(buyer))
    _together(session, ("join_queue", queue), ("write_order", order))


def _end(session: Session, hold: Hold, status: str, when: datetime) -> None:
    queue = (hold.ticket.event_id, hold.ticket.ticket_id, hold.started_at)
    _together(session, ("leave_queue", queue), ("end_order", (status, when, hold.token)))


def _together(session: Session, *writes: tuple[str, tuple[Any, ...]]) -> None:
    futures = [session.execute_async(_prepared(session, name), values) for name, values in writes]
    for future in futures:
        future.result()


def _prepared(session: Session, name: str) -> PreparedStatement:
    from cassandra import InvalidRequest

    try:
        return prepared(session, name)
    except InvalidRequest as error:
        raise LabError(
            "These tables have no columns for holds yet: run apply_cql(session, 'checkout.cql') first."
        ) from error
