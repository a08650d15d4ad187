"""Many buyers at once on few seats: send their attempts together, and keep what became of each."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..lab.errors import LabError
from ..lab.latency import Latencies
from ..lab.quiet_gc import quiet_gc
from .asking import passes
from .box_office import Hold, hold_seat
from .venue import Ticket

if TYPE_CHECKING:
    from cassandra.cluster import Session


@dataclass(frozen=True)
class Attempt:
    """One buyer's attempt at one seat and its answer; ``began`` and ``ended`` are seconds since the rush began."""

    buyer: str
    ticket: Ticket
    answer: Hold | bool
    began: float
    ended: float

    @property
    def got_it(self) -> bool:
        """Was this buyer told "it is yours"?"""
        return bool(self.answer)


def rush(
    session: Session,
    tickets: Sequence[Ticket],
    buyers: int,
    *,
    attempt: Callable[[Session, Ticket, str], Hold | bool] = hold_seat,
    at_once: int = 32,
    seed: int = 4,
) -> list[Attempt]:
    """Let ``buyers`` try for these seats, ``at_once`` of them at any time, in a shuffled order.

    Each buyer wants one seat and each seat has as many buyers as the next. ``attempt`` is what each of them does; it
    returns a Hold, or whether the buyer got the seat. The attempts come back in the order of their answers.

    >>> sum(each.got_it for each in rush(session, event.tickets[-20:], buyers=200))
    20
    """
    if not tickets:
        raise LabError("There is nothing to rush for: give at least one ticket.")
    if buyers < 1:
        raise LabError(f"A rush needs at least 1 buyer, not {buyers!r}.")
    wishes = [(f"buyer {number + 1}", tickets[number % len(tickets)]) for number in range(buyers)]
    random.Random(seed).shuffle(wishes)
    attempts: list[Attempt] = []

    def one(wish: tuple[str, Ticket]) -> None:
        buyer, ticket = wish
        began = time.perf_counter()
        try:
            answer = attempt(session, ticket, buyer)
        except Exception as error:
            if not passes(error):
                raise
            answer = False  # nobody has told this buyer that the seat is theirs
        attempts.append(Attempt(buyer, ticket, answer, began - opening, time.perf_counter() - opening))

    # A full collection in a notebook's kernel takes longer than the rush: it would be the only thing to see.
    with quiet_gc(), ThreadPoolExecutor(at_once) as pool:
        opening = time.perf_counter()
        for _ in pool.map(one, wishes):
            pass
    return sorted(attempts, key=lambda each: each.ended)


def latencies_of(attempts: Sequence[Attempt], name: str) -> Latencies:
    """How long each attempt of a rush took, as a collection to print or plot."""
    latencies = Latencies(name)
    for each in attempts:
        latencies.add(each.ended - each.began)
    return latencies
