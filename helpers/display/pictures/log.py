"""Pictures of a CDC log: what happened to each row, and what a stream id is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scylla_cdc import ChangeRow, Operation, StreamId

from ...lab.errors import LabError
from ..formatting import Formatter
from .drawing import BLUE, GREEN, GREY, INK, ORANGE, PAPER, PINK, RED, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The parts of a stream id, from the left, and their bits.
_PARTS = (("token", 64, BLUE), ("random", 38, GREY), ("index", 22, GREEN), ("version", 4, PINK))
_MARKS = {
    Operation.INSERT: ("o", GREEN),
    Operation.UPDATE: ("s", BLUE),
    Operation.ROW_DELETE: ("X", RED),
    Operation.PARTITION_DELETE: ("X", RED),
}
_OTHER = ("D", GREY)


def stream_id_diagram(stream_id: bytes) -> Figure:
    """The sixteen bytes of a stream id, and the four numbers that are packed into them.

    >>> picture(stream_id_diagram(row.stream), "Sixteen bytes: token, random, index, version.")
    """
    from matplotlib.patches import Rectangle

    if len(stream_id) != 16:
        raise LabError(f"A stream id has 16 bytes, this has {len(stream_id)}.")
    stream = StreamId(stream_id)
    numbers = stream.token, stream.random, stream.index, stream.version
    fig, ax = new_figure(8.5, 2.2)
    # Each byte has its place; a part may end within a byte, so that the bars below are drawn by bits.
    for place, byte in enumerate(stream_id):
        ax.text(place + 0.5, 1.55, f"{byte:02x}", ha="center", va="center", fontsize=12, color=INK, family="monospace")
    begin = 0.0
    for (name, bits, colour), number in zip(_PARTS, numbers, strict=True):
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


def timeline(
    changes: Sequence[ChangeRow], *, lane: str = "ticket_id", title: str = "What the log says", limit: int = 12
) -> Figure:
    """One lane for each value of the column ``lane``, one mark for each change, for the first ``limit`` lanes.

    A bar runs from an insert to the end of its time to live, or to the delete that came first. Where a bar ends without
    a mark the row ended by itself, and the log has nothing to say about it.

    >>> picture(timeline(read_log(session, keyspace, "order_queue")), "…")
    """
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MultipleLocator

    changes = [change for change in changes if lane in change.values]
    if not changes:
        raise LabError(f"There is no change with a value for {lane} to draw.")
    formatter, start = Formatter(), min(change.written_at for change in changes)
    lanes = list(dict.fromkeys(change.values[lane] for change in changes))[:limit]
    fig, ax = new_figure(8.5, 1.4 + 0.34 * len(lanes))
    seen: dict[Operation, tuple[str, str]] = {}
    for height, value in enumerate(lanes):
        own = [change for change in changes if change.values[lane] == value]
        for i, change in enumerate(own):
            at = (change.written_at - start).total_seconds()
            mark, colour = seen.setdefault(change.operation, _MARKS.get(change.operation, _OTHER))
            # The mark of an end is smaller, so that a beginning a moment before stays visible around it.
            size = 70 if change.operation is Operation.INSERT else 24
            ax.scatter([at], [height], marker=mark, color=colour, s=size, zorder=3)
            if change.operation is Operation.INSERT and change.ends_at is not None:
                ends = [each.written_at for each in own[i + 1 :] if each.operation is Operation.ROW_DELETE]
                end = min([change.ends_at, *ends])
                ax.barh(height, (end - start).total_seconds() - at, left=at, height=0.36, color=ORANGE, alpha=0.55)
    ax.set_yticks(range(len(lanes)), [formatter.format(value) for value in lanes])
    ax.invert_yaxis()
    ax.use_sticky_edges = False
    ax.margins(x=0.03)
    if ax.get_xlim()[1] > 180:
        ax.xaxis.set_major_locator(MultipleLocator(base=_minutes_apart(ax.get_xlim()[1]) * 60))
        ax.xaxis.set_major_formatter(lambda seconds, _: f"{seconds / 60:g}")
        ax.set_xlabel("minutes since the first change")
    else:
        ax.set_xlabel("seconds since the first change")
    ax.set_title(title)
    dots = [Line2D([], [], marker=mark, linestyle="", color=colour) for mark, colour in seen.values()]
    ax.legend(dots, [str(operation) for operation in seen], loc="best", frameon=False)
    return fig


def _minutes_apart(seconds: float) -> int:
    """Whole minutes from one mark on the axis to the next, for eight marks or fewer."""
    return next((step for step in (1, 2, 5, 10, 15, 30, 60) if seconds / 60 / step <= 8), 240)
