"""Pictures of a sale to a crowd: the seats over time, the pace of the box office, and the house as it fills."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...lab.errors import LabError
from ...lab.latency import Latencies
from ...shop.crowd import Sale
from .drawing import BLUE, GREEN, INK, PINK, RED, STATUS_COLOURS, new_figure
from .stadium import share_map

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
    ax.plot([], [], color=RED, lw=1.5, label="a lapsed hold is freed")
    ax.set(xlim=(0, times[-1]), ylim=(0, seats), xlabel=f"seconds since the doors opened, {engine}", ylabel="seats")
    ax.yaxis.set_major_formatter("{x:,.0f}")
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
    left.set(yscale="log", title="How long a fan waits", ylabel="milliseconds", xlabel=f"seconds, {engine}")
    left.yaxis.set_major_formatter("{x:,.0f}")
    left.yaxis.set_minor_formatter("")
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
    right.yaxis.set_major_formatter("{x:,.0f}")
    return fig


def filling_maps(sale: Sale, parts: Sequence[float] = (0.2, 0.5, 1.0)) -> Figure:
    """The house at some moments of a sale, ``parts`` of its length: each section's colour says how much is sold.

    >>> picture(filling_maps(sale), "Three maps: the dear sections fill first.")
    """
    _insist(sale)
    moments = {f"after {part:.0%} of the time": sale.sold_at(part * sale.seconds) for part in parts}
    return share_map(sale.event.venue, moments, label="% of the seats sold")


def _insist(sale: Sale) -> None:
    if not sale.answers:
        raise LabError("There is nothing to draw: nobody came to this sale.")
