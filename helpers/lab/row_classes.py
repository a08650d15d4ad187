"""Rows as named tuples, with one class for each set of columns instead of one for each answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

_MOST_CLASSES = 512


def named_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[Any]:
    """A row factory for the driver that gives what its own ``named_tuple_factory`` gives.

    That one makes a new class for every answer, which takes a hundred times as long as filling a single row.
    """
    make = _row_class(tuple(columns))._make
    return [make(row) for row in rows]


@lru_cache(_MOST_CLASSES)
def _row_class(columns: tuple[str, ...]) -> Any:
    from cassandra.query import named_tuple_factory

    return type(named_tuple_factory(columns, [(None,) * len(columns)])[0])
