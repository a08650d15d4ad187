"""The checks of chapter 02b: a row marker that stays, values left unset, and a write that is newer than a delete."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..course.look import Look, NotYet
from ..display.formatting import about
from ..display.pictures.rows import MARKER, parts_of
from ..display.traces import rows_read
from ..lab.clock import server_now

_GATES = {"E-1": "A", "E-4": "C"}
_HIDDEN = "my_arrivals has no row C-1: what is not newer than the delete stays hidden."


def check_1(look: Look) -> str:
    """The row is there, free, and stays there."""
    seats = _guests(look, "my_seats")
    if "C-1" not in seats:
        raise NotYet("my_seats has no row C-1: nothing of it is left, not even a row marker.")
    guest = seats.pop("C-1")
    if guest == "Cy":
        raise NotYet("Cy still sits on C-1.")
    if guest is not None:
        raise NotYet(f"The guest on C-1 is called {guest!r}, which is a name; a free seat has null there.")
    if seats:
        raise NotYet(f"my_seats also lists {', '.join(sorted(seats))}; only C-1 was asked for.")
    parts = parts_of(look.session, "my_seats", {"seat": "C-1"})
    marker = parts[MARKER]
    if marker is None or not marker.lives:
        holding = next((name for name, part in parts.items() if part is not None and part.lives), "something")
        raise NotYet(f"C-1 has no row marker: it is on the list only as long as {holding} has a value.")
    if marker.ttl is not None:
        raise NotYet(f"C-1 leaves the list by itself in {about(marker.ttl)}: its row marker has an end.")
    _one_more_guest(look)
    return "C-1 is on the list, and free."


def _one_more_guest(look: Look) -> None:
    """Let Di come and go by UPDATE, as the shop does it: the row must be there still."""
    update = "UPDATE my_seats SET guest = %s WHERE seat = 'C-1'"
    for guest in "Di", None:
        look.session.execute(update, (guest,))
    if "C-1" not in _guests(look, "my_seats"):
        raise NotYet("The next guest came and went, and then C-1 was not on the list any more.")


def undo_1(look: Look) -> None:
    look.drop("my_seats")


def check_2(look: Look) -> str:
    """What is known is written; nothing is written where nothing is known."""
    look.columns("my_gates")
    query = "SELECT seat, gate FROM my_gates WHERE day = 1"
    gates = {row.seat: row.gate for row in look.rows(query)}
    strange = sorted(gates.keys() - _GATES.keys())
    if strange:
        raise NotYet(f"my_gates has a row for {', '.join(strange)} too, for which the import knew no gate.")
    for seat, gate in _GATES.items():
        if gates.get(seat) != gate:
            raise NotYet(f"The gate of {seat} should be {gate}, and is {gates.get(seat, 'not there')}.")
    dead = rows_read(look.session, query).dead
    if dead:
        rows = "1 dead row" if dead == 1 else f"{dead} dead rows"
        raise NotYet(f"A read of my_gates meets {rows}: a null was written where nothing was to be said.")
    return "E-1 and E-4 have their gates, and a read meets no dead row."


def undo_2(look: Look) -> None:
    look.drop("my_gates")


def check_3(look: Look) -> str:
    """A row that is newer than a delete from the future."""
    seats = _guests(look, "my_arrivals")
    if "C-1" not in seats:
        if "Cy" in seats.values():
            elsewhere = next(seat for seat, guest in seats.items() if guest == "Cy")
            raise NotYet(f"Cy sits on {elsewhere} now; he wants C-1 back.")
        raise NotYet(_HIDDEN)
    if seats["C-1"] != "Cy":
        raise NotYet(f"The guest on C-1 is {seats['C-1'] or 'null'}, not Cy.")
    stamp = look.row("SELECT WRITETIME(guest) AS stamp FROM my_arrivals WHERE seat = 'C-1'").stamp
    if datetime(1970, 1, 1) + timedelta(microseconds=stamp) <= server_now(look.session):
        raise NotYet(
            "Cy's row is stamped with the present, which the delete would hide: the delete is gone, and was to stay."
        )
    return "Cy sits on C-1 again."


def undo_3(look: Look) -> None:
    look.drop("my_arrivals")


def _guests(look: Look, table: str) -> dict[str, str | None]:
    """Seat → guest in a table of an exercise, which may not be there yet."""
    look.columns(table)
    return {row.seat: row.guest for row in look.rows(f"SELECT seat, guest FROM {table}")}
