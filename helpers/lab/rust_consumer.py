"""Runs the Rust consumer of chapter 5 where it has been built; elsewhere it shows what that printed for us."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .engine import engine_of
from .errors import LabError
from .node import PROJECT
from .replication import replicas, tablets
from .statements import apply_cql

if TYPE_CHECKING:
    from cassandra.cluster import Session

CRATE = PROJECT / "rust" / "consumer"
RUN_SECONDS = 60
_LONGEST_NAME = 48
_ELSEWHERE = "This is what it printed on an embedded node, and prints in our tests."


def rust_consumer(session: Session) -> None:
    """Let the Rust consumer read the changes of ``cql/rust_consumer.cql``, on the server of this session.

    They are written into ``order_queue`` of a keyspace of its own, the one in use with ``_rust`` behind it. Where the
    program was not built (``make rust``), or cannot reach the server, a line says so and its kept output follows.
    """
    program, reason = built_program(), _out_of_reach(session)
    if program is None:
        print(f"Not built here: make rust builds it. {_ELSEWHERE}")
    elif reason:
        print(f"Not run here: {reason}. {_ELSEWHERE}")
    else:
        engine = engine_of(session)
        print(f"Run here, against {'the ' * (engine.kind == 'embedded')}{engine.name}.")
        print(output_of(program, session), end="")
        return
    print(kept_output(), end="")


def built_program() -> Path | None:
    """The program, if it was built."""
    folder = CRATE / "target" / "debug"
    return next((path for path in (folder / "consumer", folder / "consumer.exe") if path.is_file()), None)


def kept_output() -> str:
    """What the program printed when it was run last for the repository."""
    return (CRATE / "output.txt").read_text(encoding="utf-8")


def output_of(program: Path, session: Session) -> str:
    """Write the changes anew, run the program, and return what it prints; a LabError where it fails."""
    keyspace = f"{(session.keyspace or 'seats')[: _LONGEST_NAME - len('_rust')]}_rust"
    apply_cql(session, "keyspace.cql", keyspace=keyspace, replicas=replicas(session), tablets=tablets(session))
    # By this machine's clock, which is the program's; the server's may be some milliseconds behind it.
    began = time.time_ns() // 1000 - 100_000
    apply_cql(session, "rust_consumer.cql", keyspace=keyspace)
    engine = engine_of(session)
    command = [str(program), f"{engine.host}:{engine.port}", keyspace, str(began)]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=RUN_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"The Rust consumer could not be run: {error}.") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it gave no reason"]
        raise LabError(f"The Rust consumer has failed: {said[0]}.")
    return done.stdout


def _out_of_reach(session: Session) -> str | None:
    """Why the program, which knows neither passwords nor TLS, could not speak to this server."""
    cluster = session.cluster
    if cluster.auth_provider is not None:
        return "the program knows no password"
    if cluster.ssl_context is not None or cluster.ssl_options is not None:
        return "the program does not speak TLS"
    return None
