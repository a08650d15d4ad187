"""JSON text to values (see ``json_text``), refused in the words of ScyllaDB's parser, RapidJSON."""

from __future__ import annotations

import math
import re

from ..limits import MOST_JSON_VALUES
from .json_text import Json, JsonError

_DEEPEST = 78
_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FRACTION = re.compile(r"\.([0-9]*)")
_EXPONENT = re.compile(r"[eE][+-]?([0-9]*)")
_HEX = re.compile(r"[0-9A-Fa-f]{4}")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"n": ("null", None), "t": ("true", True), "f": ("false", False)}


def parse(text: str) -> Json:
    """The value that the text spells; JsonError for anything else."""
    parser = _Parser(text)
    position = parser.skip(0)
    if position == len(text):
        raise parser.error("The document is empty.", position)
    value, position = parser.value(position, 0)
    position = parser.skip(position)
    if position != len(text):
        raise parser.error("The document root must not be followed by other values.", position)
    return value


class _Parser:
    """Each method takes the place where its value begins, and gives the value and the place behind it."""

    def __init__(self, text: str):
        self.text = text
        self._count = 0  # of values

    def error(self, what: str, position: int) -> JsonError:
        return JsonError(f"Parsing JSON failed: {what} at {len(self.text[:position].encode('utf-8', 'replace'))}")

    def skip(self, position: int) -> int:
        return _SPACE.match(self.text, position).end()  # type: ignore[union-attr]

    def at(self, position: int) -> str:
        return self.text[position : position + 1]

    def value(self, position: int, depth: int) -> tuple[Json, int]:
        self._count += 1
        if self._count > MOST_JSON_VALUES:
            raise JsonError(f"A JSON document may have {MOST_JSON_VALUES:,} values, and this one has more.")
        first = self.at(position)
        if first == '"':
            return self.string(position)
        if first == "{" or first == "[":
            if depth >= _DEEPEST:
                raise JsonError(f"Max nested level reached: {_DEEPEST}")
            return (self.object if first == "{" else self.array)(position + 1, depth + 1)
        if first in _WORDS:
            word, value = _WORDS[first]
            if not self.text.startswith(word, position):
                matching = next(i for i, c in enumerate(word) if self.at(position + i) != c)
                raise self.error("Invalid value.", position + matching)
            return value, position + len(word)
        return self.number(position)

    def object(self, position: int, depth: int) -> tuple[Json, int]:
        members: dict[str, Json] = {}
        position = self.skip(position)
        if self.at(position) == "}":
            return members, position + 1
        while True:
            if self.at(position) != '"':
                raise self.error("Missing a name for object member.", position)
            name, position = self.string(position)
            position = self.skip(position)
            if self.at(position) != ":":
                raise self.error("Missing a colon after a name of object member.", position)
            value, position = self.value(self.skip(position + 1), depth)
            members.setdefault(name, value)
            position = self.skip(position)
            end = self.at(position)
            if end == "}":
                return members, position + 1
            if end != ",":
                raise self.error("Missing a comma or } after an object member.", position)
            position = self.skip(position + 1)

    def array(self, position: int, depth: int) -> tuple[Json, int]:
        items: list[Json] = []
        position = self.skip(position)
        if self.at(position) == "]":
            return items, position + 1
        while True:
            value, position = self.value(position, depth)
            items.append(value)
            position = self.skip(position)
            end = self.at(position)
            if end == "]":
                return items, position + 1
            if end != ",":
                raise self.error("Missing a comma or ] after an array element.", position)
            position = self.skip(position + 1)

    def string(self, position: int) -> tuple[str, int]:
        opening, position = position, position + 1
        parts = []
        while True:
            plain = _PLAIN.match(self.text, position)
            assert plain is not None
            parts.append(plain[0])
            position = plain.end()
            stop = self.at(position)
            if stop == '"':
                return "".join(parts), position + 1
            if stop != "\\":
                if not stop or stop == "\x00":
                    raise self.error("Missing a closing quotation mark in string.", opening)
                raise self.error("Invalid encoding in string.", position)
            escaped, position = self.escape(position)
            parts.append(escaped)

    def escape(self, position: int) -> tuple[str, int]:
        letter = self.at(position + 1)
        if letter in _ESCAPES:
            return _ESCAPES[letter], position + 2
        if letter != "u":
            raise self.error("Invalid escape character in string.", position)
        code = self.hexadecimal(position + 2, position)
        end = position + 6
        if 0xDC00 <= code < 0xE000 or (0xD800 <= code < 0xDC00 and self.text[end : end + 2] != "\\u"):
            raise self.error("The surrogate pair in string is invalid.", position)
        if 0xD800 <= code < 0xDC00:
            low = self.hexadecimal(end + 2, position)
            if not 0xDC00 <= low < 0xE000:
                raise self.error("The surrogate pair in string is invalid.", position)
            code = 0x10000 + (code - 0xD800 << 10) + (low - 0xDC00)
            end += 6
        return chr(code), end

    def hexadecimal(self, position: int, escape: int) -> int:
        figures = _HEX.match(self.text, position)
        if not figures:
            raise self.error("Incorrect hex digit after \\u escape in string.", escape)
        return int(figures[0], 16)

    def number(self, position: int) -> tuple[int | float, int]:
        whole = _NUMBER.match(self.text, position)
        if not whole:
            raise self.error("Invalid value.", position + (self.at(position) == "-"))
        end = whole.end()
        fraction = _FRACTION.match(self.text, end)
        if fraction:
            end = fraction.end()
            if not fraction[1]:
                raise self.error("Miss fraction part in number.", end)
        exponent = _EXPONENT.match(self.text, end)
        if exponent:
            end = exponent.end()
            if not exponent[1]:
                raise self.error("Miss exponent in number.", end)
        if not fraction and not exponent and len(whole[0]) < 21:
            number = int(whole[0])
            if -(1 << 63) <= number < 1 << 64:
                return number, end
        value = float(self.text[position:end])
        if math.isinf(value):
            raise self.error("Number too big to be stored in double.", position)
        return value, end
