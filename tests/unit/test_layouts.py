"""The course on tablets, ScyllaDB's default, and on vnodes: what looks at how a keyspace is laid out works on both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from weakref import WeakKeyDictionary

import pytest
from cassandra.cluster import Session

from helpers import (
    ChangeReader,
    Event,
    TableCheckpoints,
    apply_cql,
    checkpoint,
    connect,
    count_by_status,
    hold_seat,
    let_time_pass,
    open_chapter,
    pay,
    read_log,
    reset,
    server_now,
    stream_ids,
    tablets,
)
from helpers.course import catch_up
from helpers.lab import replication
from helpers.lab.replication import on_tablets
from helpers.shop.opening import use_keyspace
from helpers.shop.sweeper import sweep

HOLD = 60


@pytest.fixture(params=["tablets", "vnodes"])
def layout(
    request: pytest.FixtureRequest, lab: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """How new keyspaces are laid out. The record of progress is the test's own."""
    monkeypatch.setenv("SCYLLA_TABLETS", "1" if request.param == "tablets" else "0")
    monkeypatch.setenv("PROGRESS_FILE", str(tmp_path / "mine.json"))
    monkeypatch.setattr(replication, "_chosen", WeakKeyDictionary())
    monkeypatch.setattr("helpers.lab.connection._latest", lab)
    yield request.param


@pytest.fixture
def event(layout: str, lab: Session) -> Event:
    """A chapter's event with 100 seats on sale, in a keyspace that is laid out so."""
    event = open_chapter(lab, f"unit_on_{layout}", 100, hold_seconds=HOLD)
    apply_cql(lab, "checkout.cql")
    return event


def test_the_keyspace_is_laid_out_as_was_chosen(layout: str, lab: Session, event: Event) -> None:
    assert tablets(lab) == on_tablets(lab, lab.keyspace) == (layout == "tablets")


def test_a_keyspace_that_was_laid_out_otherwise_is_told_of(
    lab: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also on the embedded node: it stays as it was made, whatever is chosen now."""
    lab.execute("DROP KEYSPACE IF EXISTS unit_laid_out")
    use_keyspace(lab, "unit_laid_out")
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("SCYLLA_TABLETS", "1")
    monkeypatch.setattr(replication, "_chosen", WeakKeyDictionary())
    use_keyspace(lab, "unit_laid_out")
    assert "it is on vnodes, where a new one would be on tablets." in capsys.readouterr().out
    assert not on_tablets(lab, "unit_laid_out")


def test_a_hold_that_lapses_is_found_in_the_log_and_swept(lab: Session, event: Event) -> None:
    first, second = event.tickets[:2]
    assert hold_seat(lab, first, "Ada", seconds=HOLD)
    paid = hold_seat(lab, second, "Bob", seconds=HOLD)
    assert pay(lab, paid)
    let_time_pass(lab, HOLD + 5)
    swept = sweep(lab)
    assert (swept.learnt, swept.released, swept.found_by_audit) == (2, 1, 0)
    assert count_by_status(lab, event) == {"available": 99, "held": 0, "sold": 1}


def test_every_change_is_in_a_stream_of_its_table(lab: Session, event: Event) -> None:
    begun = server_now(lab)
    hold_seat(lab, event.tickets[0], "Ada", seconds=HOLD)
    (change,) = read_log(lab, lab.keyspace, "order_queue", since=begun)
    assert change.stream in stream_ids(lab, lab.keyspace, "order_queue")


def test_a_reader_goes_on_where_it_stopped(lab: Session, event: Event) -> None:
    lab.execute("DROP TABLE IF EXISTS unit_checkpoints")
    reading = {
        "start": server_now(lab),
        "stop": "now",
        "now": lambda: server_now(lab),
        "checkpoints": TableCheckpoints(lab, lab.keyspace, "unit_checkpoints"),
    }
    for ticket in event.tickets[:3]:
        hold_seat(lab, ticket, "Ada", seconds=HOLD)
        let_time_pass(lab, HOLD)
        (change,) = ChangeReader.demo(lab, lab.keyspace, "order_queue", **reading)
        assert [row["ticket_id"] for row in change.delta] == [ticket.ticket_id]


def test_a_chapter_can_be_begun_anew(layout: str, lab: Session) -> None:
    session = connect()
    for number in ("01", "05"):
        checkpoint(number, seats=200)
        checkpoint(number, seats=200)
        assert on_tablets(session, catch_up.keyspace_of(number)) == (layout == "tablets")
        reset(number, seats=200)
        session.execute(f"DROP KEYSPACE {catch_up.keyspace_of(number)}")
