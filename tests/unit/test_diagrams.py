"""The diagrams draw what they are given: every question, every name, every row, and the token's place."""

from __future__ import annotations

import pytest

from helpers.display.pictures.diagrams import FIRST_TOKEN, LAST_TOKEN, partition_diagram, question_diagram
from helpers.lab.errors import LabError


def words(fig) -> list[str]:
    return [text.get_text() for text in fig.axes[0].texts]


def places(fig) -> list[float]:
    """Where the dots stand on the token line, from left to right."""
    dots = [line for line in fig.axes[0].lines if line.get_marker() == "o"]
    return sorted(float(line.get_xdata()[0]) for line in dots)


def test_each_question_and_each_name_stands_there_once():
    answers = {"All tickets?": "tickets", "This ticket?": "tickets", "On sale?": "on_sale"}
    fig = question_diagram(answers, views={"on_sale"})
    assert sorted(words(fig)) == sorted(
        ["All tickets?", "This ticket?", "On sale?", "tickets", "on_sale", "the shop asks", "table", "view"]
    )


def test_the_token_line_runs_from_the_least_token_to_the_greatest():
    fig = partition_diagram({"a": (FIRST_TOKEN, []), "b": (0, []), "c": (LAST_TOKEN, [])})
    assert places(fig) == pytest.approx([0.02, 0.5, 0.98])


def test_rows_that_are_not_drawn_are_counted():
    fig = partition_diagram({"Midnight": (1, ["one", "two", "three"])}, sizes={"Midnight": 50_000}, rows=2)
    assert {"one", "two"} <= set(words(fig))
    assert "three" not in words(fig)
    assert any("49,998 more rows" in text for text in words(fig))


@pytest.mark.parametrize(
    ("draw", "sentence"),
    [
        (lambda: question_diagram({}), "There is no question to draw: give a dict"),
        (lambda: partition_diagram({}), "A diagram has 1 to . partitions, not 0"),
    ],
)
def test_nothing_to_draw_is_said_in_a_sentence(draw, sentence: str):
    with pytest.raises(LabError, match=sentence):
        draw()
