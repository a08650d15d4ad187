"""Who works in a keyspace.

Two notebooks that work in one keyspace take each other's rows away, and each then waits in vain for what it wrote. So
whoever opens one holds a lock beside the node's folder, and the second is told of the first.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import PurePath

from cassandra.cluster import Session

from .errors import LabError
from .filelock import FileLock
from .node import folder

# A kernel that is restarted, or a program that runs notebook after notebook, may need a moment to end.
_LINGER_SECONDS = 3.0
_POLL_SECONDS = 0.02

_claimed: FileLock | None = None


def claim(session: Session, keyspace: str) -> None:
    """From now on this process works in the server's ``keyspace``, and in no other; a LabError if another process does.

    It lasts until the process ends, however that happens, or claims another.
    """
    global _claimed
    lock = _lock_of(session, keyspace)
    if _claimed is not None and _claimed.path == lock.path:
        return
    deadline = time.monotonic() + _LINGER_SECONDS
    with suppress(OSError):  # where files cannot be locked nobody is told of anybody
        while not lock.take():
            if time.monotonic() > deadline:
                raise LabError(
                    f"{_tenant(keyspace, lock)}: two at once would take each other's rows away. Shut that one's kernel "
                    "down, or give this notebook another keyspace in its parameters cell."
                )
            time.sleep(_POLL_SECONDS)
        lock.note = _myself()
        previous, _claimed = _claimed, lock
        if previous is not None:
            previous.release()


def somebody_else_in(session: Session, keyspace: str) -> str | None:
    """A sentence on who else works in ``keyspace``; None if nobody does."""
    lock = _lock_of(session, keyspace)
    if _claimed is not None and _claimed.path == lock.path:
        return None
    with suppress(OSError):
        if not lock.take():
            return f"{_tenant(keyspace, lock)}."
        lock.release()
    return None


def _tenant(keyspace: str, lock: FileLock) -> str:
    return f"Another notebook works in the keyspace {keyspace} ({lock.note or 'which one is not known'})"


def _myself() -> str:
    """The open notebook, as far as JupyterLab says, and this process."""
    notebook = PurePath(os.environ.get("JPY_SESSION_NAME", "")).name
    return f"{notebook}, process {os.getpid()}" if notebook else f"process {os.getpid()}"


def _lock_of(session: Session, keyspace: str) -> FileLock:
    """Of this keyspace on this server: one of the same name elsewhere is another's."""
    points = sorted(f"{point.address} {point.port}" for point in session.cluster.endpoints_resolved)
    server = re.sub(r"[^0-9A-Za-z.]+", "-", points[0]) if points else "nowhere"
    return FileLock(folder() / "in_use" / f"{server}-{keyspace}.lock")


def _forget() -> None:
    """After a fork: what the parent claimed is the parent's."""
    global _claimed
    _claimed = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
