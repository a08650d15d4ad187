"""Latencies: measure requests one by one, and look at how they are spread. All figures are milliseconds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .errors import LabError


class Latencies:
    """Samples of how long something took. Threads may add to the same collection.

    >>> holds = Latencies("hold a seat")
    >>> with holds.measure():
    ...     hold_seat(session, ticket, "Ada")
    >>> print(holds)
    hold a seat: 1 request, p50 0.31 ms, p99 0.31 ms
    """

    def __init__(self, name: str = "request"):
        self.name = name
        self.samples: list[float] = []

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Measure the block, whether it succeeds or raises."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.add(time.perf_counter() - begin)

    def add(self, seconds: float) -> None:
        """Add one sample, in seconds as clocks give them."""
        self.samples.append(seconds * 1000)

    def timed(self, action: Callable[[], Any]) -> Any:
        """Call ``action``, measure it, and return what it returns."""
        with self.measure():
            return action()

    def percentile(self, part: float) -> float:
        """The latency that ``part`` percent of the samples did not exceed."""
        if not self.samples:
            raise LabError(f"{self.name}: nothing has been measured yet.")
        ordered = sorted(self.samples)
        return ordered[max(0, math.ceil(part / 100 * len(ordered)) - 1)]

    @property
    def p50(self) -> float:
        return self.percentile(50)

    @property
    def p99(self) -> float:
        return self.percentile(99)

    @property
    def mean(self) -> float:
        return sum(self.samples) / len(self.samples) if self.samples else self.percentile(50)

    @property
    def max(self) -> float:
        return self.percentile(100)

    def __len__(self) -> int:
        return len(self.samples)

    def __str__(self) -> str:
        number = len(self.samples)
        return f"{self.name}: {number:,} request{'s' * (number != 1)}, p50 {self.p50:.2f} ms, p99 {self.p99:.2f} ms"
