"""What LIST answers: columns of no table, and their rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..request import Rows
from ..schema import ColumnSpec
from ..types import CqlType


def specs(keyspace: str, table: str, *columns: tuple[str, CqlType]) -> list[ColumnSpec]:
    return [ColumnSpec(keyspace, table, name, type) for name, type in columns]


def listing(columns: Sequence[ColumnSpec], rows: Iterable[Sequence[Any]]) -> Rows:
    """Rows of Python values."""
    types = [spec.type for spec in columns]
    encoded = [
        [None if value is None else type.encode(value) for type, value in zip(types, row, strict=True)] for row in rows
    ]
    return Rows(columns, encoded)
