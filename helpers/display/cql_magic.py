"""``%%cql``: a cell that is CQL, and ``%cql``, a line of it: run on the notebook's session, and what comes back shown.

``lab/cql_cell.py`` reads the cell, ``lab/cql_answers.py`` gives its markers their values and asks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from ..lab import cql_answers, cql_cell
from ..lab.cql_answers import MOST_ROWS, Answer
from ..lab.cql_cell import Cell, Options
from ..lab.errors import LabError
from .cql_completion import install as install_completion
from .formatting import paragraph
from .frontend import somebody_watches
from .refusals import refusal_lines
from .showing import Table, show_or_print, table_of
from .traces import count_rows, steps_of

if TYPE_CHECKING:
    from cassandra.cluster import Session

# Who comes between a cell and its run: "after" and "solution", each called with the option's number and with what runs
# the cell and shows it. The rooms above put theirs in.
around: dict[str, Callable[[str, Callable[[], None]], None]] = {}
# What keeps the statements of a cell that belongs to a learner's design: such a cell is not run.
keep_design: Callable[[str, Session], None] | None = None


def install(shell: Any) -> None:
    """Register the cell's and the line's magic with this IPython, and what completes them; twice does no harm."""
    from IPython.core.magic import no_var_expand

    # {'enabled': true} is CQL: IPython is not to put a variable of Python into it.
    shell.register_magic_function(no_var_expand(cql), "line_cell", "cql")
    if _with_a_body not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.insert(0, _with_a_body)
    install_completion(shell)
    # Where session.execute(…) ends a cell, its rows are shown and not the address of an object.
    formatters = shell.display_formatter.formatters
    formatters["text/plain"].for_type_by_name("cassandra.cluster", "ResultSet", _print_result)
    formatters["text/html"].for_type_by_name("cassandra.cluster", "ResultSet", _result_as_html)


def cql(line: str, cell: str | None = None) -> None:
    """Run CQL on the notebook's session: a cell of it below ``%%cql``, or a line behind ``%cql``.

    ``:event_id`` is the notebook's variable event_id, sent as a value. On the line of ``%%cql`` may stand:
    ``result <<`` (keep the rows under this name, all pages of them), ``--each tickets`` (run once for each item),
    ``--consistency QUORUM``, ``--serial LOCAL_SERIAL``, ``--trace`` (the server's steps), ``--raw`` (the bytes that it
    sent), and of a table ``--limit 20``, ``--columns ticket_id,status``, ``--sort price``.
    """
    from IPython import get_ipython

    names = get_ipython().user_ns
    cql_answers.last = None
    try:
        asked = cql_cell.read(line, cell)
        run: Callable[[], None] = partial(_run, asked, names)
        if asked.options.design and keep_design is not None:
            run = partial(keep_design, cell or "", _session(names))
        for option in ("solution", "after"):
            number = getattr(asked.options, option)
            if number is not None and option in around:
                run = partial(around[option], number, run)
        run()
    except LabError as error:
        # A learner reads a sentence and goes on; a program that runs the notebook is to stop.
        if not somebody_watches():
            raise
        print(paragraph(str(error)))


def _table_of_result(result: Any) -> Table | None:
    """The first page of a result, which stays to be read; None where a statement returns no rows."""
    if not result.column_names:
        return None
    return table_of(cql_answers.Rows(result.current_rows, result.column_names))


def _print_result(result: Any, printer: Any, cycle: bool) -> None:
    printer.text(str(_table_of_result(result) or "Done: this statement returns no rows."))


def _result_as_html(result: Any) -> str | None:
    table = _table_of_result(result)
    return table._repr_html_() if table else None


def _run(asked: Cell, names: dict[str, Any]) -> None:
    if not asked.statements:
        print("Nothing was sent: there is no statement in this cell yet.")
    answered = []
    for answer in cql_answers.answers(_session(names), asked, names) if asked.statements else ():
        answered.append(answer)
        _show(answer, asked.options)
    if asked.statements and not answered:
        print(f"Nothing was sent: {asked.options.each} is empty.")
    cql_answers.last = cql_answers.outcome(asked, answered)
    if asked.options.keep:
        names[asked.options.keep] = cql_answers.kept(answered)


def _session(names: dict[str, Any]) -> Session:
    session = names.get("session")
    if not hasattr(session, "execute"):
        raise LabError("There is no session yet: run the cell with session = connect() first, then this one again.")
    found: Session = session
    return found


def _show(answer: Answer, options: Options) -> None:
    for warning in answer.warnings:
        print(paragraph(f"Warning of the server: {warning}"))
    if answer.error is not None:
        for line in refusal_lines(answer.error, answer.statement):
            print(line if line.startswith("    ") else paragraph(line))
        return
    if options.raw and answer.raw:
        show_or_print(_raw_table(answer, options))
    elif "create_statement" in answer.rows.column_names:
        # DESCRIBE answers in CQL, on lines of its own.
        print("\n\n".join(row.create_statement for row in answer.rows[: options.limit]))
    elif answer.rows.column_names:
        limit = options.limit or MOST_ROWS
        show_or_print(table_of(answer.rows, options.columns, sort=options.sort, limit=limit))
    if answer.more:
        print(f"More rows follow: these {len(answer.rows):,} came first. With rows << the cell fetches all.")
    if options.trace:
        _show_trace(answer.future)


def _show_trace(future: Any) -> None:
    from cassandra.query import TraceUnavailable

    try:
        trace = future.get_query_trace(max_wait=10)
    except TraceUnavailable:
        print("The server has not kept a trace of this request.")
        return
    show_or_print(table_of(steps_of(trace), limit=60))
    met = count_rows(event.description for event in trace.events)
    if met.live or met.dead:
        print(f"Rows met for this page: {met.live:,} live, {met.dead:,} dead.")


def _raw_table(answer: Answer, options: Options) -> Table:
    """A line for each column of each row, as the server sent it: its name, type and bytes, and the value in them."""
    shown = answer.raw[: options.limit or MOST_ROWS]
    wanted = options.columns or tuple(answer.rows.column_names)
    unknown = next((name for name in wanted if name not in answer.rows.column_names), None)
    if unknown is not None:
        raise LabError(f"These rows have no column {unknown!r}. They have: {', '.join(answer.rows.column_names)}.")
    several = len(shown) > 1
    lines = [
        [str(i)] * several + [name, kind, _hex(data), _plain(value)]
        for i, row in enumerate(shown, start=1)
        for name, kind, data, value in sorted(row, key=lambda column: _place(column[0], wanted))
        if name in wanted
    ]
    names = ["row"] * several + ["column", "type", "bytes", "value"]
    return _RawTable(names, lines, len(answer.raw))


def _place(name: str, wanted: tuple[str, ...]) -> int:
    return wanted.index(name) if name in wanted else len(wanted)


class _RawTable(Table):
    """A line for each column; the footer counts the rows that they are of."""

    def __init__(self, columns: list[str], lines: list[list[str]], of: int):
        super().__init__(columns, lines, [False] * len(columns))
        self.of = of

    @property
    def footer(self) -> str:
        """How many rows the lines are of: "(1 row)"."""
        return f"({self.of:,} row{'s' * (self.of != 1)})"


def _hex(data: bytes | None) -> str:
    return "no bytes: null" if data is None else f"0x{data.hex()}"


def _plain(value: Any) -> str:
    """A value as it is, without the names and the "now" that ``show`` puts there."""
    if value is None:
        return "null"
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    return str(value)


def _with_a_body(lines: list[str]) -> list[str]:
    """IPython refuses a cell magic with nothing below it, in words of its own; an empty line is something."""
    if len(lines) == 1 and lines[0].startswith("%%cql"):
        return [lines[0].rstrip("\n") + "\n", "\n"]
    return lines
