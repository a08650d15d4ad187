"""The way of a SELECT through what is stored: which partitions, which intervals of them, how far, and where the next
page begins. What becomes of the rows is the collector's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..errors import ProtocolError
from ..schema import Table
from ..storage.keys import HIGHEST, partition_key_bytes, token
from ..storage.partition import Partition
from ..storage.rows import Key, Row, row_is_live
from ..storage.store import TableStore
from ..where.intervals import EVERYTHING, Interval
from ..where.restrictions import MAX_TOKEN, MIN_TOKEN, Restrictions
from .collect import Collector
from .index_reading import IndexReader
from .ordering import Ordering
from .paging import PagingState, Room


class Walk:
    """How one statement goes. ``encode``: a clustering key as bytes in the order of what is read. ``distinct``: a
    partition counts as one row. ``group_size``: the clustering columns of a group, None if nothing is grouped.
    ``index``: what finds the rows, if an index does."""

    def __init__(
        self,
        restrictions: Restrictions,
        encode: Callable[[Key], bytes],
        ordering: Ordering,
        distinct: bool,
        group_size: int | None,
        index: IndexReader | None,
    ):
        self.encode, self.ordering, self.distinct = encode, ordering, distinct
        self.group_size, self.index = group_size, index
        self._restrictions = restrictions
        self._table: Table = restrictions.table
        self._has_clustering = bool(self._table.clustering)

    def run(
        self,
        store: TableStore,
        keys: list[Key] | None,
        collector: Collector,
        room: Room,
        state: PagingState | None,
    ) -> PagingState | None:
        """Collect rows of the partitions with ``keys`` (None: of all that the restrictions leave) until the page or the
        limit is full; where the next page begins, if there may be one."""
        context = collector.context
        if self.index is not None and not self.index.finds_partitions:
            return self._walk_index(self.index, collector, room, state)
        intervals = [EVERYTHING] if self.distinct else self._restrictions.clustering_intervals(context)
        if not intervals:
            return None
        test = self._restrictions.partition_test(context)
        places = list(self._places(intervals, None))
        partition = None
        for partition in self._partitions(store, keys, state, collector):
            if test is not None and not test(partition.key, partition.static):
                if collector.pass_over(len(partition.rows) or 1):
                    return room.state(partition.key, None)
                continue
            if state is not None and state.key == partition.key and state.position is not None:
                rest = list(self._places(intervals, state))
                position = self._read_partition(partition, rest, collector, room, state)
            else:
                position = self._read_partition(partition, places, collector, room, None)
            if test is not None and collector.is_spent:
                room.end_page()
            if room.is_full:
                if room.limit <= 0:
                    return None
                return room.state(partition.key, position)
        if collector.paused_at is not None:
            return room.state(*collector.paused_at)
        collector.ended_at = None if partition is None else partition.key
        return None

    def _partitions(
        self, store: TableStore, keys: list[Key] | None, state: PagingState | None, collector: Collector
    ) -> Iterator[Partition]:
        """The partitions to read, from the one on at which the page begins."""
        context = collector.context
        if keys is not None:
            if context.trace is not None:
                what = "single-partition query" if len(keys) == 1 else f"query of {len(keys)} partitions"
                context.step(f"Executing {what} on {self._table.full_name}")
            if state is not None:
                if state.key not in keys:
                    raise ProtocolError("Invalid value for the paging state")
                keys = keys[keys.index(state.key) + (state.position is None) :]
            for key in keys:
                partition = store.partition(key)
                if partition is not None:
                    yield partition
            return
        if self.index is not None:
            yield from self.index.partitions(context, state, collector)
            return
        tokens = self._restrictions.token_range(context)
        if tokens is None:
            return
        start, end = tokens
        context.step(f"Executing scan of {self._table.full_name}")
        after = None
        if state is not None:
            after = (token(self._table, state.key), partition_key_bytes(self._table, state.key))
            if state.position is not None:
                partition = store.partition(state.key)
                if partition is not None:
                    yield partition
        yield from store.scan(after, None if start == MIN_TOKEN else start, None if end == MAX_TOKEN else end)

    def _read_partition(
        self,
        partition: Partition,
        places: list[tuple[bytes, bytes | None]],
        collector: Collector,
        room: Room,
        state: PagingState | None,
    ) -> bytes | None:
        """Collect what is wanted of one partition. The position to go on from, if it goes on."""
        room.enter(state)
        if self.distinct:
            if self._exists(partition, collector) and collector.take_static(partition):
                room.take(1)
            if collector.is_spent:
                room.end_page()
            return None
        reverse = self.ordering.reverse
        met, taken = collector.live, collector.taken
        ranges = partition.ranges if collector.is_paged else None
        cut = None
        for start, end in places:
            if ranges is not None:
                changes = ranges.changes(start, end)
                cut = collector.end_in(changes, reverse)
                if cut is not None:
                    start, end = (cut, end) if reverse else (start, cut)
            # Without clustering columns there is one row at most, and no order to look for it in.
            rows = partition.scan(start, end, reverse) if self._has_clustering else partition.rows.values()
            last = collector.take(partition, rows, room.left)
            room.take(collector.taken - taken)
            taken = collector.taken
            if ranges is not None and changes:
                stop = cut if last is None else self._place(last)
                passed = changes if stop is None else [c for c in changes if (c >= stop if reverse else c <= stop)]
                collector.meet_tombstones(len(passed))
            if last is not None or cut is not None:
                if collector.is_spent:
                    room.end_page()
                    room.rowless = collector.live == met and (state is None or state.rowless)
                # A full partition limit ends the partition, a full page only this reading of it.
                if not self._has_clustering or room.in_partition <= 0:
                    return None
                return cut if last is None else self._place(last)
        if collector.live == met and (state is None or state.rowless):
            self._end_rowless(partition, collector, room, state)
        if ranges is not None and collector.is_spent:
            room.end_page()
        return None

    def _end_rowless(self, partition: Partition, collector: Collector, room: Room, state: PagingState | None) -> None:
        """A partition without live rows: its static row stands for it."""
        static = partition.static
        if (
            static is not None
            and not self._restrictions.clustering_restricted
            and row_is_live(static, collector.context.now)
        ):
            if collector.take_static(partition):
                room.take(1)
        elif partition.deletion is not None and state is None and collector.meet_tombstones(1):
            room.end_page()

    def _place(self, row: Row) -> bytes:
        """Where to go on behind a row."""
        order = self.encode(row.key)
        return order if self.ordering.reverse else order + HIGHEST

    def _places(self, intervals: list[Interval], state: PagingState | None) -> Iterator[tuple[bytes, bytes | None]]:
        """The intervals' bounds in the order of reading, without what earlier pages had."""
        if not self.ordering.reverse:
            begin = b"" if state is None else state.position
            for interval in intervals:
                if interval.end is None or interval.end > begin:
                    yield max(interval.start, begin), interval.end
            return
        for interval in reversed(intervals):
            end = interval.end
            if state is not None:
                if interval.start >= state.position:
                    continue
                end = state.position if end is None else min(end, state.position)
            yield interval.start, end

    def _exists(self, partition: Partition, collector: Collector) -> bool:
        """Whether anything in a partition lives."""
        now = collector.context.now
        if partition.static is not None and row_is_live(partition.static, now):
            return True
        for row in partition.scan():
            if row_is_live(row, now):
                collector.live += 1
                return True
            collector.dead += 1
        return False

    # ------------------------------------------------------------ through an index

    def _walk_index(
        self, index: IndexReader, collector: Collector, room: Room, state: PagingState | None
    ) -> PagingState | None:
        context = collector.context
        test = self._restrictions.partition_test(context)
        previous: Key | None = state.key if state is not None else None
        room.enter(state)
        for partition, row in index.rows(context, state, collector):
            if partition.key != previous:
                previous = partition.key
                room.enter(None)
            if room.in_partition <= 0 and self.group_size is None:
                continue  # of groups, the last one may go on
            if test is not None and not test(partition.key, partition.static):
                if collector.pass_over(1):
                    return room.state(partition.key, self._place(row))
                continue
            taken = collector.taken
            last = collector.take(partition, (row,), room.left)
            room.take(collector.taken - taken)
            if last is None:
                continue
            if collector.is_spent:
                room.end_page()
            if room.is_full:
                return None if room.limit <= 0 else room.state(partition.key, self._place(row))
        if collector.paused_at is None:
            return None
        if collector.paused_at[0] != previous:
            room.enter(None)
        return room.state(*collector.paused_at)
