"""Pictures of a checkout: who asked what and when, the states of a seat, and a rush of buyers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...lab.errors import LabError
from ...shop.buyers import Attempt
from ...shop.venue import Ticket
from .drawing import COLOURS, GREEN, GREY, INK, ORANGE, PAPER, RED, STATUS_COLOURS, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def sequence_diagram(lanes: Sequence[str], messages: Sequence[tuple[str, str, str]], *, title: str = "") -> Figure:
    """Who tells whom what, from the top down: ``messages`` are (from, to, words), and each name is one of ``lanes``.

    Each lane has its colour, and an arrow has that of the lane it comes from.

    >>> picture(sequence_diagram(["Ada", "row"], [("Ada", "row", "is it free?")]), "Ada asks the row.")
    """
    unknown = [name for source, target, _ in messages for name in (source, target) if name not in lanes]
    if unknown:
        raise LabError(f"There is no lane {unknown[0]!r}. There are: {', '.join(lanes)}.")
    fig, ax = new_figure(8.0, 0.9 + 0.42 * len(messages))
    bottom = -len(messages) - 0.5
    colours = dict(zip(lanes, COLOURS, strict=False))
    for x, name in enumerate(lanes):
        ax.plot([x, x], [-0.35, bottom], color=colours[name], lw=1.2, alpha=0.6, zorder=1)
        _label(ax, x, 0, name, colours[name])
    for line, (source, target, words) in enumerate(messages, start=1):
        x, end = lanes.index(source), lanes.index(target)
        ax.annotate("", (end, -line), (x, -line), arrowprops={"arrowstyle": "-|>", "color": colours[source], "lw": 1.6})
        ax.text((x + end) / 2, -line + 0.12, words, ha="center", va="bottom", fontsize=9, color=INK)
    ax.set(xlim=(-0.4, len(lanes) - 0.6), ylim=(bottom, 0.5))
    ax.axis("off")
    if title:
        ax.set_title(title)
    return fig


def seat_states() -> Figure:
    """The states of a seat and the statements of ``cql/checkout.cql`` that lead from one to the next."""
    fig, ax = new_figure(8.0, 3.2)
    places = {"available": 0.0, "held": 1.0, "sold": 2.0}
    steps = [
        ("available", "held", 0.0, "hold_seat\nIF available", (0.5, 0.05), "bottom"),
        ("held", "sold", 0.0, "pay_seat\nIF held by my hold, in time", (1.5, 0.05), "bottom"),
        ("held", "available", 0.6, "release_seat   IF held by my hold", (0.5, 0.64), "bottom"),
        ("held", "available", -0.6, "expire_seat   IF held by this hold, time over", (0.5, -0.64), "top"),
    ]
    for source, target, bend, words, at, side in steps:
        colour = RED if words.startswith("expire") else INK
        straight = bend == 0
        style = {"arrowstyle": "-|>", "color": colour, "lw": 1.5, "connectionstyle": f"arc3,rad={bend}"}
        gaps = {"shrinkA": 34 if straight else 18, "shrinkB": 44 if straight else 18}
        ax.annotate("", (places[target], 0), (places[source], 0), arrowprops=style | gaps)
        ax.text(*at, words, ha="center", va=side, fontsize=8.5, color=colour)
    for name, x in places.items():
        _label(ax, x, 0, name, STATUS_COLOURS[name])
    ax.set(xlim=(-0.3, 2.3), ylim=(-0.85, 0.85))
    ax.axis("off")
    ax.set_title("A seat's three states, and the four statements between them")
    return fig


def rush_plot(attempts: Sequence[Attempt], *, title: str, engine: str = "embedded node") -> Figure:
    """A line for each seat, a dot for each answer: grey for "too late", green for the first "it is yours".

    Every further "it is yours" for the same seat is red: the seat was promised once more.

    >>> picture(rush_plot(rush(session, event.tickets[-20:], 200), title="Conditional"), "One green dot a line.")
    """
    if not attempts:
        raise LabError("There is nothing to draw: a rush needs at least one attempt.")
    seats = sorted({each.ticket for each in attempts}, key=lambda each: (each.section, each.row, each.seat))
    heights = {ticket: height for height, ticket in enumerate(seats)}
    fig, ax = new_figure(8.0, 1.4 + 0.19 * len(seats))
    latest = max(each.ended for each in attempts)
    ax.hlines(range(len(seats)), 0, latest * 1000, color=GREY, lw=0.5, alpha=0.5)
    promised: set[Ticket] = set()
    kinds: dict[str, list[Attempt]] = {"too late": [], "it is yours": [], "it is yours, once more": []}
    for each in sorted(attempts, key=lambda each: each.ended):
        kind = "too late" if not each.got_it else "it is yours" + ", once more" * (each.ticket in promised)
        kinds[kind].append(each)
        if each.got_it:
            promised.add(each.ticket)
    for (kind, dots), colour, size in zip(kinds.items(), (GREY, GREEN, RED), (16, 70, 26), strict=True):
        ax.scatter(
            [each.ended * 1000 for each in dots],
            [heights[each.ticket] for each in dots],
            s=size,
            color=colour,
            edgecolor=PAPER,
            linewidth=0.6,
            zorder=3,
            label=f"{kind} ({len(dots):,})",
        )
    ax.set_yticks(range(len(seats)), [ticket.label for ticket in seats], fontsize=8)
    ax.invert_yaxis()
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(f"milliseconds since the rush began, {engine}")
    ax.set_title(title)
    fig.legend(loc="outside lower center", ncols=3, frameon=False)
    return fig


def _label(ax: Axes, x: float, y: float, words: str, colour: str) -> None:
    box = {"boxstyle": "round,pad=0.5", "facecolor": colour, "edgecolor": "none"}
    ink = INK if colour == ORANGE else PAPER
    ax.text(x, y, words, ha="center", va="center", fontsize=10, color=ink, weight="bold", bbox=box, zorder=3)
