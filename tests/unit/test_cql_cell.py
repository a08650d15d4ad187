"""A %%cql cell without its notebook: what it asks for is read whole, its markers are values, its answers are kept."""

from __future__ import annotations

from collections import namedtuple
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from cassandra.cluster import Session
from cassandra.query import UNSET_VALUE

from helpers import Event
from helpers.lab import cql_answers
from helpers.lab.cql_answers import Answer, Outcome
from helpers.lab.cql_cell import Cell, Options, markers, read
from helpers.lab.errors import LabError
from helpers.lab.statements import split


def test_a_cell_without_options() -> None:
    assert read("", "SELECT * FROM tickets;\n") == Cell(Options(), ("SELECT * FROM tickets",))


def test_the_options_of_a_cell() -> None:
    line = "seats << --each tickets --consistency quorum --serial LOCAL_SERIAL --raw --trace --limit=5 --columns a,b"
    assert read(line + " --sort b,a --after 04.1 --solution 04.2", "SELECT 1").options == Options(
        keep="seats",
        each="tickets",
        consistency="QUORUM",
        serial="LOCAL_SERIAL",
        raw=True,
        trace=True,
        limit=5,
        columns=("a", "b"),
        sort=("b", "a"),
        after="04.1",
        solution="04.2",
    )


def test_a_line_has_its_statement_behind_its_options() -> None:
    cell = read("rows <<  --limit 3 SELECT {'a': 1} FROM t -- why", None)
    assert (cell.options.keep, cell.options.limit, cell.statements) == ("rows", 3, ("SELECT {'a': 1} FROM t",))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--consistancy QUORUM", "%%cql has no option --consistancy. Did you mean --consistency?"),
        ("--quick", "%%cql has no option --quick. It has: --each, --consistency,"),
        ("--each", "--each needs a word behind it, as in --each tickets."),
        ("--after --raw", "--after needs a word behind it, as in --after 04.1."),
        ("--consistency QUORAM", "There is no consistency level QUORAM. There are: ANY, ONE,"),
        ("--serial QUORUM", "There is no level for conditional writes QUORUM. There are: SERIAL, LOCAL_SERIAL."),
        ("--limit many", "--limit is the most rows that are shown, a whole number from 1 on, not many."),
        ("--limit 0", "--limit is the most rows"),
        ("SELECT * FROM tickets", "The line of %%cql is for its options, and SELECT * FROM tickets stands on it"),
        ("3 << --raw", "3 << keeps the rows under a name, and 3 is none"),
        ("for <<", "for << keeps the rows under a name, and for is none"),
    ],
)
def test_an_option_that_makes_no_sense_gets_a_sentence(line: str, sentence: str) -> None:
    with pytest.raises(LabError) as told:
        read(line, "SELECT * FROM tickets")
    assert str(told.value).startswith(sentence)


def test_use_is_not_for_a_cell() -> None:
    with pytest.raises(LabError, match="USE would take the whole notebook to another keyspace"):
        read("", "SELECT * FROM tickets; use seats_02;")
    assert read("", "SELECT * FROM user_names").statements


def test_comments_alone_are_no_statement() -> None:
    assert read("", "\n-- Exercise 04.2\n-- Hold the seat for Bo; he was first.\n").statements == ()


def test_a_batch_is_one_statement() -> None:
    batch = "BEGIN UNLOGGED BATCH\n  INSERT INTO t (a) VALUES (1);\n  INSERT INTO t (a) VALUES (2);\nAPPLY BATCH"
    assert list(split(f"SELECT 1; {batch};\n-- then\nSELECT 2;")) == ["SELECT 1", batch, "SELECT 2"]
    assert list(split("begin batch insert into t (a) values ('APPLY BATCH'); apply batch ; SELECT 2")) == [
        "begin batch insert into t (a) values ('APPLY BATCH'); apply batch",
        "SELECT 2",
    ]


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("SELECT * FROM t WHERE a = :a AND b = :B_2 AND c=:a LIMIT :n", ["a", "B_2", "n"]),
        ("SELECT ':a', \":b\" FROM t -- :c\n// :d\n/* :e */ WHERE f = $$ :g $$ AND h = :h", ["h"]),
        ("SELECT 'it''s :a' FROM t WHERE b IN :b", ["b"]),
        ("UPDATE t SET m = {'a':b, :c:'d', 'e': :f, 'g'::h} WHERE i = :i", ["c", "f", "h", "i"]),
        ("UPDATE t SET s = {:a, :b}, l = [:c, 1], u = {street:null} WHERE k = :k", ["a", "b", "c", "k"]),
        ("INSERT INTO t (a, b) VALUES (:a,:b) USING TTL :seconds", ["a", "b", "seconds"]),
    ],
)
def test_markers(statement: str, found: list[str]) -> None:
    assert markers(statement) == found


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("SELECT :event.id FROM t", ":event.id is Python, and a marker is a plain name: set event_id = event.id in"),
        ("SELECT :ids[0] FROM t", ":ids[0] is Python, and a marker is a plain name: set ids_0 = ids[0] in a cell"),
        ("SELECT ? FROM t", "A ? has no name: write :event_id"),
        ("SELECT a FROM t WHERE k = :Keyspace", "KEYSPACE is a word of CQL, and no marker may be called so: set my_K"),
    ],
)
def test_what_is_no_marker_gets_a_sentence(statement: str, sentence: str) -> None:
    with pytest.raises(LabError) as told:
        markers(statement)
    assert str(told.value).startswith(sentence)


def run(session: Session, text: str, line: str = "", **names: Any) -> tuple[list[Answer], Outcome]:
    cell = read(line, text)
    answered = list(cql_answers.answers(session, cell, names))
    return answered, cql_answers.outcome(cell, answered)


@pytest.fixture
def table(lab: Session, chapter: Event) -> Session:
    """A table of one partition with two rows, in the chapter's keyspace."""
    lab.execute("CREATE TABLE IF NOT EXISTS cell_rows (p text, c int, price decimal, PRIMARY KEY (p, c))")
    lab.execute("TRUNCATE cell_rows")
    for c in 1, 2:
        lab.execute("INSERT INTO cell_rows (p, c, price) VALUES ('a', %s, 9.5)", (c,))
    return lab


def test_markers_are_bound_as_values_and_never_pasted(table: Session) -> None:
    text = "INSERT INTO cell_rows (p, c, price) VALUES (:Name, :c, :price); SELECT price FROM cell_rows WHERE p = :Name"
    answered, came = run(table, text, Name="x'; DROP TABLE cell_rows; --", c=7, price=Decimal("1.25"))
    assert [each.price for each in came.rows] == [Decimal("1.25")]
    assert answered[0].rows.column_names == [] and answered[1].rows.column_names == ["price"]
    assert came.statements == list(read("", text).statements) and came.error is None and came.applied is None


def test_a_value_may_be_unset(table: Session) -> None:
    insert = "INSERT INTO cell_rows (p, c, price) VALUES ('a', 1, :price)"
    text = f"{insert}; SELECT price FROM cell_rows WHERE p = 'a' AND c = 1"
    _, came = run(table, text, price=UNSET_VALUE)
    assert came.rows == [(Decimal("9.5"),)], "as it was"
    _, came = run(table, text, price=None)
    assert came.rows == [(None,)]


def test_a_name_that_stands_twice_is_one_value(table: Session) -> None:
    _, came = run(table, "SELECT c FROM cell_rows WHERE p = 'a' AND c >= :n AND c <= :n", n=2)
    assert [row.c for row in came.rows] == [2]


def test_a_batch_with_markers(table: Session) -> None:
    batch = """
        BEGIN BATCH
            INSERT INTO cell_rows (p, c) VALUES (:p, :one);  -- the first
            INSERT INTO cell_rows (p, c) VALUES (:p, :two);
        APPLY BATCH;
        SELECT c FROM cell_rows WHERE p = :p;
    """
    _, came = run(table, batch, p="b", one=1, two=2)
    assert [row.c for row in came.rows] == [1, 2]


def test_applied_is_what_the_last_condition_came_to(table: Session) -> None:
    text = "INSERT INTO cell_rows (p, c) VALUES ('a', {}) IF NOT EXISTS"
    assert run(table, text.format(3))[1].applied is True
    answered, came = run(table, text.format(3) + "; SELECT c FROM cell_rows WHERE p = 'a'")
    assert came.applied is False and len(came.rows) == 3
    assert answered[0].rows[0].c == 3, "the row that was in the way"


def test_a_refusal_is_an_answer_and_the_next_statement_is_sent(table: Session) -> None:
    answered, came = run(table, "SELECT * FORM t; SELECT q FROM cell_rows WHERE p = :p; SELECT c FROM cell_rows", p="a")
    assert [type(each.error).__name__ for each in answered] == ["SyntaxException", "InvalidRequest", "NoneType"]
    assert came.error == "SyntaxException" and len(came.rows) == 2


def test_an_unbound_marker_stops_the_cell_before_anything_is_sent(table: Session) -> None:
    with pytest.raises(LabError, match=r":tickt_id is no variable of this notebook\. Did you mean :ticket_id\?"):
        run(table, "TRUNCATE cell_rows; SELECT * FROM cell_rows WHERE p = :tickt_id", ticket_id="a")
    with pytest.raises(LabError, match=r":seat is no variable .*Set it in a cell above: seat = …"):
        run(table, "SELECT * FROM cell_rows WHERE p = :seat")
    assert table.execute("SELECT count(*) FROM cell_rows").one()[0] == 2


def test_a_value_of_another_type_is_told_by_its_name(table: Session) -> None:
    with pytest.raises(LabError, match=r":price takes a decimal here, and the variable is a Python str: 'much'\."):
        run(table, "UPDATE cell_rows SET price = :price WHERE p = 'a' AND c = 1", price="much")
    _, came = run(table, "UPDATE cell_rows SET price = :price WHERE p = 'a' AND c = 1", price=None)
    assert came.error is None and table.execute("SELECT price FROM cell_rows LIMIT 1").one().price is None


Item = namedtuple("Item", "p c")


class Thing:
    """An object whose attributes are values, and one of them a method."""

    p, c = "b", 3

    def price(self) -> None: ...


@pytest.mark.parametrize(
    "items",
    [
        [Item("b", 3), Item("b", 4)],
        [{"p": "b", "c": 3}, {"p": "b", "c": 4}],
        (Thing(), Item("b", 4)),
        iter([Item("b", 3), Item("b", 4)]),
    ],
)
def test_each_takes_the_fields_of_an_item_before_the_variables(table: Session, items: Any) -> None:
    text = "INSERT INTO cell_rows (p, c, price) VALUES (:p, :c, :price); SELECT c, price FROM cell_rows WHERE p = :p;"
    answered, came = run(table, text, "--each items", items=items, p="z", price=Decimal(1))
    assert [tuple(row) for row in came.rows] == [(3, 1), (3, 1), (4, 1)], "a read behind each write"
    assert len(answered) == 2


def test_each_binds_plain_values_to_the_marker_that_is_no_variable(table: Session) -> None:
    _, came = run(table, "SELECT c FROM cell_rows WHERE p = :p AND c = :c", "--each numbers", p="a", numbers=[2, 1, 9])
    assert [row.c for row in came.rows] == [2, 1]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ({}, "--each items: this notebook has no variable items."),
        ({"items": "abc"}, "--each takes a list, and items is a Python str."),
        ({"items": 5}, "--each takes a list, and items is a Python int."),
        ({"items": [1], "p": "a", "c": 1}, "All these markers are variables already"),
        ({"items": [1]}, "An item of items is one value, and :p and :c are no variables"),
        ({"items": [{"p": "a"}]}, ":c is neither a field of these items nor a variable"),
    ],
)
def test_each_that_makes_no_sense_gets_a_sentence(table: Session, names: dict[str, Any], sentence: str) -> None:
    with pytest.raises(LabError) as told:
        run(table, "SELECT c FROM cell_rows WHERE p = :p AND c = :c", "--each items", **names)
    assert str(told.value).startswith(sentence)


def test_each_without_a_marker_gets_a_sentence(table: Session) -> None:
    with pytest.raises(LabError, match="no marker says where its values go"):
        run(table, "SELECT c FROM cell_rows", "--each items", items=[1])


def test_each_ends_with_the_first_refusal(table: Session) -> None:
    text = "INSERT INTO cell_rows (p, c) VALUES (:p, 5); SELECT q FROM cell_rows WHERE p = :p"
    answered, came = run(table, text, "--each names", names=["x", "y"])
    assert came.error == "InvalidRequest" and len(answered) == 2
    assert [row.p for row in table.execute("SELECT p FROM cell_rows WHERE c = 5 ALLOW FILTERING")] == ["x"]


def test_each_of_nothing_sends_nothing(table: Session) -> None:
    assert run(table, "SELECT c FROM cell_rows WHERE p = :p", "--each names", names=[])[0] == []


def test_a_consistency_level_is_sent(table: Session) -> None:
    _, came = run(table, "SELECT c FROM cell_rows WHERE p = 'a'", "--consistency THREE")
    assert came.error == "Unavailable"
    text = "INSERT INTO cell_rows (p, c) VALUES ('a', :c) IF NOT EXISTS"
    assert run(table, text, "--consistency ONE --serial LOCAL_SERIAL", c=8)[1].applied is True


def test_the_first_page_is_enough_unless_the_rows_are_kept(table: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "default_fetch_size", 1)
    (answer,), came = run(table, "SELECT c FROM cell_rows WHERE p = :p", p="a")
    assert answer.more and len(came.rows) == 1
    (answer,), came = run(table, "SELECT c FROM cell_rows WHERE p = :p", "rows <<", p="a")
    assert not answer.more and len(came.rows) == 2
    assert [row.c for row in cql_answers.kept([answer, Answer("INSERT …")])] == [1, 2]


@pytest.mark.parametrize("line", ["--raw", "rows << --raw"])
def test_raw_has_the_bytes_that_the_server_sent(table: Session, line: str) -> None:
    id = uuid4()
    table.execute("CREATE TABLE IF NOT EXISTS cell_raw (id uuid PRIMARY KEY, n int, l list<text>, x text)")
    table.execute("INSERT INTO cell_raw (id, n, l) VALUES (%s, 258, ['é'])", (id,))
    (answer,), came = run(table, "SELECT id, n, l, x FROM cell_raw WHERE id = :id", line, id=id)
    assert answer.raw == [
        [
            ("id", "uuid", id.bytes, id),
            ("n", "int", b"\x00\x00\x01\x02", 258),
            ("l", "list<text>", b"\x00\x00\x00\x01" + b"\x00\x00\x00\x02" + "é".encode(), ["é"]),
            ("x", "text", None, None),
        ]
    ]
    assert came.rows[0].n == 258 and came.rows[0].l == ["é"]
    assert table.execute("SELECT n FROM cell_raw").one().n == 258, "the next request is decoded as ever"


def test_raw_of_a_write_has_no_bytes(table: Session) -> None:
    (answer,), came = run(table, "INSERT INTO cell_rows (p, c) VALUES ('r', 1)", "--raw")
    assert (answer.raw, came.rows, came.error) == ([], [], None)


def test_a_lost_server_is_no_refusal(table: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    from cassandra.cluster import NoHostAvailable

    def nobody(*_: Any, **__: Any) -> None:
        raise NoHostAvailable("none", {})

    monkeypatch.setattr(table, "execute", nobody)
    with pytest.raises(NoHostAvailable):
        run(table, "SELECT c FROM cell_rows")
