"""Plays statements to a node without sockets, as frames, and says what nobody should be answered.

A finding is a ServerError, a fault that the node noted, an answer that does not come, a conversation that ends, or a
node that after a restart answers otherwise than before.
"""

from __future__ import annotations

import random
import struct
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from embedded_scylla import types
from embedded_scylla.assembly import assemble
from embedded_scylla.clock import Clock
from embedded_scylla.notices import Notices
from embedded_scylla.protocol import frame
from embedded_scylla.protocol.access import Access
from embedded_scylla.protocol.connection import Connection

from .parts import MARKER, Damage
from .shapes import BASE, COUNTER, FOLLOW, LOGGED, Table, World
from .statements import Grammar, Statement
from .values import Type, broken, type_text, wire

KEYSPACE = (
    "CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1} "
    "AND tablets = {'enabled': false}"
)
BEGIN = 1_700_000_000  # seconds: when the node's clock starts
LONGEST = 5.0  # seconds that one statement may take
SCHEMA_CHANGE, ROWS, PREPARED = 5, 2, 4
_CREATE = "CREATE TYPE ks.{} ({})"


@dataclass
class Finding:
    """``where`` tells one kind from another; ``values`` are what was bound."""

    where: str
    text: str
    values: list[bytes | str | None]
    story: str


class _Faults(Notices):
    """Keeps what the node says of its own faults."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[BaseException] = []

    def fault(self, where: str, error: BaseException) -> None:
        self.errors.append(error)


@dataclass
class Tally:
    """How many statements were asked; of which kinds; what of the valid ones was carried out; the refusals of those."""

    asked: int = 0
    valid: Counter[str] = field(default_factory=Counter)
    carried_out: Counter[str] = field(default_factory=Counter)
    damaged: int = 0
    damaged_refused: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    findings: dict[str, Finding] = field(default_factory=dict)

    def found(self, finding: Finding) -> None:
        self.findings.setdefault(finding.where, finding)


class Player:
    """One node, kept in ``directory``, with what the grammar knows of it. ``guarded``: it asks for passwords."""

    def __init__(self, directory: Path, seed: int, tally: Tally, guarded: bool = False):
        self.chance = random.Random(seed)
        self.tally, self.directory, self.guarded = tally, directory, guarded
        self.seed, self.time = seed, float(BEGIN)
        self.world = World(self.chance)
        self.grammar, self.damage = Grammar(self.world, self.chance), Damage(self.chance)
        self.start()
        self.make_tables()

    # ------------------------------------------------------------ the node

    def start(self) -> None:
        self.node = assemble(self.directory, clock=Clock(lambda: int(self.time * 1_000_000_000)))
        self.faults = _Faults()
        if self.guarded:
            self.node.engine.roles.enforce("ada", "door")
        self.connect()

    def connect(self) -> None:
        self.answers: list[bytes] = []
        self.user = self._connection("ada")
        self.guest = self._connection("bo") if self.guarded and "bo" in self.node.engine.roles.by_name else None

    def _connection(self, user: str) -> Connection:
        access = Access(user="ada", password="door") if self.guarded else Access()

        def take(data: bytes) -> bool:
            self.answers.append(data)
            return True

        engine, prepared = self.node.engine, self.node.prepared
        made = Connection(engine, prepared, ("127.0.0.1", 1), take, self.faults, access=access)
        made.feed(_frame(frame.STARTUP, b"\0\1\0\x0bCQL_VERSION\0\x053.3.1"))
        if self.guarded:
            token = f"\0{user}\0{'door' if user == 'ada' else 'window'}".encode()
            made.feed(_frame(frame.AUTH_RESPONSE, struct.pack(">i", len(token)) + token))
        if "ks" in engine.schema.keyspaces:
            made.feed(_frame(frame.QUERY, _query("USE ks")))
        self.answers.clear()
        return made

    def make_tables(self) -> None:
        """The keyspace, and what is there from the beginning."""
        self.must(KEYSPACE)
        self.connect()
        self.world.begin()
        for name, user_type in self.world.types.items():
            fields = ", ".join(f"{field} {type_text(type)}" for field, type in user_type[2:])
            self.must(_CREATE.format(name, fields))
        for table in BASE:
            self.must(_create(table))
        for text in FOLLOW:
            self.must(text)
        if self.guarded and self.guest is None:
            self.must("CREATE ROLE IF NOT EXISTS bo WITH PASSWORD = 'window' AND LOGIN = true")
            self.must("GRANT SELECT ON KEYSPACE ks TO bo")
            self.connect()

    def must(self, text: str) -> bytes:
        """Have a statement carried out; the answer's body."""
        opcode, body = self._ask(self.user, frame.QUERY, _query(text))
        assert opcode == frame.RESULT, (text, body)
        return body

    # ------------------------------------------------------------ one statement

    def play(self, statements: int) -> None:
        """So many statements, half of them damaged; a restart at the end."""
        for _ in range(statements):
            self.step()
        self.restart()

    def step(self) -> None:
        chance, tally = self.chance, self.tally
        if chance.random() < 0.05:
            self.time += chance.choice((0.001, 1, 1, 30, 200))
        made = self.grammar.statement()
        damaged = chance.random() < 0.5
        if chance.random() < 0.2:
            self.damage.remember(made.whole)
        text = self.damage.do(made.whole) if damaged else str(made.whole)
        tally.asked += 1
        opcode, body = self.ask(text, made.bound)
        carried_out = opcode == frame.RESULT
        if damaged:
            tally.damaged += 1
            tally.damaged_refused += not carried_out
        else:
            tally.valid[made.kind] += 1
            tally.carried_out[made.kind] += carried_out
            if not carried_out:
                tally.refusals[f"{made.kind}: {_sentence(body)[:90]}"] += 1
        if carried_out:
            self._learn(made, damaged, body)

    def _learn(self, made: Statement, damaged: bool, body: bytes) -> None:
        if body[:4] != struct.pack(">i", SCHEMA_CHANGE):
            return
        if made.effect is not None and not damaged:
            made.effect()
        keyspace = self.node.engine.schema.keyspaces.get("ks")
        if keyspace is None:
            self.make_tables()
        else:
            columns = {name: set(table.columns) for name, table in keyspace.tables.items()}
            self.world.match(columns, set(keyspace.types))

    def ask(self, text: str, bound: bool) -> tuple[int, bytes]:
        """The answer's opcode and body."""
        chance = self.chance
        who = self.guest if self.guest is not None and chance.random() < 0.1 else self.user
        began = time.perf_counter()
        shown: list[bytes | str | None] = []
        if not (bound or MARKER in text or ":x" in text) or chance.random() < 0.02:
            opcode, body = self._ask(who, frame.QUERY, _long(text) + self._parameters(b""))
        else:
            opcode, body = self._ask(who, frame.PREPARE, _long(text))
            if opcode == frame.RESULT:
                (size,) = struct.unpack_from(">H", body, 4)
                statement_id = body[6 : 6 + size]
                shown = self._values([spec.type for spec in self.node.prepared.get(statement_id).variables])
                values = struct.pack(">H", len(shown)) + b"".join(map(_value, shown)) if shown else b""
                if chance.random() < 0.1:
                    opcode, body = self._batch(who, statement_id, shown)
                else:
                    request = struct.pack(">H", size) + statement_id + self._parameters(values)
                    opcode, body = self._ask(who, frame.EXECUTE, request)
        self._judge(who, opcode, body, text, shown, time.perf_counter() - began)
        return opcode, body

    def _batch(self, who: Connection, statement_id: bytes, shown: list[bytes | str | None]) -> tuple[int, bytes]:
        values = struct.pack(">H", len(shown)) + b"".join(map(_value, shown))
        one = b"\1" + struct.pack(">H", len(statement_id)) + statement_id + values
        count = self.chance.choice((1, 1, 2))
        kind = self.chance.randrange(3)
        return self._ask(who, frame.BATCH, bytes([kind]) + struct.pack(">H", count) + one * count + b"\0\1\0")

    def _values(self, wanted: list[types.CqlType]) -> list[bytes | str | None]:
        chance = self.chance
        wrong = chance.random() < 0.3
        made: list[bytes | str | None] = []
        for each in wanted:
            value = wire(type_of(each), chance)
            match chance.randrange(30):
                case 0:
                    made.append(None)
                case 1:
                    made.append("UNSET")
                case _ if wrong and chance.random() < 0.5:
                    made.append(broken(value, chance))
                case _:
                    made.append(value)
        if chance.random() < 0.01:
            made = chance.choice((made[:-1], [*made, b"\0"]))
        return made

    def _parameters(self, values: bytes) -> bytes:
        """What follows the statement: a level, sometimes a page size, a paging state, a timestamp."""
        chance = self.chance
        flags, rest = (1, values) if values else (0, b"")
        level = 1 if chance.random() < 0.9 else chance.randrange(11)
        if chance.random() < 0.3:
            flags |= 4
            rest += struct.pack(">i", chance.choice((1, 2, 10, 100, 5000, 0, -1)))
        if chance.random() < 0.02:
            state = chance.randbytes(chance.choice((0, 1, 4, 16, 60)))
            flags |= 8
            rest += struct.pack(">i", len(state)) + state
        if chance.random() < 0.02:
            flags |= 16
            rest += struct.pack(">H", chance.choice((8, 9)))
        if chance.random() < 0.1:
            flags |= 32
            rest += struct.pack(">q", chance.choice((0, -1, 1, int(self.time * 1e6), 2**63 - 1, -(2**63))))
        return struct.pack(">HB", level, flags) + rest

    def _ask(self, who: Connection, opcode: int, body: bytes) -> tuple[int, bytes]:
        self.answers.clear()
        who.feed(_frame(opcode, body))
        if len(self.answers) != 1:
            return -1, b""
        _, flags, _, opcode, _ = frame.HEADER.unpack_from(self.answers[0])
        body = self.answers[0][frame.HEADER.size :]
        if flags & frame.WARNING:
            reader = frame.Reader(body)
            reader.string_list()
            body = body[reader.at :]
        return opcode, body

    def _judge(
        self, who: Connection, opcode: int, body: bytes, text: str, values: list[bytes | str | None], took: float
    ) -> None:
        for error in self.faults.errors:
            frames = traceback.extract_tb(error.__traceback__)[-1:]
            where = f"{type(error).__name__} {[(Path(f.filename).name, f.lineno) for f in frames]}"
            story = "".join(traceback.format_exception(error)[-12:])
            self.tally.found(Finding(where, text, values, story))
        if opcode == frame.ERROR and body[:4] == b"\0\0\0\0" and not self.faults.errors:
            self.tally.found(Finding(f"ServerError {_sentence(body)[:60]}", text, values, ""))
        if opcode == -1 or who.closing:
            self.tally.found(Finding("no answer", text, values, ""))
            self.connect()
        if took > LONGEST:
            self.tally.found(Finding("slow", text, values, f"{took:.1f} s"))
        self.faults.errors.clear()

    # ------------------------------------------------------------ restarts

    def told(self) -> dict[str, bytes]:
        """What the node says of all that it has, as it goes over the wire."""
        asked = ["DESCRIBE FULL SCHEMA WITH INTERNALS"]
        if self.guarded:
            asked += ["LIST ROLES", "LIST ALL PERMISSIONS", "LIST ALL SERVICE LEVELS"]
        said = {}
        for keyspace in ("ks", "other"):
            if keyspace in self.node.engine.schema.keyspaces:
                for name in sorted(self.node.engine.schema.keyspaces[keyspace].tables):
                    quoted = '"' + name.replace('"', '""') + '"'
                    asked.append(f"SELECT * FROM {keyspace}.{quoted}")
        for text in asked:
            _, said[text] = self._ask(self.user, frame.QUERY, _query(text))
            self._judge(self.user, 0, b"", text, [], 0.0)
        return said

    def restart(self) -> None:
        """End the node, start it from what it kept, and compare."""
        before = self.told()
        self.node.engine.close()
        self.start()
        self.tally.restarts += 1
        notices = list(self.node.engine.persistence.notices)
        if notices:
            self.tally.found(Finding(f"notices {notices[0][:60]}", f"seed {self.seed}", [], "\n".join(notices)))
        after = self.told()
        for text in sorted(before.keys() | after.keys()):
            if before.get(text) != after.get(text):
                story = f"before: {before.get(text)!r:.3000}\nafter:  {after.get(text)!r:.3000}"
                self.tally.found(Finding(f"restart {text}", f"seed {self.seed}", [], story))

    def close(self) -> None:
        self.node.engine.close()


def runs(directory: Path, first_seed: int, tally: Tally, statements: int) -> Iterator[None]:
    """Nodes one after the other, each asked so many statements, every second one with passwords."""
    seed = first_seed
    while True:
        player = Player(directory / str(seed), seed, tally, guarded=seed % 2 == 1)
        try:
            for _ in range(2):
                player.play(statements // 2)
                yield
        finally:
            player.close()
        seed += 1


def type_of(type: types.CqlType) -> Type:
    """A node's type as the grammar has it."""
    if isinstance(type, types.UserType):
        fields = ((name, type_of(t)) for name, t in zip(type.fields, type.types, strict=True))
        return ("udt", type.type_name, *fields)
    if isinstance(type, types.TupleType):
        return ("tuple", *map(type_of, type.types))
    if isinstance(type, types.VectorType):
        return ("vector", type_of(type.element), type.dimension)
    if isinstance(type, types.MapType):
        return ("map", type_of(type.key), type_of(type.value))
    if isinstance(type, types.ListType):
        return ("list", type_of(type.element))
    if isinstance(type, types.SetType):
        return ("set", type_of(type.element))
    return COUNTER if type is types.COUNTER else (type.name,)


def _create(table: Table) -> str:
    columns = [
        f"{name} {type_text(type)}{' static' if name in table.static else ''}" for name, type in table.columns.items()
    ]
    key = ", ".join([f"({', '.join(table.partition)})", *table.clustering])
    order = ", ".join(f"{c} {'DESC' if c in table.descending else 'ASC'}" for c in table.clustering)
    options = [f"CLUSTERING ORDER BY ({order})"] if order else []
    options += [LOGGED] if table.name == "logged" else []
    rest = f" WITH {' AND '.join(options)}" if options else ""
    return f"CREATE TABLE ks.{table.name} ({', '.join(columns)}, PRIMARY KEY ({key})){rest}"


def _frame(opcode: int, body: bytes) -> bytes:
    return frame.HEADER.pack(4, 0, 0, opcode, len(body)) + body


def _long(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">i", len(data)) + data


def _query(text: str) -> bytes:
    return _long(text) + b"\0\1\0"


def _value(value: bytes | str | None) -> bytes:
    if isinstance(value, bytes):
        return struct.pack(">i", len(value)) + value
    return struct.pack(">i", -1 if value is None else -2)


def _sentence(body: bytes) -> str:
    return body[6:].decode(errors="replace") if len(body) > 6 else repr(body)
