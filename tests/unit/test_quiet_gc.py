"""quiet_gc: within it the collector passes over what was there before; after it all is as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from helpers.lab.quiet_gc import quiet_gc


@pytest.fixture(autouse=True)
def nothing_frozen() -> Iterator[None]:
    """The tests themselves are passed over as well (tests/conftest.py), but for these."""
    gc.unfreeze()
    yield
    gc.freeze()


def test_what_was_there_is_passed_over_within_it_only():
    thresholds = gc.get_threshold()
    with quiet_gc():
        assert gc.get_freeze_count() > 0 and gc.get_threshold() > thresholds
    assert gc.get_freeze_count() == 0 and gc.get_threshold() == thresholds


def test_an_interrupt_leaves_the_collector_as_it_was():
    thresholds = gc.get_threshold()
    with pytest.raises(KeyboardInterrupt), quiet_gc():
        raise KeyboardInterrupt
    assert (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()) == (True, thresholds, 0)


def test_one_within_another_leaves_that_as_it_is():
    with quiet_gc():
        outer = gc.get_threshold()
        with quiet_gc():
            pass
        assert gc.get_freeze_count() > 0 and gc.get_threshold() == outer
    assert gc.get_freeze_count() == 0
