"""Slides: titles, code and pictures of the notebooks, by nbconvert and reveal.js, which is in this folder.

A notebook is made of what is shown, in which nothing is long, and nbconvert makes the page of it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from presenter.notes import Section
from presenter.papers import spoken
from presenter.plans import Plan
from presenter.talks import Talk, talk_of

HERE = Path(__file__).resolve().parent
THEMES = ("light", "dark")
# What fits a projector, at the size of letters that the last row can read.
MOST_CODE = 14
MOST_ROWS = 7
_ROW = re.compile(r"<tr>.*?</tr>\s*", re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def chapter_deck(number: str, theme: str = "light") -> str:
    """The slides of a chapter, section by section, as HTML that wants ``reveal/`` beside it."""
    talk = talk_of(number)
    cells = [_title(talk.chapter.title, talk.notes.point, f"Before: {talk.notes.before}")]
    for section in talk.sections.values():
        cells += _slides(talk, section)
    return _rendered(talk.chapter.title, cells, theme)


def plan_deck(plan: Plan, theme: str = "light") -> str:
    """The slides of a whole workshop."""
    cells = [_title("Fifty Thousand Seats", plan.title)]
    for part in plan.parts:
        if part.talk and part.section:
            cells += _slides(part.talk, part.section)
        else:
            cells.append(_title(part.title, "", part.text))
    return _rendered(f"Fifty Thousand Seats, {plan.title.lower()}", cells, theme)


def copy_reveal(folder: Path) -> None:
    """Put reveal.js into ``folder``."""
    shutil.copytree(HERE / "reveal", folder / "reveal", dirs_exist_ok=True)


def _title(title: str, line: str, note: str = "") -> NotebookNode:
    return _words(f"# {title}\n\n{line}", "slide", note)


def _slides(talk: Talk, section: Section) -> Iterator[NotebookNode]:
    lines = "\n".join(f"- {_escaped(line)}" for line in section.slide)
    note = "\n\n".join(f"**{word}:** {text}" for word, text in spoken(section) if text)
    minutes = f"{section.do} minutes to do, {section.demo} to show"
    yield _words(f"## {talk.headings[section.at]}\n\n{lines}", "slide", f"{minutes}\n\n{note}")
    for id in section.show:
        yield from _shown(talk.cells[id])


def _escaped(line: str) -> str:
    return re.sub(r"([*_\[<])", r"\\\1", line)


def _words(text: str, role: str, note: str = "") -> NotebookNode:
    cell: NotebookNode = nbformat.v4.new_markdown_cell(
        _LINK.sub(r"\1", text), metadata={"slideshow": {"slide_type": role}}
    )
    cell.metadata["note"] = note
    return cell


def _shown(cell: NotebookNode) -> Iterator[NotebookNode]:
    """A cell as a slide: a picture alone, a question alone, or code with a short answer; what compares comes on a
    click."""
    if cell.cell_type == "markdown":
        yield _words(cell.source, "subslide")
        return
    outputs = _short(cell.outputs)
    first, others = (outputs[0], outputs[1:]) if outputs else (None, [])
    is_question = cell.source.startswith("predict(")
    source = "" if is_question or _is_picture(first) or cell.source.count("\n") >= MOST_CODE else _code(cell.source)
    yield _code_cell(source, [first] if first else [], "subslide")
    if others:
        yield _code_cell("", others, "fragment")


def _code(source: str) -> str:
    """Code without the line that is for the notebook alone."""
    return re.sub(r"\A%%(cql|after)\b[^\n]*\n", "", source)


def _code_cell(source: str, outputs: list[NotebookNode], role: str) -> NotebookNode:
    metadata: dict[str, object] = {"slideshow": {"slide_type": role}}
    if not source:
        metadata["transient"] = {"remove_source": True}
    cell: NotebookNode = nbformat.v4.new_code_cell(source, outputs=outputs, metadata=metadata)
    return cell


def _is_picture(output: NotebookNode | None) -> bool:
    return output is not None and "<img" in str(output.get("data", {}).get("text/html", ""))


def _short(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Outputs with as many rows as fit."""
    short = []
    for output in outputs:
        made = nbformat.from_dict(output)
        page = made.get("data", {}).get("text/html")
        if page and len(rows := _ROW.findall(page)) > MOST_ROWS + 1:
            made.data["text/html"] = page.replace("".join(rows[MOST_ROWS + 1 :]), "", 1)
        short.append(made)
    return short


def _rendered(title: str, cells: list[NotebookNode], theme: str) -> str:
    from nbconvert import SlidesExporter

    with_notes = []
    for cell in cells:
        note = cell.metadata.pop("note", "")
        with_notes.append(cell)
        if note:
            with_notes.append(nbformat.v4.new_markdown_cell(note, metadata={"slideshow": {"slide_type": "notes"}}))
    language = {"language_info": {"name": "sql", "pygments_lexer": "sql"}, "title": title}
    notebook = nbformat.v4.new_notebook(cells=with_notes, metadata=language)
    exporter = SlidesExporter(  # type: ignore[no-untyped-call]
        template_name="slides",
        extra_template_basedirs=[str(HERE)],
        reveal_url_prefix="reveal",
        reveal_theme="course",
        theme=theme,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    body, _ = exporter.from_notebook_node(notebook)
    return str(body)
