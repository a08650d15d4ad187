"""SELECT JSON: what would be a row's columns are the members of one JSON object, in a column called ``[json]``."""

from __future__ import annotations

from dataclasses import replace

from ..request import Context
from ..schema import ColumnSpec
from ..types import TEXT
from .selectors import Expression, Record, Selection

_NAME = "[json]"


def as_json(selection: Selection) -> Selection:
    """The same selection, with each of its rows as a JSON object. Names with capitals get quotes of their own."""
    first = selection.columns[0]
    members = [
        (_member_name(spec.name), expression.evaluate, spec.type.to_json)
        for spec, expression in zip(selection.columns, selection.expressions, strict=True)
    ]

    def evaluate(record: Record, context: Context) -> bytes:
        parts = []
        for name, value_of, to_json in members:
            value = value_of(record, context)
            parts.append(f"{name}: {'null' if value is None else to_json(value)}")
        return f"{{{', '.join(parts)}}}".encode()

    column = ColumnSpec(first.keyspace, first.table, _NAME, TEXT)
    return replace(selection, columns=[column], expressions=[Expression(TEXT, evaluate, _NAME)])


def _member_name(name: str) -> str:
    has_capitals = any("A" <= character <= "Z" for character in name)
    return f'"\\"{name}\\""' if has_capitals else f'"{name}"'
