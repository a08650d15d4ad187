"""For all tests: Hypothesis tries the same examples in every run, so that a red run is red again when it is repeated.

``HYPOTHESIS_PROFILE=search`` looks for new ones; FULL=1 tries more of the same.
"""

from __future__ import annotations

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

from tests.full import in_full
from tools.run_notebooks import leave_out_iri_grammar

leave_out_iri_grammar()

# How long an example takes is no reason to fail: the machine may be slow.
_UNHURRIED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("steady", derandomize=True, max_examples=in_full(100, 40), **_UNHURRIED)
settings.register_profile("search", **_UNHURRIED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


# Each worker imports and lists all tests, and none of that is garbage: to look for some in between takes a third of the
# time. What was made stays until the end, so the tests need not look through it either.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: object) -> int:
    """Two more than there are cores, for a test often waits for its node, a kernel or a browser; six at most, for the
    sake of memory."""
    return min(6, 2 + (os.cpu_count() or 1))
