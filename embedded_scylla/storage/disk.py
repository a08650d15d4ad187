"""What the journal asks of the operating system: bytes written whole, and forced to the disk."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

from ..errors import ServerError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

SYNC_DELAY = 0.010  # seconds between a write and the moment when it is forced to the disk
BINARY = getattr(os, "O_BINARY", 0)
OWNER_ONLY = 0o600  # of files; the data are nobody else's business

Progress = tuple[int, int]  # bytes and records in the journal file


class JournalError(ServerError):
    """The data directory cannot be used or written to; what was to be written is not acknowledged."""


def reason(error: OSError) -> str:
    """What the operating system said, without the number and the path."""
    return error.strerror or str(error)


def full_sync(file: int) -> None:
    """Force a file down to the disk. On macOS fsync stops at the drive's own memory, so that it needs F_FULLFSYNC;
    some of its file systems know only fsync. Raises OSError."""
    if hasattr(fcntl, "F_FULLFSYNC"):
        try:
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.EINVAL, errno.ENOTTY):
                raise
            os.fsync(file)
    else:
        getattr(os, "fdatasync", os.fsync)(file)


def sync_directory(directory: Path) -> None:
    """Make sure that the names of new files are on the disk too. Raises OSError."""
    if os.name == "nt":
        return  # directories cannot be opened there, and need not be
    file = os.open(directory, os.O_RDONLY)
    try:
        full_sync(file)
    finally:
        os.close(file)


def write_all(file: int, data: bytes) -> None:
    written = os.write(file, data)
    while written < len(data):
        written += os.write(file, memoryview(data)[written:])


class Syncer:
    """A thread that forces a file to the disk soon after it was written to. ``error`` is what the disk said when that
    failed: nobody knows then what is on it, so the journal takes no more."""

    def __init__(self) -> None:
        self.error: OSError | None = None
        self._file = -1
        self._progress: Progress = (0, 0)
        self._on_disk: Callable[[Progress], None] = lambda progress: None
        self._dirty = threading.Event()
        self._busy = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal sync", daemon=True)
        self._thread.start()

    def watch(self, file: int, progress: Progress, on_disk: Callable[[Progress], None]) -> None:
        """Sync the file watched so far, and go over to another, which is on the disk already; ``on_disk`` is told
        whenever more of it is."""
        with self._busy:
            self._sync()
            self._file, self._progress, self._on_disk = file, progress, on_disk
            on_disk(progress)

    def leave(self) -> None:
        """Sync the file watched so far and touch it no more: its number may soon be a socket's."""
        with self._busy:
            self._sync()
            self._file = -1

    @property
    def resting(self) -> bool:
        """Whether nothing was written since the last sync began."""
        return not self._dirty.is_set()

    def wake(self, progress: Progress) -> None:
        self._progress = progress
        if not self._dirty.is_set():
            self._dirty.set()

    def stop(self) -> None:
        self._stopped.set()
        self._dirty.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._dirty.wait()
            self._dirty.clear()  # before looking at anything: what comes from here on wakes us again
            if self._stopped.wait(SYNC_DELAY):
                return
            with self._busy:
                self._sync()

    def _sync(self) -> None:
        if self._file < 0 or self.error is not None:
            return  # a sync that failed may succeed the next time without having written a thing
        progress = self._progress
        try:
            full_sync(self._file)
        except OSError as error:
            self.error = error
        else:
            self._on_disk(progress)
