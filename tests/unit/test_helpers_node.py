"""The embedded node's life: started once for all, found again, replaced when it died or hangs, ended on request."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from helpers.lab import node as node_module
from helpers.lab.control import NoControl, ask
from helpers.lab.errors import LabError
from helpers.lab.filelock import locked
from helpers.lab.node import _LASTING_PORTS, PROJECT, Node, lasting_port, running_node, stop_node
from tests.patience import SECONDS

CONNECT = "from helpers.lab.node import running_node; node = running_node(); print(node.port, node.pid)"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    where = tmp_path / "with a space"
    monkeypatch.setenv("EMBEDDED_DIR", str(where))
    yield where
    stop_node()


def test_it_is_started_once_and_found_again(folder: Path) -> None:
    first = running_node()
    assert running_node() == first
    assert json.loads((folder / "node.json").read_text())["pid"] == first.pid
    assert (folder / "node.log").read_text().count("ready on") == 1


def test_processes_that_ask_at_the_same_moment_get_the_same_node(folder: Path) -> None:
    asking = [subprocess.Popen([sys.executable, "-c", CONNECT], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = {process.communicate(timeout=SECONDS)[0] for process in asking}
    assert len(answers) == 1
    assert answers.pop().split()[0] == str(running_node().port)


def test_it_outlives_the_process_that_started_it(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", CONNECT], capture_output=True, text=True, check=True)
    assert running_node().pid == int(done.stdout.split()[1])


def test_one_that_was_killed_is_started_again_at_the_same_port(folder: Path) -> None:
    first = running_node()
    psutil.Process(first.pid).kill()
    second = running_node()
    assert second.pid != first.pid
    assert second.port == first.port


def test_one_that_nobody_asks_anything_ends_by_itself_and_comes_back_with_its_data(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(node_module, "_FORGOTTEN_HOURS", 1 / 3600)
        first = running_node()
    data = {path.name for path in (folder / "data").iterdir()}
    psutil.Process(first.pid).wait(SECONDS)
    assert data and {path.name for path in (folder / "data").iterdir()} >= data
    second = running_node()
    assert (second.port, second.pid != first.pid) == (first.port, True)
    command = psutil.Process(second.pid).cmdline()
    assert float(command[command.index("--idle-hours") + 1]) >= 4


@pytest.fixture
def stopped(folder: Path) -> Iterator[Node]:
    """A node that is alive and does not answer, as one does that writes a large snapshot."""
    if sys.platform == "win32":
        pytest.skip("Windows cannot stop a process and let it go on")
    node = running_node()
    os.kill(node.pid, signal.SIGSTOP)
    yield node
    os.kill(node.pid, signal.SIGCONT)


def test_its_port_is_one_that_nobody_is_given_while_it_is_down(folder: Path) -> None:
    """Else a client's own connection may have it when the node comes back, and whoever knew the node waits in vain."""
    assert running_node().port in _LASTING_PORTS


def test_a_port_that_was_taken_meanwhile_is_left_for_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", lasting_port())) as taken:
        port = taken.getsockname()[1]
        chosen = [port, lasting_port()]
        expected = chosen[1]
        monkeypatch.setattr("helpers.lab.node.lasting_port", lambda: chosen.pop(0))
        assert running_node().port == expected


@pytest.mark.parametrize("told", [psutil.ZombieProcess, psutil.NoSuchProcess, None])
def test_one_that_ends_while_it_is_looked_at_is_started_again_at_the_same_port(
    folder: Path, monkeypatch: pytest.MonkeyPatch, told: type[psutil.Error] | None
) -> None:
    first = running_node()

    def killed(process: psutil.Process) -> list[str]:
        process.kill()
        if told:
            raise told(process.pid)
        return []

    with monkeypatch.context() as patch:
        patch.setattr(psutil.Process, "cmdline", killed)
        second = running_node()
    assert (second.pid != first.pid, second.port) == (True, first.port)


# What is left of a killed node while the system finishes its writes: a process that has the data and the port.
DYING = """
import pathlib, socket, sys
from embedded_scylla.storage.directory_lock import DirectoryLock
data, port, number = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
lock = DirectoryLock(data)
listener = socket.create_server(("127.0.0.1", port))
(data / "lock").write_text(number + "\\n")
print("dying", flush=True)
sys.stdin.readline()
"""


def test_a_killed_one_that_takes_its_time_to_end_is_waited_for_and_its_port_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next node is elsewhere, and whoever knew the old one looks for it in vain."""
    first = running_node()
    process = psutil.Process(first.pid)
    process.kill()
    process.wait(SECONDS)
    arguments = [str(folder / "data"), str(first.port), str(first.pid)]
    dying = subprocess.Popen(
        [sys.executable, "-c", DYING, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT
    )
    assert dying.stdout.readline() == b"dying\n"
    monkeypatch.setattr(node_module, "_LINGER_SECONDS", 0.0)
    tries, launch = [], node_module._launch

    def launch_and_let_it_end_at_last(where: Path, port: int) -> Node:
        tries.append(port)
        if len(tries) == 3:
            dying.communicate(b"\n", SECONDS)
        return launch(where, port)

    monkeypatch.setattr(node_module, "_launch", launch_and_let_it_end_at_last)
    assert running_node().port == first.port
    assert tries == [first.port] * 3


def test_one_that_is_busy_is_waited_for(
    stopped: Node, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing that lives is ended; whoever waits is told what for."""
    monkeypatch.setattr(node_module, "_ASK_SECONDS", 0.1)
    monkeypatch.setattr(node_module, "_TELL_SECONDS", 0.2)

    def go_on_once_told(*lines: str, **options: object) -> None:
        print(*lines, **options)
        os.kill(stopped.pid, signal.SIGCONT)
        monkeypatch.setattr(node_module, "_ASK_SECONDS", SECONDS)

    monkeypatch.setattr(node_module, "print", go_on_once_told, raising=False)
    assert running_node() == stopped
    assert capsys.readouterr().err == "The embedded node is busy. Waiting for it …\n"


def test_one_that_never_answers_is_given_up_and_left_alone(stopped: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_module, "_ASK_SECONDS", 0.05)
    monkeypatch.setattr(node_module, "ANSWER_SECONDS", 0.2)
    with pytest.raises(LabError, match=rf"The embedded node \(process {stopped.pid}\) is alive, and has not answered"):
        running_node()
    assert stopped.process() is not None


def test_a_copied_folder_s_record_is_no_reason_to_touch_the_node_of_the_other(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = running_node()
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "node.json").write_bytes((folder / "node.json").read_bytes())
    monkeypatch.setenv("EMBEDDED_DIR", str(copy))
    assert stop_node() is False
    second = running_node()
    assert second.pid != first.pid and first.process() is not None
    stop_node()
    assert first.process() is not None
    monkeypatch.setenv("EMBEDDED_DIR", str(folder))


# What a node that reads much data does before it is ready, and one that hangs before it is.
READS = """
import sys, time
while time.process_time() < 0.4: pass
print("embedded_scylla ready on 127.0.0.1:4711", flush=True)
"""


def started(folder: Path, source: str) -> tuple[subprocess.Popen[bytes], Path]:
    folder.mkdir()
    log = folder / "node.log"
    with log.open("wb") as output:
        return subprocess.Popen([sys.executable, "-c", source], stdout=output, stderr=output), log


def test_a_start_that_takes_long_is_waited_for_as_long_as_it_does_something(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(node_module, "_TELL_SECONDS", 0.0)
    process, log = started(folder, READS)
    assert node_module._ready_at(process, log, 0) == 4711
    assert capsys.readouterr().err == "The embedded node reads its data. Waiting for it …\n"
    process.wait(SECONDS)


def test_a_start_that_does_nothing_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_module, "IDLE_SECONDS", 0.3)
    process, log = started(folder, "import threading; threading.Event().wait()")
    with pytest.raises(LabError, match=r"The embedded node did not start: it did nothing for"):
        node_module._ready_at(process, log, 0)
    process.kill()
    process.wait(SECONDS)


def test_a_start_that_is_interrupted_leaves_no_node_that_nobody_knows(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would hold the data, and each later start would be refused."""

    def interrupted(*arguments: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(node_module, "_ready_at", interrupted)
        with pytest.raises(KeyboardInterrupt):
            running_node()
    assert running_node().process() is not None


def test_a_stranger_at_its_port_is_left_alone(folder: Path) -> None:
    first = running_node()
    stop_node()
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        (folder / "node.json").write_text(json.dumps({**asdict(first), "port": port}))
        second = running_node()
    assert second.port not in (port, 0)


def test_a_process_that_only_has_the_number_of_the_old_one_is_left_alone(folder: Path) -> None:
    first = running_node()
    stop_node()
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    record = {"host": first.host, "port": first.port, "pid": stranger.pid, "created": 1.0}
    (folder / "node.json").write_text(json.dumps(record))
    try:
        assert running_node().pid != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.communicate(b"\n")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"host": 1}'])
def test_a_broken_record_is_written_anew(folder: Path, text: str) -> None:
    folder.mkdir()
    (folder / "node.json").write_text(text)
    node = running_node()
    assert json.loads((folder / "node.json").read_text())["port"] == node.port


def test_its_end_on_request(folder: Path) -> None:
    node = running_node()
    assert stop_node() is True
    assert node.process() is None
    assert stop_node() is False


def test_a_folder_that_cannot_be_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EMBEDDED_DIR", str(tmp_path / "file"))
    with pytest.raises(LabError, match=r"The embedded node cannot use its folder .*file"):
        running_node()


def test_why_it_did_not_start_is_told(folder: Path) -> None:
    running_node()
    (folder / "node.json").unlink()  # now nobody knows of it, and it still holds the data
    with pytest.raises(LabError, match=r"The embedded node did not start: The data directory .* is in use"):
        running_node()
    node = psutil.Process(int((folder / "data" / "lock").read_text()))
    node.kill()
    node.wait(SECONDS)


def test_its_log_does_not_grow_for_ever(folder: Path) -> None:
    """One that is long is set aside at the next start, and the one before it goes."""
    folder.mkdir(parents=True, exist_ok=True)
    log, before = folder / "node.log", folder / "node.log.1"
    before.write_text("long ago")
    log.write_text("x" * 1_000_001)
    running_node()
    assert (before.stat().st_size, log.read_text().count("ready on")) == (1_000_001, 1)
    stop_node()
    running_node()
    assert before.stat().st_size == 1_000_001
    assert log.read_text().count("ready on") == 2


def test_a_held_lock_is_waited_for_and_then_told(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with (
        locked(lock, why="hold it"),
        pytest.raises(LabError, match="while this one waited to get it"),
        locked(lock, why="get it", seconds=0.05),
    ):
        pytest.fail("two hold the lock")


def test_nothing_or_a_stranger_at_a_port_has_no_control_channel() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(NoControl, match=rf"No embedded node answers at 127\.0\.0\.1:{port}"):
            ask("127.0.0.1", port, {"do": "status"}, seconds=0.2)
    with pytest.raises(NoControl):
        ask("127.0.0.1", port, {"do": "status"}, seconds=0.2)
