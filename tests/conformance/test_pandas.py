"""Rows that become data frames, in the way that most notebooks have it: a row factory that gives a frame."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pandas
import pytest

from .conftest import open_cluster


@pytest.fixture(scope="module")
def frames(engine, keyspace):
    """A session whose every page is a data frame."""
    cluster = open_cluster(engine, schema_metadata_enabled=False)
    cluster.profile_manager.default.row_factory = lambda names, rows: pandas.DataFrame(rows, columns=names)
    yield cluster.connect(keyspace)
    cluster.shutdown()


@pytest.fixture(scope="module")
def sales(session, keyspace):
    session.execute("CREATE TYPE seat (section text, number int)")
    session.execute(
        "CREATE TABLE sales (day date, n int, at timestamp, price decimal, tip float, seat frozen<seat>, "
        "tags set<text>, PRIMARY KEY (day, n))"
    )
    insert = session.prepare("INSERT INTO sales (day, n, at, price, tip, seat, tags) VALUES (?, ?, ?, ?, ?, ?, ?)")
    for day in (1, 2):
        for n in range(5):
            at = datetime.datetime(2030, 1, day, 10, n)
            values = (datetime.date(2030, 1, day), n, at, Decimal("1.50"), n / 2 if n else None, ("A", n), {"x"})
            session.execute(insert, values)
    return "sales"


def test_a_frame_has_the_columns_in_order_and_their_types(frames, sales):
    frame = frames.execute(f"SELECT * FROM {sales} WHERE day = '2030-01-01'")._current_rows
    assert list(frame.columns) == ["day", "n", "at", "price", "seat", "tags", "tip"]
    assert frame["n"].tolist() == [0, 1, 2, 3, 4]
    assert frame["at"].dt.minute.tolist() == [0, 1, 2, 3, 4]
    assert frame["tip"].isna().tolist() == [True, False, False, False, False]
    assert frame["tip"].sum() == 5.0
    assert frame["price"].sum() == Decimal("7.50")
    assert [seat.number for seat in frame["seat"]] == [0, 1, 2, 3, 4]


def test_pages_are_put_together(frames, sales, monkeypatch):
    monkeypatch.setattr(frames, "default_fetch_size", 3)
    answer = frames.execute(f"SELECT day, n FROM {sales}")
    pages = [answer._current_rows]
    while answer.has_more_pages:
        answer.fetch_next_page()
        pages.append(answer._current_rows)
    frame = pandas.concat(pages, ignore_index=True)
    assert max(map(len, pages)) == 3
    assert frame.groupby("day")["n"].sum().tolist() == [10, 10]


def test_names_of_what_is_computed(frames, sales):
    frame = frames.execute(f"SELECT day, count(*), max(n) AS last, sum(price) FROM {sales} GROUP BY day")._current_rows
    assert list(frame.columns) == ["day", "count", "last", "system.sum(price)"]
    assert frame["count"].tolist() == [5, 5]


def test_an_empty_frame_has_its_columns(frames, sales):
    frame = frames.execute(f"SELECT n, at FROM {sales} WHERE day = '2040-01-01'")._current_rows
    assert (list(frame.columns), len(frame)) == (["n", "at"], 0)
