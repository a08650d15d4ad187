"""What the course's environment must have, and what `.venv/` has: read from folders, in a moment.

Standard library only, and nothing newer than Python 3.8 understands: set-up, doctor and clean use it before anything is
installed. It reads names and versions where pip and uv write them down (`*.dist-info`), and looks for what they list.
"""

from __future__ import annotations

import ast
import json
import operator
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements.lock"
WINDOWS = os.name == "nt"
# requirements.lock has wheels for these Pythons: from the first one on, and before the second.
OLDEST, BEYOND = (3, 11), (3, 15)
# What a chapter cannot do without, as pyproject.toml has it: whoever has an environment of their own needs these.
PACKAGES = (
    "anywidget", "executing", "ipywidgets", "jupyterlab", "matplotlib", "pandas", "papermill", "psutil", "pure-eval",
    "scylla-driver", "tqdm",
)  # fmt: skip
# Nothing of it may keep a kernel from starting: the environment may outlive the checkout that it leads to.
KERNEL_CONFIG = """\
# Written by the set-up of "Fifty Thousand Seats" (tools/make_venv.py); it is read in every kernel of this environment.
from importlib.util import find_spec

c = get_config()  # noqa: F821
# Else reset("00.1"), alone in a cell, would be IPython's %reset.
c.InteractiveShell.automagic = False
# check, hint, reset, progress, passport and %%cql from the first cell on, and errors in sentences.
try:
    if find_spec("helpers.course"):
        c.InteractiveShellApp.extensions.append("helpers")
except ImportError:
    pass
"""

# Relative, so that it needs no word about where the checkout is, whatever signs its path has.
COMMAND_SCRIPT = (
    b'@"%~dp0python.exe" "%~dp0..\\..\\seats.py" %*\r\n'
    if WINDOWS
    else b'#!/bin/sh\nbin=$(dirname "$0")\nexec "$bin/python" "$bin/../../seats.py" "$@"\n'
)


def unsuitable(version: tuple[int, ...]) -> str | None:
    """Why a Python of this version cannot run the course, as the end of a sentence; None if it can."""
    if tuple(version[:2]) < OLDEST:
        return "the course needs 3.11 or newer"
    if tuple(version[:2]) >= BEYOND:
        return "the course's packages are not built for it yet; 3.14 is the newest that they are built for"
    return None


def in_environment() -> bool:
    """Does this Python belong to a virtual environment, or to one of conda's that is not the base?"""
    return sys.prefix != sys.base_prefix or os.environ.get("CONDA_DEFAULT_ENV", "base") != "base"


def missing_packages() -> list[str]:
    """Which of the packages that a chapter needs this Python does not have."""
    from importlib.metadata import PackageNotFoundError, version

    def is_there(name: str) -> bool:
        try:
            version(name)
        except PackageNotFoundError:
            return False
        return True

    return [name for name in PACKAGES if not is_there(name)]


def same(one: object, other: object) -> bool:
    """Do these two paths lead to one place?"""
    return os.path.realpath(str(one)) == os.path.realpath(str(other))


@dataclass(frozen=True)
class Environment:
    """A virtual environment: its ``folder``, which need not be there."""

    folder: Path = ROOT / ".venv"

    @property
    def python(self) -> Path:
        """The path of its interpreter, which need not be there."""
        return self.folder / ("Scripts/python.exe" if WINDOWS else "bin/python")

    @property
    def stamp(self) -> Path:
        """The file that set-up writes first, and fills last."""
        return self.folder / "made-from.json"

    @property
    def ours(self) -> bool:
        """Did set-up make it? A link leads to somebody's."""
        return not self.folder.is_symlink() and self.stamp.is_file()

    def made_for(self) -> dict[str, str]:
        """The "folder" of the checkout and the "python" that it was made for; empty when it was never finished."""
        try:
            stamp = json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(stamp, dict) or not {"folder", "python"} <= set(stamp):
            return {}
        return {"folder": stamp["folder"], "python": stamp["python"]}

    def packages(self) -> Path | None:
        """The folder that its packages lie in."""
        lib = "Lib/site-packages" if WINDOWS else "lib/python3.*/site-packages"
        return max(self.folder.glob(lib), key=lambda path: _numbers(path.parent.name), default=None)

    def version(self) -> str | None:
        """The version of its Python, such as "3.11.7"."""
        try:
            text = (self.folder / "pyvenv.cfg").read_text(encoding="utf-8")
        except (OSError, ValueError):
            text = ""
        found = re.search(r"^version(?:_info)? *= *([0-9]+\.[0-9]+(?:\.[0-9]+)?)", text, re.MULTILINE)
        return found.group(1) if found else None

    def clear(self) -> None:
        """Leave nothing in it but the stamp, which then says that it is ours and unfinished."""
        self.stamp.write_text("{}\n", encoding="utf-8")
        for path in self.folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != self.stamp:
                path.unlink()

    def feature_version(self) -> str | None:
        """The version of its Python without the last number, such as "3.11"."""
        version = self.version()
        return version and ".".join(version.split(".")[:2])

    def is_free(self) -> bool:
        """Is there nothing yet, so that an environment can be made?"""
        if self.folder.is_symlink() or not self.folder.is_dir():
            return not os.path.lexists(self.folder)
        return not any(self.folder.iterdir())

    def fault(self, python: str | None = None) -> str | None:
        """What keeps the course from running in it, and on ``python`` if one is asked for; None when it is good."""
        version = self.feature_version()
        if not version or not self.python.exists():
            return "it has no Python that runs"
        reason = unsuitable(tuple(map(int, version.split("."))))
        if reason:
            return f"its Python is {version}; {reason}"
        if python not in (None, version):
            return f"its Python is {version}, not the {python} that was asked for"
        lacks = self.lacks()
        return f"it lacks {some(lacks)}" if lacks else None

    def lacks(self) -> list[str]:
        """What of the lock file is not there, or is there in another version; each as words for a sentence."""
        folder, version = self.packages(), self.version()
        if not folder or not version or not self.python.exists():
            return ["a Python that runs"]
        there = installed(folder)
        wanted = pins(REQUIREMENTS.read_text(encoding="utf-8"), surroundings(version))
        lacks = [_difference(name, pin, there.get(name)) for name, pin in wanted.items() if there.get(name) != pin]
        if self.ours and not self.leads_here():
            lacks.append("the way to this checkout")
        if self.ours and not self.kernels_load_the_course():
            lacks.append("what its kernels load")
        if self.ours and not self.has_the_command():
            lacks.append("the command seats")
        return lacks

    def path_file(self) -> Path:
        """The file that puts the checkout on its path, as an editable install would."""
        folder = self.packages()
        if folder is None:
            raise FileNotFoundError(f"{self.folder} has no folder for packages")
        return folder / "fifty_thousand_seats.pth"

    def path_line(self) -> str:
        """What stands in ``path_file``: relative, and so pure ASCII whatever the checkout's path is."""
        return os.path.relpath(ROOT, self.path_file().parent) + "\n"

    def leads_here(self) -> bool:
        """Does that file say what it should?"""
        try:
            return self.path_file().read_text(encoding="ascii") == self.path_line()
        except (OSError, ValueError):
            return False

    def command_file(self) -> Path:
        """The file by which a shell, where this environment is active, finds the command ``seats``."""
        return self.python.with_name("seats.cmd" if WINDOWS else "seats")

    def has_the_command(self) -> bool:
        """Does that file say what it should?"""
        try:
            return self.command_file().read_bytes() == COMMAND_SCRIPT
        except OSError:
            return False

    def kernel_file(self) -> Path:
        """The file that IPython reads in every kernel of this environment, whoever starts it."""
        return self.folder / "etc" / "ipython" / "ipython_kernel_config.py"

    def kernels_load_the_course(self) -> bool:
        """Does that file say what it should?"""
        try:
            return self.kernel_file().read_text(encoding="utf-8") == KERNEL_CONFIG
        except (OSError, ValueError):
            return False


def some(what: list[str], most: int = 6) -> str:
    """The first few of many, for a sentence: "a, b and 7 more"."""
    if len(what) <= most:
        return ", ".join(what)
    return f"{', '.join(what[: most - 1])} and {len(what) - most + 1} more"


def surroundings(python: str) -> dict[str, str]:
    """What a marker in the lock file may ask about this system and a CPython of that version ("3.11.7")."""
    import platform

    return {
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "sys_platform": sys.platform,
        "os_name": os.name,
        "platform_system": platform.system(),
        "platform_machine": platform.machine(),
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


def pins(lock: str, environment: dict[str, str]) -> dict[str, str]:
    """The packages that a lock file pins for an environment: canonical name → version."""
    found = re.findall(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)[ \t]*(?:;([^\\\n]*))?", lock, re.MULTILINE)
    return {_canonical(name): version for name, version, marker in found if not marker or applies(marker, environment)}


def applies(marker: str, environment: dict[str, str]) -> bool:
    """Is this marker of a lock file true there? Markers are written as Python writes its expressions."""
    return _holds(ast.parse(marker.strip(), mode="eval").body, environment)


def installed(packages: Path) -> dict[str, str]:
    """What lies in a folder of packages: canonical name → version. A half-installed package does not count."""
    whole = (name[: -len(".dist-info")].rpartition("-") for name, is_whole in _entries(packages) if is_whole)
    return {_canonical(package): version for package, _, version in whole}


def broken(packages: Path) -> list[str]:
    """The entries in a folder of packages whose package is not whole: "pandas-2.3.3.dist-info"."""
    return [name for name, is_whole in _entries(packages) if not is_whole]


def _entries(packages: Path) -> Iterator[tuple[str, bool]]:
    names = {path.name for path in packages.iterdir()}
    return ((name, _is_whole(packages, name, names)) for name in names if name.endswith(".dist-info"))


def _is_whole(packages: Path, name: str, names: set[str]) -> bool:
    try:
        # Installers write this list last.
        listed = (packages / name / "RECORD").read_bytes().decode("utf-8", "replace")
    except OSError:
        return False
    if not set(re.findall(r"^([^/,\r\n\"]+)[/,]", listed, re.MULTILINE)) <= names | {"..", "__pycache__"}:
        return False
    scripts = re.findall(r"^(\.\.[^,\r\n]*/(?:bin|Scripts)/[^,\r\n]+),", listed, re.MULTILINE)
    return all((packages / script).exists() for script in scripts)


def _difference(name: str, pin: str, there: str | None) -> str:
    return f"{name} {pin}" if there is None else f"{name} {pin} (there is {there})"


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def _holds(node: ast.AST, environment: dict[str, str]) -> bool:
    if isinstance(node, ast.BoolOp):
        each = [_holds(value, environment) for value in node.values]
        return all(each) if isinstance(node.op, ast.And) else any(each)
    if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name) and len(node.ops) == 1:
        compare = _COMPARISONS.get(type(node.ops[0]))
        name, right = node.left.id, node.comparators[0]
        if compare and name in environment and isinstance(right, ast.Constant):
            return _compare(compare, name, environment[name], str(right.value))
    raise ValueError(f"requirements.lock has a marker that set-up does not understand: {ast.dump(node)}")


def _compare(compare: Callable[[Any, Any], bool], name: str, left: str, right: str) -> bool:
    if not name.startswith("python_"):
        return compare(left, right)
    here, there = _numbers(left), _numbers(right)
    if right.endswith(".*"):
        here = here[: len(there)]
    width = max(len(here), len(there))
    return compare(here + (0,) * (width - len(here)), there + (0,) * (width - len(there)))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))


if __name__ == "__main__":
    # For the Makefile: can the Python that runs this run the course?
    sys.exit(unsuitable(sys.version_info[:2]))
