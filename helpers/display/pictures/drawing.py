"""What all pictures of the course have in common: colours, their own background, and words for those who cannot see."""

from __future__ import annotations

import base64
import html
import io
import sys
from typing import TYPE_CHECKING, Any

from ..showing import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
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

    >>> picture(seat_map(event.venue), "Seat map of Lantern Park: the nearer to the stage, the more expensive.")
    """
    if "IPython" in sys.modules:
        from IPython import get_ipython
        from IPython.display import display

        if get_ipython() is not None:
            display({"text/html": in_html(fig, alt), "text/plain": in_words(alt)}, raw=True)
            return
    print(in_words(alt))


def in_html(fig: Figure, alt: str) -> str:
    """The picture as a notebook has it. In HTML, because JupyterLab gives a bare PNG no ``alt``.

    Below it stand the figure's numbers, folded, where it has a ``table``: for those who cannot see the bars.
    """
    data, width = base64.b64encode(png(fig)).decode(), int(fig.get_figwidth() * 96)
    image = f'<img alt="{html.escape(alt)}" width="{width}" src="data:image/png;base64,{data}">'
    table = getattr(fig, "table", None)
    return image if table is None else f"{image}\n<details><summary>In numbers</summary>{table._repr_html_()}</details>"


def in_words(alt: str) -> str:
    """What stands where there are only words."""
    return f"Picture: {alt}"


def log_scale(axis: Axis) -> None:
    """Make an axis logarithmic, with plain numbers on it: 1, 10, 100, or over a short way 10, 20, 50, 100."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axes = axis.axes
    (axes.set_xscale if axis is axes.xaxis else axes.set_yscale)("log")
    low, high = axis.get_view_interval()
    steps = (1.0,) if high > 500 * max(low, 1e-9) else (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(10, subs=steps, numticks=12))
    axis.set_major_formatter(_plain)
    axis.set_minor_formatter(NullFormatter())


def plain_numbers(axis: Axis) -> None:
    """Numbers as they are read: 50,000 and 2.5, each tick as it is and none rounded."""
    axis.set_major_formatter(_plain)


def _plain(number: float, place: float | None = None) -> str:
    return f"{number:,.10g}"


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
        log_scale(ax.xaxis)
    else:
        plain_numbers(ax.xaxis)
    # Room for the figure that stands behind the longest bar.
    ax.set_xlim(right=max(values.values()) * (3 if log else 1.15))
    ax.set_xlabel(unit)
    ax.set_title(f"{title}, {engine}")
    rows = [[name, figure.strip()] for name, figure in zip(values, figures, strict=True)]
    fig.table = Table(["", unit], rows, [False, True])  # type: ignore[attr-defined]
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
