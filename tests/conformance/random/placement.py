"""Where partitions stand: their tokens, which decide the order of a whole table."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

from cassandra.cqltypes import lookup_casstype_simple
from cassandra.metadata import Murmur3Token

from .shapes import Readable, column

_CASSANDRA_NAMES = {"int": "Int32Type", "bigint": "LongType", "text": "UTF8Type"}


@lru_cache
def token_of(table: Readable, key: tuple) -> int:
    """Murmur3 of the key as it goes over the wire."""
    pieces = [
        lookup_casstype_simple(_CASSANDRA_NAMES[column(table, name).type]).serialize(value, 4)
        for name, value in zip(table.partition, key, strict=True)
    ]
    if len(pieces) > 1:
        pieces = [len(piece).to_bytes(2, "big") + piece + b"\x00" for piece in pieces]
    return Murmur3Token.hash_fn(b"".join(pieces))


@lru_cache
def tokens_of(table: Readable) -> tuple[int, ...]:
    """The tokens of all keys that sequences use, and one beside each."""
    keys = product(*(column(table, name).pool for name in table.partition))
    tokens = sorted(token_of(table, key) for key in keys)
    return tuple(tokens) + tuple(token + 1 for token in tokens)
