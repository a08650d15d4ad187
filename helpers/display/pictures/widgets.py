"""Controls for a hand: a seat map to click on, a checkout with its countdown, a slider for the number of buyers.

Each first shows a static picture, drawn by the same function that redraws it later, so that nothing is blank where no
kernel runs: on the web, or in a headless execution. Then comes the live control.
"""

from __future__ import annotations

import asyncio
import base64
import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets
from IPython.display import display

from ...lab.clock import server_now
from ...lab.errors import LabError
from ...shop import box_office
from ...shop.box_office import Hold
from ...shop.event import Event
from ...shop.venue import Ticket
from ..refusals import in_a_sentence
from .drawing import STATUS_COLOURS, new_figure, picture, png
from .stadium import section_map

if TYPE_CHECKING:
    from cassandra.cluster import Session
    from matplotlib.figure import Figure

MOST_BUTTONS = 240
_BUTTON_WIDTH = "26px"
# ScyllaDB refuses a longer list of clustering keys (max_clustering_key_restrictions_per_query).
_MOST_IN = 100


class SeatMapWidget:
    """The seats of a section as buttons: a click on a free one holds it for ``buyer``, on one's own gives it back.

    >>> SeatMapWidget(session, event, "L04", buyer="Ada").show()

    ``holds`` has this buyer's holds by ticket id; ``click(label)`` does what a click does.
    """

    def __init__(self, session: Session, event: Event, section: str, *, buyer: str = "Ada", seconds: int = 900):
        self.session, self.event, self.buyer, self.seconds = session, event, buyer, seconds
        # A whole section can have a thousand seats; the front rows are enough for a hand.
        self.tickets = _front_rows(event.section(section))
        self.holds: dict[Any, Hold] = {}
        self.message = ipywidgets.HTML()
        self.buttons = {ticket.label: self._button(ticket) for ticket in self.tickets}
        rows: dict[str, list[Any]] = {}
        for ticket in self.tickets:
            rows.setdefault(ticket.row, []).append(self.buttons[ticket.label])
        grid = [
            ipywidgets.HBox([ipywidgets.Label(row, layout={"width": "32px"}), *buttons])
            for row, buttons in rows.items()
        ]
        self.view = ipywidgets.VBox([*grid, self.message])
        self.refresh()

    def show(self) -> None:
        """Show the picture, then the buttons."""
        section = self.tickets[0].section
        picture(self.figure(), f"{len(self.tickets)} seats of section {section}, each coloured by its status.")
        _show_live(self.view, f"Live: the seats of {section}, to click on")

    def figure(self) -> Figure:
        """The same seats as a picture."""
        return section_map(self.tickets, self._statuses())

    def click(self, label: str) -> None:
        """Hold a free seat, or give back one's own; the line below the seats says what the database answered."""
        ticket = next((each for each in self.tickets if each.label == label), None)
        if ticket is None:
            raise LabError(f"There is no seat {label!r} on this map.")
        mine = self.holds.get(ticket.ticket_id)
        if mine is None:
            hold = box_office.hold_seat(self.session, ticket, self.buyer, seconds=self.seconds)
            if hold:
                self.holds[ticket.ticket_id] = hold
            self._say(str(hold))
        else:
            given_back = box_office.cancel(self.session, mine)
            del self.holds[ticket.ticket_id]
            self._say(
                f"{self.buyer} gave {label} back."
                if given_back
                else f"{label} was no longer {self.buyer}'s to give back."
            )
        self.refresh()

    def refresh(self) -> None:
        """Read the seats again and colour the buttons."""
        statuses = self._statuses()
        for ticket in self.tickets:
            status = statuses.get(ticket.ticket_id, "available")
            button = self.buttons[ticket.label]
            button.style.button_color = STATUS_COLOURS[status]
            mine = ticket.ticket_id in self.holds
            button.disabled = status == "sold" or (status == "held" and not mine)
            button.tooltip = f"{ticket.label}, {ticket.price}, {'yours' if mine else status}"

    def _button(self, ticket: Ticket) -> ipywidgets.Button:
        button = ipywidgets.Button(
            description=str(ticket.seat),
            layout={"width": _BUTTON_WIDTH, "height": "24px", "padding": "0"},
            style={"text_color": "black"},  # on these colours it reads best, in a dark JupyterLab too
        )
        button.on_click(lambda _: _said(self._say, lambda: self.click(ticket.label)))
        return button

    def _statuses(self) -> dict[Any, str]:
        ids = [ticket.ticket_id for ticket in self.tickets]
        statuses: dict[Any, str] = {}
        for part in (ids[i : i + _MOST_IN] for i in range(0, len(ids), _MOST_IN)):
            marks = ", ".join(["%s"] * len(part))
            query = f"SELECT ticket_id, status FROM tickets WHERE event_id = %s AND ticket_id IN ({marks})"
            statuses |= {row.ticket_id: row.status for row in self.session.execute(query, (self.event.id, *part))}
        return statuses

    def _say(self, text: str) -> None:
        self.message.value = f"<div>{html.escape(text)}</div>"


class CheckoutWidget:
    """A hold, the time that is left of it, and two buttons: pay, cancel.

    >>> CheckoutWidget(session, hold_seat(session, ticket, "Ada")).show()

    ``outcome`` says how it ended ("paid", "cancelled", "expired"), or is None while it has not.
    """

    def __init__(self, session: Session, hold: Hold):
        if not hold:
            raise LabError(f"There is nothing to check out: {hold}")
        self.session, self.hold = session, hold
        self.outcome: str | None = None
        self.seconds = max(1, round((hold.held_until - hold.started_at).total_seconds()))
        colour = {"bar_color": STATUS_COLOURS["held"]}
        self.bar = ipywidgets.IntProgress(max=self.seconds, style=colour, layout={"width": "320px"})
        self.message = ipywidgets.HTML()
        self.pay_button = ipywidgets.Button(description="Pay", button_style="success")
        self.cancel_button = ipywidgets.Button(description="Cancel", button_style="warning")
        self.pay_button.on_click(lambda _: _said(self._say, self.pay))
        self.cancel_button.on_click(lambda _: _said(self._say, self.cancel))
        buttons = ipywidgets.HBox([self.pay_button, self.cancel_button])
        self.view = ipywidgets.VBox([self.message, self.bar, buttons])
        self.tick()

    def show(self) -> None:
        """Show the picture, then the live countdown with its buttons."""
        minutes = f"{self.seconds / 60:g} minutes"
        picture(self.figure(), f"{self.hold.buyer}'s checkout of {self.hold.ticket.label}: {minutes} to pay.")
        _show_live(self.view, "Live: the countdown, with buttons to pay and to cancel")
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
        if self.outcome is not None:
            return
        self.bar.value = left
        self._say(f"{self.hold.buyer} holds {self.hold.ticket.label} for {_clock_face(left)}")
        if left == 0:
            self._finish("expired", f"The time is over: {self.hold.ticket.label} waits for whoever tidies up.")

    def pay(self) -> None:
        """What the pay button does."""
        if box_office.pay(self.session, self.hold):
            self._finish("paid", f"{self.hold.ticket.label} is {self.hold.buyer}'s.")
        else:
            self._too_late()

    def cancel(self) -> None:
        """What the cancel button does."""
        if box_office.cancel(self.session, self.hold):
            self._finish("cancelled", f"{self.hold.ticket.label} is back on sale.")
        else:
            self._too_late()

    def _too_late(self) -> None:
        self._finish("expired", f"Too late: {self.hold.ticket.label} is no longer held by this checkout.")

    async def _count_down(self) -> None:
        while self.outcome is None:
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
        """Run once with the slider's value, show the picture, then the slider."""
        figure, words = self._run()
        if words:
            self._say(words)
        picture(figure, self.alt)
        _show_live(self.view, "Live: a slider for the number of buyers")

    def redraw(self) -> None:
        """Run again with the slider's value and show the new picture below the slider."""
        self.button.disabled = True
        try:
            figure, words = self._run()
        finally:
            self.button.disabled = False
        data = base64.b64encode(png(figure)).decode()
        width = round(figure.get_figwidth() * 96)  # as wide as the first picture above
        self.image.value = f'<img alt="{html.escape(self.alt)}" width="{width}" src="data:image/png;base64,{data}">'
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
        if chosen and len(chosen) + len(following) > MOST_BUTTONS:
            break
        chosen += following
    return chosen


def _clock_face(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def _show_live(view: ipywidgets.Widget, words: str) -> None:
    """Show a control; where there is no kernel for it, short words stand in its place."""
    display({**view._repr_mimebundle_(), "text/plain": words}, raw=True)


def _said(say: Callable[[str], None], action: Callable[[], object]) -> None:
    """A button's handler has no cell whose output could show an error: its sentence goes where the control speaks."""
    try:
        action()
    except Exception as error:
        say(in_a_sentence(error))
