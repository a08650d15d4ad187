"""``progress()``: what is done and what is open, across all notebooks."""

from __future__ import annotations

from ..display.showing import show
from . import record_file
from .exercises import exercises
from .outline import outline


def progress() -> None:
    """Print a line for each chapter: exercises done, predictions made, surprises, minutes at work.

    First the core path, then what lies backstage, which nobody needs for going on.
    """
    record = record_file.read()
    lines = []
    path = sorted(outline().values(), key=lambda chapter: chapter.backstage)
    for chapter in path:
        number = chapter.number
        asked = [each for key, each in record["predictions"].items() if key.split(".")[0] == number]
        here = record["chapters"].get(number, {})
        lines.append(
            {
                "chapter": f"{number} {chapter.title}{' (backstage)' if chapter.backstage else ''}",
                "exercises": f"{done_in(number)} of {len(exercises(number))}",
                "predictions": f"{len(asked)} of {len(chapter.predictions)}",
                "surprises": sum(each["surprise"] for each in asked),
                "minutes": round(here.get("seconds", 0) / 60),
            }
        )
    show(lines)
    open_ones = [number for chapter in path for number in exercises(chapter.number) if not is_done(number)]
    print(f"Next: exercise {open_ones[0]}." if open_ones else 'All exercises are done: passport("Your name") is yours.')


def is_done(number: str) -> bool:
    """Whether this learner has solved an exercise."""
    return bool(record_file.read()["exercises"].get(number, {}).get("done"))


def done_in(chapter: str) -> int:
    """How many of a chapter's exercises are done."""
    return sum(is_done(number) for number in exercises(chapter))
