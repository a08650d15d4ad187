"""What was played, and what of it nobody should have been answered."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

#: What one input may cost: seconds of the processor, and bytes beyond the most that was in use before.
LONGEST = 5.0
MOST_MEMORY = 256 * 1024 * 1024


@dataclass
class Finding:
    """``where`` tells one kind from another; ``case`` is the input, a file whose name ends in ``kind`` (see ``kept``);
    ``story`` is for whoever mends it."""

    where: str
    kind: str
    case: bytes
    story: str


@dataclass
class Tally:
    """How many statements were asked; of which kinds; what of the valid ones was carried out; the refusals of those.
    How many frames were sent and answered, and how many data directories were damaged and opened."""

    asked: int = 0
    valid: Counter[str] = field(default_factory=Counter)
    carried_out: Counter[str] = field(default_factory=Counter)
    damaged: int = 0
    damaged_refused: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    conversations: int = 0
    frames: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    directories: int = 0
    records: int = 0
    records_lost: int = 0
    findings: dict[str, Finding] = field(default_factory=dict)

    def found(self, where: str, kind: str, case: bytes, story: str = "") -> None:
        """Of each kind the first is kept."""
        self.findings.setdefault(where, Finding(where, kind, case, story))

    @contextmanager
    def bounded(self, kind: str, case: bytes) -> Iterator[None]:
        """What is done within costs no more than one input may."""
        memory, began = _peak(), time.thread_time()
        yield
        took, more = time.thread_time() - began, _peak() - memory
        if took > LONGEST:
            self.found("slow", kind, case, f"{took:.1f} s of the processor")
        if more > MOST_MEMORY:
            self.found("memory", kind, case, f"{more / 1024 / 1024:.0f} MB more")


def _peak() -> int:
    """The most bytes that this process ever had in memory; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
