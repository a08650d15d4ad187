"""The innermost loop of reading, written for one selection: rows of key columns and single cells, nothing computed.

A page of 5,000 rows goes through it 5,000 times, so it is made as text and compiled, with every column in its place; a
loop over the columns of each row would cost twice as much. Names reach the text as Python literals only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..schema import CLUSTERING, PARTITION_KEY, STATIC, Column
from ..storage.rows import Key, Row, row_is_live

# loop(rows, partition key, static values by name, now, append, room, most dead) → (the row it stopped at, how many were
# dead, room left). It stops when the room is used up or so many were dead. Each live row is given to ``append`` as a
# tuple of wire bytes and None.
RowLoop = Callable[
    [Iterable[Row], Key, dict[str, bytes | None], int, Callable[[Sequence[bytes | None]], None], int, int],
    tuple[Row | None, int, int],
]

_TEXT = """
def loop(rows, partition_key, statics, now, append, room, most_dead):
    dead = 0
{before}
    for row in rows:
        marker = row.marker
        if (marker is None or 0 < marker[1] <= now) and not row_is_live(row, now):
            dead += 1
            if dead == most_dead:
                return row, dead, room
            continue
        key = row.key
        get = row.cells.get
        append(({values}))
        room -= 1
        if not room:
            return row, dead, 0
    return None, dead, room
"""


def compile_loop(columns: Sequence[Column]) -> RowLoop:
    """The loop that reads these columns (no non-frozen collections among them), in this order."""
    before, values = [], []
    for place, column in enumerate(columns):
        if column.role == CLUSTERING:
            values.append(f"key[{column.position}]")
        elif column.role in (PARTITION_KEY, STATIC):
            origin = (
                f"partition_key[{column.position}]" if column.role == PARTITION_KEY else f"statics[{column.name!r}]"
            )
            before.append(f"    fixed{place} = {origin}")
            values.append(f"fixed{place}")
        else:
            # A tombstone's value is None already; an expired cell still has its value.
            values.append(f"None if (cell := get({column.name!r})) is None or 0 < cell[2] <= now else cell[1]")
    text = _TEXT.format(before="\n".join(before), values="".join(f"{value}, " for value in values))
    names: dict[str, Any] = {"row_is_live": row_is_live}
    exec(compile(text, "<row loop>", "exec"), names)
    loop: RowLoop = names["loop"]
    return loop
