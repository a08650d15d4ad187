"""Lantern Park's second shop: it runs a learner's scripts for buyers, one statement at a time."""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..lab.clock import can_be_pushed, let_time_pass, server_now
from ..lab.server_errors import SERVER_ERRORS, is_lost
from .design import MARKERS, STATEMENTS, Design, DesignError
from .house import STAGES, House, Seat
from .scripts import Statement
from .tables import refused

if TYPE_CHECKING:
    from cassandra.cluster import Session
    from cassandra.query import PreparedStatement

# A refusal ends these at once; the others tidy up, and pass over a seat that is not theirs any more.
_ALL_OR_NOTHING = ("put_on_sale", "hold", "pay", "give_back", "join_line", "resell")
_UNDO = {"hold": "undo_hold", "pay": "undo_pay", "resell": "undo_resell"}
# A stage and a block.
Place = tuple[str, str]
HOLD_SECONDS, SHORT_HOLD_SECONDS = 900, 6


@dataclass(frozen=True)
class Sending:
    """One statement with what it is bound to."""

    script: str
    statement: Statement
    seats: Sequence[Seat]
    values: dict[str, Any]


class Shop:
    """A design on a database: sends its statements, and knows the time there.

    ``hold_seconds`` is a quarter of an hour, and some seconds where the clock has to be waited for.
    """

    def __init__(self, session: Session, design: Design, house: House) -> None:
        self.session, self.design, self.house = session, design, house
        # On a cluster time is waited for, and a view may be late.
        self.is_cluster = not can_be_pushed(session)
        self.hold_seconds = SHORT_HOLD_SECONDS if self.is_cluster else HOLD_SECONDS
        self.sent = 0
        self._prepared: dict[str, PreparedStatement] = {}
        self._last = datetime.min
        self._ids = 0

    def now(self) -> datetime:
        """The server's time; never the same twice."""
        self._last = max(server_now(self.session), self._last + timedelta(milliseconds=1))
        return self._last

    def let_pass(self, seconds: float) -> None:
        let_time_pass(self.session, seconds)

    def new_id(self) -> UUID:
        """An id for a hold: a timeuuid, so that it fits both types."""
        from cassandra.util import uuid_from_time

        self._ids += 1
        return UUID(str(uuid_from_time(self.now(), node=0x5EC0ED, clock_seq=self._ids & 0x3FFF)))

    def ask(self, name: str, only: set[Place] | None = None, **given: Any) -> list[dict[str, Any]]:
        """All rows of a question. Asked for each stage, and for each block, if it names them and they are not given;
        ``only`` leaves out the others."""
        rows: list[dict[str, Any]] = []
        for statement in self.design.statements(name):
            stages = [given["stage"]] if "stage" in given else STAGES if "stage" in statement.markers else [None]
            blocks = self.house.names if "block" in statement.markers else [None]
            for stage in stages:
                for block in blocks:
                    if only is not None and not any(_within(place, stage, block) for place in only):
                        continue
                    where = {"stage": stage, "block": block}
                    values = given | {key: value for key, value in where.items() if value is not None}
                    answer = self.send(Sending(name, statement, (), values))
                    rows += [values | row for row in answer]
        wanted = STATEMENTS[name].gives
        wanted = ("stage", "block", *wanted) if "seat" in wanted else wanted
        for column in wanted if rows else ():
            if column not in rows[0] and not (column == "seat" and "seats" in rows[0]):
                has = ", ".join(key for key in rows[0] if key not in given) or "none"
                raise DesignError(f"{name} gives no column called {column}; it gives {has}. AS gives a column a name.")
        return rows

    def send(self, sending: Sending) -> list[dict[str, Any]]:
        """Bind and send one statement; its rows as dicts, ``[applied]`` as "applied"."""
        text, names = sending.statement.spread(len(sending.seats))
        known = sending.values | {"now": self.now(), "hold_seconds": self.hold_seconds}
        try:
            statement = self._prepared.get(text) or self.session.prepare(text)
        except SERVER_ERRORS as error:
            raise DesignError(refused(sending.script, error, sending.statement.text)) from error
        self._prepared[text] = statement
        bound = []
        for (name, place), column in zip(names, statement.column_metadata, strict=True):
            value = self._value(name, place, sending, known)
            bound.append(_fitting(value, column.type))
        try:
            rows = self.session.execute(statement, bound)
        except SERVER_ERRORS as error:
            if is_lost(error):
                raise
            raise DesignError(refused(sending.script, error, sending.statement.text)) from error
        except (TypeError, ValueError, struct.error, OverflowError, AttributeError) as error:
            raise DesignError(self._misfit(sending, names, statement, bound)) from error
        self.sent += 1
        return [dict(row._asdict()) for row in rows or ()]

    def rows_met(self, name: str, **given: Any) -> int:
        """How many rows the server has to look at for this question, as its traces say."""
        from ..display.traces import rows_read

        met = 0
        for statement in self.design.statements(name):
            text, names = statement.spread(0)
            prepared = self._prepared.get(text) or self.session.prepare(text)
            known = given | {"now": self.now(), "hold_seconds": self.hold_seconds}
            sending = Sending(name, statement, (), known)
            columns = zip(names, prepared.column_metadata, strict=True)
            bound = [_fitting(self._value(each, 0, sending, known), column.type) for (each, _), column in columns]
            met += rows_read(self.session, prepared.bind(bound)).live
        return met

    def _value(self, name: str, place: int, sending: Sending, known: dict[str, Any]) -> Any:
        if name in ("stage", "block", "seat") and place < len(sending.seats):
            seat = sending.seats[place]
            return {"stage": seat.stage, "block": seat.block, "seat": seat.number}[name]
        if name == "price" and place < len(sending.seats):
            return self.house.price(sending.seats[place])
        if name == "guest" and "guests" in known and place < len(sending.seats):
            return known["guests"].get(sending.seats[place], "adult")
        if name in known:
            return known[name]
        here = sorted({"now", "hold_seconds", *known} - {"guests"} | ({"seat", "price"} if sending.seats else set()))
        what = f"here it has no :{name}" if name in MARKERS else f"nothing is called :{name}"
        may = ", ".join(f":{each}" for each in here)
        raise DesignError(f"{sending.script} names :{name}, and {what}. It may name {may}.")

    def _misfit(self, sending: Sending, names: list[tuple[str, int]], prepared: Any, bound: list[Any]) -> str:
        for (name, _), column, value in zip(names, prepared.column_metadata, bound, strict=True):
            try:
                if value is not None:
                    column.type.serialize(value, 4)
            except Exception:
                return (
                    f"{sending.script}: :{name} is {MARKERS.get(name, 'from a row')}, such as {value!r}, and does not "
                    f"fit {column.name}, which is {column.type.cql_parameterized_type()}."
                )
        return f"{sending.script}: its values do not fit its columns."


class Job:
    """One run of a script for a party. ``step`` sends one statement; between two steps anything may happen.

    ``said`` is True for yes and False for no once it is ``done``; ``steps`` counts the statements sent. ``on_done`` is
    called then, and ``on_refused`` when the answer is no and nothing has been undone yet.
    """

    def __init__(
        self,
        shop: Shop,
        name: str,
        seats: Sequence[Seat],
        values: dict[str, Any],
        on_done: Callable[[Job], None] = lambda job: None,
        on_refused: Callable[[], None] = lambda: None,
    ) -> None:
        self.shop, self.name, self.seats, self.values = shop, name, tuple(seats), dict(values)
        self.said: bool | None = None
        self.steps, self.begun = 0, shop.now()
        self.last: Sending | None = None
        self.dead = False
        self._on_done, self._on_refused = on_done, on_refused
        self._rest = self._whole()
        self._next: Sending | None = None
        self._go_on(None)

    @property
    def done(self) -> bool:
        return self.said is not None

    def step(self) -> None:
        """Send the next statement."""
        assert self._next is not None
        self.last = self._next
        answer = self.shop.send(self._next)
        self.steps += 1
        self._go_on(answer)

    def finish(self) -> bool:
        """Send all that is left; whether it said yes."""
        while not self.done:
            self.step()
        return bool(self.said)

    def repeat_last(self) -> None:
        """Send the last statement again, as whoever takes over does that never saw the answer. What was decided with
        IF is not decided again: whoever takes over reads how it came out."""
        if self.last is not None and not self.last.statement.is_conditional and self.last.statement.verb != "SELECT":
            self.shop.send(self.last)

    def _go_on(self, answer: list[dict[str, Any]] | None) -> None:
        try:
            self._next = next(self._rest) if answer is None else self._rest.send(answer)
        except StopIteration as end:
            self._next, self.said = None, bool(end.value)
            self._on_done(self)

    def _whole(self) -> Generator[Sending, list[dict[str, Any]], bool]:
        well = yield from self._script(self.name, strict=self.name in _ALL_OR_NOTHING)
        undo = _UNDO.get(self.name, "")
        if not well:
            self._on_refused()
        if not well and self.shop.design.has(undo):
            yield from self._script(undo, strict=False)
        return well

    def _script(self, name: str, strict: bool) -> Generator[Sending, list[dict[str, Any]], bool]:
        left = list(self.seats)
        for statement in self.shop.design.statements(name):
            if statement.is_per_seat and self.seats:
                for seat in list(left):
                    answer = yield Sending(name, statement, (seat,), self.values)
                    if not self._well(statement, answer):
                        if strict:
                            return False
                        left.remove(seat)
                if not left:
                    return False
            else:
                answer = yield Sending(name, statement, tuple(left), self.values)
                if not self._well(statement, answer):
                    return False
        return True

    def _well(self, statement: Statement, answer: list[dict[str, Any]]) -> bool:
        """No is: a condition that does not hold, and a SELECT that finds nothing. A row's columns are values below."""
        if statement.verb == "SELECT":
            for column, value in answer[0].items() if answer else ():
                self.values.setdefault(column, value)
            return bool(answer)
        return not statement.is_conditional or bool(answer and answer[0].get("applied"))


def _within(place: Place, stage: str | None, block: str | None) -> bool:
    return stage in (None, place[0]) and block in (None, place[1])


def _fitting(value: Any, kind: Any) -> Any:
    """What the crowd knows, as the column wants it: numbers and ids as text, one value where a collection is wanted."""
    name = kind.cql_parameterized_type().removeprefix("frozen<")
    if value is None:
        return None
    if name in ("text", "ascii", "varchar"):
        return value if isinstance(value, str) else str(value)
    if name.startswith(("list<", "set<")) and isinstance(value, str | int | UUID | datetime):
        return [value]
    return value
