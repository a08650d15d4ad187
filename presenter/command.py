"""``seats schedule``: renders all that a presenter takes along into ``out/schedule``.

    python -m presenter                          everything, from nine o'clock
    python -m presenter --start 18:30            with another time on the clock
    python -m presenter --only a-day --dark      one plan and its slides, for a dark room

Exit code 1 when a plan does not fit its time, 2 for a wrong argument or a folder that cannot be written.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from datetime import time
from pathlib import Path

from tools.arguments import Arguments
from tools.results import Results, ResultsError

PROJECT = Path(__file__).resolve().parents[1]
FOLDER = "schedule"


def main(arguments: list[str] | None = None) -> int:
    """Render what was asked for; the exit code."""
    options = _options(arguments)
    # Not before the arguments are read: what can be asked for is told without any package.
    from helpers.lab.errors import LabError

    from .rendering import THEMES, copy_reveal, index, plans, rendered

    try:
        chosen = [plans()[name] for name in options.only or plans()]
        (folder,) = Results(options.output.resolve()).open().claim(FOLDER)
        folder.mkdir(exist_ok=True)
        names = []
        for name, text in rendered(chosen, options.start, THEMES[options.dark], chapters=not options.only):
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
            names.append(name)
        (folder / "index.html").write_text(index(names), encoding="utf-8", newline="\n")
        copy_reveal(folder)
    except (LabError, ResultsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error.filename} cannot be written ({error.strerror}).", file=sys.stderr)
        return 2
    print(f"Open {folder / 'index.html'}")
    late = [each for each in chosen if each.reserve < 0]
    for each in late:
        print(f"{each.title} does not fit: its parts take {-each.reserve} minutes more.", file=sys.stderr)
    return int(bool(late))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = Arguments(prog="seats schedule", description="Render run of show, notes, slides, handout and cheat sheet.")
    parser.add_argument("--start", type=_time, default=time(9), metavar="9:00", help="when the workshop begins")
    names = _plans()
    parser.add_argument("--only", nargs="+", choices=names, metavar="PLAN", help=f"some of: {', '.join(names)}")
    parser.add_argument("--dark", action="store_true", help="slides on dark paper")
    parser.add_argument("--output", type=Path, default=PROJECT / "out", help="the folder to write to (out)")
    return parser.parse_args(arguments)


def _plans() -> list[str]:
    with Path(__file__).with_name("plans.toml").open("rb") as file:
        return [plan["name"] for plan in tomllib.load(file)["plan"]]


def _time(text: str) -> time:
    hours, colon, minutes = text.partition(":")
    try:
        return time(int(hours), int(minutes) if colon else 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time like 9:00 or 18:30") from None
