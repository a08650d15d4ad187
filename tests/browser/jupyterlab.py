"""Starts a JupyterLab that keeps to itself: no settings, extensions or running servers of this user are touched."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.patience import LONG_SECONDS, SECONDS
from tools.refresh_outputs import NOTEBOOKS, PROJECT
from tools.working_copy import complete

_OPTIONS = (
    "--no-browser",
    "--allow-root",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port=0",
    "--LabApp.expose_app_in_browser=True",
    "--LabApp.extension_manager=readonly",
)


class JupyterLabDidNotStart(Exception):
    """JupyterLab ended early or did not answer in time; says what its log ends with."""


@dataclass(frozen=True)
class JupyterLab:
    """A running JupyterLab: its address, the token it asks for, and the folder that it shows."""

    address: str
    token: str
    notebooks: Path

    def url_of(self, notebook: Path) -> str:
        """Where a browser finds this notebook, in a workspace that begins empty."""
        where = notebook.relative_to(self.notebooks).as_posix()
        return f"{self.address}lab/tree/{where}?token={self.token}&reset"

    def end_kernels(self) -> None:
        """End every kernel, so that none takes processor time from what comes next."""
        for session in json.loads(self._ask("GET", "api/sessions")):
            self._ask("DELETE", f"api/sessions/{session['id']}")

    def has(self, path: str) -> bool:
        """Can a file be opened in it, as by a click on a link?"""
        try:
            self._ask("GET", f"api/contents/{path}?content=0")
        except OSError:
            return False
        return True

    def answers(self) -> bool:
        """Does it answer who has the token?"""
        try:
            self._ask("GET", "api/status")
        except OSError:
            return False
        return True

    def _ask(self, method: str, path: str) -> bytes:
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(self.address + path, method=method, headers=headers)
        # Whatever proxy is set for this user, it has nothing to do with this machine's own address.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=SECONDS) as answer:
            return answer.read()


def learners_project(folder: Path) -> Path:
    """A project as `make lab` leaves it, as far as a learner sees it: the working copy, and what that links to."""
    project = folder / "project"
    complete(mine=project / "my")
    for linked in "docs", "cql", "scylla_cdc":
        shutil.copytree(PROJECT / linked, project / linked, ignore=shutil.ignore_patterns("__pycache__"))
    return project


@contextmanager
def start_jupyterlab(folder: Path, root: Path | None = None) -> Iterator[JupyterLab]:
    """Run JupyterLab until the block ends, on a copy of ``notebooks/`` or in ``root``; it writes to ``folder``."""
    notebooks, runtime, log = root or folder / "notebooks", folder / "runtime", folder / "jupyterlab.log"
    if root is None:
        shutil.copytree(NOTEBOOKS, notebooks, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    token = secrets.token_hex(16)
    variables = {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH")))),
        "JUPYTER_TOKEN": token,
        "JUPYTER_CONFIG_PATH": str(PROJECT / "tools" / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *_OPTIONS, f"--ServerApp.root_dir={notebooks}"],
            env=os.environ | variables,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield _answering(process, runtime, token, notebooks, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answering(process: subprocess.Popen[bytes], runtime: Path, token: str, notebooks: Path, log: Path) -> JupyterLab:
    """JupyterLab, once it answers where it says that it listens: it took a free port and wrote down which."""
    deadline = time.monotonic() + LONG_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        for said in runtime.glob("jpserver-*.json"):
            try:
                port = json.loads(said.read_text(encoding="utf-8"))["port"]
            except ValueError:
                continue  # it is still being written
            lab = JupyterLab(f"http://127.0.0.1:{port}/", token, notebooks)
            if lab.answers():
                return lab
        time.sleep(0.05)
    last = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise JupyterLabDidNotStart(f"JupyterLab ended early or did not answer in {LONG_SECONDS} s. Its log ends:\n{last}")
