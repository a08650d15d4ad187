"""The CDC log: what each kind of write leaves in it. (Cassandra has a change log too, but no log table.)

``changes(table)`` gives the log of one partition as a list of dicts without their nulls: the operation, the sequence
number and the TTL under short names, ``cdc$deleted_v`` as ``-v``, ``cdc$deleted_elements_v`` as ``-v[]``.
"""

import pytest
from cassandra.query import UNSET_VALUE, BatchStatement, SimpleStatement

from .conftest import eventually

pytestmark = pytest.mark.differs("cassandra", "its change log is a file, not a table")

PREIMAGE, UPDATE, INSERT, ROW_DELETE, PARTITION_DELETE = 0, 1, 2, 3, 4
FROM, FROM_AFTER, TO, TO_BEFORE, POSTIMAGE = 5, 6, 7, 8, 9

ROWS = "(p int, c int, v int, w int, PRIMARY KEY (p, c))"


@pytest.fixture
def logged(create):
    """``logged(columns, preimage="full", …)`` makes a table with CDC and these options."""

    def make(columns=ROWS, **options):
        texts = {"enabled": True, **options}
        return create(columns, f"WITH cdc = {texts!r}".replace("True", "true").replace("False", "false"))

    return make


def _short(name):
    names = {"cdc$operation": "op", "cdc$batch_seq_no": "seq", "cdc$ttl": "ttl", "cdc$end_of_batch": "end"}
    if name in names:
        return names[name]
    if name.startswith("cdc$deleted_elements_"):
        return "-" + name.removeprefix("cdc$deleted_elements_") + "[]"
    return "-" + name.removeprefix("cdc$deleted_") if name.startswith("cdc$deleted_") else name


@pytest.fixture
def entries(session):
    """All columns of the log, raw names, in stream and time order."""

    def read(table):
        answer = session.execute(f"SELECT * FROM {table}_scylla_cdc_log")
        return [dict(zip(answer.column_names, row, strict=True)) for row in answer]

    return read


@pytest.fixture
def changes(entries):
    def read(table, *shown):
        found = []
        for entry in entries(table):
            short = {_short(name): value for name, value in entry.items() if value is not None}
            for hidden in ("cdc$stream_id", "cdc$time", "end"):
                short.pop(hidden, None)
            found.append({name: short[name] for name in shown if name in short} if shown else short)
        return found

    return read


# ---------------------------------------------------------------- single statements


def test_insert(logged, run, changes):
    table = logged()
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    assert changes(table) == [{"op": INSERT, "seq": 0, "p": 1, "c": 2, "v": 3}]


def test_insert_of_a_key_alone(logged, run, changes):
    table = logged()
    run(f"INSERT INTO {table} (p, c) VALUES (1, 2)")
    assert changes(table) == [{"op": INSERT, "seq": 0, "p": 1, "c": 2}]


def test_insert_of_a_null_says_that_the_column_is_deleted(logged, run, changes):
    table = logged()
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, null)")
    assert changes(table) == [{"op": INSERT, "seq": 0, "p": 1, "c": 2, "-v": True}]


def test_update_is_an_update_even_of_nothing(logged, run, changes):
    """CDC writes down what was asked for; it does not look whether the row was there."""
    table = logged()
    run(f"UPDATE {table} SET v = 3 WHERE p = 1 AND c = 2")
    assert changes(table) == [{"op": UPDATE, "seq": 0, "p": 1, "c": 2, "v": 3}]


def test_setting_null_and_deleting_a_column_are_the_same(logged, run, changes):
    table = logged()
    run(f"UPDATE {table} SET v = null WHERE p = 1 AND c = 2")
    run(f"DELETE v FROM {table} WHERE p = 1 AND c = 2")
    assert changes(table) == [{"op": UPDATE, "seq": 0, "p": 1, "c": 2, "-v": True}] * 2


def test_row_delete(logged, run, changes):
    table = logged()
    run(f"DELETE FROM {table} WHERE p = 1 AND c = 2")
    assert changes(table) == [{"op": ROW_DELETE, "seq": 0, "p": 1, "c": 2}]


def test_partition_delete(logged, run, changes):
    table = logged()
    run(f"DELETE FROM {table} WHERE p = 1")
    assert changes(table) == [{"op": PARTITION_DELETE, "seq": 0, "p": 1}]


def test_delete_without_clustering_key_is_of_the_partition(logged, run, changes):
    table = logged("(p int PRIMARY KEY, v int)")
    run(f"INSERT INTO {table} (p, v) VALUES (1, 1)")
    run(f"DELETE FROM {table} WHERE p = 1")
    assert [change["op"] for change in changes(table)] == [INSERT, PARTITION_DELETE]


@pytest.mark.parametrize(
    "where, start, end",
    [
        ("c > 1 AND c < 5", (FROM_AFTER, 1), (TO_BEFORE, 5)),
        ("c >= 1 AND c <= 5", (FROM, 1), (TO, 5)),
        ("c > 1", (FROM_AFTER, 1), (TO, None)),
        ("c <= 5", (FROM, None), (TO, 5)),
        ("c < 5", (FROM, None), (TO_BEFORE, 5)),
    ],
)
def test_range_delete_is_two_entries(logged, run, changes, where, start, end):
    """Its open side is inclusive, with no key."""
    table = logged()
    run(f"DELETE FROM {table} WHERE p = 1 AND {where}")
    assert [(change["op"], change.get("c")) for change in changes(table)] == [start, end]


def test_prefix_delete_is_a_range(logged, run, changes):
    table = logged("(p int, c int, d int, v int, PRIMARY KEY (p, c, d))")
    run(f"DELETE FROM {table} WHERE p = 1 AND c = 2")
    assert changes(table) == [
        {"op": FROM, "seq": 0, "p": 1, "c": 2},
        {"op": TO, "seq": 1, "p": 1, "c": 2},
    ]


def test_multi_column_range(logged, run, changes):
    table = logged("(p int, c int, d int, v int, PRIMARY KEY (p, c, d))")
    run(f"DELETE FROM {table} WHERE p = 1 AND (c, d) > (1, 2) AND (c) <= (3)")
    assert changes(table) == [
        {"op": FROM_AFTER, "seq": 0, "p": 1, "c": 1, "d": 2},
        {"op": TO, "seq": 1, "p": 1, "c": 3},
    ]


def test_no_op_writes_are_logged(logged, run, changes):
    table = logged()
    for _ in range(2):
        run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    assert [change["op"] for change in changes(table)] == [INSERT, INSERT]


def test_unset_leaves_the_column_out(logged, session, changes):
    table = logged()
    prepared = session.prepare(f"INSERT INTO {table} (p, c, v, w) VALUES (?, ?, ?, ?)")
    session.execute(prepared, (1, 2, UNSET_VALUE, None))
    assert changes(table) == [{"op": INSERT, "seq": 0, "p": 1, "c": 2, "-w": True}]


def test_rows_named_by_in_share_one_time(logged, run, entries, changes):
    table = logged()
    run(f"UPDATE {table} SET v = 1 WHERE p = 1 AND c IN (1, 2, 3)")
    assert [(change["seq"], change["c"]) for change in changes(table)] == [(0, 1), (1, 2), (2, 3)]
    assert len({entry["cdc$time"] for entry in entries(table)}) == 1


def test_end_of_batch_is_said_once(logged, run, entries):
    table = logged()
    run(f"UPDATE {table} SET v = 1 WHERE p = 1 AND c IN (1, 2, 3)")
    assert [entry["cdc$end_of_batch"] for entry in entries(table)] == [None, None, True]


def test_truncate_leaves_no_trace_and_leaves_the_log(logged, run, changes):
    table = logged()
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    run(f"TRUNCATE {table}")
    assert run(f"SELECT * FROM {table}") == []
    assert [change["op"] for change in changes(table)] == [INSERT]


def test_truncating_the_log_leaves_the_table(logged, run, changes):
    table = logged()
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    run(f"TRUNCATE {table}_scylla_cdc_log")
    assert changes(table) == []
    assert len(run(f"SELECT * FROM {table}")) == 1


# ---------------------------------------------------------------- static columns

STATIC = "(p int, c int, s int static, v int, PRIMARY KEY (p, c))"


def test_static_write_has_no_clustering_key(logged, run, changes):
    table = logged(STATIC)
    run(f"UPDATE {table} SET s = 5 WHERE p = 1")
    run(f"INSERT INTO {table} (p, s) VALUES (1, 6)")
    assert changes(table) == [{"op": UPDATE, "seq": 0, "p": 1, "s": 5}, {"op": UPDATE, "seq": 0, "p": 1, "s": 6}]


def test_static_part_comes_before_the_row(logged, run, changes):
    table = logged(STATIC)
    run(f"INSERT INTO {table} (p, c, s, v) VALUES (1, 2, 5, 6)")
    assert changes(table) == [
        {"op": UPDATE, "seq": 0, "p": 1, "s": 5},
        {"op": INSERT, "seq": 1, "p": 1, "c": 2, "v": 6},
    ]


def test_static_preimages(logged, run, changes):
    """The first write finds nothing, so it has no preimage; the second has one for the static row and one for the
    row."""
    table = logged(STATIC, preimage=True)
    run(f"UPDATE {table} SET s = 2, v = 2 WHERE p = 0 AND c = 0")
    run(f"UPDATE {table} SET s = 3, v = 3 WHERE p = 0 AND c = 0")
    assert changes(table, "op", "seq", "c", "s", "v") == [
        {"op": UPDATE, "seq": 0, "s": 2},
        {"op": UPDATE, "seq": 1, "c": 0, "v": 2},
        {"op": PREIMAGE, "seq": 0, "s": 2},
        {"op": PREIMAGE, "seq": 1, "c": 0, "v": 2},
        {"op": UPDATE, "seq": 2, "s": 3},
        {"op": UPDATE, "seq": 3, "c": 0, "v": 3},
    ]


# ---------------------------------------------------------------- TTL


def test_ttl_of_a_write(logged, run, changes):
    table = logged()
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3) USING TTL 100")
    run(f"UPDATE {table} USING TTL 50 SET v = 4 WHERE p = 1 AND c = 2")
    assert changes(table, "op", "ttl", "v") == [
        {"op": INSERT, "ttl": 100, "v": 3},
        {"op": UPDATE, "ttl": 50, "v": 4},
    ]


def test_ttl_zero_is_no_ttl(logged, run, changes):
    table = logged()
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3) USING TTL 0")
    assert changes(table) == [{"op": INSERT, "seq": 0, "p": 1, "c": 2, "v": 3}]


def test_default_ttl_of_the_table_shows(create, run, changes):
    """``cdc$ttl`` is the TTL that the cells got, whoever chose it."""
    table = create(ROWS, "WITH cdc = {'enabled': true} AND default_time_to_live = 77")
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    assert changes(table, "op", "ttl") == [{"op": INSERT, "ttl": 77}]


def test_null_beside_a_ttl_makes_two_entries(logged, run, entries, changes):
    """A deletion has no TTL, and an entry has one TTL only."""
    table = logged()
    run(f"UPDATE {table} USING TTL 5 SET v = 0, w = null WHERE p = 1 AND c = 2")
    assert changes(table) == [
        {"op": UPDATE, "seq": 0, "p": 1, "c": 2, "-w": True},
        {"op": UPDATE, "seq": 1, "p": 1, "c": 2, "v": 0, "ttl": 5},
    ]
    assert len({entry["cdc$time"] for entry in entries(table)}) == 1


def test_insert_of_a_null_with_ttl(logged, run, changes):
    table = logged()
    run(f"INSERT INTO {table} (p, c, v, w) VALUES (1, 2, 0, null) USING TTL 5")
    assert changes(table) == [
        {"op": INSERT, "seq": 0, "p": 1, "c": 2, "v": 0, "ttl": 5},
        {"op": UPDATE, "seq": 1, "p": 1, "c": 2, "-w": True},
    ]


@pytest.mark.embedded
def test_expiry_is_silent(logged, run, changes, engine):
    """When a cell's time is over nobody writes, so nothing is logged: the reader has to count himself."""
    table = logged()
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3) USING TTL 5")
    engine.control("push_clock", seconds=6)
    assert run(f"SELECT * FROM {table}") == []
    assert [change["op"] for change in changes(table)] == [INSERT]


@pytest.mark.embedded
def test_the_log_itself_expires(logged, run, changes, engine, left):
    """After the ``ttl`` of the cdc option an entry is gone, whatever became of the row."""
    table = logged(ttl=1000)
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    assert run(f'SELECT TTL("cdc$operation") FROM {table}_scylla_cdc_log')[0][0] in left(1000)
    engine.control("push_clock", seconds=1001)
    assert changes(table) == []
    assert len(run(f"SELECT * FROM {table}")) == 1


def test_a_log_without_ttl_stays(logged, run):
    table = logged(ttl=0)
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    assert run(f'SELECT TTL("cdc$operation") FROM {table}_scylla_cdc_log') == [(None,)]


def test_entries_have_the_write_timestamp_and_no_marker(logged, run):
    """Entries are cells only, stamped as the write was."""
    table = logged()
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    (of_base,) = run(f"SELECT WRITETIME(v) FROM {table}")
    (of_log,) = run(f"SELECT WRITETIME(v) FROM {table}_scylla_cdc_log")
    assert of_base == of_log


def test_time_is_the_write_timestamp(logged, run, entries):
    table = logged()
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    ((written,),) = run(f"SELECT WRITETIME(v) FROM {table}")
    (entry,) = entries(table)
    assert (entry["cdc$time"].time - 0x01B21DD213814000) // 10 == written
    assert entry["cdc$time"].version == 1


# ---------------------------------------------------------------- collections


def test_map(logged, run, changes):
    table = logged("(p int PRIMARY KEY, m map<int, text>)")
    run(f"INSERT INTO {table} (p, m) VALUES (1, {{1: 'a', 2: 'b'}})")
    run(f"UPDATE {table} SET m = m + {{3: 'c'}} WHERE p = 1")
    run(f"UPDATE {table} SET m[4] = 'd' WHERE p = 1")
    run(f"UPDATE {table} SET m = m - {{1, 2}} WHERE p = 1")
    run(f"DELETE m[3] FROM {table} WHERE p = 1")
    run(f"UPDATE {table} SET m = {{5: 'e'}} WHERE p = 1")
    run(f"UPDATE {table} SET m = null WHERE p = 1")
    run(f"UPDATE {table} SET m = {{}} WHERE p = 1")
    plain = [{**change, **({"m": dict(change["m"])} if "m" in change else {}),
              **({"-m[]": set(change["-m[]"])} if "-m[]" in change else {})} for change in changes(table)]  # fmt: skip
    assert plain == [
        {"op": INSERT, "seq": 0, "p": 1, "m": {1: "a", 2: "b"}, "-m": True},
        {"op": UPDATE, "seq": 0, "p": 1, "m": {3: "c"}},
        {"op": UPDATE, "seq": 0, "p": 1, "m": {4: "d"}},
        {"op": UPDATE, "seq": 0, "p": 1, "-m[]": {1, 2}},
        {"op": UPDATE, "seq": 0, "p": 1, "-m[]": {3}},
        {"op": UPDATE, "seq": 0, "p": 1, "m": {5: "e"}, "-m": True},
        {"op": UPDATE, "seq": 0, "p": 1, "-m": True},
        {"op": UPDATE, "seq": 0, "p": 1, "-m": True},
    ]


def test_set(logged, run, changes):
    table = logged("(p int PRIMARY KEY, s set<text>)")
    run(f"UPDATE {table} SET s = s + {{'b', 'a'}} WHERE p = 1")
    run(f"UPDATE {table} SET s = s - {{'a'}} WHERE p = 1")
    run(f"DELETE s['b'] FROM {table} WHERE p = 1")
    run(f"UPDATE {table} SET s = {{'x'}} WHERE p = 1")
    found = changes(table, "s", "-s", "-s[]")
    assert [{name: value if value is True else set(value) for name, value in change.items()} for change in found] == [
        {"s": {"a", "b"}},
        {"-s[]": {"a"}},
        {"-s[]": {"b"}},
        {"s": {"x"}, "-s": True},
    ]


def test_list_is_logged_by_the_keys_of_its_elements(logged, run, changes):
    """A list's elements have timeuuids as keys: in the log a list is a map from them."""
    table = logged("(p int PRIMARY KEY, l list<int>)")
    run(f"INSERT INTO {table} (p, l) VALUES (1, [10, 20])")
    run(f"UPDATE {table} SET l = l + [30] WHERE p = 1")
    run(f"UPDATE {table} SET l = [5] + l WHERE p = 1")
    run(f"UPDATE {table} SET l[1] = 11 WHERE p = 1")
    run(f"DELETE l[0] FROM {table} WHERE p = 1")
    run(f"UPDATE {table} SET l = l - [30] WHERE p = 1")
    assert run(f"SELECT l FROM {table}") == [([11, 20],)]
    found = changes(table, "op", "l", "-l", "-l[]")
    inserted, appended, prepended, replaced, deleted, discarded = found
    first, second = inserted["l"]
    assert inserted["-l"] is True and list(inserted["l"].values()) == [10, 20]
    assert list(appended["l"].values()) == [30] and "-l" not in appended
    assert list(prepended["l"].values()) == [5]
    assert dict(replaced["l"]) == {first: 11}
    assert set(deleted["-l[]"]) == set(prepended["l"])
    assert set(discarded["-l[]"]) == set(appended["l"])
    assert second.version == 1


def test_frozen_collections_are_plain_values(logged, run, changes):
    table = logged("(p int PRIMARY KEY, l frozen<list<int>>, t tuple<int, text>)")
    run(f"INSERT INTO {table} (p, l, t) VALUES (1, [1, 2], (3, 'x'))")
    run(f"UPDATE {table} SET l = null WHERE p = 1")
    assert changes(table) == [
        {"op": INSERT, "seq": 0, "p": 1, "l": [1, 2], "t": (3, "x")},
        {"op": UPDATE, "seq": 0, "p": 1, "-l": True},
    ]


def test_overwriting_a_collection_with_ttl(logged, run, changes):
    """The tombstone has no TTL, so what is one SET becomes two entries."""
    table = logged("(p int PRIMARY KEY, m map<int, int>)")
    run(f"UPDATE {table} USING TTL 5 SET m = {{0: 0}} WHERE p = 1")
    found = [{**change, **({"m": dict(change["m"])} if "m" in change else {})} for change in changes(table)]
    assert found == [
        {"op": UPDATE, "seq": 0, "p": 1, "-m": True},
        {"op": UPDATE, "seq": 1, "p": 1, "m": {0: 0}, "ttl": 5},
    ]


def test_inserting_a_collection_with_ttl(logged, run, changes):
    """And what is one INSERT becomes three: the marker, the tombstone, the elements."""
    table = logged("(p int PRIMARY KEY, v int, m map<int, int>)")
    run(f"INSERT INTO {table} (p, v, m) VALUES (1, 7, {{0: 0}}) USING TTL 5")
    found = [{**change, **({"m": dict(change["m"])} if "m" in change else {})} for change in changes(table)]
    assert found == [
        {"op": INSERT, "seq": 0, "p": 1, "v": 7, "ttl": 5},
        {"op": UPDATE, "seq": 1, "p": 1, "-m": True},
        {"op": UPDATE, "seq": 2, "p": 1, "m": {0: 0}, "ttl": 5},
    ]


def test_adding_and_removing_in_one_statement(logged, run, changes):
    table = logged("(p int PRIMARY KEY, m map<int, int>, n map<int, int>)")
    run(f"UPDATE {table} SET m[1] = 1, m[2] = null, n = n - {{3}} WHERE p = 1")
    (change,) = changes(table)
    assert dict(change["m"]) == {1: 1} and set(change["-m[]"]) == {2} and set(change["-n[]"]) == {3}


# ---------------------------------------------------------------- batches


def test_statements_about_one_partition_are_one_change(logged, run, entries, changes):
    table = logged()
    run(
        f"BEGIN BATCH INSERT INTO {table} (p, c, v) VALUES (1, 1, 10); "
        f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 20); DELETE FROM {table} WHERE p = 1 AND c = 3; APPLY BATCH"
    )
    assert changes(table, "op", "seq", "c", "v") == [
        {"op": INSERT, "seq": 0, "c": 1, "v": 10},
        {"op": INSERT, "seq": 1, "c": 2, "v": 20},
        {"op": ROW_DELETE, "seq": 2, "c": 3},
    ]
    assert len({entry["cdc$time"] for entry in entries(table)}) == 1
    assert [entry["cdc$end_of_batch"] for entry in entries(table)] == [None, None, True]


def test_a_batch_over_partitions_is_a_change_for_each(logged, run, entries):
    """The same microsecond, as the batch has one timestamp; but not the same cdc$time."""
    table = logged()
    run(
        f"BEGIN BATCH INSERT INTO {table} (p, c, v) VALUES (1, 1, 10); "
        f"INSERT INTO {table} (p, c, v) VALUES (2, 1, 20); APPLY BATCH"
    )
    one, two = entries(table)
    assert one["cdc$time"] != two["cdc$time"]
    assert one["cdc$time"].time == two["cdc$time"].time
    assert one["cdc$end_of_batch"] is two["cdc$end_of_batch"] is True
    assert one["cdc$batch_seq_no"] == two["cdc$batch_seq_no"] == 0


def test_rows_alike_come_in_key_order(logged, run, changes):
    """INSERTs and UPDATEs with one TTL are told row by row."""
    table = logged()
    run(
        f"BEGIN BATCH INSERT INTO {table} (p, c, v) VALUES (1, 2, 20); "
        f"UPDATE {table} SET v = 10 WHERE p = 1 AND c = 1; APPLY BATCH"
    )
    assert changes(table, "op", "seq", "c") == [
        {"op": UPDATE, "seq": 0, "c": 1},
        {"op": INSERT, "seq": 1, "c": 2},
    ]


def test_rows_unlike_come_by_kind(logged, run, changes):
    """With different TTLs (or a deletion) in it the change is split: INSERTs first, then UPDATEs, then deletions."""
    table = logged()
    run(
        f"BEGIN BATCH DELETE FROM {table} WHERE p = 1 AND c = 0; INSERT INTO {table} (p, c, v) VALUES (1, 2, 20); "
        f"UPDATE {table} SET v = 10 WHERE p = 1 AND c = 1; APPLY BATCH"
    )
    assert changes(table, "op", "seq", "c") == [
        {"op": INSERT, "seq": 0, "c": 2},
        {"op": UPDATE, "seq": 1, "c": 1},
        {"op": ROW_DELETE, "seq": 2, "c": 0},
    ]


def test_two_writes_to_one_cell_are_settled_before_the_log(logged, run, changes):
    table = logged()
    run(
        f"BEGIN BATCH UPDATE {table} SET v = 7 WHERE p = 1 AND c = 1; UPDATE {table} SET v = 3 WHERE p = 1 AND c = 1; "
        f"APPLY BATCH"
    )
    assert changes(table) == [{"op": UPDATE, "seq": 0, "p": 1, "c": 1, "v": 7}]


def test_what_a_batch_deletes_itself_is_logged_all_the_same(logged, run, changes):
    table = logged()
    run(
        f"BEGIN BATCH INSERT INTO {table} (p, c, v) VALUES (1, 1, 100); DELETE FROM {table} WHERE p = 1 AND c = 1; "
        f"APPLY BATCH"
    )
    assert changes(table, "op", "seq", "c", "v") == [
        {"op": INSERT, "seq": 0, "c": 1, "v": 100},
        {"op": ROW_DELETE, "seq": 1, "c": 1},
    ]
    assert run(f"SELECT * FROM {table}") == []


@pytest.mark.parametrize(
    "deletion, expected",
    [
        ("c >= 1 AND c <= 2", [(INSERT, 1), (FROM, 1), (TO, 2)]),
        ("c >= 2 AND c <= 3", [(INSERT, 1), (FROM, 2), (TO, 3), (POSTIMAGE, 1)]),
        ("c > 1", [(INSERT, 1), (FROM_AFTER, 1), (TO, None), (POSTIMAGE, 1)]),
        ("c < 1", [(INSERT, 1), (FROM, None), (TO_BEFORE, 1), (POSTIMAGE, 1)]),
        (None, [(INSERT, 1), (PARTITION_DELETE, None)]),
    ],
)
def test_a_deleted_row_has_no_postimage(logged, run, changes, deletion, expected):
    table = logged(preimage=True, postimage=True)
    where = "p = 1" + (f" AND {deletion}" if deletion else "")
    run(f"BEGIN BATCH INSERT INTO {table} (p, c, v) VALUES (1, 1, 100); DELETE FROM {table} WHERE {where}; APPLY BATCH")
    assert [(change["op"], change.get("c")) for change in changes(table)] == expected
    assert [change["seq"] for change in changes(table)] == list(range(len(expected)))


def test_timestamps_of_a_batch_are_changes_of_their_own(logged, run, session, entries, engine):
    table = logged()
    run(f"INSERT INTO {table} (p, c, v) VALUES (9, 9, 9)")
    ((now,),) = run(f"SELECT WRITETIME(v) FROM {table} WHERE p = 9")
    run(
        f"BEGIN BATCH INSERT INTO {table} (p, c, v) VALUES (1, 1, 1) USING TIMESTAMP {now - 10}; "
        f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 2) USING TIMESTAMP {now - 20}; APPLY BATCH"
    )
    found = [entry for entry in entries(table) if entry["p"] == 1]
    assert [(entry["c"], entry["cdc$batch_seq_no"], entry["cdc$end_of_batch"]) for entry in found] == [
        (2, 0, True),
        (1, 0, True),
    ]


@pytest.fixture
def now(logged, run):
    """A timestamp (µs) that the log of this moment takes, and some before it."""
    table = logged()
    run(f"INSERT INTO {table} (p, c, v) VALUES (9, 9, 9)")
    ((micros,),) = run(f"SELECT WRITETIME(v) FROM {table} WHERE p = 9")
    return micros


def test_what_a_later_timestamp_of_a_batch_overwrites_is_not_logged(logged, run, changes, now):
    """The batch is one mutation for each partition: its cells are reconciled before the log sees them."""
    table = logged()
    run(
        f"BEGIN BATCH UPDATE {table} USING TIMESTAMP {now - 20} SET v = 1, w = 1 WHERE p = 1 AND c = 1; "
        f"UPDATE {table} USING TIMESTAMP {now - 10} SET v = 2 WHERE p = 1 AND c = 1; APPLY BATCH"
    )
    assert changes(table) == [
        {"op": UPDATE, "seq": 0, "p": 1, "c": 1, "w": 1},
        {"op": UPDATE, "seq": 0, "p": 1, "c": 1, "v": 2},
    ]
    run(
        f"BEGIN BATCH UPDATE {table} USING TIMESTAMP {now - 1} SET v = 4 WHERE p = 1 AND c = 2; "
        f"UPDATE {table} USING TIMESTAMP {now - 2} SET v = 3 WHERE p = 1 AND c = 2; APPLY BATCH"
    )
    assert changes(table)[2:] == [{"op": UPDATE, "seq": 0, "p": 1, "c": 2, "v": 4}]


def test_the_newer_of_two_inserts_of_a_batch_keeps_the_marker(logged, run, changes, now):
    table = logged()
    run(
        f"BEGIN BATCH INSERT INTO {table} (p, c, v) VALUES (1, 1, 1) USING TIMESTAMP {now - 20}; "
        f"INSERT INTO {table} (p, c, w) VALUES (1, 1, 2) USING TIMESTAMP {now - 10}; APPLY BATCH"
    )
    assert changes(table) == [
        {"op": UPDATE, "seq": 0, "p": 1, "c": 1, "v": 1},
        {"op": INSERT, "seq": 0, "p": 1, "c": 1, "w": 2},
    ]


def test_images_of_a_later_timestamp_see_what_the_earlier_one_of_the_batch_wrote(logged, run, changes, now):
    table = logged(preimage="full", postimage=True)
    run(f"INSERT INTO {table} (p, c, v, w) VALUES (1, 1, 0, 0) USING TIMESTAMP {now - 30}")
    before = len(changes(table))
    run(
        f"BEGIN BATCH UPDATE {table} USING TIMESTAMP {now - 10} SET w = 2 WHERE p = 1 AND c = 1; "
        f"UPDATE {table} USING TIMESTAMP {now - 20} SET v = 1 WHERE p = 1 AND c = 1; APPLY BATCH"
    )
    assert changes(table, "op", "seq", "v", "w")[before:] == [
        {"op": PREIMAGE, "seq": 0, "v": 0, "w": 0},
        {"op": UPDATE, "seq": 1, "v": 1},
        {"op": POSTIMAGE, "seq": 2, "v": 1, "w": 0},
        {"op": PREIMAGE, "seq": 0, "v": 1, "w": 0},
        {"op": UPDATE, "seq": 1, "w": 2},
        {"op": POSTIMAGE, "seq": 2, "v": 1, "w": 2},
    ]


def test_a_range_that_an_earlier_timestamp_of_a_batch_deletes_has_no_preimage_later(logged, run, changes, now):
    table = logged(preimage="full")
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 1, 0) USING TIMESTAMP {now - 30}")
    before = len(changes(table))
    run(
        f"BEGIN BATCH DELETE FROM {table} USING TIMESTAMP {now - 20} WHERE p = 1 AND c >= 1 AND c <= 2; "
        f"UPDATE {table} USING TIMESTAMP {now - 10} SET v = 1 WHERE p = 1 AND c = 1; APPLY BATCH"
    )
    assert changes(table, "op", "c", "v")[before:] == [
        {"op": FROM, "c": 1},
        {"op": TO, "c": 2},
        {"op": UPDATE, "c": 1, "v": 1},
    ]


def test_the_static_row_of_a_batch_is_read_whole_before_its_first_timestamp(logged, run, changes, now):
    table = logged("(p int, c int, s int static, t int static, v int, PRIMARY KEY (p, c))", preimage=True)
    run(f"UPDATE {table} USING TIMESTAMP {now - 30} SET s = 1, t = 1 WHERE p = 1")
    before = len(changes(table))
    run(
        f"BEGIN BATCH UPDATE {table} USING TIMESTAMP {now - 20} SET s = 2 WHERE p = 1; "
        f"UPDATE {table} USING TIMESTAMP {now - 10} SET t = 2 WHERE p = 1; APPLY BATCH"
    )
    assert changes(table, "op", "s", "t")[before:] == [
        {"op": PREIMAGE, "s": 1},
        {"op": UPDATE, "s": 2},
        {"op": PREIMAGE, "t": 1},
        {"op": UPDATE, "t": 2},
    ]


def test_batch_messages(logged, session, changes):
    table = logged()
    batch = BatchStatement()
    for c in (1, 2):
        batch.add(SimpleStatement(f"INSERT INTO {table} (p, c, v) VALUES (1, {c}, 0)"))
    session.execute(batch)
    assert [(change["op"], change["seq"]) for change in changes(table)] == [(INSERT, 0), (INSERT, 1)]


# ---------------------------------------------------------------- lightweight transactions


def test_transactions(logged, run, changes):
    """Applied ones are logged as the plain writes they are; the others leave nothing."""
    table = logged("(p int, c int, v int, PRIMARY KEY (p, c))", preimage=True)
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 1, 111) IF NOT EXISTS")
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 1, 222) IF NOT EXISTS")
    run(f"UPDATE {table} SET v = 333 WHERE p = 1 AND c = 1 IF EXISTS")
    run(f"UPDATE {table} SET v = 444 WHERE p = 8 AND c = 7 IF EXISTS")
    run(f"DELETE FROM {table} WHERE p = 1 AND c = 1 IF EXISTS")
    run(f"DELETE FROM {table} WHERE p = 1 AND c = 1 IF EXISTS")
    assert changes(table, "seq", "op", "v") == [
        {"seq": 0, "op": INSERT, "v": 111},
        {"seq": 0, "op": PREIMAGE, "v": 111},
        {"seq": 1, "op": UPDATE, "v": 333},
        {"seq": 0, "op": PREIMAGE, "v": 333},
        {"seq": 1, "op": ROW_DELETE},
    ]


# ---------------------------------------------------------------- preimages and postimages


def test_no_preimage_of_what_was_not_there(logged, run, changes):
    table = logged(preimage="full")
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    run(f"DELETE FROM {table} WHERE p = 1 AND c = 9")
    assert [change["op"] for change in changes(table)] == [INSERT, ROW_DELETE]


def test_preimage_true_shows_what_is_touched(logged, run, changes):
    """``cdc$deleted_x`` in a preimage: x was null."""
    table = logged(preimage=True)
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    run(f"UPDATE {table} SET v = 4 WHERE p = 1 AND c = 2")
    run(f"UPDATE {table} SET w = 5 WHERE p = 1 AND c = 2")
    assert changes(table)[1:] == [
        {"op": PREIMAGE, "seq": 0, "p": 1, "c": 2, "v": 3},
        {"op": UPDATE, "seq": 1, "p": 1, "c": 2, "v": 4},
        {"op": PREIMAGE, "seq": 0, "p": 1, "c": 2, "-w": True},
        {"op": UPDATE, "seq": 1, "p": 1, "c": 2, "w": 5},
    ]


def test_preimage_full_shows_the_row(logged, run, changes):
    table = logged(preimage="full")
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    run(f"UPDATE {table} SET v = 4 WHERE p = 1 AND c = 2")
    assert changes(table)[1] == {"op": PREIMAGE, "seq": 0, "p": 1, "c": 2, "v": 3, "-w": True}


@pytest.mark.parametrize("preimage", [True, "full"])
def test_preimage_of_a_deleted_row_is_whole(logged, run, changes, preimage):
    table = logged(preimage=preimage)
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    run(f"DELETE FROM {table} WHERE p = 1 AND c = 2")
    assert changes(table)[1:] == [
        {"op": PREIMAGE, "seq": 0, "p": 1, "c": 2, "v": 3, "-w": True},
        {"op": ROW_DELETE, "seq": 1, "p": 1, "c": 2},
    ]


def test_preimage_of_a_row_without_clustering_key(logged, run, changes):
    """Its DELETE is a partition's, and still has a preimage (ScyllaDB 2026.1)."""
    table = logged("(p int PRIMARY KEY, v int, w int)", preimage=True)
    run(f"INSERT INTO {table} (p, v) VALUES (1, 3)")
    run(f"DELETE FROM {table} WHERE p = 1")
    assert changes(table)[1:] == [
        {"op": PREIMAGE, "seq": 0, "p": 1, "v": 3, "-w": True},
        {"op": PARTITION_DELETE, "seq": 1, "p": 1},
    ]


@pytest.mark.parametrize("where", ["p = 1", "p = 1 AND c > 0"])
def test_no_images_for_ranges_and_partitions(logged, run, changes, where):
    table = logged(preimage="full", postimage=True)
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    run(f"DELETE FROM {table} WHERE {where}")
    assert not {PREIMAGE, POSTIMAGE} & {change["op"] for change in changes(table)[2:]}


def test_preimage_of_a_row_of_its_key_alone(logged, run, changes):
    table = logged(preimage=True)
    run(f"INSERT INTO {table} (p, c) VALUES (1, 2)")
    run(f"INSERT INTO {table} (p, c) VALUES (1, 2)")
    assert changes(table)[1:] == [
        {"op": PREIMAGE, "seq": 0, "p": 1, "c": 2},
        {"op": INSERT, "seq": 1, "p": 1, "c": 2},
    ]


def test_postimage_is_the_row_after_the_write(logged, run, changes):
    table = logged(postimage=True)
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    run(f"UPDATE {table} SET w = 4 WHERE p = 1 AND c = 2")
    run(f"UPDATE {table} SET v = null WHERE p = 1 AND c = 2")
    assert [change for change in changes(table) if change["op"] == POSTIMAGE] == [
        {"op": POSTIMAGE, "seq": 1, "p": 1, "c": 2, "v": 3},
        {"op": POSTIMAGE, "seq": 1, "p": 1, "c": 2, "v": 3, "w": 4},
        {"op": POSTIMAGE, "seq": 1, "p": 1, "c": 2, "w": 4},
    ]


def test_postimage_of_an_insert_with_ttl_and_nulls(logged, run, changes):
    """The entries of one change add up."""
    table = logged(postimage=True)
    run(f"INSERT INTO {table} (p, c, v, w) VALUES (1, 2, 3, 4)")
    run(f"INSERT INTO {table} (p, c, v, w) VALUES (1, 2, 5, null) USING TTL 9")
    assert changes(table)[-1] == {"op": POSTIMAGE, "seq": 2, "p": 1, "c": 2, "v": 5}


def test_postimage_of_collections(logged, run, changes):
    table = logged("(p int PRIMARY KEY, m map<int, int>, s set<int>, l list<int>)", postimage=True)
    run(f"INSERT INTO {table} (p, m, s, l) VALUES (1, {{1: 1, 2: 2}}, {{1, 2}}, [1, 2])")
    run(f"UPDATE {table} SET m = m + {{0: 0}}, s = s + {{0}}, l = [0] + l WHERE p = 1")
    run(f"UPDATE {table} SET m = m - {{1}}, s = s - {{1}}, l = l - [1] WHERE p = 1")
    run(f"UPDATE {table} SET m = {{7: 7}}, s = {{}}, l = [7] WHERE p = 1")
    posts = [change for change in changes(table) if change["op"] == POSTIMAGE]
    assert [dict(post["m"]) for post in posts] == [{1: 1, 2: 2}, {0: 0, 1: 1, 2: 2}, {0: 0, 2: 2}, {7: 7}]
    assert [list(post["s"]) if "s" in post else None for post in posts] == [[1, 2], [0, 1, 2], [0, 2], None]
    assert [list(post["l"].values()) for post in posts] == [[1, 2], [0, 1, 2], [0, 2], [7]]


def test_preimage_of_collections(logged, run, changes):
    table = logged("(p int PRIMARY KEY, m map<int, int>)", preimage=True)
    run(f"INSERT INTO {table} (p, m) VALUES (1, {{1: 1, 2: 2}})")
    run(f"UPDATE {table} SET m[1] = 9 WHERE p = 1")
    assert dict(changes(table)[1]["m"]) == {1: 1, 2: 2}


def test_both_images_around_the_change(logged, run, changes):
    table = logged(preimage="full", postimage=True)
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 1, 1)")
    run(f"UPDATE {table} SET v = 2 WHERE p = 1 AND c IN (1, 2)")
    assert changes(table, "op", "seq", "c", "v")[2:] == [
        {"op": PREIMAGE, "seq": 0, "c": 1, "v": 1},
        {"op": UPDATE, "seq": 1, "c": 1, "v": 2},
        {"op": UPDATE, "seq": 2, "c": 2, "v": 2},
        {"op": POSTIMAGE, "seq": 3, "c": 1, "v": 2},
        {"op": POSTIMAGE, "seq": 4, "c": 2, "v": 2},
    ]


@pytest.mark.embedded
def test_preimage_does_not_show_what_expired(logged, run, changes, engine):
    table = logged(preimage="full")
    run(f"INSERT INTO {table} (p, c) VALUES (1, 2)")
    run(f"UPDATE {table} USING TTL 5 SET v = 3 WHERE p = 1 AND c = 2")
    engine.control("push_clock", seconds=6)
    run(f"UPDATE {table} SET w = 1 WHERE p = 1 AND c = 2")
    preimage = changes(table)[-2]
    assert preimage["op"] == PREIMAGE and preimage["-v"] is True and "v" not in preimage


# ---------------------------------------------------------------- delta = keys


def test_delta_keys_leaves_the_values_out(logged, run, changes):
    table = logged("(p int, c int, v int, m map<int, int>, PRIMARY KEY (p, c))", delta="keys")
    run(f"INSERT INTO {table} (p, c, v, m) VALUES (1, 2, 3, {{1: 1}})")
    run(f"UPDATE {table} USING TTL 7 SET v = 3 WHERE p = 1 AND c = 2")
    run(f"DELETE v FROM {table} WHERE p = 1 AND c = 2")
    run(f"DELETE FROM {table} WHERE p = 1 AND c > 2")
    assert changes(table) == [
        {"op": INSERT, "seq": 0, "p": 1, "c": 2},
        {"op": UPDATE, "seq": 0, "p": 1, "c": 2, "ttl": 7},
        {"op": UPDATE, "seq": 0, "p": 1, "c": 2},
        {"op": FROM_AFTER, "seq": 0, "p": 1, "c": 2},
        {"op": TO, "seq": 1, "p": 1},
    ]


def test_delta_keys_leaves_images_whole(logged, run, changes):
    table = logged(ROWS, delta="keys", preimage=True, postimage=True)
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, 2, 3)")
    run(f"UPDATE {table} SET v = 4 WHERE p = 1 AND c = 2")
    assert changes(table, "op", "v") == [
        {"op": INSERT},
        {"op": POSTIMAGE, "v": 3},
        {"op": PREIMAGE, "v": 3},
        {"op": UPDATE},
        {"op": POSTIMAGE, "v": 4},
    ]


# ---------------------------------------------------------------- the node's own deletions


@pytest.mark.embedded  # elsewhere the scan is once a day
@pytest.mark.parametrize("columns, operation", [
    ("(p int, c int, x int, e bigint TTL, PRIMARY KEY (p, c))", -3),
    ("(p int, c int, x int, e bigint TTL, PRIMARY KEY (p))", -4),
])  # fmt: skip
def test_rows_deleted_by_their_ttl_column(logged, run, changes, columns, operation):
    """Per-row TTL (ScyllaDB 2026.2) does write, so it does show: as a deletion by the service itself."""
    table = logged(columns, preimage=True)
    run(f"INSERT INTO {table} (p, c, x, e) VALUES (1, 2, 3, 4)")
    ((written,),) = run(f"SELECT WRITETIME(x) FROM {table}")
    over = written // 1_000_000 - 60
    run(f"UPDATE {table} SET e = {over} WHERE p = 1" + (" AND c = 2" if operation == -3 else ""))
    assert eventually(lambda: run(f"SELECT * FROM {table}") == [])
    preimage, deletion = changes(table)[-2:]
    assert preimage == {"op": PREIMAGE, "seq": 0, "p": 1, "c": 2, "x": 3, "e": over}
    assert deletion == {"op": operation, "seq": 1, "p": 1, **({"c": 2} if operation == -3 else {})}
