"""Lantern Park: its sections from a data file, at any size, and a ticket for each seat."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from ..lab.errors import LabError
from .ids import section_id, ticket_id

if TYPE_CHECKING:
    import pandas

DATA_FILE = Path(__file__).with_name("lantern_park.csv")
FULL_HOUSE = 50_000
MOST_SEATS = 1_000_000


class Ticket(NamedTuple):
    """One seat of one event. ``section`` is a code such as "L04"; ``price`` is a Decimal."""

    event_id: UUID
    ticket_id: UUID
    section: str
    row: str
    seat: int
    section_id: UUID
    type_id: str
    price: Decimal

    @property
    def label(self) -> str:
        """The seat as it is printed on a ticket: "L04 C-12"."""
        return f"{self.section} {self.row}-{self.seat}"


def load_venue(seats: int = FULL_HOUSE) -> pandas.DataFrame:
    """The sections of Lantern Park with ``seats`` seats in all, as a DataFrame of one row a section and type.

    Columns: ``section`` (code), ``tier``, ``type_id``, ``price`` (Decimal), ``rows``, ``seats_count``, ``section_id``
    (UUID) and the shape on the map: ``from_angle`` and ``to_angle`` in degrees, counter-clockwise from the right, the
    stage at 90; ``from_radius`` and ``to_radius`` as parts of the stadium's.
    A venue of another size keeps the proportions, and at least one seat in every section where there are enough.
    """
    import pandas

    if isinstance(seats, bool) or not isinstance(seats, int) or not 1 <= seats <= MOST_SEATS:
        raise LabError(f"seats must be a whole number from 1 to {MOST_SEATS:,}, not {seats!r}.")
    venue = pandas.read_csv(DATA_FILE, converters={"price": Decimal})
    full = venue["seats_count"].tolist()
    sizes = share_out(seats, full)
    venue["rows"] = [
        min(size, max(1, round(rows * math.sqrt(size / before))))
        for rows, size, before in zip(venue["rows"], sizes, full, strict=True)
    ]
    venue["seats_count"] = sizes
    venue["section_id"] = [section_id(code) for code in venue["section"]]
    return venue[venue["seats_count"] > 0].reset_index(drop=True)


def share_out(seats: int, sizes: list[int]) -> list[int]:
    """Share ``seats`` among sections in proportion to ``sizes``; the sum is exact, and nobody gets none if it can be.

    >>> share_out(10, [50, 30, 20])
    [5, 3, 2]
    """
    if seats < len(sizes):
        largest = sorted(range(len(sizes)), key=lambda i: -sizes[i])[:seats]
        return [int(i in largest) for i in range(len(sizes))]
    # One seat each first, then the others by largest remainder, in whole numbers so that no rounding loses a seat.
    others, weights = seats - len(sizes), [size - 1 for size in sizes]
    shares = [divmod(others * weight, sum(weights)) for weight in weights]
    missing = others - sum(whole for whole, _ in shares)
    lucky = set(sorted(range(len(sizes)), key=lambda i: -shares[i][1])[:missing])
    return [1 + whole + (i in lucky) for i, (whole, _) in enumerate(shares)]


def row_lengths(rows: int, seats: int) -> list[int]:
    """The seats of each row, from the front; the rows at the back are longer by one where it does not come out even."""
    short, longer = divmod(seats, rows)
    return [short] * (rows - longer) + [short + 1] * longer


def row_label(index: int, type_id: str = "") -> str:
    """A, B, … Z, AA, AB, …; the places for wheelchairs, behind the others, are WA, WB, …"""
    label = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        label = chr(ord("A") + letter) + label
    return f"W{label}" if type_id == "accessible" else label


def tickets(venue: pandas.DataFrame, event: UUID) -> Iterator[Ticket]:
    """One Ticket for each seat of ``venue``, in the order of the sections: what a fan-out writes.

    >>> next(tickets(load_venue(), event_id())).label
    'F01 A-1'
    """
    for section in venue.itertuples():
        for index, length in enumerate(row_lengths(section.rows, section.seats_count)):
            row = row_label(index, section.type_id)
            for seat in range(1, length + 1):
                yield Ticket(
                    event,
                    ticket_id(event, section.section, row, seat),
                    section.section,
                    row,
                    seat,
                    section.section_id,
                    section.type_id,
                    section.price,
                )
