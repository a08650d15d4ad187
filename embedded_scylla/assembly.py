"""A node put together, but for its sockets: what ``__main__`` serves, and what tests ask without a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from .clock import Clock
from .dials import Dials
from .engine import Engine
from .identity import NodeIdentity
from .notices import Notices
from .persistence import Persistence
from .prepared import PreparedStatements
from .release import DEFAULT, Release
from .schema import Schema
from .system import tables as system_tables
from .upkeep import Task, Upkeep
from .upkeep.expiry import Expiry
from .upkeep.home import Home
from .upkeep.idle import Idle
from .upkeep.late_updates import LateUpdates
from .upkeep.purge import Purge


@dataclass(frozen=True)
class Assembly:
    """The parts that a server works with; ``engine.close()`` ends them all."""

    engine: Engine
    prepared: PreparedStatements
    upkeep: Upkeep
    dials: Dials


def assemble(
    directory: Path | None = None,
    address: str = "127.0.0.1",
    clock: Clock | None = None,
    more_tasks: Mapping[str, Task] = MappingProxyType({}),
    release: Release = DEFAULT,
    plain: bool = False,
    idle_hours: float = 0.0,
) -> Assembly:
    """Make a node and bring back what it kept in ``directory`` (None: nothing is kept). ``address`` is what clients
    are told; ``more_tasks`` join the node's own; ``release`` is the ScyllaDB that it follows; a ``plain`` one
    does not say that it only follows it; after ``idle_hours`` without a request it ends (0: never). JournalError or
    DirectoryInUse when the directory cannot be used."""
    schema = Schema(release)
    system_tables.define(schema)
    persistence = Persistence(directory)
    try:
        engine = Engine(schema, persistence, NodeIdentity(address, release, plain), clock)
        engine.virtual_store = system_tables.VirtualTables(engine).store
        engine.load()
    except BaseException:
        persistence.abandon()
        raise
    upkeep = Upkeep(
        {
            "Deciding": engine.decisions,
            "Updating views": LateUpdates(engine),
            "Deleting expired rows": Expiry(engine),
            "Purging tombstones": Purge(engine),
            "Taking a snapshot": persistence,
            "Looking after the data directory": Home(engine),
            "Ending when nobody asks": Idle(engine, idle_hours),
            **more_tasks,
        },
        Notices(),
    )
    return Assembly(engine, PreparedStatements(schema), upkeep, Dials(engine, upkeep))
