"""Makes a decision take long enough to be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .control import ask
from .engine import engine_of

if TYPE_CHECKING:
    from cassandra.cluster import Session


@contextmanager
def decisions_take(session: Session, milliseconds: float) -> Iterator[None]:
    """Within the block each conditional statement of the embedded node takes ``milliseconds``, one after the other of a
    partition. Plain statements, and other partitions, do not wait for it.

    A real cluster is left alone, and that is said: its decisions take their time, and stand in line, by themselves.

    >>> with decisions_take(session, 5):
    ...     session.execute("UPDATE tickets SET status = 'held' WHERE … IF status = 'available'")
    """
    engine = engine_of(session)
    if engine.kind != "embedded":
        print(f"{engine.name} takes its own time to decide: nothing is added to it here.")
        yield
        return
    ask(engine.host, engine.port, {"do": "decisions_take", "milliseconds": milliseconds})
    try:
        yield
    finally:
        ask(engine.host, engine.port, {"do": "decisions_take", "milliseconds": 0})
