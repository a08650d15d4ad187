"""Several seats in one checkout, all or none: by a conditional batch, or one after the other with compensation.

All tickets of an event are in one partition, and a conditional batch within a partition is one decision. Each seat of
a party is a hold of its own, with an id made from the party's, so everything that is true of a hold is true of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

from ..lab.clock import server_now
from ..lab.errors import LabError
from . import on_sale
from .asking import passes
from .box_office import (
    HOLD_SECONDS,
    Hold,
    Outcome,
    cancel,
    follow_hold,
    has_ended,
    hold_seat,
    hold_with_id,
    leave_queue,
    seat_of,
)
from .checkout_protocol import CANCEL, HOLD, PAY, Transition
from .seats import Seat, check_hold_seconds, order_status, statement_of, together, write_order
from .venue import Ticket

if TYPE_CHECKING:
    from cassandra.cluster import Session
    from cassandra.query import BatchStatement, BoundStatement


@dataclass(frozen=True)
class Party:
    """The answer to one attempt to hold several seats: ``applied``, and true, for all of ``holds`` or for none.

    If not applied, the holds say what each seat was and whose, as far as the answer tells.
    """

    applied: bool
    holds: tuple[Hold, ...]
    party_id: UUID

    def __bool__(self) -> bool:
        return self.applied

    def __str__(self) -> str:
        if self.applied:
            return f"{self.holds[0].buyer} holds {', '.join(hold.ticket.label for hold in self.holds)}."
        in_the_way = [hold for hold in self.holds if hold.status != "available"]
        return " ".join(map(str, in_the_way)) or f"{self.holds[0].buyer} was too late."


def hold_together(
    session: Session,
    tickets: Sequence[Ticket],
    buyer: str,
    *,
    seconds: int = HOLD_SECONDS,
    party_id: UUID | None = None,
) -> Party:
    """Try to hold all of ``tickets``, of one event, for ``buyer``: all are applied, or none, in one decision.

    With the ``party_id`` of an earlier call whose outcome nobody knows, the call may be repeated: it is the same party.

    >>> print(hold_together(session, event.section("F01")[:4], "Ada"))
    Ada holds F01 A-1, F01 A-2, F01 A-3, F01 A-4.
    """
    check_hold_seconds(seconds, "seconds")
    seats, repeated = _in_order(tickets), party_id is not None
    now, party_id = server_now(session), party_id or uuid4()
    until = now + timedelta(seconds=seconds)
    holds = [Hold(False, seat, buyer, _hold_id(party_id, seat), now, until, "available", None) for seat in seats]
    if repeated and any(has_ended(session, hold.hold_id) for hold in holds):
        return Party(False, tuple(holds), party_id)

    def values(hold: Hold) -> tuple[Any, ...]:
        return buyer, hold.hold_id, until, hold.ticket.event_id, hold.ticket.ticket_id

    applied, before = _decide(session, HOLD, holds, values, lambda hold, seat: seat.hold_id == hold.hold_id)
    holds = [replace(hold, status=seat.status, held_by=seat.held_by) for hold, seat in zip(holds, before, strict=True)]
    if not applied and all(hold.held_by == buyer for hold in holds):
        found = [seat_of(session, hold.ticket) for hold in holds]
        if all(seat.hold_id == hold.hold_id for hold, seat in zip(holds, found, strict=True)):
            # An earlier call with this id was applied, and its answer got lost: go on from there, with its times.
            until = found[0].held_until or until
            applied = found[0].status == "sold" or until > now
            started_at = until - timedelta(seconds=seconds)
            holds = [replace(hold, started_at=started_at, held_until=until) for hold in holds]
            if found[0].status == "sold":
                return Party(applied, tuple(replace(hold, applied=applied, status="sold") for hold in holds), party_id)
    if applied:
        holds = [replace(hold, applied=True, status="held", held_by=buyer) for hold in holds]
        now = server_now(session)
        joining, orders = zip(*(follow_hold(session, hold, now) for hold in holds), strict=True)
        together(session, [_at_once(joining), *orders])
    return Party(applied, tuple(holds), party_id)


def pay_together(session: Session, party: Party) -> Outcome:
    """Sell all seats of the party, or none: applied if every one of these holds still stands, and in time."""
    if not party.applied:
        return Outcome(False, party.holds[0].status)
    now = server_now(session)

    def sold(hold: Hold, seat: Seat) -> bool:
        return seat.status == "sold" and seat.hold_id == hold.hold_id

    def values(hold: Hold) -> tuple[Any, ...]:
        return hold.ticket.event_id, hold.ticket.ticket_id, hold.hold_id, now

    applied, before = _decide(session, PAY, party.holds, values, sold)
    if not applied and not all(map(sold, party.holds, before)):
        return Outcome(False, before[0].status)
    undone = [hold for hold in party.holds if applied or order_status(session, hold.hold_id) != PAY.order]
    _finish(session, party.holds, undone, PAY, now)
    return Outcome(True, "sold")


def cancel_together(session: Session, party: Party) -> Outcome:
    """Give all seats back. Applied if every hold still stood; if some did not, the others are given back one by one."""
    if not party.applied:
        return Outcome(False, party.holds[0].status)

    def values(hold: Hold) -> tuple[Any, ...]:
        return hold.ticket.event_id, hold.ticket.ticket_id, hold.hold_id

    applied, before = _decide(session, CANCEL, party.holds, values, lambda hold, seat: seat.hold_id != hold.hold_id)
    if not applied:
        for hold in party.holds:
            cancel(session, hold)
        return Outcome(False, before[0].status)
    _finish(session, party.holds, party.holds, CANCEL, party.holds[0].started_at)
    return Outcome(True, "available")


def hold_in_turn(
    session: Session,
    tickets: Sequence[Ticket],
    buyer: str,
    *,
    seconds: int = HOLD_SECONDS,
    party_id: UUID | None = None,
) -> Party:
    """``hold_together`` without a batch: seat after seat, and on the first refusal the others are given back.

    Somebody else may see a seat as held that comes back a moment later. The order of the ids keeps two parties with
    the same wish from taking half of it each.
    """
    hold = hold_with_id if party_id is None else hold_seat
    party_id, holds = party_id or uuid4(), []
    for ticket in _in_order(tickets):
        holds.append(hold(session, ticket, buyer, seconds=seconds, hold_id=_hold_id(party_id, ticket)))
        if not holds[-1].applied:
            for taken in reversed(holds[:-1]):
                cancel(session, taken)
            given_back = [replace(each, applied=False, status="available", held_by=None) for each in holds[:-1]]
            return Party(False, (*given_back, holds[-1]), party_id)
    return Party(True, tuple(holds), party_id)


def _decide(
    session: Session,
    transition: Transition,
    holds: Sequence[Hold],
    values: Callable[[Hold], tuple[Any, ...]],
    in_effect: Callable[[Hold, Seat], bool],
) -> tuple[bool, list[Seat]]:
    """One conditional batch: was it applied, and what each seat was before (after a timeout: is now)."""
    statement = statement_of(session, transition.decision)
    batch = _at_once([statement.bind(values(hold)) for hold in holds])
    try:
        rows = [row._asdict() for row in session.execute(batch)]
    except Exception as error:
        if not passes(error):
            raise
        seats = [seat_of(session, hold.ticket) for hold in holds]
        return all(map(in_effect, holds, seats)), seats
    # A row for each seat, by its key; Cassandra gives none when it was applied, and then what was before is known.
    found = {row["ticket_id"]: row for row in rows if row.get("ticket_id") is not None}
    known = [found.get(hold.ticket.ticket_id, {}) for hold in holds]
    return rows[0]["applied"], [Seat(row.get("status"), row.get("held_by"), row.get("hold_id")) for row in known]


def _finish(
    session: Session, holds: Sequence[Hold], undone: Sequence[Hold], transition: Transition, when: datetime
) -> None:
    """The orders, then whether the event still has tickets, and last of all the queue."""
    together(session, [write_order(session, hold.order, transition.order, when) for hold in undone])
    ticket = holds[0].ticket
    changed = on_sale.seat_sold if transition is PAY else on_sale.seat_freed
    changed(session, ticket.event_id, ticket.ticket_id)
    together(session, [_at_once([leave_queue(session, hold) for hold in holds])])


def _at_once(queries: Sequence[BoundStatement]) -> BatchStatement:
    """One message for all of them. Only for rows of one partition, as the queue of an event is."""
    from cassandra.query import BatchStatement, BatchType

    batch = BatchStatement(batch_type=BatchType.UNLOGGED)
    for query in queries:
        batch.add(query)
    return batch


def _hold_id(party_id: UUID, ticket: Ticket) -> UUID:
    """The id of a seat's hold, the same whenever it is made for this party."""
    return uuid5(party_id, str(ticket.ticket_id))


def _in_order(tickets: Sequence[Ticket]) -> list[Ticket]:
    if not tickets:
        raise LabError("A party needs at least one seat.")
    if len({ticket.event_id for ticket in tickets}) > 1:
        raise LabError("A party's seats must be of one event: a conditional batch decides within one partition.")
    return sorted(set(tickets), key=lambda ticket: ticket.ticket_id.bytes)
