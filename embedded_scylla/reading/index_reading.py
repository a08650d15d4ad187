"""Reading through a secondary index: its hidden view says which rows, the base table says what is in them.

The view behind a global index has the indexed column (or an element of it) as its partition key, and a token column and
the base table's key as its clustering key; so the rows come in the order of the base table, as a scan of it would meet
them. The view behind an index on a static column knows partitions, not rows: those are then read as if they had been
named. The view behind a local index has the base table's partitions, and in each the indexed column comes first.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..request import Context
from ..schema import CLUSTERING, STATIC, Schema, Table
from ..storage.keys import HIGHEST, clustering_encoder, token
from ..storage.partition import Partition
from ..storage.rows import Key, Row, row_is_live
from ..types import BIGINT, wire
from ..where.relations import Predicate
from ..where.restrictions import Restrictions
from .collect import Collector
from .paging import PagingState


class IndexReader:
    """Finds the base table's rows for the value of one indexed column."""

    def __init__(self, restrictions: Restrictions, view: Table, predicate: Predicate):
        self._restrictions = restrictions
        self._base = restrictions.table
        self._view = view
        self._predicate = predicate
        self.finds_partitions = predicate.column.role == STATIC
        # Where each column of the base table's key stands in an index row: the indexed column itself comes last.
        self._places = {column.name: column.position for column in view.clustering}
        self._places[predicate.column.name] = len(view.clustering)
        self._clustering = [] if self.finds_partitions else [self._places[c.name] for c in self._base.clustering]
        self._indexes_clustering = predicate.column.role == CLUSTERING
        self._encode_view = clustering_encoder(view)
        self._encode_base = clustering_encoder(self._base)

    @classmethod
    def find(cls, restrictions: Restrictions, schema: Schema) -> IndexReader | None:
        """The reader for a query; None when no index is used, or a global one where the query names its partitions,
        which are read then without one: the rows come in the same order."""
        index, table = restrictions.index, restrictions.table
        if index is None or (restrictions.names_partitions and not index.local):
            return None
        view = schema.table(table.keyspace, index.view_name)
        if view is None:
            return None
        predicate = next(p for p in restrictions.predicates if p.columns == (table.columns[index.column],))
        return (_Local if index.local else _Global)(restrictions, view, predicate)

    def rows(
        self, context: Context, state: PagingState | None, collector: Collector
    ) -> Iterator[tuple[Partition, Row]]:
        """The rows with the value asked for that are also within the tokens and intervals asked for. Where tombstones
        of the index end the page, the collector is told."""
        intervals = self._restrictions.clustering_intervals(context)
        if not intervals:
            return
        previous = None
        for partition, whole in self._found(context, state, b"" if state is None else self._after(state), collector):
            order = self._encode_base(tuple([whole[place] for place in self._clustering]))
            if state is not None and partition.key == state.key and order < state.position:
                continue
            if (partition.key, order) == previous:  # another element of the same row
                continue
            previous = partition.key, order
            if not any(i.start <= order and (i.end is None or order < i.end) for i in intervals):
                continue
            original = partition.get(order)
            if original is not None:
                yield partition, original

    def partitions(self, context: Context, state: PagingState | None, collector: Collector) -> Iterator[Partition]:
        """For an index on a static column: the partitions with the value asked for that are also within the tokens,
        from the one on at which a page begins."""
        raise NotImplementedError

    def _found(
        self, context: Context, state: PagingState | None, begin: bytes, collector: Collector
    ) -> Iterator[tuple[Partition, Key]]:
        """The partitions of the base table that index rows lead to, with all key columns of each index row; from where
        ``_after`` says."""
        raise NotImplementedError

    def _after(self, state: PagingState) -> bytes:
        """Where in the index the next page begins: right behind the last row of the one before (or, if the index has
        not the whole clustering key in its own, with the rows of that partition)."""
        raise NotImplementedError

    def _indexed_value(self, context: Context) -> bytes | None:
        value = self._predicate.value(context)
        if self._predicate.subscript is None or value is None:
            return value
        key = self._predicate.subscript(context)
        return None if key is None else wire.pack_fields((key, value))

    def _ends_page(self, key: Key, whole: Key, state: PagingState | None, collector: Collector) -> bool:
        """Count an index row that is a tombstone; if the page ends with it, tell the collector where."""
        position = None
        if not self.finds_partitions:
            position = self._encode_base(tuple([whole[place] for place in self._clustering])) + HIGHEST
            if state is not None and key == state.key and position <= state.position:
                return False  # the page before has met it
        if not collector.meet_tombstones(1):
            return False
        collector.paused_at = key, position
        return True

    def _step(self, context: Context) -> None:
        context.step(f"Reading the index {self._restrictions.index.name} of {self._base.full_name}")


class _Global(IndexReader):
    """Through an index whose rows lead to any partition."""

    def __init__(self, restrictions: Restrictions, view: Table, predicate: Predicate):
        super().__init__(restrictions, view, predicate)
        self._partition = [self._places[c.name] for c in self._base.partition_key]
        # The parts of the partition key that an index row has in its own key.
        self._prefix = [i for i, c in enumerate(self._base.partition_key) if c is not predicate.column]

    def partitions(self, context: Context, state: PagingState | None, collector: Collector) -> Iterator[Partition]:
        begin = b""
        if state is not None:
            begin = self._partition_place(state)
            if state.position is None:
                begin += HIGHEST
        previous = None
        for partition, _ in self._found(context, state, begin, collector):
            if partition is not previous:
                yield partition
            previous = partition

    def _found(
        self, context: Context, state: PagingState | None, begin: bytes, collector: Collector
    ) -> Iterator[tuple[Partition, Key]]:
        value = self._indexed_value(context)
        tokens = self._restrictions.token_range(context)
        found = None if value is None else context.database.store(self._view).partition((value,))
        if found is None or tokens is None:
            return
        self._step(context)
        base = context.database.store(self._base)
        first, last = tokens
        for row in found.scan(begin):
            whole = (*row.key, value)
            key = tuple([whole[place] for place in self._partition])
            if row_is_live(row, context.now):
                partition = base.partition(key)
                if partition is not None and first <= partition.token <= last:
                    yield partition, whole
            elif collector.is_paged and self._ends_page(key, whole, state, collector):
                return

    def _after(self, state: PagingState) -> bytes:
        begin = self._partition_place(state)
        return begin if self._indexes_clustering else begin + state.position

    def _partition_place(self, state: PagingState) -> bytes:
        place = BIGINT.encode(token(self._base, state.key))
        return self._encode_view((place, *[state.key[i] for i in self._prefix]))


class _Local(IndexReader):
    """Through an index that has the rows of the one partition that the query names."""

    def _found(
        self, context: Context, state: PagingState | None, begin: bytes, collector: Collector
    ) -> Iterator[tuple[Partition, Key]]:
        value, keys = self._indexed_value(context), self._restrictions.partition_keys(context)
        if value is None or not keys:
            return
        database = context.database
        found, partition = database.store(self._view).partition(keys[0]), database.store(self._base).partition(keys[0])
        if found is None or partition is None:
            return
        self._step(context)
        place = self._encode_view((value,))
        for row in found.scan(place + begin, place + HIGHEST):
            if row_is_live(row, context.now):
                yield partition, (*row.key, value)
            elif collector.is_paged and self._ends_page(partition.key, (*row.key, value), state, collector):
                return

    def _after(self, state: PagingState) -> bytes:
        return b"" if self._indexes_clustering else state.position
