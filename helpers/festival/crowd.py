"""Buyers, sweepers and clerks, who take turns at a design statement by statement, always in the same order."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from random import Random
from typing import Any, Generic, TypeVar

from .books import Books, Hold, seats_of
from .house import House, Party, Seat, in_words
from .shop import Job, Shop

_VIEWS_FOLLOW_SECONDS = 0.3
Found = TypeVar("Found")  # what a worker finds to do


class Crowd:
    """Everybody who uses the shop on one night. What they are told goes into ``books``."""

    def __init__(self, shop: Shop, house: House) -> None:
        self.shop, self.house, self.books = shop, house, Books(house)
        self.minute = 1
        self.holds: dict[Job, Hold] = {}
        self._places = 0

    # What a party does: each is a job that has not begun.

    def hold(self, party: Party | str, seats: Sequence[Seat]) -> Job:
        """A party asks for seats; ``hold_of`` has its hold when the job is done and said yes."""
        party = Party(party) if isinstance(party, str) else party
        until = self.shop.now() + timedelta(seconds=self.shop.hold_seconds)
        hold = Hold(self.shop.new_id(), party, tuple(seats), until)
        job = Job(self.shop, "hold", seats, self._values(hold), self._held)
        self.holds[job] = hold
        return job

    def hold_of(self, job: Job) -> Hold:
        return self.holds[job]

    def pay(self, hold: Hold) -> Job:
        """A party pays. Once it is refused nobody has promised it anything: what is undone comes later."""
        values = self._values(hold) | {"minute": self.minute}
        job = Job(self.shop, "pay", hold.seats, values, self._paid, lambda: self._not_paid(hold))
        self.holds[job] = hold
        return job

    def cancel(self, hold: Hold) -> Job:
        """A party lets go: from its first statement on nobody has promised it anything."""
        self.books.let_go(hold, f"{hold.party.name} cancelled")
        return Job(self.shop, "cancel", hold.seats, self._values(hold))

    def give_back(self, hold: Hold) -> Job:
        job = Job(self.shop, "give_back", hold.seats, self._values(hold) | {"minute": self.minute}, self._given_back)
        self.holds[job] = hold
        return job

    def join_line(self, name: str, stage: str) -> None:
        """Somebody joins the line, at once."""
        self._places += 1
        values = {"buyer": name, "stage": stage, "place": self._places, "hold_id": self.shop.new_id()}
        if Job(self.shop, "join_line", (), values).finish():
            self.books.line[stage].append(name)
        else:
            self.books.fault(stage, f"{name} wanted to stand in line, and was turned away.")

    def _values(self, hold: Hold) -> dict[str, Any]:
        first = hold.seats[0]
        return {
            "stage": first.stage,
            "block": first.block,
            "buyer": hold.party.name,
            "hold_id": hold.id,
            "held_until": hold.until,
            "seats": [seat.number for seat in hold.seats],
            "guests": dict(zip(hold.seats, hold.party.guests, strict=False)),
            "total": sum(self.house.price(seat) for seat in hold.seats),
        }

    def _held(self, job: Job) -> None:
        # A job without a statement is done before anybody can tell whose it is.
        if job.said and job in self.holds and not job.dead:
            self.books.promise(self.holds[job], self.shop.now())

    def _paid(self, job: Job) -> None:
        if job.said:
            self.books.receipt(self.holds[job], job.values["minute"], job.begun)

    def _not_paid(self, hold: Hold) -> None:
        if hold.is_live(self.shop.now()) and all(self.books.held.get(seat) is hold for seat in hold.seats):
            self.books.fault(in_words(hold.seats), f"{hold.party.name} paid in time, and {hold.party.verb} refused.")
        self.books.let_go(hold, f"{hold.party.name} paid too late and {hold.party.verb} refused")

    def _given_back(self, job: Job) -> None:
        if job.said:
            self.books.take_back(self.holds[job])

    # How they take turns.

    def by_turns(self, workers: Iterable[Job | Sweeper | Clerk], seed: int) -> None:
        """Let them send their statements in an order that the seed decides."""
        random, busy = Random(seed), [each for each in workers if not each.done]
        while busy:
            worker = random.choice(busy)
            worker.step()
            busy = [each for each in busy if not each.done]

    def sweep(self, sweepers: int = 2, seed: int = 1) -> None:
        """Sweepers go round, at the same time."""
        self._let_views_follow()
        self.by_turns([Sweeper(self) for _ in range(sweepers)], seed)

    def serve_line(self, clerks: int = 2, seed: int = 1) -> None:
        """Clerks go round until nobody gets a seat any more."""
        while True:
            self._let_views_follow()
            before = sum(map(len, self.books.served.values()))
            self.by_turns([Clerk(self) for _ in range(clerks)], seed)
            after = sum(map(len, self.books.served.values()))
            # A design that never takes anybody off the line would go on for ever.
            if after == before or after > len(self.house.all):
                break

    def _let_views_follow(self) -> None:
        if self.shop.is_cluster:
            time.sleep(_VIEWS_FOLLOW_SECONDS)

    def let_holds_end(self) -> None:
        self.shop.let_pass(self.shop.hold_seconds + 2)


class _Worker(Generic[Found]):
    """Asks what is to be done, and does it one after the other. ``step`` sends one statement, or asks."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.found: list[Found] | None = None
        self.job: Job | None = None
        self.done = False

    def read(self) -> None:
        """Ask. It knows what it has found from now on, however late it acts."""
        raise NotImplementedError

    def _begin(self, found: Found) -> None:
        raise NotImplementedError

    def step(self) -> None:
        if self.found is None:
            self.read()
        elif self.job is not None and not self.job.done:
            self.job.step()
        elif self.found:
            self._begin(self.found.pop(0))
        self.done = self.found == [] and (self.job is None or self.job.done)

    def finish(self) -> None:
        while not self.done:
            self.step()


class Sweeper(_Worker[dict[str, Any]]):
    """Asks which holds may be over, and ends them."""

    def __init__(self, crowd: Crowd) -> None:
        super().__init__(crowd)
        self.done = not crowd.shop.design.has("expire")

    def read(self) -> None:
        self.found = [] if self.done else self.crowd.shop.ask("overdue")

    def _begin(self, found: dict[str, Any]) -> None:
        self.job = Job(self.crowd.shop, "expire", seats_of(found), found)
        self.job.step()


class Clerk(_Worker[Seat]):
    """Asks for seats that were given back, for each asks who is next, and gives it to them."""

    rows: dict[Seat, dict[str, Any]]

    def read(self) -> None:
        self.rows = {seat: row for row in self.crowd.shop.ask("returned_seats") for seat in seats_of(row)}
        self.found = list(self.rows)

    def _begin(self, found: Seat) -> None:
        shop, seat, row = self.crowd.shop, found, self.rows[found]
        first = next(iter(shop.ask("next_in_line", stage=seat.stage)), None)
        if first is None:
            return
        own = {
            "stage": seat.stage,
            "block": seat.block,
            "hold_id": shop.new_id(),
            "held_until": shop.now() + timedelta(seconds=shop.hold_seconds),
            "seats": [seat.number],
            "total": self.crowd.house.price(seat),
            "minute": self.crowd.minute,
        }
        self.job = Job(shop, "resell", (seat,), row | first | own, self._served)

    def _served(self, job: Job) -> None:
        if job.said:
            name, seat = job.values["buyer"], job.seats[0]
            hold = Hold(job.values["hold_id"], Party(str(name)), (seat,), self.crowd.shop.now(), is_paid=True)
            self.crowd.books.serve(name, seat, hold)
