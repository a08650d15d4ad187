"""From stored rows to records: the loop that every read goes through, made for its selection once.

A collector belongs to one execution. It is shown partitions' rows, passes over dead ones (and counts them, because a
reader pays for them), tests the live ones, and appends what is selected of each to its output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .matching import Test
from .partition import Partition
from .request import Context
from .row_loop import RowLoop, compile_loop
from .rows import Key, Row, read_cell, row_is_live
from .schema import STATIC, Column
from .selectors import Record, Selection

Output = list[Sequence[bytes | None]]

_NO_STATICS: dict[str, bytes | None] = {}


class Collector:
    """``output``: what was selected; of aggregates there is none, but their ``states`` and the ``first`` record.
    ``taken``: the rows that passed; ``live`` and ``dead``: the rows that were met."""

    def __init__(self, shape: Shape, context: Context, test: Test | None):
        self.shape = shape
        self.context = context
        self.test = test
        self.output: Output = []
        self.states = shape.selection.start()
        self.first: Record | None = None
        self.keys: list[Key] | None = None  # of the rows taken, when somebody sets a list
        self.taken = self.live = self.dead = 0
        self._add = shape.adder(self)

    def take(self, partition: Partition, rows: Iterable[Row], room: int) -> Row | None:
        """Take in rows until ``room`` of them have passed; then give the last one, else None."""
        if self.shape.is_plain and self.test is None and self.keys is None:
            return self._take_plain(partition, rows, room)
        now, test, key, add = self.context.now, self.test, partition.key, self._add
        for row in rows:
            if not row_is_live(row, now):
                self.dead += 1
                continue
            self.live += 1
            if test is not None and not test(key, row):
                continue
            add(partition, row)
            if self.keys is not None:
                self.keys.append(row.key)
            self.taken += 1
            room -= 1
            if not room:
                return row
        return None

    def take_static(self, partition: Partition) -> bool:
        """Take in a partition that has no row, or all of it as one (DISTINCT); say whether it passed."""
        if self.test is not None and not self.test(partition.key, None):
            return False
        self._add(partition, None)
        if self.keys is not None:
            self.keys.append(())
        self.taken += 1
        return True

    def _take_plain(self, partition: Partition, rows: Iterable[Row], room: int) -> Row | None:
        """``take`` where nothing is to be tested or computed."""
        shape, now = self.shape, self.context.now
        last, dead, left = shape.loop(
            rows, partition.key, shape.static_values(partition, now), now, self.output.append, room
        )
        self.dead += dead
        self.live += room - left
        self.taken += room - left
        return last


class Shape:
    """How a selection is read, settled when the statement is planned. ``is_plain``: nothing but single cells and key
    columns, and nothing computed; ``loop`` then reads its rows."""

    def __init__(self, selection: Selection):
        self.selection = selection
        self._readers = [source.reader() for source in selection.sources]
        self._picks = selection.picks
        self.is_plain = self._picks is not None and all(s.is_plain for s in selection.sources)
        self._statics: list[Column] = []
        self.loop: RowLoop | None = None
        if self.is_plain:
            columns = [selection.sources[pick].column for pick in self._picks]
            self._statics = [c for c in columns if c.kind == STATIC]
            self.loop = compile_loop(columns)

    def static_values(self, partition: Partition, now: int) -> dict[str, bytes | None]:
        """The static columns that are selected."""
        if not self._statics:
            return _NO_STATICS
        static = partition.static
        return {c.name: None if static is None else read_cell(static, c, now) for c in self._statics}

    def adder(self, collector: Collector) -> Callable[[Partition, Row | None], None]:
        """How the collector takes in one row (None: the partition without one), in the general case."""
        selection, readers, context = self.selection, self._readers, collector.context
        append = collector.output.append
        if selection.is_aggregate:

            def accumulate(partition: Partition, row: Row | None) -> None:
                record = [read(partition.key, row, partition.static, context) for read in readers]
                if collector.first is None:
                    collector.first = record
                selection.add(collector.states, record, context)

            return accumulate
        picks = self._picks

        def add(partition: Partition, row: Row | None) -> None:
            record = [read(partition.key, row, partition.static, context) for read in readers]
            append([record[i] for i in picks] if picks is not None else selection.evaluate(record, context))

        return add
