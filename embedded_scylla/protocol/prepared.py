"""The plans that are kept: prepared statements by their id, and plain texts that come again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING

from .. import planner
from ..errors import CqlError, Unprepared
from ..request import Plan

if TYPE_CHECKING:
    from ..engine import Engine

PREPARED_LIMIT = 10_000
TEXT_LIMIT = 500
LONGEST_KEPT_TEXT = 10_000  # characters


class PreparedStatements:
    """Plans, remade when the schema has changed since; the least recently used go first."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._prepared: OrderedDict[bytes, tuple[str, str | None, int, Plan]] = OrderedDict()
        self._texts: OrderedDict[tuple[str, str | None], tuple[int, Plan]] = OrderedDict()

    def prepare(self, text: str, keyspace: str | None) -> tuple[bytes, Plan]:
        """The id of a text in a keyspace, and its plan."""
        plan = planner.plan(text, self._engine, keyspace)
        statement_id = hashlib.md5(f"{keyspace or ''}\0{text}".encode(), usedforsecurity=False).digest()
        self._prepared[statement_id] = (text, keyspace, self._engine.schema.version, plan)
        self._prepared.move_to_end(statement_id)
        if len(self._prepared) > PREPARED_LIMIT:
            self._prepared.popitem(last=False)
        return statement_id, plan

    def get(self, statement_id: bytes) -> Plan:
        """The plan of an id. ``Unprepared`` when it is unknown, or when a schema change gave it other columns or took
        its table away: the driver then prepares anew and learns of it."""
        found = self._prepared.get(statement_id)
        if found is None:
            raise Unprepared(statement_id)
        text, keyspace, version, plan = found
        if version != self._engine.schema.version:
            plan = self._renew(statement_id, text, keyspace, plan)
        return plan

    def _renew(self, statement_id: bytes, text: str, keyspace: str | None, old: Plan) -> Plan:
        try:
            plan = planner.plan(text, self._engine, keyspace)
        except CqlError:
            plan = None
        if plan is None or plan.columns != old.columns or plan.variables != old.variables:
            del self._prepared[statement_id]
            raise Unprepared(statement_id)
        self._prepared[statement_id] = (text, keyspace, self._engine.schema.version, plan)
        return plan

    def text(self, text: str, keyspace: str | None) -> Plan:
        """The plan of a text that was not prepared."""
        key = (text, keyspace)
        found = self._texts.get(key)
        if found is not None and found[0] == self._engine.schema.version:
            return found[1]
        plan = planner.plan(text, self._engine, keyspace)
        if len(text) <= LONGEST_KEPT_TEXT:
            self._texts[key] = (self._engine.schema.version, plan)
            if len(self._texts) > TEXT_LIMIT:
                self._texts.popitem(last=False)
        return plan
