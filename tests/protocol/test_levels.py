"""The level at which a seat is read: that at which it is decided, in all data centres."""

from __future__ import annotations

from typing import Any

import pytest
from cassandra import ConsistencyLevel
from cassandra.query import BoundStatement

from helpers.lab.statements import statement
from tests.protocol.faults import Fault, text_of
from tests.protocol.offices import Office
from tests.protocol.world import LONGEST_HOLD, World

READS = {str(statement(name)) for name in ("read_seat", "read_ticket")}


def test_a_seat_is_read_at_serial_whatever_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """At LOCAL_SERIAL a read would not see what another data centre is deciding."""
    world, levels = World(Office()), {}
    execute = world.plain.execute

    def remember(query: Any, *values: Any, **options: Any) -> Any:
        if isinstance(query, BoundStatement) and text_of(query) in READS:
            levels.setdefault(text_of(query), set()).add(query.consistency_level)
        return execute(query, *values, **options)

    monkeypatch.setattr(world.plain, "execute", remember)
    world.do(("hold", 0, "Ada", LONGEST_HOLD), Fault("answer lost", 2))  # after the look at the order, the decision
    world.do(("hold", 1, "Bo", LONGEST_HOLD))
    world.push(LONGEST_HOLD + 1)
    world.do(("scan",))
    assert levels == {text: {ConsistencyLevel.SERIAL} for text in READS}
