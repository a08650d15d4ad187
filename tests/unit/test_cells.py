"""Which of a notebook's cells are Python, and which are CQL."""

from __future__ import annotations

from helpers.course.cells import cql_of, python_of


def test_a_cell_of_cql_has_no_python_but_the_name_that_it_gives() -> None:
    assert python_of("%%cql\nSELECT * FROM tickets;") == ""
    assert python_of("%%cql seats << --limit 3\nSELECT * FROM tickets;") == "seats = ..."


def test_a_cell_of_cql_has_its_cql() -> None:
    assert cql_of("%%cql --limit 3\n-- all\nSELECT * FROM tickets;") == "-- all\nSELECT * FROM tickets;"
    assert cql_of("%cql SELECT a FROM t") is None and cql_of("a = 1\n") is None


def test_a_line_of_ipython_s_is_no_python() -> None:
    assert python_of("%%after 04.1\na = 1\n%cql SELECT a FROM t\nb = a % 2") == "\na = 1\npass\nb = a % 2"
