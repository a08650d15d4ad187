"""What all pictures of the course have in common: colours, their own background, and words for those who cannot see."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which people who see fewer colours can tell apart too; in the middle of light and dark.
BLUE, ORANGE, GREEN, PINK, SKY, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8A8F98"
COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, RED, GREY)
STATUS_COLOURS = {"available": GREEN, "held": ORANGE, "sold": GREY}

# A picture brings its paper along, so that it reads the same in a light and in a dark JupyterLab.
PAPER, INK = "#FBFAF7", "#2B2F36"
_DPI = 110


def new_figure(width: float = 7.5, height: float = 4.0, *, columns: int = 1) -> tuple[Figure, Any]:
    """A Figure (inches) on the course's paper, and its Axes, or an array of ``columns`` of them."""
    from matplotlib.figure import Figure

    # A Figure of its own, not pyplot's: nothing to close, and no backend shows it a second time.
    fig = Figure(figsize=(width, height), dpi=_DPI, layout="constrained", facecolor=PAPER)
    axes = fig.subplots(1, columns)
    for ax in [axes] if columns == 1 else axes:
        _dress(ax)
    return fig, axes


def png(fig: Figure) -> bytes:
    """The picture as PNG. The same figure gives the same bytes."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", facecolor=fig.get_facecolor(), metadata={"Software": None})
    return buffer.getvalue()


def picture(fig: Figure, alt: str) -> None:
    """Show a figure in a notebook together with ``alt``, one or two sentences that say what it shows.

    The words go into the image's ``alt`` and stand in for it where there are only words, so keep figures that change
    from run to run out of them.

    >>> picture(seat_map(event.venue), "Seat map of Lantern Park: the nearer to the stage, the dearer.")
    """
    words = f"Picture: {alt}"
    if "IPython" in sys.modules:
        from IPython import get_ipython
        from IPython.display import display

        if get_ipython() is not None:
            data = {"image/png": png(fig), "text/plain": words}
            display(data, metadata={"image/png": {"alt": alt, "width": int(fig.get_figwidth() * 96)}}, raw=True)
            return
    print(words)


def bars(
    values: dict[str, float], *, title: str, unit: str, engine: str = "embedded node", log: bool = False
) -> Figure:
    """A Figure of horizontal bars with their figures written on them, the first at the top.

    >>> picture(bars({r.strategy: r.rows_per_second for r in results}, title="Fan-out", unit="rows/s"), "Three bars …")
    """
    fig, ax = new_figure(7.5, 0.9 + 0.55 * len(values))
    drawn = ax.barh(list(values), list(values.values()), color=[COLOURS[i % len(COLOURS)] for i in range(len(values))])
    figures = [f" {value:,.0f}" if value >= 10 else f" {value:.1f}" for value in values.values()]
    ax.bar_label(drawn, labels=figures, color=INK)
    ax.invert_yaxis()
    if log:
        ax.set_xscale("log")
    # Room for the figure that stands behind the longest bar.
    ax.set_xlim(right=max(values.values()) * (3 if log else 1.15))
    ax.xaxis.set_major_formatter("{x:,.0f}" if max(values.values()) >= 10 else "{x:,.1f}")
    ax.set_xlabel(unit)
    ax.set_title(f"{title}, {engine}")
    return fig


def _dress(ax: Axes) -> None:
    ax.set_facecolor(PAPER)
    ax.tick_params(colors=INK, labelsize=9)
    for text in (ax.title, ax.xaxis.label, ax.yaxis.label):
        text.set_color(INK)
        text.set_fontsize(10)
    for name, spine in ax.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(GREY)
