"""Pictures of a sale to a crowd: the seats over time, the pace of the box office, and the house as it fills."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from ...lab.errors import LabError
from ...lab.latency import Latencies
from ...shop.crowd import Answer, Sale
from ...shop.seating import SOLD, Seating
from .drawing import BLUE, GREEN, INK, PINK, RED, STATUS_COLOURS, log_scale, new_figure, plain_numbers
from .places import house_places

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BUCKETS = 40  # columns over the length of a sale
_COLOURS = {"hold": BLUE, "pay": PINK}


def sale_plot(sale: Sale, *, engine: str = "embedded node") -> Figure:
    """How many seats are sold, held and available, over the seconds of a sale, and when seats came back.

    >>> picture(sale_plot(sale), "Sold seats rise to the top; a band of held seats lies on them.")
    """
    _insist(sale)
    times, held, sold = [0.0], [0], [0]
    for at, more_held, more_sold in sale.changes():
        times.append(at)
        held.append(held[-1] + more_held)
        sold.append(sold[-1] + more_sold)
    times.append(max(sale.seconds, times[-1]))
    held.append(held[-1])
    sold.append(sold[-1])
    seats = sale.event.seats
    available = [seats - one - other for one, other in zip(held, sold, strict=True)]
    fig, ax = new_figure(8.0, 4.2)
    colours = [STATUS_COLOURS[status] for status in ("sold", "held", "available")]
    ax.stackplot(times, sold, held, available, colors=colours, labels=["sold", "held", "available"], step="post")
    ax.vlines([at for at, _ in sale.released], 0.965 * seats, seats, color=RED, lw=0.4, alpha=0.7)
    ax.plot([], [], color=RED, lw=1.5, label="an expired hold is freed")
    ax.set(xlim=(0, times[-1]), ylim=(0, seats), xlabel=f"seconds since the doors opened, {engine}", ylabel="seats")
    plain_numbers(ax.yaxis)
    ax.set_title(f"{seats:,} seats, {sale.fans:,} fans, {len(sale.released):,} seats sold again")
    fig.legend(loc="outside lower center", ncols=4, frameon=False)
    return fig


def pace_plot(sale: Sale, *, engine: str = "embedded node") -> Figure:
    """How long answers took over the sale, the median and the slowest in a hundred; and how many seats were sold.

    >>> picture(pace_plot(sale), "Left: two bands of latency over time. Right: seats sold a second.")
    """
    _insist(sale)
    width = sale.seconds / _BUCKETS
    fig, (left, right) = new_figure(9.0, 3.8, columns=2)
    for asked, colour in _COLOURS.items():
        buckets: dict[int, Latencies] = defaultdict(Latencies)
        for each in sale.answers:
            if each.asked == asked:
                buckets[int(each.at / width)].add(each.seconds)
        places = sorted(buckets)
        middles = [(place + 0.5) * width for place in places]
        low, high = [buckets[place].p50 for place in places], [buckets[place].p99 for place in places]
        left.fill_between(middles, low, high, color=colour, alpha=0.18, lw=0)
        left.plot(middles, low, color=colour, lw=2, label=f"{asked}, median")
        left.plot(middles, high, color=colour, lw=1, ls="--", label=f"{asked}, slowest in 100")
    left.set(title="How long a fan waits", ylabel="milliseconds", xlabel=f"seconds, {engine}")
    log_scale(left.yaxis)
    fig.legend(loc="outside lower center", ncols=4, frameon=False)
    sold = Counter[int]()
    for each in sale.answers:
        if each.asked == "pay" and each.applied:
            sold[int(each.at / width)] += len(each.tickets)
    steps = range(math.ceil(sale.seconds / width))
    right.bar([(step + 0.5) * width for step in steps], [sold[step] / width for step in steps], width, color=GREEN)
    mean = sale.event.seats / sale.seconds
    right.axhline(mean, color=INK, lw=1, ls=":")
    right.set_title(f"Seats sold a second, {mean:,.0f} on average")
    right.set(xlabel=f"seconds, {engine}")
    plain_numbers(right.yaxis)
    return fig


def filling_series(sale: Sale, parts: Sequence[float] = (0.1, 0.4, 0.7, 1.0)) -> Figure:
    """The house at some moments of a sale, ``parts`` of its length: a dot for each seat, coloured by its status.

    >>> picture(filling_series(sale), "Four maps: the seats near the stage are sold first.")
    """
    from matplotlib.lines import Line2D

    _insist(sale)
    places = house_places(sale.event.venue)
    across, down = [x for x, _ in places], [-y for _, y in places]
    colours = [STATUS_COLOURS[status] for status in ("available", "held", "sold")]
    fig, axes = new_figure(2.6 * len(parts), 3.1, columns=len(parts))
    dot = min(12.0, 2.2 * 50_000 / len(places))
    for ax, (moment, seating) in zip([axes] if len(parts) == 1 else axes, _moments(sale, parts), strict=True):
        shades = [colours[status] for status in seating.now]
        ax.scatter(across, down, c=shades, s=dot, marker="s", linewidths=0)
        ax.set_title(f"{moment:,.0f} s: {seating.counts[SOLD]:,} sold")
        ax.set(aspect="equal")
        ax.axis("off")
    dots = [Line2D([], [], marker="s", linestyle="", color=colour) for colour in colours]
    fig.legend(dots, ["available", "held", "sold"], loc="outside lower center", ncols=3, frameon=False)
    return fig


def _moments(sale: Sale, parts: Sequence[float]) -> Iterator[tuple[float, Seating]]:
    """The seats as they were at each of these moments, in order; the same Seating, gone on."""
    seating = Seating(sale.event)
    told: list[tuple[float, Answer | UUID]] = [(each.at, each) for each in sale.answers]
    told = sorted([*told, *sale.released], key=lambda each: each[0])
    left = iter([*told, (math.inf, None)])
    at, what = next(left)
    for part in sorted(parts):
        moment = part * sale.seconds
        while what is not None and (at <= moment or part >= 1):
            if isinstance(what, Answer):
                seating.answer(what)
            else:
                seating.freed(what)
            at, what = next(left)
        yield moment, seating


def _insist(sale: Sale) -> None:
    if not sale.answers:
        raise LabError("There is nothing to draw: nobody came to this sale.")
