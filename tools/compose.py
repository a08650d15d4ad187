"""A ScyllaDB in Docker, one node or three: what `make up` and `make down` run, and what the doctor asks.

    python3 tools/compose.py up [--profile cluster] [more for docker compose up]
    python3 tools/compose.py down [--volumes]

Before it starts anything it looks for what would stop it, and says that in a sentence. It needs nothing but a Python
(3.8 will do).
"""

from __future__ import annotations

import argparse
import errno
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODES = {"one": ["scylla"], "cluster": ["scylla-1", "scylla-2", "scylla-3"]}
PROFILES = {profile: len(nodes) for profile, nodes in NODES.items()}
PORTS = {"SCYLLA_PORT": 9042, "SCYLLA_SHARD_AWARE_PORT": 19042}

# ScyllaDB's documentation asks for 1.5 GB a container.
NODE_MEMORY_MB = 1500
# The first that know a health check's start_interval, without which a healthy node is asked for ever.
OLDEST_DOCKER, OLDEST_COMPOSE = (25,), (2, 24)
START_SECONDS = 600

ASYNC_IO = (
    "the host allows ScyllaDB too few requests: sudo sysctl -w fs.aio-max-nr=1048576, and then once more: make up"
)


class Fault(Exception):
    """ScyllaDB cannot be started in Docker; the message says why, and what to do."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Start ScyllaDB in Docker, or stop it.", allow_abbrev=False)
    parser.add_argument("do", choices=["up", "down"])
    parser.add_argument("--profile", default="one", help="one, a single node; or cluster, three nodes in three racks")
    options, more = parser.parse_known_args(arguments)
    try:
        up(options.profile, more) if options.do == "up" else down(more)
    except Fault as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. What has begun is taken away by: make down", file=sys.stderr)
        return 130
    return 0


def up(profile: str, more: list[str]) -> None:
    """Start the nodes of ``profile`` and wait until they answer; a Fault says what is in the way."""
    look(profile)
    _wake(profile)
    done = subprocess.run([*_compose(profile), "up", "--detach", "--wait", f"--wait-timeout={START_SECONDS}", *more])
    if done.returncode:
        raise Fault(_why(profile))
    port = _ports()["SCYLLA_PORT"]
    moved = "" if port == PORTS["SCYLLA_PORT"] else f" SCYLLA_PORT={port}"
    nodes = "ScyllaDB is up" if PROFILES[profile] == 1 else f"{PROFILES[profile]} nodes of ScyllaDB are up"
    print(f"{nodes}. Use it: SCYLLA_HOSTS=127.0.0.1{moved} make lab")


def _wake(profile: str) -> None:
    """Start the nodes of a cluster that was up before, all at once.

    New nodes join one after the other. Nodes that know each other may wait for a majority before they answer, and the
    first would wait for ever for a second that waits for it to be healthy.
    """
    last = f"{_project(profile)}_{profile}-{PROFILES[profile]}"
    if PROFILES[profile] == 1 or last not in _docker("volume", "ls", "--quiet").stdout.split():
        return
    for node in NODES[profile]:
        if subprocess.run([*_compose(profile), "up", "--detach", "--no-deps", node]).returncode:
            raise Fault(_why(profile))


def down(more: list[str]) -> None:
    """Stop whatever is up, of both profiles. The data stays, unless ``more`` has --volumes."""
    versions()
    throw_away = {"--volumes", "-v"} & set(more)
    for profile in PROFILES:
        if (throw_away or _runs(profile, all_of_it=True)) and subprocess.run(
            [*_compose(profile), "down", *more]
        ).returncode:
            raise Fault(f"docker compose could not stop the profile {profile}, see above.")


def look(profile: str) -> str:
    """Which Docker and compose would start ``profile``; a Fault says what would stop them."""
    if profile not in PROFILES:
        raise Fault(f"PROFILE must be {' or '.join(PROFILES)}, not {profile!r}.")
    found, memory_mb = versions()
    if _runs(profile):
        return found
    for other in PROFILES:
        if other != profile and _runs(other):
            raise Fault(f"the profile {other} is up, on the same ports: make down, and then once more.")
    _look_at_memory(profile, memory_mb)
    for number in range(1, PROFILES[profile] + 1):
        for variable, port in _ports().items():
            _look_at_port(f"127.0.0.{number}", port, variable)
    return found


def versions() -> tuple[str, int]:
    """Docker's and compose's versions, and how much memory Docker has, in MB; a Fault if they will not do."""
    if not shutil.which("docker"):
        raise Fault(
            "there is no docker on the path: install it from https://docs.docker.com/get-docker/. "
            "The course runs without."
        )
    plugin = _docker("compose", "version", "--short")
    if plugin.returncode:
        raise Fault(
            "docker has no compose plugin: install it from https://docs.docker.com/compose/install/. "
            "The course runs without."
        )
    service = _docker("info", "--format", "{{.ServerVersion}} {{.MemTotal}}")
    version, _, memory = service.stdout.strip().partition(" ")
    if service.returncode or not version:
        reason = (service.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise Fault(f"docker's service does not answer ({reason}): start Docker, or let your user use it.")
    compose = plugin.stdout.strip()
    for name, has, needs in ("Docker", version, OLDEST_DOCKER), ("Docker Compose", compose, OLDEST_COMPOSE):
        numbers = tuple(map(int, re.findall(r"\d+", has)[:2]))
        if numbers and numbers < needs:
            raise Fault(f"{name} {has} is too old for docker-compose.yml: it needs {'.'.join(map(str, needs))}.")
    return f"{version}, compose {compose}", int(memory) // 1_000_000 if memory.isdecimal() else 0


def _look_at_memory(profile: str, docker_mb: int) -> None:
    nodes = PROFILES[profile]
    needed = nodes * NODE_MEMORY_MB
    wants = f"{nodes} node{'s want' if nodes > 1 else ' wants'} {needed:,} MB of memory"
    fewer = ", or start one node: make up" if nodes > 1 else "; the course runs without ScyllaDB too"
    if docker_mb and docker_mb < needed:
        raise Fault(f"{wants}, and Docker has {docker_mb:,}: give it more in its settings{fewer}.")
    free = _free_mb()
    if free is not None and free < needed:
        raise Fault(f"{wants}, and {free:,} are free: end some programs{fewer}.")


def _free_mb() -> int | None:
    """What this machine has free, where Docker runs on it and not in a machine of its own; None elsewhere."""
    try:
        known = dict(re.findall(r"^(\w+): +(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"), re.MULTILINE))
    except OSError:
        return None
    return int(known["MemAvailable"]) * 1024 // 1_000_000 if "MemAvailable" in known else None


def _look_at_port(address: str, port: int, variable: str) -> None:
    with socket.socket() as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise Fault(
                    f"this machine has no address {address}; macOS gets it by: sudo ifconfig lo0 alias {address}"
                ) from None
            raise Fault(
                f"port {port} of {address} is used by another program: end that one, or: {variable}={port + 1} make up"
            ) from None


def _ports() -> dict[str, int]:
    """Variable → the port on the host."""
    ports = {}
    for variable, usual in PORTS.items():
        given = os.environ.get(variable, "").strip() or str(usual)
        if not given.isdecimal() or not 1 <= int(given) <= 65535:
            raise Fault(f"{variable} must be a number from 1 to 65535, not {given!r}.")
        ports[variable] = int(given)
    return ports


def _runs(profile: str, all_of_it: bool = False) -> bool:
    """Has the profile a container that runs, or, if ``all_of_it``, any at all?"""
    return bool(_docker(*_compose(profile)[1:], "ps", "--quiet", *(["--all"] if all_of_it else [])).stdout.strip())


def _why(profile: str) -> str:
    """Why the nodes did not come up, as far as their logs say."""
    logs = " ".join([*_compose(profile), "logs"])
    if "Could not setup Async I/O" in _docker(*_compose(profile)[1:], "logs", "--no-color", "--tail=500").stdout:
        return ASYNC_IO
    return (
        f"ScyllaDB did not come up within {START_SECONDS // 60} minutes, or ended; its log says why: {logs} "
        "(data of a newer release stops an older one; make down ARGS=--volumes throws it away)"
    )


def _compose(profile: str) -> list[str]:
    """The command, up to its verb. A project for each profile, so that nothing of one is ever used by the other."""
    where = ["--project-directory", str(ROOT), "--project-name", _project(profile)]
    return ["docker", "compose", *where, "--profile", profile]


def _project(profile: str) -> str:
    return f"fifty-thousand-seats-{profile}"


def _docker(*words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["docker", *words], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        return subprocess.CompletedProcess(words, 1, "", str(error))


if __name__ == "__main__":
    sys.exit(main())
