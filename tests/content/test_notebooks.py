"""The notebooks' form: the frame every chapter has, cells that are short, outputs that are there and clean."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import unquote

import nbformat
import pytest

from helpers.course.outline import CAPSTONE
from tools.refresh_outputs import CELL_METADATA, METADATA, NOTEBOOKS, WIDGET

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
# The rhythm of a chapter: say what we want, run it, read it aloud.
PROSE = 0.48, 0.65  # of what is read: Markdown cells and questions, among all
MEDIAN_LINES = 2, 4  # of code in a cell
MOST_LINES = 10  # in nine cells of ten
LONGEST_CELL = 20
WIDEST = 88  # characters
SECTIONS = ["## What you can now say", "## In practice", "## Further reading"]

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_IMAGE_TAG = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_ALT = re.compile(r"""\balt=("[^"]+"|'[^']+')""")
_ITEM = re.compile(r"^(?:[-*]|\d+\.) ", re.MULTILINE)


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def notebook(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def code_lines(cell) -> list[str]:
    """Those of a cell, without the label that a folded solution has."""
    return [line for line in cell.source.splitlines() if line.strip() and not line.startswith("# The solution of")]


def is_solution(cell) -> bool:
    return "solution" in cell.metadata.get("tags", [])


def test_there_are_notebooks():
    # A chapter may have a companion: 02b beside 02.
    numbers = [path.name.split("_")[0] for path in PATHS]
    chapters = [number for number in numbers if number.isdecimal()]
    assert chapters == [f"{i:02}" for i in range(len(chapters))]
    assert {number[:2] for number in numbers} == set(chapters)


def test_opening(notebook, path):
    title, objectives, parameters, opening = notebook.cells[:4]
    assert re.match(r"# \w", title.source), "the first cell is the title"
    assert re.search(r"\b\d+ minutes\b", title.source), "the title says how long the chapter takes"
    for heading in ("You will build", "You will learn", "You will need"):
        assert f"**{heading}" in objectives.source
    assert parameters.metadata.get("tags") == ["parameters"]
    seats = "240" if path.name.startswith(CAPSTONE) else "50_000"
    assert re.search(rf"^seats = {seats}$", parameters.source, re.MULTILINE)
    assert "connect(" in opening.source


def test_closing(notebook, path):
    headings = [line for cell in prose(notebook) for line in cell.source.splitlines() if line.startswith("## ")]
    assert [heading for heading in headings if heading in SECTIONS] == SECTIONS
    assert headings[-3:] == SECTIONS, "the frame ends the chapter"
    if path != PATHS[-1]:
        assert "**Next:**" in notebook.cells[-1].source


def test_each_promise_comes_back_as_a_sentence(notebook):
    learn = notebook.cells[1].source.split("You will learn")[1].split("You will need")[0]
    recap = next(cell.source for cell in prose(notebook) if SECTIONS[0] in cell.source)
    recap = recap.split(SECTIONS[0])[1].split("\n## ")[0]
    assert len(_ITEM.findall(learn)) == len(_ITEM.findall(recap)) == 3


def test_half_of_the_cells_are_prose(notebook, path):
    if path.name.startswith(CAPSTONE):
        return  # a letter, and cells to be filled
    fewest, most = PROSE
    # Of an exercise its task and what a learner writes; what is given, the check and the folded solution are its frame.
    cells = [cell for cell in notebook.cells if not re.fullmatch(r"ex-.+-(given|check|solution)", cell.id)]
    read = [cell for cell in cells if cell.cell_type == "markdown" or cell.source.startswith("predict(")]
    assert fewest <= len(read) / len(cells) <= most


def test_cells_of_code_are_short(notebook, path):
    assert not [cell.id for cell in code_cells(notebook) if len(cell.source.splitlines()) > LONGEST_CELL]
    # The folded solutions of the capstone are pieces of a design: each is long, and none is longer than a cell may be.
    cells = [cell for cell in code_cells(notebook) if not (path.name.startswith(CAPSTONE) and is_solution(cell))]
    lengths = [len(code_lines(cell)) for cell in cells]
    shortest, longest = MEDIAN_LINES
    assert shortest <= median(lengths) <= longest
    assert quantiles(lengths, n=10, method="inclusive")[-1] <= MOST_LINES


def test_no_line_of_code_is_wider_than_a_laptops_window(notebook):
    wide = [(cell.id, line) for cell in code_cells(notebook) for line in cell.source.splitlines() if len(line) > WIDEST]
    assert not wide


def test_cell_ids(notebook):
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    # An id that a tool drew says nothing in a diff, and changes when the cell is made again.
    drawn = re.compile(r"[0-9a-f]{6,}(-[0-9a-f]+)*")
    assert not [id for id in ids if drawn.fullmatch(id) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", id)]


def test_metadata_is_clean(notebook):
    assert notebook.metadata == METADATA
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    for cell in notebook.cells:
        assert set(cell.metadata) <= CELL_METADATA, cell.id


def test_outputs_are_there(notebook):
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), "executed in order: make outputs"
    assert sum(bool(cell.outputs) for cell in cells) >= len(cells) / 2


def test_outputs_are_clean(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error", cell.id
            assert output.get("name") != "stderr", cell.id
            assert WIDGET not in output.get("data", {}), cell.id
            text = str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", ""))
            assert not re.search(r"<\w+[^>]* at 0x[0-9a-f]+>", text), f"{cell.id} prints an address in memory"
            assert not re.search(r"/(home|Users|root|tmp|work)/", text), f"{cell.id} prints a path of one machine"


def test_pictures_say_in_words_what_they_show(notebook, path):
    pictures = 0
    for cell in notebook.cells:
        html = cell.source if cell.cell_type == "markdown" else ""
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            html += data.get("text/html", "")
            for kind in {"image/png", "image/svg+xml"} & set(data):
                pictures += 1
                assert len(output.metadata.get(kind, {}).get("alt", "")) >= 20, cell.id
        for tag in _IMAGE_TAG.findall(html):
            pictures += 1
            assert _ALT.search(tag), cell.id
        if cell.cell_type == "markdown":
            assert all(text for image, text, _ in _LINK.findall(cell.source) if image), cell.id
    assert pictures >= (0 if path.name.startswith(CAPSTONE) else 2)


def test_links_within_the_project_lead_somewhere(notebook, path):
    for cell in prose(notebook):
        for _, _, target in _LINK.findall(cell.source):
            if not re.match(r"[a-z]+:|#|attachment:", target):
                assert (path.parent / unquote(target.partition("#")[0])).exists(), f"{cell.id}: {target}"


def test_code_of_a_cell_names_no_secret_and_no_machine(notebook):
    for cell in notebook.cells:
        assert not re.search(r"/(home|Users|root|tmp|work)/\w", cell.source), cell.id


def test_a_notebook_exports_as_a_python_script(notebook):
    """nbconvert and editors take the kind of file from here; without it a script is called .txt."""
    language = notebook.metadata.language_info
    assert (language.name, language.file_extension, language.mimetype) == ("python", ".py", "text/x-python")
    from nbconvert.exporters import ScriptExporter

    _, resources = ScriptExporter().from_notebook_node(notebook)
    assert resources["output_extension"] == ".py"
