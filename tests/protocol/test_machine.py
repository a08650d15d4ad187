"""The checkout against everything that may happen to it: 2,000 steps, in CI 20,000, by ``make prove`` a million."""

from __future__ import annotations

import pytest
from tqdm import tqdm

from tests.protocol.machine import STEPS, play
from tests.protocol.offices import Office, PlainOffice, TokenlessOffice
from tests.protocol.world import DoubleSale


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_no_seat_is_sold_twice_and_none_is_lost() -> None:
    with tqdm(total=STEPS, unit="step", disable=STEPS < 50_000) as bar:
        steps = play(Office, STEPS, after_round=lambda done: bar.update(done - bar.n))
    print(f"{steps:,} steps")
    assert steps >= STEPS


@pytest.mark.parametrize("office", [PlainOffice, TokenlessOffice])
def test_the_machine_finds_the_double_sale_of(office: type[Office]) -> None:
    with pytest.raises(DoubleSale):
        play(office, 10_000, shrink=False)
