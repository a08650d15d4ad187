"""Asking a session so that rows come as dicts, whatever the session is set up to give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from cassandra.cluster import EXEC_PROFILE_DEFAULT, _ConfigMode
from cassandra.query import SimpleStatement, dict_factory

if TYPE_CHECKING:
    from cassandra.cluster import ExecutionProfile, ResponseFuture, Session

# Of a session with the driver's older settings: another of the same cluster, which gives dicts.
_twins: WeakKeyDictionary[Session, Session] = WeakKeyDictionary()


class Asker:
    """Sends requests by a session, and gets dicts.

    A session whose ``row_factory`` was set, or whose cluster was made with the driver's older settings (legacy mode),
    takes no execution profiles. It is asked by another session of its cluster then, which lives as long as it does.
    """

    def __init__(self, session: Session):
        self._session = session
        self._profile: ExecutionProfile | None = None

    def send(self, statement: Any, parameters: Any = None, **options: Any) -> ResponseFuture:
        """``execute_async``; the statement has its consistency."""
        session, profile = self.way()
        return session.execute_async(statement, parameters, execution_profile=profile, **options)

    def ask(self, statement: str | Any, parameters: Any = None, consistency: int | None = None) -> list[dict[str, Any]]:
        """All rows of a statement; ``consistency`` is for one that is given as text."""
        if consistency is not None:
            statement = SimpleStatement(statement, consistency_level=consistency)
        return list(self.send(statement, parameters).result())

    def way(self) -> tuple[Session, Any]:
        """The session and the execution profile to ask with. Looked at each time: a session may be changed in use."""
        session = self._session
        if session.cluster._config_mode == _ConfigMode.LEGACY:
            return _twin(session), EXEC_PROFILE_DEFAULT
        if self._profile is None:
            self._profile = session.execution_profile_clone_update(EXEC_PROFILE_DEFAULT, row_factory=dict_factory)
        return session, self._profile


def _twin(session: Session) -> Session:
    found = _twins.get(session)
    if found is None or found.is_shutdown:
        found = session.cluster.connect()
        found.row_factory = dict_factory
        found.default_timeout = session.default_timeout
        found.use_client_timestamp = session.use_client_timestamp
        _twins[session] = found
    return found
