"""What the festival's books say while a party's statements are on their way: whoever has let go is promised nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from helpers.festival.books import Hold
from helpers.festival.crowd import Crowd
from helpers.festival.design import Design
from helpers.festival.house import House, Seat
from helpers.festival.shop import Sending, Shop

SEAT = Seat("Lake", "A", 1)
WHERE = "WHERE seat = :seat"


class Counter(Shop):
    """A shop without a database: says yes to every condition, but for those of the scripts that ``refused`` names."""

    def __init__(self, design: Design, *refused: str) -> None:
        self.design, self.house, self.hold_seconds, self.is_cluster = design, House(2), 900, False
        self.refused = refused
        self.time = datetime(2031, 6, 14, 20)

    def now(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time

    def new_id(self) -> Any:
        return uuid4()

    def send(self, sending: Sending) -> list[dict[str, Any]]:
        return [{"applied": sending.script not in self.refused}]


def crowd(*refused: str) -> Crowd:
    """A shop in which each of these scripts is two statements."""
    texts = dict.fromkeys(("hold", "cancel"), f"UPDATE a SET b = 1 {WHERE} IF c = 2; UPDATE d SET b = 1 {WHERE}")
    undo = {"undo_pay": f"UPDATE a SET b = null {WHERE}; UPDATE d SET b = null {WHERE}"}
    shop = Counter(Design(pay=f"UPDATE a SET b = 3 {WHERE} IF c = 2", **texts, **undo), *refused)
    return Crowd(shop, shop.house)


def held(people: Crowd, name: str) -> Hold:
    job = people.hold(name, [SEAT])
    assert job.finish()
    return people.hold_of(job)


def test_whoever_cancels_is_promised_nothing_from_the_first_statement_on() -> None:
    people = crowd()
    job = people.cancel(held(people, "Ada"))
    job.step()
    held(people, "Bo")
    assert job.finish() and not people.books.faults
    # Ada's last statement comes when Bo has the seat, and the books keep it for him.
    assert people.books.held[SEAT].party.name == "Bo"


def test_whoever_is_refused_payment_is_promised_nothing_while_that_is_undone() -> None:
    people = crowd("pay")
    job = people.pay(held(people, "Ada"))
    job.step()
    assert not job.done, "what was paid halfway is being undone"
    held(people, "Bo")
    assert not job.finish()
    assert people.books.held[SEAT].party.name == "Bo"
    assert [str(fault) for fault in people.books.faults] == ["Lake A-1: Ada paid in time, and was refused."]


def test_a_hold_that_nobody_lets_go_is_a_promise() -> None:
    people = crowd()
    held(people, "Ada")
    held(people, "Bo")
    (fault,) = map(str, people.books.faults)
    assert fault == "Lake A-1: it was promised to Ada, and to Bo as well."


@pytest.mark.parametrize("late", [False, True])
def test_a_payment_in_time_is_a_receipt_and_no_fault(late: bool) -> None:
    people = crowd(*["pay"] * late)
    hold = held(people, "Ada")
    if late:
        people.shop.time += timedelta(seconds=people.shop.hold_seconds + 2)
    people.pay(hold).finish()
    assert not people.books.faults and not people.books.held
    assert (SEAT in people.books.sold) != late
