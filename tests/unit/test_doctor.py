"""The doctor says in a sentence what to mend, before it needs a package, and leaves the machine as it was."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from cassandra.cluster import Session

from helpers.lab.node import running_node, stop_node
from tools import doctor, environment
from tools.recorded_node import RecordedNode

ROOT = Path(__file__).resolve().parents[2]
POSIX = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict]:
    """Has the doctor look; returns the exit code under "", and under each check's name its mark and words."""
    # Room on the machine that runs the tests is not what this is about.
    monkeypatch.setattr(doctor, "NEEDED_DISK_MB", 0)
    monkeypatch.setattr(doctor, "NEEDED_MEMORY_MB", 0)
    monkeypatch.setenv("EMBEDDED_DIR", str(tmp_path / "a node"))
    for name in [name for name in os.environ if name.startswith("SCYLLA_")]:
        monkeypatch.delenv(name)

    def look(*arguments: str) -> dict:
        code = doctor.main(list(arguments))
        said = {line[6:16].strip(): (line[:4].strip(), line[17:]) for line in capsys.readouterr().out.splitlines()[:-1]}
        return {"": code, **said}

    return look


def test_a_machine_that_is_well(look: Callable[..., dict], tmp_path: Path) -> None:
    found = look()
    assert {name: told[0] for name, told in found.items() if name} == dict.fromkeys(doctor.CHECKS, "ok"), found
    assert found[""] == 0
    assert "was ended again" in found["node"][1]
    assert not (tmp_path / "a node").exists()


def test_everything_that_can_be_wrong_is_said_at_once(
    look: Callable[..., dict], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EMBEDDED_DIR", str(tmp_path / "file"))
    monkeypatch.setenv("SCYLLA_HOST", "x")
    monkeypatch.setenv("JUPYTER_PATH", a_kernel(tmp_path, "/no/such/python"))
    monkeypatch.setattr(doctor, "NEEDED_DISK_MB", 10**12)
    monkeypatch.setattr(doctor, "NEEDED_MEMORY_MB", 10**12)
    monkeypatch.setattr(environment, "BEYOND", (3, 11))
    monkeypatch.setattr(doctor, "NOTEBOOKS", tmp_path / "no notebooks")
    monkeypatch.setattr(doctor, "MINE", tmp_path / "file" / "my")
    found = look()
    assert found[""] == 1
    fine = {name for name, told in found.items() if name and told[0] != "MEND"}
    assert fine <= {"packages"}, found


def test_without_any_package_it_says_where_to_begin(tmp_path: Path) -> None:
    for folder in "tools", "notebooks", "helpers", "embedded_scylla":
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "seats.py", tmp_path)
    base = getattr(sys, "_base_executable", sys.executable)
    command = [base, "-s", "-E", "-S", "-B", str(tmp_path / "seats.py"), "doctor"]
    bare = {
        name: value for name, value in os.environ.items() if not name.startswith(("SCYLLA_", "CONDA_", "EMBEDDED_"))
    }
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=bare, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")
    marks = {line[6:16].strip(): line for line in done.stdout.splitlines()}
    assert marks["packages"].startswith("MEND  packages   there is no environment yet: make venv")
    for name in "kernel", "node":
        assert marks[name].endswith("not looked at before Python and packages are there")
    assert marks["notebooks"].startswith("ok")
    assert not (tmp_path / ".embedded").exists()


@pytest.mark.parametrize(
    "name",
    ["arguments", "commands", "compose", "doctor", "clean", "environment", "make_venv", "recorded_node", "results"],
)
def test_what_runs_before_set_up_is_understood_by_an_older_python(name: str) -> None:
    source = (ROOT / "tools" / f"{name}.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 8))
    assert "\nfrom __future__ import annotations\n" in source


def test_asking_for_help_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDED_DIR", str(tmp_path / "a node"))
    with pytest.raises(SystemExit) as end:
        doctor.main(["--help"])
    assert end.value.code == 0
    assert not (tmp_path / "a node").exists()


# --- the environment and the kernel ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "version, words", [((3, 10), "the course needs 3.11 or newer"), ((3, 15), "not built for it yet")]
)
def test_a_python_that_will_not_do(monkeypatch: pytest.MonkeyPatch, version: tuple[int, int], words: str) -> None:
    monkeypatch.setattr(doctor.sys, "version_info", version)
    with pytest.raises(doctor.Advice, match=words):
        doctor.python()


@pytest.mark.parametrize("ours", [True, False])
def test_an_environment_whose_packages_were_taken_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ours: bool
) -> None:
    place = environment.Environment(tmp_path / ".venv")
    site = place.folder / ("Lib/site-packages" if os.name == "nt" else "lib/python3.11/site-packages")
    for folder in site, place.python.parent:
        folder.mkdir(parents=True)
    place.python.touch()
    (place.folder / "pyvenv.cfg").write_text("version = 3.11.7\n")
    if ours:
        place.stamp.write_text("{}")
    monkeypatch.setattr(doctor, "Environment", lambda: place)
    monkeypatch.setattr(doctor.sys, "prefix", str(place.folder))
    with pytest.raises(doctor.Advice, match=r"it lacks .* and \d+ more\. Run make venv") as told:
        doctor.packages()
    assert ("was not made by this project" in str(told.value)) is not ours


def a_kernel(folder: Path, program: str) -> str:
    """A folder for JUPYTER_PATH, in which the kernel python3 is ``program``."""
    kernel = folder / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    spec = {"argv": [program, "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "Mine"}
    (kernel / "kernel.json").write_text(json.dumps({**spec, "language": "python"}))
    return str(folder / "jupyter")


@POSIX
@pytest.mark.parametrize(
    "does, words",
    [
        ("echo /usr; echo {root}/helpers/__init__.py", "is another Python, {program}, and not "),
        (
            "echo {prefix}; echo /elsewhere/helpers/__init__.py",
            "the helpers of another checkout, /elsewhere: make venv",
        ),
        (
            "echo \"No module named 'helpers'\" >&2; exit 1",
            "{program}, will not do (No module named 'helpers'): remove ",
        ),
    ],
)
def test_a_kernel_that_is_another_python(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does: str, words: str
) -> None:
    program = tmp_path / "python-of-old"
    program.write_text(f"#!/bin/sh\n{does.format(root=ROOT, prefix=sys.prefix)}\n")
    program.chmod(0o755)
    monkeypatch.setenv("JUPYTER_PATH", a_kernel(tmp_path, str(program)))
    with pytest.raises(doctor.Advice) as told:
        doctor.kernel()
    assert words.format(program=program) in str(told.value)


def test_a_notebook_that_asks_for_another_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    printed, mine = tmp_path / "notebooks", tmp_path / "my"
    monkeypatch.setattr(doctor, "NOTEBOOKS", printed)
    monkeypatch.setattr(doctor, "MINE", mine)
    printed.mkdir()
    good, other = ({"metadata": {"kernelspec": {"name": name}}} for name in ("python3", "thesis"))
    path, own = printed / "00_start.ipynb", mine / "00_start.ipynb"
    path.write_text(json.dumps(other))
    with pytest.raises(doctor.Advice, match=r"^notebooks/00_start.ipynb asks for the kernel 'thesis': choose Python 3"):
        doctor.notebooks()
    path.write_text("{")
    with pytest.raises(doctor.Advice, match=r"cannot be read \(.*\): git checkout notebooks/00_start.ipynb$"):
        doctor.notebooks()
    path.write_text(json.dumps(good))
    assert doctor.notebooks() == f"1 in {printed}"
    # A learner works in a copy, and that is what has to be well.
    mine.mkdir()
    own.write_text(json.dumps(other))
    with pytest.raises(doctor.Advice, match=r"^my/00_start.ipynb asks for the kernel 'thesis': choose Python 3"):
        doctor.notebooks()
    own.write_text("<<<<<<< a merge that was left")
    with pytest.raises(doctor.Advice, match=r"^my/00_start.ipynb cannot be read \(.*\): make lab TAKE=00 \(yours is"):
        doctor.notebooks()
    own.write_text(json.dumps(good))
    (mine / "my own notes.ipynb").write_text("{")
    assert doctor.notebooks() == f"1 in {printed}, 1 of them as your own in {mine}"


def test_a_tree_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(doctor, "MINE", tmp_path / "file" / "my")
    with pytest.raises(doctor.Advice, match=r"cannot be written \(.*\): nothing can be saved there"):
        doctor.saving()


# --- the node and the server -----------------------------------------------------------------------------------------


def test_a_node_that_runs_is_left_running(look: Callable[..., dict]) -> None:
    node = running_node()
    try:
        assert look()["node"] == ("ok", f"answers on port {node.port}, process {node.pid}")
        assert node.process()
    finally:
        stop_node()


@pytest.mark.skipif(os.name == "nt", reason="there is no stopping a process for a while")
def test_a_node_that_hangs(look: Callable[..., dict]) -> None:
    node = running_node()
    process = psutil.Process(node.pid)
    process.send_signal(signal.SIGSTOP)
    try:
        mark, words = look()["node"]
        assert mark == "MEND"
        assert f"process {node.pid}, the embedded node, does not answer on port {node.port}" in words
    finally:
        process.resume()
        stop_node()


def test_what_the_node_lost_is_said(look: Callable[..., dict], monkeypatch: pytest.MonkeyPatch) -> None:
    running_node()
    try:
        notices = {"notices": ["Two records could not be read.", "They lie in data/journal-1.corrupt."]}
        with monkeypatch.context() as patch:
            patch.setattr(RecordedNode, "status", lambda self: notices)
            mark, words = look()["node"]
        assert mark == "MEND"
        assert "but: Two records could not be read. They lie in data/journal-1.corrupt. (" in words
    finally:
        stop_node()


def test_a_port_that_another_program_took(look: Callable[..., dict], tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        (tmp_path / "a node").mkdir()
        known = {"host": "127.0.0.1", "port": port, "pid": 2**22 + 1, "created": 1.0}
        (tmp_path / "a node" / "node.json").write_text(json.dumps(known))
        mark, words = look()["node"]
        assert (mark, words.partition(";")[2]) == (
            "ok",
            f" port {port}, where it was before, is taken by another program",
        )


def test_with_a_server_named_it_looks_at_that_one(
    look: Callable[..., dict], lab: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (host,) = lab.cluster.metadata.all_hosts()
    monkeypatch.setenv("SCYLLA_HOSTS", host.endpoint.address)
    monkeypatch.setenv("SCYLLA_PORT", str(host.endpoint.port))
    monkeypatch.setattr("helpers.lab.connection._clusters", {})
    found = look()
    assert found["node"] == ("--", "not looked at: SCYLLA_HOSTS names another server")
    assert found["server"][0] == "ok", found
    assert found["server"][1].startswith("Connected to ")
    assert not (tmp_path / "a node").exists()


# --- Docker: what it looks for is test_compose_command.py's ----------------------------------------------------------


def test_docker_is_looked_at_when_asked(look: Callable[..., dict], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CHECKS", {})
    monkeypatch.setattr(doctor.compose, "look", lambda profile: f"29.0 for {profile}")
    assert look() == {"": 0}
    assert look("--docker") == {"": 0, "docker": ("ok", "29.0 for one")}
    assert look("--docker", "cluster") == {"": 0, "docker": ("ok", "29.0 for cluster")}


def test_what_stops_make_up_the_doctor_says_in_the_same_words(
    look: Callable[..., dict], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "CHECKS", {})
    monkeypatch.setenv("PATH", str(tmp_path))
    found = look("--docker")
    assert found[""] == 1
    assert found["docker"][0] == "MEND"
    assert found["docker"][1].startswith("there is no docker on the path: install it from ")


def test_keyspaces_with_a_time_of_their_own_are_named() -> None:
    told = doctor._told_by({"keyspace_offset_seconds": {"seats_04": 900.0}}, "runs")
    assert told == "runs, with times of their own in seats_04"
    assert doctor._told_by({"clock_offset_seconds": 900.0}, "runs") == "runs, its clock pushed 900 s ahead"
