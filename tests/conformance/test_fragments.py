"""SELECT … FROM MUTATION_FRAGMENTS(table): what is stored, piece by piece."""

from __future__ import annotations

import json

import pytest
from cassandra import InvalidRequest

pytestmark = pytest.mark.differs("cassandra", "it has no such statement")


@pytest.fixture
def table(create):
    return create("(p int, c int, s text static, a int, b text, PRIMARY KEY (p, c))")


@pytest.fixture
def fragments(run, table):
    """The fragments of partition 1 that are in memory, as (region, c, weight, kind), metadata, value."""

    def ask(name=None):
        rows = run(
            f"SELECT partition_region, c, position_weight, mutation_fragment_kind, metadata, value "
            f"FROM MUTATION_FRAGMENTS({name or table}) "
            "WHERE p = 1 AND mutation_source >= 'memtable' AND mutation_source < 'memtable;'"
        )
        return [
            (tuple(place), metadata and json.loads(metadata), value and json.loads(value))
            for *place, metadata, value in rows
        ]

    return ask


START, END = (0, None, None, "partition start"), (3, None, None, "partition end")


def test_the_columns(table, session):
    answer = session.execute(f"SELECT * FROM MUTATION_FRAGMENTS({table}) WHERE p = 1")
    place = ["mutation_source", "partition_region", "c", "position_weight"]
    assert answer.column_names == ["p", *place, "metadata", "mutation_fragment_kind", "value"]
    assert list(answer) == []


def test_an_insert_leaves_a_marker_and_an_update_none(run, table, fragments):
    run(f"INSERT INTO {table} (p, c, a) VALUES (1, 1, 7) USING TIMESTAMP 10")
    run(f"UPDATE {table} USING TIMESTAMP 20 SET b = 'x' WHERE p = 1 AND c = 2")
    assert fragments() == [
        (START, {"tombstone": {}}, None),
        (
            (2, 1, 0, "clustering row"),
            {"marker": {"timestamp": 10}, "columns": {"a": {"is_live": True, "type": "regular", "timestamp": 10}}},
            {"a": "7"},
        ),
        (
            (2, 2, 0, "clustering row"),
            {"columns": {"b": {"is_live": True, "type": "regular", "timestamp": 20}}},
            {"b": "x"},
        ),
        (END, None, None),
    ]


def test_what_ends_has_its_ttl_and_its_end(run, table, fragments):
    run(f"INSERT INTO {table} (p, c, a) VALUES (1, 1, 7) USING TTL 900")
    _, (_, row, _), _ = fragments()
    assert row["marker"]["ttl"] == row["columns"]["a"]["ttl"] == "900s"
    assert row["marker"]["expiry"] == row["columns"]["a"]["expiry"]
    assert row["marker"]["expiry"].endswith("z")


def test_a_null_is_a_dead_cell(run, table, fragments):
    run(f"UPDATE {table} USING TIMESTAMP 10 SET a = null WHERE p = 1 AND c = 1")
    _, (_, row, value), _ = fragments()
    cell = row["columns"]["a"]
    assert (cell["is_live"], cell["timestamp"]) == (False, 10)
    assert "deletion_time" in cell and "ttl" not in cell
    assert value == {"a": None}


def test_a_row_tombstone(run, table, fragments):
    run(f"DELETE FROM {table} USING TIMESTAMP 10 WHERE p = 1 AND c = 1")
    _, (place, row, value), _ = fragments()
    assert place == (2, 1, 0, "clustering row")
    assert row["tombstone"]["timestamp"] == row["shadowable_tombstone"]["timestamp"] == 10
    assert (row["columns"], value) == ({}, {})


def test_a_partition_tombstone_and_a_static_row(run, table, fragments):
    run(f"DELETE FROM {table} USING TIMESTAMP 10 WHERE p = 1")
    run(f"UPDATE {table} USING TIMESTAMP 20 SET s = 'for all' WHERE p = 1")
    start, static, end = fragments()
    assert start[1]["tombstone"]["timestamp"] == 10
    cell = {"is_live": True, "type": "regular", "timestamp": 20}
    assert static == ((1, None, None, "static row"), {"s": cell}, {"s": "for all"})
    assert end == (END, None, None)


def test_a_range_tombstone_begins_and_ends(run, table, fragments):
    run(f"DELETE FROM {table} USING TIMESTAMP 10 WHERE p = 1 AND c > 0 AND c < 2")
    run(f"DELETE FROM {table} USING TIMESTAMP 20 WHERE p = 1 AND c >= 2 AND c <= 3")
    for c in 0, 1, 2, 4:
        run(f"INSERT INTO {table} (p, c) VALUES (1, {c}) USING TIMESTAMP 30")
    found = [(place, metadata.get("tombstone", {}).get("timestamp")) for place, metadata, _ in fragments()[1:-1]]
    row, change = "clustering row", "range tombstone change"
    assert found == [
        ((2, 0, 0, row), None),
        ((2, 0, 1, change), 10),
        ((2, 1, 0, row), None),
        ((2, 2, -1, change), 20),
        ((2, 2, 0, row), None),
        ((2, 3, 1, change), None),
        ((2, 4, 0, row), None),
    ]


def test_a_range_at_a_prefix_of_the_key_lies_around_its_rows(run, create):
    table = create("(p int, c int, d int, PRIMARY KEY (p, c, d))", "WITH CLUSTERING ORDER BY (c DESC, d ASC)")
    run(f"DELETE FROM {table} USING TIMESTAMP 10 WHERE p = 1 AND c = 5")
    for c, d in (6, 1), (5, 1), (5, 2), (4, 1):
        run(f"INSERT INTO {table} (p, c, d) VALUES (1, {c}, {d}) USING TIMESTAMP 20")
    query = f"SELECT c, d, position_weight FROM MUTATION_FRAGMENTS({table}) WHERE p = 1"
    assert [row for row in run(query) if row[0] is not None] == [
        (6, 1, 0), (5, None, -1), (5, 1, 0), (5, 2, 0), (5, None, 1), (4, 1, 0),
    ]  # fmt: skip


def test_a_range_without_an_end_reaches_the_partitions_end(run, table, fragments):
    run(f"DELETE FROM {table} USING TIMESTAMP 10 WHERE p = 1 AND c > 3")
    run(f"INSERT INTO {table} (p, c) VALUES (1, 9) USING TIMESTAMP 20")
    assert [place for place, _, _ in fragments()[1:-1]] == [
        (2, 3, 1, "range tombstone change"),
        (2, 9, 0, "clustering row"),
        (2, None, None, "range tombstone change"),
    ]


def test_collections_show_their_cells(run, create, fragments):
    table = create("(p int, c int, m map<text, int>, f frozen<list<int>>, PRIMARY KEY (p, c))")
    run(f"UPDATE {table} USING TIMESTAMP 10 SET m = {{'x': 1}}, f = [1, 2] WHERE p = 1 AND c = 1")
    run(f"DELETE m['y'] FROM {table} USING TIMESTAMP 20 WHERE p = 1 AND c = 1")
    (_, row, value) = fragments(table)[1]
    assert row["columns"]["f"] == {"is_live": True, "type": "frozen-collection", "timestamp": 10}
    m = row["columns"]["m"]
    assert m["tombstone"]["timestamp"] == 9
    assert [(cell["key"], cell["value"]["is_live"]) for cell in m["cells"]] == [("x", True), ("y", False)]
    assert value["m"][0] == {"key": "x", "value": "1"}


def test_values_are_printed_as_of_an_sstable(run, create, fragments):
    table = create(
        "(p int, c int, l frozen<list<int>>, s frozen<set<text>>, m frozen<map<text, int>>, "
        "t tuple<int, text, text>, d duration, v vector<float, 2>, b blob, at timestamp, PRIMARY KEY (p, c))"
    )
    run(
        f"INSERT INTO {table} (p, c, l, s, m, t, d, v, b, at) VALUES (1, 1, [1, 2], {{'b', 'a'}}, {{'x': 1, 'y': 2}}, "
        "(1, 'a:b@c', null), 1mo2d3s, [1, 2.5], 0x0f, '2026-07-01 20:00:00.000Z')"
    )
    (_, row, value) = fragments(table)[1]
    assert value == {
        "at": "2026-07-01T20:00:00.000Z",
        "b": "0f",
        "d": "1mo2d3s",
        "l": "1, 2",
        "m": "({x : 1}, {y : 2})",
        "s": "a; b",
        "t": r"1:a\:b\@c:@",
        "v": "1, 2.5",
    }
    frozen = {name for name, cell in row["columns"].items() if cell["type"] == "frozen-collection"}
    assert frozen == {"l", "m", "s"}


def test_a_counter_shows_its_shards(run, create, fragments):
    table = create("(p int, c int, n counter, m counter, PRIMARY KEY (p, c))")
    for step in 3, 4:
        run(f"UPDATE {table} SET n = n + {step}, m = m - 1 WHERE p = 1 AND c = 1")
    run(f"DELETE m FROM {table} WHERE p = 1 AND c = 1")
    ((host,),) = run("SELECT host_id FROM system.local")
    (_, row, value) = fragments(table)[1]
    live, dead = row["columns"]["n"], row["columns"]["m"]
    assert live == {"is_live": True, "type": "counter-shards", "timestamp": live["timestamp"]}
    assert dead == {"is_live": False, "type": "counter-shards", "timestamp": dead["timestamp"]}
    (shard,) = value["n"]
    assert (shard["id"], shard["value"]) == (str(host), 7)
    assert value["m"] is None
    run(f"UPDATE {table} SET n = n + 1 WHERE p = 1 AND c = 1")
    (later,) = fragments(table)[1][2]["n"]
    assert later["clock"] > shard["clock"], "it rises with each change"


def test_a_table_without_clustering_columns(run, create):
    table = create("(p int PRIMARY KEY, a int)")
    run(f"INSERT INTO {table} (p, a) VALUES (1, 1)")
    rows = run(f"SELECT partition_region, position_weight FROM MUTATION_FRAGMENTS({table}) WHERE p = 1")
    assert rows == [(0, None), (2, None), (3, None)]


def test_it_is_selected_from_as_from_any_table(run, table):
    for p in 1, 2, 3:
        run(f"INSERT INTO {table} (p, c) VALUES ({p}, 1)")
    run(f"DELETE FROM {table} WHERE p = 3")
    count = f"SELECT count(*) FROM MUTATION_FRAGMENTS({table})"
    assert run(count) == [(8,)], "a partition that is only a tombstone is there, too"
    assert run(f"{count} WHERE p = 1 AND mutation_fragment_kind = 'clustering row' ALLOW FILTERING") == [(1,)]
    where = "WHERE p = 1 AND mutation_source = 'memtable:0' AND partition_region = 2 AND c = 1"
    assert run(f"SELECT c FROM MUTATION_FRAGMENTS({table}) {where}") == [(1,)]
    with pytest.raises(InvalidRequest, match='preceding column "partition_region" is not restricted'):
        run(f"SELECT * FROM MUTATION_FRAGMENTS({table}) WHERE p = 1 AND mutation_source = 'memtable:0' AND c = 1")


def test_a_log_can_be_looked_into(run, create):
    table = create("(p int, c int, a int, PRIMARY KEY (p, c))", "WITH cdc = {'enabled': true}")
    run(f"INSERT INTO {table} (p, c, a) VALUES (1, 1, 1)")
    rows = run(f"SELECT mutation_fragment_kind, metadata FROM MUTATION_FRAGMENTS({table}_scylla_cdc_log)")
    (row,) = [json.loads(metadata) for kind, metadata in rows if kind == "clustering row"]
    assert "marker" not in row, "the log has cells only"
    assert row["columns"]["a"]["ttl"] == "86400s"


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_pages_have_all_of_it_once(run, table, session, size):
    run(f"DELETE FROM {table} USING TIMESTAMP 10 WHERE p = 1 AND c > 2")
    run(f"DELETE FROM {table} USING TIMESTAMP 10 WHERE p = 1 AND c < 1")
    for c in range(5):
        run(f"INSERT INTO {table} (p, c) VALUES (1, {c})")
    query = f"SELECT partition_region, c, position_weight FROM MUTATION_FRAGMENTS({table}) WHERE p = 1"
    whole = run(query)
    statement = session.prepare(query)
    statement.fetch_size = size
    assert list(session.execute(statement)) == whole
    assert len(whole) == 2 + 5 + 4


def test_it_has_no_other_order(run, table):
    query = f"SELECT * FROM MUTATION_FRAGMENTS({table})"
    with pytest.raises(InvalidRequest, match=r"ORDER BY is not supported in SELECT FROM MUTATION_FRAGMENTS\(\)"):
        run(f"{query} WHERE p = 1 ORDER BY mutation_source DESC")
    with pytest.raises(InvalidRequest, match="ORDER BY is only supported when the partition key is restricted"):
        run(f"{query} ORDER BY mutation_source DESC")


def test_what_is_not_there_is_said(run, table):
    with pytest.raises(InvalidRequest, match=r"unconfigured table \w+_no"):
        run(f"SELECT * FROM MUTATION_FRAGMENTS({table}_no)")
    with pytest.raises(InvalidRequest, match="Unrecognized name a"):
        run(f"SELECT a FROM MUTATION_FRAGMENTS({table}) WHERE p = 1")
