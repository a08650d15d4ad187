"""A crowd's window, what a sale remembers, and the pictures of it: without a server."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from uuid import uuid4

import pytest
from cassandra import OperationTimedOut

from helpers import Event, pace_plot, sale_plot
from helpers.display.pictures.drawing import GREEN, GREY, ORANGE
from helpers.display.pictures.sale import filling_series
from helpers.lab.errors import LabError
from helpers.shop.box_office import Hold, Outcome
from helpers.shop.crowd import TRIES, Answer, Crowd, Sale, Window
from helpers.shop.parties import Party

EVENT = Event(seats=400)
FLOOR = tuple(EVENT.section("F01"))


def full_window() -> Window:
    window = Window(EVENT, seed=1)
    assert window.show(ticket.ticket_id for ticket in EVENT.tickets) == EVENT.seats
    return window


def a_sale() -> Sale:
    """Two seats are held and sold, two held and left, freed and sold; a third party was too late."""
    answers = [
        Answer(1.0, 0.010, "hold", True, FLOOR[:2]),
        Answer(1.5, 0.020, "hold", False, FLOOR[:2]),
        Answer(2.0, 0.030, "pay", True, FLOOR[:2]),
        Answer(3.0, 0.010, "hold", True, FLOOR[2:4]),
        Answer(6.0, 0.010, "hold", True, FLOOR[2:4]),
        Answer(8.0, 0.050, "pay", True, FLOOR[2:4]),
    ]
    released = [(4.0, FLOOR[2].ticket_id), (5.0, FLOOR[3].ticket_id)]
    return Sale(EVENT, answers, released, fans=4, rounds=3, seconds=10.0)


def test_a_party_sits_in_one_section_side_by_side():
    window = full_window()
    for _ in range(200):
        chosen = window.choose(3)
        first = EVENT.tickets.index(chosen[0])
        assert chosen == EVENT.tickets[first : first + 3]
        assert len({ticket.section for ticket in chosen}) == 1


def test_the_expensive_seats_are_chosen_most():
    window = full_window()
    prices = Counter(window.choose(1)[0].price for _ in range(600))
    assert prices[max(prices)] > prices[min(prices)]


def test_what_is_taken_out_is_not_chosen_again_until_it_is_shown():
    window = full_window()
    window.take_out(FLOOR)
    assert not {ticket.section for _ in range(200) for ticket in window.choose(2)} & {"F01"}
    assert window.show([FLOOR[0].ticket_id]) == 1
    assert window.choose(2) == [FLOOR[0]]
    window.take_out([FLOOR[0]])
    assert window.choose(1) == []


def test_a_sale_knows_how_many_seats_are_held_and_sold_at_any_time():
    moves = list(a_sale().changes())
    assert moves == [(1.0, 2, 0), (2.0, -2, 2), (3.0, 2, 0), (4.0, -1, 0), (5.0, -1, 0), (6.0, 2, 0), (8.0, -2, 2)]


def test_a_sale_knows_how_full_a_section_was():
    sale = a_sale()
    assert sale.sold_at(1.9)["F01"] == 0
    assert sale.sold_at(2.0)["F01"] == pytest.approx(200 / len(FLOOR))
    assert sale.sold_at(10)["F01"] == pytest.approx(400 / len(FLOOR))
    assert set(sale.sold_at(10)) == set(EVENT.venue["section"])


def test_a_seat_that_was_sold_twice_is_found():
    sale = a_sale()
    assert sale.sold_twice() == []
    sale.answers.append(Answer(9.0, 0.010, "pay", True, FLOOR[1:2]))
    assert sale.sold_twice() == [FLOOR[1]]


def answering(monkeypatch: pytest.MonkeyPatch, **answers: list[object]) -> Crowd:
    """A crowd whose box office gives these answers, one after the other; an error is raised."""
    for name, given in answers.items():
        left = iter(given)

        def answer(*arguments: object, left=left, **options: object) -> object:
            found = next(left)
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(f"helpers.shop.crowd.{name}", answer)
    crowd = Crowd(None, EVENT, hold_seconds=60, walk_away=0.0, cancel=0.0, seed=1)
    crowd.window.show(ticket.ticket_id for ticket in EVENT.tickets)
    return crowd


def a_party() -> Party:
    now, hold_id = datetime(2031, 6, 14, 20), uuid4()
    return Party(True, (Hold(True, FLOOR[0], "fan 1", hold_id, now, now, "held", "fan 1"),), hold_id)


def test_a_payment_whose_answer_was_lost_is_sent_again(monkeypatch: pytest.MonkeyPatch):
    paid = [OperationTimedOut(), Outcome(True, "sold")]
    crowd = answering(monkeypatch, hold_together=[a_party()], pay_together=paid)
    crowd.visit(1)
    assert [(each.asked, each.applied) for each in crowd.sale.answers] == [("hold", True), ("pay", True)]


def test_who_gets_no_answer_to_a_hold_goes_home(monkeypatch: pytest.MonkeyPatch):
    crowd = answering(monkeypatch, hold_together=[OperationTimedOut()], pay_together=[])
    crowd.visit(1)
    assert crowd.sale.answers == []


def test_a_fan_who_was_too_late_looks_again_three_times_at_most(monkeypatch: pytest.MonkeyPatch):
    refused = Party(False, a_party().holds, uuid4())
    crowd = answering(monkeypatch, hold_together=[refused] * 9, pay_together=[])
    crowd.visit(1)
    assert [(each.asked, each.applied) for each in crowd.sale.answers] == [("hold", False)] * TRIES


def test_the_picture_of_a_sale_ends_with_its_end_and_marks_what_came_back():
    ax = sale_plot(a_sale()).axes[0]
    assert ax.get_xlim() == (0, 10)
    assert "2 seats sold again" in ax.get_title()
    marks = next(each for each in ax.collections if each.get_label() == "" or len(each.get_paths()) == 2)
    assert len(marks.get_paths()) == 2


def test_the_pace_counts_every_seat_that_was_paid():
    left, right = pace_plot(a_sale()).axes
    bars = [patch for patch in right.patches if patch.get_facecolor()[:3] == pytest.approx(_rgb(GREEN))]
    assert sum(bar.get_height() * bar.get_width() for bar in bars) == pytest.approx(4)
    assert {line.get_label() for line in left.get_lines()} >= {"hold, median", "pay, median"}


def test_there_is_a_map_for_each_moment_with_a_dot_for_each_seat():
    from matplotlib.colors import to_hex

    first, between, last = filling_series(a_sale(), parts=(0.1, 0.35, 1.0)).axes
    assert [ax.get_title() for ax in (first, between, last)] == ["1 s: 0 sold", "4 s: 2 sold", "10 s: 4 sold"]
    colours = [[to_hex(shade).upper() for shade in ax.collections[0].get_facecolors()] for ax in (first, between, last)]
    assert [Counter(each)[GREEN] for each in colours] == [398, 396, 396]
    assert [Counter(each)[ORANGE] for each in colours] == [2, 2, 0]
    assert [Counter(each)[GREY] for each in colours] == [0, 2, 4]


@pytest.mark.parametrize("draw", [sale_plot, pace_plot, filling_series])
def test_a_sale_without_anybody_cannot_be_drawn(draw):
    with pytest.raises(LabError, match="nobody came"):
        draw(Sale(EVENT))


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
