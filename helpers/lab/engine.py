"""What answers at the other end of a session: the embedded node, ScyllaDB or Apache Cassandra."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from cassandra.cluster import Session

Kind = Literal["embedded", "scylla", "cassandra"]
NAMES: dict[Kind, str] = {"embedded": "embedded node", "scylla": "ScyllaDB", "cassandra": "Apache Cassandra"}


@dataclass(frozen=True)
class Engine:
    """A cluster as a lesson sees it: its kind, its version, its nodes, and where it was found."""

    kind: Kind
    version: str
    nodes: int
    host: str
    port: int

    @property
    def release(self) -> tuple[int, ...]:
        """The version's numbers, to compare: (2026, 1, 5); () if it has none."""
        found = re.match(r"\d+(\.\d+)*", self.version)
        return tuple(map(int, found[0].split("."))) if found else ()

    @property
    def name(self) -> str:
        """The name a plot or a sentence calls it by; the embedded node's has no version, so that it stays the same."""
        return NAMES[self.kind] if self.kind == "embedded" else f"{NAMES[self.kind]} {self.version}"


_known: WeakKeyDictionary[Session, Engine] = WeakKeyDictionary()


def engine_of(session: Session) -> Engine:
    """Which engine this session talks to; asked once a session."""
    if session not in _known:
        _known[session] = _ask(session)
    return _known[session]


def _ask(session: Session) -> Engine:
    from cassandra import InvalidRequest

    nodes = list(session.cluster.metadata.all_hosts())
    point = session.cluster.endpoints_resolved[0] if session.cluster.endpoints_resolved else nodes[0].endpoint
    try:
        row = session.execute("SELECT version FROM system.versions WHERE key = 'local'").one()
        version = row.version if row else "of unknown version"
        kind: Kind = "embedded" if "embedded" in version else "scylla"
    except InvalidRequest:
        version = session.execute("SELECT release_version FROM system.local WHERE key = 'local'").one().release_version
        kind = "cassandra"
    return Engine(kind, version.split("-")[0], len(nodes), point.address, point.port)
