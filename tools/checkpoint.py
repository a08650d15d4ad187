"""Puts the database where a chapter begins, from a terminal: ``seats checkpoint 04 [--seats N]``."""

from __future__ import annotations

import re
import sys

from helpers.lab.errors import LabError
from tools.arguments import Arguments, seats


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="seats checkpoint", description="Put the database where a chapter begins.")
    parser.add_argument("chapter", nargs="*", type=number, metavar="04", help="which: 00, 04 …")
    parser.add_argument("--seats", type=seats, help="size of the venue (50000)")
    options = parser.parse_args(arguments)
    from helpers import checkpoint  # here: --help needs no package
    from helpers.course.outline import outline
    from helpers.shop.venue import FULL_HOUSE

    if not options.chapter:
        parser.error(f"name the chapter, as in: seats checkpoint 04; there are {', '.join(outline())}")
    try:
        for chapter in options.chapter:
            checkpoint(chapter, seats=options.seats or FULL_HOUSE)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted: run it again; it writes only what differs.", file=sys.stderr)
        return 130
    return 0


def number(text: str) -> str:
    """A chapter's number, or an exercise's, as the notebook has it: "4" is "04", "2b" is "02b", "4.2" is "04.2"."""
    return f"0{text}" if re.fullmatch(r"\d[a-z]?(\.\d+)?", text) else text
