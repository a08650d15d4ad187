"""The sweeper: reads the log of ``order_queue`` and frees the seats of those who walked away.

    python -m helpers.shop.sweeper seats_06                  until Ctrl-C
    python -m helpers.shop.sweeper seats_06 --once           what is due now, and an audit
    python -m helpers.shop.sweeper seats_06 --scan 5         the same without the log: all held seats, every 5 seconds
    python -m helpers.shop.sweeper seats_06 --books          closing time: is every order at its end?

It learns from each insert when the row will end (``cdc$time`` + ``cdc$ttl``), forgets those that are deleted before,
and settles the others when the log is read up to their end. Its checkpoint stays behind everything that is not settled
yet, so a sweeper that died begins where it must. Several at once do no harm; give each a ``--name`` of its own.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from scylla_cdc import Change, ChangeReader, ChangeReaderError, Checkpoints, TableCheckpoints

from ..lab.clock import server_now
from ..lab.connection import connect, disconnect
from ..lab.engine import engine_of
from ..lab.errors import LabError
from . import on_sale
from .asking import passes
from .box_office import Settled, release_lapsed, settle, stale_orders, unpaid_sales
from .deadlines import Deadline, Deadlines
from .ids import user_id
from .seats import statement_of

if TYPE_CHECKING:
    from cassandra.cluster import Session

AUDIT_SECONDS = 60.0
REQUEST_SECONDS = 120


@dataclass
class Swept:
    """What a sweeper has done so far. ``late`` is the longest time, in seconds, that a seat waited after its end."""

    learnt: int = 0
    forgotten: int = 0
    settled: int = 0
    released: int = 0
    audits: int = 0
    found_by_audit: int = 0
    put_off: int = 0  # rounds that the database did not let come to their end
    late: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.learnt:,} deadlines learnt, {self.forgotten:,} ended before, {self.settled:,} looked after, "
            f"{self.released:,} seats released, {self.found_by_audit:,} more by {self.audits:,} audits"
        )


class Sweeper:
    """A consumer for a ChangeReader of ``order_queue``; ``sweep()`` makes the reader itself and runs it.

    ``audit_seconds`` is the longest time between two looks at all held seats; None: no audits. ``released`` is called
    with the ticket's id for each seat that this sweeper frees; ``at_once`` deadlines are settled at the same time.
    """

    def __init__(
        self,
        session: Session,
        *,
        audit_seconds: float | None = AUDIT_SECONDS,
        released: Callable[[UUID], Any] = lambda ticket_id: None,
        at_once: int = 16,
    ):
        self.session = session
        self.deadlines = Deadlines()
        self.swept = Swept()
        self._audit_seconds = audit_seconds
        self._released = released
        self._at_once = at_once
        self._audited_at = float("-inf")

    # ---------------------------------------------------------------- what a ChangeReader calls

    def consume(self, change: Change) -> None:
        """Learn from a change of the queue."""
        self.deadlines.consume(change)
        self.swept.learnt, self.swept.forgotten = self.deadlines.learnt, self.deadlines.forgotten

    def advanced(self, until: datetime) -> None:
        """The log is read up to ``until``: settle what was due by then, and audit if it is time to. What the database
        does not answer now stays open until the next round."""
        try:
            self.settle_due(until)
            if self._audit_seconds is not None and time.monotonic() - self._audited_at >= self._audit_seconds:
                self.audit()
        except Exception as error:
            if not passes(error):
                raise
            self.swept.put_off += 1

    # ---------------------------------------------------------------- the work

    def settle_due(self, until: datetime) -> None:
        """Settle every deadline that was over at ``until``; those whose hold turns out to be longer wait on."""
        due = list(self.deadlines.due(until))
        if not due:
            return
        if len(due) == 1 or self._at_once == 1:
            finished = [deadline for deadline in due if self._settled(deadline, *self._settle(deadline))]
        else:
            finished = self._settle_at_once(due)
        for event_id in {deadline.key.event_id for deadline in finished}:
            on_sale.refresh(self.session, event_id)
        for deadline in finished:
            self.deadlines.done(deadline)
        self.swept.settled += len(finished)

    def audit(self) -> int:
        """Look at every held seat of every event, and free those whose time is over; how many that were.

        For what no log tells: a hold whose process died before it came to the queue, or that arrived late.
        """
        self._audited_at = time.monotonic()
        released = 0
        for row in self.session.execute(statement_of(self.session, "list_events")):
            for ticket_id in release_lapsed(self.session, row.event_id, server_now(self.session)):
                released += 1
                self._released(ticket_id)
            on_sale.refresh(self.session, row.event_id)
        self.swept.audits += 1
        self.swept.found_by_audit += released
        return released

    def _settle_at_once(self, due: list[Deadline]) -> list[Deadline]:
        """Ask the database about many deadlines at the same time; which of them are finished. What the threads find is
        counted and told by this one alone, also if one of them fails."""
        finished, failed = [], None
        with ThreadPoolExecutor(min(self._at_once, len(due))) as pool:
            asked = {pool.submit(self._settle, deadline): deadline for deadline in due}
            for answer in as_completed(asked):
                try:
                    if self._settled(asked[answer], *answer.result()):
                        finished.append(asked[answer])
                except Exception as error:
                    failed = failed or error
        if failed is not None:
            raise failed
        return finished

    def _settle(self, deadline: Deadline) -> tuple[Settled, datetime]:
        """What the database says of a deadline, and when it was asked. Touches nothing of the sweeper's."""
        key = deadline.key
        now = server_now(self.session)
        return settle(
            self.session,
            key.event_id,
            key.ticket_id,
            hold_id=deadline.hold_id,
            user=None if deadline.buyer is None else user_id(deadline.buyer),
            started_at=key.started_at,
            now=now,
        ), now

    def _settled(self, deadline: Deadline, settled: Settled, now: datetime) -> bool:
        """Remember what became of a deadline; False: come again."""
        if settled.again_at is not None:
            self.deadlines.postpone(deadline, settled.again_at)
            return False
        if settled.released:
            self.swept.released += 1
            self.swept.late = max(self.swept.late, (now - deadline.due).total_seconds())
            self._released(deadline.key.ticket_id)
        return True


class HeldBack:
    """Checkpoints that never pass what is not settled yet: a reader that starts from them learns it again."""

    def __init__(self, checkpoints: Checkpoints, deadlines: Deadlines):
        self._checkpoints, self._deadlines = checkpoints, deadlines
        self._generation: datetime | None = None

    def open(self, source: str) -> None:
        self._checkpoints.open(source)

    def load_generation(self) -> datetime | None:
        return self._checkpoints.load_generation()

    def load(self, streams: Iterable[bytes]) -> Mapping[bytes, datetime]:
        return self._checkpoints.load(streams)

    def save_generation(self, generation: datetime) -> None:
        """A new generation is remembered once nothing of an earlier one is open; until then a restart begins there."""
        self._generation = generation
        self._save_generation_if_free()

    def save(self, generation: datetime, positions: Mapping[bytes, datetime]) -> None:
        since = self._deadlines.needed_since()
        if since is not None:
            # A change's time has microseconds and a checkpoint milliseconds: rounded down, so that it is read again.
            bound = since - timedelta(microseconds=since.microsecond % 1000)
            positions = {stream: min(position, bound) for stream, position in positions.items()}
        self._checkpoints.save(generation, positions)
        self._save_generation_if_free()

    def _save_generation_if_free(self) -> None:
        since = self._deadlines.needed_since()
        if self._generation is not None and (since is None or since >= self._generation):
            self._checkpoints.save_generation(self._generation)
            self._generation = None


def make_reader(session: Session, sweeper: Sweeper, name: str = "sweeper", **options: Any) -> ChangeReader:
    """A reader of the log of ``order_queue`` in the session's keyspace, with a table of checkpoints of its own.

    On the embedded node with the demonstration's values, on a cluster with the libraries'. It begins with what the log
    still has, and goes on if the log has forgotten something: the audit finds what such a gap hides.
    """
    if session.keyspace is None:
        raise LabError("The sweeper needs a keyspace: connect('seats_06'), or session.set_keyspace('seats_06').")
    checkpoints = TableCheckpoints(session, session.keyspace, f"{name}_checkpoints")
    make = ChangeReader.demo if engine_of(session).kind == "embedded" else ChangeReader
    values = {
        "start": "beginning",
        "accept_loss": True,
        "checkpoints": HeldBack(checkpoints, sweeper.deadlines),
        "now": lambda: server_now(session),
        **options,
    }
    return make(session, session.keyspace, "order_queue", **values)


def sweep(session: Session, *, name: str = "sweeper", **options: Any) -> Swept:
    """Settle all that is due now in the session's keyspace, and audit; what was done. May be called at any time.

    ``options`` are ``make_reader``'s. On a cluster it stays half a minute behind the present and looks every ten
    seconds, and so it takes as long, unless they give a smaller ``safety`` and ``pause``; and a new one, without a
    ``start``, reads all that the log keeps.

    >>> print(sweep(session))
    3 deadlines learnt, 2 ended before, 1 looked after, 1 seats released, 0 more by 1 audits
    """
    sweeper = Sweeper(session, audit_seconds=None)
    now = server_now(session)
    make_reader(session, sweeper, name, stop=now, **options).run(sweeper)
    sweeper.settle_due(now)
    sweeper.audit()
    return sweeper.swept


def scan(session: Session, seconds: float, stop: threading.Event) -> Swept:
    """The plain alternative: every ``seconds`` look at all held seats of all events, until ``stop`` is set.

    Simple, and it needs no log; but each round reads every seat that is held, and a seat waits up to ``seconds``. Of
    orders it sees only those of held seats: ``close_books`` ends the others.
    """
    sweeper = Sweeper(session)
    while not stop.is_set():
        sweeper.audit()
        stop.wait(seconds)
    return sweeper.swept


def close_books(session: Session) -> int:
    """Complete the orders of sold seats that do not say paid, and end those of holds that are over; how many that were.

    Reads every sold seat and every order. Whoever sweeps by the log needs it for one case only (``unpaid_sales``);
    after ``scan`` it is the way to find the orders whose writer died.
    """
    events = list(session.execute(statement_of(session, "list_events")))
    completed = sum(1 for row in events for _ in unpaid_sales(session, row.event_id))
    ended = sum(1 for _ in stale_orders(session, server_now(session)))
    for row in events:
        on_sale.refresh(session, row.event_id)
    return completed + ended


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.shop.sweeper", description="Free the seats of those who walked away from the checkout."
    )
    parser.add_argument("keyspace", help="where the tables are, for instance seats_04")
    parser.add_argument("--name", default="sweeper", help="of its checkpoints; each copy has its own (sweeper)")
    parser.add_argument("--once", action="store_true", help="settle what is due now, and end")
    parser.add_argument("--scan", type=float, metavar="SECONDS", help="read all held seats so often, and no log")
    parser.add_argument("--books", action="store_true", help="bring every order to its end that is over, and end")
    parser.add_argument("--audit", type=float, default=AUDIT_SECONDS, metavar="SECONDS", help="between audits (60)")
    parser.add_argument(
        "--safety",
        type=float,
        metavar="SECONDS",
        help="how far it stays behind the present, and how often it looks (30 and 10; 1 and 0.2 on the embedded node)",
    )
    options = parser.parse_args(arguments)
    try:
        session = connect(options.keyspace)
        # Nobody sits before it: on a busy machine it waits for its answers, where a notebook would give up.
        session.cluster.profile_manager.default.request_timeout = REQUEST_SECONDS
        print(_run(session, options))
    except (LabError, ChangeReaderError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        disconnect()
    return 0


def _run(session: Session, options: argparse.Namespace) -> Swept | str:
    if options.books:
        return f"{close_books(session):,} orders completed"
    if options.once:
        return sweep(session, name=options.name)
    if options.scan is not None:
        ended = threading.Event()
        _on_interrupt(lambda number: ended.set())
        return scan(session, options.scan, ended)
    sweeper = Sweeper(session, audit_seconds=options.audit, released=_tell)
    behind = {} if options.safety is None else {"safety": options.safety, "pause": options.safety / 5}
    reader = make_reader(session, sweeper, options.name, **behind)
    _on_interrupt(lambda number: reader.stop())
    reader.run(sweeper)
    return sweeper.swept


def _tell(ticket_id: UUID) -> None:
    print(f"released {ticket_id}", flush=True)


def _on_interrupt(call: Callable[[int], Any]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, frame: call(received))


if __name__ == "__main__":
    sys.exit(main())
