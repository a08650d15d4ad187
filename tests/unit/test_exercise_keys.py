"""A key is judged by what the question names: that a server scans without a word proves nothing."""

from __future__ import annotations

import pytest
from cassandra.cluster import Session

from helpers import Event
from helpers.course.look import Look, NotYet
from helpers.exercises.keys import rows_by_key


@pytest.mark.parametrize(
    ("key", "refusal"),
    [
        ("month, name", None),
        ("(month), name", None),
        ("name, month", "its key is (name, month)"),
        ("(month, name)", "its key is ((month, name))"),
        ("name", "its key is (name)"),
    ],
)
def test_a_key_is_judged_by_what_the_question_names(
    lab: Session, chapter: Event, key: str, refusal: str | None
) -> None:
    lab.execute("DROP TABLE IF EXISTS my_concerts")
    lab.execute(f"CREATE TABLE my_concerts (month text, name text, PRIMARY KEY ({key}))")
    lab.execute("INSERT INTO my_concerts (month, name) VALUES ('2031-06', 'Midnight Orchestra')")
    query = "SELECT name FROM my_concerts WHERE month = %s"
    try:
        if refusal is None:
            assert [row.name for row in rows_by_key(Look(), "my_concerts", "a month", query, ("2031-06",))] == [
                "Midnight Orchestra"
            ]
        else:
            with pytest.raises(NotYet) as told:
                rows_by_key(Look(), "my_concerts", "a month", query, ("2031-06",))
            assert str(told.value) == f"my_concerts cannot be asked for a month: {refusal}."
    finally:
        lab.execute("DROP TABLE my_concerts")
