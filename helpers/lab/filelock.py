"""A lock between processes that ends with the process that holds it, on every system."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import LabError

_POLL_SECONDS = 0.02


@contextmanager
def locked(path: Path, *, why: str, seconds: float = 30.0) -> Iterator[None]:
    """Hold the lock file ``path`` for the block, or fail after ``seconds`` with a sentence that says ``why``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + seconds
        while not _try(handle):
            if time.monotonic() > deadline:
                raise LabError(f"Another process has held {path} for {seconds:.0f} s while this one waited to {why}.")
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        # Closing is releasing; the file stays, because removing it would let two processes lock two files.
        os.close(handle)


def _try(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
