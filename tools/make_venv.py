"""Make `.venv/` from `requirements.lock`, once: a second run finds it good and ends at once.

Standard library only, because it runs before anything is installed; it also runs without make
(`python tools/make_venv.py`, on Windows too).

What lies in `.venv/` decides, not what a stamp says: packages that have gone or changed are installed again. The stamp
says whose it is. Set-up writes it first and fills it last: an empty one means a half-made environment, which is made
anew, and so neither Ctrl-C nor a power cut leaves one that is later believed good. A `.venv/` without a stamp is
somebody's own. It is used if it has all that the course needs, and never changed or deleted.

A lock held by the operating system, and thus released however the process ends, keeps two runs apart.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.environment import (
    COMMAND_SCRIPT,
    KERNEL_CONFIG,
    REQUIREMENTS,
    ROOT,
    WINDOWS,
    Environment,
    broken,
    installed,
    some,
    unsuitable,
)

LOCK_FILE = ROOT / ".venv.lock"
PIP_REQUIREMENTS = ROOT / "tools" / "pip.lock"


class SetupError(Exception):
    """The environment cannot be made; the message is a sentence for the person at the keyboard."""


def main(arguments: list[str] | None = None) -> int:
    """Make the environment unless it is there; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--keep-python",
        action="store_true",
        help="accept a good .venv whichever Python it was made with, not only the one running this",
    )
    parser.add_argument(
        "--here",
        action="store_true",
        help="make nothing; let the environment (conda's, your own) that runs this, and its kernels, find the course",
    )
    options = parser.parse_args(arguments)
    environment = Environment()
    python = None if options.keep_python else f"{sys.version_info[0]}.{sys.version_info[1]}"
    try:
        if options.here:
            lead_here(Environment(Path(sys.prefix)))
            return 0
        # Asked without the lock first: a good environment is good in a checkout that cannot be written, too.
        if not is_good(environment, python):
            check_python()
            with only_one_at_a_time() as lock_descriptor:
                if not is_good(environment, python):
                    set_up(environment, python, lock_descriptor)
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: cannot set up {environment.folder}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted: .venv is unfinished, and the next run finishes it.", file=sys.stderr)
        return 130
    return 0


def lead_here(environment: Environment) -> None:
    """Let an environment that somebody else made find this checkout, from wherever its programs are started."""
    of_conda = (environment.folder / "conda-meta").is_dir()
    if sys.prefix == sys.base_prefix and not of_conda:
        raise SetupError(f"{sys.executable} belongs to no environment: activate yours, and run this again.")
    make_project_importable(environment)
    print(f"{environment.folder} finds the course in {ROOT}.", file=sys.stderr)
    if environment.kernel_file().exists() and "Fifty Thousand Seats" not in _first_line(environment.kernel_file()):
        print(f"{environment.kernel_file()} is not ours and stays. Add to it:\n\n{KERNEL_CONFIG}", file=sys.stderr)
    else:
        let_kernels_load_the_course(environment)


def check_python() -> None:
    """Refuse a Python that cannot run the course or has no `venv`, with the remedy."""
    version = ".".join(map(str, sys.version_info[:3]))
    reason = unsuitable(sys.version_info[:2])
    if reason:
        raise SetupError(f"this is Python {version}; {reason}.")
    try:
        import ensurepip  # noqa: F401  (Debian and Ubuntu ship it apart from Python)
        import venv  # noqa: F401
    except ImportError:
        raise SetupError(
            f"Python {version} at {sys.executable} has no venv module. On Debian and Ubuntu: "
            f"apt-get install python3-venv"
        ) from None


@contextlib.contextmanager
def only_one_at_a_time() -> Iterator[int]:
    """Hold the set-up lock; wait, and say so, while another run has it. Yields its descriptor."""
    with LOCK_FILE.open("a+b") as lock:
        said = False
        while not try_lock(lock):
            if not said:
                print("Another run is setting up .venv; waiting for it.", flush=True)
                said = True
            time.sleep(0.2)
        yield lock.fileno()


def try_lock(lock: BinaryIO) -> bool:
    """Take the lock if nobody has it. Closing the file, or the process's end, releases it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            lock.seek(0)
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def is_good(environment: Environment, python: str | None) -> bool:
    """Has `.venv/` all that the course needs, and is it for ``python`` ("3.12"; None: for any)?

    SetupError when it is somebody's own and not good: what is to become of it, they must say.
    """
    if environment.ours:
        return _was_made_for_this(environment, python) and not environment.lacks()
    if environment.is_free():
        return False
    fault = environment.fault(python)
    if fault:
        raise SetupError(
            f".venv was not made by this project, so it stays as it is, but {fault}. Either install the packages "
            f"there (uv pip install -r requirements.lock, or with its own pip: "
            f"{os.path.relpath(environment.python, ROOT)} -m pip install --no-deps -r requirements.lock), or give it "
            f"another name: then the next run makes a new one."
        )
    return True


def set_up(environment: Environment, python: str | None, lock_descriptor: int) -> None:
    """Make `.venv/`, or mend one of ours that only lacks packages."""
    started = time.monotonic()
    packages = environment.packages()
    mended = _was_made_for_this(environment, python) and environment.python.exists()
    if mended and packages and "pip" in installed(packages):
        print(f"Mending .venv, which lacks {some(environment.lacks())}", flush=True)
    else:
        print("Setting up .venv from requirements.lock (once; a minute or two)", flush=True)
        mended = False
        try:
            environment.folder.mkdir(exist_ok=True)
            environment.clear()
        except OSError as error:
            raise SetupError(f"cannot replace .venv ({error}); is a notebook running from it?") from None
        # Should this very Python be the one in .venv, the one behind it still stands.
        base_python = getattr(sys, "_base_executable", None) or sys.executable
        run("cannot make the empty environment", [base_python, "-m", "venv", str(environment.folder)], lock_descriptor)
    install(environment, lock_descriptor)
    make_project_importable(environment)
    let_kernels_load_the_course(environment)
    give_it_the_command(environment)
    missing = environment.lacks()
    if missing:
        raise SetupError(
            f"pip ended well, and yet .venv lacks {some(missing)}; does a pip.conf or a PIP_ variable send packages "
            f"elsewhere?"
        )
    stamp = {"folder": str(ROOT), "python": environment.feature_version()}
    environment.stamp.write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
    print(f"{'Mended' if mended else 'Set up'} .venv in {time.monotonic() - started:.0f} s.", flush=True)


def install(environment: Environment, lock_descriptor: int) -> None:
    """Install what the lock files name, by hash; what is there already stays."""
    # The pip that comes with Python is slow at a lock file of this size; today's takes half the time.
    pip = [str(environment.python), "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", "install"]
    pip += ["--require-hashes", "--no-deps"]
    packages = environment.packages()
    for entry in [packages / name for name in broken(packages)] if packages else []:
        # pip would take it for installed; without its entry it is installed over what is left of it.
        shutil.rmtree(entry)
    run("cannot install pip", [*pip, "--requirement", str(PIP_REQUIREMENTS)], lock_descriptor)
    # Modules are compiled when first imported; compiling all of them now would double the wait.
    command = [*pip, "--no-compile", "--requirement", str(REQUIREMENTS)]
    run("cannot install the packages", command, lock_descriptor)


def run(failure: str, command: list[str], lock_descriptor: int) -> None:
    """Run a step; the child keeps the lock open, so that it outlives a killed parent."""
    code = subprocess.run(command, pass_fds=() if WINDOWS else (lock_descriptor,)).returncode
    if code:
        raise SetupError(
            f"{failure} (exit code {code}); the reason is above. The first set-up needs the network; the next run "
            f"tries again."
        )


def make_project_importable(environment: Environment) -> None:
    """Put the checkout on the environment's path, as an editable install would, but with no build."""
    environment.path_file().write_text(environment.path_line(), encoding="ascii")


def let_kernels_load_the_course(environment: Environment) -> None:
    """Let every kernel of the environment have the course's commands from its first cell on."""
    environment.kernel_file().parent.mkdir(parents=True, exist_ok=True)
    environment.kernel_file().write_text(KERNEL_CONFIG, encoding="utf-8")


def give_it_the_command(environment: Environment) -> None:
    """Let a shell in which the environment is active find ``seats``."""
    environment.command_file().write_bytes(COMMAND_SCRIPT)
    environment.command_file().chmod(0o755)


def _first_line(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").partition("\n")[0]


def _was_made_for_this(environment: Environment, python: str | None) -> bool:
    # The folder counts: scripts in `.venv/` name it.
    made_for = environment.made_for()
    return bool(made_for) and made_for == {"folder": str(ROOT), "python": python or made_for["python"]}


if __name__ == "__main__":
    sys.exit(main())
