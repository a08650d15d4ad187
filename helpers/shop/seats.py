"""A seat's row: reading it for certain, deciding about it by conditional updates, and what is written after it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..lab.errors import LabError
from ..lab.statements import prepared
from .asking import ask, passes
from .checkout_protocol import ORDER_RANKS

if TYPE_CHECKING:
    from cassandra.cluster import ResponseFuture, Session
    from cassandra.query import BoundStatement, PreparedStatement

LONGEST_HOLD = 630_720_000  # seconds: 20 years, the longest TTL that a row in the queue may have


@dataclass(frozen=True)
class Seat:
    """A ticket's row as far as it may change; the price only where it was asked for."""

    status: str | None = None
    held_by: str | None = None
    hold_id: UUID | None = None
    held_until: datetime | None = None
    price: Decimal | None = None


@dataclass(frozen=True)
class Order:
    """What an order says, apart from how far it came."""

    hold_id: UUID
    event_id: UUID
    ticket_id: UUID
    price: Decimal | None
    user_id: UUID


def statement_of(session: Session, name: str) -> PreparedStatement:
    """A statement of ``cql/checkout.cql``, prepared; a LabError if the tables have no columns for holds."""
    from cassandra import InvalidRequest

    try:
        return prepared(session, name)
    except InvalidRequest as error:
        raise LabError(
            "These tables have no columns for holds yet: run apply_cql(session, 'checkout.cql') first."
        ) from error


def read(session: Session, event_id: UUID, ticket_id: UUID, *, price: bool = False) -> Seat:
    """A seat at SERIAL: it sees, and if need be finishes, what a conditional update began.

    At the level at which seats are decided, in all data centres: LOCAL_SERIAL would not see what another one decides.
    """
    from cassandra import ConsistencyLevel

    query = statement_of(session, "read_ticket" if price else "read_seat").bind((event_id, ticket_id))
    query.consistency_level = ConsistencyLevel.SERIAL
    rows = ask(session, query)
    return Seat(*rows[0]) if rows else Seat()


def decide(
    session: Session,
    name: str,
    values: tuple[Any, ...],
    seat_key: tuple[UUID, UUID],
    in_effect: Callable[[Seat], bool],
) -> tuple[bool, Seat]:
    """Execute a conditional update: was it applied, and what the seat was before (as far as the answer tells).

    It is decided at the session's serial level, which ``connect()`` sets to SERIAL.

    After a timeout, or when the connection broke, nobody knows whether it was applied. A read at SERIAL does, and
    ``in_effect`` says what to look for; the seat is then as it is now.
    """
    try:
        result = session.execute(statement_of(session, name), values)
    except Exception as error:
        if not passes(error):
            raise
        seat = read(session, *seat_key)
        return in_effect(seat), seat
    # ScyllaDB always answers with the columns of the condition, Cassandra only when it was not applied.
    row = result.one()._asdict()
    return row["applied"], Seat(row.get("status"), row.get("held_by"), row.get("hold_id"), row.get("held_until"))


def write_order(session: Session, order: Order, status: str, when: datetime) -> BoundStatement:
    """The statement that brings an order to ``status``, and does nothing to one that is further.

    Its timestamp is a rank from 1 to 4: an ordinary write or DELETE of the row is stamped with the present, and hides
    every rank. So nothing else may write to ``orders``.
    """
    return statement_of(session, "write_order").bind(
        (
            order.hold_id,
            order.event_id,
            order.ticket_id,
            when,
            status,
            order.price,
            order.user_id,
            ORDER_RANKS[status],
        )
    )


def order_status(session: Session, hold_id: UUID) -> str | None:
    """How far the order of a hold came; None if there is none."""
    rows = ask(session, statement_of(session, "read_order"), (hold_id,))
    return rows[0].status if rows else None


def check_hold_seconds(seconds: object, name: str = "hold_seconds") -> None:
    """A LabError that calls it ``name`` if a hold cannot last so long."""
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise LabError(f"{name} must be a whole number of seconds, not {seconds!r}.")
    if seconds < 1:
        raise LabError(f"{name} must be at least 1, and is {seconds:,}: such a hold would be over before it began.")
    if seconds > LONGEST_HOLD:
        raise LabError(
            f"{name} must be {LONGEST_HOLD:,} at most, and is {seconds:,}: no row can live longer than 20 years."
        )


def seconds_left(until: datetime, now: datetime) -> int:
    """Whole seconds until then, rounded up: the TTL of a row that must not end before."""
    return math.ceil((until - now) / timedelta(seconds=1))


def together(session: Session, queries: Iterable[Any]) -> list[Any]:
    """Send all of them at once, and wait for every answer. They must be such that may be repeated."""
    sent: list[tuple[Any, ResponseFuture]] = [(query, session.execute_async(query)) for query in queries]
    return [_answer(session, query, future) for query, future in sent]


def _answer(session: Session, query: Any, future: ResponseFuture) -> Any:
    try:
        return future.result()
    except Exception as error:
        if not passes(error):
            raise
        return ask(session, query)
