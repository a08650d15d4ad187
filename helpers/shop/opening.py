"""``open_chapter``: the tables, the venue, the event and its tickets, as a chapter wants to find them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from ..lab.claims import claim
from ..lab.connection import comes_back_to
from ..lab.engine import engine_of
from ..lab.errors import LabError
from ..lab.keyspaces import check_keyspace_name
from ..lab.quiet_gc import quiet_gc
from ..lab.replication import misfit, replicas, tablets
from ..lab.settings import Settings
from ..lab.statements import apply_cql, prepared
from ..lab.waiting import wait_until
from . import fan_out
from .event import Event
from .names import remember_event
from .seats import check_hold_seconds
from .venue import FULL_HOUSE, Ticket

if TYPE_CHECKING:
    from cassandra.cluster import Session

_CDC = {"enabled": "true", "delta": "full", "preimage": "false", "postimage": "false", "ttl": "86400"}
_HOLD_COLUMNS = ("held_by", "hold_id", "held_until")


def open_chapter(
    session: Session,
    keyspace: str,
    seats: int = FULL_HOUSE,
    *,
    hold_seconds: int = 900,
    on_sale: bool = True,
    least_seats: int = 1,
) -> Event:
    """Make ``keyspace`` what a chapter begins with, use it, and return the event that is on sale there.

    Tables and views are made if they are not there. The venue and the event are written, every ticket is available
    again, and it has no orders, nobody in the queue and nothing in its log. Only what differs is written, so that a
    second call takes a moment; tables, events and venues that a learner has added stay as they are.
    ``hold_seconds`` is the time to live of a row in the queue. ``on_sale=False`` leaves the event and the venue
    unwritten: for the chapter that fills the tables. ``least_seats`` is the smallest venue of which what the chapter
    tells is true. From then on this process works in ``keyspace``: another notebook that opens it is told so.

    A LabError says what is wrong with an argument, before anything is written.

    >>> event = open_chapter(session, "seats_03", seats=1_000)
    seats_03: Midnight Orchestra, one night only, at Lantern Park; 1,000 tickets on sale.
    """
    check_keyspace_name(keyspace)
    check_hold_seconds(hold_seconds)
    event = Event(seats=seats)
    check_seats(event, least_seats)
    if comes_back_to(keyspace):
        return as_it_is(session, event)
    use_keyspace(session, keyspace)
    claim(session, keyspace)
    return put_in_place(session, event, hold_seconds=hold_seconds, on_sale=on_sale)


def as_it_is(session: Session, event: Event) -> Event:
    """The event of a chapter that stays as a learner has left it."""
    claim(session, session.keyspace)
    remember_event(event)
    print(f"{session.keyspace}: as you left it. Run this cell once more, and the chapter begins anew.")
    return event


def check_seats(event: Event, least: int) -> None:
    """A LabError if the event's venue cannot be, or is smaller than what a chapter tells of it wants."""
    event.venue  # noqa: B018  says what is wrong with the number
    if event.seats < least:
        few = f"{event.seats:,} seat{'s are' if event.seats != 1 else ' is'}"
        raise LabError(f"{few} too few for this chapter: it needs at least {least:,}.")


def put_in_place(session: Session, event: Event, *, hold_seconds: int, on_sale: bool) -> Event:
    """``open_chapter`` in the keyspace in use, with arguments that are good."""
    keyspace = session.keyspace
    apply_cql(session, "tables.cql", hold_seconds=hold_seconds)
    apply_cql(session, "views.cql")
    _restore_queue_options(session, keyspace, hold_seconds)
    for table, key in ("orders", "order_id"), ("order_queue", "event_id"):
        _empty(session, table, key, "event_id", event.id)
    _empty_log(session)
    remember_event(event)
    if not on_sale:
        _empty(session, "venue_sections", "venue_id", "venue_id", event.venue_id)
        for table in "events", "tickets":
            _empty(session, table, "event_id", "event_id", event.id)
        print(f"{keyspace}: the tables are made, and empty.")
        return event
    _write_venue_and_event(session, event)
    if _write_tickets(session, event):
        on_view = "available_tickets WHERE event_id = %s AND status = 'available'"
        wait_until(
            lambda: _count(session, on_view, event) == event.seats,
            why="the view to follow the tickets",
            seconds=60,
        )
    print(f"{keyspace}: {event.name}, at Lantern Park; {event.seats:,} ticket{'s' * (event.seats != 1)} on sale.")
    return event


def use_keyspace(session: Session, keyspace: str) -> None:
    """Make ``keyspace`` if it is not there, and use it; a LabError for what cannot be written without quotes.

    One that was made on another cluster stays as it is, and that is said.
    """
    from cassandra.protocol import SyntaxException

    check_keyspace_name(keyspace)
    # The embedded node is always the same cluster; but it can be told to lay out new keyspaces in another way.
    may_differ = engine_of(session).kind != "embedded" or Settings.from_environment().tablets is not None
    left = misfit(session, keyspace) if may_differ else None
    if left is not None:
        print(f"Note: {left}")
    try:
        copies, on_tablets = replicas(session), tablets(session)
        apply_cql(session, "keyspace.cql", keyspace=keyspace, replicas=copies, tablets=on_tablets)
    except SyntaxException:
        # The rest of the statement is ours, and good.
        raise LabError(f"keyspace must not be {keyspace!r}, which is a reserved word of CQL: add something.") from None
    session.set_keyspace(keyspace)


def _restore_queue_options(session: Session, keyspace: str, hold_seconds: int) -> None:
    key = keyspace, "order_queue"
    where = "WHERE keyspace_name = %s AND table_name = %s"
    lifetime = session.execute(f"SELECT default_time_to_live FROM system_schema.tables {where}", key).one()[0]
    options = [] if lifetime == hold_seconds else [f"default_time_to_live = {hold_seconds}"]
    if engine_of(session).kind != "cassandra":
        row = session.execute(f"SELECT cdc FROM system_schema.scylla_tables {where}", key).one()
        if not row or {**_CDC, **(row.cdc or {"enabled": "false"})} != _CDC:
            options.append("cdc = {'enabled': 'true'}")
    if options:
        session.execute(f"ALTER TABLE order_queue WITH {' AND '.join(options)}")


def _empty(session: Session, table: str, key: str, column: str, ours: UUID) -> None:
    """Remove the partitions of ``table`` in which ``column`` is ``ours``; rows that a learner has added stay."""
    what = f"DISTINCT {key}" if column == key else f"{key}, {column}"
    found = {row[0]: row[-1] for row in session.execute(f"SELECT {what} FROM {table}")}
    mine = [place for place, whose in found.items() if whose == ours]
    if mine and len(mine) == len(found):
        # Nothing but ours: a table that is empty altogether has no tombstones to read past.
        session.execute(f"TRUNCATE {table}")
        return
    delete = session.prepare(f"DELETE FROM {table} WHERE {key} = ?") if mine else None
    for place in mine:
        session.execute(delete, (place,))


def _empty_log(session: Session) -> None:
    """On a cluster, truncating a log that has no rows takes as long as one that has."""
    log = "order_queue_scylla_cdc_log"
    if engine_of(session).kind != "cassandra" and session.execute(f"SELECT * FROM {log} LIMIT 1").one():
        session.execute(f"TRUNCATE {log}")


def _write_venue_and_event(session: Session, event: Event) -> None:
    sections = [
        (event.venue_id, each.section_id, each.type_id, each.price, each.seats_count)
        for each in event.venue.itertuples()
    ]
    query = "SELECT venue_id, section_id, type_id, price, seats_count FROM venue_sections WHERE venue_id = %s"
    if {tuple(row) for row in session.execute(query, (event.venue_id,))} != set(sections):
        _empty(session, "venue_sections", "venue_id", "venue_id", event.venue_id)
        for section in sections:
            session.execute(prepared(session, "insert_venue_section"), section)
    row = (event.id, event.date, event.event_type, True, event.name, event.slug, event.venue_id)
    query = "SELECT event_id, date, event_type, has_tickets, name, slug, venue_id FROM events WHERE event_id = %s"
    if [tuple(each) for each in session.execute(query, (event.id,))] != [row]:
        session.execute(prepared(session, "insert_event"), row)


def _write_tickets(session: Session, event: Event) -> bool:
    """Bring the event's tickets to their start; tells whether any had to be written."""
    known = {
        row.column_name
        for row in session.execute(
            "SELECT column_name FROM system_schema.columns WHERE keyspace_name = %s AND table_name = 'tickets'",
            (session.keyspace,),
        )
    }
    extra = [name for name in _HOLD_COLUMNS if name in known]
    missing, changed, gone = _differences(session, event, extra)
    if len(gone) > event.seats // 2:
        # Another venue altogether: begin with an empty table, and leave no tombstone for each of its seats.
        _empty(session, "tickets", "event_id", "event_id", event.id)
        missing, changed, gone = event.tickets, [], []
    for ticket_id in gone:
        session.execute("DELETE FROM tickets WHERE event_id = %s AND ticket_id = %s", (event.id, ticket_id))
    if changed and len(extra) == len(_HOLD_COLUMNS):
        values = ((each.event_id, each.ticket_id, each.price, each.section_id, each.type_id) for each in changed)
        with quiet_gc():
            fan_out.send_batches(session, prepared(session, "reset_ticket"), values)
    else:
        missing = missing + changed
    if missing:
        fan_out.batches(session, missing)
    return bool(missing or changed or gone)


def _differences(session: Session, event: Event, extra: Sequence[str]) -> tuple[list[Ticket], list[Ticket], list[UUID]]:
    """The tickets without a row, those whose row has changed, and the ids of rows that belong to no seat."""
    from cassandra.cluster import EXEC_PROFILE_DEFAULT
    from cassandra.query import tuple_factory

    plain = session.execution_profile_clone_update(EXEC_PROFILE_DEFAULT, row_factory=tuple_factory)
    columns = ", ".join(["ticket_id", "status", "price", "section", "type_id", *extra])
    query = f"SELECT {columns} FROM tickets WHERE event_id = %s"
    with quiet_gc():
        rows = {row[0]: row[1:] for row in session.execute(query, (event.id,), execution_profile=plain)}
    nothing = (None,) * len(extra)
    missing, changed = [], []
    for ticket in event.tickets:
        row = rows.pop(ticket.ticket_id, None)
        if row is None:
            missing.append(ticket)
        elif row != ("available", ticket.price, ticket.section_id, ticket.type_id, *nothing):
            changed.append(ticket)
    return missing, changed, list(rows)


def _count(session: Session, what: str, event: Event) -> int:
    return int(session.execute(f"SELECT count(*) FROM {what}", (event.id,)).one()[0])
