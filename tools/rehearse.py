"""Runs the workbook as on a cluster: ``python -m tools.rehearse [DISGUISE …] [--seats N] [--only 03]``.

For each disguise a node is started that hides what it is: no control channel, no clock to push, an ordinary name. Then
``make run`` is done with SCYLLA_HOSTS naming it, in real time: the path that a real cluster takes. Exit code 1 when a
notebook failed in a disguise, 2 for a wrong argument.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from helpers.lab.node import PROJECT
from helpers.lab.settings import VARIABLES
from tools.arguments import Arguments, seats

TLS = PROJECT / "tests" / "engines" / "tls"
SEATS = 1_000
_READY = "embedded_scylla ready on "
_END_SECONDS = 60.0


@dataclass(frozen=True)
class Disguise:
    """How a node hides: its options, and the variables by which the course gets in."""

    options: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)


_CERTIFICATE, _KEY = str(TLS / "node.pem"), str(TLS / "node.key")
DISGUISES = {
    "2026.1": Disguise(("--as", "2026.1")),
    "2026.2": Disguise(("--as", "2026.2")),
    "vnodes": Disguise(("--as", "2026.1"), {"SCYLLA_TABLETS": "0"}),
    "slow": Disguise(("--latency", "20ms")),
    "guarded": Disguise(
        ("--password", "ada:a secret", "--tls", _CERTIFICATE, _KEY),
        {"SCYLLA_USER": "ada", "SCYLLA_PASSWORD": "a secret", "SCYLLA_CA_FILE": _CERTIFICATE},
    ),
}


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="python -m tools.rehearse", description="Run the workbook as on a cluster.")
    parser.add_argument("disguise", nargs="*", help=f"of the node: {', '.join(DISGUISES)} (all)")
    parser.add_argument("--seats", type=seats, default=SEATS, help=f"size of the venue ({SEATS:,})")
    parser.add_argument("--only", action="append", default=[], metavar="START", help="begin of a notebook's name: 03")
    parser.add_argument("--output", type=Path, default=PROJECT / "out" / "rehearsal", help="folder for results")
    options = parser.parse_args(arguments)
    for name in options.disguise:
        if name not in DISGUISES:
            parser.error(f"there is no disguise {name!r}; there are: {', '.join(DISGUISES)}")
    failed = []
    for name in options.disguise or DISGUISES:
        print(f"As {name}: {' '.join(DISGUISES[name].options)}", flush=True)
        if not rehearse(DISGUISES[name], options.output / name, options.seats, options.only):
            failed.append(name)
    if failed:
        print(f"Notebooks failed as: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def rehearse(disguise: Disguise, output: Path, number: int, only: list[str]) -> bool:
    """Run the notebooks against a node in this disguise; whether all ran well."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder, stranger(disguise, Path(folder)) as port:
        command = [sys.executable, "-m", "tools.run_notebooks", "--seats", str(number), "--output", str(output)]
        command += [f"--only={start}" for start in only]
        run = subprocess.run(command, cwd=PROJECT, env=surroundings(disguise, port))
    print(f"{time.monotonic() - begin:.0f} s", flush=True)
    return run.returncode == 0


def surroundings(disguise: Disguise, port: int) -> dict[str, str]:
    """The variables of this process, with those by which the course finds the node and gets in."""
    others = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return others | {"SCYLLA_HOSTS": "127.0.0.1", "SCYLLA_PORT": str(port)} | disguise.variables


@contextmanager
def stranger(disguise: Disguise, folder: Path) -> Iterator[int]:
    """A node in this disguise, with its data in ``folder``; gives its port, and ends it."""
    command = [sys.executable, "-m", "embedded_scylla", "--plain", "--port", "0", "--data-dir", str(folder / "data")]
    process = subprocess.Popen([*command, *disguise.options], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None, "it was started with a pipe"
        ready = process.stdout.readline()
        if not ready.startswith(_READY):
            raise SystemExit("error: the node did not start")
        yield int(ready.rpartition(":")[2])
    finally:
        process.terminate()
        try:
            process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


if __name__ == "__main__":
    sys.exit(main())
