"""A picture of the token ring: where the partitions of a batch lie, and how many nodes it would touch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ...lab.errors import LabError
from .drawing import BLUE, GREEN, GREY, INK, ORANGE, PAPER, RED, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIRST_TOKEN, TOKENS = -(2**63), 2**64
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
