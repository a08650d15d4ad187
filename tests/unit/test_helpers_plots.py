"""The plots of chapters 2 and 3 show the numbers that they were given, and the readings behind them are right."""

from __future__ import annotations

from itertools import count

import pytest
from cassandra.cluster import Session
from matplotlib.colors import to_hex

from helpers import (
    Event,
    delayed_views,
    engine_of,
    lines,
    partition_sizes,
    read_pages,
    stacked_columns,
    statement,
    status_bands,
    watch_sale,
)
from helpers.display.pictures.drawing import STATUS_COLOURS
from helpers.display.places import places
from helpers.lab.control import ask
from helpers.shop.venue import Ticket
from tests.patience import HOUR

CHANGE = "UPDATE tickets SET status = %s WHERE event_id = %s AND ticket_id = %s"


def test_lines_have_a_legend_only_when_there_are_several() -> None:
    one, two = (
        lines([1, 10], {name: [3, 4] for name in names}, title="", xlabel="", ylabel="") for names in ("a", "ab")
    )
    assert one.axes[0].get_legend() is None
    assert [text.get_text() for text in two.axes[0].get_legend().get_texts()] == ["a", "b"]
    assert list(two.axes[0].lines[1].get_ydata()) == [3, 4]


def test_columns_stand_on_one_another() -> None:
    ax = stacked_columns(["x", "y"], {"below": [1, 2], "above": [10, 20]}, title="", xlabel="", ylabel="").axes[0]
    assert [(bar.get_y(), bar.get_height()) for bar in ax.patches] == [(0, 1), (0, 2), (1, 10), (2, 20)]


def test_designs_are_drawn_at_one_scale() -> None:
    left, right = partition_sizes({"flag": {"no": 90, "yes": 10}, "month": {str(i): 5 for i in range(20)}}).axes
    assert left.get_ylim() == right.get_ylim()
    assert right.get_xlabel() == "20 partitions"


def test_a_band_keeps_its_colour_until_the_next_moment() -> None:
    moments = [(-100.0, "available"), (2.0, "sold"), (50.0, None)]
    ax = status_bands({"the table says": moments}, title="").axes[0]
    drawn = [(bar.get_x(), bar.get_width(), to_hex(bar.get_facecolor()).upper()) for bar in ax.patches]
    assert drawn == [(-100, 102, STATUS_COLOURS["available"]), (2, 48, STATUS_COLOURS["sold"])]


def test_a_seat_is_found_in_its_table_and_its_view(lab: Session, chapter: Event) -> None:
    seat = chapter.tickets[0]
    assert places(lab, seat) == {"table": "available", "view, available": "available", "view, sold": "no row"}
    lab.execute(CHANGE, ("sold", chapter.id, seat.ticket_id))
    assert places(lab, seat) == {"table": "sold", "view, available": "no row", "view, sold": "sold"}
    lab.execute(CHANGE, (None, chapter.id, seat.ticket_id))
    assert places(lab, seat) == {"table": None, "view, available": "no row", "view, sold": "no row"}


def test_a_sale_is_seen_in_the_table_before_the_view(
    lab: Session, chapter: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat, looks = chapter.tickets[0], count(1)

    def look(session: Session, ticket: Ticket) -> dict[str, str | None]:
        found = places(session, ticket)
        if next(looks) == 2:  # now the view follows
            ask(engine.host, engine.port, {"do": "delay_views", "milliseconds": 0})
        return found

    monkeypatch.setattr("helpers.display.places.places", look)
    engine = engine_of(lab)
    with delayed_views(lab, 1000 * HOUR):
        lab.execute(CHANGE, ("sold", chapter.id, seat.ticket_id))
        seen = watch_sale(lab, seat)
    assert [status for _, status in seen["the table says"][:2]] == ["available", "sold"]
    assert [status for _, status in seen["the view says"][:2]] == ["available", "available"]
    assert len(seen["the view says"]) == 1 + 3 + 1
    assert [status for _, status in seen["the view says"][-2:]] == ["no row", None]


def test_pages_are_read_to_the_end(lab: Session, chapter: Event) -> None:
    available = lab.prepare(statement("select_available_tickets"))
    read = read_pages(lab, available, (chapter.id,), 7)
    assert read.rows == chapter.seats
    assert 0 < read.first < read.all
