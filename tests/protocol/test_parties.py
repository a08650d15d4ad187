"""Several seats in one checkout, over the wire: all or none, whatever is repeated or lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cassandra import OperationTimedOut, WriteTimeout
from cassandra.cluster import Session

from helpers import Event, count_by_status, hold_seat, pay, release_expired, seat_of
from helpers.lab.clock import push_clock
from helpers.lab.errors import LabError
from helpers.shop.parties import Party, cancel_together, hold_in_turn, hold_together, pay_together
from tests.protocol.faults import LosesAnswers

HOLDS = pytest.mark.parametrize("hold_all", [hold_together, hold_in_turn])


def orders(session: Session, party: Party) -> set[str]:
    query = "SELECT status FROM orders WHERE order_id = %s"
    return {session.execute(query, (hold.hold_id,)).one().status for hold in party.holds}


def in_the_queue(session: Session) -> int:
    return len(list(session.execute("SELECT session_id FROM order_queue")))


@HOLDS
def test_all_seats_are_held_paid_and_nobody_elses(lab: Session, chapter: Event, hold_all: Any) -> None:
    seats = chapter.tickets[:4]
    party = hold_all(lab, seats, "Ada")
    assert party.applied and all(hold.applied for hold in party.holds)
    assert str(party).startswith("Ada holds ") and all(seat.label in str(party) for seat in seats)
    assert (in_the_queue(lab), orders(lab, party)) == (4, {"pending"})
    assert not hold_seat(lab, seats[2], "Bo").applied
    assert [pay_together(lab, party).applied for _ in range(2)] == [True, True]
    assert (in_the_queue(lab), orders(lab, party)) == (0, {"paid"})
    assert count_by_status(lab, chapter) == {"available": 196, "held": 0, "sold": 4}


@HOLDS
def test_one_seat_that_is_taken_leaves_all_the_others_free(lab: Session, chapter: Event, hold_all: Any) -> None:
    hold_seat(lab, chapter.tickets[2], "Ada")
    party = hold_all(lab, chapter.tickets[:4], "Bo")
    assert not party.applied
    assert str(party) == f"Bo was too late: {chapter.tickets[2].label} is held by Ada."
    assert count_by_status(lab, chapter) == {"available": 199, "held": 1, "sold": 0}
    assert in_the_queue(lab) == 1


def test_of_many_families_each_gets_all_or_none(lab: Session, chapter: Event) -> None:
    wishes = [chapter.tickets[begin : begin + 4] for begin in range(0, 40, 2)]
    with ThreadPoolExecutor(8) as pool:
        parties = list(pool.map(lambda wish: hold_together(lab, wish, "Ada"), wishes))
    held = [hold.ticket.ticket_id for party in parties if party.applied for hold in party.holds]
    assert len(held) == len(set(held)) == count_by_status(lab, chapter)["held"]


def test_cancelling_gives_all_back(lab: Session, chapter: Event) -> None:
    party = hold_together(lab, chapter.tickets[:4], "Ada")
    assert cancel_together(lab, party).applied
    assert (in_the_queue(lab), orders(lab, party)) == (0, {"cancelled"})
    assert not cancel_together(lab, party).applied
    assert count_by_status(lab, chapter)["available"] == 200


def test_a_party_that_lost_a_seat_buys_none_and_gives_the_others_back(lab: Session, chapter: Event) -> None:
    party = hold_together(lab, chapter.tickets[:4], "Ada", seconds=900)
    push_clock(lab, 901)
    release_expired(lab, chapter)
    assert pay(lab, hold_seat(lab, chapter.tickets[1], "Bo")).applied
    assert not pay_together(lab, party).applied
    assert not cancel_together(lab, party).applied
    assert count_by_status(lab, chapter) == {"available": 199, "held": 0, "sold": 1}
    assert orders(lab, party) == {"expired"}


@pytest.mark.parametrize("error", [WriteTimeout("CAS", consistency=6, write_type=7), OperationTimedOut()], ids=str)
@pytest.mark.parametrize("carried_out", [True, False])
def test_a_timeout_is_settled_by_reading(lab: Session, chapter: Event, error: Exception, carried_out: bool) -> None:
    deaf = LosesAnswers(lab, error, carried_out=carried_out)
    party = hold_together(deaf, chapter.tickets[:3], "Ada")
    assert party.applied is carried_out
    again = hold_together(lab, chapter.tickets[:3], "Ada", party_id=party.party_id)
    assert again.applied and {hold.hold_id for hold in again.holds} == {hold.hold_id for hold in party.holds}
    assert pay_together(deaf, again).applied is carried_out
    assert pay_together(lab, again).applied
    bought = hold_together(lab, chapter.tickets[:3], "Ada", party_id=party.party_id)
    assert bought.applied and bought.holds[0].status == "sold"
    assert seat_of(lab, chapter.tickets[0]).status == "sold"
    assert in_the_queue(lab) == 0


@HOLDS
def test_what_is_no_party_is_told(lab: Session, chapter: Event, hold_all: Any) -> None:
    with pytest.raises(LabError, match="at least one seat"):
        hold_all(lab, [], "Ada")
    elsewhere = chapter.tickets[0]._replace(event_id=chapter.venue_id)
    with pytest.raises(LabError, match="of one event"):
        hold_all(lab, [chapter.tickets[1], elsewhere], "Ada")
