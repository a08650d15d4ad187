"""make up and make down: what would stop them is one sentence, said before anything is started."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tools import compose

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")

PLUGIN = "compose\\ version*) echo 2.40.3;;\n"
NO_PLUGIN = "compose*) echo \"docker: 'compose' is not a docker command.\" >&2; exit 1;;\n"
NO_SERVICE = "info*) echo 'Cannot connect to the Docker daemon' >&2; exit 1;;\n"
SERVICE = "info*) echo 29.0.1 16000000000;;\n"
SMALL_SERVICE = "info*) echo 29.0.1 2000000000;;\n"
NOTHING_UP = "*\\ ps\\ *) ;;\nvolume\\ ls*) echo fifty-thousand-seats-one_one;;\n"
ALL_WERE_UP = "*\\ ps\\ *) ;;\nvolume\\ ls*) printf 'fifty-thousand-seats-cluster_cluster-%s\\n' 1 2 3;;\n"
ONE_UP = "*-one\\ *\\ ps\\ *) echo 4f5e;;\n*-cluster\\ *\\ ps\\ *) ;;\n"
STARTS = "*\\ up\\ *) ;;\n"
STOPS = "*\\ down*) ;;\n"


class Docker:
    """A docker on the path that does what a shell's case statement says, and writes down what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def says(self, *cases: str) -> None:
        program = self.folder / "docker"
        program.write_text(
            f'#!/bin/sh\necho "$*" >> "{self.folder}/asked"\ncase "$*" in\n{"".join(cases)}'
            '*) echo unexpected: "$*" >&2; exit 9;;\nesac\n'
        )
        program.chmod(0o755)

    def asked(self, verb: str) -> list[str]:
        """The commands of compose that began something: all with this verb."""
        log = self.folder / "asked"
        return [line for line in log.read_text().splitlines() if f" {verb} " in f"{line} "] if log.exists() else []


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """Room and ports are there, whatever this machine has."""
    stand_in = Docker(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{stand_in.folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(compose, "_free_mb", lambda: 100_000)
    with ExitStack() as held:
        for variable in compose.PORTS:
            free = held.enter_context(socket.socket())
            free.bind(("127.0.0.1", 0))
            monkeypatch.setenv(variable, str(free.getsockname()[1]))
    return stand_in


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs the command; its exit code, and what it says."""

    def run(*arguments: str) -> tuple[int, str]:
        code = compose.main(list(arguments))
        captured = capsys.readouterr()
        return code, (captured.out + captured.err).strip()

    return run


# --- what is in the way ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cases, words",
    [
        ([NO_PLUGIN], "docker has no compose plugin: install it from https://docs.docker.com/compose/install/"),
        ([PLUGIN, NO_SERVICE], "docker's service does not answer (Cannot connect to the Docker daemon): start Docker"),
        (["compose\\ version*) echo v2.17.0;;\n", SERVICE], "Docker Compose v2.17.0 is too old for docker-compose.yml"),
        ([PLUGIN, "info*) echo 24.0.7 16000000000;;\n"], "Docker 24.0.7 is too old for docker-compose.yml"),
    ],
    ids=["no plugin", "no service", "old plugin", "old service"],
)
def test_a_docker_that_will_not_do(
    docker: Docker, run: Callable[..., tuple[int, str]], cases: list[str], words: str
) -> None:
    docker.says(*cases)
    code, said = run("up")
    assert code == 1
    assert said.startswith(f"error: {words}") and "\n" not in said
    assert docker.asked("up") == []


def test_without_docker(run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for verb in "up", "down":
        code, said = run(verb)
        assert (code, "\n" in said) == (1, False)
        assert said.startswith("error: there is no docker on the path: install it from ")


def test_a_docker_with_too_little_memory(docker: Docker, run: Callable[..., tuple[int, str]]) -> None:
    docker.says(PLUGIN, SMALL_SERVICE, NOTHING_UP, STARTS)
    code, said = run("up", "--profile", "cluster")
    assert (code, docker.asked("up")) == (1, [])
    assert said == (
        "error: 3 nodes want 4,500 MB of memory, and Docker has 2,000: give it more in its settings, or start one "
        "node: make up."
    )
    assert run("up")[0] == 0


def test_a_machine_with_too_little_memory(
    docker: Docker, run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.says(PLUGIN, SERVICE, NOTHING_UP, STARTS)
    monkeypatch.setattr(compose, "_free_mb", lambda: 900)
    code, said = run("up")
    assert (code, docker.asked("up")) == (1, [])
    assert said.startswith("error: 1 node wants 1,500 MB of memory, and 900 are free: end some programs")


@pytest.mark.parametrize("variable", compose.PORTS)
def test_a_port_that_is_taken(
    docker: Docker, run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    docker.says(PLUGIN, SERVICE, NOTHING_UP, STARTS)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv(variable, str(port))
        code, said = run("up")
    assert (code, docker.asked("up")) == (1, [])
    assert said == (
        f"error: port {port} of 127.0.0.1 is used by another program: end that one, or: {variable}={port + 1} make up"
    )


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="only there each node's address is there from the start")
def test_a_port_that_is_taken_at_the_third_node_s_address(
    docker: Docker, run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.says(PLUGIN, SERVICE, NOTHING_UP, STARTS)
    with socket.socket() as other:
        other.bind(("127.0.0.3", 0))
        other.listen()
        monkeypatch.setenv("SCYLLA_PORT", str(other.getsockname()[1]))
        assert run("up")[0] == 0
        code, said = run("up", "--profile", "cluster")
    assert code == 1
    assert " of 127.0.0.3 is used by another program" in said


def test_an_address_that_the_machine_has_not(
    docker: Docker, run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(compose.Fault, match=r"no address 192\.0\.2\.1; macOS gets it by: sudo ifconfig lo0 alias 192"):
        compose._look_at_port("192.0.2.1", 9042, "SCYLLA_PORT")


@pytest.mark.parametrize("given", ["cql", "0", "70000"])
def test_a_port_that_is_none(
    docker: Docker, run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    docker.says(PLUGIN, SERVICE, NOTHING_UP, STARTS)
    monkeypatch.setenv("SCYLLA_PORT", given)
    assert run("up") == (1, f"error: SCYLLA_PORT must be a number from 1 to 65535, not {given!r}.")


def test_a_profile_that_there_is_not(docker: Docker, run: Callable[..., tuple[int, str]]) -> None:
    docker.says(PLUGIN, SERVICE, NOTHING_UP, STARTS)
    assert run("up", "--profile", "three") == (1, "error: PROFILE must be one or cluster, not 'three'.")


def test_the_other_profile_is_up(docker: Docker, run: Callable[..., tuple[int, str]]) -> None:
    docker.says(PLUGIN, SERVICE, ONE_UP, STARTS)
    code, said = run("up", "--profile", "cluster")
    assert (code, docker.asked("up")) == (1, [])
    assert said == "error: the profile one is up, on the same ports: make down, and then once more."


# --- up and down -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile, words", [("one", "ScyllaDB is up."), ("cluster", "3 nodes of ScyllaDB are up.")])
def test_each_profile_has_a_project_of_its_own(
    docker: Docker, run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, profile: str, words: str
) -> None:
    docker.says(PLUGIN, SERVICE, NOTHING_UP, STARTS)
    port = os.environ["SCYLLA_PORT"]
    code, said = run("up", "--profile", profile, "--quiet-pull")
    assert (code, said) == (0, f"{words} Use it: SCYLLA_HOSTS=127.0.0.1 SCYLLA_PORT={port} make lab")
    (asked,) = docker.asked("up")
    assert f"--project-name fifty-thousand-seats-{profile} --profile {profile} up --detach --wait" in asked
    assert asked.endswith(" --quiet-pull")


def test_nodes_that_know_each_other_do_not_wait_for_each_other(
    docker: Docker, run: Callable[..., tuple[int, str]]
) -> None:
    """The first may want the second before it answers, and the second is started only after that when it joins."""
    docker.says(PLUGIN, SERVICE, ALL_WERE_UP, STARTS)
    assert run("up", "--profile", "cluster")[0] == 0
    *woken, last = [line.split(" up ")[1] for line in docker.asked("up")]
    assert woken == [f"--detach --no-deps {node}" for node in compose.NODES["cluster"]]
    assert last.startswith("--detach --wait ")


def test_up_again_is_no_second_one(
    docker: Docker, run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is up holds its ports and its memory: neither is in the way."""
    docker.says(PLUGIN, SERVICE, ONE_UP, STARTS)
    monkeypatch.setattr(compose, "_free_mb", lambda: 10)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("SCYLLA_PORT", str(other.getsockname()[1]))
        assert run("up")[0] == 0


@pytest.mark.parametrize(
    "logs, words",
    [
        ("Could not setup Async I/O: Resource temporarily unavailable", "sudo sysctl -w fs.aio-max-nr=1048576"),
        ("something else", "its log says why: docker compose --project-directory "),
    ],
)
def test_a_node_that_does_not_come_up(
    docker: Docker, run: Callable[..., tuple[int, str]], logs: str, words: str
) -> None:
    docker.says(PLUGIN, SERVICE, NOTHING_UP, "*\\ up\\ *) exit 1;;\n", f"*\\ logs*) echo '{logs}';;\n")
    code, said = run("up")
    assert code == 1
    assert said.startswith("error: ") and words in said and "\n" not in said


def test_down_stops_what_is_up_and_nothing_else(docker: Docker, run: Callable[..., tuple[int, str]]) -> None:
    docker.says(PLUGIN, SERVICE, ONE_UP, STOPS)
    assert run("down") == (0, "")
    (asked,) = docker.asked("down")
    assert "--project-name fifty-thousand-seats-one " in asked and "--volumes" not in asked


def test_down_throws_the_data_of_both_away_where_it_is_told_to(
    docker: Docker, run: Callable[..., tuple[int, str]]
) -> None:
    """Also of what is not up: its volumes stayed when it was stopped."""
    docker.says(PLUGIN, SERVICE, NOTHING_UP, STOPS)
    assert run("down", "--volumes")[0] == 0
    assert [line.split("--project-name ")[1] for line in docker.asked("down")] == [
        f"fifty-thousand-seats-{profile} --profile {profile} down --volumes" for profile in compose.PROFILES
    ]


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make here")
@pytest.mark.parametrize("target", ["up", "down"])
def test_make_says_it_too(docker: Docker, target: str) -> None:
    docker.says(NO_PLUGIN)
    done = subprocess.run(["make", target], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode
    assert done.stderr.startswith("error: docker has no compose plugin: install it from ")


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make here")
def test_make_passes_profile_and_arguments_on(docker: Docker) -> None:
    docker.says(PLUGIN, SMALL_SERVICE, NOTHING_UP)
    done = subprocess.run(["make", "up", "PROFILE=cluster"], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr.startswith("error: 3 nodes want 4,500 MB of memory")
