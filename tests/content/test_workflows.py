"""The workflows run what is there, on what is pinned, and a bot keeps the pins."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
FILES = sorted((GITHUB / "workflows").glob("*.yml"))
EACH = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def workflow(path: Path) -> dict[str, Any]:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if name is True else name: value for name, value in found.items()}  # YAML 1.1 takes on for a truth


SCYLLADB = workflow(GITHUB / "workflows" / "scylladb.yml")
JOBS = SCYLLADB["jobs"]


def commands(path: Path) -> list[str]:
    steps = [step for job in workflow(path)["jobs"].values() for step in job["steps"]]
    return [step["run"] for step in steps if "run" in step]


@EACH
def test_every_action_is_pinned_by_its_commit(path: Path) -> None:
    """A tag can be moved to other code; the version beside the hash is for people and the bot."""
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert used
    assert [line for line in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*", line)] == []


def test_one_action_has_one_pin() -> None:
    used = {line for path in FILES for line in re.findall(r"uses: (\S+)", path.read_text(encoding="utf-8"))}
    assert len(used) == len({line.partition("@")[0] for line in used})


@EACH
def test_what_is_made_is_a_target(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {name for command in commands(path) for name in re.findall(r"\bmake ([a-z]+)", command)} <= targets


@EACH
def test_what_is_named_is_there(path: Path) -> None:
    named = re.findall(r"[\w./-]*(?:tests|\.github|notebooks|tools)[/\\][\w./\\-]+", "\n".join(commands(path)))
    assert [name for name in named if not (ROOT / name.replace("\\", "/")).exists()] == []


@EACH
def test_a_workflow_may_only_read(path: Path) -> None:
    assert workflow(path)["permissions"] == {"contents": "read"}


def test_one_node_runs_on_each_push_with_the_lts_and_the_newest_release() -> None:
    job = JOBS["one-node"]
    assert {"push", "pull_request"} <= set(SCYLLADB["on"])
    assert job["if"] == "github.event_name != 'schedule'"
    assert job["strategy"]["matrix"] == {"release": ["LTS", "newest"]}
    steps = " ".join(step.get("run", "") for step in job["steps"])
    for needed in ("make up", "tests/conformance", "make run", "make down ARGS=--volumes"):
        assert needed in steps
    # They share the one server, and what starts its own is not about it.
    assert "-n0 tests/conformance --ignore=tests/conformance/random" in steps
    newest = yaml.safe_load((GITHUB / "newest" / "docker-compose.yml").read_text(encoding="utf-8"))
    (service,) = newest["services"].values()
    assert re.fullmatch(r"scylladb/scylla:\d{4}\.\d+\.\d+", service["image"])


def test_three_nodes_run_nightly() -> None:
    job = JOBS["three-nodes"]
    ((schedule,),) = [[entry["cron"] for entry in SCYLLADB["on"]["schedule"]]]
    assert re.fullmatch(r"\d+ \d+ \* \* \*", schedule)
    assert "github.event_name == 'schedule'" in job["if"]
    steps = " ".join(step.get("run", "") for step in job["steps"])
    assert "make up PROFILE=cluster" in steps and "make run" in steps
    # Conformance tests are written for one node.
    assert "tests/conformance" not in steps


def test_a_server_s_log_is_asked_of_the_project_that_make_up_starts() -> None:
    from tools.compose import PROFILES, _compose

    started = {" ".join(_compose(profile)).split("--project-name ")[1] for profile in PROFILES}
    asked = re.findall(r"--project-name (.*) logs", "\n".join(commands(GITHUB / "workflows" / "scylladb.yml")))
    assert set(asked) == started


def test_a_bot_keeps_what_is_pinned() -> None:
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    kept = {(update["package-ecosystem"], update["directory"]) for update in updates}
    images = {directory for ecosystem, directory in kept if ecosystem == "docker-compose"}
    assert kept - {("docker-compose", directory) for directory in images} == {
        ("github-actions", "/"),
        ("pip", "/"),
        ("cargo", "/rust/consumer"),
    }
    assert images == {"/", "/.github/newest"}
    assert all((ROOT / directory.strip("/") / "docker-compose.yml").is_file() for directory in images)
