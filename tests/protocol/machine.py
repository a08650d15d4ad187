"""The state machine that plays with a World, and what it may do."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from itertools import permutations, product, starmap
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.full import in_full
from tests.protocol.faults import KINDS, Fault
from tests.protocol.offices import Office
from tests.protocol.world import LONGEST_HOLD, SEATS, World

STEPS = int(os.environ.get("PROVE_STEPS", in_full("5000", "2000")))
_WORLD_LASTS = 200  # examples; then the pushed clock has gone far enough

Operation = tuple[Any, ...]


def _evened(kinds: list[list[Operation]]) -> list[Operation]:
    """The operations of all kinds, those of small kinds so often that each kind has about the same number."""
    most = max(map(len, kinds))
    return [operation for kind in kinds for operation in kind * (most // len(kind))]


# Everything is drawn from lists that are written out beforehand: a draw costs as much as a statement.
BUYERS = ["Ada", "Bo", "Cy"]
SOME_SEATS = [chosen for size in (2, 3) for chosen in permutations(range(SEATS), size)]
WHICH = [0, 0, 1, 1, 2, 3, 5, 8]  # counted from the latest
OPERATIONS: list[list[Operation]] = [
    *[list(product(["hold"], range(SEATS), BUYERS, [60, LONGEST_HOLD, LONGEST_HOLD]))] * 3,
    *[list(product(["pay"], WHICH))] * 3,
    *[list(product(["cancel"], WHICH))] * 2,
    *[list(product(["sweep"], [0, 1], [1, 3, 1000]))] * 2,
    list(product(["hold_again"], WHICH)),
    list(product(["hold_party"], SOME_SEATS, BUYERS, ["together", "in turn"])),
    list(product(["pay_party"], WHICH)),
    list(product(["cancel_party"], WHICH)),
    list(product(["reread"], [0, 1], [1, 2000])),
    list(product(["audit"], [0, 1])),
    [("scan",)],
    [("close_books",)],
]
FAULTS = list(starmap(Fault, product(KINDS, [1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 11])))
PUSHES = [1, 59, 61, LONGEST_HOLD + 1]

OTHERS: list[Operation] = [
    *list(product(["push"], PUSHES)) * 3,
    *list(product(["deliver"], range(4))) * 2,
    *product(["rest"], [True, False], [0, 1], [True, False]),
    *product(["restart"], [0, 1]),
    ("delay_views",),
]

# Each kind of operation is as likely as the others, however many ways there are to do it.
operations = st.sampled_from(_evened(OPERATIONS))
faults = st.sampled_from(FAULTS)
others = st.sampled_from(OTHERS)
what = st.sampled_from(["well"] * 3 + ["badly"] * 3 + ["other"] * 2)


@st.composite
def events(draw: Callable[[Any], Any]) -> Operation:
    """What happens next: an operation that goes well, one that goes badly, or something that nobody does."""
    match draw(what):
        case "well":
            return "do", draw(operations)
        case "badly":
            fault = draw(faults)
            return "do", draw(operations), fault, draw(operations) if fault.kind == "interrupted" else ()
    return draw(others)


class Shop(RuleBasedStateMachine):
    """Buyers, sweepers and faults in any order. A subclass names the office."""

    office: Office

    def __init__(self) -> None:
        super().__init__()
        self.world = _world(type(self.office))

    @rule(event=events())
    def something_happens(self, event: tuple) -> None:
        name, *arguments = event
        if name != "rest" or self.office.keeps_books:
            getattr(self.world, name)(*arguments)
            self.world.steps += 1

    @invariant()
    def nothing_is_sold_twice_and_nothing_is_lost(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        if self.office.keeps_books:
            self.world.rest(deliver=False)


class _Worlds:
    """The world of an office, made anew now and then."""

    def __init__(self, office: type[Office]):
        self.office, self.begun, self.steps = office, 0, 0
        self.world: World | None = None

    def next(self) -> World:
        if self.world is None or self.begun % _WORLD_LASTS == 0:
            self._count()
            self.world = World(self.office())
        else:
            self._count()
            self.world.begin()
        self.begun += 1
        return self.world

    def _count(self) -> None:
        if self.world is not None:
            self.steps += self.world.steps
            self.world.steps = 0


@cache
def _worlds(office: type[Office]) -> _Worlds:
    return _Worlds(office)


def _world(office: type[Office]) -> World:
    return _worlds(office).next()


def play(
    office: type[Office],
    steps: int,
    *,
    seed_: int = 0,
    shrink: bool = True,
    after_round: Callable[[int], Any] = lambda steps: None,
) -> int:
    """Play until so many steps are done, each round from a seed of its own; how many there were. A failure is raised,
    with ``shrink`` as a short story. ``after_round`` is called with the number of steps so far."""
    machine = type(f"{office.__name__}Shop", (Shop,), {"office": office()})
    options = settings(
        max_examples=100,
        stateful_step_count=60,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        print_blob=True,
    )
    worlds = _worlds(office)
    begin = worlds.steps
    while worlds.steps - begin < steps:
        seeded = seed(seed_)(type(machine.__name__, (machine,), {}))
        run_state_machine_as_test(seeded, settings=options)
        seed_ += 1
        after_round(worlds.steps - begin)
    return worlds.steps - begin
