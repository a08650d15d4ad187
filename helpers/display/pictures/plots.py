"""Plots that several lessons draw: lines, columns, sizes and loads of partitions, latencies, who says what when."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...lab.errors import LabError
from ...lab.latency import Latencies
from .drawing import (
    BLUE,
    COLOURS,
    GREEN,
    GREY,
    INK,
    ORANGE,
    RED,
    STATUS_COLOURS,
    log_scale,
    new_figure,
    plain_numbers,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STACK = (RED, GREEN, BLUE, ORANGE)


def lines(
    xs: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    log: bool = False,
) -> Figure:
    """A Figure of one line for each of ``series``, a name and its values at ``xs``; ``log`` for both axes.

    >>> picture(lines([1, 10], {"microseconds a row": [370, 120]}, title="…", xlabel="rows", ylabel="µs"), "One line …")
    """
    fig, ax = new_figure(7.5, 3.6)
    for (name, ys), colour in zip(series.items(), COLOURS, strict=False):
        ax.plot(xs, ys, "o-", color=colour, linewidth=2, label=name)
    if not log:
        ax.set_ylim(bottom=0)
    for axis in (ax.xaxis, ax.yaxis):
        (log_scale if log else plain_numbers)(axis)
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    if len(series) > 1:
        ax.legend(frameon=False)
    return fig


def stacked_columns(
    labels: Sequence[str], parts: Mapping[str, Sequence[float]], *, title: str, xlabel: str, ylabel: str
) -> Figure:
    """A Figure of one column for each label, made of ``parts`` from the bottom up: a name and its values."""
    fig, ax = new_figure(7.5, 3.6)
    below = [0.0] * len(labels)
    for (name, heights), colour in zip(parts.items(), _STACK, strict=False):
        ax.bar(labels, heights, bottom=below, color=colour, label=name)
        below = [low + height for low, height in zip(below, heights, strict=True)]
    plain_numbers(ax.yaxis)
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    ax.legend(frameon=False)
    return fig


def partition_sizes(designs: Mapping[str, Mapping[str, int]]) -> Figure:
    """A Figure with a panel for each design, all at one scale: a column for each partition, as high as it has rows.

    ``designs`` maps what the partition key is to its partitions, a name and the number of rows. Names are written where
    there is room for them.
    """
    fig, axes = new_figure(3.75 * len(designs), 3.2, columns=len(designs))
    highest = max(rows for partitions in designs.values() for rows in partitions.values())
    panels = [axes] if len(designs) == 1 else axes
    for ax, (key, partitions), colour in zip(panels, designs.items(), (RED, BLUE, GREEN), strict=False):
        ax.bar(list(partitions), list(partitions.values()), color=colour)
        ax.set(title=f"key: {key}", ylim=(0, 1.1 * highest))
        if len(partitions) > 6:
            ax.set(xticks=[], xlabel=f"{len(partitions)} partitions")
    panels[0].set_ylabel("rows in a partition")
    return fig


def status_bands(seen: Mapping[str, Sequence[tuple[float, str | None]]], *, title: str) -> Figure:
    """A Figure of one band over time for each observer: its moments in milliseconds and the status seen then.

    A status holds until the observer's next moment; the last moment only ends the band. None is drawn in grey, as sold.
    """
    fig, ax = new_figure(7.5, 0.7 + 0.6 * len(seen))
    for who, moments in seen.items():
        for (start, status), (end, _) in itertools.pairwise(moments):
            colour = STATUS_COLOURS.get(status or "", GREY)
            ax.barh(who, end - start, left=start, color=colour, height=0.7)
    ax.axvline(0, color=INK, linewidth=1)
    ax.invert_yaxis()
    ax.set(title=title, xlabel="milliseconds")
    return fig


def plot_latencies(samples: Mapping[str, Latencies] | list[Latencies], *, engine: str = "embedded node") -> Figure:
    """The share of requests that were answered within each time, for several collections, with the engine's name.

    A steep curve is a steady server.

    >>> picture(plot_latencies([plain, conditional]), "Two curves: …")
    """
    collections = list(samples.values()) if isinstance(samples, Mapping) else list(samples)
    fig, ax = new_figure(7.5, 3.6)
    for colour, each in zip(COLOURS, collections, strict=False):
        ordered = sorted(each.samples)
        shares = [100 * (i + 1) / len(ordered) for i in range(len(ordered))]
        label = f"{each.name} (p50 {each.p50:.2f}, p99 {each.p99:.2f} ms)"
        ax.step(ordered, shares, where="post", label=label, color=colour, linewidth=2)
    log_scale(ax.xaxis)
    ax.set_xlabel("milliseconds until the answer (the scale is logarithmic)")
    ax.set_ylabel("% of requests")
    ax.set_title(f"How long requests take, {engine}")
    ax.grid(True, alpha=0.35)
    # Below the axes: a curve may be anywhere within them.
    fig.legend(loc="outside lower center", frameon=False)
    return fig


def grouped_bars(groups: Mapping[str, Mapping[str, float]], *, title: str, unit: str) -> Figure:
    """A Figure of horizontal bars in groups, on a logarithmic scale, each with its figure written on it.

    ``groups`` maps a group's name to its bars, a name and a value; each group has the same names, and the first stands
    at the top.

    >>> picture(grouped_bars({"a view": {"alone": 4, "among 64": 90}}, title="…", unit="ms"), "Two bars …")
    """
    names = list(next(iter(groups.values())))
    fig, ax = new_figure(7.5, 1.2 + 0.3 * (len(names) + 0.6) * len(groups))
    height = 0.8 / len(names)
    for i, (name, colour) in enumerate(zip(names, COLOURS, strict=False)):
        places = [group + (i - (len(names) - 1) / 2) * height for group in range(len(groups))]
        values = [bars[name] for bars in groups.values()]
        drawn = ax.barh(places, values, height=height, color=colour, label=name)
        figures = [f" {value:,.0f}" if value >= 10 else f" {value:.1f}" for value in values]
        ax.bar_label(drawn, labels=figures, color=INK)
    ax.set_yticks(range(len(groups)), list(groups))
    ax.invert_yaxis()
    highest = max(value for bars in groups.values() for value in bars.values())
    ax.set(title=title, xlabel=unit, xlim=(None, 3 * highest))
    log_scale(ax.xaxis)
    fig.legend(loc="outside lower center", frameon=False, ncols=len(names))
    return fig


_HUES = (RED, BLUE, GREEN)
# How far from the middle of their band dots are drawn, so that equal ones do not hide one another.
_SPREAD = 0.28


def partition_load(
    designs: Mapping[str, Sequence[int]], *, title: str, xlabel: str, limit: tuple[float, str] | None = None
) -> Figure:
    """A Figure with a band for each design and in it a dot for each partition, on one logarithmic scale.

    ``designs`` maps what the primary key is to what each of its partitions carries: numbers from 1 up. ``limit`` is a
    value and what is said about it: a line across all bands.

    >>> picture(partition_load({"event_id": [50_000]}, title="…", xlabel="rows in a partition"), "One dot …")
    """
    if not designs or not all(designs.values()):
        raise LabError("There is no partition to draw: give each design the load of its partitions.")
    if min(min(loads) for loads in designs.values()) < 1:
        raise LabError("A partition that carries nothing is not drawn: leave it out.")
    fig, ax = new_figure(7.5, 1.0 + 0.9 * len(designs))
    for band, (loads, colour) in enumerate(zip(designs.values(), _HUES, strict=False)):
        heights = [band + _SPREAD * _offset(i) for i in range(len(loads))]
        ax.plot(sorted(loads), heights, "o", color=colour, markersize=6, alpha=0.75)
    numbers = [f"{len(loads)} partition{'s' * (len(loads) != 1)}" for loads in designs.values()]
    labels = [f"{key}\n{number}" for key, number in zip(designs, numbers, strict=True)]
    ax.set_yticks(range(len(designs)), labels)
    ax.set(title=title, xlabel=xlabel, ylim=(len(designs) - 0.5, -0.5))
    most = max(max(loads) for loads in designs.values())
    ax.set_xlim(1, 2.5 * max(most, limit[0] if limit else 1))
    log_scale(ax.xaxis)
    ax.grid(True, axis="x", alpha=0.35)
    if limit is not None:
        value, words = limit
        ax.axvline(value, color=GREY, linewidth=2, linestyle="--")
        ax.text(value, len(designs) - 0.55, f"{words}  ", ha="right", va="bottom", color=INK, fontsize=9)
    return fig


def _offset(i: int) -> float:
    """Between -1 and 1, the same in every run, and far from the one before."""
    return 2 * (i * 0.618 % 1) - 1 if i else 0.0
