"""What a sweeper makes of many answers at once, and how the one beside a sale ends: without a server."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from helpers.shop import sweeper
from helpers.shop.beside import SweeperBeside
from helpers.shop.box_office import Settled
from helpers.shop.deadlines import Deadline, QueueKey
from helpers.shop.sweeper import Sweeper
from tests.patience import SECONDS

NOW = datetime(2031, 6, 14, 20, 0)
EVENT = uuid4()


@pytest.fixture
def due(monkeypatch: pytest.MonkeyPatch) -> list[Deadline]:
    """200 deadlines of a queue, each of which was over at NOW; the seat of each is freed by whoever settles it."""
    monkeypatch.setattr(sweeper, "server_now", lambda session: NOW)
    monkeypatch.setattr(sweeper, "settle", lambda *arguments, **options: Settled(released=True))
    monkeypatch.setattr(sweeper.on_sale, "refresh", lambda session, event_id: None)
    starts = [NOW - timedelta(minutes=20, seconds=i) for i in range(200)]
    return [Deadline(QueueKey(EVENT, uuid4(), at), at + timedelta(minutes=15), at, uuid4(), "Ada") for at in starts]


def a_sweeper(due: list[Deadline], **options: Any) -> Sweeper:
    made = Sweeper(None, **options)
    monkey = SimpleNamespace(due=lambda until: list(due), done=due.remove, postpone=lambda deadline, at: None)
    made.deadlines = monkey
    return made


def test_what_sixteen_threads_find_is_counted_by_one(due: list[Deadline]) -> None:
    """Counters have no lock and need none; whoever is told of a freed seat is told by one thread."""
    told: list[tuple[UUID, int]] = []
    seats = {deadline.key.ticket_id for deadline in due}
    made = a_sweeper(due, released=lambda ticket_id: told.append((ticket_id, threading.get_ident())))
    made.settle_due(NOW)
    assert (made.swept.settled, made.swept.released, due) == (200, 200, [])
    assert {ticket_id for ticket_id, _ in told} == seats
    assert {thread for _, thread in told} == {threading.get_ident()}


def test_one_that_fails_hides_no_other(due: list[Deadline], monkeypatch: pytest.MonkeyPatch) -> None:
    """A seat that was freed beside the failure is told of: nobody would find it a second time."""
    unlucky = due[0].key.ticket_id

    def settle(session: object, event_id: UUID, ticket_id: UUID, **options: Any) -> Settled:
        if ticket_id == unlucky:
            raise ConnectionError("lost")
        return Settled(released=True)

    monkeypatch.setattr(sweeper, "settle", settle)
    told: list[UUID] = []
    made = a_sweeper(due, released=told.append)
    with pytest.raises(ConnectionError, match="lost"):
        made.settle_due(NOW)
    assert len(told) == made.swept.released == 199
    assert unlucky not in told and len(due) == 200  # none is done: all are asked about again


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
def test_a_sweeper_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"print('released {EVENT}', flush=True); time.sleep(3600)"
    )
    monkeypatch.setattr("helpers.shop.beside._END_SECONDS", 0.2)
    freed: list[UUID] = []
    beside = SweeperBeside("seats", freed.append)
    beside._command = [sys.executable, "-c", deaf]
    listening = threading.Event()
    with beside:
        while not freed:
            listening.wait(0.01)
    assert beside._process.returncode == -signal.SIGKILL
    assert beside.ended.wait(SECONDS)
