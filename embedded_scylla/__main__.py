"""The command line: ``python -m embedded_scylla [--host H] [--port P] [--data-dir DIR | --memory] [--as RELEASE]``.

When it accepts connections it prints one line, ``embedded_scylla ready on HOST:PORT``. It ends cleanly on SIGTERM and
SIGINT. Read on from here: ``server`` (sockets) → ``connection`` (a conversation) → ``planner`` (a statement becomes a
plan) → ``engine`` (a write's way to the disk, a read's way back).
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TypedDict

from .release import DEFAULT, RELEASES, Release

IN_USE = 75  # the exit code if another process has the data directory: that may pass (sysexits' EX_TEMPFAIL)
PORT_TAKEN = 69  # … and if the port cannot be listened at (EX_UNAVAILABLE)
USAGE = """usage: python -m embedded_scylla [--host 127.0.0.1] [--port 9042] [--data-dir DIR | --memory]
                                 [--as RELEASE]

  --host HOST      address to listen on (127.0.0.1: this machine only)
  --port PORT      port to listen on; 0 picks a free one
  --data-dir DIR   keep the data in DIR (.embedded)
  --memory         keep nothing on disk
  --as RELEASE     answer as ScyllaDB 2026.1 or 2026.2 does (else as 2026.1, with the per-row TTL of 2026.2)
"""


class UsageError(Exception):
    pass


class Options(TypedDict):
    host: str
    port: int
    data_dir: Path | None
    release: Release


def parse_arguments(arguments: list[str]) -> Options:
    """The options by name. Written out rather than with argparse, whose import alone takes 13 ms of start-up."""
    options: Options = {"host": "127.0.0.1", "port": 9042, "data_dir": Path(".embedded"), "release": DEFAULT}
    given = set()
    queue: list[str] = []
    for argument in arguments:
        queue += argument.split("=", 1) if argument.startswith("--") else [argument]
    while queue:
        name = queue.pop(0)
        if name in ("-h", "--help"):
            print(USAGE, end="")
            raise SystemExit(0)
        if name == "--memory":
            given.add(name)
            options["data_dir"] = None
            continue
        if name not in ("--host", "--port", "--data-dir", "--as"):
            raise UsageError(f"There is no option {name}.")
        if not queue:
            raise UsageError(f"{name} needs a value.")
        given.add(name)
        value = queue.pop(0)
        if name == "--port":
            if not value.isdecimal() or int(value) > 65535:
                raise UsageError(f"--port needs a number from 0 to 65535, not {value!r}.")
            options["port"] = int(value)
        elif name == "--host":
            options["host"] = value
        elif name == "--as":
            if value not in RELEASES:
                raise UsageError(
                    f"--as needs a release that the node can follow, {' or '.join(RELEASES)}, not {value!r}."
                )
            options["release"] = RELEASES[value]
        else:
            options["data_dir"] = Path(value)
    if {"--memory", "--data-dir"} <= given:
        raise UsageError("Choose one of --memory and --data-dir.")
    return options


def main(arguments: list[str]) -> int:
    try:
        options = parse_arguments(arguments)
    except UsageError as error:
        print(f"embedded_scylla: {error}\n\n{USAGE}", end="", file=sys.stderr)
        return 2
    from .assembly import assemble
    from .protocol.server import Node
    from .storage.directory_lock import DirectoryInUse
    from .storage.journal import JournalError

    # What is stored stays: Python's garbage collector would only cost time looking through it again and again.
    gc.set_threshold(100_000, 50, 100)
    host, port = options["host"], options["port"]
    try:
        assembly = assemble(options["data_dir"], address=host, release=options["release"])
    except (JournalError, OSError) as error:
        print(f"embedded_scylla: {error}", file=sys.stderr)
        return IN_USE if isinstance(error, DirectoryInUse) else 1
    try:
        node = Node(assembly.engine, assembly.prepared, assembly.upkeep, assembly.dials, host, port)
    except OSError as error:
        assembly.engine.close()
        print(f"embedded_scylla: cannot listen on {host}:{port}: {error.strerror or error}", file=sys.stderr)
        return PORT_TAKEN
    assembly.engine.node.port = node.port
    gc.collect()
    gc.freeze()
    node.obey_signals()  # before anybody is told that it is ready
    print(f"embedded_scylla ready on {host}:{node.port}", flush=True)
    node.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
