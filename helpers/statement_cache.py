"""Prepared statements, each prepared once a session and keyspace."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from .cqlfile import statement

if TYPE_CHECKING:
    from cassandra.cluster import Session
    from cassandra.query import PreparedStatement

_prepared: WeakKeyDictionary[Session, dict[tuple[str | None, str], PreparedStatement]] = WeakKeyDictionary()


def prepared(session: Session, name: str) -> PreparedStatement:
    """The statement ``name`` of ``cql/``, prepared for this session in the keyspace that it uses.

    Preparing sends the text to the server once; from then on only an id and the values travel.
    """
    statements = _prepared.setdefault(session, {})
    key = session.keyspace, name
    if key not in statements:
        statements[key] = session.prepare(statement(name))
    return statements[key]
