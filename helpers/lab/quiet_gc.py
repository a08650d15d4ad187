"""Keeps Python's garbage collector out of bulk work."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_gc() -> Iterator[None]:
    """Within the block the collector looks at nothing that was there before, and starts less often.

    The driver makes some fifty objects a request; searching them, and the venue's 50,000 tickets, again and again costs
    40 % of a fan-out. What the block leaves is collected after it. Where something is frozen already, as within another
    such block, it stays so, and nothing is searched beforehand.
    """
    was_enabled, thresholds = gc.isenabled(), gc.get_threshold()
    freezes = not gc.get_freeze_count()
    if freezes:
        gc.collect()
        gc.freeze()
    gc.set_threshold(200_000, 50, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        if freezes:
            gc.unfreeze()
        if was_enabled:
            gc.enable()
