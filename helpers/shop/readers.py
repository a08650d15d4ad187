"""Many readers at once on one table or view, while one seller writes: how long each of them waits."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from ..lab.errors import LabError
from ..lab.latency import Latencies
from ..lab.quiet_gc import quiet_gc

if TYPE_CHECKING:
    from cassandra.cluster import Session


class CrowdedRead(NamedTuple):
    """How long the readers waited for all their rows, and the seller for each write."""

    readers: Latencies
    seller: Latencies


def read_together(
    session: Session,
    query: Any,
    values: Sequence[Any],
    *,
    readers: int = 64,
    sale: Any,
    seats: Sequence[Sequence[Any]],
) -> CrowdedRead:
    """Let ``readers`` send ``query`` at one moment, each once and to its last page, while one seller writes.

    The seller sends ``sale`` with the values in ``seats``, one after the other and from the first again, until the last
    reader has read.

    >>> read_together(session, viewed, (event.id,), sale=sale, seats=[(event.id, seat.ticket_id)]).readers.p50
    """
    if readers < 1:
        raise LabError(f"Somebody has to read: readers must be 1 or more, not {readers!r}.")
    if not seats:
        raise LabError("The seller has nothing to sell: give at least one seat.")
    found = CrowdedRead(Latencies(f"{readers} readers"), Latencies("the seller"))
    together = threading.Barrier(readers + 1)
    done = threading.Event()

    def read() -> None:
        together.wait()
        with found.readers.measure():
            for _ in session.execute(query, values):
                pass

    def sell() -> None:
        together.wait()
        for row in itertools.cycle(seats):
            with found.seller.measure():
                session.execute(sale, row)
            if done.is_set():
                return

    # A full collection in a notebook's kernel would be the only thing to see.
    with quiet_gc(), ThreadPoolExecutor(readers + 1) as pool:
        seller = pool.submit(sell)
        try:
            for each in [pool.submit(read) for _ in range(readers)]:
                each.result()
        finally:
            done.set()
        seller.result()
    return found
