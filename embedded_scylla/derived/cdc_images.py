"""Preimages and postimages of the CDC log: the state of rows before a write and after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ..schema import Column, Table
from ..storage.keys import clustering_encoder, lower_bound, upper_bound
from ..storage.rows import Cell, Collection, Key, RangeDeletion, Row
from ..types import CollectionType, SetType, UserType
from .cdc_changes import Part, Values, as_one_value, log_type


class Before:
    """Reads the base partition as it was before the write. ``row(key)``: that row, or None; ``static()``: the static
    row, or None."""

    def __init__(
        self,
        row: Callable[[Key], Row | None],
        static: Callable[[], Row | None],
        is_live: Callable[[Row], bool],
        cell_is_live: Callable[[Cell], bool],
    ):
        self._row, self._static, self._is_live, self._cell_is_live = row, static, is_live, cell_is_live

    def clustered(self, table: Table, key: Key) -> Values | None:
        """The live values of a row, or None if there is no such row."""
        row = self._row(key)
        return self._values(table.regulars, row) if row is not None and self._is_live(row) else None

    def static(self, columns: Iterable[Column]) -> Values | None:
        """The live values of these static columns, or None if there are none."""
        row = self._static()
        return self._values(columns, row) or None if row is not None else None

    def _values(self, columns: Iterable[Column], row: Row) -> Values:
        values = {}
        for column in columns:
            cell = row.cells.get(column.name)
            if isinstance(cell, Collection):
                live = {k: c for k, c in cell.elements.items() if self._cell_is_live(c)}
                if live:
                    values[column.name] = as_one_value(column.type, live)
            elif cell is not None and self._cell_is_live(cell):
                values[column.name] = cell[1]
        return values


class Images:
    """The rows that a write touches, as they were, and then as each log row leaves them.

    The key None is the static row's. A row that is not there has no values (None), unlike one with nothing but nulls.
    """

    def __init__(self, base: Table, before: Before, whole_static: bool):
        self._base, self._before, self._whole_static = base, before, whole_static
        self._values: dict[Key | None, Values | None] = {}
        self._encode = clustering_encoder(base)

    def read(self, key: Key | None, touched: Iterable[str]) -> None:
        """Look up a row before its first change. Of the static row only the columns touched are read, unless a
        whole image is wanted."""
        if key in self._values:
            return
        if key is None:
            touched = set(touched)
            columns = [c for c in self._base.statics if self._whole_static or c.name in touched]
            self._values[None] = self._before.static(columns)
        else:
            self._values[key] = self._before.clustered(self._base, key)

    def of(self, key: Key | None) -> Values | None:
        return self._values[key]

    # ------------------------------------------------------------ changes

    def write(self, key: Key | None, part: Part) -> None:
        """The row as an INSERT or UPDATE leaves it."""
        values = self._values[key] = dict(self._values[key] or {})
        for name in part.deleted:
            values.pop(name, None)
        for name, removed in part.elements.items():
            self._merge(values, self._base.columns[name], b"", removed)
        for name, value in part.values.items():
            column = self._base.columns[name]
            if column.type.is_multicell:
                self._merge(values, column, value, ())
            else:
                values[name] = value

    def _merge(self, values: Values, column: Column, added: bytes, removed: Iterable[bytes]) -> None:
        cql_type: CollectionType | UserType = log_type(column.type)
        gone = set(removed)
        if isinstance(cql_type, UserType):
            fields = cql_type.cells_of(values.pop(column.name, b"")) | cql_type.cells_of(added)
            if fields.keys() - gone:
                values[column.name] = cql_type.join_cells({k: v for k, v in fields.items() if k not in gone})
            return
        present, new = cql_type.split(values.pop(column.name, b"")), cql_type.split(added)
        if isinstance(cql_type, SetType):
            merged = [element for element in present + new if element not in gone]
        else:
            merged = [(key, value) for key, value in dict(present + new).items() if key not in gone]
        if merged:
            values[column.name] = cql_type.join(merged)

    def delete_row(self, key: Key) -> None:
        self._values[key] = None

    def delete_range(self, deletion: RangeDeletion) -> None:
        start = lower_bound(self._encode, deletion.start, deletion.start_inclusive)
        end = upper_bound(self._encode, deletion.end, deletion.end_inclusive)
        for key in self._clustered():
            order = self._encode(key)
            if start <= order and (order < end or not deletion.end):
                self._values[key] = None

    def delete_rows(self) -> None:
        """All rows, as a deletion of the partition does; static columns are left out of it, as ScyllaDB does."""
        for key in self._clustered():
            self._values[key] = None

    def _clustered(self) -> Iterator[Key]:
        return (key for key in self._values if key is not None)


def image_part(values: Values, names: Iterable[str], mark_nulls: bool) -> Part:
    """A row's state as a log row shows it. In a preimage a null is marked as deleted, so that it can be told from a
    column that was left out."""
    part = Part({name: values[name] for name in names if name in values})
    if mark_nulls:
        part.deleted = {name for name in names if name not in values}
    return part
