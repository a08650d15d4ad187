"""The picture of what partitions carry has a dot for each, on one scale, and says where the limit is."""

from __future__ import annotations

import pytest

from helpers.display.pictures.plots import partition_load
from helpers.lab.errors import LabError


def test_each_partition_is_a_dot_in_the_band_of_its_design() -> None:
    ax = partition_load({"one": [500], "many": [9, 3, 9]}, title="", xlabel="rows").axes[0]
    one, many = ax.lines
    assert (list(one.get_xdata()), list(many.get_xdata())) == ([500], [3, 9, 9])
    assert all(0.5 < height < 1.5 for height in many.get_ydata())
    assert len(set(many.get_ydata())) == 3
    assert [text.get_text() for text in ax.get_yticklabels()] == ["one\n1 partition", "many\n3 partitions"]


def test_a_limit_is_a_line_with_its_words() -> None:
    ax = partition_load({"one": [5]}, title="", xlabel="", limit=(100, "a warning")).axes[0]
    assert list(ax.lines[1].get_xdata()) == [100, 100]
    assert [text.get_text() for text in ax.texts] == ["a warning  "]
    assert ax.get_xlim()[1] > 100


@pytest.mark.parametrize("designs", [{}, {"one": []}, {"one": [3, 0]}])
def test_what_cannot_be_drawn_is_told(designs: dict[str, list[int]]) -> None:
    with pytest.raises(LabError):
        partition_load(designs, title="", xlabel="")
