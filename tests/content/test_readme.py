"""The front door keeps its word: what it names exists, and its table says what the chapters say."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat

from helpers.lab.settings import VARIABLES

PROJECT = Path(__file__).resolve().parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def test_links_within_the_project_lead_somewhere():
    targets = re.findall(r"\]\(([^)\s]+)\)", README)
    assert [target for target in targets if not target.startswith("http") and not (PROJECT / target).exists()] == []


def test_pictures_say_in_words_what_they_show():
    alts = re.findall(r"!\[([^\]]*)\]", README)
    assert alts
    assert min(map(len, alts)) >= 20


def test_every_make_target_is_there():
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = re.findall(r"(?:^|`|=\S+ )make ([a-z]+)", README, re.MULTILINE)
    assert {"lab", "test", "run"} <= set(named) <= targets


def test_every_variable_of_the_connection_is_explained():
    assert set(re.findall(r"SCYLLA_[A-Z_]+", README)) == set(VARIABLES)


def chapters() -> dict[str, str]:
    """Notebook → the minutes that its title names."""
    titles = {
        path.name: nbformat.read(path, as_version=4).cells[0].source
        for path in sorted((PROJECT / "notebooks").glob("*.ipynb"))
    }
    return {name: re.search(r"(\d+) minutes", title)[1] for name, title in titles.items()}


def test_the_path_has_every_chapter_with_its_minutes():
    rows = dict(re.findall(r"\(notebooks/(\w+\.ipynb)\) \|.*\| (\d+) \|$", README, re.MULTILINE))
    assert rows == chapters()


def test_the_first_chapter_names_all_others_with_their_minutes():
    first, *others = chapters().items()
    cells = nbformat.read(PROJECT / "notebooks" / first[0], as_version=4).cells
    path = next(cell.source for cell in cells if cell.id == "path")
    assert sorted(re.findall(r"\((\w+\.ipynb)\): .*\| (\d+) \|$", path, re.MULTILINE)) == sorted(others)


def test_each_chapter_goes_by_one_name():
    """Its title, wherever the course says what comes next."""
    titles = {path.name: title_of(path) for path in sorted((PROJECT / "notebooks").glob("*.ipynb"))}
    first = nbformat.read(PROJECT / "notebooks" / next(iter(titles)), as_version=4)
    pages = {
        "README.md": README,
        "chapter 00": next(cell.source for cell in first.cells if cell.id == "path"),
        "on-scylladb.md": (PROJECT / "docs" / "on-scylladb.md").read_text(encoding="utf-8"),
    }
    for page, text in pages.items():
        rows = re.findall(r"^(?:\||###) .*?\[(?:\d\d\w? )?([^\]]+)\]\((?:.*/)?(\w+\.ipynb)\)", text, re.MULTILINE)
        assert len(rows) >= len(titles) - 1, page
        assert {name: title for title, name in rows} == {name: titles[name] for _, name in rows}, page


def title_of(path: Path) -> str:
    title: str = nbformat.read(path, as_version=4).cells[0].source.partition("\n")[0].removeprefix("# ")
    return title
