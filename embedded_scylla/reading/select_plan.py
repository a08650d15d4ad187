"""A SELECT that is executed: rows, groups or aggregates, page by page.

How it goes through the partitions stands in ``walk``, how rows become records in ``collect``; here is what is made of
them: the answer to one request.
"""

from __future__ import annotations

from collections.abc import Sequence

from .. import consistency
from ..decisions import Turn
from ..errors import CqlError, InvalidRequest
from ..request import CONSISTENCY_NAMES, LOCAL_SERIAL, SERIAL, Context, Plan, Rows
from ..schema import ColumnSpec, Table
from ..storage.rows import Key
from ..storage.store import TableStore
from ..terms.compile import Value, Variables
from ..types.wire import pack_cells
from ..where.restrictions import Restrictions
from .collect import Collector, Shape
from .grouping import GroupCollector
from .limits import evaluate_limit
from .paging import PAGE_BYTES, UNLIMITED, PagingState, Room, rows_within
from .selectors import Selection
from .walk import Walk

_NO_PAGES_IN_ORDER = (
    "Cannot page queries with both ORDER BY and a IN restriction on the partition key; you must either remove the "
    "ORDER BY or the IN and sort client side, or disable paging for this query"
)


class SelectPlan(Plan):
    """A SELECT, ready to be executed."""

    def __init__(
        self,
        table: Table,
        selection: Selection,
        restrictions: Restrictions,
        variables: Variables,
        walk: Walk,
        limit: Value | None,
        partition_limit: Value | None,
    ):
        self.table = table
        self.clock_of = None if table.virtual else table.keyspace
        self.selection = selection
        self.restrictions = restrictions
        self._walk = walk
        self.variables: Sequence[ColumnSpec] = variables.specs
        self.columns = selection.columns
        self.partition_key_variables = restrictions.partition_key_variables
        self._limit, self._partition_limit = limit, partition_limit
        self._shape = Shape(selection)
        self._names_row = (
            restrictions.names_one_row
            and not restrictions.has_filters
            and self._shape.is_plain
            and self._shape.answers_rows
            and not walk.distinct
        )
        is_aggregate = selection.is_aggregate or walk.group_size is not None
        self._piece = 1000  # so many rows are expected to fill PAGE_BYTES
        self._sorts = walk.ordering.given and restrictions.partition_has_in and not is_aggregate

    # ------------------------------------------------------------ one execution

    def turn(self, context: Context) -> Turn | None:
        level = context.options.consistency
        if level not in (SERIAL, LOCAL_SERIAL):
            return None
        keys = self.restrictions.partition_keys(context)
        if keys is None or len(keys) != 1:
            return None  # which is refused
        return Turn(self.table.id, self.table.full_name, keys[0], level, CONSISTENCY_NAMES[level], reads=True)

    def timed_out(self, context: Context) -> CqlError:
        """What a client is told whose USING TIMEOUT was too short."""
        keyspace, level = context.database.schema.keyspaces[self.table.keyspace], context.options.consistency
        return consistency.read_timeout(keyspace, self.table, level)

    def execute(self, context: Context) -> Rows:
        """One page of the result (all of it, when no page size is given or aggregates make one row)."""
        table, options = self.table, context.options
        self._check_consistency(context)
        limit = evaluate_limit(self._limit, context, "LIMIT")
        if self._names_row and options.paging_state is None:
            return self._read_row(context)
        keys = self.restrictions.partition_keys(context)
        if options.consistency in (SERIAL, LOCAL_SERIAL) and (keys is None or len(keys) != 1):
            raise InvalidRequest("SERIAL/LOCAL_SERIAL consistency may only be requested for one partition at a time")
        if self._walk.group_size is not None:
            return self._groups(self._walk.group_size, context, keys, limit)
        page = options.page_size if options.page_size and options.page_size > 0 else UNLIMITED
        collector = Collector(self._shape, context, self.restrictions.row_test(context))
        if self.selection.is_aggregate:
            self._walk.run(self._store(context), keys, collector, Room(UNLIMITED, UNLIMITED, UNLIMITED), None)
            counted = self.selection.counts_rows_only
            states = self.selection.count(collector.taken) if counted else collector.states
            row = self.selection.finish(states, collector.first, context)
            return self._answer(context, collector, [row])
        if self._sorts:
            if limit > page:
                raise InvalidRequest(_NO_PAGES_IN_ORDER)
            return self._answer(context, collector, self._sorted(context, keys or [], collector, limit))
        each = evaluate_limit(self._partition_limit, context, "PER PARTITION LIMIT")
        if not self.restrictions.has_filters and self._gives_one_row(keys, limit, each):
            page = UNLIMITED
        state = None
        if options.paging_state is not None:
            state = PagingState.decode(options.paging_state, table)
            limit = min(limit, state.remaining)
        if page == UNLIMITED:
            next_state = self._walk.run(self._store(context), keys, collector, Room(page, limit, each), state)
            return self._answer(context, collector, collector.output, next_state)
        return self._page(context, keys, collector, (page, limit, each), state)

    def _check_consistency(self, context: Context) -> None:
        keyspace = context.database.schema.keyspaces[self.table.keyspace]
        consistency.check_read(keyspace, context.options.consistency)

    def _store(self, context: Context) -> TableStore:
        """What is read."""
        return context.database.store(self.table, context.options.keyspace)

    def _read_row(self, context: Context) -> Rows:
        """The shortest way: one row by its whole key."""
        evaluate_limit(self._partition_limit, context, "PER PARTITION LIMIT")
        found: list = []
        keys, clustering = self.restrictions.partition_keys(context), self.restrictions.exact_row(context)
        if keys and clustering is not None:
            partition = self._store(context).partition(keys[0])
            row = None if partition is None else partition.get(self._walk.encode(clustering))
            if row is not None:
                now = context.now
                statics = self._shape.static_values(partition, now)
                self._shape.loop((row,), partition.key, statics, now, found.append, 1, UNLIMITED)
        if context.trace is not None:
            context.step(f"Executing single-row query on {self.table.full_name}: {len(found)} live rows")
        return Rows(self.columns, found)

    def _answer(
        self,
        context: Context,
        collector: Collector,
        rows: Sequence,
        state: PagingState | None = None,
        cells: bytes = b"",
    ) -> Rows:
        if context.trace is not None:
            context.step(
                f"Read {collector.live} live rows and {collector.dead} dead rows of {self.table.full_name}, "
                f"returning {len(rows)}"
            )
        return Rows(self.columns, rows, None if state is None else state.encode(self.table), cells)

    def _groups(self, size: int, context: Context, keys: list[Key] | None, limit: int) -> Rows:
        """A row for each group, all in one page."""
        collector = GroupCollector(size, self._shape, context, self.restrictions.row_test(context))
        each = evaluate_limit(self._partition_limit, context, "PER PARTITION LIMIT")
        self._walk.run(self._store(context), keys, collector, Room(UNLIMITED, limit, each), None)
        return self._answer(context, collector, collector.finish())

    def _gives_one_row(self, keys: list[Key] | None, limit: int, each: int) -> bool:
        """Whether there is a row at most: it is looked for, then, however many tombstones stand before it."""
        return limit == 1 or (keys is not None and len(keys) == 1 and (each == 1 or self._walk.distinct))

    def _page(
        self,
        context: Context,
        keys: list[Key] | None,
        collector: Collector,
        limits: tuple[int, int, int],
        state: PagingState | None,
    ) -> Rows:
        """One page. How many rows it takes to fill it is known when they are packed, so they are read in pieces; what
        was learned of their size is kept, so that most pages need one."""
        page, limit, each = limits
        collector.begin_page(page if self.restrictions.has_filters else UNLIMITED)
        output, piece, trace = collector.output, self._piece, context.trace
        store = self._store(context)
        cells: list[bytes] = []
        size = 0
        while True:
            begin = len(output)
            room = Room(min(page - begin, piece), limit, each)
            next_state = self._walk.run(store, keys, collector, room, state)
            packed = pack_cells(output[begin:] if begin else output)
            if size + len(packed) > PAGE_BYTES:
                fit = rows_within(output[begin:], PAGE_BYTES - size)
                if fit < len(output) - begin:
                    again = Collector(self._shape, context, collector.test)
                    next_state = self._walk.run(store, keys, again, Room(fit, limit, each), state)
                    output[begin:] = again.output
                    packed = pack_cells(again.output)
            cells.append(packed)
            size += len(packed)
            is_full = len(output) >= page or size + collector.refused_bytes >= PAGE_BYTES or collector.is_spent
            if next_state is None or is_full:
                break
            state, limit = next_state, next_state.remaining
            piece = (PAGE_BYTES - size) * len(output) // (size or 1) + 1
            context.trace = None  # it is one read
        context.trace = trace
        if size:
            self._piece = PAGE_BYTES * len(output) // size + 1
        if next_state is None and collector.has_refused and room.limit > 0 and self._walk.index is None:
            # Who filtered rows out cannot tell a short page from the last one.
            ended_at = collector.ended_at or (state.key if state is not None else None)
            next_state = None if ended_at is None else PagingState(ended_at, None, room.limit, each)
        return self._answer(context, collector, output, next_state, b"".join(cells))

    def _sorted(self, context: Context, keys: list[Key], collector: Collector, limit: int) -> list:
        """The rows of several partitions in one order: as many of each as could be among the first."""
        collector.keys, store = [], self._store(context)
        each = evaluate_limit(self._partition_limit, context, "PER PARTITION LIMIT")
        for key in keys:
            self._walk.run(store, [key], collector, Room(UNLIMITED, limit, each), None)
        ordering = self._walk.ordering
        places = [ordering.key(key) for key in collector.keys]
        order = sorted(range(len(places)), key=places.__getitem__)
        if ordering.reverse:
            order.reverse()
        return [collector.output[i] for i in order[:limit]]
