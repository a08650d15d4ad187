"""Controls for a hand: a seat map to choose from, a checkout with its countdown, a slider for the number of buyers.

Where somebody watches, a control is shown once, live. Where nobody does, on the web or in a headless execution, its
picture is, drawn of the same rows.
"""

from __future__ import annotations

import asyncio
import html
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets
from IPython.display import display

from ...lab.clock import server_now
from ...lab.errors import LabError
from ...lab.statements import statement
from ...shop import box_office
from ...shop.box_office import Hold
from ...shop.event import Event
from ...shop.venue import Ticket
from ..formatting import Formatter
from ..frontend import somebody_watches
from ..refusals import in_a_sentence
from .drawing import STATUS_COLOURS, in_html, in_words, new_figure, picture
from .live_map import MINE, LiveMap, a_frame, changes_between, live_bundle
from .places import section_places, section_plan
from .stadium import section_map

if TYPE_CHECKING:
    from cassandra.cluster import Session
    from matplotlib.figure import Figure

MOST_SEATS = 240
_STATUSES = ("available", "held", "sold")
# ScyllaDB refuses a longer list of clustering keys (max_clustering_key_restrictions_per_query).
_MOST_IN = 100
_LINES = 12


class SeatMapWidget:
    """The seats of a section: choosing a free one holds it for ``buyer``, choosing one's own gives it back.

    By mouse, or by keyboard: the map is one stop of the Tab key, arrow keys go from seat to seat, Enter chooses. Below
    it stand the statement that was sent and its ``[applied]``. Without a ``section`` it is the first one that has a
    free seat.

    >>> SeatMapWidget(session, event, "L04", buyer="Ada").show()

    ``holds`` has this buyer's holds by ticket id; ``click(label)`` does what a click does.
    """

    def __init__(
        self, session: Session, event: Event, section: str | None = None, *, buyer: str = "Ada", seconds: int = 900
    ):
        self.session, self.event, self.buyer, self.seconds = session, event, buyer, seconds
        # A whole section can have a thousand seats; the front rows are enough for a hand.
        self.tickets = _front_rows(event.section(section or self._one_with_a_seat()))
        self.holds: dict[Any, Hold] = {}
        self.says = ""
        self.lines: deque[str] = deque(maxlen=_LINES)
        self.now = self._statuses()
        self.map = LiveMap(section_plan(self.tickets, self.words), section_places(self.tickets), lambda: self.now)
        self.map.on_msg(lambda widget, message, buffers: self._heard(message))

    @property
    def words(self) -> str:
        """What the map shows."""
        return f"{len(self.tickets)} seats of section {self.tickets[0].section}, each coloured by its status."

    def show(self) -> None:
        """Show the map, or where nobody watches its picture."""
        _show(self.map, self.figure, self.words, f"Live: the seats of {self.tickets[0].section}, to choose from")

    def figure(self) -> Figure:
        """The same seats as a picture."""
        known = {ticket.ticket_id: self.status(ticket.label) for ticket in self.tickets}
        return section_map(self.tickets, {key: "held" if each == "yours" else each for key, each in known.items()})

    def status(self, label: str) -> str:
        """What the map shows of a seat: "available", "held", "sold", or "yours"."""
        return (*_STATUSES, "yours")[self.now[self.tickets.index(self._ticket(label))]]

    def click(self, label: str) -> None:
        """Hold a seat, or give back one's own; the lines below the map say what the database answered."""
        ticket = self._ticket(label)
        mine = self.holds.get(ticket.ticket_id)
        if mine is None:
            hold = box_office.hold_seat(self.session, ticket, self.buyer, seconds=self.seconds)
            if hold:
                self.holds[ticket.ticket_id] = hold
            values = (self.buyer, hold.hold_id, hold.held_until, ticket.event_id, ticket.ticket_id)
            self._say(str(hold), "hold_seat", values, bool(hold))
            return
        given_back = box_office.cancel(self.session, mine)
        del self.holds[ticket.ticket_id]
        words = f"{self.buyer} gave {label} back." if given_back else f"{label} was not {self.buyer}'s any more."
        self._say(words, "release_seat", (ticket.event_id, ticket.ticket_id, mine.hold_id), bool(given_back))

    def refresh(self) -> None:
        """Read the seats again, and send what has changed."""
        before, self.now = self.now, self._statuses()
        self.map.frame = a_frame(changes_between(before, self.now), lines=list(self.lines), says=self.says)

    def _heard(self, message: dict[str, Any]) -> None:
        """A seat was chosen, or somebody looks. There is no cell whose output could show an error."""
        try:
            if message.get("do") == "seat":
                self.click(self.tickets[message["seat"]].label)
            self.refresh()
        except Exception as error:
            self.says = in_a_sentence(error)
            self.map.frame = a_frame(lines=list(self.lines), says=self.says)

    def _say(self, words: str, name: str, values: tuple[Any, ...], applied: bool) -> None:
        self.says = words
        self.lines.extend(as_sent(name, values, applied).splitlines())
        self.refresh()

    def _ticket(self, label: str) -> Ticket:
        ticket = next((each for each in self.tickets if each.label == label), None)
        if ticket is None:
            raise LabError(f"There is no seat {label!r} on this map.")
        return ticket

    def _statuses(self) -> bytearray:
        ids = [ticket.ticket_id for ticket in self.tickets]
        found: dict[Any, int] = {}
        for part in (ids[i : i + _MOST_IN] for i in range(0, len(ids), _MOST_IN)):
            marks = ", ".join(["%s"] * len(part))
            query = f"SELECT ticket_id, status, hold_id FROM tickets WHERE event_id = %s AND ticket_id IN ({marks})"
            for row in self.session.execute(query, (self.event.id, *part)):
                hold = self.holds.get(row.ticket_id)
                mine = hold is not None and row.status == "held" and row.hold_id == hold.hold_id
                found[row.ticket_id] = MINE if mine else _STATUSES.index(row.status or "available")
        return bytearray(found.get(ticket_id, 0) for ticket_id in ids)

    def _one_with_a_seat(self) -> str:
        query = "SELECT ticket_id FROM available_tickets WHERE event_id = %s AND status = 'available'"
        free = {row.ticket_id for row in self.session.execute(query, (self.event.id,))}
        found = next((ticket for ticket in self.event.tickets if ticket.ticket_id in free), None)
        return (found or self.event.tickets[0]).section


def as_sent(name: str, values: tuple[Any, ...], applied: bool) -> str:
    """A conditional statement of ``cql/`` as it was sent, with its values in their places, and the answer."""
    formatter, left = Formatter(), iter(values)

    def value() -> str:
        given = next(left)
        return f"'{given}'" if isinstance(given, str) else formatter.format(given)

    text = "".join(value() if letter == "?" else letter for letter in statement(name))
    return f"{text}\n→ [applied] {applied}"


class CheckoutWidget:
    """A hold, the time that is left of it, and two buttons: pay, cancel.

    >>> CheckoutWidget(session, hold_seat(session, ticket, "Ada")).show()

    ``outcome`` says how it ended ("paid", "cancelled", "expired"), or is None while it has not. Pay stays where the
    time is over: whether it is too late the row says, not this countdown.
    """

    def __init__(self, session: Session, hold: Hold):
        if not hold:
            raise LabError(f"There is nothing to check out: {hold}")
        self.session, self.hold = session, hold
        self.outcome: str | None = None
        self.over = False
        self.seconds = max(1, round((hold.held_until - hold.started_at).total_seconds()))
        colour = {"bar_color": STATUS_COLOURS["held"]}
        self.bar = ipywidgets.IntProgress(max=self.seconds, style=colour, layout={"width": "320px"})
        self.message, self.answer = ipywidgets.HTML(), ipywidgets.HTML()
        self.pay_button = ipywidgets.Button(description="Pay", button_style="success")
        self.cancel_button = ipywidgets.Button(description="Cancel", button_style="warning")
        self.pay_button.on_click(lambda _: _said(self._say, self.pay))
        self.cancel_button.on_click(lambda _: _said(self._say, self.cancel))
        buttons = ipywidgets.HBox([self.pay_button, self.cancel_button])
        self.view = ipywidgets.VBox([self.message, self.bar, buttons, self.answer])
        self.tick()

    def show(self) -> None:
        """Show the live countdown with its buttons, or where nobody watches its picture."""
        minutes = f"{self.seconds / 60:g} minutes"
        words = f"{self.hold.buyer}'s checkout of {self.hold.ticket.label}: {minutes} to pay."
        _show(self.view, self.figure, words, "Live: the countdown, with buttons to pay and to cancel")
        try:
            self._ticking = asyncio.get_running_loop().create_task(self._count_down())
        except RuntimeError:
            pass  # outside a notebook there is no loop; tick() still works

    def figure(self) -> Figure:
        """The countdown as a picture."""
        left = self.remaining()
        fig, ax = new_figure(5.5, 1.3)
        ax.barh([0], [self.seconds], color=STATUS_COLOURS["sold"], alpha=0.35)
        ax.barh([0], [left], color=STATUS_COLOURS["held"])
        ax.set_yticks([])
        ax.set_xticks([0, self.seconds], ["0:00", _clock_face(self.seconds)])
        # Rounded up to ten seconds: the picture is taken a moment after the hold began.
        rounded = _clock_face(min(-(-left // 10) * 10, self.seconds))
        ax.set_title(f"{self.hold.buyer} has {rounded} left to pay {self.hold.ticket.label}")
        return fig

    def remaining(self) -> int:
        """Whole seconds until the hold is over, by the server's clock."""
        return max(0, round((self.hold.held_until - server_now(self.session)).total_seconds()))

    def tick(self) -> None:
        """Bring the countdown up to date."""
        self._show_left(self.remaining())

    def _show_left(self, left: int) -> None:
        if self.outcome is not None or self.over:
            return
        self.bar.value = left
        self._say(f"{self.hold.buyer} holds {self.hold.ticket.label} for {_clock_face(left)}")
        if left == 0:
            self.over = True
            label = self.hold.ticket.label
            self._say(f"The time is over: {label} waits for whoever tidies up. Pay, and see what the row says.")

    def pay(self) -> None:
        """What the pay button does."""
        now = server_now(self.session)
        paid = bool(box_office.pay(self.session, self.hold))
        self._answer("pay_seat", (*self._key, self.hold.hold_id, now), paid)
        if paid:
            self._finish("paid", f"{self.hold.ticket.label} is {self.hold.buyer}'s.")
        else:
            self._too_late()

    def cancel(self) -> None:
        """What the cancel button does."""
        given_back = bool(box_office.cancel(self.session, self.hold))
        self._answer("release_seat", (*self._key, self.hold.hold_id), given_back)
        if given_back:
            self._finish("cancelled", f"{self.hold.ticket.label} is back on sale.")
        else:
            self._too_late()

    @property
    def _key(self) -> tuple[Any, Any]:
        return self.hold.ticket.event_id, self.hold.ticket.ticket_id

    def _answer(self, name: str, values: tuple[Any, ...], applied: bool) -> None:
        self.answer.value = f"<pre>{html.escape(as_sent(name, values, applied))}</pre>"

    def _too_late(self) -> None:
        self._finish("expired", f"Too late: {self.hold.ticket.label} is no longer held by this checkout.")

    async def _count_down(self) -> None:
        while self.outcome is None and not self.over:
            try:
                # In a thread: a server that does not answer would stop every cell of the notebook meanwhile.
                self._show_left(await asyncio.to_thread(self.remaining))
            except Exception as error:
                self._say(in_a_sentence(error))
            await asyncio.sleep(1)

    def _finish(self, outcome: str, words: str) -> None:
        self.outcome = outcome
        self.pay_button.disabled = self.cancel_button.disabled = True
        self._say(words)

    def _say(self, text: str) -> None:
        self.message.value = f"<div>{html.escape(text)}</div>"


class BuyersSlider:
    """A slider for the number of buyers, and a picture of what happens with so many.

    ``run`` is called with the number and returns a Figure, or a Figure and a sentence.

    >>> BuyersSlider(rush, value=50).show()
    """

    def __init__(
        self,
        run: Callable[[int], Figure | tuple[Figure, str]],
        *,
        value: int = 50,
        smallest: int = 1,
        largest: int = 200,
        alt: str = "What happens with this number of buyers.",
    ):
        self.run, self.alt = run, alt
        self.slider = ipywidgets.IntSlider(
            value=value, min=smallest, max=largest, description="buyers", continuous_update=False
        )
        self.button = ipywidgets.Button(description="Open the doors", button_style="primary")
        self.button.on_click(lambda _: _said(self._say, self.redraw))
        self.message, self.image = ipywidgets.HTML(), ipywidgets.HTML()
        self.view = ipywidgets.VBox([ipywidgets.HBox([self.slider, self.button]), self.message, self.image])

    def show(self) -> None:
        """Run once with the slider's value, and show the slider above its picture; where nobody watches, that alone."""
        figure, words = self._run()
        self._draw(figure, words)
        _show(self.view, lambda: figure, self.alt, "Live: a slider for the number of buyers")

    def redraw(self) -> None:
        """Run again with the slider's value and show the new picture below the slider."""
        self.button.disabled = True
        try:
            figure, words = self._run()
        finally:
            self.button.disabled = False
        self._draw(figure, words)

    def _draw(self, figure: Figure, words: str) -> None:
        self.image.value = in_html(figure, self.alt)
        self._say(words)

    def _run(self) -> tuple[Figure, str]:
        result = self.run(self.slider.value)
        return result if isinstance(result, tuple) else (result, "")

    def _say(self, text: str) -> None:
        self.message.value = f"<div>{html.escape(text)}</div>"


def _front_rows(tickets: list[Ticket]) -> list[Ticket]:
    rows = list(dict.fromkeys(ticket.row for ticket in tickets))
    chosen: list[Ticket] = []
    for row in rows:
        following = [ticket for ticket in tickets if ticket.row == row]
        if chosen and len(chosen) + len(following) > MOST_SEATS:
            break
        chosen += following
    return chosen


def _clock_face(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def _show(view: ipywidgets.Widget, draw: Callable[[], Figure], alt: str, words: str) -> None:
    """Show a control once, live; where nobody watches, its picture. Where there is no kernel for it, words stand in."""
    if somebody_watches():
        words = f"{words}\n{in_words(alt)}"
        display({**live_bundle(view), "text/html": in_html(draw(), alt), "text/plain": words}, raw=True)
    else:
        picture(draw(), alt)


def _said(say: Callable[[str], None], action: Callable[[], object]) -> None:
    """A button's handler has no cell whose output could show an error: its sentence goes where the control speaks."""
    try:
        action()
    except Exception as error:
        say(in_a_sentence(error))
