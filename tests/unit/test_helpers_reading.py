"""What chapters 2 and 3 stand on: an empty house, late views, rows counted in traces, and the ring."""

from __future__ import annotations

import pytest
from cassandra.cluster import Session

from helpers import Event, delayed_views, engine_of, open_chapter, ring_diagram, rows_read, wait_until
from helpers.display.traces import RowsRead, count_rows
from helpers.lab.control import ask
from helpers.lab.errors import LabError
from tests.patience import HOUR, SECONDS

SELL = "UPDATE tickets SET status = 'sold' WHERE event_id = %s AND ticket_id = %s"
ON_SALE = "SELECT ticket_id FROM available_tickets WHERE event_id = %s AND status = 'available'"


def _offered(session: Session, event: Event) -> int:
    return len(session.execute(ON_SALE, (event.id,)).all())


def test_a_chapter_that_is_not_on_sale_begins_with_empty_tables(lab: Session) -> None:
    for on_sale in (True, False):
        event = open_chapter(lab, "unit_empty_house", 100, on_sale=on_sale)
    assert len(event.tickets) == 100
    for table in ("venue_sections", "events", "tickets", "available_tickets"):
        assert not lab.execute(f"SELECT * FROM {table}").all()


def test_a_delayed_view_follows_its_table_in_the_end(lab: Session, chapter: Event) -> None:
    with delayed_views(lab, 1000 * HOUR):
        lab.execute(SELL, (chapter.id, chapter.tickets[0].ticket_id))
        assert _offered(lab, chapter) == chapter.seats
    assert _offered(lab, chapter) == chapter.seats - 1
    with delayed_views(lab, 1):
        lab.execute(SELL, (chapter.id, chapter.tickets[1].ticket_id))
        wait_until(lambda: _offered(lab, chapter) == chapter.seats - 2, why="the view", seconds=SECONDS)


def test_views_are_prompt_again_also_after_an_error(lab: Session) -> None:
    engine = engine_of(lab)
    with pytest.raises(ZeroDivisionError), delayed_views(lab, 60_000):
        raise ZeroDivisionError
    assert ask(engine.host, engine.port, {"do": "status"})["view_delay_milliseconds"] == 0


def test_a_trace_counts_the_rows_that_were_sold(lab: Session, chapter: Event) -> None:
    for ticket in chapter.tickets[:7]:
        lab.execute(SELL, (chapter.id, ticket.ticket_id))
    assert rows_read(lab, ON_SALE, (chapter.id,)) == RowsRead(live=chapter.seats - 7, dead=7)


@pytest.mark.parametrize(
    ("texts", "counts"),
    [
        (
            [
                "Page stats: 1 partition(s), 0 static row(s) (0 live, 0 dead), 110 clustering row(s) "
                "(100 live, 10 dead), 0 range tombstone(s) and 330 cell(s) (300 live, 30 dead)"
            ],
            (100, 10),
        ),
        (["Read 100 live rows and 4812 dead rows of seats_03.available_tickets, returning 100"], (100, 4812)),
        (["Read 100 live rows and 3 tombstone cells", "Read 90 live rows and 5 tombstone cells"], (100, 5)),
        (["Parsing a statement"], (0, 0)),
    ],
    ids=["ScyllaDB", "embedded node", "Cassandra, two replicas", "nothing read"],
)
def test_rows_are_counted_in_the_words_of_each_engine(texts: list[str], counts: tuple[int, int]) -> None:
    assert count_rows(texts) == RowsRead(*counts)


def test_a_ring_has_one_dot_for_each_partition() -> None:
    one, many = ring_diagram({"tickets": [7] * 50, "orders": range(-(2**63), 2**63, 2**60)}).axes
    assert (len(one.lines), len(many.lines)) == (1, 16)


def test_too_many_rings_are_refused() -> None:
    with pytest.raises(LabError, match="1 to 3 rings, not 4"):
        ring_diagram({str(i): [i] for i in range(4)})
