"""Remove what the course made in this checkout: .venv, .embedded, out and caches. What a learner made stays.

Standard library only, since it must work without an environment. The embedded node is ended first: it would go on in a
folder that is gone. A .venv that set-up did not make, and files of one's own among the results, stay and are named.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.environment import ROOT, Environment
from tools.make_venv import LOCK_FILE, try_lock
from tools.recorded_node import RecordedNode
from tools.results import Results, remove

CACHES = (
    ".pytest_cache",
    ".ruff_cache",
    ".mypy_cache",
    ".import_linter_cache",
    ".hypothesis",
    "fifty_thousand_seats.egg-info",
    "rust/consumer/target",
)
FOLDER_CACHES = ("__pycache__", ".ipynb_checkpoints")


class CannotClean(Exception):
    """Something is in the way; the message is a sentence."""


def main(arguments: list[str] | None = None) -> int:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args(arguments)
    try:
        for folder in ROOT / ".embedded", ROOT / "out" / "embedded":
            stop_node(folder)
        for line in (*clean_venv(), *clean_node(ROOT / ".embedded"), *clean_results(ROOT / "out")):
            print(line)
        for path in caches():
            remove(path)
    except (CannotClean, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted: some of it is still there, and the next run removes it.", file=sys.stderr)
        return 130
    return 0


def stop_node(folder: Path) -> None:
    """End the node that works in ``folder``, if one does."""
    node = RecordedNode.of(folder)
    if node and node.runs():
        print(f"Stopping the embedded node, process {node.pid}", flush=True)
        if not node.stop():
            raise CannotClean(f"the embedded node, process {node.pid}, does not end; end it, and run this again.")


def clean_venv() -> Iterator[str]:
    """Remove .venv if set-up made it."""
    environment = Environment(ROOT / ".venv")
    if environment.ours:
        with LOCK_FILE.open("a+b") as lock:
            if not try_lock(lock):
                raise CannotClean("another run is setting up .venv; let it end, and run this again.")
            environment.clear()
            environment.stamp.unlink()
            environment.folder.rmdir()
    elif not environment.is_free():
        yield ".venv was not made by this project, so it stays."
    remove(LOCK_FILE)


def clean_node(folder: Path) -> Iterator[str]:
    """Remove the embedded node's data, log and notes."""
    if folder.is_symlink():
        yield f"{folder.name} is a link, so it stays, and what it leads to."
    elif folder.is_dir():
        # Last what says that there is a node: an interrupted clean finds it again.
        notes = sorted(folder.glob("node.*"), key=lambda path: path.name == "node.json")
        for path in (folder / "data", folder / "in_use", *notes):
            remove(path)
        if any(folder.iterdir()):
            yield f"{folder.name} has files that the course did not make; they stay."
        else:
            folder.rmdir()


def clean_results(folder: Path) -> Iterator[str]:
    """Remove the results that the course wrote."""
    left = Results(folder).remove()
    if left:
        yield f"{folder.name} has files that the course did not make; they stay: {', '.join(left)}."


def caches() -> Iterator[Path]:
    """What Python, Jupyter and the tests keep to be quicker, but not in other environments and hidden folders."""
    yield from (ROOT / name for name in CACHES)
    folders = [ROOT]
    while folders:
        for path in folders.pop().iterdir():
            if path.is_symlink() or not path.is_dir():
                continue
            if path.name in FOLDER_CACHES:
                yield path
            elif not path.name.startswith(".") and not (path / "pyvenv.cfg").exists():
                folders.append(path)


if __name__ == "__main__":
    sys.exit(main())
