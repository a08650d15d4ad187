"""Reading a data directory as it was found: which of its files belong together, what is sound in them, what was lost.

The state is the newest snapshot and the journals from its number on. Where there is no snapshot (one was begun and not
finished, or it is damaged), the journal before, with its snapshot, stands for it. Nothing is deleted here and nothing
changed: a file of which anything could not be used gets a second name that overwrites none, and a sentence.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .disk import BINARY, OWNER_ONLY, JournalError, reason, write_all
from .record_file import VERSION, Label, Record, RecordReader, frame, version_of
from .state_file import Known

_NAME = re.compile(r"(snapshot|journal)-(\d{1,18})")
_LEFT_OVER = re.compile(r"(snapshot|journal)-\d{1,18}\.new")
_KEPT = re.compile(r"(snapshot|journal)-\d{1,18}\.(corrupt|aside)(-\d+)?|rejected-\d+")
BLOCK = 4096  # bytes that a disk reads, or fails to read, at a time
_CHECK = "Check whether what you need is there, and write again what is missing."


@dataclass(frozen=True)
class Found:
    """A file in the directory. Its label says what it is; where that is damaged, its name does."""

    path: Path
    label: Label
    label_is_sound: bool
    version: int  # 0: no record is in it
    size: int

    @property
    def in_place(self) -> bool:
        return self.path.name == f"{self.label.role}-{self.label.number}"


def kept_aside(directory: Path) -> list[str]:
    """The names of files that hold what earlier starts could not use, for whoever wants to tell of them."""
    with contextlib.suppress(OSError):
        return [name for name in _names(directory) if _KEPT.fullmatch(name)]
    return []


def left_over(directory: Path) -> list[Path]:
    """Files of snapshots that were not finished."""
    return [directory / name for name in _names(directory) if _LEFT_OVER.fullmatch(name)]


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


class Recovery:
    """What is in ``directory``. Made, it has chosen the files; ``records()`` reads them; then the attributes hold.

    ``files``       what the state was read from: all of it is replaced by the next snapshot
    ``continues``   the journal to go on with, and its reader; None if a new one must be begun
    ``after``       the number of the last journal that was read, None if there was none
    ``following``   a number that no file has
    ``damaged``     whether anything was damaged, missing, or refused by the owner
    ``kept``        files that were to get a second name, and whether they have it: without it they must not be removed
    ``notices``     sentences on that

    Raises JournalError if a file cannot be read at all, or is of a newer version.
    """

    def __init__(self, directory: Path, known: Known | None):
        self.directory = directory
        self.notices: list[str] = []
        self.damaged = False
        self.continues: tuple[Found, RecordReader] | None = None
        self._known = known
        self._rejected: _Rejected | None = None
        found = self._survey()
        self.kept: dict[Path, bool] = {}
        self._choose(found)
        numbers = [int(match[2]) for match in map(_NAME.fullmatch, _names(directory)) if match]
        numbers += [file.label.number for file in self.files]
        self.following = max(numbers, default=-1) + 1

    # ------------------------------------------------------------ which files

    def _survey(self) -> list[Found]:
        found = []
        for name in _names(self.directory):
            match, path = _NAME.fullmatch(name), self.directory / name
            if match and path.is_file():
                found.append(self._look(path, match[1], int(match[2])))
        return found

    def _look(self, path: Path, role: str, number: int) -> Found:
        beginning = self._read(path, BLOCK)
        size = path.stat().st_size
        reader = RecordReader(beginning)
        if reader.label is not None and reader.label.role != "rejected":
            return Found(path, reader.label, True, VERSION, size)
        before = number - 1 if number else None
        claimed = version_of(beginning)
        if reader.version == 1 and claimed == 1:
            return Found(path, Label(role, number, before, 0), True, 1, size)
        reader = RecordReader(self._read(path))
        version = 0 if reader.empty else reader.version
        if claimed is not None and claimed > VERSION and not version:
            raise JournalError(
                f"{path} was written by a newer version of this node (format {claimed}; this one reads up to "
                f"{VERSION}). Nothing was changed. Use that version, or another directory with --data-dir."
            )
        return Found(path, Label(role, number, before, reader.mark or 0), False, version, size)

    def _read(self, path: Path, size: int = -1) -> bytes:
        try:
            return _read(path, size)
        except OSError as error:
            if error.errno != errno.EIO:
                raise JournalError(f"{path} cannot be read: {reason(error)}.") from error
        return _read_in_blocks(path, size)

    def _choose(self, found: list[Found]) -> None:
        """Decide what to read, put aside what belongs to nothing, and say what is missing."""
        journals, snapshots = _by_number(found, "journal"), _by_number(found, "snapshot")
        chains = [chain for top in journals.keys() | snapshots.keys() for chain in _chains(top, journals, snapshots)]
        several = len(chains) > 1
        known = self._known

        def worth(chain: _Chain) -> tuple[bool, bool, bool, int, int]:
            ours = known is not None and known.mark == chain.mark
            whole = chain.complete and (not several or chain.base is None or self._is_whole(chain.base))
            return ours, whole, chain.has_beginning, chain.top, chain.bottom

        best = max(chains, key=worth, default=None)
        self.files: list[Found] = [] if best is None else best.files
        self.mark = 0 if best is None else best.mark
        self.after = None if best is None else best.top
        self.superseded = [] if best is None else _superseded(best, journals, snapshots)
        numbers = range(0) if best is None else range(best.bottom, best.top + 1)
        for file in found:
            if file in self.files or file in self.superseded or not file.size:
                continue
            if any(file.label == used.label for used in self.files if used.label_is_sound and used.version == VERSION):
                continue  # a copy of what is read
            if not file.version:
                self._put_away(file, "is damaged from beginning to end, or never was one of the node's files")
            elif file.label.number in numbers:
                self._put_away(file, "is damaged or a copy, and was not needed: other files have what was in it")
            elif best is None or file.label.number > best.top or file.label.mark != best.mark:
                self._put_away(file, "belongs to none of the other files and was not read")
        self._miss(best)

    def _is_whole(self, snapshot: Found) -> bool:
        reader = RecordReader(self._read(snapshot.path))
        for _ in reader.records(decode=False):
            pass
        finished = reader.whole if reader.version == VERSION else not reader.torn
        return finished and not reader.holes and not reader.lost

    def _miss(self, best: _Chain | None) -> None:
        """Say which files ought to be there."""
        known = self._known
        if best is None:
            if known is not None and known.records + known.number:
                self._notice("All that was kept has been removed: there is no snapshot and no journal.", _CHECK)
            return
        if not best.has_beginning:
            self._notice(f"snapshot-{best.bottom} is missing: what had been written before it is lost.", _CHECK)
        if known is not None and known.mark != best.mark:
            known = None
        gone = best.missing if known is None or known.number <= best.top else [*best.missing, known.number]
        for number in gone:
            if known is None or known.number != number:
                self._notice(f"journal-{number} is missing: what had been written to it is lost.", _CHECK)
            elif known.records:
                self._notice(f"journal-{number} is missing, and with it {_records(known.records)}.", _CHECK)

    # ------------------------------------------------------------ reading

    def records(self) -> Iterator[Record]:
        """Everything that is sound, oldest first."""
        for file in self.files:
            reader = RecordReader(self._read(file.path), file.label.mark or None)
            yield from reader.records()
            if file.label.role == "snapshot":
                self._judge_snapshot(file, reader)
            else:
                self._judge_journal(file, reader)
        if self.damaged:
            self._keep_all()

    def _keep_all(self) -> None:
        """All that the state was made of stays, the sound files too, and none of it is written to."""
        self.continues = None
        for file in self.files:
            if file.path not in self.kept and file.size > len(file.label.line()):
                self._keep(file.path, "aside")

    def _judge_snapshot(self, file: Found, reader: RecordReader) -> None:
        cut = reader.torn or (reader.version == VERSION and not reader.whole and not reader.holes)
        if cut:
            self._damage(file, reader, "it ends before its time, and what stood behind is lost")
        elif reader.holes or reader.lost:
            self._damage(file, reader, _loss(reader.lost, exactly=reader.whole))

    def _judge_journal(self, file: Found, reader: RecordReader) -> None:
        known = self._known
        if known is None or (known.number, known.mark) != (file.label.number, reader.mark):
            known = None
        short = max(0, known.records - reader.count) if known is not None else 0
        if reader.holes or reader.lost or short:
            end_is_there = not short and (not reader.holes or reader.holes[-1][1] < len(reader.data))
            exactly = end_is_there or (known is not None and known.size == len(reader.data))
            exactly = exactly and (reader.version == VERSION or reader.holes == [(0, reader.begin)])
            self._damage(file, reader, _loss(reader.lost + short, exactly))
        elif reader.torn and known is None:
            self._damage(
                file, reader,
                f"it ends in the middle of a record ({reader.torn:,} bytes). If the process was killed as it wrote, "
                "nobody had been told that this was done; if the file was shortened, what stood behind is lost",
            )  # fmt: skip
        elif reader.torn:
            self.notices.append(
                f"The last write in {file.path} was incomplete ({reader.torn:,} bytes) and was cut off: the process "
                "was killed as it wrote, and had not acknowledged it. (Had the machine itself lost its power, some "
                "10 ms of acknowledged writes might be gone with it.)"
            )
        if file is self.files[-1] and file.in_place and reader.version == VERSION and file.label_is_sound:
            self.continues = file, reader

    def _damage(self, file: Found, reader: RecordReader, what: str) -> None:
        size = sum(end - start for start, end in reader.holes) + reader.torn
        where = ""
        if reader.holes:
            where = f" ({size:,} bytes, the first at byte {reader.holes[0][0]:,})"
        kept = self._keep(file.path, "corrupt")
        self._notice(f"{file.path.name} is damaged{where}: {what}. All that is sound was read; {kept}.", _CHECK)

    def _notice(self, what: str, advice: str = "") -> None:
        self.damaged = True
        self.notices.append(f"In the data directory {self.directory}: {what}{' ' * bool(advice)}{advice}")

    # ------------------------------------------------------------ setting aside

    def _put_away(self, file: Found, why: str) -> None:
        """Give another name to a file that would be in the way."""
        suffix = "aside" if file.version else "corrupt"
        kept = self._keep(file.path, suffix)
        if self.kept[file.path]:
            with contextlib.suppress(OSError):
                file.path.unlink()
        self.notices.append(f"In the data directory {self.directory}: {file.path.name} {why}; {kept}.")

    def _keep(self, path: Path, suffix: str) -> str:
        """Give a file a second name that outlives the first, and say so. It has one already if the last start found
        it as it is now."""
        for number in itertools.count(1):
            aside = path.with_name(f"{path.name}.{suffix}" + (f"-{number}" if number > 1 else ""))
            try:
                if aside.exists():
                    if _same(aside, path):
                        break
                    continue
                _link(path, aside)
                break
            except OSError as error:
                self.kept[path] = False
                return f"it could not be given another name ({reason(error)}) and stays where it is"
        self.kept[path] = True
        return f"the file as it was is kept as {aside.name}"

    def reject(self, record: Record, why: str) -> None:
        """Set a sound record aside that its owner cannot use."""
        if self._rejected is None:
            self._rejected = _Rejected(self.directory, self.mark)
            self.notices.append("")
            self._rejected_at = len(self.notices) - 1
        self._rejected.add(record, why)
        if not self.damaged:
            self.damaged = True
            self._keep_all()
        self.notices[self._rejected_at] = self._rejected.sentence()

    def close(self) -> None:
        """Close the file of what was rejected."""
        if self._rejected is not None:
            self._rejected.close()


@dataclass(frozen=True)
class _Chain:
    """Files whose records, one after the other, are the state as it was when journal ``top`` was last written. They
    begin with the snapshot ``base``, or with nothing if the first journal of all is there; else something is missing
    before journal ``bottom``."""

    top: int
    bottom: int
    mark: int
    base: Found | None
    from_nothing: bool
    files: list[Found]
    missing: list[int]  # journals

    @property
    def has_beginning(self) -> bool:
        return self.base is not None or self.from_nothing

    @property
    def complete(self) -> bool:
        return self.has_beginning and not self.missing


def _chains(top: int, journals: dict[int, Found], snapshots: dict[int, Found]) -> Iterator[_Chain]:
    """All that end with ``top``: from its snapshot on, from an earlier one, …"""
    mark = next((files[top].label.mark for files in (journals, snapshots) if top in files and files[top].version), 0)
    parts: list[Found] = []
    missing: list[int] = []
    number = top

    def at(files: dict[int, Found], number: int) -> Found | None:
        file = files.get(number)
        return file if file is not None and file.version and _related(file, mark) else None

    while True:
        journal, snapshot = at(journals, number), at(snapshots, number)
        if journal is None:
            missing = [number, *missing]
        else:
            parts = [journal, *parts]
        if snapshot is not None:
            yield _Chain(top, number, mark, snapshot, False, [snapshot, *parts], missing)
        before = None if journal is None else journal.label.after
        if before is None or not (at(journals, before) or at(snapshots, before)):
            if snapshot is None and parts:
                yield _Chain(top, number, mark, None, before is None, parts, missing)
            return
        number = before


def _related(file: Found, mark: int) -> bool:
    return not file.label.mark or not mark or file.label.mark == mark


def _by_number(found: list[Found], role: str) -> dict[int, Found]:
    """The files of a role by their number; of copies, the one whose name is right, or else the longest."""

    def worth(file: Found) -> tuple[bool, bool, int]:
        return bool(file.version), file.in_place, file.size

    best: dict[int, Found] = {}
    for file in found:
        if file.label.role == role:
            other = best.get(file.label.number)
            if other is None or worth(file) > worth(other):
                best[file.label.number] = file
    return best


def _superseded(chain: _Chain, journals: dict[int, Found], snapshots: dict[int, Found]) -> list[Found]:
    """What the chain's snapshot replaced, and the process had no time to remove."""
    files: list[Found] = []
    if chain.base is None or not chain.complete:
        return files
    number = chain.base.label.after
    while number is not None and number in journals and _related(journals[number], chain.mark):
        files += [each[number] for each in (snapshots, journals) if number in each and each[number].in_place]
        number = None if number in snapshots else journals[number].label.after
    return [file for file in files if file not in chain.files]


def _read(path: Path, size: int = -1, position: int = 0) -> bytes:
    with path.open("rb") as file:
        file.seek(position)
        return file.read(size)


def _read_in_blocks(path: Path, size: int) -> bytes:
    """A file on a disk that cannot read all of it: zeros are where the bad blocks are."""
    total = path.stat().st_size if size < 0 else min(size, path.stat().st_size)
    blocks = []
    for position in range(0, total, BLOCK):
        wanted = min(BLOCK, total - position)
        try:
            blocks.append(_read(path, wanted, position))
        except OSError:
            blocks.append(bytes(wanted))
    return b"".join(blocks)


def _link(path: Path, aside: Path) -> None:
    """A second name for the same bytes; a copy where the file system has no such thing."""
    try:
        os.link(path, aside)
    except OSError:
        import shutil  # here: it is hardly ever needed, and what it brings along would make every start longer

        with path.open("rb") as source, aside.open("xb") as target:
            try:
                shutil.copyfileobj(source, target)
            except OSError:
                target.close()
                aside.unlink()  # half a copy would look like the whole
                raise


def _same(one: Path, other: Path) -> bool:
    if os.path.samestat(one.stat(), other.stat()):
        return True
    return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"


def _loss(lost: int, exactly: bool) -> str:
    if not lost:
        return "no record of it is lost" if exactly else "one or more records are lost"
    return f"{'' if exactly else 'at least '}{_records(lost)} {'is' if lost == 1 else 'are'} lost"


class _Rejected:
    """The file of one start's rejected records. Made at the first one; that it cannot be written ends nothing."""

    def __init__(self, directory: Path, mark: int):
        self._directory = directory
        self._mark = mark
        self._count = 0
        self._file = -1
        self._first = ""
        self._trouble = ""
        for number in itertools.count():
            self._name = f"rejected-{number}"
            if not (directory / self._name).exists():
                break
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY
            self._file = os.open(directory / self._name, flags, OWNER_ONLY)
        except OSError as error:
            self._trouble = reason(error)
        self._write(Label("rejected", number, None, mark).line())

    def add(self, record: Record, why: str) -> None:
        if not self._count:
            self._first = f"{record[0]}: {why}"
        kind, payload = record
        try:
            written = frame(self._mark, self._count, "rejected", (why, kind, payload))
        except ValueError:  # its owner has made something of it already: what that was is better than no start
            written = frame(self._mark, self._count, "rejected", (why, kind, repr(payload)))
        self._write(written)
        self._count += 1

    def _write(self, data: bytes) -> None:
        if self._trouble:
            return
        try:
            write_all(self._file, data)
        except OSError as error:
            self._trouble = reason(error)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def sentence(self) -> str:
        were = "was" if self._count == 1 else "were"
        kept = f"set aside in {self._name}"
        if self._trouble:
            kept = f"left out (they could not be set aside in {self._name}: {self._trouble})"
        return (
            f"In the data directory {self._directory}: {_records(self._count)} could not be used and {were} {kept}; "
            f"everything else was. The first is {self._first}. {_CHECK}"
        )
