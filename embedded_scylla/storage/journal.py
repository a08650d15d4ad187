"""What is on disk: a snapshot, and a journal of everything since, both made of the same records.

    <data directory>/lock            held by the process that works here
                     snapshot-<n>    the state when journal-<n> was begun (none for the first)
                     journal-<n>     one record for each applied request

A record is ``(kind, payload)``, any plain value that marshal can write; its owner gives it meaning. ``append`` puts it
into a buffer, ``flush`` hands the buffer to the operating system: from then on the process may be killed and the
record is there. A thread forces it to the disk some 10 ms later, for the case that the machine dies too. A snapshot
begins the next pair of files, and only when that is safely on disk the old pair is removed.

On disk a record is 4 bytes of length, the same 4 bytes inverted, 4 bytes of CRC-32, and the marshalled pair. The
length's second copy tells a record that was cut short (the process died while writing: the record was not
acknowledged, and is cut off) from one that was damaged (everything before it is used, the file is kept aside).
"""

from __future__ import annotations

import contextlib
import gc
import marshal
import os
import re
import struct
import threading
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import ServerError
from .directory_lock import DirectoryInUse, DirectoryLock
from .mutation_codec import TABLE_ID, decode_mutation, encode_mutation

__all__ = [
    "TABLE_ID",
    "DirectoryInUse",
    "Journal",
    "JournalError",
    "decode_mutation",
    "encode_mutation",
]

Record = tuple[str, Any]

SYNC_DELAY = 0.010  # seconds between a write and the moment when it is forced to the disk
SNAPSHOT_WHEN_IDLE = 1 << 20  # bytes of journal that make a snapshot worth while when there is nothing else to do
SNAPSHOT_AT_ONCE = 128 << 20  # … and when there is: all requests wait for it, but a start after a crash reads it all

_MARSHAL_VERSION = 4  # what every supported Python reads
_MAGIC = b"fifty-thousand-seats 1\n"
_HEADER = struct.Struct(">III")
_PAIR = re.compile(r"(snapshot|journal)-(\d+)")
_sync = getattr(os, "fdatasync", os.fsync)


class JournalError(ServerError):
    """The data directory cannot be written to; what was to be written is not acknowledged."""


class Journal:
    """The journal in ``directory``, which is made and locked; with None nothing is kept and every call is free.

    Use: make it, ``replay()`` to the end, then ``append`` and ``flush`` as requests come, and ``close``. ``notices``
    are sentences about what was found damaged. Raises DirectoryInUse, or JournalError if the directory cannot be used.
    """

    def __init__(self, directory: Path | str | None):
        self.directory = None if directory is None else Path(directory)
        self.notices: list[str] = []
        self._buffer: list[bytes] = []
        self._written = 0  # bytes of good records in the journal file
        self._torn = False  # half a record may stand behind them
        self._file = -1
        self._number = 0
        self._closed = False
        if self.directory is None:
            return
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock = DirectoryLock(self.directory)
        except DirectoryInUse:
            raise
        except OSError as error:
            raise JournalError(f"The data directory {self.directory} cannot be used: {_reason(error)}.") from error
        self._syncer = _Syncer()

    # ------------------------------------------------------------ at the start

    def replay(self) -> Iterator[Record]:
        """Everything that was recorded, oldest first; afterwards the journal is open for appending. Python's garbage
        collector rests meanwhile: all that is made stays."""
        if self.directory is None:
            return
        collecting = gc.isenabled()
        gc.disable()
        try:
            snapshots, journals = self._numbered("snapshot"), self._numbered("journal")
            self._number = max(snapshots | journals, default=0)
            if self._number in snapshots:
                yield from self._read(self._path("snapshot", self._number), is_journal=False)
            elif self._number:
                self.notices.append(f"{self._path('snapshot', self._number)} is missing: what was in it is lost.")
            if self._number in journals:
                yield from self._read(self._path("journal", self._number), is_journal=True)
            self._open()
            self._remove_all_but_current()
        finally:
            if collecting:
                gc.enable()

    def _read(self, path: Path, is_journal: bool) -> Iterator[Record]:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise JournalError(f"{path} cannot be read: {_reason(error)}.") from error
        view, total, position = memoryview(data), len(data), len(_MAGIC)
        if data[:position] != _MAGIC:
            if is_journal and _MAGIC.startswith(data):
                return  # the process died when the file was made: nothing was in it yet
            self._set_aside(path, data, 0)
            return
        while position < total:
            start = position + _HEADER.size
            if start > total:
                break
            length, inverted, checksum = _HEADER.unpack_from(data, position)
            end = start + length
            if length ^ inverted != 0xFFFFFFFF:
                if not any(view[position:]):
                    break  # a file system may leave zeros where the last write should have been
                self._set_aside(path, data, position)
                return
            if end > total:
                break
            body = view[start:end]
            if zlib.crc32(body) != checksum:
                self._set_aside(path, data, position)
                return
            yield marshal.loads(body)
            position = end
        if is_journal:
            self._written = position
        if position < total:
            self.notices.append(
                f"The last write in {path} was incomplete ({total - position} bytes) and was cut off; "
                "it had not been acknowledged."
            )

    def _set_aside(self, path: Path, data: bytes, position: int) -> None:
        """Keep a damaged file under another name, and go on with what stands before the damage."""
        aside = path.with_name(path.name + ".corrupt")
        try:
            aside.write_bytes(data)
        except OSError as error:
            raise JournalError(f"{path} is damaged and cannot be kept aside: {_reason(error)}.") from error
        if path.name.startswith("journal"):
            self._written = position
        self.notices.append(
            f"{path} is damaged at byte {position:,}: everything before it was read, {len(data) - position:,} bytes "
            f"from there on were cut off. The file as it was is kept as {aside.name}."
        )

    def _open(self) -> None:
        """Open the journal file for appending, without what was cut off."""
        path = self._path("journal", self._number)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        try:
            self._file = os.open(path, flags, 0o644)
            if self._written < len(_MAGIC):
                os.ftruncate(self._file, 0)
                _write_all(self._file, _MAGIC)
                self._written = len(_MAGIC)
            self._cut()
        except OSError as error:
            raise self._error(error) from error
        self._syncer.watch(self._file)

    # ------------------------------------------------------------ in operation

    def append(self, kind: str, payload: Any) -> None:
        """Take a record for the next ``flush``."""
        if self.directory is not None:
            self._buffer.append(_frame(kind, payload))

    def flush(self) -> None:
        """Write the records taken since the last time; they survive the process from here on. JournalError if the disk
        refuses: then it is as if they had never been taken, so what they stand for must not be done."""
        if not self._buffer:
            return
        data = b"".join(self._buffer)
        self._buffer.clear()
        try:
            if self._syncer.error is not None:
                raise self._syncer.error
            if self._torn:
                self._cut()
            _write_all(self._file, data)
        except OSError as error:
            self._torn = True
            with contextlib.suppress(OSError):  # else the next flush tries again, or a replay cuts it off
                self._cut()
            raise self._error(error) from error
        self._written += len(data)
        self._syncer.wake()

    def _cut(self) -> None:
        """Cut off what a failed write left behind the last good record."""
        os.ftruncate(self._file, self._written)
        os.lseek(self._file, self._written, os.SEEK_SET)
        self._torn = False

    def _error(self, error: OSError) -> JournalError:
        return JournalError(
            f"The write was refused, because the data directory {self.directory} cannot be written to: "
            f"{_reason(error)}. Everything acknowledged before is safe."
        )

    @property
    def size(self) -> int:
        """Bytes in the journal since the last snapshot."""
        return max(0, self._written - len(_MAGIC))

    def wants_snapshot(self, idle: bool = False) -> bool:
        """Whether it is time for a snapshot; ``idle`` says that nobody would have to wait for it."""
        return self.directory is not None and self.size >= (SNAPSHOT_WHEN_IDLE if idle else SNAPSHOT_AT_ONCE)

    def snapshot(self, records: Iterable[Record]) -> None:
        """Write the whole state as records, and begin an empty journal. JournalError if the disk refuses: the old
        files are still there and in use."""
        if self.directory is None:
            return
        self.flush()
        following = self._number + 1
        snapshot, journal = self._path("snapshot", following), self._path("journal", following)
        try:
            new_snapshot = self._write_new(snapshot, (_frame(kind, payload) for kind, payload in records))
            new_journal = self._write_new(journal, ())
            new_snapshot.replace(snapshot)
            new_journal.replace(journal)
            self._sync_directory()
        except OSError as error:
            self._remove_all_but_current()
            raise self._error(error) from error
        self._close_file()
        self._number, self._written = following, len(_MAGIC)
        self._open()
        self._remove_all_but_current()

    def _write_new(self, path: Path, frames: Iterable[bytes]) -> Path:
        """Write a file, down to the disk, under a name that a replay does not look at."""
        path = path.with_name(path.name + ".new")
        with path.open("wb") as file:
            file.write(_MAGIC)
            file.writelines(frames)
            file.flush()
            os.fsync(file.fileno())
        return path

    def close(self) -> None:
        """Write and sync what is left, and let go of the directory."""
        if self.directory is None or self._closed:
            return
        self._closed = True
        try:
            self.flush()
        finally:
            self._close_file()
            self._syncer.stop()
            self._lock.release()

    def _close_file(self) -> None:
        """Close the journal file, synced. Its number may soon be a socket's: nothing must write to it any more."""
        self._syncer.watch(-1)
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    # ------------------------------------------------------------ files

    def _path(self, name: str, number: int) -> Path:
        return self.directory / f"{name}-{number}"

    def _numbered(self, name: str) -> set[int]:
        found = (_PAIR.fullmatch(path.name) for path in self.directory.iterdir())
        return {int(match[2]) for match in found if match and match[1] == name}

    def _remove_all_but_current(self) -> None:
        for path in self.directory.iterdir():
            match = _PAIR.match(path.name)
            if match and not path.name.endswith(".corrupt") and path.name != f"{match[1]}-{self._number}":
                path.unlink(missing_ok=True)

    def _sync_directory(self) -> None:
        if os.name == "nt":
            return  # directories cannot be opened there, and need not be
        directory = os.open(self.directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


class _Syncer:
    """A thread that forces a file to the disk soon after it was written to. ``error`` is what the disk said when that
    failed: nobody knows then what is on it, so the journal takes no more."""

    def __init__(self) -> None:
        self.error: OSError | None = None
        self._file = -1
        self._dirty = threading.Event()
        self._busy = threading.Lock()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="journal sync", daemon=True)
        self._thread.start()

    def watch(self, file: int) -> None:
        """Sync the file watched so far, and go over to another (-1: to none)."""
        with self._busy:
            self._sync()
            self._file = file

    def wake(self) -> None:
        self._dirty.set()

    def stop(self) -> None:
        self._stopped = True
        self._dirty.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._dirty.wait()
            self._dirty.clear()  # before looking at anything: what comes from here on wakes us again
            if self._stopped:
                return
            time.sleep(SYNC_DELAY)
            with self._busy:
                self._sync()

    def _sync(self) -> None:
        if self._file >= 0:
            try:
                _sync(self._file)
            except OSError as error:
                self.error = error


def _frame(kind: str, payload: Any) -> bytes:
    body = marshal.dumps((kind, payload), _MARSHAL_VERSION)
    return _HEADER.pack(len(body), len(body) ^ 0xFFFFFFFF, zlib.crc32(body)) + body


def _write_all(file: int, data: bytes) -> None:
    written = os.write(file, data)
    while written < len(data):
        written += os.write(file, memoryview(data)[written:])


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
