"""The server's time: what it is, and how a lesson lets fifteen minutes pass.

The embedded node has a clock for each keyspace that was pushed. So a chapter that lets time pass, which works in a
keyspace of its own, changes nothing in another. On a cluster all keyspaces have one time, and nobody pushes it.
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from .control import ask
from .engine import engine_of
from .errors import LabError

if TYPE_CHECKING:
    from cassandra.cluster import Session

# Another kernel may push the clock of the same keyspace; after so many seconds this process has noticed.
_REMEMBER_SECONDS = 1.0
LONGEST_SLEEP = 120.0
# A wait from this length on counts down.
_COUNTED_SECONDS = 3.0

# For each session: how far its keyspace's time is ahead of this machine's, when that was asked, and which it was.
_offsets: WeakKeyDictionary[Session, tuple[timedelta, float, str | None]] = WeakKeyDictionary()
_latest_offset = timedelta()


def server_now(session: Session) -> datetime:
    """The server's time in the session's keyspace: UTC, naive as the driver's timestamps are. Asked at most once a
    second, then counted on."""
    global _latest_offset
    offset, asked, keyspace = _offsets.get(session, (timedelta(), float("-inf"), None))
    if keyspace != session.keyspace or time.monotonic() - asked > _REMEMBER_SECONDS:
        row = session.execute("SELECT toTimestamp(now()) AS now FROM system.local WHERE key = 'local'").one()
        offset = row.now - _local_now()
        _offsets[session] = offset, time.monotonic(), session.keyspace
        _latest_offset = offset
    return _milliseconds(_local_now() + offset)


def latest_known_now() -> datetime:
    """The time of the server that was asked last, without asking: good enough to say "15 minutes ago"."""
    return _milliseconds(_local_now() + _latest_offset)


def can_be_pushed(session: Session) -> bool:
    """Can this server's clock be pushed? Only the embedded node's can; a cluster's has to be waited for."""
    return engine_of(session).kind == "embedded"


def push_clock(session: Session, seconds: float) -> None:
    """Move the embedded node's time forward by ``seconds``, for everybody who uses the session's keyspace.

    What has a TTL there ends as if the time had passed. Without a keyspace, time moves everywhere. A real cluster's
    clock cannot be moved: that is a LabError.
    """
    global _latest_offset
    engine = engine_of(session)
    if not can_be_pushed(session):
        raise LabError(f"The clock of {engine.name} cannot be pushed: let_time_pass() waits for it.")
    keyspace = {"keyspace": session.keyspace} if session.keyspace else {}
    ask(engine.host, engine.port, {"do": "push_clock", "seconds": seconds, **keyspace}, seconds=30)
    ask_again(session)
    _latest_offset += timedelta(seconds=seconds)


def ask_again(session: Session) -> None:
    """Forget what is known of the server's time: the next ``server_now`` asks."""
    _offsets.pop(session, None)


def let_time_pass(session: Session, seconds: float) -> None:
    """Let ``seconds`` go by on the server: at once on the embedded node, by waiting, with a countdown, on a cluster.

    More than ``LONGEST_SLEEP`` is not waited for: that is a LabError.
    """
    if can_be_pushed(session):
        push_clock(session, seconds)
    elif seconds > LONGEST_SLEEP:
        raise LabError(
            f"The clock of {engine_of(session).name} cannot be pushed, and {in_words(seconds)} are long to wait. "
            "What is to end before your eyes needs a shorter time: some seconds will do."
        )
    else:
        _wait(seconds)


def _wait(seconds: float) -> None:
    end, counted = time.monotonic() + seconds, seconds >= _COUNTED_SECONDS
    while (left := end - time.monotonic()) > 0:
        if counted:
            print(f"\rWaiting: {math.ceil(left)} s …  ", end="", flush=True)
        time.sleep(min(left, 1.0))
    if counted:
        print(f"\rWaited {seconds:.0f} s.       ", flush=True)


def in_words(seconds: float) -> str:
    """So many seconds as one says it: in minutes, where they are whole ones."""
    minutes, rest = divmod(seconds, 60)
    number, unit = (minutes, "minute") if minutes and not rest else (seconds, "second")
    return f"{number:,.0f} {unit}{'s' * (number != 1)}"


def _local_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _milliseconds(moment: datetime) -> datetime:
    # A CQL timestamp has milliseconds; more would be lost on the way and then compare unequal.
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
