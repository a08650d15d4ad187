"""Ids that are made from names (uuid5): the same names give the same ids, on every machine and in every run."""

from __future__ import annotations

from uuid import NAMESPACE_URL, UUID, uuid5

# Everything of this course lives under one name of its own.
_COURSE = uuid5(NAMESPACE_URL, "fifty-thousand-seats")


def venue_id(name: str = "Lantern Park") -> UUID:
    """The id of a venue."""
    return uuid5(_COURSE, f"venue/{name}")


def event_id(name: str = "Midnight Orchestra, one night only") -> UUID:
    """The id of an event."""
    return uuid5(_COURSE, f"event/{name}")


def section_id(code: str, venue: UUID | None = None) -> UUID:
    """The id of a section, such as "L04", of a venue (Lantern Park unless told)."""
    return uuid5(venue or venue_id(), f"section/{code}")


def ticket_id(event: UUID, section: str, row: str, seat: int) -> UUID:
    """The id of one event's ticket for one seat."""
    return uuid5(event, f"ticket/{section}/{row}/{seat}")


def user_id(name: str) -> UUID:
    """The id of a buyer."""
    return uuid5(_COURSE, f"user/{name}")
