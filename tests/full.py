"""What the everyday `make test` leaves to ``FULL=1``, which CI sets: what is large and seldom breaks.

``@only_in_full("why")`` passes over a test; ``in_full(large, small)`` chooses how much of it there is. The README says
in a line what that comes to.
"""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

FULL = bool(os.environ.get("FULL"))

Amount = TypeVar("Amount")


def only_in_full(reason: str) -> pytest.MarkDecorator:
    """A mark for what runs with FULL=1 only; ``reason`` says what it costs, or what stands in for it every day."""
    return pytest.mark.skipif(not FULL, reason=f"with FULL=1 only: {reason}")


def in_full(large: Amount, small: Amount) -> Amount:
    """``large`` with FULL=1, otherwise ``small``."""
    return large if FULL else small
