"""Rows as the driver gives them, without a class for each answer."""

from __future__ import annotations

import pytest
from cassandra.query import named_tuple_factory

from helpers.lab.row_classes import named_rows


@pytest.mark.parametrize(
    "columns",
    [
        ("status", "held_by"),
        ("[applied]", "status"),
        ("system.ttl(a)", "count"),
        ("class", "_hidden", "two words", "two_words"),
        tuple(f"column_{number}" for number in range(300)),
    ],
)
def test_rows_are_those_of_the_driver(columns: tuple[str, ...]) -> None:
    rows = [tuple(range(len(columns))), (None,) * len(columns)]
    ours, theirs = named_rows(list(columns), rows), named_tuple_factory(list(columns), rows)
    assert [row._asdict() for row in ours] == [row._asdict() for row in theirs]
    assert repr(ours[0]) == repr(theirs[0])


def test_answers_with_the_same_columns_share_a_class() -> None:
    columns = ["status", "held_by"]
    first, second = (named_rows(columns, [(1, 2)])[0] for _ in range(2))
    assert type(first) is type(second)
    assert named_rows(columns, []) == []
