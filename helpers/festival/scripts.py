"""CQL as a learner writes it down: cut into statements, each ready to be bound for a party of seats."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

_PIECES = re.compile(
    r"""(?P<comment>(?:--|//)[^\n]*|/\*.*?\*/)
      | (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$.*?\$\$)
      | (?P<marker>(?<![:\w'")\]]):[A-Za-z]\w*)
      | (?P<end>;)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_WRITES = ("INSERT", "UPDATE", "DELETE")
# A statement that names one of these is about one seat, and is there once for each seat of a party.
SEAT_MARKERS = frozenset({"seat", "guest"})

Piece = tuple[str, str]


@dataclass(frozen=True)
class Statement:
    """One statement of a script. A batch has its statements in ``inner``, and its first and last words around them."""

    text: str
    pieces: tuple[Piece, ...]
    inner: tuple[tuple[Piece, ...], ...] = ()

    @cached_property
    def verb(self) -> str:
        """SELECT, INSERT, UPDATE, DELETE, BEGIN (a batch), CREATE …"""
        return next((text.upper() for kind, text in self.pieces if kind == "word"), "")

    @cached_property
    def markers(self) -> frozenset[str]:
        """The names behind its colons."""
        return _markers(self.pieces)

    @cached_property
    def is_conditional(self) -> bool:
        """Does it decide with IF?"""
        return self.verb in (*_WRITES, "BEGIN") and any(
            kind == "word" and text.upper() == "IF" for kind, text in self.pieces
        )

    @cached_property
    def is_per_seat(self) -> bool:
        """Is it sent once for each seat of a party? A batch is sent once, with all seats in it."""
        return self.verb != "BEGIN" and bool(self.markers & SEAT_MARKERS)

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """The tables and views that it reads or writes, without their keyspace."""
        words = [text for kind, text in self.pieces if not (kind == "comment" or text.isspace())]
        found = []
        for before, word, dot, after in zip(words, words[1:], [*words[2:], ""], [*words[3:], "", ""], strict=False):
            if before.upper() in ("FROM", "INTO", "UPDATE"):
                found.append((after if dot == "." else word).strip('"'))
        return tuple(dict.fromkeys(found))

    def spread(self, seats: int) -> tuple[str, list[tuple[str, int]]]:
        """The text for so many seats with ? for each marker, and what belongs there: (name, number of the seat)."""
        if not self.inner:
            return _bound(self.pieces, 0)
        start = self.pieces[: _place(self.pieces, _WRITES)]
        text, names = _bound(start, 0)
        for pieces in self.inner:
            for seat in range(seats if _markers(pieces) & SEAT_MARKERS else 1):
                more, of = _bound(pieces, seat)
                text, names = f"{text.rstrip()} {more.strip()};", names + of
        return f"{text} APPLY BATCH", names


def cut(text: str) -> list[Statement]:
    """The statements of a script, without their semicolons. A batch is one of them."""
    return [_statement(pieces) for pieces in _apart(_pieces(text))]


def _pieces(text: str) -> list[Piece]:
    return [(str(found.lastgroup), found.group()) for found in _PIECES.finditer(text)]


def _apart(pieces: list[Piece]) -> Iterator[tuple[Piece, ...]]:
    """Cut at semicolons, but not within a batch."""
    body: list[Piece] = []
    for kind, text in pieces:
        words = [word.upper() for known, word in body if known == "word"]
        in_batch = words[:1] == ["BEGIN"] and words[-2:] != ["APPLY", "BATCH"]
        if kind == "end" and not in_batch:
            yield tuple(body)
            body = []
        else:
            body.append((kind, text))
    yield tuple(body)


def _statement(pieces: tuple[Piece, ...]) -> Statement:
    text = "".join(text for _, text in pieces).strip()
    verb = next((word.upper() for kind, word in pieces if kind == "word"), "")
    return Statement(text, pieces, tuple(_inside(pieces)) if verb == "BEGIN" else ())


def _inside(pieces: tuple[Piece, ...]) -> Iterator[tuple[Piece, ...]]:
    """The statements of a batch; the semicolon between two of them may be left out, as CQL allows."""
    body: list[Piece] = []
    for kind, text in pieces[_place(pieces, _WRITES) :]:
        word = text.upper() if kind == "word" else ""
        if kind == "end" or word in (*_WRITES, "APPLY"):
            if any(known == "word" for known, _ in body):
                yield tuple(body)
            body = []
        if word == "APPLY":
            return
        if kind not in ("end", "comment"):
            body.append((kind, text))


def _place(pieces: tuple[Piece, ...], words: tuple[str, ...]) -> int:
    places = [i for i, (kind, text) in enumerate(pieces) if kind == "word" and text.upper() in words]
    return places[0] if places else len(pieces)


def _markers(pieces: tuple[Piece, ...]) -> frozenset[str]:
    return frozenset(text[1:] for kind, text in pieces if kind == "marker")


def _bound(pieces: tuple[Piece, ...], seat: int) -> tuple[str, list[tuple[str, int]]]:
    text, names = "", []
    for kind, piece in pieces:
        if kind == "marker":
            names.append((piece[1:], seat))
        text += "?" if kind == "marker" else " " if kind == "comment" else piece
    return text.strip(), names


def only_statements(text: str) -> list[Statement]:
    """``cut`` without what is only comment or white space."""
    return [each for each in cut(text) if each.verb]
