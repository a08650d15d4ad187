"""What the night's auditor says, as a table: seat by seat what went wrong, or that the books balance."""

from __future__ import annotations

import html
from collections.abc import Sequence

from ..display.formatting import paragraph
from .books import Fault

_MOST = 12


class Verdict:
    """``faults`` are where and what; empty when the books balance. A notebook shows it as a table."""

    def __init__(self, faults: Sequence[Fault], when: str, summary: str = "") -> None:
        self.faults, self.when, self.summary = list(faults), when, summary

    def __bool__(self) -> bool:
        return not self.faults

    @property
    def heading(self) -> str:
        """The verdict in a line."""
        if not self.faults:
            return f"✓ The books balance. {self.summary}"
        number = len(self.faults)
        return f"✗ {number} thing{'s' * (number != 1)} went wrong {self.when}."

    @property
    def left_out(self) -> str:
        """How many are not shown."""
        more = len(self.faults) - _MOST
        return f"… and {more} more." if more > 0 else ""

    def __str__(self) -> str:
        lines = [self.heading, *(f"  {fault}" for fault in self.faults[:_MOST]), self.left_out]
        return paragraph("\n".join(line for line in lines if line))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th scope="row" style="text-align: left; white-space: nowrap">{html.escape(where)}</th>'
            f'<td style="text-align: left; white-space: normal">{html.escape(what)}</td></tr>\n'
            for where, what in self.faults[:_MOST]
        )
        table = f'<table class="dataframe">\n<tbody>\n{rows}</tbody>\n</table>' if rows else ""
        return f"<p>{html.escape(self.heading)}</p>\n{table}\n<p>{self.left_out}</p>"
