"""What is looked at in the exercises of "Design the tables"."""

from __future__ import annotations

from collections import Counter

from ..course.look import Look, NotYet

_TEN_MINUTES = 600


def check_1(look: Look) -> str:
    """A key that answers: which orders has this buyer placed, the newest first?"""
    partition, clustering = look.key("my_orders")
    if partition != ["user_id"]:
        raise NotYet(f"my_orders is partitioned by {', '.join(partition)}: WHERE user_id = … leads to no partition.")
    if "purchased_at" not in clustering:
        raise NotYet("Within a buyer's partition my_orders does not sort by purchased_at: it is not in the key.")
    if clustering[0] != "purchased_at":
        raise NotYet(f"Within a buyer's partition my_orders sorts by {clustering[0]} before purchased_at.")
    order = look.row(
        "SELECT clustering_order FROM system_schema.columns "
        "WHERE keyspace_name = %s AND table_name = 'my_orders' AND column_name = 'purchased_at'",
        (look.keyspace,),
    )
    if order.clustering_order.lower() != "desc":
        raise NotYet("my_orders has a buyer's oldest order first: purchased_at ascends unless told otherwise.")
    if "order_id" not in clustering:
        raise NotYet("Two orders of one moment have the same key in my_orders: the second would replace the first.")
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
    rows = look.rows("SELECT ticket_id, session_id, TTL(session_id) AS seconds FROM my_queue")
    if not rows:
        raise NotYet("Nobody is in my_queue; if somebody was, the time is over: run the cell again.")
    if max(Counter(row.ticket_id for row in rows).values()) > 1:
        people = " and ".join(sorted({str(row.session_id) for row in rows}))
        raise NotYet(f"{people} both have a row for one ticket in my_queue: its key is ({key}), and their keys differ.")
    if "ticket_id" not in partition + clustering:
        raise NotYet(f"The key of my_queue is ({key}): whoever takes one seat keeps all others from the queue.")
    row = rows[0]
    if row.session_id != "Ada":
        raise NotYet(f"The ticket's row in my_queue is {row.session_id}'s: he wrote over Ada's, who was first.")
    if row.seconds is None:
        raise NotYet("Ada's row in my_queue would stay for ever: neither the table nor the INSERT says when it ends.")
    if row.seconds > _TEN_MINUTES:
        raise NotYet("Ada's row in my_queue would live longer than ten minutes: a time to live is a number of seconds.")
    tables = look.rows("SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s", (look.keyspace,))
    if "my_queue_scylla_cdc_log" not in {table.table_name for table in tables}:
        raise NotYet("No log lies beside my_queue: nothing remembers what happens in it.")
    return "Ada is alone in my_queue, for ten minutes at most; Bo was turned away, and the log has seen it all."


def undo_3(look: Look) -> None:
    """There is no my_queue."""
    look.drop("my_queue")


def _base_of(look: Look, view: str) -> str | None:
    """The table that a view of this keyspace follows; None where there is no such view."""
    query = "SELECT base_table_name FROM system_schema.views WHERE keyspace_name = %s AND view_name = %s"
    row = look.row(query, (look.keyspace, view))
    return row.base_table_name if row else None
