"""A pytest plugin for nbval (``-p tests.notebooks.nbval_rules``): which outputs are compared, and how.

Compared: what a cell prints, the plain text of what it displays, alt texts of pictures included, and the pictures
themselves, within a tolerance, unless the cell is tagged ``varies``: then it draws times or random ids.
Left out: standard error (progress), live widgets (their pictures stand before them) and HTML (the same words as the
plain text).
"""

from __future__ import annotations

from typing import Any

from tools.run_notebooks import leave_out_iri_grammar

leave_out_iri_grammar()

import nbval.plugin  # noqa: E402
import pytest  # noqa: E402

from tests.notebooks.same_picture import TOLERANCE, pictures_in, share_that_differs  # noqa: E402
from tests.patience import SECONDS  # noqa: E402

PICTURE = "image/png"
NOT_COMPARED = ("text/html", PICTURE, "image/svg+xml")
WIDGET = "application/vnd.jupyter.widget-view+json"
VARIES = "varies"

_merge_streams = nbval.plugin.transform_streams_for_comparison
_compare_texts = nbval.plugin.IPyNbCell.compare_outputs


def _compared(outputs: list[Any]) -> list[Any]:
    printed = [output for output in outputs if output.get("name") != "stderr"]
    return _merge_streams([output for output in printed if WIDGET not in output.get("data", {})])


def _compare(cell: Any, test: list[Any], reference: list[Any], skip_compare: Any = None) -> bool:
    if not _compare_texts(cell, test, reference, skip_compare):
        return False
    if VARIES in cell.cell.metadata.get("tags", []):
        return True
    now, committed = _pictures(test), _pictures(reference)
    if len(now) != len(committed):
        cell.comparison_traceback.append(f"{len(now)} pictures, and {len(committed)} are committed")
        return False
    for number, pair in enumerate(zip(now, committed, strict=True), start=1):
        share = share_that_differs(*pair)
        if share > TOLERANCE:
            cell.comparison_traceback.append(f"picture {number}: {share:.1%} of it differs from what is committed")
            return False
    return True


def _pictures(outputs: list[Any]) -> list[str]:
    return [picture for output in outputs for picture in pictures_in(output)]


def pytest_configure() -> None:
    nbval.plugin.transform_streams_for_comparison = _compared
    nbval.plugin.IPyNbCell.compare_outputs = _compare


def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item, nbval.plugin.IPyNbCell):
        item.output_timeout = SECONDS  # not five: for what a cell has printed, when it has run


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Any:
    for collector in (collected := (yield)):
        if isinstance(collector, nbval.plugin.IPyNbFile):
            collector.skip_compare += NOT_COMPARED
    return collected
