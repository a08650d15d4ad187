"""``checkpoint`` puts the database where a chapter begins, ``reset`` starts over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lab.claims import claim, somebody_else_in
from ..lab.connection import comes_back_to, connect, living_session
from ..lab.errors import LabError
from ..shop.event import Event
from ..shop.names import latest_event, remember_event
from ..shop.opening import as_it_is, check_seats, put_in_place, use_keyspace
from ..shop.seats import check_hold_seconds
from ..shop.venue import FULL_HOUSE
from . import record_file
from .exercises import undo
from .look import Look, NotYet
from .numbers import chapter_of, keyspace_of
from .outline import chapter as chapter_called
from .outline import outline

if TYPE_CHECKING:
    from cassandra.cluster import Session

_TABLES = ("venue_sections", "events", "tickets", "orders", "order_queue")
# Most chapters begin with the event on sale. Two begin with its tables empty, and two without tables.
_EMPTY, _NOTHING = {"02", "02b"}, {"01", "07"}


def checkpoint(
    chapter: str,
    *,
    seats: int | None = None,
    keyspace: str | None = None,
    hold_seconds: int = 900,
    least_seats: int = 1,
) -> Event:
    """Put the database into the state in which ``chapter`` begins, in seconds, and return its event.

    Only the chapter's own rows are put back: tables that a learner has made, rows of other events and everything that
    is done so far (``progress``) stay. Where a chapter begins without tables, all views of them go too. The venue is as
    large as the one that is open here, and has 50,000 seats where none is. The keyspace is the chapter's unless another
    is named. Whoever names one works there from then on, as with ``open_chapter``; the chapter's own is left to its
    notebook.

    >>> event = checkpoint("04")
    Connected to the embedded node: 1 node, data centre datacenter1.
    seats_04: Midnight Orchestra, one night only, at Lantern Park; 50,000 tickets on sale.
    """
    least = chapter_called(chapter).least_seats if keyspace is None else least_seats
    event = _event(seats)
    check_seats(event, least)
    check_hold_seconds(hold_seconds)
    session = living_session() or connect()
    if keyspace is not None and comes_back_to(keyspace):
        return as_it_is(session, event)
    use_keyspace(session, keyspace_of(chapter) if keyspace is None else keyspace)
    if keyspace is not None:
        claim(session, keyspace)
    elif somebody := somebody_else_in(session, session.keyspace):
        print(f"{somebody} It has to be run from its top now.")
    if chapter in _NOTHING:
        return _without_tables(session, event)
    return put_in_place(session, event, hold_seconds=hold_seconds, on_sale=chapter not in _EMPTY)


def reset(what: str | None = None, *, seats: int | None = None, progress: bool = False) -> None:
    """Start over: an exercise ("04.2"), or a whole chapter ("04"; without a name the open one).

    An exercise's rows are put back, and so is a table of the chapter that is gone. A chapter's keyspace is dropped,
    with everything that a learner has made in it, and built anew. What is done so far is kept unless ``progress=True``
    asks to forget it too.
    """
    if isinstance(what, str) and "." in what:
        _reset_exercise(what)
        return
    session = living_session() or connect()
    chapter = what or _open_chapter(session)
    mine = session.keyspace if what is None else None
    check_seats(_event(seats), chapter_called(chapter).least_seats)
    comes_back_to(mine or "")  # whoever starts over does not go on where it was
    if mine is not None:
        claim(session, mine)
    session.execute(f"DROP KEYSPACE IF EXISTS {mine or keyspace_of(chapter)}")
    if progress:
        record_file.forget(chapter)
    checkpoint(chapter, seats=seats, keyspace=mine)


def _event(seats: int | None) -> Event:
    """The concert in a venue of this size; without one, in a venue as large as the one that is open here."""
    here = latest_event()
    return Event(seats=seats if seats is not None else here.seats if here is not None else FULL_HOUSE)


def _reset_exercise(number: str) -> None:
    from cassandra import InvalidRequest

    try:
        undo(number)
    except (InvalidRequest, NotYet):
        # What the exercise is about is not there: a table was dropped, or lacks a column.
        _rebuild_tables(chapter_of(number))
        undo(number)
        print("A table of the chapter was gone. All are as the chapter begins: run the cells above that change them.")
    print(f"Exercise {number}: as it was before.")


def _rebuild_tables(chapter: str) -> None:
    look = Look(chapter)
    if chapter in _NOTHING | _EMPTY:
        raise LabError(f'A table of this chapter is gone. reset("{chapter}") starts the chapter over.')
    put_in_place(look.session, look.event, hold_seconds=900, on_sale=True)


def _open_chapter(session: Session) -> str:
    found = next((number for number in outline() if keyspace_of(number) == session.keyspace), None)
    if found is None:
        raise LabError('No chapter is open here: name the one to start over, as in reset("04").')
    return found


def _without_tables(session: Session, event: Event) -> Event:
    keyspace = session.keyspace
    for view in _views_of_our_tables(session, keyspace):
        session.execute(f"DROP MATERIALIZED VIEW IF EXISTS {view}")
    for table in _TABLES:
        session.execute(f"DROP TABLE IF EXISTS {table}")
    remember_event(event)
    print(f"{keyspace}: an empty keyspace, as the chapter begins.")
    return event


def _views_of_our_tables(session: Session, keyspace: str) -> list[str]:
    """The views that keep the chapter's tables from being dropped, a learner's own among them."""
    indexes = session.execute("SELECT index_name FROM system_schema.indexes WHERE keyspace_name = %s", (keyspace,))
    # An index is kept as a view too; that one goes with its table.
    kept_by_index = {f"{row.index_name}_index" for row in indexes}
    query = "SELECT view_name, base_table_name FROM system_schema.views WHERE keyspace_name = %s"
    views = {row.view_name: row.base_table_name for row in session.execute(query, (keyspace,))}
    return [view for view, table in views.items() if table in _TABLES and view not in kept_by_index]
