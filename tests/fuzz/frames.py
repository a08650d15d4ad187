"""Sends a node conversations whose frames are not quite valid, in pieces of any size.

A finding is a ServerError, a fault that the node noted or raised, an answer that is no frame, a sound conversation that
is not answered frame by frame, bytes that are kept of one that has ended, or time and memory beyond the bounds.
"""

from __future__ import annotations

import random
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embedded_scylla.protocol import frame

from .findings import Tally
from .node import SERVER_ERROR, Node, framed
from .player import Player

RESPONSES = {
    frame.ERROR: "ERROR", frame.READY: "READY", frame.AUTHENTICATE: "AUTHENTICATE", frame.SUPPORTED: "SUPPORTED",
    frame.RESULT: "RESULT", frame.AUTH_SUCCESS: "AUTH_SUCCESS",
}  # fmt: skip
_NUMBERS = {
    1: (0, 1, 127, 128, 255),
    2: (0, 1, 255, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF),
    4: (0, 1, 65_536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF),
    8: (0, 1, 2**63 - 1, 2**63, 2**64 - 1),
}
_COMPRESSED_START = framed(
    frame.STARTUP, b"\0\2\0\x0bCQL_VERSION\0\x053.3.1\0\x0bCOMPRESSION\0\x03lz4"
)  # fmt: skip


@dataclass
class Sent:
    """A request as it goes over the wire. ``length`` is what its header says of the body, None: the truth."""

    version: int
    flags: int
    stream: int
    opcode: int
    body: bytes
    length: int | None = None

    @classmethod
    def of(cls, data: bytes) -> Sent:
        *head, _ = frame.HEADER.unpack_from(data)
        return cls(*head, data[frame.HEADER.size :])

    def __bytes__(self) -> bytes:
        length = len(self.body) if self.length is None else self.length
        return frame.HEADER.pack(self.version, self.flags, self.stream, self.opcode, length) + self.body


class Spoiler:
    """Changes frames, one thing at a time."""

    def __init__(self, chance: random.Random):
        self._chance = chance
        self._ways = (
            (self._opcode, 2), (self._version, 1), (self._flags, 2), (self._length, 3), (self._cut, 3),
            (self._longer, 1), (self._flip, 3), (self._number, 6), (self._repeat, 2),
        )  # fmt: skip

    def spoil(self, frames: list[Sent]) -> None:
        """One frame, or which there are and in which order."""
        chance = self._chance
        index = chance.randrange(len(frames))
        match chance.randrange(12):
            case 0:
                frames.append(frames[index])
            case 1 if len(frames) > 1:
                del frames[index]
            case 2:
                chance.shuffle(frames)
            case _:
                way = chance.choices([way for way, _ in self._ways], [weight for _, weight in self._ways])[0]
                way(frames[index])

    def spoil_bytes(self, data: bytes) -> bytes:
        """What is on the wire, whichever frames it belongs to."""
        at, chance = self._chance.randrange(len(data) + 1), self._chance
        return chance.choice((data[:at], data[:at] + chance.randbytes(3) + data[at:], data[:at] + data[at + 2 :]))

    def _opcode(self, sent: Sent) -> None:
        sent.opcode = self._chance.choice((*range(0x12), 0x7F, 0xFF))

    def _version(self, sent: Sent) -> None:
        sent.version = self._chance.choice((0, 1, 2, 3, 3, 5, 6, 0x42, 0x84, 0xFF))

    def _flags(self, sent: Sent) -> None:
        sent.flags = self._chance.choice((1, 2, 2, 4, 8, 6, 16, 255))

    def _length(self, sent: Sent) -> None:
        size = len(sent.body)
        sent.length = max(0, self._chance.choice((size - 1, size + 1, size + 9, 0, 2**20, 2**28, 2**31, 2**32 - 1)))

    def _cut(self, sent: Sent) -> None:
        sent.body = sent.body[: self._chance.randrange(len(sent.body) + 1)]

    def _longer(self, sent: Sent) -> None:
        sent.body += self._chance.randbytes(self._chance.choice((1, 4, 100)))

    def _flip(self, sent: Sent) -> None:
        if sent.body:
            data, at = bytearray(sent.body), self._chance.randrange(len(sent.body))
            data[at] ^= 1 << self._chance.randrange(8)
            sent.body = bytes(data)

    def _number(self, sent: Sent) -> None:
        """A count, a length or a level is an extreme one."""
        width = self._chance.choice((1, 2, 2, 4, 4, 8))
        if len(sent.body) >= width:
            at = self._chance.choice((0, self._chance.randrange(len(sent.body) - width + 1)))
            number = self._chance.choice(_NUMBERS[width]).to_bytes(width, "big")
            sent.body = sent.body[:at] + number + sent.body[at + width :]

    def _repeat(self, sent: Sent) -> None:
        start, end = sorted(self._chance.choices(range(len(sent.body) + 1), k=2))
        times = self._chance.choice((1, 1, 2, 300))
        sent.body = sent.body[:start] + sent.body[start:end] * times + sent.body[start:]


class Conversations:
    """Clients that talk to one node, each with a connection of its own."""

    def __init__(self, directory: Path, seed: int, tally: Tally):
        self.tally = tally
        self.player = Player(directory, seed, tally, guarded=seed % 2 == 1)
        self.chance = self.player.chance
        self.spoiler = Spoiler(self.chance)

    def play(self, conversations: int) -> None:
        for _ in range(conversations):
            self.step()

    def step(self) -> None:
        """One conversation; most of them spoiled."""
        chance = self.chance
        self.player.pass_time()
        frames = self.frames()
        sound = chance.random() < 0.1
        for _ in range(0 if sound else chance.choice((1, 1, 2, 3))):
            if frames:
                self.spoiler.spoil(frames)
        data = b"".join(map(bytes, frames))
        if not sound and chance.random() < 0.1:
            data = self.spoiler.spoil_bytes(data)
        answers = hold(self.player.node, pieces(data, chance), chance)
        self.tally.conversations += 1
        self.tally.frames += len(frames)
        if sound and len(answers) != len(frames):
            self.tally.found("not answered frame by frame", "frames", written([data]), repr(answers))
        self.player.look_around()

    def frames(self) -> list[Sent]:
        """A sound conversation: how it is opened, and some requests."""
        chance, node = self.chance, self.player.node
        frames = [Sent.of(data) for data in node.opening("ada")]
        if chance.random() < 0.1:
            frames[0] = Sent.of(_COMPRESSED_START)
        if chance.random() < 0.2:
            frames.insert(0, Sent.of(framed(frame.OPTIONS, b"")))
        if chance.random() < 0.2:
            frames.append(Sent.of(framed(frame.REGISTER, b"\0\1\0\x0dSCHEMA_CHANGE")))
        for _ in range(chance.choice((1, 2, 3))):
            made = self.player.grammar.statement()
            opcode, body = self.player.first(str(made.whole), made.bound)
            frames.append(Sent.of(framed(opcode, body)))
            if opcode == frame.PREPARE:
                opcode, prepared = node.ask(node.user, opcode, body)
                if opcode == frame.RESULT:
                    opcode, body, _ = self.player.second(prepared)
                    frames.append(Sent.of(framed(opcode, body)))
        for stream, sent in enumerate(frames):
            sent.stream = stream
            sent.flags = frame.TRACING if chance.random() < 0.02 else 0
        return frames

    def close(self) -> None:
        self.player.close()


def pieces(data: bytes, chance: random.Random) -> list[bytes]:
    """The bytes as a socket may give them: all at once, in a few pieces, one by one."""
    match chance.randrange(4):
        case 0 if len(data) < 2000:
            return [data[at : at + 1] for at in range(len(data))]
        case 1 | 2:
            cuts = sorted(chance.choices(range(len(data) + 1), k=chance.randrange(1, 6)))
            return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    return [data]


def hold(node: Node, sent: list[bytes], chance: random.Random) -> list[tuple[int, bytes]]:
    """Have a conversation, and judge it; the answers by opcode and body. Now and then there is no room for one."""
    case, tally = written(sent), node.tally
    received: list[bytes] = []

    def take(data: bytes) -> bool:
        received.append(data)
        return chance.random() < 0.9

    connection = node.connection(take)
    with tally.bounded("frames", case):
        try:
            for piece in sent:
                connection.feed(piece)
                while connection.crowded and not connection.closing:
                    connection.feed(b"")
                if connection.closing:
                    break
        except Exception as error:
            tally.found(f"raised {type(error).__name__}: {error}"[:80], "frames", case, traceback.format_exc())
    if connection.closing and connection.held:
        tally.found("bytes kept of what has ended", "frames", case, str(connection.held))
    answers = []
    for data in received:
        version, _, _, opcode, length = frame.HEADER.unpack_from(data)
        body = data[frame.HEADER.size :]
        if opcode not in RESPONSES or length != len(body) or version & 0x7F not in frame.SUPPORTED_VERSIONS:
            tally.found("an answer that is no frame", "frames", case, repr(data[:200]))
        tally.answers[RESPONSES.get(opcode, "none")] += 1
        answers.append((opcode, body))
    faulty = (answer for answer in answers if answer[0] == frame.ERROR and answer[1].startswith(SERVER_ERROR))
    node.judge(*next(faulty, (-1, b"")), "frames", case)
    opcode, body = node.ask(node.user, frame.OPTIONS, b"")
    if opcode != frame.SUPPORTED:
        tally.found("the next client is not answered", "frames", case, repr(body))
        node.connect()
    return answers


def written(sent: list[bytes]) -> bytes:
    """A conversation as a file: a line of hexadecimal for each piece."""
    return "".join(f"{piece.hex()}\n" for piece in sent).encode()


def conversations(directory: Path, first_seed: int, tally: Tally, count: int) -> Iterator[None]:
    """Nodes one after the other, each with so many conversations, every second one with passwords."""
    seed = first_seed
    while True:
        played = Conversations(directory / f"frames-{seed}", seed, tally)
        try:
            played.play(count)
            yield
        finally:
            played.close()
        seed += 1
