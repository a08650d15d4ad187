"""Materialized views: what a change of a base row means for a view, as mutations of the view's table.

A view is told what a base row was and what it became. If the view's key consists of columns of the base's key alone,
the view row is the base row's twin: same marker, same tombstones, same cells. If one regular column of the base is in
the view's key, that column's cell decides: it gives the view row its marker, so the row comes, goes and expires with
it, and when its value changes, the row moves: a shadowable tombstone in the old place, a whole new row in the new one.
View cells are the base's cells, timestamps, TTLs and all. Static columns get into no view but those behind indexes on
them, which follow the static row as others follow clustered rows; for indexes on elements see ``element_index``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter

from ..schema import CLUSTERING, PARTITION_KEY, STATIC, Column, Table
from ..storage.key_limits import check_clustering_key, check_partition_key_length
from ..storage.keys import token
from ..storage.partition import Change
from ..storage.rows import Cell, Collection, GovernedRow, Key, Marker, Mutation, Row, Tombstone, live, row_is_live
from ..storage.store import TableStore
from .element_index import ElementUpdater, is_static

Cells = dict[str, Cell | Collection]
Place = tuple[bytes, ...]  # a base row's partition key, clustering key, and regular column in the view's key


class ViewUpdater:
    """Turns changes of ``base`` into mutations of ``view``; made once for the two definitions."""

    def __init__(self, view: Table, base: Table):
        self.view, self.base = view, base
        columns = (*view.partition_key, *view.clustering)
        self.key_column = next((c.name for c in columns if _is_regular(base.columns.get(c.name))), None)
        self.of_static = self.key_column is not None and base.columns[self.key_column].role == STATIC
        # An index's table has a column that the base has not: the base partition's token, to keep the ring's order.
        self.has_token = any(c.name not in base.columns for c in columns)
        self.partition_of = _picker([self._position(column) for column in view.partition_key])
        self.clustering_of = _picker([self._position(column) for column in view.clustering])
        self.filters = [(self._position(base.columns[name]), accepts) for name, accepts in view.view.restrictions]
        virtual = view.view.virtual if self.key_column is None else ()
        # Per regular column of the base that the view has: its name, and whether only its liveness is kept.
        self.selected = [(c.name, False) for c in base.regulars if c.name in view.columns and c.name != self.key_column]
        self.selected += [(name, True) for name in virtual]
        from_regular = self.key_column is not None and not self.of_static
        self.takes_all = not virtual and not self.of_static and len(self.selected) == len(base.regulars) - from_regular

    def _position(self, column: Column) -> int:
        """Where in a ``Place`` a column of the view's key is found."""
        origin = self.base.columns.get(column.name)
        if origin is None:
            return -1
        if origin.role == PARTITION_KEY:
            return origin.position
        if origin.role == CLUSTERING:
            return len(self.base.partition_key) + origin.position
        if origin.role == STATIC:
            return len(self.base.partition_key)
        return len(self.base.partition_key) + len(self.base.clustering)

    # ------------------------------------------------------------ changes

    def longest_part(self, row: Row) -> int:
        """The bytes that a written row gives to the view's key beside its own key."""
        cell = row.cells.get(self.key_column) if self.key_column is not None else None
        return 0 if cell is None else len(cell[1] or b"")

    def mutations(self, key: Key, changes: Iterable[Change], now: int) -> list[Mutation]:
        """The mutations of the view that follow from changes of rows in the base's partition ``key``, one for each
        partition of the view. ``now`` in seconds: a cell that expired by then is no cell."""
        found: dict[Key, Mutation] = {}
        update = self._update_twin if self.key_column is None else self._update_moving
        for old, new in changes:
            if self.base.statics and is_static(new, self.base) != self.of_static:
                continue
            update(found, key, old, new, now)
        return list(found.values())

    def _update_twin(self, found: dict[Key, Mutation], key: Key, old: Row | None, new: Row, now: int) -> None:
        """A view whose key is the base's key in another order."""
        cells = self._differing(old, new)
        if old is not None and not cells and old.marker == new.marker and old.deletion == new.deletion:
            return
        place = self._place(key, new, None)
        if self._is_wanted(place):
            self._put(found, place, Row, new.marker, new.deletion, cells)

    def _update_moving(self, found: dict[Key, Mutation], key: Key, old: Row | None, new: Row, now: int) -> None:
        """A view that has a regular column of the base in its key."""
        before = None if old is None else self._key_cell(old, now)
        after = self._key_cell(new, now)
        stays = before is not None and after is not None and before[1] == after[1]
        if before is not None and not stays:
            place = self._place(key, old, before[1])
            if self._is_wanted(place):
                # As of the old cell's timestamp, not of the new one's: a later write may bring the row back.
                self._put(found, place, GovernedRow, None, new.deletion, {}, (before[0], now))
        if after is None:
            return
        cells = self._differing(old if stays else None, new)
        if stays and not cells and before == after and old.deletion == new.deletion:
            return
        place = self._place(key, new, after[1])
        if self._is_wanted(place):
            self._put(found, place, GovernedRow, (after[0], after[2], after[3]), new.deletion, cells)

    def _put(
        self,
        found: dict[Key, Mutation],
        place: Place,
        make: type[Row],
        marker: Marker | None,
        deletion: Tombstone | None,
        cells: Cells,
        shadowable: Tombstone | None = None,
    ) -> None:
        key = self.partition_of(place)
        mutation = found.get(key)
        if mutation is None:
            mutation = found[key] = Mutation(self.view, key)
        clustering = self.clustering_of(place)
        mutation.rows[clustering] = make(clustering, marker, deletion, cells, shadowable)

    def _place(self, key: Key, row: Row, value: bytes | None) -> Place:
        place = (*key, *row.key) if value is None else (*key, *row.key, value)
        if self.has_token:
            return (*place, token(self.base, key).to_bytes(8, "big", signed=True))
        return place

    def _key_cell(self, row: Row, now: int) -> Cell | None:
        cell = row.cells.get(self.key_column)
        return cell if cell is not None and live(cell, now) else None

    def _is_wanted(self, place: Place) -> bool:
        """Whether the view's WHERE accepts a row (only columns of the view's key can be restricted)."""
        return not self.filters or all(accepts(place[position]) for position, accepts in self.filters)

    def _differing(self, old: Row | None, new: Row) -> Cells:
        """The view's cells of a base row, or what of them is not yet in the view: not in ``old``."""
        cells = new.cells
        if old is None and self.takes_all and Collection not in map(type, cells.values()):
            taken = cells.copy()
            if self.key_column is not None:
                del taken[self.key_column]
            return taken
        before = {} if old is None else old.cells
        taken = {}
        for name, virtual in self.selected:
            cell = cells.get(name)
            if cell is None:
                continue
            present = before.get(name)
            if type(cell) is Collection:
                difference = _differing_elements(present, cell)
                if difference is not None:
                    taken[name] = _without_values(difference) if virtual else difference
            elif present is None or present != cell:
                taken[name] = _without_value(cell) if virtual else cell
        return taken


def _is_regular(column: Column | None) -> bool:
    return column is not None and not column.is_primary_key


def _picker(positions: list[int]) -> Callable[[Place], Key]:
    """What makes a key of the view of a base row's place."""
    if len(positions) > 1:
        return itemgetter(*positions)
    if not positions:
        return lambda place: ()
    only = positions[0]
    return lambda place: (place[only],)


def _differing_elements(old: Collection | None, new: Collection) -> Collection | None:
    """A collection of what is new in ``new``; None if nothing is."""
    if old is None:
        return Collection(new.deletion, new.elements.copy())
    elements = {key: cell for key, cell in new.elements.items() if old.elements.get(key) != cell}
    deletion = new.deletion if new.deletion != old.deletion else None
    return Collection(deletion, elements) if elements or deletion is not None else None


def _without_value(cell: Cell) -> Cell:
    return cell if cell[1] is None else (cell[0], b"", cell[2], cell[3])


def _without_values(collection: Collection) -> Collection:
    return Collection(collection.deletion, {key: _without_value(cell) for key, cell in collection.elements.items()})


# ---------------------------------------------------------------- for the engine


Updater = ViewUpdater | ElementUpdater

_SURELY_SHORT = 60_000  # bytes of key columns that fit into a key however they are put together


def make_updater(view: Table, base: Table) -> Updater:
    """What turns changes of the base into mutations of the view; good for just these two definitions."""
    return ViewUpdater(view, base) if view.view.collection is None else ElementUpdater(view, base)


def check_view_keys(updater: Updater, mutation: Mutation, now: int) -> None:
    """InvalidRequest if a row written to the base would get a key in the view that is longer than a key may be."""
    for row in mutation.rows.values() if mutation.static is None else (*mutation.rows.values(), mutation.static):
        if sum(map(len, mutation.key + row.key)) + updater.longest_part(row) > _SURELY_SHORT:
            _check_keys(updater.mutations(mutation.key, [(None, row)], now))


def _check_keys(updates: list[Mutation]) -> None:
    for update in updates:
        check_partition_key_length(update.table, update.key)
        for key in update.rows:
            check_clustering_key(key)


def build(view: Table, base: Table, rows: TableStore, target: TableStore, now: int) -> None:
    """Fill the empty store ``target`` of a new view from the ``rows`` that the base has. InvalidRequest if one of them
    would get a key that is too long."""
    updater = make_updater(view, base)
    for partition in rows.scan():
        changes: list[Change] = [(None, row) for row in partition.scan() if row_is_live(row, now)]
        if partition.static is not None:
            changes.append((None, partition.static))
        updates = updater.mutations(partition.key, changes, now)
        _check_keys(updates)
        for mutation in updates:
            target.apply(mutation, now)
