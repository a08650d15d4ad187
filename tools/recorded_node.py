"""The embedded node as its folder tells of it: for whoever may have to look, or end it, before anything is installed.

Standard library only; what notebooks use is in the helpers, which have ``psutil`` for the same.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ASKED, TERMINATED, KILLED = 10.0, 5.0, 5.0  # seconds that a node gets to end, asked and then made to
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class RecordedNode:
    """A node that ``folder``/node.json speaks of; whether it still runs is another question."""

    folder: Path
    host: str
    port: int
    pid: int

    @classmethod
    def of(cls, folder: Path) -> RecordedNode | None:
        """The node of a folder, or None when nothing readable is written there."""
        try:
            known = json.loads((folder / "node.json").read_text(encoding="utf-8"))
            return cls(folder, str(known["host"]), int(known["port"]), int(known["pid"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def status(self, seconds: float = 5.0) -> dict[str, Any] | None:
        """What it says of itself; None when nothing answers there, or somebody else does."""
        answer = self._ask("status", seconds)
        if answer is None or answer.get("pid") != self.pid or not answer.get("data_dir"):
            return None
        return answer if Path(answer["data_dir"]).resolve() == (self.folder / "data").resolve() else None

    def runs(self) -> bool:
        """Is its process there? A process of another program that got its number is not."""
        if os.name == "nt":  # there is no telling a process by its number alone
            return self.status(1.0) is not None
        return "embedded_scylla" in _command(self.pid)

    def stop(self) -> bool:
        """End it: ask, then make it. True when it does not run any more. What it acknowledged is on disk."""
        if self.status() is not None:
            self._ask("stop", ASKED)
            if self._ends_within(ASKED):
                return True
        for number, seconds in ((signal.SIGTERM, TERMINATED), (getattr(signal, "SIGKILL", signal.SIGTERM), KILLED)):
            if not self.runs():
                return True
            try:
                os.kill(self.pid, number)
            except OSError:
                return not self.runs()
            if self._ends_within(seconds):
                return True
        return False

    def _ends_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.runs():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _ask(self, what: str, seconds: float) -> dict[str, Any] | None:
        try:
            with socket.create_connection((self.host, self.port), timeout=seconds) as connection:
                connection.sendall(json.dumps({"do": what}).encode() + b"\n")
                with connection.makefile("rb") as lines:
                    answer = json.loads(lines.readline(1_000_000))
        except (OSError, ValueError):
            return None
        return answer if isinstance(answer, dict) else None


def _command(pid: int) -> str:
    """The command line of a running process, "" for one that has ended, also if nobody has fetched its end yet."""
    listed = Path("/proc") / str(pid) / "cmdline"
    try:
        if listed.parent.parent.joinpath("self").exists():
            return listed.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        told = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, timeout=10)
        return told.stdout.decode("utf-8", "replace")
    except (OSError, subprocess.SubprocessError):
        return ""
