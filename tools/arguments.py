"""The command lines of the tools: what is wrong is said in one sentence, whichever way the tool was called."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any, NoReturn


class Arguments(argparse.ArgumentParser):
    """An ArgumentParser that leaves its usage to ``--help``, and guesses at no shortened option. Exit code 2 as ever.

    ``keep_lines``: what stands below the options keeps its lines.
    """

    def __init__(self, *, keep_lines: bool = False, **more: Any) -> None:
        lines = argparse.RawDescriptionHelpFormatter if keep_lines else argparse.HelpFormatter
        super().__init__(allow_abbrev=False, formatter_class=lines, **more)

    def error(self, message: str) -> NoReturn:
        message = re.sub(r"^unrecognized arguments: (.*)", r"it does not know what \1 is", message)
        message = re.sub(r"^argument ([^:]+): expected .*", r"\1 wants a word behind it", message)
        print(f"error: {message} (--help says what there is)", file=sys.stderr)
        raise SystemExit(2)


def seats(text: str) -> int:
    """A size of the venue, as argparse's ``type``."""
    from helpers.shop.venue import MOST_SEATS  # here, for the doctor reads its words before the helpers can be had

    digits = text.replace("_", "").replace(",", "")
    if not (digits.isascii() and digits.isdecimal() and 1 <= int(digits) <= MOST_SEATS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seats from 1 to {MOST_SEATS:,}")
    return int(digits)
