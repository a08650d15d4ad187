"""``show`` prints rows, ``show_error`` what a server refuses, both in a form that is the same in every run."""

from __future__ import annotations

import html
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..lab.cql_answers import MOST_ROWS
from ..lab.errors import LabError
from ..lab.server_errors import inner_error
from .formatting import Formatter, paragraph
from .refusals import refusal_lines

if TYPE_CHECKING:
    import pandas


class Table:
    """Rows as text, in columns: as HTML in a notebook, plain elsewhere, and the same words in both."""

    def __init__(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool], left_out: int = 0
    ):
        self.columns, self.rows, self.numeric, self.left_out = list(columns), rows, list(numeric), left_out

    def __str__(self) -> str:
        widths = [max([len(name), *(len(row[i]) for row in self.rows)]) for i, name in enumerate(self.columns)]
        lines = [self.columns, *self.rows]
        text = [
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(line, widths, self.numeric, strict=True)
            ).rstrip()
            for line in lines
        ]
        text.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join([*text, self.footer])

    __repr__ = __str__

    @property
    def footer(self) -> str:
        """How many rows there are: "(3 rows)", and how many of them are not shown."""
        number = len(self.rows) + self.left_out
        more = f", the first {len(self.rows)} shown" if self.left_out else ""
        return f"({number:,} row{'s' * (number != 1)}{more})"

    def _repr_html_(self) -> str:
        align = ["right" if right else "left" for right in self.numeric]
        head = "".join(_cell('th scope="col"', name, side) for name, side in zip(self.columns, align, strict=True))
        body = "".join(
            "<tr>" + "".join(_cell("td", cell, side) for cell, side in zip(row, align, strict=True)) + "</tr>\n"
            for row in self.rows
        )
        return (
            f'<table class="dataframe">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n'
            f"<p>{self.footer}</p>"
        )


def show(
    rows: Any,
    *columns: str,
    sort: str | Sequence[str] | None = None,
    limit: int = MOST_ROWS,
) -> None:
    """Print rows as a table: what ``session.execute`` returned, a list of rows or dicts, or a DataFrame.

    Rows keep the server's order unless ``sort`` names one or several columns; ``columns`` picks some; at most ``limit``
    are printed. Ids are printed as names, a remaining TTL as "~15 min", a moment near to now as "now".

    >>> show(session.execute("SELECT ticket_id, status FROM tickets LIMIT 2"))
    ticket_id  status
    ---------  ---------
    U07 J-31   available
    L11 B-7    available
    (2 rows)
    """
    show_or_print(table_of(rows, columns, sort=sort, limit=limit))


def table_of(
    rows: Any, columns: Sequence[str] = (), *, sort: str | Sequence[str] | None = None, limit: int = MOST_ROWS
) -> Table:
    """The table that ``show`` prints."""
    names, records = _records(rows)
    unknown = [name for name in [*columns, *([sort] if isinstance(sort, str) else sort or [])] if name not in names]
    if unknown:
        raise LabError(f"These rows have no column {unknown[0]!r}. They have: {', '.join(names)}.")
    if sort:
        places = [names.index(name) for name in ([sort] if isinstance(sort, str) else sort)]
        records.sort(key=lambda record: [(record[i] is not None, record[i]) for i in places])
    chosen = list(columns) or names
    places = [names.index(name) for name in chosen]
    shown, formatter = records[:limit], Formatter()
    cells = [[formatter.format(record[i], names[i]) for i in places] for record in shown]
    numeric = [_is_numeric([record[i] for record in shown]) for i in places]
    return Table(chosen, cells, numeric, len(records) - len(shown))


def show_error(action: Callable[[], object]) -> None:
    """Run ``action`` and print how it is refused: the class of the error, the server's own sentence, and its meaning.

    >>> show_error(lambda: session.execute("SELECT * FROM tickets WHERE status = 'sold'"))
    InvalidRequest: Cannot execute this query as it might involve data filtering …
    → No key says where these rows are: every row would have to be looked at.
    """
    try:
        action()
    except Exception as error:
        for line in refusal_lines(inner_error(error)):
            print(paragraph(line))
    else:
        print("No error: it ran.")


def _records(rows: Any) -> tuple[list[str], list[list[Any]]]:
    if hasattr(rows, "itertuples"):
        return _from_dataframe(rows)
    names = list(getattr(rows, "column_names", None) or [])
    records = list(rows) if isinstance(rows, Iterable) and not isinstance(rows, str | Mapping) else [rows]
    if not records:
        return names, []
    first = records[0]
    if isinstance(first, Mapping):
        names = names or list(first)
        return names, [[record[name] for name in names] for record in records]
    if hasattr(first, "_fields"):
        return names or list(first._fields), [list(record) for record in records]
    if hasattr(first, "__dataclass_fields__"):
        names = list(first.__dataclass_fields__)
        return names, [[getattr(record, name) for name in names] for record in records]
    if isinstance(first, tuple | list):
        return names or [f"column {i + 1}" for i in range(len(first))], [list(record) for record in records]
    return names or ["value"], [[record] for record in records]


def _from_dataframe(frame: pandas.DataFrame) -> tuple[list[str], list[list[Any]]]:
    if frame.index.name is not None:
        frame = frame.reset_index()
    names = [str(name) for name in frame.columns]
    # object keeps whole numbers whole; a missing value, NaN or NaT, is a null.
    frame = frame.astype(object).where(frame.notna(), None)
    return names, [list(record) for record in frame.itertuples(index=False, name=None)]


def _is_numeric(values: list[Any]) -> bool:
    there = [value for value in values if value is not None]
    return bool(there) and all(
        isinstance(each, int | float | Decimal) and not isinstance(each, bool | Enum) for each in there
    )


def _cell(tag: str, text: str, align: str) -> str:
    return f'<{tag} style="text-align: {align}">{html.escape(text)}</{tag.split()[0]}>'


def show_or_print(table: Any) -> None:
    """Display an object with a text and an HTML form: both in a notebook, the text elsewhere."""
    if "IPython" in sys.modules:
        from IPython import get_ipython
        from IPython.display import display

        if get_ipython() is not None:
            display(table)
            return
    print(table)
