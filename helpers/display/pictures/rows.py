"""A row, part by part, before and after a write: its row marker and its cells, each with its time and its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...lab.errors import LabError
from ..formatting import about
from .drawing import BLUE, GREEN, GREY, INK, PAPER, RED, new_figure

if TYPE_CHECKING:
    from cassandra.cluster import Session
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKER = "row marker"
_WIDTH, _GAP, _HEIGHT = 1.0, 0.08, 0.56
# A lesson's own timestamps are small and worth reading; microseconds since 1970 are not.
_LARGEST_TIMESTAMP_SHOWN = 10_000


@dataclass(frozen=True)
class Part:
    """One part of a row as it can be read: what it holds, its timestamp, the seconds that it has left."""

    value: str
    at: int | None = None
    ttl: int | None = None


def parts_of(
    session: Session, table: str, key: Mapping[str, Any], marker: Part | None = None
) -> dict[str, Part | None]:
    """The parts of the row with this ``key`` (column → value): its row marker, then its columns; None: nothing there.

    A SELECT does not show a row marker, so the caller says what the statements so far have made of it.

    >>> parts_of(session, "guests", {"event_id": event.id, "seat": "A-1"}, marker=Part("there", at=10))
    {'row marker': Part(value='there', at=10, ttl=None), 'gate': None, 'guest': Part(value='Ada', at=10, ttl=None)}
    """
    query = "SELECT column_name, kind FROM system_schema.columns WHERE keyspace_name = %s AND table_name = %s"
    columns = [row.column_name for row in session.execute(query, (session.keyspace, table)) if row.kind == "regular"]
    if not columns:
        raise LabError(f"There is no table {table} with columns beside its key in {session.keyspace}.")
    wanted = ", ".join(f"{name}, WRITETIME({name}), TTL({name})" for name in columns)
    where = " AND ".join(f"{name} = %s" for name in key)
    row = session.execute(f"SELECT {wanted} FROM {table} WHERE {where}", tuple(key.values())).one()
    found: dict[str, Part | None] = {MARKER: marker, **dict.fromkeys(columns)}
    for i, name in enumerate(columns if row else ()):
        value, at, ttl = row[3 * i : 3 * i + 3]
        if value is not None:
            found[name] = Part(str(value), at, ttl)
    return found


def row_diagram(rows: Mapping[str, Mapping[str, Mapping[str, Part | None]]]) -> Figure:
    """A panel for each of ``rows``: its title → stages, from the top down, each a name → the parts as they are then.

    What was there one stage before and is gone is struck out in red; what never was is a dashed box; a row without any
    part is no row.

    >>> stages = {"INSERT": {"row marker": Part("there"), "guest": Part("Ada")}, "guest = null": {"guest": None, …}}
    >>> picture(row_diagram({"made by INSERT": stages}), "The cell is struck out, the row marker is still there.")
    """
    if not rows or not all(rows.values()):
        raise LabError("There is no row to draw: give a dict of title → stages.")
    names = list(dict.fromkeys(name for stages in rows.values() for parts in stages.values() for name in parts))
    deepest = max(map(len, rows.values()))
    fig, axes = new_figure(4.7 * len(rows), 0.4 + 0.95 * deepest, columns=len(rows))
    for ax, (title, stages) in zip([axes] if len(rows) == 1 else axes, rows.items(), strict=True):
        before: Mapping[str, Part | None] = {}
        for depth, (stage, parts) in enumerate(stages.items()):
            _strip(ax, -1.0 * depth, stage, names, before, parts)
            before = parts
        ax.set(xlim=(-0.05, len(names) * (_WIDTH + _GAP)), ylim=(-deepest + 0.6, 0.6))
        ax.set_title(title, color=INK, fontsize=11, weight="bold")
        ax.axis("off")
    return fig


def _strip(
    ax: Axes,
    height: float,
    stage: str,
    names: list[str],
    before: Mapping[str, Part | None],
    parts: Mapping[str, Part | None],
) -> None:
    """One stage: what was done, and the row's parts in a line below it."""
    ax.text(0, height + 0.33, stage, ha="left", va="bottom", fontsize=9, color=INK, family="monospace")
    for place, name in enumerate(names):
        _box(ax, place * (_WIDTH + _GAP), height, name, before.get(name), parts.get(name))
    if not any(parts.values()):
        right = len(names) * (_WIDTH + _GAP) - _GAP
        ax.text(right, height + 0.33, "no row", ha="right", va="bottom", fontsize=11, color=RED, weight="bold")


def _box(ax: Axes, left: float, height: float, name: str, before: Part | None, part: Part | None) -> None:
    from matplotlib.patches import FancyBboxPatch

    hue = (GREEN if name == MARKER else BLUE) if part else RED if before else GREY
    ax.add_patch(
        FancyBboxPatch(
            (left, height - _HEIGHT / 2), _WIDTH, _HEIGHT, boxstyle="round,pad=0,rounding_size=0.05",
            facecolor=hue if part else PAPER, edgecolor=hue, lw=1.3, ls="-" if part or before else "--",
        )
    )  # fmt: skip
    middle, ink = left + _WIDTH / 2, PAPER if part else hue
    ax.text(middle, height + 0.16, name, ha="center", va="center", fontsize=8, color=ink)
    shown = part or before
    if shown is None:
        ax.text(middle, height - 0.06, "nothing", ha="center", va="center", fontsize=9, color=GREY)
        return
    ax.text(middle, height - 0.02, shown.value, ha="center", va="center", fontsize=10, color=ink, weight="bold")
    ax.text(middle, height - 0.19, _times(shown, gone=not part), ha="center", va="center", fontsize=8, color=ink)
    if not part:
        ax.plot([left + 0.06, left + _WIDTH - 0.06], [height - 0.02] * 2, color=RED, lw=1.5)


def _times(part: Part, gone: bool) -> str:
    """What is known of it: "at 20", "ends in ~15 min"; of what is gone, not the end that it has met."""
    known = [f"at {part.at}"] if part.at is not None and part.at <= _LARGEST_TIMESTAMP_SHOWN else []
    if part.ttl is not None and not gone:
        known.append(f"ends in {about(part.ttl)}")
    return ", ".join(known)
