"""``seats progress``: what is done and what is open, from a terminal."""

from __future__ import annotations

import os
import sys

from helpers.lab.errors import LabError
from tools.arguments import Arguments
from tools.environment import ROOT


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(
        prog="seats progress",
        description="Say what is done and what is open: a line for each chapter, and the exercise that is next.",
    )
    parser.parse_args(arguments)
    keep_the_learners_record()
    from helpers import progress  # here: --help needs no package

    try:
        progress()
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def keep_the_learners_record() -> None:
    """A program's record is its own and ends with it. Who types a command means the learner's."""
    os.environ.setdefault("PROGRESS_FILE", str(ROOT / ".progress.json"))
