"""Other people's clients, each installed into an environment of its own under ``.clients/``, as their users would.

They are installed once, when a test first asks for them. Without a package index they cannot be, and the test skips
with the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import venv
from pathlib import Path

from .embedded import ROOT

FOLDER = ROOT / ".clients"
INSTALL_SECONDS = 120


class ClientUnavailable(Exception):
    """A client cannot be installed here; the message says why."""


def _run(command: list[str | Path], where: Path) -> None:
    try:
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClientUnavailable(f"{' '.join(map(str, command))}: {error}") from None
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise ClientUnavailable(f"{' '.join(map(str, command))}: {' '.join(last)}")


def _once(folder: Path, install) -> None:
    """Call ``install`` unless it has succeeded before."""
    mark = folder / ".installed"
    if mark.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    install()
    mark.touch()


def python_client(*requirements: str) -> Path:
    """The folder of the programs of a virtual environment in which these are installed."""
    folder = FOLDER / "_".join(requirements)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")

    def install() -> None:
        venv.create(folder, with_pip=True)
        _run([programs / "python", "-m", "pip", "install", "--quiet", *requirements], folder)

    _once(folder, install)
    return programs


def node_client(package: str) -> tuple[str, Path]:
    """The Node.js program, and a folder in which scripts can require the package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise ClientUnavailable("Node.js is not installed")
    folder = FOLDER / f"node_{package}"
    _once(folder, lambda: _run([npm, "install", "--no-audit", "--no-fund", "--prefix", ".", package], folder))
    return node, folder


def output_of(command: list[str | Path], text: str = "", seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a client to its end with ``text`` as its standard input."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "CQLSH_NO_BUNDLED": "1", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=seconds, env=environment, check=False
    )
