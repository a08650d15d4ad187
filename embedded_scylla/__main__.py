"""The command line: ``python -m embedded_scylla [--host H] [--port P] [--data-dir DIR | --memory] [--as RELEASE]
[--idle-hours N]``, and what makes it a stranger: ``--plain``, ``--password``, ``--tls``, ``--latency``.

When it accepts connections it prints one line, ``embedded_scylla ready on HOST:PORT``. It ends cleanly on SIGTERM and
SIGINT. Read on from here: ``server`` (sockets) → ``connection`` (a conversation) → ``planner`` (a statement becomes a
plan) → ``engine`` (a write's way to the disk, a read's way back).
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from .release import DEFAULT, LTS, RELEASES, Release

if TYPE_CHECKING:
    from .protocol.access import Access

IN_USE = 75  # the exit code if another process has the data directory: that may pass (sysexits' EX_TEMPFAIL)
PORT_TAKEN = 69  # … and if the port cannot be listened at (EX_UNAVAILABLE)
USAGE = """usage: python -m embedded_scylla [--host 127.0.0.1] [--port 9042] [--data-dir DIR | --memory]
                                 [--as RELEASE] [--latency 20ms] [--idle-hours 8]
                                 [--plain [--password USER:PASSWORD] [--tls CERTIFICATE KEY]]

  --host HOST      address to listen on (127.0.0.1: this machine only; another needs --plain --password)
  --port PORT      port to listen on; 0 picks a free one
  --data-dir DIR   keep the data in DIR (.embedded)
  --memory         keep nothing on disk
  --as RELEASE     answer as ScyllaDB 2026.1 or 2026.2 does (else as 2026.1, with the per-row TTL of 2026.2)
  --latency TIME   let each conditional statement take so long, those of one partition one after the other
  --idle-hours N   end when nobody has asked anything for N hours (0: never)
  --plain          as a stranger: no control channel, no clock to push, an ordinary name, 2026.1 in everything
  --password U:P   let in only the user U with the password P
  --tls CERT KEY   speak TLS only, with this certificate and its key, both PEM files
"""

_ONE_VALUE = ("--host", "--port", "--data-dir", "--as", "--latency", "--idle-hours", "--password")
_VALUES = {**dict.fromkeys(_ONE_VALUE, 1), "--tls": 2}
_FLAGS = ("--memory", "--plain")


class UsageError(Exception):
    pass


class Options(TypedDict):
    host: str
    port: int
    data_dir: Path | None
    release: Release
    latency: float  # seconds that a decision takes
    idle_hours: float  # after which it ends if nobody asks; 0: never
    plain: bool
    user: str | None  # whom it lets in alone, if anybody has to log in,
    password: str
    tls: tuple[Path, Path] | None  # a certificate and its key


def parse_arguments(arguments: list[str]) -> Options:
    """The options by name. Written out rather than with argparse, whose import alone takes 13 ms of start-up."""
    options: Options = {
        "host": "127.0.0.1",
        "port": 9042,
        "data_dir": Path(".embedded"),
        "release": DEFAULT,
        "latency": 0.0,
        "idle_hours": 0.0,
        "plain": False,
        "user": None,
        "password": "",
        "tls": None,
    }
    given = set()
    queue: list[str] = []
    for argument in arguments:
        queue += argument.split("=", 1) if argument.startswith("--") else [argument]
    while queue:
        name = queue.pop(0)
        if name in ("-h", "--help"):
            print(USAGE, end="")
            raise SystemExit(0)
        if name not in _FLAGS and name not in _VALUES:
            raise UsageError(f"There is no option {name}.")
        given.add(name)
        count = _VALUES.get(name, 0)
        values, queue = queue[:count], queue[count:]
        if len(values) < count:
            raise UsageError(_WANTED.get(name, f"{name} needs a value."))
        _take(options, name, values)
    if {"--memory", "--data-dir"} <= given:
        raise UsageError("Choose one of --memory and --data-dir.")
    for name in "--password", "--tls":
        if name in given and not options["plain"]:
            raise UsageError(f"{name} is for a --plain node: the control channel of another asks for neither.")
    if not _is_loopback(options["host"]) and options["user"] is None:
        raise UsageError(
            f"--host {options['host']} lets other machines in: say --plain --password USER:PASSWORD too, or listen on "
            "127.0.0.1."
        )
    if options["plain"] and "--as" not in given:
        options["release"] = LTS
    return options


def _is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; a name that may be anything does not count."""
    return host in ("localhost", "::1") or (host.startswith("127.") and host.replace(".", "").isdecimal())


_WANTED = {"--tls": "--tls needs two values: the files of a certificate and of its key."}


def _take(options: Options, name: str, values: list[str]) -> None:
    """Set what one option says."""
    value = values[0] if values else ""
    if name == "--memory":
        options["data_dir"] = None
    elif name == "--plain":
        options["plain"] = True
    elif name == "--port":
        if not value.isdecimal() or int(value) > 65535:
            raise UsageError(f"--port needs a number from 0 to 65535, not {value!r}.")
        options["port"] = int(value)
    elif name == "--host":
        options["host"] = value
    elif name == "--as":
        if value not in RELEASES:
            raise UsageError(f"--as needs a release that the node can follow, {' or '.join(RELEASES)}, not {value!r}.")
        options["release"] = RELEASES[value]
    elif name == "--latency":
        number = value.removesuffix("ms")
        if number == value or not number.replace(".", "", 1).isdecimal():
            raise UsageError(f"--latency needs milliseconds, as in 20ms, not {value!r}.")
        options["latency"] = float(number) / 1000
    elif name == "--idle-hours":
        if not value.replace(".", "", 1).isdecimal():
            raise UsageError(f"--idle-hours needs a number of hours, not {value!r}.")
        options["idle_hours"] = float(value)
    elif name == "--password":
        user, colon, password = value.partition(":")
        if not user or not colon:
            raise UsageError("--password needs a name and a password, as in ada:secret.")
        options["user"], options["password"] = user, password
    elif name == "--tls":
        options["tls"] = Path(values[0]), Path(values[1])
    else:
        options["data_dir"] = Path(value)


def _access(options: Options) -> Access:
    """Who is let in. OSError when the certificate and its key cannot be used."""
    from .protocol.access import Access

    context = None
    if options["tls"] is not None:
        from .protocol.tls import server_context

        context = server_context(*options["tls"])
    return Access(not options["plain"], options["user"], options["password"], context)


def main(arguments: list[str]) -> int:
    try:
        options = parse_arguments(arguments)
    except UsageError as error:
        print(f"embedded_scylla: {error}\n\n{USAGE}", end="", file=sys.stderr)
        return 2
    gc.disable()  # nothing is thrown away before the node is ready
    from .assembly import assemble
    from .protocol.server import Node
    from .storage.directory_lock import DirectoryInUse
    from .storage.journal import JournalError

    host, port = options["host"], options["port"]
    try:
        access = _access(options)
    except OSError as error:
        certificate, key = options["tls"] or ("", "")
        print(
            f"embedded_scylla: cannot use the certificate {certificate} with the key {key}: {error.strerror or error}",
            file=sys.stderr,
        )
        return 1
    try:
        assembly = assemble(
            options["data_dir"],
            host,
            release=options["release"],
            plain=options["plain"],
            idle_hours=options["idle_hours"],
        )
    except (JournalError, OSError) as error:
        print(f"embedded_scylla: {error}", file=sys.stderr)
        return IN_USE if isinstance(error, DirectoryInUse) else 1
    try:
        node = Node(assembly.engine, assembly.prepared, assembly.upkeep, assembly.dials, host, port, access)
    except OSError as error:
        assembly.engine.close()
        print(f"embedded_scylla: cannot listen on {host}:{port}: {error.strerror or error}", file=sys.stderr)
        return PORT_TAKEN
    assembly.engine.node.port = node.port
    assembly.dials.decisions_take(options["latency"])
    # What is stored stays: Python's garbage collector would only cost time looking through it again and again.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    gc.enable()
    node.obey_signals()  # before anybody is told that it is ready
    print(f"embedded_scylla ready on {host}:{node.port}", flush=True)
    node.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
