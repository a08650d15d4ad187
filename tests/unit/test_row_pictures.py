"""The picture of a row's parts: what is read of a row, and what is drawn of it before and after a write."""

from __future__ import annotations

import pytest
from cassandra.cluster import Session

from helpers import Event, Part, parts_of, row_diagram
from helpers.lab.errors import LabError

DISHES = "CREATE TABLE IF NOT EXISTS parts_test (p int, c int, a text, b text, PRIMARY KEY (p, c))"
KEY = {"p": 1, "c": 1}


@pytest.fixture
def session(lab: Session, chapter: Event) -> Session:
    lab.execute(DISHES)
    lab.execute("TRUNCATE parts_test")
    return lab


def test_parts_are_the_marker_and_the_columns(session: Session) -> None:
    session.execute("INSERT INTO parts_test (p, c, a) VALUES (1, 1, 'x') USING TIMESTAMP 10 AND TTL 900")
    parts = parts_of(session, "parts_test", KEY, Part("there", at=10))
    assert list(parts) == ["row marker", "a", "b"]
    a = parts["a"]
    assert a is not None
    assert (a.value, a.at) == ("x", 10)
    assert 890 <= (a.ttl or 0) <= 900
    assert parts["b"] is None
    assert parts["row marker"] == Part("there", at=10)


def test_without_a_row_nothing_is_there(session: Session) -> None:
    assert parts_of(session, "parts_test", KEY) == {"row marker": None, "a": None, "b": None}


def test_a_table_that_is_not_there_is_named(session: Session) -> None:
    with pytest.raises(LabError, match="no table nowhere"):
        parts_of(session, "nowhere", KEY)


def texts(stages: dict[str, dict[str, Part | None]]) -> list[str]:
    return [text.get_text() for text in row_diagram({"a row": stages}).axes[0].texts]


def test_times_are_written_where_they_can_be_read() -> None:
    drawn = texts({"write": {"a": Part("x", at=10, ttl=900), "b": Part("y", at=1_700_000_000_000_000)}})
    assert "at 10, ends in ~15 min" in drawn
    assert not [text for text in drawn if "1700000" in text]


def test_what_has_ended_does_not_end_again() -> None:
    drawn = texts({"held": {"a": Part("x", at=10, ttl=900)}, "afterwards": {"a": None}})
    assert [text for text in drawn if text.startswith("at 10")] == ["at 10, ends in ~15 min", "at 10"]


def test_what_is_gone_is_struck_out_and_a_row_without_parts_is_no_row() -> None:
    stages = {"UPDATE": {"a": Part("x"), "b": None}, "a = null": {"a": None, "b": None}}
    assert "no row" in texts(stages)
    assert "no row" not in texts({"UPDATE": stages["UPDATE"]})
    fig = row_diagram({"a row": stages})
    assert len(fig.axes[0].lines) == 1, "one part is gone: one line through it"
    assert texts(stages).count("nothing") == 2, "b was never there, before or after"


def test_each_row_has_its_panel() -> None:
    one = {"INSERT": {"row marker": Part("there")}}
    fig = row_diagram({"first": one, "second": one})
    assert [ax.get_title() for ax in fig.axes] == ["first", "second"]


@pytest.mark.parametrize("rows", [{}, {"a row": {}}])
def test_nothing_cannot_be_drawn(rows: dict) -> None:
    with pytest.raises(LabError, match="no row to draw"):
        row_diagram(rows)
