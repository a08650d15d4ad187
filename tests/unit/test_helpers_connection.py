"""connect(): one line about the engine, one sentence about what is wrong, and a session that keeps working."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import certifi
import psutil
import pytest
from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT, NoHostAvailable, Session

from helpers import Event, apply_cql, connect, engine_of, open_chapter, replicas, reset, wait_until
from helpers.course.error_handler import sentences
from helpers.lab.connection import disconnect
from helpers.lab.errors import LabError
from helpers.lab.node import running_node, stop_node
from tests.patience import SECONDS


def test_it_says_which_engine_it_found(lab: Session, capsys: pytest.CaptureFixture[str]) -> None:
    session = connect()
    assert capsys.readouterr().out == "Connected to the embedded node: 1 node, data centre datacenter1.\n"
    assert engine_of(session).kind == "embedded"
    assert replicas(session) == 1


def test_the_session_is_set_up_as_the_lessons_want_it(lab: Session) -> None:
    profile = lab.cluster.profile_manager.profiles[EXEC_PROFILE_DEFAULT]
    assert profile.consistency_level == ConsistencyLevel.LOCAL_QUORUM
    # Across data centres: with LOCAL_SERIAL each of two would sell the seat.
    assert profile.serial_consistency_level == ConsistencyLevel.SERIAL
    assert profile.request_timeout == 15
    assert lab.use_client_timestamp is False
    assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) in lab.cluster.sockopts


def test_a_keyspace_that_is_not_there_is_told(lab: Session) -> None:
    with pytest.raises(LabError, match=r"There is no keyspace nowhere yet\. .*open_chapter\(session, 'nowhere'\)"):
        connect("nowhere")


def test_connecting_again_after_the_node_was_killed_finds_its_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBEDDED_DIR", str(tmp_path / "killed"))
    session = connect()
    apply_cql(session, "keyspace.cql", keyspace="k")
    session.execute("CREATE TABLE k.t (id uuid PRIMARY KEY)")
    ids = {uuid4() for _ in range(50)}
    for each in ids:
        session.execute("INSERT INTO k.t (id) VALUES (%s)", (each,))
    psutil.Process(running_node().pid).kill()
    with pytest.raises(Exception) as caught:
        for _ in range(100):
            session.execute("SELECT id FROM k.t", timeout=SECONDS)
    # What a notebook prints in place of a traceback.
    assert "Run the cell with connect() again" in sentences(caught.value)[0]
    again = connect("k")
    # The driver tries lost connections again after a second or two; nobody is to notice.
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert {row.id for row in again.execute("SELECT id FROM t")} == ids
    node = running_node()
    psutil.Process(node.pid).kill()


def test_a_way_back_after_a_dead_node_rebuilds_nothing(a_node: None, capsys: pytest.CaptureFixture[str]) -> None:
    session = connect()
    event = open_chapter(session, "seats_04", 60)
    mine = event.tickets[0]
    sell = session.prepare("UPDATE tickets SET status = 'sold' WHERE event_id = ? AND ticket_id = ?")
    session.execute(sell, mine[:2])
    die(session)
    capsys.readouterr()

    session = connect()
    assert capsys.readouterr().out.endswith("seats_04 is in use again, with all that was acknowledged.\n")
    assert sold(session, event) == {mine.ticket_id}
    # What a cell above has prepared with the session that was is good with this one.
    session.execute(sell, event.tickets[1][:2])
    assert len(sold(session, event)) == 2
    # The cell with connect() may have open_chapter() below it: nothing is rebuilt then, and the next time it is.
    open_chapter(session, "seats_04", 60)
    assert "seats_04: as you left it." in capsys.readouterr().out
    assert len(sold(session, event)) == 2
    open_chapter(session, "seats_04", 60)
    assert sold(session, event) == set()


def test_an_object_of_before_the_node_s_end_finds_the_next_one_by_itself(a_node: None) -> None:
    session = connect()
    die(session)
    connect()

    def answers() -> bool:
        try:
            return session.execute("SELECT key FROM system.local").one().key == "local"
        except NoHostAvailable:
            return False

    wait_until(answers, why="the session of before to find the node", seconds=SECONDS)


def test_whoever_begins_anew_after_all_gets_a_chapter_from_its_beginning(a_node: None) -> None:
    """The way back is for the notebook that lost its server, once: not for a keyspace that is another, or is gone."""
    session = connect()
    event = open_chapter(session, "seats_04", 500)
    session.execute("UPDATE tickets SET status = 'sold' WHERE event_id = %s AND ticket_id = %s", event.tickets[0][:2])
    die(session)
    session = connect()
    reset(seats=500)
    assert sold(session, event) == set()
    die(session)
    session = connect()
    open_chapter(session, "seats_05", 500)
    assert session.keyspace == "seats_05" and sold(session, event) == set()
    # Connecting once more, with nothing lost, only goes on in the keyspace.
    session = connect()
    session.execute("UPDATE tickets SET status = 'sold' WHERE event_id = %s AND ticket_id = %s", event.tickets[0][:2])
    assert session.keyspace == "seats_05"
    open_chapter(session, "seats_05", 500)
    assert sold(session, event) == set()


@pytest.fixture
def a_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An embedded node of the test's own, and a process that has connected to none yet."""
    monkeypatch.setenv("EMBEDDED_DIR", str(tmp_path / "a node"))
    monkeypatch.setattr("helpers.lab.connection._latest", None)
    with monkeypatch.context() as patch:
        patch.setattr("helpers.lab.connection._clusters", {})
        yield
        disconnect()
    stop_node()


def die(session: Session) -> None:
    """The embedded node ends as by accident, and the notebook shows what a cell meets then."""
    psutil.Process(running_node().pid).kill()
    with pytest.raises(Exception) as caught:
        for _ in range(100):
            session.execute("SELECT key FROM system.local", timeout=SECONDS)
    assert "Run the cell with connect() again" in sentences(caught.value)[0]


def sold(session: Session, event: Event) -> set[UUID]:
    rows = session.execute("SELECT ticket_id, status FROM tickets WHERE event_id = %s", (event.id,))
    return {row.ticket_id for row in rows if row.status == "sold"}


def test_a_sentence_is_all_that_a_notebook_shows_of_an_error() -> None:
    assert LabError("The door is shut.")._render_traceback_() == ["LabError: The door is shut."]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    """SCYLLA_HOSTS and SCYLLA_PORT name a socket that has the port and does nothing else: nobody listens there."""
    monkeypatch.setattr("helpers.lab.connection._clusters", {})
    monkeypatch.setattr("helpers.lab.connection.CONNECT_SECONDS", SECONDS)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("SCYLLA_HOSTS", "127.0.0.1")
        monkeypatch.setenv("SCYLLA_PORT", str(taken.getsockname()[1]))
        yield taken
    disconnect()


def test_no_server(server: socket.socket) -> None:
    with pytest.raises(LabError, match=r"Nothing listens at 127\.0\.0\.1 port \d+: is the server up"):
        connect()


def test_a_server_that_never_answers(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.lab.connection.CONNECT_SECONDS", 0.5)
    server.listen()
    with pytest.raises(LabError, match=r"No server answers at 127\.0\.0\.1 port \d+ within"):
        connect()


def test_a_server_that_hangs_up(server: socket.socket) -> None:
    def hang_up() -> None:
        while True:
            try:
                server.accept()[0].close()
            except OSError:
                return

    server.listen()
    threading.Thread(target=hang_up, daemon=True).start()
    with pytest.raises(LabError, match=r"The server at 127\.0\.0\.1 port \d+ hung up.* set SCYLLA_CA_FILE"):
        connect()


def test_a_name_that_no_machine_has(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCYLLA_HOSTS", "no-such-machine.invalid")
    with pytest.raises(LabError, match=r"No machine is called no-such-machine\.invalid: look at SCYLLA_HOSTS"):
        connect()


def test_a_ca_file_without_a_certificate(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    monkeypatch.setenv("SCYLLA_CA_FILE", str(tmp_path / "ca.pem"))
    with pytest.raises(LabError, match=r"SCYLLA_CA_FILE \(.*ca\.pem\) is not a PEM file with a certificate"):
        connect()


@pytest.mark.parametrize("answer", [b"220 smtp ready\r\n", b"\x84\x00\x00\x00\x00\x00\x00\x00\x00"])
def test_a_server_that_speaks_no_tls(server: socket.socket, monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    server.listen()
    spoken_to = []  # and not hung up on: that could overtake the answer

    def speak() -> None:
        while True:
            try:
                spoken_to.append(server.accept()[0])
                spoken_to[-1].sendall(answer)
            except OSError:
                return

    monkeypatch.setenv("SCYLLA_CA_FILE", certifi.where())
    threading.Thread(target=speak, daemon=True).start()
    with pytest.raises(LabError, match=r"does not speak TLS: leave SCYLLA_CA_FILE out, or use its TLS port"):
        connect()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"\x15\x03\x01\x00\x02\x02\x46", r"The server at .* port \d+ speaks only TLS: set SCYLLA_CA_FILE\."),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", r"What answers at .* does not speak CQL: are SCYLLA_HOSTS and "),
    ],
    ids=["an alert of TLS", "a web server"],
)
def test_a_server_that_speaks_something_else(server: socket.socket, answer: bytes, sentence: str) -> None:
    server.listen()
    spoken_to = []

    def speak() -> None:
        while True:
            try:
                spoken_to.append(server.accept()[0])
                spoken_to[-1].sendall(answer)
            except OSError:
                return

    threading.Thread(target=speak, daemon=True).start()
    with pytest.raises(LabError, match=sentence):
        connect()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (62, r"is for another name: put the name that it is for into SCYLLA_HOSTS\."),
        (64, r"is for another name: put the name that it is for into SCYLLA_HOSTS\."),
        (10, r"has run out, or is not valid yet\."),
        (19, r"is not signed by what SCYLLA_CA_FILE holds\."),
    ],
    ids=["host name", "address", "expired", "unknown authority"],
)
def test_what_is_wrong_with_a_certificate(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch, code: int, sentence: str
) -> None:
    """By OpenSSL's code: a name that does not fit says nothing about who has signed."""
    refusal = ssl.SSLCertVerificationError(1, "certificate verify failed")
    refusal.verify_code = code
    monkeypatch.setenv("SCYLLA_CA_FILE", certifi.where())
    monkeypatch.setattr("helpers.lab.connection._tls_refusal", lambda settings: refusal)
    with pytest.raises(LabError, match=rf"The certificate of the server at 127\.0\.0\.1 port \d+ {sentence}"):
        connect()


def test_a_data_centre_that_there_is_not(lab: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    (host,) = lab.cluster.metadata.all_hosts()
    monkeypatch.setenv("SCYLLA_HOSTS", host.endpoint.address)
    monkeypatch.setenv("SCYLLA_PORT", str(host.endpoint.port))
    monkeypatch.setenv("SCYLLA_LOCAL_DC", "moon")
    with pytest.raises(LabError, match=r"SCYLLA_LOCAL_DC is 'moon', and the server at .* knows no node there\.$"):
        connect()


FORK = """
import os, sys
from helpers import connect
from helpers.lab.connection import latest_session
session = connect()
child = os.fork()
if child == 0:
    assert latest_session() is None
    print(connect().execute("SELECT key FROM system.local").one().key, flush=True)
    sys.exit(0)  # with all that is done at an orderly end
_, status = os.waitpid(child, 0)
print(status, [session.execute("SELECT key FROM system.local").one().key for _ in range(20)].count("local"))
print(connect().cluster is session.cluster)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_forked_child_gets_a_session_of_its_own_and_leaves_the_parent_s_alone(lab: Session) -> None:
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=SECONDS, check=True)
    assert [line for line in done.stdout.splitlines() if not line.startswith("Connected")] == ["local", "0 20", "True"]


def test_what_the_node_has_lost_is_said(
    lab: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status = {"notices": ["In the data directory d: journal-1 is damaged: 3 records are lost.", "Purging failed."]}
    monkeypatch.setattr("helpers.lab.connection.ask", lambda *arguments, **options: status)
    connect()
    told = capsys.readouterr().out.splitlines()
    assert told[1:3] == [f"Note: {notice}" for notice in status["notices"]]
    assert told[3].startswith("→ If rows are missing, run the notebook from its top: open_chapter()")
    assert len(told) == 4


def test_rows_that_a_damaged_journal_lost_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody reads the node's log: a learner hears of it where they connect."""
    monkeypatch.setenv("EMBEDDED_DIR", str(tmp_path / "damaged"))
    session = connect()
    apply_cql(session, "keyspace.cql", keyspace="k")
    session.execute("CREATE TABLE k.t (id uuid PRIMARY KEY)")
    for _ in range(50):
        session.execute("INSERT INTO k.t (id) VALUES (%s)", (uuid4(),))
    node = psutil.Process(running_node().pid)
    node.kill()
    node.wait(SECONDS)
    journal = max((tmp_path / "damaged" / "data").glob("journal-*"), key=lambda path: path.stat().st_size)
    data = bytearray(journal.read_bytes())
    data[len(data) - 500] ^= 0xFF
    journal.write_bytes(data)
    capsys.readouterr()
    connect()
    said = capsys.readouterr().out
    assert said.count("\nNote: In the data directory") == 1 and "is damaged" in said
    assert "If rows are missing" in said
    stop_node()
