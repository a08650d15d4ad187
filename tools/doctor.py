"""Looks a machine over before a lesson: ``python tools/doctor.py``. One line a check, and what to do where it is bad.

Exit code 1 when something has to be mended. It changes nothing but the embedded node's folder.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import psutil

from helpers.lab.control import ask
from helpers.lab.errors import LabError
from helpers.lab.node import PROJECT, folder, running_node
from helpers.lab.settings import Settings

NEEDED_PYTHON = (3, 11)
NEEDED_DISK_MB = 500
NEEDED_MEMORY_MB = 700
PACKAGES = ("ipywidgets", "jupyterlab", "matplotlib", "pandas", "papermill", "psutil", "scylla-driver", "tqdm")


class Advice(Exception):
    """A check has found something; the message says what to do."""


def main() -> int:
    bad = 0
    for name, check in CHECKS.items():
        try:
            mark, words = "ok  ", check()
        except (Advice, LabError) as advice:
            mark, words, bad = "MEND", str(advice), bad + 1
        except Exception as error:  # a doctor that falls ill itself still says what it saw
            mark, words, bad = "MEND", f"{type(error).__name__}: {error}", bad + 1
        print(f"{mark}  {name:<10} {words}", flush=True)
    print("All is well: make lab opens the workbook." if not bad else f"{bad} to mend, see above.")
    return 1 if bad else 0


def python() -> str:
    if sys.version_info < NEEDED_PYTHON:
        raise Advice(f"Python {sys.version.split()[0]} is too old: 3.11 or newer is needed.")
    return f"{sys.version.split()[0]} at {sys.executable}"


def packages() -> str:
    missing = [name for name in PACKAGES if not _installed(name)]
    if missing:
        raise Advice(f"{', '.join(missing)} not installed: run make venv, or conda env create -f environment.yml.")
    return ", ".join(f"{name} {version(name)}" for name in ("scylla-driver", "jupyterlab", "papermill"))


def notebooks() -> str:
    number = len(list((PROJECT / "notebooks").glob("[0-9]*.ipynb")))
    if not number:
        raise Advice(f"There are no notebooks in {PROJECT / 'notebooks'}: is this a whole clone?")
    return f"{number} in {PROJECT / 'notebooks'}"


def kernel() -> str:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        raise Advice("Jupyter knows no kernel named python3: run make venv again.") from None
    return f"python3, {spec.display_name}"


def disk() -> str:
    place = next(path for path in (folder(), *folder().parents) if path.exists())
    free = shutil.disk_usage(place).free // 1_000_000
    if free < NEEDED_DISK_MB:
        raise Advice(f"{free:,} MB free at {place}: make room for {NEEDED_DISK_MB:,} MB.")
    return f"{free:,} MB free"


def memory() -> str:
    free = psutil.virtual_memory().available // 1_000_000
    if free < NEEDED_MEMORY_MB:
        raise Advice(f"{free:,} MB free: end some programs, the course wants {NEEDED_MEMORY_MB:,} MB.")
    return f"{free:,} MB free"


def writable() -> str:
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder()) as file:
            file.write(b"seat")
    except OSError as error:
        raise Advice(
            f"{folder()} cannot be written ({error.strerror}): name another folder in EMBEDDED_DIR."
        ) from error
    return str(folder())


def node() -> str:
    begin = time.perf_counter()
    found = running_node()
    took = time.perf_counter() - begin
    status = ask(found.host, found.port, {"do": "status"})
    pushed = status["clock_offset_seconds"]
    clock = f", its clock pushed {pushed:,.0f} s ahead" if pushed else ""
    return f"answers on port {found.port} after {took:.2f} s, process {found.pid}{clock}"


def server() -> str:
    settings = Settings.from_environment()
    if not settings.hosts:
        return "SCYLLA_HOSTS is not set: the embedded node is used"
    from helpers.lab.connection import connect, disconnect

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        connect()
    disconnect()
    return said.getvalue().strip()


CHECKS: dict[str, Callable[[], str]] = {
    "python": python,
    "packages": packages,
    "notebooks": notebooks,
    "kernel": kernel,
    "disk": disk,
    "memory": memory,
    "folder": writable,
    "node": node,
    "server": server,
}


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
