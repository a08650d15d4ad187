"""Gives the embedded node the lag that a view may have in a larger cluster."""

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
    engine = engine_of(session)
    if engine.kind != "embedded":
        yield
        return
    ask(engine.host, engine.port, {"do": "delay_views", "milliseconds": milliseconds})
    try:
        yield
    finally:
        ask(engine.host, engine.port, {"do": "delay_views", "milliseconds": 0})
