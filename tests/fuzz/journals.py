"""Damages data directories, starts nodes in them, and looks whether all that is sound is served.

A finding is a node that does not start, a fault that it noted, a sound record that is not read, a loss that nobody is
told of, a node that says something else at its next start, or time and memory beyond the bounds.
"""

from __future__ import annotations

import contextlib
import io
import marshal
import random
import shutil
import struct
import traceback
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from embedded_scylla.storage.journal import Journal

from .findings import Tally
from .node import Node
from .player import Player

STATEMENTS = 150  # before a directory is damaged
_HEADER = struct.Struct(">IIIII")  # of a record: mark, number, length, its inversion, checksum


class Written(NamedTuple):
    """A record as it stands in a file, and what it says."""

    data: bytes
    record: tuple


def records_of(data: bytes) -> list[Written]:
    """Those of a sound file."""
    found, at = [], data.index(b"\n") + 1
    while at < len(data):
        end = at + _HEADER.size + _HEADER.unpack_from(data, at)[2]
        found.append(Written(data[at:end], marshal.loads(data[at + _HEADER.size : end])))
        at = end
    return found


class Directories:
    """Copies of one node's directory, damaged in a way of its own each."""

    def __init__(self, directory: Path, seed: int, tally: Tally):
        self.directory, self.tally = directory, tally
        self.player = Player(directory / "sound", seed, tally)
        self.chance = self.player.chance

    def play(self, times: int) -> None:
        """Let the node write some more, leave it as a kill does, and damage what it left so many times."""
        for _ in range(STATEMENTS):
            self.player.step()
        if self.chance.random() < 0.5:
            self.player.node.engine.persistence.snapshot()
            for _ in range(STATEMENTS // 4):
                self.player.step()
        self.player.node.abandon()
        sound = contents(self.player.node.directory)
        for _ in range(times):
            damaged = damage(sound, self.chance)
            self.tally.directories += 1
            opened(self.directory / "damaged", damaged, sound, self.tally)
        self.player.node.start()
        self.player.look_around()

    def close(self) -> None:
        self.player.close()


# ---------------------------------------------------------------- damage


def damage(sound: dict[str, bytes], chance: random.Random) -> dict[str, bytes]:
    """The files of a directory, one or two of them not as they were."""
    files = dict(sound)
    for _ in range(chance.choice((1, 1, 2))):
        name = chance.choice([name for name in sorted(files) if name != "lock"])
        match chance.randrange(12):
            case 0:
                files[f"{name}{chance.choice(('.new', '.corrupt', '0', '-'))}"] = files[name]
            case 1:
                files[name] = b""
            case _:
                files[name] = spoiled(files[name], chance)
    return files


def spoiled(data: bytes, chance: random.Random) -> bytes:
    """Bits flipped, the end cut off, a piece cut out, zeroed or put in."""
    if not data:
        return chance.randbytes(20)
    start = chance.randrange(len(data))
    end = min(len(data), start + chance.choice((1, 2, 4, 20, 300, 4096)))
    match chance.randrange(6):
        case 0 | 1:
            flipped = bytearray(data)
            for at in (start, *chance.choices(range(len(data)), k=chance.choice((0, 0, 1, 5)))):
                flipped[at] ^= 1 << chance.randrange(8)
            return bytes(flipped)
        case 2:
            return data[:start]
        case 3:
            return data[:start] + data[end:]
        case 4:
            return data[:start] + bytes(end - start) + data[end:]
    return data[:start] + chance.randbytes(end - start) + data[start:]


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


# ---------------------------------------------------------------- what is made of it


def opened(directory: Path, damaged: dict[str, bytes], sound: dict[str, bytes], tally: Tally) -> None:
    """Start a node in these files, twice, and judge what it says. ``sound``: the files as they were."""
    case = zipped(damaged, sound)
    with tally.bounded("zip", case):
        try:
            with contextlib.redirect_stderr(io.StringIO()):  # what is lost is said there, and in the notices
                _read(directory, damaged, sound, tally, case)
                _served(directory, damaged, tally, case)
        except Exception as error:
            tally.found(f"raised {type(error).__name__}: {error}"[:80], "zip", case, traceback.format_exc())


def _read(directory: Path, damaged: dict[str, bytes], sound: dict[str, bytes], tally: Tally, case: bytes) -> None:
    """Every sound record is read, and what is lost between two is told."""
    journal = Journal(laid_out(directory, damaged))
    try:
        read = list(journal.replay())
    finally:
        journal.close()
    for name, data in sound.items():
        if not name.startswith(("journal-", "snapshot-")) or not damaged.get(name):
            continue
        written = [each for each in records_of(data) if not each.record[0].startswith(".")]
        there = [each.data in damaged[name] for each in written]
        tally.records += len(written)
        tally.records_lost += there.count(False)
        missing = [each for each, is_there in zip(written, there, strict=True) if is_there and each.record not in read]
        if missing:
            story = f"{len(missing)} of {name}, the first {missing[0].record!r:.500}\n{journal.notices}"
            tally.found("a sound record is not read", "zip", case, story)
        if (False, True) in pairwise(there) and not journal.notices:
            tally.found("a loss that nobody is told of", "zip", case, name)


def _served(directory: Path, damaged: dict[str, bytes], tally: Tally, case: bytes) -> None:
    """It starts, answers, and says the same after the next start."""
    node = Node(laid_out(directory, damaged), tally)
    before = node.told("zip", case)
    node.close()
    node.start()
    after = node.told("zip", case)
    node.close()
    for text in sorted(before.keys() | after.keys()):
        if before.get(text) != after.get(text):
            story = f"before: {before.get(text)!r:.3000}\nafter:  {after.get(text)!r:.3000}"
            tally.found(f"the next start differs: {text}", "zip", case, story)


def laid_out(directory: Path, files: dict[str, bytes]) -> Path:
    """An empty ``directory`` with these files."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, data in files.items():
        (directory / name).write_bytes(data)
    return directory


def zipped(damaged: dict[str, bytes], sound: dict[str, bytes]) -> bytes:
    """A directory as it is and, in a folder ``sound``, as it was, in one file."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder, files in (("", damaged), ("sound/", sound)):
            for name, content in sorted(files.items()):
                archive.writestr(zipfile.ZipInfo(folder + name), content)
    return data.getvalue()


def unzipped(data: bytes) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The directory as it is, and as it was."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    sound = {name.removeprefix("sound/"): content for name, content in files.items() if name.startswith("sound/")}
    return {name: content for name, content in files.items() if not name.startswith("sound/")}, sound


def directories(directory: Path, first_seed: int, tally: Tally, times: int) -> Iterator[None]:
    """Nodes one after the other, whose directories are damaged so many times."""
    seed = first_seed
    while True:
        played = Directories(directory / f"journals-{seed}", seed, tally)
        try:
            for _ in range(3):
                played.play(times)
                yield
        finally:
            played.close()
            shutil.rmtree(played.directory, ignore_errors=True)
        seed += 1
