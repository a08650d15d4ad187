"""Make `.venv/` from `requirements.lock`, once: a second run finds it good and ends at once.

Standard library only, because it runs before anything is installed; it also runs without make
(`python tools/make_venv.py`, on Windows too).

A stamp, written last, says what `.venv/` was made from. No stamp, or another one, means a
half-made or outdated environment: it is thrown away and made anew. So neither Ctrl-C nor a power
cut leaves one that is later believed good. A lock held by the operating system, and thus released
however the process ends, keeps two runs apart.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "made-from.json"
LOCK_FILE = ROOT / ".venv.lock"
REQUIREMENTS = ROOT / "requirements.lock"
PIP_REQUIREMENTS = ROOT / "tools" / "pip.lock"
WINDOWS = os.name == "nt"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
OLDEST = (3, 11)


class SetupError(Exception):
    """The environment cannot be made; the message is a sentence for the person at the keyboard."""


def main() -> int:
    """Make the environment unless it is there; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--keep-python",
        action="store_true",
        help="accept a good .venv whichever Python it was made with, not only the one running this",
    )
    arguments = parser.parse_args()
    try:
        check_python()
        with only_one_at_a_time() as lock_descriptor:
            if not is_current(arguments.keep_python):
                build(lock_descriptor)
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: cannot set up {VENV}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted: .venv is unfinished, and the next run starts it over.", file=sys.stderr)
        return 130
    return 0


def check_python() -> None:
    """Refuse a Python that is too old or has no `venv`, with the remedy."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST:
        raise SetupError(f"this is Python {version}; the course needs 3.11 or newer.")
    try:
        import ensurepip  # noqa: F401  (Debian and Ubuntu ship it apart from Python)
        import venv  # noqa: F401
    except ImportError:
        raise SetupError(
            f"Python {version} at {sys.executable} has no venv module. On Debian and Ubuntu: "
            f"apt-get install python3-venv"
        ) from None


@contextlib.contextmanager
def only_one_at_a_time():
    """Hold the set-up lock; wait, and say so, while another run has it. Yields its descriptor."""
    with LOCK_FILE.open("a+b") as lock:
        said = False
        while not try_lock(lock):
            if not said:
                print("Another run is setting up .venv; waiting for it.", flush=True)
                said = True
            time.sleep(0.2)
        yield lock.fileno()


def try_lock(lock) -> bool:
    """Take the lock if nobody has it. Closing the file, or the process's end, releases it."""
    try:
        if WINDOWS:
            import msvcrt

            lock.seek(0)
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def wanted_stamp() -> dict[str, str]:
    """What a good environment was made from. The folder counts: scripts in `.venv/` name it."""
    requirements = hashlib.sha256(PIP_REQUIREMENTS.read_bytes() + REQUIREMENTS.read_bytes())
    return {
        "folder": str(ROOT),
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "requirements": requirements.hexdigest(),
    }


def is_current(keep_python: bool) -> bool:
    """True when `.venv/` is whole and was made from today's lock file, here."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(stamp, dict):
        return False
    wanted = wanted_stamp()
    if keep_python:
        wanted["python"] = stamp.get("python")
    # The interpreter is a link: it dangles once the Python behind it is uninstalled.
    return stamp == wanted and PYTHON.exists()


def build(lock_descriptor: int) -> None:
    """Make `.venv/` from nothing. A child keeps the lock open, so that it outlives a killed parent."""
    started = time.monotonic()
    print("Setting up .venv from requirements.lock (once; a minute or two)", flush=True)
    if VENV.exists():
        STAMP.unlink(missing_ok=True)
        try:
            shutil.rmtree(VENV)
        except OSError as error:
            raise SetupError(f"cannot replace .venv ({error}); is a notebook running from it?") from None

    # Should this very Python be the one in .venv, the one behind it still stands.
    base_python = getattr(sys, "_base_executable", None) or sys.executable
    # The pip that comes with Python is slow at a lock file of this size; today's takes half the time.
    pip_install = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    pip_install += ["install", "--require-hashes", "--no-deps"]
    steps = {
        "cannot make the empty environment": [base_python, "-m", "venv", str(VENV)],
        "cannot install pip": [*pip_install, "--requirement", str(PIP_REQUIREMENTS)],
        # Modules are compiled when first imported; compiling all of them now would double the wait.
        "cannot install the packages": [*pip_install, "--no-compile", "--requirement", str(REQUIREMENTS)],
    }
    for failure, command in steps.items():
        code = subprocess.run(command, pass_fds=() if WINDOWS else (lock_descriptor,)).returncode
        if code:
            raise SetupError(
                f"{failure} (exit code {code}); the reason is above. The first set-up needs the network; "
                f"the next run starts over."
            )
    make_project_importable()
    STAMP.write_text(json.dumps(wanted_stamp(), indent=1) + "\n", encoding="utf-8")
    print(f"Set up .venv in {time.monotonic() - started:.0f} s.", flush=True)


def make_project_importable() -> None:
    """Put the checkout on the environment's path, as an editable install would, but with no build."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True, check=True)
    packages = pathlib.Path(answer.stdout.strip())
    # Relative to the folder it stands in: pure ASCII whatever the checkout's path is.
    line = os.path.relpath(ROOT, packages) + "\n"
    (packages / "fifty_thousand_seats.pth").write_text(line, encoding="ascii")


if __name__ == "__main__":
    sys.exit(main())
