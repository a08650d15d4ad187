"""A statement as a tree of parts, and what can be done to one of them."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator

#: What stands for a value where it is bound.
MARKER = "?"


class Part:
    """A piece of a statement. ``kind`` says what may stand in its place (value, type, column, …); ``inner`` are texts
    and parts."""

    __slots__ = ("inner", "kind")

    def __init__(self, kind: str, *inner: str | Part):
        self.kind = kind
        self.inner = list(inner)

    def __str__(self) -> str:
        return "".join(map(str, self.inner))

    def places(self) -> Iterator[tuple[Part, int]]:
        """Where its parts are, and theirs: the part around, and the index there."""
        for index, piece in enumerate(self.inner):
            if isinstance(piece, Part):
                yield self, index
                yield from piece.places()


def listed(kind: str, parts: list[Part], between: str = ", ") -> Part:
    """Parts with something between them."""
    pieces: list[str | Part] = []
    for part in parts:
        pieces += [between, part] if pieces else [part]
    return Part(kind, *pieces)


EXTREMES = (
    "0", "-0", "-1", "2147483647", "2147483648", "-2147483649", "9223372036854775807", "-9223372036854775808",
    "9223372036854775808", "1e400", "-1e-400", "1e2147483648", "1E-99999999999", "0.1", "NaN", "-NaN", "Infinity",
    "-Infinity", "9" * 400, "0." + "0" * 400 + "1", "''", "'", "$$", '""', "0x", "0xf", "0x" + "ff" * 200, "null",
    "true", "[]", "{}", "()", "{:}", "*", ";", "1y2mo3d", "-1h", "P1Y", "99999999999999y", "9223372036854775807ns",
    "'9999999-99-99'", "'5874898-01-01'", "'-5877641-06-23'", "'24:00:00'", "'1.2.3.4.5'", "'::1'", "\x00", "\ufeff",
    "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "'{\"'", "'\U0001f3aa'", "?", ":x",
    "00000000-0000-1000-0000-000000000000", "ffffffff-ffff-1fff-ffff-ffffffffffff", "-- ", "/*", "/* */", "'a''b'",
)  # fmt: skip

NAMES = (
    "n" * 49, "n" * 300, '"' + "N" * 70_000 + '"', '"A b"', '"é"', '"%"', '""""', "key", "ttl", "json", "system",
    "ks.t", "a.b.c", "select", "primary", '"cdc$time"', "token", "count", "empty", "tuple", "frozen",
    "system.local", "list",
)  # fmt: skip

WRAPPERS = (
    "({})", "[{}]", "{{{}}}", "{{{}: {}}}", "({}, {})", "[{}, {}]", "{{{}, {}}}", "(int) {}", "(text) {}", "f({})",
    "token({})", "count({})", "min({})", "sum({})", "writetime({})", "ttl({})", "toJson({})", "fromJson({})", "{} + {}",
    "CAST({} AS text)", "CAST({} AS blob)", "CAST({} AS double)", "frozen<{}>", "list<{}>", "set<{}>", "map<{}, {}>",
    "tuple<{}>", "vector<{}, 3>", "{}.{}", "{}[{}]", "{}[0]", "'{}'", '"{}"', "{} IN ({})", "NOT {}", "{} AND {}",
    "{} IS NOT NULL", "-{}", "- {}", "distinct {}", "values({})", "full({})", "intAsBlob({})", "blobAsText({})",
    "{{a: {}}}", "system.{}", "{} AS {}", "({}) IN (({}))", "abs({})", "now({})", "{} = {}", "{} {{ {} }}", "ks.{}",
    "set_intersection({}, {})", "similarity_cosine({}, {})", "toDate({})", "round({}, {})", "maxTimeuuid({})",
)  # fmt: skip


class Damage:
    """Replaces one part of a statement. It remembers parts that it has seen: they are put where others stood."""

    def __init__(self, chance: random.Random):
        self._chance = chance
        self._seen: dict[str, deque[str]] = {}

    def remember(self, whole: Part) -> None:
        """One part of this statement may come up in another."""
        places = list(whole.places())
        if not places:
            return
        parent, index = self._chance.choice(places)
        part = parent.inner[index]
        assert isinstance(part, Part)
        text = str(part)
        if len(text) < 2000:
            self._seen.setdefault(part.kind, deque(maxlen=60)).append(text)

    def do(self, whole: Part) -> str:
        """The statement's text with one part replaced; sometimes two."""
        for _ in range(self._chance.choice((1, 1, 1, 1, 2))):
            places = list(whole.places())
            if not places:
                break
            parent, index = self._chance.choice(places)
            part = parent.inner[index]
            assert isinstance(part, Part)
            parent.inner[index] = self._instead(part, whole)
        return str(whole)

    def _instead(self, part: Part, whole: Part) -> str | Part:
        chance, text = self._chance, str(part)
        match chance.choices(range(9), (8, 4, 3, 3, 6, 4, 1, 1, 1))[0]:
            case 0 if part.kind in self._seen:
                return Part(part.kind, chance.choice(self._seen[part.kind]))
            case 1 if self._seen:
                kind = chance.choice(list(self._seen))
                return Part(part.kind, chance.choice(self._seen[kind]))
            case 2:
                return ""
            case 3:
                return text + chance.choice((" ", ", ", " AND ", "")) + text
            case 4:
                return Part(part.kind, self._wrapped(text))
            case 6:
                return chance.choice(NAMES)
            case 7:
                return text[: chance.randrange(len(text) + 1)]
            case 8:
                parent, index = chance.choice(list(whole.places()))
                return str(parent.inner[index])
        return chance.choice(EXTREMES)

    def _wrapped(self, text: str) -> str:
        chance = self._chance
        depth = chance.choices((1, 2, 3, 50, 400), (60, 20, 10, 2, 1))[0]
        wrapper = chance.choice(WRAPPERS)
        for _ in range(depth):
            if len(text) > 3000:
                break
            if depth < 4:
                wrapper = chance.choice(WRAPPERS)
            text = wrapper.format(text, text if depth < 4 else "1")
        return text
