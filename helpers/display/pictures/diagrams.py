"""Diagrams of a design: which table answers which question, where a partition's rows lie, and where on the ring."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...lab.errors import LabError
from .drawing import BLUE, GREEN, GREY, INK, ORANGE, PAPER, RED, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIRST_TOKEN, LAST_TOKEN, TOKENS = -(2**63), 2**63 - 1, 2**64
_HUES = (BLUE, ORANGE, GREEN)


def question_diagram(answers: Mapping[str, str], *, views: Collection[str] = (), title: str = "") -> Figure:
    """Questions on the left, what answers them on the right, and a line for each answer.

    ``answers`` maps a question to the name of a table or, where the name is in ``views``, of a view.

    >>> picture(question_diagram({"What is this event?": "events"}), "One question and the table that answers it.")
    """
    if not answers:
        raise LabError("There is no question to draw: give a dict of question → table.")
    questions, names = list(answers), list(dict.fromkeys(answers.values()))
    fig, ax = new_figure(9.0, 0.5 * max(len(questions), len(names)) + 0.7)
    left = _spread(len(questions))
    # A name stands at the height of its questions, so that lines cross little.
    wanted = {name: [left[i] for i, q in enumerate(questions) if answers[q] == name] for name in names}
    names.sort(key=lambda name: -sum(wanted[name]) / len(wanted[name]))
    right = dict(zip(names, _spread(len(names)), strict=True))
    for question, height in zip(questions, left, strict=True):
        name = answers[question]
        hue = GREEN if name in views else BLUE
        ax.text(0.515, height, textwrap.fill(question, 58), ha="right", va="center", fontsize=10, color=INK)
        ax.plot([0.53, 0.60, 0.66, 0.73], [height, height, right[name], right[name]], color=hue, lw=1.6)
    for name, height in right.items():
        hue = GREEN if name in views else BLUE
        _box(ax, 0.86, height, 0.25, 0.55 / max(len(questions), len(names)), hue)
        ax.text(0.86, height, name, ha="center", va="center", fontsize=10, color=PAPER, family="monospace")
    ax.text(0.515, 1.06, "the shop asks", ha="right", va="center", fontsize=9, color=GREY)
    ax.text(0.80, 1.06, "table", ha="center", va="center", fontsize=9, color=BLUE, weight="bold")
    if views:
        ax.text(0.91, 1.06, "view", ha="center", va="center", fontsize=9, color=GREEN, weight="bold")
    ax.set_ylim(0, 1.1)
    _finish(ax, title)
    return fig


def partition_diagram(
    partitions: Mapping[str, tuple[int, Sequence[str]]],
    *,
    sizes: Mapping[str, int] | None = None,
    title: str = "",
    rows: int = 4,
) -> Figure:
    """Partition keys, the places on the token line that they are hashed to, and the first rows of each partition.

    ``partitions`` maps a partition key, as it is to be read, to its token and its rows in clustering order; ``sizes``
    says how many rows there are in all, where not all are given. Three partitions at most stay readable.

    >>> fig = partition_diagram({"Midnight Orchestra": (-4069959284402364209, ["L04 A-1", "L04 A-2"])})
    """
    if not 1 <= len(partitions) <= len(_HUES):
        raise LabError(f"A diagram has 1 to {len(_HUES)} partitions, not {len(partitions)}.")
    ordered = sorted(partitions.items(), key=lambda item: item[1][0])
    fig, ax = new_figure(9.0, 2.4 + 0.3 * rows)
    ax.plot([0.02, 0.98], [0.78, 0.78], color=GREY, lw=5, solid_capstyle="round", zorder=1)
    for x, text in ((0.02, "−2⁶³"), (0.5, "0"), (0.98, "2⁶³−1")):
        ax.text(x, 0.845, text, ha="center", va="bottom", fontsize=9, color=GREY)
    ax.text(0.02, 0.96, "token: the hash of the partition key", ha="left", va="center", fontsize=9, color=GREY)
    width = 0.30
    for (key, (token, lines)), middle, hue in zip(ordered, _columns(len(ordered), width), _HUES, strict=False):
        place = 0.02 + 0.96 * (token - FIRST_TOKEN) / (LAST_TOKEN - FIRST_TOKEN)
        ax.plot([place, place, middle, middle], [0.78, 0.73, 0.69, 0.64], color=hue, lw=1.6, zorder=2)
        ax.plot([place], [0.78], marker="o", markersize=11, color=hue, zorder=3)
        _partition(ax, middle, width, hue, key, list(lines), rows, (sizes or {}).get(key, len(lines)))
    ax.set_ylim(0.06, 1.0)
    _finish(ax, title)
    return fig


def _partition(
    ax: Axes, middle: float, width: float, hue: str, key: str, lines: list[str], rows: int, size: int
) -> None:
    shown = lines[:rows]
    step = 0.5 / (rows + 1)
    _box(ax, middle, 0.595, width, 0.09, hue)
    ax.text(middle, 0.595, key, ha="center", va="center", fontsize=10, weight="bold", color=_ink_on(hue))
    for i, line in enumerate(shown):
        height = 0.5 - i * step
        _box(ax, middle, height, width, step * 0.8, PAPER, edge=hue)
        ax.text(middle, height, line, ha="center", va="center", fontsize=9, color=INK, family="monospace")
    if size > len(shown):
        more = f"… and {size - len(shown):,} more rows, in this order"
        ax.text(middle, 0.5 - len(shown) * step, more, ha="center", va="center", fontsize=9, color=INK)


def _ink_on(hue: str) -> str:
    return INK if hue == ORANGE else PAPER


def _box(ax: Axes, x: float, y: float, width: float, height: float, face: str, edge: str = "none") -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = x - width / 2, y - height / 2
    style = "round,pad=0,rounding_size=0.012"
    ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle=style, facecolor=face, edgecolor=edge, lw=1.2))


def _spread(number: int) -> list[float]:
    """Heights for ``number`` lines from the top down."""
    return [1 - (i + 0.5) / number for i in range(number)]


def _columns(number: int, width: float) -> list[float]:
    """The middles of ``number`` columns of this width, evenly between the left and the right edge."""
    if number == 1:
        return [0.5]
    first, last = 0.02 + width / 2, 0.98 - width / 2
    return [first + (last - first) * i / (number - 1) for i in range(number)]


def _finish(ax: Axes, title: str) -> None:
    ax.set_xlim(0, 1)
    ax.axis("off")
    if title:
        ax.set_title(title, color=INK, fontsize=11)


_NODES = (("node 1", BLUE), ("node 2", ORANGE), ("node 3", GREEN))
_INSIDE, _THICKNESS = 0.80, 0.16


def ring_diagram(batches: Mapping[str, Iterable[int]]) -> Figure:
    """One ring for each of ``batches``, a name and the tokens of its rows: a dot where a row lies.

    The ring is cut into three equal parts, as if three nodes had one range each; real nodes have many small ones.

    >>> picture(ring_diagram({"200 tickets": [token] * 200}), "All dots lie at one place of the ring.")
    """
    if not 1 <= len(batches) <= 3:
        raise LabError(f"A picture has 1 to 3 rings, not {len(batches)}.")
    fig, axes = new_figure(4.2 * len(batches), 4.3, columns=len(batches))
    for ax, (name, tokens) in zip([axes] if len(batches) == 1 else axes, batches.items(), strict=True):
        _draw_ring(ax)
        places = sorted(set(tokens))
        for token in places:
            angle = _angle(token)
            ax.plot([_INSIDE * math.cos(angle)], [_INSIDE * math.sin(angle)], "o", color=RED, markersize=6, alpha=0.8)
        ax.text(0, 0.06, f"{len(places):,}", ha="center", va="center", fontsize=20, color=INK)
        ax.text(0, -0.14, f"partition{'s' * (len(places) != 1)}", ha="center", va="center", fontsize=10, color=INK)
        ax.set_title(name)
        ax.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal")
        ax.axis("off")
    return fig


def _angle(token: int) -> float:
    """The lowest token is at the top, and tokens grow clockwise; radians."""
    return math.pi / 2 - 2 * math.pi * (token - FIRST_TOKEN) / TOKENS


def _draw_ring(ax: Axes) -> None:
    from matplotlib.patches import Wedge

    for i, (name, hue) in enumerate(_NODES):
        begin, end = 90 - 120 * (i + 1), 90 - 120 * i
        ax.add_patch(Wedge((0, 0), 1.06, begin, end, width=_THICKNESS, facecolor=hue, edgecolor=PAPER))
        angle = math.radians((begin + end) / 2)
        place = 0.98 * math.cos(angle), 0.98 * math.sin(angle)
        # Along the ring, and never upside down.
        turn = math.degrees(angle) % 180 - 90
        ax.text(*place, name, rotation=turn, ha="center", va="center", fontsize=8, color=PAPER, weight="bold")
    ax.add_patch(Wedge((0, 0), _INSIDE + 0.003, 0, 360, width=0.006, facecolor=GREY))
