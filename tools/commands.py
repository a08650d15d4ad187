"""``seats COMMAND``: which commands there are, and the Python that each of them runs on.

What needs packages runs on the Python of ``.venv``, which is set up first where that has not been done; or on the one
that started it, if that belongs to an environment which has them, such as conda's. Until then the standard library is
enough, and an old Python too (3.8), so that whatever is wrong is said in a sentence.
"""

from __future__ import annotations

import difflib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast

from tools import make_venv
from tools.arguments import Arguments
from tools.environment import ROOT, WINDOWS, Environment, in_environment, missing_packages, same

SCRIPT = ROOT / "seats.py"


@dataclass(frozen=True)
class Command:
    """The module whose ``main`` carries it out, what it does, and whether the course's packages must be there."""

    module: str
    does: str
    needs_packages: bool = True


COMMANDS = {
    "lab": Command("tools.lab", "open your copy of the notebooks, my/, in JupyterLab"),
    "doctor": Command("tools.doctor", "look this machine over, and say what to fix", needs_packages=False),
    "run": Command("tools.run_notebooks", "execute the workbook without anybody watching; results under out/"),
    "checkpoint": Command("tools.checkpoint", "put the database where a chapter begins"),
    "reset": Command("tools.reset", "start an exercise over, or a whole chapter"),
    "progress": Command("tools.progress", "what is done and what is open, in all chapters"),
    "schedule": Command("presenter.command", "for whoever teaches: run of show, notes, slides, handout, sheet of CQL"),
}


def main(arguments: list[str] | None = None) -> int:
    """Carry out a command line without the program's name; return the exit code: 2 for one that cannot be read."""
    given = sys.argv[1:] if arguments is None else arguments
    parser = Arguments(
        prog="seats",
        usage="seats COMMAND …",
        description="Fifty Thousand Seats: everything that a person who learns or teaches asks of it.",
        epilog="\n".join(
            [
                "commands:",
                *(f"  {name:<11} {command.does}" for name, command in COMMANDS.items()),
                "",
                "seats COMMAND --help says what a command can be told.",
            ]
        ),
        keep_lines=True,
    )
    if not given:
        parser.print_help()
        return 0
    parser.add_argument("command")
    name = parser.parse_args(given[:1]).command
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        parser.error(f"there is no command {name!r}{f', but there is {near[0]!r}' if near else ''}")
    if COMMANDS[name].needs_packages and "--help" not in given and "-h" not in given:
        python = course_python()
        if python is None:
            return 1
        let_kernels_find_the_course()
        if python != Path(sys.executable):
            return go_on_as(python, str(SCRIPT), *given)
    return cast(int, import_module(COMMANDS[name].module).main(given[1:]))


def course_python() -> Path | None:
    """The Python that runs what needs packages; None when it cannot be had, which has been said then."""
    environment = Environment()
    # Ours is looked at each time, as make does: a new lock file may ask for more than it has.
    if in_environment() and not same(sys.prefix, environment.folder) and not missing_packages():
        return Path(sys.executable)
    if make_venv.main(["--keep-python"]):
        return None
    return Path(sys.executable) if same(sys.prefix, environment.folder) else environment.python


def let_kernels_find_the_course() -> None:
    """Whatever environment this is: kernels that it starts find the project, and keep their compiled modules."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if str(ROOT) not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, paths)])
    # Where compiled modules are forbidden, each kernel would compile pandas and matplotlib anew: five seconds a start.
    os.environ["PYTHONDONTWRITEBYTECODE"] = ""


def go_on_as(program: Path, *arguments: str) -> int:
    """Let another program go on in the place of this one. Windows has no such thing: there it is waited for."""
    sys.stdout.flush()
    sys.stderr.flush()
    if not WINDOWS:
        os.execv(str(program), [str(program), *arguments])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both, and is that program's business
    return subprocess.run([str(program), *arguments]).returncode
