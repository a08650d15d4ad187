"""GROUP BY: rows that share a partition and a prefix of the clustering key become one row of the result.

Such rows follow one another as they are read, in either order, so a group is done when another one begins. LIMIT and
PER PARTITION LIMIT count groups. As any aggregate, the groups are answered in one page, whatever the page size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..cql import ast
from ..errors import InvalidRequest
from ..request import Context
from ..schema import CLUSTERING, Table
from ..storage.partition import Partition
from ..storage.rows import Key, Row, row_is_live
from ..where.matching import Test
from .collect import Collector, Output, Shape


def plan_grouping(names: Sequence[str], where: Sequence[ast.Relation], table: Table, distinct: bool) -> int | None:
    """How many clustering columns make up a group, beside the partition key; None if nothing is grouped.

    The columns stand in the order of the primary key; one that the WHERE clause sets to a value may be left out.
    InvalidRequest with the database's text for columns that cannot be grouped by."""
    if not names:
        return None
    key = (*table.partition_key, *table.clustering)
    fixed = {r.left.name for r in where if r.operator == "=" and isinstance(r.left, ast.ColumnRef)}
    place = 0
    for name in names:
        column = table.columns.get(name)
        if column is None:
            raise InvalidRequest(f"Group by unknown column {name}")
        if not column.is_primary_key:
            raise InvalidRequest(f"Group by non-primary-key column {name}")
        while place < len(key) and key[place] is not column and key[place].name in fixed:
            place += 1
        if place == len(key) or key[place] is not column:
            raise InvalidRequest(f"Group by column {name} is out of order")
        place += 1
    if place < len(table.partition_key):
        raise InvalidRequest("GROUP BY must include the entire partition key")
    if distinct and any(table.columns[name].role == CLUSTERING for name in names):
        raise InvalidRequest("Grouping on clustering columns is not allowed for SELECT DISTINCT queries")
    return place - len(table.partition_key)


class GroupCollector(Collector):
    """A collector whose ``output`` has a row for each group that is done: its aggregates, and the other columns of its
    first row. ``taken`` counts groups."""

    def __init__(self, size: int, shape: Shape, context: Context, test: Test | None):
        super().__init__(shape, context, test)
        self._size = size  # clustering columns
        self._group: tuple[Key, Key] | None = None  # the open one

    def take(self, partition: Partition, rows: Iterable[Row], room: int) -> Row | None:
        """Take in rows until one begins a group for which there is no ``room``; then give that row, else None."""
        now, test, key, size = self.context.now, self.test, partition.key, self._size
        for row in rows:
            if not row_is_live(row, now):
                self.dead += 1
                continue
            self.live += 1
            if test is not None and not test(key, row):
                continue
            group = key, row.key[:size]
            if group != self._group:
                if room <= 0:
                    return row
                room -= 1
                self._begin(group)
            self._add(partition, row)
        return None

    def take_static(self, partition: Partition) -> bool:
        """A partition that has no row, or is taken as one, is a group of its own."""
        if self.test is not None and not self.test(partition.key, None):
            return False
        self._begin((partition.key, ()))
        self._add(partition, None)
        return True

    def finish(self) -> Output:
        """All groups, the open one too."""
        self._close()
        return self.output

    def _begin(self, group: tuple[Key, Key]) -> None:
        self._close()
        self._group = group
        self.first, self.states = None, self.shape.selection.start()
        self.taken += 1

    def _add(self, partition: Partition, row: Row | None) -> None:
        selection = self.shape.selection
        if self.first is None or selection.is_aggregate:
            record = self.shape.record(partition, row, self.context)
            if self.first is None:
                self.first = record
            selection.add(self.states, record, self.context)

    def _close(self) -> None:
        if self._group is not None:
            first, selection = self.first, self.shape.selection
            done = first if self.shape.answers_rows else selection.finish(self.states, first, self.context)
            self.output.append(done)
            self._group = None
