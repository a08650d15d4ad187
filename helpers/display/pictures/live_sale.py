"""``sell_out``: a sale that draws itself while it runs, and leaves a series of pictures behind."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from ...lab.clock import latest_known_now
from ...lab.latency import Latencies
from ...shop.beside import MakeSweeper
from ...shop.box_office import HOLD_SECONDS
from ...shop.crowd import Answer, RunningSale, Sale, open_sale
from ...shop.seating import AVAILABLE, HELD, SOLD, Seating
from ..frontend import somebody_watches
from .drawing import in_html, in_words, picture
from .live_map import LiveMap, a_frame, hear_beside_a_cell, live_bundle
from .places import house_places, house_plan
from .sale import filling_series

if TYPE_CHECKING:
    from cassandra.cluster import Session

    from ...shop.event import Event

FRAME_SECONDS = 0.1  # at least, from one frame to the next
_RECENT_SECONDS = 2.0  # what "a second" and the percentiles are taken from
_LINES = 8
_A_FRAME = 3  # answers that reach the ticker with one frame: more could not be read
_ALT = (
    "Four maps of the house, a dot for each seat. Seats are available at first, more and more are held or sold, and "
    "at the end they are sold."
)


def sell_out(
    session: Session,
    event: Event,
    *,
    sweeper: MakeSweeper | None = None,
    hold_seconds: int = HOLD_SECONDS,
    **options: Any,
) -> Sale:
    """``open_sale``, drawn while it runs for whoever watches, and as a series of pictures when it is over.

    ``sweeper`` makes a consumer of the queue's log from a session; without one the course's own sweeper tidies up.
    An interrupt ends the sale: what has happened until then is drawn, and the seats that are held stay held.

    >>> sale = sell_out(session, event, sweeper=MySweeper)
    """
    options = {"sweeper": sweeper, "hold_seconds": hold_seconds, **options}
    if not somebody_watches():
        sale = open_sale(session, event, **options)
        picture(filling_series(sale), _ALT)
        _tell_trouble(sale)
        return sale
    from IPython.display import display

    shown = display({"text/plain": "The sale begins."}, raw=True, display_id=True)
    drawn: list[LiveSale] = []

    def audience(run: RunningSale) -> LiveSale:
        drawn.append(LiveSale(run))
        shown.update(drawn[0].bundle(), raw=True)
        return drawn[0]

    try:
        sale = open_sale(session, event, audience=audience, **options)
    finally:
        # What stays in the notebook is a picture: it needs no kernel, tomorrow or on the web.
        if drawn and drawn[0].run.sale.answers:
            figure = filling_series(drawn[0].run.sale)
            shown.update({"text/html": in_html(figure, _ALT), "text/plain": in_words(_ALT)}, raw=True)
    _tell_trouble(sale)
    return sale


def _tell_trouble(sale: Sale) -> None:
    if sale.trouble:
        print(f"Your sweeper has stopped: {sale.trouble}")


class LiveSale:
    """Draws a running sale for as long as its block lasts, and does what its buttons say."""

    def __init__(self, run: RunningSale):
        event = run.sale.event
        self.run = run
        self.seating = Seating(event)
        self.map = LiveMap(house_plan(event.venue, event.tickets), house_places(event.venue), lambda: self.seating.now)
        self.map.on_msg(lambda widget, message, buffers: self.press(message.get("do")))
        self._answers = self._freed = 0
        self._recent: deque[Answer] = deque()
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._over = threading.Event()
        self._painter = threading.Thread(target=self._paint, daemon=True)

    def __enter__(self) -> LiveSale:
        self._painter.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._painter.join()
        self.map.frame = self.frame(says="The sale is over." if error[0] is None else "The sale was interrupted.")
        self.map.send_state("seats")

    def bundle(self) -> dict[str, Any]:
        """The live map as a notebook shows it."""
        return {**live_bundle(self.map), "text/plain": "Live: the sale, seat by seat"}

    def press(self, button: str | None) -> None:
        """Do what a button says, at once."""
        doors, sweepers = self.run.doors, self.run.sweepers
        if self._over.is_set():
            return
        if button == "pause":
            doors.shut_or_open()
        elif button == "slower":
            doors.slow = not doors.slow
        elif button == "more":
            sweepers.one_more()
        elif button == "dead":
            sweepers.kill_one()

    def frame(self, says: str | None = None) -> dict[str, Any]:
        """What is new since the last frame."""
        self._listen()
        now = self.run.doors.open_for()
        late, behind = self.seating.waiting(latest_known_now(), time.monotonic())
        left, held, sold = (self.seating.counts[status] for status in (AVAILABLE, HELD, SOLD))
        while self._recent and self._recent[0].at < now - _RECENT_SECONDS:
            self._recent.popleft()
        recent = list(self._recent)
        took = Latencies()
        took.samples = [1000 * each.seconds for each in recent]
        seconds = max(0.5, min(now, _RECENT_SECONDS))
        bought = sum(len(each.tickets) for each in recent if each.asked == "pay" and each.applied)
        numbers = [
            ("seconds", f"{now:.1f}"),
            ("seats left", f"{left:,}"),
            ("on hold", f"{held:,}"),
            ("sold", f"{sold:,}"),
            ("sold a second", f"{bought / seconds:,.0f}"),
            ("p50", f"{took.p50:.0f} ms" if recent else "–"),
            ("p99", f"{took.p99:.0f} ms" if recent else "–"),
            ("sweepers", f"{self.run.sweepers.alive}"),
            ("past their end", f"{late:,}"),
            ("sweeper's lag", f"{behind:.1f} s"),
        ]
        return a_frame(self.seating.changes(), numbers, self._buttons(), list(self._lines), says or self._says())

    def _listen(self) -> None:
        """Take in what fans and sweepers were told since the last time."""
        answers, released = self.run.sale.answers, self.run.sale.released
        new, freed = answers[self._answers :], released[self._freed :]
        self._answers += len(new)
        self._freed += len(freed)
        for answer in new:
            self.seating.answer(answer)
        self._recent.extend(new)
        for _, ticket_id in freed:
            self.seating.freed(ticket_id)
        refused = [answer for answer in new if not answer.applied]
        self._lines.extend(map(line_of, (refused + new)[:_A_FRAME]))
        if freed:
            at, ticket_id = freed[-1]
            label = self.run.sale.event.by_id[ticket_id].label
            self._lines.append(f"{at:7.2f} s  sweeper     expire  {label:30}  [applied] True")

    def _buttons(self) -> list[tuple[str, str, bool]]:
        doors, going_on = self.run.doors, not self._over.is_set()
        return [
            ("pause", "Go on" if doors.shut else "Pause", going_on),
            ("slower", "Faster" if doors.slow else "Slower", going_on),
            ("more", "One more sweeper", going_on),
            ("dead", "A dead sweeper", going_on and self.run.sweepers.alive > 0),
        ]

    def _says(self) -> str:
        if self.run.doors.shut:
            return "Nobody is let in. The server's time goes on, and so do the sweepers."
        if not self.run.sweepers.alive:
            return "No sweeper is at work: what people leave behind stays held."
        return ""

    def _paint(self) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            try:
                self.map.frame = self.frame()
                hear_beside_a_cell(self.map)
            except Exception as error:  # the sale goes on, whatever keeps it from being drawn
                self.map.frame = a_frame(says=f"This picture has stopped: {type(error).__name__}.")
                return
            # On a busy machine a frame may take long: then fewer are drawn, and the sale has the processor.
            self._over.wait(max(FRAME_SECONDS, 4 * (time.monotonic() - began)))


def line_of(answer: Answer) -> str:
    """An answer as the ticker has it: when, who, what, which seats, and whether it was applied."""
    first, *others = answer.tickets
    seats = ", ".join([first.label, *(f"{ticket.row}-{ticket.seat}" for ticket in others)])
    return f"{answer.at:7.2f} s  {answer.fan:10}  {answer.asked:6}  {seats:30}  [applied] {answer.applied}"
