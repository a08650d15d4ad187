"""A node that is a stranger: no control channel, an ordinary name, and where asked a password and TLS."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_scylla.__main__ import UsageError, parse_arguments
from helpers import connect, engine_of
from helpers.lab.connection import disconnect
from helpers.lab.control import NoControl, ask
from helpers.lab.errors import LabError
from tests.engines.embedded import EmbeddedNode, start_embedded
from tests.engines.wire import (
    AUTH_RESPONSE,
    ERROR,
    OPTIONS,
    QUERY,
    RESULT,
    STARTUP,
    SUPPORTED,
    Body,
    Wire,
    query,
    string_map,
    value,
)
from tests.patience import SECONDS
from tests.unit.test_node import start_and_fail

TLS = Path(__file__).resolve().parents[1] / "engines" / "tls"
CERTIFICATE, KEY = str(TLS / "node.pem"), str(TLS / "node.key")
AUTHENTICATE, AUTH_SUCCESS, BAD_CREDENTIALS = 0x03, 0x10, 0x0100
HELLO = string_map(CQL_VERSION="3.3.1")


@pytest.fixture(scope="module")
def plain() -> Iterator[EmbeddedNode]:
    with start_embedded(arguments=("--plain",)) as node:
        yield node


@pytest.fixture(scope="module")
def guarded() -> Iterator[EmbeddedNode]:
    with start_embedded(arguments=("--plain", "--password", "ada:door:12", "--tls", CERTIFICATE, KEY)) as node:
        yield node


@pytest.fixture
def point_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """``connect()`` goes where the variables say, and ends with the test."""
    monkeypatch.setattr("helpers.lab.connection._clusters", {})
    monkeypatch.setenv("EMBEDDED_DIR", str(tmp_path))
    yield monkeypatch
    disconnect()


def guarded_variables(patch: pytest.MonkeyPatch, node: EmbeddedNode, **others: str) -> None:
    variables = {
        "SCYLLA_HOSTS": node.host,
        "SCYLLA_PORT": str(node.port),
        "SCYLLA_USER": "ada",
        "SCYLLA_PASSWORD": "door:12",
        "SCYLLA_CA_FILE": CERTIFICATE,
    }
    for name, given in (variables | others).items():
        patch.setenv(name, given) if given else patch.delenv(name, raising=False)


# ---------------------------------------------------------------- a stranger


def test_a_plain_node_is_taken_for_scylla(
    plain: EmbeddedNode, point_to: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    point_to.setenv("SCYLLA_HOSTS", plain.host)
    point_to.setenv("SCYLLA_PORT", str(plain.port))
    session = connect()
    assert engine_of(session).kind == "scylla"
    name = session.execute("SELECT cluster_name FROM system.local").one().cluster_name
    version = session.execute("SELECT version FROM system.versions").one().version
    said = f"{name} {version} {capsys.readouterr().out}".lower()
    assert "embedded" not in said and "seats" not in said


def test_a_plain_node_takes_control_requests_for_broken_frames(plain: EmbeddedNode) -> None:
    with pytest.raises(NoControl):
        ask(plain.host, plain.port, {"do": "status"}, seconds=SECONDS)
    with socket.create_connection((plain.host, plain.port), timeout=SECONDS) as connection:
        connection.sendall(json.dumps({"do": "push_clock", "seconds": 900}).encode() + b"\n")
        said = b"".join(iter(lambda: connection.recv(4096), b""))  # and then it hangs up
    assert b"Invalid or unsupported protocol version: 123" in said


# ---------------------------------------------------------------- the password


def test_whoever_does_not_log_in_hears_nothing_else() -> None:
    arguments = ("--plain", "--password", "ada:door")
    with start_embedded(arguments=arguments) as node, Wire(node.host, node.port, start=False) as wire:
        assert wire.ask(OPTIONS).opcode == SUPPORTED
        said = wire.ask(STARTUP, HELLO)
        assert said.opcode == AUTHENTICATE
        assert Body(said.body).string() == "org.apache.cassandra.auth.PasswordAuthenticator"
        asked = wire.ask(QUERY, query("SELECT key FROM system.local"))
        assert b"needed SASL_RESPONSE or CREDENTIALS" in asked.body
        for token in b"\0ada\0window", b"\0bo\0door", b"", b"door", b"\0\xff\0\xff":
            refused = wire.ask(AUTH_RESPONSE, value(token))
            body = Body(refused.body)
            assert (refused.opcode, body.int()) == (ERROR, BAD_CREDENTIALS)
            assert body.string() == "Username and/or password are incorrect"
        assert wire.ask(AUTH_RESPONSE, value(b"\0ada\0door")).opcode == AUTH_SUCCESS
        assert wire.ask(QUERY, query("SELECT key FROM system.local")).opcode == RESULT


def test_a_role_that_was_made_gets_in_and_may_do_what_it_was_granted(tmp_path: Path) -> None:
    arguments = ("--plain", "--password", "ada:door")

    def log_in(wire: Wire, name: str, password: str) -> int:
        assert wire.ask(STARTUP, HELLO).opcode == AUTHENTICATE
        return wire.ask(AUTH_RESPONSE, value(f"\0{name}\0{password}".encode())).opcode

    with start_embedded(tmp_path, arguments=arguments) as node:
        with Wire(node.host, node.port, start=False) as ada:
            assert log_in(ada, "ada", "door") == AUTH_SUCCESS
            for statement in (
                "CREATE KEYSPACE park WITH replication = {'replication_factor': 1}",
                "CREATE TABLE park.seats (seat int PRIMARY KEY)",
                "CREATE ROLE bo WITH PASSWORD = 'window' AND LOGIN = true",
                "GRANT CREATE ON KEYSPACE park TO bo",
            ):
                assert ada.ask(QUERY, query(statement)).opcode == RESULT
        with Wire(node.host, node.port, start=False) as bo:
            assert log_in(bo, "bo", "window") == AUTH_SUCCESS
            assert bo.ask(QUERY, query("CREATE TABLE park.own (p int PRIMARY KEY)")).opcode == RESULT
            assert bo.ask(QUERY, query("SELECT * FROM park.own")).opcode == RESULT  # who makes a table has it
            refused = Body(bo.ask(QUERY, query("SELECT * FROM park.seats")).body)
            assert (refused.int(), refused.string()) == (
                0x2100, "User bo has no SELECT permission on <table park.seats> or any of its parents",
            )  # fmt: skip
            assert bo.ask(QUERY, query("CREATE TABLE IF NOT EXISTS park.seats (p int PRIMARY KEY)")).opcode == RESULT
            assert bo.ask(QUERY, query("SELECT * FROM park.seats")).opcode == ERROR  # it was there before
        node.kill()
    with start_embedded(tmp_path, arguments=arguments) as node, Wire(node.host, node.port, start=False) as bo:
        assert log_in(bo, "bo", "window") == AUTH_SUCCESS
        assert bo.ask(QUERY, query("SELECT * FROM park.own")).opcode == RESULT


def test_where_nobody_has_to_log_in_nobody_can(plain: EmbeddedNode) -> None:
    with Wire(plain.host, plain.port) as wire:
        assert b"No authentication is going on" in wire.ask(AUTH_RESPONSE, value(None)).body


def test_with_name_password_and_certificate_the_course_gets_in(
    guarded: EmbeddedNode, point_to: pytest.MonkeyPatch
) -> None:
    guarded_variables(point_to, guarded)
    session = connect()
    clients = session.execute("SELECT username, ssl_enabled, connection_stage FROM system.clients")
    assert {tuple(row) for row in clients} == {("ada", True, "READY")}
    # More than a record in both directions.
    text = "ü" * 100_000
    session.execute(
        "CREATE KEYSPACE wide WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}"
    )
    session.execute("CREATE TABLE wide.notes (p int PRIMARY KEY, note text)")
    insert = session.prepare("INSERT INTO wide.notes (p, note) VALUES (?, ?)")
    for future in [session.execute_async(insert, (number, text)) for number in range(20)]:
        future.result()
    assert [row.note == text for row in session.execute("SELECT note FROM wide.notes")] == [True] * 20


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        ({"SCYLLA_PASSWORD": "window"}, "does not accept this password for the user 'ada'"),
        ({"SCYLLA_USER": "", "SCYLLA_PASSWORD": ""}, "set SCYLLA_USER and SCYLLA_PASSWORD"),
        ({"SCYLLA_CA_FILE": str(TLS / "stranger.pem")}, "is not signed by what SCYLLA_CA_FILE holds"),
        ({"SCYLLA_CA_FILE": ""}, "hung up. Servers that speak only TLS do that: then set SCYLLA_CA_FILE"),
    ],
)
def test_whoever_does_not_get_in_is_told_why_and_the_node_goes_on(
    guarded: EmbeddedNode, point_to: pytest.MonkeyPatch, others: dict[str, str], sentence: str
) -> None:
    guarded_variables(point_to, guarded, **others)
    with pytest.raises(LabError, match=sentence):
        connect()
    guarded_variables(point_to, guarded)
    assert connect().execute("SELECT key FROM system.local").one().key == "local"


# ---------------------------------------------------------------- TLS


def test_a_client_that_does_not_speak_tls_is_hung_up_on(guarded: EmbeddedNode) -> None:
    with socket.create_connection((guarded.host, guarded.port), timeout=SECONDS) as connection:
        connection.sendall(b"\x04\x00\x00\x00\x05\x00\x00\x00\x00")
        try:
            said = b"".join(iter(lambda: connection.recv(4096), b""))
        except ConnectionResetError:
            said = b""
    assert SUPPORTED not in said[4:5]


def test_a_handshake_that_stops_halfway_keeps_nobody_waiting(guarded: EmbeddedNode) -> None:
    context = ssl.create_default_context(cafile=CERTIFICATE)
    with socket.create_connection((guarded.host, guarded.port), timeout=SECONDS) as silent:
        silent.sendall(b"\x16\x03\x01")  # the begin of a ClientHello
        plain = socket.create_connection((guarded.host, guarded.port), timeout=SECONDS)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            connection.sendall(b"\x04\x00\x00\x00\x05\x00\x00\x00\x00")
            assert connection.recv(9)[4] == SUPPORTED


# ---------------------------------------------------------------- the command line


def test_the_options_of_a_stranger_are_read() -> None:
    options = parse_arguments(["--plain", "--password=ada:a:b", "--tls", "a b.pem", "key", "--latency", "20ms"])
    assert options["plain"] is True
    assert (options["user"], options["password"]) == ("ada", "a:b")
    assert options["tls"] == (Path("a b.pem"), Path("key"))
    assert options["latency"] == pytest.approx(0.020)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--plain", "--password", "ada"], "--password needs a name and a password, as in ada:secret."),
        (["--plain", "--password", ":door"], "--password needs a name and a password"),
        (["--password", "ada:door"], "--password is for a --plain node"),
        (["--tls", "a", "b"], "--tls is for a --plain node"),
        (["--plain", "--tls", "a"], "--tls needs two values: the files of a certificate and of its key."),
        (["--latency", "20"], "--latency needs milliseconds, as in 20ms, not '20'."),
        (["--latency", "-1ms"], "--latency needs milliseconds, as in 20ms, not '-1ms'."),
        (["--latency", "infms"], "--latency needs milliseconds, as in 20ms, not 'infms'."),
    ],
)
def test_options_that_make_no_sense_are_refused(arguments: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_arguments(arguments)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("files", [("nowhere.pem", KEY), (CERTIFICATE, str(TLS / "stranger.pem"))])
def test_a_certificate_that_cannot_be_used_gives_one_sentence(files: tuple[str, str]) -> None:
    code, text = start_and_fail("--plain", "--memory", "--port", "0", "--tls", *files)
    assert code == 1
    assert text.startswith(f"embedded_scylla: cannot use the certificate {files[0]} with the key {files[1]}: ")
    assert text.count("\n") == 1
