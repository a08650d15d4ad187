"""Statements from a grammar of its own, half of them damaged: whatever is asked, the node answers or refuses, and after
a restart it says the same as before. ``make fuzz`` asks for longer."""

from __future__ import annotations

from itertools import islice

import pytest

from embedded_scylla.errors import InvalidRequest
from tests.fuzz.player import Tally, runs
from tests.unit.asking import Asking

STATEMENTS = 400  # of one node


@pytest.fixture(scope="module")
def tally(tmp_path_factory: pytest.TempPathFactory) -> Tally:
    """Of a node without passwords and one with them, each restarted twice."""
    tally = Tally()
    for _ in islice(runs(tmp_path_factory.mktemp("nodes"), 2, tally, STATEMENTS), 4):
        pass
    return tally


def test_nobody_is_answered_with_a_fault_of_the_node(tally: Tally) -> None:
    assert tally.restarts == 4 and tally.asked == 2 * STATEMENTS
    assert not tally.findings, "\n\n".join(
        f"{f.where}\n{f.text}\n{f.values}\n{f.story}" for f in tally.findings.values()
    )


def test_half_of_what_was_asked_could_be_carried_out(tally: Tally) -> None:
    """A grammar whose statements are all refused would test the refusals alone."""
    assert sum(tally.carried_out.values()) > 0.6 * sum(tally.valid.values())
    assert tally.damaged_refused > 0.3 * tally.damaged
    never = {kind for kind, asked in tally.valid.items() if asked >= 20 and not tally.carried_out[kind]}
    assert not never


# ---------------------------------------------------------------- what was found

FOUND = {
    "an exponent of too many figures": "INSERT INTO t (p, d) VALUES (1, 1e109223372036854775807)",
    "one of a fraction": "SELECT p FROM t WHERE d = 1E-99999999999999999999 ALLOW FILTERING",
}


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_what_was_found_is_refused(text: str) -> None:
    node = Asking()
    node.run("CREATE TABLE t (p int PRIMARY KEY, d decimal)")
    with pytest.raises(InvalidRequest):
        node.run(text)
