"""A rush of buyers, and the pictures of a checkout: what they keep and draw, without a server."""

from __future__ import annotations

import threading

import pytest

from helpers import Event, latencies_of, rush, rush_plot, seat_states, sequence_diagram
from helpers.lab.errors import LabError
from tests.patience import SECONDS

EVENT = Event(seats=200)
SEATS = EVENT.tickets[:4]


def first_come(limit: int = 1):
    """An attempt that gives each seat away ``limit`` times."""
    sold: dict[object, int] = {}
    lock = threading.Lock()

    def attempt(session, ticket, buyer):
        with lock:
            sold[ticket] = sold.get(ticket, 0) + 1
            return sold[ticket] <= limit

    return attempt


def test_each_buyer_tries_once_and_seats_are_wanted_equally():
    attempts = rush(None, SEATS, 20, attempt=first_come())
    assert {each.buyer for each in attempts} == {f"buyer {i}" for i in range(1, 21)}
    assert all(sum(each.ticket == ticket for each in attempts) == 5 for ticket in SEATS)
    assert sum(each.got_it for each in attempts) == len(SEATS)


def test_attempts_come_in_the_order_of_their_answers():
    attempts = rush(None, SEATS, 40, attempt=first_come())
    assert [each.ended for each in attempts] == sorted(each.ended for each in attempts)
    assert all(0 <= each.began <= each.ended for each in attempts)


# Buyers who wait for each other can only meet if they are under way together.
def test_so_many_are_under_way_at_once():
    meeting = threading.Barrier(8, timeout=SECONDS)

    def attempt(session, ticket, buyer):
        meeting.wait()
        return True

    assert len(rush(None, SEATS, 16, attempt=attempt, at_once=8)) == 16


def test_an_attempt_that_fails_is_not_swallowed():
    def attempt(session, ticket, buyer):
        raise LabError("closed")

    with pytest.raises(LabError, match="closed"):
        rush(None, SEATS, 3, attempt=attempt)


@pytest.mark.parametrize(("tickets", "buyers", "why"), [([], 5, "at least one ticket"), (SEATS, 0, "at least 1 buyer")])
def test_a_rush_needs_seats_and_buyers(tickets, buyers, why):
    with pytest.raises(LabError, match=why):
        rush(None, tickets, buyers)


def test_latencies_of_a_rush():
    attempts = rush(None, SEATS, 10, attempt=first_come())
    latencies = latencies_of(attempts, "together")
    assert len(latencies) == 10
    assert latencies.max == pytest.approx(max(each.ended - each.began for each in attempts) * 1000)


# The lesson stands on this: a seat promised twice must show, and one promised once must not seem to be.
@pytest.mark.parametrize(("limit", "again"), [(1, 0), (3, 8)])
def test_the_picture_counts_every_further_promise(limit, again):
    attempts = rush(None, SEATS, 20, attempt=first_come(limit))
    labels = [each.get_label() for each in rush_plot(attempts, title="x").axes[0].collections[1:]]
    assert labels == [f"too late ({20 - 4 * limit})", "it is yours (4)", f"it is yours, once more ({again})"]


def test_the_picture_has_a_line_for_each_seat():
    fig = rush_plot(rush(None, SEATS, 8, attempt=first_come()), title="x")
    assert [each.get_text() for each in fig.axes[0].get_yticklabels()] == [ticket.label for ticket in SEATS]


def test_the_states_name_the_statements_of_the_checkout():
    words = " ".join(text.get_text() for text in seat_states().axes[0].texts)
    assert all(name in words for name in ("hold_seat", "pay_seat", "release_seat", "expire_seat"))


def test_a_sequence_has_an_arrow_for_each_message():
    fig = sequence_diagram(["Ada", "row"], [("Ada", "row", "free?"), ("row", "Ada", "yes")])
    words = [text.get_text() for text in fig.axes[0].texts]
    assert [word for word in words if word] == ["Ada", "row", "free?", "yes"]


def test_a_sequence_refuses_an_unknown_lane():
    with pytest.raises(LabError, match="no lane 'Bo'"):
        sequence_diagram(["Ada"], [("Ada", "Bo", "hello")])
