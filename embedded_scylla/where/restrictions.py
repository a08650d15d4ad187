"""A WHERE clause as a whole: what it may ask for, and what it then reads: partitions, intervals, filters.

``plan_restrictions`` draws the database's own line between the queries that it answers, those it answers only with
ALLOW FILTERING, and those it refuses, in the order in which it checks (so that the first error is the same one).
A ``Restrictions`` then gives, for each execution: the partition keys or the range of tokens, the intervals of
clustering order within each partition, and the tests that rows must pass.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from ..cql import ast
from ..errors import InvalidRequest
from ..request import Context
from ..schema import STATIC, Column, Index, Table
from ..storage.key_limits import SHORT, check_partition_key_length
from ..storage.keys import clustering_order
from ..storage.rows import Key
from ..terms.compile import Variables
from . import intervals, matching, where_rules
from .intervals import EVERYTHING, Interval
from .relations import ON_COLUMN, ON_TOKEN, ON_TUPLE, Predicate, prepare_relation

SLICES_EVERY_PARTITION = "This query should use ALLOW FILTERING and will be rejected in future versions."
FILTERING_NEEDED = (
    "Cannot execute this query as it might involve data filtering and thus may have unpredictable performance. "
    "If you want to execute this query despite the performance unpredictability, use ALLOW FILTERING"
)

MIN_TOKEN, MAX_TOKEN = -(2**63), 2**63 - 1

# The most combinations of IN lists that a query may ask for.
MAX_COMBINATIONS = 100


class Restrictions:
    """What a WHERE clause asks of a table. The attributes are known once planned, the methods answer per execution.

    ``is_key_range``: it reads more than named partitions. ``uses_index``: an index serves it. ``needs_filtering``: rows
    must be tested that it does not return. ``must_allow_filtering``: a SELECT of this kind needs ALLOW FILTERING, and
    ``should_allow_filtering``: it throws nothing away, yet looks at every partition. Both are for the SELECT to refuse,
    which has its other clauses to check before. ``strict_nulls``: null in a key is an error
    (writes) rather than matching nothing (reads).
    """

    def __init__(self, table: Table, predicates: Sequence[Predicate], strict_nulls: bool = False):
        self.table = table
        self.predicates = list(predicates)
        self.strict_nulls = strict_nulls
        self.token = [p for p in predicates if p.on == ON_TOKEN]
        self.tuples = [p for p in predicates if p.on == ON_TUPLE]
        single = [p for p in predicates if p.on == ON_COLUMN]
        self.partition = _by_column(single, table.partition_key)
        self.clustering = _by_column(single, table.clustering)
        self.other = _by_column(single, (*table.statics, *table.regulars))
        self.is_key_range = False
        self.uses_index = False
        self.needs_filtering = False
        self.must_allow_filtering = self.should_allow_filtering = False
        self.index: Index | None = None
        self._prefix = self._clustering_prefix()
        self._named = self._partition_is_named()
        self._partition_values = [self.partition[c.name] for c in table.partition_key] if self._named else []
        self._simple_key = (
            [p[0].value for p in self._partition_values]
            if self._named and all(len(p) == 1 and p[0].is_equality for p in self._partition_values)
            else None
        )
        self._may_be_too_long = self._named and any(c.type not in SHORT for c in table.partition_key)
        exact = len(self._prefix) == len(table.clustering) and not self.tuples
        self._exact = (
            [p[0].value for p in self._prefix]
            if exact and all(len(p) == 1 and p[0].is_equality for p in self._prefix)
            else None
        )
        self._settle_filters()

    # ------------------------------------------------------------ what is asked, for the planners

    @property
    def partition_restricted(self) -> bool:
        return bool(self.partition or self.token)

    @property
    def missing_partition_columns(self) -> list[Column]:
        """The partition key's columns that no relation names (token() names them all)."""
        if self.token:
            return []
        return [c for c in self.table.partition_key if c.name not in self.partition]

    @property
    def clustering_restricted(self) -> bool:
        return bool(self.clustering or self.tuples)

    @property
    def restricted_clustering(self) -> set[str]:
        """The names of the clustering columns that relations name."""
        return {c.name for p in self.tuples for c in p.columns} | set(self.clustering)

    @property
    def clustering_has_slice(self) -> bool:
        return any(p.is_slice for p in self._clustering_predicates())

    @property
    def clustering_has_in(self) -> bool:
        return any(p.is_in for p in self._clustering_predicates())

    @property
    def partition_has_in(self) -> bool:
        return any(p.is_in for found in self.partition.values() for p in found)

    @property
    def names_one_row(self) -> bool:
        """Whether every key column is given by = (so that ``exact_row`` gives the row's key)."""
        return self._simple_key is not None and self._exact is not None

    @property
    def names_partitions(self) -> bool:
        """Whether every partition key column is given by = or IN (so that ``partition_keys`` gives them)."""
        return self._named

    @property
    def fixes_partition(self) -> bool:
        """Whether every relation on the partition key is =, and each of its columns has one."""
        return self._named and all(p.is_equality for found in self._partition_values for p in found)

    @property
    def partition_key_variables(self) -> list[int]:
        """The variables that make up the partition key, when each of its columns is = to one; else empty."""
        found = [p[0].variable for p in self._partition_values if len(p) == 1 and p[0].is_equality]
        if len(found) != len(self.table.partition_key) or None in found:
            return []
        return found

    def has_equality(self, column: Column) -> bool:
        """Whether a relation fixes the column to one value."""
        return any(
            p.is_equality and p.subscript is None and column in p.columns for p in self.predicates if p.on != ON_TOKEN
        )

    def _clustering_predicates(self) -> Iterable[Predicate]:
        return itertools.chain(self.tuples, *self.clustering.values())

    def _partition_is_named(self) -> bool:
        if self.token or len(self.partition) < len(self.table.partition_key):
            return False
        return all(any(p.is_equality or p.is_in for p in found) for found in self.partition.values())

    @property
    def partition_needs_filtering(self) -> bool:
        return bool(self.partition) and (
            len(self.partition) < len(self.table.partition_key)
            or any(p.is_slice or p.always_filters for found in self.partition.values() for p in found)
        )

    @property
    def clustering_needs_filtering(self) -> bool:
        return not self.tuples and len(self._prefix) < len(self.clustering)

    def _clustering_prefix(self) -> list[list[Predicate]]:
        """The predicates of the leading clustering columns that one interval (or several) can answer."""
        prefix: list[list[Predicate]] = []
        for column in self.table.clustering:
            found = self.clustering.get(column.name)
            if not found or any(p.always_filters for p in found):
                break
            prefix.append(found)
            if any(p.is_slice for p in found):
                break
        return prefix

    # ------------------------------------------------------------ partitions

    def partition_keys(self, context: Context) -> list[Key] | None:
        """The keys asked for, in the order of their values, or None when the WHERE clause names no partitions."""
        if self._simple_key is not None:
            key = tuple([value(context) for value in self._simple_key])
            if None in key:
                self._null_in(self.table.partition_key, key)
                return []
            if self._may_be_too_long:
                check_partition_key_length(self.table, key)
            return [key]
        if not self._named:
            return None
        choices = []
        for column, found in zip(self.table.partition_key, self._partition_values, strict=True):
            values = self._candidates(column, found, context)
            if not values:
                return []
            choices.append(values)
        self._check_combinations("partition", choices)
        keys = list(itertools.product(*choices))
        if self._may_be_too_long:
            for key in keys:
                check_partition_key_length(self.table, key)
        return keys

    def token_range(self, context: Context) -> tuple[int, int] | None:
        """The tokens asked for, both ends included, or None if no token can be meant."""
        first, last = MIN_TOKEN, MAX_TOKEN
        for predicate in self.token:
            data = predicate.value(context)
            if data is None:
                if self.strict_nulls:
                    raise InvalidRequest("Invalid null token value")
                return None
            token = int.from_bytes(data, "big", signed=True)
            operator = predicate.operator
            if operator in ("<", "<=") and token == MIN_TOKEN:
                token = MAX_TOKEN  # the end of the ring can be written as its beginning
            if operator in ("=", ">=", ">"):
                first = max(first, token + (operator == ">"))
            if operator in ("=", "<=", "<"):
                last = min(last, token - (operator == "<"))
        return (first, last) if first <= last else None

    # ------------------------------------------------------------ clustering

    def exact_row(self, context: Context) -> Key | None:
        """The clustering key, when ``names_one_row``; None if one of its values is null."""
        key = tuple([value(context) for value in self._exact])
        if None in key:
            self._null_in(self.table.clustering, key)
            return None
        return key

    def clustering_intervals(self, context: Context) -> list[Interval]:
        """What to read of each partition: disjoint intervals in clustering order; empty: nothing."""
        if self.tuples:
            return self._tuple_intervals(context)
        if not self._prefix:
            return [EVERYTHING]
        *leading, last = self._prefix
        choices = []
        for found in leading:
            values = self._candidates(found[0].column, found, context)
            if not values:
                return []
            choices.append(values)
        if any(p.is_equality or p.is_in for p in last):
            values = self._candidates(last[0].column, last, context)
            if not values:
                return []
            choices.append(values)
            self._check_combinations("clustering", choices)
            return intervals.union(self._at(prefix) for prefix in itertools.product(*choices))
        self._check_combinations("clustering", choices)
        bounds = []
        for predicate in last:
            data = predicate.value(context)
            if data is None:
                self._null_in((predicate.column,), (None,))
                return []
            bounds.append((predicate.operator, data))
        found_intervals = []
        for prefix in itertools.product(*choices):
            piece: list[Interval] = [self._at(prefix)] if prefix else [EVERYTHING]
            for operator, data in bounds:
                piece = intervals.intersect(piece, [self._slice(operator, (*prefix, data))])
            found_intervals += piece
        return intervals.union(found_intervals)

    def _at(self, prefix: Key) -> Interval:
        return intervals.at(clustering_order(self.table, prefix), prefix)

    def _slice(self, operator: str, prefix: Key) -> Interval:
        """The places at which the last column of ``prefix`` is so, whatever the columns before it."""
        order = clustering_order(self.table, prefix)
        upwards = operator in (">", ">=")
        if self.table.clustering[len(prefix) - 1].descending:
            upwards = not upwards
        bound = intervals.above if upwards else intervals.below
        return bound(order, prefix, operator in (">=", "<="))

    def _tuple_intervals(self, context: Context) -> list[Interval]:
        result = [EVERYTHING]
        for predicate in self.tuples:
            value = predicate.value(context)
            if value is None:
                if self.strict_nulls or not predicate.is_in:
                    self._null_in(predicate.columns, (None,), always=True)
                return []
            if predicate.is_in:
                for fields in value:
                    self._null_in(predicate.columns, fields, always=True)
                found = [self._at(tuple(fields)) for fields in value]
            else:
                self._null_in(predicate.columns, value, always=True)
                slices = self._stored_slice if predicate.clustering_bound else self._tuple_slice
                found = slices(predicate.operator, tuple(value))
            result = intervals.intersect(result, intervals.union(found))
        return result

    def _tuple_slice(self, operator: str, values: Key) -> list[Interval]:
        """(a, b) < (1, 2) is a < 1, or a = 1 and b < 2: pieces that each vary one column, so that any mixture of
        clustering orders is served by them."""
        if operator == "=":
            return [self._at(values)]
        pieces = []
        for length in range(1, len(values) + 1):
            prefix = values[:length]
            piece = self._slice(operator if length == len(values) else operator[0], prefix)
            if length > 1:
                bounded = intervals.intersect_two(piece, self._at(prefix[:-1]))
                if bounded is None:
                    continue
                piece = bounded
            pieces.append(piece)
        return pieces

    def _stored_slice(self, operator: str, values: Key) -> list[Interval]:
        bound = intervals.above if operator in (">", ">=") else intervals.below
        return [bound(clustering_order(self.table, values), values, operator in (">=", "<="))]

    # ------------------------------------------------------------ values

    def _candidates(self, column: Column, found: list[Predicate], context: Context) -> list[bytes]:
        """The values that satisfy all of a column's = and IN relations (and slices, if any), in the type's order."""
        order = column.type.order
        chosen: dict[bytes, bytes] | None = None
        slices = []
        for predicate in found:
            value = predicate.value(context)
            if value is None:
                self._null_in((column,), (None,))
                return []
            if predicate.is_slice:
                slices.append((predicate.operator, order(value)))
                continue
            values = value if predicate.is_in else [value]
            keyed = {order(v): v for v in values}
            chosen = keyed if chosen is None else {k: v for k, v in chosen.items() if k in keyed}
        for operator, bound in slices:
            compare = matching.COMPARE[operator]
            chosen = {k: v for k, v in chosen.items() if compare(k, bound)}
        return [chosen[key] for key in sorted(chosen)]

    def _null_in(self, columns: Sequence[Column], values: Sequence[bytes | None], always: bool = False) -> None:
        """Refuse null where this statement refuses it."""
        if not (always or self.strict_nulls):
            return
        for column, value in zip(columns, values, strict=False):
            if value is None:
                raise InvalidRequest(f"Invalid null value in condition for column {column.name}")

    def _check_combinations(self, what: str, choices: list[list[bytes]]) -> None:
        size = 1
        for values in choices:
            size *= len(values)
        if size > MAX_COMBINATIONS:
            raise InvalidRequest(
                f"size of {what}-key IN list or {what}-key cartesian product of IN list {size} is greater than "
                f"maximum {MAX_COMBINATIONS}. Use --max-{what}-key-restrictions-per-query configuration option "
                "to change default setting."
            )

    # ------------------------------------------------------------ filters

    def _settle_filters(self) -> None:
        """Which predicates are left to be tested: those that keys, tokens and intervals have not answered."""
        partition = [] if self._named else [p for found in self.partition.values() for p in found]
        if self._named:
            partition = [p for found in self.partition.values() for p in found if p.is_slice or p.always_filters]
        answered = len(self._prefix)
        rows = [p for column in self.table.clustering[answered:] for p in self.clustering.get(column.name, ())]
        for found in self.other.values():
            (partition if found[0].column.role == STATIC else rows).extend(found)
        self.partition_filters: list[Predicate] = partition
        self.row_filters: list[Predicate] = rows

    @property
    def has_filters(self) -> bool:
        return bool(self.partition_filters or self.row_filters)

    def partition_test(self, context: Context) -> matching.Test | None:
        """A test of (partition key, static row), or None when every partition passes."""
        return matching.compile_tests(self.table, self.partition_filters, context)

    def row_test(self, context: Context) -> matching.Test | None:
        """A test of (partition key, row), or None when every row passes; a missing row is None."""
        return matching.compile_tests(self.table, self.row_filters, context)


def plan_restrictions(
    table: Table,
    where: Sequence[ast.Relation],
    variables: Variables,
    *,
    statement: str = "SELECT",
    allow_filtering: bool = False,
    only_static: bool = False,
) -> Restrictions:
    """Check a WHERE clause and make it ready. ``statement``: SELECT, UPDATE or DELETE. ``only_static``: nothing but
    static columns (and the partition key) is selected or changed. InvalidRequest for what cannot be asked."""
    reads = statement == "SELECT"
    predicates = [prepare_relation(relation, table, variables) for relation in where]
    where_rules.check_together(table, predicates, allow_filtering)
    found = Restrictions(table, predicates, strict_nulls=not reads)
    indexes = where_rules.usable_indexes(found) if table.indexes and statement != "DELETE" else []
    on_partition = not found.token and where_rules.serves_some(indexes, found.partition.values())
    on_clustering = where_rules.serves_some(indexes, found.clustering.values())
    on_other = where_rules.serves_some(indexes, found.other.values())

    if found.token or not found.partition:
        found.is_key_range = True
        found.uses_index = on_partition and not found.token
    if not found.token and found.partition_needs_filtering:
        if reads and not allow_filtering and not on_partition:
            raise InvalidRequest(FILTERING_NEEDED)
        found.is_key_range = True
        found.uses_index = on_partition
    if only_static and found.clustering_restricted:
        if not reads:
            raise InvalidRequest(
                f"Invalid restrictions on clustering columns since the {statement} statement modifies only static "
                "columns"
            )
        raise InvalidRequest("Cannot restrict clustering columns when selecting only static columns")
    where_rules.check_clustering(found, on_clustering, allow_filtering)
    if not reads:
        where_rules.check_write(found)
    if (found.is_key_range or found.clustering_needs_filtering) and on_clustering and not found.tuples:
        found.uses_index = True
    if found.other:
        if on_other and not found.partition_has_in:
            found.uses_index = True
        elif reads and not allow_filtering:
            raise InvalidRequest(FILTERING_NEEDED)
    if found.uses_index and not allow_filtering and found.partition_has_in:
        raise InvalidRequest("Select on indexed columns and with IN clause for the PRIMARY KEY are not supported")
    found.needs_filtering = where_rules.needs_filtering(found, on_partition, on_clustering, on_other)
    if found.uses_index:
        found.index = where_rules.chosen_index(indexes, found)
    if found.is_key_range or found.uses_index:
        in_every_partition = (not found.partition or bool(found.token)) and not found.uses_index
        found.must_allow_filtering = found.needs_filtering
        found.should_allow_filtering = in_every_partition and found.clustering_restricted
    return found


def _by_column(predicates: Iterable[Predicate], columns: Sequence[Column]) -> dict[str, list[Predicate]]:
    """The predicates on these columns, by column, in the order of the WHERE clause."""
    names = {c.name for c in columns}
    found: dict[str, list[Predicate]] = {}
    for predicate in predicates:
        if predicate.column.name in names:
            found.setdefault(predicate.column.name, []).append(predicate)
    return found
