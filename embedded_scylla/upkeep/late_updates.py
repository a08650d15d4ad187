"""Bring view updates that waited into their views."""

from __future__ import annotations

from ..engine import Engine


class LateUpdates:
    """The task that ends the waiting of ``Engine.late_views``."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def seconds_until_due(self) -> float | None:
        return self._engine.late_views.seconds_until_due()

    def run_due(self) -> None:
        engine = self._engine
        if len(engine.late_views):
            engine.update_views(engine.late_views.take_due())
