"""What comes back for a ``%%cql`` cell: its markers get their values, its statements are sent, their answers collected.

``cql_cell.py`` has read the cell; ``display/cql_magic.py`` shows the answers.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .cql_cell import Cell, Options, markers, short
from .errors import LabError
from .server_errors import SERVER_ERRORS, inner_error, is_lost

if TYPE_CHECKING:
    from cassandra.cluster import ResultSet, Session
    from cassandra.query import Statement

# An item of one of these is a value, whatever attributes Python gives it.
_PLAIN = (str, bytes, bool, int, float, Decimal, UUID, date, time, timedelta, list, set, frozenset, type(None))
MOST_ROWS = 20  # a cell shows no more, unless it asks for them


class Rows(list[Any]):
    """A list of rows that knows its columns, also where there is no row."""

    def __init__(self, rows: Iterable[Any] = (), column_names: Sequence[str] = ()):
        super().__init__(rows)
        self.column_names = list(column_names)


@dataclass
class Answer:
    """What came back for one statement.

    ``rows`` are those of the first pages, or all where the cell keeps them; ``more`` says that others follow. ``raw``
    has each row's columns as the server sent them: (name, CQL type, bytes or None for null, value). ``error`` is a
    refusal.
    """

    statement: str
    rows: Rows = field(default_factory=Rows)
    more: bool = False
    warnings: list[str] = field(default_factory=list)
    raw: list[list[tuple[str, str, bytes | None, Any]]] = field(default_factory=list)
    future: Any = None
    error: Exception | None = None

    @property
    def applied(self) -> bool | None:
        """Whether a conditional statement was carried out; None for any other."""
        if "[applied]" not in self.rows.column_names or not self.rows:
            return None
        return bool(self.rows[0][self.rows.column_names.index("[applied]")])


@dataclass(frozen=True)
class Outcome:
    """What a cell came to: the rows of its last statement, ``applied`` of its last conditional one or None, the class
    name of its first refusal or None, and the statements as they were sent."""

    rows: list[Any]
    applied: bool | None
    error: str | None
    statements: list[str]


# What the latest cell of this process came to; None before the first, and where one could not be read.
last: Outcome | None = None


def answers(session: Session, cell: Cell, names: Mapping[str, Any]) -> Iterator[Answer]:
    """Send a cell's statements one after the other, and give what comes back for each.

    ``names`` has the values of its markers. Behind a refusal the next statement is sent all the same, as ``cqlsh`` does
    with a file; with ``--each`` a refusal is the end. Where nobody answers any more, the driver's error is raised.
    """
    wanted = [markers(each) for each in cell.statements]
    every = list(dict.fromkeys(name for each in wanted for name in each))
    if cell.options.each is None:
        values = {name: _variable(name, names) for name in every}
        for statement, mine in zip(cell.statements, wanted, strict=True):
            yield _ask(session, _prepare(session, statement, mine), values, cell.options)
        return
    rounds = _rounds(cell.options.each, every, names)
    prepared = [_prepare(session, statement, mine) for statement, mine in zip(cell.statements, wanted, strict=True)]
    whole = [Answer(statement) for statement in cell.statements] if rounds else []
    for values in rounds:
        for i, ready in enumerate(prepared):
            whole[i] = _joined(whole[i], _ask(session, ready, values, cell.options))
            if whole[i].error is not None:
                yield from whole[: i + 1]
                return
    yield from whole


def outcome(cell: Cell, answered: Sequence[Answer]) -> Outcome:
    """What the answers to a cell come to."""
    decided = [each.applied for each in answered if each.applied is not None]
    refused = [type(each.error).__name__ for each in answered if each.error is not None]
    return Outcome(
        rows=answered[-1].rows if answered else Rows(),
        applied=decided[-1] if decided else None,
        error=refused[0] if refused else None,
        statements=list(cell.statements),
    )


def kept(answered: Sequence[Answer]) -> Rows:
    """The rows that ``result <<`` keeps: those of the last statement that returns any."""
    return next((each.rows for each in reversed(answered) if each.rows.column_names), Rows())


# Values


def _variable(name: str, names: Mapping[str, Any], among: Iterable[str] = ()) -> Any:
    if name in names:
        return names[name]
    known = {*(each for each in names if not each.startswith("_")), *among}
    near = next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)), None)
    hint = f"Did you mean :{near}?" if near else f"Set it in a cell above: {name} = …"
    where = f"{'neither a field of these items nor a' if among else 'no'} variable of this notebook"
    raise LabError(f":{name} is {where}. {hint}")


def _rounds(name: str, wanted: Sequence[str], names: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The values of the markers for each item of the list that ``--each`` names."""
    if name not in names:
        raise LabError(f"--each {name}: this notebook has no variable {name}. Set it in a cell above.")
    there = names[name]
    if isinstance(there, str | bytes | Mapping) or not isinstance(there, Iterable):
        raise LabError(f"--each takes a list, and {name} is a Python {type(there).__name__}.")
    if not wanted:
        raise LabError(f"--each {name} runs this once for each item, and no marker says where its values go.")
    items = there.itertuples(index=False) if hasattr(there, "itertuples") else there
    return [_of_item(item, name, wanted, names) for item in items]


def _of_item(item: Any, each: str, wanted: Sequence[str], names: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(item, _PLAIN) or (isinstance(item, tuple) and not hasattr(item, "_fields")):
        free = [name for name in wanted if name not in names]
        if len(free) == 1:
            return {name: item if name == free[0] else names[name] for name in wanted}
        if not free:
            raise LabError(
                f"All these markers are variables already, so no place is left for the items of {each}: "
                "give one marker a name that no variable has."
            )
        raise LabError(
            f"An item of {each} is one value, and {' and '.join(f':{name}' for name in free)} are no variables: "
            "one of them may be."
        )
    mine = _fields(item, wanted)
    return {name: mine[name] if name in mine else _variable(name, names, among=_names_of(item)) for name in wanted}


def _fields(item: Any, wanted: Sequence[str]) -> dict[str, Any]:
    """Those of the wanted names that an item has: keys of a mapping, or attributes that are no methods."""
    if isinstance(item, Mapping):
        return {name: item[name] for name in wanted if name in item}
    found = {name: getattr(item, name) for name in wanted if hasattr(item, name)}
    return {name: value for name, value in found.items() if not callable(value)}


def _names_of(item: Any) -> list[str]:
    if isinstance(item, Mapping):
        return [str(key) for key in item]
    return [name for name in dir(item) if not name.startswith("_") and not callable(getattr(item, name, None))]


# Requests


@dataclass(frozen=True)
class _Ready:
    """A statement, prepared if it has markers; ``refused`` if the server would not have it."""

    text: str
    prepared: Any = None
    refused: Exception | None = None


def _prepare(session: Session, statement: str, wanted: Sequence[str]) -> _Ready:
    if not wanted:
        return _Ready(statement)
    try:
        return _Ready(statement, session.prepare(statement))
    except SERVER_ERRORS as error:
        return _Ready(statement, refused=_refusal(error))


def _ask(session: Session, ready: _Ready, values: Mapping[str, Any], options: Options) -> Answer:
    if ready.refused is not None:
        return Answer(ready.text, error=ready.refused)
    statement = _with_levels(_bound(ready, values), options)
    try:
        if options.raw:
            return _raw_answer(session, ready.text, statement, options)
        return _answer(session, ready.text, statement, options)
    except SERVER_ERRORS as error:
        return Answer(ready.text, error=_refusal(error))


def _refusal(error: Exception) -> Exception:
    """A refusal as the server's own; raised where it is none, because nobody is there to refuse."""
    inner = inner_error(error)
    if is_lost(inner):
        raise error
    return inner


def _bound(ready: _Ready, values: Mapping[str, Any]) -> Statement:
    from cassandra.query import UNSET_VALUE, SimpleStatement

    if ready.prepared is None:
        return SimpleStatement(ready.text)
    # A server may count a name that stands twice as one marker or as two, and makes names small: its list says which.
    small = {name.lower(): name for name in values}
    row = []
    for column in ready.prepared.column_metadata:
        name = small[column.name.lower()]
        value = values[name]
        try:
            if value is not None and value is not UNSET_VALUE:
                column.type.serialize(value, ready.prepared.protocol_version)
        except Exception as error:
            raise LabError(
                f":{name} takes a {_type_name(column.type)} here, and the variable is a Python "
                f"{type(value).__name__}: {short(repr(value))}."
            ) from error
        row.append(value)
    return ready.prepared.bind(row)


def _with_levels(statement: Statement, options: Options) -> Statement:
    from cassandra import ConsistencyLevel

    if options.consistency:
        statement.consistency_level = ConsistencyLevel.name_to_value[options.consistency]
    if options.serial:
        statement.serial_consistency_level = ConsistencyLevel.name_to_value[options.serial]
    return statement


def _answer(session: Session, text: str, statement: Statement, options: Options) -> Answer:
    result = session.execute(statement, trace=options.trace)
    columns = list(result.column_names or [])
    return Answer(
        text,
        rows=Rows(_rows_of(result, options, session.default_fetch_size), columns),
        more=bool(result.has_more_pages),
        warnings=list(result.response_future.warnings or []),
        future=result.response_future,
    )


def _rows_of(result: ResultSet, options: Options, page_size: int) -> list[Any]:
    """The first page, or all rows where the cell keeps them. A server may end a page early, even with nothing in it,
    while a filter looks through the rows: then pages until there are as many rows as a page has, or a cell shows."""
    rows = list(result.current_rows)
    enough = min(page_size, options.limit or MOST_ROWS)
    while result.has_more_pages and (options.keep or len(rows) < enough):
        result.fetch_next_page()
        rows += result.current_rows
    return rows


def _raw_answer(session: Session, text: str, statement: Statement, options: Options) -> Answer:
    from .raw_rows import RawProtocolHandler
    from .row_classes import named_rows

    usual = session.client_protocol_handler
    session.client_protocol_handler = RawProtocolHandler
    try:
        future = session.execute_async(statement, trace=options.trace)
    finally:
        session.client_protocol_handler = usual
    result = future.result()
    answer = Answer(text, warnings=list(future.warnings or []), future=future)
    columns, types = list(result.column_names or []), list(result.column_types or [])
    if not columns:
        return answer
    version = session.cluster.protocol_version
    decoded = []
    for row in _rows_of(result, options, session.default_fetch_size):
        values = [kind.from_binary(data, version) for kind, data in zip(types, row, strict=True)]
        decoded.append(values)
        names = [_type_name(kind) for kind in types]
        answer.raw.append(list(zip(columns, names, row, values, strict=True)))
    answer.rows = Rows(named_rows(columns, decoded), columns)
    answer.more = bool(result.has_more_pages)
    return answer


def _type_name(kind: Any) -> str:
    """A type as CQL writes it: "list<text>"; the driver calls text by its other name."""
    return re.sub(r"\bvarchar\b", "text", kind.cql_parameterized_type())


def _joined(one: Answer, other: Answer) -> Answer:
    """What two rounds of the same statement gave."""
    return replace(
        other,
        rows=Rows([*one.rows, *other.rows], other.rows.column_names or one.rows.column_names),
        more=one.more or other.more,
        warnings=list(dict.fromkeys([*one.warnings, *other.warnings])),
        raw=[*one.raw, *other.raw],
    )
