"""Checks of the exercises of chapter 04: the learner's own statements, sent by rivals who want seats of all kinds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from ..course.look import Look, NotYet
from ..course.replay import Outcome
from ..lab.clock import in_words, server_now
from ..shop.venue import Ticket

_SET = (
    "UPDATE tickets SET status = %s, held_by = %s, hold_id = %s, held_until = %s "
    "WHERE event_id = %s AND ticket_id = %s IF EXISTS"
)
_HOLD_SECONDS = 900


def check_1(look: Look) -> str:
    """An UPDATE that takes a free seat, and no other."""
    take = look.statement("UPDATE", "tickets")
    free, bos, dees, old = look.event.section("F05")[1:5]
    absent = free._replace(ticket_id=uuid4())
    try:
        # One that is free, one that Bo holds, one that Dee has bought, and one sold before there were holds.
        states = {free: ("available", None), bos: ("held", "Bo"), dees: ("sold", "Dee"), old: ("sold", None)}
        _set(look, states, {bos: uuid4(), dees: uuid4()})
        _accepted(look, _on(look, take, free))
        row = _row(look, free)
        if row.status != "held":
            raise NotYet(f"{free.label} was free, and after your UPDATE it is {row.status}: it should be held.")
        if row.held_by is None:
            raise NotYet(f"{free.label} is held, but by nobody: the UPDATE sets held_by too.")
        if row.held_by != "Cy":
            raise NotYet(f"{row.held_by} holds {free.label}, not Cy.")
        looked = look.answer.said("SELECT", "tickets") is not None and not look.answer.is_conditional
        for seat, whose in (bos, "Bo"), (dees, "Dee"):
            _on(look, take, seat)
            if _row(look, seat).held_by == whose:
                continue
            if looked:
                raise NotYet(
                    f"Your SELECT looked, {whose} took {seat.label}, and your UPDATE came last: it is Cy's now."
                )
            raise NotYet(f"{seat.label} was {whose}'s, and now Cy has it: your UPDATE {_did_not_look(look)}.")
        _on(look, take, old)
        if _row(look, old).status != "sold":
            raise NotYet(
                f"{old.label} was sold before there were holds, to nobody by name, and now Cy has it: "
                "your condition asks for the holder alone."
            )
        _on(look, take, absent)
        if _row_or_none(look, absent) is not None:
            raise NotYet("There is a seat now that the house does not have: your UPDATE made a row where none was.")
    finally:
        _clean(look, absent)
        look.put_back(free, bos, dees, old)
    return f"A free seat becomes Cy's, and {bos.label}, {dees.label} and {old.label} are whose they were."


def undo_1(look: Look) -> None:
    look.put_back(*look.event.section("F05")[:5])


def check_2(look: Look) -> str:
    """A table and a statement: one lock for a seat, the first comes, and it ends by itself."""
    partition, clustering = look.key("my_locks")
    key = partition + clustering
    first, second = look.event.section("F05")[5:7]
    take = look.answer.said("INSERT", "my_locks") or look.answer.said("UPDATE", "my_locks")
    if take is None:
        raise NotYet("my_locks is there, and no statement in your cell takes a lock: one more is needed.")
    try:
        answer = _lock(look, take, first, "Ada")
        _accepted(look, answer, "statement")
        mine = _locks(look, first)
        if not mine and answer.applied is False:
            raise NotYet(f"Ada cannot lock {first.label}, which nobody has: another seat's lock stands in its way.")
        if not mine:
            raise NotYet(f"Ada has taken a lock on {first.label}, and my_locks has no row that says so.")
        if not any("Ada" in row for row in mine):
            raise NotYet(f"my_locks has a lock on {first.label}, and does not say that it is Ada's.")
        answer = _lock(look, take, first, "Bo")
        both = _locks(look, first)
        if len(both) > 1:
            raise NotYet(
                f"Ada and Bo both have a lock on {first.label}: the key is ({', '.join(key)}), and theirs differ in it."
            )
        if "Ada" not in both[0]:
            raise NotYet(f"Bo has the lock on {first.label}: his statement took it from Ada, who came first.")
        if answer.applied is not False:
            raise NotYet(f"Ada has the lock on {first.label}, and nobody tells Bo: his statement asks nothing.")
        _lock(look, take, second, "Bo")
        if not any("Bo" in row for row in _locks(look, second)):
            raise NotYet(f"Ada locks {first.label}, and Bo cannot lock {second.label}: one lock holds up all seats.")
        _ends_in_time(look, first)
    finally:
        for seat in first, second:
            _unlock(look, seat, key)
    return f"Of two rivals the first has {first.label}, the other is told, and the lock ends by itself."


def undo_2(look: Look) -> None:
    look.drop("my_locks")


def check_3(look: Look) -> str:
    """An UPDATE that ends one hold, and no other."""
    release = look.statement("UPDATE", "tickets")
    again, cys, bought, mine = look.event.section("F06")[1:5]
    holds = {seat: uuid4() for seat in (again, cys, bought, mine)}
    late = uuid4()
    try:
        _set(look, {again: ("held", "Bo"), cys: ("held", "Cy"), bought: ("sold", "Bo"), mine: ("held", "Bo")}, holds)
        _accepted(look, _release(look, release, mine, holds[mine]))
        row = _row(look, mine)
        if row.status != "available":
            raise NotYet(f"Bo gave {mine.label} back in time, and it is {row.status}: his UPDATE had no effect.")
        if (row.held_by, row.hold_id) != (None, None):
            raise NotYet(f"{mine.label} is available, and its row still tells of Bo's hold: nobody else can take it.")
        if row.held_until is not None:
            raise NotYet(f"{mine.label} is available, and its row still tells when Bo's hold would have ended.")
        _release(look, release, again, late)
        if _row(look, again).status != "held":
            raise NotYet(f"{again.label} is available: a late cancel of Bo's first hold has ended his second.")
        _release(look, release, cys, late)
        if _row(look, cys).held_by != "Cy":
            raise NotYet(f"Cy held {cys.label}, and a late cancel of Bo's has taken it away.")
        _release(look, release, bought, holds[bought])
        if _row(look, bought).status != "sold":
            raise NotYet(f"Bo has paid for {bought.label}, and then his own late cancel set it free.")
    finally:
        look.put_back(again, cys, bought, mine)
    return f"Bo's cancel frees {mine.label} and nothing else, however late it comes."


def undo_3(look: Look) -> None:
    look.put_back(*look.event.section("F06")[:5])


def _on(look: Look, text: str, seat: Ticket) -> Outcome:
    return look.replay(text, event_id=seat.event_id, ticket_id=seat.ticket_id)


def _lock(look: Look, text: str, seat: Ticket, buyer: str) -> Outcome:
    """The learner's statement for another buyer, who begins a little later than the one before."""
    begun = server_now(look.session) + timedelta(milliseconds=40 * (buyer == "Bo"))
    key = {"event_id": seat.event_id, "ticket_id": seat.ticket_id}
    outcome = look.replay(text, **key, buyer=buyer, **({"started_at": begun} if "started_at" in text else {}))
    if "buyer" in outcome.left_out and outcome.error is None:
        raise NotYet("Your statement takes the lock for nobody in particular: :buyer is not in it.")
    return outcome


def _release(look: Look, text: str, seat: Ticket, hold_id: Any) -> Outcome:
    return look.replay(text, event_id=seat.event_id, ticket_id=seat.ticket_id, hold_id=hold_id)


def _accepted(look: Look, outcome: Outcome, what: str = "UPDATE") -> None:
    if outcome.error is not None:
        raise NotYet(f"The server refuses your {what} ({outcome.error}): run your cell, and it says why.")


def _did_not_look(look: Look) -> str:
    return "asks for what is so of that seat too" if look.answer.is_conditional else "did not look"


def _locks(look: Look, seat: Ticket) -> list[Any]:
    """The rows of my_locks for a seat, whatever its key is."""
    columns = look.columns("my_locks")
    if "ticket_id" not in columns:
        raise NotYet("my_locks has no column ticket_id: it does not say which seat is locked.")
    return look.rows("SELECT * FROM my_locks WHERE ticket_id = %s ALLOW FILTERING", (seat.ticket_id,))


def _ends_in_time(look: Look, seat: Ticket) -> None:
    """The lock ends after the time of a hold, not much sooner and no later."""
    wanted = look.variable("hold_seconds", _HOLD_SECONDS)
    values = [name for name, (kind, _, _) in look.columns("my_locks").items() if kind == "regular"]
    if not values:
        raise NotYet("my_locks has nothing but its key, so nothing says whose a lock is.")
    times = ", ".join(f"TTL({name})" for name in values)
    query = f"SELECT {times} FROM my_locks WHERE ticket_id = %s ALLOW FILTERING"
    (row,) = look.rows(query, (seat.ticket_id,))
    left = [each for each in row if each is not None]
    if not left:
        raise NotYet(f"Ada has the only lock on {seat.label}, but for ever: it has no time to live.")
    if not wanted / 2 < max(left) <= wanted:
        raise NotYet(
            f"Ada's lock on {seat.label} ends in about {in_words(round(max(left), -1) or max(left))}, "
            f"and a hold lasts {in_words(wanted)}."
        )


def _unlock(look: Look, seat: Ticket, key: list[str]) -> None:
    """Take away the rows that the check has made."""
    if "ticket_id" not in look.columns("my_locks"):
        return
    where = " AND ".join(f"{name} = %s" for name in key)
    for row in _locks(look, seat):
        look.session.execute(f"DELETE FROM my_locks WHERE {where} IF EXISTS", tuple(getattr(row, name) for name in key))


def _set(look: Look, states: dict[Ticket, tuple[str, str | None]], holds: dict[Ticket, UUID]) -> None:
    """Seats as they may be met: each with its status, whose it is, and the id of its hold."""
    if "held_by" not in look.columns("tickets"):
        raise NotYet("The tickets have no columns for holds yet: run the cells above, from the start.")
    look.put_back(*states)
    until = server_now(look.session) + timedelta(seconds=_HOLD_SECONDS)
    for seat, (status, whose) in states.items():
        hold = (holds[seat], until) if seat in holds else (None, None)
        look.session.execute(_SET, (status, whose, *hold, seat.event_id, seat.ticket_id))


def _row(look: Look, ticket: Ticket) -> Any:
    row = _row_or_none(look, ticket)
    if row is None:
        raise NotYet(f"{ticket.label} has no row any more: your statement took it away.")
    return row


def _row_or_none(look: Look, ticket: Ticket) -> Any:
    if "held_by" not in look.columns("tickets"):
        raise NotYet("The tickets have no columns for holds yet: run the cells above, from the start.")
    query = "SELECT status, held_by, hold_id, held_until FROM tickets WHERE event_id = %s AND ticket_id = %s"
    return look.row(query, (ticket.event_id, ticket.ticket_id))


def _clean(look: Look, absent: Ticket) -> None:
    look.session.execute(
        "DELETE FROM tickets WHERE event_id = %s AND ticket_id = %s IF EXISTS", (absent.event_id, absent.ticket_id)
    )
