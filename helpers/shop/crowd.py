"""A crowd on the day of the sale: fans look at the shop's window, hold seats, and pay, cancel or walk away.

``open_sale`` lets fans in, round after round, until every seat is sold, while a sweeper in a process of its own frees
what was abandoned. Each answer of the database is kept, so that the evening can be drawn afterwards.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from ..lab.clock import let_time_pass, server_now
from ..lab.errors import LabError
from ..lab.node import PROJECT
from ..lab.quiet_gc import quiet_gc
from ..lab.waiting import wait_until
from .asking import again, passes
from .box_office import HOLD_SECONDS, Outcome, lapsed
from .event import Event
from .parties import Party, cancel_together, hold_together, pay_together
from .seats import check_hold_seconds
from .venue import Ticket

if TYPE_CHECKING:
    from cassandra.cluster import Session

A = TypeVar("A", bound=Party | Outcome)

PARTY_SIZES, SIZE_WEIGHTS = (1, 2, 3, 4, 6), (1, 3, 2, 4, 2)
TRIES = 3  # a fan who was too late so often goes home
ROUNDS = 10  # rounds in which the house could be sold, if nobody walked away
ROUNDS_A_HOLD = 4  # so many rounds last as long as a hold
MOST_ROUNDS = 100
_IN_VIEW = 60  # of the free seats of a section a fan considers so many
_END_SECONDS = 20.0  # a process that is asked to end finishes the request under way
_SWEEPER_SECONDS = 150.0  # on a cluster it stays half a minute behind the present


@dataclass(frozen=True)
class Answer:
    """What the database said to one fan: ``asked`` is "hold", "pay" or "cancel"; ``at`` is seconds since the opening,
    when the answer came, and ``seconds`` how long it took."""

    at: float
    seconds: float
    asked: str
    applied: bool
    tickets: tuple[Ticket, ...]


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

    Fans like the dear seats best, and take the first rows of a section first.
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
    """Fans with a mind of their own. In the first rounds a part of them walks away or cancels, later all pay."""

    def __init__(
        self, session: Session, event: Event, *, hold_seconds: int, walk_away: float, cancel: float, seed: int
    ):
        self.session, self.hold_seconds = session, hold_seconds
        self.walk_away, self.cancel, self._seed = walk_away, cancel, seed
        self.window = Window(event, seed)
        self.sale = Sale(event)
        self.opened = time.perf_counter()

    def visit(self, number: int) -> None:
        """One fan at the box office, from the first look to the end."""
        chance = random.Random(f"{self._seed} {number}")
        (seats,) = chance.choices(PARTY_SIZES, SIZE_WEIGHTS)
        party = self._hold(f"fan {number}", seats)
        if party is None:
            return
        mood = chance.random() if self.sale.rounds <= ROUNDS else 1.0
        if mood < self.walk_away:
            return
        asked, ask = ("cancel", cancel_together) if mood < self.walk_away + self.cancel else ("pay", pay_together)
        tickets = tuple(hold.ticket for hold in party.holds)
        try:
            self._timed(asked, tickets, lambda: _insist(lambda: ask(self.session, party)))
        except Exception as error:
            self._gone_home(error)

    def _hold(self, fan: str, seats: int) -> Party | None:
        for _ in range(TRIES):
            wish = tuple(self.window.choose(seats))
            if not wish:
                return None
            try:
                hold = partial(hold_together, self.session, wish, fan, seconds=self.hold_seconds)
                party = self._timed("hold", wish, hold)
            except Exception as error:
                self._gone_home(error)
                return None
            gone = [hold.ticket for hold in party.holds if party.applied or hold.status != "available"]
            self.window.take_out(gone or wish)
            if party.applied:
                return party
        return None

    def _gone_home(self, error: Exception) -> None:
        """The fan has asked often enough. What was held, if anything, is paid or lapses: the sweeper comes by."""
        if not passes(error):
            raise error
        self.sale.unanswered += 1

    def _timed(self, asked: str, tickets: tuple[Ticket, ...], ask: Callable[[], A]) -> A:
        begin = time.perf_counter()
        answer = ask()
        end = time.perf_counter()
        self.sale.answers.append(Answer(end - self.opened, end - begin, asked, answer.applied, tickets))
        return answer


def open_sale(
    session: Session,
    event: Event,
    *,
    hold_seconds: int = HOLD_SECONDS,
    at_once: int = 32,
    walk_away: float = 0.1,
    cancel: float = 0.05,
    seed: int = 6,
) -> Sale:
    """Sell the whole house to a crowd, ``at_once`` fans at any moment, and return what happened.

    In each round the window shows what the view has, and fans come for a tenth of the house; meanwhile, or after that,
    a quarter of ``hold_seconds`` goes by. ``walk_away`` and ``cancel`` are the parts of the fans, in the first ten
    rounds, who leave without a word, or give their seats back. What they held is freed by the sweeper and sold again.
    The sale ends when no seat is available or held. A database that does not answer for a while does not end it.

    >>> sale = open_sale(session, event)
    >>> sale.sold_twice()
    []
    """
    if session.keyspace is None:
        raise LabError("A sale needs a keyspace: open_chapter(session, 'seats_06') puts one to use.")
    check_hold_seconds(hold_seconds)
    crowd = Crowd(session, event, hold_seconds=hold_seconds, walk_away=walk_away, cancel=cancel, seed=seed)
    mean = sum(size * weight for size, weight in zip(PARTY_SIZES, SIZE_WEIGHTS, strict=True)) / sum(SIZE_WEIGHTS)
    fans, numbers, sale = max(1, round(event.seats / ROUNDS / mean)), count(1), crowd.sale
    event.tickets  # noqa: B018  made before the clock runs
    with SweeperBeside(session.keyspace) as sweeper, quiet_gc(), ThreadPoolExecutor(at_once) as pool:
        crowd.opened = time.perf_counter()
        while _next_round(session, crowd, sweeper):
            began = time.perf_counter()
            for _ in pool.map(crowd.visit, islice(numbers, fans)):
                sale.fans += 1
            let_time_pass(session, max(0.0, hold_seconds / ROUNDS_A_HOLD - (time.perf_counter() - began)))
        sale.seconds = time.perf_counter() - crowd.opened
    sale.answers.sort(key=lambda each: each.at)
    sale.released = [(at - crowd.opened, ticket_id) for at, ticket_id in sweeper.released]
    return sale


def _next_round(session: Session, crowd: Crowd, sweeper: SweeperBeside) -> bool:
    """Fill the window; where it would be empty, wait for the sweeper. False: nothing is left that could be sold."""
    event = crowd.sale.event
    while not crowd.window.show(_seats(session, event, "available")):
        if sweeper.ended.is_set() or not _seats(session, event, "held"):
            return False
        let_time_pass(session, crowd.hold_seconds / ROUNDS_A_HOLD)
        wait_until(
            lambda: sweeper.ended.is_set() or not lapsed(session, event.id, server_now(session)),
            why="the sweeper to free what was abandoned",
            seconds=_SWEEPER_SECONDS,
        )
    crowd.sale.rounds += 1
    if crowd.sale.rounds > MOST_ROUNDS:
        raise LabError(f"After {MOST_ROUNDS} rounds there are still seats. Is somebody else giving them back?")
    return True


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


class SweeperBeside:
    """``python -m helpers.shop.sweeper`` in a process of its own, for as long as the block lasts.

    ``released`` grows by the seats that it frees, each with the ``time.perf_counter()`` at which it said so. ``ended``
    is set when it has ended; if it did so by itself, leaving the block is a LabError with its last words.
    """

    def __init__(self, keyspace: str):
        self.released: list[tuple[float, UUID]] = []
        self.ended = threading.Event()
        self._command = [sys.executable, "-m", "helpers.shop.sweeper", keyspace, "--safety", "1"]
        self._listener = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> SweeperBeside:
        self._words = tempfile.TemporaryFile("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=self._words, text=True, cwd=PROJECT
        )
        self._listener.start()
        return self

    def __exit__(self, *error: object) -> None:
        died = self.ended.is_set()
        # Not a blow: it may die at any moment, and its checkpoint knows where to go on.
        self._process.terminate()
        try:
            self._process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(timeout=_END_SECONDS)  # to the end of what it said, unless somebody else has its output
        with self._words as words:
            words.seek(0)
            lines = words.read().strip().splitlines()
        if died:
            raise LabError(f"The sweeper has ended by itself: {lines[-1] if lines else 'it did not say why'}")

    def _listen(self) -> None:
        lines = self._process.stdout
        assert lines is not None, "it was started with a pipe"
        with lines:
            for line in lines:
                words = line.split()
                if len(words) == 2 and words[0] == "released":
                    self.released.append((time.perf_counter(), UUID(words[1])))
        self.ended.set()
