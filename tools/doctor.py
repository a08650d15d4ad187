"""Looks a machine over before a lesson: ``python3 seats.py doctor``. One line a check, and what to do where it is bad.

    seats doctor --docker [cluster]   look at Docker too, for those who want a real ScyllaDB beside it
    seats doctor --short              one line to call out in a room: "well", or the numbers of what is to mend
    seats doctor --json               the same for programs

It needs nothing but a Python (3.8 will do): what asks for packages is looked at once they are there. Exit code 1 when
something has to be mended. It changes nothing; a node that it has to start for a look it ends again.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import compose
from tools.arguments import Arguments
from tools.environment import ROOT, Environment, in_environment, missing_packages, same, some, unsuitable
from tools.recorded_node import RecordedNode

NEEDED_DISK_MB = 500
NEEDED_MEMORY_MB = 700
NOTEBOOKS = ROOT / "notebooks"
MINE = ROOT / "my"  # a learner's own copy of them, which `make lab` makes and opens
MAKE_VENV = "make venv, or where there is no make: python tools/make_venv.py"


class Advice(Exception):
    """A check has found something; the message says what to do."""


class NotYet(Exception):
    """A check cannot be made before another one is content."""


@dataclass(frozen=True)
class Finding:
    """What one check found: its ``state`` is "ok", "mend" or "later", when it could not be made yet."""

    name: str
    state: str
    says: str


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(
        prog="seats doctor",
        description="Look this machine over, and say what to fix. Nothing is changed, and nothing need be installed.",
        epilog="what --short calls by number:\n" + "\n".join(f"  {NUMBERS[name]:>2} {name}" for name in NUMBERS),
        keep_lines=True,
    )
    parser.add_argument(
        "--docker",
        nargs="?",
        const="one",
        choices=list(compose.PROFILES),
        help="look at Docker too, which only a real ScyllaDB needs; for three nodes: --docker cluster",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--short", action="store_true", help="one line to call out in a room")
    how.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args(arguments)
    given = sys.argv[1:] if arguments is None else arguments
    better = course_python()
    if better:
        return subprocess.run([str(better), str(ROOT / "seats.py"), "doctor", *given]).returncode
    checks = dict(CHECKS)
    if options.docker:
        checks["docker"] = functools.partial(docker, options.docker)
    told = options.short or options.json
    findings = []
    for name, check in checks.items():
        findings.append(look(name, check))
        if not told:
            print(f"{MARKS[findings[-1].state]:<4}  {name:<10} {findings[-1].says}", flush=True)
    bad = [finding for finding in findings if finding.state == "mend"]
    if options.json:
        print(json.dumps({"code": code(findings), "checks": [asdict(finding) for finding in findings]}, indent=1))
    elif options.short:
        print(code(findings))
    else:
        print(f"{len(bad)} to mend, see above." if bad else "All is well: seats lab (make lab) opens the workbook.")
    return 1 if bad else 0


def look(name: str, check: Callable[[], str]) -> Finding:
    """Make one check."""
    try:
        return Finding(name, "ok", check())
    except NotYet as reason:
        return Finding(name, "later", str(reason))
    except Exception as error:  # a doctor that falls ill itself still says what it saw
        known = isinstance(error, Advice) or type(error).__name__ == "LabError"
        return Finding(name, "mend", str(error) if known else f"{type(error).__name__}: {error}")


def code(findings: list[Finding]) -> str:
    """What is called out in a room: "well", or "mend 2-5 (packages, kernel)"."""
    bad = [finding.name for finding in findings if finding.state == "mend"]
    return f"mend {'-'.join(str(NUMBERS[name]) for name in bad)} ({', '.join(bad)})" if bad else "well"


def course_python() -> Path | None:
    """The Python of .venv if that runs and the one that runs this belongs to no environment; it sees the packages."""
    python = Environment().python
    if in_environment() or not python.exists():
        return None
    try:
        runs = subprocess.run([str(python), "-c", ""], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return None
    return python if runs else None


def python() -> str:
    version = sys.version.split()[0]
    reason = unsuitable(sys.version_info[:2])
    if reason:
        raise Advice(f"this is Python {version} at {sys.executable}; {reason}.")
    return f"{version} at {sys.executable}"


def packages() -> str:
    environment = Environment()
    if same(sys.prefix, environment.folder):
        fault = environment.fault()
        if fault:
            other = "" if environment.ours else " It was not made by this project: install them there, or rename it."
            raise Advice(f"{environment.folder}: {fault}. Run {MAKE_VENV}.{other}")
        whose = "" if environment.ours else ", not made by this project"
        return f"all that requirements.lock names, in {environment.folder}{whose}"
    missing = missing_packages()
    if not missing:
        return f"all that a chapter needs, in {sys.prefix}"
    if in_environment():
        raise Advice(f"{sys.prefix} lacks {some(missing)}: pip install -r requirements.lock, or leave it.")
    if environment.is_free():
        raise Advice(f"there is no environment yet: {MAKE_VENV}; or conda env create --file environment.yml.")
    fault = environment.fault() or "its Python does not run"
    raise Advice(f"{environment.folder}: {fault}. Run {MAKE_VENV}.")


def notebooks() -> str:
    """Are they there, and do they ask for the kernel that the course has: the printed ones, and a learner's own?"""
    paths = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
    if not paths:
        raise Advice(f"there are no notebooks in {NOTEBOOKS}: is this a whole clone?")
    # Yours may be kept under other names as well; those that the course has there are the ones that it opens.
    own = [path for path in (MINE / each.name for each in paths) if path.is_file()]
    for path in own + paths:
        number, name = path.name.split("_")[0], f"{path.parent.name}/{path.name}"
        again = f"make lab TAKE={number} (yours is kept beside it)" if path in own else f"git checkout {name}"
        try:
            metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
            asked = metadata.get("kernelspec", {}).get("name", "python3")
        except (OSError, ValueError, LookupError, AttributeError, TypeError) as error:
            raise Advice(f"{name} cannot be read ({error}): {again}") from None
        if asked != "python3":
            raise Advice(f"{name} asks for the kernel {asked!r}: choose Python 3 in its Kernel menu, and save it.")
    return f"{len(paths)} in {NOTEBOOKS}" + (f", {len(own)} of them as your own in {MINE}" if own else "")


def saving() -> str:
    """Can a learner save a notebook?"""
    # Where there is no copy yet, `make lab` makes one.
    folder = MINE if MINE.is_dir() else MINE.parent
    try:
        with tempfile.TemporaryFile(dir=str(folder)) as file:
            file.write(b"seat")
    except OSError as error:
        raise Advice(
            f"{folder} cannot be written ({error.strerror}): nothing can be saved there. Copy the checkout to where "
            f"you may write; make run works with ARGS='--output /path/to/folder'."
        ) from None
    return "notebooks can be saved"


def kernel() -> str:
    """Which Python would run a notebook, and does it find the project?"""
    _needs_packages()
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        raise Advice("Jupyter knows no kernel named python3: python -m ipykernel install --sys-prefix") from None
    program = spec.argv[0]
    if re.fullmatch(r"python(3(\.\d+)?)?", program):
        program = sys.executable  # Jupyter, too, takes a bare name for its own Python
    look = "import sys, ipykernel, helpers; print(sys.prefix); print(helpers.__file__)"
    try:
        environment = {**os.environ, **spec.env}
        command = [program, "-c", look]
        told = subprocess.run(command, cwd=str(NOTEBOOKS), env=environment, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise Advice(f"the notebooks' kernel does not start ({error}): {_other_kernel(spec.resource_dir)}") from None
    if told.returncode:
        reason = (told.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise Advice(f"the notebooks' kernel, {program}, will not do ({reason}): {_other_kernel(spec.resource_dir)}")
    prefix, found = told.stdout.strip().splitlines()[-2:]
    if not same(prefix, sys.prefix):
        raise Advice(
            f"the notebooks' kernel is another Python, {program}, and not {sys.executable}: "
            f"{_other_kernel(spec.resource_dir)}"
        )
    if not same(Path(found).parent.parent, ROOT):
        raise Advice(f"the notebooks find the helpers of another checkout, {Path(found).parent.parent}: {MAKE_VENV}.")
    return f"python3, {spec.display_name}"


def disk() -> str:
    for place in ROOT, next(path for path in (_folder(), *_folder().parents) if path.exists()):
        free = shutil.disk_usage(str(place)).free // 1_000_000
        if free < NEEDED_DISK_MB:
            raise Advice(f"{free:,} MB free at {place}: make room for {NEEDED_DISK_MB:,} MB.")
    return f"{free:,} MB free"


def memory() -> str:
    try:
        found = re.search(r"^MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"), re.MULTILINE)
        free = int(found.group(1)) * 1024 // 1_000_000 if found else 0
    except OSError:
        _needs_packages()
        import psutil

        free = psutil.virtual_memory().available // 1_000_000
    if free < NEEDED_MEMORY_MB:
        raise Advice(f"{free:,} MB free: end some programs, the course wants {NEEDED_MEMORY_MB:,} MB.")
    return f"{free:,} MB free"


def node() -> str:
    """Can the embedded node's folder be used, and does the node answer, or start?"""
    if os.environ.get("SCYLLA_HOSTS", "").strip():
        raise NotYet("not looked at: SCYLLA_HOSTS names another server")
    folder = _folder()
    there = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=str(folder)) as file:
            file.write(b"seat")
    except OSError as error:
        raise Advice(f"{folder} cannot be written ({error.strerror}): name another folder in EMBEDDED_DIR.") from None
    known = RecordedNode.of(folder)
    runs = known is not None and known.runs()
    if known and runs:
        status = known.status()
        if status is None:
            raise Advice(
                f"process {known.pid}, the embedded node, does not answer on port {known.port}: run the cell with "
                f"connect() again, which starts it anew; what was acknowledged is there."
            )
        return _told_by(status, f"answers on port {known.port}, process {known.pid}")
    if not there:
        folder.rmdir()  # looking leaves nothing behind
    _needs_packages()
    return _try_node(known, there)


def _try_node(known: RecordedNode | None, there: bool) -> str:
    from helpers.lab.control import ask
    from helpers.lab.node import running_node, stop_node

    begin = time.perf_counter()
    try:
        found = running_node()
        took = time.perf_counter() - begin
        status = ask(found.host, found.port, {"do": "status"})
    finally:
        stop_node()
        if not there:
            shutil.rmtree(str(_folder()), ignore_errors=True)
    moved = ""
    if known and known.port != found.port:
        moved = f"; port {known.port}, where it was before, is taken by another program"
    return _told_by(status, f"starts in {took:.2f} s, and was ended again{moved}")


def _told_by(status: dict[str, Any], words: str) -> str:
    notices = status.get("notices") or []
    if notices:
        raise Advice(f"{words}, but: {' '.join(map(str, notices))} ({_folder() / 'node.log'} has more.)")
    pushed = status.get("clock_offset_seconds")
    if pushed:
        words += f", its clock pushed {pushed:,.0f} s ahead"
    own = status.get("keyspace_offset_seconds") or {}
    return f"{words}, with times of their own in {', '.join(sorted(own))}" if own else words


def server() -> str:
    if sys.version_info < (3, 11):  # noqa: UP036  the helpers do not run there
        raise NotYet("not looked at before there is a newer Python")
    from helpers.lab.settings import Settings

    settings = Settings.from_environment()
    if not settings.hosts:
        return "SCYLLA_HOSTS is not set: the embedded node is used"
    _needs_packages()
    from helpers.lab.connection import connect, disconnect

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        connect()
    disconnect()
    return " ".join(said.getvalue().split("\n")).strip()


def docker(profile: str = "one") -> str:
    """Could `make up` start a ScyllaDB?"""
    try:
        return compose.look(profile)
    except compose.Fault as fault:
        raise Advice(str(fault)) from None


CHECKS: dict[str, Callable[[], str]] = {
    "python": python,
    "packages": packages,
    "notebooks": notebooks,
    "saving": saving,
    "kernel": kernel,
    "disk": disk,
    "memory": memory,
    "node": node,
    "server": server,
}
MARKS = {"ok": "ok", "later": "--", "mend": "MEND"}
# A presenter knows them by heart: what is new gets a new number.
NUMBERS = {name: number for number, name in enumerate((*CHECKS, "docker"), start=1)}


def _needs_packages() -> None:
    if sys.version_info < (3, 11) or missing_packages():
        raise NotYet("not looked at before Python and packages are there")


def _folder() -> Path:
    return Path(os.environ.get("EMBEDDED_DIR") or ROOT / ".embedded").absolute()


def _other_kernel(folder: str) -> str:
    """What to do about a kernel that will not do; it is found in ``folder``."""
    if same(sys.prefix, os.path.commonpath([os.path.realpath(folder), os.path.realpath(sys.prefix)])):
        return f"{MAKE_VENV}." if same(sys.prefix, Environment().folder) else "python tools/make_venv.py --here"
    return f"remove {folder}, which leads there, or open the workbook by make lab and choose another kernel."


if __name__ == "__main__":
    sys.exit(main())
