"""The one exception of this package: a sentence about what is wrong and what to do."""

from __future__ import annotations


class LabError(RuntimeError):
    """Something a learner can fix; the message is one clear sentence, or two.

    In a notebook only the sentence is shown: where in this package it was raised helps nobody.
    """

    def _render_traceback_(self) -> list[str]:
        """IPython's hook: the lines to show in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]
