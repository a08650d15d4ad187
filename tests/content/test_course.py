"""What makes a chapter part of a course: predictions before results, CQL that reads well."""

from __future__ import annotations

import ast
import base64
import io
import re
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from PIL import Image

from helpers.course.cells import cql_of, python_of
from helpers.course.outline import CAPSTONE
from helpers.lab.statements import split, statements
from tests.notebooks.same_picture import pictures_in
from tools.refresh_outputs import NOTEBOOKS

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
LONGEST_CQL_LINE = 100

_CQL = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE|CREATE|ALTER|DROP|TRUNCATE|BEGIN)\s", re.IGNORECASE)
_KEYWORDS = re.compile(
    r"\b(select|insert|into|values|update|delete|create|alter|drop|truncate|begin|table|view|materialized|where|from|"
    r"and|limit|allow|filtering|order by|using|if|not|exists|primary|distinct)\b"
)


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def notebook(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def test_an_old_question_is_no_prediction(notebook: NotebookNode):
    for cell in prose(notebook):
        assert not re.search(r"\*\*Predict", cell.source), f"{cell.id}: predict() asks now"


def test_the_recap_ends_with_the_surprises(notebook: NotebookNode, path: Path):
    places = [i for i, cell in enumerate(notebook.cells) if "## What you can now say" in cell.source]
    assert len(places) == 1
    if path.name.startswith(CAPSTONE):
        return  # it predicts nothing
    assert notebook.cells[places[0] + 1].source == f'surprises("{path.name.split("_")[0]}")'


def strings(cell: NotebookNode) -> list[str]:
    """The texts in a cell's code; what is put into an f-string stands there as {}. A cell of CQL is one text."""
    found = [cql_of(cell.source) or ""]
    inside = set()
    for node in ast.walk(ast.parse(python_of(cell.source))):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            found.append("".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            found.append(node.value)
    return found


def test_cql_reads_well(notebook: NotebookNode):
    """Keywords in capitals, lines that fit a page."""
    for cell in code(notebook):
        for text in strings(cell):
            if _CQL.match(text) and len(text.split()) > 2:
                bare = re.sub(r"'[^']*'|\"[^\"]*\"|--.*", "''", text)
                assert not _KEYWORDS.findall(bare), f"{cell.id}: {text}"
                assert all(len(line) <= LONGEST_CQL_LINE for line in text.splitlines()[1:]), f"{cell.id}: {text}"


def test_pictures_read_on_light_and_on_dark(notebook: NotebookNode):
    """They bring their own paper: no pixel lets the page shine through, and the paper is light."""
    for cell in code(notebook):
        for output in cell.outputs:
            for data in pictures_in(output):
                image = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")
                assert image.getchannel("A").getextrema()[0] == 255, cell.id
                assert min(image.getpixel((1, 1))[:3]) >= 230, cell.id


def test_chapter_1_creates_what_the_files_create():
    """Its cells have the five tables and the two views in full: the same as cql/, whose copies other chapters run."""
    (path,) = NOTEBOOKS.glob("01_*.ipynb")
    cells = [cell for cell in code(nbformat.read(path, as_version=4)) if "tags" not in cell.metadata]
    # Its lesson on types of one's own has a table that no other chapter uses.
    cells = [cell for cell in cells if cell.id != "type-make"]
    written = [each for cell in cells for each in split(cql_of(cell.source) or "")]
    created = {" ".join(each.split()) for each in written if " IF NOT EXISTS " in each and each.startswith("CREATE")}
    assert created == {" ".join(each.split()) for file in ("tables.cql", "views.cql") for each in statements(file)}
