"""Finds the embedded node of this project, or starts it: one for all notebooks, and it outlives their kernels. One that
was forgotten ends by itself, after hours, and is started again like any other.

Its folder is ``.embedded/`` beside the notebooks' folder (or what EMBEDDED_DIR names): ``node.json`` says where it
listens, ``node.log`` what it had to say (``node.log.1``: before that), ``data/`` is its own. This is the only place
that knows how it is started.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from .control import NoControl, ask
from .errors import LabError
from .filelock import locked, put_in_place

PROJECT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
# A node that is alive may be busy: with a snapshot, a view, reading its data at the start. So it is waited for, this
# long at most; after some seconds whoever waits is told, and while it starts it must go on doing something.
ANSWER_SECONDS = 120.0
IDLE_SECONDS = 30.0
_TELL_SECONDS = 4.0
_ASK_SECONDS = 5.0
_READY = "embedded_scylla ready on "
_POLL_SECONDS = 0.01
# A node that nobody has asked anything for so long belongs to a notebook that was forgotten, and ends by itself.
_FORGOTTEN_HOURS = 8.0
# How long a process that has ended may keep its port and its files: what it has begun to write, the system finishes.
_LINGER_SECONDS = 5.0
# How long a node that was asked to end may take, before it is ended.
_END_SECONDS = 10.0
# A turn at starting it has no end of its own as long as the node reads its data.
_LONGEST_TURN = 600.0
_IN_USE = 75  # the code with which it ends if another process has its data,
_PORT_TAKEN = 69  # or if it cannot listen at its port
# Systems give higher ports to whoever asks for any, for a moment: one of those might be gone when a node that died
# comes back for it, and every notebook that knew it would look for it in vain.
_LASTING_PORTS = range(20_000, 32_000)
_LONGEST_LOG = 1_000_000  # bytes at the node's start


@dataclass(frozen=True)
class Node:
    """A running embedded node: its address, and its process's number and start time, as ``psutil`` gives them.

    A process's number may be used again after its end; number and start time together may not.
    """

    host: str
    port: int
    pid: int
    created: float

    def status(self) -> dict[str, Any] | None:
        """What it says of itself; it is waited for as long as its process lives. None: that has ended.

        LabError after ``ANSWER_SECONDS``. Nothing is done to a process that does not answer: it may be busy.
        """
        began, told = time.monotonic(), False
        while self.process():
            try:
                status = ask(self.host, self.port, {"do": "status"}, seconds=_ASK_SECONDS)
                if status.get("pid") == self.pid:
                    return status
            except LabError:
                pass
            waited = time.monotonic() - began
            if waited > ANSWER_SECONDS:
                raise LabError(
                    f"The embedded node (process {self.pid}) is alive, and has not answered for {waited:.0f} s: it is "
                    "busy, or it hangs. Run this again in a while. If it hangs, end that process: what it acknowledged "
                    "is on disk, and the next connect() starts it anew."
                )
            if not told and waited > _TELL_SECONDS:
                _tell("The embedded node is busy. Waiting for it …")
                told = True
            time.sleep(_POLL_SECONDS)
        return None

    def process(self) -> psutil.Process | None:
        """Its process, or None when that has ended."""
        try:
            process = psutil.Process(self.pid)
            alive = process.create_time() == self.created and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return None
        return process if alive else None


def folder() -> Path:
    """The embedded node's folder."""
    return Path(os.environ.get("EMBEDDED_DIR") or PROJECT / ".embedded").absolute()


def running_node() -> Node:
    """The embedded node, started if it does not run. Kernels that ask at the same moment get the same one.

    A node that died is started again on its data, at its old port if that is still free, so that other notebooks find
    it again by themselves. One that lives is never ended here, however long it takes to answer.
    """
    where = folder()
    try:
        where.mkdir(parents=True, exist_ok=True)
        with locked(
            where / "node.lock",
            why="start the embedded node",
            seconds=_LONGEST_TURN,
            say="Another notebook starts the embedded node, or waits for it. Waiting for that …",
            say_after=_TELL_SECONDS,
        ):
            known = _read(where)
            if known and known.status():
                return known
            return _start(where, known)
    except OSError as error:
        raise LabError(f"The embedded node cannot use its folder {where}: {error.strerror or error}.") from error


def stop_node() -> bool:
    """End the embedded node; True if there was one. Its data stay, and the next ``connect()`` starts it again."""
    where = folder()
    known = _read(where)
    process = known.process() if known else None
    if known is None or process is None:
        return False
    try:
        ask(known.host, known.port, {"do": "stop"})
    except NoControl:
        pass
    try:
        process.wait(timeout=_END_SECONDS)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(timeout=_END_SECONDS)
    return True


def _start(where: Path, known: Node | None) -> Node:
    """Start the node, after ``known`` at its port. A killed process keeps its data and its port until the system has
    finished what it wrote, which may take long on a busy disk: it is waited for, because those who know its port look
    for its successor there. Whoever has the data has the port too; so if the data are free and the port is not, that
    is another program's."""
    port = known.port if known else lasting_port()
    deadline = time.monotonic() + _LINGER_SECONDS
    longest = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            return _launch(where, port)
        except _DataInUse:
            is_predecessor = known is not None and _owner(where) == known.pid
            if time.monotonic() > (longest if is_predecessor else deadline):
                raise
        except _PortTaken:
            if time.monotonic() > longest:
                raise
            if known is None or time.monotonic() > deadline:
                port = lasting_port()
        time.sleep(_POLL_SECONDS)


def _owner(where: Path) -> int | None:
    """The number of the process that has the data, or had them last; None if nobody can tell."""
    try:
        return int((where / "data" / "lock").read_bytes())
    except (OSError, ValueError):
        return None


class _DataInUse(LabError):
    """Another process has the node's data."""


class _PortTaken(LabError):
    """Another process listens at the port that was chosen."""


def _launch(where: Path, port: int) -> Node:
    log = where / "node.log"
    _set_aside_if_long(log)
    with log.open("a", encoding="utf-8") as output:
        begin = output.tell()
        detached: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            detached = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
        command = [sys.executable, "-m", "embedded_scylla", "--host", HOST, "--port", str(port)]
        process = subprocess.Popen(
            [*command, "--data-dir", str(where / "data"), "--idle-hours", str(_FORGOTTEN_HOURS)],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            **detached,
        )
    try:
        port = _ready_at(process, log, begin)
    except BaseException:
        # It failed, or whoever waits has had enough (Ctrl-C). Left alone it would hold its data, and nobody know it.
        process.kill()
        process.wait()
        raise
    # Let go of the child: it is meant to outlive this process, and Popen would warn that it does.
    _started.append(process)
    node = Node(HOST, port, process.pid, psutil.Process(process.pid).create_time())
    _write(where, node)
    return node


def _ready_at(process: subprocess.Popen[bytes], log: Path, begin: int) -> int:
    """The port at which it is ready. Reading much data takes long: it is waited for as long as it does something."""
    began, told, pulse = time.monotonic(), False, _Pulse(process.pid)
    while True:
        # First the state, then the log: what it wrote last is there once it has ended.
        ended = process.poll() is not None
        said = log.read_bytes()[begin:].decode("utf-8", "replace").splitlines()
        ready = [line for line in said if line.startswith(_READY)]
        if ready:
            return int(ready[-1].rpartition(":")[2])
        if ended:
            last = said[-1] if said else f"it ended with code {process.returncode} and said nothing"
            kind = {_IN_USE: _DataInUse, _PORT_TAKEN: _PortTaken}.get(process.returncode, LabError)
            raise kind(f"The embedded node did not start: {last.removeprefix('embedded_scylla: ')} (See {log}.)")
        if pulse.idle_seconds() > IDLE_SECONDS:
            raise LabError(f"The embedded node did not start: it did nothing for {IDLE_SECONDS:.0f} s. (See {log}.)")
        if not told and time.monotonic() - began > _TELL_SECONDS:
            _tell("The embedded node reads its data. Waiting for it …")
            told = True
        time.sleep(_POLL_SECONDS)


class _Pulse:
    """Tells for how long a process has used no processor."""

    def __init__(self, pid: int):
        self._pid, self._used, self._since = pid, -1.0, time.monotonic()

    def idle_seconds(self) -> float:
        try:
            times = psutil.Process(self._pid).cpu_times()
        except psutil.Error:
            return 0.0  # it has ended, which others see better
        if times.user + times.system != self._used:
            self._used, self._since = times.user + times.system, time.monotonic()
        return time.monotonic() - self._since


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _set_aside_if_long(log: Path) -> None:
    """A log that has grown goes to ``node.log.1``, in place of the one that was there."""
    # Windows keeps the name of a file that somebody still has open: then it grows on until the next start.
    with suppress(OSError):
        if log.stat().st_size > _LONGEST_LOG:
            log.replace(log.with_name("node.log.1"))


_started: list[subprocess.Popen[bytes]] = []


def _read(where: Path) -> Node | None:
    """The node of this folder, alive or not. One that works in another folder is that one's: its record was copied."""
    try:
        node = Node(**json.loads((where / "node.json").read_text(encoding="utf-8")))
        process = node.process()
        command = process.cmdline() if process else []
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        command = []  # it has ended this moment: still it is the one whose port is known
    except (OSError, ValueError, TypeError, psutil.Error):
        return None
    return node if not command or str(where / "data") in command else None


def _write(where: Path, node: Node) -> None:
    # Written beside and moved into place: nobody reads half a file.
    draft = where / "node.json.new"
    draft.write_text(json.dumps(asdict(node)) + "\n", encoding="utf-8")
    put_in_place(draft, where / "node.json")


def lasting_port() -> int:
    """A free port that is likely to be free again when a node that died comes back for it; 0, for any, if none is."""
    chance = random.SystemRandom()  # a notebook may have seeded the other
    ports = (chance.choice(_LASTING_PORTS) for _ in range(50))
    return next(filter(_can_listen, ports), 0)


def _can_listen(port: int) -> bool:
    with socket.socket() as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError:
            return False
    return True
