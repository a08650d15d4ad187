"""A mutation as plain tuples, lists and dicts, which marshal writes to the journal and reads back."""

from __future__ import annotations

from typing import Any

from ..schema import Table
from .rows import GovernedRow, Key, Marker, Mutation, RangeDeletion, Row, Tombstone
from .store import pack_cells, unpack_cells

TABLE_ID = 0  # where in an encoded mutation the table's id stands (16 bytes)


def encode_mutation(mutation: Mutation) -> tuple[Any, ...]:
    """``(table id, key, rows, deletion, static, ranges)``; the last ones are left out where there are none."""
    rows: list[tuple[Any, ...]] = []
    for row in mutation.rows.values():
        if row.governed or row.shadowable is not None:
            rows.append((row.key, row.marker, pack_cells(row.cells), row.deletion, row.shadowable, row.governed))
        elif row.deletion is None:
            rows.append((row.key, row.marker, pack_cells(row.cells)))
        else:
            rows.append((row.key, row.marker, pack_cells(row.cells), row.deletion))
    table_id = mutation.table.id.bytes
    if mutation.deletion is None and mutation.static is None and not mutation.ranges:
        return (table_id, mutation.key, rows)
    static = None if mutation.static is None else pack_cells(mutation.static.cells)
    ranges = [(r.start, r.start_inclusive, r.end, r.end_inclusive, r.tombstone) for r in mutation.ranges]
    return (table_id, mutation.key, rows, mutation.deletion, static, ranges)


def decode_mutation(encoded: tuple[Any, ...], table: Table) -> Mutation:
    """The mutation that ``encode_mutation`` encoded; ``table`` is the one with the id in it."""
    if len(encoded[1]) != len(table.partition_key):
        raise ValueError(f"the partition key of {table.full_name} has {len(table.partition_key)} columns")
    mutation = Mutation(table, encoded[1])
    rows = mutation.rows
    for row in encoded[2]:
        rows[row[0]] = _decode_row(*row)
    if len(encoded) > 3:
        mutation.deletion = encoded[3]
        if encoded[4] is not None:
            mutation.static = Row((), cells=unpack_cells(encoded[4]))
        mutation.ranges = [RangeDeletion(*parts) for parts in encoded[5]]
    return mutation


def _decode_row(
    key: Key,
    marker: Marker | None,
    cells: dict[str, Any],
    deletion: Tombstone | None = None,
    shadowable: Tombstone | None = None,
    governed: bool = False,
) -> Row:
    return (GovernedRow if governed else Row)(key, marker, deletion, unpack_cells(cells), shadowable)
