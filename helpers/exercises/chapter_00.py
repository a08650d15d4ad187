"""What is looked at in the exercises of "Sell one seat twice"."""

from __future__ import annotations

import re

from cassandra import InvalidRequest

from ..course.look import Look, NotYet
from ..display.refusals import error_text
from ..lab.clock import in_words
from ..shop import fan_out
from ..shop.venue import Ticket

SEAT, UNKNOWN = "F05 A-1", "?"
TICKET = (
    "SELECT status, price, section, type_id, TTL(status) AS seconds FROM tickets WHERE event_id = %s AND ticket_id = %s"
)


def check_1(look: Look) -> str:
    """Two orders were sent for one seat, Ada's and then Bo's, and neither had a condition."""
    others = [row.seat for row in look.rows("SELECT seat FROM plain_tickets") if row.seat != SEAT]
    orders = _orders(look)
    if others:
        raise NotYet(
            f"plain_tickets has a row for {others[0]!r} now, a seat that nobody can find: an UPDATE makes the row that "
            'it does not find. reset("00.1") takes it away.'
        )
    if not orders:
        raise NotYet(f"Nobody has ordered {SEAT} yet.")
    if any(each.is_conditional for each in look.sent):
        raise NotYet(
            "Your statements have a condition, and that is the cure: chapter 4 comes to it. See first what happens "
            "without."
        )
    if ["Ada", "Bo"] in orders:
        raise NotYet("That is one order for two people. Each of them sends an order of their own.")
    if [UNKNOWN] in orders:
        if len(orders) < 2 or look.row("SELECT buyer FROM plain_tickets WHERE seat = %s", (SEAT,)).buyer != "Bo":
            raise NotYet(f"Two orders are wanted for {SEAT}, first Ada's and then Bo's.")
        return _both_sent()
    buyers = [name for (name,) in orders]
    for one, other in ("Ada", "Bo"), ("Bo", "Ada"):
        if other not in buyers:
            raise NotYet(f"Only {one}'s order was sent for {SEAT}. {other} wants the seat too.")
    if buyers.index("Bo") < buyers.index("Ada") or buyers[-1] != "Bo":
        raise NotYet("Bo's order came before Ada's. Let her be first.")
    return _both_sent()


def _both_sent() -> str:
    return f"Two orders were sent for {SEAT}, first Ada's and then Bo's, and the server has refused neither."


def _orders(look: Look) -> list[list[str]]:
    """Whom each statement that wrote to plain_tickets names, in the order in which they were sent. The driver puts the
    values of a plain statement into its text after it has told of it: there nobody is known."""
    found = []
    for each in look.sent:
        if "plain_tickets" not in each.tables or each.text.lstrip().upper().startswith(("SELECT", "CREATE")):
            continue
        words = each.text.encode() + b" ".join(value for value in each.values if value is not None)
        named = [name for name in ("Ada", "Bo") if name.encode() in words]
        found += [named] if named else [[UNKNOWN]] if "%s" in each.text else []
    return found


def undo_1(look: Look) -> None:
    """The seat is nobody's, and there is no other row."""
    look.session.execute("CREATE TABLE IF NOT EXISTS plain_tickets (seat text PRIMARY KEY, buyer text)")
    look.session.execute("TRUNCATE plain_tickets")
    look.session.execute("INSERT INTO plain_tickets (seat) VALUES (%s)", (SEAT,))


def check_2(look: Look) -> str:
    """One ticket is sold, for good, and no other."""
    seat = _cys_seat(look)
    row = look.row(TICKET, (seat.event_id, seat.ticket_id))
    if row is None:
        raise NotYet(f"{seat.label} has no row any more; its ticket should stay, and be sold.")
    if look.row(TICKET, (seat.ticket_id, seat.event_id)) is not None:
        # Left there, it would be a partition too many for the rest of the chapter.
        raise NotYet(
            f"{seat.label} is {'still ' if row.status == 'available' else ''}{row.status}, and tickets has a row that "
            'nobody wanted: an UPDATE whose ids are swapped finds no row, and makes one. reset("00.2") takes it away.'
        )
    if row.status == "available":
        raise NotYet(f"{seat.label} is still available.")
    if row.status is None:
        raise NotYet(f"{seat.label} has no status any more: it is not sold, and no page of the shop would show it.")
    if row.status != "sold":
        raise NotYet(f"{seat.label} is {row.status!r}, and no page of the shop knows that word: it asks for 'sold'.")
    if row.seconds is not None:
        raise NotYet(
            f"{seat.label} is sold for {in_words(row.seconds)}: then its status ends, and nobody knows that Cy has "
            "paid. A sale has no TTL."
        )
    if row.price is None:
        raise NotYet(f"{seat.label} is sold, and its price is gone: change the one column, and leave the row.")
    if row.price != seat.price:
        raise NotYet(f"{seat.label} is sold, and costs {row.price} now, where it cost {seat.price}.")
    if (row.section, row.type_id) != (seat.section_id, seat.type_id):
        raise NotYet(f"{seat.label} is sold, and its row says no more which seat it is: leave the other columns.")
    others = [each for each in _changed(look) if each.ticket_id != seat.ticket_id]
    if others:
        raise NotYet(f"{seat.label} is sold, and so is {_some(others)}. Cy bought one seat.")
    return f"{seat.label} is sold, by a write that named its whole key, and no other ticket has changed."


def undo_2(look: Look) -> None:
    """Every ticket is available again, and there is no row under swapped ids."""
    seat = _cys_seat(look)
    look.session.execute("DELETE FROM tickets WHERE event_id = %s", (seat.ticket_id,))
    # All columns, for a row may have been deleted.
    fan_out.batches(look.session, {each.ticket_id: each for each in (seat, *_changed(look))}.values(), bar=False)


def _changed(look: Look) -> list[Ticket]:
    """The event's tickets that are not available."""
    rows = look.rows("SELECT ticket_id, status FROM tickets WHERE event_id = %s", (look.event.id,))
    available = {row.ticket_id for row in rows if row.status == "available"}
    return [each for each in look.event.tickets if each.ticket_id not in available]


def _some(tickets: list[Ticket]) -> str:
    return tickets[0].label if len(tickets) == 1 else f"{tickets[0].label}, with {len(tickets) - 1:,} more"


def check_3(look: Look) -> str:
    """The learner's SELECT returns the token of the venue's partition."""
    text = look.statement("SELECT", "venue_sections")
    marks = re.search(r"%s|\?", text)  # of a plain statement from Python nobody knows the values
    outcome = look.replay(text, **({"venue_id": look.event.venue_id} if marks else {}))
    if outcome.error is not None:
        raise NotYet("The server refuses your SELECT: token(…) has the partition key in its brackets.")
    if not outcome.rows:
        raise NotYet("Your SELECT returns no row: no partition has that key.")
    query = "SELECT token(venue_id) FROM venue_sections WHERE venue_id = %s LIMIT 1"
    position = look.row(query, (look.event.venue_id,))[0]
    if not any(position in tuple(row) for row in outcome.rows):
        columns = outcome.rows[0]._fields
        if any("token" in column for column in columns):
            raise NotYet("Your SELECT returns the hash of something else: token() takes the partition key, venue_id.")
        if "venue_id" in columns:
            raise NotYet("Your SELECT returns venue_id. The token is the hash of it: token(venue_id).")
        raise NotYet(f"Your SELECT returns {', '.join(columns)}, and no token.")
    return f"The sections of Lantern Park lie at token {position}."


def check_4(look: Look) -> str:
    """Whoever puts a note on the learner's board has one there, and it ends within a minute."""
    look.columns("my_notes")
    try:
        for note in "back in a minute", "back in two":
            look.session.execute("INSERT INTO my_notes (author, note) VALUES ('Cy', %s)", (note,))
    except InvalidRequest as refusal:
        raise NotYet(f"Cy's note could not be put up: {error_text(refusal).rstrip('.')}.") from refusal
    partition, clustering = look.key("my_notes")
    try:
        if "note" in (*partition, *clustering):
            raise NotYet("Cy put up two notes, and both are on the board: with note in the key, each is its own row.")
        if [partition, clustering] != [["author"], []]:
            raise NotYet(f"The key of my_notes is {', '.join(partition + clustering)}. One note a person wants author.")
        row = look.row("SELECT note, TTL(note) AS seconds FROM my_notes WHERE author = 'Cy'")
    finally:
        _take_down(look, partition + clustering)
    if row is None or row.seconds is None:
        raise NotYet("Cy's note, put up by a plain INSERT, would hang there for ever: the table sets no time.")
    if row.seconds > 60:
        raise NotYet("Cy's note would hang there for more than a minute: default_time_to_live is a number of seconds.")
    return "Cy's second note has taken the place of the first, and ends within a minute: the table sees to it."


def _take_down(look: Look, key: list[str]) -> None:
    """Remove Cy's notes from a table with this key."""
    columns = ", ".join(dict.fromkeys([*key, "author"]))
    mine = [row for row in look.rows(f"SELECT {columns} FROM my_notes") if row.author == "Cy"]
    for row in mine:
        where = " AND ".join(f"{column} = %s" for column in key)
        look.session.execute(f"DELETE FROM my_notes WHERE {where}", tuple(getattr(row, column) for column in key))


def undo_4(look: Look) -> None:
    """There is no board."""
    look.drop("my_notes")


def _cys_seat(look: Look) -> Ticket:
    return look.event.seat("L04 A-1")
