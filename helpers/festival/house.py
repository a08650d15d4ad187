"""The festival ground: two stages, blocks of seats side by side, and the people who come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import NamedTuple

STAGES = ("Lake", "Hill")
SEATS_IN_A_BLOCK = 12


class Seat(NamedTuple):
    """One seat; those of a block stand side by side, and are numbered from 1."""

    stage: str
    block: str
    number: int

    def __str__(self) -> str:
        return f"{self.stage} {self.block}-{self.number}"


class Party(NamedTuple):
    """Who asks for seats together: a name, and for each seat whose it is, "adult" or "child"."""

    name: str
    guests: tuple[str, ...] = ("adult",)

    @property
    def verb(self) -> str:
        """The Larks were, Ada was."""
        return "were" if self.name.startswith("The ") else "was"

    @property
    def has(self) -> str:
        return "have" if self.name.startswith("The ") else "has"


@dataclass(frozen=True)
class House:
    """The seats that are on sale: so many blocks at each stage, so many seats in each."""

    blocks: int
    seats: int = SEATS_IN_A_BLOCK

    @property
    def names(self) -> list[str]:
        """The blocks' names: A … Z, AA, AB …"""
        letters = ascii_uppercase
        return [
            (letters[i // len(letters) - 1] if i >= len(letters) else "") + letters[i % len(letters)]
            for i in range(self.blocks)
        ]

    def block(self, stage: str, name: str) -> list[Seat]:
        return [Seat(stage, name, number) for number in range(1, self.seats + 1)]

    @property
    def all(self) -> list[Seat]:
        return [seat for stage in STAGES for name in self.names for seat in self.block(stage, name)]

    def price(self, seat: Seat) -> int:
        """In euros; the first blocks cost most."""
        return 60 - 5 * (self.names.index(seat.block) % 5) + (10 if seat.stage == STAGES[0] else 0)


def in_words(seats: Sequence[Seat]) -> str:
    """Several seats of a block as one says them: "Lake B-3 to B-6"."""
    first, last = min(seats), max(seats)
    return str(first) if first == last else f"{first} to {last.block}-{last.number}"
