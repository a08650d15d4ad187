"""What is looked at in the exercises of "Design the tables": a table is judged by rows that its author has not seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from ..course.look import Look, NotYet
from ..lab.errors import LabError
from ..lab.waiting import wait_until

_TEN_MINUTES = 600
_NOON = datetime(2031, 5, 15, 12)
# The moments of four orders, in minutes from noon; their ids count 1, 2, 3, 4. Two fall into one moment, and neither
# the ids nor the order of writing sort them.
_MINUTES = (0, 20, 10, 20)


def check_1(look: Look) -> str:
    """A table that answers: which orders has this buyer placed, the newest first?"""
    partition, clustering = look.key("my_orders")
    if partition != ["user_id"]:
        raise NotYet(f"my_orders is partitioned by {', '.join(partition)}: WHERE user_id = … leads to no partition.")
    kinds = {name: kind for name, (_, _, kind) in look.columns("my_orders").items()}
    for name in "order_id", "status":
        if name not in kinds:
            raise NotYet(f"my_orders has no column {name}.")
    if not {kinds[name] for name in clustering} & {"timestamp", "timeuuid"}:
        if "purchased_at" in clustering:
            raise NotYet(
                f"purchased_at is a {kinds['purchased_at']} in my_orders, which does not tell two moments of a day "
                "apart as a clock does: a timestamp does."
            )
        raise NotYet("Within a buyer's partition my_orders does not sort by the moment: none is in its key.")
    moments = _orders_of_a_rival(look, kinds, clustering)
    if len(moments) < len(_MINUTES):
        raise NotYet("Two orders of one moment have the same key in my_orders: the second would replace the first.")
    if moments == sorted(moments):
        raise NotYet("my_orders has a buyer's oldest order first: a clustering column ascends unless told otherwise.")
    if moments != sorted(moments, reverse=True):
        raise NotYet(f"Within a buyer's partition my_orders sorts by {clustering[0]} before the moment.")
    return "my_orders keeps a buyer's orders in one partition, the newest first, each with a key of its own."


def undo_1(look: Look) -> None:
    """There is no my_orders."""
    look.drop("my_orders")


def check_2(look: Look) -> str:
    """A view in which a section of an event is a partition."""
    partition, _ = look.key("my_by_section")
    if _base_of(look, "my_by_section") != "tickets":
        raise NotYet("my_by_section is no view of tickets, so nothing keeps it in step with them.")
    if set(partition) != {"event_id", "section"}:
        raise NotYet(
            f"my_by_section is partitioned by ({', '.join(partition)}): that is not one partition for each section "
            "of an event."
        )
    with _another_event(look) as (event, section, tickets):
        query = "SELECT ticket_id FROM my_by_section WHERE event_id = %s AND section = %s"

        def missing() -> int:
            return len(tickets - {row.ticket_id for row in look.rows(query, (event, section))})

        look.once_filled("my_by_section", lambda: not missing())
        with suppress(LabError):
            wait_until(lambda: not missing(), why="the view to follow", seconds=5)
        if missing():
            raise NotYet(
                f"Three tickets of another event went into tickets, one of them sold, and my_by_section leaves out "
                f"{missing()}: its WHERE lets only some in."
            )
    return "my_by_section has a partition for each section of an event, with every ticket in it."


def undo_2(look: Look) -> None:
    """There is no my_by_section, neither the view nor a table of that name."""
    look.drop("my_by_section")


def check_3(look: Look) -> str:
    """A queue in which a ticket has one row, that ends, and whose changes are kept."""
    partition, clustering = look.key("my_queue")
    key = ", ".join(partition + clustering)
    if "session_id" in partition + clustering:
        raise NotYet(f"The key of my_queue is ({key}): with the buyer in it, each buyer has a row for the same ticket.")
    event, seat, other = uuid4(), uuid4(), uuid4()
    try:
        entered = [name for name, at in (("Ada", 0), ("Bo", 1), ("Cy", -1)) if _joins(look, event, seat, name, at)]
        if entered != ["Ada"]:
            people = " and ".join(entered)
            raise NotYet(
                f"{people} {'all' if len(entered) > 2 else 'both'} got a row for one ticket in my_queue: its key is "
                f"({key}), and their keys differ."
            )
        if not _joins(look, event, other, "Bo", 2):
            raise NotYet(f"The key of my_queue is ({key}): whoever takes one seat keeps all others from the queue.")
        _ends(look)
        _is_logged(look, seat)
    finally:
        _leave(look, partition, clustering, event, seat, other)
    _has_been_logged(look)
    return "Three asked for one ticket in my_queue, and the first has it, for ten minutes; the log has seen it all."


def undo_3(look: Look) -> None:
    """There is no my_queue."""
    look.drop("my_queue")


def _orders_of_a_rival(look: Look, kinds: dict[str, str], clustering: list[str]) -> list[datetime]:
    """Four orders of a buyer whom nobody knows: the moments of those that are found again, in the table's order."""
    buyer = uuid4()
    insert = look.session.prepare(
        f"INSERT INTO my_orders ({', '.join(kinds)}) VALUES ({', '.join('?' for _ in kinds)})"
    )
    moments = {}
    try:
        for number, minutes in enumerate(_MINUTES, start=1):
            moment = _NOON + timedelta(minutes=minutes)
            values = {name: _value(name, kind, buyer, moment, number) for name, kind in kinds.items()}
            for name in clustering:
                if values[name] is None:
                    raise NotYet(f"{name}, a {kinds[name]}, is in the key of my_orders: no question names it.")
            look.session.execute(insert, list(values.values()))
            moments[tuple(values[name] for name in clustering)] = moment
        rows = look.rows(f"SELECT {', '.join(clustering)} FROM my_orders WHERE user_id = %s", (_of_kind(kinds, buyer),))
        return [moments[tuple(row)] for row in rows]
    finally:
        look.session.execute("DELETE FROM my_orders WHERE user_id = %s", (_of_kind(kinds, buyer),))


def _of_kind(kinds: dict[str, str], buyer: UUID) -> object:
    return _value("user_id", kinds["user_id"], buyer, _NOON, 0)


def _value(name: str, kind: str, buyer: UUID, moment: datetime, number: int) -> Any:
    """A value for a column. Orders differ in their moment and their id alone: what else they have may be equal."""
    from cassandra.util import uuid_from_time

    values: dict[str, Any] = {
        "uuid": UUID(int=number if name == "order_id" else 7, version=4),
        "timeuuid": uuid_from_time(moment, node=7, clock_seq=number),
        "timestamp": moment,
        "date": moment.date(),
        "text": str(number) if name == "order_id" else "paid",
        "boolean": True,
        "decimal": Decimal(120),
    }
    if name == "user_id":
        values |= {"uuid": buyer, "text": str(buyer)}
    if kind not in values and kind in ("int", "bigint", "smallint", "varint"):
        return number if name == "order_id" else 120
    return values.get(kind)


@contextmanager
def _another_event(look: Look) -> Iterator[tuple[UUID, UUID, set[UUID]]]:
    """An event with three tickets in one section and one in another, while the check looks."""
    event, section, tickets = uuid4(), uuid4(), [uuid4() for _ in range(4)]
    insert = "INSERT INTO tickets (event_id, ticket_id, price, section, status, type_id) VALUES (%s, %s, 1, %s, %s, '')"
    try:
        for ticket, status in zip(tickets, ("available", "held", "sold", "available"), strict=True):
            where = section if ticket != tickets[-1] else uuid4()
            look.session.execute(insert, (event, ticket, where, status))
        yield event, section, set(tickets[:3])
    finally:
        look.session.execute("DELETE FROM tickets WHERE event_id = %s", (event,))


def _joins(look: Look, event: UUID, ticket: UUID, buyer: str, seconds: int) -> bool:
    """Whether a buyer who joins the queue so many seconds after noon gets in."""
    insert = "INSERT INTO my_queue (event_id, ticket_id, started_at, session_id) VALUES (%s, %s, %s, %s) IF NOT EXISTS"
    row = look.row(insert, (event, ticket, _NOON + timedelta(seconds=seconds), buyer))
    return bool(row.applied)


def _ends(look: Look) -> None:
    query = (
        "SELECT default_time_to_live AS seconds FROM system_schema.tables "
        "WHERE keyspace_name = %s AND table_name = 'my_queue'"
    )
    seconds = look.row(query, (look.keyspace,)).seconds
    if not seconds:
        raise NotYet("A row of my_queue would stay for ever: its table does not say when a row ends.")
    if seconds > _TEN_MINUTES:
        raise NotYet("A row of my_queue would live longer than ten minutes: a time to live is a number of seconds.")
    if seconds < _TEN_MINUTES:
        raise NotYet(f"A row of my_queue is over after {seconds} s, and a buyer has ten minutes.")


def _is_logged(look: Look, ticket: UUID) -> None:
    tables = look.rows("SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s", (look.keyspace,))
    if "my_queue_scylla_cdc_log" not in {table.table_name for table in tables}:
        raise NotYet("No log lies beside my_queue: nothing remembers what happens in it.")
    log = "SELECT session_id FROM my_queue_scylla_cdc_log WHERE ticket_id = %s ALLOW FILTERING"
    if not look.rows(log, (ticket,)):
        raise NotYet("A log lies beside my_queue, and it does not grow: cdc is not enabled any more.")


def _has_been_logged(look: Look) -> None:
    """Whoever is in the queue is in its log as well: it was there before them."""
    known = {row.ticket_id for row in look.rows("SELECT ticket_id FROM my_queue_scylla_cdc_log")}
    unknown = [row for row in look.rows("SELECT ticket_id, session_id FROM my_queue") if row.ticket_id not in known]
    if unknown:
        raise NotYet(
            f"{unknown[0].session_id} is in my_queue, and its log knows nothing of that: it was enabled later. What "
            "was written before is in no log."
        )


def _leave(look: Look, partition: list[str], clustering: list[str], event: UUID, *tickets: UUID) -> None:
    """Take the check's own rows out again, where the key leads to them."""
    known = [name for name in partition + clustering if name in ("event_id", "ticket_id")]
    if not set(partition) <= set(known):
        return
    for ticket in tickets:
        values = tuple(event if name == "event_id" else ticket for name in known)
        where = " AND ".join(f"{name} = %s" for name in known)
        look.rows(f"DELETE FROM my_queue WHERE {where}", values)


def _base_of(look: Look, view: str) -> str | None:
    """The table that a view of this keyspace follows; None where there is no such view."""
    query = "SELECT base_table_name FROM system_schema.views WHERE keyspace_name = %s AND view_name = %s"
    row = look.row(query, (look.keyspace, view))
    return row.base_table_name if row else None
