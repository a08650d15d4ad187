"""From stored rows to records: the loop that every read goes through, made for its selection once.

A collector belongs to one execution. It is shown partitions' rows, passes over dead ones (and counts them, because a
reader pays for them), tests the live ones, and appends what is selected of each to its output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..request import Context
from ..schema import STATIC
from ..storage.partition import Partition
from ..storage.rows import Key, Row, read_cell, row_is_live
from ..storage.store import row_bytes
from ..where.matching import Test
from .paging import PAGE_BYTES, PAGE_TOMBSTONES, UNLIMITED
from .row_loop import RowLoop, compile_loop
from .selectors import Record, Selection

Output = list[Sequence[bytes | None]]

_SAMPLED = 16  # of so many rows that do not pass, one is measured

_NO_STATICS: dict[str, bytes | None] = {}


class Collector:
    """``output``: what was selected; of aggregates there is none, but their ``states`` and the ``first`` record.
    ``taken``: the rows that passed; ``live`` and ``dead``: the rows that were met. A page ends with ``most_live`` rows
    that were read to be tested, or with ``most_dead`` tombstones."""

    def __init__(self, shape: Shape, context: Context, test: Test | None):
        self.shape = shape
        self.context = context
        self.test = test
        self.output: Output = []
        self.states = shape.selection.start()
        self.first: Record | None = None
        self.keys: list[Key] | None = None  # of the rows taken, when somebody sets a list
        self.taken = self.live = self.dead = 0
        self.is_paged = self.has_refused = False
        self.most_live = self.most_dead = UNLIMITED
        self.refused_bytes = 0  # of rows that did not pass
        self.paused_at: tuple[Key, bytes | None] | None = None  # where an index was left: partition, position
        self.ended_at: Key | None = None  # the last partition, when there was no more
        self._sink = shape.sink(self)

    def begin_page(self, most_live: int) -> None:
        """Let tombstones end the page, and rows that are read."""
        self.is_paged, self.most_live, self.most_dead = True, most_live, PAGE_TOMBSTONES

    @property
    def is_spent(self) -> bool:
        """Whether the page has ended, however few rows are on it."""
        return self.dead >= self.most_dead or self.live >= self.most_live or self.refused_bytes >= PAGE_BYTES

    def take(self, partition: Partition, rows: Iterable[Row], room: int) -> Row | None:
        """Take in rows until ``room`` of them have passed, or the page ends; then give the last one, else None."""
        if self.shape.is_plain and self.test is None and self.keys is None:
            return self._take_plain(partition, rows, room)
        now, test, key = self.context.now, self.test, partition.key
        for row in rows:
            if not row_is_live(row, now):
                self.dead += 1
                if self.dead == self.most_dead:
                    return row
                continue
            self.live += 1
            if test is not None and not test(key, row):
                if self._refuse(row):
                    return row
                continue
            self._sink(self.shape.record(partition, row, self.context))
            if self.keys is not None:
                self.keys.append(row.key)
            self.taken += 1
            room -= 1
            if not room or (test is not None and self.live >= self.most_live):
                return row
        return None

    def pass_over(self, rows: int) -> bool:
        """Refuse so many rows without a look at each; say whether the page has ended."""
        if not self.is_paged:
            return False
        self.has_refused = True
        self.most_live -= rows
        return self.is_spent

    def end_in(self, changes: list[bytes], reverse: bool) -> bytes | None:
        """The place at which so many range tombstones begin or end in an interval that the page ends, if any."""
        left = max(self.most_dead - self.dead, 1)
        if len(changes) < left:
            return None
        return changes[-left] if reverse else changes[left - 1]

    def meet_tombstones(self, count: int) -> bool:
        """Count tombstones that are no rows; say whether the page has ended."""
        self.most_dead -= count
        return self.is_spent

    def _refuse(self, row: Row) -> bool:
        """Count a row that did not pass; say whether the page has ended."""
        if not self.is_paged:
            return False
        self.has_refused = True
        if not self.live % _SAMPLED:
            self.refused_bytes += _SAMPLED * row_bytes(row)
        return self.is_spent

    def take_static(self, partition: Partition) -> bool:
        """Take in a partition that has no row, or all of it as one (DISTINCT); say whether it passed."""
        if self.test is not None and not self.test(partition.key, None):
            return False
        self._sink(self.shape.record(partition, None, self.context))
        if self.keys is not None:
            self.keys.append(())
        self.taken += 1
        return True

    def _take_plain(self, partition: Partition, rows: Iterable[Row], room: int) -> Row | None:
        """``take`` where nothing is to be tested, and the loop made for the columns can do it."""
        shape, now = self.shape, self.context.now
        last, dead, left = shape.loop(
            rows, partition.key, shape.static_values(partition, now), now, self._sink, room,
            self.most_dead - self.dead,
        )  # fmt: skip
        self.dead += dead
        self.live += room - left
        self.taken += room - left
        return last


class Shape:
    """How a selection is read, decided when the statement is planned.

    A record has the selected columns if nothing is computed, else the selection's sources. ``is_plain``: they are
    single cells and key columns only, and ``loop`` reads them. ``answers_rows``: the records are the result's rows.
    """

    def __init__(self, selection: Selection):
        self.selection = selection
        picks = selection.picks
        self.answers_rows = picks is not None
        sources = selection.sources if picks is None else [selection.sources[pick] for pick in picks]
        self._readers = [source.reader() for source in sources]
        self.is_plain = all(source.is_plain for source in sources)
        columns = [source.column for source in sources]
        self._statics = [column for column in columns if column.role == STATIC]
        self.loop: RowLoop | None = compile_loop(columns) if self.is_plain else None

    def static_values(self, partition: Partition, now: int) -> dict[str, bytes | None]:
        """The static columns that are selected."""
        if not self._statics:
            return _NO_STATICS
        static = partition.static
        return {c.name: None if static is None else read_cell(static, c, now) for c in self._statics}

    def record(self, partition: Partition, row: Row | None, context: Context) -> Record:
        """What is read of one row (None: of a partition without one)."""
        key, static = partition.key, partition.static
        return [read(key, row, static, context) for read in self._readers]

    def sink(self, collector: Collector) -> Callable[[Record], None]:
        """Where a collector's records go."""
        if self.answers_rows:
            return collector.output.append
        selection, context = self.selection, collector.context
        if selection.counts_rows_only:
            return lambda record: None
        if selection.is_aggregate:
            states = collector.states

            def accumulate(record: Record) -> None:
                if collector.first is None:
                    collector.first = record
                selection.add(states, record, context)

            return accumulate
        append, evaluate = collector.output.append, selection.evaluate
        return lambda record: append(evaluate(record, context))
