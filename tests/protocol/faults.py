"""Whatever can happen to a process between two statements: it dies, an answer is lost, a message is late, or somebody
else does a whole thing of his own just then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cassandra import OperationTimedOut
from cassandra.query import BatchStatement, BoundStatement, PreparedStatement

KINDS = (
    "dies before",  # the statement is not sent
    "dies after",  # the statement is carried out
    "dies, message late",  # it is carried out some day, when the process is long gone
    "request lost",  # a timeout: not carried out
    "answer lost",  # a timeout: carried out
    "request late",  # a timeout: carried out some day
    "sent twice",  # the connection broke before the answer, and the driver asked the next node: what that says counts
    "interrupted",  # another process does something in between
)


class Died(Exception):
    """The process is gone."""


@dataclass(frozen=True)
class Fault:
    """What happens at the ``statement``-th statement of an operation, counted from 1."""

    kind: str
    statement: int


class Future:
    """What was sent at once: its answer, or the error, for whoever asks for it. A death does not wait for that."""

    def __init__(self, send: Callable[[], Any]):
        self._answer, self._error = None, None
        try:
            self._answer = send()
        except Died:
            raise
        except Exception as error:
            self._error = error

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._answer


class FaultySession:
    """A session to which a fault can happen. ``late`` has the messages that are still on their way."""

    def __init__(self, session: Any):
        self.session = session
        self.late: list[Any] = []
        self.sent: list[str] = []  # the texts of what was asked since ``arm``
        self._fault: Fault | None = None
        self._interrupt: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)

    def arm(self, fault: Fault | None, interrupt: Callable[[], None] = lambda: None) -> None:
        """Let ``fault`` happen to the statements that follow; None: nothing happens."""
        self._fault, self._interrupt = fault, interrupt
        self.sent = []

    @property
    def struck(self) -> bool:
        """Has the fault happened?"""
        return self._fault is not None and len(self.sent) >= self._fault.statement

    def execute(self, query: Any, values: Any = None, **options: Any) -> Any:
        if isinstance(query, PreparedStatement):
            query = query.bind(values or ())
        if not isinstance(query, BoundStatement | BatchStatement):
            return self.session.execute(query, values, **options)
        self.sent.append(text_of(query))
        fault = self._fault
        if fault is None or len(self.sent) != fault.statement:
            return self.session.execute(query, **options)
        return self._happen(fault.kind, query, options)

    def execute_async(self, query: Any, values: Any = None, **options: Any) -> Any:
        return Future(lambda: self.execute(query, values, **options))

    def deliver(self, which: int) -> None:
        """One of the late messages arrives; its answer finds nobody."""
        if self.late:
            self.session.execute(self.late.pop(which % len(self.late)))

    def _happen(self, kind: str, query: Any, options: dict[str, Any]) -> Any:
        if kind == "interrupted":
            self._interrupt()
        if kind == "sent twice":
            self.session.execute(query, **options)
        if kind in ("interrupted", "sent twice", "dies after", "answer lost"):
            answer = self.session.execute(query, **options)
        elif kind.endswith("late") and not text_of(query).startswith("SELECT"):
            self.late.append(query)
        if kind.startswith("dies"):
            raise Died
        if kind not in ("interrupted", "sent twice"):
            raise OperationTimedOut
        return answer


def text_of(query: BoundStatement | BatchStatement) -> str:
    """The statement's text; of a batch, that of its first."""
    if isinstance(query, BatchStatement):
        return "BATCH"
    return query.prepared_statement.query_string


class LosesAnswers:
    """A session whose decisions, the conditional statements, are carried out while their answers get lost, or are lost
    themselves: ``error`` is what the driver says then."""

    def __init__(self, session: Any, error: Exception, *, carried_out: bool):
        self.session, self.error, self.carried_out = session, error, carried_out

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)

    def execute(self, query: Any, values: Any = None, **options: Any) -> Any:
        alone = str(getattr(query, "query_string", "")).startswith("UPDATE tickets")
        if not (alone or isinstance(query, BatchStatement)):
            return self.session.execute(query, values, **options)
        if self.carried_out:
            self.session.execute(query, values, **options)
        raise self.error
