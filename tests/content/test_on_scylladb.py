"""The page about a real ScyllaDB: it has every chapter, names what is there, and claims no more than was done."""

from __future__ import annotations

import re
from pathlib import Path

from embedded_scylla.__main__ import parse_arguments
from helpers.lab import replication
from helpers.lab.settings import VARIABLES

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "on-scylladb.md"
TEXT = PAGE.read_text(encoding="utf-8")
README = (PROJECT / "README.md").read_text(encoding="utf-8")
WHERE = ["One node", "Three nodes", "Tablets", "Cloud"]


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def chapters() -> dict[str, str]:
    """The notebook that a heading links → what stands below it."""
    parts = re.split(r"^### ", section("Chapter by chapter"), flags=re.MULTILINE)[1:]
    found = {}
    for part in parts:
        heading, _, body = part.partition("\n")
        number, target = re.fullmatch(r"\[(\w+) .*\]\(\.\./notebooks/(.*)\)", heading).groups()
        assert target.startswith(f"{number}_")
        found[target] = body
    return found


def test_it_has_every_chapter_in_its_order() -> None:
    assert list(chapters()) == sorted(path.name for path in (PROJECT / "notebooks").glob("[0-9]*.ipynb"))


def test_a_chapter_has_a_line_for_each_place() -> None:
    for name, body in chapters().items():
        assert re.findall(r"^- \*\*([\w ]+):\*\* \S", body, re.MULTILINE) == WHERE, name


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXT):
        path, _, anchor = target.partition("#")
        page = (PAGE.parent / path).resolve() if path else PAGE
        assert page.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, target


def test_connect_says_what_the_page_shows() -> None:
    chosen = replication._choose({"datacenter1": ["rack1", "rack2", "rack3"]}, tablets=True)
    assert f"\n{chosen}\n" in TEXT


def test_the_front_door_leads_here() -> None:
    assert "](docs/on-scylladb.md)" in README


def test_every_variable_that_it_names_is_read_by_somebody() -> None:
    compose = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
    known = set(VARIABLES) | set(re.findall(r"\$\{(SCYLLA_\w+):-", compose))
    named = set(re.findall(r"SCYLLA_[A-Z_]+", TEXT))
    assert named <= known and {"SCYLLA_HOSTS", "SCYLLA_IMAGE", "SCYLLA_TABLETS"} <= named


def test_every_make_target_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"up", "down", "doctor", "rehearse"} <= set(re.findall(r"\bmake ([a-z]+)", TEXT)) <= targets


def test_the_node_takes_the_options_that_it_names() -> None:
    (options,) = re.findall(r"-m embedded_scylla (--.*)$", TEXT, re.MULTILINE)
    read = parse_arguments(options.split())
    assert (read["plain"], read["data_dir"], read["port"]) == (True, None, 9042)


def test_nothing_is_claimed_of_a_server_that_nobody_has_run() -> None:
    """Remove a row only with the run that it tells of."""
    rows = [line for line in section("What was verified, and how").splitlines() if line.startswith("| the course on")]
    assert rows == ["| the course on one node of ScyllaDB, on three, on ScyllaDB Cloud | nobody yet |"]
    assert "Nobody has run the course on a ScyllaDB" in " ".join(TEXT.split())
