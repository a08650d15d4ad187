"""SELECT: planned once (names, rules and their errors), then executed page by page.

What may be asked is in ``where.restrictions`` and ``selectors``; how rows become records in ``collect``; here is the
order of things: which partitions, which intervals of them, how far, and where the next page begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .. import consistency
from ..cql import ast
from ..decisions import Turn
from ..errors import CqlError, InvalidRequest, ProtocolError, unsupported
from ..lookup import find_table, keyspace_of
from ..request import CONSISTENCY_NAMES, LOCAL_SERIAL, SERIAL, UNSET, Context, Plan, Rows
from ..schema import PARTITION_KEY, STATIC, ColumnSpec, Schema, Table
from ..storage.keys import HIGHEST, clustering_encoder, partition_key_bytes, token
from ..storage.partition import Partition
from ..storage.rows import Key, Row, row_is_live
from ..storage.store import TableStore
from ..terms.compile import Value, Variables, compile_term
from ..terms.timeout import compile_timeout, within
from ..types import INT
from ..types.wire import pack_cells
from ..where.intervals import EVERYTHING, Interval
from ..where.relations import UnrecognizedName
from ..where.restrictions import FILTERING_NEEDED, MAX_TOKEN, MIN_TOKEN, Restrictions, plan_restrictions
from .collect import Collector, Shape
from .fragments import Fragments, fragments_encoder, fragments_table
from .grouping import GroupCollector, plan_grouping
from .index_reading import IndexReader
from .json_selection import as_json
from .ordering import Ordering, plan_ordering
from .paging import PAGE_BYTES, UNLIMITED, PagingState, Room, rows_within
from .selectors import Selection, plan_selection

_NO_PAGES_IN_ORDER = (
    "Cannot page queries with both ORDER BY and a IN restriction on the partition key; you must either remove the "
    "ORDER BY or the IN and sort client side, or disable paging for this query"
)


def plan_select(statement: ast.Select, parsed: ast.Parsed, schema: Schema, keyspace: str | None) -> SelectPlan:
    """Make the plan of a SELECT. InvalidRequest with the database's text for everything that cannot be asked."""
    _refuse_unsupported(statement)
    stored = find_table(schema, keyspace_of(statement.table, keyspace), statement.table.name)
    table = fragments_table(stored) if statement.fragments else stored
    variables = Variables(parsed.variables)
    selection = plan_selection(statement.selectors, table, variables)
    if statement.json:
        selection = as_json(selection)
    if selection.is_aggregate and not statement.group_by and statement.per_partition_limit is not None:
        raise InvalidRequest("PER PARTITION LIMIT is not allowed with aggregate queries.")
    try:
        restrictions = plan_restrictions(
            table,
            statement.where,
            variables,
            allow_filtering=statement.allow_filtering,
            only_static=selection.only_static,
        )
    except UnrecognizedName as error:
        if any(selector.alias == error.name for selector in statement.selectors or ()):
            raise InvalidRequest(f"Aliases aren't allowed in the WHERE clause (name: '{error.name}')") from None
        raise
    if statement.distinct:
        _check_distinct(statement, table, selection, restrictions)
    if statement.fragments and statement.order_by and not restrictions.is_key_range:
        raise InvalidRequest("ORDER BY is not supported in SELECT FROM MUTATION_FRAGMENTS() statements.")
    aliases = {selector.alias for selector in statement.selectors or ()}
    ordering = plan_ordering(statement.order_by, table, restrictions, aliases)
    if restrictions.must_allow_filtering and not statement.allow_filtering:
        raise InvalidRequest(FILTERING_NEEDED)
    group_size = plan_grouping(statement.group_by, statement.where, table, statement.distinct)
    limit = _limit(statement.limit, table, variables)
    partition_limit = _limit(statement.per_partition_limit, table, variables)
    timeout = compile_timeout(statement.timeout, table.keyspace, table.name, variables)
    clauses = (ordering, limit, partition_limit, statement.distinct, group_size)
    parts = (table, selection, restrictions, variables, *clauses, schema)
    plan = FragmentsPlan(stored, *parts) if statement.fragments else SelectPlan(*parts)
    return within(plan, timeout, plan.timed_out, reads=True)


class SelectPlan(Plan):
    """A SELECT, ready to be executed."""

    def __init__(
        self,
        table: Table,
        selection: Selection,
        restrictions: Restrictions,
        variables: Variables,
        ordering: Ordering,
        limit: Value | None,
        partition_limit: Value | None,
        distinct: bool,
        group_size: int | None,
        schema: Schema,
    ):
        self.table = table
        self.clock_of = None if table.virtual else table.keyspace
        self.selection = selection
        self.restrictions = restrictions
        self.ordering = ordering
        self.distinct = distinct
        self._group_size = group_size
        self.variables: Sequence[ColumnSpec] = variables.specs
        self.columns = selection.columns
        self.partition_key_variables = restrictions.partition_key_variables
        self._limit, self._partition_limit = limit, partition_limit
        self._shape = Shape(selection)
        self._encode = clustering_encoder(table)
        self._has_clustering = bool(table.clustering)
        self._index = IndexReader.find(restrictions, schema)
        self._names_row = (
            restrictions.names_one_row
            and not restrictions.has_filters
            and self._shape.is_plain
            and self._shape.answers_rows
            and not distinct
        )
        is_aggregate = selection.is_aggregate or group_size is not None
        self._piece = 1000  # so many rows are expected to fill PAGE_BYTES
        self._sorts = ordering.given and restrictions.partition_has_in and not is_aggregate

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
        limit = _evaluate_limit(self._limit, context, "LIMIT")
        if self._names_row and options.paging_state is None:
            return self._read_row(context)
        keys = self.restrictions.partition_keys(context)
        if options.consistency in (SERIAL, LOCAL_SERIAL) and (keys is None or len(keys) != 1):
            raise InvalidRequest("SERIAL/LOCAL_SERIAL consistency may only be requested for one partition at a time")
        if self._group_size is not None:
            return self._groups(self._group_size, context, keys, limit)
        page = options.page_size if options.page_size and options.page_size > 0 else UNLIMITED
        collector = Collector(self._shape, context, self.restrictions.row_test(context))
        if self.selection.is_aggregate:
            self._walk(context, keys, collector, Room(UNLIMITED, UNLIMITED, UNLIMITED), None)
            counted = self.selection.counts_rows_only
            states = self.selection.count(collector.taken) if counted else collector.states
            row = self.selection.finish(states, collector.first, context)
            return self._answer(context, collector, [row])
        if self._sorts:
            if limit > page:
                raise InvalidRequest(_NO_PAGES_IN_ORDER)
            return self._answer(context, collector, self._sorted(context, keys or [], collector, limit))
        each = _evaluate_limit(self._partition_limit, context, "PER PARTITION LIMIT")
        if not self.restrictions.has_filters and self._gives_one_row(keys, limit, each):
            page = UNLIMITED
        state = None
        if options.paging_state is not None:
            state = PagingState.decode(options.paging_state, table)
            limit = min(limit, state.remaining)
        if page == UNLIMITED:
            next_state = self._walk(context, keys, collector, Room(page, limit, each), state)
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
        _evaluate_limit(self._partition_limit, context, "PER PARTITION LIMIT")
        found: list = []
        keys, clustering = self.restrictions.partition_keys(context), self.restrictions.exact_row(context)
        if keys and clustering is not None:
            partition = self._store(context).partition(keys[0])
            row = None if partition is None else partition.get(self._encode(clustering))
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
        each = _evaluate_limit(self._partition_limit, context, "PER PARTITION LIMIT")
        self._walk(context, keys, collector, Room(UNLIMITED, limit, each), None)
        return self._answer(context, collector, collector.finish())

    def _gives_one_row(self, keys: list[Key] | None, limit: int, each: int) -> bool:
        """Whether there is a row at most: it is looked for, then, however many tombstones stand before it."""
        return limit == 1 or (keys is not None and len(keys) == 1 and (each == 1 or self.distinct))

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
        cells: list[bytes] = []
        size = 0
        while True:
            begin = len(output)
            room = Room(min(page - begin, piece), limit, each)
            next_state = self._walk(context, keys, collector, room, state)
            packed = pack_cells(output[begin:] if begin else output)
            if size + len(packed) > PAGE_BYTES:
                fit = rows_within(output[begin:], PAGE_BYTES - size)
                if fit < len(output) - begin:
                    again = Collector(self._shape, context, collector.test)
                    next_state = self._walk(context, keys, again, Room(fit, limit, each), state)
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
        if next_state is None and collector.has_refused and room.limit > 0 and self._index is None:
            # Who filtered rows out cannot tell a short page from the last one.
            ended_at = collector.ended_at or (state.key if state is not None else None)
            next_state = None if ended_at is None else PagingState(ended_at, None, room.limit, each)
        return self._answer(context, collector, output, next_state, b"".join(cells))

    def _sorted(self, context: Context, keys: list[Key], collector: Collector, limit: int) -> list:
        """The rows of several partitions in one order: as many of each as could be among the first."""
        collector.keys = []
        each = _evaluate_limit(self._partition_limit, context, "PER PARTITION LIMIT")
        for key in keys:
            self._walk(context, [key], collector, Room(UNLIMITED, limit, each), None)
        places = [self.ordering.key(key) for key in collector.keys]
        order = sorted(range(len(places)), key=places.__getitem__)
        if self.ordering.reverse:
            order.reverse()
        return [collector.output[i] for i in order[:limit]]

    # ------------------------------------------------------------ through the partitions

    def _walk(
        self,
        context: Context,
        keys: list[Key] | None,
        collector: Collector,
        room: Room,
        state: PagingState | None,
    ) -> PagingState | None:
        """Collect rows until the page or the limit is full; where the next page begins, if there may be one."""
        if self._index is not None and not self._index.finds_partitions:
            return self._walk_index(context, collector, room, state)
        intervals = [EVERYTHING] if self.distinct else self.restrictions.clustering_intervals(context)
        if not intervals:
            return None
        test = self.restrictions.partition_test(context)
        places = list(self._places(intervals, None))
        partition = None
        for partition in self._partitions(context, keys, state, collector):
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
        self, context: Context, keys: list[Key] | None, state: PagingState | None, collector: Collector
    ) -> Iterator[Partition]:
        """The partitions to read, from the one on at which the page begins."""
        store = self._store(context)
        if keys is not None:
            if context.trace is not None:
                what = "single-partition query" if len(keys) == 1 else f"query of {len(keys)} partitions"
                context.step(f"Executing {what} on {self.table.full_name}")
            if state is not None:
                if state.key not in keys:
                    raise ProtocolError("Invalid value for the paging state")
                keys = keys[keys.index(state.key) + (state.position is None) :]
            for key in keys:
                partition = store.partition(key)
                if partition is not None:
                    yield partition
            return
        if self._index is not None:
            yield from self._index.partitions(context, state, collector)
            return
        tokens = self.restrictions.token_range(context)
        if tokens is None:
            return
        start, end = tokens
        context.step(f"Executing scan of {self.table.full_name}")
        after = None
        if state is not None:
            after = (token(self.table, state.key), partition_key_bytes(self.table, state.key))
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
            and not self.restrictions.clustering_restricted
            and row_is_live(static, collector.context.now)
        ):
            if collector.take_static(partition):
                room.take(1)
        elif partition.deletion is not None and state is None and collector.meet_tombstones(1):
            room.end_page()

    def _place(self, row: Row) -> bytes:
        """Where to go on behind a row."""
        order = self._encode(row.key)
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
        self, context: Context, collector: Collector, room: Room, state: PagingState | None
    ) -> PagingState | None:
        test = self.restrictions.partition_test(context)
        previous: Key | None = state.key if state is not None else None
        room.enter(state)
        for partition, row in self._index.rows(context, state, collector):
            if partition.key != previous:
                previous = partition.key
                room.enter(None)
            if room.in_partition <= 0 and self._group_size is None:
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


class FragmentsPlan(SelectPlan):
    """A SELECT … FROM MUTATION_FRAGMENTS(table): it reads what is stored, as rows of a table of its own. It asks no
    other replica, so that its consistency does not matter."""

    def __init__(self, stored: Table, *parts: Any):
        super().__init__(*parts)
        self.clock_of = None if stored.virtual else stored.keyspace
        self._stored = stored
        self._encode = fragments_encoder(stored)

    def turn(self, context: Context) -> Turn | None:
        return None

    def _check_consistency(self, context: Context) -> None:
        pass

    def _store(self, context: Context) -> TableStore:
        database = context.database
        stored = database.store(self._stored, context.options.keyspace)
        return Fragments(self.table, stored, self._encode, database.node.host_id)


# ---------------------------------------------------------------- planning


def _refuse_unsupported(statement: ast.Select) -> None:
    for asked, what in ((statement.ann_of, "ORDER BY … ANN OF"),):
        if asked:
            raise unsupported(what)


def _check_distinct(statement: ast.Select, table: Table, selection: Selection, restrictions: Restrictions) -> None:
    if statement.per_partition_limit is not None:
        raise InvalidRequest("PER PARTITION LIMIT is not allowed with SELECT DISTINCT queries")
    if restrictions.other or restrictions.clustering_restricted:
        raise InvalidRequest("SELECT DISTINCT with WHERE clause only supports restriction by partition key.")
    for column in selection.read_columns:
        if column.role not in (PARTITION_KEY, STATIC):
            raise InvalidRequest(
                "SELECT DISTINCT queries must only request partition key columns and/or static columns "
                f"(not {column.name})"
            )
    if restrictions.is_key_range:
        for column in table.partition_key:
            if column not in selection.read_columns:
                raise InvalidRequest(
                    f"SELECT DISTINCT queries must request all the partition key columns (missing {column.name})"
                )


def _limit(term: ast.Term | None, table: Table, variables: Variables) -> Value | None:
    if term is None:
        return None
    receiver = ColumnSpec(table.keyspace, table.name, "[limit]", INT)
    return compile_term(term, receiver, variables, table, "LIMIT clause")


def _evaluate_limit(limit: Value | None, context: Context, clause: str) -> int:
    if limit is None:
        return UNLIMITED
    data = limit(context)
    if data is UNSET:
        return UNLIMITED
    if data is None:
        raise InvalidRequest("Invalid null value of limit")
    if len(data) != 4:
        raise InvalidRequest("Invalid limit value")
    count = int.from_bytes(data, "big", signed=True)
    if count <= 0:
        raise InvalidRequest(f"{clause} must be strictly positive")
    return count
