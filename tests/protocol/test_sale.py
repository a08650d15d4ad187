"""A whole evening at a small venue: a crowd, a sweeper in a process of its own, and the books at the end."""

from __future__ import annotations

import pytest
from cassandra.cluster import Session

from helpers import Event, count_by_status, hold_together, let_time_pass, open_sale, wait_until
from helpers.lab.errors import LabError
from helpers.shop.crowd import SweeperBeside
from tests.patience import SECONDS
from tests.unit.conftest import KEYSPACE


@pytest.mark.slow
def test_a_crowd_buys_every_seat_once(lab: Session, chapter: Event) -> None:
    sale = open_sale(lab, chapter, walk_away=0.3, cancel=0.2)
    assert count_by_status(lab, chapter) == {"available": 0, "held": 0, "sold": chapter.seats}
    tickets = lab.execute("SELECT ticket_id, hold_id FROM tickets WHERE event_id = %s", (chapter.id,))
    orders = list(lab.execute("SELECT order_id, ticket_id, status FROM orders"))
    paid = [(each.ticket_id, each.order_id) for each in orders if each.status == "paid"]
    assert sorted(paid) == sorted((each.ticket_id, each.hold_id) for each in tickets)
    assert "pending" not in {each.status for each in orders}
    assert not list(lab.execute("SELECT event_id FROM available_events WHERE has_tickets = true"))
    # What the crowd itself has seen says the same.
    assert sale.sold_twice() == []
    assert sum(sold for _, _, sold in sale.changes()) == chapter.seats
    assert sum(held for _, held, _ in sale.changes()) == 0
    assert len(sale.released) == sum(each.status == "expired" for each in orders) > 0
    assert set(sale.sold_at(sale.seconds).values()) == {100}


@pytest.mark.slow
def test_the_sweeper_beside_it_tells_which_seats_it_frees(lab: Session, chapter: Event) -> None:
    party = hold_together(lab, chapter.tickets[:3], "Ada", seconds=60)
    with SweeperBeside(KEYSPACE) as beside:
        let_time_pass(lab, 61)
        wait_until(lambda: len(beside.released) == 3, why="the sweeper to free three seats", seconds=SECONDS)
    assert {ticket_id for _, ticket_id in beside.released} == {hold.ticket.ticket_id for hold in party.holds}


@pytest.mark.slow
def test_a_sweeper_that_cannot_work_is_not_passed_over(lab: Session) -> None:
    with pytest.raises(LabError, match="The sweeper has ended by itself: error: "), SweeperBeside("nowhere") as beside:
        assert beside.ended.wait(SECONDS)
