"""How many copies of each row a new keyspace keeps on this cluster, and why; and which keyspace keeps others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from .engine import engine_of
from .errors import LabError
from .settings import Settings

if TYPE_CHECKING:
    from cassandra.cluster import Session

# Of three copies one may be lost, and the other two still are a quorum.
WANTED = 3
# From which release on tablets have change logs and conditional updates, and from which also views, with no option set.
_TABLETS_HAVE_LOGS, _TABLETS_SUIT = (2025, 4), (2026, 1)


@dataclass(frozen=True)
class Replication:
    """What a new keyspace is made with: the copies of each row in a data centre, why so many, and on what they lie.

    ``tablets`` is None where a server knows only vnodes.
    """

    copies: int
    why: str
    tablets: bool | None

    def __str__(self) -> str:
        on = {True: " on tablets", False: " on vnodes", None: ""}[self.tablets]
        return f"A new keyspace{on} keeps {_copies(self.copies)}: {self.why}."


_chosen: WeakKeyDictionary[Session, Replication] = WeakKeyDictionary()


def replicas(session: Session) -> int:
    """The replication factor that fits this cluster: 3 where every data centre has room for three, otherwise 1."""
    return replication(session).copies


def tablets(session: Session) -> bool:
    """Are the course's new keyspaces on tablets here? Otherwise they are on vnodes."""
    return bool(replication(session).tablets)


def replication(session: Session) -> Replication:
    """What a new keyspace is made with here; looked for once a session."""
    if session not in _chosen:
        _chosen[session] = _choose(racks_of(session), _on_tablets(session))
    return _chosen[session]


def racks_of(session: Session) -> dict[str, list[str]]:
    """Data centre → the rack of each of its nodes."""
    found: dict[str, list[str]] = {}
    for host in session.cluster.metadata.all_hosts():
        found.setdefault(host.datacenter or "", []).append(host.rack or "")
    return dict(sorted(found.items()))


def misfit(session: Session, keyspace: str) -> str | None:
    """What is unlike a new one in a keyspace that is there, in a sentence; None if nothing is, or there is none.

    ``IF NOT EXISTS`` leaves a keyspace as it is: one that was made when there was one node goes on to keep one copy of
    each row, and to lie on tablets or on vnodes as it did.
    """
    query = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = %s"
    row = session.execute(query, (keyspace,)).one()
    if row is None:
        return None
    new, kept = replication(session), _factors(row.replication)
    wanted = dict.fromkeys(racks_of(session), new.copies)
    unlike = []
    if kept is not None and kept != wanted:
        several = len(wanted | kept) > 1
        here = [f"{_copies(number)}{f' in {centre}' * several}" for centre, number in sorted(kept.items())]
        unlike.append(f"keeps {', '.join(here)}, where a new one would keep {new.copies}{' in each' * several}")
    tablets = on_tablets(session, keyspace)
    if new.tablets is not None and tablets != new.tablets:
        names = {True: "tablets", False: "vnodes"}
        unlike.append(f"is on {names[tablets]}, where a new one would be on {names[new.tablets]}")
    if not unlike:
        return None
    return (
        f"The keyspace {keyspace} was made when the cluster was another: it {', and it '.join(unlike)}. To have it "
        f'made anew, run session.execute("DROP KEYSPACE {keyspace}"), and the notebook from its top.'
    )


def on_tablets(session: Session, keyspace: str) -> bool:
    """Do the tables of a keyspace lie on tablets? Otherwise on vnodes."""
    from cassandra import InvalidRequest

    query = "SELECT initial_tablets FROM system_schema.scylla_keyspaces WHERE keyspace_name = %s"
    try:
        row = session.execute(query, (keyspace,)).one()
    except InvalidRequest:  # Apache Cassandra has no such table
        return False
    return row is not None and row.initial_tablets is not None


def _on_tablets(session: Session) -> bool | None:
    """SCYLLA_TABLETS decides. Without it a new keyspace is on tablets, ScyllaDB's own default, from 2026.1 on. The
    embedded node's is on vnodes: one ring for all tables, which is what the pictures show."""
    engine, chosen = engine_of(session), Settings.from_environment().tablets
    if engine.kind == "cassandra":
        return None
    if chosen and engine.release < _TABLETS_HAVE_LOGS:
        raise LabError(
            f"{engine.name} keeps no change log on tablets: leave SCYLLA_TABLETS out, or use a newer version."
        )
    return chosen if chosen is not None else engine.kind == "scylla" and engine.release >= _TABLETS_SUIT


def _choose(centres: Mapping[str, list[str]], tablets: bool | None) -> Replication:
    """As many copies as every data centre has room for: one a node, and on tablets in as many racks as there are."""
    scarce = min(centres, key=lambda centre: len(centres[centre]))
    nodes = len(centres[scarce])
    where = f" of {scarce}" if len(centres) > 1 else ""
    if nodes == 1:
        return Replication(1, f"one node{where} can keep no more", tablets)
    if nodes < WANTED:
        return Replication(1, f"{WANTED} need as many nodes, and there are {nodes}{where}", tablets)
    for centre, racks in centres.items():
        if tablets and len(set(racks)) != WANTED:
            number = f"{len(set(racks))} rack{'s' * (len(set(racks)) != 1)}"
            return Replication(
                1, f"with tablets {WANTED} need as many racks, no fewer and no more, and {centre} has {number}", tablets
            )
    if all(len(set(racks)) == WANTED for racks in centres.values()):
        return Replication(WANTED, "one in each rack, so one may be lost and two are still a quorum", tablets)
    return Replication(WANTED, "one may be lost, and two are still a quorum", tablets)


def _factors(replication: Mapping[str, str]) -> dict[str, int] | None:
    """Data centre → copies; None where it is not told by data centre.

    A factor is a number, or the racks that have a copy: then each has an entry of its own, ``dc1:0``, ``dc1:1`` …
    """
    if not replication.get("class", "").endswith("NetworkTopologyStrategy"):
        return None
    found: dict[str, int] = {}
    for key, value in replication.items():
        centre = key.partition(":")[0]
        if key != "class":
            found[centre] = found.get(centre, 0) + (int(value) if key == centre and value.isdecimal() else 1)
    return found


def _copies(number: int) -> str:
    return f"{number} {'copy' if number == 1 else 'copies'} of each row"
