"""The map of the house is true: what it names exists, and the line that decides is where it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.no_wheel import SENTENCE

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "house.md"
HOUSE = PAGE.read_text(encoding="utf-8")
PARAGRAPHS = re.split(r"\n\n|\n(?=\d\. )|\n(?=\|)", HOUSE)


def linked(text: str) -> list[Path]:
    return [(PAGE.parent / target).resolve() for target in re.findall(r"\]\(([^)\s]+)\)", text)]


def test_every_link_leads_somewhere() -> None:
    assert [path for path in linked(HOUSE) if not path.exists()] == []


@pytest.mark.parametrize("paragraph", [each for each in PARAGRAPHS if linked(each)], ids=lambda text: text[:30])
def test_what_a_paragraph_names_is_in_the_files_it_links(paragraph: str) -> None:
    texts = "\n".join(path.read_text(encoding="utf-8") for path in linked(paragraph) if path.is_file())
    functions = set(re.findall(r"`(\w+)\(\)", paragraph))
    classes = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)*)`", paragraph))
    statements = set(re.findall(r"the statement `(\w+)`", paragraph))
    assert {name for name in functions if not re.search(rf"\bdef {name}\(", texts)} == set()
    assert {name for name in classes if not re.search(rf"^class {name}\b", texts, re.MULTILINE)} == set()
    assert {name for name in statements if f"-- name: {name}\n" not in texts} == set()
    for words, target in re.findall(r"\[`([\w/.]+)`\]\(([^)]+)\)", paragraph):
        assert target.endswith(words), "the words of a link are the end of its path"


def test_every_room_is_on_the_map() -> None:
    rooms = [path.parent for path in PROJECT.glob("*/__init__.py")] + [
        path.parent for path in (PROJECT / "helpers").glob("*/__init__.py")
    ]
    assert {room for room in rooms if room.name != "tests"} - set(linked(HOUSE)) - {
        path.parent for path in linked(HOUSE)
    } == set()


def test_the_line_that_decides_who_gets_a_seat_is_the_one_that_the_map_shows() -> None:
    (shown,) = re.findall(r"decides who gets a seat:\*\* `([^`]+)`", HOUSE)
    statement = (PROJECT / "cql" / "checkout.cql").read_text(encoding="utf-8").split("-- name: hold_seat\n")[1]
    assert statement.split(";")[0].splitlines()[-1].strip() == shown
    assert "](docs/house.md)" in (PROJECT / "README.md").read_text(encoding="utf-8"), "two clicks from the front door"


def test_one_module_alone_names_the_node_s_package() -> None:
    naming = [
        path for path in (PROJECT / "helpers").rglob("*.py") if "embedded_scylla" in path.read_text(encoding="utf-8")
    ]
    assert [path.relative_to(PROJECT).as_posix() for path in naming] == ["helpers/lab/node.py"]


def test_a_build_is_refused_with_a_sentence(tmp_path: Path) -> None:
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-index",
        "--wheel-dir",
        str(tmp_path),
        str(PROJECT),
    ]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode != 0 and SENTENCE in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == [] and not (PROJECT / "build").exists()
