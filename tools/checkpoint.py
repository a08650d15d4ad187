"""Puts the database where a chapter begins, from a terminal: ``python -m tools.checkpoint 04 [--seats N]``."""

from __future__ import annotations

import re
import sys

from helpers import checkpoint
from helpers.course.outline import outline
from helpers.lab.errors import LabError
from helpers.shop.venue import FULL_HOUSE
from tools.arguments import Arguments, seats


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="python -m tools.checkpoint", description="Put the database where a chapter begins.")
    parser.add_argument("chapter", nargs="*", type=number, help="which: 00, 04 …")
    parser.add_argument("--seats", type=seats, default=FULL_HOUSE, help="size of the venue (50000)")
    options = parser.parse_args(arguments)
    if not options.chapter:
        parser.error(f"name the chapter, as in: make checkpoint 04; there are {', '.join(outline())}")
    try:
        for chapter in options.chapter:
            checkpoint(chapter, seats=options.seats)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted: run it again; it writes only what differs.", file=sys.stderr)
        return 130
    return 0


def number(text: str) -> str:
    """A chapter's number as its notebook has it: "4" is "04", "2b" is "02b"."""
    return f"0{text}" if re.fullmatch(r"\d[a-z]?", text) else text


if __name__ == "__main__":
    sys.exit(main())
