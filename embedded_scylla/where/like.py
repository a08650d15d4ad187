"""LIKE: % stands for any characters, _ for one; a backslash takes their meaning away.

A pattern is parted at its % into pieces. The first and the last have their places; each between them is looked for from
where the one before it ended, and the first place that it is found at will do. So nothing is tried twice, and a test
costs as much as the text is long, whatever the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..errors import InvalidRequest
from ..limits import LONGEST_PATTERN

ANY = "\0any"  # in place of a character: more than one, so no text has it


class _Piece:
    """What stands between two %."""

    def __init__(self, characters: list[str]):
        self.length = len(characters)
        self._characters = characters
        self._literal = None if ANY in characters else "".join(characters)
        self._here = re.compile("".join("." if c is ANY else re.escape(c) for c in characters), re.DOTALL).match

    def is_at(self, text: str, place: int) -> bool:
        """Whether the text goes on so from ``place``."""
        if self._literal is not None:
            return text.startswith(self._literal, place)
        return self._here(text, place) is not None

    def find(self, text: str, start: int, end: int) -> int:
        """Where it begins first between ``start`` and ``end``; -1 if it is not there."""
        if self._literal is not None:
            return text.find(self._literal, start, end)
        # Bit i of a number stands for the place start + i: so all places are looked at together.
        places = end - start - self.length + 1
        if places <= 0:
            return -1
        left = (1 << places) - 1
        bits: dict[str, int] = {}
        for offset, character in enumerate(self._characters):
            if character is not ANY:
                if character not in bits:
                    bits[character] = _places_of(character, text[start:end])
                left &= bits[character] >> offset
                if not left:
                    return -1
        return start + (left & -left).bit_length() - 1


def _places_of(character: str, text: str) -> int:
    """A number with a bit for each place where the text has the character: the lowest for its first one."""
    ones = dict.fromkeys(map(ord, set(text)), "0")
    ones[ord(character)] = "1"
    return int(text[::-1].translate(ones), 2)


def like(pattern: bytes) -> Callable[[bytes], bool]:
    """The test for a LIKE pattern. InvalidRequest if it is none."""
    first, *rest = _pieces(pattern)
    if not rest:
        return lambda data: _is_whole(first, data.decode(errors="replace"))
    *between, last = rest

    def matches(data: bytes) -> bool:
        text = data.decode(errors="replace")
        place, end = first.length, len(text) - last.length
        if place > end or not first.is_at(text, 0) or not last.is_at(text, end):
            return False
        for piece in between:
            found = piece.find(text, place, end)
            if found < 0:
                return False
            place = found + piece.length
        return True

    return matches


def _is_whole(piece: _Piece, text: str) -> bool:
    return len(text) == piece.length and piece.is_at(text, 0)


def _pieces(pattern: bytes) -> list[_Piece]:
    try:
        text = pattern.decode()
    except UnicodeDecodeError:
        raise InvalidRequest("The pattern of LIKE is not valid UTF-8") from None
    if len(text) > LONGEST_PATTERN:
        raise InvalidRequest(f"A LIKE pattern may have {LONGEST_PATTERN:,} characters, and this one has {len(text):,}.")
    pieces: list[list[str]] = [[]]
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\\" and text[position + 1 : position + 2] in ("%", "_", "\\"):
            position += 1
            pieces[-1].append(text[position])
        elif character == "%":
            if pieces[-1] or len(pieces) == 1:  # %% says no more than %
                pieces.append([])
        else:
            pieces[-1].append(ANY if character == "_" else character)
        position += 1
    return [_Piece(characters) for characters in pieces]
