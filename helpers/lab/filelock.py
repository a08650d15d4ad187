"""Files that several processes share: a lock that ends with the process that holds it, and a whole file in the place
of another. On every system."""

from __future__ import annotations

import os
import sys
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import LabError

_POLL_SECONDS = 0.02
# Windows keeps others from reading the bytes that are locked, so the lock is far beyond the file's text.
_LOCKED_BYTE = 1 << 30
_REPLACE_SECONDS = 2.0
_made: weakref.WeakSet[FileLock] = weakref.WeakSet()


class FileLock:
    """The lock of the file ``path``, from ``take`` until ``release`` or the end of this process.

    The holder may leave a ``note`` in the file, for those who do not get it.
    """

    def __init__(self, path: Path):
        self.path = path
        self._handle: int | None = None
        _made.add(self)

    def take(self) -> bool:
        """Try to get it, without waiting. OSError where files cannot be locked."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            taken = _try(handle)
        except BaseException:
            os.close(handle)
            raise
        if not taken:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        """Let it go. The file stays, because removing it would let two processes lock two files."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    @property
    def note(self) -> str:
        """What the holder says; nothing where nobody ever held it."""
        try:
            return self.path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    @note.setter
    def note(self, text: str) -> None:
        if self._handle is None:
            raise RuntimeError("Only the holder of a lock leaves a note.")
        os.ftruncate(self._handle, 0)
        os.lseek(self._handle, 0, os.SEEK_SET)
        os.write(self._handle, text.encode())


@contextmanager
def locked(path: Path, *, why: str, seconds: float = 30.0, say: str = "", say_after: float = 3.0) -> Iterator[None]:
    """Hold the lock file ``path`` for the block, or fail after ``seconds`` with a LabError that says ``why``.

    ``say`` is printed to standard error once ``say_after`` seconds have gone by.
    """
    lock, began = FileLock(path), time.monotonic()
    while not lock.take():
        waited = time.monotonic() - began
        if waited > seconds:
            raise LabError(f"Another process has held {path} for {seconds:.0f} s while this one waited to {why}.")
        if say and waited > say_after:
            print(say, file=sys.stderr, flush=True)
            say = ""
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()


def put_in_place(draft: Path, path: Path) -> None:
    """Make the file ``draft`` the file ``path``, in one step for whoever reads it. OSError if it cannot be.

    Windows refuses that while somebody reads ``path``, be it a virus scanner: it is tried again for two seconds.
    """
    deadline = time.monotonic() + _REPLACE_SECONDS
    while True:
        try:
            draft.replace(path)
            return
        except PermissionError:
            if time.monotonic() > deadline or draft.is_dir() or path.is_dir():
                raise
        time.sleep(_POLL_SECONDS)


def _try(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # somebody has it; any other error says that there are no locks here
        return False
    return True


def _leave_to_parent() -> None:
    """After a fork: the locks are the parent's, and the child's copies would outlive it."""
    for lock in list(_made):
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
