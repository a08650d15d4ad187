"""The figures of the checkout: buyers who want the same seats, families of four, and the two ways to tidy up."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from helpers.lab.clock import push_clock, server_now
from helpers.lab.quiet_gc import quiet_gc
from helpers.lab.statements import prepared
from helpers.shop.box_office import hold_seat
from helpers.shop.event import Event
from helpers.shop.opening import open_chapter
from helpers.shop.parties import hold_in_turn, hold_together
from helpers.shop.sweeper import Sweeper, make_reader
from helpers.shop.venue import Ticket

if TYPE_CHECKING:
    from cassandra.cluster import Session

AT_ONCE = 16
BUYERS_A_SEAT = 10
ROUND = 10  # seats
CONTESTED, FAMILIES, HELD = 200, 200, 2_000  # seats, parties, seats; fewer in a small venue


@dataclass(frozen=True)
class Figure:
    """One measurement. ``ratio`` compares it with the figure named ``against``: 2 is twice as good, whatever the unit.

    ``target`` is what the course promises, where it promises something.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    against: str | None = None
    ratio: float | None = None


def measure(session: Session, keyspace: str, seats: int, embedded: bool) -> list[Figure]:
    """All of them. ``session`` uses ``keyspace``, whose tables have the columns for holds."""
    return [
        *_contended(session, _afresh(session, keyspace, seats)),
        *_families(session, _afresh(session, keyspace, seats)),
        *(_tidying(session, _afresh(session, keyspace, seats)) if embedded else []),
    ]


def _afresh(session: Session, keyspace: str, seats: int) -> Event:
    with redirect_stdout(StringIO()):
        event = open_chapter(session, keyspace, seats)
    event.tickets  # noqa: B018  made before the clock runs
    return event


def _contended(session: Session, event: Event) -> list[Figure]:
    """Ten buyers for each seat, sixteen at a time: with a conditional update alone, and with a whole hold."""
    number, names = min(CONTESTED, event.seats // (2 * ROUND) * ROUND), count(1)
    update, until = prepared(session, "hold_seat"), server_now(session)

    def bare(ticket: Ticket) -> None:
        session.execute(update, ("Ada", uuid4(), until, ticket.event_id, ticket.ticket_id))

    def whole(ticket: Ticket) -> None:
        hold_seat(session, ticket, f"buyer {next(names)}")

    # In turns, so that a machine which is slow for a moment is slow for both.
    seconds = {bare: 0.0, whole: 0.0}
    for begin in range(0, 2 * number, 2 * ROUND):
        for attempt, tickets in (
            (bare, event.tickets[begin : begin + ROUND]),
            (whole, event.tickets[begin + ROUND : begin + 2 * ROUND]),
        ):
            seconds[attempt] += _seconds_at_once(attempt, tickets * BUYERS_A_SEAT)
    rates = [BUYERS_A_SEAT * number / each for each in seconds.values()]
    name = "conditional updates, contended"
    return [
        Figure(name, rates[0], "/s"),
        Figure("holds, contended", rates[1], "/s", None, name, rates[1] / rates[0]),
    ]


def _families(session: Session, event: Event) -> list[Figure]:
    """Parties of four who all get their seats: by a conditional batch, and one seat after the other."""
    number = min(FAMILIES, event.seats // 8)
    wishes = [event.tickets[begin : begin + 4] for begin in range(0, 8 * number, 4)]
    rates = []
    for hold, mine in (hold_in_turn, wishes[:number]), (hold_together, wishes[number:]):
        with quiet_gc():
            begin = time.perf_counter()
            if not all(hold(session, wish, "Ada").applied for wish in mine):
                raise RuntimeError("A family did not get its seats, though nobody else was there.")
            rates.append(number / (time.perf_counter() - begin))
    name = "families of four, seat by seat"
    return [
        Figure(name, rates[0], "/s"),
        Figure("families of four, by a batch", rates[1], "/s", None, name, rates[1] / rates[0]),
    ]


def _tidying(session: Session, event: Event) -> list[Figure]:
    """A tenth of all holds has lapsed: freed by the log's deadlines, and by a scan; then a round with nothing to do."""
    held = min(HELD, event.seats // 2)
    lapsing = held // 10
    _seconds_at_once(
        lambda ticket: hold_seat(session, ticket, "Ada", seconds=7200), event.tickets[2 * lapsing : lapsing + held]
    )
    by_log, by_scan = Sweeper(session, audit_seconds=None), Sweeper(session, audit_seconds=None)
    reader = make_reader(session, by_log, "bench", safety=0)

    def read_log() -> None:
        now = server_now(session)
        for change in reader.poll():
            by_log.consume(change)
        by_log.settle_due(now)

    freeing, idle = [], []
    read_log()  # learns of those who stay
    for number, tidy in enumerate((read_log, by_scan.audit)):
        mine = event.tickets[number * lapsing : (number + 1) * lapsing]
        _seconds_at_once(lambda ticket: hold_seat(session, ticket, "Bo", seconds=60), mine)
        push_clock(session, 62)
        freeing.append(_milliseconds(tidy))
        idle.append(_milliseconds(tidy))
    if (by_log.swept.released, by_scan.swept.found_by_audit) != (lapsing, lapsing):
        raise RuntimeError(f"Not all of {lapsing} seats were freed: {by_log.swept}; {by_scan.swept}.")
    figures = []
    for what, (log, scan) in (
        (f"{lapsing} of {held:,} holds freed", freeing),
        (f"{held - lapsing:,} holds, nothing to do", idle),
    ):
        figures.append(Figure(f"{what}, scan", scan, "ms"))
        figures.append(Figure(f"{what}, log", log, "ms", None, figures[-1].name, scan / log))
    return figures


def _milliseconds(tidy: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    tidy()
    return 1000 * (time.perf_counter() - begin)


def _seconds_at_once(do: Callable[[Ticket], Any], tickets: Sequence[Ticket]) -> float:
    with quiet_gc(), ThreadPoolExecutor(AT_ONCE) as pool:
        begin = time.perf_counter()
        for _ in pool.map(do, tickets):
            pass
        return time.perf_counter() - begin
