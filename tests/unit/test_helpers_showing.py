"""What is printed: names for ids, rounded times, and the same text in every run."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid1, uuid4, uuid5

import pandas
import pytest
from cassandra import InvalidRequest, Unavailable
from cassandra.cluster import NoHostAvailable, Session
from cassandra.protocol import ConfigurationException

from helpers import Event, event_id, remember, show, show_error, user_id
from helpers.display.formatting import Formatter, about, paragraph
from helpers.display.showing import table_of
from helpers.lab.clock import latest_known_now
from helpers.lab.errors import LabError

NOW = latest_known_now()


@pytest.mark.parametrize(
    ("value", "column", "text"),
    [
        (None, "", "null"),
        (True, "", "True"),
        (Decimal("1E+2"), "", "100"),
        (0.123456, "", "0.1235"),
        (event_id(), "", "Midnight Orchestra"),
        (user_id("Ada"), "", "Ada"),
        (uuid5(event_id(), "nobody's"), "", str(uuid5(event_id(), "nobody's"))[:8]),
        (898, "ttl(status)", "~15 min"),
        (898, "cdc$ttl", "898"),
        (datetime(2031, 6, 14, 20), "date", "2031-06-14 20:00"),
        (b"\x01" * 3, "", "0x010101"),
        (b"\x01" * 20, "", "0x" + "01" * 16 + "… (20 bytes)"),
        ({"a": 1}, "", "{a: 1}"),
        ({3}, "", "{3}"),
        ([Decimal(1), None], "", "[1, null]"),
        # A value of a user-defined type, as the driver gives it.
        (namedtuple("address", "street number")("Canal Road", None), "", "{street: Canal Road, number: null}"),
    ],
)
def test_values(value: object, column: str, text: str) -> None:
    assert Formatter().format(value, column) == text


@pytest.mark.parametrize(
    ("away", "text"),
    [(0, "now"), (-20, "now"), (895, "in ~15 min"), (50, "in ~50 s"), (-900, "~15 min ago"), (90_000, "in ~25 h")],
)
def test_moments_near_to_now(away: int, text: str) -> None:
    assert Formatter().format(latest_known_now() + timedelta(seconds=away)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "~5 s"), (56, "~60 s"), (60, "~60 s"), (841, "~15 min"), (900, "~15 min"), (86_390, "~24 h")],
)
def test_a_shrinking_time_is_rounded_up(seconds: float, text: str) -> None:
    assert about(seconds) == text


def test_random_ids_are_numbered_in_their_order() -> None:
    formatter, one, other = Formatter(), uuid4(), uuid4()
    assert [formatter.format(each) for each in (one, other, one)] == ["random-1", "random-2", "random-1"]
    assert formatter.format(uuid1()) == "time-1"
    assert formatter.format(b"\x00" * 16, "cdc$stream_id") == "stream-1"


def test_rows_of_the_server_as_a_table(lab: Session, chapter: Event, capsys: pytest.CaptureFixture[str]) -> None:
    ticket = chapter.seat("L04 A-1")
    show(
        lab.execute(
            "SELECT ticket_id, price, status, held_by FROM tickets WHERE event_id = %s AND ticket_id = %s", ticket[:2]
        )
    )
    assert capsys.readouterr().out == (
        "ticket_id   price  status     held_by\n"
        "---------  ------  ---------  -------\n"
        "L04 A-1    120.00  available  null\n"
        "(1 row)\n"
    )


def test_no_rows_have_columns_too(lab: Session, chapter: Event) -> None:
    assert str(table_of(lab.execute("SELECT order_id, status FROM orders"))).splitlines()[0] == "order_id  status"


@dataclass
class Buyer:
    name: str
    age: int


@pytest.mark.parametrize(
    "rows",
    [
        [{"name": "Ada", "age": 36}, {"name": "Bo", "age": 9}],
        [Buyer("Ada", 36), Buyer("Bo", 9)],
        pandas.DataFrame({"name": ["Ada", "Bo"], "age": [36, 9]}),
    ],
)
def test_rows_of_other_kinds(rows: object) -> None:
    assert str(table_of(rows)) == "name  age\n----  ---\nAda    36\nBo      9\n(2 rows)"


def test_some_columns_in_an_order_of_ones_own() -> None:
    table = table_of([{"a": 2, "b": None}, {"a": 1, "b": "x"}, {"a": 3, "b": "y"}], ["b", "a"], sort="a", limit=2)
    assert str(table) == "b     a\n----  -\nx     1\nnull  2\n(3 rows, the first 2 shown)"


def test_a_missing_value_of_a_dataframe_is_null() -> None:
    frame = pandas.DataFrame({"n": [1.5, None]})
    assert table_of(frame).rows == [["1.5"], ["null"]]


def test_an_unknown_column_is_told() -> None:
    with pytest.raises(LabError, match=r"These rows have no column 'c'\. They have: a, b"):
        show([{"a": 1, "b": 2}], sort="c")


def test_html_has_the_same_words_and_no_tags_of_the_data() -> None:
    page = table_of([{"a": "<b>"}])._repr_html_()
    assert "&lt;b&gt;" in page and "<b>" not in page and "(1 row)" in page


def test_a_refusal_is_shown_with_its_meaning(lab: Session, chapter: Event, capsys: pytest.CaptureFixture[str]) -> None:
    show_error(lambda: lab.execute("SELECT * FROM tickets WHERE status = 'sold'"))
    *refusal, meaning = capsys.readouterr().out.splitlines()
    assert " ".join(line.strip() for line in refusal) == (
        "InvalidRequest: Cannot execute this query as it might involve data filtering and thus may have unpredictable "
        "performance. If you want to execute this query despite the performance unpredictability, use ALLOW FILTERING"
    )
    assert meaning == "→ No key says where these rows are: every row would have to be looked at."


@pytest.mark.parametrize(
    ("statement", "meaning"),
    [
        ("ALTER TABLE tickets DROP ticket_id", "A key stays: another key is another table, and a copy of all rows."),
        ("ALTER TABLE tickets ADD price int", "The table has a column of this name already."),
        ("ALTER TABLE events DROP slug", "A view keeps a copy of this column: the view would have to go first."),
        ("ALTER TABLE orders ALTER status TYPE int", "Stored values cannot be read as that: add another column."),
    ],
)
def test_what_cannot_be_altered_is_explained(
    lab: Session, chapter: Event, statement: str, meaning: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show_error(lambda: lab.execute(statement))
    assert capsys.readouterr().out.splitlines()[-1] == f"→ {meaning}"


@pytest.mark.parametrize(
    "refusal",
    [
        ConfigurationException(
            0x2300, "Datacenter datacenter1 doesn't have enough token-owning nodes for replication_factor=3", None
        ),
        ConfigurationException(0x2300, "Replication factor 3 exceeds the number of racks (1) in dc datacenter1", None),
    ],
)
def test_more_copies_on_tablets_than_there_is_room_for(refusal: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        raise refusal

    show_error(refuse)
    assert capsys.readouterr().out.splitlines()[-1].startswith("→ Tablets want a node")


def test_copies_on_tablets_that_do_not_fit_the_racks(capsys: pytest.CaptureFixture[str]) -> None:
    """Two copies in three racks are too many for one and too few for all."""

    def refuse() -> None:
        raise InvalidRequest("The keyspace 'k' is required to be RF-rack-valid. … for DC 'dc1': RF=2 vs. rack count=3.")

    show_error(refuse)
    assert capsys.readouterr().out.splitlines()[-1] == "→ On tablets this wants one copy, or one in each rack."


def test_the_driver_s_wrapping_is_taken_off(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(error: Exception) -> None:
        raise error

    show_error(lambda: refuse(InvalidRequest('Error from server: code=2200 [Invalid query] message="No such thing"')))
    show_error(lambda: refuse(NoHostAvailable("none", {"host": Unavailable("too few", consistency=6)})))
    show_error(lambda: None)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "InvalidRequest: No such thing"
    assert lines[1].startswith("Unavailable: ")
    assert lines[-1] == "No error: it ran."


def test_a_condition_over_two_partitions_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        raise InvalidRequest("BATCH with conditions cannot span multiple partitions")

    show_error(refuse)
    assert capsys.readouterr().out.splitlines()[1].startswith("→ One decision is made within one partition")


def test_a_batch_that_is_too_large_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        raise InvalidRequest("Batch too large")

    show_error(refuse)
    assert capsys.readouterr().out.splitlines()[1].startswith("→ Over several partitions a batch may write a megabyte")


def test_a_name_can_be_given() -> None:
    id = UUID(int=7)
    remember(id, "seven")
    assert Formatter().format(id) == "seven"


def test_a_long_line_breaks_between_words_and_a_short_one_stays():
    short = "InvalidRequest: no"
    long = "  Why it works: " + " ".join(["word"] * 40)
    lines = paragraph(f"{short}\n{long}").splitlines()
    assert lines[0] == short
    assert " ".join(line.strip() for line in lines[1:]) == long.strip()
    assert len(lines) > 2 and max(map(len, lines)) <= 92
    assert all(line.startswith("    word") for line in lines[2:])


def test_what_is_stored_of_a_row_has_its_times_in_words() -> None:
    now = latest_known_now().replace(microsecond=0)
    stamp = int((now - datetime(1970, 1, 1)).total_seconds() * 1_000_000)
    later = now + timedelta(minutes=15)
    stored = f'{{"marker":{{"timestamp":{stamp},"ttl":"900s","expiry":"{later}z"}},"columns":{{}}}}'
    told = Formatter().format(stored, "metadata")
    assert told == '{"marker":{"timestamp":now,"ttl":"900s","expiry":"in ~15 min"},"columns":{}}'
    own = '{"marker":{"timestamp":10},"columns":{}}'
    assert Formatter().format(own, "metadata") == own, "a lesson's own time stays a number"
    assert Formatter().format(stored, "note") == stored
