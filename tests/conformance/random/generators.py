"""Hypothesis strategies for valid statements: which there are for a table, and which values they hold.

A timestamp is drawn as a small number, or as LATE and a small number: a time after everything that is written by the
clock. The machine makes each of them different from the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from .operations import (
    Assignment,
    Batch,
    Condition,
    Conditions,
    Delete,
    Insert,
    Modification,
    PushClock,
    Relation,
    Select,
    Selector,
    Update,
)
from .shapes import Column, Readable, Table, column, value_columns

LATE = 1_000_000
# Types whose values are the same text for every engine.
_PRINTED_ALIKE = ("int", "bigint", "smallint", "tinyint", "varint", "boolean", "uuid", "timeuuid", "text")
TTLS = (100, 1000, 10_000)
# Never a sum of these is near to one of those: whether a value has ended is not a question of a test's own speed.
PUSHES = (150, 1500)
PAGE_SIZES = (1, 2, 3, 7, 100)

Draw = Callable[[st.SearchStrategy], Any]

_small = st.integers(1, 999)
timestamps = st.one_of(st.none(), _small, _small, _small.map(lambda number: LATE + number))
ttls = st.one_of(st.none(), st.none(), st.sampled_from((0, *TTLS)))


def subsets(items: Any, least: int = 0, most: int | None = None) -> st.SearchStrategy[list]:
    if not items:
        return st.just([])
    return st.lists(st.sampled_from(list(items)), min_size=least, max_size=most, unique=True)


def whole_values(column: Column, least: int = 0) -> st.SearchStrategy[Any]:
    """What a column may be set to, null not included. ``least``: elements of a map."""
    if column.collection == "set":
        return subsets(column.pool, most=3).map(frozenset)
    if column.collection == "list":
        return st.lists(st.sampled_from(column.pool), max_size=3)
    if column.collection == "map":
        return st.dictionaries(st.sampled_from(column.keys), st.sampled_from(column.pool), min_size=least, max_size=2)
    return st.sampled_from(column.pool)


def or_null(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(values, values, values, st.none())


def _equal(draw: Draw, table: Readable, names: tuple[str, ...]) -> tuple[Relation, ...]:
    return tuple(Relation((name,), "=", draw(st.sampled_from(column(table, name).pool))) for name in names)


# ---------------------------------------------------------------- writes


@st.composite
def inserts(draw: Draw, table: Table, keyspace: str) -> Insert:
    """A row, or in a table with static columns sometimes these alone."""
    statics = [c for c in value_columns(table) if c.static]
    static_only = bool(statics) and draw(st.integers(0, 5)) == 0
    keys = table.partition if static_only else table.partition + table.clustering
    candidates = statics if static_only else value_columns(table)
    values = {name: draw(st.sampled_from(column(table, name).pool)) for name in keys}
    for chosen in draw(subsets(candidates, least=1 if static_only else 0, most=4)):
        values[chosen.name] = draw(or_null(whole_values(chosen)))
    return Insert(table, keyspace, values)


@st.composite
def assignments(draw: Draw, column: Column) -> Assignment:
    if column.collection is None or draw(st.booleans()):
        return Assignment(column, "=", draw(or_null(whole_values(column))))
    if column.collection == "list":
        how = draw(st.sampled_from(("+", "prepend", "-", "[]")))
        if how == "[]":
            return Assignment(column, how, draw(or_null(st.sampled_from(column.pool))), draw(st.integers(0, 2)))
        return Assignment(column, how, draw(st.lists(st.sampled_from(column.pool), min_size=1, max_size=2)))
    if column.collection == "set":
        return Assignment(
            column, draw(st.sampled_from("+-")), draw(subsets(column.pool, least=1, most=2).map(frozenset))
        )
    how = draw(st.sampled_from(("+", "-", "[]")))
    if how == "[]":
        key = draw(st.sampled_from(column.keys))
        return Assignment(column, how, draw(or_null(st.sampled_from(column.pool))), key)
    if how == "-":
        return Assignment(column, how, draw(subsets(column.keys, least=1).map(frozenset)))
    return Assignment(column, how, draw(whole_values(column, least=1)))


@st.composite
def updates(draw: Draw, table: Table, keyspace: str, exact: bool = False) -> Update:
    """``exact``: of one row only (no IN)."""
    columns = draw(subsets(value_columns(table), least=1, most=3))
    keys = table.partition + (() if all(c.static for c in columns) else table.clustering)
    where = list(_equal(draw, table, keys))
    if not exact and draw(st.integers(0, 4)) == 0:
        last = column(table, keys[-1])
        where[-1] = Relation((last.name,), "IN", tuple(draw(subsets(last.pool, least=1, most=3))))
    return Update(table, keyspace, tuple(draw(assignments(c)) for c in columns), tuple(where))


@st.composite
def deletes(draw: Draw, table: Table, keyspace: str, exact: bool = False) -> Delete:
    """Of columns and elements, rows, ranges of rows, partitions. ``exact``: of one row or its columns only."""
    if draw(st.booleans()):
        columns = draw(subsets(value_columns(table), least=1, most=2))
        static_only = all(c.static for c in columns)
        targets = []
        for chosen in columns:
            keys: tuple = {"map": chosen.keys, "list": (0, 1)}.get(chosen.collection or "", ())
            if chosen.collection == "set":
                keys = chosen.pool
            targets.append((chosen, draw(st.sampled_from((None, *keys)))))
        keys = table.partition + (() if static_only else table.clustering)
        return Delete(table, keyspace, tuple(targets), _equal(draw, table, keys))
    where = _equal(draw, table, table.partition)
    if exact:
        where += _equal(draw, table, table.clustering)
    else:
        where += draw(clustering_relations(table))
    return Delete(table, keyspace, (), where)


@st.composite
def conditions(draw: Draw, columns: list[Column]) -> Conditions:
    """``columns`` are those that may be asked for: statics alone, where no row is named."""
    if not columns or draw(st.integers(0, 3)) == 0:
        return "EXISTS"
    made = []
    for chosen in draw(subsets(columns, least=1, most=2)):
        if chosen.collection == "map":
            made.append(
                Condition(
                    chosen,
                    draw(st.sampled_from(("=", "!="))),
                    draw(or_null(st.sampled_from(chosen.pool))),
                    draw(st.sampled_from(chosen.keys)),
                )
            )
            continue
        operator = draw(st.sampled_from(("=", "=", "!=", "<", "<=", ">", ">=", "IN")))
        value: Any = draw(st.sampled_from(chosen.pool))
        if operator == "IN":
            value = tuple(draw(subsets(chosen.pool, least=1, most=2)))
        elif operator in ("=", "!="):
            value = draw(or_null(st.just(value)))
        made.append(Condition(chosen, operator, value))
    return tuple(made)


def _names_row(statement: Modification) -> bool:
    if isinstance(statement, Insert):
        return set(statement.table.clustering) <= set(statement.values)
    return {name for r in statement.where for name in r.columns} >= set(statement.table.clustering)


@st.composite
def conditional(draw: Draw, table: Table, keyspace: str) -> Modification:
    """A lightweight transaction of one statement."""
    statement = draw(_exact(table, keyspace))
    ttl = None if isinstance(statement, Delete) else draw(ttls)
    if isinstance(statement, Insert):
        return Insert(table, keyspace, statement.values, None, ttl, "NOT EXISTS")
    where = draw(conditions(_askable(statement)))
    if isinstance(statement, Delete):
        return Delete(table, keyspace, statement.targets, statement.where, None, where)
    return Update(table, keyspace, statement.assignments, statement.where, None, ttl, where)


def _exact(table: Table, keyspace: str) -> st.SearchStrategy[Modification]:
    return st.one_of(inserts(table, keyspace), updates(table, keyspace, True), deletes(table, keyspace, True))


def _askable(statement: Modification) -> list[Column]:
    """Columns for conditions; those on whole collections and tuples are left to tests of single statements."""
    named = _names_row(statement)
    return [
        c
        for c in value_columns(statement.table)
        if (c.static or named) and c.collection in (None, "map") and not c.type.startswith(("tuple", "frozen"))
    ]


@st.composite
def conditional_batches(draw: Draw, table: Table, keyspace: str, mixed: bool) -> Batch:
    """Several rows of one partition; at least one statement has a condition. ``mixed``: and of its static row."""
    statements: list[Modification] = []
    rows = set()
    first = draw(conditional(table, keyspace).filter(_names_row))
    partition = _key_of(first, table.partition)
    for statement in (
        first,
        *draw(st.lists(st.one_of(conditional(table, keyspace), _exact(table, keyspace)), max_size=2)),
    ):
        moved = _in_partition(statement, partition)
        row = _key_of(moved, table.clustering) if _names_row(moved) else ()
        if row not in rows and (
            mixed or _names_row(moved)
        ):  # one statement for each row: two could contradict each other
            rows.add(row)
            statements.append(moved)
    return Batch(tuple(statements))


def _key_of(statement: Modification, names: tuple[str, ...]) -> tuple:
    if isinstance(statement, Insert):
        return tuple(statement.values[name] for name in names)
    return tuple(next(r.value for r in statement.where if r.columns == (name,)) for name in names)


def _in_partition(statement: Modification, key: tuple) -> Modification:
    """The same statement on another partition."""
    named = dict(zip(statement.table.partition, key, strict=True))
    if isinstance(statement, Insert):
        values = {**statement.values, **named}
        return Insert(statement.table, statement.keyspace, values, None, statement.ttl, statement.conditions)
    where = tuple(
        Relation(r.columns, "=", named[r.columns[0]]) if r.columns[0] in named else r for r in statement.where
    )
    if isinstance(statement, Delete):
        return Delete(statement.table, statement.keyspace, statement.targets, where, None, statement.conditions)
    return Update(
        statement.table, statement.keyspace, statement.assignments, where, None, statement.ttl, statement.conditions
    )


def modifications(table: Table, keyspace: str) -> st.SearchStrategy[Modification]:
    return st.one_of(
        inserts(table, keyspace), inserts(table, keyspace), updates(table, keyspace), deletes(table, keyspace)
    )


@st.composite
def stamped(draw: Draw, table: Table, keyspace: str, timed: bool = True) -> Modification:
    """A write with or without a timestamp (``timed``) and a TTL."""
    statement = draw(modifications(table, keyspace))
    timestamp = draw(timestamps) if timed else None
    if isinstance(statement, Delete):
        return Delete(table, keyspace, statement.targets, statement.where, timestamp)
    if isinstance(statement, Insert):
        return Insert(table, keyspace, statement.values, timestamp, draw(ttls))
    return Update(table, keyspace, statement.assignments, statement.where, timestamp, draw(ttls))


@st.composite
def batches(draw: Draw, table: Table, keyspace: str, timed: bool = True) -> Batch:
    """With one timestamp for all, or each statement with its own, or none."""
    own = timed and draw(st.booleans())
    statements = tuple(draw(st.lists(stamped(table, keyspace, own), min_size=2, max_size=4)))
    return Batch(statements, draw(timestamps) if timed and not own else None, draw(st.booleans()))


pushes = st.sampled_from(PUSHES).map(PushClock)


# ---------------------------------------------------------------- reads


@st.composite
def clustering_relations(draw: Draw, table: Readable) -> tuple[Relation, ...]:
    """Which rows of a partition: a prefix of the clustering key, then a range, an IN, or nothing more."""
    names = table.clustering
    if not names:
        return ()
    count = draw(st.integers(0, len(names)))
    relations = _equal(draw, table, names[:count])
    if count == len(names):
        return relations
    kind = draw(st.sampled_from(("nothing", "range", "range", "in", "tuple", "tuples")))
    following = column(table, names[count])
    if kind == "range":
        for side in draw(st.sampled_from((("<", "<="), (">", ">="), ("<", ">"), ("<=", ">="), ("<", ">=")))):
            if side in ("<=", "<") and any(r.operator in ("<", "<=") for r in relations):
                continue
            if side in (">=", ">") and any(r.operator in (">", ">=") for r in relations):
                continue
            relations += (Relation((following.name,), side, draw(st.sampled_from(following.pool))),)
    elif kind == "in":
        values = tuple(draw(subsets(following.pool, least=1, most=3)))
        relations += (Relation((following.name,), "IN", values),)
    elif kind in ("tuple", "tuples") and count == 0 and len(names) > 1:
        width = draw(st.integers(2, len(names))) if kind == "tuple" else len(names)
        places = st.tuples(*(st.sampled_from(column(table, name).pool) for name in names[:width]))
        if kind == "tuples":
            several = tuple(draw(st.lists(places, min_size=1, max_size=3, unique=True)))
            return (Relation(names, "IN", several),)
        relations = (Relation(names[:width], draw(st.sampled_from(("<", "<=", ">", ">=", "="))), draw(places)),)
    return relations


@st.composite
def _filters(draw: Draw, table: Readable) -> tuple[Relation, ...]:
    """Relations that want ALLOW FILTERING: on value columns, or on clustering columns out of turn."""
    candidates = [c for c in table.columns if c.name not in table.partition]
    made = []
    for chosen in draw(subsets(candidates, least=1, most=2)):
        if chosen.collection:
            operator = draw(
                st.sampled_from(("CONTAINS", "CONTAINS KEY") if chosen.collection == "map" else ("CONTAINS",))
            )
            pool = chosen.keys if operator == "CONTAINS KEY" else chosen.pool
        elif chosen.type.startswith(("tuple", "frozen")):
            operator, pool = "=", chosen.pool
        else:
            operator, pool = draw(st.sampled_from(("=", "=", "<", "<=", ">", ">="))), chosen.pool
        made.append(Relation((chosen.name,), operator, draw(st.sampled_from(pool))))
    return tuple(made)


@st.composite
def _partition_relations(draw: Draw, table: Readable, tokens: tuple[int, ...]) -> tuple[Relation, ...]:
    kind = draw(st.sampled_from(("all", "all", "one", "one", "one", "in", "token")))
    if kind == "all":
        return ()
    if kind == "token":
        operator = draw(st.sampled_from((">", ">=", "<", "<=")))
        relations = [Relation(table.partition, operator, draw(st.sampled_from(tokens)), True)]
        if draw(st.booleans()):
            other = "<" if operator.startswith(">") else ">="
            relations.append(Relation(table.partition, other, draw(st.sampled_from(tokens)), True))
        return tuple(relations)
    relations = list(_equal(draw, table, table.partition))
    if kind == "in":
        last = column(table, table.partition[-1])
        values = tuple(draw(subsets(last.pool, least=1, most=3)))
        relations[-1] = Relation((last.name,), "IN", values)
    return tuple(relations)


@st.composite
def _selectors(draw: Draw, table: Readable, functions: bool) -> tuple[Selector, ...]:
    """The whole key (a reader must be able to tell rows apart) and some columns and what is made of them."""
    simple = [c for c in value_columns(table) if not c.collection]
    chosen = [Selector(name) for name in table.partition + table.clustering]
    chosen += [Selector(c.name) for c in draw(subsets(value_columns(table)))]
    chosen += [Selector(c.name, "writetime") for c in draw(subsets(simple, most=2))]
    chosen += [Selector(c.name, "ttl") for c in draw(subsets(simple, most=2))]
    if functions:
        printable = [c for c in table.columns if c.type in _PRINTED_ALIKE]
        chosen += [Selector(c.name, "cast") for c in draw(subsets(printable, most=1))]
        if draw(st.booleans()):
            chosen.append(Selector(", ".join(table.partition), "token"))
    return tuple(chosen)


@st.composite
def _aggregates(draw: Draw, table: Readable, of_rows: bool) -> tuple[Selector, ...]:
    """``of_rows``: the clustering key is restricted, which goes ill with static columns alone."""
    columns = [c for c in table.columns if not c.collection and not (c.static and of_rows)]
    numbers = [c.name for c in columns if c.type == "int"]
    others = [c.name for c in columns]
    choices = [Selector("*", "count")] + [Selector(name, f) for name in others for f in ("count", "min", "max")]
    choices += [Selector(name, f) for name in numbers for f in ("sum", "avg")]
    return tuple(draw(subsets(choices, least=1, most=3)))


@st.composite
def reads(draw: Draw, table: Readable, keyspace: str, tokens: tuple[int, ...], functions: bool = True) -> Select:
    """A SELECT in any shape. ``tokens`` are those to ask around."""
    page_size = draw(st.sampled_from(PAGE_SIZES))
    if draw(st.integers(0, 7)) == 0:
        return _distinct(draw, table, keyspace, tokens, page_size)
    where = draw(_partition_relations(table, tokens))
    by_key = bool(where) and not where[0].of_token
    several = any(r.operator == "IN" for r in where)
    if by_key:
        where += draw(clustering_relations(table))
    filtering = draw(st.integers(0, 3)) == 0
    if filtering:
        named = {name for r in where for name in r.columns}
        if any(len(r.columns) > 1 and not r.of_token for r in where):
            named |= set(table.clustering)  # relations of one column and of several do not mix
        where += tuple(r for r in draw(_filters(table)) if not named & set(r.columns))
    if draw(st.integers(0, 4)) == 0:
        of_rows = any(set(r.columns) & set(table.clustering) for r in where)
        chosen = draw(_aggregates(table, of_rows))
        return Select(table, keyspace, chosen, where, filtering=filtering, page_size=page_size)
    backwards = draw(st.sampled_from((None, False, True))) if by_key and table.clustering else None
    numbers = st.one_of(st.none(), st.none(), st.integers(1, 4))
    return Select(
        table,
        keyspace,
        draw(_selectors(table, functions)),
        where,
        backwards=backwards,
        per_partition_limit=draw(numbers) if table.clustering else None,
        # Which partition of an IN comes first, nobody promises: nor what a limit leaves of them.
        limit=None if several else draw(numbers),
        filtering=filtering,
        # Across partitions an order wants all rows at once.
        page_size=None if several and backwards is not None else page_size,
    )


def _distinct(draw: Draw, table: Readable, keyspace: str, tokens: tuple[int, ...], page_size: int) -> Select:
    statics = [c.name for c in value_columns(table) if c.static]
    names = (*table.partition, *draw(subsets(statics))) if statics else table.partition
    where = draw(_partition_relations(table, tokens))
    limit = None if any(r.operator == "IN" for r in where) else draw(st.one_of(st.none(), st.integers(1, 3)))
    selectors = tuple(map(Selector, names))
    return Select(table, keyspace, selectors, where, distinct=True, limit=limit, page_size=page_size)
