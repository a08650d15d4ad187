"""What is known to be on the disk, kept beside the journal, so that a file that was shortened or removed is missed.

One line in the file ``state``: the journal's number, the directory's mark, bytes, records, and the line's CRC-32. It is
written each time when the journal was synced, and never itself forced to the disk: an old one claims less.
"""

from __future__ import annotations

import contextlib
import os
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from .disk import BINARY, OWNER_ONLY, Progress

_LINE = re.compile(rb"(journal (\d+) mark ([0-9a-f]{8}) bytes (\d+) records (\d+) )([0-9a-f]{8})\n")
_WIDTH = 128


@dataclass(frozen=True)
class Known:
    number: int
    mark: int
    size: int
    records: int


class StateFile:
    """Opened when made, which raises OSError; ``known`` is what it held then, None if nothing that can be relied on."""

    def __init__(self, directory: Path):
        self._file = os.open(directory / "state", os.O_RDWR | os.O_CREAT | BINARY, OWNER_ONLY)
        match = _LINE.match(os.read(self._file, _WIDTH))
        self.known: Known | None = None
        if match is not None and zlib.crc32(match[1]) == int(match[6], 16):
            self.known = Known(int(match[2]), int(match[3], 16), int(match[4]), int(match[5]))

    def write(self, number: int, mark: int, progress: Progress) -> None:
        """Never fails: without it, less is known."""
        text = f"journal {number} mark {mark:08x} bytes {progress[0]} records {progress[1]} ".encode()
        line = (text + b"%08x\n" % zlib.crc32(text)).ljust(_WIDTH)
        with contextlib.suppress(OSError):
            os.lseek(self._file, 0, os.SEEK_SET)
            os.write(self._file, line)

    def close(self) -> None:
        os.close(self._file)
