"""Pictures of a CDC log's streams: what a stream id is made of, and where streams lie beside the rows they speak of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ...lab.errors import LabError
from ..changes import decode_stream_id
from .drawing import BLUE, GREEN, GREY, INK, ORANGE, PAPER, PINK, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The parts of a stream id, from the left, and their bits.
_PARTS = (("token", 64, BLUE), ("random", 38, GREY), ("index", 22, GREEN), ("version", 4, PINK))
_NEIGHBOURS = 4


def stream_id_diagram(stream_id: bytes) -> Figure:
    """The sixteen bytes of a stream id, and the four numbers that are packed into them.

    >>> picture(stream_id_diagram(change.stream_id), "Sixteen bytes: token, random, index, version.")
    """
    from matplotlib.patches import Rectangle

    parts = decode_stream_id(stream_id)
    fig, ax = new_figure(8.5, 2.2)
    # Each byte has its place; a part may end within a byte, so that the bars below are drawn by bits.
    for place, byte in enumerate(stream_id):
        ax.text(place + 0.5, 1.55, f"{byte:02x}", ha="center", va="center", fontsize=12, color=INK, family="monospace")
    begin = 0.0
    for (name, bits, colour), number in zip(_PARTS, parts, strict=True):
        width = bits / 8
        ax.add_patch(Rectangle((begin + 0.03, 0.75), width - 0.06, 0.42, facecolor=colour, edgecolor="none"))
        middle = begin + width / 2
        if width > 1:
            words = f"{name}, {bits} bits"
            ax.text(middle, 0.96, words, ha="center", va="center", fontsize=9, color=PAPER, weight="bold")
            ax.text(middle, 0.38, f"{number:,}".replace("-", "−"), ha="center", va="center", fontsize=9, color=INK)
        else:
            ax.text(
                16.1, 0.96, f"{name},\n{bits} bits", ha="left", va="center", fontsize=9, color=colour, weight="bold"
            )
            ax.text(middle, 0.38, str(number), ha="center", va="center", fontsize=9, color=INK)
        begin += width
    ax.set(xlim=(0, 17.6), ylim=(0.1, 1.9))
    ax.axis("off")
    ax.set_title("A stream id")
    return fig


def streams_plot(
    rows: Sequence[tuple[int, bytes]], streams: Iterable[bytes] = (), *, around: int | None = None
) -> Figure:
    """Partitions' tokens (across) and the tokens of the streams that tell of them (up); one dot a partition.

    ``rows`` are (token of the partition, stream id). On the left the whole ring; on the right, enlarged, the streams of
    ``streams`` nearest to the token ``around``, each with a line.

    >>> picture(streams_plot([(token, change.stream_id)], stream_ids(session, "seats_05", "order_queue")), "…")
    """
    if not rows:
        raise LabError("There is nothing to draw: give at least one token with its stream.")
    dots = [(token, decode_stream_id(stream).token) for token, stream in rows]
    own, middle = dict(dots), dots[0][0] if around is None else around
    near = sorted((decode_stream_id(each).token for each in streams), key=lambda token: abs(token - middle))
    near = sorted(near[: 2 * _NEIGHBOURS])
    fig, axes = new_figure(9.0, 4.2, columns=2)
    for ax, title in zip(axes, ("All tokens", "Enlarged: a few streams, a line each"), strict=True):
        ax.plot([-(2**63), 2**63], [-(2**63), 2**63], color=GREY, lw=0.8, ls="--", zorder=1)
        ax.scatter(*zip(*dots, strict=True), s=14, color=BLUE, zorder=3)
        ax.set_title(title)
        ax.set_xlabel("token of the event")
        ax.set_ylabel("token of its stream")
        ax.set(xticks=[], yticks=[])
        if middle in own:
            ax.scatter([middle], [own[middle]], s=90, color=ORANGE, edgecolor=PAPER, zorder=4)
            ax.annotate("this event", (middle, own[middle]), (9, -13), textcoords="offset points", color=INK)
    axes[0].set(xlim=(-(2**63), 2**63), ylim=(-(2**63), 2**63))
    if near:
        room = max((near[-1] - near[0]) // 12, 1)
        window = near[0] - room, near[-1] + room
        axes[1].hlines(near, *window, color=GREEN, lw=1, alpha=0.6, zorder=2)
        axes[1].set(xlim=window, ylim=window)
    return fig
