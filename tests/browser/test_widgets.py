"""The controls of the course, moved by hand in a real JupyterLab; what a click has done is asked of the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from cassandra.cluster import Session
from nbformat.v4 import new_code_cell, new_notebook
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from helpers import Event, cancel, connect, hold_seat, seat_of, wait_until
from helpers.display.pictures.places import section_places
from tests.full import only_in_full
from tests.patience import LONG_SECONDS, SECONDS
from tools.refresh_outputs import METADATA, private_node

from .jupyterlab import JupyterLab, start_jupyterlab
from .notebook_page import IN_A_BROWSER, NotebookPage, open_notebook

pytestmark = IN_A_BROWSER

SEATS = 500
KEYSPACE = "browser"
CHAPTER = "04_timed_checkouts"
CELLS = {
    "setup": f"""
from helpers import (
    BuyersSlider, CheckoutWidget, SeatMapWidget, apply_cql, cancel, connect, hold_seat, open_chapter, rush, rush_plot
)

session = connect()
event = open_chapter(session, {KEYSPACE!r}, seats={SEATS})
apply_cql(session, "checkout.cql")
""",
    "seats": 'SeatMapWidget(session, event, "F03", buyer="Bo").show()',
    "pay": 'CheckoutWidget(session, hold_seat(session, event.section("F04")[0], "Ada")).show()',
    "cancel": 'CheckoutWidget(session, hold_seat(session, event.section("F04")[1], "Ada")).show()',
    "expiry": 'CheckoutWidget(session, hold_seat(session, event.section("F04")[2], "Ada", seconds=1)).show()',
    "buyers": """
def open_the_doors(buyers):
    attempts = rush(session, event.tickets[-20:], buyers)
    winners = [each.answer for each in attempts if each.got_it]
    for hold in winners:
        cancel(session, hold)
    return rush_plot(attempts, title=f"{buyers} buyers"), f"{len(winners)} of {buyers} buyers"


BuyersSlider(open_the_doors, value=30).show()
""",
}
CONTROLS = ("seats", "pay", "cancel", "expiry", "buyers")
SALE = {
    "open": f"""
from helpers import apply_cql, connect, count_by_status, open_chapter, sell_out

session = connect()
event = open_chapter(session, "browser_sale", seats={SEATS})
apply_cql(session, "checkout.cql")
""",
    "sale": "sale = sell_out(session, event)",
    "count": "print(count_by_status(session, event))",
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """JupyterLab on a copy of the notebooks, with an embedded node that ends with it."""
    with private_node(), start_jupyterlab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")
def controls(lab: JupyterLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotebookPage]:
    """A notebook with each control once, open and run."""
    notebook = new_notebook(metadata=METADATA)
    notebook.cells = [new_code_cell(source.strip(), id=name) for name, source in CELLS.items()]
    path = lab.notebooks / "controls.ipynb"
    nbformat.write(notebook, path)
    with open_notebook(lab, path, tmp_path_factory.mktemp("profile")) as page:
        page.run_all()
        yield page


@pytest.fixture
def page(controls: NotebookPage) -> NotebookPage:
    assert controls.errors() == []
    return controls


@pytest.fixture(scope="module")
def session(controls: NotebookPage) -> Iterator[Session]:
    """The tests' own session to the node that the notebook has started."""
    session = connect(KEYSPACE)
    yield session
    session.cluster.shutdown()


@pytest.fixture(scope="module")
def event() -> Event:
    return Event(seats=SEATS)


def live(page: NotebookPage, cell_id: str) -> WebElement:
    """The live control below a cell."""
    return page.find(page.output(cell_id), ".jp-OutputArea-output .widget-vbox, .jp-OutputArea-output .seat-map")


def assert_shown_once(page: NotebookPage, cell_id: str) -> None:
    """The control, and no picture of it beside."""
    output = page.output(cell_id)
    assert live(page, cell_id).is_displayed()
    assert len(output.find_elements(By.CSS_SELECTOR, ".jp-OutputArea-output")) == 1
    assert "Error displaying widget" not in output.text


def until_status(session: Session, event: Event, label: str, status: str) -> None:
    ticket = event.seat(label)
    wait_until(lambda: seat_of(session, ticket).status == status, why=f"{label} to be {status}", seconds=SECONDS)


def said(page: NotebookPage, where: str) -> str:
    """What the seat map says: below the map ("here"), or of the latest click ("says")."""
    return page.find(page.output("seats"), f".seat-map-{where}").text


def canvas_of(page: NotebookPage, cell_id: str) -> WebElement:
    return page.find(page.output(cell_id), ".seat-map canvas")


def click_on(page: NotebookPage, event: Event, label: str) -> None:
    """A click of the mouse on a seat of the map."""
    seats = event.section("F03")
    x, y = section_places(seats)[seats.index(event.seat(label))]
    canvas = canvas_of(page, "seats")
    # An offset counts from the middle of an element.
    right, down = (x - 0.5) * canvas.size["width"], (y - 0.5) * canvas.size["height"]
    ActionChains(page.driver).move_to_element_with_offset(canvas, round(right), round(down)).click().perform()


@only_in_full("a whole chapter in a browser; every day its controls are moved on a page of their own")
def test_the_chapter_about_checkouts_runs_and_shows_its_controls(
    lab: JupyterLab, tmp_path_factory: pytest.TempPathFactory
):
    path: Path = lab.notebooks / f"{CHAPTER}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    (parameters,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    parameters.source, patched = re.subn(r"(?m)^seats = .*", f"seats = {SEATS}", parameters.source)
    assert patched == 1
    nbformat.write(notebook, path)
    controls = [cell.id for cell in notebook.cells if re.search(r"(Widget|Slider)\(.*\.show\(\)", cell.source)]
    assert len(controls) == 3
    with open_notebook(lab, path, tmp_path_factory.mktemp("profile")) as page:
        body = page.driver.find_element(By.TAG_NAME, "body")
        assert "Error displaying widget" not in body.text, "saved outputs have a control that no kernel is there for"
        page.run_all()
        assert page.errors() == []
        for number, name in enumerate(controls, start=1):
            assert_shown_once(page, name)
            page.screenshot(f"{CHAPTER}, control {number}")


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_is_shown_once(page: NotebookPage, name: str):
    assert_shown_once(page, name)
    page.screenshot(f"control {name}")


def test_a_click_holds_a_seat_and_the_next_gives_it_back(page: NotebookPage, session: Session, event: Event):
    label = event.section("F03")[1].label
    until_status(session, event, label, "available")
    click_on(page, event, label)
    until_status(session, event, label, "held")
    assert seat_of(session, event.seat(label)).held_by == "Bo"
    page.until_says(live(page, "seats"), f"Bo holds {label}.")
    page.until_says(live(page, "seats"), "held_by = 'Bo'")
    page.until_says(live(page, "seats"), "→ [applied] True")
    page.until(lambda: said(page, "here") == f"{label}: yours", "the map says whose the seat is")
    page.screenshot("a seat is held")
    click_on(page, event, label)
    until_status(session, event, label, "available")
    page.until_says(live(page, "seats"), f"Bo gave {label} back.")


def test_a_keyboard_does_all_that_a_mouse_does(page: NotebookPage, session: Session, event: Event):
    first, _, third, *_ = event.section("F03")
    canvas = canvas_of(page, "seats")
    page.driver.execute_script("arguments[0].focus()", canvas)
    cell = page.driver.execute_script("return window.jupyterapp.shell.currentWidget.content.activeCellIndex")
    while not said(page, "here").startswith(first.label):
        canvas.send_keys(Keys.ARROW_LEFT, Keys.ARROW_UP)
    canvas.send_keys(Keys.ARROW_DOWN, Keys.ARROW_UP, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    page.until(lambda: said(page, "here") == f"{third.label}: available", "arrow keys lead to the third seat")
    canvas.send_keys(Keys.ENTER)
    until_status(session, event, third.label, "held")
    page.until(lambda: said(page, "here") == f"{third.label}: yours", "the map says whose the seat is")
    page.screenshot("a seat is held by keyboard")
    canvas.send_keys(Keys.SPACE)
    until_status(session, event, third.label, "available")
    # The arrow keys were the map's: JupyterLab is in the cell where it was.
    now = page.driver.execute_script("return window.jupyterapp.shell.currentWidget.content.activeCellIndex")
    assert now == cell
    # One stop of the Tab key, however many seats.
    focusable = live(page, "seats").find_elements(By.CSS_SELECTOR, "[tabindex], button, input, a")
    assert focusable == [canvas]


def test_a_click_on_a_seat_that_was_taken_meanwhile_says_whose_it_is(
    page: NotebookPage, session: Session, event: Event
):
    ticket = event.section("F03")[2]
    hold = hold_seat(session, ticket, "Cy")
    click_on(page, event, ticket.label)
    page.until_says(live(page, "seats"), f"Bo was too late: {ticket.label} is held by Cy.")
    page.until_says(live(page, "seats"), "→ [applied] False")
    page.until(lambda: said(page, "here") == f"{ticket.label}: held", "the map says that the seat is held")
    assert cancel(session, hold).applied


def test_the_countdown_ticks(page: NotebookPage):
    def left() -> int:
        minutes, seconds = re.search(r"for (\d+):(\d\d)", live(page, "cancel").text).groups()
        return 60 * int(minutes) + int(seconds)

    before = left()
    assert 0 < before <= 900
    page.until(lambda: left() <= before - 2, "the countdown has gone on by two seconds")


def test_pay_sells_the_seat(page: NotebookPage, session: Session, event: Event):
    label = event.section("F04")[0].label
    until_status(session, event, label, "held")
    page.button(live(page, "pay"), "Pay").click()
    until_status(session, event, label, "sold")
    page.until_says(live(page, "pay"), f"{label} is Ada's.")
    assert not page.button(live(page, "pay"), "Cancel").is_enabled()
    page.screenshot("a seat is paid")


def test_cancel_puts_the_seat_back_on_sale(page: NotebookPage, session: Session, event: Event):
    label = event.section("F04")[1].label
    until_status(session, event, label, "held")
    page.button(live(page, "cancel"), "Cancel").click()
    until_status(session, event, label, "available")
    page.until_says(live(page, "cancel"), f"{label} is back on sale.")
    assert not page.button(live(page, "cancel"), "Pay").is_enabled()


def test_a_hold_runs_out_before_the_eyes(page: NotebookPage, session: Session, event: Event):
    label = event.section("F04")[2].label
    page.until_says(live(page, "expiry"), f"The time is over: {label} waits for whoever tidies up.")
    assert seat_of(session, event.seat(label)).status == "held"
    page.button(live(page, "expiry"), "Pay").click()
    page.until_says(live(page, "expiry"), f"Too late: {label} is no longer held by this checkout.")
    page.until_says(live(page, "expiry"), "[applied] False")


def test_the_slider_changes_the_picture(page: NotebookPage):
    control = live(page, "buyers")
    pictures = [page.find(control, "img").get_attribute("src")]
    assert page.find(control, "img").get_attribute("alt")
    for buyers in (31, 32):
        page.find(control, ".noUi-handle").send_keys(Keys.ARROW_RIGHT)
        page.button(control, "Open the doors").click()
        page.until_says(control, f"20 of {buyers} buyers")
        pictures.append(page.find(control, "img").get_attribute("src"))
    assert len(set(pictures)) == 3
    page.screenshot("the slider has moved")


def test_on_another_day_the_controls_are_still_there_to_be_read(
    page: NotebookPage, lab: JupyterLab, session: Session, event: Event
):
    """Last of those on this page: its kernel ends."""
    lab.end_kernels()
    page.save_and_open_again()
    for name in ("seats", "pay"):
        page.until(lambda name=name: live(page, name).is_displayed(), f"{name} is drawn again", LONG_SECONDS)
    body = page.driver.find_element(By.TAG_NAME, "body").text
    assert "Error displaying widget" not in body and "model not found" not in body
    page.screenshot("another day")


@only_in_full("Chromium draws a whole sale without a graphics card; every day test_live_sale asks what would be drawn")
def test_a_sale_draws_itself_obeys_its_buttons_and_leaves_pictures(
    lab: JupyterLab, tmp_path_factory: pytest.TempPathFactory
):
    notebook = new_notebook(metadata=METADATA)
    notebook.cells = [new_code_cell(source.strip(), id=name) for name, source in SALE.items()]
    path = lab.notebooks / "sale.ipynb"
    nbformat.write(notebook, path)

    def number(name: str) -> str:
        pairs = page.driver.execute_script(
            "return [...arguments[0].querySelectorAll('dt')].map(dt => [dt.textContent, dt.nextSibling.textContent])",
            live(page, "sale"),
        )
        return dict(pairs)[name]

    with open_notebook(lab, path, tmp_path_factory.mktemp("profile")) as page:
        page.start_all()
        page.until(lambda: int(number("sold")) > 0, "seats are being sold", LONG_SECONDS)
        # The cell runs, and the buttons are heard all the same.
        page.button(live(page, "sale"), "Pause").click()
        page.button(live(page, "sale"), "Go on")
        page.button(live(page, "sale"), "A dead sweeper").click()
        page.until(lambda: number("sweepers") == "0", "the sweeper is dead")
        page.until_says(live(page, "sale"), "Nobody is let in.")
        page.screenshot("a sale, paused")
        page.button(live(page, "sale"), "One more sweeper").click()
        page.until(lambda: number("sweepers") == "1", "there is another sweeper")
        page.button(live(page, "sale"), "Go on").click()

        def outputs(id: str) -> list[dict]:
            return next(cell for cell in page.cells() if cell["id"] == id).get("outputs", [])

        page.until(lambda: outputs("count"), "the sale is over, and the next cell has run", LONG_SECONDS)
        assert f"'sold': {SEATS}" in str(outputs("count"))
        (shown,) = outputs("sale")
        assert "".join(shown["data"]["text/html"]).startswith('<img alt="Four maps of the house')
        assert set(shown["data"]) == {"text/html", "text/plain"}
        page.screenshot("a sale, over")
