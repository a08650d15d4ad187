"""The plans that are kept: prepared statements by their id, and plain texts that come again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from . import limits, planner
from .errors import CqlError, Unprepared
from .request import Plan

if TYPE_CHECKING:
    from .schema import Schema

K = TypeVar("K")


class _Made(NamedTuple):
    """A plan, what it was made of, and the version of the schema that it fits."""

    text: str
    keyspace: str | None
    version: int
    plan: Plan


class _Kept(Generic[K]):
    """Plans under keys. The least recently used go when there are more than ``most``, or when their texts have more
    than ``most_characters`` together; the one that came last stays, however long."""

    def __init__(self, most: int, most_characters: int):
        self._most, self._most_characters = most, most_characters
        self._made: OrderedDict[K, _Made] = OrderedDict()  # the least recently used first
        self.characters = 0  # of the texts of all that are kept

    def __len__(self) -> int:
        return len(self._made)

    def get(self, key: K) -> _Made | None:
        found = self._made.get(key)
        if found is not None:
            self._made.move_to_end(key)
        return found

    def put(self, key: K, made: _Made) -> None:
        self.forget(key)
        self._made[key] = made
        self.characters += len(made.text)
        while len(self._made) > 1 and (len(self._made) > self._most or self.characters > self._most_characters):
            self.forget(next(iter(self._made)))

    def forget(self, key: K) -> None:
        gone = self._made.pop(key, None)
        if gone is not None:
            self.characters -= len(gone.text)


class PreparedStatements:
    """Plans, remade when the schema has changed since; the least recently used go first."""

    def __init__(self, schema: Schema):
        self._schema = schema
        self._prepared: _Kept[bytes] = _Kept(limits.MOST_PREPARED, limits.MOST_PREPARED_CHARACTERS)
        self._texts: _Kept[tuple[str, str | None]] = _Kept(limits.MOST_TEXTS, limits.MOST_TEXT_CHARACTERS)

    def prepare(self, text: str, keyspace: str | None) -> tuple[bytes, Plan]:
        """The id of a text in a keyspace, and its plan."""
        made = self._make(text, keyspace)
        statement_id = hashlib.md5(f"{keyspace or ''}\0{text}".encode(), usedforsecurity=False).digest()
        self._prepared.put(statement_id, made)
        return statement_id, made.plan

    def get(self, statement_id: bytes) -> Plan:
        """The plan of an id. ``Unprepared`` when it is unknown, or when a schema change gave it other columns or took
        its table away: the driver then prepares anew and learns of it."""
        found = self._prepared.get(statement_id)
        if found is None:
            raise Unprepared(statement_id)
        if found.version != self._schema.version:
            return self._renew(statement_id, found)
        return found.plan

    def _renew(self, statement_id: bytes, old: _Made) -> Plan:
        self._prepared.forget(statement_id)
        try:
            made = self._make(old.text, old.keyspace)
        except CqlError:
            raise Unprepared(statement_id) from None
        if made.plan.columns != old.plan.columns or made.plan.variables != old.plan.variables:
            raise Unprepared(statement_id)
        self._prepared.put(statement_id, made)
        return made.plan

    def text(self, text: str, keyspace: str | None) -> Plan:
        """The plan of a text that was not prepared."""
        key = (text, keyspace)
        found = self._texts.get(key)
        if found is not None and found.version == self._schema.version:
            return found.plan
        self._texts.forget(key)
        made = self._make(text, keyspace)
        if len(text) <= limits.LONGEST_TEXT:
            self._texts.put(key, made)
        return made.plan

    def _make(self, text: str, keyspace: str | None) -> _Made:
        return _Made(text, keyspace, self._schema.version, planner.plan(text, self._schema, keyspace))
