"""The sweeper on a node: what it learns, frees and heals, after restarts, beside a copy of itself, as a command."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from cassandra.cluster import Session

from helpers import Event, cancel, hold_seat, pay, release_expired, seat_of, server_now, wait_until
from helpers.lab.clock import push_clock
from helpers.lab.control import ask
from helpers.lab.engine import engine_of
from helpers.lab.errors import LabError
from helpers.shop.deadlines import Deadlines
from helpers.shop.on_sale import is_offered
from helpers.shop.parties import hold_together, pay_together
from helpers.shop.sweeper import HeldBack, Sweeper, main, make_reader, scan, sweep
from scylla_cdc import MemoryCheckpoints
from tests.patience import SECONDS
from tests.protocol.faults import Died, Fault, FaultySession
from tests.unit.conftest import KEYSPACE


@pytest.fixture
def shop(lab: Session, chapter: Event) -> Event:
    """The chapter, without the memory of sweepers of other tests."""
    for row in lab.execute(f"SELECT table_name FROM system_schema.tables WHERE keyspace_name = '{KEYSPACE}'"):
        if row.table_name.endswith("_checkpoints"):
            lab.execute(f"DROP TABLE {row.table_name}")
    return chapter


def read_up_to_now(session: Session, name: str = "sweeper") -> Sweeper:
    """A sweeper's life from its checkpoint to now, without an audit: what it knows, it knows from the log."""
    sweeper = Sweeper(session, audit_seconds=None)
    make_reader(session, sweeper, name, stop=server_now(session)).run(sweeper)
    return sweeper


def order_of(session: Session, hold_id: object) -> str:
    return session.execute("SELECT status FROM orders WHERE order_id = %s", (hold_id,)).one().status


def dies(session: Session, statement: int, do: object, *arguments: object) -> None:
    faulty = FaultySession(session)
    faulty.arm(Fault("dies after", statement))
    with pytest.raises(Died):
        do(faulty, *arguments)  # type: ignore[operator]


def test_it_frees_those_who_walked_away_and_nobody_else(lab: Session, shop: Event) -> None:
    paid, cancelled, gone, long = (
        hold_seat(lab, ticket, "Ada", seconds=seconds)
        for ticket, seconds in zip(shop.tickets[:4], (900, 900, 900, 4000), strict=True)
    )
    pay(lab, paid)
    cancel(lab, cancelled)
    push_clock(lab, 901)
    swept = sweep(lab)
    assert (swept.learnt, swept.forgotten, swept.settled, swept.released, swept.found_by_audit) == (4, 2, 1, 1, 0)
    assert [seat_of(lab, ticket).status for ticket in shop.tickets[:4]] == ["sold", "available", "available", "held"]
    assert [order_of(lab, hold.hold_id) for hold in (paid, cancelled, gone, long)] == [
        "paid", "cancelled", "expired", "pending",
    ]  # fmt: skip
    assert "4 deadlines learnt" in str(swept)


def test_after_a_restart_it_knows_what_it_had_learnt(lab: Session, shop: Event) -> None:
    hold = hold_seat(lab, shop.tickets[0], "Ada")
    dies(lab, 1, pay, hold)
    push_clock(lab, 60)
    first = read_up_to_now(lab)
    assert (first.swept.learnt, first.swept.settled) == (1, 0)
    assert order_of(lab, hold.hold_id) == "pending"
    push_clock(lab, 900)
    second = read_up_to_now(lab)
    assert (second.swept.learnt, second.swept.settled, second.swept.released) == (1, 1, 0)
    assert order_of(lab, hold.hold_id) == "paid"
    push_clock(lab, 60)
    assert read_up_to_now(lab).swept.learnt == 0, "what is settled is not read again"


def test_a_new_generation_of_streams_hides_nothing(lab: Session, shop: Event) -> None:
    hold = hold_seat(lab, shop.tickets[0], "Ada")
    engine = engine_of(lab)
    ask(engine.host, engine.port, {"do": "new_cdc_generation"})
    push_clock(lab, 300)
    later = hold_seat(lab, shop.tickets[1], "Bo")
    push_clock(lab, 60)
    assert read_up_to_now(lab).swept.learnt == 2
    push_clock(lab, 900)
    again = read_up_to_now(lab)
    assert (again.swept.learnt, again.swept.released) == (2, 2)
    assert [order_of(lab, each.hold_id) for each in (hold, later)] == ["expired", "expired"]


def test_two_at_once_do_each_thing_once(lab: Session, shop: Event) -> None:
    holds = [hold_seat(lab, ticket, "Ada") for ticket in shop.tickets[:40]]
    push_clock(lab, 901)
    sweepers: list[Sweeper] = []
    threads = [
        threading.Thread(target=lambda name=name: sweepers.append(read_up_to_now(lab, name))) for name in ("one", "two")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sweeper.swept.released for sweeper in sweepers) == len(holds)
    assert [sweeper.swept.settled for sweeper in sweepers] == [40, 40]
    assert {seat_of(lab, ticket).status for ticket in shop.tickets[:40]} == {"available"}


def test_an_audit_finds_what_no_log_tells(lab: Session, shop: Event) -> None:
    dies(lab, 1, hold_seat, shop.tickets[0], "Ada")
    push_clock(lab, 901)
    assert read_up_to_now(lab).swept.learnt == 0
    hold_id = seat_of(lab, shop.tickets[0]).hold_id
    freed = []
    assert Sweeper(lab, released=freed.append).audit() == 1
    assert freed == [shop.tickets[0].ticket_id]
    assert order_of(lab, hold_id) == "expired"


def test_a_sold_out_event_leaves_the_shop_window_and_returns(lab: Session, shop: Event) -> None:
    last = hold_together(lab, shop.tickets[:2], "Ada")
    for begin in range(2, len(shop.tickets), 50):
        party = hold_together(lab, shop.tickets[begin : begin + 50], "Bo", seconds=5000)
        assert pay_together(lab, party).applied
    assert last.applied
    offered = "SELECT event_id FROM available_events WHERE has_tickets = true"
    assert list(lab.execute(offered)) == []
    push_clock(lab, 901)
    assert len(release_expired(lab, shop)) == 2
    assert [row.event_id for row in lab.execute(offered)] == [shop.id]
    assert pay_together(lab, hold_together(lab, shop.tickets[:2], "Cy")).applied
    assert is_offered(lab, shop.id) is False


def test_the_plain_scan_does_the_same_without_a_log(lab: Session, shop: Event) -> None:
    hold_seat(lab, shop.tickets[0], "Ada")
    push_clock(lab, 901)
    ended = threading.Event()
    # It waits an hour between its rounds, and is told to end while it waits.
    with ThreadPoolExecutor(1) as pool:
        scanning = pool.submit(scan, lab, 3600, ended)
        wait_until(lambda: seat_of(lab, shop.tickets[0]).status == "available", why="the first round", seconds=SECONDS)
        ended.set()
        swept = scanning.result(SECONDS)
    assert (swept.audits, swept.found_by_audit, swept.learnt) == (1, 1, 0)


@pytest.mark.parametrize("options", [["--once"], ["--scan", "0.05"]])
def test_as_a_command(lab: Session, shop: Event, options: list[str]) -> None:
    hold_seat(lab, shop.tickets[0], "Ada")
    push_clock(lab, 901)
    command = subprocess.Popen(
        [sys.executable, "-m", "helpers.shop.sweeper", KEYSPACE, *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ,
    )  # fmt: skip
    if "--scan" in options:
        while seat_of(lab, shop.tickets[0]).status != "available":
            assert command.poll() is None
        command.terminate()
    said, _ = command.communicate(timeout=SECONDS)
    assert seat_of(lab, shop.tickets[0]).status == "available"
    if sys.platform != "win32" or "--scan" not in options:
        assert command.returncode == 0, said
        assert "released" in said


def test_the_command_outwaits_a_busy_machine(lab: Session, shop: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it gave up after a notebook's fifteen seconds, in the middle of a sale."""
    waits = []

    def look(session: Session, options: object) -> str:
        waits.append(session.cluster.profile_manager.default.request_timeout)
        return ""

    monkeypatch.setattr("helpers.lab.connection._clusters", {})  # main() closes its own connections only
    monkeypatch.setattr("helpers.shop.sweeper._run", look)
    assert main([KEYSPACE]) == 0
    assert waits[0] >= 120 > lab.cluster.profile_manager.default.request_timeout


def test_closing_the_books_completes_what_no_deadline_tells_of(lab: Session, shop: Event) -> None:
    hold = hold_seat(lab, shop.tickets[0], "Ada")
    cancel(lab, hold)
    back = "UPDATE tickets SET status = 'held', held_by = %s, hold_id = %s, held_until = %s "
    key = shop.id, shop.tickets[0].ticket_id
    late = (hold.buyer, hold.hold_id, hold.held_until, *key)
    assert lab.execute(back + "WHERE event_id = %s AND ticket_id = %s IF status = 'available'", late).one().applied
    dies(lab, 1, pay, hold)
    assert order_of(lab, hold.hold_id) == "cancelled"
    done = subprocess.run(
        [sys.executable, "-m", "helpers.shop.sweeper", KEYSPACE, "--books"],
        capture_output=True,
        text=True,
        env=os.environ,
    )
    assert "1 orders completed" in done.stdout
    assert order_of(lab, hold.hold_id) == "paid"


def test_a_keyspace_that_is_not_there_is_told_in_a_sentence(lab: Session, capsys: pytest.CaptureFixture[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "helpers.shop.sweeper", "nowhere"], capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: There is no keyspace nowhere yet.")
    with pytest.raises(SystemExit):
        main([])
    capsys.readouterr()


def test_without_a_keyspace_it_says_so(lab: Session) -> None:
    session = lab.cluster.connect()
    with pytest.raises(LabError, match="needs a keyspace"):
        make_reader(session, Sweeper(session))


class TestHeldBack:
    """Checkpoints stay behind what is open."""

    OLD, NEW = datetime(2031, 1, 1), datetime(2031, 1, 2)

    def test_a_generation_waits_until_the_earlier_one_is_settled(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kept, deadlines = MemoryCheckpoints(), Deadlines()
        held = HeldBack(kept, deadlines)
        held.save_generation(self.OLD)
        since = datetime(2031, 1, 1, 23, 59, 59, 123_456)
        monkeypatch.setattr(Deadlines, "needed_since", lambda self: since)
        held.save_generation(self.NEW)
        held.save(self.NEW, {b"stream": datetime(2031, 1, 2, 1)})
        assert held.load_generation() == self.OLD
        assert held.load([b"stream"]) == {b"stream": since.replace(microsecond=123_000)}
        monkeypatch.setattr(Deadlines, "needed_since", lambda self: None)
        held.save(self.NEW, {b"stream": datetime(2031, 1, 2, 2)})
        assert held.load_generation() == self.NEW
        assert held.load([b"stream"]) == {b"stream": datetime(2031, 1, 2, 2)}
