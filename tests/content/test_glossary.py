"""The glossary: short, in order, and linked wherever a chapter uses one of its terms for the first time.

What counts is a chapter's prose behind its two opening cells (which speak plainly of what is to come), outside
headings, code, exercises and the texts of other links. The first time that a term comes up there, it is a link to the
glossary, or the glossary has been linked for it before.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tools.refresh_outputs import NOTEBOOKS

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
GLOSSARY = NOTEBOOKS / "glossary.md"

# Other words for a term: they count as the term. Every word counts in its plural too.
ALSO = {
    "CDC log": ("CDC", "change data capture"),
    "clustering key": ("clustering column",),
    "lightweight transaction": ("conditional update", "conditional write"),
    "materialized view": ("view",),
    "preimage": ("postimage",),
    "secondary index": ("an index",),
    "time to live": ("TTL",),
}
# Terms that are plain English as well: the words that must stand before one, or else it is not the term.
ONLY_BEHIND = {
    "hold": ("a", "the", "each", "his", "her", "their", "whose", "this one", "of"),  # a partition holds rows
    "ring": ("the", "token"),  # a ring of club seats
}
# Terms with a twin in these very notebooks, which no pattern tells apart. They are linked by hand.
NOT_COUNTED = {"cell"}  # of a table; a notebook has cells too

_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_NOT_PROSE = re.compile(r"```[\s\S]*?```|`[^`\n]*`|^#+ .*$", re.MULTILINE)
_TO_TERM = "glossary.md#"


def terms() -> dict[str, str]:
    """Anchor → term, for every term of the glossary."""
    names = re.findall(r"^## (.+)$", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    return {name.lower().replace(" ", "-"): name for name in names}


def prose(notebook: NotebookNode) -> list[str]:
    """The Markdown of a chapter's body, without the exercises, which a tool writes."""
    body = [cell for cell in notebook.cells[2:] if cell.cell_type == "markdown"]
    return [cell.source for cell in body if not cell.id.startswith("ex-")]


def words_of(term: str) -> str:
    """What the term looks like in prose, as a regular expression."""
    words = "|".join(re.escape(word) + "s?" for word in sorted((term, *ALSO.get(term, ())), key=len, reverse=True))
    before = "|".join(rf"(?<=\b{word} )" for word in ONLY_BEHIND.get(term, ()))
    return rf"(?:{before})(?:{words})" if before else f"(?:{words})"


def unlinked(text: str) -> list[str]:
    """The terms whose first use in this prose is no link, in alphabetical order."""
    text = _NOT_PROSE.sub(" ", text)
    known = {anchor: term for anchor, term in terms().items() if term not in NOT_COUNTED}
    # A longer term wins over a shorter one inside it: a partition key is no partition.
    longest_first = sorted(known.items(), key=lambda item: -len(item[1]))
    groups = "|".join(f"(?P<{anchor.replace('-', '_')}>{words_of(term)})" for anchor, term in longest_first)
    pattern = re.compile(rf"(?<![\w-])(?:{groups})(?!\w)", re.IGNORECASE)

    linked: set[str] = set()
    late: set[str] = set()
    end = 0
    for link in [*_LINK.finditer(text), None]:
        plain = text[end : link.start() if link else None]
        used = {match.lastgroup.replace("_", "-") for match in pattern.finditer(plain)}
        late |= used - linked
        if link:
            end = link.end()
            linked |= {link[2].removeprefix(_TO_TERM)} if link[2].startswith(_TO_TERM) else set()
    return sorted(known[anchor] for anchor in late)


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> NotebookNode:
    path: Path = request.param
    return nbformat.read(path, as_version=4)


def test_the_glossary_is_in_order_and_short():
    text = GLOSSARY.read_text(encoding="utf-8")
    names = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert names == sorted(set(names), key=str.lower)
    for entry in text.split("\n## ")[1:]:
        name, _, words = entry.partition("\n")
        assert words.strip().count(". ") <= 2, f"{name}: two sentences, three at most"


def test_the_rules_are_about_terms_that_exist():
    assert {*ALSO, *ONLY_BEHIND, *NOT_COUNTED} <= set(terms().values())


def test_every_link_leads_to_a_term(notebook: NotebookNode):
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    targets = {link[2] for source in cells for link in _LINK.finditer(source) if link[2].startswith(_TO_TERM)}
    assert {target.removeprefix(_TO_TERM) for target in targets} <= set(terms())


def test_a_term_is_linked_where_it_comes_up_first(notebook: NotebookNode):
    assert not unlinked("\n\n".join(prose(notebook)))


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("A partition.", ["partition"]),
        ("A [partition](glossary.md#partition), and partitions.", []),
        ("Partitions, and a [partition](glossary.md#partition).", ["partition"]),
        ("A [partition key](glossary.md#partition-key) is no partition.", ["partition"]),
        ("The partition key.", ["partition key"]),
        ("A TTL.", ["time to live"]),
        ("A `token`.\n## The token\n[a token](01_schema_creation.ipynb)", []),
        ("A schema holds them; hold it.", []),
        ("## The token\nA token.", ["token"]),
        ("Each hold ends.", ["hold"]),
    ],
)
def test_what_counts_as_a_use(text: str, missing: list[str]):
    assert unlinked(text) == missing
