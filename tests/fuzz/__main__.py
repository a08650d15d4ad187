"""Plays statements, frames and damaged journals to nodes, and says what they should not have answered:
``make fuzz SECONDS=60``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from .findings import Tally
from .frames import conversations
from .journals import directories
from .kept import keep, play_again
from .player import runs

Mode = Callable[[Path, int, Tally], Iterator[None]]
# What is played to one node in one turn.
MODES: dict[str, Mode] = {
    "statements": partial(runs, statements=3000),
    "frames": partial(conversations, count=1000),
    "journals": partial(directories, times=40),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default: %(default)g)")
    parser.add_argument("--seed", type=int, default=1, help="of the first node (default: %(default)s)")
    parser.add_argument("--only", choices=MODES, action="append", help="one kind (default: all, for equal times)")
    parser.add_argument("--keep", type=Path, default=Path("out/fuzz"), help="where found cases go (%(default)s)")
    parser.add_argument("--again", type=Path, nargs="+", help="play these files instead, as --keep writes them")
    parser.add_argument("--refusals", action="store_true", help="also print why valid statements were refused")
    options = parser.parse_args()
    tally, began = Tally(), time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        if options.again:
            for number, case in enumerate(options.again):
                play_again(case, Path(directory) / str(number), tally)
        else:
            modes = options.only or list(MODES)
            for mode in modes:
                play(MODES[mode], Path(directory), options.seed, tally, options.seconds / len(modes))
    print(report(tally, options.refusals))
    for finding in tally.findings.values():
        print(f"\n== {finding.where}\n{keep(finding, options.keep)}\n{finding.story}")
    print(f"{len(tally.findings)} findings in {time.monotonic() - began:.0f} s")
    return 1 if tally.findings else 0


def play(mode: Mode, directory: Path, seed: int, tally: Tally, seconds: float) -> None:
    began = time.monotonic()
    for _ in mode(directory, seed, tally):
        if time.monotonic() - began >= seconds:
            break


def report(tally: Tally, refusals: bool) -> str:
    lines = [
        f"{kind:14} {count:7} asked as they should be, {tally.carried_out[kind]:7} carried out"
        for kind, count in sorted(tally.valid.items())
    ]
    if refusals:
        lines += [f"{count:6} {sentence}" for sentence, count in tally.refusals.most_common(60)]
    answers = ", ".join(f"{count} {name}" for name, count in sorted(tally.answers.items()))
    lines += [
        f"{tally.asked} statements, {tally.damaged} of them damaged ({tally.damaged_refused} refused), "
        f"{tally.restarts} restarts",
        f"{tally.conversations} conversations of {tally.frames} frames ({answers or 'no answers'})",
        f"{tally.directories} damaged directories, {tally.records_lost} of {tally.records} records in them",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
