"""The CDC log as a pure function of a write, the streams, and the scan for rows that are over."""

from __future__ import annotations

import uuid

import pytest

from embedded_scylla.assembly import assemble
from embedded_scylla.clock import Clock
from embedded_scylla.derived import cdc, streams
from embedded_scylla.derived.cdc_images import Before
from embedded_scylla.engine import Engine
from embedded_scylla.errors import InvalidRequest, ServerError
from embedded_scylla.schema import CLUSTERING, PARTITION_KEY, REGULAR, STATIC, CdcOptions, Column, Keyspace, Table
from embedded_scylla.storage.rows import Collection, Mutation, RangeDeletion, Row
from embedded_scylla.timeuuid import timeuuid_at
from embedded_scylla.types import BIGINT, INT, TEXT, MapType
from embedded_scylla.upkeep import expiry

NOW = 1_700_000_000  # seconds
T = NOW * 1_000_000  # µs
NOTHING = Before(lambda key: None, lambda: None, lambda row: True, lambda cell: cell[1] is not None)


def number(value):
    return INT.encode(value)


def table_with(**options) -> Table:
    columns = [
        Column("p", INT, PARTITION_KEY, 0),
        Column("c", INT, CLUSTERING, 0),
        Column("s", INT, STATIC),
        Column("v", INT, REGULAR),
        Column("w", TEXT, REGULAR),
        Column("m", MapType(INT, INT), REGULAR),
    ]
    return Table("ks", "t", uuid.uuid4(), {c.name: c for c in columns}, {}, cdc=CdcOptions(enabled=True, **options))


class Log:
    """The log of a mutation, decoded: per entry a dict of what is in it."""

    def __init__(self, base: Table, mutation: Mutation, before: Before = NOTHING, by_service: bool = False):
        self.table = cdc.log_table(base, None, {})
        self.asked: list[int] = []
        self.mutations = cdc.log_mutations(self.table, mutation, before, self._stream, NOW, by_service)

    def _stream(self, timestamp: int) -> bytes:
        self.asked.append(timestamp)
        return b"s" * 16

    def entries(self) -> list[dict]:
        found = []
        for mutation in self.mutations:
            for row in mutation.rows.values():
                entry = {name: self.table.columns[name].type.decode(cell[1]) for name, cell in row.cells.items()}
                found.append({**entry, "at": uuid.UUID(bytes=row.key[0]), "seq": INT.decode(row.key[1])})
        return found

    def short(self) -> list[tuple]:
        return [(e["cdc$operation"], e.get("c"), e.get("v")) for e in self.entries()]


def write(base: Table, *rows: Row, static: Row | None = None) -> Mutation:
    mutation = Mutation(base, (number(1),))
    mutation.rows = {row.key: row for row in rows}
    mutation.static = static
    return mutation


def row(c: int, at: int = T, marker: bool = False, ttl: int = 0, **cells) -> Row:
    end = NOW + ttl if ttl else 0
    found = {
        name: (at, None, NOW, 0) if value is None else (at, number(value), end, ttl) for name, value in cells.items()
    }
    return Row((number(c),), (at, end, ttl) if marker else None, None, found)


# ---------------------------------------------------------------- one write


def test_every_cell_has_the_write_s_time_and_the_log_s_ttl():
    base = table_with(ttl=60)
    log = Log(base, write(base, row(2, marker=True, v=5)))
    (mutation,) = log.mutations
    for entry in mutation.rows.values():
        assert entry.marker is None
        for timestamp, value, expires_at, ttl in entry.cells.values():
            assert (timestamp, expires_at, ttl) == (T, NOW + 60, 60)
            assert value is not None
    assert [entry["at"].time for entry in log.entries()] == [timeuuid_at(T).time]


def test_no_ttl_is_for_ever():
    base = table_with(ttl=0)
    (mutation,) = Log(base, write(base, row(2, v=5))).mutations
    assert {cell[2:] for entry in mutation.rows.values() for cell in entry.cells.values()} == {(0, 0)}


def test_entries_are_numbered_and_the_last_one_says_so():
    base = table_with()
    log = Log(base, write(base, row(1, v=1), row(2, v=2), row(3, v=3)))
    assert [e["seq"] for e in log.entries()] == [0, 1, 2]
    assert [e.get("cdc$end_of_batch") for e in log.entries()] == [None, None, True]
    assert len({e["at"] for e in log.entries()}) == 1


def test_each_timestamp_is_a_change_of_its_own_oldest_first():
    base = table_with()
    log = Log(base, write(base, row(1, at=T + 5, v=1), row(2, at=T, v=2)))
    assert log.asked == [T, T + 5]
    assert log.short() == [(1, 2, 2), (1, 1, 1)]
    assert [e["seq"] for e in log.entries()] == [0, 0]


def test_one_ttl_in_key_order_more_by_kind():
    base = table_with()
    alike = write(base, row(2, marker=True, v=2), row(1, v=1))
    assert Log(base, alike).short() == [(1, 1, 1), (2, 2, 2)]
    mixed = write(base, row(2, marker=True, v=2), row(1, v=1), row(3, ttl=9, v=3))
    assert Log(base, mixed).short() == [(2, 2, 2), (1, 1, 1), (1, 3, 3)]


def test_static_row_first():
    base = table_with()
    static = Row((), cells={"s": (T, number(9), 0, 0)})
    log = Log(base, write(base, row(1, v=1), static=static))
    assert [(e["cdc$operation"], e.get("c"), e.get("s")) for e in log.entries()] == [(1, None, 9), (1, 1, None)]


def test_deletions_come_last_and_in_order():
    base = table_with()
    mutation = write(base, row(1, v=1), Row((number(2),), deletion=(T, NOW)))
    mutation.ranges.append(RangeDeletion((number(3),), False, (), True, (T, NOW)))
    mutation.deletion = (T, NOW)
    assert [e["cdc$operation"] for e in Log(base, mutation).entries()] == [1, 3, 6, 7, 4]


def test_by_the_node_itself():
    base = table_with()
    mutation = write(base, Row((number(2),), deletion=(T, NOW)))
    assert [e["cdc$operation"] for e in Log(base, mutation, by_service=True).entries()] == [-3]
    mutation = write(base)
    mutation.deletion = (T, NOW)
    assert [e["cdc$operation"] for e in Log(base, mutation, by_service=True).entries()] == [-4]


def test_overwritten_collection_is_one_change():
    """Its tombstone is a microsecond older than its elements, and still belongs to them."""
    base = table_with()
    whole = Collection((T - 1, NOW), {number(1): (T, number(10), 0, 0)})
    log = Log(base, write(base, Row((number(1),), cells={"m": whole})))
    (entry,) = log.entries()
    assert (entry["m"], entry["cdc$deleted_m"]) == ({1: 10}, True)
    assert log.asked == [T]


def test_insert_with_ttl_of_a_collection_is_three_entries():
    base = table_with()
    whole = Collection((T - 1, NOW), {number(1): (T, number(10), NOW + 5, 5)})
    inserted = Row((number(1),), (T, NOW + 5, 5), None, {"m": whole, "v": (T, number(7), NOW + 5, 5)})
    entries = Log(base, write(base, inserted)).entries()
    assert [
        (e["cdc$operation"], e.get("cdc$ttl"), e.get("v"), e.get("m"), e.get("cdc$deleted_m")) for e in entries
    ] == [
        (2, 5, 7, None, None),
        (1, None, None, None, True),
        (1, 5, None, {1: 10}, None),
    ]


def test_keys_only():
    base = table_with(delta="keys")
    (entry,) = Log(base, write(base, row(1, ttl=5, v=1))).entries()
    assert "v" not in entry and (entry["p"], entry["c"], entry["cdc$ttl"]) == (1, 1, 5)


# ---------------------------------------------------------------- images


def before(rows: dict[int, dict], static: dict | None = None) -> Before:
    def stored(values):
        return None if values is None else Row((), cells={n: (1, number(v), 0, 0) for n, v in values.items()})

    return Before(
        lambda key: stored(rows.get(INT.decode(key[0]))),
        lambda: stored(static),
        lambda row: True,
        lambda cell: cell[1] is not None,
    )


def images(log: Log, operation: int) -> list[dict]:
    return [
        {name: e[name] for name in ("c", "s", "v", "cdc$deleted_v", "cdc$deleted_w") if name in e}
        for e in log.entries()
        if e["cdc$operation"] == operation
    ]


def test_preimage_only_of_rows_that_were_there():
    base = table_with(preimage="true")
    log = Log(base, write(base, row(1, v=1), row(2, v=2)), before({2: {"v": 20}}))
    assert images(log, 0) == [{"c": 2, "v": 20}]


def test_preimage_full_and_true():
    for preimage, expected in (("true", {"c": 1, "v": 10}), ("full", {"c": 1, "v": 10, "cdc$deleted_w": True})):
        base = table_with(preimage=preimage)
        log = Log(base, write(base, row(1, v=1)), before({1: {"v": 10}}))
        (found,) = images(log, 0)
        assert found == expected


def test_static_preimage_needs_one_of_the_columns_touched():
    base = table_with(preimage="true")
    static = Row((), cells={"s": (T, number(9), 0, 0)})
    assert images(Log(base, write(base, static=static), before({}, {"s": 8})), 0) == [{"s": 8}]
    assert images(Log(base, write(base, static=static), before({}, None)), 0) == []


def test_later_timestamps_see_the_earlier_changes():
    base = table_with(preimage="full", postimage=True)
    # One mutation with two timestamps for different columns of a row.
    both = Row((number(1),), None, None, {"v": (T, number(1), 0, 0), "w": (T + 1, b"x", 0, 0)})
    log = Log(base, write(base, both), before({1: {"v": 10}}))
    first, second = images(log, 0)
    assert first["v"] == 10 and second["v"] == 1
    assert [image.get("v") for image in images(log, 9)] == [1, 1]


@pytest.mark.parametrize(
    "start, start_inclusive, end, end_inclusive, left",
    [
        ((2,), True, (3,), True, [1, 4]),
        ((2,), False, (3,), False, [1, 2, 3, 4]),
        ((2,), False, (), True, [1, 2]),
        ((), True, (2,), False, [2, 3, 4]),
        ((), True, (), True, []),
    ],
)
def test_no_postimage_of_what_a_range_deletes(start, start_inclusive, end, end_inclusive, left):
    base = table_with(postimage=True)
    mutation = write(base, *[row(c, v=c) for c in (1, 2, 3, 4)])
    bounds = tuple(map(number, start)), start_inclusive, tuple(map(number, end)), end_inclusive
    mutation.ranges.append(RangeDeletion(*bounds, (T, NOW)))
    assert [image["c"] for image in images(Log(base, mutation), 9)] == left


def test_no_postimage_of_a_row_deleted_in_the_same_change():
    base = table_with(postimage=True)
    both = row(1, marker=True, v=1)
    both.deletion = (T, NOW)
    log = Log(base, write(base, both))
    assert [e["cdc$operation"] for e in log.entries()] == [2, 3]


# ---------------------------------------------------------------- streams

VNODES = Keyspace("ks", {"class": "NetworkTopologyStrategy", "datacenter1": "1"})
TABLETS = Keyspace("ks", {"class": "NetworkTopologyStrategy", "datacenter1": "1"}, tablets=3)


@pytest.fixture
def generations() -> streams.Streams:
    found = streams.Streams()
    found.new_generation(T)
    return found


def test_first_generation_begins_a_little_earlier(generations):
    table = table_with()
    assert generations.stream_for(table, 0, T, T) == generations.stream_for(table, 0, T - 4_000_000, T)


@pytest.mark.parametrize("place", [0, 1, 100, 255])
def test_a_token_s_stream_is_that_of_its_range(generations, place):
    tokens = streams.node_tokens()
    described = list(generations.descriptions())
    (expected,) = described[place]["streams"]
    table = table_with()
    assert generations.stream_for(table, tokens[place], T, T) == expected
    if place:
        assert generations.stream_for(table, tokens[place - 1] + 1, T, T) == expected


def test_tokens_above_the_last_wrap_around(generations):
    first = next(iter(generations.descriptions()))["streams"][0]
    assert generations.stream_for(table_with(), 2**63 - 1, T, T) == first


def test_old_timestamps_use_the_generation_of_their_time(generations):
    table = table_with()
    old = generations.stream_for(table, 5, T, T)
    generations.new_generation(T + 10_000_000)
    later = T + 11_000_000
    assert generations.stream_for(table, 5, later, later) != old
    assert generations.stream_for(table, 5, later - 4_000_000, later) == old
    with pytest.raises(
        InvalidRequest, match=r"(?s)from the past.* near past, .*\. Are you using client-side timestamps"
    ):
        generations.stream_for(table, 5, T + 5_000_000, T + 20_000_000)
    rows = list(generations.generation_timestamps())
    assert rows[0]["expired"] == rows[1]["time"] and rows[1]["expired"] is None


def test_the_future_is_five_seconds(generations):
    table = table_with()
    generations.stream_for(table, 5, T + 5_000_000, T)
    with pytest.raises(
        InvalidRequest, match=r"(?s)from the future.* near future, .*\. If you really must use your own"
    ):
        generations.stream_for(table, 5, T + 5_000_001, T)


def test_before_all_generations(generations):
    with pytest.raises(ServerError, match="could not find any CDC stream"):
        generations.stream_for(table_with(), 5, T - 6_000_000, T - 6_000_000)


def test_a_table_gets_ten_tablets_a_shard_unless_its_keyspace_says_otherwise():
    assert streams.tablet_count(Keyspace("ks", TABLETS.replication, tablets=0)) == 16  # the next power of two
    assert streams.tablet_count(Keyspace("ks", TABLETS.replication, tablets=8)) == 8


def test_tablets_of_a_table():
    found, table = streams.Streams(), table_with()
    assert not found.adopt(table, VNODES, T)
    assert found.adopt(table, TABLETS, T) and not found.adopt(table, TABLETS, T)
    ids = {found.stream_for(table, token, T, T) for token in range(-(2**63), 2**63, 2**60)}
    assert len(ids) == 4  # three tablets asked for: the next power of two
    lasts = sorted(int.from_bytes(s[:8], "big", signed=True) for s in ids)
    assert lasts == [-(2**62) - 1, -1, 2**62 - 1, 2**63 - 1]
    for last in lasts:
        stream = found.stream_for(table, last, T, T)
        assert int.from_bytes(stream[:8], "big", signed=True) == last
    with pytest.raises(ServerError, match=r"could not find any CDC streams for table ks\.t"):
        found.stream_for(table, 0, T - 6_000_000, T)


def test_tablet_split_closes_and_opens_streams():
    engine = assemble(clock=Clock(lambda: T * 1000)).engine
    table = table_with()
    engine.schema.put(Keyspace("ks", TABLETS.replication, tablets=2, tables={"t": table}))
    found = engine.streams
    found.adopt(table, engine.schema.keyspaces["ks"], T)
    split = found.split_tablets(table, T)
    rows = [row for row in found.tablet_streams(engine.schema) if row["timestamp"] == split]
    states = [row["stream_state"] for row in rows]
    assert (states.count(streams.CURRENT), states.count(streams.OPENED)) == (4, 4)
    assert states.count(streams.CLOSED) == 2
    assert [row["timestamp"] for row in found.tablet_timestamps(engine.schema)] == [T // 1000 - 5000, split]


def test_state_comes_back(generations):
    table = table_with()
    generations.adopt(table, TABLETS, T)
    copy = streams.Streams()
    copy.restore(generations.state())
    assert copy.generations == generations.generations and copy.tables == generations.tables
    assert copy.stream_for(table, 77, T, T) == generations.stream_for(table, 77, T, T)


# ---------------------------------------------------------------- rows that are over


def engine_with(kind=BIGINT, clustering=True) -> tuple[Engine, Table]:
    columns = [Column("p", INT, PARTITION_KEY, 0), Column("e", kind, REGULAR)]
    if clustering:
        columns.insert(1, Column("c", INT, CLUSTERING, 0))
    table = Table("ks", "t", uuid.uuid4(), {c.name: c for c in columns}, {}, ttl_column="e")
    engine = assemble(clock=Clock(lambda: T * 1000)).engine
    keyspace = Keyspace("ks", VNODES.replication)

    def change(schema):
        schema.put(Keyspace("ks", keyspace.replication, tables={"t": table}))

    engine.change_schema(change)
    return engine, table


def put(engine: Engine, table: Table, p: int, end: int) -> None:
    key = (number(1),) if table.clustering else ()
    mutation = Mutation(table, (number(p),))
    mutation.rows[key] = Row(key, (1, 0, 0), None, {"e": (1, table.columns["e"].type.encode(end), 0, 0)})
    engine.merge(mutation, NOW)


@pytest.mark.parametrize("clustering", [True, False])
def test_scan_deletes_what_is_over(clustering):
    engine, table = engine_with(clustering=clustering)
    for p, end in ((1, NOW - 1), (2, NOW), (3, NOW + 1), (4, NOW - expiry.TOO_OLD - 1)):
        put(engine, table, p, end)
    scan = expiry.Expiry(engine)
    assert scan.scan(table) == 2
    assert scan.scan(table) == 0
    alive = [p for p in (1, 2, 3, 4) if (r := engine.store(table).partition((number(p),))) and _rows(r, NOW)]
    assert alive == [3, 4]


def _rows(partition, now):
    from embedded_scylla.storage.rows import row_is_live

    return [row for row in partition.scan() if row_is_live(row, now)]


def test_nothing_is_due_without_such_a_table():
    assert expiry.Expiry(assemble().engine).seconds_until_due() is None


def test_scans_keep_their_distance():
    engine, _ = engine_with()
    scan = expiry.Expiry(engine)
    assert scan.seconds_until_due() <= 0
    scan.run_due()
    assert 0 < scan.seconds_until_due() <= expiry.PERIOD


def test_a_dropped_table_is_not_scanned():
    engine, _ = engine_with()
    scan = expiry.Expiry(engine)
    scan.run_due()
    engine.change_schema(lambda schema: schema.remove_table("ks", "t"))
    assert scan.seconds_until_due() is None
