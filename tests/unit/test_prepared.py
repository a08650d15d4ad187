"""The plans that are kept: which of them go, and when; what a change of the schema does to them."""

from __future__ import annotations

import pytest

from embedded_scylla import limits
from embedded_scylla.errors import Unprepared
from embedded_scylla.prepared import PreparedStatements
from tests.unit.asking import Asking


@pytest.fixture(scope="module")
def asking() -> Asking:
    asking = Asking()
    asking.run("CREATE TABLE ks.seats (id int PRIMARY KEY, buyer text)")
    return asking


@pytest.fixture
def statements(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> PreparedStatements:
    """Room for three prepared statements and three texts."""
    monkeypatch.setattr(limits, "MOST_PREPARED", 3)
    monkeypatch.setattr(limits, "MOST_TEXTS", 3)
    return PreparedStatements(asking.engine.schema)


def read(number: int) -> str:
    return f"SELECT buyer FROM ks.seats WHERE id = {number}"


def write(length: int) -> str:
    """A statement of that many characters."""
    begin, end = "INSERT INTO ks.seats (id, buyer) VALUES (1, '", "')"
    return begin + "x" * (length - len(begin) - len(end)) + end


def is_kept(statements: PreparedStatements, statement_id: bytes) -> bool:
    try:
        statements.get(statement_id)
    except Unprepared:
        return False
    return True


def test_the_statement_that_was_used_least_recently_goes(statements: PreparedStatements) -> None:
    first, second, third = (statements.prepare(read(number), None)[0] for number in range(3))
    statements.get(first)
    statements.prepare(read(2), None)
    fourth, _ = statements.prepare(read(3), None)
    assert [is_kept(statements, one) for one in (first, second, third, fourth)] == [True, False, True, True]


def test_the_text_that_was_used_least_recently_goes(statements: PreparedStatements) -> None:
    plans = [statements.text(read(number), None) for number in range(3)]
    assert statements.text(read(0), None) is plans[0]
    statements.text(read(3), None)
    assert statements.text(read(0), None) is plans[0]
    assert statements.text(read(1), None) is not plans[1]


def test_prepared_texts_are_bounded_by_their_length_too(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_PREPARED_CHARACTERS", 10_000)
    statements = PreparedStatements(asking.engine.schema)
    ids = [statements.prepare(write(3_000 + number), None)[0] for number in range(5)]
    assert [is_kept(statements, one) for one in ids] == [False, False, True, True, True]
    longest, _ = statements.prepare(write(50_000), None)
    assert is_kept(statements, longest), "whoever has just prepared it must be able to execute it"
    assert not any(is_kept(statements, one) for one in ids)
    shorter, _ = statements.prepare(write(100), None)
    assert (is_kept(statements, longest), is_kept(statements, shorter)) == (False, True)


def test_a_statement_prepared_again_counts_once(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_PREPARED_CHARACTERS", 10_000)
    statements = PreparedStatements(asking.engine.schema)
    kept, _ = statements.prepare(write(4_000), None)
    for _ in range(5):
        statements.prepare(write(4_001), None)
    assert is_kept(statements, kept)


def test_texts_are_bounded_by_their_length_too(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_TEXT_CHARACTERS", 10_000)
    statements = PreparedStatements(asking.engine.schema)
    plans = [statements.text(write(3_000 + number), None) for number in range(4)]
    assert statements.text(write(3_003), None) is plans[3]
    assert statements.text(write(3_000), None) is not plans[0]


def test_a_long_text_is_planned_and_not_kept(asking: Asking) -> None:
    statements = PreparedStatements(asking.engine.schema)
    long = write(limits.LONGEST_TEXT + 1)
    assert statements.text(long, None) is not statements.text(long, None)


def test_the_same_text_in_another_keyspace_is_another_statement(asking: Asking) -> None:
    statements = PreparedStatements(asking.engine.schema)
    text = "SELECT buyer FROM seats"
    first, _ = statements.prepare(text, "ks")
    with pytest.raises(Exception, match=r"(?i)keyspace"):
        statements.prepare(text, None)
    assert statements.prepare(text, "ks")[0] == first


def test_a_change_of_the_schema_makes_plans_anew() -> None:
    """A plan that gives the same columns goes on under its id; one that does not is to be prepared anew."""
    asking = Asking()
    asking.run("CREATE TABLE ks.seats (id int PRIMARY KEY, buyer text)")
    statements = PreparedStatements(asking.engine.schema)
    named, plan = statements.prepare("SELECT buyer FROM ks.seats", None)
    everything, _ = statements.prepare("SELECT * FROM ks.seats", None)
    text = statements.text("SELECT * FROM ks.seats", None)
    asking.run("ALTER TABLE ks.seats ADD price int")
    assert statements.get(named) is not plan
    assert statements.get(named) is statements.get(named)
    assert not is_kept(statements, everything)
    assert [spec.name for spec in statements.text("SELECT * FROM ks.seats", None).columns] == ["id", "buyer", "price"]
    assert statements.text("SELECT * FROM ks.seats", None) is not text
    asking.run("DROP TABLE ks.seats")
    assert not is_kept(statements, named)
