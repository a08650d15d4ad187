"""The checks of chapter 02: a key for each row, a batch within one partition, a write of one column."""

from __future__ import annotations

from decimal import Decimal

from ..course.look import Look, NotYet
from ..shop import fan_out
from ..shop.ids import section_id, venue_id

_ANNEX = venue_id("The Annex")
_PLACES = {"bench": (Decimal(30), 200), "accessible": (Decimal(20), 12)}
_GUESTS = {"Ada", "Bo", "Cy"}
_NEW_PRICE = Decimal(150)


def check_1(look: Look) -> str:
    """The Annex has one section with two types of places."""
    rows = look.rows("SELECT * FROM venue_sections WHERE venue_id = %s", (_ANNEX,))
    if not rows:
        raise NotYet("The Annex has no section yet.")
    sections = {row.section_id for row in rows}
    if len(sections) > 1:
        raise NotYet(f"The Annex has {len(sections)} sections now; its accessible places are in N01, like the benches.")
    if sections != {section_id("N01", _ANNEX)}:
        raise NotYet("The Annex has a section that is not N01.")
    found = {row.type_id: (row.price, row.seats_count) for row in rows}
    if len(found) == 1:
        [(kind, (price, places))] = found.items()
        raise NotYet(
            f"The Annex has one row, {places} places of type {kind} at {_plain(price)}: "
            "a second INSERT with the same key wrote over the first."
        )
    for kind, wanted in _PLACES.items():
        if kind not in found:
            raise NotYet(f"The Annex has no places of type {kind}; it has {' and '.join(sorted(found))}.")
        if found[kind] != wanted:
            price, places = found[kind]
            raise NotYet(
                f"The Annex has {'no number of' if places is None else places} places of type {kind} at "
                f"{_plain(price)}, not {wanted[1]} at {wanted[0]}."
            )
    strange = sorted(found.keys() - _PLACES.keys())
    if strange:
        raise NotYet(f"The Annex also has places of type {strange[0]}.")
    return "The Annex has 200 places on benches at 30 and 12 accessible ones at 20, in two rows."


def undo_1(look: Look) -> None:
    look.session.execute("DELETE FROM venue_sections WHERE venue_id = %s", (_ANNEX,))


def check_2(look: Look) -> str:
    """Three rows, one token, one timestamp."""
    partition_key, clustering = look.key("my_guests")
    names = ", ".join(partition_key)
    rows = look.rows(f"SELECT guest, token({names}) AS place FROM my_guests")
    if len(rows) < len(_GUESTS) and not clustering:
        number = f"{len(rows)} row{'s' * (len(rows) != 1)}"
        raise NotYet(
            f"my_guests has {number} for three guests: with {names} as its whole key, each INSERT writes the same row."
        )
    if {row.guest for row in rows} != _GUESTS or len(rows) != len(_GUESTS):
        number = f"{len(rows)} row{'s' * (len(rows) != 1)}"
        raise NotYet(f"my_guests has {number}; wanted is one each for Ada, Bo and Cy.")
    places = {row.place for row in rows}
    if len(places) > 1:
        raise NotYet(f"The three rows lie in {len(places)} partitions: the partition key of my_guests is ({names}).")
    stamps = _stamps(look)
    if len(stamps) > 1:
        raise NotYet(f"The three rows have {len(stamps)} different timestamps: they were not written by one batch.")
    return f"Ada, Bo and Cy are three rows of one partition, by {names}, and one batch wrote them."


def _stamps(look: Look) -> set[int]:
    """The timestamps of the rows' cells; columns of the key have none."""
    cells = [name for name, (kind, _, _) in look.columns("my_guests").items() if kind == "regular"]
    if not cells:
        return set()
    rows = look.rows(f"SELECT {', '.join(f'WRITETIME({name})' for name in cells)} FROM my_guests")
    return {stamp for row in rows for stamp in row if stamp is not None}


def undo_2(look: Look) -> None:
    look.drop("my_guests")


def check_3(look: Look) -> str:
    """Every unsold ticket of F05 has the new price, and the sold one is sold."""
    tickets = look.event.section("F05")
    sold, *others = tickets
    query = "SELECT ticket_id, price, status FROM tickets WHERE event_id = %s AND section = %s ALLOW FILTERING"
    rows = {row.ticket_id: row for row in look.rows(query, (look.event.id, sold.section_id))}
    if not rows:
        raise NotYet("F05 has no tickets yet: cells above write them, so run those, then this exercise.")
    missing = [ticket for ticket in tickets if ticket.ticket_id not in rows]
    if missing:
        raise NotYet(f"{missing[0].label} has no row in tickets, or no section there.")
    status = rows[sold.ticket_id].status
    if status != "sold":
        now = status or "without a status"
        raise NotYet(f"{sold.label} is {now}, and Bo has paid for it: its status was written over.")
    unsold = [rows[ticket.ticket_id] for ticket in others]
    dear = [row for row in unsold if row.price != _NEW_PRICE]
    if dear and dear[0].price != sold.price:
        cost = "have no price" if dear[0].price is None else f"cost {_plain(dear[0].price)}"
        raise NotYet(f"{len(dear)} of F05 {cost} now, not {_NEW_PRICE}.")
    if dear:
        raise NotYet(
            f"{len(dear)} of F05 still cost {dear[0].price}: "
            "a newer write stands against the new price, or nothing was written."
        )
    if any(row.status != "available" for row in unsold):
        raise NotYet("F05 has unsold tickets that are not available.")
    return f"F05 costs {_NEW_PRICE} a seat, and {sold.label} is still Bo's."


def undo_3(look: Look) -> None:
    fan_out.batches(look.session, look.event.section("F05"), bar=False)


def _plain(price: Decimal | None) -> str:
    """A price without the noughts behind its point."""
    return "no price" if price is None else f"{price.normalize():f}"
