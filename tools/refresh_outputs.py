"""Executes notebooks in place and leaves them as they are committed: outputs fresh, everything volatile gone.

    python tools/refresh_outputs.py                     all notebooks
    python tools/refresh_outputs.py notebooks/00*.ipynb
    python tools/refresh_outputs.py --clean             execute nothing; only take out what is volatile (a commit hook)

Each notebook runs in a kernel of its own, at the values of its parameters cell, against an embedded node that lives in
a temporary folder: neither a learner's own node nor a cluster named by SCYLLA_HOSTS is touched. A notebook in which a
cell fails is left as it was, the cell is named, and the exit code is 1.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from tools.arguments import Arguments  # noqa: E402
from tools.private_node import private_node  # noqa: E402

NOTEBOOKS = PROJECT / "notebooks"
CELL_SECONDS = 1_800

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    # What a kernel writes, without its version: nbconvert and editors go by it.
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}
# What a presenter's notes say about a cell; presenter/marks.py writes it.
PRESENTED = {"presenter", "slideshow"}
# What an author says about a cell; the rest is a tool's.
CELL_METADATA = {"tags", "jupyter"} | PRESENTED
WIDGET = "application/vnd.jupyter.widget-view+json"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Take out of an executed notebook whatever differs from run to run and from machine to machine; in place."""
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    count = 0
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({key: cell.metadata[key] for key in CELL_METADATA & set(cell.metadata)})
        if cell.cell_type != "code":
            continue
        cell.outputs = list(_lasting(cell.outputs))
        if cell.execution_count is not None:
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count
    return notebook


def _lasting(outputs: list[NotebookNode]) -> Iterator[NotebookNode]:
    """The outputs that stay: no progress bars, no live widgets, and what was printed in pieces as one piece."""
    printed: NotebookNode | None = None
    for output in outputs:
        if output.output_type == "stream":
            if output.name == "stderr":
                continue
            if printed is not None:
                printed.text += output.text
                continue
            printed = output
        # A widget without its kernel is an empty box; the picture that is drawn before it says the same.
        elif WIDGET in output.get("data", {}):
            continue
        else:
            printed = None
        yield output


def read(path: Path) -> NotebookNode:
    """The notebook in a file; a ValueError, beside what opening a file may raise, when it is none."""
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
        return notebook
    except OSError:
        raise
    except Exception as error:  # nbformat stumbles over what is no notebook in many ways
        raise ValueError(f"it is no notebook ({str(error).splitlines()[0][:200]})") from error


def execute(path: Path) -> None:
    """Run one notebook and write it back; CellExecutionError when a cell fails, and then the file is as it was."""
    notebook = read(path)
    NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=False,
        record_timing=False,
    ).execute()
    normalise(notebook)
    write(notebook, path)


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook as it is committed: valid, with one line end at its end, and whole or not at all."""
    nbformat.validate(notebook)
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_text(nbformat.writes(notebook).rstrip("\n") + "\n", encoding="utf-8", newline="\n")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(description="Execute notebooks in place and normalise what is committed.")
    parser.add_argument("notebook", nargs="*", type=Path, help="notebooks to execute (all of notebooks/)")
    parser.add_argument("--clean", action="store_true", help="take out what is volatile, and execute nothing")
    options = parser.parse_args(arguments)
    paths = options.notebook or sorted(NOTEBOOKS.glob("*.ipynb"))
    for path in paths:
        if not path.is_file():
            print(f"There is no {path}.", file=sys.stderr)
            return 2
    try:
        return max([_refresh(path, execute_it=not options.clean) for path in paths], default=0)
    except KeyboardInterrupt:
        print("\nInterrupted: the notebook at hand is left as it was.", file=sys.stderr)
        return 130


def _refresh(path: Path, *, execute_it: bool) -> int:
    """Refresh one notebook; the exit code. One that cannot be refreshed is left as it was, and named."""
    try:
        if not execute_it:
            write(normalise(read(path)), path)
            return 0
        with private_node():
            execute(path)
    except CellExecutionError as error:
        reason = f"a cell fails\n{_COLOURS.sub('', str(error))}"
    except DeadKernelError:
        reason = "its kernel died"
    except CellTimeoutError:
        reason = f"a cell takes more than {CELL_SECONDS} s"
    except (OSError, ValueError, nbformat.ValidationError) as error:
        reason = f"it cannot be read or written: {str(error).splitlines()[0]}"
    else:
        print(f"{path.name}: fresh")
        return 0
    print(f"{path.name}: left as it was, because {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
