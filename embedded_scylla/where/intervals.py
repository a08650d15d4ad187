"""Which part of a partition a WHERE clause asks for: intervals of clustering order, and how they combine.

The clustering order of a key, or of a prefix of one, is a byte string (``keys.clustering_order``), and a prefix
followed by 0xff lies above everything that begins with it. So each bound, inclusive or not, of a full key or of a
prefix, is one byte string, and an interval is everything from ``start`` up to, but not including, ``end``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..storage.keys import HIGHEST
from ..storage.rows import Key


class Interval(NamedTuple):
    """``start``/``end`` are what readers compare (``end`` None: open). The keys and flags say the same in terms of
    clustering prefixes, in clustering order; an empty prefix is an open side."""

    start: bytes = b""
    end: bytes | None = None
    start_key: Key = ()
    start_inclusive: bool = True
    end_key: Key = ()
    end_inclusive: bool = True


EVERYTHING = Interval()


def at(order: bytes, prefix: Key) -> Interval:
    """All that begins with ``prefix``, whose clustering order is ``order``."""
    return Interval(order, order + HIGHEST, prefix, True, prefix, True)


def above(order: bytes, prefix: Key, inclusive: bool) -> Interval:
    """From ``prefix`` on; exclusive: only what comes after all that begins with it."""
    return Interval(start=order if inclusive else order + HIGHEST, start_key=prefix, start_inclusive=inclusive)


def below(order: bytes, prefix: Key, inclusive: bool) -> Interval:
    """Up to ``prefix``; inclusive: with all that begins with it."""
    return Interval(end=order + HIGHEST if inclusive else order, end_key=prefix, end_inclusive=inclusive)


def intersect_two(one: Interval, other: Interval) -> Interval | None:
    """What is in both, or None."""
    first = one if one.start >= other.start else other
    if one.end is None:
        last = other
    elif other.end is None or one.end <= other.end:
        last = one
    else:
        last = other
    if last.end is not None and first.start >= last.end:
        return None
    return Interval(first.start, last.end, first.start_key, first.start_inclusive, last.end_key, last.end_inclusive)


def intersect(one: Iterable[Interval], other: list[Interval]) -> list[Interval]:
    """What is in both unions."""
    found = [intersect_two(a, b) for a in one for b in other]
    return union(i for i in found if i is not None)


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same places as disjoint intervals in clustering order; those that touch become one."""
    merged: list[Interval] = []
    for interval in sorted(intervals, key=lambda i: i.start):
        previous = merged[-1] if merged else None
        if previous is None or (previous.end is not None and previous.end < interval.start):
            merged.append(interval)
        elif previous.end is not None and (interval.end is None or interval.end > previous.end):
            merged[-1] = previous._replace(
                end=interval.end, end_key=interval.end_key, end_inclusive=interval.end_inclusive
            )
    return merged
