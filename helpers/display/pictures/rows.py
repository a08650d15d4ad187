"""A row, part by part, before and after a write: its row marker, its cells, its tombstones, each with time and end.

No SELECT of a table shows a row marker or a tombstone. ``SELECT * FROM MUTATION_FRAGMENTS(table)`` does, and what is
drawn here is what the server answered to it. It is a diagnostic statement of ScyllaDB, which may change it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...lab.clock import server_now
from ...lab.errors import LabError
from ..formatting import about
from .drawing import BLUE, GREEN, GREY, INK, PAPER, RED, new_figure

if TYPE_CHECKING:
    from cassandra.cluster import Session
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKER, TOMBSTONE = "row marker", "tombstone"
_WIDTH, _GAP, _HEIGHT = 1.0, 0.08, 0.56
# A lesson's own timestamps are small and worth reading; microseconds since 1970 are not.
_LARGEST_TIMESTAMP_SHOWN = 10_000


@dataclass(frozen=True)
class Part:
    """One part of a row as it is stored: its value, its timestamp (µs), the seconds that it has left (0: none any more;
    None: it has no end). A tombstone is a part, too."""

    value: str
    at: int | None = None
    ttl: int | None = None
    is_tombstone: bool = False

    @property
    def lives(self) -> bool:
        """Whether a reader sees it."""
        return not self.is_tombstone and self.ttl != 0


def parts_of(session: Session, table: str, key: Mapping[str, Any]) -> dict[str, Part | None]:
    """What is stored of the row with this ``key`` (column → value, the whole primary key): its row marker, its columns,
    and the newest tombstone over all of it; None: nothing of that is there.

    LabError if the server does not tell (Apache Cassandra has no such statement), or there is no such table.

    >>> parts_of(session, "guests", {"event_id": event.id, "seat": "A-1"})
    {'row marker': Part(value='there', at=10, …), 'gate': None, 'guest': Part(value='Ada', at=10, …), 'tombstone': None}
    """
    partition, clustering, regular = _columns(session, table)
    if not regular:
        raise LabError(f"There is no table {table} with columns beside its key in {session.keyspace}.")
    found: dict[str, Part | None] = {MARKER: None, **dict.fromkeys(regular), TOMBSTONE: None}
    now, place = server_now(session), tuple(key[name] for name in clustering)
    for name, part in _pieces(_fragments(session, table, partition, key), clustering, place, now):
        known = found.get(name)
        # A server may keep the same, or an older one, in several places.
        if known is None or (part.at or 0) > (known.at or 0):
            found[name] = part
    over = found[TOMBSTONE]
    return {name: None if _is_covered(part, over) else part for name, part in found.items()}


def _is_covered(part: Part | None, over: Part | None) -> bool:
    return part is not None and over is not None and part is not over and (part.at or 0) <= (over.at or 0)


def _columns(session: Session, table: str) -> tuple[list[str], list[str], list[str]]:
    """The names of a table's partition key, clustering key and other columns."""
    query = "SELECT column_name, kind, position FROM system_schema.columns WHERE keyspace_name = %s AND table_name = %s"
    rows = sorted(session.execute(query, (session.keyspace, table)), key=lambda row: row.position)

    def of(kind: str) -> list[str]:
        return [row.column_name for row in rows if row.kind == kind]

    return of("partition_key"), of("clustering"), sorted(of("regular"))


def _fragments(session: Session, table: str, partition: list[str], key: Mapping[str, Any]) -> list[Any]:
    """What the server has stored of a row's partition, in its order."""
    from cassandra.protocol import SyntaxException

    where = " AND ".join(f"{name} = %s" for name in partition)
    query = f"SELECT * FROM MUTATION_FRAGMENTS({table}) WHERE {where}"
    try:
        return list(session.execute(query, tuple(key[name] for name in partition)))
    except SyntaxException as error:
        raise LabError("This server does not tell what it has stored: MUTATION_FRAGMENTS is ScyllaDB's.") from error


def _pieces(
    fragments: Iterable[Any], clustering: list[str], place: tuple[Any, ...], now: datetime
) -> Iterator[tuple[str, Part]]:
    """The parts of the row at ``place`` in all fragments, by their names."""
    ranges: dict[str, Any] = {}  # of each source the range tombstone that holds at the row
    for fragment in fragments:
        metadata = json.loads(fragment.metadata or "{}")
        at_row = tuple(getattr(fragment, name) for name in clustering) == place
        kind = fragment.mutation_fragment_kind
        if kind == "partition start" or (kind == "clustering row" and at_row):
            yield from _tombstone(metadata.get("tombstone"))
        if kind == "range tombstone change" and _is_before(fragment, clustering, place):
            ranges[fragment.mutation_source] = metadata["tombstone"]
        if kind != "clustering row" or not at_row:
            continue
        if "marker" in metadata:
            yield MARKER, _part("there", metadata["marker"], now)
        values = json.loads(fragment.value)
        for name, cell in metadata["columns"].items():
            if "cells" not in cell:  # collections have many times
                yield name, _part(values[name], cell, now)
    for tombstone in ranges.values():
        yield from _tombstone(tombstone)


def _is_before(fragment: Any, clustering: list[str], place: tuple[Any, ...]) -> bool:
    """Does a range tombstone change here, before the row at ``place``? Of types that Python orders as CQL does."""
    prefix = tuple(part for name in clustering if (part := getattr(fragment, name)) not in (None, ""))
    beginning = place[: len(prefix)]
    return bool(prefix < beginning or (prefix == beginning and (fragment.position_weight or -1) < 0))


def _tombstone(stored: Mapping[str, Any] | None) -> Iterator[tuple[str, Part]]:
    if stored:
        yield TOMBSTONE, Part(TOMBSTONE, stored["timestamp"], is_tombstone=True)


def _part(value: str | list[dict[str, Any]] | None, stored: Mapping[str, Any], now: datetime) -> Part:
    """``value``: as text, or a counter's shards, of which each replica has counted one."""
    if not stored.get("is_live", True):
        return Part(TOMBSTONE, stored["timestamp"], is_tombstone=True)
    left = None
    if "expiry" in stored:
        expiry = datetime.strptime(stored["expiry"], "%Y-%m-%d %H:%M:%Sz")
        left = max(0, round((expiry - now).total_seconds()))
    shown = sum(shard["value"] for shard in value) if isinstance(value, list) else value
    return Part(str(shown), stored["timestamp"], left)


def row_diagram(rows: Mapping[str, Mapping[str, Mapping[str, Part | None]]]) -> Figure:
    """A panel for each of ``rows``: its title → stages, from the top down, each a name → ``parts_of`` the row then.

    What lives is filled. What lived one stage before and lives no more is struck out in red, and a tombstone is named;
    what never was is a dashed box; a row of which no part lives is no row.

    >>> stages = {"INSERT": {"row marker": Part("there"), "guest": Part("Ada")}, "guest = null": {"guest": None, …}}
    >>> picture(row_diagram({"made by INSERT": stages}), "The cell is struck out, the row marker is still there.")
    """
    if not rows or not all(rows.values()):
        raise LabError("There is no row to draw: give a dict of title → stages.")
    every = [parts for stages in rows.values() for parts in stages.values()]
    names = list(dict.fromkeys(name for parts in every for name in parts))
    if not any(parts.get(TOMBSTONE) for parts in every):
        names = [name for name in names if name != TOMBSTONE]
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
    if not any(part and part.lives for part in parts.values()):
        right = len(names) * (_WIDTH + _GAP) - _GAP
        ax.text(right, height + 0.33, "no row", ha="right", va="bottom", fontsize=11, color=RED, weight="bold")


def _box(ax: Axes, left: float, height: float, name: str, before: Part | None, part: Part | None) -> None:
    from matplotlib.patches import FancyBboxPatch

    lives = part is not None and part.lives
    lost = before if before and before.lives and not lives else None  # what a reader saw, and sees no more
    if lost is None and part is not None and part.ttl == 0:
        lost = part
    hue = (GREEN if name == MARKER else BLUE) if lives else RED if part or lost else GREY
    ax.add_patch(
        FancyBboxPatch(
            (left, height - _HEIGHT / 2), _WIDTH, _HEIGHT, boxstyle="round,pad=0,rounding_size=0.05",
            facecolor=hue if lives else PAPER, edgecolor=hue, lw=1.3, ls="-" if part or lost else "--",
        )
    )  # fmt: skip
    middle, ink = left + _WIDTH / 2, PAPER if lives else hue
    ax.text(middle, height + 0.16, name, ha="center", va="center", fontsize=8, color=ink)
    shown = lost or part
    if shown is None:
        ax.text(middle, height - 0.06, "nothing", ha="center", va="center", fontsize=9, color=GREY)
        return
    ax.text(middle, height - 0.02, shown.value, ha="center", va="center", fontsize=10, color=ink, weight="bold")
    ax.text(middle, height - 0.19, _times(part, lost), ha="center", va="center", fontsize=8, color=ink)
    if lost:
        ax.plot([left + 0.06, left + _WIDTH - 0.06], [height - 0.02] * 2, color=RED, lw=1.5)


def _times(part: Part | None, lost: Part | None) -> str:
    """What is known of it: "at 20", "ends in ~15 min"; of what a reader sees no more, how that came: "tombstone at 20",
    "ended"."""
    if part is None:
        return _stamp(lost) if lost else ""
    if part.is_tombstone and lost:
        return " ".join(filter(None, [TOMBSTONE, _stamp(part)]))
    known = [_stamp(part)]
    if part.ttl is not None:
        known.append(f"ends in {about(part.ttl)}" if part.lives else "ended")
    return ", ".join(filter(None, known))


def _stamp(part: Part) -> str:
    return f"at {part.at}" if part.at is not None and part.at <= _LARGEST_TIMESTAMP_SHOWN else ""
