"""Many readers at once and one seller: all read, and one writes until they have; and the picture of it."""

from __future__ import annotations

import threading

import pytest

from helpers.display.pictures.drawing import png
from helpers.display.pictures.plots import grouped_bars
from helpers.lab.errors import LabError
from helpers.shop.readers import read_together
from tests.patience import SECONDS

SEATS = [("F01",), ("F02",)]


class Server:
    """Answers a read when ``readers`` of them and a sale are under way, and notes what was sold."""

    def __init__(self, readers: int):
        self.meeting = threading.Barrier(readers, timeout=SECONDS)
        self.sold: list[object] = []
        self.first_sale = threading.Event()
        self.read = 0

    def execute(self, query, values):
        if query == "sale":
            self.sold.append(values)
            self.first_sale.set()
            return []
        self.meeting.wait()
        assert self.first_sale.wait(SECONDS)
        self.read += 1
        return iter([1, 2, 3])


def test_all_read_at_one_moment_while_one_sells():
    server = Server(readers=8)
    found = read_together(server, "read", (), readers=8, sale="sale", seats=SEATS)
    assert server.read == len(found.readers) == 8
    assert len(found.seller) == len(server.sold) >= 1
    assert server.sold[0] == SEATS[0] and set(server.sold) <= set(SEATS)


def test_a_read_that_fails_is_not_swallowed_and_ends_the_seller():
    class Refusing(Server):
        def execute(self, query, values):
            if query == "read":
                raise LabError("closed")
            return super().execute(query, values)

    with pytest.raises(LabError, match="closed"):
        read_together(Refusing(2), "read", (), readers=2, sale="sale", seats=SEATS)


def test_nobody_and_nothing_get_a_sentence():
    with pytest.raises(LabError, match="Somebody has to read"):
        read_together(Server(1), "read", (), readers=0, sale="sale", seats=SEATS)
    with pytest.raises(LabError, match="nothing to sell"):
        read_together(Server(1), "read", (), sale="sale", seats=[])


def test_bars_stand_in_groups_with_their_figures():
    fig = grouped_bars({"a table": {"alone": 4.0, "among 64": 900}, "a view": {"alone": 1, "among 64": 20}},
                       title="Reads", unit="ms")  # fmt: skip
    (ax,) = fig.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a table", "a view"]
    assert sorted(text.get_text().strip() for text in ax.texts) == ["1.0", "20", "4.0", "900"]
    assert len(ax.patches) == 4 and png(fig).startswith(b"\x89PNG")
