"""The comparison of pictures sees what a reader would see."""

from __future__ import annotations

import base64
import io

from matplotlib.figure import Figure

from tests.notebooks.same_picture import TOLERANCE, share_that_differs


def drawn(heights, *, title: str = "Rows a second", size=(6.0, 3.0), dpi: int = 96, shift: float = 0.0) -> str:
    figure = Figure(figsize=size, dpi=dpi, layout="constrained")
    ax = figure.add_subplot()
    ax.bar([place + shift for place in range(len(heights))], heights)
    ax.set(title=title, ylim=(0, 10), xlim=(-1, len(heights)))
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


REFERENCE = drawn([3, 5, 8])


def test_the_same_picture_is_the_same():
    assert share_that_differs(REFERENCE, drawn([3, 5, 8])) == 0


def test_a_hair_is_no_difference():
    assert share_that_differs(REFERENCE, drawn([3, 5, 8.02], shift=0.002)) <= TOLERANCE


def test_another_bar_another_title_another_size_are():
    for other in (drawn([3, 5, 7]), drawn([5, 3, 8]), drawn([3, 5, 8, 1]), drawn([3, 5, 8], size=(6.0, 3.4))):
        assert share_that_differs(REFERENCE, other) > TOLERANCE
    assert share_that_differs(REFERENCE, drawn([3, 5, 8], title="Rows in a month of Sundays")) > TOLERANCE
