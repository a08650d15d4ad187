"""A process full of buyers, for ``test_rush``: ``python -m tests.protocol.buyers_process KEYSPACE SEATS FIRST LAST``.

Each buyer is a thread that wants seats until nothing is left: some pay, some cancel, some walk away, some die between
two statements. When the node is gone they try again. Whoever is sold a seat writes it to standard output.
"""

from __future__ import annotations

import faulthandler
import random
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cassandra import DriverException, OperationTimedOut, RequestExecutionException
from cassandra.cluster import NoHostAvailable

from helpers import Event, cancel, connect, hold_seat, pay
from helpers.lab.connection import disconnect
from helpers.shop.parties import cancel_together, hold_together, pay_together
from tests.patience import LONG_SECONDS
from tests.protocol.faults import Died, Fault, FaultySession

HOLD_SECONDS = 4
PATIENCE_SECONDS = 0.5
AWAY_SECONDS = LONG_SECONDS / 3
OUTAGE = (NoHostAvailable, OperationTimedOut, RequestExecutionException, DriverException)


def main(keyspace: str, size: int, first: int, last: int) -> None:
    session = connect(keyspace)
    event = Event(seats=size)
    print("ready", flush=True)
    sys.stdin.readline()
    faulthandler.dump_traceback_later(LONG_SECONDS, exit=True)  # whoever hangs says where
    with ThreadPoolExecutor(last - first) as pool:
        buyers = [pool.submit(buy, session, event, f"buyer {each}", each) for each in range(first, last)]
    for buyer in buyers:
        buyer.result()
    disconnect()


def buy(session: Any, event: Event, name: str, seed: int) -> None:
    """Buy seats, as one does, until no seat is left."""
    chance = random.Random(seed)
    mine = FaultySession(session)
    deadline = time.monotonic() + LONG_SECONDS
    while time.monotonic() < deadline:
        wanted = insist(lambda: seats(session, event, "available"))
        if not wanted:
            if not insist(lambda: seats(session, event, "held")):
                return
            time.sleep(PATIENCE_SECONDS)  # perhaps somebody walks away
            continue
        mine.arm(Fault("dies after", chance.randint(1, 8)) if chance.random() < 0.15 else None)
        try:
            visit(mine, chance, [event.by_id[each] for each in wanted], name)
        except Died:
            continue  # the buyer is gone; somebody of the same name comes later
        except OUTAGE:
            time.sleep(PATIENCE_SECONDS)


def visit(session: FaultySession, chance: random.Random, wanted: list[Any], name: str) -> None:
    """One buyer at the box office: holds, and then pays, cancels or walks away."""
    choice = chance.random()
    if choice < 0.25 and len(wanted) >= 3:
        party = hold_together(session, chance.sample(wanted, 3), name, seconds=HOLD_SECONDS)
        if not party.applied:
            return
        if choice < 0.05:
            cancel_together(session, party)
        elif choice < 0.2 and pay_together(session, party).applied:
            for hold in party.holds:
                print(f"sold {hold.ticket.ticket_id} {hold.hold_id}", flush=True)
        return
    hold = hold_seat(session, chance.choice(wanted), name, seconds=HOLD_SECONDS)
    if not hold.applied:
        return
    if choice < 0.4:
        cancel(session, hold)
    elif choice < 0.85 and pay(session, hold).applied:
        print(f"sold {hold.ticket.ticket_id} {hold.hold_id}", flush=True)


def seats(session: Any, event: Event, status: str) -> list[Any]:
    """Some seats with this status."""
    query = "SELECT ticket_id FROM available_tickets WHERE event_id = %s AND status = %s LIMIT 40"
    return [row.ticket_id for row in session.execute(query, (event.id, status))]


def insist(ask: Callable[[], Any]) -> Any:
    """An answer, however long the node is away; if it does not come back, why."""
    deadline = time.monotonic() + AWAY_SECONDS
    while True:
        try:
            return ask()
        except OUTAGE:
            if time.monotonic() > deadline:
                raise
            time.sleep(PATIENCE_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
