"""A sale that draws itself: what is sent to the browser, what its buttons do, and who is heard; without a server."""

from __future__ import annotations

import struct
import threading
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest

from helpers import Event
from helpers.display.pictures import live_sale
from helpers.display.pictures.live_map import LiveMap, a_frame, changes_between, hear_beside_a_cell, packed
from helpers.display.pictures.live_sale import LiveSale, line_of
from helpers.display.pictures.places import house_places, house_plan, names_of, section_places, section_plan
from helpers.shop.beside import HeardSession, Sweepers
from helpers.shop.crowd import Answer, RunningSale, Sale
from helpers.shop.doors import Doors, DoorsClosed
from helpers.shop.seating import AVAILABLE, HELD, SOLD, Seating
from tests.patience import SECONDS

EVENT = Event(seats=400)
SEATS = tuple(EVENT.tickets[:4])
NOON = datetime(2031, 6, 14, 12)


def answer(asked: str, *places: int, applied: bool = True, at: float = 1.0, until: datetime | None = None) -> Answer:
    return Answer(at, 0.010, asked, applied, tuple(EVENT.tickets[place] for place in places), "fan 7", until)


def read(changes: bytes) -> dict[int, int]:
    """Changes as a browser reads them: place → status."""
    return {word >> 2: word & 3 for (word,) in struct.iter_unpack("<I", changes)}


# ---------------------------------------------------------------- the seats


def test_only_what_has_changed_is_told_and_only_once() -> None:
    seating = Seating(EVENT)
    seating.answer(answer("hold", 0, 1))
    seating.answer(answer("hold", 2, applied=False))
    assert read(seating.changes()) == {0: HELD, 1: HELD}
    assert seating.changes() == b""
    seating.answer(answer("pay", 0))
    seating.answer(answer("cancel", 1))
    assert read(seating.changes()) == {0: SOLD, 1: AVAILABLE}
    assert seating.counts == [399, 0, 1]


def test_a_seat_that_changes_and_changes_back_is_not_told() -> None:
    seating = Seating(EVENT)
    seating.answer(answer("hold", 3))
    seating.answer(answer("cancel", 3))
    assert seating.changes() == b""


def test_the_changes_make_of_the_seats_before_the_seats_after() -> None:
    seating, shown = Seating(EVENT), bytearray(EVENT.seats)
    for asked, place in [("hold", 0), ("hold", 1), ("pay", 0), ("hold", 2), ("cancel", 2), ("hold", 2), ("pay", 2)]:
        seating.answer(answer(asked, place))
        for changed, status in read(seating.changes()).items():
            shown[changed] = status
        assert shown == seating.now


def test_a_sweeper_s_word_that_comes_late_takes_no_seat_from_the_next_fan() -> None:
    """The seat came back and was held again before the process that freed it was heard."""
    seating, seat = Seating(EVENT), EVENT.tickets[0].ticket_id
    seating.answer(answer("hold", 0))
    seating.answer(answer("hold", 0))
    seating.freed(seat)
    assert seating.now[0] == HELD
    seating.answer(answer("pay", 0))
    seating.freed(seat)
    assert seating.now[0] == SOLD
    seating.answer(answer("hold", 1))
    seating.freed(EVENT.tickets[1].ticket_id)
    assert seating.now[1] == AVAILABLE


def test_what_waits_for_the_sweeper_is_counted_with_the_time_of_the_first() -> None:
    seating = Seating(EVENT)
    seating.answer(answer("hold", 0, 1, until=NOON))
    seating.answer(answer("hold", 2, until=NOON + timedelta(minutes=1)))
    assert seating.waiting(NOON - timedelta(seconds=1), clock=100.0) == (0, 0.0)
    assert seating.waiting(NOON, clock=101.0) == (2, 0.0)
    seating.answer(answer("pay", 1))
    assert seating.waiting(NOON + timedelta(minutes=2), clock=104.0) == (2, 3.0)
    seating.freed(EVENT.tickets[0].ticket_id)
    assert seating.waiting(NOON + timedelta(minutes=2), clock=105.0) == (1, 1.0)


# ---------------------------------------------------------------- the map


def test_every_seat_has_a_place_on_the_map_and_a_name() -> None:
    places = house_places(EVENT.venue)
    assert len(places) == len(set(places)) == EVENT.seats
    assert all(0 <= number <= 1 for place in places for number in place)
    assert len(packed(places)) == 4 * EVENT.seats
    plan = house_plan(EVENT.venue, EVENT.tickets)
    named = [f"{code} {row}-{seat}" for code, rows in plan["sections"] for row, n in rows for seat in range(1, n + 1)]
    assert named == [ticket.label for ticket in EVENT.tickets]


def test_a_section_s_rows_are_named_and_its_seats_do_not_touch() -> None:
    section = EVENT.section("L04")
    plan, places = section_plan(section, "Seats."), section_places(section)
    assert [row for row, _ in plan["rows"]] == list(dict.fromkeys(ticket.row for ticket in section))
    assert plan["sections"] == names_of(section)
    apart = min(abs(a[0] - b[0]) for a, b in pairwise(places) if a[1] == b[1])
    assert plan["size"] < apart
    assert all(0 <= number <= 1 for place in places for number in place)


def test_who_opens_the_notebook_again_is_told_the_seats_as_they_are_now() -> None:
    now = bytearray(2)
    map = LiveMap({}, [(0.0, 0.0), (1.0, 1.0)], lambda: now)
    now[1] = SOLD
    assert bytes(map.get_state()["seats"]) == bytes([AVAILABLE, SOLD])


def test_a_message_s_way_back_is_not_the_cell_that_runs() -> None:
    map = LiveMap({}, [], bytearray)
    hear_beside_a_cell(map)
    map.comm._reply_subshell_id = None
    hear_beside_a_cell(map)
    assert not hasattr(map.comm, "_reply_subshell_id")


def test_two_readings_of_the_seats_are_compared() -> None:
    assert read(changes_between(bytes([0, 1, 2]), bytes([0, 2, 3]))) == {1: 2, 2: 3}


# ---------------------------------------------------------------- the sale


class Nobody:
    """A sweeper that does nothing until it is killed."""

    seconds = SECONDS
    trouble = None

    def __init__(self) -> None:
        self.ended = threading.Event()

    def __enter__(self) -> Nobody:
        return self

    def __exit__(self, *error: object) -> None:
        self.ended.set()

    def kill(self) -> None:
        self.ended.set()


@pytest.fixture
def live() -> Any:
    sweepers = Sweepers(lambda number: Nobody())
    with sweepers:
        yield LiveSale(RunningSale(None, Sale(EVENT), Doors(), sweepers))


def numbers_of(frame: dict[str, Any]) -> dict[str, str]:
    return dict(frame["numbers"])


def test_a_frame_has_what_is_new_and_the_numbers_as_they_are(live: LiveSale) -> None:
    live.run.sale.answers += [answer("hold", 0, 1), answer("hold", 1, applied=False), answer("pay", 0, 1)]
    live.run.sale.answers.append(answer("hold", 2))
    live.run.sale.released.append((1.5, EVENT.tickets[2].ticket_id))
    frame = live.frame()
    assert read(frame["changes"]) == {0: SOLD, 1: SOLD}
    numbers = numbers_of(frame)
    assert (numbers["seats left"], numbers["on hold"], numbers["sold"]) == ("398", "0", "2")
    assert (numbers["p50"], numbers["p99"], numbers["sweepers"]) == ("10 ms", "10 ms", "1")
    assert [line.split("[applied] ")[1] for line in frame["lines"]] == ["False", "True", "False", "True"]
    assert "sweeper" in frame["lines"][-1] and EVENT.tickets[2].label in frame["lines"][-1]
    again = live.frame()
    assert again["changes"] == b"" and again["lines"] == frame["lines"]


def test_an_answer_is_a_line_with_who_what_and_applied() -> None:
    line = line_of(answer("hold", 0, 1, applied=False, at=12.5))
    first, second = EVENT.tickets[:2]
    assert line.split() == f"12.50 s fan 7 hold {first.label}, {second.row}-{second.seat} [applied] False".split()


def test_the_buttons_pause_slow_down_and_start_and_kill_sweepers(live: LiveSale) -> None:
    def words() -> list[str]:
        return [words for _, words, possible in live.frame()["buttons"] if possible]

    assert words() == ["Pause", "Slower", "One more sweeper", "A dead sweeper"]
    live.press("pause")
    assert live.run.doors.shut and words()[0] == "Go on" and "Nobody is let in" in live.frame()["says"]
    live.press("pause")
    live.press("slower")
    assert live.run.doors.slow and words()[:2] == ["Pause", "Faster"]
    live.press("more")
    assert numbers_of(live.frame())["sweepers"] == "2"
    live.press("dead")
    live.press("dead")
    assert words() == ["Pause", "Faster", "One more sweeper"]
    assert "No sweeper is at work" in live.frame()["says"]
    live.press("what is that?")


def test_the_picture_ends_with_the_sale_and_its_buttons_do_nothing_then(live: LiveSale) -> None:
    with live:
        live.run.sale.answers += [answer("hold", 0), answer("pay", 0)]
    assert live.map.frame["says"] == "The sale is over."
    assert bytes(live.map.get_state()["seats"])[0] == SOLD
    assert not any(possible for _, _, possible in live.map.frame["buttons"])
    live.press("pause")
    assert not live.run.doors.shut


def test_an_interrupted_sale_says_so(live: LiveSale) -> None:
    with pytest.raises(KeyboardInterrupt), live:
        raise KeyboardInterrupt
    assert live.map.frame["says"] == "The sale was interrupted."


def test_no_more_than_ten_frames_a_second(live: LiveSale, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two frames the painter waits at least a tenth of a second, and longer where a frame took long."""
    waits: list[float] = []
    over = live._over

    class Waited:
        def is_set(self) -> bool:
            return len(waits) == 3

        def wait(self, seconds: float) -> None:
            waits.append(seconds)

    live._over = Waited()  # type: ignore[assignment]
    live._paint()
    live._over = over
    assert len(waits) == 3 and min(waits) >= live_sale.FRAME_SECONDS == 0.1


def test_a_picture_that_fails_does_not_stop_the_sale(live: LiveSale, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "frame", lambda says=None: 1 / 0)
    live._paint()
    assert live.map.frame == a_frame(says="This picture has stopped: ZeroDivisionError.")


# ---------------------------------------------------------------- the doors


def test_the_time_for_which_the_doors_are_shut_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("helpers.shop.doors.time.perf_counter", lambda: clock[0])
    doors = Doors()
    doors.open()
    for action, seconds in ((None, 2.0), (doors.shut_or_open, 50.0), (doors.shut_or_open, 3.0)):
        if action:
            action()
        clock[0] += seconds
    assert doors.open_for() == pytest.approx(5.0)
    doors.shut_or_open()
    clock[0] += 9.0
    assert doors.open_for() == pytest.approx(5.0)


def test_a_fan_waits_while_the_doors_are_shut_and_goes_home_when_they_close() -> None:
    doors, ways = Doors(), []
    doors.open()
    doors.enter()
    doors.shut_or_open()

    def fan() -> None:
        try:
            doors.enter()
            ways.append("in")
        except DoorsClosed:
            ways.append("home")

    waiting = threading.Thread(target=fan)
    waiting.start()
    assert ways == []
    doors.close()
    waiting.join(SECONDS)
    assert ways == ["home"]


# ---------------------------------------------------------------- who frees a seat


class Rows:
    def __init__(self, applied: bool | None):
        self.column_names = ["status"] if applied is None else ["[applied]", "status"]
        self._row = ("available",) if applied is None else (applied, "available")

    def one(self) -> tuple[Any, ...]:
        return self._row


@pytest.mark.parametrize("applied, heard", [(True, 1), (False, 0), (None, 0)])
@pytest.mark.parametrize("shape", [tuple, list, lambda ids: dict(enumerate(ids))])
def test_a_seat_counts_as_freed_when_its_conditional_update_was_applied(applied: Any, heard: int, shape: Any) -> None:
    class Session:
        keyspace = "seats"

        def execute(self, query: str, parameters: Any = None) -> Rows:
            return Rows(applied)

    freed: list[UUID] = []
    session = HeardSession(Session(), EVENT, freed.append)  # type: ignore[arg-type]
    ids = (EVENT.id, SEATS[0].ticket_id, uuid4())
    session.execute("UPDATE tickets …", shape(ids))
    assert freed == heard * [SEATS[0].ticket_id]
    assert session.keyspace == "seats"
