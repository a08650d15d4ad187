"""A node without sockets, which is asked in frames, and what it says that it should not."""

from __future__ import annotations

import struct
import traceback
from collections.abc import Callable
from pathlib import Path

from embedded_scylla.assembly import assemble
from embedded_scylla.clock import Clock
from embedded_scylla.notices import Notices
from embedded_scylla.protocol import frame
from embedded_scylla.protocol.access import Access
from embedded_scylla.protocol.connection import Connection

from .findings import Tally

BEGIN = 1_700_000_000  # seconds: when the node's clock starts
SERVER_ERROR = b"\0\0\0\0"
KEYSPACES = ("ks", "other")


class Faults(Notices):
    """Keeps what the node says of its own faults."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[BaseException] = []

    def fault(self, where: str, error: BaseException) -> None:
        self.errors.append(error)


class Node:
    """One node, kept in ``directory``. ``guarded``: it asks for passwords. ``time`` is what its clock shows."""

    def __init__(self, directory: Path, tally: Tally, guarded: bool = False):
        self.directory, self.tally, self.guarded = directory, tally, guarded
        self.time = float(BEGIN)
        self.start()

    def start(self) -> None:
        """Start it from what it kept."""
        self.assembly = assemble(self.directory, clock=Clock(lambda: int(self.time * 1_000_000_000)))
        self.engine, self.prepared = self.assembly.engine, self.assembly.prepared
        self.faults = Faults()
        if self.guarded:
            self.engine.roles.enforce("ada", "door")
        self.connect()

    def close(self) -> None:
        self.engine.close()

    def abandon(self) -> None:
        """Leave its directory as a kill does."""
        self.engine.persistence.abandon()

    # ------------------------------------------------------------ connections

    def connect(self) -> None:
        """Connections of its own: of ``user``, and of ``guest``, who may not do everything, where there is one."""
        self.answers: list[bytes] = []
        self.user = self._logged_in("ada")
        self.guest = self._logged_in("bo") if self.guarded and "bo" in self.engine.roles.by_name else None

    def connection(self, send: Callable[[bytes], bool]) -> Connection:
        """A new one, to which nothing has been said."""
        access = Access(user="ada", password="door") if self.guarded else Access()
        return Connection(self.engine, self.prepared, ("127.0.0.1", 1), send, self.faults, access=access)

    def opening(self, user: str) -> list[bytes]:
        """The frames with which a conversation begins."""
        frames = [framed(frame.STARTUP, b"\0\1\0\x0bCQL_VERSION\0\x053.3.1")]
        if self.guarded:
            token = f"\0{user}\0{'door' if user == 'ada' else 'window'}".encode()
            frames.append(framed(frame.AUTH_RESPONSE, struct.pack(">i", len(token)) + token))
        if "ks" in self.engine.schema.keyspaces:
            frames.append(framed(frame.QUERY, query("USE ks")))
        return frames

    def _logged_in(self, user: str) -> Connection:
        def take(data: bytes) -> bool:
            self.answers.append(data)
            return True

        made = self.connection(take)
        for each in self.opening(user):
            made.feed(each)
        self.answers.clear()
        return made

    # ------------------------------------------------------------ questions

    def ask(self, who: Connection, opcode: int, body: bytes) -> tuple[int, bytes]:
        """The answer's opcode and body; -1 where there is none."""
        self.answers.clear()
        who.feed(framed(opcode, body))
        if len(self.answers) != 1:
            return -1, b""
        _, flags, _, opcode, _ = frame.HEADER.unpack_from(self.answers[0])
        body = self.answers[0][frame.HEADER.size :]
        if flags & frame.WARNING:
            reader = frame.Reader(body)
            reader.string_list()
            body = body[reader.at :]
        return opcode, body

    def must(self, text: str) -> bytes:
        """Have a statement carried out; the answer's body."""
        opcode, body = self.ask(self.user, frame.QUERY, query(text))
        assert opcode == frame.RESULT, (text, body)
        return body

    def judge(self, opcode: int, body: bytes, kind: str, case: bytes) -> None:
        """Whether the node noted a fault of its own, or told of one."""
        for error in self.faults.errors:
            frames = traceback.extract_tb(error.__traceback__)[-1:]
            where = f"{type(error).__name__} {[(Path(f.filename).name, f.lineno) for f in frames]}"
            story = "".join(traceback.format_exception(error)[-12:])
            self.tally.found(where, kind, case, story)
        if opcode == frame.ERROR and body[:4] == SERVER_ERROR and not self.faults.errors:
            self.tally.found(f"ServerError {sentence(body)[:60]}", kind, case)
        self.faults.errors.clear()

    def told(self, kind: str, case: bytes) -> dict[str, bytes]:
        """What the node says of all that it has, as it goes over the wire."""
        asked = ["DESCRIBE FULL SCHEMA WITH INTERNALS"]
        if self.guarded:
            asked += ["LIST ROLES", "LIST ALL PERMISSIONS", "LIST ALL SERVICE LEVELS"]
        for keyspace in KEYSPACES:
            if keyspace in self.engine.schema.keyspaces:
                for name in sorted(self.engine.schema.keyspaces[keyspace].tables):
                    quoted = '"' + name.replace('"', '""') + '"'
                    asked.append(f"SELECT * FROM {keyspace}.{quoted}")
        said = {}
        for text in asked:
            opcode, said[text] = self.ask(self.user, frame.QUERY, query(text))
            self.judge(opcode, said[text], kind, case)
        return said


def framed(opcode: int, body: bytes) -> bytes:
    return frame.HEADER.pack(4, 0, 0, opcode, len(body)) + body


def long_text(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">i", len(data)) + data


def query(text: str) -> bytes:
    """The body of a QUERY without values."""
    return long_text(text) + b"\0\1\0"


def sentence(body: bytes) -> str:
    """What an ERROR says."""
    return body[6:].decode(errors="replace") if len(body) > 6 else repr(body)
