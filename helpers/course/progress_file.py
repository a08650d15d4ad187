"""What one learner has done so far, in a small file of their own: ``.progress.json`` at the project's root.

One JSON document, shared by all notebooks and safe for two at once. The variable PROGRESS_FILE names another file.
Where a program runs the notebooks nothing is kept beyond the process, so that a learner's record stays the learner's.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import LabError
from ..filelock import locked
from ..node import PROJECT
from .frontend import somebody_watches

# Longer than this between two steps is a pause, and not counted as time at work.
LONGEST_STEP_SECONDS = 600

_for_this_process: dict[str, Any] = {}


def progress_path() -> Path | None:
    """Where the record is kept; None: in this process only."""
    named = os.environ.get("PROGRESS_FILE")
    if named:
        return Path(named).expanduser()
    return PROJECT / ".progress.json" if somebody_watches() else None


def read() -> dict[str, Any]:
    """The whole record: ``predictions`` and ``exercises`` by number, ``chapters`` by number."""
    path = progress_path()
    return _complete(_for_this_process if path is None else _load(path))


def change(what: Callable[[dict[str, Any]], None]) -> None:
    """Let ``what`` change the record, while no other notebook does, and keep the result."""
    path = progress_path()
    if path is None:
        what(_complete(_for_this_process))
        return
    with locked(path.with_suffix(".lock"), why="write your progress"):
        record = _complete(_load(path))
        what(record)
        written = path.with_suffix(".new")
        try:
            written.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            written.replace(path)
        except OSError as error:
            raise LabError(f"Your progress could not be written to {path}: {error.strerror}.") from error


def step(chapter: str, what: Callable[[dict[str, Any]], None] = lambda record: None) -> None:
    """Change the record at work on ``chapter``: the minutes since the last step are counted for it."""

    def timed(record: dict[str, Any]) -> None:
        now = time.time()
        here = record["chapters"].setdefault(chapter, {"seconds": 0.0, "last": now})
        gap = now - here["last"]
        if 0 < gap <= LONGEST_STEP_SECONDS:
            here["seconds"] += gap
        here["last"] = now
        what(record)

    change(timed)


def forget(chapter: str | None = None) -> None:
    """Forget what was done in a chapter, or everything."""

    def without(record: dict[str, Any]) -> None:
        for kind in ("predictions", "exercises", "chapters"):
            for number in list(record[kind]):
                if chapter is None or number.split(".")[0] == chapter:
                    del record[kind][number]

    change(without)


def _complete(record: dict[str, Any]) -> dict[str, Any]:
    for kind in ("predictions", "exercises", "chapters"):
        record.setdefault(kind, {})
    return record


def _load(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(record, dict):
            raise ValueError
        return record
    except FileNotFoundError:
        return {}
    except ValueError:
        # Half a file, or one that a hand has edited: begin anew, and keep what was there for whoever wants it.
        aside = path.with_suffix(".unreadable.json")
        path.replace(aside)
        print(f"{path.name} could not be read. It is kept as {aside.name}, and a new one begins.")
        return {}
    except OSError as error:
        raise LabError(f"Your progress could not be read from {path}: {error.strerror}.") from error
