"""Where each seat is drawn: of the whole house around its stage, or of one section in straight rows.

One place for the live map and for the pictures: a pair of numbers from 0 to 1, from the left and from the top.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ...shop.venue import Ticket, row_lengths

if TYPE_CHECKING:
    import pandas

_LEFT, _RIGHT, _BOTTOM, _TOP = -1.03, 1.03, -1.03, 0.86  # the stadium around the stage, as stadium.py draws it


def names_of(tickets: Sequence[Ticket]) -> list[list[Any]]:
    """The sections, each with its rows and how many seats those have: enough to tell what every seat is called."""
    return [
        [code, [[row, len(list(seats))] for row, seats in groupby(those, key=lambda ticket: ticket.row)]]
        for code, those in groupby(tickets, key=lambda ticket: ticket.section)
    ]


# ---------------------------------------------------------------- the whole house


def house_plan(venue: pandas.DataFrame, tickets: Sequence[Ticket]) -> dict[str, Any]:
    """How the whole house is drawn: seats in curved rows around the stage."""
    return {
        "aspect": (_TOP - _BOTTOM) / (_RIGHT - _LEFT),
        "width": 640,
        "size": min(0.012, 0.0028 * math.sqrt(50_000 / max(1, len(tickets)))),
        "sections": names_of(tickets),
        "stage": ["STAGE", *_from_above(0.0, 0.46)],
        "words": f"A map of {len(tickets):,} seats around the stage, each coloured by its status.",
        "clickable": False,
    }


def house_places(venue: pandas.DataFrame) -> list[tuple[float, float]]:
    """Where each seat of the house is, in the order of its tickets."""
    return [_from_above(*place) for section in venue.itertuples() for place in _curved_rows(section)]


def _curved_rows(section: Any) -> Iterator[tuple[float, float]]:
    deep = (section.to_radius - section.from_radius) / section.rows
    for row, length in enumerate(row_lengths(section.rows, section.seats_count)):
        radius = section.from_radius + (row + 0.5) * deep
        for seat in range(length):
            turn = section.from_angle + (seat + 0.5) / length * (section.to_angle - section.from_angle)
            yield radius * math.cos(math.radians(turn)), radius * math.sin(math.radians(turn))


def _from_above(x: float, y: float) -> tuple[float, float]:
    return (x - _LEFT) / (_RIGHT - _LEFT), (_TOP - y) / (_TOP - _BOTTOM)


# ---------------------------------------------------------------- one section

_SEAT = 26  # pixels from one seat to the next, and from row to row
_MARGIN = 34  # for the rows' names


def section_plan(tickets: Sequence[Ticket], words: str) -> dict[str, Any]:
    """How the seats of a section are drawn: straight rows, each with its name, and seats that can be chosen."""
    width, height = _extent(tickets)
    rows = list(dict.fromkeys(ticket.row for ticket in tickets))
    return {
        "aspect": height / width,
        "width": width,
        "size": 0.85 * _SEAT / width,
        "sections": names_of(tickets),
        "rows": [[row, (place + 0.5) * _SEAT / height] for place, row in enumerate(rows)],
        "words": words,
        "clickable": True,
    }


def section_places(tickets: Sequence[Ticket]) -> list[tuple[float, float]]:
    """Where each seat of a section is: its rows are centred."""
    width, height = _extent(tickets)
    lengths = {row: len(list(seats)) for row, seats in groupby(tickets, key=lambda ticket: ticket.row)}
    rows = {row: place for place, row in enumerate(lengths)}
    longest = max(lengths.values())
    return [
        (
            (_MARGIN + (ticket.seat - 0.5 + (longest - lengths[ticket.row]) / 2) * _SEAT) / width,
            (rows[ticket.row] + 0.5) * _SEAT / height,
        )
        for ticket in tickets
    ]


def _extent(tickets: Sequence[Ticket]) -> tuple[int, int]:
    lengths = [len(list(seats)) for _, seats in groupby(tickets, key=lambda ticket: ticket.row)]
    return _MARGIN + max(lengths) * _SEAT, len(lengths) * _SEAT
