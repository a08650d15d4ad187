"""The concert that the course puts on sale, with a ticket for each seat."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from ..lab.errors import LabError
from .ids import event_id, venue_id
from .venue import FULL_HOUSE, Ticket, load_venue, tickets

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Event:
    """An event in a venue. The defaults are the course's; ``Event(seats=1_000)`` is the same concert, smaller."""

    seats: int = FULL_HOUSE
    name: str = "Midnight Orchestra, one night only"
    event_type: str = "concert"
    date: datetime = field(default=datetime(2031, 6, 14, 20, 0))

    @property
    def id(self) -> UUID:
        return event_id(self.name)

    @property
    def venue_id(self) -> UUID:
        return venue_id()

    @property
    def slug(self) -> str:
        """The name as it stands in an address: "midnight-orchestra-one-night-only"."""
        return re.sub(r"\W+", "-", self.name.lower()).strip("-")

    @cached_property
    def venue(self) -> pandas.DataFrame:
        """The sections, as ``load_venue`` gives them."""
        return load_venue(self.seats)

    @cached_property
    def tickets(self) -> list[Ticket]:
        """Every ticket, in the order of the sections."""
        return list(tickets(self.venue, self.id))

    @cached_property
    def by_id(self) -> dict[UUID, Ticket]:
        """Every ticket by its id."""
        return {ticket.ticket_id: ticket for ticket in self.tickets}

    def seat(self, label: str) -> Ticket:
        """The ticket of a seat by its label, such as "L04 C-12"."""
        found = self._by_label.get(label)
        if found is None:
            example = self.tickets[len(self.tickets) // 3].label
            raise LabError(f"A venue of {self.seats:,} has no seat {label!r}. A seat is written as {example!r}.")
        return found

    def section(self, code: str) -> list[Ticket]:
        """The tickets of one section by its code, such as "L04"."""
        found = [ticket for ticket in self.tickets if ticket.section == code]
        if not found:
            known = ", ".join(dict.fromkeys(self.venue["section"]))
            raise LabError(f"There is no section {code!r}. There are: {known}.")
        return found

    @cached_property
    def _by_label(self) -> dict[str, Ticket]:
        return {ticket.label: ticket for ticket in self.tickets}
