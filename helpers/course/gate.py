"""The gate between a question and its answer: what a cell shows is held back until the learner has said something.

``%%after 04.1`` marks the cell that shows the answer to prediction 04.1. It runs at once, and what happened is kept in
the learner's record; nobody has to run it again. Its outputs appear when the learner chooses, in the place of a line
that says so, and below them the comparison. A second run shows what it finds, beside what the first run found.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Any, TextIO, cast
from uuid import uuid4

from ..display import cql_magic
from ..display.frontend import somebody_watches
from ..display.showing import show_or_print
from ..lab import cql_answers
from ..lab.errors import LabError
from . import predictions
from .prediction_cards import Bundle, page
from .prediction_text import Comparison
from .questions import Prediction, prediction

Names = Callable[[], Mapping[str, object]]

_HELD = "Choose above; what happened is kept and appears then."
_NOT_ASKED = "Run the cell above and choose there; what happened is kept and appears then."
_OTHERWISE = "That was the first run. The rows are different now: this run found {now}."
_NOTHING = "That was the first run. The rows are different now."


def install(shell: Any) -> None:
    """Let the cells of this shell begin with ``%%after NN.n``, and ``%%cql`` take ``--after NN.n``."""
    shell.register_magic_function(_after, magic_kind="cell", magic_name="after")
    cql_magic.around["after"] = _after_cql


def behind_gate(number: str, run: Callable[[], object], names: Names = dict) -> None:
    """``run`` shows the answer to prediction ``number``; hold it back where a learner has not said anything yet.

    ``names`` gives, after the run, what the prediction's ``happened`` may speak of. An error in ``run`` surfaces, and
    nothing is kept then.
    """
    __tracebackhide__ = True
    wanted = prediction(number)
    if predictions.said_of(wanted) is not None or not somebody_watches():
        run()
        show_or_print(_result(wanted, names))
        return
    with _kept_back() as outputs:
        run()
        afterwards = _note(wanted, names)
    ids, here = _placeholders(wanted, len(outputs) + 1), page()

    def reveal() -> list[Bundle]:
        for place, output in zip(ids, outputs, strict=False):
            output.update(place)
        result = predictions.comparison(wanted)
        assert result is not None
        result.afterwards = afterwards
        _update(result, ids[-1])
        return [] if page() is here else [*(each.kept() for each in outputs), _kept(result)]

    predictions.reveal_when_chosen(wanted, reveal)


def _result(wanted: Prediction, names: Names) -> Comparison:
    """What is shown below a result that is not held back; where nobody watches, the usual guess is taken."""
    afterwards = _note(wanted, names)
    if predictions.said_of(wanted) is None:
        predictions.keep(wanted, said=wanted.usual)
    if predictions.settled(wanted) is None:
        predictions.settle(wanted)
    predictions.seen(wanted)
    result = predictions.comparison(wanted)
    assert result is not None
    result.afterwards = afterwards
    return result


def _note(wanted: Prediction, names: Names) -> str:
    """Keep what happened, on the first run; on a later one a sentence, if this run found something else."""
    mine = predictions.settled(wanted)
    first = mine["happened"] if mine else predictions.known(wanted).get("happened")
    if first is None:
        predictions.keep(wanted, happened=wanted.outcome(_value(wanted, names)))
        return ""
    first = first if mine else wanted.in_words(first)
    try:
        now = wanted.in_words(wanted.outcome(_value(wanted, names)))
    except LabError:
        return _NOTHING
    return "" if now == first else _OTHERWISE.format(now=now)


def _value(wanted: Prediction, names: Names) -> object:
    try:
        return eval(wanted.happened, dict(names()))
    except Exception as error:
        raise LabError(
            f"What happened could not be found ({type(error).__name__}: {error}): "
            "run the cells above in their order, then this one again."
        ) from error


def _after(line: str, cell: str) -> None:
    """Run the rest of this cell; it shows the answer to the prediction whose number stands in its first line."""
    __tracebackhide__ = True
    shell = _shell()
    number = line.strip()
    prediction(number)
    source = shell.transform_cell(cell)
    name = shell.compile.cache(source)
    tree = ast.parse(source, name)
    behind_gate(number, lambda: _execute(shell, tree, name), lambda: shell.user_ns)


def _after_cql(number: str, run: Callable[[], None]) -> None:
    """``run`` shows a ``%%cql`` cell that answers a prediction: ``rows``, ``applied`` and ``error`` are its."""

    def names() -> dict[str, object]:
        here = cql_answers.last
        came = {"rows": here.rows, "applied": here.applied, "error": here.error} if here else {}
        return {**_shell().user_ns, **came}

    behind_gate(number, run, names)


def _execute(shell: Any, tree: ast.Module, name: str) -> None:
    """Run a cell's statements, and show the value of a last expression, as a cell does."""
    __tracebackhide__ = True
    last = tree.body[-1:] if tree.body and isinstance(tree.body[-1], ast.Expr) else []
    first = ast.Module(tree.body[: len(tree.body) - len(last)], [])
    exec(shell.compile(first, name, "exec"), shell.user_ns)
    if last:
        exec(shell.compile(ast.Interactive(last), name, "single"), shell.user_ns)
    # Pictures that matplotlib would show when the cell ends belong to what it shows now.
    inline = sys.modules.get("matplotlib_inline.backend_inline")
    if inline is not None:
        inline.flush_figures()


@dataclass
class _Output:
    """Something that a cell has shown: a bundle of forms, or printed text, which is joined to the text before it."""

    data: Bundle
    metadata: Bundle = field(default_factory=dict)
    printed: bool = False

    def update(self, display_id: str) -> None:
        """Show it in the place of a line that stands on the page."""
        from IPython.display import update_display

        update_display(self.data, metadata=self.metadata, display_id=display_id, raw=True)

    def kept(self) -> Bundle:
        """As a notebook keeps it."""
        if self.printed:
            return {"output_type": "stream", "name": "stdout", "text": self.data["text/plain"]}
        return {"output_type": "display_data", "data": self.data, "metadata": self.metadata}

    def publish(self) -> None:
        """Show it as if it had never been held back."""
        if self.printed:
            print(self.data["text/plain"], end="")
            return
        from IPython.display import display

        display(self.data, metadata=self.metadata, raw=True)


class _Printed:
    """A stream that adds what is printed to the list of what was shown, in its place among the rest."""

    def __init__(self, raw: list[Bundle]):
        self._raw = raw

    def write(self, text: str) -> int:
        """Add ``text``."""
        self._raw.append({"printed": text})
        return len(text)

    def flush(self) -> None:
        """All is there already."""

    def isatty(self) -> bool:
        """A list is no terminal."""
        return False


@contextmanager
def _kept_back() -> Iterator[list[_Output]]:
    """Collect what is shown meanwhile; it is there at the end. Where an error ends it, all is shown after all."""
    from IPython.utils.capture import capture_output

    outputs: list[_Output] = []
    raw: list[Bundle] = []
    try:
        # Standard error stays: it has progress, and no answer.
        with capture_output(stdout=False, stderr=False, display=True):
            raw = _shell().display_pub.outputs
            with redirect_stdout(cast(TextIO, _Printed(raw))):
                yield outputs
    except BaseException:
        for each in _in_the_end(raw):
            each.publish()
        raise
    outputs += _in_the_end(raw)


def _in_the_end(raw: list[Bundle]) -> list[_Output]:
    """What would stand below the cell in the end: updates made, printed pieces joined."""
    outputs: list[_Output] = []
    places: dict[str, _Output] = {}
    for each in raw:
        if "printed" in each:
            if outputs and outputs[-1].printed:
                outputs[-1].data["text/plain"] += each["printed"]
            else:
                outputs.append(_Output({"text/plain": each["printed"]}, printed=True))
            continue
        place = (each.get("transient") or {}).get("display_id")
        data, metadata = each["data"], each.get("metadata") or {}
        if each.get("update"):
            if place in places:
                places[place].data, places[place].metadata = data, metadata
            continue
        outputs.append(_Output(data, metadata))
        if place:
            places[place] = outputs[-1]
    return outputs


def _placeholders(wanted: Prediction, number: int) -> list[str]:
    """Show the line that stands for the result, and keep as many places as it needs; their ids."""
    from IPython.display import display

    ids = [f"after-{wanted.number}-{uuid4().hex}" for _ in range(number)]
    words = _HELD if predictions.is_on_the_page(wanted) else _NOT_ASKED
    display({"text/plain": words, "text/html": f"<p><i>{words}</i></p>"}, raw=True, display_id=ids[0])
    for each in ids[1:]:
        display({"text/plain": "", "text/html": ""}, raw=True, display_id=each)
    return ids


def _update(shown: object, display_id: str) -> None:
    from IPython.display import update_display

    update_display(shown, display_id=display_id)


def _kept(shown: object) -> Bundle:
    data, metadata = _shell().display_formatter.format(shown)
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def _shell() -> Any:
    from IPython import get_ipython

    return get_ipython()
