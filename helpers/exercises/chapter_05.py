"""Checks of the exercises of chapter 05: what stands in the logs of the learner's tables, and what the learner's own
functions do with changes that they have not heard yet."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from scylla_cdc import Change, ChangeRow, Operation, read_log
from scylla_cdc.rows import ChangeAssembler

from ..course.look import Look, NotYet
from ..lab import sent
from ..lab.clock import let_time_pass, server_now

_HOUR = 3600
# Of the rival's rows: a section that no exercise uses.
_RIVAL = "L10"


# ---------------------------------------------------------------- 05.1


def check_1(look: Look) -> str:
    changes = _log(look, "my_queue")
    if not changes:
        raise NotYet("The log of my_queue is empty.")
    inserts = [i for i, change in enumerate(changes) if change.operation is Operation.INSERT]
    if not inserts:
        raise NotYet(f"The log of my_queue has no insert; its last row is {_a(changes[-1].operation)}.")
    # Earlier tries stay in the log; what counts begins with the last insert.
    first, *others = changes[inserts[-1] :]
    if first.ttl is None:
        raise NotYet("The insert lives for ever: its cdc$ttl is null.")
    if first.ttl != 60:
        raise NotYet(f"The insert lives for {first.ttl} seconds, not for 60.")
    if first.get("buyer") is None:
        raise NotYet("The insert names no buyer, so there is nobody to take out of the row.")
    if not others:
        raise NotYet("The log ends with the insert; an update and a row delete are missing.")
    if len(others) > 2:
        raise NotYet(f"The log has {len(others) + 1} rows from the last insert on, not three.")
    wanted = ("second", Operation.UPDATE, "update"), ("third", Operation.ROW_DELETE, "delete")
    for (place, operation, name), change in zip(wanted, others, strict=False):
        if change.operation is not operation:
            raise NotYet(f"The {place} row is {_a(change.operation)}, not {_a(operation)}.")
        if change.key != first.key:
            other = f"the {name} about {change.key['seat']}"
            raise NotYet(f"The insert is about {first['seat']} and {other}: all three are to be about one row.")
    if "buyer" not in others[0].deleted:
        raise NotYet(f"The update writes a buyer, {others[0].get('buyer')!r}, where it should delete one.")
    if len(others) == 1:
        raise NotYet("The log ends with 2 rows from the insert on; the third, a row delete, is missing.")
    return "An insert for 60 seconds, an update that deletes buyer, a row delete: all about one seat."


def undo_1(look: Look) -> None:
    look.drop("my_queue")
    look.session.execute(
        "CREATE TABLE my_queue (section text, seat text, buyer text, PRIMARY KEY (section, seat)) "
        "WITH cdc = {'enabled': true}"
    )


# ---------------------------------------------------------------- 05.2

_SHOP = {"A-1": "Cy", "A-3": "Ada"}
_READS_THE_SHOP = re.compile(r'\bFROM\s+(?:"?\w+"?\.)?"?my_shop\b', re.IGNORECASE)


def check_2(look: Look) -> str:
    if {seat: buyer for seat, (buyer, _) in _seats_in(look, "my_shop", "F01").items()} != _SHOP:
        raise NotYet('my_shop is not as it was: the copy is to follow the shop. reset("05.2") fills it again.')
    if not _seats_in(look, "my_copy", "F01"):
        raise NotYet("my_copy is empty.")
    if fault := _unlike(look, "F01"):
        raise NotYet(fault)
    if any(_READS_THE_SHOP.search(each.text) for each in look.sent):
        raise NotYet(
            "my_copy has the right rows, and your cell took them out of my_shop itself: they are to come from its log."
        )
    if not any("my_shop_scylla_cdc_log" in each.text for each in look.sent):
        raise NotYet("my_copy has the right rows, and your cell has not read the log of my_shop: run it once more.")
    carry = _function(look, "carry")
    try:
        if fault := _carries_others(look, carry):
            raise NotYet(f"F01 is right, and carry() does less for seats that it has not seen: {fault}")
    finally:
        _remove(look, "my_shop", "my_copy")
    return "my_copy follows my_shop: 2 rows of F01, the same; and so it does with five seats that you had not seen."


def _carries_others(look: Look, carry: Callable[[Change], object]) -> str | None:
    """Let ``carry`` hear of seats it has not seen, the first changes once more at the end; what is wrong then."""
    began = server_now(look.session)
    for statement in (
        f"INSERT INTO my_shop (section, seat, buyer) VALUES ('{_RIVAL}', 'B-1', 'Ada')",
        f"INSERT INTO my_shop (section, seat, buyer) VALUES ('{_RIVAL}', 'B-4', 'Bo')",
        f"INSERT INTO my_shop (section, seat, buyer) VALUES ('{_RIVAL}', 'B-5', 'Bo')",
        f"INSERT INTO my_shop (section, seat, buyer) VALUES ('{_RIVAL}', 'B-2', 'Bo')",
        f"UPDATE my_shop SET buyer = 'Cy' WHERE section = '{_RIVAL}' AND seat = 'B-1'",
        f"UPDATE my_shop SET buyer = 'Ada' WHERE section = '{_RIVAL}' AND seat = 'B-3'",
        f"DELETE FROM my_shop WHERE section = '{_RIVAL}' AND seat = 'B-4'",
        f"DELETE FROM my_shop WHERE section = '{_RIVAL}' AND seat = 'B-5'",
        f"INSERT INTO my_shop (section, seat, buyer) VALUES ('{_RIVAL}', 'B-5', 'Cy')",
    ):
        look.session.execute(statement)
    changes = _changes(look, "my_shop", began)
    for change in [*changes, *changes[:5]]:
        if fault := _fault_of("carry", carry, change):
            return fault
    return _unlike(look, _RIVAL)


def _unlike(look: Look, section: str) -> str | None:
    """The first difference between the two tables in this section, in a sentence."""
    shop, copy = (_seats_in(look, table, section) for table in ("my_shop", "my_copy"))
    for seat in copy:
        if seat not in shop:
            return f"my_copy still has {seat}, which my_shop has deleted."
    for seat, (buyer, _) in shop.items():
        if seat not in copy:
            return f"my_copy has no row for {seat}, which my_shop has."
        if copy[seat][0] != buyer:
            return f"my_copy says that {seat} is {copy[seat][0]}'s; in my_shop it is {buyer}'s."
    for seat, (_, at) in shop.items():
        if copy[seat][1] != at:
            return f"{seat} has another timestamp in my_copy than in my_shop: a change that came late would win there."
    return None


def _seats_in(look: Look, table: str, section: str) -> dict[str, tuple[str, int]]:
    """Seat → its buyer and the timestamp of that, in the order of the seats."""
    query = f"SELECT seat, buyer, WRITETIME(buyer) AS at FROM {table} WHERE section = %s"
    return {row.seat: (row.buyer, row.at) for row in look.rows(query, (section,))}


def undo_2(look: Look) -> None:
    look.drop("my_shop", "my_copy")
    columns = "(section text, seat text, buyer text, PRIMARY KEY (section, seat))"
    for statement in (
        f"CREATE TABLE my_copy {columns}",
        f"CREATE TABLE my_shop {columns} WITH cdc = {{'enabled': true}}",
        "INSERT INTO my_shop (section, seat, buyer) VALUES ('F01', 'A-1', 'Ada')",
        "INSERT INTO my_shop (section, seat, buyer) VALUES ('F01', 'A-2', 'Bo')",
        "INSERT INTO my_shop (section, seat, buyer) VALUES ('F01', 'A-3', 'Ada')",
        "UPDATE my_shop SET buyer = 'Cy' WHERE section = 'F01' AND seat = 'A-1'",
        "DELETE FROM my_shop WHERE section = 'F01' AND seat = 'A-2'",
    ):
        look.session.execute(statement)
    # A reader up to "now" does not see what is written in that very moment.
    let_time_pass(look.session, 1)


# ---------------------------------------------------------------- 05.3

_A_DAY = 86_400
_SHORT, _RIVALS_SHORT = 2, 60  # seconds that a hold lasts which is over when it is looked at
_WRITES_A_SEAT = re.compile(r"\s*(?:UPDATE|INSERT\s+INTO|DELETE\b.*?\bFROM)\s+my_seats\b", re.IGNORECASE | re.DOTALL)
_WITHOUT_IF = "expire() looks at a seat and then writes it without IF: whoever pays between the two loses the seat."
_LATER = timedelta(seconds=120)  # when the rival's short holds are over, and no other is


class _Seat(NamedTuple):
    """A seat as it must be in the end: its status, its hold, and why it is wrong if it is otherwise."""

    status: str
    hold_id: int | None
    why: str


def check_3(look: Look) -> str:
    consume, expire = _function(look, "consume"), _function(look, "expire")
    if fault := _misjudged(look, "F01", _stories("A", 0)):
        raise NotYet(fault)
    try:
        if fault := _rival(look, consume, expire):
            raise NotYet(f"F01 is right, and with seats that it has not seen your consumer goes wrong: {fault}")
        # In the answer's cell, and in this one, which has just called the learner's functions.
        for each in (*look.sent, *sent.cells()[-1].sent()):
            if _WRITES_A_SEAT.match(each.text) and not each.is_conditional:
                raise NotYet(_WITHOUT_IF)
    finally:
        _remove(look, "my_seats", "my_holds")
    return "A-2 is given back and no other seat of F01; the rival's eight seats came out right as well, and twice."


def _rival(look: Look, consume: Callable[[Change], object], expire: Callable[[datetime], object]) -> str | None:
    """Seats that were not seen, told of in another order and twice; somebody pays in the last moment."""
    session, began = look.session, server_now(look.session)
    stories = _tell(look, _RIVAL, "B", 10, _RIVALS_SHORT)
    stories["B-8"] = _Seat("sold", 19, "B-8 is available: somebody paid for it in the last moment.")
    _seat(look, _RIVAL, "B-8", "held", 19)
    _hold(look, _RIVAL, "B-8", 19, _RIVALS_SHORT)
    changes = _changes(look, "my_holds", began)
    # A seat is a partition, and only within one is there an order.
    changes.sort(key=lambda change: str(change.rows[0]["seat"]), reverse=True)
    for change in [*changes, *changes]:
        if fault := _fault_of("consume", consume, change):
            return fault
    if fault := _fault_of("expire", expire, server_now(session)):
        return fault
    if _status_of(look, _RIVAL, "B-2") != ("held", 12):
        return "expire() has given B-2 back before its time: hold 12 ends after the `now` that it was given."
    _seat(look, _RIVAL, "B-8", "sold", 19)
    later = server_now(session) + _LATER
    if fault := _fault_of("expire", expire, later) or _misjudged(look, _RIVAL, stories):
        return fault
    # After a restart everything comes once more. Meanwhile somebody new has B-2.
    _seat(look, _RIVAL, "B-2", "held", 20)
    stories["B-2"] = _Seat(
        "held", 20, "B-2 is available: hold 12 was over, came a second time, and took the seat from hold 20."
    )
    for change in changes:
        if fault := _fault_of("consume", consume, change):
            return fault
    return _fault_of("expire", expire, later) or _misjudged(look, _RIVAL, stories)


def _stories(row: str, first: int) -> dict[str, _Seat]:
    """What the seats of row A or B come to; their holds are numbered from ``first`` on."""

    def seat(number: int) -> str:
        return f"{row}-{number}"

    def hold(number: int) -> int:
        return first + number

    return {
        seat(1): _Seat("sold", hold(1), f"{seat(1)} is available: it was paid for."),
        seat(2): _Seat("available", None, f"{seat(2)} is still held: its buyer has gone, and hold {hold(2)} is over."),
        seat(3): _Seat("held", hold(3), f"{seat(3)} is available: hold {hold(3)} is not over."),
        seat(4): _Seat(
            "sold",
            hold(4),
            f"{seat(4)} is available: it was paid for, and only its row in my_holds was never deleted.",
        ),
        seat(5): _Seat(
            "held", hold(5), f"{seat(5)} is available: hold {hold(5)} was extended by an update, and is not over."
        ),
        seat(6): _Seat(
            "held",
            hold(7),
            f"{seat(6)} is available: hold {hold(6)} was over, and hold {hold(7)}, which has the seat since, is not.",
        ),
        seat(7): _Seat(
            "held",
            hold(8),
            f"{seat(7)} is available: the row of hold {hold(8)} was deleted, because the box office keeps the seat.",
        ),
    }


def _tell(look: Look, section: str, row: str, first: int, short: int) -> dict[str, _Seat]:
    """Write the seats of a row, and what happened to their holds; a short hold lasts ``short`` seconds."""
    stories = _stories(row, first)
    for seat, each in stories.items():
        status, hold_id = ("held", first + 2) if each.status == "available" else (each.status, each.hold_id)
        _seat(look, section, seat, status, hold_id)
    for number, place in enumerate((1, 2, 3, 4, 5, 6, 6, 7), start=1):
        _hold(look, section, f"{row}-{place}", first + number, _A_DAY if number in (3, 7) else short)
    prolong = "UPDATE my_holds USING TTL %s SET buyer = 'Ada' WHERE section = %s AND seat = %s AND hold_id = %s"
    look.session.execute(prolong, (_A_DAY, section, f"{row}-5", first + 5))
    leave = "DELETE FROM my_holds WHERE section = %s AND seat = %s AND hold_id = %s"
    for place, number in (1, 1), (7, 8):
        look.session.execute(leave, (section, f"{row}-{place}", first + number))
    return stories


def _seat(look: Look, section: str, seat: str, status: str, hold_id: int | None) -> None:
    # By condition, as the consumer's own writes are: so all of them are stamped in the order in which they come.
    insert = "INSERT INTO my_seats (section, seat, status, hold_id) VALUES (%s, %s, %s, %s) IF NOT EXISTS"
    if not look.session.execute(insert, (section, seat, status, hold_id)).one().applied:
        update = "UPDATE my_seats SET status = %s, hold_id = %s WHERE section = %s AND seat = %s IF EXISTS"
        look.session.execute(update, (status, hold_id, section, seat))


def _hold(look: Look, section: str, seat: str, hold_id: int, seconds: int) -> None:
    insert = "INSERT INTO my_holds (section, seat, hold_id, buyer) VALUES (%s, %s, %s, 'Bo') USING TTL %s"
    look.session.execute(insert, (section, seat, hold_id, seconds))


def _status_of(look: Look, section: str, seat: str) -> tuple[str, int | None] | None:
    row = look.row("SELECT status, hold_id FROM my_seats WHERE section = %s AND seat = %s", (section, seat))
    return None if row is None else (row.status, row.hold_id)


def _misjudged(look: Look, section: str, stories: dict[str, _Seat]) -> str | None:
    """The first seat that is not as its story ends, in a sentence."""
    for seat, wanted in stories.items():
        found = _status_of(look, section, seat)
        if found is None:
            return f'my_seats has no row for {seat}: reset("05.3") writes it again.'
        if found == (wanted.status, wanted.hold_id):
            continue
        told = "held" if wanted.status == "available" else "available"
        if found[0] == told:
            return wanted.why
        if found[0] == wanted.status:
            return f"{seat} is {found[0]}, as it should be, and its hold_id is {found[1]}, not {wanted.hold_id}."
        return f"{seat} is {found[0]}, and should be {wanted.status}."
    return None


def undo_3(look: Look) -> None:
    look.drop("my_seats", "my_holds")
    for statement in (
        "CREATE TABLE my_seats (section text, seat text, status text, hold_id int, PRIMARY KEY (section, seat))",
        "CREATE TABLE my_holds (section text, seat text, hold_id int, buyer text, "
        "PRIMARY KEY ((section, seat), hold_id)) WITH cdc = {'enabled': true}",
    ):
        look.session.execute(statement)
    _tell(look, "F01", "A", 0, _SHORT)
    let_time_pass(look.session, _SHORT + 1)


# ---------------------------------------------------------------- 05.4


def check_4(look: Look) -> str:
    changes = list(_assembled(_log(look, "my_prices")))
    updates = [change for change in changes if _part(change, Operation.UPDATE)]
    own = [change for change in updates if change.rows[0].get("section") == "F01"]
    if not own:
        others = sorted({str(change.rows[0].get("section")) for change in updates})
        if others:
            raise NotYet(
                f"The log has no update of F01, only of {others[0]}, which had no price: where there was no row, there "
                "is no preimage."
            )
        raise NotYet("The log of my_prices has no update.")
    # Earlier tries stay in the log: one good update will do, and of others the last is spoken of.
    faults = [_fault_of_update(look, changes, change) for change in own]
    good = next((change for change, fault in zip(own, faults, strict=True) if fault is None), None)
    if good is None:
        raise NotYet(str(faults[-1]))
    before, after = _price(good, Operation.PREIMAGE), _price(good, Operation.UPDATE)
    return f"The log says {before} before and {after} after, for an hour."


def _fault_of_update(look: Look, changes: Sequence[Change], change: Change) -> str | None:
    """What this update of F01 lacks, in a sentence."""
    if not _part(change, Operation.PREIMAGE):
        if _part(change, Operation.POSTIMAGE):
            return "The log has a postimage, the row after the change: a preimage was wanted."
        gone = (Operation.ROW_DELETE, Operation.PARTITION_DELETE)
        before = [
            each for each in changes[: changes.index(change)] if each.rows[0].get("section") == "F01" and each.delta
        ]
        if before and before[-1].delta[-1].operation in gone:
            return "The update has no preimage: F01 had been deleted before, so there was nothing to read."
        return "The update has no preimage: when it was written, preimages were off."
    for name, operation in ("preimage", Operation.PREIMAGE), ("update", Operation.UPDATE):
        seconds = _lifetime(look, change, operation)
        if seconds is None or seconds > _HOUR + 5:
            return f"The {name} is there, but it lives longer than an hour."
        if seconds < _HOUR - 5:
            return f"The {name} is there, but it lives for {seconds} seconds: an hour has {_HOUR}."
    before_price, after_price = _price(change, Operation.PREIMAGE), _price(change, Operation.UPDATE)
    if before_price is None or after_price is None:
        return "The log has an update of F01, but not a price before and another one after."
    if before_price == after_price:
        return f"The price is {before_price} before and {after_price} after: nobody sees from that which is which."
    return None


def _lifetime(look: Look, change: Change, operation: Operation) -> int | None:
    """The seconds for which a row of the log was written: what is left and what is over."""
    query = (
        'SELECT "cdc$operation" AS operation, TTL("cdc$operation") AS seconds FROM my_prices_scylla_cdc_log '
        'WHERE "cdc$stream_id" = %s AND "cdc$time" = %s'
    )
    for row in look.rows(query, (bytes(change.stream), change.time)):
        if row.operation == operation and row.seconds is not None:
            over = server_now(look.session).replace(tzinfo=UTC).timestamp() - change.micros / 1e6
            # Both are rounded, to a second or two.
            asked = round(row.seconds + over)
            return next((usual for usual in (60, _HOUR) if abs(asked - usual) <= 5), asked)
    return None


def _part(change: Change, operation: Operation) -> ChangeRow | None:
    return next((row for row in change.rows if row.operation is operation), None)


def _price(change: Change, operation: Operation) -> Any:
    row = _part(change, operation)
    return None if row is None else row.get("price")


def undo_4(look: Look) -> None:
    look.drop("my_prices")
    look.session.execute("CREATE TABLE my_prices (section text PRIMARY KEY, price int) WITH cdc = {'enabled': true}")
    look.session.execute("INSERT INTO my_prices (section, price) VALUES ('F01', 100)")


# ---------------------------------------------------------------- logs, and the learner's functions


def _log(look: Look, table: str) -> Sequence[ChangeRow]:
    """The changes of a learner's table, oldest first; NotYet when there is no table, or no log."""
    look.columns(table)
    look.columns(f"{table}_scylla_cdc_log")
    return read_log(look.session, look.keyspace, table)


def _changes(look: Look, table: str, since: datetime) -> list[Change]:
    """What happened to the rival's rows since then, oldest first."""
    rows = read_log(look.session, look.keyspace, table, since=since)
    return list(_assembled(row for row in rows if row.get("section") == _RIVAL))


def _assembled(rows: Iterable[ChangeRow]) -> Iterable[Change]:
    assembler = ChangeAssembler()
    yield from assembler.feed(rows)
    yield from assembler.finish()


def _function(look: Look, name: str) -> Callable[..., object]:
    """A function that the learner wrote, by its name; NotYet if there is none."""
    found = None
    if "IPython" in sys.modules:
        from IPython import get_ipython

        shell = get_ipython()
        found = shell.user_ns.get(name) if shell is not None else None
    if not callable(found):
        raise NotYet(
            f"There is no function {name} in this notebook: the check calls it with changes that you have not seen."
        )
    function: Callable[..., object] = found
    return function


def _fault_of(name: str, function: Callable[..., object], argument: object) -> str | None:
    """Call a learner's function; what it fails with, in a sentence."""
    try:
        function(argument)
    except Exception as error:
        return f"{name}() ends in an error, {type(error).__name__}: {error}."
    return None


def _remove(look: Look, *tables: str) -> None:
    """Take the rival's rows out again, each by its whole key, so that the log tells of row deletes alone."""
    for table in tables:
        partition, clustering = look.key(table)
        key = [*partition, *clustering]
        rows = look.rows(f"SELECT {', '.join(key)} FROM {table}")
        where = " AND ".join(f"{column} = %s" for column in key)
        for row in rows:
            if row.section == _RIVAL:
                look.session.execute(f"DELETE FROM {table} WHERE {where}", tuple(row))


def _a(operation: Any) -> str:
    article = "an" if operation in (Operation.INSERT, Operation.UPDATE) else "a"
    return f"{article} {operation}"
