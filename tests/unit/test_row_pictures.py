"""The picture of a row's parts: what is stored of a row, and what is drawn of it before and after a write."""

from __future__ import annotations

import pytest
from cassandra.cluster import Session

from helpers import Event, let_time_pass, parts_of, row_diagram
from helpers.display.pictures.rows import Part
from helpers.lab.errors import LabError

DISHES = "CREATE TABLE IF NOT EXISTS parts_test (p int, c int, a text, b text, PRIMARY KEY (p, c))"
KEY = {"p": 1, "c": 1}
NOTHING = {"row marker": None, "a": None, "b": None, "tombstone": None}


@pytest.fixture
def session(lab: Session, chapter: Event) -> Session:
    lab.execute(DISHES)
    lab.execute("TRUNCATE parts_test")
    return lab


def test_an_insert_has_a_row_marker_and_an_update_has_none(session: Session) -> None:
    session.execute("INSERT INTO parts_test (p, c, a) VALUES (1, 1, 'x') USING TIMESTAMP 10")
    session.execute("UPDATE parts_test USING TIMESTAMP 10 SET a = 'x' WHERE p = 1 AND c = 2")
    inserted = parts_of(session, "parts_test", KEY)
    assert inserted == NOTHING | {"row marker": Part("there", 10), "a": Part("x", 10)}
    assert list(inserted) == list(NOTHING)
    assert parts_of(session, "parts_test", {"p": 1, "c": 2}) == NOTHING | {"a": Part("x", 10)}


def test_a_counter_is_the_sum_of_its_shards(session: Session) -> None:
    session.execute("CREATE TABLE IF NOT EXISTS counted_parts (p int, c int, n counter, PRIMARY KEY (p, c))")
    session.execute("TRUNCATE counted_parts")
    for step in 3, 4:
        session.execute(f"UPDATE counted_parts SET n = n + {step} WHERE p = 1 AND c = 1")
    part = parts_of(session, "counted_parts", KEY)["n"]
    assert part is not None and (part.value, part.lives) == ("7", True)


def test_what_has_a_time_to_live_counts_down_and_ends(session: Session) -> None:
    session.execute("INSERT INTO parts_test (p, c, a) VALUES (1, 1, 'x') USING TTL 900")
    session.execute("UPDATE parts_test SET b = 'y' WHERE p = 1 AND c = 1")
    parts = parts_of(session, "parts_test", KEY)
    for name in "row marker", "a":
        assert 890 <= (parts[name].ttl or 0) <= 900  # type: ignore[union-attr]
    let_time_pass(session, 901)
    parts = parts_of(session, "parts_test", KEY)
    assert [name for name, part in parts.items() if part and part.lives] == ["b"]
    assert parts["a"].value == "x" and parts["a"].ttl == 0  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("delete", "left"),
    [
        ("DELETE a FROM parts_test USING TIMESTAMP 15 WHERE p = 1 AND c = 1", {"row marker", "b"}),
        ("DELETE FROM parts_test USING TIMESTAMP 15 WHERE p = 1 AND c = 1", {"b"}),
        ("DELETE FROM parts_test USING TIMESTAMP 15 WHERE p = 1 AND c >= 1 AND c < 3", {"b"}),
        ("DELETE FROM parts_test USING TIMESTAMP 15 WHERE p = 1", {"b"}),
        ("DELETE FROM parts_test USING TIMESTAMP 15 WHERE p = 1 AND c > 1", {"row marker", "a", "b"}),
        ("DELETE FROM parts_test USING TIMESTAMP 15 WHERE p = 1 AND c >= 0 AND c < 1", {"row marker", "a", "b"}),
    ],
)
def test_a_tombstone_is_there_and_what_it_covers_is_not(session: Session, delete: str, left: set[str]) -> None:
    session.execute("INSERT INTO parts_test (p, c, a) VALUES (1, 1, 'x') USING TIMESTAMP 10")
    session.execute("UPDATE parts_test USING TIMESTAMP 20 SET b = 'y' WHERE p = 1 AND c = 1")
    session.execute(delete)
    parts = parts_of(session, "parts_test", KEY)
    assert {name for name, part in parts.items() if part and part.lives} == left
    found = [(name, part.at) for name, part in parts.items() if part and part.is_tombstone]
    if left == {"b"}:
        assert found == [("tombstone", 15)]
    elif left == {"row marker", "b"}:
        assert found == [("a", 15)]
    else:
        assert found == []


def test_a_row_that_is_deleted_whole_is_its_tombstone(session: Session) -> None:
    session.execute("INSERT INTO parts_test (p, c, a) VALUES (1, 1, 'x') USING TIMESTAMP 10")
    session.execute("DELETE FROM parts_test USING TIMESTAMP 15 WHERE p = 1 AND c <= 1")
    tombstone = Part("tombstone", 15, is_tombstone=True)
    assert parts_of(session, "parts_test", KEY) == NOTHING | {"tombstone": tombstone}


def test_without_a_row_nothing_is_there(session: Session) -> None:
    assert parts_of(session, "parts_test", KEY) == NOTHING


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
    drawn = texts({"held": {"a": Part("x", at=10, ttl=900)}, "afterwards": {"a": Part("x", at=10, ttl=0)}})
    assert [text for text in drawn if text.startswith("at 10")] == ["at 10, ends in ~15 min", "at 10, ended"]
    assert "no row" in drawn


def test_a_tombstone_is_named_with_its_time() -> None:
    gone = Part("tombstone", at=20, is_tombstone=True)
    drawn = texts({"UPDATE": {"a": Part("x", at=10)}, "a = null": {"a": gone}})
    assert "tombstone at 20" in drawn and "no row" in drawn
    assert texts({"DELETE": {"a": None, "tombstone": gone}}).count("tombstone") == 2, "its name, and what it is"


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
