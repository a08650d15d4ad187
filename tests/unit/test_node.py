"""The embedded node as a process: how it starts, refuses to start, ends, dies, and what it remembers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session
from cassandra.protocol import SyntaxException

from embedded_scylla.__main__ import UsageError, parse_arguments
from embedded_scylla.release import DEFAULT, RELEASES
from tests.engines.embedded import ROOT, EmbeddedNode, start_embedded
from tests.engines.wire import Wire, rows_of
from tests.patience import HOUR, PATIENT_CLUSTER, SECONDS, Stopwatch

KEYSPACE = (
    "CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'NetworkTopologyStrategy', "
    "'replication_factor': 1} AND tablets = {'enabled': false}"
)
TABLE = "CREATE TABLE IF NOT EXISTS shop.seats (row int, seat int, buyer text, PRIMARY KEY (row, seat))"
VIEW = (
    "CREATE MATERIALIZED VIEW IF NOT EXISTS shop.by_buyer AS SELECT * FROM shop.seats "
    "WHERE buyer IS NOT NULL AND row IS NOT NULL AND seat IS NOT NULL PRIMARY KEY (buyer, row, seat)"
)


def cluster_of(node: EmbeddedNode) -> Cluster:
    profile = ExecutionProfile(request_timeout=SECONDS)
    return Cluster(
        [node.host],
        port=node.port,
        protocol_version=4,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        **PATIENT_CLUSTER,
    )


class Client:
    """A driver session for a while."""

    def __init__(self, node: EmbeddedNode):
        self._cluster = cluster_of(node)

    def __enter__(self) -> Session:
        return self._cluster.connect()

    def __exit__(self, *_: object) -> None:
        self._cluster.shutdown()


def start_and_fail(*arguments: str) -> tuple[int, str]:
    """Run a node that cannot start: its exit code and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "embedded_scylla", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


# ---------------------------------------------------------------- the command line


def test_options_are_read_in_both_spellings() -> None:
    assert parse_arguments(["--port=0", "--host", "::1", "--data-dir", "a b"]) == {
        **parse_arguments([]),
        "host": "::1",
        "port": 0,
        "data_dir": Path("a b"),
    }
    assert parse_arguments(["--host", "0.0.0.0", "--plain", "--password", "ada:door"])["host"] == "0.0.0.0"
    assert parse_arguments(["--host", "localhost"])["user"] is None
    assert parse_arguments([])["release"] is DEFAULT
    assert parse_arguments(["--memory"])["data_dir"] is None
    assert parse_arguments([])["port"] == 9042
    assert parse_arguments(["--as", "2026.2"])["release"] is RELEASES["2026.2"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--prot", "1"], "There is no option --prot."),
        (["--port"], "--port needs a value."),
        (["--port", "ninety"], "--port needs a number from 0 to 65535, not 'ninety'."),
        (["--port", "65536"], "--port needs a number from 0 to 65535"),
        (["--memory", "--data-dir", "x"], "Choose one of --memory and --data-dir."),
        (["--as", "6.2"], "--as needs a release that the node can follow, 2026.1 or 2026.2, not '6.2'."),
        (["--as"], "--as needs a value."),
        (["--host", "0.0.0.0"], "--host 0.0.0.0 lets other machines in: say --plain --password USER:PASSWORD too"),
        (["--host", "::", "--plain"], "--host :: lets other machines in"),
        (["--host", "127.example.org"], "--host 127.example.org lets other machines in"),
        (["--host", ""], "--host  lets other machines in"),
    ],
)
def test_wrong_options_are_refused_in_a_sentence(arguments: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence.replace("(", r"\(")):
        parse_arguments(arguments)


def test_a_wrong_option_ends_the_process_with_the_usage() -> None:
    code, text = start_and_fail("--color")
    assert code == 2
    assert "There is no option --color." in text
    assert "usage: python -m embedded_scylla" in text


# ---------------------------------------------------------------- start and end


def test_the_ready_line_is_the_only_output_and_tells_the_truth() -> None:
    with start_embedded() as node, Client(node) as session:
        assert node.ready_line == f"embedded_scylla ready on 127.0.0.1:{node.port}\n"
        assert session.execute("SELECT key FROM system.local").one().key == "local"


@pytest.mark.parametrize("name", RELEASES)
def test_it_follows_the_release_that_it_is_told(name: str) -> None:
    with start_embedded(arguments=("--as", name)) as node, Client(node) as session:
        assert session.execute("SELECT version FROM system.versions").one().version.startswith(f"{name}.")
        session.execute(KEYSPACE)
        marked = "CREATE TABLE shop.t (p int PRIMARY KEY, ends timestamp TTL)"
        if RELEASES[name].row_ttl:
            session.execute(marked)
        else:
            with pytest.raises(SyntaxException, match="Unexpected 'TTL'"):
                session.execute(marked)


def test_a_port_that_is_taken_gives_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, text = start_and_fail("--memory", "--port", str(port))
    assert code == 69  # of its own: whoever starts one may choose another port
    assert text.startswith(f"embedded_scylla: cannot listen on 127.0.0.1:{port}: ")
    assert text.count("\n") == 1


def test_two_nodes_never_share_a_data_directory(tmp_path: Path) -> None:
    with start_embedded(tmp_path) as node:
        code, text = start_and_fail("--port", "0", "--data-dir", str(tmp_path))
        assert code == 75  # of its own: whoever starts one may try again
        assert f"in use by another embedded node (process {node.process.pid})" in text
        assert text.count("\n") == 1
    with start_embedded(tmp_path):
        pass  # free again


def test_a_data_directory_that_cannot_be_made_gives_one_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    code, text = start_and_fail("--port", "0", "--data-dir", str(blocked))
    assert code == 1
    assert str(blocked) in text
    assert "Traceback" not in text


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    node = EmbeddedNode(tmp_path)
    node.process.send_signal(number)
    assert node.process.wait(timeout=SECONDS) == 0
    assert node.errors == []


def test_the_control_channel_ends_it_cleanly() -> None:
    node = EmbeddedNode()
    assert node.control("stop") == {"ok": True}
    assert node.process.wait(timeout=SECONDS) == 0


# ---------------------------------------------------------------- what it remembers


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_acknowledged_writes_survive_kill_9(tmp_path: Path) -> None:
    node = EmbeddedNode(tmp_path)
    with Client(node) as session:
        for statement in (KEYSPACE, TABLE, VIEW):
            session.execute(statement)
        write = session.prepare("INSERT INTO shop.seats (row, seat, buyer) VALUES (?, ?, ?)")
        for seat in range(200):
            session.execute(write, (1, seat, "Ada"))
        session.execute("UPDATE shop.seats SET buyer = 'Bo' WHERE row = 1 AND seat = 7 IF buyer = 'Ada'")
        session.execute("DELETE FROM shop.seats WHERE row = 1 AND seat = 8")
        node.kill()
    with start_embedded(tmp_path) as again, Client(again) as session:
        seats = {row.seat: row.buyer for row in session.execute("SELECT seat, buyer FROM shop.seats")}
        assert seats == {seat: "Bo" if seat == 7 else "Ada" for seat in range(200) if seat != 8}
        assert [row.seat for row in session.execute("SELECT seat FROM shop.by_buyer WHERE buyer = 'Bo'")] == [7]
        assert again.errors == []


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_what_a_dying_client_saw_acknowledged_is_there(tmp_path: Path) -> None:
    """The node dies in the middle of a stream of writes: none that was answered may be missing."""
    node = EmbeddedNode(tmp_path)
    acknowledged = []
    with Client(node) as session:
        session.execute(KEYSPACE)
        session.execute(TABLE)
        write = session.prepare("INSERT INTO shop.seats (row, seat, buyer) VALUES (1, ?, 'Ada')")
        futures = [(seat, session.execute_async(write, (seat,))) for seat in range(400)]
        futures[150][1].result()
        node.kill()
        for seat, future in futures:
            try:
                future.result()
                acknowledged.append(seat)
            except Exception:  # the connection is gone: nothing was promised
                continue
    assert len(acknowledged) > 100
    with start_embedded(tmp_path) as again, Client(again) as session:
        there = {row.seat for row in session.execute("SELECT seat FROM shop.seats")}
        assert set(acknowledged) <= there


def test_the_pushed_clock_the_host_id_and_the_streams_come_back(tmp_path: Path) -> None:
    with start_embedded(tmp_path) as node, Client(node) as session:
        node.control("push_clock", seconds=900)
        node.control("new_cdc_generation")
        host_id = session.execute("SELECT host_id FROM system.local").one()
        generations = list(session.execute("SELECT time FROM system_distributed.cdc_generation_timestamps"))
    assert len(generations) == 2
    with start_embedded(tmp_path) as node, Client(node) as session:
        assert node.control("status")["clock_offset_seconds"] == 900
        assert session.execute("SELECT host_id FROM system.local").one() == host_id
        assert list(session.execute("SELECT time FROM system_distributed.cdc_generation_timestamps")) == generations


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can limit another process's files")
def test_a_full_disk_refuses_writes_in_a_sentence_and_loses_nothing(tmp_path: Path) -> None:
    import resource

    with start_embedded(tmp_path) as node, Client(node) as session:
        session.execute(KEYSPACE)
        session.execute(TABLE)
        write = session.prepare("INSERT INTO shop.seats (row, seat, buyer) VALUES (1, ?, ?)")
        session.execute(write, (1, "Ada"))
        # A limit on the size of files stands in for a disk without room.
        limit = (tmp_path / "journal-0").stat().st_size + 1000
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        with pytest.raises(Exception, match="cannot be written to") as refused:
            session.execute(write, (2, "x" * 5000))
        assert "Everything acknowledged before is safe" in str(refused.value)
        assert [row.seat for row in session.execute("SELECT seat FROM shop.seats")] == [1]
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        session.execute(write, (3, "Bo"))
    with start_embedded(tmp_path) as node, Client(node) as session:
        assert [row.seat for row in session.execute("SELECT seat FROM shop.seats")] == [1, 3]
        assert node.errors == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can limit another process's files")
@pytest.mark.parametrize("do", [{"do": "push_clock", "seconds": 900}, {"do": "new_cdc_generation"}])
def test_on_a_full_disk_the_control_channel_still_answers(tmp_path: Path, do: dict) -> None:
    import resource

    with start_embedded(tmp_path) as node:
        (journal,) = tmp_path.glob("journal-*")
        limit = journal.stat().st_size
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        answer = node.control(**do)
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert answer["ok"] is False
        assert "cannot be written to" in answer["error"]
        assert node.control(**do)["ok"] is True


# ---------------------------------------------------------------- the knobs


def test_the_clock_pushed_ends_holds_for_everybody() -> None:
    with start_embedded() as node, Client(node) as session:
        session.execute(KEYSPACE)
        session.execute(TABLE)
        watch = Stopwatch()
        session.execute("INSERT INTO shop.seats (row, seat, buyer) VALUES (1, 1, 'Ada') USING TTL 900")
        assert session.execute("SELECT TTL(buyer) FROM shop.seats").one()[0] in watch.left(900)
        assert node.control("push_clock", seconds=901)["clock_offset_seconds"] == 901
        assert session.execute("SELECT * FROM shop.seats").one() is None
        # The client's timestamps move along: its plain write beats what the node wrote in the pushed time.
        session.execute("INSERT INTO shop.seats (row, seat, buyer) VALUES (1, 1, 'Bo') IF NOT EXISTS")
        session.execute("UPDATE shop.seats SET buyer = 'Cy' WHERE row = 1 AND seat = 1")
        assert session.execute("SELECT buyer FROM shop.seats").one().buyer == "Cy"


def test_the_clock_cannot_be_pushed_out_of_range(tmp_path: Path) -> None:
    """Two hundred pushes of thirty years came to a time that no timestamp can tell."""
    with start_embedded(tmp_path) as node, Client(node) as session:
        session.execute(KEYSPACE)
        session.execute(TABLE)
        answers = [node.control("push_clock", seconds=999_999_999) for _ in range(10)]
        pushed = [answer["ok"] for answer in answers].count(True)
        assert 0 < pushed < 10
        assert answers[-1] == {"ok": False, "error": "The clock cannot be pushed beyond the year 2200."}
        assert node.control("status")["clock_offset_seconds"] == pushed * 999_999_999
        # Far ahead everything works as it does today, the longest TTL too.
        session.execute("INSERT INTO shop.seats (row, seat, buyer) VALUES (1, 1, 'Ada') USING TTL 630720000")
    with start_embedded(tmp_path) as node, Client(node) as session:
        ttl, written = session.execute("SELECT TTL(buyer), writetime(buyer) FROM shop.seats").one()
        assert 630_719_000 < ttl <= 630_720_000
        assert written > time.time() * 1e6 + pushed * 999_999_999e6 - 1e9


def test_views_can_be_made_late() -> None:
    with start_embedded() as node, Client(node) as session:
        for statement in (KEYSPACE, TABLE, VIEW):
            session.execute(statement)
        node.control("delay_views", milliseconds=400)
        begun = time.monotonic()
        session.execute("INSERT INTO shop.seats (row, seat, buyer) VALUES (1, 1, 'Ada')")
        assert session.execute("SELECT buyer FROM shop.seats").one().buyer == "Ada"
        while session.execute("SELECT * FROM shop.by_buyer").one() is None:
            assert time.monotonic() < begun + SECONDS, "the view never followed"
        assert time.monotonic() - begun >= 0.4


def test_writes_can_be_refused_for_a_while() -> None:
    with start_embedded() as node, Client(node) as session:
        session.execute(KEYSPACE)
        session.execute(TABLE)
        node.control("refuse_writes", seconds=HOUR)
        with pytest.raises(Exception, match="Requires 1, alive 0"):
            session.execute("INSERT INTO shop.seats (row, seat, buyer) VALUES (1, 1, 'Ada')")
        assert session.execute("SELECT * FROM shop.seats").one() is None  # reads go on
        node.control("refuse_writes", seconds=0)
        session.execute("INSERT INTO shop.seats (row, seat, buyer) VALUES (1, 1, 'Ada')")


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"do": "dance"}, "Say {"),
        ({"do": "push_clock", "seconds": -1}, "seconds must be a number of at least 0"),
        ({"do": "push_clock", "seconds": "ten"}, "seconds must be a number of at least 0"),
        ({"do": "push_clock"}, "seconds"),
    ],
)
def test_the_control_channel_refuses_in_a_sentence(request_: dict, sentence: str) -> None:
    with start_embedded() as node:
        answer = node.control(**request_)
        assert answer["ok"] is False
        assert sentence in answer["error"]


def test_many_clients_at_once_each_get_their_own_answers() -> None:
    with start_embedded() as node, Client(node) as first:
        first.execute(KEYSPACE)
        first.execute("CREATE TABLE shop.notes (id uuid PRIMARY KEY, text text)")
        clients = [cluster_of(node) for _ in range(5)]
        try:
            sessions = [client.connect("shop") for client in clients]
            pending = []
            for number in range(200):
                key = uuid.uuid4()
                session = sessions[number % len(sessions)]
                session.execute("INSERT INTO notes (id, text) VALUES (%s, %s)", (key, f"note {number}"))
                pending.append((number, session.execute_async("SELECT text FROM notes WHERE id = %s", (key,))))
            assert all(future.result().one().text == f"note {number}" for number, future in pending)
        finally:
            for client in clients:
                client.shutdown()


# ---------------------------------------------------------------- a fault of its own

_FAULTY = """
import sys
from embedded_scylla.__main__ import main
from embedded_scylla.protocol.connection import Connection

feed = Connection.feed

def fail(self, data):
    if data == b"a fault":
        raise RuntimeError("this was bound to happen")
    feed(self, data)

Connection.feed = fail
sys.exit(main(["--memory", "--port", "0"]))
"""


def test_a_fault_costs_one_client_its_connection_and_nobody_else() -> None:
    """A defect in the node must not end it for those who did not meet it."""
    process = subprocess.Popen(
        [sys.executable, "-c", _FAULTY], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        port = int(process.stdout.readline().rsplit(":", 1)[1])
        with Wire("127.0.0.1", port) as other, Wire("127.0.0.1", port) as unlucky:
            unlucky.send_bytes(b"a fault")
            assert unlucky.is_closed()
            assert rows_of(other.query("SELECT key FROM system.local")) == [[b"local"]]
    finally:
        process.terminate()
    assert "RuntimeError: this was bound to happen" in process.communicate()[1]
