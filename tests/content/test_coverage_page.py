"""The page of what the embedded node covers is true, and as fresh as the node."""

from __future__ import annotations

import pytest

from tools.coverage_features import Section, left_out, yes
from tools.coverage_page import PAGE, WrongClaim, page


def test_the_page_is_fresh():
    """Each example runs on a node; if this fails, look at the difference, and then: make coverage."""
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize(
    "feature, complaint",
    [
        (yes("vectors", "SELECT * FROM seats ORDER BY spot ANN OF [1, 2] LIMIT 1"), "vectors: called supported, but"),
        (left_out("rows", "SELECT * FROM seats"), "rows: called refused, but carried out"),
        (yes("rows", "SELECT * FROM seats", "conformance/nothing"), "rows: no test of it in .*test_nothing.py"),
        (
            yes("rows", "SELECT * FROM seats", "conformance/select:no such word"),
            "rows: no test of it in .*test_select.py",
        ),
    ],
)
def test_a_wrong_claim_is_noticed(feature, complaint):
    with pytest.raises(WrongClaim, match=complaint):
        page([Section("wrong", (feature,))])
