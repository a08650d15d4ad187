"""How long each chapter takes a learner, estimated cell by cell: what the minutes in the titles rest on.

    python -m presenter.minutes            a line for each chapter
    python -m presenter.minutes --parts    and one for each of its sections

An estimate is reading, running, choosing and solving. A part that begins with ``*Skip if late`` is not counted into a
chapter's minutes, and neither is what stands behind "What you can now say": the notes for later.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from helpers.course.exercises import exercise
from helpers.course.outline import Chapter, outline
from helpers.course.questions import prediction
from tools.arguments import Arguments

WORDS_A_MINUTE = 200
# Seconds. Code is read to be understood, a result to see what it says; whoever runs a cell also looks for the next.
A_LINE_OF_CODE = 3
A_LINE_OF_RESULT = 1
MOST_LINES_OF_RESULT = 15
A_PICTURE = 15
A_RUN = 3
A_CHOICE = 20
# Minutes, with the reading of the task and what is tried in vain.
SOLVING = {"repair": 3, "write": 6, "design": 10}
# Seconds that the cells of a chapter work, as `make run` measures them on two cores, with all 50,000 seats.
WORKING = {"00": 10, "01": 10, "02": 30, "02b": 10, "03": 40, "03b": 30, "04": 30, "05": 20, "06": 220, "07": 30}

LATE = "*Skip if late"
_EXERCISE = re.compile(r"### Exercise (\S+) ")
_PREDICTION = re.compile(r'predict\("([^"]+)"\)$')
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_LATE = re.compile(rf"^{re.escape(LATE)}", re.MULTILINE)
_END = "In practice"


@dataclass
class Part:
    """A section of a chapter, or an exercise that may be skipped. ``late``: is it skipped by whoever is late?

    ``at`` is the id of the cell with a section's heading, or with an exercise's task.
    """

    name: str
    at: str = ""
    late: bool = False
    seconds: float = 0.0


def parts(chapter: Chapter) -> list[Part]:
    """The sections of a chapter up to its recap, and, apart from them, each exercise that may be skipped."""
    found = [Part("the opening")]
    apart: list[Part] = []
    solving: Part | None = None
    for cell in nbformat.read(chapter.path, as_version=4).cells:
        tags = cell.metadata.get("tags", [])
        task = _EXERCISE.match(cell.source)
        if task:
            number = task[1]
            solving = found[-1]
            if _LATE.search(cell.source) and not solving.late:
                solving = Part(f"exercise {number}", cell.id, late=True)
                apart.append(solving)
            solving.seconds += 60 * SOLVING[exercise(number).rung]
        if "exercise" in tags or "solution" in tags:
            continue
        section = _SECTION.search(cell.source) if cell.cell_type == "markdown" else None
        if section and section[1] == _END:
            break
        if section:
            found.append(Part(section[1], cell.id, late=bool(_LATE.search(cell.source))))
        found[-1].seconds += seconds_of(cell)
    found[0].seconds += WORKING[chapter.number]
    return found + apart


def seconds_of(cell: NotebookNode) -> float:
    """What one cell takes that belongs to no exercise."""
    if cell.cell_type == "markdown":
        return _reading(re.sub(r"\]\([^)]*\)", "]", cell.source))
    asks = _PREDICTION.match(cell.source)
    if asks:
        asked = prediction(asks[1])
        return A_CHOICE + _reading(" ".join([asked.question, *asked.options, asked.why]))
    lines = sum(bool(line.strip()) for line in cell.source.splitlines())
    return A_RUN + A_LINE_OF_CODE * lines + sum(map(_looking, cell.outputs))


def _reading(text: str) -> float:
    return 60 * len(text.split()) / WORDS_A_MINUTE


def _looking(output: NotebookNode) -> float:
    data = output.get("data", {})
    if {"image/png", "image/svg+xml"} & set(data):
        return A_PICTURE
    lines = str(output.get("text") or data.get("text/plain", "")).splitlines()
    return A_LINE_OF_RESULT * min(len(lines), MOST_LINES_OF_RESULT)


def minutes(chapter: Chapter, *, late: bool = False) -> float:
    """The minutes of a chapter's core; with ``late`` those of all its parts."""
    return sum(part.seconds for part in parts(chapter) if late or not part.late) / 60


def core_path() -> list[Chapter]:
    """The chapters that everybody takes, in their order."""
    return [each for each in outline().values() if not each.backstage]


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(description="Estimate how long the chapters take a learner.")
    parser.add_argument("--parts", action="store_true", help="a line for each section, too")
    with_parts = parser.parse_args(arguments).parts
    print(f"{'chapter':8} {'title says':>10} {'estimate':>10} {'with all':>10}")
    for each in outline().values():
        print(f"{each.number:8} {each.minutes:10} {minutes(each):10.0f} {minutes(each, late=True):10.0f}")
        for part in parts(each) if with_parts else ():
            print(f"{'':30} {part.seconds / 60:10.1f}  {part.name}{', skip if late' if part.late else ''}")
    says, found = (sum(of(each) for each in core_path()) for of in (lambda each: each.minutes, minutes))
    print(f"{'core':8} {says:10} {found:10.0f} {sum(minutes(each, late=True) for each in core_path()):10.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
