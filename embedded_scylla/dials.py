"""What a teacher can turn, and CQL has no words for: time, lag, decisions, refusals, streams. The control channel calls
these."""

from __future__ import annotations

import os
import time
from typing import Any

from . import __version__
from .engine import Engine
from .upkeep import Upkeep


class Dials:
    """The dials of a running engine, and what it says of itself."""

    def __init__(self, engine: Engine, upkeep: Upkeep):
        self._engine, self._upkeep = engine, upkeep
        self._started = time.monotonic()

    def push_clock(self, seconds: float, keyspace: str | None = None) -> float:
        """Move time forward, and that of the clients: everywhere, or in one keyspace only. By how many seconds it is
        ahead there now. ValueError if there is no such keyspace."""
        self._engine.push_clock(seconds, keyspace)
        return self._engine.clocks.of(keyspace).offset / 1e6

    def delay_views(self, seconds: float) -> None:
        """Let views follow their base tables this much later from now on; 0: at once, also where they are late."""
        self._engine.delay_views(seconds)

    def decisions_take(self, seconds: float) -> None:
        """Let each conditional statement, and each read at SERIAL, take so long from now on, while others about its
        partition wait in line; 0: none waits any more."""
        self._engine.decisions.take(seconds)

    def refuse_writes(self, seconds: float) -> None:
        """Answer every write with Unavailable for so long."""
        self._engine.refuse_until = time.monotonic() + seconds if seconds else 0.0

    def new_cdc_generation(self) -> int:
        """Begin a new generation of CDC streams, as a topology change does; its timestamp in ms."""
        return self._engine.begin_cdc_generation()

    def split_tablets(self, name: str) -> int:
        """Split each tablet of ``keyspace.table`` in two, as a growing table does; the new streams' timestamp in ms.
        ValueError if it has none."""
        engine = self._engine
        for table in engine.schema.tables():
            if table.full_name == name and table.id in engine.streams.tables:
                return engine.split_tablets(table)
        raise ValueError(f"{name} is not a table with CDC in a keyspace on tablets.")

    def status(self) -> dict[str, Any]:
        """Names, figures, settings; ``notices`` are sentences on what was lost or does not work."""
        engine, directory = self._engine, self._engine.persistence.directory
        return {
            "product": "embedded_scylla",
            "version": __version__,
            "pid": os.getpid(),
            "data_dir": str(directory) if directory else None,
            "requests": engine.requests,
            "uptime_seconds": round(time.monotonic() - self._started, 3),
            "clock_offset_seconds": engine.clock.offset / 1e6,
            "keyspace_offset_seconds": {name: clock.offset / 1e6 for name, clock in engine.clocks.own().items()},
            "view_delay_milliseconds": engine.late_views.delay * 1000,
            "view_updates_waiting": len(engine.late_views),
            "decision_milliseconds": engine.decisions.duration * 1000,
            "decisions_waiting": len(engine.decisions),
            "refusing_writes_seconds": max(0.0, engine.refuse_until - time.monotonic()),
            "upkeep_failures": self._upkeep.failures,
            "notices": [*engine.persistence.notices, *self._upkeep.troubles()],
            "tables": {
                store.table.full_name: store.size().rows
                for store in engine.stores()
                if not store.table.keyspace.startswith("system")
            },
        }
