"""A file of records: how it looks on disk, and how to read all that is sound in one that is damaged.

    fifty-thousand-seats 2 journal 17 after 16 mark 9f3a12bc 5d0e77a1⏎    the label; the last word is its CRC-32
    <mark> <record's number> <length> <length inverted> <CRC-32>          20 bytes, big-endian
    <a pair (kind, payload), marshalled>                                  … and again, to the end

The mark is the data directory's: it tells its records from the bytes of anybody's blob, and its files from those of
another directory. The numbers count from 0 in each file, so that a reader knows how many records a hole has swallowed.
The length's second copy tells a record that was cut short from one that was damaged. A snapshot's last record is END.

Version 1 had the bare label ``fifty-thousand-seats 1⏎``, and neither mark nor number before a record. It is still read.
"""

from __future__ import annotations

import marshal
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Record = tuple[str, Any]  # the kind, and any plain value that marshal can write

VERSION = 2
END = ".end"  # kinds with a dot are the file's own, and never its owner's

_LABEL = re.compile(
    rb"(fifty-thousand-seats (\d{1,9}) (journal|snapshot|rejected) (\d{1,18}) after (\d{1,18}|nothing) "
    rb"mark ([0-9a-f]{8}) )([0-9a-f]{8})\n"
)
_ANY_VERSION = re.compile(rb"fifty-thousand-seats (\d{1,9})( [^\n]{0,200} ([0-9a-f]{8}))?\n")
_LABEL_1 = b"fifty-thousand-seats 1\n"
_HEADER_1 = struct.Struct(">III")
_HEADER = struct.Struct(">IIIII")
_INVERT = 0xFFFFFFFF
_LENGTHS = re.compile(rb"[\x00-\x0f][\x00-\xff]{3}[\xf0-\xff]")  # what a length and its inversion begin with
_END_AT_MOST = 64  # bytes of the record END
_MARSHAL_VERSION = 4  # what every supported Python reads


@dataclass(frozen=True)
class Label:
    """A file's first line. ``after`` is the number of the journal that this one continues, or whose state this
    snapshot has; None for a directory's first."""

    role: str
    number: int
    after: int | None
    mark: int

    def line(self) -> bytes:
        after = "nothing" if self.after is None else self.after
        text = f"fifty-thousand-seats {VERSION} {self.role} {self.number} after {after} mark {self.mark:08x} ".encode()
        return text + b"%08x\n" % zlib.crc32(text)


def read_label(data: bytes) -> tuple[Label | None, int]:
    """The label at the beginning of ``data``, None if it is damaged or of version 1; and where the records begin."""
    match = _LABEL.match(data)
    if match is None or int(match[7], 16) != zlib.crc32(match[1]) or int(match[2]) != VERSION:
        return None, 0
    after = None if match[5] == b"nothing" else int(match[5])
    return Label(match[3].decode(), int(match[4]), after, int(match[6], 16)), match.end()


def version_of(data: bytes) -> int | None:
    """The version that the label claims, if it is not damaged as far as one can see."""
    match = _ANY_VERSION.match(data)
    if match is None:
        return None
    if match[2] is not None:
        return int(match[1]) if zlib.crc32(data[: match.end() - 9]) == int(match[3], 16) else None
    return int(match[1])


def frame(mark: int, number: int, kind: str, payload: Any) -> bytes:
    """A record as it stands in a file. ValueError if marshal cannot write the payload."""
    body = marshal.dumps((kind, payload), _MARSHAL_VERSION)
    length = len(body)
    return _HEADER.pack(mark, number, length, length ^ _INVERT, zlib.crc32(body, number)) + body


class RecordReader:
    """All sound records of one file, by ``records()``; afterwards the attributes say what was amiss.

    holes     (from, to) of the damaged bytes           count   the number that the next record would have
    lost      records that are missing between others   end     where the last sound record ends
    torn      bytes behind it of a record cut short      whole   whether END was read
    """

    def __init__(self, data: bytes, mark: int | None = None):
        self.data = data
        self._view = memoryview(data)
        self._number = 0
        self.label, self.begin = read_label(data)
        self.version = VERSION if self.label is not None else 0
        self.mark = self.label.mark if self.label is not None else mark
        self.holes: list[tuple[int, int]] = []
        self.lost = self.count = self.torn = 0
        self.whole = False
        if self.label is None and data.startswith(_LABEL_1):
            self.version, self.begin = 1, len(_LABEL_1)
        elif self.label is None:
            self._find_the_beginning()
        self.end = self.begin

    def _find_the_beginning(self) -> None:
        """The label is damaged: the first record that is sound tells the version, and the mark."""
        known = self.mark
        zeros = not self.data.strip(b"\0")  # what a power cut leaves of a file, and slow to search
        for version, anybody in () if zeros else ((2, known), (1, None), (2, None)):
            self.version, self.mark = version, anybody
            position = 0 if self._sound(0) else self._search(0)
            if position is not None:
                if version == 2:
                    self.mark = _HEADER.unpack_from(self.data, position)[0]
                self.begin = position
                return
        self.version, self.mark, self.begin = 0, known, len(self.data)

    @property
    def empty(self) -> bool:
        """Whether no record can be read in it, whatever bytes there are."""
        return not self.version or (not self._sound(self.begin) and self._search(self.begin) is None)

    def records(self, decode: bool = True) -> Iterator[Record]:
        """The records in order, over all holes. Without ``decode`` they are only counted."""
        position, total, view = self.begin, len(self.data), self._view
        if self.label is None and not self.data.startswith(_LABEL_1):
            self.holes.append((0, self.begin))
        header = (_HEADER if self.version == 2 else _HEADER_1).size
        while position < total:
            end = self._sound(position)
            if not end:
                following = self._next(position)
                if following is None:
                    if self._cut_short(position):
                        self.torn = total - position
                    else:
                        self.holes.append((position, total))
                    return
                self.holes.append((position, following))
                position = following
                continue
            self.lost += self._number - self.count
            self.count = self._number
            try:
                if decode or end - position < _END_AT_MOST:
                    kind, payload = marshal.loads(view[position + header : end])
                else:
                    kind, payload = "", None
            except (ValueError, EOFError, TypeError):  # its bytes are as they were written: another program wrote them
                self.holes.append((position, end))
                self.lost += 1
                self.count += 1
                position = end
                continue
            self.count += 1
            self.end = position = end
            if kind == END and self.version == 2:
                self.whole = True
                self.count -= 1
            elif decode:
                yield kind, payload

    # ------------------------------------------------------------ one record

    def _sound(self, position: int) -> int:
        """Where the record at ``position`` ends, its number in ``_number``; 0 if none is there, whole and sound."""
        data = self.data
        try:
            if self.version == 2:
                mark, number, length, inverted, checksum = _HEADER.unpack_from(data, position)
                if number < self.count or (mark != self.mark and self.mark is not None):
                    return 0
                start, seed = position + 20, number
            else:
                length, inverted, checksum = _HEADER_1.unpack_from(data, position)
                start, seed, number = position + 12, 0, self.count
        except struct.error:
            return 0
        end: int = start + length
        if length ^ inverted != _INVERT or end > len(data) or not length:
            return 0
        if zlib.crc32(self._view[start:end], seed) != checksum:
            return 0
        self._number = number
        return end

    def _next(self, position: int) -> int | None:
        """Where the next sound record begins behind the damaged one at ``position``. If either copy of its length can
        be relied on, that is behind it; else it is searched for byte by byte."""
        for length in self._lengths(position):
            end = position + length
            if end == len(self.data):
                return None
            if end < len(self.data) and self._sound(end):
                return end
        return self._search(position)

    def _search(self, position: int) -> int | None:
        for candidate in self._marks(position + 1) if self.version == 2 and self.mark else self._pairs(position + 1):
            if self._sound(candidate):
                return candidate
        return None

    def _marks(self, position: int) -> Iterator[int]:
        mark = struct.pack(">I", self.mark)
        while (position := self.data.find(mark, position)) >= 0:
            yield position
            position += 1

    def _pairs(self, position: int) -> Iterator[int]:
        """Places before what may be a length and its inversion."""
        skipped = 8 if self.version == 2 else 0
        position += skipped
        while match := _LENGTHS.search(self.data, position):
            yield match.start() - skipped
            position = match.start() + 1

    def _lengths(self, position: int) -> tuple[int, ...]:
        """What the header at ``position`` says of the whole record's length, twice."""
        header, skipped = (_HEADER.size, 8) if self.version == 2 else (_HEADER_1.size, 0)
        if position + header > len(self.data):
            return ()
        length, inverted = struct.unpack_from(">II", self.data, position + skipped)
        return header + length, header + (inverted ^ _INVERT)

    def _cut_short(self, position: int) -> bool:
        """Whether what is left is the beginning of a record, or zeros, as a file system may leave them."""
        lengths = self._lengths(position)
        if not lengths or not self.data[position:].strip(b"\0"):
            return True
        return lengths[0] == lengths[1] and position + lengths[0] > len(self.data)
