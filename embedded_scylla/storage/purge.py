"""What is garbage in a row: tombstones, and cells whose TTL is over, that were written before a moment given.

What expired counts as a tombstone that was made when it was written, as in a compaction.
"""

from __future__ import annotations

from .merge import drop_values, is_empty
from .rows import Cell, Collection, Row, Tombstone, live, marker_is_live


def is_old(tombstone: Tombstone | None, before: int) -> bool:
    """Whether a tombstone was made before ``before`` (seconds)."""
    return tombstone is not None and tombstone[1] < before


def row_has_garbage(row: Row, now: int, before: int) -> bool:
    """Whether ``purge_row`` would drop anything."""
    if is_old(row.deletion, before) or is_old(row.shadowable, before) or _marker_is_over(row, now, before):
        return True
    if not row.cells:
        return is_empty(row)
    is_dead = row.governed and not marker_is_live(row.marker, now)
    for cell in row.cells.values():
        if type(cell) is Collection:
            if is_old(cell.deletion, before):
                return True
            if any(_is_garbage(element, now, before) for element in cell.elements.values()):
                return True
            if is_dead and any(element[1] is not None for element in cell.elements.values()):
                return True
        elif (cell[2] and _is_garbage(cell, now, before)) or (is_dead and cell[1] is not None):
            return True
    return False


def purge_row(row: Row, now: int, before: int) -> None:
    """Drop the garbage of a row; what expired later than ``before`` becomes a tombstone."""
    if row.governed and not marker_is_live(row.marker, now):
        drop_values(row)
    if is_old(row.deletion, before):
        row.deletion = None
    if is_old(row.shadowable, before):
        row.shadowable = None
    if _marker_is_over(row, now, before):
        row.marker = None
    for cell in row.cells.values():
        if type(cell) is Collection or cell[2]:
            break
    else:
        return  # the usual row: nothing in it ends
    kept: dict[str, Cell | Collection] = {}
    for name, cell in row.cells.items():
        if type(cell) is Collection:
            if is_old(cell.deletion, before):
                cell.deletion = None
            cell.elements = {
                key: _as_tombstone(element, now)
                for key, element in cell.elements.items()
                if not _is_garbage(element, now, before)
            }
            if cell.deletion is not None or cell.elements:
                kept[name] = cell
        elif not _is_garbage(cell, now, before):
            kept[name] = _as_tombstone(cell, now)
    row.cells = kept


def _marker_is_over(row: Row, now: int, before: int) -> bool:
    marker = row.marker
    return marker is not None and 0 < marker[1] <= now and marker[1] - marker[2] < before


def _is_garbage(cell: Cell, now: int, before: int) -> bool:
    return not live(cell, now) and _dead_since(cell) < before


def _dead_since(cell: Cell) -> int:
    """When a tombstone was made, or a cell with a TTL was written (seconds)."""
    return cell[2] if cell[1] is None else cell[2] - cell[3]


def _as_tombstone(cell: Cell, now: int) -> Cell:
    return cell if cell[1] is None or live(cell, now) else (cell[0], None, _dead_since(cell), 0)
