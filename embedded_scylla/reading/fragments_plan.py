"""A SELECT … FROM MUTATION_FRAGMENTS(table) that is executed."""

from __future__ import annotations

from typing import Any

from ..decisions import Turn
from ..request import Context
from ..schema import Table
from ..storage.store import TableStore
from .fragments import Fragments
from .select_plan import SelectPlan


class FragmentsPlan(SelectPlan):
    """A SELECT … FROM MUTATION_FRAGMENTS(table): it reads what is stored, as rows of a table of its own. It asks no
    other replica, so that its consistency does not matter."""

    def __init__(self, stored: Table, *parts: Any):
        super().__init__(*parts)
        self.clock_of = None if stored.virtual else stored.keyspace
        self._stored = stored

    def turn(self, context: Context) -> Turn | None:
        return None

    def _check_consistency(self, context: Context) -> None:
        pass

    def _store(self, context: Context) -> TableStore:
        database = context.database
        stored = database.store(self._stored, context.options.keyspace)
        return Fragments(self.table, stored, self._walk.encode, database.node.host_id)
