"""What a benchmark says: figures, each of which may be compared with another one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measurement. ``ratio`` compares it with the figure named ``against``: 2 is twice as good, whatever the unit.

    ``target`` is what the course promises, where it promises something.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    against: str | None = None
    ratio: float | None = None
