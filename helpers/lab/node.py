"""Finds the embedded node of this project, or starts it: one for all notebooks, and it outlives their kernels.

Its folder is ``.embedded/`` beside the notebooks' folder (or what EMBEDDED_DIR names): ``node.json`` says where it
listens, ``node.log`` what it had to say (``node.log.1``: before that), ``data/`` is its own. This is the only place
that knows how it is started.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from .control import NoControl, ask
from .errors import LabError
from .filelock import locked

PROJECT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
START_SECONDS = 30.0
_READY = "embedded_scylla ready on "
_POLL_SECONDS = 0.01
# How long a process that has ended may keep its port and its files.
_LINGER_SECONDS = 1.0
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

    def answers(self, data: Path) -> bool:
        """Is this the node that works in ``data``, and does it answer?"""
        try:
            status = ask(self.host, self.port, {"do": "status"})
        except LabError:
            return False
        return status.get("pid") == self.pid and Path(status.get("data_dir") or "/").resolve() == data.resolve()

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
    it again by themselves. One that hangs is ended first: what it acknowledged is on disk.
    """
    where = folder()
    try:
        where.mkdir(parents=True, exist_ok=True)
        with locked(where / "node.lock", why="start the embedded node"):
            known = _read(where)
            if known and known.process() and known.answers(where / "data"):
                return known
            if known:
                _end(known)
            return _start(where, port=known.port if known and _is_free(known.port) else 0)
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
        process.wait(timeout=10)
    except psutil.TimeoutExpired:
        _end(known)
    return True


def _start(where: Path, port: int) -> Node:
    """Start the node. Its predecessor's threads may hold the data for a moment after its end: try again until then."""
    deadline = time.monotonic() + _LINGER_SECONDS
    while True:
        try:
            return _launch(where, port)
        except LabError as error:
            if "in use" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(_POLL_SECONDS)


def _launch(where: Path, port: int) -> Node:
    log = where / "node.log"
    _set_aside_if_long(log)
    with log.open("a", encoding="utf-8") as output:
        begin = output.tell()
        detached = (
            {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
            if sys.platform == "win32"
            else {"start_new_session": True}
        )
        command = [sys.executable, "-m", "embedded_scylla", "--host", HOST, "--port", str(port)]
        process = subprocess.Popen(
            [*command, "--data-dir", str(where / "data")],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            **detached,
        )
    deadline = time.monotonic() + START_SECONDS
    while True:
        # First the state, then the log: what it wrote last is there once it has ended.
        ended = process.poll() is not None
        said = log.read_bytes()[begin:].decode("utf-8", "replace").splitlines()
        ready = [line for line in said if line.startswith(_READY)]
        if ready:
            break
        if ended or time.monotonic() > deadline:
            process.kill()
            last = said[-1] if said else f"it ended with code {process.returncode} and said nothing"
            raise LabError(f"The embedded node did not start: {last.removeprefix('embedded_scylla: ')} (See {log}.)")
        time.sleep(_POLL_SECONDS)
    # Let go of the child: it is meant to outlive this process, and Popen would warn that it does.
    _started.append(process)
    node = Node(HOST, int(ready[-1].rpartition(":")[2]), process.pid, psutil.Process(process.pid).create_time())
    _write(where, node)
    return node


def _set_aside_if_long(log: Path) -> None:
    """A log that has grown goes to ``node.log.1``, in place of the one that was there."""
    # Windows keeps the name of a file that somebody still has open: then it grows on until the next start.
    with suppress(OSError):
        if log.stat().st_size > _LONGEST_LOG:
            log.replace(log.with_name("node.log.1"))


_started: list[subprocess.Popen[bytes]] = []


def _read(where: Path) -> Node | None:
    try:
        return Node(**json.loads((where / "node.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write(where: Path, node: Node) -> None:
    # Written beside and moved into place: nobody reads half a file.
    draft = where / "node.json.new"
    draft.write_text(json.dumps(asdict(node)) + "\n", encoding="utf-8")
    draft.replace(where / "node.json")


def _end(node: Node) -> None:
    process = node.process()
    if process:
        process.kill()
        process.wait(timeout=10)


def _is_free(port: int) -> bool:
    """Can ``port`` be listened at, now or in a moment?"""
    deadline = time.monotonic() + _LINGER_SECONDS
    while not _can_listen(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


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
