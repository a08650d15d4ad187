"""Pictures of two designs side by side: what each partition has to carry, in rows or in waiting requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...lab.errors import LabError
from .drawing import BLUE, GREEN, GREY, INK, RED, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
    ax.set(title=title, xlabel=xlabel, xscale="log", ylim=(len(designs) - 0.5, -0.5))
    most = max(max(loads) for loads in designs.values())
    ax.set_xlim(1, 2.5 * max(most, limit[0] if limit else 1))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.grid(True, axis="x", alpha=0.35)
    if limit is not None:
        value, words = limit
        ax.axvline(value, color=GREY, linewidth=2, linestyle="--")
        ax.text(value, len(designs) - 0.55, f"{words}  ", ha="right", va="bottom", color=INK, fontsize=9)
    return fig


def _offset(i: int) -> float:
    """Between -1 and 1, the same in every run, and far from the one before."""
    return 2 * (i * 0.618 % 1) - 1 if i else 0.0
