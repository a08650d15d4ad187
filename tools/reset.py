"""``seats reset``: start an exercise ("04.2") or a whole chapter ("04") over, from a terminal."""

from __future__ import annotations

import sys

from helpers.lab.errors import LabError
from tools.arguments import Arguments, seats
from tools.checkpoint import number
from tools.progress import keep_the_learners_record


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(
        prog="seats reset",
        description="Start over: an exercise's rows are put back; a chapter's keyspace is dropped, with all that was "
        "made in it, and built anew.",
    )
    parser.add_argument("what", nargs="*", type=number, metavar="04", help="an exercise, 04.2, or a chapter, 04")
    parser.add_argument("--seats", type=seats, help="size of a chapter's venue (50000)")
    parser.add_argument("--progress", action="store_true", help="forget too what is done in that chapter so far")
    options = parser.parse_args(arguments)
    from helpers import reset  # here: --help needs no package
    from helpers.course.outline import outline

    if not options.what:
        parser.error(f"name what to start over: an exercise, 04.2, or a chapter; there are {', '.join(outline())}")
    keep_the_learners_record()
    try:
        for what in options.what:
            reset(what, seats=options.seats, progress=options.progress)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted: run it again.", file=sys.stderr)
        return 130
    return 0
