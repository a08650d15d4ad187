"""pyproject.toml, requirements.lock and environment.yml say the same, and set-up keeps its promises."""

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tools.environment import BEYOND, OLDEST, PACKAGES

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
LOCKS = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("requirements.lock", "tools/pip.lock")}
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
PLATFORMS = {"linux": "posix", "darwin": "posix", "win32": "nt"}
DEPENDENCIES = [
    Requirement(line)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for line in group
]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def entries(text: str) -> list[tuple[Requirement, list[str]]]:
    """The pins of a lock file, each with its hashes; refuses any line that is neither."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        requirement, *hashes = re.split(r"\s+--hash=", line.strip())
        found.append((Requirement(requirement), hashes))
    return found


PINS = entries(LOCKS["requirements.lock"])


def pins_for(python: str, platform: str) -> dict[str, Version]:
    """What pip installs from the lock there: name to version."""
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.7",
        "sys_platform": platform,
        "os_name": PLATFORMS[platform],
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    chosen = [pin for pin, _ in PINS if not pin.marker or pin.marker.evaluate(environment)]
    names = [canonical(pin.name) for pin in chosen]
    assert len(names) == len(set(names)), "two pins of one package apply at once"
    return {canonical(pin.name): Version(str(pin.specifier).removeprefix("==")) for pin in chosen}


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_dependency_is_pinned_within_its_floor(python, platform):
    pins = pins_for(python, platform)
    wrong = [str(need) for need in DEPENDENCIES if pins.get(canonical(need.name)) not in need.specifier]
    assert wrong == []


def test_every_dependency_has_a_floor_and_no_other_bound():
    assert [str(need) for need in DEPENDENCIES if [s.operator for s in need.specifier] != [">="]] == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_is_exact_and_hashed(name):
    pins = entries(LOCKS[name])
    assert pins
    for pin, hashes in pins:
        assert re.fullmatch(r"==[\w.]+", str(pin.specifier)), pin
        assert hashes, f"{pin} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), pin


# A URL, a folder or an index that crept in would bind the lock to the machine that wrote it.
@pytest.mark.parametrize("name", LOCKS)
def test_lock_names_no_place(name):
    assert re.findall(r"://|@|^\s*-(?!-hash=).*|(?:^|\s)[./~][\w./]*/", LOCKS[name], re.MULTILINE) == []


# `make test` runs in what the lock gave; a package upgraded by hand would prove another course.
def test_this_environment_is_the_locked_one():
    if not (Path(sys.prefix) / "made-from.json").exists():
        pytest.skip("not run from the .venv that `make venv` makes")
    pins = pins_for(f"{sys.version_info[0]}.{sys.version_info[1]}", sys.platform)
    installed = {canonical(package.name): Version(package.version) for package in importlib.metadata.distributions()}
    assert {name: installed.get(name) for name in pins} == pins


def test_conda_installs_what_a_chapter_needs_and_nothing_for_tests():
    other_names = {"matplotlib-base": "matplotlib"}
    (pip,) = [part["pip"] for part in CONDA["dependencies"] if isinstance(part, dict)]
    of_conda = [Requirement(part) for part in CONDA["dependencies"] if isinstance(part, str)]
    found = {other_names.get(each.name, canonical(each.name)): each.specifier for each in of_conda}
    assert {found.pop("pip"), found.pop("python")} == {SpecifierSet(), SpecifierSet(PROJECT["requires-python"])}
    found |= {canonical(each.name): each.specifier for each in map(Requirement, pip)}
    assert found == {canonical(need.name): need.specifier for need in map(Requirement, PROJECT["dependencies"])}


def test_the_doctor_looks_for_what_a_chapter_needs():
    assert {*PACKAGES} == {canonical(Requirement(line).name) for line in PROJECT["dependencies"]}


# A build string or an exact patch release exists on one system only.
def test_conda_pins_no_build():
    assert [part for part in CONDA["dependencies"] if isinstance(part, str) and re.search("=[^<>,]*=", part)] == []


# A relative PYTHONPATH would be every program's of that environment, and not every conda sets it.
def test_conda_sets_no_variables():
    assert "variables" not in CONDA


def test_pythons_agree():
    (conda,) = [part for part in CONDA["dependencies"] if str(part).startswith("python ")]
    conda_range = SpecifierSet(conda.removeprefix("python "))
    project_range = SpecifierSet(PROJECT["requires-python"])
    for python in PYTHONS:
        assert python in conda_range
        assert python in project_range
        assert f"Programming Language :: Python :: {python}" in PROJECT["classifiers"]
    assert "3.10" not in conda_range
    assert "3.10" not in project_range
    # The lock has no wheels beyond, and nobody has tried.
    assert "3.15" not in conda_range
    assert "3.15" not in project_range
    assert [f"{OLDEST[0]}.{OLDEST[1]}", f"{BEYOND[0]}.{BEYOND[1] - 1}"] == [PYTHONS[0], PYTHONS[-1]]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"Python from {PYTHONS[0]} to {PYTHONS[-1]}" in makefile
    candidates = re.search(r"for candidate in (.*);", makefile)[1]
    assert re.findall(r"python(3\.\d+)", candidates) == PYTHONS[::-1]
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == [PYTHONS[0], PYTHONS[-1]]


def test_the_editor_and_the_linter_agree_on_the_length_of_a_line():
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    editor = (ROOT / ".editorconfig").read_text(encoding="utf-8")
    assert re.findall(r"^max_line_length = (.+)$", editor, re.MULTILINE) == [str(ruff["line-length"])]
