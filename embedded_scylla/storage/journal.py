"""What is on disk: a snapshot, and a journal of everything since, both made of the same records.

    <data directory>/lock            held by the process that works here
                     state           how much of the journal is known to be on the disk
                     snapshot-<n>    the state when journal-<n> was begun (none for the first)
                     journal-<n>     one record for each applied request

A record is ``(kind, payload)``, any plain value that marshal can write; its owner gives it meaning. ``append`` puts it
into a buffer, ``flush`` hands the buffer to the operating system: from then on the process may be killed and the
record is there. A thread forces it to the disk some 10 ms later, for the case that the machine dies too: a power cut
may cost what was acknowledged in those 10 ms. A snapshot begins the next pair of files, and only when that is safely
on disk the old pair, and nothing else, is removed. It is written by a child process, while requests go into the new
journal, which continues the old one until the snapshot has its name; where a process cannot be copied, all wait for it.

How a file looks is told in ``record_file``; what is done with damaged, missing and foreign ones in ``recovery``.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import gc
import os
import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from .child import CAN_FORK, Child
from .directory_lock import DirectoryInUse, DirectoryLock
from .disk import BINARY, OWNER_ONLY, JournalError, Syncer, full_sync, reason, sync_directory, write_all
from .mutation_codec import TABLE_ID, decode_mutation, encode_mutation
from .record_file import END, Label, Record, frame
from .recovery import Recovery, kept_aside, left_over
from .state_file import StateFile

__all__ = [
    "TABLE_ID",
    "DirectoryInUse",
    "Journal",
    "JournalError",
    "Record",
    "decode_mutation",
    "encode_mutation",
    "kept_aside",
]

SNAPSHOT_WHEN_IDLE = 1 << 20  # bytes of journal that make a snapshot worth while when there is nothing else to do
SNAPSHOT_AT_ONCE = 128 << 20  # … and when there is: it slows them down, but a start after a crash reads it all
SNAPSHOT_SHARE = 4  # … and in any case a quarter of the last snapshot's, so that much state is not written for a little
LOOK_AGAIN = 0.5  # seconds for which still_ours relies on its last look


@dataclass
class _Snapshot:
    """One that is being made, and the files that it will stand for."""

    label: Label
    path: Path
    replaces: list[Path]
    unsound: bool = False  # what the journal was before it

    @property
    def unfinished(self) -> Path:
        return _unfinished(self.path)


class _Writing(NamedTuple):
    snapshot: _Snapshot
    child: Child


def _unfinished(path: Path) -> Path:
    """A name that a replay does not look at."""
    return path.with_name(path.name + ".new")


def _while_lives(parent: int, records: Iterable[Record]) -> Iterator[Record]:
    """In a child: nobody wants them any more when its parent has ended."""
    for record in records:
        if os.getppid() != parent:
            raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
        yield record


class Journal:
    """The journal in ``directory``, which is made and locked; with None nothing is kept and every call is free.

    Use: make it, ``replay()`` to the end, then ``append`` and ``flush`` as requests come, and ``close``. ``notices``
    are sentences about what was found damaged, or cannot be done. Raises DirectoryInUse, or JournalError if the
    directory cannot be used.
    """

    def __init__(self, directory: Path | str | None):
        self.notices: list[str] = []
        self._buffer: list[bytes] = []
        self._number: int | None = None  # of the journal in use
        self._following = 0  # no file has this number, nor any above
        self._mark = 0
        self._written = 0  # bytes of good records in the journal file, with its label
        self._records = 0  # … and how many they are
        self._earlier = 0  # bytes in journals before it, which no snapshot has replaced yet
        self._last_snapshot = 0  # its bytes
        self._label_size = 0
        self._torn = False  # half a record may stand behind them
        self._file = -1
        self._closed = False
        self._unsound = False  # what was read was damaged: a snapshot ends that
        self._replaced: list[Path] = []  # what the next snapshot stands for
        self._doomed: list[Path] = []  # what an earlier one stood for, and could not be removed
        self._recovery: Recovery | None = None
        self._writing: _Writing | None = None  # a snapshot, in a child
        self._looked = 0.0
        self._ours = True
        self.directory = None if directory is None else Path(directory)
        if self.directory is None:
            return
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = DirectoryLock(self.directory)
        except DirectoryInUse:
            raise
        except OSError as error:
            raise self._unusable(error) from error
        try:
            self._state = StateFile(self.directory)
        except OSError as error:
            self._lock.release()
            raise self._unusable(error) from error
        self._syncer = Syncer()

    # ------------------------------------------------------------ at the start

    def replay(self) -> Iterator[Record]:
        """Everything that was recorded, oldest first; afterwards the journal is open for appending. Python's garbage
        collector rests meanwhile: all that is made stays. JournalError if the disk cannot be read or written, or if the
        files are of a newer version; whatever else is wrong with them ends up in ``notices``."""
        if self.directory is None:
            return
        collecting = gc.isenabled()
        gc.disable()
        try:
            self._recovery = Recovery(self.directory, self._state.known)
            self.notices = self._recovery.notices
            yield from self._recovery.records()
            self._open(self._recovery)
        finally:
            if collecting:
                gc.enable()

    def reject(self, record: Record, why: str) -> None:
        """Set a record aside that ``replay`` gave and its owner cannot use, and go on: it is written to a file of its
        own, counted in ``notices``, and nothing of what was read will be deleted."""
        assert self._recovery is not None, "only what was replayed can be rejected"
        self._recovery.reject(record, why)
        self._unsound = True

    def _open(self, found: Recovery) -> None:
        """Go on with the journal that was found or, where that is not sound to its end, with one after it."""
        self._mark = found.mark or random.SystemRandom().randrange(1, 1 << 32)
        self._unsound |= found.damaged
        self._following = found.following
        self._replaced = [file.path for file in (*found.files, *found.superseded)]
        self._earlier = sum(file.size for file in found.files if file.label.role == "journal")
        self._last_snapshot = sum(file.size for file in found.files if file.label.role == "snapshot")
        try:
            if found.continues is None:
                self._number = found.after
                self._go_on(found)
                return
            (file, reader), found.continues = found.continues, None  # the reader has all of the file in it
            self._label_size = reader.begin
            self._number, self._written, self._records = file.label.number, reader.end, reader.count
            self._earlier -= file.size
            self._file = os.open(file.path, os.O_RDWR | BINARY)
            self._cut()
            self._watch(self._number)
        except OSError as error:
            raise self._refused(error) from error

    def _go_on(self, found: Recovery) -> None:
        """Begin a new journal. A full disk is no reason not to show what is there: then the first write tries again."""
        try:
            self._switch(*self._begin(self._number))
        except OSError as error:
            if not found.files:
                raise
            self.notices.append(
                f"The data directory {self.directory} cannot be written to ({reason(error)}): what is there can be "
                "read, writes are refused until that is mended."
            )

    # ------------------------------------------------------------ in operation

    def append(self, kind: str, payload: Any) -> None:
        """Take a record for the next ``flush``. ValueError if it cannot be written; then nothing is taken at all."""
        if self.directory is not None:
            try:
                self._buffer.append(frame(self._mark, self._records + len(self._buffer), kind, payload))
            except BaseException:
                self._buffer.clear()
                raise

    def flush(self) -> None:
        """Write the records taken since the last time; they survive the process from here on. JournalError if the disk
        refuses: then it is as if they had never been taken, so what they stand for must not be done."""
        if not self._buffer:
            return
        data, count = b"".join(self._buffer), len(self._buffer)
        self._buffer.clear()
        if self._syncer.resting or self._syncer.error is not None:
            self._check()
        try:
            if self._file < 0 and self._mark and not self._closed:  # the disk was full as the node started
                self._switch(*self._begin(self._number))
            if self._torn:
                self._cut()
            self._torn = True  # whatever ends the next line early
            write_all(self._file, data)
            self._written += len(data)
            self._records += count
            self._torn = False
        except OSError as error:
            with contextlib.suppress(OSError):  # else the next flush tries again, or a replay cuts it off
                self._cut()
            raise self._refused(error) from error
        self._syncer.wake((self._written, self._records))

    def _check(self) -> None:
        """JournalError if what is written now would not be there after a restart."""
        if self._syncer.error is not None:
            raise JournalError(
                f"The write was refused: the data directory {self.directory} is on a disk that failed to keep what had "
                f"been written ({reason(self._syncer.error)}). What was acknowledged in the moments before may not be "
                "on it. Nothing more is taken; look after the disk, then start the node again."
            )
        self.check_home()

    def check_home(self) -> None:
        """JournalError if the directory is gone, or another node's: the node has to stop."""
        if not self.still_ours(at_once=True):
            raise JournalError(
                f"The data directory {self.directory} was deleted or taken over while the node worked in it: it stops, "
                "so that nothing is acknowledged that would be lost."
            )

    def still_ours(self, at_once: bool = False) -> bool:
        """Whether the directory is there and nobody else can have it. Cheap: it looks again after LOOK_AGAIN seconds,
        or ``at_once``. Once False, it stays so: the node has to stop."""
        if self.directory is not None and not self._closed and self._ours:
            now = time.monotonic()
            if at_once or now - self._looked >= LOOK_AGAIN:
                self._looked = now
                self._ours = self._lock.is_held()
                self._unsound |= self._ours and self._file >= 0 and not self._journal_is_there()
        return self._ours

    def _journal_is_there(self) -> bool:
        """Else somebody removed it, and only a snapshot can keep what was in it."""
        try:
            return self._number is not None and os.path.samestat(
                self._path("journal", self._number).stat(), os.fstat(self._file)
            )
        except OSError:
            return False

    def _cut(self) -> None:
        """Cut off what a failed write left behind the last good record."""
        os.ftruncate(self._file, self._written)
        os.lseek(self._file, self._written, os.SEEK_SET)
        self._torn = False

    @property
    def size(self) -> int:
        """Bytes in the journal since the last snapshot."""
        return 0 if self._file < 0 else self._earlier + self._written - self._label_size

    def wants_snapshot(self, idle: bool = False) -> bool:
        """Whether it is time for a snapshot; ``idle`` says that nobody would have to wait for it."""
        if self.directory is None:
            return False
        least = max(SNAPSHOT_WHEN_IDLE if idle else SNAPSHOT_AT_ONCE, self._last_snapshot // SNAPSHOT_SHARE)
        return self.size >= least or (idle and self._unsound)

    def snapshot(self, records: Iterable[Record]) -> None:
        """Write the whole state as records, and begin an empty journal. JournalError if the disk refuses: what was
        there is still there and in use."""
        if self.directory is None:
            return
        self._let_the_child_go()
        new = self._next_snapshot()
        try:
            self._write_new(new.label, records)
            self._continue_in_a_new_one(new)
            self._put_in_place(new)
        except BaseException as error:
            self._give_up(new, error)
        self._snapshot_stands(new)

    def begin_snapshot(self, records: Iterable[Record]) -> None:
        """Begin an empty journal, and let a child write the state as it is now; what the caller does to it meanwhile
        does not matter. ``finish_snapshot`` tells the end. Where there can be no child, it is written here and now.
        JournalError as by ``snapshot``."""
        if self.directory is None:
            return
        if not CAN_FORK:
            self.snapshot(records)
            return
        self._let_the_child_go()
        new = self._next_snapshot()
        try:
            self._continue_in_a_new_one(new)
            try:
                wanted = _while_lives(os.getpid(), records)
                child = Child(lambda: self._write_new(new.label, wanted))
            except OSError:  # no room for another process
                self._write_new(new.label, records)
                self._put_in_place(new)
                child = None
        except BaseException as error:
            self._give_up(new, error)
        if child is None:
            self._snapshot_stands(new)
        else:
            self._writing = _Writing(new, child)

    @property
    def writes_snapshot(self) -> bool:
        """Whether a child is at work on one."""
        return self._writing is not None

    def finish_snapshot(self, *, wait: bool = False) -> None:
        """Put a snapshot in place that the child has written, if it has; with ``wait`` not before it has. JournalError
        if the disk refuses: what was there, and what came since, is there and in use."""
        if self._writing is None or not self._writing.child.ended(wait=wait):
            return
        (new, child), self._writing = self._writing, None
        try:
            if child.error is not None:
                raise child.error
            self._put_in_place(new)
        except BaseException as error:
            self._give_up(new, error)
        self._snapshot_stands(new)

    def _let_the_child_go(self) -> None:
        """Its file is left over, and goes with the next snapshot."""
        if self._writing is not None:
            self._writing.child.end()
            self._unsound |= self._writing.snapshot.unsound
            self._writing = None

    def _next_snapshot(self) -> _Snapshot:
        self.flush()
        self._check()
        while any(self._path(role, self._following).exists() for role in ("snapshot", "journal")):
            self._following += 1  # somebody has put a file there meanwhile
        label = Label("snapshot", self._following, self._number, self._mark)
        return _Snapshot(label, self._path("snapshot", label.number), [*self._replaced])

    def _continue_in_a_new_one(self, new: _Snapshot) -> None:
        """From here on a new journal continues the old one, whether the snapshot gets its name or not."""
        earlier = self.size
        self._switch(*self._begin(new.label.after))
        self._earlier = earlier
        new.unsound, self._unsound = self._unsound, False

    def _put_in_place(self, new: _Snapshot) -> None:
        new.unfinished.replace(new.path)
        self._replaced.append(new.path)
        sync_directory(new.path.parent)
        self._last_snapshot = new.path.stat().st_size

    def _give_up(self, new: _Snapshot, error: BaseException) -> NoReturn:
        self._unsound |= new.unsound
        with contextlib.suppress(OSError):
            new.unfinished.unlink()
        if not isinstance(error, OSError):
            raise error
        raise JournalError(
            f"The data directory {self.directory} cannot take it: {reason(error)}. What was kept is still in use."
        ) from error

    def _snapshot_stands(self, new: _Snapshot) -> None:
        """All that it stands for may go."""
        self._earlier = 0
        self._replaced = [new.path, self._path("journal", new.label.number)]
        kept = {} if self._recovery is None else self._recovery.kept
        self._doomed += [path for path in new.replaces if kept.get(path, True)]
        self._doomed += left_over(new.path.parent)
        self._remove_doomed()

    def _write_new(self, label: Label, records: Iterable[Record]) -> Path:
        """Write a file, down to the disk, under a name that a replay does not look at."""
        path = _unfinished(self._path(label.role, label.number))
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | BINARY, OWNER_ONLY), "wb") as file:
            file.write(label.line())
            if label.role == "snapshot":
                number = 0
                for number, (kind, payload) in enumerate(records, 1):
                    file.write(frame(self._mark, number - 1, kind, payload))
                file.write(frame(self._mark, number, END, None))
            file.flush()
            full_sync(file.fileno())
        return path

    def _begin(self, after: int | None) -> tuple[Path, int]:
        """Make a journal with nothing in it, and its number; it has its name only when all of it is on the disk."""
        number = self._following
        label = Label("journal", number, after, self._mark)
        path = self._path("journal", number)
        try:
            self._write_new(label, ()).replace(path)
            self._following += 1
            sync_directory(path.parent)
        except OSError:
            for unused in (_unfinished(path), path):
                with contextlib.suppress(OSError):
                    unused.unlink()
            raise
        return path, number

    def _switch(self, path: Path, number: int) -> None:
        """Write to another journal from here on, which has nothing in it."""
        file = os.open(path, os.O_RDWR | BINARY)
        old, self._file = self._file, file
        self._number, self._records, self._torn = number, 0, False
        self._written = self._label_size = os.lseek(file, 0, os.SEEK_END)
        self._replaced.append(path)
        self._watch(number)
        if old >= 0:
            os.close(old)

    def _watch(self, number: int) -> None:
        on_disk = functools.partial(self._state.write, number, self._mark)
        self._syncer.watch(self._file, (self._written, self._records), on_disk)

    def _remove_doomed(self) -> None:
        """Remove what the last snapshots stand for. What is held by somebody (on Windows a virus scanner can) stays
        until the next one; it does no harm."""
        doomed, self._doomed = self._doomed, []
        for path in doomed:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                self._doomed.append(path)
                sentence = (
                    f"In the data directory {self.directory}: {path.name} is not needed any more and could not be "
                    f"removed ({reason(error)}). It does no harm; it is tried again later."
                )
                if sentence not in self.notices:
                    self.notices.append(sentence)

    def close(self) -> None:
        """Write and sync what is left, and let go of the directory."""
        if self.directory is None or self._closed:
            return
        try:
            self.flush()
        finally:
            self._let_the_child_go()
            if self.still_ours(at_once=True):
                self._remove_doomed()
            self._closed = True
            self._syncer.leave()
            self._syncer.stop()
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
            if self._recovery is not None:
                self._recovery.close()
            self._state.close()
            self._lock.release()

    # ------------------------------------------------------------ sentences and names

    def _unusable(self, error: OSError) -> JournalError:
        return JournalError(f"The data directory {self.directory} cannot be used: {reason(error)}.")

    def _refused(self, error: OSError) -> JournalError:
        return JournalError(
            f"The write was refused, because the data directory {self.directory} cannot be written to: "
            f"{reason(error)}. Everything acknowledged before is safe."
        )

    def _path(self, role: str, number: int) -> Path:
        assert self.directory is not None
        return self.directory / f"{role}-{number}"
