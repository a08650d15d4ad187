"""How long tests wait for what must come. Every deadline is one of these, and only a failure reaches it: on a machine
that is slow, or busy with other work, the tests pass as they do on a quick one, only later.

So no test asks how quick something is, and none hopes to look before something else has happened: it pushes the node's
clock, makes a view late by an hour, or holds a process back, and then looks in its own time.
"""

from __future__ import annotations

import math
import time
from typing import Any

# For one thing: an answer, a process that starts or ends, a view that follows its table.
SECONDS = 60.0
# For a whole program: a notebook, an installation, a rush of buyers.
LONG_SECONDS = 900.0
# So late that nobody sees it come by itself.
HOUR = 3600.0

# A driver's Cluster with this waits as long for its connections as the tests do for everything else.
PATIENT_CLUSTER: dict[str, Any] = {"connect_timeout": SECONDS, "control_connection_timeout": SECONDS}
# A notebook's client (nbclient's) with this waits so long for its kernel, for a cell, and for what a cell prints.
PATIENT_KERNEL: dict[str, Any] = {
    "startup_timeout": int(SECONDS), "timeout": int(LONG_SECONDS), "iopub_timeout": int(SECONDS),
}  # fmt: skip


class Stopwatch:
    """Tells what may be left of a TTL, however long the test has taken since."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def left(self, ttl: int) -> range:
        """The seconds that may be left of a TTL that was given after the watch was started: ``ttl in watch.left(900)``,
        with the TTL read first."""
        return range(ttl - math.ceil(time.monotonic() - self._begun), ttl + 1)
