"""Asks nodes statement after statement, and says what they should not have answered: ``make fuzz SECONDS=60``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from .player import Tally, runs

STATEMENTS = 3000  # of one node


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default: %(default)g)")
    parser.add_argument("--seed", type=int, default=1, help="of the first node (default: %(default)s)")
    parser.add_argument("--refusals", action="store_true", help="also print why valid statements were refused")
    options = parser.parse_args()
    tally, began = Tally(), time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        for _ in runs(Path(directory), options.seed, tally, STATEMENTS):
            if time.monotonic() - began >= options.seconds:
                break
    for finding in tally.findings.values():
        print(f"== {finding.where}\n{finding.text[:1500]}\n{finding.values}\n{finding.story}\n")
    for kind, count in sorted(tally.valid.items()):
        print(f"{kind:14} {count:7} asked as they should be, {tally.carried_out[kind]:7} carried out")
    if options.refusals:
        for sentence, count in tally.refusals.most_common(60):
            print(f"{count:6} {sentence}")
    print(
        f"{tally.asked} statements, {tally.damaged} of them damaged ({tally.damaged_refused} refused), "
        f"{tally.restarts} restarts, {time.monotonic() - began:.0f} s: {len(tally.findings)} findings"
    )
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
