"""Checks of the exercises of chapter 05: what stands in the logs of the learner's tables, and in a copy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from scylla_cdc import ChangeRow, Operation, read_log

from ..course.look import Look, NotYet
from ..lab.clock import let_time_pass, server_now

_HOUR = 3600


def check_1(look: Look) -> str:
    changes = _log(look, "my_queue")
    if not changes:
        raise NotYet("The log of my_queue is empty.")
    first = changes[0]
    if first.operation is not Operation.INSERT:
        raise NotYet(f"The first row is {_a(first.operation)}, not an insert.")
    if first.ttl is None:
        raise NotYet("The insert lives for ever: its cdc$ttl is null.")
    if first.ttl != 60:
        raise NotYet(f"The insert lives for {first.ttl} seconds, not for 60.")
    wanted = [Operation.INSERT, Operation.UPDATE, Operation.ROW_DELETE]
    for name, change, operation in zip(("second", "third"), changes[1:], wanted[1:], strict=False):
        if change.operation is not operation:
            raise NotYet(f"The {name} row is {_a(change.operation)}, not {_a(operation)}.")
    if len(changes) > 1 and "buyer" not in changes[1].deleted:
        raise NotYet(f"The update writes a buyer, {changes[1].values.get('buyer')!r}, where it should delete one.")
    if len(changes) == 1:
        raise NotYet("The log has the insert alone; an update and a row delete are missing.")
    if len(changes) == 2:
        raise NotYet("The log has 2 rows; the third, a row delete, is missing.")
    if len(changes) > 3:
        raise NotYet(f"The log has {len(changes)} rows, not three.")
    return "An insert for 60 seconds, an update that deletes buyer, a row delete."


def undo_1(look: Look) -> None:
    look.drop("my_queue")


def check_2(look: Look) -> str:
    query = "SELECT section, seat, buyer, WRITETIME(buyer) AS at FROM {}"
    shop, copy = (
        {(row.section, row.seat): row for row in look.rows(query.format(table))} for table in ("my_shop", "my_copy")
    )
    if not shop:
        raise NotYet('my_shop is empty: reset("05.2") fills it.')
    if not copy:
        raise NotYet("my_copy is empty.")
    for place in sorted(copy):
        if place not in shop:
            raise NotYet(f"my_copy still has {place[1]}, which my_shop has deleted.")
    for place, wanted in sorted(shop.items()):
        if place not in copy:
            raise NotYet(f"my_copy has no row for {place[1]}, which my_shop has.")
        if copy[place].buyer != wanted.buyer:
            raise NotYet(f"my_copy says that {place[1]} is {copy[place].buyer}'s; in my_shop it is {wanted.buyer}'s.")
    for place, wanted in sorted(shop.items()):
        if copy[place].at != wanted.at:
            raise NotYet(
                f"{place[1]} has another timestamp in my_copy than in my_shop: a change that came late would win there."
            )
    return f"my_copy follows my_shop: {_rows(len(copy))}, the same."


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


def check_3(look: Look) -> str:
    cells = '"cdc$operation" AS operation, price, TTL("cdc$operation") AS seconds, WRITETIME("cdc$operation") AS at'
    query = f"SELECT {cells} FROM my_prices_scylla_cdc_log"
    rows = {Operation(row.operation): row for row in look.rows(query) if row.operation != Operation.INSERT}
    if Operation.UPDATE not in rows:
        raise NotYet("The log of my_prices has no update.")
    if Operation.PREIMAGE not in rows:
        if Operation.POSTIMAGE in rows:
            raise NotYet("The log has a postimage, the row after the change: a preimage was wanted.")
        raise NotYet("The update has no preimage: when it was written, preimages were off.")
    before, after = rows[Operation.PREIMAGE], rows[Operation.UPDATE]
    for name, row in ("preimage", before), ("update", after):
        if row.seconds is None or row.seconds > _HOUR:
            raise NotYet(f"The {name} is there, but it lives longer than an hour.")
        # What is left and what is over make what was asked for, to the second or two that both are rounded by.
        asked = row.seconds + server_now(look.session).replace(tzinfo=UTC).timestamp() - row.at / 1e6
        if asked < _HOUR - 5:
            raise NotYet(f"The {name} is there, but it lives for {round(asked)} seconds: an hour has {_HOUR}.")
    return f"The log says {before.price} before and {after.price} after, for an hour."


def undo_3(look: Look) -> None:
    look.drop("my_prices")
    look.session.execute("CREATE TABLE my_prices (section text PRIMARY KEY, price int) WITH cdc = {'enabled': true}")
    look.session.execute("INSERT INTO my_prices (section, price) VALUES ('F01', 100)")


def _log(look: Look, table: str) -> Sequence[ChangeRow]:
    """The changes of a learner's table, oldest first; NotYet when there is no table, or no log."""
    look.columns(table)
    look.columns(f"{table}_scylla_cdc_log")
    return read_log(look.session, look.keyspace, table)


def _a(operation: Any) -> str:
    article = "an" if operation in (Operation.INSERT, Operation.UPDATE) else "a"
    return f"{article} {operation}"


def _rows(number: int) -> str:
    return f"{number} row{'s' * (number != 1)}"
