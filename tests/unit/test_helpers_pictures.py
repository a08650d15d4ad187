"""Pictures and controls: made of what the tables say, the same in every run, and never blank."""

from __future__ import annotations

import asyncio
import base64
import html
import re
import struct
import threading
from datetime import datetime
from decimal import Decimal

import pytest
from cassandra.cluster import NoHostAvailable, Session

from helpers import (
    BuyersSlider,
    CheckoutWidget,
    Event,
    Latencies,
    SeatMapWidget,
    bars,
    hold_seat,
    let_time_pass,
    lines,
    pay,
    picture,
    plot_latencies,
    read_log,
    release_expired,
    seat_map,
    seat_of,
    server_now,
    timeline,
)
from helpers.display.pictures import widgets
from helpers.display.pictures.drawing import GREEN, GREY, ORANGE, in_html, png
from helpers.display.pictures.stadium import price_levels, section_map
from helpers.lab.errors import LabError
from helpers.shop.venue import load_venue
from tests.patience import SECONDS, Stopwatch
from tests.unit.conftest import KEYSPACE

PNG = b"\x89PNG"


def test_a_seat_map_has_each_section_and_is_the_same_twice() -> None:
    venue = load_venue()
    figure = seat_map(venue)
    wedges = [patch for patch in figure.axes[0].patches if type(patch).__name__ == "Wedge"]
    assert len(wedges) == len(venue)
    assert png(figure) == png(seat_map(venue))


def test_a_seat_map_shows_numbers_and_keeps_the_others_grey() -> None:
    figure = seat_map(load_venue(), {"L04": 1.0, "U07": 9.0}, label="seats left")
    colours = {tuple(patch.get_facecolor()) for patch in figure.axes[0].patches}
    assert len(colours) == 4  # two values, grey, and the stage
    with pytest.raises(LabError, match="There is no section 'X1' in this venue"):
        seat_map(load_venue(), {"X1": 1.0})


def test_a_section_has_a_dot_for_each_seat_in_the_colour_of_its_status() -> None:
    tickets = Event(seats=500).section("L04")
    figure = section_map(tickets, {tickets[0].ticket_id: "sold", tickets[1].ticket_id: "held"})
    from matplotlib.colors import to_hex

    colours = [to_hex(colour).upper() for colour in figure.axes[0].collections[0].get_facecolors()]
    assert colours == [GREY, ORANGE, *[GREEN] * (len(tickets) - 2)]
    with pytest.raises(LabError, match="There is no seat to draw"):
        section_map([])


def test_prices_are_counted() -> None:
    levels = price_levels(load_venue())
    assert sum(levels.values()) == 50_000
    assert next(iter(levels)) == Decimal("185.00")


def test_words_stand_in_where_no_picture_can_be(capsys: pytest.CaptureFixture[str]) -> None:
    picture(bars({"a": 1, "b": 1000}, title="t", unit="u", log=True), "Two bars.")
    assert capsys.readouterr().out == "Picture: Two bars.\n"


def test_a_notebook_gets_the_image_with_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: object())
    monkeypatch.setattr(IPython.display, "display", lambda data, **options: shown.append((data, options)))
    picture(lines([1], {"a": [1]}, title="t", xlabel="", ylabel=""), "A bar & no more.")
    [(data, _)] = shown
    assert data["text/plain"] == "Picture: A bar & no more."
    found = re.match(r'<img alt="([^"]*)" width="\d+" src="data:image/png;base64,([^"]*)">', data["text/html"])
    assert found and html.unescape(found[1]) == "A bar & no more."
    assert base64.b64decode(found[2]).startswith(PNG)


def test_bars_have_their_numbers_beside_them_under_their_headers() -> None:
    shown = in_html(bars({"plain": 12.0, "with IF": 4000.0}, title="t", unit="µs"), "Two bars.")
    folded = shown.partition("<details>")[2]
    assert re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', folded) == ["", "µs"]
    assert re.findall(r"<td[^>]*>([^<]*)</td>", folded) == ["plain", "12", "with IF", "4,000"]


@pytest.mark.parametrize("low, high", [(90, 410), (1, 50_000), (0.3, 7)])
def test_a_logarithmic_axis_has_plain_numbers(low: float, high: float) -> None:
    fig = lines([1, 2], {"a": [low, high]}, title="", xlabel="", ylabel="", log=True)
    fig.draw_without_rendering()
    axis = fig.axes[0].yaxis
    labels = [label.get_text() for label in [*axis.get_ticklabels(), *axis.get_ticklabels(minor=True)]]
    assert sum(bool(label) for label in labels) >= 3
    assert all(re.fullmatch(r"[\d,.]*", label) for label in labels), labels


def test_an_axis_says_each_number_as_it_is() -> None:
    """Steps of two and a half are not rounded to 2, 5, 8, 10."""
    fig = lines([75, 300], {"a": [1, 17]}, title="", xlabel="", ylabel="")
    ticks = fig.axes[0].yaxis
    ticks.set_ticks([0, 2.5, 5, 7.5])
    fig.draw_without_rendering()
    assert [label.get_text() for label in ticks.get_ticklabels()] == ["0", "2.5", "5", "7.5"]


def test_latencies_are_measured_in_milliseconds() -> None:
    samples = Latencies("hold")
    with pytest.raises(LabError, match="hold: nothing has been measured yet"):
        samples.p50  # noqa: B018
    for i in range(1, 101):
        samples.add(i / 1000)
    assert (samples.p50, samples.p99, samples.max, samples.mean, len(samples)) == pytest.approx(
        (50, 99, 100, 50.5, 100)
    )
    assert str(samples) == "hold: 100 requests, p50 50.00 ms, p99 99.00 ms"
    with pytest.raises(ZeroDivisionError), samples.measure():
        raise ZeroDivisionError
    assert len(samples) == 101
    assert samples.timed(lambda: 7) == 7
    figure = plot_latencies([samples])
    assert "embedded node" in figure.axes[0].get_title()
    assert png(figure).startswith(PNG)


def test_a_timeline_has_a_lane_for_each_seat(lab: Session, chapter: Event) -> None:
    pay(lab, hold_seat(lab, chapter.tickets[0], "Ada"))
    hold_seat(lab, chapter.tickets[1], "Bo")
    axes = timeline(read_log(lab, KEYSPACE, "order_queue")).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [ticket.label for ticket in chapter.tickets[:2]]
    paid, open_ = axes.patches
    assert paid.get_width() < 60 and open_.get_width() == pytest.approx(900)
    with pytest.raises(LabError, match="no change with a value for colour"):
        timeline([], lane="colour")


def choose(widget: SeatMapWidget, label: str) -> None:
    """What the browser sends when a seat is chosen, by mouse or by keyboard."""
    places = [ticket.label for ticket in widget.tickets]
    widget._heard({"do": "seat", "seat": places.index(label)})


def test_a_click_holds_a_seat_and_a_second_gives_it_back(lab: Session, chapter: Event) -> None:
    widget = SeatMapWidget(lab, chapter, "L04", buyer="Ada")
    label = widget.tickets[0].label
    choose(widget, label)
    assert seat_of(lab, widget.tickets[0]).held_by == "Ada"
    assert widget.status(label) == "yours"
    assert widget.map.frame["says"] == f"Ada holds {label}."
    choose(widget, label)
    assert seat_of(lab, widget.tickets[0]).status == widget.status(label) == "available"
    assert widget.map.frame["says"] == f"Ada gave {label} back."


def test_each_click_shows_its_statement_and_what_came_back(lab: Session, chapter: Event) -> None:
    widget = SeatMapWidget(lab, chapter, "L04", buyer="Ada")
    label = widget.tickets[0].label
    choose(widget, label)
    told = "\n".join(widget.map.frame["lines"])
    assert "UPDATE tickets SET status = 'held', held_by = 'Ada'" in told and f"ticket_id = {label}" in told
    assert "IF status = 'available'" in told and told.endswith("→ [applied] True")
    assert "?" not in told
    hold_seat(lab, widget.tickets[1], "Bo")
    choose(widget, widget.tickets[1].label)
    assert widget.map.frame["lines"][-1] == "→ [applied] False"


def test_a_frame_has_the_changed_seats_and_no_others(lab: Session, chapter: Event) -> None:
    widget = SeatMapWidget(lab, chapter, "L04", buyer="Ada")
    choose(widget, widget.tickets[1].label)
    widget.refresh()
    assert widget.map.frame["changes"] == b""
    hold_seat(lab, widget.tickets[0], "Bo")
    widget._heard({"do": "look"})
    assert struct.unpack("<I", widget.map.frame["changes"]) == (0 << 2 | 1,)


def test_a_click_on_a_seat_that_is_taken_by_now_is_answered(lab: Session, chapter: Event) -> None:
    widget = SeatMapWidget(lab, chapter, "L04", buyer="Ada")
    hold_seat(lab, widget.tickets[0], "Bo")
    widget.click(widget.tickets[0].label)
    assert "Ada was too late" in widget.says
    assert widget.status(widget.tickets[0].label) == "held"
    with pytest.raises(LabError, match="There is no seat 'Z' on this map"):
        widget.click("Z")


def test_a_map_without_a_section_is_of_one_that_has_a_free_seat(lab: Session, chapter: Event) -> None:
    first = chapter.tickets[0].section
    for ticket in chapter.section(first):
        pay(lab, hold_seat(lab, ticket, "Bo"))
    assert SeatMapWidget(lab, chapter).tickets[0].section != first


def test_a_checkout_is_paid_or_cancelled_by_its_buttons(lab: Session, chapter: Event) -> None:
    paid, cancelled = (CheckoutWidget(lab, hold_seat(lab, ticket, "Bo")) for ticket in chapter.tickets[:2])
    paid.pay_button.click()
    cancelled.cancel_button.click()
    assert (paid.outcome, seat_of(lab, chapter.tickets[0]).status) == ("paid", "sold")
    assert (cancelled.outcome, seat_of(lab, chapter.tickets[1]).status) == ("cancelled", "available")
    assert paid.pay_button.disabled and paid.cancel_button.disabled


def test_a_checkout_counts_down_by_the_server_s_clock(lab: Session, chapter: Event) -> None:
    watch = Stopwatch()
    widget = CheckoutWidget(lab, hold_seat(lab, chapter.tickets[0], "Cy", seconds=900))
    assert widget.bar.value in watch.left(900)
    let_time_pass(lab, 600)
    widget.tick()
    assert widget.bar.value in watch.left(300)
    let_time_pass(lab, 301)
    widget.tick()
    assert "The time is over" in widget.message.value
    # Whether it is too late the row says: so one may still ask.
    assert not widget.pay_button.disabled
    widget.pay_button.click()
    assert widget.outcome == "expired" and widget.pay_button.disabled
    assert "UPDATE tickets SET status = &#x27;sold&#x27;" in widget.answer.value
    assert "[applied] False" in widget.answer.value
    with pytest.raises(LabError, match="There is nothing to check out: Ada was too late"):
        CheckoutWidget(lab, hold_seat(lab, chapter.tickets[0], "Ada"))


def test_the_countdown_runs_in_a_notebook_s_loop_and_ends_with_the_checkout(
    lab: Session, chapter: Event, capsys: pytest.CaptureFixture[str]
) -> None:
    async def watch() -> None:
        widget = CheckoutWidget(lab, hold_seat(lab, chapter.tickets[0], "Cy"))
        widget.show()
        await asyncio.sleep(0)
        widget.pay()
        await asyncio.wait_for(widget._ticking, timeout=SECONDS)

    asyncio.run(watch())
    assert "Picture: Cy's checkout of" in capsys.readouterr().out


def test_a_checkout_that_ended_elsewhere_is_not_back_on_sale(lab: Session, chapter: Event) -> None:
    """A cancel that the database refuses is not called one."""
    hold = hold_seat(lab, chapter.tickets[0], "Ada")
    widget = CheckoutWidget(lab, hold)
    pay(lab, hold)
    widget.cancel_button.click()
    assert (widget.outcome, seat_of(lab, chapter.tickets[0]).status) == ("expired", "sold")
    assert "Too late" in widget.message.value and "back on sale" not in widget.message.value


def test_a_click_gives_back_or_holds_and_never_does_the_one_for_the_other(lab: Session, chapter: Event) -> None:
    widget = SeatMapWidget(lab, chapter, "L04", buyer="Ada", seconds=60)
    label = widget.tickets[0].label
    widget.click(label)
    let_time_pass(lab, 61)
    assert release_expired(lab, chapter) == [widget.tickets[0]]
    widget.click(label)
    assert widget.says == f"{label} was not Ada's any more."
    assert seat_of(lab, widget.tickets[0]).status == "available"


def test_a_seat_stays_one_s_own_when_giving_it_back_got_no_answer(lab: Session, chapter: Event) -> None:
    widget = SeatMapWidget(lab, chapter, "L04", buyer="Ada")
    label = widget.tickets[0].label
    widget.click(label)
    widget.session = NobodyAnswers()
    choose(widget, label)
    assert "The server does not answer any more. Run the cell with connect() again" in widget.map.frame["says"]
    assert "NoHostAvailable" not in widget.map.frame["says"]
    assert list(widget.holds) == [widget.tickets[0].ticket_id]


class NobodyAnswers:
    """A session whose server is gone."""

    keyspace = KEYSPACE

    def execute(self, *arguments: object, **options: object) -> None:
        raise NoHostAvailable("Unable to complete the operation", {"127.0.0.1:9042": ConnectionRefusedError(111)})

    prepare = execute_async = execute


def test_a_server_that_does_not_answer_leaves_the_notebook_s_loop_free(
    lab: Session, chapter: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The countdown asks the server's time in a thread: other tasks of the loop go on while it waits."""
    asked, answered = threading.Event(), threading.Event()

    def slow(session: Session) -> datetime:
        asked.set()
        assert answered.wait(SECONDS), "the loop stood still while the countdown waited"
        return server_now(session)

    async def watch() -> None:
        widget = CheckoutWidget(lab, hold_seat(lab, chapter.tickets[0], "Cy"))
        monkeypatch.setattr(widgets, "server_now", slow)
        counting = asyncio.create_task(widget._count_down())
        while not asked.is_set():
            await asyncio.sleep(0)
        answered.set()
        widget.pay()
        await asyncio.wait_for(counting, timeout=SECONDS)
        assert widget.outcome == "paid"

    asyncio.run(watch())


def test_an_error_behind_a_button_is_said_where_the_control_speaks(lab: Session, chapter: Event) -> None:
    def refuse(buyers: int) -> None:
        raise LabError(f"{buyers} are too many.")

    slider = BuyersSlider(refuse, value=7)
    slider.button.click()
    assert "LabError: 7 are too many." in slider.message.value
    assert not slider.button.disabled


def test_the_slider_redraws_with_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    slider = BuyersSlider(lambda n: (bars({"buyers": n}, title="t", unit="u"), f"{n} came"), value=3, alt="One bar.")
    slider.show()
    assert "Picture: One bar." in capsys.readouterr().out
    assert "3 came" in slider.message.value
    slider.slider.value = 9
    slider.button.click()
    assert "9 came" in slider.message.value
    assert 'alt="One bar."' in slider.image.value
    assert 'src="data:image/png;base64,' in slider.image.value
