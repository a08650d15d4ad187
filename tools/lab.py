"""``seats lab``: make or complete a learner's copy of the notebooks, and open it in JupyterLab."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from helpers.lab.errors import LabError
from tools import commands, working_copy
from tools.arguments import Arguments
from tools.environment import ROOT, Environment
from tools.make_venv import SetupError, lead_here

# It keeps JupyterLab from asking about its news first.
SETTINGS = ROOT / "tools" / "jupyter"


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(
        prog="seats lab",
        usage="seats lab [--take 04 …] [--no-open] [--here] [-- more for JupyterLab]",
        description="Open your copy of the notebooks, my/, in JupyterLab; make it first where it is not there.",
    )
    parser.add_argument(
        "--take", nargs="+", default=[], metavar="04", help="chapters to take as they are now, or 'all'; yours are kept"
    )
    parser.add_argument("--no-open", action="store_true", help="make or complete my/ only: for VS Code and others")
    parser.add_argument(
        "--here", action="store_true", help="once: let the kernels of an environment of your own load the course"
    )
    parser.add_argument("more", nargs="*", help="for JupyterLab, behind two dashes: seats lab -- --port 9000")
    options = parser.parse_args(arguments)
    try:
        if options.here:
            lead_here(Environment(Path(sys.prefix)))
        taken = [each for given in options.take for each in re.split(r"[,\s]+", given) if each]
        folder = working_copy.complete(working_copy.names_of(taken))
    except (SetupError, LabError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.no_open:
        return 0
    os.environ["JUPYTER_CONFIG_PATH"] = str(SETTINGS)
    return commands.go_on_as(Path(sys.executable), *words(folder, options.more))


def words(folder: Path, more: list[str]) -> list[str]:
    """What Python is told to open ``folder`` in JupyterLab."""
    # The root is the project, so that what the notebooks link to is found; root, as in a container, must say so.
    found = ["-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}"]
    found.append(f"--LabApp.default_url=/lab/tree/{folder.name}/00_start_here.ipynb")
    if hasattr(os, "getuid") and os.getuid() == 0:
        found.append("--allow-root")
    return found + more
