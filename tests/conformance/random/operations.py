"""Statements as values, and how they are written in CQL: with their values in the text, or bound to markers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cassandra.encoder import Encoder
from cassandra.util import Date, Time

from .shapes import Column, Readable, Table


@dataclass(frozen=True)
class Value:
    """A place where a value stands: written out, or a bind marker."""

    value: Any


Parts = Iterator[str | Value]
_encoder = Encoder()


def literal(value: Any) -> str:
    """A value as a CQL literal."""
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))})"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(map(literal, sorted(value)))}}}"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(k)}: {literal(v)}' for k, v in value.items())}}}"
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Date | Time):
        return f"'{value}'"
    return _encoder.cql_encode_all_types(value)


def written_out(parts: Iterable[str | Value]) -> str:
    return "".join(part if isinstance(part, str) else literal(part.value) for part in parts)


def with_markers(parts: Iterable[str | Value]) -> tuple[str, list[Any]]:
    """The text with a marker for each value, and the values."""
    parts = list(parts)
    text = "".join(part if isinstance(part, str) else "?" for part in parts)
    return text, [part.value for part in parts if isinstance(part, Value)]


def separated(groups: Iterable[Iterable[str | Value]], separator: str = ", ") -> Parts:
    for number, group in enumerate(groups):
        if number:
            yield separator
        yield from group


@dataclass(frozen=True)
class Relation:
    """``columns operator value``, of one column or several, or of the token of the partition key."""

    columns: tuple[str, ...]
    operator: str
    value: Any
    of_token: bool = False

    def parts(self) -> Parts:
        names = ", ".join(self.columns)
        several = len(self.columns) > 1 and not self.of_token
        yield f"token({names})" if self.of_token else f"({names})" if several else names
        yield f" {self.operator} "
        if self.operator == "IN":
            yield "("
            yield from separated(self._one(value, several) for value in self.value)
            yield ")"
        else:
            yield from self._one(self.value, several)

    @staticmethod
    def _one(value: Any, several: bool) -> Parts:
        if several:
            yield "("
            yield from separated([Value(component)] for component in value)
            yield ")"
        else:
            yield Value(value)


class Statement:
    """What can be sent; shown as its CQL."""

    def parts(self) -> Parts:
        raise NotImplementedError

    def __repr__(self) -> str:
        return written_out(self.parts())


def where_parts(relations: tuple[Relation, ...]) -> Parts:
    if relations:
        yield " WHERE "
        yield from separated((relation.parts() for relation in relations), " AND ")


@dataclass(frozen=True)
class Condition:
    """One relation of an IF; ``key`` names the element of a map."""

    column: Column
    operator: str
    value: Any
    key: str | None = None

    def parts(self) -> Parts:
        yield self.column.name
        if self.key is not None:
            yield "["
            yield Value(self.key)
            yield "]"
        yield f" {self.operator} "
        if self.operator == "IN":
            yield "("
            yield from separated([Value(value)] for value in self.value)
            yield ")"
        else:
            yield Value(self.value)


Conditions = tuple[Condition, ...] | str | None  # a str is EXISTS or NOT EXISTS


def if_parts(conditions: Conditions) -> Parts:
    if isinstance(conditions, str):
        yield f" IF {conditions}"
    elif conditions:
        yield " IF "
        yield from separated((condition.parts() for condition in conditions), " AND ")


def using_parts(timestamp: int | None, ttl: int | None = None) -> Parts:
    if timestamp is not None:
        yield " USING TIMESTAMP "
        yield Value(timestamp)
    if ttl is not None:
        yield " USING TTL " if timestamp is None else " AND TTL "
        yield Value(ttl)


@dataclass(frozen=True, repr=False)
class Insert(Statement):
    table: Table
    keyspace: str
    values: dict[str, Any]
    timestamp: int | None = None  # microseconds
    ttl: int | None = None  # seconds
    conditions: Conditions = None

    def parts(self) -> Parts:
        yield f"INSERT INTO {self.keyspace}.{self.table.name} ({', '.join(self.values)}) VALUES ("
        yield from separated([Value(value)] for value in self.values.values())
        yield ")"
        yield from if_parts(self.conditions)
        yield from using_parts(self.timestamp, self.ttl)


@dataclass(frozen=True)
class Assignment:
    """``how`` is "=", "+" (add to a collection), "-" (take from it), "prepend", or "[]" (one element)."""

    column: Column
    how: str
    value: Any
    key: Any = None

    def parts(self) -> Parts:
        name = self.column.name
        if self.how == "[]":
            yield f"{name}["
            yield Value(self.key)
            yield "] = "
            yield Value(self.value)
        elif self.how == "prepend":
            yield f"{name} = "
            yield Value(self.value)
            yield f" + {name}"
        else:
            yield f"{name} = " if self.how == "=" else f"{name} = {name} {self.how} "
            yield Value(self.value)


@dataclass(frozen=True, repr=False)
class Update(Statement):
    table: Table
    keyspace: str
    assignments: tuple[Assignment, ...]
    where: tuple[Relation, ...]
    timestamp: int | None = None
    ttl: int | None = None
    conditions: Conditions = None

    def parts(self) -> Parts:
        yield f"UPDATE {self.keyspace}.{self.table.name}"
        yield from using_parts(self.timestamp, self.ttl)
        yield " SET "
        yield from separated(assignment.parts() for assignment in self.assignments)
        yield from where_parts(self.where)
        yield from if_parts(self.conditions)


@dataclass(frozen=True, repr=False)
class Delete(Statement):
    """``targets`` are columns, or (column, key) for an element; none of them: whole rows."""

    table: Table
    keyspace: str
    targets: tuple[tuple[Column, Any], ...]
    where: tuple[Relation, ...]
    timestamp: int | None = None
    conditions: Conditions = None

    def parts(self) -> Parts:
        yield "DELETE "
        for number, (column, key) in enumerate(self.targets):
            yield (", " if number else "") + column.name
            if key is not None:
                yield "["
                yield Value(key)
                yield "]"
        yield f"{' ' if self.targets else ''}FROM {self.keyspace}.{self.table.name}"
        yield from using_parts(self.timestamp)
        yield from where_parts(self.where)
        yield from if_parts(self.conditions)


Modification = Insert | Update | Delete


@dataclass(frozen=True, repr=False)
class Batch(Statement):
    statements: tuple[Modification, ...]
    timestamp: int | None = None
    unlogged: bool = False

    def parts(self) -> Parts:
        yield "BEGIN UNLOGGED BATCH" if self.unlogged else "BEGIN BATCH"
        yield from using_parts(self.timestamp)
        for statement in self.statements:
            yield " "
            yield from statement.parts()
            yield ";"
        yield " APPLY BATCH"

    @property
    def is_conditional(self) -> bool:
        return any(statement.conditions for statement in self.statements)


@dataclass(frozen=True, repr=False)
class Truncate(Statement):
    table: Table
    keyspace: str

    def parts(self) -> Parts:
        yield f"TRUNCATE {self.keyspace}.{self.table.name}"


@dataclass(frozen=True)
class Selector:
    """A column, or what is made of one: ``function`` is a name, and ``column`` its argument ("*" for COUNT(*))."""

    column: str
    function: str | None = None

    def __str__(self) -> str:
        if self.function == "cast":
            return f"CAST({self.column} AS text)"
        return f"{self.function}({self.column})" if self.function else self.column


@dataclass(frozen=True, repr=False)
class Select(Statement):
    table: Readable
    keyspace: str
    selectors: tuple[Selector, ...]
    where: tuple[Relation, ...] = ()
    distinct: bool = False
    backwards: bool | None = None  # ORDER BY the clustering key: against its order, along with it, or not at all
    per_partition_limit: int | None = None
    limit: int | None = None
    filtering: bool = False
    page_size: int | None = field(default=None, compare=False)

    def parts(self) -> Parts:
        distinct = "DISTINCT " if self.distinct else ""
        yield f"SELECT {distinct}{', '.join(map(str, self.selectors))} FROM {self.keyspace}.{self.table.name}"
        yield from where_parts(self.where)
        if self.backwards is not None:
            first = self.table.clustering[0]
            down = self.backwards != (first in self.table.descending)
            yield f" ORDER BY {first} {'DESC' if down else 'ASC'}"
        for words, number in (("PER PARTITION LIMIT", self.per_partition_limit), ("LIMIT", self.limit)):
            if number is not None:
                yield f" {words} "
                yield Value(number)
        if self.filtering:
            yield " ALLOW FILTERING"

    @property
    def is_aggregate(self) -> bool:
        return any(selector.function in AGGREGATES for selector in self.selectors)

    @property
    def keys(self) -> int:
        """How many partitions are asked for by their keys (0: all there are)."""
        count = 1
        for name in self.table.partition:
            relation = next((r for r in self.where if r.columns == (name,) and r.operator in ("=", "IN")), None)
            if relation is None:
                return 0
            count *= len(set(relation.value)) if relation.operator == "IN" else 1
        return count


AGGREGATES = ("count", "min", "max", "sum", "avg")


@dataclass(frozen=True, repr=False)
class PushClock(Statement):
    """Time goes by: only the embedded node can do that."""

    seconds: int

    def parts(self) -> Parts:
        yield f"-- {self.seconds} seconds go by"


Operation = Modification | Batch | Truncate | Select | PushClock


def may_be_refused(operation: Operation) -> bool:
    """Whether it names an element of a list by its index, which may not be there."""
    if isinstance(operation, Batch):
        return any(map(may_be_refused, operation.statements))
    if isinstance(operation, Update):
        return any(a.column.collection == "list" and a.how == "[]" for a in operation.assignments)
    return isinstance(operation, Delete) and any(
        c.collection == "list" and key is not None for c, key in operation.targets
    )
