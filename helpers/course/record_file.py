"""What one learner has done so far, in a small file of their own: ``.progress.json`` at the project's root.

One JSON document, shared by all notebooks and safe for two at once. The variable PROGRESS_FILE names another file.
Where a program runs the notebooks nothing is kept beyond the process, so that a learner's record stays the learner's.
Nor is it where the file cannot be read or written: the course goes on, and says once that this kernel alone remembers.
"""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..lab.filelock import locked
from ..lab.node import PROJECT
from .frontend import somebody_watches

# Longer than this between two steps is a pause, and not counted as time at work.
LONGEST_STEP_SECONDS = 600

_for_this_process: dict[str, Any] = {}
_given_up: set[Path] = set()

# What an entry of each kind has; a new one begins with these values, and one that lacks some gets them.
_EXERCISE = {"tries": 0, "hints": 0, "done": False}
_PREDICTION = {"question", "said", "happened", "surprise"}


def progress_path() -> Path | None:
    """Where the record is kept; None: in this process only."""
    named = os.environ.get("PROGRESS_FILE")
    if named:
        return Path(named).expanduser()
    return PROJECT / ".progress.json" if somebody_watches() else None


def read() -> dict[str, Any]:
    """The whole record: ``predictions`` and ``exercises`` by number, ``chapters`` by number."""
    path = _path_in_use()
    if path is None:
        return _complete(_for_this_process)
    try:
        return _load(path)
    except OSError as error:
        _give_up(path, error, {})
        return _complete(_for_this_process)


def change(what: Callable[[dict[str, Any]], None]) -> None:
    """Let ``what`` change the record, while no other notebook does, and keep the result."""
    path = _path_in_use()
    if path is not None:
        before: dict[str, Any] = {}
        try:
            with locked(path.with_suffix(".lock"), why="write your progress"):
                record = _load(path)
                before = copy.deepcopy(record)
                what(record)
                written = path.with_suffix(".new")
                written.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
                written.replace(path)
                return
        except OSError as error:
            _give_up(path, error, before)
    what(_complete(_for_this_process))


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


def new_exercise() -> dict[str, Any]:
    """What is known of an exercise that nobody has tried."""
    return dict(_EXERCISE)


def _path_in_use() -> Path | None:
    path = progress_path()
    return None if path in _given_up else path


def _give_up(path: Path, error: OSError, known: dict[str, Any]) -> None:
    """From now on this process remembers by itself, beginning with what could be read."""
    _given_up.add(path)
    _for_this_process.update(known)
    print(
        f"Your progress cannot be kept in {path}: {error.strerror or error}. It counts until this kernel ends; "
        "the variable PROGRESS_FILE names another place."
    )


def _complete(record: dict[str, Any]) -> dict[str, Any]:
    for kind in ("predictions", "exercises", "chapters"):
        record.setdefault(kind, {})
    for number, each in record["exercises"].items():
        record["exercises"][number] = _EXERCISE | each
    for number, each in record["chapters"].items():
        record["chapters"][number] = {"seconds": 0.0, "last": time.time()} | each
    return record


def _is_record(found: Any) -> bool:
    """Whether a JSON document is shaped as this file is."""
    if not isinstance(found, dict):
        return False
    for kind in ("predictions", "exercises", "chapters"):
        entries = found.get(kind, {})
        if not isinstance(entries, dict) or not all(isinstance(each, dict) for each in entries.values()):
            return False
    times = [each.get(name, 0) for each in found.get("chapters", {}).values() for name in ("seconds", "last")]
    return all(isinstance(each, int | float) for each in times) and all(
        set(each) >= _PREDICTION for each in found.get("predictions", {}).values()
    )


def _load(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not _is_record(record):
            raise ValueError
        return _complete(record)
    except FileNotFoundError:
        return _complete({})
    except ValueError:
        # Half a file, or one that a hand has edited: begin anew, and keep what was there for whoever wants it.
        aside = path.with_suffix(".unreadable.json")
        path.replace(aside)
        print(f"{path.name} could not be read. It is kept as {aside.name}, and a new one begins.")
        return _complete({})
