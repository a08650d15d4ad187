"""A failed test in a browser leaves a picture of what was to be seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .notebook_page import NotebookPage


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Iterator[Any]:
    report = yield
    page = item.funcargs.get("page")
    if report.failed and isinstance(page, NotebookPage):
        page.screenshot(f"failed, {item.name}")
    return report
