"""How long a hold lasts that is to end before a learner's eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lab.clock import can_be_pushed, in_words
from .seats import check_hold_seconds

if TYPE_CHECKING:
    from cassandra.cluster import Session

# Long enough for the statements of one cell, also on a slow cluster; whoever reads on meanwhile finds it ended.
WAITED_FOR_SECONDS = 10


def time_to_lapse(session: Session, hold_seconds: int) -> int:
    """How long a hold lasts, in seconds, whose end is the lesson; one printed line says what was chosen.

    Where the clock can be pushed it is ``hold_seconds``, as of every hold. Where time has to be waited for it is short,
    and all other holds keep theirs: none of them lapses while somebody reads. A LabError if it cannot be.

    >>> lapse_seconds = time_to_lapse(session, 900)
    Holds last 15 minutes. The clock can be pushed to their end.
    """
    check_hold_seconds(hold_seconds)
    if can_be_pushed(session):
        print(f"Holds last {in_words(hold_seconds)}. The clock can be pushed to their end.")
        return hold_seconds
    lapse_seconds = min(hold_seconds, WAITED_FOR_SECONDS)
    print(
        f"Holds last {in_words(hold_seconds)}. This clock cannot be pushed: those whose end is the lesson last "
        f"{in_words(lapse_seconds)}, and are waited for."
    )
    return lapse_seconds
