"""Every operation with every fault at every one of its statements; and the page that tells of it.

Every day what is lost is not asked for again; with FULL=1 each operation is also repeated after its fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

import pytest

from helpers.lab.statements import statement
from helpers.shop import checkout_protocol
from helpers.shop.checkout_protocol import CANCEL, EXPIRE, HOLD, PAGE, PAY, TRANSITIONS, Transition, page
from tests.full import in_full
from tests.protocol.faults import KINDS, Fault
from tests.protocol.offices import Office
from tests.protocol.world import LONGEST_HOLD, World

Setup = Callable[[World], None]
# After a fault the operation is left as it is, or done once more. The machine does both every day, at random.
REPEATED = in_full((False, True), (False,))


@pytest.fixture(scope="module")
def world() -> World:
    return World(Office())


def nothing(world: World) -> None:
    """All seats are free."""


def one_held(world: World) -> None:
    world.do(("hold", 0, "Ada", LONGEST_HOLD))


def sold_but_one(world: World) -> None:
    """Bo has two seats, Ada holds the last one."""
    for seat in 1, 2:
        world.do(("hold", seat, "Bo", LONGEST_HOLD))
        world.do(("pay", 0))
    one_held(world)


def sold_out_but_held(world: World) -> None:
    """Nothing is available: Ada holds one seat, and Bo has the others."""
    one_held(world)
    for seat in 1, 2:
        world.do(("hold", seat, "Bo", LONGEST_HOLD))
        world.do(("pay", 0))
    world.holds.append(world.holds[0])


def party_held(world: World) -> None:
    world.do(("hold_party", (0, 1, 2), "Ada", "together"))


def lapsed(world: World) -> None:
    sold_out_but_held(world)
    world.do(("sweep", 0, 1000))
    world.push(LONGEST_HOLD + 1)


CASES: dict[str, tuple[Setup, tuple]] = {
    "hold": (nothing, ("hold", 0, "Ada", LONGEST_HOLD)),
    "hold again": (one_held, ("hold_again", 0)),
    "pay": (one_held, ("pay", 0)),
    "pay the last": (sold_but_one, ("pay", 0)),
    "cancel": (one_held, ("cancel", 0)),
    "cancel when sold out": (sold_out_but_held, ("cancel", 0)),
    "hold together": (nothing, ("hold_party", (0, 1, 2), "Ada", "together")),
    "hold in turn": (one_held, ("hold_party", (0, 1, 2), "Bo", "in turn")),
    "pay together": (party_held, ("pay_party", 0)),
    "cancel together": (party_held, ("cancel_party", 0)),
    "sweep": (lapsed, ("sweep", 0, 1000)),
    "audit": (lapsed, ("audit", 0)),
    "scan": (lapsed, ("scan",)),
    "close books": (lapsed, ("close_books",)),
}


def prepared_world(world: World, setup: Setup) -> World:
    world.begin()
    setup(world)
    return world


def number_of_statements(world: World, setup: Setup, operation: tuple) -> int:
    prepared_world(world, setup).do(operation)
    return len(world.sent)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "interrupted"])
def test_whatever_happens_at_any_statement_is_healed(world: World, case: str, kind: str) -> None:
    setup, operation = CASES[case]
    number = number_of_statements(world, setup, operation)
    assert number >= 2
    for at in range(1, number + 1):
        for repeated in (False,) if kind.startswith("dies") else REPEATED:
            for deliver in (False, True) if kind.endswith("late") else (False,):
                prepared_world(world, setup).do(operation, Fault(kind, at))
                world.check()
                if repeated:
                    world.do(operation)
                    world.check()
                world.rest(deliver)


@pytest.mark.parametrize("case", [case for case in CASES if case != "sweep"])
def test_without_the_log_a_scan_and_closed_books_heal_every_death(world: World, case: str) -> None:
    setup, operation = CASES[case]
    for at in range(1, number_of_statements(world, setup, operation) + 1):
        for kind in KINDS:
            if kind.startswith("dies"):
                prepared_world(world, setup).do(operation, Fault(kind, at))
                world.rest(deliver=True, by_log=False)


@pytest.mark.parametrize(
    ("setup", "operation", "meanwhile"),
    [
        (sold_out_but_held, ("cancel", 0), ("hold", 0, "Cy", LONGEST_HOLD)),
        (sold_out_but_held, ("cancel", 0), ("pay", 0)),
        (sold_but_one, ("pay", 0), ("cancel", 0)),
        (lapsed, ("sweep", 0, 1000), ("sweep", 1, 1000)),
        (lapsed, ("sweep", 0, 1000), ("pay", 0)),
        (lapsed, ("sweep", 0, 1000), ("cancel", 0)),
        (nothing, ("hold_party", (0, 1, 2), "Ada", "together"), ("hold_party", (2, 1, 0), "Bo", "together")),
        (nothing, ("hold_party", (0, 1, 2), "Ada", "in turn"), ("hold_party", (2, 1, 0), "Bo", "together")),
        (party_held, ("pay_party", 0), ("cancel_party", 0)),
        (party_held, ("pay_party", 0), ("cancel", 0)),
    ],
)
def test_two_at_once_agree(world: World, setup: Setup, operation: tuple, meanwhile: tuple) -> None:
    for at in range(1, number_of_statements(world, setup, operation) + 1):
        prepared_world(world, setup).do(operation, Fault("interrupted", at), meanwhile)
        world.check()
        world.rest(deliver=False)


@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("end", ["pay", "cancel"])
def test_the_id_of_a_hold_that_has_ended_never_comes_back(world: World, refused: bool, end: str) -> None:
    """Ada's hold lapsed, or was refused. She asks again with its id and dies, and then an old message arrives."""
    world.begin()
    if refused:
        one_held(world)
    one_held(world)
    world.rest(deliver=True)
    world.do(("hold_again", 0), Fault("dies before", 3 if refused else 2))
    world.do((end, 0), Fault("dies before", 2))
    world.check()
    world.rest(deliver=False)


def test_the_last_seat_and_a_seat_that_comes_back_race_for_the_flag(world: World) -> None:
    """Ada and Bo hold the last two seats. Ada pays, and while she looks what is left, Bo gives his back."""

    def two_held(world: World) -> None:
        world.do(("hold", 2, "Cy", LONGEST_HOLD))
        world.do(("pay", 0))
        world.do(("hold", 1, "Bo", LONGEST_HOLD))
        world.do(("hold", 0, "Ada", LONGEST_HOLD))

    number = number_of_statements(world, two_held, ("pay", 0))
    for at in range(1, number + 1):
        prepared_world(world, two_held).do(("pay", 0), Fault("interrupted", at), ("cancel", 1))
        assert world.books().offered
        prepared_world(world, two_held).do(("pay", 1), Fault("interrupted", at), ("pay", 0))
        assert not world.books().offered


# ---------------------------------------------------------------- the table and the code


def writes(world: World) -> list[str]:
    """The names of the statements that were sent, without those that only read."""
    names = {statement(name): name for step in steps() for name in step}
    return [names[text] for text in world.sent if not text.startswith("SELECT")]


def steps() -> Iterator[tuple[str, ...]]:
    return chain.from_iterable((step.statements for step in each.steps) for each in TRANSITIONS)


def listed(transition: Transition, needed: bool) -> list[str]:
    return [name for step in transition.steps if needed or not step.maybe for name in step.statements]


@pytest.mark.parametrize(
    ("transition", "setup", "operation", "needed"),
    [
        (HOLD, nothing, ("hold", 0, "Ada", LONGEST_HOLD), False),
        (PAY, one_held, ("pay", 0), False),
        (PAY, sold_but_one, ("pay", 0), True),
        (CANCEL, one_held, ("cancel", 0), False),
        (CANCEL, sold_out_but_held, ("cancel", 0), True),
        (EXPIRE, lapsed, ("sweep", 0, 1000), True),
    ],
)
def test_the_code_sends_what_the_table_says(
    world: World, transition: Transition, setup: Setup, operation: tuple, needed: bool
) -> None:
    prepared_world(world, setup).do(operation)
    done = writes(world)
    if transition is EXPIRE:  # Bo's rows had left the queue: only Ada's deadline was settled
        done = done[: len(listed(transition, needed))]
    assert done == listed(transition, needed)


def test_the_page_is_what_the_table_says(tmp_path, monkeypatch, capsys) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "stale: run python -m helpers.shop.checkout_protocol"
    monkeypatch.setattr(checkout_protocol, "PAGE", tmp_path / "CHECKOUT.md")
    assert checkout_protocol.main([]) == 0
    assert (tmp_path / "CHECKOUT.md").read_text(encoding="utf-8") == page()
    assert "Written" in capsys.readouterr().out
