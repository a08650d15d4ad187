"""Decisions that take time: who waits for whom, in which order, and that nobody waits for ever."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from cassandra.cluster import Session

from embedded_scylla import decisions
from embedded_scylla.decisions import PATIENCE, Decisions
from helpers import engine_of
from helpers.lab.control import ask
from helpers.lab.dials import decisions_take
from helpers.lab.engine import Engine
from tests.engines.wire import (
    BATCH,
    ERROR,
    QUERY,
    RESULT,
    SERIAL,
    TRACING,
    Body,
    Frame,
    Wire,
    error_of,
    long_string,
    query,
    rows_of,
    short,
)
from tests.unit.test_server import Served, eventually

TABLE = uuid.UUID(int=1)
HERE, THERE = (TABLE, (b"here",)), (TABLE, (b"there",))
WRITE_TIMEOUT, READ_TIMEOUT = 0x1100, 0x1200
AT_SERIAL = 8


class Time:
    """A clock that stands still until it is moved, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Line:
    """Decisions at a time of the test's own; ``done`` has who was let through, as (name, had its turn)."""

    def __init__(self, seconds: float):
        self.time = Time()
        self.decisions = Decisions(self.time)
        self.decisions.take(seconds)
        self.done: list[tuple[str, bool]] = []

    def join(self, name: str, place: decisions.Place = HERE, size: int = 0, allowed: float = 3600) -> None:
        self.decisions.line_up(place, lambda has_turn: self.done.append((name, has_turn)), size, allowed)

    def wait(self, seconds: float) -> list[tuple[str, bool]]:
        """Who is let through within so much time."""
        self.time.now += seconds
        self.done.clear()
        self.decisions.run_due()
        return list(self.done)


def test_a_partitions_decisions_come_one_after_the_other_and_others_go_on() -> None:
    line = Line(0.2)
    for name, place in (("a", HERE), ("b", HERE), ("x", THERE), ("c", HERE)):
        line.join(name, place)
    assert line.decisions.seconds_until_due() == pytest.approx(0.2)
    assert line.wait(0.19) == []
    assert line.wait(0.02) == [("a", True), ("x", True)]
    assert line.wait(0.2) == [("b", True)]
    assert line.wait(0.2) == [("c", True)]
    assert line.decisions.seconds_until_due() is None


def test_a_line_that_is_empty_makes_nobody_wait_longer() -> None:
    line = Line(0.2)
    line.join("a")
    assert line.wait(5) == [("a", True)]
    line.join("b")
    assert line.wait(0.21) == [("b", True)]


def test_whose_turn_does_not_come_in_time_gives_up_and_holds_up_nobody() -> None:
    line = Line(0.6)
    for name in "abcd":
        line.join(name)  # c would begin after 1.2 s
    assert line.wait(PATIENCE + 0.01) == [("a", True), ("c", False), ("d", False)]
    line.join("e")
    assert line.wait(0.2) == [("b", True)]
    assert line.wait(0.6) == [("e", True)]


def test_who_allows_less_time_gives_up_sooner() -> None:
    line = Line(0.2)
    line.join("a", allowed=0.25)
    line.join("b", allowed=0.3)
    line.join("c", allowed=0.45)
    assert line.wait(0.21) == [("a", True)]
    assert line.wait(0.1) == [("b", False)]
    assert line.wait(0.1) == [("c", True)]


def test_without_the_dial_nobody_waits_any_more() -> None:
    line = Line(3600)
    for name in "abc":
        line.join(name)
    line.decisions.take(0)
    assert line.done == [("a", True), ("b", True), ("c", True)]
    assert len(line.decisions) == 0


def test_there_is_room_for_so_many_bytes() -> None:
    line = Line(0.2)
    line.join("a", size=decisions.ROOM)
    line.join("b", size=1)
    assert line.wait(0) == [("b", False)]
    assert line.wait(0.21) == [("a", True)]
    line.join("c", size=1)
    assert line.wait(0.21) == [("c", True)]


# ---------------------------------------------------------------- on the wire

FREE = "UPDATE ks.t SET v = v + [{}] WHERE p = 1 IF f = 0"


@pytest.fixture
def served() -> Iterator[Served]:
    """A node whose decisions take half a second, of a time that the test moves."""
    served = Served()
    served.engine.decisions._monotonic = Time()
    with served.run():
        client = served.dial()
        for statement in (
            "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
            "CREATE TABLE ks.t (p int PRIMARY KEY, f int, v list<int>)",
            "INSERT INTO ks.t (p, f) VALUES (1, 0)",
        ):
            assert client.query(statement).opcode == RESULT
        assert served.control("decisions_take", milliseconds=500) == {"ok": True}
        yield served


def in_line(served: Served, count: int) -> None:
    eventually(lambda: served.control("status")["decisions_waiting"] == count, f"{count} do not wait")


def later(served: Served, seconds: float) -> None:
    served.engine.decisions._monotonic.now += seconds


def order(served: Served) -> list[int]:
    """In which order the conditional updates came: what the list has."""
    served.control("decisions_take", milliseconds=0)
    ((data,),) = rows_of(served.dial().query("SELECT v FROM ks.t WHERE p = 1"))
    if data is None:
        return []
    body = Body(data)
    return [int.from_bytes(body.bytes() or b"", "big") for _ in range(body.int())]


def send(client: Wire, text: str, **options: Any) -> int:
    return client.send(QUERY, query(text, **options))


def applied(answer: Frame) -> bool:
    return rows_of(answer)[0][0] == b"\x01"


def test_plain_statements_and_other_partitions_wait_for_nothing(served: Served) -> None:
    waiting, other = served.dial(), served.dial()
    mine = send(waiting, FREE.format(7))
    in_line(served, 1)
    assert other.query("UPDATE ks.t SET v = [1] WHERE p = 1").opcode == RESULT
    assert waiting.query("SELECT v FROM ks.t WHERE p = 1").opcode == RESULT, "not even on the same connection"
    send(other, "INSERT INTO ks.t (p, f) VALUES (2, 0) IF NOT EXISTS")
    in_line(served, 2)
    later(served, 0.51)
    answer = waiting.receive()
    assert (answer.stream, applied(answer)) == (mine, True)
    assert applied(other.receive())
    assert order(served) == [1, 7]


def test_the_order_is_that_in_which_they_came(served: Served) -> None:
    one, two = served.dial(), served.dial()
    for number, client in enumerate((one, two, one)):
        send(client, FREE.format(number))
        in_line(served, number + 1)
    later(served, 0.51)
    assert applied(one.receive())
    in_line(served, 2)
    later(served, 1.0)
    assert applied(two.receive()) and applied(one.receive())
    assert order(served) == [0, 1, 2]


def test_a_decision_sees_what_is_there_when_it_is_made(served: Served) -> None:
    client = served.dial()
    send(client, FREE.format(7))
    in_line(served, 1)
    assert served.dial().query("UPDATE ks.t SET f = 1 WHERE p = 1").opcode == RESULT
    later(served, 0.51)
    assert not applied(client.receive())


def test_a_client_that_is_gone_leaves_nothing_behind(served: Served) -> None:
    gone, stays = served.dial(), served.dial()
    send(gone, FREE.format(1))
    in_line(served, 1)
    send(stays, FREE.format(2))
    in_line(served, 2)
    gone.__exit__()
    later(served, 1.01)
    assert applied(stays.receive())
    in_line(served, 0)
    assert order(served) == [1, 2]


def test_whoever_waits_too_long_hears_so_and_has_done_nothing(served: Served) -> None:
    client = served.dial()
    for number in range(4):  # 0, 1 and 2 begin within a second
        last = send(client, FREE.format(number))
    in_line(served, 4)
    later(served, 1.01)
    answers = {answer.stream: answer for answer in (client.receive() for _ in range(3))}
    body = Body(answers[last].body)
    assert answers[last].opcode == ERROR
    assert body.int() == WRITE_TIMEOUT
    assert body.string() == "Operation timed out for ks.t - received only 0 responses from 1 CL=SERIAL."
    assert (body.short(), body.int(), body.int(), body.string()) == (AT_SERIAL, 0, 1, "CAS")
    assert order(served) == [0, 1, 2]


def test_a_serial_read_stands_in_line_too(served: Served) -> None:
    client = served.dial()
    for number in range(3):
        send(client, FREE.format(number))
    read = send(client, "SELECT v FROM ks.t WHERE p = 1", consistency=AT_SERIAL)
    in_line(served, 4)
    later(served, 1.01)
    answers = {answer.stream: answer for answer in (client.receive() for _ in range(3))}
    code, message = error_of(answers[read])
    assert (code, message.split(" - ")[0]) == (READ_TIMEOUT, "Operation timed out for ks.t")
    assert order(served) == [0, 1, 2]
    assert rows_of(client.query("SELECT f FROM ks.t WHERE p = 1")) == [[b"\0\0\0\0"]]


def test_a_serial_read_waits_no_longer_than_it_says(served: Served) -> None:
    client = served.dial()
    for number in range(2):
        send(client, FREE.format(number))
    read = send(client, "SELECT v FROM ks.t WHERE p = 1 USING TIMEOUT 600ms", consistency=AT_SERIAL)
    in_line(served, 3)
    later(served, 0.61)
    answers = {answer.stream: answer for answer in (client.receive() for _ in range(2))}
    code, message = error_of(answers[read])
    assert code == READ_TIMEOUT
    assert message == "Operation timed out for ks.t - received only 0 responses from 1 CL=SERIAL."


def test_a_batch_with_a_condition_stands_in_line(served: Served) -> None:
    client = served.dial()
    send(client, f"BEGIN BATCH {FREE.format(1)}; UPDATE ks.t SET f = 2 WHERE p = 1; APPLY BATCH")
    in_line(served, 1)
    message = short(1) + b"\0" + long_string(FREE.format(2)) + short(0)
    client.send(BATCH, b"\0" + message + short(1) + b"\0")
    in_line(served, 2)
    later(served, 0.51)
    assert applied(client.receive())
    later(served, 0.5)
    assert not applied(client.receive())
    assert order(served) == [1]


def test_a_table_that_is_gone_when_the_turn_comes(served: Served) -> None:
    client = served.dial()
    send(client, FREE.format(1))
    in_line(served, 1)
    assert served.dial().query("DROP TABLE ks.t").opcode == RESULT
    later(served, 0.51)
    assert error_of(client.receive()) == (0x2200, "unconfigured table t")


def test_a_trace_has_the_time_in_line(served: Served) -> None:
    client = served.dial()
    client.send(QUERY, query(FREE.format(1)), flags=TRACING)
    in_line(served, 1)
    later(served, 0.51)
    answer = client.receive()
    assert answer.flags & TRACING
    served.control("decisions_take", milliseconds=0)
    events = rows_of(client.query("SELECT activity FROM system_traces.events"))
    assert [b"Waited in line, and for the decision's time"] in events


def test_serial_levels_are_asked_of_the_statement(served: Served) -> None:
    client = served.dial()
    local = 9
    for number in range(4):
        last = client.send(QUERY, query(FREE.format(number), flags=SERIAL, rest=short(local)))
    in_line(served, 4)
    later(served, 1.01)
    answers = {answer.stream: answer for answer in (client.receive() for _ in range(3))}
    assert error_of(answers[last])[1].endswith("CL=LOCAL_SERIAL.")


# ---------------------------------------------------------------- in the lab


def test_within_the_block_decisions_take_their_time(lab: Session) -> None:
    engine = engine_of(lab)
    for set_to in (7, 0.5):
        with decisions_take(lab, set_to):
            assert ask(engine.host, engine.port, {"do": "status"})["decision_milliseconds"] == set_to
        assert ask(engine.host, engine.port, {"do": "status"})["decision_milliseconds"] == 0
    with pytest.raises(ZeroDivisionError), decisions_take(lab, 7):
        raise ZeroDivisionError
    assert ask(engine.host, engine.port, {"do": "status"})["decision_milliseconds"] == 0


def test_an_engine_without_dials_is_left_alone_and_that_is_said(
    lab: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Engine("scylla", "2026.1.9", 3, "127.0.0.1", 1)
    monkeypatch.setattr("helpers.lab.dials.engine_of", lambda session: cluster)
    with decisions_take(lab, 7):
        pass
    assert capsys.readouterr().out == "ScyllaDB 2026.1.9 takes its own time to decide: nothing is added to it here.\n"
