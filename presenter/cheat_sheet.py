"""All CQL that the course teaches, by kind: from the notebooks' own ``%%cql`` cells and the files of ``cql/``.

Nothing is written twice: a statement is taken where it brings a word of CQL that none before it had, the shortest
first.
Exercises' cells stay out, and so does what a server refuses: a sheet is to be copied from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from helpers.course.cells import cql_of
from helpers.course.outline import outline
from helpers.lab.node import PROJECT
from helpers.lab.statements import split, statements
from presenter.pages import inline, page

# Kind → how its statements begin. The first that fits is a statement's.
KINDS = {
    "A keyspace, a table": r"CREATE (KEYSPACE|TABLE)",
    "A view, an index": r"CREATE (MATERIALIZED VIEW|INDEX|CUSTOM INDEX)",
    "Change what there is": r"(ALTER|DROP|TRUNCATE|CREATE|DESC|GRANT|LIST)",
    "Write a row": r"INSERT",
    "Change a row": r"UPDATE",
    "Several at once": r"BEGIN",
    "Delete": r"DELETE",
    "Ask": r"SELECT",
}
# The source's own statements, mistakes included, and what another language's consumer reads, are no models.
LEFT_OUT = {"source.cql", "rust_consumer.cql"}
_REFUSED = re.compile(r"\b(InvalidRequest|SyntaxException|ConfigurationException|Unauthorized)\b")
_WORD = re.compile(r"\b[A-Z]{2,}\b|\b\w+(?=\()|\b(?:cdc|default_time_to_live|tablets|replication)\b")
_TEXT = re.compile(r"'[^']*'")
_EVERYWHERE = {"AND", "VALUES", "SET", "INTO", "FROM", "AS", "ON", "NULL", "ASC"}


@dataclass(frozen=True)
class Taught:
    """A statement, and where it is taught: a chapter's number, or the name of a file."""

    text: str
    where: str

    @property
    def kind(self) -> str:
        """Its kind; a LookupError for a statement that begins as none does."""
        return next(kind for kind, begins in KINDS.items() if re.match(begins, self.text))

    @property
    def words(self) -> frozenset[str]:
        """The words of CQL in it: keywords, functions, and options that have a lesson."""
        names = re.sub(r"\b\w+ \($|(?<=TABLE )\S+|(?<=INTO )\w+", "", _TEXT.sub("", self.text))
        return frozenset(_WORD.findall(names)) - _EVERYWHERE


def taught() -> list[Taught]:
    """Every statement of the course, in its order; of each text the first."""
    found: dict[str, Taught] = {}
    for each in [*_of_notebooks(), *_of_files()]:
        found.setdefault(" ".join(each.text.split()), each)
    return list(found.values())


def _of_notebooks() -> Iterator[Taught]:
    for number, chapter in outline().items():
        for cell in nbformat.read(chapter.path, as_version=4).cells:
            body = cql_of(cell.source) if cell.cell_type == "code" else None
            if body is None or {"exercise", "solution"} & set(cell.metadata.get("tags", ())) or _is_refused(cell):
                continue
            for each in split(body):
                yield Taught(_without_comments(str(each)), number)


def _of_files() -> Iterator[Taught]:
    for path in sorted((PROJECT / "cql").glob("*.cql")):
        if path.name in LEFT_OUT:
            continue
        # What a file leaves to be filled in, the sheet shows as it is on one node.
        filled = {"keyspace": "seats", "replicas": 1, "tablets": "false"} if path.name == "keyspace.cql" else {}
        for each in statements(path.name, **filled):
            yield Taught(_without_comments(str(each)), path.name)


def _is_refused(cell: NotebookNode) -> bool:
    return any(_REFUSED.search(str(output.get("text", ""))) for output in cell.outputs)


def _without_comments(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if not line.lstrip().startswith("--")]
    return "\n".join(lines).strip().rstrip(";")


def chosen(statements: Iterable[Taught]) -> dict[str, list[Taught]]:
    """Kind → the fewest statements, as far as greed finds them, that have all words of their kind."""
    by_kind: dict[str, list[Taught]] = {kind: [] for kind in KINDS}
    for each in statements:
        by_kind[each.kind].append(each)
    return {kind: _covering(found) for kind, found in by_kind.items() if found}


def _covering(found: list[Taught]) -> list[Taught]:
    known: set[str] = set()
    taken = []
    for each in sorted(found, key=lambda each: len(each.text)):
        if not each.words <= known:
            known |= each.words
            taken.append(each)
    return sorted(taken, key=found.index)


def cheat_sheet() -> str:
    """The page."""
    parts = []
    for kind, found in chosen(taught()).items():
        parts.append(f"<h2>{inline(kind)}</h2>")
        parts += [
            f'<pre>{inline(each.text)}; <span class="quiet">-- {inline(each.where)}</span></pre>' for each in found
        ]
    return page(
        "All CQL of the course",
        "<h1>All CQL of the course</h1>",
        '<p class="quiet">From the chapters\' own cells; the number behind a statement is its chapter. A name after a '
        "colon, or a question mark, is a value.</p>",
        f'<div class="columns">{"".join(parts)}</div>',
    )
