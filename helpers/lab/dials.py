"""Dials of the embedded node: they give it for a while what only a larger or a slower cluster has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .control import ask
from .engine import engine_of

if TYPE_CHECKING:
    from cassandra.cluster import Session


@contextmanager
def delayed_views(session: Session, milliseconds: float) -> Iterator[None]:
    """Within the block the embedded node's views follow their tables ``milliseconds`` later.

    So it plays a cluster with more nodes than copies, where a view's row may lie on another node. A real cluster has
    no such dial and is left alone: with as many copies as nodes it shows no lag.

    >>> with delayed_views(session, 300):
    ...     session.execute("UPDATE tickets SET status = 'sold' WHERE …")
    """
    with _turned(session, "delay_views", milliseconds):
        yield


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
    with _turned(session, "decisions_take", milliseconds):
        yield


@contextmanager
def _turned(session: Session, dial: str, milliseconds: float) -> Iterator[None]:
    """The dial at ``milliseconds`` within the block, and back at 0 after it; a real cluster has none."""
    engine = engine_of(session)
    if engine.kind != "embedded":
        yield
        return
    ask(engine.host, engine.port, {"do": dial, "milliseconds": milliseconds})
    try:
        yield
    finally:
        ask(engine.host, engine.port, {"do": dial, "milliseconds": 0})
