"""A pytest plugin for nbval (``-p tests.notebooks.nbval_rules``): which outputs are compared.

Compared: what a cell prints and the plain text of what it displays, alt texts of pictures included. Left out: standard
error (progress), live widgets (their pictures stand before them), HTML (the same words as the plain text) and the
pictures themselves (measured numbers move them).
"""

from __future__ import annotations

from typing import Any

import nbval.plugin
import pytest

NOT_COMPARED = ("text/html", "image/png", "image/svg+xml")
WIDGET = "application/vnd.jupyter.widget-view+json"

_merge_streams = nbval.plugin.transform_streams_for_comparison


def _compared(outputs: list[Any]) -> list[Any]:
    printed = [output for output in outputs if output.get("name") != "stderr"]
    return _merge_streams([output for output in printed if WIDGET not in output.get("data", {})])


def pytest_configure() -> None:
    nbval.plugin.transform_streams_for_comparison = _compared


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Any:
    for collector in (collected := (yield)):
        if isinstance(collector, nbval.plugin.IPyNbFile):
            collector.skip_compare += NOT_COMPARED
    return collected
