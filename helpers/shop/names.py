"""Short names for ids, so that a printed row says "L04 C-12" and not a uuid."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from .ids import event_id, user_id, venue_id

if TYPE_CHECKING:
    from .event import Event

_names: dict[UUID, str] = {
    venue_id(): "Lantern Park",
    event_id(): "Midnight Orchestra",
    **{user_id(name): name for name in ("Ada", "Bo", "Cy")},
}
_events: list[Event] = []  # those whose seats are not among the names yet
_latest: Event | None = None


def remember(id: UUID, name: str) -> None:
    """From now on ``id`` is shown as ``name``."""
    _names[id] = name


def remember_event(event: Event) -> None:
    """Know the seats and sections of this event by name. They are worked out when one is first asked for."""
    global _latest
    _latest = event
    if event not in _events:
        _events.append(event)


def latest_event() -> Event | None:
    """The event that was remembered last: the one on sale in the open chapter."""
    return _latest


def name_of(id: UUID) -> str | None:
    """The name of an id, or None when nobody said what it stands for."""
    while id not in _names and _events:
        event = _events.pop()
        _names.setdefault(event.id, event.name)
        for ticket in event.tickets:
            _names[ticket.ticket_id] = ticket.label
            _names[ticket.section_id] = ticket.section
    return _names.get(id)
