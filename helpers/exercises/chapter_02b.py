"""The checks of chapter 02b: row markers, values left unset, writes without an end, and one newer than a delete."""

from __future__ import annotations

from ..course.look import Look, NotYet
from ..display.traces import rows_read

_A_DAY = 86_400
_BY_DEFAULT = "his row took the table's default"
_GATES = {"E-1": "A", "E-4": "C"}


def check_1(look: Look) -> str:
    """The row is there, and its guest is null."""
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
    return "C-1 is on the list, and free."


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
    """One row without an end, in a table that gives its rows one."""
    look.columns("my_passes")
    where = "WHERE keyspace_name = %s AND table_name = 'my_passes'"
    query = f"SELECT default_time_to_live FROM system_schema.tables {where}"
    passes = {row.holder: row.left for row in look.rows("SELECT holder, TTL(kind) AS left FROM my_passes")}
    default = look.row(query, (look.keyspace,)).default_time_to_live
    if default != _A_DAY:
        raise NotYet(f"my_passes has a default of {default} seconds now: the next day pass would never end.")
    for holder in "Ada", "Cy":
        if holder not in passes:
            raise NotYet(f"{holder} has no pass.")
    if passes["Ada"] is None:
        raise NotYet("Ada's pass has no end, and hers is for a day.")
    if passes["Cy"] is not None:
        raise NotYet(f"Cy's pass ends: {'far away, but it ends' if passes['Cy'] > _A_DAY else _BY_DEFAULT}.")
    return "Ada's pass ends by the table's default, Cy's has no end."


def undo_3(look: Look) -> None:
    look.drop("my_passes")


def check_4(look: Look) -> str:
    """A row that is newer than the delete before it."""
    seats = _guests(look, "my_arrivals")
    if "C-1" not in seats:
        if "Cy" in seats.values():
            elsewhere = next(seat for seat, guest in seats.items() if guest == "Cy")
            raise NotYet(f"Cy sits on {elsewhere} now; he wants C-1 back.")
        raise NotYet("my_arrivals has no row C-1: what is not newer than the delete stays hidden.")
    if seats["C-1"] != "Cy":
        raise NotYet(f"The guest on C-1 is {seats['C-1'] or 'null'}, not Cy.")
    return "Cy sits on C-1 again."


def undo_4(look: Look) -> None:
    look.drop("my_arrivals")


def _guests(look: Look, table: str) -> dict[str, str | None]:
    """Seat → guest in a table of an exercise, which may not be there yet."""
    look.columns(table)
    return {row.seat: row.guest for row in look.rows(f"SELECT seat, guest FROM {table}")}
