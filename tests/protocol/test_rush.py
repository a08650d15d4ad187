"""A crowd of buyers in several processes, two sweepers, and a node that is killed: at the end the books are right.

On the embedded node, or another engine (``tests/engines/choice.py``): nobody kills that one, and Cassandra, which has
no such log, is tidied up by the scan and by closed books. There every conditional update of the event's partition
competes with all others, and two hundred buyers take one to eight minutes on two cores: ``RUSH_BUYERS=60`` is quicker.
On the embedded node CI sends two hundred for 500 seats; every day it is forty for 200.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from helpers import Event, apply_cql, connect, count_by_status, let_time_pass, open_chapter, wait_until
from helpers.lab.connection import disconnect
from helpers.lab.engine import engine_of
from helpers.lab.node import running_node, stop_node
from helpers.shop.on_sale import is_offered
from helpers.shop.sweeper import Sweeper, close_books, make_reader, scan, sweep
from scylla_cdc import Change, ChangeReaderError
from tests.engines.choice import CHOSEN, UNKNOWN
from tests.engines.second import cassandra_or_skip
from tests.full import in_full
from tests.patience import LONG_SECONDS, SECONDS
from tests.protocol.buyers_process import HOLD_SECONDS, OUTAGE, insist

KEYSPACE = "proof_rush"
BUYERS = int(os.environ.get("RUSH_BUYERS", in_full("100", "40")))
PROCESSES, SEATS = 4, in_full(500, 200)
KILL_AFTER = in_full((60, 200), (30, 90))  # sales; then a process and the node are killed
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A session to a node of this test's own, or to the cluster that was asked for."""
    monkeypatch.setenv("HELPERS_PROGRESS", "off")
    monkeypatch.setattr("helpers.lab.connection._clusters", {})  # disconnect() closes this test's connections only
    if CHOSEN == "embedded":
        monkeypatch.setenv("EMBEDDED_DIR", str(tmp_path))
        yield connect()
        disconnect()
        stop_node()
    elif CHOSEN == "scylla":
        yield connect()
        disconnect()
    elif CHOSEN == "cassandra":
        with cassandra_or_skip() as node:
            monkeypatch.setenv("SCYLLA_HOSTS", node.host)
            monkeypatch.setenv("SCYLLA_PORT", str(node.port))
            yield connect()
            disconnect()
    else:
        raise pytest.UsageError(UNKNOWN)


class BuyersProcess:
    """A process of buyers, and what it says of its sales."""

    def __init__(self, first: int, last: int):
        command = [sys.executable, "-m", "tests.protocol.buyers_process", KEYSPACE, str(SEATS), str(first), str(last)]
        self.arguments = first, last
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
        self.sold: list[tuple[UUID, UUID]] = []
        self._ready = threading.Event()
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def begin(self) -> None:
        assert self._ready.wait(SECONDS), "the buyers did not come"
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """End the process in the middle of whatever it does, and begin another one in its place."""
        self.process.kill()
        self._join(SECONDS)

    def finish(self, seconds: float) -> None:
        self._join(seconds)
        assert self.process.returncode == 0

    def _join(self, seconds: float) -> None:
        self.process.wait(seconds)
        self._listener.join(SECONDS)
        self.process.stdin.close()
        self.process.stdout.close()

    def _listen(self) -> None:
        for line in self.process.stdout:
            if line.startswith("sold ") and len(words := line.split()) == 3:
                self.sold.append((UUID(words[1]), UUID(words[2])))
            elif line.startswith("ready"):
                self._ready.set()


class Sweeping:
    """A sweeper in a thread of its own, which is made anew when it fails, as a service is."""

    def __init__(self, session: Any, name: str):
        self.session, self.name, self.ended = session, name, threading.Event()
        self.lives: list[Sweeper] = []
        self._thread = threading.Thread(target=self._live)
        self._thread.start()

    def end(self) -> int:
        """How many seats it has freed."""
        self.ended.set()
        self._thread.join(LONG_SECONDS)
        return sum(sweeper.swept.released + sweeper.swept.found_by_audit for sweeper in self.lives)

    def _live(self) -> None:
        while not self.ended.is_set():
            sweeper = Sweeper(self.session, audit_seconds=1)
            self.lives.append(sweeper)
            try:
                if engine_of(self.session).kind == "cassandra":
                    scan(self.session, 0.2, self.ended)
                else:
                    reader = make_reader(self.session, sweeper, self.name, patience=1.0)
                    reader.run(Until(sweeper, self.ended, reader.stop))
            except (ChangeReaderError, *OUTAGE):
                self.ended.wait(0.1)


@dataclass
class Until:
    """A consumer that ends its reader when it is told to."""

    sweeper: Sweeper
    ended: threading.Event
    stop: Callable[[], None]

    def consume(self, change: Change) -> None:
        self.sweeper.consume(change)

    def advanced(self, until: datetime) -> None:
        self.sweeper.advanced(until)
        if self.ended.is_set():
            self.stop()


def kill_node() -> None:
    """End the embedded node as a power cut does, and start it again."""
    os.kill(running_node().pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    running_node()


@pytest.mark.slow
@pytest.mark.timeout(3 * LONG_SECONDS)
def test_many_buyers_and_a_dying_node_lose_nothing(session: Any) -> None:
    event = open_chapter(session, KEYSPACE, SEATS)
    apply_cql(session, "checkout.cql")
    share = BUYERS // PROCESSES
    processes = [BuyersProcess(begin, begin + share) for begin in range(0, BUYERS, share)]
    sweepers = [Sweeping(session, "one"), Sweeping(session, "two")]
    gone: list[BuyersProcess] = []
    for process in processes:
        process.begin()
    for sold in KILL_AFTER:
        wait_until(
            lambda sold=sold: sum(len(each.sold) for each in (*gone, *processes)) >= sold,
            why="sales",
            seconds=LONG_SECONDS,
        )
        victim = processes.pop(random.randrange(len(processes)))
        victim.kill()
        gone.append(victim)
        processes.append(BuyersProcess(*(each + 1000 for each in victim.arguments)))
        processes[-1].begin()
        if engine_of(session).kind == "embedded":
            kill_node()
    for process in processes:
        process.finish(LONG_SECONDS + SECONDS)  # one that hangs ends itself before, and says where it does
    released = [each.end() for each in sweepers]
    _check(session, event, [sale for process in (*gone, *processes) for sale in process.sold])
    print(f"released {released} in {[len(each.lives) for each in sweepers]} lives")


def _check(session: Any, event: Event, promised: list[tuple[UUID, UUID]]) -> None:
    counts = insist(lambda: count_by_status(session, event))
    assert counts == {"available": 0, "held": 0, "sold": SEATS}, "a seat is lost"
    let_time_pass(session, HOLD_SECONDS + 1)  # the deadlines of those who died after they had paid
    mended = 0
    if engine_of(session).kind == "cassandra":
        mended = close_books(session)
    else:
        sweep(session, name="last")
    tickets = session.execute("SELECT ticket_id, hold_id FROM tickets WHERE event_id = %s", (event.id,))
    sold = {row.ticket_id: row.hold_id for row in tickets}
    orders = list(session.execute("SELECT order_id, ticket_id, status FROM orders"))
    statuses = Counter(order.status for order in orders)
    print(f"{counts}; orders {dict(statuses)}; mended {mended}; promised {len(promised)}")
    assert {order.ticket_id: order.order_id for order in orders if order.status == "paid"} == sold
    assert statuses["paid"] == SEATS, "a seat was sold twice"
    assert statuses["pending"] == 0
    assert dict(promised).items() <= sold.items(), "a promise was broken"
    assert len(dict(promised)) == len(set(promised)), "a seat was promised twice"
    assert is_offered(session, event.id) is False
    assert not list(session.execute("SELECT event_id FROM available_events WHERE has_tickets = true"))
