"""A design's CQL, cut and bound: markers, batches, and what is sent once for each seat."""

from __future__ import annotations

import pytest

from helpers.festival.design import Design, name_made_by
from helpers.festival.scripts import cut, only_statements

HOLD = "UPDATE seats SET buyer = :buyer WHERE block = :block AND seat = :seat IF buyer = null"


def test_a_script_is_cut_at_semicolons_but_not_within_quotes_comments_and_batches() -> None:
    text = f"SELECT ';' FROM a; -- not; here\nBEGIN BATCH {HOLD}; {HOLD}; APPLY BATCH; INSERT INTO b (c) VALUES (1);"
    assert [each.verb for each in only_statements(text)] == ["SELECT", "BEGIN", "INSERT"]


def test_markers_are_found_outside_quotes_comments_and_maps() -> None:
    text = "SELECT a FROM b WHERE c = :one AND d = ':two' AND e = {'x':y, 'z': :three} AND f[:four] = 1 -- :five"
    assert only_statements(text)[0].markers == {"one", "three", "four"}


def test_a_batch_has_a_statement_for_each_seat_also_without_its_semicolons() -> None:
    log = "INSERT INTO log (id) VALUES (:hold_id)"
    for between in ("; ", "\n"):
        (batch,) = only_statements(f"BEGIN UNLOGGED BATCH {HOLD}{between}{log}{between}APPLY BATCH")
        text, names = batch.spread(3)
        assert text.startswith("BEGIN UNLOGGED BATCH UPDATE") and text.endswith("; APPLY BATCH")
        assert text.count("UPDATE") == 3 and text.count("INSERT") == 1 and text.count("?") == len(names) == 10
        assert [seat for name, seat in names if name == "seat"] == [0, 1, 2]
        assert batch.is_conditional and not batch.is_per_seat


def test_a_statement_of_its_own_is_sent_for_each_seat_if_it_names_one() -> None:
    (hold,) = only_statements(HOLD)
    assert hold.is_per_seat and hold.is_conditional
    assert hold.spread(4) == (HOLD.replace(":buyer", "?").replace(":block", "?").replace(":seat", "?"), [
        ("buyer", 0), ("block", 0), ("seat", 0),
    ])  # fmt: skip
    (order,) = only_statements("INSERT INTO orders (id, seats) VALUES (:hold_id, :seats)")
    assert not order.is_per_seat and not order.is_conditional


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CREATE TABLE IF NOT EXISTS ks.seats (a int PRIMARY KEY)", "seats"),
        ("-- why\nCREATE MATERIALIZED VIEW v AS SELECT * FROM t PRIMARY KEY (a)", "v"),
        ("create table Seats (a int primary key)", "Seats"),
    ],
)
def test_what_a_create_makes_has_a_name(text: str, name: str) -> None:
    assert name_made_by(only_statements(text)[0]) == name


def test_tables_that_a_statement_names_are_known() -> None:
    writes = "INSERT INTO ks.a (b) VALUES (1); UPDATE c SET d = 1 WHERE e = 2"
    (batch,) = only_statements(f"BEGIN BATCH {writes}; APPLY BATCH")
    assert batch.tables == ("a", "c")
    assert cut("SELECT x FROM y WHERE z = 1")[0].tables == ("y",)


def test_a_piece_of_a_design_replaces_what_it_names_and_leaves_the_rest() -> None:
    design = Design()
    first = "CREATE TABLE a (b int PRIMARY KEY);\n-- name: hold\nUPDATE a SET b = :seat;\n-- name: pay\n"
    assert design.add(first) == ["a", "hold"]
    second = "-- Exercise 07.3\nCREATE TABLE c (d int PRIMARY KEY);\n-- name: pay\nUPDATE c SET d = 1"
    assert design.add(second) == ["c", "pay"]
    design.add("-- name: hold\n-- nothing yet\n")
    assert design.hold == "UPDATE a SET b = :seat;"
    assert [name_made_by(each) for each in only_statements(design.tables)] == ["a", "c"]
    design.add("CREATE TABLE a (e int PRIMARY KEY)")
    assert "b int" not in design.tables and "Exercise" not in design.text()
