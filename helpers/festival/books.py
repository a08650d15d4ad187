"""What the buyers were told, and by that what the database must say."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from .house import STAGES, House, Party, Seat

if TYPE_CHECKING:
    from .shop import Place, Shop

# A TTL counts whole seconds, and ends up to one early; the clock that the crowd goes by may be a moment behind.
_EARLY, _LATE = timedelta(seconds=1.5), timedelta(seconds=0.2)

_SETTLE_SECONDS, _POLL_SECONDS = 10.0, 0.2


class Fault(NamedTuple):
    """One thing that went wrong: where, and in a sentence to whom."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass
class Hold:
    """What a party was promised: these seats, until then; ``is_paid`` from the receipt on."""

    id: UUID
    party: Party
    seats: tuple[Seat, ...]
    until: datetime
    is_paid: bool = False

    def is_live(self, now: datetime) -> bool:
        """Surely not over yet."""
        return now < self.until - _EARLY

    def is_over(self, now: datetime) -> bool:
        """Surely over."""
        return now > self.until + _LATE


@dataclass
class Books:
    """Seat → whose it is by what people were told. A seat that is in neither dict is free."""

    house: House
    held: dict[Seat, Hold] = field(default_factory=dict)
    sold: dict[Seat, Hold] = field(default_factory=dict)
    returned: dict[Seat, str] = field(default_factory=dict)
    why_free: dict[Seat, str] = field(default_factory=dict)
    line: dict[str, list[str]] = field(default_factory=lambda: {stage: [] for stage in STAGES})
    served: dict[str, list[Seat]] = field(default_factory=dict)
    paid: dict[tuple[str, int], int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, where: object, what: str) -> None:
        found = Fault(str(where), what)
        if found not in self.faults:
            self.faults.append(found)

    def promise(self, hold: Hold, now: datetime) -> None:
        """A party was told: these seats are yours for a while."""
        for seat in hold.seats:
            other, owner = self.held.get(seat), self.sold.get(seat)
            if owner:
                self.fault(seat, f"{owner.party.name} paid for it, and then it was promised to {hold.party.name}.")
            elif seat in self.returned:
                self.fault(
                    seat,
                    f"{self.returned[seat]} gave it back, {self._people(seat.stage)} in line for it, and it was "
                    f"promised to {hold.party.name}, who stands in no line.",
                )
            elif other and other.is_live(now):
                self.fault(seat, f"it was promised to {other.party.name}, and to {hold.party.name} as well.")
            self.held[seat] = hold

    def receipt(self, hold: Hold, minute: int, begun: datetime) -> None:
        """A party was told: paid."""
        for seat in hold.seats:
            other = self.held.get(seat)
            owner = self.sold.get(seat)
            if owner and owner is not hold:
                self.fault(seat, f"{owner.party.name} paid for it, and then {hold.party.name} did: sold twice.")
            elif other is not hold and other is not None and not hold.is_paid:
                self.fault(
                    seat,
                    f"{hold.party.name}'s hold was over and {other.party.name} had it by then; "
                    f"{hold.party.name} paid, and the shop said yes.",
                )
            elif hold.is_over(begun):
                self.fault(
                    seat,
                    f"{hold.party.name} paid when the hold was over, and the shop said yes: whoever was told to come "
                    "back at that moment comes in vain.",
                )
            if other is hold:
                self.held.pop(seat)
            self.sold[seat] = hold
        hold.is_paid = True
        total = sum(self.house.price(seat) for seat in hold.seats)
        for seat in hold.seats[:1]:
            self.paid[seat.stage, minute] = self.paid.get((seat.stage, minute), 0) + total

    def let_go(self, hold: Hold, why: str) -> None:
        """A hold is no more."""
        for seat in hold.seats:
            if self.held.get(seat) is hold:
                self.held.pop(seat)
                self.why_free[seat] = why

    def take_back(self, hold: Hold) -> None:
        """A party was told: we have your seats back."""
        for seat in hold.seats:
            owner = self.sold.get(seat)
            if owner is not hold:
                if owner:
                    self.fault(seat, f"it is {owner.party.name}'s by now, and {hold.party.name} gave it back again.")
                continue
            self.sold.pop(seat)
            self.returned[seat] = hold.party.name

    def waiting(self, stage: str) -> list[str]:
        """Who is still in line, the first first."""
        return [name for name in self.line[stage] if name not in self.served]

    def _people(self, stage: str) -> str:
        """So many wait, as a sentence has it."""
        number = len(self.waiting(stage))
        return f"{number} {'waits' if number == 1 else 'wait'}"

    def serve(self, name: Any, seat: Seat, hold: Hold) -> None:
        """Somebody from the line was told: here is a seat for you."""
        here = self.line[seat.stage]
        if name not in here:
            other = next((stage for stage in STAGES if name in self.line[stage]), None)
            where = f"stands in line for {other}" if other else "stands in no line"
            self.fault(seat, f"{name} was given it, who {where}, not for {seat.stage}.")
        elif name in self.served:
            rest = self.waiting(seat.stage)
            had = ", ".join(map(str, self.served[name]))
            self.fault(
                seat, f"{name} was given it and had {had} already" + (f", while {rest[0]} waits." if rest else ".")
            )
        owner = self.sold.get(seat)
        if owner:
            self.fault(seat, f"{owner.party.name} has it, and then {name} was given it.")
        self.served.setdefault(str(name), []).append(seat)
        self.returned.pop(seat, None)
        self.sold[seat] = hold

    def check_line(self) -> None:
        """Those who were served are the first in their line."""
        for stage in STAGES:
            first = next((name for name in self.line[stage] if name not in self.served), None)
            if first is None:
                continue
            for later in self.line[stage][self.line[stage].index(first) + 1 :]:
                for seat in self.served.get(later, ())[:1]:
                    self.fault(seat, f"{first} was before {later} in the line for {stage}, and {later} was given it.")

    def audit(self, shop: Shop, seats: list[Seat] | None = None) -> None:
        """Hold the database's answers against what people were told, seat by seat."""
        self._once_settled(shop, lambda: self._audit(shop, seats))

    def check_house(self, shop: Shop) -> None:
        """Before the doors open: each seat is free, once."""
        self._once_settled(shop, lambda: self._check_house(shop))

    def _once_settled(self, shop: Shop, look: Callable[[], None]) -> None:
        """On a cluster a view follows in its own time: a fault counts when it stays."""
        before, deadline = list(self.faults), time.monotonic() + _SETTLE_SECONDS
        look()
        while shop.is_cluster and len(self.faults) > len(before) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            self.faults = list(before)
            look()

    def _audit(self, shop: Shop, seats: list[Seat] | None) -> None:
        now, asked = shop.now(), seats or self.house.all
        only = {seat[:2] for seat in asked} if seats else None
        free, twice = _free(shop, only)
        owners = _owners(shop, only) if shop.design.has("owners") else {}
        known = set(self.house.all)
        for seat in asked:
            self._audit_one(seat, seat in free, owners.get(seat, []), now)
            if twice.get(seat, 1) > 1:
                self.fault(seat, f"it is offered {twice[seat]} times over.")
        for seat in sorted((set(free) | set(owners)) - known, key=str):
            self.fault(seat, "there is no such seat.")

    def _audit_one(self, seat: Seat, is_free: bool, owners: list[str], now: datetime) -> None:
        hold, owner = self.held.get(seat), self.sold.get(seat)
        if owner:
            name = owner.party.name
            other = [each for each in owners if each != name]
            if len(owners) > 1:
                self.fault(seat, f"it stands {len(owners)} times in your books, for {' and for '.join(owners)}.")
            elif other:
                self.fault(seat, f"{name} {owner.party.has} the receipt, and your books give it to {other[0]}.")
            elif not owners:
                self.fault(seat, f"{name} {owner.party.has} the receipt, and your books know no owner.")
            elif is_free:
                self.fault(seat, f"{name} {owner.party.has} paid for it, and it is offered to everybody.")
        elif seat in self.returned:
            name = self.returned[seat]
            if owners:
                self.fault(seat, f"{name} gave it back, and your books still give it to {' and '.join(owners)}.")
            elif is_free and self.waiting(seat.stage):
                people = self._people(seat.stage)
                self.fault(seat, f"{name} gave it back, {people} in line for it, and it is offered to everybody.")
        elif owners:
            self.fault(seat, f"nobody has a receipt for it, and your books give it to {' and '.join(owners)}.")
        elif hold and hold.is_live(now):
            if is_free:
                self.fault(seat, f"{hold.party.name} {hold.party.has} it for a while, and it is offered to everybody.")
        elif not is_free and (hold is None or hold.is_over(now)):
            why = f"{hold.party.name}'s hold is over" if hold else self.why_free.get(seat, "nobody ever asked for it")
            self.fault(seat, f"{why}, and it is still not on sale: nobody has it, and nobody can buy it.")

    def _check_house(self, shop: Shop) -> None:
        free, twice = _free(shop)
        missing = [seat for seat in self.house.all if seat not in free]
        for seat in missing:
            twins = [other for other in STAGES if other != seat.stage and Seat(other, *seat[1:]) in free]
            more = ""
            if twins:
                more = f", but {Seat(twins[0], *seat[1:])} is: one seat of the two has taken the other's place"
            self.fault(seat, f"it was put on sale and is not free{more}. {len(free)} of {len(self.house.all)} are.")
        for seat, times in twice.items():
            if times > 1:
                self.fault(seat, f"it is offered {times} times over.")
        for seat in sorted(free - set(self.house.all), key=str):
            self.fault(seat, "there is no such seat.")
        for seat, names in _owners(shop).items():
            self.fault(seat, f"nobody has bought anything yet, and your books give it to {names[0]}.")


def seats_of(row: dict[str, Any]) -> list[Seat]:
    """The seats that a row of the learner's tells of: ``seat``, or a collection ``seats``."""
    numbers = [row["seat"]] if row.get("seat") is not None else row.get("seats") or []
    return [Seat(str(row.get("stage")), str(row.get("block")), number) for number in numbers]


def free_seats(shop: Shop, seats: Sequence[Seat] = ()) -> set[Seat]:
    """The seats that the database offers; of the blocks of ``seats`` at least."""
    return _free(shop, {seat[:2] for seat in seats} or None)[0]


def _free(shop: Shop, only: set[Place] | None = None) -> tuple[set[Seat], dict[Seat, int]]:
    """The seats that are on sale, and how often each is named."""
    name = "free_seats" if shop.design.has("free_seats") else "taken_seats"
    named: dict[Seat, int] = {}
    for row in shop.ask(name, only):
        for seat in seats_of(row):
            named[seat] = named.get(seat, 0) + 1
    if name == "free_seats":
        return set(named), named
    return set(shop.house.all) - set(named), {}


def _owners(shop: Shop, only: set[Place] | None = None) -> dict[Seat, list[str]]:
    found: dict[Seat, list[str]] = {}
    for row in shop.ask("owners", only):
        for seat in seats_of(row):
            found.setdefault(seat, []).append(str(row["buyer"]))
    return found
