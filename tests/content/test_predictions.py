"""Honest predictions: the words stand in the exercises' files, the answer behind the gate; nothing gives it away."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from helpers.course.cells import answers_prediction, python_of
from helpers.course.outline import CAPSTONE, outline
from helpers.course.questions import Prediction, predictions_of
from tools.refresh_outputs import NOTEBOOKS

# The capstone asks for a design, and predicts nothing.
PATHS = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if not path.name.startswith(CAPSTONE)]
LEAST = 3
# Words that a lesson may need anyway: only an option of more words is a sentence that the page must not have.
LONG_OPTION_WORDS = 5
# Where an answer was to be expected, thinking is rewarded; where it never is, the odd option wins.
AS_EXPECTED = 0.25, 0.5
LEAST_NUMBERS = 4

_COMPARED = re.compile(r"^It happened \((.+?)\):", re.MULTILINE)
_RESULT = re.compile(r"^It happened \(.+?\): (.+)$", re.MULTILINE)
NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_ASKS = re.compile(r'^predict\("(\d\d[a-z]?\.\d+)"\)$')


def chapter_of(path: Path) -> str:
    return path.name.split("_")[0]


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


def code(path: Path) -> list[NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def shown(cell: NotebookNode) -> str:
    """What stands below a cell, as text and as HTML."""
    pieces = []
    for output in cell.outputs:
        pieces.append(str(output.get("text", "")))
        pieces += [str(output.get("data", {}).get(kind, "")) for kind in ("text/plain", "text/html")]
    return "\n".join(pieces)


def flat(text: str) -> str:
    return re.sub(r"[\s\\]+", " ", text)


def asked_in(cell: NotebookNode) -> list[str]:
    calls = [node for node in ast.walk(ast.parse(python_of(cell.source))) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "predict"]
    return [call.args[0].value for call in named]  # type: ignore[attr-defined]


def problems(cells: list[NotebookNode], wanted: dict[str, Prediction]) -> list[str]:
    """What is wrong with the questions of a chapter, a sentence each."""
    found: list[str] = []
    asked = [number for cell in cells for number in asked_in(cell)]
    if asked != list(wanted):
        found.append(f"asked are {asked}, and its file has {list(wanted)}: each once, in their order")
    for i, cell in enumerate(cells):
        number = next(iter(asked_in(cell)), None)
        answers = answers_prediction(cell.source)
        if number and not _ASKS.match(cell.source):
            found.append(f"{cell.id}: the cell only asks")
        if number and (i + 1 == len(cells) or answers_prediction(cells[i + 1].source) != number):
            found.append(f"{cell.id}: the next code cell shows the answer to {number}")
        if answers and (i == 0 or asked_in(cells[i - 1]) != [answers]):
            found.append(f"{cell.id}: the code cell before asks {answers}")
        compared = _COMPARED.findall(shown(cell))
        if bool(answers) != bool(compared):
            found.append(f"{cell.id}: the comparison stands below the cell that shows the answer, and there alone")
    return found


def spoiled(sources: list[str], wanted: dict[str, Prediction]) -> list[str]:
    """What of the questions stands on the page, in prose or in code."""
    found = []
    text = [flat(source) for source in sources]
    for number, each in wanted.items():
        long_options = [option for option in each.options if len(option.split()) >= LONG_OPTION_WORDS]
        for words in [each.question, each.why, *long_options]:
            if any(flat(words).strip(" .?") in source for source in text):
                found.append(f"{number}: {words!r} stands on the page")
    return found


def told_early(cells: list[NotebookNode], wanted: dict[str, Prediction]) -> list[str]:
    """The reasons and results that an output shows above the cell that they belong to."""
    found, above = [], ""
    for cell in cells:
        number = answers_prediction(cell.source)
        if number in wanted and flat(wanted[number].why) in flat(above):
            found.append(f"{number}: the reason stands above its answer")
        above += shown(cell)
    return found


def told_below(cells: list[NotebookNode]) -> list[str]:
    """The results that the prose below a gate says in the same words: it is on the page while the gate is shut."""
    found, number, result = [], None, ""
    for cell in cells:
        if cell.cell_type == "code":
            number = answers_prediction(cell.source)
            result = next(iter(_RESULT.findall(shown(cell))), "").lower()
        elif number and any(f" {words} " in f" {plain(cell.source)} " for words in spellings(result)):
            found.append(f"{number}: {result!r} stands below its gate")
    return found


def spellings(result: str) -> list[str]:
    """A result in words, as the prose might have it; none for a single word, which any sentence may need."""
    number, _, rest = result.partition(" ")
    counted = [f"{NUMBERS[int(number)]} {rest}"] if number.isdecimal() and int(number) < len(NUMBERS) else []
    return [plain(words) for words in [result, *counted] if " " in words]


def plain(text: str) -> str:
    """Its words alone: no marks, no links, no signs between them."""
    return " ".join(re.findall(r"[\w']+", re.sub(r"\]\([^)]*\)", "]", text).replace("_", " ").lower()))


def test_each_is_asked_once_and_answered_by_the_next_cell(path: Path):
    wanted = predictions_of(chapter_of(path))
    assert not problems(code(path), wanted)
    assert len(wanted) >= LEAST and outline()[chapter_of(path)].predictions == tuple(wanted)


def test_nothing_gives_the_answer_away(path: Path):
    cells = nbformat.read(path, as_version=4).cells
    wanted = predictions_of(chapter_of(path))
    assert not spoiled([cell.source for cell in cells], wanted)
    assert not told_early(code(path), wanted)
    assert not told_below(cells)


def test_what_happened_is_found_by_the_code(path: Path):
    for number, each in predictions_of(chapter_of(path)).items():
        names = [node for node in ast.walk(ast.parse(each.happened, mode="eval")) if isinstance(node, ast.Name)]
        assert names, f"{number}: a literal is no outcome"


def test_no_question_is_asked_twice_over_the_course():
    asked = Counter(flat(each.question).lower() for chapter in outline() for each in predictions_of(chapter).values())
    assert not [question for question, times in asked.items() if times > 1]


def test_thinking_is_rewarded_over_the_course():
    judged = [
        judged for path in PATHS for cell in code(path) for judged in dict.fromkeys(_COMPARED.findall(shown(cell)))
    ]
    fewest, most = AS_EXPECTED
    expected = sum(each == "as predicted" or each.startswith("close") for each in judged)
    assert fewest <= expected / len(judged) <= most, f"{expected} of {len(judged)} come out as most people expect"
    numbers = [each for chapter in outline() for each in predictions_of(chapter).values() if not each.options]
    assert len(numbers) >= LEAST_NUMBERS


def cell(source: str, output: str = "") -> NotebookNode:
    outputs = [nbformat.v4.new_output("stream", text=output)] if output else []
    return nbformat.v4.new_code_cell(source, outputs=outputs)


GOOD = [
    cell("x = 1"),
    cell('predict("04.1")', "04.1 How many?"),
    cell("%%cql --after 04.1\nSELECT * FROM t", "The usual guess: 1\nIt happened (a surprise): 2\nWhy: Keys."),
    cell('predict("04.2")', "04.2 And now?"),
    cell("%%after 04.2\nx = 2", "The usual guess: 1\nIt happened (as predicted): 1\nWhy: So it is."),
]
WANTED = {
    "04.1": Prediction("04.1", "How many are there?", "one", "x", "Keys decide.", options={"one": 1, "two": 2}),
    "04.2": Prediction("04.2", "And now?", "one", "x", "So it is.", options={"one, and no other one": 1, "two": 2}),
}


def test_the_rule_accepts_what_is_right():
    assert not problems(GOOD, WANTED)
    assert not spoiled([each.source for each in GOOD], WANTED) and not told_early(GOOD, WANTED)


@pytest.mark.parametrize(
    "cells, sentence",
    [
        (GOOD[:3], "each once"),
        ([*GOOD, GOOD[1], GOOD[2]], "each once"),
        ([*GOOD[3:], *GOOD[:3]], "in their order"),
        ([GOOD[0], GOOD[1], cell("print(2)"), *GOOD[2:]], "the next code cell shows the answer to 04.1"),
        ([*GOOD[:2], *GOOD[3:]], "the next code cell shows the answer to 04.1"),
        ([*GOOD[2:], *GOOD[1:]], "the code cell before asks 04.1"),
        ([GOOD[0], cell('x = 1\npredict("04.1")'), *GOOD[2:]], "only asks"),
        ([cell("x", "It happened (a surprise): 2"), *GOOD[1:]], "there alone"),
        ([*GOOD[:4], cell("%%after 04.2\nx = 2", "nothing")], "the comparison stands below"),
    ],
)
def test_the_rule_names_what_is_wrong(cells: list[NotebookNode], sentence: str):
    assert any(sentence in problem for problem in problems(cells, WANTED))


def test_the_rule_finds_what_gives_an_answer_away():
    for source in "How many are\nthere?", "Keys decide.", "It is one, and no other one.":
        assert spoiled([source], WANTED), source
    assert not spoiled(["There is one, and two more."], WANTED)
    said = nbformat.v4.new_markdown_cell
    one = cell("%%after 04.1\nx", "It happened (a surprise): 1 stream\nWhy: Keys.")
    for prose in "So all are in *one stream*.", "In 1\n[stream](glossary.md#stream) there is order.":
        assert told_below([one, said(prose)]) == ["04.1: '1 stream' stands below its gate"], prose
    assert not told_below([one, said("There is one, and a stream.")])
    assert not told_below([one, cell("print(1)"), said("So all are in one stream.")])
    assert not told_below([cell("%%after 04.1\nx", "It happened (a surprise): none"), said("None of them is lost.")])
    early = [cell("x", "Why: Keys\n  decide."), *GOOD[1:]]
    assert told_early(early, WANTED) == ["04.1: the reason stands above its answer"]
