"""A question that a learner can answer, on the page: its words as HTML, which outlive the kernel, and the choice below
them as a widget, which does not."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from .prediction_text import Comparison, Question
from .questions import Prediction, Said

# Takes what was said; gives back a sentence if it was nothing that can be said.
Answer = Callable[[str, Said], str]
# An output as a notebook keeps it.
Bundle = dict[str, Any]

_FIRST = "Choose, then run the next cell. (If a click does nothing here, run this cell again.)"
_GONE = "Error displaying widget"
# A widget ends with its kernel, and the next day JupyterLab shows an error in its place; the line above it will do.
_TIDY = f"""<script>
(() => {{
    const here = document.currentScript, hide = () => {{
        const area = here?.closest?.(".jp-OutputArea");
        for (const each of area?.querySelectorAll(".jupyter-widgets") ?? [])
            if (each.textContent.startsWith("{_GONE}")) each.textContent = "";
        return area;
    }};
    for (const wait of [0, 500, 2000, 8000]) setTimeout(hide, wait);
}})();
</script>"""


def page() -> object:
    """Another one once the notebook is loaded anew while its kernel lives: what older pages were shown under a display
    id cannot be changed any more, and the widgets are all that is left of them."""
    from ipywidgets import Widget

    # A page opens this comm when it asks for the widgets that there are.
    return getattr(Widget, "_control_comm", None)


class _Page(Question):
    """The question on a page where somebody can choose."""

    def _repr_html_(self) -> str:
        return super()._repr_html_() + ("" if self.comparison else f"\n{_TIDY}")


class Card:
    """One question on the page. ``show`` puts it there; what becomes known later changes it in its place."""

    def __init__(self, wanted: Prediction, answer: Answer):
        self._wanted, self._answer = wanted, answer
        self._words_id, self._choice_id = f"words-{uuid4().hex}", f"choice-{uuid4().hex}"
        self._open = False
        self._shown_on: object = None
        self._view: Any = None

    def show(self, said: str | None, comparison: Comparison | None) -> None:
        """Show the question; once the result is known, with what was said and no choice."""
        from IPython.display import display

        if comparison:
            display(self._page("", comparison))
            return
        display(self._page(_noted(said)), display_id=self._words_id)
        self._open = True
        self._view, self._shown_on = self._choice(said), page()
        # Where there is no widget to show, the words above are all.
        display({**self._view._repr_mimebundle_(), "text/plain": ""}, raw=True, display_id=self._choice_id)

    def noted(self, said: str | None) -> None:
        """Say what was chosen; it can still be changed."""
        self._update(self._page(_noted(said)))

    def close(self, said: str | None, comparison: Comparison | None = None) -> None:
        """Offer nothing any more: what was said stays."""
        if not self._open:
            return
        from IPython.display import update_display

        self._update(self._page("" if comparison else f"You said: {said}.", comparison))
        update_display({"text/plain": "", "text/html": ""}, raw=True, display_id=self._choice_id)
        self._open = False
        if page() is not self._shown_on:
            self._say_in_widget(f"You said: {said}.", comparison)

    def show_below(self, outputs: Sequence[Bundle]) -> None:
        """Show a result here, in the widget that was the choice: the place that waits for it is out of reach."""
        import ipywidgets

        self._view.children = (*self._view.children, ipywidgets.Output(outputs=tuple(outputs)))

    def _say_in_widget(self, words: str, comparison: Comparison | None) -> None:
        import ipywidgets

        said = f"<p>{html.escape(words)}</p>" if comparison is None else comparison._repr_html_()
        self._view.children = (ipywidgets.HTML(said),)

    def _page(self, hint: str, comparison: Comparison | None = None) -> Question:
        kind = _Page if self._open or not comparison else Question
        return kind(self._wanted.number, self._wanted.question, [], hint, comparison)

    def _update(self, page: Question) -> None:
        from IPython.display import update_display

        if self._open:
            update_display(page, display_id=self._words_id)

    def _choice(self, said: str | None) -> Any:
        import ipywidgets

        told = ipywidgets.HTML("")

        def chosen(value: Said) -> None:
            told.value = html.escape(self._answer(self._wanted.number, value))

        if self._wanted.options:
            choice = ipywidgets.RadioButtons(
                options=self._wanted.in_order(), value=said, layout={"width": "max-content"}
            )
            choice.observe(lambda change: chosen(change["new"]), names="value")
            return ipywidgets.VBox([choice, told])
        number = ipywidgets.Text(
            placeholder="a number", continuous_update=False, layout={"width": "9em"}, value=(said or "").split(" ")[0]
        )
        number.observe(lambda change: chosen(change["new"]), names="value")
        button = ipywidgets.Button(description="That is my guess")
        # Leaving the field says it already; the button is what people look for.
        button.on_click(lambda _: chosen(number.value))
        return ipywidgets.VBox([ipywidgets.HBox([number, ipywidgets.HTML(self._wanted.unit), button]), told])


def _noted(said: str | None) -> str:
    return _FIRST if said is None else f"You say: {said}. Now run the next cell."
