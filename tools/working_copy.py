"""A learner's own copy of the notebooks, in `my/`: without outputs, ignored by git, and never overwritten.

    python tools/working_copy.py              make what is missing there; say which chapters have changed since
    python tools/working_copy.py --take 04    take a chapter as it is now; the copy that was there is kept beside it
    python tools/working_copy.py --here       let the kernels of this environment (conda's, your own) load the course

The notebooks in `notebooks/` are the printed edition: there the outputs stand, and with them every answer. Links lead
to the same places from both folders, as long as JupyterLab's root is the project. `my/.made-from.json` has, for each
file, the hash of what it was made from; outputs do not count.

Prints the folder to open on standard output, and everything else on standard error.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Set
from contextlib import ExitStack, suppress
from itertools import chain, count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from helpers.lab.errors import LabError
from helpers.lab.filelock import locked, put_in_place
from tools.arguments import Arguments
from tools.environment import ROOT, Environment
from tools.make_venv import SetupError, lead_here

PRINTED = ROOT / "notebooks"
MINE = ROOT / "my"
MANIFEST = ".made-from.json"
# The presenter's metadata of a cell: no learner's copy has it, or changes with it.
PRESENTED = {"presenter", "slideshow"}
EVERYTHING = "all"


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="python tools/working_copy.py", description="Make or complete your copy of the notebooks.")
    parser.add_argument(
        "--take", nargs="+", default=[], metavar="04", help=f"chapters to take as they are now, or {EVERYTHING!r}"
    )
    parser.add_argument(
        "--here", action="store_true", help="let the kernels of the environment that runs this load the course"
    )
    options = parser.parse_args(arguments)
    try:
        if options.here:
            lead_here(Environment(Path(sys.prefix)))
        wanted = names_of([each for given in options.take for each in re.split(r"[,\s]+", given) if each])
        folder = complete(wanted)
    except (SetupError, LabError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(folder.name)
    return 0


def complete(take: Set[str] = frozenset(), *, mine: Path = MINE, printed: Path = PRINTED) -> Path:
    """Complete the working copy, take the files named in ``take`` anew, and return the folder to open.

    That is the printed edition where nothing can be written, which is said.
    """
    try:
        first = not mine.is_dir()
        mine.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            with suppress(OSError):  # where files cannot be locked, two at once is too rare to be kept from
                stack.enter_context(locked(mine / ".lock", why="complete your copy of the notebooks"))
            changed = _complete(mine, printed, take)
    except OSError as error:
        _say(
            f"Your copy of the notebooks cannot be written to {mine} ({error.strerror or error}): the printed edition "
            "is opened, with all answers in it."
        )
        return printed
    if first:
        _say(f"{mine.name}/ is your copy of the notebooks, without the answers. Git does not look at it.")
    if changed:
        number = changed[0].split("_")[0]
        _say(
            f"Changed since your copy was made: {', '.join(changed)}. Yours stay as they are. To take one as it is now "
            f"(yours is kept beside it): make lab TAKE={number}, without make: python tools/working_copy.py "
            f"--take {number}. {EVERYTHING.capitalize()} of them: {EVERYTHING!r} in place of the number."
        )
    return mine


def _complete(mine: Path, printed: Path, take: Set[str]) -> list[str]:
    """Make what is missing and take what is wanted; the names of those that have changed and stay."""
    made_from = before = _manifest(mine)
    changed = []
    for name, text in _editions(printed).items():
        path, hash_ = mine / name, _hash(text)
        there = _text(path)
        is_current = there is None or made_from.get(name) == hash_ or _without_outputs(there) == text
        if there is not None and there != text and (name in take or (EVERYTHING in take and not is_current)):
            _keep(path, untouched=_hash(there) == made_from.get(name))
            there = None
        if there is None:
            _write(path, text)
        elif not is_current:
            changed.append(name)
            continue
        made_from = made_from | {name: hash_}
    if made_from != before:
        _write(mine / MANIFEST, json.dumps(made_from, indent=1, sort_keys=True) + "\n")
    return changed


def _editions(printed: Path) -> dict[str, str]:
    """File → its text as a working copy begins with it: every notebook, and what stands beside them."""
    paths = sorted([*printed.glob("[0-9]*.ipynb"), *printed.glob("*.md")])
    return {path.name: _without_outputs(path.read_text(encoding="utf-8")) for path in paths}


def _without_outputs(text: str) -> str:
    """A notebook's text without what its cells have printed and a presenter notes; any other text as it is."""
    try:
        notebook = json.loads(text)
        for cell in notebook["cells"]:
            for name in PRESENTED & set(cell["metadata"]):
                del cell["metadata"][name]
            if cell["cell_type"] == "code":
                cell["outputs"], cell["execution_count"] = [], None
    except (ValueError, LookupError, TypeError):
        return text
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def names_of(chapters: list[str]) -> set[str]:
    """The files of these chapters, by number ("04", "4") or by name; LabError for one that there is not."""
    known = sorted(path.name for path in PRINTED.glob("[0-9]*.ipynb"))
    names = set()
    for each in chapters:
        number = f"0{each}" if re.fullmatch(r"\d[a-z]?", each) else each
        found = [name for name in known if number in (name, name.split("_")[0], Path(name).stem)]
        if not found and each != EVERYTHING:
            numbers = ", ".join(name.split("_")[0] for name in known)
            raise LabError(f"There is no chapter {each!r} to take. There are: {numbers}, and {EVERYTHING!r}.")
        names |= set(found) or {EVERYTHING}
    return names


def _keep(path: Path, *, untouched: bool) -> None:
    """Move a learner's copy out of the way, under a name that nothing has; one in which nobody has written may go."""
    if untouched:
        return
    suffixes = chain([""], (f"-{number}" for number in count(2)))
    names = (path.with_name(f"{path.stem}.mine{suffix}{path.suffix}") for suffix in suffixes)
    kept = next(name for name in names if not name.exists())
    path.rename(kept)
    _say(f"{path.name} is taken as it is now; yours is kept as {kept.name}.")


def _manifest(mine: Path) -> dict[str, str]:
    """File → the hash of what it was made from. Without it every copy that differs counts as changed, and stays."""
    try:
        found = json.loads((mine / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _text(path: Path) -> str | None:
    """What stands in a file, be it what it may; None where there is none."""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None


def _write(path: Path, text: str) -> None:
    """Written beside and moved into place: whenever it is interrupted, there is a whole file or none."""
    draft = path.with_name(f".{path.name.lstrip('.')}.new")
    draft.write_bytes(text.encode("utf-8"))
    put_in_place(draft, path)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
