"""What a prediction looks like: the question, the comparison, the recap of a chapter; as text, and as HTML."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

_TOP = 'style="text-align: left; vertical-align: top; white-space: normal"'


@dataclass
class Question:
    """A question as it stands on the page: what can be said, or what was said and what happened then.

    ``hint`` is a line below it; where somebody can choose, the choices are a widget, and not listed here.
    """

    number: str
    question: str
    options: list[str]
    hint: str = ""
    comparison: Comparison | None = None

    def __str__(self) -> str:
        lines = [f"{self.number} {self.question}", *(f"  ○ {option}" for option in self.options)]
        return "\n".join([*lines, *filter(None, [self.hint]), *([str(self.comparison)] if self.comparison else [])])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        page = f"<p><b>{html.escape(self.number)}</b> {html.escape(self.question)}</p>"
        if self.options:
            options = "".join(f"<li>{html.escape(option)}</li>" for option in self.options)
            page += f'\n<ul style="list-style: circle">{options}</ul>'
        if self.hint:
            page += f"\n<p>{html.escape(self.hint)}</p>"
        return f"{page}\n{self.comparison._repr_html_()}" if self.comparison else page


@dataclass
class Comparison:
    """What was said beside what happened, and why. ``judged`` is what stands in brackets: "a surprise"."""

    said: str
    happened: str
    judged: str
    why: str
    by_default: bool
    afterwards: str = ""

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Heading and text of each."""
        first = "The usual guess" if self.by_default else "You said"
        return [(first, self.said), (f"It happened ({self.judged})", self.happened), ("Why", self.why)]

    def __str__(self) -> str:
        lines = [f"{heading}: {text}" for heading, text in self.columns]
        return "\n".join([*lines, *filter(None, [self.afterwards])])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th {_TOP}>{html.escape(heading)}</th>" for heading, _ in self.columns)
        body = "".join(f"<td {_TOP}>{html.escape(text)}</td>" for _, text in self.columns)
        table = f'<table class="dataframe">\n<thead><tr>{head}</tr></thead>\n<tbody><tr>{body}</tr></tbody>\n</table>'
        return f"{table}\n<p>{html.escape(self.afterwards)}</p>" if self.afterwards else table


@dataclass
class Surprises:
    """The recap of a chapter: the predictions that came out otherwise."""

    chapter: str
    made: int
    others: dict[str, dict[str, Any]]
    by_default: bool

    @property
    def heading(self) -> str:
        """How many predictions there were, and how many surprises."""
        number = f"{self.made} prediction{'s' * (self.made != 1)}"
        return f"Chapter {self.chapter}: {number}, {len(self.others) or 'no'} surprise{'s' * (len(self.others) != 1)}."

    def __str__(self) -> str:
        lines = [
            f"  {number}  {each['question']} Not {each['said']}: {each['happened']}."
            for number, each in self.others.items()
        ]
        return "\n".join([self.heading, *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        heading = f"<p>{html.escape(self.heading)}</p>"
        if not self.others:
            return heading
        names = ["", "Question", "The usual guess" if self.by_default else "You said", "It happened"]
        head = "".join(f"<th {_TOP}>{name}</th>" for name in names)
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td {_TOP}>{html.escape(text)}</td>"
                for text in (number, each["question"], each["said"], each["happened"])
            )
            + "</tr>\n"
            for number, each in self.others.items()
        )
        return (
            f'{heading}\n<table class="dataframe">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>'
        )
