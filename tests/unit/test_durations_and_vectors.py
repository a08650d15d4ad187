"""Durations and vectors: their text and wire forms, and what has no place for them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from cassandra import cqltypes
from hypothesis import given
from hypothesis import strategies as st

from embedded_scylla.errors import CqlError, InvalidRequest
from embedded_scylla.types import DURATION, Duration, MarshalError, by_name, wire
from tests.unit.asking import Asking

HOUR = 3_600_000_000_000
DURATIONS = st.builds(
    lambda sign, *parts: Duration(*(sign * part for part in parts)),
    st.sampled_from((1, -1)),
    st.integers(0, (1 << 31) - 1),
    st.integers(0, (1 << 31) - 1),
    st.integers(0, (1 << 63) - 1),
)


@pytest.fixture(scope="module")
def node() -> Asking:
    node = Asking()
    node.run("CREATE TABLE spans (p int, c int, d duration, l list<duration>, t tuple<duration>, PRIMARY KEY (p, c))")
    node.run("CREATE TABLE points (p int PRIMARY KEY, v vector<float, 3>, w vector<text, 2>, l list<int>)")
    return node


# ---------------------------------------------------------------- durations


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("1y2mo3w4d5h6m7s8ms9us10ns", (14, 25, 5 * HOUR + 6 * 60 * 10**9 + 7 * 10**9 + 8_009_010)),
        ("1h30m", (0, 0, HOUR + HOUR // 2)),
        ("12H", (0, 0, 12 * HOUR)),
        ("5µs", (0, 0, 5_000)),
        ("-2mo1d", (-2, -1, 0)),
        ("P1Y2M", (14, 0, 0)),
        ("P1Y2M3DT4H5M6S", (14, 3, 4 * HOUR + 5 * 60 * 10**9 + 6 * 10**9)),
        ("-PT10M", (0, 0, -600 * 10**9)),
        ("P3W", (0, 21, 0)),
        ("P0001-02-03T04:05:06", (14, 3, 4 * HOUR + 5 * 60 * 10**9 + 6 * 10**9)),
    ],
)
def test_all_ways_to_write_a_duration(text, duration):
    assert DURATION.decode(DURATION.from_text(text)) == duration


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1h1y", "Invalid duration. The hours should be after years"),
        ("1h2h", "Invalid duration. The hours are specified multiple times"),
        ("9223372036854775807d", "Invalid duration. The number of days must be less than or equal to 2147483647"),
        ("1y2147483647mo", "Invalid duration. The number of months must be less than or equal to 2147483635"),
        ("99999999999999999999s", "Invalid duration. The count for the seconds is out of range"),
        ("5", "Unable to convert '5' to a duration"),
        ("P1Y1", "Unable to convert 'P1Y1' to a duration"),
    ],
)
def test_what_is_no_duration(text, message):
    with pytest.raises(MarshalError) as caught:
        DURATION.from_text(text)
    assert caught.value.message == f"marshaling error: {message}"


@given(DURATIONS)
def test_a_duration_has_the_drivers_wire_form_and_comes_back(duration):
    data = DURATION.encode(duration)
    DURATION.validate(data)
    assert DURATION.decode(data) == duration
    assert tuple(vars(cqltypes.DurationType.deserialize(data, 4)).values()) == duration
    assert data == cqltypes.DurationType.serialize(duration, 4)
    if any(duration):
        assert DURATION.from_text(DURATION.to_text(data)) == data


@given(st.integers(0, (1 << 64) - 1), st.binary(max_size=3))
def test_integers_of_variable_length_come_back(number, rest):
    data = wire.pack_vint(number)
    assert wire.unpack_vint(b"x" + data + rest, 1) == (number, 1 + len(data))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("ff", "Expected at least 3 bytes for a duration, got 1"),
        ("fffffffffffffffffe0202", "The duration months (9223372036854775807) must be a 32 bit integer"),
        ("010201", "The duration months, days, and nanoseconds must be all of the same sign (-1, 1, -1)"),
        ("0202ff", "read_simple - not enough bytes (expected 8, got 0)"),
        ("808000", "Cannot deserialize duration"),
    ],
)
def test_bytes_that_are_no_duration(data, message):
    with pytest.raises(MarshalError) as caught:
        DURATION.validate(bytes.fromhex(data))
    assert caught.value.message == f"marshaling error: {message}"


def test_durations_are_printed_with_the_greatest_units_first():
    assert DURATION.to_text(DURATION.from_text("15mo21d1500ms")) == "1y3mo21d1s500ms"
    assert DURATION.to_text(DURATION.from_text("-90m")) == "-1h30m"
    assert DURATION.to_text(DURATION.from_text("0s")) == ""


def test_durations_are_stored_and_found_by_equality(node):
    node.run("INSERT INTO spans (p, c, d, l, t) VALUES (1, 1, 1h30m, [1d, 2mo], (5s))")
    node.run("INSERT INTO spans (p, c, d) VALUES (1, 2, ?)", Duration(14, 0, 0))
    assert node.rows("SELECT d, l, t FROM spans WHERE p = 1 AND c = 1") == [
        (Duration(0, 0, HOUR * 3 // 2), [Duration(0, 1, 0), Duration(2, 0, 0)], (Duration(0, 0, 5 * 10**9),))
    ]
    assert node.rows("SELECT c FROM spans WHERE p = 1 AND d = P1Y2M ALLOW FILTERING") == [(2,)]
    assert node.rows("SELECT c FROM spans WHERE p = 1 AND d IN (1y, 90m) ALLOW FILTERING") == [(1,)]
    assert node.rows("SELECT c FROM spans WHERE p = 1 AND l CONTAINS 1d ALLOW FILTERING") == [(1,)]
    node.run("UPDATE spans SET d = 3h WHERE p = 1 AND c = 1 IF d = 90m")
    assert node.rows("SELECT d FROM spans WHERE p = 1 AND c = 1") == [(Duration(0, 0, 3 * HOUR),)]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("CREATE TABLE n (d duration PRIMARY KEY)", "duration type is not supported for PRIMARY KEY part d"),
        (
            "CREATE TABLE n (p int, d frozen<list<duration>>, PRIMARY KEY (p, d))",
            "duration type is not supported for PRIMARY KEY part d",
        ),
        ("CREATE TABLE n (p int PRIMARY KEY, s set<duration>)", "Durations are not allowed inside sets: set<duration>"),
        (
            "CREATE TABLE n (p int PRIMARY KEY, m map<duration, int>)",
            "Durations are not allowed as map keys: map<duration, int>",
        ),
        ("CREATE INDEX ON spans (d)", "Secondary indexes are not supported on duration columns"),
        ("CREATE INDEX ON spans (l)", "Secondary indexes are not supported on collections containing durations"),
        ("CREATE INDEX ON spans (t)", "Secondary indexes are not supported on tuples containing durations"),
        (
            "CREATE MATERIALIZED VIEW n AS SELECT * FROM spans WHERE d IS NOT NULL AND p IS NOT NULL AND c IS NOT NULL "
            "PRIMARY KEY (d, p, c)",
            "Cannot use Duration column 'd' in PRIMARY KEY of materialized view",
        ),
        ("SELECT * FROM spans WHERE p = 1 AND d < 3d ALLOW FILTERING", "Duration type is unordered for d"),
        ("UPDATE spans SET l = null WHERE p = 1 AND c = 1 IF d >= 5m", "Duration type is unordered for d"),
        ("INSERT INTO spans (p, c, d) VALUES (1, 1, '1h')", 'Invalid STRING constant (1h) for "d" of type duration'),
        ("INSERT INTO spans (p, c, d) VALUES (1, 1, 5)", 'Invalid INTEGER constant (5) for "d" of type duration'),
    ],
)
def test_where_durations_have_no_place(node, statement, message):
    with pytest.raises(InvalidRequest) as caught:
        node.run(statement)
    assert caught.value.message == message


# ---------------------------------------------------------------- vectors


@pytest.mark.parametrize(
    ("name", "value", "width"),
    [
        ("vector<float, 3>", [1.0, -2.5, 0.0], 12),
        ("vector<bigint, 2>", [1, -1], 16),
        ("vector<boolean, 2>", [True, False], 2),
        ("vector<smallint, 2>", [1, 2], None),
        ("vector<text, 2>", ["a", "b" * 200], None),
        ("vector<vector<int, 2>, 2>", [[1, 2], [3, 4]], 16),
    ],
)
def test_a_vector_has_the_drivers_wire_form(name, value, width):
    kind = by_name(name)
    assert kind.name == name and by_name(name) is kind and kind.width == width
    data = kind.encode(value)
    kind.validate(data)
    assert kind.decode(data) == value
    driver_type = cqltypes.lookup_casstype(kind.class_name)
    assert driver_type.serialize(value, 4) == data
    assert driver_type.deserialize(data, 4) == value


def test_the_protocol_calls_a_vector_by_its_class():
    kind = by_name("vector<float, 3>")
    named = b"org.apache.cassandra.db.marshal.VectorType(org.apache.cassandra.db.marshal.FloatType, 3)"
    assert kind.option == b"\x00\x00" + len(named).to_bytes(2, "big") + named


def test_vectors_sort_by_their_elements():
    kind = by_name("vector<int, 2>")
    values = [[-1, 5], [0, 0], [0, 1], [2, -9]]
    assert sorted(values, key=lambda value: kind.order(kind.encode(value))) == values


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("vector<int, 2>", bytes(4), "marshaling error: Not enough bytes to read a vector element"),
        ("vector<int, 2>", bytes(9), "marshaling error: Unexpected 1 extraneous bytes after vector<int, 2> value"),
        ("vector<text, 2>", b"\x01a", "marshaling error: Not enough bytes to read a vector element"),
        ("vector<text, 2>", b"\x01a\x05b", "marshaling error: Not enough bytes to read a vector element"),
        ("vector<text, 2>", b"\x01a\x00", "null/unset is not supported inside vectors"),
    ],
)
def test_bytes_that_are_no_vector(name, data, message):
    with pytest.raises(InvalidRequest) as caught:
        by_name(name).validate(data)
    assert caught.value.message == message


def test_vectors_are_written_and_read(node):
    node.run("INSERT INTO points (p, v, w) VALUES (1, [1, 2.5, -3], ['a', 'b'])")
    node.run("INSERT INTO points (p, v) VALUES (2, ?)", [1.0, 2.0, 3.0])
    node.run("INSERT INTO points (p, v) VALUES (3, [1, ?, (float) 3])", 2.0)
    assert node.rows("SELECT v, w FROM points WHERE p = 1") == [([1.0, 2.5, -3.0], ["a", "b"])]
    assert node.rows("SELECT p FROM points WHERE v = [1, 2, 3] ALLOW FILTERING") == [(2,), (3,)]
    node.run("UPDATE points SET v = null WHERE p = 2")
    assert node.rows("SELECT v FROM points WHERE p = 2") == [(None,)]


def test_vectors_may_be_keys(node):
    node.run("CREATE TABLE keyed (p vector<int, 2>, c vector<int, 2>, PRIMARY KEY (p, c)) "
             "WITH CLUSTERING ORDER BY (c DESC)")  # fmt: skip
    for c in ([1, 2], [1, 3], [0, 9]):
        node.run("INSERT INTO keyed (p, c) VALUES ([1, 2], ?)", c)
    assert node.rows("SELECT c FROM keyed WHERE p = [1, 2]") == [([1, 3],), ([1, 2],), ([0, 9],)]
    assert node.rows("SELECT c FROM keyed WHERE p IN ([1, 2], [3, 4]) AND c > [1, 2]") == [([1, 3],)]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("INSERT INTO points (p, v) VALUES (1, [1, 2])",
         "Invalid vector literal for v: type vector<float, 3> expects 3 elements but got 2"),
        ("INSERT INTO points (p, v) VALUES (1, [])",
         "Invalid vector literal for v: type vector<float, 3> expects 3 elements but got 0"),
        ("INSERT INTO points (p, v) VALUES (1, [1, 2, 'x'])",
         "Invalid vector literal for v: value 'x' is not of type float"),
        ("INSERT INTO points (p, v) VALUES (1, [1, 2, null])", "null is not supported inside vectors"),
        ("INSERT INTO points (p, w) VALUES (1, ['', 'x'])", "null/unset is not supported inside vectors"),
        ("INSERT INTO points (p, v) VALUES (1, {1, 2, 3})",
         "Invalid set literal for v of type vector<float, 3>"),
        ("INSERT INTO points (p, v) VALUES (1, 0x)", 'Invalid HEX constant (0x) for "v" of type vector<float, 3>'),
        ("CREATE CUSTOM INDEX ON points (v) USING 'vector_index'",
         "Vector indexes are not supported by this embedded node."),
    ],
)  # fmt: skip
def test_vectors_that_cannot_be(node, statement, message):
    with pytest.raises(InvalidRequest) as caught:
        node.run(statement)
    assert caught.value.message == message


@pytest.mark.parametrize(
    "statement",
    [
        'INSERT INTO points JSON \'{"p": 1, "w": ["", "x"]}\'',
        "INSERT INTO odd (p, v) VALUES (1, [[1], []])",
        "INSERT INTO odd (p, u) VALUES (1, [blobAsInt(0x), 1])",
    ],
)
def test_an_element_of_no_bytes_that_could_not_be_read_again_is_refused(tmp_path, statement):
    node = Asking(tmp_path)
    node.run("CREATE TABLE points (p int PRIMARY KEY, w vector<text, 2>)")
    node.run("CREATE TABLE odd (p int PRIMARY KEY, v vector<frozen<list<int>>, 2>, u vector<int, 2>)")
    with suppress(CqlError):
        node.run(statement)
    table = statement.split()[2]
    before = node.rows(f"SELECT * FROM {table}")
    node.engine.persistence.abandon()
    again = Asking(tmp_path)
    assert again.engine.persistence.notices == []
    assert again.rows(f"SELECT * FROM {table}") == before
    again.engine.close()


def test_both_are_in_the_schema_and_survive_a_restart(tmp_path):
    node = Asking(tmp_path)
    node.run("CREATE TABLE t (p int PRIMARY KEY, d duration, v vector<float, 3>)")
    node.run("INSERT INTO t (p, d, v) VALUES (1, 1mo2d, [1, 2, 3])")
    node.engine.close()
    again = Asking(tmp_path)
    assert again.rows("SELECT d, v FROM t") == [(Duration(1, 2, 0), [1.0, 2.0, 3.0])]
    kinds = again.rows("SELECT column_name, type FROM system_schema.columns WHERE keyspace_name = 'ks'")
    assert kinds == [("d", "duration"), ("p", "int"), ("v", "vector<float, 3>")]
    again.engine.close()
