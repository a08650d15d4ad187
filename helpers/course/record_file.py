"""What one learner has done so far, in a small file of their own: ``.progress.json`` at the project's root.

One JSON document, shared by all notebooks and safe for two at once. The variable PROGRESS_FILE names another file.
Where a program runs the notebooks nothing is kept beyond the process, so that a learner's record stays the learner's.
Where the file cannot be read or written just now the course goes on and says so; what is not saved yet is saved with
the next change that can be.
"""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import chain, count
from pathlib import Path
from typing import Any

from ..display.frontend import somebody_watches
from ..lab.errors import LabError
from ..lab.filelock import locked, put_in_place
from ..lab.node import PROJECT

# Longer than this between two steps is a pause, and not counted as time at work.
LONGEST_STEP_SECONDS = 600

_LOCK_SECONDS = 10.0

Change = Callable[[dict[str, Any]], None]
_for_this_process: dict[str, Any] = {}
# By file: what it said when it was read last, and the changes since then that it could not be given.
_last_read: dict[Path, dict[str, Any]] = {}
_unsaved: dict[Path, list[Change]] = {}

# "asked" has the predictions of which only the answer or only the result is known; they go on to "predictions".
_KINDS = ("predictions", "asked", "exercises", "chapters")
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
    """The whole record: ``predictions``, ``asked``, ``exercises`` and ``chapters``, each by number."""
    path = progress_path()
    if path is None:
        return _complete(_for_this_process)
    if not path.exists():
        return _with_unsaved(path, {})
    try:
        # Locked for reading too: Windows lets nobody replace a file that somebody reads.
        with _locked(path):
            record = _load(path)
    except (OSError, LabError):
        try:
            record = _load(path)  # in a folder where nothing may be written there are no locks
        except OSError:
            record = _last_read.get(path, {})
    return _with_unsaved(path, record)


def change(what: Change) -> None:
    """Let ``what`` change the record, while no other notebook does, and keep the result.

    What cannot be kept now counts in this process, and is made again on the file's record when it can be: ``what`` may
    be called more than once, each time with a record that it has not changed yet.
    """
    path = progress_path()
    if path is None:
        what(_complete(_for_this_process))
        return
    try:
        with _locked(path):
            record = _with_unsaved(path, _load(path))
            what(record)
            written = path.with_suffix(".new")
            written.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            put_in_place(written, path)
            _last_read[path] = record
    except (OSError, LabError) as error:
        first = not _unsaved.get(path)
        _unsaved.setdefault(path, []).append(what)
        _with_unsaved(path, _last_read.get(path, {}))
        if first:
            print(
                f"Your progress cannot be kept in {path}: {getattr(error, 'strerror', None) or error}. It counts until "
                "this kernel ends, and is saved as soon as it can be; the variable PROGRESS_FILE names another place."
            )
    else:
        if _unsaved.pop(path, None):
            print(f"Your progress is kept in {path} again.")


def step(chapter: str, what: Change = lambda record: None) -> None:
    """Change the record at work on ``chapter``: the minutes since the last step are counted for it."""
    now = time.time()

    def timed(record: dict[str, Any]) -> None:
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
        for kind in _KINDS:
            for number in list(record[kind]):
                if chapter is None or number.split(".")[0] == chapter:
                    del record[kind][number]

    change(without)


def new_exercise() -> dict[str, Any]:
    """What is known of an exercise that nobody has tried."""
    return dict(_EXERCISE)


def _locked(path: Path) -> AbstractContextManager[None]:
    return locked(path.with_suffix(".lock"), why="write your progress", seconds=_LOCK_SECONDS)


def _with_unsaved(path: Path, record: dict[str, Any]) -> dict[str, Any]:
    """The record as it will be when all that is not saved yet is."""
    record = _complete(copy.deepcopy(record))
    for each in _unsaved.get(path, ()):
        each(record)
    return record


def _complete(record: dict[str, Any]) -> dict[str, Any]:
    for kind in _KINDS:
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
    for kind in _KINDS:
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
    except FileNotFoundError:
        record = {}
    except ValueError:
        # Half a file, or one that a hand has edited: begin anew, and keep what was there for whoever wants it.
        suffixes = chain([""], (f"-{number}" for number in count(2)))
        names = (path.with_suffix(f".unreadable{suffix}.json") for suffix in suffixes)
        aside = next(name for name in names if not name.exists())
        put_in_place(path, aside)
        print(f"{path.name} could not be read. It is kept as {aside.name}, and a new one begins.")
        record = {}
    _last_read[path] = copy.deepcopy(record)
    return _complete(record)
