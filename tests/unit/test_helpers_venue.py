"""Lantern Park: 50,000 seats exactly, in any size, with the same ids in every run."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import Event, event_id, ticket_id
from helpers.lab.errors import LabError
from helpers.shop.venue import load_venue, row_label, row_lengths, share_out


def test_the_full_house_has_fifty_thousand_seats() -> None:
    venue = load_venue()
    assert venue["seats_count"].sum() == 50_000
    assert venue["section"].nunique() == 54
    assert set(venue["type_id"]) == {"floor", "lower", "club", "upper", "accessible"}
    assert all(isinstance(price, Decimal) for price in venue["price"])


@given(st.integers(1, 200_000), st.lists(st.integers(2, 2_000), min_size=2, max_size=80))
def test_sharing_out_loses_no_seat_and_forgets_no_section(seats: int, sizes: list[int]) -> None:
    shares = share_out(seats, sizes)
    assert sum(shares) == seats
    assert all(shares) or seats < len(sizes)


@given(st.lists(st.integers(2, 2_000), min_size=1, max_size=80))
def test_sharing_out_the_full_house_changes_nothing(sizes: list[int]) -> None:
    assert share_out(sum(sizes), sizes) == sizes


@pytest.mark.parametrize("seats", [1, 61, 62, 500, 1_234, 60_000])
def test_a_venue_of_any_size_has_a_ticket_for_each_seat(seats: int) -> None:
    event = Event(seats=seats)
    assert len(event.tickets) == seats
    assert len(event.by_id) == seats
    assert len({ticket.label for ticket in event.tickets}) == seats


@pytest.mark.parametrize("seats", [0, -1, 2.5, "many", True, 1_000_001])
def test_a_number_of_seats_that_cannot_be_is_refused(seats: object) -> None:
    with pytest.raises(LabError, match="seats must be a whole number from 1 to 1,000,000, not"):
        load_venue(seats)  # type: ignore[arg-type]


def test_rows_are_labelled_and_filled_from_the_front() -> None:
    assert [row_label(i) for i in (0, 25, 26, 27)] == ["A", "Z", "AA", "AB"]
    assert row_label(1, "accessible") == "WB"
    assert row_lengths(4, 10) == [2, 2, 3, 3]


def test_ids_never_change() -> None:
    # Committed outputs and everybody's data rest on these.
    assert event_id() == UUID("3e2eb9aa-9b1e-5a27-b751-24cc737d892a")
    seat = Event(seats=50_000).seat("C02 G-1")
    assert seat.ticket_id == ticket_id(event_id(), "C02", "G", 1) == UUID("c53067e1-8b59-5314-9dc9-566f133e4cb8")
    assert Event(seats=1_000).seat("L04 A-1").ticket_id == Event().seat("L04 A-1").ticket_id


def test_a_seat_or_section_that_is_not_there_is_told() -> None:
    event = Event(seats=100)
    with pytest.raises(LabError, match=r"A venue of 100 has no seat 'Z99'\. A seat is written as '\w+ \w+-\d+'"):
        event.seat("Z99")
    with pytest.raises(LabError, match=r"There is no section 'X'\. There are: F01, F02"):
        event.section("X")
