"""One process at a time in a data directory: a lock that the operating system lets go of when its process ends."""

from __future__ import annotations

import os
from pathlib import Path

if os.name == "nt":
    import msvcrt
else:
    import fcntl

# Windows keeps others from reading the bytes that are locked, so the lock is far beyond the process's number.
_LOCKED_BYTE = 1 << 30


class DirectoryInUse(OSError):
    """Another process has the directory; the message says which one and what to do."""


class DirectoryLock:
    """Taken when made, held until ``release`` or the process's end. DirectoryInUse if somebody else has it."""

    def __init__(self, directory: Path):
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._file = os.open(directory / "lock", flags, 0o644)
        try:
            self._take()
        except OSError:
            owner = os.pread(self._file, 20, 0) if hasattr(os, "pread") else os.read(self._file, 20)
            os.close(self._file)
            process = owner.decode("ascii", "replace").strip() or "unknown"
            raise DirectoryInUse(
                f"The data directory {directory} is in use by another embedded node (process {process}). "
                "Stop it, or choose another with --data-dir."
            ) from None
        os.lseek(self._file, 0, os.SEEK_SET)
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def _take(self) -> None:
        if os.name == "nt":
            os.lseek(self._file, _LOCKED_BYTE, os.SEEK_SET)
            try:
                msvcrt.locking(self._file, msvcrt.LK_NBLCK, 1)
            finally:
                os.lseek(self._file, 0, os.SEEK_SET)
        else:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def release(self) -> None:
        """Let go of the directory; the file stays, since removing it would race with the next owner."""
        if os.name == "nt":
            os.lseek(self._file, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(self._file, msvcrt.LK_UNLCK, 1)
        os.close(self._file)
