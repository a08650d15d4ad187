"""The checkout: one seat, one buyer, whatever is repeated, comes late or gets lost on the way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cassandra import OperationTimedOut, WriteTimeout
from cassandra.cluster import Session

from helpers import (
    Event,
    cancel,
    count_by_status,
    hold_in_turn,
    hold_seat,
    hold_together,
    let_time_pass,
    open_chapter,
    pay,
    release_expired,
    seat_of,
    server_now,
)
from helpers.lab.clock import push_clock
from helpers.lab.errors import LabError
from helpers.shop.box_office import is_held
from helpers.shop.parties import cancel_together, pay_together
from tests.patience import Stopwatch
from tests.protocol.faults import LosesAnswers


def order_of(session: Session, hold_id: object) -> str:
    return session.execute("SELECT status FROM orders WHERE order_id = %s", (hold_id,)).one().status


def queue(session: Session) -> list[str]:
    return sorted(row.session_id for row in session.execute("SELECT session_id FROM order_queue"))


def test_a_hold_is_a_seat_a_place_in_the_queue_and_a_pending_order(lab: Session, chapter: Event) -> None:
    watch = Stopwatch()
    hold = hold_seat(lab, chapter.tickets[0], "Ada", seconds=600)
    assert hold.applied and str(hold) == f"Ada holds {chapter.tickets[0].label}."
    seat = seat_of(lab, chapter.tickets[0])
    assert (seat.status, seat.held_by, seat.hold_id, seat.held_until) == ("held", "Ada", hold.hold_id, hold.held_until)
    assert queue(lab) == ["Ada"]
    assert lab.execute("SELECT TTL(session_id) FROM order_queue").one()[0] in watch.left(600)
    assert order_of(lab, hold.hold_id) == "pending"


def test_the_second_buyer_is_told_who_was_faster(lab: Session, chapter: Event) -> None:
    hold_seat(lab, chapter.tickets[0], "Ada")
    late = hold_seat(lab, chapter.tickets[0], "Bo")
    assert (late.applied, late.status, late.held_by) == (False, "held", "Ada")
    assert str(late) == f"Bo was too late: {chapter.tickets[0].label} is held by Ada."
    assert queue(lab) == ["Ada"]


def test_what_was_refused_is_false(lab: Session, chapter: Event) -> None:
    """``if hold_seat(…):`` is the natural way to write it, and must not sell a seat twice."""
    ada, bo = (hold_seat(lab, chapter.tickets[0], buyer) for buyer in ("Ada", "Bo"))
    assert ada and not bo
    assert not pay(lab, bo) and not cancel(lab, bo)
    assert pay(lab, ada) and not cancel(lab, ada)
    for hold in (hold_together, hold_in_turn):
        refused = hold(lab, chapter.tickets[:2], "Cy")
        assert not refused and not pay_together(lab, refused) and not cancel_together(lab, refused)
        party = hold(lab, chapter.tickets[2:4], "Cy")
        assert party and cancel_together(lab, party)


@pytest.mark.parametrize("seconds", [0, -1, 10**10, 1.5, "900", None, True])
@pytest.mark.parametrize("hold", [hold_seat, hold_together, hold_in_turn])
def test_a_hold_lasts_as_long_as_a_ttl_may(lab: Session, chapter: Event, hold: Any, seconds: Any) -> None:
    """Said before the seat is taken: its row in the queue, which comes after it, could not be written."""
    wish = chapter.tickets[0] if hold is hold_seat else chapter.tickets[:2]
    sentence = r"seconds must be (a whole number of seconds, not|at least 1, and is|630,720,000 at most, and is)"
    with pytest.raises(LabError, match=sentence):
        hold(lab, wish, "Ada", seconds=seconds)
    assert count_by_status(lab, chapter)["available"] == 200


def test_of_many_buyers_at_once_one_gets_the_seat(lab: Session, chapter: Event) -> None:
    with ThreadPoolExecutor(16) as buyers:
        holds = list(buyers.map(lambda i: hold_seat(lab, chapter.tickets[0], f"buyer {i}"), range(64)))
    winners = [hold for hold in holds if hold.applied]
    assert len(winners) == 1
    assert {hold.held_by for hold in holds} == {winners[0].buyer}
    assert queue(lab) == [winners[0].buyer]


def test_paying_sells_once_however_often_it_is_said(lab: Session, chapter: Event) -> None:
    hold = hold_seat(lab, chapter.tickets[0], "Ada")
    assert [pay(lab, hold).applied for _ in range(2)] == [True, True]
    assert (order_of(lab, hold.hold_id), queue(lab)) == ("paid", [])
    assert not cancel(lab, hold).applied
    assert hold_seat(lab, chapter.tickets[0], "Bo").status == "sold"
    assert count_by_status(lab, chapter) == {"available": 199, "held": 0, "sold": 1}


def test_cancelling_gives_the_seat_to_the_next(lab: Session, chapter: Event) -> None:
    hold = hold_seat(lab, chapter.tickets[0], "Ada")
    assert cancel(lab, hold).applied
    assert (order_of(lab, hold.hold_id), queue(lab)) == ("cancelled", [])
    assert hold_seat(lab, chapter.tickets[0], "Bo").applied


@pytest.mark.parametrize("late", [pay, cancel])
def test_a_late_message_of_an_earlier_hold_touches_no_later_one(lab: Session, chapter: Event, late: Any) -> None:
    first = hold_seat(lab, chapter.tickets[0], "Ada")
    cancel(lab, first)
    second = hold_seat(lab, chapter.tickets[0], "Ada")
    assert not late(lab, first).applied
    assert seat_of(lab, chapter.tickets[0]).hold_id == second.hold_id
    assert pay(lab, second).applied


def test_a_hold_that_is_over_cannot_be_paid_and_is_released_once(lab: Session, chapter: Event) -> None:
    hold = hold_seat(lab, chapter.tickets[0], "Ada", seconds=900)
    longer = hold_seat(lab, chapter.tickets[1], "Bo", seconds=1800)
    assert release_expired(lab, chapter) == []
    let_time_pass(lab, 901)
    assert not is_held(lab, chapter.tickets[0])
    assert pay(lab, hold).status == "held"
    assert queue(lab) == ["Bo"]
    assert release_expired(lab, chapter) == [chapter.tickets[0]]
    assert release_expired(lab, chapter) == []
    assert order_of(lab, hold.hold_id) == "expired"
    assert pay(lab, longer).applied


LOST = [WriteTimeout("CAS", consistency=6, write_type=7), OperationTimedOut()]


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("carried_out", [True, False])
def test_a_timeout_is_settled_by_reading(lab: Session, chapter: Event, error: Exception, carried_out: bool) -> None:
    deaf = LosesAnswers(lab, error, carried_out=carried_out)
    hold = hold_seat(deaf, chapter.tickets[0], "Ada")
    assert hold.applied is carried_out
    assert seat_of(lab, chapter.tickets[0]).status == ("held" if carried_out else "available")
    hold = hold_seat(lab, chapter.tickets[0], "Ada", hold_id=hold.hold_id)
    assert hold.applied
    assert queue(lab) == ["Ada"]
    assert pay(deaf, hold).applied is carried_out
    assert pay(lab, hold).applied


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_cancel_whose_answer_is_lost_is_settled_too(lab: Session, chapter: Event, carried_out: bool) -> None:
    hold = hold_seat(lab, chapter.tickets[0], "Ada")
    assert cancel(LosesAnswers(lab, LOST[0], carried_out=carried_out), hold).applied is carried_out


def test_holding_again_with_the_same_id_is_the_same_hold(lab: Session, chapter: Event) -> None:
    first = hold_seat(lab, chapter.tickets[0], "Ada", seconds=600)
    assert hold_seat(lab, chapter.tickets[0], "Ada", seconds=600, hold_id=first.hold_id) == first
    assert queue(lab) == ["Ada"]
    assert not hold_seat(lab, chapter.tickets[0], "Ada").applied


def test_the_clock_of_the_server_counts_even_after_a_push_by_somebody_else(lab: Session, chapter: Event) -> None:
    before = server_now(lab)
    push_clock(lab, 3600)
    assert 3600 <= (server_now(lab) - before).total_seconds() < 3660


def test_tables_without_the_columns_are_told(lab: Session) -> None:
    lab.execute("DROP KEYSPACE IF EXISTS unit_bare")
    event = open_chapter(lab, "unit_bare", 10)
    with pytest.raises(LabError, match=r"no columns for holds yet: run apply_cql\(session, 'checkout\.cql'\)"):
        hold_seat(lab, event.tickets[0], "Ada")
