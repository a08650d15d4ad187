"""The tables that random sequences play with: one for each way in which a table can be laid out.

A column's pool is the few values it ever holds, in CQL's order: sequences meet the same rows again and again, and
whoever wants to compare two values compares their places in the pool.
"""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from cassandra.cqltypes import _cqltypes, cqltype_to_python
from cassandra.util import Date, Time


@dataclass(frozen=True, eq=False, repr=False)
class Column:
    """``collection`` is None, or list, set or map of what is in ``pool`` (with keys from ``keys``)."""

    name: str
    type: str
    pool: tuple[Any, ...]
    collection: str | None = None
    keys: tuple[str, ...] = ()
    static: bool = False

    def __repr__(self) -> str:
        return self.name

    def place(self, value: Any) -> int:
        """Where a value stands in CQL's order."""
        return self.pool.index(value)

    def wire(self, value: Any) -> bytes:
        """A value, of a collection one element, as it goes over the wire. Of two writes of one moment the one with the
        larger bytes stays, so -1 before 0."""
        return _codec(self.type, self.collection is not None).serialize(value, 4)


@cache
def _codec(cql_type: str, of_element: bool) -> Any:
    (codec,) = _codecs(cqltype_to_python(cql_type.removeprefix("frozen<").removesuffix(">" * ("frozen<" in cql_type))))
    return codec.subtypes[-1] if of_element else codec


def _codecs(names: list[Any]) -> list[Any]:
    """The driver's codecs for names of types, each perhaps followed by a list of its parameters."""
    found: list[Any] = []
    for each in names:
        if isinstance(each, list):
            found[-1] = found[-1].apply_parameters(_codecs(each))
        else:
            found.append(_cqltypes[each])
    return found


@dataclass(frozen=True, eq=False, repr=False)
class View:
    """A materialized view of all columns; ``only`` is a column and the one value of it that the view has."""

    name: str
    columns: tuple[Column, ...]
    partition: tuple[str, ...]
    clustering: tuple[str, ...]
    descending: frozenset[str] = frozenset()
    only: tuple[str, Any] | None = None

    def __repr__(self) -> str:
        return self.name

    def create(self, keyspace: str, table: str) -> str:
        keys = self.partition + self.clustering
        where = [
            f"{key} = {self.only[1]}" if self.only and key == self.only[0] else f"{key} IS NOT NULL" for key in keys
        ]
        return (
            f"CREATE MATERIALIZED VIEW {keyspace}.{self.name} AS SELECT * FROM {keyspace}.{table} "
            f"WHERE {' AND '.join(where)} {_layout(self, prefix='')}"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """``columns`` stand in the order of SELECT *: key, clustering key, statics by name, the rest by name."""

    name: str
    columns: tuple[Column, ...]
    partition: tuple[str, ...]
    clustering: tuple[str, ...] = ()
    descending: frozenset[str] = frozenset()
    default_ttl: int = 0  # seconds
    views: tuple[View, ...] = ()

    def __repr__(self) -> str:
        return self.name

    def create(self, keyspace: str) -> str:
        columns = ", ".join(f"{c.name} {c.type}{' static' if c.static else ''}" for c in self.columns)
        ttl = f"default_time_to_live = {self.default_ttl}" if self.default_ttl else ""
        return f"CREATE TABLE {keyspace}.{self.name} ({columns}, {_layout(self, prefix='', closing=')', rest=ttl)}"


Readable = Table | View


def column(table: Readable, name: str) -> Column:
    return next(c for c in table.columns if c.name == name)


def value_columns(table: Readable) -> list[Column]:
    """The columns that are in no key."""
    return [c for c in table.columns if c.name not in table.partition + table.clustering]


def _layout(table: Readable, prefix: str, closing: str = "", rest: str = "") -> str:
    clustering = "".join(f", {c}" for c in table.clustering)
    options = [rest] if rest else []
    if table.clustering:
        order = ", ".join(f"{c} {'DESC' if c in table.descending else 'ASC'}" for c in table.clustering)
        options.insert(0, f"CLUSTERING ORDER BY ({order})")
    key = f"PRIMARY KEY (({', '.join(table.partition)}){clustering}){closing}"
    return prefix + key + (f" WITH {' AND '.join(options)}" if options else "")


INTS = (-1, 0, 1, 2, 3)
TEXTS = ("", "a", "b", "ä")
TIMEUUIDS = tuple(
    uuid.UUID(text)
    for text in (
        "5c2a3e00-1dd2-11b2-8000-000000000001",
        "00000000-0001-11f1-8000-000000000001",
        "00000000-0001-11f1-8000-000000000002",
    )
)


def _int(name: str, pool: tuple[int, ...] = INTS, **rest: Any) -> Column:
    return Column(name, "int", pool, **rest)


def _text(name: str, pool: tuple[str, ...] = TEXTS, **rest: Any) -> Column:
    return Column(name, "text", pool, **rest)


_SINGLE = Table("single", (_int("p", (0, 1, 2)), _int("a"), _int("b"), _text("t")), ("p",))

_COMPOUND = Table(
    "compound",
    (
        _int("p", (1, 2, 3)),
        _int("c", (-1, 0, 1, 2)),
        _text("d", ("a", "b", "ä")),
        _int("s", static=True),
        _text("z", static=True),
        _int("a"),
        _text("b"),
    ),
    ("p",),
    ("c", "d"),
)

_DESCENDING = Table(
    "descending",
    (
        _int("p", (0, 1)),
        _text("q", ("a", "bb")),
        Column("c", "timeuuid", TIMEUUIDS),
        _int("d", (1, 2, 3)),
        Column("e", "boolean", (False, True)),
        _int("s", static=True),
        _int("a"),
    ),
    ("p", "q"),
    ("c", "d", "e"),
    descending=frozenset(("c", "e")),
)

_COLLECTIONS = Table(
    "collections",
    (
        _int("p", (0, 1)),
        _int("c", (0, 1, 2)),
        Column("sm", "map<text, int>", INTS, "map", ("x", "y"), static=True),
        Column("f", "frozen<list<int>>", ([], [1], [1, 2])),
        Column("m", "map<text, int>", INTS, "map", ("x", "y", "z")),
        Column("s", "set<int>", INTS, "set"),
        Column("t", "tuple<int, text>", ((0, "b"), (1, "a"), (1, None))),
    ),
    ("p",),
    ("c",),
    descending=frozenset(("c",)),
)

_LISTS = Table(
    "lists",
    (
        _int("p", (0, 1)),
        _int("c", (0, 1)),
        Column("sl", "list<int>", (1, 2), "list", static=True),
        _int("a"),
        Column("l", "list<text>", ("a", "b", "c"), "list"),
    ),
    ("p",),
    ("c",),
)

_TYPES = Table(
    "types",
    (
        Column("p", "bigint", (-(2**63), 5, 2**63 - 1)),
        Column("c", "blob", (b"", b"\x00", b"\x00\x01", b"\xff")),
        Column("bi", "varint", (-(2**70), -1, 255, 256)),
        Column("bt", "tinyint", (-128, 0, 127)),
        Column("da", "date", (Date(-1), Date(0), Date(20_000))),
        Column("de", "decimal", (Decimal("-1.5"), Decimal("0.25"), Decimal("1E+3"))),
        Column("do", "double", (float("-inf"), -0.5, 0.1, 1e300)),
        Column("fl", "float", (-2.5, 0.5)),
        Column("ip", "inet", ("10.0.0.1", "10.0.0.2", "255.0.0.1", "2001:db8::1")),
        Column("sm", "smallint", (-1, 0, 32767)),
        Column("ti", "time", (Time(0), Time(1), Time(86_399_999_999_999))),
        Column("ts", "timestamp", tuple(datetime.datetime(year, 1, 2, 3, 4, 5, 678000) for year in (1960, 2000, 2030))),
        Column("tu", "timeuuid", TIMEUUIDS),
        Column("uu", "uuid", (TIMEUUIDS[1], uuid.UUID("123e4567-e89b-42d3-a456-426614174000"))),
    ),
    ("p",),
    ("c",),
)

_FADING = Table(
    "fading",
    (_int("p", (0, 1)), _int("c", (0, 1)), _int("s", static=True), _int("a"), _int("b")),
    ("p",),
    ("c",),
    default_ttl=1000,
)

_VIEWED_COLUMNS = (_int("p", (0, 1)), _int("c", (0, 1, 2)), _int("a", (0, 1, 2)), _int("b"))
_VIEWED = Table(
    "viewed",
    _VIEWED_COLUMNS,
    ("p",),
    ("c",),
    views=(
        View("by_clustering", _VIEWED_COLUMNS, ("c",), ("p",), frozenset("p")),
        View("by_value", _VIEWED_COLUMNS, ("a",), ("c", "p")),
        View("one_row", _VIEWED_COLUMNS, ("b",), ("p", "c"), only=("c", 1)),
        View("one_value", _VIEWED_COLUMNS, ("p", "a"), ("c",), only=("a", 1)),
    ),
)

TABLES = (_SINGLE, _COMPOUND, _DESCENDING, _COLLECTIONS, _LISTS, _TYPES, _FADING, _VIEWED)
