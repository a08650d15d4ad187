"""A node that nobody asks anything ends by itself."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cassandra.cluster import Session

from embedded_scylla.__main__ import UsageError, parse_arguments
from embedded_scylla.assembly import assemble
from embedded_scylla.protocol.server import Node
from embedded_scylla.upkeep.idle import PERIOD, Idle
from helpers.lab.control import ask
from helpers.lab.engine import engine_of
from tests.patience import SECONDS
from tests.unit.asking import Asking

HOUR = 3600.0
OPTIONS = bytes((4, 0, 0, 0, 5, 0, 0, 0, 0))  # the frame by which drivers see whether a node is alive


class Watch:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


class Watched:
    """A node's watcher, its time, and whether it has ended the node."""

    def __init__(self, hours: float) -> None:
        self.node, self.watch, self.ended = Asking(), Watch(), 0
        self.engine = self.node.engine
        self.engine.stop = self._stop
        self.idle = Idle(self.engine, hours, self.watch)

    def _stop(self) -> None:
        self.ended += 1

    def pass_time(self, seconds: float) -> None:
        """As the server's loop does: wait as long as it may, then do what is due."""
        end = self.watch.time + seconds
        while not self.ended and (wait := self.idle.seconds_until_due()) is not None and self.watch.time + wait <= end:
            self.watch.time += max(wait, 0.001)
            self.idle.run_due()
        self.watch.time = end


@pytest.fixture
def watched() -> Iterator[Watched]:
    watched = Watched(8)
    yield watched
    watched.engine.close()


def test_it_ends_after_its_hours(watched: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    watched.pass_time(8 * HOUR)
    assert not watched.ended
    watched.pass_time(2 * PERIOD)
    assert watched.ended
    assert "nobody has asked anything for 8 h" in capsys.readouterr().err


def test_a_request_keeps_it(watched: Watched) -> None:
    for _ in range(5):
        watched.pass_time(7 * HOUR)
        watched.engine.requests += 1
    assert not watched.ended
    watched.pass_time(9 * HOUR)
    assert watched.ended


def test_with_no_hours_it_stays() -> None:
    watched = Watched(0)
    assert watched.idle.seconds_until_due() is None
    watched.idle.run_due()
    assert not watched.ended
    watched.engine.close()


def test_a_served_node_ends_by_itself(tmp_path: Path) -> None:
    """After a few microseconds, here: its loop wakes up for it, and closes everything."""
    made = assemble(tmp_path, idle_hours=1e-9)
    node = Node(made.engine, made.prepared, made.upkeep, made.dials, "127.0.0.1", 0)
    thread = threading.Thread(target=node.run, daemon=True)
    thread.start()
    thread.join(SECONDS)
    assert not thread.is_alive()
    Asking(tmp_path).engine.close()  # its data are free


def test_a_request_is_counted_and_a_sign_of_life_is_not(lab: Session) -> None:
    engine = engine_of(lab)

    def count() -> int:
        return ask(engine.host, engine.port, {"do": "status"})["requests"]

    before = count()
    with socket.create_connection((engine.host, engine.port)) as client:
        client.sendall(OPTIONS)
        assert client.recv(1)
    assert count() == before + 1, "the question itself"
    lab.execute("SELECT key FROM system.local")
    assert count() == before + 3


@pytest.mark.parametrize(("given", "hours"), [([], 0.0), (["--idle-hours", "8"], 8.0), (["--idle-hours=0.5"], 0.5)])
def test_the_option(given: list[str], hours: float) -> None:
    assert parse_arguments(["--memory", *given])["idle_hours"] == hours


@pytest.mark.parametrize("given", [["--idle-hours"], ["--idle-hours", "soon"], ["--idle-hours", "-1"]])
def test_a_wrong_option_is_said(given: list[str]) -> None:
    with pytest.raises(UsageError, match="--idle-hours needs a"):
        parse_arguments(given)
