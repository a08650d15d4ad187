"""What the bytes of a key turn into: a routing key, a token, and bytes that sort as the clustering order does.

A key is a tuple of its columns' wire bytes. The clustering order of a key (or of a prefix of one) is a byte string
made so that comparing byte strings compares keys: for each column a marker byte, then the type's order-preserving
bytes, inverted where the column is DESC. The marker is below 0xff, hence ``order(prefix) + b"\\xff"`` lies above
everything that starts with the prefix, and any range of clustering keys is a half-open interval of byte strings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

try:
    from cassandra.cmurmur3 import murmur3
except ImportError:  # a platform without the driver's compiled modules
    from cassandra.murmur3 import murmur3

from .rows import Key

if TYPE_CHECKING:
    from ..schema import Table

MIN_TOKEN, MAX_TOKEN = -(1 << 63), (1 << 63) - 1
LOWEST, HIGHEST = b"", b"\xff"  # below and above the order of every clustering key

_COMPONENT = b"\x40"
_INVERTED = bytes(255 - byte for byte in range(256))


# ---------------------------------------------------------------- partition keys


def partition_key_bytes(table: Table, key: Key) -> bytes:
    """The routing key: the only column's bytes as they are, several columns each with length and end mark."""
    if len(key) == 1:
        return key[0]
    return b"".join([len(part).to_bytes(2, "big") + part + b"\x00" for part in key])


def token(table: Table, key: Key) -> int:
    """Where the partition lies on the ring: Murmur3, or for a CDC log the first 8 bytes of the stream id."""
    if table.partitioner is None:
        hashed = murmur3(partition_key_bytes(table, key))
        return hashed if hashed != MIN_TOKEN else MAX_TOKEN  # the lowest is no partition's: it bounds the ring
    stream = key[0]
    return int.from_bytes(stream[:8], "big", signed=True) if len(stream) >= 8 else MIN_TOKEN


# ---------------------------------------------------------------- clustering keys


def clustering_encoder(table: Table) -> Callable[[Key], bytes]:
    """``clustering_order`` for one table, with the look-ups done once."""
    columns = [(column.type.order, column.descending) for column in table.clustering]

    if not columns:
        return lambda key: LOWEST

    if len(columns) == 1 and not columns[0][1]:
        order_of = columns[0][0]
        return lambda key: _COMPONENT + order_of(key[0]) if key else LOWEST

    def encode(key: Key) -> bytes:
        parts = []
        for data, (order, descending) in zip(key, columns, strict=False):
            parts.append(_COMPONENT)
            parts.append(order(data).translate(_INVERTED) if descending else order(data))
        return b"".join(parts)

    return encode


def clustering_order(table: Table, key: Key) -> bytes:
    """The order of a clustering key or of a prefix of one. A plan should keep a ``clustering_encoder`` instead."""
    return clustering_encoder(table)(key)


def lower_bound(encode: Callable[[Key], bytes], prefix: Key, inclusive: bool) -> bytes:
    """The first byte string inside a range that starts at ``prefix``; an empty prefix is an open start."""
    return encode(prefix) if inclusive or not prefix else encode(prefix) + HIGHEST


def upper_bound(encode: Callable[[Key], bytes], prefix: Key, inclusive: bool) -> bytes:
    """The first byte string beyond a range that ends at ``prefix``; an empty prefix is an open end."""
    return encode(prefix) + HIGHEST if inclusive or not prefix else encode(prefix)
