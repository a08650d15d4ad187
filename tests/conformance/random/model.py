"""What CQL means, in its simplest form: all that was ever written is kept, and each read decides what counts.

No storage, no merging, no sorting on disk: a cell is the list of its writes, a deletion is a timestamp and a question
which cells it covers. The newest write wins; of two of the same time the deletion; of two values the one of larger
bytes.
"""

from __future__ import annotations

import operator
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .operations import (
    Assignment,
    Batch,
    Condition,
    Delete,
    Insert,
    Modification,
    Operation,
    PushClock,
    Relation,
    Select,
    Truncate,
)
from .outcomes import Applied, Done, Outcome, Refused, rows_of
from .placement import token_of
from .shapes import Column, Readable, Table, View, column, value_columns

_2010 = 1_262_304_000_000_000  # microseconds
MARKER = ""  # the column of a row marker: what an INSERT leaves
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Write(NamedTuple):
    """``value`` None is a tombstone; ``ends`` is the second at which it becomes one."""

    timestamp: int
    value: Any
    ttl: int | None = None
    ends: int | None = None


class Place(NamedTuple):
    """Where a cell is. ``row`` None is the static row; ``element`` is the key of a collection's element."""

    partition: tuple
    row: tuple | None
    column: str
    element: Any = None


class Deletion(NamedTuple):
    timestamp: int
    covers: Callable[[Place], bool]


Row = dict[str, Any]
Effect = tuple[Place, Write] | Deletion


class OutOfBounds(Exception):
    """A list has no element of that index."""


class Model:
    """One table. Microseconds and seconds are those of this machine's clock, plus what it was pushed."""

    name = "the model"

    def __init__(self, table: Table):
        self.table = table
        self.pushed = 0  # seconds
        self.reset(0)

    def now(self) -> int:
        return self._micros()

    def reset(self, late: int) -> None:
        """Begin anew. ``late``: where timestamps of the future begin."""
        self.late = late
        self.cells: dict[Place, list[Write]] = defaultdict(list)
        self.deletions: list[Deletion] = []
        self._last = 0
        self._list_keys = 0

    def run(self, operation: Operation, bound: bool) -> Outcome:
        """Carry out a statement as if it came over the wire; how its values come makes no difference."""
        if isinstance(operation, Select):
            return rows_of(operation, list(self._select(operation)), self.late)
        if isinstance(operation, PushClock):
            self.pushed += operation.seconds
            return Done()
        if isinstance(operation, Truncate):
            self.cells.clear()
            self.deletions.clear()
            return Done()
        return self._write(operation)

    # ------------------------------------------------------------ time

    def _seconds(self) -> int:
        return int(time.time()) + self.pushed

    def _micros(self) -> int:
        self._last = max(self._last + 1, int((time.time() + self.pushed) * 1e6))
        return self._last

    # ------------------------------------------------------------ writing

    def _write(self, operation: Modification | Batch) -> Outcome:
        statements = operation.statements if isinstance(operation, Batch) else (operation,)
        shared = operation.timestamp if operation.timestamp is not None else self._micros()
        conditional = any(statement.conditions for statement in statements)
        if conditional and not all(self._holds(statement) for statement in statements):
            return Applied(False)
        effects: list[Effect] = []
        now = self._seconds()  # one instant for all of them: their TTLs end in the same second
        try:
            for statement in statements:  # all of them see what was there before
                own = statement.timestamp if statement.timestamp is not None else shared
                effects += self._effects(statement, own, now)
        except OutOfBounds:
            return Refused("the list has no such index")
        for effect in effects:
            if isinstance(effect, Deletion):
                self.deletions.append(effect)
            else:
                self.cells[effect[0]].append(effect[1])
        return Applied(True) if conditional else Done()

    def _effects(self, statement: Modification, timestamp: int, now: int) -> Iterator[Effect]:
        if isinstance(statement, Delete):
            yield from self._deleted(statement, timestamp)
            return
        ttl = statement.ttl if statement.ttl is not None else self.table.default_ttl
        life = (ttl or None, now + ttl if ttl else None)
        if isinstance(statement, Insert):
            partition = tuple(statement.values[name] for name in self.table.partition)
            row = None
            if set(self.table.clustering) <= set(statement.values):
                row = tuple(statement.values[name] for name in self.table.clustering)
                yield Place(partition, row, MARKER), Write(timestamp, True, *life)
            for name in statement.values:
                if name not in self.table.partition + self.table.clustering:
                    assignment = Assignment(column(self.table, name), "=", statement.values[name])
                    yield from self._assigned(assignment, partition, row, timestamp, life)
            return
        for partition in self._named(statement.where, self.table.partition):
            for row in self._named(statement.where, self.table.clustering):
                for assignment in statement.assignments:
                    yield from self._assigned(assignment, partition, row, timestamp, life)

    def _named(self, where: tuple[Relation, ...], names: tuple[str, ...]) -> list[tuple]:
        """The keys that relations with = and IN name."""
        keys: list[tuple] = [()]
        for name in names:
            relation = next((r for r in where if r.columns == (name,)), None)
            if relation is None:
                return [()]
            values = dict.fromkeys(relation.value) if relation.operator == "IN" else [relation.value]
            keys = [(*key, value) for key in keys for value in values]
        return keys

    def _assigned(
        self, assignment: Assignment, partition: tuple, row: tuple | None, timestamp: int, life: tuple
    ) -> Iterator[Effect]:
        chosen, value = assignment.column, assignment.value
        place = Place(partition, None if chosen.static else row, chosen.name)
        if chosen.collection is None:
            yield place, Write(timestamp, value, *(life if value is not None else ()))
            return
        if assignment.how == "[]":
            key = assignment.key
            if chosen.collection == "list":
                keys = list(self._elements(place))
                if key >= len(keys):
                    raise OutOfBounds
                key = keys[key]
            yield place._replace(element=key), Write(timestamp, value, *(life if value is not None else ()))
            return
        if assignment.how == "-":
            for key, element in self._elements(place).items():
                if element in value if chosen.collection == "list" else key in value:
                    yield place._replace(element=key), Write(timestamp, None)
            if chosen.collection != "list":  # what is not there (yet) is taken all the same
                for key in value:
                    yield place._replace(element=key), Write(timestamp, None)
            return
        if assignment.how == "=":
            yield Deletion(timestamp - 1, _covers_cell(place))
        for key, element in self._new_elements(chosen, assignment.how, value or (), timestamp):
            yield place._replace(element=key), Write(timestamp, element, *life)

    def _new_elements(self, chosen: Column, how: str, value: Any, timestamp: int) -> list[tuple[Any, Any]]:
        if chosen.collection == "map":
            return list(dict(value).items())
        if chosen.collection == "set":
            return [(element, element) for element in value]
        # An element's place in a list is that of its write in time; before 2010 instead of after it, if prepended.
        numbers = range(self._list_keys, self._list_keys + len(value))
        self._list_keys += len(value)
        if how == "prepend":
            return [
                ((2 * _2010 - timestamp, -number), element)
                for number, element in zip(numbers, reversed(value), strict=True)
            ]
        return [((timestamp, number), element) for number, element in zip(numbers, value, strict=True)]

    def _deleted(self, statement: Delete, timestamp: int) -> Iterator[Effect]:
        table = self.table
        for partition in self._named(statement.where, table.partition):
            if not statement.targets:
                relations = [r for r in statement.where if r.columns[0] not in table.partition]
                yield Deletion(timestamp, _covers_rows(table, partition, relations))
                continue
            row = self._named(statement.where, table.clustering)[0]
            for chosen, key in statement.targets:
                place = Place(partition, None if chosen.static else row, chosen.name)
                if key is None and chosen.collection:
                    yield Deletion(timestamp, _covers_cell(place))
                elif chosen.collection == "list":
                    keys = list(self._elements(place))
                    if key >= len(keys):
                        raise OutOfBounds
                    yield place._replace(element=keys[key]), Write(timestamp, None)
                else:
                    yield place._replace(element=key), Write(timestamp, None)

    # ------------------------------------------------------------ what is there

    def _current(self, place: Place) -> Write | None:
        """The write that counts, if it is a live value."""
        now = self._seconds()
        newest = max(self.cells.get(place, ()), key=lambda write: self._rank(place, write), default=None)
        if newest is None or newest.value is None or (newest.ends is not None and newest.ends <= now):
            return None
        if any(d.timestamp >= newest.timestamp and d.covers(place) for d in self.deletions):
            return None
        return newest

    def _rank(self, place: Place, write: Write) -> tuple:
        """Of two writes of one moment, as those of a batch are, the one with the higher rank stays, also when its time
        is over by the time somebody reads."""
        dead = write.value is None
        worth = b""
        if not dead and place.column != MARKER:
            worth = column(self.table, place.column).wire(write.value)
        return write.timestamp, dead, write.ends is not None, write.ends or 0, worth

    def _elements(self, place: Place) -> dict[Any, Any]:
        """The live elements of a collection by their keys, in order."""
        keys = {p.element for p in self.cells if p[:3] == place[:3] and p.element is not None}
        live = {key: self._current(place._replace(element=key)) for key in sorted(keys)}
        return {key: write.value for key, write in live.items() if write}

    def _value(self, chosen: Column, place: Place) -> Any:
        if chosen.collection is None:
            write = self._current(place)
            return write.value if write else None
        elements = self._elements(place)
        if not elements:
            return None
        return {"set": frozenset, "list": lambda e: list(e.values()), "map": dict}[chosen.collection](elements)

    def _row(self, partition: tuple, row: tuple | None) -> Row | None:
        """All columns of a row; None if it is not there. ``row`` None: what the static row has."""
        values = {
            c.name: self._value(c, Place(partition, None if c.static else row, c.name))
            if c.static or row is not None
            else None
            for c in value_columns(self.table)
        }
        own = [values[c.name] for c in value_columns(self.table) if c.static == (row is None)]
        alive = row is not None and self._current(Place(partition, row, MARKER))
        if not alive and all(value is None for value in own):
            return None
        values |= dict(zip(self.table.partition, partition, strict=True))
        return values | dict(zip(self.table.clustering, row or [None] * len(self.table.clustering), strict=True))

    def _holds(self, statement: Modification) -> bool:
        if statement.conditions is None:
            return True
        if isinstance(statement, Insert):
            partition = tuple(statement.values[name] for name in self.table.partition)
            named = set(self.table.clustering) <= set(statement.values)
            row = tuple(statement.values[name] for name in self.table.clustering) if named else None
        else:
            partition = self._named(statement.where, self.table.partition)[0]
            named = {r.columns[0] for r in statement.where} >= set(self.table.clustering)
            row = self._named(statement.where, self.table.clustering)[0] if named else None
        found = self._row(partition, row)
        if isinstance(statement.conditions, str):
            return (found is not None) == (statement.conditions == "EXISTS")
        # Static columns are there even where the row is not.
        values = found or self._row(partition, None) or {}
        return all(_is_met(condition, values.get(condition.column.name)) for condition in statement.conditions)

    # ------------------------------------------------------------ reading

    def _partitions(self) -> list[tuple]:
        return sorted({place.partition for place in self.cells}, key=lambda key: token_of(self.table, key))

    def _base_rows(self, partition: tuple) -> list[Row]:
        keys = {p.row for p in self.cells if p.partition == partition and p.row is not None}
        return [row for key in keys if (row := self._row(partition, key))]

    def _view_rows(self, view: View) -> dict[tuple, list[Row]]:
        """The rows of a view by its partition key: what the base has now, where the view's key has no null."""
        made = defaultdict(list)
        for partition in self._partitions():
            for row in self._base_rows(partition):
                key = tuple(row[name] for name in view.partition)
                if None in key + tuple(row[name] for name in view.clustering):
                    continue
                if view.only is None or row[view.only[0]] == view.only[1]:
                    made[key].append(row)
        return made

    def _select(self, statement: Select) -> Iterator[tuple]:
        table = statement.table
        of_rows = {c.name for c in table.columns if c.name not in table.partition and not c.static}
        about_rows = any(not r.of_token and set(r.columns) & of_rows for r in statement.where)
        if isinstance(table, View):
            by_key = self._view_rows(table)
        else:
            by_key = {partition: self._base_rows(partition) for partition in self._partitions()}
        found: list[Row] = []
        for partition in sorted(by_key, key=lambda key: token_of(table, key)):
            rows = sorted(by_key[partition], key=lambda row: _clustering_order(table, row))
            if statement.backwards:
                rows.reverse()
            if not rows and not about_rows and isinstance(table, Table):
                rows = [row for row in (self._row(partition, None),) if row]
            rows = [row for row in rows if all(_matches(table, r, row, partition) for r in statement.where)]
            if statement.distinct:
                rows = rows[:1]
            found += rows[: statement.per_partition_limit]
        if statement.is_aggregate:
            yield tuple(_aggregate(table, s.function, s.column, found) for s in statement.selectors)
            return
        for row in found[: statement.limit]:
            yield tuple(self._selected(s.function, s.column, row) for s in statement.selectors)

    def _selected(self, function: str | None, name: str, row: Row) -> Any:
        if function is None:
            return row[name]
        partition = tuple(row[n] for n in self.table.partition)
        clustering = tuple(row[n] for n in self.table.clustering)
        chosen = column(self.table, name)
        write = self._current(Place(partition, None if chosen.static else clustering, name))
        if function == "writetime":
            return write and write.timestamp
        assert function == "ttl", f"the model knows no {function}"
        return write and write.ends and write.ends - self._seconds()


def _covers_cell(place: Place) -> Callable[[Place], bool]:
    return lambda other: other[:3] == place[:3]


def _covers_rows(table: Table, partition: tuple, relations: list[Relation]) -> Callable[[Place], bool]:
    def covers(place: Place) -> bool:
        if place.partition != partition:
            return False
        if not relations:
            return True
        if place.row is None:
            return False
        row = dict(zip(table.clustering, place.row, strict=True))
        return all(_matches(table, relation, row, partition) for relation in relations)

    return covers


def _matches(table: Readable, relation: Relation, row: Row, partition: tuple) -> bool:
    if relation.of_token:
        return COMPARISONS[relation.operator](token_of(table, partition), relation.value)
    columns = [column(table, name) for name in relation.columns]
    found = [row[c.name] for c in columns]
    if None in found:
        return False
    if relation.operator == "CONTAINS":
        elements = found[0].values() if columns[0].collection == "map" else found[0]
        return relation.value in elements
    if relation.operator == "CONTAINS KEY":
        return relation.value in found[0]

    def places(values: Any) -> tuple:
        return tuple(c.place(v) for c, v in zip(columns, values, strict=True))

    wanted = relation.value
    if relation.operator == "IN":
        return places(found) in [places(v if len(columns) > 1 else (v,)) for v in wanted]
    return COMPARISONS[relation.operator](places(found), places(wanted if len(columns) > 1 else (wanted,)))


def _is_met(condition: Condition, value: Any) -> bool:
    if condition.key is not None:
        value = (value or {}).get(condition.key)
    wanted = condition.value
    if condition.operator == "IN":
        return value in wanted
    if condition.operator in ("=", "!="):
        return COMPARISONS[condition.operator](value, wanted)
    if value is None:
        return False
    place = condition.column.place
    return COMPARISONS[condition.operator](place(value), place(wanted))


def _clustering_order(table: Readable, row: Row) -> tuple[int, ...]:
    return tuple(
        -column(table, name).place(row[name]) if name in table.descending else column(table, name).place(row[name])
        for name in table.clustering
    )


def _aggregate(table: Readable, function: str | None, name: str, rows: list[Row]) -> Any:
    if name == "*":
        return len(rows)
    values = [row[name] for row in rows if row[name] is not None]
    if function == "count":
        return len(values)
    if function in ("min", "max"):
        pick = min if function == "min" else max
        return pick(values, key=column(table, name).place, default=None)
    if function == "sum":
        return sum(values)
    return int(sum(values) / len(values)) if values else 0
