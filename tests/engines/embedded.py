"""An embedded node for tests: a process of its own on a free port, ended with the test."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.lab.node import lasting_port
from tests.patience import SECONDS

ROOT = Path(__file__).resolve().parents[2]


class EmbeddedNode:
    """A running node. ``data_dir`` None keeps everything in memory. Without a ``port`` it gets one that nobody is given
    by chance while it is down: a test may start it again there."""

    def __init__(self, data_dir: Path | None = None, port: int | None = None, arguments: tuple[str, ...] = ()):
        port = lasting_port() if port is None else port
        where = ("--memory",) if data_dir is None else ("--data-dir", str(data_dir))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "embedded_scylla", "--port", str(port), *where, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.errors: list[str] = []
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read_output, daemon=True).start()
        threading.Thread(target=self._read_errors, daemon=True).start()
        self.ready_line = self._lines.get(timeout=SECONDS)
        if not self.ready_line.startswith("embedded_scylla ready on "):
            self.process.wait()
            raise RuntimeError("the node did not start: " + "".join(self.errors))
        self.host, port_text = self.ready_line.removeprefix("embedded_scylla ready on ").strip().rsplit(":", 1)
        self.port = int(port_text)

    def _read_output(self) -> None:
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _read_errors(self) -> None:
        for line in self.process.stderr:
            self.errors.append(line)

    def control(self, do: str, **arguments: Any) -> dict[str, Any]:
        """One request on the control channel, and its answer."""
        with socket.create_connection((self.host, self.port), timeout=SECONDS) as connection:
            connection.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
            with connection.makefile() as lines:
                return json.loads(lines.readline())

    def memory_mb(self) -> float:
        """Resident memory; Linux only."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End the process cleanly; its exit code."""
        if self.process.poll() is None:
            if os.name == "nt":
                self.control("stop")
            else:
                self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=SECONDS)


@contextmanager
def start_embedded(data_dir: Path | None = None, **options: Any) -> Iterator[EmbeddedNode]:
    node = EmbeddedNode(data_dir, **options)
    try:
        yield node
    finally:
        node.stop()
