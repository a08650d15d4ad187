"""What the grammar knows of the keyspace ``ks``: its tables and types, as its own statements made them."""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import dataclass, field

from .values import INT, KEYS, NATIVE, TEXT, Type

Columns = dict[str, Type]

ADDRESS: Type = ("udt", "address", ("street", TEXT), ("zip", INT))
PERSON: Type = (
    "udt", "person", ("name", TEXT), ("home", ("frozen", ADDRESS)), ("tags", ("frozen", ("set", TEXT))),
)  # fmt: skip
COUNTER: Type = ("counter",)
MOST_TABLES = 10


@dataclass
class Table:
    """Columns by kind, with their types; ``descending``: clustering columns. ``key_of_view``: it is a view."""

    name: str
    partition: Columns
    clustering: Columns = field(default_factory=dict)
    static: Columns = field(default_factory=dict)
    regular: Columns = field(default_factory=dict)
    descending: frozenset[str] = frozenset()
    is_view: bool = False

    @property
    def columns(self) -> Columns:
        return {**self.partition, **self.clustering, **self.static, **self.regular}

    @property
    def values(self) -> Columns:
        return {**self.static, **self.regular}

    @property
    def counts(self) -> bool:
        return COUNTER in self.regular.values()


BASE = (
    Table("plain", {"p": INT}, {}, {}, {"a": INT, "b": TEXT, "d": ("duration",), "e": ("boolean",)}),
    Table(
        "wide",
        {"p": INT, "q": TEXT},
        {"c": INT, "d": ("timeuuid",)},
        {"s": TEXT, "sm": ("map", TEXT, INT)},
        {"v": INT, "m": ("map", TEXT, INT), "l": ("list", INT), "t": ("set", TEXT), "x": ("double",)},
        frozenset("c"),
    ),
    Table(
        "typed",
        {"p": ("bigint",)},
        {"c": ("timestamp",)},
        {},
        {
            "u": ADDRESS,
            "fu": ("frozen", PERSON),
            "lu": ("list", ("frozen", ADDRESS)),
            "tu": ("tuple", INT, TEXT, ("float",)),
            "ve": ("vector", ("float",), 3),
            "fl": ("frozen", ("list", INT)),
            "mm": ("map", INT, ("frozen", ("map", TEXT, INT))),
        },
    ),
    Table(
        "scalars",
        {"p": ("uuid",)},
        {"c": ("varint",), "d": ("decimal",)},
        {},
        {f"v_{name}": (name,) for name in NATIVE},
        frozenset("d"),
    ),
    Table("counts", {"p": INT}, {"c": INT}, {"sn": COUNTER}, {"n": COUNTER, "m": COUNTER}),
    Table("logged", {"p": INT}, {"c": INT}, {"s": INT}, {"v": INT, "l": ("list", TEXT), "u": ADDRESS}),
)
LOGGED = "cdc = {'enabled': true, 'preimage': 'full', 'postimage': true}"
#: Views and indexes that are there from the beginning.
FOLLOW = (
    "CREATE INDEX plain_a ON ks.plain (a)",
    "CREATE INDEX wide_v ON ks.wide (v)",
    "CREATE INDEX wide_m ON ks.wide (entries(m))",
    "CREATE INDEX wide_near ON ks.wide ((p, q), x)",
    "CREATE INDEX typed_fl ON ks.typed (full(fl))",
    "CREATE MATERIALIZED VIEW ks.plain_view AS SELECT * FROM ks.plain WHERE a IS NOT NULL AND p IS NOT NULL "
    "PRIMARY KEY (a, p)",
    "CREATE MATERIALIZED VIEW ks.wide_view AS SELECT v, m, p, q, c, d FROM ks.wide WHERE v > 0 AND p IS NOT NULL "
    "AND q IS NOT NULL AND c IS NOT NULL AND d IS NOT NULL PRIMARY KEY (v, p, q, c, d)",
)
VIEWS = (
    Table("plain_view", {"a": INT}, {"p": INT}, {}, {"b": TEXT, "d": ("duration",), "e": ("boolean",)}, is_view=True),
    Table(
        "wide_view",
        {"v": INT},
        {"p": INT, "q": TEXT, "c": INT, "d": ("timeuuid",)},
        {},
        {"m": ("map", TEXT, INT)},
        is_view=True,
    ),
)


class World:
    """What there is, and what could be made. Names come from small pools, so that statements meet."""

    def __init__(self, chance: random.Random):
        self.chance = chance
        self.begin()

    def begin(self) -> None:
        self.tables = {table.name: deepcopy(table) for table in (*BASE, *VIEWS)}  # they will be altered
        self.types: dict[str, Type] = {"address": ADDRESS, "person": PERSON}
        self.indexes = ["plain_a", "wide_v", "wide_m", "wide_near", "typed_fl"]
        self.roles = ["ada", "bo"]
        self.levels = ["gold"]

    def match(self, tables: dict[str, set[str]], types: set[str]) -> None:
        """Forget what is gone, and tables that damaged statements gave other columns."""
        self.tables = {
            name: table for name, table in self.tables.items() if tables.get(name, set()) >= table.columns.keys()
        }
        self.types = {name: type for name, type in self.types.items() if name in types}

    def table(self, *, base: bool = False, counts: bool | None = None) -> Table:
        """One of them. ``base``: no view. ``counts``: one with counters, or none of these."""
        found = [
            table
            for table in self.tables.values()
            if not (base and table.is_view) and (counts is None or table.counts == counts)
        ]
        return self.chance.choice(found or [BASE[4] if counts else BASE[0]])

    def type(self, *, key: bool = False, depth: int = 0) -> Type:
        """``key``: one that may be in a key."""
        chance = self.chance
        kind = chance.choices(("native", "list", "set", "map", "tuple", "udt", "vector"), (8, 1, 1, 1, 1, 1, 1))[0]
        if depth > 2:
            kind = "native"
        if kind == "native" or (kind == "udt" and not self.types):
            return (chance.choice(KEYS if key or depth else NATIVE),)
        of = [self.type(key=True, depth=depth + 1) for _ in range({"list": 1, "set": 1, "vector": 1}.get(kind, 2))]
        made: Type = {
            "udt": lambda: self.types[chance.choice(list(self.types))],
            "vector": lambda: ("vector", of[0], chance.randrange(1, 4)),
        }.get(kind, lambda: (kind, *of))()
        return ("frozen", made) if key or depth or chance.random() < 0.3 else made

    def new_table(self) -> Table:
        chance = self.chance
        name = f"t{chance.randrange(6)}"
        partition = {f"p{i}": self.type(key=True) for i in range(chance.choice((1, 1, 2, 3)))}
        clustering = {f"c{i}": self.type(key=True) for i in range(chance.choice((0, 1, 1, 2, 3)))}
        if chance.random() < 0.1:
            return Table(name, partition, clustering, {}, {"n": COUNTER})
        static = {f"s{i}": self.type() for i in range(chance.choice((0, 0, 1, 2)))} if clustering else {}
        regular = {f"v{i}": self.type() for i in range(chance.randrange(5))}
        return Table(
            name, partition, clustering, static, regular, frozenset(c for c in clustering if chance.random() < 0.4)
        )
