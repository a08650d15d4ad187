"""Other people's clients, each installed into an environment of its own under ``.clients/``, as their users would.

They are installed once, when a test first asks for them. Without a package index they cannot be, and the test skips
with the reason.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from tests.patience import LONG_SECONDS

from .cassandra_jars import java_major
from .embedded import ROOT

FOLDER = ROOT / ".clients"
JAVA_MAJOR = 11  # the first that runs a source file as it is


class ClientUnavailable(Exception):
    """A client cannot be installed here; the message says why."""


def _run(command: list[str | Path], where: Path) -> None:
    try:
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=LONG_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClientUnavailable(f"{' '.join(map(str, command))}: {error}") from None
    if done.returncode:
        said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr).strip().splitlines() or ["it gave no reason"]
        reason = next((line for line in said if "ERROR" in line), said[-1])
        raise ClientUnavailable(f"{' '.join(map(str, command))}: {reason}")


def _once(folder: Path, install) -> None:
    """Call ``install`` unless it has succeeded before."""
    mark = folder / ".installed"
    if mark.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    install()
    mark.touch()


def python_client(*requirements: str) -> Path:
    """The folder of the programs of a virtual environment in which these are installed."""
    folder = FOLDER / "_".join(requirements)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")

    def install() -> None:
        # By the pip that is here: to give each its own takes as long as many a client.
        venv.create(folder, with_pip=False)
        pip = [sys.executable, "-m", "pip", "--python", programs / "python"]
        _run([*pip, "install", "--quiet", *requirements], folder)

    _once(folder, install)
    return programs


def node_client(package: str) -> tuple[str, Path]:
    """The Node.js program, and a folder in which scripts can require the package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise ClientUnavailable("Node.js is not installed")
    folder = FOLDER / f"node_{package}"
    _once(folder, lambda: _run([npm, "install", "--no-audit", "--no-fund", "--prefix", ".", package], folder))
    return node, folder


def go_client(module: str, replacement: str = "") -> tuple[str, Path]:
    """The go program, and a folder whose Go programs can import ``module``, given with its version.

    ``replacement``: a fork, with its version, that takes the module's place under the same import path.
    """
    go = shutil.which("go")
    if go is None:
        raise ClientUnavailable("Go is not installed")
    path = module.partition("@")[0]
    folder = FOLDER / f"go_{re.sub('[^a-z0-9]+', '_', replacement or module)}"

    def install() -> None:
        _run([go, "mod", "init", "everyday"], folder)
        if replacement:
            _run([go, "mod", "edit", "-require", module, "-replace", f"{path}={replacement}"], folder)
        else:
            _run([go, "get", module], folder)
        (folder / "main.go").write_text(f'package main\n\nimport _ "{path}"\n\nfunc main() {{}}\n')
        _run([go, "mod", "tidy"], folder)
        _run([go, "build", "-o", os.devnull, "."], folder)

    _once(folder, install)
    return go, folder


def java_client(artifact: str) -> tuple[list[str], Path]:
    """The beginning of a command that runs a Java source file with the artifact (``group:name:version``) and all that
    it needs on its class path, and a folder for the file."""
    java, maven = shutil.which("java"), shutil.which("mvn")
    if java is None or maven is None:
        raise ClientUnavailable("Java or Maven is not installed")
    if (major := java_major(java) or 0) < JAVA_MAJOR:
        raise ClientUnavailable(f"Java {JAVA_MAJOR} is needed, and this is {major}")
    folder = FOLDER / f"java_{artifact.replace(':', '_')}"
    group, name, version = artifact.split(":")

    def install() -> None:
        (folder / "pom.xml").write_text(_POM.format(group=group, name=name, version=version))
        goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath"
        _run([maven, "--batch-mode", "--quiet", goal, "-Dmdep.outputFile=classpath"], folder)

    _once(folder, install)
    return [java, "-cp", (folder / "classpath").read_text()], folder


_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>everyday</groupId><artifactId>everyday</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>
  </dependencies>
</project>
"""


def output_of(command: list[str | Path], text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a client to its end with ``text`` as its standard input."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "CQLSH_NO_BUNDLED": "1", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=LONG_SECONDS, env=environment, check=False
    )
