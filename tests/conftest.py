"""For all tests: Hypothesis tries the same examples in every run, so that a red run is red again when it is repeated.

``HYPOTHESIS_PROFILE=search`` looks for new ones.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tools.run_notebooks import leave_out_iri_grammar

leave_out_iri_grammar()

# How long an example takes is no reason to fail: the machine may be slow.
_UNHURRIED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("steady", derandomize=True, **_UNHURRIED)
settings.register_profile("search", **_UNHURRIED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: object) -> int:
    """Two more than there are cores, for a test often waits for its node, a kernel or a browser; six at most, for the
    sake of memory."""
    return min(6, 2 + (os.cpu_count() or 1))
