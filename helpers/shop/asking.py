"""Asks the database, and asks again after trouble that passes: a timeout, too few replicas, a node that restarts.

Only for what may be asked twice. A conditional update may not: ``seats.decide`` finds out what became of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from scylla_cdc.backoff import is_transient as passes

if TYPE_CHECKING:
    from cassandra.cluster import Session

__all__ = ["again", "ask", "passes"]

# Seconds before each further try: the first at once, for what was only bad luck; all together as long as a node of a
# cluster may be missed before the others know.
PAUSES = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6)
T = TypeVar("T")


def again(ask_once: Callable[[], T]) -> T:
    """``ask_once()``, up to seven times as long as its error passes; then that error."""
    for pause in PAUSES:
        try:
            return ask_once()
        except Exception as error:
            if not passes(error):
                raise
            time.sleep(pause)
    return ask_once()


def ask(session: Session, query: Any, values: Any = None) -> list[Any]:
    """All rows that a statement answers with. It must be one that may be repeated."""
    return again(lambda: list(session.execute(query, values) or ()))
