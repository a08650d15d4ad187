"""What a change of a collection that is not frozen means for an index on its elements.

The hidden view has a row for each live element: its partition key is what is indexed (the element's key, its value, or
the pair of both), its clustering key the base partition's token and the base row's key, and behind an index on values
also the element's key, for several elements of one row may have the same value. The element's cell gives the row its
marker: the row comes, goes and expires with the element.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..schema import STATIC, Table
from ..storage.keys import token
from ..storage.partition import Change
from ..storage.rows import Cell, Collection, GovernedRow, Key, Mutation, Row, live
from ..types import BIGINT, wire


def is_static(row: Row, base: Table) -> bool:
    """Whether a row that changed is its partition's static row."""
    return not row.key and bool(base.clustering)


class ElementUpdater:
    """Turns changes of ``base`` into mutations of ``view``, which is behind an index on a collection's elements."""

    def __init__(self, view: Table, base: Table):
        self.view, self.base = view, base
        self.collection = view.view.collection
        self.what = next(what for _, what, *collection in view.view.computed if collection)
        self.of_static = base.columns[self.collection].role == STATIC

    def longest_part(self, row: Row) -> int:
        """The most bytes that an element of a written row gives to the view's key."""
        collection = row.cells.get(self.collection)
        if type(collection) is not Collection:
            return 0
        return max((len(key) + len(cell[1] or b"") for key, cell in collection.elements.items()), default=0)

    def mutations(self, key: Key, changes: Iterable[Change], now: int) -> list[Mutation]:
        """The mutations of the view that follow from changes of rows in the base's partition ``key``, one for each
        partition of the view. ``now`` in seconds: an element that expired by then is none."""
        found: dict[Key, Mutation] = {}
        prefix = (BIGINT.encode(token(self.base, key)), *key)
        for old, new in changes:
            if is_static(new, self.base) != self.of_static:
                continue
            before, after = self._elements(old, now), self._elements(new, now)
            place = (*prefix, *new.key)
            for element, cell in before.items():
                present = after.get(element)
                if present is None or self._indexed(element, present) != self._indexed(element, cell):
                    # As of the old cell's timestamp, not of the new one's: a later write may bring the element back.
                    self._put(found, place, element, cell, GovernedRow, shadowable=(cell[0], now))
            for element, cell in after.items():
                if before.get(element) != cell:
                    marker = (cell[0], cell[2], cell[3])
                    self._put(found, place, element, cell, GovernedRow, marker=marker)
        return list(found.values())

    def _elements(self, row: Row | None, now: int) -> dict[bytes, Cell]:
        collection = None if row is None else row.cells.get(self.collection)
        if type(collection) is not Collection:
            return {}
        return {key: cell for key, cell in collection.elements.items() if live(cell, now)}

    def _indexed(self, element: bytes, cell: Cell) -> bytes:
        if self.what == "keys":
            return element
        return cell[1] if self.what == "values" else wire.pack_fields((element, cell[1]))

    def _put(
        self,
        found: dict[Key, Mutation],
        place: Key,
        element: bytes,
        cell: Cell,
        make: type[Row],
        **parts: tuple[int, ...],
    ) -> None:
        key = (self._indexed(element, cell),)
        mutation = found.get(key)
        if mutation is None:
            mutation = found[key] = Mutation(self.view, key)
        clustering = (*place, element) if self.what == "values" else place
        mutation.rows[clustering] = make(clustering, **parts)
