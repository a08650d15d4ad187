"""A whole evening at a small venue: a crowd, a sweeper in a process of its own, and the books at the end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from cassandra.cluster import Session

from helpers import Event, count_by_status, hold_together, let_time_pass, server_now, sweep_together, wait_until
from helpers.lab.errors import LabError
from helpers.shop import crowd
from helpers.shop.beside import SweeperBeside, SweeperThread
from helpers.shop.crowd import ROUNDS, RunningSale, open_sale
from helpers.shop.sweeper import Sweeper
from tests.patience import SECONDS
from tests.unit.conftest import KEYSPACE


@pytest.mark.slow
def test_a_crowd_buys_every_seat_once(lab: Session, chapter: Event) -> None:
    sale = open_sale(lab, chapter, walk_away=0.3, cancel=0.2)
    assert count_by_status(lab, chapter) == {"available": 0, "held": 0, "sold": chapter.seats}
    tickets = lab.execute("SELECT ticket_id, hold_id FROM tickets WHERE event_id = %s", (chapter.id,))
    orders = list(lab.execute("SELECT order_id, ticket_id, status FROM orders"))
    paid = [(each.ticket_id, each.order_id) for each in orders if each.status == "paid"]
    assert sorted(paid) == sorted((each.ticket_id, each.hold_id) for each in tickets)
    assert "pending" not in {each.status for each in orders}
    assert not list(lab.execute("SELECT event_id FROM available_events WHERE has_tickets = true"))
    # What the crowd itself has seen says the same.
    assert sale.sold_twice() == []
    assert sum(sold for _, _, sold in sale.changes()) == chapter.seats
    assert sum(held for _, held, _ in sale.changes()) == 0
    assert len(sale.released) == sum(each.status == "expired" for each in orders) > 0
    assert set(sale.sold_at(sale.seconds).values()) == {100}


@pytest.mark.slow
def test_the_sweeper_beside_it_tells_which_seats_it_frees(lab: Session, chapter: Event) -> None:
    party = hold_together(lab, chapter.tickets[:3], "Ada", seconds=60)
    freed: list[UUID] = []
    with SweeperBeside(KEYSPACE, freed.append):
        let_time_pass(lab, 61)
        wait_until(lambda: len(freed) == 3, why="the sweeper to free three seats", seconds=SECONDS)
    assert set(freed) == {hold.ticket.ticket_id for hold in party.holds}


@pytest.mark.slow
def test_a_sweeper_that_cannot_work_is_not_passed_over(lab: Session) -> None:
    nowhere = SweeperBeside("nowhere", print)
    with pytest.raises(LabError, match="The sweeper has ended by itself: error: "), nowhere as beside:
        assert beside.ended.wait(SECONDS)


class Own:
    """A sweeper as a learner writes it."""

    def __init__(self, session: Session):
        self.session, self.deadlines = session, {}
        self.expire = session.prepare("""
            UPDATE tickets SET status = 'available', held_by = null, hold_id = null, held_until = null
                WHERE event_id = ? AND ticket_id = ?
                IF status = 'held' AND hold_id = ? AND held_until <= ?""")

    def consume(self, change: Any) -> None:
        for row in change.delta:
            key = tuple(row.key.values())
            if row.ends_at is None:
                self.deadlines.pop(key, None)
            else:
                self.deadlines[key] = row.ends_at, row["hold_id"]

    def advanced(self, until: datetime) -> None:
        for key, (ends_at, hold_id) in list(self.deadlines.items()):
            if ends_at <= until:
                self.session.execute(self.expire, (*key[:2], hold_id, until))
                del self.deadlines[key]


@pytest.mark.slow
def test_a_learner_s_sweeper_frees_what_is_left_behind_and_every_seat_is_sold(lab: Session, chapter: Event) -> None:
    sale = open_sale(lab, chapter, walk_away=0.3, sweeper=Own)
    assert count_by_status(lab, chapter) == {"available": 0, "held": 0, "sold": chapter.seats}
    assert sale.released and sale.trouble is None and sale.sold_twice() == []
    assert sum(held for _, held, _ in sale.changes()) == 0
    # A round begins with a seat for each of its fans, until nothing is held: three in ten come back after each hold.
    assert sale.rounds <= 3 * ROUNDS


@pytest.mark.slow
def test_a_learner_s_sweeper_that_fails_leaves_seats_held_and_says_why(lab: Session, chapter: Event) -> None:
    class Broken(Own):
        def consume(self, change: Any) -> None:
            raise KeyError("hold_token")

    sale = open_sale(lab, chapter, walk_away=0.3, sweeper=Broken)
    counts = count_by_status(lab, chapter)
    assert counts["available"] == 0 and counts["held"] > 0
    assert sale.trouble == "KeyError: 'hold_token'" and sale.released == []


class AtWork:
    """Sweepers that need so many waits until nothing is left; each wait, one more answer, or none."""

    alive, ours, seconds = 1, False, 0.0
    trouble: str | None = None

    def __init__(self, waits: int, read_until: datetime | None, works: bool):
        self.left, self.read_until, self.answers, self.works = waits, read_until, 0, works

    @property
    def progress(self) -> tuple[datetime | None, int]:
        return self.read_until, self.answers

    def lapsed(self, *_: Any) -> list[int]:
        self.left -= 1
        self.answers += self.works
        return [1] if self.left > 0 else []


@pytest.mark.parametrize(
    ("waits", "read_until", "works", "freed", "trouble"),
    [
        (5, None, True, True, None),
        (5, datetime(2031, 1, 1), True, True, None),
        (5, datetime(2031, 1, 1), False, False, "it is there, and frees nothing"),
        (5, datetime(2031, 1, 3), True, False, "it is there, and frees nothing"),
        (500, None, True, False, "it has read the log for very long"),
    ],
    ids=["at work", "behind", "stuck", "has read all", "without end"],
)
def test_a_learner_s_sweeper_may_be_slow_as_long_as_it_is_at_work(
    monkeypatch: pytest.MonkeyPatch,
    waits: int,
    read_until: datetime | None,
    works: bool,
    freed: bool,
    trouble: str | None,
) -> None:
    sweepers = AtWork(waits, read_until, works)
    monkeypatch.setattr(crowd, "server_now", lambda session: datetime(2031, 1, 2))
    monkeypatch.setattr(crowd, "lapsed", sweepers.lapsed)
    run = SimpleNamespace(session=None, sweepers=sweepers)
    assert crowd._freed_in_time(run, SimpleNamespace(id=None)) is freed
    assert (sweepers.trouble or "").startswith(trouble or "") and bool(sweepers.trouble) == bool(trouble)


@pytest.mark.slow
def test_a_learner_s_sweeper_that_reads_all_and_frees_nothing_is_not_waited_for(
    lab: Session, chapter: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SweeperThread, "seconds", 3.0)

    class Idle(Own):
        def advanced(self, until: Any) -> None:
            pass

    sale = open_sale(lab, chapter, walk_away=0.3, sweeper=Idle)
    assert "it is there, and frees nothing" in str(sale.trouble)
    assert sale.released == [] and count_by_status(lab, chapter)["held"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("make", [None, Own], ids=["ours", "a learner's"])
def test_a_dead_sweeper_is_replaced_by_one_that_knows_nothing(lab: Session, chapter: Event, make: Any) -> None:
    """The second reads the log from the beginning of the sale: what the first had learnt is not lost."""
    lives = []

    @contextmanager
    def audience(run: RunningSale) -> Iterator[None]:
        run.sweepers.kill_one()
        lives.append(run.sweepers.alive)
        run.sweepers.one_more()
        lives.append(run.sweepers.alive)
        yield

    sale = open_sale(lab, chapter, walk_away=0.3, sweeper=make, audience=audience)
    assert lives == [0, 1]
    assert count_by_status(lab, chapter) == {"available": 0, "held": 0, "sold": chapter.seats}
    assert sale.released and sale.trouble is None


@pytest.mark.slow
@pytest.mark.parametrize("make", [Own, Sweeper], ids=["a learner's", "ours"])
def test_copies_that_read_the_same_log_free_each_seat_once(lab: Session, chapter: Event, make: Any) -> None:
    since = server_now(lab)
    party = hold_together(lab, chapter.tickets[:3], "Cy", seconds=60)
    let_time_pass(lab, 61)
    freed = sweep_together(lab, chapter, make, copies=3, since=since)
    assert sorted(freed) == sorted(hold.ticket for hold in party.holds)
    assert sweep_together(lab, chapter, make, copies=1, since=since) == []


@pytest.mark.slow
def test_a_copy_that_fails_is_not_passed_over(lab: Session, chapter: Event) -> None:
    since = server_now(lab)
    hold_together(lab, chapter.tickets[:1], "Cy", seconds=60)
    let_time_pass(lab, 2)
    with pytest.raises(LabError, match="A sweeper has stopped: TypeError: "):
        sweep_together(lab, chapter, lambda session: object(), copies=1, since=since)


@pytest.mark.slow
def test_an_interrupt_ends_a_sale_and_nobody_waits_behind_its_doors(lab: Session, chapter: Event) -> None:
    runs = []

    @contextmanager
    def audience(run: RunningSale) -> Iterator[None]:
        runs.append(run)

        def interrupt() -> None:
            wait_until(lambda: run.sale.answers, why="the first fan to be served", seconds=SECONDS)
            run.doors.shut_or_open()
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        threading.Thread(target=interrupt).start()
        yield

    # A shell that starts the tests in the background lets them ignore an interrupt.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            open_sale(lab, chapter, audience=audience)
    finally:
        signal.signal(signal.SIGINT, before)
    assert runs[0].sweepers.alive == 0
    assert 0 < runs[0].sale.seconds < SECONDS
