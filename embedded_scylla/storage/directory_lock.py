"""One process at a time in a data directory: a lock that the operating system lets go of when its process ends."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path

from .disk import BINARY, OWNER_ONLY

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# Windows keeps others from reading the bytes that are locked, so the lock is far beyond the process's number.
_LOCKED_BYTE = 1 << 30


class DirectoryInUse(OSError):
    """Another process has the directory; the message says which one and what to do."""


class DirectoryLock:
    """Taken when made, held until ``release`` or the process's end. DirectoryInUse if somebody else has it.

    The file ``lock`` is locked and, where the system can do it, the directory too, which nobody removes by accident.
    """

    def __init__(self, directory: Path):
        self._path = directory / "lock"
        self._directory = -1
        while True:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | BINARY, OWNER_ONLY)
            try:
                self._take(directory)
            except OSError:
                owner = os.read(self._file, 20)
                self._close()
                process = owner.decode("ascii", "replace").strip() or "unknown"
                raise DirectoryInUse(
                    f"The data directory {directory} is in use by another embedded node (process {process}). "
                    "Stop it, or choose another with --data-dir."
                ) from None
            if self.is_held():
                break
            self._close()  # the file was removed between opening and locking it: that lock keeps nobody out
        os.lseek(self._file, 0, os.SEEK_SET)
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def _take(self, directory: Path) -> None:
        if sys.platform == "win32":
            os.lseek(self._file, _LOCKED_BYTE, os.SEEK_SET)
            try:
                msvcrt.locking(self._file, msvcrt.LK_NBLCK, 1)
            finally:
                os.lseek(self._file, 0, os.SEEK_SET)
            return
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._directory = os.open(directory, os.O_RDONLY)
        try:
            fcntl.flock(self._directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            os.close(self._directory)  # network file systems cannot lock a directory
            self._directory = -1

    def is_held(self) -> bool:
        """Whether the file that this process has locked is still the one in the directory: whoever removed it, or the
        directory, lets another process in."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._file))
        except OSError:
            return False

    def release(self) -> None:
        """Let go of the directory; the file stays, since removing it would race with the next owner."""
        if sys.platform == "win32":
            os.lseek(self._file, _LOCKED_BYTE, os.SEEK_SET)
            with contextlib.suppress(OSError):
                msvcrt.locking(self._file, msvcrt.LK_UNLCK, 1)
        self._close()

    def _close(self) -> None:
        os.close(self._file)
        if self._directory >= 0:
            os.close(self._directory)
            self._directory = -1
