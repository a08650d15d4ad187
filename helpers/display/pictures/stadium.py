"""Pictures of Lantern Park: the sections around the stage, and the seats of one section."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from ...lab.errors import LabError
from ...shop.venue import Ticket
from .drawing import GREY, INK, PAPER, STATUS_COLOURS, new_figure

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Wedge


def seat_map(
    venue: pandas.DataFrame,
    values: Mapping[str, float] | None = None,
    *,
    title: str | None = None,
    label: str = "price",
) -> Figure:
    """The sections of ``venue`` around the stage, coloured by price, or by ``values``: section code → number.

    ``label`` says what the numbers are. A section without a value stays grey.

    >>> picture(seat_map(event.venue, {"L04": 12, "U07": 310}, label="seats left"), "…")
    """
    from matplotlib import colormaps
    from matplotlib.colors import Normalize

    unknown = sorted(set(values or {}) - set(venue["section"]))
    if unknown:
        raise LabError(f"There is no section {unknown[0]!r} in this venue.")
    numbers = [
        (float(row.price) if values is None else values.get(row.section)) for row in venue.itertuples(index=False)
    ]
    known = [number for number in numbers if number is not None]
    scale = Normalize(min(known, default=0), max(known, default=1))
    colours = colormaps["viridis"]
    fig, ax = new_figure(7.0, 6.4)
    for section, number in zip(venue.itertuples(index=False), numbers, strict=True):
        shade = GREY if number is None else colours(0.12 + 0.83 * float(scale(number)))
        ax.add_patch(_wedge(section, facecolor=shade, edgecolor=PAPER, linewidth=0.8))
        if section.type_id != "accessible":
            _write_in(ax, section, section.section, shade)
    _stage(ax)
    ax.set_title(title or f"Lantern Park, {int(venue['seats_count'].sum()):,} seats, coloured by {label}")
    if known:
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import LinearSegmentedColormap

        # The bar shows just the part of the colours that the map uses.
        part = LinearSegmentedColormap.from_list("part", [colours(0.12 + 0.83 * i / 63) for i in range(64)])
        bar = fig.colorbar(ScalarMappable(scale, part), ax=ax, shrink=0.6, pad=0.02, label=label)
        bar.ax.tick_params(colors=INK, labelsize=9)
    return fig


def section_map(
    tickets: list[Ticket], statuses: Mapping[object, str] | None = None, *, title: str | None = None
) -> Figure:
    """The seats of one section as rows of dots, coloured by status; ``statuses`` maps a ticket_id to its status.

    A ticket without a status counts as available.

    >>> picture(section_map(event.section("L04"), {ticket.ticket_id: "sold"}), "…")
    """
    from matplotlib.lines import Line2D

    if not tickets:
        raise LabError("There is no seat to draw: take the tickets of a section, event.section('L04').")
    rows = list(dict.fromkeys(ticket.row for ticket in tickets))
    widest = max(ticket.seat for ticket in tickets)
    fig, ax = new_figure(max(4.0, min(11.0, 0.24 * widest + 1.4)), max(2.2, 0.24 * len(rows) + 1.4))
    colours = [STATUS_COLOURS[(statuses or {}).get(ticket.ticket_id, "available")] for ticket in tickets]
    lengths = {row: sum(ticket.row == row for ticket in tickets) for row in rows}
    xs = [ticket.seat - lengths[ticket.row] / 2 for ticket in tickets]
    ys = [rows.index(ticket.row) for ticket in tickets]
    ax.scatter(xs, ys, c=colours, s=70 if widest < 45 else 28, marker="s")
    ax.set_yticks(range(len(rows)), rows)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.invert_yaxis()
    ax.set_title(title or f"Section {tickets[0].section}, row {rows[0]} nearest to the stage")
    dots = [Line2D([], [], marker="s", linestyle="", color=colour) for colour in STATUS_COLOURS.values()]
    ax.legend(dots, list(STATUS_COLOURS), loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=3, frameon=False)
    return fig


def price_levels(venue: pandas.DataFrame) -> dict[Decimal, int]:
    """How many seats there are at each price, the most expensive first."""
    sums = venue.groupby("price")["seats_count"].sum()
    return {price: int(sums[price]) for price in sorted(sums.index, reverse=True)}


class _Shape(Protocol):
    """A row of a venue, as far as a section's place around the stage is concerned; angles in degrees."""

    from_radius: float
    to_radius: float
    from_angle: float
    to_angle: float


def _wedge(section: _Shape, **style: Any) -> Wedge:
    from matplotlib.patches import Wedge

    inner, outer = section.from_radius, section.to_radius
    return Wedge((0, 0), outer, section.from_angle, section.to_angle, width=outer - inner, **style)


def _write_in(ax: Axes, section: _Shape, text: str, shade: object) -> None:
    import math

    angle = math.radians((section.from_angle + section.to_angle) / 2)
    radius = (section.from_radius + section.to_radius) / 2
    dark = isinstance(shade, tuple) and 0.3 * shade[0] + 0.59 * shade[1] + 0.11 * shade[2] < 0.5
    place = radius * math.cos(angle), radius * math.sin(angle)
    ax.text(*place, text, ha="center", va="center", fontsize=7, color=PAPER if dark else INK)


def _stage(ax: Axes, fontsize: float = 9) -> None:
    from matplotlib.patches import FancyBboxPatch

    stage = FancyBboxPatch((-0.21, 0.38), 0.42, 0.16, boxstyle="round,pad=0.02", facecolor=INK, edgecolor="none")
    ax.add_patch(stage)
    ax.text(0, 0.46, "STAGE", ha="center", va="center", color=PAPER, fontsize=fontsize)
    ax.set(xlim=(-1.03, 1.03), ylim=(-1.03, 0.86), aspect="equal")
    ax.axis("off")
