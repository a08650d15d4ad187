"""How two versions of the same data become one: ScyllaDB's reconciliation rules.

The newest timestamp wins; at equal timestamps a tombstone beats a value, a cell that expires beats one that does not,
then the later expiry, then the later write (the smaller TTL), and at last the larger value. A tombstone covers what is
as old as itself or older; what it covers is dropped here and now, and what comes too late never gets in.

``floor`` is the timestamp up to which a tombstone from above (of the partition, a range, the row) covers everything.
"""

from __future__ import annotations

from typing import Any

from .rows import Cell, Collection, Marker, Mutation, Row, Tombstone, marker_is_live

NO_FLOOR = -(1 << 63)  # below every timestamp


# ---------------------------------------------------------------- cells and markers


def reconcile(one: Cell, other: Cell) -> Cell:
    """The cell that wins."""
    if one[0] != other[0]:
        return one if one[0] > other[0] else other
    return max(one, other, key=_rank)


def _rank(cell: Cell) -> tuple[Any, ...]:
    if cell[1] is None:
        return (1, cell[2])
    return (0, cell[3] > 0, cell[2], -cell[3], cell[1])


def reconcile_markers(one: Marker | None, other: Marker | None) -> Marker | None:
    """The row marker that wins: as for cells, but for the value."""
    if one is None or other is None:
        return other if one is None else one
    if one[0] != other[0]:
        return one if one[0] > other[0] else other
    return max(one, other, key=lambda marker: (marker[2] > 0, marker[1], -marker[2]))


def newest(one: Tombstone | None, other: Tombstone | None) -> Tombstone | None:
    """The tombstone that covers more."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def put_cell(cells: dict[str, Any], name: str, cell: Cell | Collection, floor: int = NO_FLOOR) -> None:
    """Merge one cell or collection into a row's cells, where the column has the same kind or nothing."""
    if type(cell) is Collection:
        present = cells.get(name)
        if present is None:
            present = Collection()
        merge_collection(present, cell, floor)
        if present.deletion is not None or present.elements:
            cells[name] = present
    elif cell[0] > floor:
        present = cells.get(name)
        if present is None or cell[0] > present[0]:
            cells[name] = cell
        elif cell[0] == present[0]:
            cells[name] = max(present, cell, key=_rank)


def merge_collection(target: Collection, source: Collection, floor: int = NO_FLOOR) -> None:
    """Merge a write to a collection into what is there; ``source`` is not changed."""
    deletion = source.deletion
    if deletion is not None and deletion[0] > floor:
        target.deletion = newest(target.deletion, deletion)
        if target.deletion is deletion:
            _drop_elements(target, deletion[0])
    if target.deletion is not None:
        floor = max(floor, target.deletion[0])
    elements = target.elements
    for key, cell in source.elements.items():
        if cell[0] > floor:
            present = elements.get(key)
            elements[key] = cell if present is None else reconcile(present, cell)


def _drop_elements(collection: Collection, floor: int) -> None:
    if any(cell[0] <= floor for cell in collection.elements.values()):
        collection.elements = {key: cell for key, cell in collection.elements.items() if cell[0] > floor}


# ---------------------------------------------------------------- rows


def copy_row(row: Row) -> Row:
    """The row as it is now, for somebody who compares it later: collections copied, cells shared."""
    cells = row.cells.copy()
    if Collection in map(type, cells.values()):
        for name, cell in cells.items():
            if type(cell) is Collection:
                cells[name] = Collection(cell.deletion, cell.elements.copy())
    return row.__class__(row.key, row.marker, row.deletion, cells, row.shadowable)


def is_empty(row: Row) -> bool:
    """Whether the row says nothing at all, not even that something was deleted."""
    return not row.cells and row.marker is None and row.deletion is None and row.shadowable is None


def drop_covered(row: Row, floor: int) -> None:
    """Drop from a row what a tombstone covers up to ``floor``, the row's own smaller tombstone included."""
    if row.marker is not None and row.marker[0] <= floor:
        row.marker = None
    if row.deletion is not None and row.deletion[0] <= floor:
        row.deletion = None
    if row.shadowable is not None and row.shadowable[0] <= floor:
        row.shadowable = None
    _drop_covered_cells(row, floor)


def _drop_covered_cells(row: Row, floor: int) -> None:
    kept: dict[str, Cell | Collection] = {}
    for name, cell in row.cells.items():
        if type(cell) is Collection:
            if cell.deletion is not None and cell.deletion[0] <= floor:
                cell.deletion = None
            _drop_elements(cell, floor)
            if cell.deletion is not None or cell.elements:
                kept[name] = cell
        elif cell[0] > floor:
            kept[name] = cell
    row.cells = kept


def settle(row: Row, floor: int) -> None:
    """Make a row that is about to be stored, and was not there before, obey the tombstones above and in it."""
    deletion = row.deletion
    if floor != NO_FLOOR:
        drop_covered(row, floor)
    if deletion is not None and row.deletion is deletion:
        if row.marker is not None and row.marker[0] <= deletion[0]:
            row.marker = None
        _drop_covered_cells(row, deletion[0])
    for name, cell in list(row.cells.items()):
        if type(cell) is Collection:
            if cell.deletion is not None:
                _drop_elements(cell, cell.deletion[0])
            elif not cell.elements:
                del row.cells[name]
    if row.shadowable is not None:
        _shadow(row, row.shadowable)


def merge_row(row: Row, update: Row, floor: int, now: int) -> None:
    """Merge a write into a stored row. ``now`` (seconds) matters to rows of views only: see ``GovernedRow``."""
    if row.governed and not marker_is_live(row.marker, now):
        drop_values(row)
    deletion = update.deletion
    if deletion is not None and deletion[0] > floor and (row.deletion is None or deletion > row.deletion):
        drop_covered(row, deletion[0])
        row.deletion = deletion
    if row.deletion is not None and row.deletion[0] > floor:
        floor = row.deletion[0]
    marker = update.marker
    if marker is not None and marker[0] > floor:
        present = row.marker
        row.marker = marker if present is None else reconcile_markers(present, marker)
    cells = row.cells
    for name, cell in update.cells.items():
        put_cell(cells, name, cell, floor)
    if update.shadowable is not None and update.shadowable[0] > floor:
        row.shadowable = newest(row.shadowable, update.shadowable)
    if row.shadowable is not None:
        _shadow(row, row.shadowable)


def _shadow(row: Row, shadowable: Tombstone) -> None:
    """Let the shadowable tombstone and the marker fight it out: the newer one stays. (The live cells of a row of a
    view stand or fall with its marker.)"""
    if row.marker is not None and row.marker[0] > shadowable[0]:
        row.shadowable = None
    else:
        row.marker = None
        drop_values(row)


def drop_values(row: Row) -> None:
    """Drop the live cells of a row of a view whose marker is gone: should the row come back, all of the base row
    comes with it. Its tombstones stay."""
    kept: dict[str, Cell | Collection] = {}
    for name, cell in row.cells.items():
        if type(cell) is Collection:
            cell.elements = {key: element for key, element in cell.elements.items() if element[1] is None}
            if cell.deletion is not None or cell.elements:
                kept[name] = cell
        elif cell[1] is None:
            kept[name] = cell
    row.cells = kept


# ---------------------------------------------------------------- mutations


def merge_mutation(target: Mutation, source: Mutation) -> None:
    """Make one mutation of two on the same partition: the statements of a batch. ``source`` is used up.

    What a tombstone of the batch covers stays in it, for the CDC log to tell; the store drops it.
    """
    target.deletion = newest(target.deletion, source.deletion)
    target.ranges += source.ranges
    if source.static is not None:
        if target.static is None:
            target.static = source.static
        else:
            _join_row(target.static, source.static)
    for key, row in source.rows.items():
        present = target.rows.get(key)
        if present is None:
            target.rows[key] = row
        else:
            _join_row(present, row)


def _join_row(row: Row, other: Row) -> None:
    row.deletion = newest(row.deletion, other.deletion)
    row.marker = reconcile_markers(row.marker, other.marker)
    for name, cell in other.cells.items():
        put_cell(row.cells, name, cell)
