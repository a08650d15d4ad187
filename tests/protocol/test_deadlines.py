"""What is learnt from the log of the queue, without a database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from cassandra.util import uuid_from_time

from helpers.shop.deadlines import Deadlines
from scylla_cdc import Change, ChangeRow, Operation, StreamId

EVENT, OTHER = uuid4(), uuid4()
SEAT, HOLD_ID = uuid4(), uuid4()
BEGIN = datetime(2031, 6, 14, 12)
STREAM = StreamId(bytes(16))


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def change(operation: Operation, when: float = 0, ttl: int | None = None, **values: Any) -> Change:
    time = uuid_from_time((at(when) - datetime(1970, 1, 1)).total_seconds())
    key = {name: values[name] for name in ("event_id", "ticket_id", "started_at") if name in values}
    row = ChangeRow(operation, 0, True, ttl, key, values, frozenset(), {}, STREAM, time)
    return Change(STREAM, time, (row,))


def joined(when: float = 0, ttl: int | None = 900, event: UUID = EVENT, seat: UUID = SEAT) -> Change:
    row = {"event_id": event, "ticket_id": seat, "started_at": at(when), "session_id": "Ada", "hold_id": HOLD_ID}
    return change(Operation.INSERT, when, ttl, **row)


def left(started: float = 0, when: float = 1) -> Change:
    return change(Operation.ROW_DELETE, when, event_id=EVENT, ticket_id=SEAT, started_at=at(started))


def learn(*changes: Change) -> Deadlines:
    deadlines = Deadlines()
    for each in changes:
        deadlines.consume(each)
    return deadlines


def test_a_row_ends_its_ttl_after_it_was_written() -> None:
    deadlines = learn(joined(10))
    assert list(deadlines.due(at(909))) == []
    [deadline] = deadlines.due(at(910))
    assert (deadline.key, deadline.hold_id, deadline.buyer) == ((EVENT, SEAT, at(10)), HOLD_ID, "Ada")
    assert deadline.due == at(910)


def test_what_left_the_queue_is_forgotten() -> None:
    deadlines = learn(joined(), left())
    assert (len(deadlines), deadlines.learnt, deadlines.forgotten) == (0, 1, 1)
    assert list(deadlines.due(at(10_000))) == []


def test_another_checkout_of_the_same_seat_is_another_deadline() -> None:
    deadlines = learn(joined(0), joined(5), left(started=0))
    assert [deadline.key.started_at for deadline in deadlines.due(at(10_000))] == [at(5)]


def test_a_deletion_of_all_of_an_event_forgets_all_of_it_and_nothing_else() -> None:
    deadlines = learn(joined(), joined(3), joined(event=OTHER), change(Operation.PARTITION_DELETE, 4, event_id=EVENT))
    assert [deadline.key.event_id for deadline in deadlines.due(at(10_000))] == [OTHER]


@pytest.mark.parametrize(
    "harmless",
    [
        change(Operation.RANGE_DELETE_FROM_INCLUSIVE, 1, event_id=EVENT, ticket_id=SEAT),
        change(Operation.UPDATE, 1, 900, event_id=EVENT, ticket_id=SEAT, started_at=at(0), session_id="phone"),
        change(Operation.PREIMAGE, 1, event_id=EVENT, ticket_id=SEAT, started_at=at(0), session_id="Ada"),
        change(Operation.INSERT, 1, None, event_id=EVENT, ticket_id=SEAT, started_at=at(77)),
        left(started=99),
    ],
    ids=["range", "update", "preimage", "without ttl", "of another row"],
)
def test_other_changes_move_no_deadline(harmless: Change) -> None:
    deadlines = learn(joined(), harmless)
    assert [deadline.due for deadline in deadlines.due(at(10_000))] == [at(900)]


def test_a_row_that_the_database_expired_is_due_at_once() -> None:
    over = change(Operation.ROW_EXPIRED, 40, event_id=EVENT, ticket_id=SEAT, started_at=at(0))
    [deadline] = learn(joined(), over).due(at(40))
    assert deadline.hold_id == HOLD_ID


def test_changes_that_come_twice_change_nothing() -> None:
    deadlines = learn(joined(), joined())
    assert [deadline.due for deadline in deadlines.due(at(900))] == [at(900)]
    assert deadlines.learnt == 1
    for deadline in deadlines.due(at(900)):
        deadlines.done(deadline)
        deadlines.done(deadline)
    assert len(deadlines) == 0
    deadlines.consume(joined())  # read again after a restart: looked at again
    assert len(list(deadlines.due(at(900)))) == 1


def test_what_is_not_done_is_given_again() -> None:
    deadlines = learn(joined())
    assert [len(list(deadlines.due(at(900)))) for _ in range(2)] == [1, 1]


def test_a_postponed_one_comes_at_its_new_time() -> None:
    deadlines = learn(joined())
    [deadline] = deadlines.due(at(900))
    deadlines.postpone(deadline, at(950))
    assert list(deadlines.due(at(949))) == []
    assert list(deadlines.due(at(950))) == [deadline]


def test_the_log_is_needed_from_the_oldest_open_one_on() -> None:
    deadlines = learn(joined(7), joined(3), joined(5, ttl=1))
    assert deadlines.needed_since() == at(3)
    deadlines.consume(left(started=3))
    assert deadlines.needed_since() == at(5)
    for deadline in deadlines.due(at(6)):
        deadlines.done(deadline)
    assert deadlines.needed_since() == at(7)
    deadlines.consume(left(started=7))
    assert deadlines.needed_since() is None
