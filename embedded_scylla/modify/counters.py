"""Counters: how a statement changes them, and what they are then.

A statement says by how much a counter changes. That is what its cells hold while the statements of a request come
together, and two changes of one counter are added up; ``settle`` puts in their place what the counter is then. From
there on a counter's cell is like any other: the journal, the store and the readers know of no counting.

Who counts on after a deletion is on his own: a counter's tombstone wins over whatever comes later, so that one that was
deleted by its name stays deleted until its tombstone is garbage; a row or a partition that was deleted begins at 0.
ScyllaDB has the same outcome on one node, and promises neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import InvalidRequest
from ..request import UNSET, Context
from ..storage.merge import merge_mutation
from ..storage.rows import Cell, Collection, Mutation, Row
from ..terms.compile import Value
from .write import Write

_LOWEST, _HIGHEST = -(1 << 63), (1 << 63) - 1
_WRAP = 1 << 64


def change(
    name: str, value: Value, subtract: bool
) -> Callable[[dict[str, Cell | Collection], Context, Write, Row | None], None]:
    """What ``c = c + value`` does to the cells of a row, or, with ``subtract``, ``c = c - value``."""

    def run(cells: dict[str, Cell | Collection], context: Context, write: Write, old: Row | None) -> None:
        data = value(context)
        if data is UNSET:
            return
        if not data:
            raise InvalidRequest("Invalid null value for counter increment")
        step = _decode(data)
        if subtract:
            if step == _LOWEST:
                raise InvalidRequest(
                    f"The negation of {step} overflows supported counter precision (signed 8 bytes integer)"
                )
            step = -step
        cell: Cell = (write.timestamp, _encode(step), 0, 0)
        present = cells.get(name)
        cells[name] = cell if present is None else _sum(present, cell)

    return run


def add_up(target: Mutation, source: Mutation) -> None:
    """Make one mutation of two on the same partition, whose counters are still changes: the statements of a batch.
    ``source`` is used up."""
    pairs = [(target.rows[key], row) for key, row in source.rows.items() if key in target.rows]
    if target.static is not None and source.static is not None:
        pairs.append((target.static, source.static))
    for row, other in pairs:
        for name in row.cells.keys() & other.cells.keys():
            row.cells[name] = other.cells[name] = _sum(row.cells[name], other.cells[name])
    merge_mutation(target, source)


def settle(mutations: Sequence[Mutation], context: Context) -> None:
    """Turn the changes into what the counters are then."""
    for mutation in mutations:
        store = context.database.store(mutation.table)
        partition = store.partition(mutation.key)
        if partition is None:
            continue
        if mutation.static is not None and partition.static is not None:
            _settle_row(mutation.static, partition.static)
        for key, row in mutation.rows.items():
            stored = store.row(mutation.key, key)
            if stored is not None:
                _settle_row(row, stored)


def _settle_row(row: Row, stored: Row) -> None:
    for name, cell in list(row.cells.items()):
        before = stored.cells.get(name)
        if before is None:
            continue
        assert type(cell) is tuple and type(before) is tuple  # no collections beside counters
        if cell[1] is None:
            row.cells[name] = (max(cell[0], before[0]), None, cell[2], 0)
        elif before[1] is None:
            del row.cells[name]
        else:
            # Of two cells the newer one stays; clients' clocks may differ, but no change may be lost.
            newer = min(before[0] + 1, _HIGHEST)
            row.cells[name] = (max(cell[0], newer), _encode(_decode(before[1]) + _decode(cell[1])), 0, 0)


def _sum(one: Cell | Collection, other: Cell | Collection) -> Cell:
    """Two changes of a counter as one; if one of them is its deletion, that."""
    assert type(one) is tuple and type(other) is tuple
    if one[1] is None or other[1] is None:
        return one if one[1] is None else other
    return (max(one[0], other[0]), _encode(_decode(one[1]) + _decode(other[1])), 0, 0)


def _decode(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)


def _encode(number: int) -> bytes:
    """Eight bytes, in which whole numbers go round."""
    return (number % _WRAP).to_bytes(8, "big")
