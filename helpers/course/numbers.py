"""The numbers of predictions and exercises: "04.2" is the second of chapter 04."""

from __future__ import annotations

import re

from ..lab.errors import LabError

_NUMBER = re.compile(r"(\d\d[a-z]?)\.([1-9]\d*)")


def chapter_of(number: str) -> str:
    """The chapter of a prediction or an exercise: "04" of "04.2". A LabError if it is not such a number."""
    found = _NUMBER.fullmatch(number) if isinstance(number, str) else None
    if not found:
        raise LabError(f'A number looks like "04.2", the second of chapter 04; this is {number!r}.')
    return found[1]


def keyspace_of(chapter: str) -> str:
    """The keyspace in which a chapter's notebook works: "seats_04"."""
    return f"seats_{chapter}"
