"""Executes the workbook headlessly: ``seats run [--seats N] [--only 03] [--output out]``.

Each notebook is executed into the output folder, and a failure does not keep the others from running. On the embedded
node it uses a node of its own with no past, so that nobody's own work is touched; SCYLLA_HOSTS names another server.
Files that no run has written are never overwritten or removed. Exit code 1 when a notebook failed, 2 when it cannot
run at all: a wrong argument, or a folder that cannot be written.
"""

from __future__ import annotations

import argparse
import html
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.lab.errors import LabError
from helpers.lab.settings import Settings
from tools.arguments import Arguments, seats
from tools.environment import ROOT
from tools.results import Results, ResultsError, remove

NOTEBOOKS = ROOT / "notebooks"
TITLE = "Fifty Thousand Seats, executed"


@dataclass(frozen=True)
class Run:
    """How one notebook went; ``failure`` is None, or says in which cell, under which heading, and why it failed."""

    notebook: Path
    output: Path
    seconds: float
    failure: str | None = None


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    try:
        notebooks = chosen(options.only)
        refuse_too_few(options.seats, notebooks)
        Settings.from_environment()  # a misspelt variable is said now, and not by every notebook
        results = Results(options.output.resolve()).open()
        names = [notebook.name for notebook in notebooks]
        *targets, page, node = results.claim(*names, "report.html", "embedded", known=is_result)
    except (LabError, ResultsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    runs: list[Run] = []
    try:
        with _private_node(node):
            for notebook, target in zip(notebooks, targets, strict=True):
                runs.append(_told(execute(notebook, target, seats=options.seats)))
    except KeyboardInterrupt:
        print(f"\nInterrupted after {len(runs)} of {len(notebooks)} notebooks.", file=sys.stderr)
        return 130
    finally:
        if runs:
            page.write_text(report(runs), encoding="utf-8")
    total = sum(run.seconds for run in runs)
    failed = [run for run in runs if run.failure]
    print(f"{len(runs) - len(failed)} of {len(runs)} notebooks ran well in {total:.1f} s; see {page}")
    return 1 if failed else 0


def chosen(only: list[str]) -> list[Path]:
    """The notebooks in the order of the course; of them those whose name begins with one of ``only``, if any."""
    known = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
    for start in only:
        if not any(path.name.startswith(start) for path in known):
            raise LabError(f"No notebook begins with {start!r}. There are: {', '.join(path.stem for path in known)}.")
    return [path for path in known if not only or path.name.startswith(tuple(only))]


def least_seats(notebook: Path) -> int:
    """The smallest venue in which a notebook runs, and what it tells of its seats is true."""
    from helpers.course.outline import read_chapter  # it needs packages, which --help does not

    return read_chapter(notebook).least_seats


def refuse_too_few(seats: int | None, notebooks: list[Path]) -> None:
    """A LabError that names the least number, if one of the notebooks cannot do with so few seats."""
    least = {notebook.stem: least_seats(notebook) for notebook in notebooks}
    needing = [name for name, number in least.items() if seats is not None and seats < number]
    if needing:
        raise LabError(
            f"{seats:,} seat{'s are' if seats != 1 else ' is'} too few for {', '.join(needing)}: "
            f"give at least {max(least.values()):,}."
        )


def execute(notebook: Path, target: Path, *, seats: int | None = None) -> Run:
    """Execute one notebook into the file ``target``, with ``seats`` seats where its parameters cell knows them."""
    leave_out_iri_grammar()
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    known = papermill.inspect_notebook(str(notebook))
    parameters = {"seats": seats} if seats is not None and "seats" in known else {}
    begin, failure = time.perf_counter(), None
    try:
        papermill.execute_notebook(
            str(notebook),
            str(target),
            parameters=parameters,
            cwd=str(NOTEBOOKS),
            kernel_name="python3",
            progress_bar=False,
            extra_arguments=["--log-level=ERROR"],
        )
    except PapermillExecutionError as error:
        heading = heading_above(target, error.cell_index)
        failure = f"cell [{error.exec_count}], under {heading!r}: {error.ename}: {error.evalue}"
    except DeadKernelError:
        failure = "its kernel died"
    except Exception as error:  # whatever is wrong with one notebook, the others are executed
        failure = f"{type(error).__name__}: {error}"
    return Run(notebook, target, time.perf_counter() - begin, failure)


def leave_out_iri_grammar() -> None:
    """Call it before the first import of nbformat.

    It, and papermill with it, is then there some three seconds sooner: nbformat imports jsonschema, and that one builds
    forty parsers for internationalised addresses when it finds rfc3987-syntax, which JupyterLab brings along. A
    notebook's schema has no such address, so nothing asks them; jsonschema does without them as if the package was not
    installed.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def is_result(path: Path) -> bool:
    """Is it an executed notebook or a report of one, by its contents?"""
    try:
        text = path.read_text(encoding="utf-8")
        return f"<title>{TITLE}</title>" in text or "papermill" in json.loads(text)["metadata"]
    except (OSError, ValueError, LookupError, TypeError):
        return False


def heading_above(notebook: Path, cell: int) -> str:
    """The nearest heading above cell number ``cell`` of an executed notebook."""
    import nbformat

    cells: list[Any] = nbformat.read(notebook, as_version=4).cells
    for each in reversed(cells[: cell + 1]):
        # The warnings that papermill puts into a failed notebook are no headings of the course.
        if each.cell_type != "markdown" or "papermill-error-cell-tag" in each.metadata.get("tags", []):
            continue
        headings = [line.lstrip("# ") for line in each.source.splitlines() if line.startswith("#")]
        if headings:
            return str(headings[-1])
    return "the beginning"


def report(runs: list[Run]) -> str:
    """A page with a line for each notebook: its name, linked to the executed one, its seconds, and its failure."""
    lines = "\n".join(
        f'<tr><td><a href="{html.escape(run.output.name)}">{html.escape(run.notebook.stem)}</a></td>'
        f'<td style="text-align: right">{run.seconds:.1f}</td>'
        f"<td>{html.escape(run.failure or 'ran well')}</td></tr>"
        for run in runs
    )
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{TITLE}</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }}
table {{ border-collapse: collapse }}
td, th {{ padding: .3rem .8rem; border-bottom: 1px solid #8886; text-align: left }}
:root {{ color-scheme: light dark }}</style>
<h1>{TITLE}</h1>
<p>{time.strftime("%Y-%m-%d %H:%M")}, Python {sys.version.split()[0]},
{html.escape(os.environ.get("SCYLLA_HOSTS") or "embedded node")}, {sum(run.seconds for run in runs):.1f} s</p>
<table><thead><tr><th>notebook</th><th>seconds</th><th>outcome</th></tr></thead><tbody>
{lines}
</tbody></table></html>
"""


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = Arguments(prog="seats run", description="Execute the workbook headlessly.")
    parser.add_argument("--seats", type=seats, help="size of the venue (each notebook's own number)")
    parser.add_argument("--only", action="append", default=[], metavar="START", help="begin of a notebook's name: 03")
    parser.add_argument("--output", type=Path, default=ROOT / "out", help="folder for what was executed (out)")
    return parser.parse_args(arguments)


@contextmanager
def _private_node(folder: Path) -> Iterator[None]:
    """An embedded node for this run alone, in ``folder``; it is ended and removed afterwards, however that comes."""
    before = {name: os.environ.get(name) for name in ("EMBEDDED_DIR", "HELPERS_PROGRESS")}
    os.environ |= {"EMBEDDED_DIR": str(folder), "HELPERS_PROGRESS": "off"}
    usual = signal.signal(signal.SIGTERM, _interrupt)
    _remove_node()  # one that a killed run left behind
    try:
        yield
    finally:
        _remove_node()
        signal.signal(signal.SIGTERM, usual)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def _remove_node() -> None:
    from helpers.lab.node import stop_node

    stop_node()
    remove(Path(os.environ["EMBEDDED_DIR"]))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _told(run: Run) -> Run:
    print(f"{run.notebook.stem:<36} {run.seconds:6.1f} s  {run.failure or 'ran well'}", flush=True)
    return run


if __name__ == "__main__":
    sys.exit(main())
