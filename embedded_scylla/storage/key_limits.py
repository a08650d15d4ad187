"""How long keys may be. A key is written with a length of two bytes, in ScyllaDB's files as in this node's order."""

from __future__ import annotations

from .. import types
from ..errors import InvalidRequest
from ..schema import Table
from .keys import partition_key_bytes
from .rows import Key

MAX_KEY_LENGTH = 65535  # bytes
# Types whose values are always short.
SHORT = {
    types.BIGINT, types.BOOLEAN, types.DATE, types.DOUBLE, types.FLOAT, types.INET, types.INT, types.SMALLINT,
    types.TIME, types.TIMESTAMP, types.TIMEUUID, types.TINYINT, types.UUID,
}  # fmt: skip


def check_partition_key(table: Table, key: Key) -> None:
    """InvalidRequest if it is empty or too long."""
    if len(key) == 1 and not key[0]:
        raise InvalidRequest("Key may not be empty")
    check_partition_key_length(table, key)


def check_partition_key_length(table: Table, key: Key) -> None:
    """InvalidRequest if it is too long."""
    length = sum(map(len, key))
    if len(key) > 1 and length <= MAX_KEY_LENGTH:
        length = len(partition_key_bytes(table, key))
    if length > MAX_KEY_LENGTH:
        raise _too_long(length)


def check_clustering_key(key: Key) -> None:
    """InvalidRequest if its columns together are too long."""
    length = sum(map(len, key))
    if length > MAX_KEY_LENGTH:
        raise _too_long(length)


def _too_long(length: int) -> InvalidRequest:
    return InvalidRequest(f"Key length of {length} is longer than maximum of {MAX_KEY_LENGTH}")
