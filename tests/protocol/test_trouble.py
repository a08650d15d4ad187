"""Trouble that passes: it never ends a sale, and every seat is sold once all the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from cassandra import OperationTimedOut, ReadTimeout, Unavailable, WriteFailure, WriteTimeout
from cassandra.cluster import NoHostAvailable, Session
from cassandra.connection import ConnectionShutdown
from cassandra.query import BatchStatement

from helpers import (
    Event,
    cancel,
    count_by_status,
    hold_in_turn,
    hold_seat,
    hold_together,
    let_time_pass,
    pay,
    rush,
    seat_of,
)
from helpers.shop import asking, on_sale
from helpers.shop.box_office import Outcome
from helpers.shop.crowd import open_sale
from helpers.shop.parties import cancel_together, pay_together
from helpers.shop.seats import order_status
from helpers.shop.sweeper import Sweeper, make_reader
from tests.protocol.faults import Future
from tests.unit.test_crowd import a_party, answering

UNKNOWN = [  # nobody knows whether it was carried out
    WriteTimeout("CAS", consistency=9, write_type=7),
    ReadTimeout("CAS", consistency=9),
    WriteFailure("CAS", consistency=9, write_type=7),
    OperationTimedOut(),
    ConnectionShutdown("closed"),
    NoHostAvailable("none", {"a": ConnectionShutdown("closed")}),
]
REFUSED = [Unavailable("few", consistency=9, required_replicas=2, alive_replicas=1)]
REFUSED += [NoHostAvailable("none", {"a": REFUSED[0]}), NoHostAvailable("none", {})]
CASES = [(error, carried_out) for error in UNKNOWN for carried_out in (True, False)] + [(e, False) for e in REFUSED]


def kind_of(case: object) -> str:
    """A test's name for an error, or for whether it was carried out."""
    return type(case).__name__ if isinstance(case, Exception) else str(case)


class Troubled:
    """A session whose every request may fail: ``trouble(query)`` gives the error, or None, and whether the request is
    carried out all the same."""

    def __init__(self, session: Session, trouble: Callable[[Any], tuple[Exception | None, bool]]):
        self.session, self.trouble = session, trouble
        self.failed = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)

    def execute(self, query: Any, values: Any = None, **options: Any) -> Any:
        error, carried_out = self.trouble(query)
        answer = self.session.execute(query, values, **options) if error is None or carried_out else None
        if error is None:
            return answer
        self.failed += 1
        raise error

    def execute_async(self, query: Any, values: Any = None, **options: Any) -> Future:
        return Future(lambda: self.execute(query, values, **options))


def name_of(query: Any) -> str:
    if isinstance(query, BatchStatement):
        return "batch"
    return str(getattr(getattr(query, "prepared_statement", query), "query_string", query))


def first_time_each(error: Exception, carried_out: bool) -> Callable[[Any], tuple[Exception | None, bool]]:
    """Every kind of request fails when it comes for the first time; the SERIAL read after a decision too."""
    seen: set[str] = set()

    def trouble(query: Any) -> tuple[Exception | None, bool]:
        name = name_of(query)
        if name in seen or "system.local" in name:
            return None, True
        seen.add(name)
        return error, carried_out

    return trouble


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in asking, on_sale:
        monkeypatch.setattr(module, "PAUSES", (0.0,) * len(asking.PAUSES))


def statuses(session: Session, event: Event, *numbers: int) -> list[str | None]:
    return [seat_of(session, event.tickets[number]).status for number in numbers]


# ---------------------------------------------------------------- one checkout


def test_a_hold_is_decided_though_the_read_that_decides_fails_too(lab: Session, chapter: Event) -> None:
    for number, (error, carried_out) in enumerate(CASES):
        hold = hold_seat(Troubled(lab, first_time_each(error, carried_out)), chapter.tickets[number], "Ada")
        assert hold.applied is carried_out, error
        assert statuses(lab, chapter, number) == ["held" if carried_out else "available"], error
        assert order_status(lab, hold.hold_id) == ("pending" if carried_out else None), error
        if not carried_out:
            assert hold_seat(lab, chapter.tickets[number], "Ada", hold_id=hold.hold_id).applied, error


@pytest.mark.parametrize(("end", "status", "order"), [(pay, "sold", "paid"), (cancel, "available", "cancelled")])
def test_what_follows_a_decision_is_written_though_each_statement_fails_once(
    lab: Session, chapter: Event, end: Any, status: str, order: str
) -> None:
    for number, (error, carried_out) in enumerate(CASES):
        hold = hold_seat(lab, chapter.tickets[number], "Ada")
        outcome = end(Troubled(lab, first_time_each(error, carried_out)), hold)
        assert outcome.applied is carried_out, error
        if not carried_out:
            assert end(lab, hold).applied, error
        assert statuses(lab, chapter, number) == [status], error
        assert order_status(lab, hold.hold_id) == order, error
    assert not list(lab.execute("SELECT ticket_id FROM order_queue"))


@pytest.mark.parametrize(("end", "status"), [(pay_together, "sold"), (cancel_together, "available")])
def test_a_party_is_decided_as_one(lab: Session, chapter: Event, end: Any, status: str) -> None:
    for number, (error, carried_out) in enumerate(CASES):
        two = chapter.tickets[2 * number : 2 * number + 2]
        party = hold_together(Troubled(lab, first_time_each(error, carried_out)), two, "Ada")
        assert party.applied is carried_out, error
        party = hold_together(lab, two, "Ada", party_id=party.party_id)
        assert party.applied, error
        assert end(Troubled(lab, first_time_each(error, carried_out)), party).applied is carried_out, error
        end(lab, party)
        assert statuses(lab, chapter, 2 * number, 2 * number + 1) == [status, status], error


def test_what_does_not_pass_is_told(lab: Session, chapter: Event) -> None:
    wrong = TypeError("a mistake of ours")
    with pytest.raises(TypeError):
        hold_seat(Troubled(lab, first_time_each(wrong, False)), chapter.tickets[0], "Ada")


def test_what_does_not_pass_in_time_is_told_too(lab: Session, chapter: Event) -> None:
    session = Troubled(lab, lambda query: (None if "system.local" in name_of(query) else REFUSED[0], False))
    with pytest.raises(Unavailable):
        hold_in_turn(session, chapter.tickets[:1], "Ada")
    assert session.failed == 1 + len(asking.PAUSES) + 1


# ---------------------------------------------------------------- many


def test_a_rush_goes_on_without_those_who_hear_nothing(lab: Session, chapter: Event) -> None:
    def attempt(session: Session, ticket: Any, buyer: str) -> bool:
        if buyer == "buyer 3":
            raise WriteTimeout("CAS", consistency=9, write_type=7)
        return True

    attempts = rush(lab, chapter.tickets[:2], buyers=5, attempt=attempt)
    assert {each.buyer for each in attempts if not each.got_it} == {"buyer 3"}
    assert len(attempts) == 5


@pytest.mark.parametrize("error", [*UNKNOWN, *REFUSED], ids=kind_of)
def test_a_fan_who_never_hears_how_it_ended_ends_no_sale(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    crowd = answering(monkeypatch, hold_together=[a_party(), error], pay_together=[error] * 9)
    crowd.visit(1)
    crowd.visit(2)
    assert crowd.sale.unanswered == 2
    assert [(each.asked, each.applied) for each in crowd.sale.answers] == [("hold", True)]


def test_a_payment_that_may_still_be_on_its_way_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [Outcome(False, "held"), ReadTimeout("CAS"), Outcome(True, "sold")]
    crowd = answering(monkeypatch, hold_together=[a_party()], pay_together=answers)
    crowd.visit(1)
    assert [(each.asked, each.applied) for each in crowd.sale.answers] == [("hold", True), ("pay", True)]


def test_the_sweeper_comes_again_for_what_it_was_not_answered(lab: Session, chapter: Event) -> None:
    hold_together(lab, chapter.tickets[:3], "Ada", seconds=60)
    let_time_pass(lab, 61)
    broken = [True]
    session = Troubled(lab, lambda query: (OperationTimedOut() if broken and _decides(query) else None, False))
    sweeper = Sweeper(session, audit_seconds=0.0)
    for change in make_reader(lab, sweeper, "troubled", stop="now", safety=0).poll():
        sweeper.consume(change)
    far = sweeper.deadlines.needed_since().replace(year=2100)
    sweeper.advanced(far)
    assert (sweeper.swept.released, sweeper.swept.put_off) == (0, 0)  # it stays open, and nothing is wrong
    assert statuses(lab, chapter, 0, 1, 2) == ["held"] * 3
    broken.clear()
    sweeper.advanced(far)
    assert sweeper.swept.released == 3
    assert statuses(lab, chapter, 0, 1, 2) == ["available"] * 3


def _decides(query: Any) -> bool:
    return isinstance(query, BatchStatement) or name_of(query).startswith("UPDATE tickets")


def test_a_sweeper_that_hears_nothing_at_all_goes_on(lab: Session, chapter: Event) -> None:
    sweeper = Sweeper(Troubled(lab, lambda query: (REFUSED[1], False)), audit_seconds=0.0)
    sweeper.advanced(chapter.date)
    assert sweeper.swept.put_off == 1


@pytest.mark.slow
def test_a_sale_in_the_middle_of_trouble_sells_every_seat_once(lab: Session, chapter: Event) -> None:
    """One request in twelve fails, in every way that there is; carried out or not."""
    chance = random.Random(11)

    def trouble(query: Any) -> tuple[Exception | None, bool]:
        of_the_driver = "FROM system." in name_of(query) and "now()" not in name_of(query)
        if of_the_driver or chance.random() > 1 / 12:
            return None, True
        error, carried_out = chance.choice(CASES)
        return error, carried_out and not name_of(query).startswith("SELECT")

    session = Troubled(lab, trouble)
    sale = open_sale(session, chapter, walk_away=0.2, cancel=0.1)
    assert session.failed > 50
    assert count_by_status(lab, chapter) == {"available": 0, "held": 0, "sold": chapter.seats}
    assert sale.sold_twice() == []
    paid = [row.ticket_id for row in lab.execute("SELECT ticket_id, status FROM orders") if row.status == "paid"]
    assert len(paid) == len(set(paid))
