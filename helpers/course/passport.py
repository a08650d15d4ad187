"""``passport()``: one page that says what a learner can now do, with the CQL that they wrote."""

from __future__ import annotations

import html
import os
import re
from datetime import date
from pathlib import Path
from typing import Any

from ..display.frontend import somebody_watches
from ..lab.errors import LabError
from . import record_file
from .exercises import exercises
from .outline import MINE, NOTEBOOKS, Chapter, outline

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
header { border: 3px double currentColor; border-radius: 10px; padding: 1rem 1.5rem; }
h1 { margin: 0; font-size: 1.7rem; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .3rem; }
pre { background: #8882; border-radius: 6px; padding: .6rem .8rem; font-size: 12.5px;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.small { opacity: .75; font-size: .9rem; }
@media print { body { margin: 0; font-size: 11px; } section { break-inside: avoid; } }
"""

# Where nobody has given a name: a learner who has not, and a program that runs the notebook.
_GUEST, _NOBODY = "A guest of Lantern Park", "Ada"
_HELP = {0: "without a hint", 1: "with one hint", 2: "with two hints"}


def passport(name: str | None = None, path: Path | str | None = None) -> None:
    """Write a learner's passport as one HTML page, and say where: beside the notebooks, to be opened from there.

    It lists the chapters in which every exercise is done, what can be said after each, and the CQL of the answers.
    A name that was given once stays, until another is given. ``path`` puts it elsewhere.
    """
    if name is not None and (not isinstance(name, str) or not name.strip()):
        raise LabError('A passport needs a name: passport("Ada").')
    name = _remembered(name)
    record = record_file.read()
    chosen = path
    path = Path(chosen).expanduser() if chosen else _place()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_page(name, record), encoding="utf-8")
    except OSError as error:
        raise LabError(
            f"The passport could not be written to {path}: {error.strerror}. "
            'A second value names another place, as in passport("Ada", "ada.html").'
        ) from error
    whole = len(_finished(record))
    chapters = f"{whole} chapter{'s' * (whole != 1)}"
    beside = "your progress file" if os.environ.get("PROGRESS_FILE") else "the notebooks"
    where = path if chosen else f"{path.name}, beside {beside}"
    print(f"{name}'s passport: {chapters} with every exercise done. Open {where}.")
    if name == _GUEST:
        print('passport("your name") puts your name on it.')


def _remembered(name: str | None) -> str:
    """The name to be on the passport: the given one, kept for the next time, or the one that was given last."""
    if name is None:
        return str(record_file.read().get("name", _GUEST if somebody_watches() else _NOBODY))
    wanted = name.strip()
    record_file.change(lambda record: record.update(name=wanted))
    return wanted


def _place() -> Path:
    """Beside the learner's notebooks, or those of the printed edition where there are no others: JupyterLab can open it
    there. A record that lies elsewhere takes its passport along."""
    named = os.environ.get("PROGRESS_FILE")
    beside = MINE if MINE.is_dir() else NOTEBOOKS
    return (Path(named).expanduser().parent if named else beside) / "passport.html"


def _finished(record: dict[str, Any]) -> list[Chapter]:
    solved = {number for number, each in record["exercises"].items() if each.get("done")}
    return [chapter for number, chapter in outline().items() if exercises(number) and set(exercises(number)) <= solved]


def _page(name: str, record: dict[str, Any]) -> str:
    minutes = round(sum(each.get("seconds", 0) for each in record["chapters"].values()) / 60)
    asked = record["predictions"].values()
    surprises = sum(bool(each["surprise"]) for each in asked)
    done = sum(bool(each.get("done")) for each in record["exercises"].values())
    finished = _finished(record)
    sections = "".join(_section(chapter, record) for chapter in finished)
    if not finished:
        sections = "<p>No chapter has all its exercises done yet. The pages are empty, and they are yours to fill.</p>"
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{html.escape(name)}: passport of Lantern Park</title>
<style>{_STYLE}</style>
<header>
<p class="small">Fifty Thousand Seats · Lantern Park</p>
<h1>{html.escape(name)}</h1>
<p>{len(finished)} of {len(outline())} chapters, {done} exercises, {len(asked)} predictions with {surprises} surprises,
{minutes} minute{"s" * (minutes != 1)} at work. {date.today():%d %B %Y}.</p>
</header>
{sections}
<p class="small">From the learner's own record. Each exercise was checked by the rows that it left in the database.</p>
</html>
"""


def _section(chapter: Chapter, record: dict[str, Any]) -> str:
    learnt = "".join(f"<li>{_inline(sentence)}</li>" for sentence in chapter.learnt)
    answers = ""
    for number in exercises(chapter.number):
        done = record["exercises"][number]
        help_taken = _HELP.get(done["hints"], "with the solution")
        title = html.escape(done.get("title", ""))
        answers += f'<p><b>{number}</b> {title} <span class="small">({help_taken})</span></p>'
        answers += f"<pre>{html.escape(done['code'])}</pre>" if done.get("code") else ""
    return f"<section><h2>{html.escape(chapter.title)}</h2><ul>{learnt}</ul>{answers}</section>\n"


def _inline(text: str) -> str:
    """The little Markdown that a sentence has: code, bold, italics; of a link, its words."""
    text = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", html.escape(text))
    for mark, tag in (("`", "code"), (r"\*\*", "b"), (r"\*", "i")):
        text = re.sub(f"{mark}(.+?){mark}", rf"<{tag}>\1</{tag}>", text)
    return text
