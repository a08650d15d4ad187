"""Checks of the exercises of chapter 06."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from cassandra.util import uuid_from_time

from scylla_cdc import Change, ChangeRow, Operation, StreamId

from ..course.look import Look, NotYet
from ..lab.clock import server_now
from ..shop.beside import ids_in, text_of

_COLUMNS = ("event_id", "section", "row_name", "seat", "status")


def check_1(look: Look) -> str:
    partition, clustering = look.key("my_tickets")
    missing = [name for name in _COLUMNS if name not in look.columns("my_tickets")]
    if missing:
        raise NotYet(f"my_tickets has no column {missing[0]}.")
    if "status" in partition + clustering:
        raise NotYet("status is part of the key of my_tickets: a seat would get another row when it is sold.")
    if "event_id" not in partition:
        raise NotYet(
            f"The partition key of my_tickets is ({', '.join(partition)}): every evening that is ever on sale would "
            "decide in the same place."
        )
    if "section" not in partition:
        raise NotYet(f"The partition key of my_tickets is ({', '.join(partition)}): two sections wait for each other.")
    if "seat" in partition:
        raise NotYet("The seats of a row lie in several partitions of my_tickets: no batch could decide about six.")
    left_out = [name for name in ("row_name", "seat") if name not in partition + clustering]
    if left_out:
        raise NotYet(f"{left_out[0]} is not in the key of my_tickets: two seats would be one row.")
    more = [name for name in partition + clustering if name not in _COLUMNS]
    if more:
        raise NotYet(f"{more[0]} is in the key of my_tickets: one seat could have two rows.")
    cut = "row of a section" if "row_name" in partition else "section"
    return f"Each {cut} of an event decides for itself, and a party in one row is one decision."


def undo_1(look: Look) -> None:
    look.drop("my_tickets")


# ---------------------------------------------------------------- 06.2, the sweeper


def check_2(look: Look) -> str:
    make = look.variable("MySweeper")
    if make is None:
        raise NotYet("There is no MySweeper in this notebook yet: run the cell that begins it.")
    scene = _Scene(look)
    try:
        _judge_one(scene, make)
        _judge_two(scene, make)
        _judge_look(scene, make)
    finally:
        scene.clear()
    return "What was left behind is on sale again; what was paid, let go, or is held by somebody else stays as it is."


def undo_2(look: Look) -> None:
    """A class leaves no rows."""


@dataclass
class _Seat:
    """A seat that a judge has made, and what the queue's log says of its hold."""

    ticket_id: UUID
    hold_id: UUID
    ends_at: datetime
    buyer: str = "Cy"
    started_at: datetime = field(default=datetime(2031, 6, 14, 19))


class _Scene:
    """Seats of an event that is nobody's, in the chapter's table, and changes as the queue's log would have them."""

    def __init__(self, look: Look):
        self.session, self.event_id = look.session, uuid4()
        self.now = server_now(look.session)
        self.past, self.future = self.now - timedelta(minutes=1), self.now + timedelta(minutes=10)

    def seat(self, status: str, ends_at: datetime, *, held_until: datetime | None = None, anew: bool = False) -> _Seat:
        """A seat with this status. ``anew``: by now it is another hold's, until ``held_until``."""
        seat = _Seat(uuid4(), uuid4(), ends_at)
        self.hold(seat, status, "Bo" if anew else "Cy", uuid4() if anew else seat.hold_id, held_until or ends_at)
        return seat

    def hold(self, seat: _Seat, status: str, buyer: str, hold_id: UUID, until: datetime) -> None:
        """Make the seat's row so, whatever it was."""
        values = (status, buyer, hold_id, until, self.event_id, seat.ticket_id)
        key = "WHERE event_id = %s AND ticket_id = %s"
        names = "status, held_by, hold_id, held_until, event_id, ticket_id"
        insert = f"INSERT INTO tickets ({names}) VALUES (%s, %s, %s, %s, %s, %s) IF NOT EXISTS"
        if not self.session.execute(insert, values).one()[0]:
            update = f"UPDATE tickets SET status = %s, held_by = %s, hold_id = %s, held_until = %s {key} IF EXISTS"
            self.session.execute(update, values)

    def holder(self, seat: _Seat) -> tuple[str, str | None]:
        """The seat's status, and who has it."""
        query = "SELECT status, held_by FROM tickets WHERE event_id = %s AND ticket_id = %s"
        row = self.session.execute(query, (self.event_id, seat.ticket_id)).one()
        return ("gone", None) if row is None else (row.status, row.held_by)

    def joined(self, seat: _Seat) -> Change:
        """The change that says that somebody has joined the queue, until the hold's end."""
        values = {"session_id": seat.buyer, "hold_id": seat.hold_id}
        return self._change(Operation.INSERT, seat, seat.ends_at - timedelta(minutes=15), 900, values)

    def left(self, seat: _Seat) -> Change:
        """The change that says that somebody has left the queue early: paid, or cancelled."""
        return self._change(Operation.ROW_DELETE, seat, seat.ends_at - timedelta(minutes=5), None, {})

    def clear(self) -> None:
        """Take the made-up event away."""
        self.session.execute("DELETE FROM tickets WHERE event_id = %s", (self.event_id,))

    def _change(
        self, operation: Operation, seat: _Seat, at: datetime, ttl: int | None, values: dict[str, Any]
    ) -> Change:
        key = {"event_id": self.event_id, "ticket_id": seat.ticket_id, "started_at": seat.started_at}
        stream, time = StreamId(bytes(16)), uuid_from_time(at)
        row = ChangeRow(operation, 0, True, ttl, key, {**key, **values}, frozenset(), {}, stream, time)
        return Change(stream, time, (row,))


class _Watched:
    """A session that remembers about which seats something was written, and passes everything on."""

    def __init__(self, session: Any):
        self._session = session
        self.asked: list[UUID] = []
        self.after_a_look: Callable[[], None] | None = None
        self.looked = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def execute(self, query: Any, parameters: Any = None, *more: Any, **options: Any) -> Any:
        """``session.execute``."""
        rows = self._session.execute(query, parameters, *more, **options)
        if not self._note(query, parameters):
            self.looked = True
            if self.after_a_look:
                self.after_a_look()
        return rows

    def execute_async(self, query: Any, parameters: Any = None, *more: Any, **options: Any) -> Any:
        """``session.execute_async``."""
        self._note(query, parameters)
        return self._session.execute_async(query, parameters, *more, **options)

    def _note(self, query: Any, parameters: Any) -> bool:
        """Is it a write?"""
        write = not text_of(query).lstrip().upper().startswith("SELECT")
        if write:
            self.asked += ids_in(query, parameters)
        return write


class _Copy:
    """One running copy of the learner's sweeper, whose errors are told in a sentence."""

    def __init__(self, scene: _Scene, make: Callable[[Any], Any]):
        self.session = _Watched(scene.session)
        self._sweeper = self._try("is made", lambda: make(self.session))

    def consume(self, *changes: Change, when: str = "reads a change") -> None:
        for change in changes:
            self._try(when, partial(self._sweeper.consume, change))

    def advanced(self, until: datetime, when: str = "is told how far the log is read") -> None:
        self._try(when, lambda: self._sweeper.advanced(until))

    def _try(self, when: str, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except Exception as error:
            raise NotYet(f"MySweeper fails when it {when}: {type(error).__name__}: {error}") from error


def _judge_one(scene: _Scene, make: Callable[[Any], Any]) -> None:
    """One copy, and everything that may have become of a hold."""
    left = scene.seat("held", scene.past)
    paid = scene.seat("sold", scene.past)
    anew = scene.seat("held", scene.past, held_until=scene.future, anew=True)
    gone = scene.seat("sold", scene.past)
    early = scene.seat("held", scene.future)
    late = scene.seat("held", scene.past)
    sweeper = _Copy(scene, make)
    stranger = scene.left(scene.seat("sold", scene.past))
    sweeper.consume(stranger, when="reads of somebody who left, and had not read of them before")
    for seat in left, paid, anew, gone, early:
        sweeper.consume(scene.joined(seat))
    sweeper.consume(scene.left(gone), when="reads of somebody who left")
    sweeper.advanced(scene.now)
    if scene.holder(left)[0] != "available":
        raise NotYet("A seat that was left behind is still held, a minute after its hold's end.")
    if scene.holder(left)[1] is not None:
        raise NotYet("A seat that came back still says who held it: held_by is to be null again.")
    if scene.holder(paid)[0] != "sold":
        raise NotYet("A seat was paid in time, and the log says so late: your sweeper put it on sale again.")
    if scene.holder(anew) != ("held", "Bo"):
        raise NotYet("Cy's hold ended, Bo holds the seat by now, and your sweeper took it from Bo.")
    if scene.holder(early)[0] != "held":
        raise NotYet("A hold has ten minutes left, and your sweeper ended it.")
    if early.ticket_id in sweeper.session.asked:
        raise NotYet("A hold has ten minutes left, and your sweeper asked about it already: it does so each round.")
    if gone.ticket_id in sweeper.session.asked:
        raise NotYet("Somebody paid and left the queue, and your sweeper asked about the seat all the same.")
    sweeper.consume(scene.joined(late))
    asked = sweeper.session.asked.count(left.ticket_id)
    sweeper.advanced(scene.now + timedelta(seconds=1))
    if scene.holder(late)[0] != "available":
        raise NotYet("A change came late, when its hold was over already, and that seat is still held.")
    if sweeper.session.asked.count(left.ticket_id) > asked:
        raise NotYet("Your sweeper asks about a seat again that it has freed: what is settled is to be forgotten.")


def _judge_two(scene: _Scene, make: Callable[[Any], Any]) -> None:
    """Two copies that read the same log; between them somebody else comes."""
    first, second = _Copy(scene, make), _Copy(scene, make)
    seat, other = scene.seat("held", scene.past), scene.seat("held", scene.past)
    for each in first, second:
        each.consume(scene.joined(seat), scene.joined(seat), scene.joined(other), when="reads a change twice")
    first.advanced(scene.now)
    scene.hold(seat, "held", "Bo", uuid4(), scene.future)
    second.advanced(scene.now, when="finds that another copy was faster")
    if scene.holder(seat) != ("held", "Bo"):
        raise NotYet("One copy freed the seat, Bo held it, and the second copy took it from Bo.")
    if scene.holder(other)[0] != "available":
        raise NotYet("Two copies read the same log, and a seat that was left behind is still held.")


def _judge_look(scene: _Scene, make: Callable[[Any], Any]) -> None:
    """One that looks at the row first: the seat is paid between its look and its write."""
    seat, copy = scene.seat("held", scene.past), _Copy(scene, make)
    copy.consume(scene.joined(seat))
    copy.session.after_a_look = lambda: scene.hold(seat, "sold", "Cy", seat.hold_id, seat.ends_at)
    copy.advanced(scene.now)
    status, _ = scene.holder(seat)
    if status == "available" and copy.session.looked:
        raise NotYet("Your sweeper looked, Cy paid, and then it put the seat on sale: nothing held the two together.")


# ---------------------------------------------------------------- 06.3, the front page


def check_3(look: Look) -> str:
    update = look.statement("UPDATE", "events")
    offered, taken_off, unknown = (uuid4() for _ in range(3))
    names = "event_id, name, has_tickets"
    try:
        for event_id, has_tickets in (offered, True), (taken_off, False):
            values = (event_id, "A judge's evening", has_tickets)
            look.session.execute(f"INSERT INTO events ({names}) VALUES (%s, %s, %s) IF NOT EXISTS", values)
        answers = {event_id: look.replay(update, event_id=event_id) for event_id in (offered, taken_off, unknown)}
        flags = {
            event_id: look.row("SELECT has_tickets FROM events WHERE event_id = %s", (event_id,))
            for event_id in answers
        }
    finally:
        for event_id in offered, taken_off, unknown:
            look.session.execute("DELETE FROM events WHERE event_id = %s IF EXISTS", (event_id,))
    refused = next((each.error for each in answers.values() if each.error), None)
    if refused:
        raise NotYet(f"On another event your statement is refused: {refused}.")
    if flags[offered].has_tickets is not False:
        raise NotYet("An event that was on the front page is on it still.")
    if flags[unknown] is not None:
        raise NotYet("Your statement made a row for an event that does not exist: nothing asks whether it does.")
    if answers[offered].applied is None:
        raise NotYet("Your statement writes without asking: its answer cannot say who turned the flag.")
    if answers[taken_off].applied:
        raise NotYet("An event was off the front page already, and your statement says that it has taken it off.")
    return "Whoever turns the flag is told so, and everybody else is told that it was turned."


def undo_3(look: Look) -> None:
    """Put the open event on the front page again, as it was before the sale."""
    look.session.execute("UPDATE events SET has_tickets = true WHERE event_id = %s IF EXISTS", (look.event.id,))
