"""Bounds: what one client does, or leaves undone, costs the others nothing.

The server runs in a thread of this process, so that its limits can be small, and its state be seen.
"""

from __future__ import annotations

import errno
import gc
import json
import socket
import struct
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from embedded_scylla import limits
from embedded_scylla.assembly import assemble
from embedded_scylla.protocol import frame
from embedded_scylla.protocol.connection import Connection
from embedded_scylla.protocol.server import Node
from embedded_scylla.request import SchemaChange
from tests.engines.wire import (
    ERROR,
    OPTIONS,
    QUERY,
    REGISTER,
    STARTUP,
    VALUES,
    Wire,
    error_of,
    query,
    rows_of,
    short,
    string_map,
    strings,
    value,
)
from tests.patience import SECONDS

OVERLOADED = 0x1001
LOCAL = "SELECT key FROM system.local"
KEYSPACE = "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"


class Work:
    """Upkeep without anything to do; ``trouble`` is what comes of it."""

    trouble: Exception | None = None

    def seconds_until_due(self) -> float:
        return 0.01

    def run_due(self) -> None:
        if self.trouble is not None:
            raise self.trouble


class Served:
    """A node in memory. ``run`` lets it serve in a thread, which ends it."""

    def __init__(self) -> None:
        self.work = Work()
        parts = assemble(more_tasks={"Working": self.work})
        self.engine = parts.engine
        self.node = Node(parts.engine, parts.prepared, parts.upkeep, parts.dials, "127.0.0.1", 0)
        self.thread = threading.Thread(target=self.node.run, daemon=True)
        self._dialled = ExitStack()

    @contextmanager
    def run(self) -> Iterator[None]:
        self.thread.start()
        try:
            yield
        finally:
            self.node.stop()
            self.thread.join(timeout=SECONDS)
            self._dialled.close()
            assert not self.thread.is_alive(), "the node does not end"

    def dial(self, **options: Any) -> Wire:
        return self._dialled.enter_context(Wire("127.0.0.1", self.node.port, **options))

    def control(self, do: str, **arguments: Any) -> dict[str, Any]:
        with socket.create_connection(("127.0.0.1", self.node.port), timeout=SECONDS) as connection:
            connection.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
            with connection.makefile() as lines:
                return json.loads(lines.readline())

    def connections(self) -> list[Connection]:
        return [c.conversation for c in list(self.node._clients) if isinstance(c.conversation, Connection)]


@pytest.fixture
def served() -> Iterator[Served]:
    """A node that serves."""
    served = Served()
    with served.run():
        yield served


def eventually(question: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not question():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def answers(client: Wire) -> bool:
    return rows_of(client.query(LOCAL)) == [[b"local"]]


def half(opcode: int, length: int, sent: int, stream: int = 7) -> bytes:
    """A frame of which only the first bytes come."""
    return struct.pack(">BBhBI", 4, 0, stream, opcode, length) + b"\0" * sent


# ---------------------------------------------------------------- connections


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A node that has room for three clients, and for two more who are told that there is none."""
    monkeypatch.setattr(limits, "MOST_CLIENTS", 3)
    monkeypatch.setattr(limits, "SPARE_CLIENTS", 2)
    served = Served()
    with served.run():
        yield served


def test_one_client_too_many_is_told_so_and_the_others_go_on(small: Served, capsys: pytest.CaptureFixture[str]) -> None:
    inside = [small.dial() for _ in range(3)]
    outside = small.dial(start=False)
    outside.send(OPTIONS, stream=9)
    answer = outside.receive()
    assert (answer.stream, *error_of(answer)) == (
        9,
        OVERLOADED,
        "This node serves 3 clients, and has no room for more.",
    )
    assert outside.is_closed()
    assert all(map(answers, inside))
    assert "embedded_scylla: 3 clients are in, and there is no room for another." in capsys.readouterr().err
    inside.pop().__exit__()
    eventually(lambda: len(small.node._clients) == 2, "the node does not see that a client has left")
    assert answers(small.dial())


def test_a_full_node_still_obeys_the_control_channel(small: Served) -> None:
    """Else the lab would think that it hangs, and end it."""
    for _ in range(3):
        small.dial()
    assert small.control("status")["clients"] == 4


def test_whoever_says_nothing_outside_gives_way(small: Served) -> None:
    for _ in range(3):
        small.dial()
    silent = [small.dial(start=False) for _ in range(5)]
    assert silent[0].is_closed()
    assert small.control("status")["clients"] <= 5


def test_the_number_of_clients_leaves_descriptors_for_files(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    for soft, most in ((256, 256 - limits.SPARE_DESCRIPTORS), (1_000_000, limits.MOST_CLIENTS), (10, 1)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, soft=soft: (soft, soft))
        assert limits.most_clients() == most
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    assert limits.most_clients() == limits.MOST_CLIENTS


class NoDescriptors:
    """Instead of ``socket.accept``: none is free, until ``there_are``. Counts how often it was tried."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.tries, self.there_are = 0, False
        accept = socket.socket.accept

        def try_to(listener: socket.socket) -> Any:
            self.tries += 1
            if not self.there_are:
                raise OSError(errno.EMFILE, "Too many open files")
            return accept(listener)

        monkeypatch.setattr(socket.socket, "accept", try_to)


def test_without_descriptors_it_waits_until_a_client_leaves(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inside, other = served.dial(), served.dial()
    monkeypatch.setattr(limits, "ACCEPT_PAUSE", 3600.0)
    descriptors = NoDescriptors(monkeypatch)
    late = served.dial(start=False)
    late.send(STARTUP, string_map(CQL_VERSION="3.0.0"))
    eventually(lambda: descriptors.tries, "nobody was let in or refused")
    for _ in range(50):
        assert answers(inside)
    assert descriptors.tries == 1, "it looks again and again at whom it cannot let in"
    assert "nobody can be let in: Too many open files" in capsys.readouterr().err
    descriptors.there_are = True
    other.__exit__()
    assert late.receive().opcode != ERROR
    assert answers(late)


def test_without_descriptors_it_looks_again_after_a_pause(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ACCEPT_PAUSE", 0.05)
    descriptors = NoDescriptors(monkeypatch)
    late = served.dial(start=False)
    eventually(lambda: descriptors.tries >= 3, "it never looks again")
    descriptors.there_are = True
    assert late.ask(STARTUP, string_map(CQL_VERSION="3.0.0")).opcode != ERROR


# ---------------------------------------------------------------- requests


def test_half_a_request_is_forgotten_with_its_client(served: Served) -> None:
    """At once, not whenever the garbage collector comes by: eight times 250 MB stayed for minutes."""
    leaving = served.dial()
    leaving.send_bytes(half(QUERY, 1_000_000, 500_000))
    eventually(lambda: served.node._held == 500_009, "half a request does not arrive")
    (connection,) = served.connections()
    gone = [weakref.ref(connection), weakref.ref(connection._frames)]
    gc.collect()
    gc.disable()
    try:
        del connection
        leaving.__exit__()
        eventually(lambda: [ref() for ref in gone] == [None, None], "half a request is kept")
    finally:
        gc.enable()
    assert served.node._held == 0


def test_whoever_holds_most_half_sent_is_cut_off(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HALF_SENT_TOGETHER", 1_000_000)
    text = query(LOCAL + " " * 400_000)
    modest, greedy, other = served.dial(), served.dial(), served.dial()
    modest.send_bytes(half(QUERY, len(text), 0, stream=3) + text[:-9])
    eventually(lambda: served.node._held > 400_000, "half a request does not arrive")
    greedy.send_bytes(half(QUERY, 5_000_000, 600_000))
    assert error_of(greedy.receive()) == (OVERLOADED, "Too many large requests are on their way to this node.")
    assert greedy.is_closed()
    modest.send_bytes(text[-9:])
    answer = modest.receive()
    assert (answer.stream, rows_of(answer)) == (3, [[b"local"]])
    assert answers(other)
    assert served.node._held == 0


def test_after_the_end_nobody_is_listened_to(served: Served) -> None:
    """What a client sends behind a broken frame is neither understood nor kept."""
    client = served.dial()
    insert = half(QUERY, 0xFFFFFFFF, 0) + struct.pack(">BBhBI", 4, 0, 8, QUERY, len(query(LOCAL))) + query(LOCAL)
    client.send_bytes(insert)
    assert client.receive().stream == 7
    assert client.is_closed()


# ---------------------------------------------------------------- answers


def fill(client: Wire, megabytes: int) -> None:
    """Make a table with one large value."""
    client.query(KEYSPACE)
    client.query("CREATE TABLE ks.large (id int PRIMARY KEY, text text)")
    rest = short(1) + value(b"x" * (megabytes * limits.MB))
    client.query("INSERT INTO ks.large (id, text) VALUES (1, ?)", flags=VALUES, rest=rest)


def test_too_much_unread_costs_those_who_stalled(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNREAD_TOGETHER", 8 * limits.MB)
    monkeypatch.setattr(limits, "STALLED", 0.0)
    client, deaf = served.dial(), served.dial()
    fill(client, 2)
    try:
        for _ in range(200):  # far more than the sockets hold between them
            deaf.send(QUERY, query("SELECT * FROM ks.large"))
    except OSError:
        pass  # cut off meanwhile
    eventually(lambda: len(served.node._clients) == 1, "who does not read is kept for ever")
    assert answers(client)
    assert served.node._unread == 0


def test_whoever_takes_something_is_not_cut_off(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large answer, more than all may leave unread together, comes through to one who reads it slowly."""
    monkeypatch.setattr(limits, "UNREAD_TOGETHER", 1 * limits.MB)
    client = served.dial()
    fill(client, 30)
    assert rows_of(client.query("SELECT text FROM ks.large")) == [[b"x" * (30 * limits.MB)]]


def test_a_client_that_does_not_read_is_not_read_from(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HIGH_WATER", 1 * limits.MB)
    client, deaf = served.dial(), served.dial()
    fill(client, 2)
    for _ in range(50):
        deaf.send(QUERY, query("SELECT * FROM ks.large"))
    eventually(lambda: served.node._unread > limits.HIGH_WATER, "its requests do not arrive")
    assert answers(client)
    assert served.node._unread <= limits.HIGH_WATER + 3 * limits.MB
    for _ in range(50):  # none is lost
        assert len(rows_of(deaf.receive())) == 1


def test_events_that_nobody_reads_do_not_pile_up() -> None:
    served = Served()
    with served.run():
        deaf, other = served.dial(), served.dial()
        deaf.ask(REGISTER, strings("SCHEMA_CHANGE"))
        served.work.run_due = announcing(served)  # type: ignore[method-assign]
        eventually(lambda: len(served.node._clients) == 1, "its events are kept for ever")
        assert answers(other)
        assert served.node._unread == 0


def announcing(served: Served) -> Callable[[], None]:
    """Upkeep that changes the schema a thousand times whenever it is its turn."""
    changes = [SchemaChange("CREATED", "TABLE", "ks", f"table_{number}") for number in range(1000)]
    return lambda: served.engine.announce(changes)


def test_clients_that_do_not_read_do_not_keep_it_from_ending() -> None:
    served = Served()
    with served.run():
        client = served.dial()
        fill(client, 10)
        deaf = served.dial()
        for _ in range(3):
            deaf.send(QUERY, query("SELECT * FROM ks.large"))
        eventually(lambda: served.node._unread > limits.MB, "its requests do not arrive")
    assert served.node._clients == {}


# ---------------------------------------------------------------- faults


def test_upkeep_that_fails_does_not_end_the_node(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    served.work.trouble = PermissionError(13, "a virus scanner holds the file")
    client = served.dial()
    eventually(lambda: served.control("status")["upkeep_failures"], "it was not tried, or not counted")
    assert answers(client)
    (notice,) = served.control("status")["notices"]
    assert "a virus scanner holds the file" in notice
    assert "a virus scanner holds the file" in capsys.readouterr().err


def test_a_client_that_is_gone_before_it_is_let_in_costs_nothing(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """macOS says so only when the socket is set up."""
    client = served.dial()

    def gone(self: socket.socket, *arguments: Any) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "setsockopt", gone)
        assert served.dial(start=False).is_closed()
    assert answers(client)


def test_the_allowance_for_requests_is_a_tenth_of_a_gigabyte() -> None:
    error = frame.RequestTooLarge(limits.MAX_BODY + 1, 0)
    estimate, allowed = limits.request_memory(limits.MAX_BODY + 1), limits.MAX_REQUEST_MEMORY
    assert estimate > allowed >= limits.request_memory(limits.MAX_BODY)
    assert str(error) == (
        f"request size too large (frame size {limits.MAX_BODY + 1}; estimate {estimate}; allowed 107374182)"
    )
