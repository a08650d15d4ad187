"""The three strategies write the same rows, again and again."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from cassandra.cluster import Session

from helpers import Event, fan_out, open_chapter, wait_until
from helpers.lab.errors import LabError
from helpers.shop.fan_out import FanOutResult

COLUMNS = "event_id, ticket_id, price, section, status, type_id"


@pytest.mark.parametrize("write", [fan_out.one_by_one, fan_out.concurrent, fan_out.batches])
def test_each_strategy_writes_every_row_and_again_the_same(
    lab: Session, chapter: Event, write: Callable[..., FanOutResult]
) -> None:
    lab.execute("TRUNCATE tickets")
    for _ in range(2):
        result = write(lab, chapter.tickets, bar=False)
        assert (result.rows, len(chapter.tickets)) == (200, 200)
        assert result.rows_per_second == pytest.approx(200 / result.seconds)
        rows = {tuple(row) for row in lab.execute(f"SELECT {COLUMNS} FROM tickets")}
        assert rows == {fan_out.row_of(ticket) for ticket in chapter.tickets}


def test_a_batch_never_leaves_its_partition(lab: Session, chapter: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Event(seats=150, name="Matinee")
    sizes = []
    send = lab.execute_async
    with monkeypatch.context() as patch:
        patch.setattr(lab, "execute_async", lambda batch: sizes.append(len(batch)) or send(batch))
        fan_out.batches(lab, chapter.tickets + other.tickets, bar=False)
    assert sizes == [100, 100, 100, 50]
    lab.execute("DELETE FROM tickets WHERE event_id = %s", (other.id,))


def test_an_error_is_raised_and_nothing_is_under_way_after_it(
    lab: Session, chapter: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def result(self) -> None:
            raise RuntimeError("refused")

    futures = []

    def send(batch: object) -> object:
        futures.append(Broken() if not futures else original(batch))
        return futures[-1]

    original = lab.execute_async
    monkeypatch.setattr(lab, "execute_async", send)
    with pytest.raises(RuntimeError, match="refused"):
        fan_out.batches(lab, chapter.tickets, rows=10, in_flight=4, bar=False)
    assert len(futures) > 1 and all(future._event.is_set() for future in futures[1:])


def test_a_bar_appears_when_it_takes_a_while_and_is_wanted(
    lab: Session, chapter: Event, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HELPERS_PROGRESS", "on")
    now = 0.0
    monkeypatch.setattr("tqdm.std.time", lambda: now)  # no time goes by at all
    fan_out.batches(lab, chapter.tickets)
    assert capsys.readouterr().err == ""
    seconds = itertools.count(step=3)
    monkeypatch.setattr("tqdm.std.time", lambda: next(seconds))
    fan_out.batches(lab, chapter.tickets, bar=False)
    assert capsys.readouterr().err == ""
    fan_out.batches(lab, chapter.tickets)
    assert "200/200" in capsys.readouterr().err


def test_waiting_returns_what_it_waited_for_or_says_what_that_was() -> None:
    answers = iter([0, [], "here"])
    assert wait_until(lambda: next(answers), why="an answer") == "here"
    with pytest.raises(LabError, match=r"Waited 0\.05 s for the doors to open, in vain"):
        wait_until(lambda: False, why="the doors to open", seconds=0.05)


@pytest.mark.parametrize("seats", [120, 300, 200])
def test_a_chapter_opens_in_any_size_after_any_other(lab: Session, chapter: Event, seats: int) -> None:
    event = open_chapter(lab, "unit_helpers", seats)
    assert {row.ticket_id for row in lab.execute("SELECT ticket_id FROM tickets")} == set(event.by_id)
    assert lab.execute("SELECT count(*) FROM venue_sections").one()[0] == len(event.venue)
