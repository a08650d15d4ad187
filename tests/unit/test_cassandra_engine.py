"""The parts of the Cassandra launcher that need no Java: its configuration, arguments and refusals."""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engines import cassandra_jars
from tests.engines.cassandra import (
    CassandraStartError,
    CassandraUnavailable,
    main,
    parse_credentials,
    start_cassandra,
)
from tests.engines.cassandra_config import (
    HOST,
    Keystore,
    NodeFiles,
    jvm_arguments,
    render_config,
    render_logback,
)

REPOSITORY = Path(__file__).parents[2]
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="a fake program needs a shebang")


def settings(text: str) -> dict[str, object]:
    """Return the top-level ``name: value`` lines; a value that is no JSON stays the text it is."""
    found: dict[str, object] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(": ")
        if not colon or line.startswith((" ", "#")):
            continue
        try:
            found[name] = json.loads(value)
        except json.JSONDecodeError:
            found[name] = value
    return found


def fake_program(folder: Path, name: str, *, says: str, code: int = 0) -> Path:
    """Make a program that writes ``says`` to standard error and ends with ``code``."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.stderr.write({says!r})\nsys.exit({code})\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with neither Java nor Maven; returns the one folder on its PATH, empty so far."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in ("JAVA_HOME", "JAVA_HOME_17_X64", "JAVA_HOME_17_arm64"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cassandra_jars, "CACHE", tmp_path / "cache")
    return folder


def test_config_names_ports_and_folders_and_stays_on_loopback(tmp_path: Path) -> None:
    config = settings(render_config(tmp_path, native_port=9142, storage_port=7142))
    assert config["native_transport_port"] == 9142
    assert config["storage_port"] == 7142
    assert config["listen_address"] == config["rpc_address"] == HOST
    assert config["data_file_directories"] == [str(tmp_path / "data")]
    assert config["commitlog_directory"] == str(tmp_path / "commitlog")


def test_config_has_what_the_course_uses_and_nothing_that_slows_it(tmp_path: Path) -> None:
    config = settings(render_config(tmp_path, native_port=1, storage_port=2))
    assert config["materialized_views_enabled"] is True
    assert config["user_defined_functions_enabled"] is False
    assert config["cdc_enabled"] is False
    assert config["auto_bootstrap"] is False
    assert config["num_tokens"] == 16


def test_config_keeps_a_path_with_quotes_and_colons_in_one_piece(tmp_path: Path) -> None:
    root = tmp_path / 'it"s: a #1 folder'
    config = settings(render_config(root, native_port=1, storage_port=2))
    assert config["hints_directory"] == str(root / "hints")


def test_config_leaves_no_placeholder(tmp_path: Path) -> None:
    assert "$" not in render_config(Path("/data"), native_port=1, storage_port=2)


def test_plain_node_asks_for_neither_tls_nor_password(tmp_path: Path) -> None:
    config = settings(render_config(tmp_path, native_port=1, storage_port=2))
    assert config["authenticator"] == "AllowAllAuthenticator"
    assert config["client_encryption_options"] == {"enabled": False}


def test_tls_node_takes_nothing_but_tls(tmp_path: Path) -> None:
    keystore = Keystore(tmp_path / "node.p12", "secret")
    config = settings(render_config(tmp_path, native_port=1, storage_port=2, keystore=keystore))
    options = config["client_encryption_options"]
    assert isinstance(options, dict)
    assert (options["enabled"], options["optional"]) == (True, False)
    assert options["keystore"] == str(tmp_path / "node.p12")
    assert options["keystore_password"] == "secret"


def test_password_node_authenticates(tmp_path: Path) -> None:
    config = settings(render_config(tmp_path, native_port=1, storage_port=2, with_passwords=True))
    assert config["authenticator"] == "PasswordAuthenticator"


def test_logback_escapes_the_path() -> None:
    assert "<file>a&amp;b &lt;c&gt;.log</file>" in render_logback(Path("a&b <c>.log"))


def test_jvm_arguments_load_the_agent_and_name_the_daemon_last(tmp_path: Path) -> None:
    jars = ["/jars/cassandra-all.jar", "/jars/jamm-0.4.0.jar"]
    arguments = jvm_arguments(NodeFiles(tmp_path), jars, heap_mb=512, throwaway=True)
    assert "-Xmx512m" in arguments
    assert "-javaagent:/jars/jamm-0.4.0.jar" in arguments
    assert arguments[-3:] == [
        "-cp",
        "/jars/cassandra-all.jar:/jars/jamm-0.4.0.jar",
        "org.apache.cassandra.service.CassandraDaemon",
    ]


def test_only_throwaway_data_may_skip_the_flush_of_the_schema(tmp_path: Path) -> None:
    flag = "-Dcassandra.test.flush_local_schema_changes=false"
    assert flag in jvm_arguments(NodeFiles(tmp_path), [], heap_mb=1024, throwaway=True)
    assert flag not in jvm_arguments(NodeFiles(tmp_path), [], heap_mb=1024, throwaway=False)


def test_password_may_contain_a_colon() -> None:
    assert parse_credentials("ada:a:b") == ("ada", "a:b")


@pytest.mark.parametrize("text", ["ada", "ada:", ":secret", "o'hara:secret"])
def test_credentials_without_both_halves_or_with_an_odd_name_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        parse_credentials(text)


def test_odd_role_name_is_refused_before_anything_starts(bare_machine: Path) -> None:
    with pytest.raises(ValueError, match="role's name"), start_cassandra(credentials=("o'hara", "secret")):
        pass


def test_taken_port_is_refused_before_anything_starts(bare_machine: Path) -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CassandraStartError, match=rf"Port {port} .* is taken"), start_cassandra(port):
            pass


def test_command_without_java_says_one_sentence_and_exits_with_3(bare_machine: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tests.engines.cassandra", "--port", "0"],
        cwd=REPOSITORY,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 3
    assert answer.stdout == ""
    if sys.platform == "win32":
        assert answer.stderr == "Apache Cassandra 5 does not run on Windows.\n"
    else:
        assert answer.stderr == ("Apache Cassandra 5 needs Java 17: no java was found on the PATH or in JAVA_HOME.\n")


def test_is_available_gives_the_reason(bare_machine: Path) -> None:
    available, reason = cassandra_jars.is_available()
    assert not available
    assert reason.startswith("Apache Cassandra 5 ")


@on_posix
def test_another_java_is_named_with_its_version(bare_machine: Path) -> None:
    java = fake_program(bare_machine, "java", says='openjdk version "11.0.2" 2019-01-15\n')
    with pytest.raises(CassandraUnavailable) as refusal:
        cassandra_jars.find_java()
    assert str(refusal.value) == f"Apache Cassandra 5 needs Java 17: {java} is Java 11."


@on_posix
def test_java_home_comes_before_the_path(bare_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_program(bare_machine, "java", says='openjdk version "17.0.1"\n')
    chosen = fake_program(tmp_path / "jdk" / "bin", "java", says='openjdk version "17.0.15"\n')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    assert cassandra_jars.find_java() == chosen.resolve()


@on_posix
def test_missing_maven_is_one_sentence_and_exit_code_3(
    bare_machine: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_program(bare_machine, "java", says='openjdk version "17.0.15"\n')
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    assert main(["--port", "0"]) == main(["--fetch"]) == 3
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 2
    assert output.err.count("Maven (mvn), which fetches them, was not found") == 2


@on_posix
def test_maven_that_fails_is_quoted_and_leaves_no_file(bare_machine: Path, tmp_path: Path) -> None:
    fake_program(bare_machine, "mvn", says="\x1b[0m[ERROR] Cannot reach it\n", code=1)
    cache = tmp_path / "cache"
    with pytest.raises(CassandraUnavailable, match=r"jars: Cannot reach it$"):
        cassandra_jars.find_classpath(cache=cache)
    assert list(cache.iterdir()) == []


def test_known_jars_need_no_maven_until_one_is_gone(bare_machine: Path, tmp_path: Path) -> None:
    jars = [tmp_path / "one.jar", tmp_path / "two.jar"]
    for jar in jars:
        jar.write_bytes(b"")
    cache = tmp_path / "cache"
    listing = cassandra_jars.classpath_file(cache)
    listing.parent.mkdir()
    listing.write_text(os.pathsep.join(map(str, jars)) + "\n")
    assert cassandra_jars.find_classpath(cache=cache) == [str(jar) for jar in jars]

    jars[1].unlink()
    with pytest.raises(CassandraUnavailable, match="Maven"):
        cassandra_jars.find_classpath(cache=cache)
