"""Finds what a Cassandra test node runs on: Java 17, and the jars, fetched once through Maven."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.patience import SECONDS

POM = Path(__file__).with_name("pom.xml")
CACHE = Path.home() / ".cache" / "fifty-thousand-seats"
JAVA_MAJOR = 17
# GitHub's runners name each installed JDK in a variable of its own.
_JAVA_HOMES = ("JAVA_HOME", "JAVA_HOME_17_X64", "JAVA_HOME_17_arm64")
_NO_MAVEN = (
    "Apache Cassandra's jars have not been downloaded yet, "
    "and Maven (mvn), which fetches them, was not found on the PATH."
)


class CassandraUnavailable(RuntimeError):
    """This machine lacks something that Cassandra needs; the message is one sentence that says what."""


def find_java() -> Path:
    """Return the Java 17 to use: JAVA_HOME's, else the one on the PATH.

    Raises CassandraUnavailable where there is none, or where Cassandra does not run at all (Windows).
    """
    if sys.platform == "win32":
        raise CassandraUnavailable("Apache Cassandra 5 does not run on Windows.")
    candidates = [
        shutil.which("java", path=str(Path(os.environ[name]) / "bin")) for name in _JAVA_HOMES if os.environ.get(name)
    ]
    candidates.append(shutil.which("java"))
    seen = []
    for candidate in filter(None, candidates):
        major = java_major(candidate)
        if major == JAVA_MAJOR:
            return Path(candidate).resolve()
        seen.append(f"{candidate} is Java {major or 'of an unknown version'}")
    found = "; ".join(seen) or "no java was found on the PATH or in JAVA_HOME"
    raise CassandraUnavailable(f"Apache Cassandra 5 needs Java {JAVA_MAJOR}: {found}.")


def find_classpath(*, cache: Path | None = None) -> list[str]:
    """Return the paths of Cassandra's jars, asking Maven for them (and a network) the first time only.

    Raises CassandraUnavailable when they are not there and cannot be had.
    """
    cached = cached_classpath(cache=cache)
    if cached:
        return cached
    maven = shutil.which("mvn")
    if maven is None:
        raise CassandraUnavailable(_NO_MAVEN)
    print("Apache Cassandra's jars: asking Maven (about 70 MB, the first time)", file=sys.stderr)
    target = classpath_file(cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and moved, so that a second process never reads half a file.
    partial = target.with_suffix(f".{os.getpid()}.partial")
    # The goal's full name spares Maven a look-up of what "dependency:" stands for.
    goal = "org.apache.maven.plugins:maven-dependency-plugin:build-classpath"
    command = [maven, "--batch-mode", "--quiet", "--file", str(POM), goal, f"-Dmdep.outputFile={partial}"]
    try:
        answer = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
        )
        if answer.returncode != 0 or not partial.is_file():
            reason = _first_error(answer.stdout + answer.stderr)
            raise CassandraUnavailable(f"Maven could not provide Apache Cassandra's jars: {reason}")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target.read_text(encoding="utf-8").strip().split(os.pathsep)


def cached_classpath(*, cache: Path | None = None) -> list[str]:
    """Return the jars' paths if an earlier run found them and all are still there, else an empty list."""
    try:
        jars = classpath_file(cache).read_text(encoding="utf-8").strip().split(os.pathsep)
    except OSError:
        return []
    return jars if all(Path(jar).is_file() for jar in jars) else []


def classpath_file(cache: Path | None = None) -> Path:
    """Return the file that remembers the jars' paths; another pom has another file."""
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    return (cache or CACHE) / f"cassandra-{digest}.classpath"


def is_available() -> tuple[bool, str]:
    """Say whether a node could be started here, and why not if it could not. Downloads nothing."""
    try:
        java = find_java()
    except CassandraUnavailable as missing:
        return False, str(missing)
    if cached_classpath():
        return True, f"Java at {java}; the jars are here"
    if shutil.which("mvn"):
        return True, f"Java at {java}; Maven will fetch the jars"
    return False, _NO_MAVEN


def java_major(java: str) -> int | None:
    """The major version of this program, 17 for example; None if it does not tell one."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    return int(version.group(1)) if version else None


def _first_error(output: str) -> str:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    lines = [line.removeprefix("[ERROR]").strip() for line in plain.splitlines()]
    return next((line for line in lines if line), "it gave no reason.")
