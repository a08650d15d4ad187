"""CDC streams: which stream a change goes to, and the tables by which a consumer finds the streams.

In a keyspace on vnodes all tables share the node's generations: each is a set of streams, one for each token range and
shard, valid from its timestamp on. In a keyspace on tablets each table has stream sets of its own, one stream for each
tablet. A stream id is 128 bits: token 64, random 38, index 22, version 4, stored big-endian.

A generation is remembered as its timestamp and a seed; the streams follow from the seed. In a keyspace whose clock was
pushed it began at another time than in the others: that is remembered with it.
"""

from __future__ import annotations

import bisect
import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import InvalidRequest, ServerError
from ..identity import MIN_TOKEN, node_tokens
from ..schema import Keyspace, Schema, Table

VERSION = 1
FUTURE_LIMIT = PAST_LIMIT = 5_000_000  # µs
INITIAL_LEAD = 5_000  # ms that a first stream set lies in the past, so that writes work at once
# Tablets of a table whose keyspace names no number: ten for each shard at least, of which a power of two is made.
DEFAULT_TABLETS = 10
CURRENT, CLOSED, OPENED = 0, 1, 2  # stream_state


def stream_id(token: int, random_part: int, index: int) -> bytes:
    """The 16 bytes of a stream id."""
    low = random_part << 26 | index << 4 | VERSION
    return token.to_bytes(8, "big", signed=True) + low.to_bytes(8, "big")


@lru_cache(maxsize=64)
def _vnode_streams(seed: int) -> tuple[bytes, ...]:
    """One stream for each token range (one shard), in the order of ``node_tokens``; its token lies in the range."""
    chance = random.Random(seed)
    streams, begin = [], None
    for index, end in enumerate(node_tokens()):
        # The first range wraps around the ring; its part below the smallest token is as good as any.
        low = MIN_TOKEN if begin is None else begin + 1
        streams.append(stream_id(chance.randint(low, end), chance.getrandbits(38), index))
        begin = end
    return tuple(streams)


@lru_cache(maxsize=256)
def _tablet_streams(seed: int, count: int) -> tuple[bytes, ...]:
    """One stream for each tablet, in token order; its token is the tablet's last."""
    chance = random.Random(seed)
    return tuple(stream_id(end, chance.getrandbits(38), 0) for end in tablet_ends(count))


def tablet_ends(count: int) -> list[int]:
    """The last token of each of ``count`` tablets."""
    width = 2**64 // count
    return [-(2**63) + width * (n + 1) - 1 for n in range(count)]


def tablet_count(keyspace: Keyspace) -> int:
    """How many tablets a table of the keyspace gets: the number asked for, made a power of two."""
    wanted = keyspace.tablets or DEFAULT_TABLETS
    return 1 << (wanted - 1).bit_length()


class Generation(NamedTuple):
    """When it began, by the node's clock (ms); what its streams follow from; and when it began by the clocks of the
    keyspaces that had one of their own."""

    timestamp: int
    seed: int
    own: dict[str, int]

    def began(self, keyspace: str | None) -> int:
        """When it began (ms), as seen from a keyspace; None: by the node's clock."""
        return self.own.get(keyspace, self.timestamp) if keyspace is not None else self.timestamp


class Streams:
    """All generations of the node, oldest first. ``tables``: by the base table's id, its stream sets as (timestamp ms,
    seed, tablets), oldest first."""

    def __init__(self) -> None:
        self.generations: list[Generation] = []
        self.tables: dict[uuid.UUID, list[tuple[int, int, int]]] = {}

    # ---------------------------------------------------------------- made and kept

    def new_generation(self, now_micros: int, own_micros: Mapping[str, int] = MappingProxyType({})) -> int:
        """Begin a generation now (the first: a little earlier); returns its timestamp in ms. ``own_micros``: what time
        it is in the keyspaces with a clock of their own."""
        shift = 1 if self.generations else -INITIAL_LEAD
        own = {keyspace: micros // 1000 + shift for keyspace, micros in own_micros.items()}
        timestamp = now_micros // 1000 + shift
        self.generations.append(Generation(timestamp, random.getrandbits(62), own))
        return timestamp

    def adopt(self, table: Table, keyspace: Keyspace, now_micros: int) -> bool:
        """Give a CDC table of a tablets keyspace its first streams; False if it needs none."""
        if keyspace.tablets is None or table.id in self.tables:
            return False
        timestamp = now_micros // 1000 - INITIAL_LEAD
        self.tables[table.id] = [(timestamp, random.getrandbits(62), tablet_count(keyspace))]
        return True

    def split_tablets(self, table: Table, now_micros: int) -> int:
        """Begin a new stream set of twice as many tablets, as a tablet split does; returns its timestamp in ms."""
        sets = self.tables[table.id]
        timestamp = now_micros // 1000 + 1
        sets.append((timestamp, random.getrandbits(62), sets[-1][2] * 2))
        return timestamp

    def state(self) -> tuple[Any, Any]:
        """For the journal."""
        return [tuple(g) for g in self.generations], {table.bytes: list(sets) for table, sets in self.tables.items()}

    def restore(self, state: tuple[Any, Any]) -> None:
        self.generations = [Generation(*(*generation, {})[:3]) for generation in state[0]]  # older: without own
        self.tables = {uuid.UUID(bytes=table): [tuple(s) for s in sets] for table, sets in state[1].items()}

    # ---------------------------------------------------------------- which stream

    def stream_for(self, table: Table, token: int, timestamp: int, now: int) -> bytes:
        """The stream of a change to ``table`` at ``token``; ``timestamp`` of the write and ``now`` in µs."""
        if timestamp > now + FUTURE_LIMIT:
            raise InvalidRequest(_out_of_time("future", timestamp, now))
        sets = self.tables.get(table.id)
        if sets is not None:
            return self._tablet_stream(table, sets, token, timestamp)
        began = _began_in(table.keyspace)
        at = bisect.bisect_right(self.generations, timestamp // 1000, key=began) - 1
        current = bisect.bisect_right(self.generations, now // 1000, key=began) - 1
        if at < current and timestamp < now - PAST_LIMIT:
            raise InvalidRequest(_out_of_time("past", timestamp, now))
        if at < 0:
            raise ServerError(
                "cdc::metadata::get_stream: could not find any CDC stream for timestamp "
                f"{timestamp}. Are we in the middle of a cluster upgrade?"
            )
        tokens = node_tokens()
        position = bisect.bisect_left(tokens, token) % len(tokens)
        return _vnode_streams(self.generations[at].seed)[position]

    def _tablet_stream(self, table: Table, sets: list[tuple[int, int, int]], token: int, timestamp: int) -> bytes:
        found = [s for s in sets if s[0] * 1000 <= timestamp]
        if not found:
            raise ServerError(
                f"cdc::metadata::get_stream: could not find any CDC streams for table {table.full_name} "
                f"for timestamp {timestamp}."
            )
        _, seed, count = found[-1]
        return _tablet_streams(seed, count)[(token + 2**63) // (2**64 // count)]

    # ---------------------------------------------------------------- the discovery tables, as rows

    def generation_timestamps(self, viewer: str | None = None) -> Iterator[dict[str, Any]]:
        """system_distributed.cdc_generation_timestamps, in the time of the keyspace ``viewer``."""
        began = [generation.began(viewer) for generation in self.generations]
        for timestamp, expired in zip(began, [*began[1:], None], strict=True):
            yield {"key": "timestamps", "time": timestamp, "expired": expired}

    def descriptions(self, viewer: str | None = None) -> Iterator[dict[str, Any]]:
        """system_distributed.cdc_streams_descriptions_v2, in the time of the keyspace ``viewer``."""
        for generation in self.generations:
            for range_end, stream in zip(node_tokens(), _vnode_streams(generation.seed), strict=True):
                yield {"time": generation.began(viewer), "range_end": range_end, "streams": [stream]}

    def tablet_timestamps(self, schema: Schema) -> Iterator[dict[str, Any]]:
        """system.cdc_timestamps."""
        for table, sets in self._named(schema):
            for timestamp, _, _ in sets:
                yield {"keyspace_name": table.keyspace, "table_name": table.name, "timestamp": timestamp}

    def tablet_streams(self, schema: Schema) -> Iterator[dict[str, Any]]:
        """system.cdc_streams: at each timestamp the streams in force, those closed and those opened."""
        for table, sets in self._named(schema):
            before: frozenset[bytes] = frozenset()
            for timestamp, seed, count in sets:
                current = frozenset(_tablet_streams(seed, count))
                states = ((CURRENT, current), (CLOSED, before - current), (OPENED, current - before))
                for state, streams in states:
                    for stream in sorted(streams):
                        yield {
                            "keyspace_name": table.keyspace,
                            "table_name": table.name,
                            "timestamp": timestamp,
                            "stream_state": state,
                            "stream_id": stream,
                        }
                before = current

    def _named(self, schema: Schema) -> Iterator[tuple[Table, list[tuple[int, int, int]]]]:
        by_id = {table.id: table for table in schema.tables()}
        for table_id, sets in self.tables.items():
            if table_id in by_id:
                yield by_id[table_id], sets


def _began_in(keyspace: str) -> Callable[[Generation], int]:
    return lambda generation: generation.began(keyspace)


def _out_of_time(where: str, timestamp: int, now: int) -> str:
    into = "arbitrarily into the future, because we don't know what streams will be used at that time"
    advice = (
        "If you really must use your own timestamps, then make sure your clocks are well-synchronized  with the "
        "database's clocks."  # with two spaces, as ScyllaDB has it
    )
    if where == "past":
        into = "too far into the past, because that would break consistency properties"
        advice = (
            "Are you using client-side timestamps? "
            "Make sure your clocks are well-synchronized with the database's clocks."
        )
    return (
        f'cdc: attempted to get a stream "from the {where}" ({timestamp}; current server time: {now}). '
        f"With CDC you cannot send writes with timestamps {into}.\n"
        f"We *do* allow sending writes into the near {where}, but our ability to do that is limited. {advice}"
    )
