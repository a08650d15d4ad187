"""The command lines of the tools: what is wrong is said in one sentence, whichever way the tool was called."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from helpers.shop.venue import MOST_SEATS


class Arguments(argparse.ArgumentParser):
    """An ArgumentParser that leaves its usage, which `make` words otherwise, to ``--help``. Exit code 2 as ever."""

    def error(self, message: str) -> NoReturn:
        print(f"error: {message} (--help says what there is)", file=sys.stderr)
        raise SystemExit(2)


def seats(text: str) -> int:
    """A size of the venue, as argparse's ``type``."""
    digits = text.replace("_", "").replace(",", "")
    if not (digits.isascii() and digits.isdecimal() and 1 <= int(digits) <= MOST_SEATS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seats from 1 to {MOST_SEATS:,}")
    return int(digits)
