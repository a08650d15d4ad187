"""A map of seats that is redrawn while it is looked at: the widget behind ``SeatMapWidget`` and ``sell_out``."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

_HERE = Path(__file__).parent
MINE = 3  # after AVAILABLE, HELD and SOLD: held by the person who looks
_STEPS = 65_535  # a place is two numbers of 16 bits


class LiveMap(anywidget.AnyWidget):
    """What a browser draws; ``seat_map.js`` says what each part is. ``frame`` carries what is new, and no more.

    ``current`` gives the status of every seat now: whoever opens the notebook again is told it whole.
    """

    _esm = _HERE / "seat_map.js"
    _css = _HERE / "seat_map.css"
    plan = traitlets.Dict().tag(sync=True)
    places = traitlets.Bytes().tag(sync=True)
    seats = traitlets.Bytes().tag(sync=True, to_json=lambda value, widget: bytes(widget.current()))
    frame = traitlets.Dict().tag(sync=True)

    def __init__(
        self, plan: dict[str, Any], places: Sequence[tuple[float, float]], current: Callable[[], bytes | bytearray]
    ):
        self.current = current
        super().__init__(plan=plan, places=packed(places), seats=bytes(current()), frame=a_frame())


def a_frame(
    changes: bytes = b"",
    numbers: Sequence[tuple[str, str]] = (),
    buttons: Sequence[tuple[str, str, bool]] = (),
    lines: Sequence[str] = (),
    says: str = "",
) -> dict[str, Any]:
    """What a browser is told at once: ``changes`` as ``Seating.changes`` gives them, numbers with their names, buttons
    (name, words, whether it can be pressed), lines of text, and a sentence."""
    return {
        "changes": changes,
        "numbers": [list(each) for each in numbers],
        "buttons": [list(each) for each in buttons],
        "lines": list(lines),
        "says": says,
    }


def packed(places: Sequence[tuple[float, float]]) -> bytes:
    """Places as a browser gets them; each is a pair of numbers from 0 to 1, from the left and from the top."""
    return struct.pack(f"<{2 * len(places)}H", *(round(_STEPS * number) for place in places for number in place))


def changes_between(before: bytes | bytearray, now: bytes | bytearray) -> bytes:
    """What differs, as ``Seating.changes`` gives it."""
    new = [place for place, status in enumerate(now) if status != before[place]]
    return struct.pack(f"<{len(new)}I", *(place << 2 | now[place] for place in new))


def hear_beside_a_cell(widget: Any) -> None:
    """Let a running cell not keep a widget's messages waiting; to be called after each that is sent to the browser.

    JupyterLab has a thread of the kernel for them. But ipykernel sends the answer to a message where the message came
    from, which is the cell, unless it has forgotten. Other kernels and frontends take no notice.
    """
    vars(widget.comm).pop("_reply_subshell_id", None)


def live_bundle(widget: Any) -> dict[str, Any]:
    """What a notebook shows a widget by."""
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {"application/vnd.jupyter.widget-view+json": view}
