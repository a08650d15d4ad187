"""Plays statements to a node, as frames, and says what nobody should be answered.

A finding is a ServerError, a fault that the node noted, an answer that does not come or costs too much, a conversation
that ends, or a node that after a restart answers otherwise than before.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path

from embedded_scylla import types
from embedded_scylla.protocol import frame

from .findings import Tally
from .node import Node, long_text, sentence
from .parts import MARKER, Damage
from .shapes import BASE, COUNTER, FOLLOW, LOGGED, Table, World
from .statements import Grammar, Statement
from .values import Type, broken, type_text, wire

KEYSPACE = (
    "CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1} "
    "AND tablets = {'enabled': false}"
)
SCHEMA_CHANGE = struct.pack(">i", 5)
_CREATE = "CREATE TYPE ks.{} ({})"
Values = list[bytes | str | None]  # what is bound: bytes, null, "UNSET"


class Player:
    """One node, kept in ``directory``, with what the grammar knows of it. ``guarded``: it asks for passwords."""

    def __init__(self, directory: Path, seed: int, tally: Tally, guarded: bool = False):
        self.chance = random.Random(seed)
        self.seed, self.tally = seed, tally
        self.node = Node(directory, tally, guarded)
        self.world = World(self.chance)
        self.grammar, self.damage = Grammar(self.world, self.chance), Damage(self.chance)
        self.make_tables()

    def make_tables(self) -> None:
        """The keyspace, and what is there from the beginning."""
        node = self.node
        node.must(KEYSPACE)
        node.connect()
        self.world.begin()
        for name, user_type in self.world.types.items():
            fields = ", ".join(f"{field} {type_text(type)}" for field, type in user_type[2:])
            node.must(_CREATE.format(name, fields))
        for table in BASE:
            node.must(_create(table))
        for text in FOLLOW:
            node.must(text)
        if node.guarded and node.guest is None:
            node.must("CREATE ROLE IF NOT EXISTS bo WITH PASSWORD = 'window' AND LOGIN = true")
            node.must("GRANT SELECT ON KEYSPACE ks TO bo")
            node.connect()

    # ------------------------------------------------------------ one statement

    def play(self, statements: int) -> None:
        """So many statements, half of them damaged; a restart at the end."""
        for _ in range(statements):
            self.step()
        self.restart()

    def step(self) -> None:
        chance, tally = self.chance, self.tally
        self.pass_time()
        made, damaged = self.grammar.statement(), chance.random() < 0.5
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
                tally.refusals[f"{made.kind}: {sentence(body)[:90]}"] += 1
        if carried_out:
            self._learn(made, damaged, body)

    def pass_time(self) -> None:
        if self.chance.random() < 0.05:
            self.node.time += self.chance.choice((0.001, 1, 1, 30, 200))

    def _learn(self, made: Statement, damaged: bool, body: bytes) -> None:
        if body[:4] != SCHEMA_CHANGE:
            return
        if made.effect is not None and not damaged:
            made.effect()
        self.look_around()

    def look_around(self) -> None:
        """Forget what is gone; make the keyspace anew when it is."""
        keyspace = self.node.engine.schema.keyspaces.get("ks")
        if keyspace is None:
            self.make_tables()
        else:
            columns = {name: set(table.columns) for name, table in keyspace.tables.items()}
            self.world.match(columns, set(keyspace.types))

    def ask(self, text: str, bound: bool) -> tuple[int, bytes]:
        """The answer's opcode and body."""
        node, values = self.node, []
        who = node.guest if node.guest is not None and self.chance.random() < 0.1 else node.user
        with self.tally.bounded("cql", text.encode()):
            opcode, body = self.first(text, bound)
            is_query = opcode == frame.QUERY
            opcode, body = node.ask(who, opcode, body)
            if opcode == frame.RESULT and not is_query:
                opcode, body, values = self.second(body)
                opcode, body = node.ask(who, opcode, body)
        case = (f"{text}\n-- bound: {values}" if values else text).encode()
        node.judge(opcode, body, "cql", case)
        if opcode == -1 or who.closing:
            self.tally.found("no answer", "cql", case)
            node.connect()
        return opcode, body

    def first(self, text: str, bound: bool) -> tuple[int, bytes]:
        """The request that carries out a statement, or prepares it: its opcode and body."""
        if not (bound or MARKER in text or ":x" in text) or self.chance.random() < 0.02:
            return frame.QUERY, long_text(text) + self._parameters(b"")
        return frame.PREPARE, long_text(text)

    def second(self, prepared: bytes) -> tuple[int, bytes, Values]:
        """The request for what was ``prepared`` (the answer's body), by itself or in a batch; and what it binds."""
        chance = self.chance
        (size,) = struct.unpack_from(">H", prepared, 4)
        statement_id = prepared[6 : 6 + size]
        values = self._values([spec.type for spec in self.node.prepared.get(statement_id).variables])
        bound = struct.pack(">H", len(values)) + b"".join(map(_value, values))
        named = struct.pack(">H", size) + statement_id
        if chance.random() < 0.1:
            count, kind = chance.choice((1, 1, 2)), bytes([chance.randrange(3)])
            return frame.BATCH, kind + struct.pack(">H", count) + (b"\1" + named + bound) * count + b"\0\1\0", values
        return frame.EXECUTE, named + self._parameters(bound if values else b""), values

    def _values(self, wanted: list[types.CqlType]) -> Values:
        chance = self.chance
        wrong = chance.random() < 0.3
        made: Values = []
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
            rest += struct.pack(">q", chance.choice((0, -1, 1, int(self.node.time * 1e6), 2**63 - 1, -(2**63))))
        return struct.pack(">HB", level, flags) + rest

    # ------------------------------------------------------------ restarts

    def restart(self) -> None:
        """End the node, start it from what it kept, and compare."""
        node, case = self.node, f"-- seed {self.seed}".encode()
        before = node.told("cql", case)
        node.close()
        node.start()
        self.tally.restarts += 1
        notices = list(node.engine.persistence.notices)
        if notices:
            self.tally.found(f"notices {notices[0][:60]}", "cql", case, "\n".join(notices))
        after = node.told("cql", case)
        for text in sorted(before.keys() | after.keys()):
            if before.get(text) != after.get(text):
                story = f"before: {before.get(text)!r:.3000}\nafter:  {after.get(text)!r:.3000}"
                self.tally.found(f"restart {text}", "cql", case, story)

    def close(self) -> None:
        self.node.close()


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


def _value(value: bytes | str | None) -> bytes:
    if isinstance(value, bytes):
        return struct.pack(">i", len(value)) + value
    return struct.pack(">i", -1 if value is None else -2)
