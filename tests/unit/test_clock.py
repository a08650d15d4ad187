"""Time that never goes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded_scylla.clock import LATEST, MICROS, Clock
from tests.unit.asking import Asking

BEGIN = 1_700_000_000
HOUR = 3600


class Machine:
    """The machine's clock, in seconds."""

    def __init__(self) -> None:
        self.time = BEGIN

    def __call__(self) -> int:
        return int(self.time * 1_000_000_000)


def test_a_clock_set_back_does_not_set_the_node_back() -> None:
    machine = Machine()
    clock = Clock(machine)
    before = clock.micros()
    machine.time -= HOUR
    assert clock.micros() == before
    machine.time += 5
    assert clock.micros() == before + 5 * MICROS, "and it goes on at once"


def test_no_timestamp_is_given_twice_or_below_an_earlier_one() -> None:
    machine = Machine()
    clock = Clock(machine)
    given = []
    for step in (0, 0, 1, -HOUR, 0, 0.0000001, HOUR, -1, 2):
        machine.time += step
        given += [clock.unique_micros(), clock.unique_micros()]
    assert given == sorted(set(given))
    assert clock.micros() >= given[-1]


def test_a_clients_timestamp_keeps_its_distance_and_its_size() -> None:
    clock = Clock(Machine())
    clock.push(900)
    assert clock.from_client(5) == 900 * MICROS + 5
    assert clock.from_client(LATEST) == LATEST, "there is none above it"


def test_the_clock_cannot_be_pushed_back() -> None:
    with pytest.raises(ValueError, match="only be pushed forward"):
        Clock(Machine()).push(-1)


# ---------------------------------------------------------------- over a restart


def start(directory: Path, machine: Machine) -> Asking:
    return Asking(directory, Clock(machine))


def hold(node: Asking, buyer: str) -> bool:
    plan = node.plan("UPDATE ks.seats SET buyer = ? WHERE seat = 1 IF buyer = null")
    result = plan.execute(node.context(plan, (buyer,)))
    return result.rows[0][0] == b"\x01"


@pytest.mark.parametrize("by_snapshot", [False, True])
def test_a_clock_set_back_over_a_restart_sells_no_seat_twice(tmp_path: Path, by_snapshot: bool) -> None:
    machine = Machine()
    node = start(tmp_path, machine)
    node.run("CREATE TABLE ks.seats (seat int PRIMARY KEY, buyer text)")
    node.run("INSERT INTO ks.seats (seat) VALUES (1)")
    assert hold(node, "Ada")
    node.run("UPDATE ks.seats SET buyer = null WHERE seat = 1")
    if by_snapshot:
        node.engine.persistence.snapshot()
    node.engine.close()

    machine.time -= HOUR
    node = start(tmp_path, machine)
    assert hold(node, "Bo"), "the seat is free"
    assert node.rows("SELECT buyer FROM ks.seats WHERE seat = 1") == [("Bo",)], "what was applied is there"
    assert not hold(node, "Cy"), "and nobody else gets it"
    node.run("UPDATE ks.seats SET buyer = 'Di' WHERE seat = 1")
    assert node.rows("SELECT buyer FROM ks.seats WHERE seat = 1") == [("Di",)], "a plain write has its effect, too"
    (notice,) = [notice for notice in node.engine.persistence.notices if "set back" in notice]
    assert "3,600 seconds" in notice
    node.engine.close()


def test_what_had_ended_stays_ended(tmp_path: Path) -> None:
    machine = Machine()
    node = start(tmp_path, machine)
    node.run("CREATE TABLE ks.seats (seat int PRIMARY KEY, buyer text)")
    node.run("INSERT INTO ks.seats (seat, buyer) VALUES (1, 'Ada') USING TTL 900")
    node.engine.push_clock(901)
    assert node.rows("SELECT buyer FROM ks.seats") == []
    node.engine.close()
    machine.time -= HOUR
    node = start(tmp_path, machine)
    assert node.rows("SELECT buyer FROM ks.seats") == []
    node.engine.close()


def test_a_timestamp_of_a_clients_own_moves_no_clock(tmp_path: Path) -> None:
    machine = Machine()
    node = start(tmp_path, machine)
    node.run("CREATE TABLE ks.seats (seat int PRIMARY KEY, buyer text)")
    node.run(f"INSERT INTO ks.seats (seat, buyer) VALUES (1, 'Ada') USING TIMESTAMP {(BEGIN + 48 * HOUR) * MICROS}")
    node.engine.close()
    node = start(tmp_path, machine)
    assert node.engine.clock.offset == 0 and node.engine.persistence.notices == []
    assert node.engine.clock.micros() < (BEGIN + 1) * MICROS
    node.engine.close()
