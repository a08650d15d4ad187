"""A crowd on the day of the sale: fans look at the shop's window, hold seats, and pay, cancel or walk away.

``open_sale`` lets fans in, round after round, until every seat is sold, while sweepers beside it free what was
abandoned. Each answer of the database is kept, so that the evening can be drawn while it lasts, and afterwards.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import count, islice
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from ..lab.clock import let_time_pass, server_now
from ..lab.errors import LabError
from ..lab.quiet_gc import quiet_gc
from ..lab.waiting import wait_until
from .asking import again, passes
from .beside import Beside, MakeSweeper, SweeperBeside, Sweepers, SweeperThread
from .box_office import HOLD_SECONDS, Outcome, lapsed
from .doors import Doors, DoorsClosed
from .event import Event
from .parties import Party, cancel_together, hold_together, pay_together
from .seats import check_hold_seconds
from .venue import Ticket

if TYPE_CHECKING:
    from cassandra.cluster import Session

A = TypeVar("A", bound=Party | Outcome)

PARTY_SIZES, SIZE_WEIGHTS = (1, 2, 3, 4, 6), (1, 3, 2, 4, 2)
TRIES = 3  # a fan who was too late so often goes home
ROUNDS = 10  # rounds in which the house would be sold, if nobody walked away
ROUNDS_A_HOLD = 4  # so many rounds last as long as a hold
MOST_ROUNDS = 100
_IN_VIEW = 60  # of the free seats of a section a fan considers so many
_WATCHED_SECONDS = 60.0  # where all sweepers are dead, so long somebody who watches may start one
_POLL_SECONDS = 0.05
_MOST_WAITS = 20  # for a learner's sweeper that is at work, and slow


@dataclass(frozen=True)
class Answer:
    """What the database said to one fan: ``asked`` is "hold", "pay" or "cancel"; ``at`` is seconds since the opening,
    when the answer came, and ``seconds`` how long it took. ``until`` is the end of a hold, by the server's clock."""

    at: float
    seconds: float
    asked: str
    applied: bool
    tickets: tuple[Ticket, ...]
    fan: str = ""
    until: datetime | None = None


@dataclass
class Sale:
    """All answers of a sale, in the order in which they came, and the seats that the sweeper freed, with the time."""

    event: Event
    answers: list[Answer] = field(default_factory=list)
    released: list[tuple[float, UUID]] = field(default_factory=list)
    fans: int = 0
    rounds: int = 0
    seconds: float = 0.0
    unanswered: int = 0  # requests of which the fan never heard what became
    trouble: str | None = None  # why the learner's sweeper has stopped, if it has

    def changes(self) -> Iterator[tuple[float, int, int]]:
        """How the number of held and of sold seats changes: (seconds, held, sold), in order."""
        moves = [(at, -1, 0) for at, _ in self.released]
        for each in self.answers:
            seats = len(each.tickets)
            held, sold = {"hold": (seats, 0), "pay": (-seats, seats), "cancel": (-seats, 0)}[each.asked]
            if each.applied:
                moves.append((each.at, held, sold))
        yield from sorted(moves)

    def sold_at(self, seconds: float) -> dict[str, float]:
        """Section code → the part of its seats, in percent, that was sold so many seconds after the opening."""
        sold = Counter(
            ticket.section
            for each in self.answers
            if each.asked == "pay" and each.applied and each.at <= seconds
            for ticket in each.tickets
        )
        sizes = Counter(ticket.section for ticket in self.event.tickets)
        return {section: 100 * sold[section] / size for section, size in sizes.items()}

    def sold_twice(self) -> list[Ticket]:
        """The seats of which more than one fan was told that they are paid."""
        paid = Counter(
            ticket for each in self.answers if each.asked == "pay" and each.applied for ticket in each.tickets
        )
        return [ticket for ticket, times in paid.items() if times > 1]


class Window:
    """The shop's window: the seats that seem to be free. It is always a little behind, as every page of a shop is.

    Fans like the expensive seats best, and take the first rows of a section first.
    """

    def __init__(self, event: Event, seed: int):
        self._event = event
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._free: dict[str, dict[UUID, Ticket]] = {}

    def show(self, free: Iterable[UUID]) -> int:
        """Fill the window anew, and tell how many seats are in it."""
        found = set(free)
        sections: dict[str, dict[UUID, Ticket]] = {}
        for ticket in self._event.tickets:
            if ticket.ticket_id in found:
                sections.setdefault(ticket.section, {})[ticket.ticket_id] = ticket
        with self._lock:
            self._free = sections
        return len(found)

    def choose(self, seats: int) -> list[Ticket]:
        """Seats of one section that are next to each other in the window; fewer if it has no more, none if empty."""
        with self._lock:
            enough = [each for each in self._free.values() if len(each) >= seats] or list(self._free.values())
            if not enough:
                return []
            weights = [float(next(iter(each.values())).price) ** 2 for each in enough]
            (section,) = self._chance.choices(enough, weights)
            first = self._chance.randrange(max(1, min(_IN_VIEW, len(section)) - seats + 1))
            return list(islice(section.values(), first, first + seats))

    def take_out(self, tickets: Iterable[Ticket]) -> None:
        """These are not free any more."""
        with self._lock:
            for ticket in tickets:
                section = self._free.get(ticket.section, {})
                section.pop(ticket.ticket_id, None)
                if not section:
                    self._free.pop(ticket.section, None)


class Crowd:
    """Fans with a mind of their own: a part of them walks away or cancels, the others pay."""

    def __init__(
        self, session: Session, event: Event, *, hold_seconds: int, walk_away: float, cancel: float, seed: int
    ):
        self.session, self.hold_seconds = session, hold_seconds
        self.walk_away, self.cancel, self._seed = walk_away, cancel, seed
        self.window = Window(event, seed)
        self.sale = Sale(event)
        self.doors = Doors()

    def visit(self, number: int) -> None:
        """One fan at the box office, from the first look to the end, or until the doors are closed."""
        with suppress(DoorsClosed):
            self._visit(f"fan {number}", random.Random(f"{self._seed} {number}"))

    def _visit(self, fan: str, chance: random.Random) -> None:
        (seats,) = chance.choices(PARTY_SIZES, SIZE_WEIGHTS)
        party = self._hold(fan, seats)
        mood = chance.random()
        if party is None or mood < self.walk_away:
            return
        asked, ask = ("cancel", cancel_together) if mood < self.walk_away + self.cancel else ("pay", pay_together)
        tickets = tuple(hold.ticket for hold in party.holds)
        try:
            self._timed(asked, tickets, fan, lambda: _insist(lambda: ask(self.session, party)))
        except Exception as error:
            self._gone_home(error)

    def _hold(self, fan: str, seats: int) -> Party | None:
        for _ in range(TRIES):
            wish = tuple(self.window.choose(seats))
            if not wish:
                return None
            try:
                hold = partial(hold_together, self.session, wish, fan, seconds=self.hold_seconds)
                party = self._timed("hold", wish, fan, hold)
            except Exception as error:
                self._gone_home(error)
                return None
            gone = [hold.ticket for hold in party.holds if party.applied or hold.status != "available"]
            self.window.take_out(gone or wish)
            if party.applied:
                return party
        return None

    def _gone_home(self, error: Exception) -> None:
        """The fan has asked often enough. What was held, if anything, is paid or expires: the sweeper comes by."""
        if isinstance(error, DoorsClosed) or not passes(error):
            raise error
        self.sale.unanswered += 1

    def _timed(self, asked: str, tickets: tuple[Ticket, ...], fan: str, ask: Callable[[], A]) -> A:
        self.doors.enter()
        begin = time.perf_counter()
        answer = ask()
        seconds = time.perf_counter() - begin
        until = answer.holds[0].held_until if isinstance(answer, Party) and answer.applied else None
        told = Answer(self.doors.open_for(), seconds, asked, answer.applied, tickets, fan, until)
        self.sale.answers.append(told)
        return answer


@dataclass
class RunningSale:
    """A sale under way, for whoever draws it: what has happened, and what can be done about it, from any thread."""

    session: Session
    sale: Sale
    doors: Doors
    sweepers: Sweepers


Audience = Callable[[RunningSale], AbstractContextManager[object]]


def open_sale(
    session: Session,
    event: Event,
    *,
    hold_seconds: int = HOLD_SECONDS,
    at_once: int = 32,
    walk_away: float = 0.1,
    cancel: float = 0.05,
    seed: int = 6,
    sweeper: MakeSweeper | None = None,
    audience: Audience | None = None,
) -> Sale:
    """Sell the whole house to a crowd, ``at_once`` fans at any moment, and return what happened.

    In each round the window shows what the view has, and fans come for a tenth of the house; meanwhile, or after that,
    a quarter of ``hold_seconds`` goes by. ``walk_away`` and ``cancel`` are the parts of the fans who leave without a
    word, or give their seats back. What they held is freed by a sweeper and sold again: by ours, in a process of its
    own, or by what ``sweeper(session)`` makes, a consumer of the queue's log, in a thread. The sale ends when no seat
    is available or held, or nobody is left to free those that are held. A database that does not answer for a while
    does not end it. ``audience`` is a block that lasts as long as the sale, for whoever watches.

    >>> sale = open_sale(session, event)
    >>> sale.sold_twice()
    []
    """
    if session.keyspace is None:
        raise LabError("A sale needs a keyspace: open_chapter(session, 'seats_06') puts one to use.")
    check_hold_seconds(hold_seconds)
    crowd = Crowd(session, event, hold_seconds=hold_seconds, walk_away=walk_away, cancel=cancel, seed=seed)
    mean = sum(size * weight for size, weight in zip(PARTY_SIZES, SIZE_WEIGHTS, strict=True)) / sum(SIZE_WEIGHTS)
    fans, numbers, sale, doors = max(1, round(event.seats / ROUNDS / mean)), count(1), crowd.sale, crowd.doors
    event.tickets  # noqa: B018  made before the clock runs

    def freed(ticket_id: UUID) -> None:
        sale.released.append((doors.open_for(), ticket_id))

    sweepers = Sweepers(partial(_start_sweeper, session, event, sweeper, server_now(session), freed))
    run = RunningSale(session, sale, doors, sweepers)
    with sweepers, quiet_gc(), ThreadPoolExecutor(at_once) as pool, audience(run) if audience else nullcontext():
        doors.open()
        try:
            while _next_round(crowd, run, fans, patience=_WATCHED_SECONDS if audience else 0.0):
                began = time.perf_counter()
                for _ in pool.map(crowd.visit, islice(numbers, fans)):
                    sale.fans += 1
                let_time_pass(session, max(0.0, hold_seconds / ROUNDS_A_HOLD - (time.perf_counter() - began)))
        finally:
            sale.seconds = doors.open_for()
            sale.trouble = sweepers.trouble
            doors.close()  # nobody waits behind them for a sale that was interrupted
    sale.answers.sort(key=lambda each: each.at)
    sale.released.sort()
    return sale


def _start_sweeper(
    session: Session,
    event: Event,
    make: MakeSweeper | None,
    opened: datetime,
    freed: Callable[[UUID], None],
    number: int,
) -> Beside:
    if make is None:
        return SweeperBeside(session.keyspace, freed, name="sweeper" if number == 1 else f"sweeper_{number}")
    return SweeperThread(session, event, make, freed, since=opened)


def _next_round(crowd: Crowd, run: RunningSale, fans: int, patience: float) -> bool:
    """Fill the window; where it has less than a seat for each fan, wait for a sweeper, so that nobody comes for the few
    seats that it has freed this moment. False: nothing is left that could be sold, or nobody frees what is held, after
    so many seconds of ``patience``."""
    session, event = run.session, crowd.sale.event
    while (free := crowd.window.show(_seats(session, event, "available"))) < fans:
        if not _seats(session, event, "held") or not _a_sweeper_is_there(run, patience):
            if free:
                break
            return False
        let_time_pass(session, crowd.hold_seconds / ROUNDS_A_HOLD)
        if not _freed_in_time(run, event):
            return False
    crowd.sale.rounds += 1
    if crowd.sale.rounds > MOST_ROUNDS:
        raise LabError(f"After {MOST_ROUNDS} rounds there are still seats. Is somebody else giving them back?")
    return True


def _a_sweeper_is_there(run: RunningSale, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while not run.sweepers.alive:
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _freed_in_time(run: RunningSale, event: Event) -> bool:
    """Wait until no hold is left whose time is over, or no sweeper. False: a learner's sweeper frees nothing, though it
    has read what there is to read. One that is still at it gets more time: on a busy machine all take longer."""

    def done() -> bool:
        now = again(lambda: server_now(run.session))
        return not run.sweepers.alive or not lapsed(run.session, event.id, now)

    due = again(lambda: server_now(run.session))
    for _ in range(_MOST_WAITS):
        before = run.sweepers.progress
        try:
            wait_until(done, why="the sweeper to free what was abandoned", seconds=run.sweepers.seconds)
        except LabError as error:
            if run.sweepers.ours:
                raise
            read_until, _ = before
            at_it = (read_until is None or read_until < due) and run.sweepers.progress != before
            if not at_it:
                run.sweepers.trouble = f"it is there, and frees nothing. {error}"
                return False
        else:
            return True
    run.sweepers.trouble = "it has read the log for very long, and has not come to its end."
    return False


def _seats(session: Session, event: Event, status: str) -> list[UUID]:
    """The ids of the seats with this status, as the view has them."""
    from cassandra.cluster import EXEC_PROFILE_DEFAULT
    from cassandra.query import tuple_factory

    plain = session.execution_profile_clone_update(EXEC_PROFILE_DEFAULT, row_factory=tuple_factory)
    query = "SELECT ticket_id FROM available_tickets WHERE event_id = %s AND status = %s"
    rows = again(lambda: list(session.execute(query, (event.id, status), execution_profile=plain)))
    return [each for (each,) in rows]


def _insist(ask: Callable[[], Outcome]) -> Outcome:
    """Ask again while it is not certain how it ended: paying and cancelling may be repeated, and complete what was left
    undone. A seat that is still held after it was to be sold or given back has a message on its way, or is too late."""
    for _ in range(TRIES - 1):
        try:
            outcome = ask()
        except Exception as error:
            if not passes(error):
                raise
        else:
            if outcome.applied or outcome.status != "held":
                return outcome
    return ask()
