"""Scalar functions, casts and aggregates."""

import math
import uuid
from decimal import Decimal
from types import SimpleNamespace

import pytest
from cassandra.util import min_uuid_from_time
from hypothesis import given
from hypothesis import strategies as st

from embedded_scylla import timeuuid, types
from embedded_scylla.clock import Clock
from embedded_scylla.cql.ast import Name
from embedded_scylla.errors import InvalidRequest
from embedded_scylla.terms import aggregates, functions, functions_time
from embedded_scylla.terms.casts import cast
from embedded_scylla.types import by_name

INSTANT = 1721725159_829123  # µs: 2024-07-23T08:59:19.829123Z


@pytest.fixture
def context():
    clock = Clock(lambda: INSTANT * 1000)
    return SimpleNamespace(values=(), clock=clock)


def found(name, *argument_types, text=""):
    """The function of that name for arguments of these types."""
    return functions.find(name, [functions.TypedArgument(type, text) for type in argument_types])


def micros_of(value):
    return (value.time - timeuuid.EPOCH) // 10


def call(name, context, *arguments):
    """``arguments``: pairs of type and Python value; gives the Python value of the result."""
    kinds = [by_name(kind) for kind, _ in arguments]
    function = found(Name(name), *kinds)
    data = [None if value is None else kind.encode(value) for kind, (_, value) in zip(kinds, arguments, strict=True)]
    result = function.call(data, context)
    return None if result is None else function.return_type.decode(result)


# ---------------------------------------------------------------- time


def test_now_is_unique_and_follows_the_clock(context):
    ids = [call("now", context) for _ in range(100)]
    assert len(set(ids)) == 100
    assert ids == sorted(ids, key=lambda i: i.time)
    assert all(i.version == 1 and i.variant == uuid.RFC_4122 for i in ids)
    assert micros_of(ids[0]) == INSTANT
    context.clock.push(3600)
    assert micros_of(call("now", context)) >= INSTANT + 3600_000_000


def test_current_functions(context):
    assert call("currenttimestamp", context) == INSTANT // 1000
    assert call("currentdate", context) == (1 << 31) + 19927
    assert call("currenttime", context) == 32359829000000
    assert functions_time.millis_of(call("currenttimeuuid", context).bytes) == INSTANT // 1000


def test_uuid_is_random(context):
    ids = {call("uuid", context) for _ in range(50)}
    assert len(ids) == 50
    assert all(i.version == 4 and i.variant == uuid.RFC_4122 for i in ids)


@given(st.integers(-12_000_000_000_000, 100_000_000_000_000))
def test_the_bounds_of_a_millisecond(millis):
    low, high = functions_time.min_timeuuid(millis), functions_time.max_timeuuid(millis)
    within = timeuuid.timeuuid_at(millis * 1000 + 999).bytes
    order = types.TIMEUUID.order
    assert order(low) < order(within) < order(high) < order(functions_time.min_timeuuid(millis + 1))
    assert functions_time.millis_of(low) == functions_time.millis_of(high) == millis


@pytest.mark.parametrize("seconds", [0, 1721725159])
def test_the_lower_bound_is_the_drivers(seconds):
    assert functions_time.min_timeuuid(seconds * 1000) == min_uuid_from_time(seconds).bytes


def test_a_time_that_no_timeuuid_holds(context):
    with pytest.raises(InvalidRequest, match="60 bits"):
        call("mintimeuuid", context, ("timestamp", 1 << 62))


def test_conversions_of_time(context):
    day = (1 << 31) + 19927
    millis = 1721725159829
    lowest = uuid.UUID(bytes=functions_time.min_timeuuid(millis))
    assert call("todate", context, ("timeuuid", lowest)) == day
    assert call("todate", context, ("timestamp", millis)) == day
    assert call("totimestamp", context, ("timeuuid", lowest)) == millis
    assert call("totimestamp", context, ("date", day)) == 19927 * 86_400_000
    assert call("tounixtimestamp", context, ("timeuuid", lowest)) == millis
    assert call("tounixtimestamp", context, ("timestamp", -1)) == -1
    assert call("tounixtimestamp", context, ("date", (1 << 31) - 1)) == -86_400_000
    assert call("dateof", context, ("timeuuid", lowest)) == millis
    assert call("unixtimestampof", context, ("timeuuid", lowest)) == millis


@pytest.mark.parametrize("name", ["mintimeuuid", "dateof", "blobasint"])
def test_null_gives_null(name, context):
    kind = functions.find(Name(name), [functions.TypedArgument(None)]).argument_types[0]
    assert call(name, context, (kind.name, None)) is None


# ---------------------------------------------------------------- blobs and names


@pytest.mark.parametrize("name", [n for n in types.NATIVE if n not in ("blob", "counter")] + ["varchar"])
def test_every_type_to_a_blob_and_back(name, context):
    kind = by_name(name)
    blob, back = found(Name(f"{name}asblob"), kind), found(Name(f"blobas{name}"), types.BLOB)
    assert (blob.return_type, back.return_type) == (types.BLOB, kind)
    data = kind.encode(types.Duration(1, 0, 0)) if name == "duration" else b""  # an empty value is no duration
    assert back.call([blob.call([data], context)], context) == data


def test_names():
    function = found(Name("toDate", "system"), types.TIMESTAMP)
    assert (function.name, function.full_name) == ("todate", "system.todate")
    assert function.signature == "system.todate : (timestamp) -> date"
    assert found(Name("todate", "ks"), types.TIMESTAMP) is None
    assert functions.unknown_function(Name("todate", "ks")).message == "Unknown function ks.todate called"
    assert found(Name("toJSON"), types.INT).signature == "system.tojson : (int) -> text"


def test_a_column_of_the_wrong_type():
    with pytest.raises(InvalidRequest) as caught:
        found(Name("mintimeuuid"), types.INT, text="k")
    assert caught.value.message == (
        "Type error: k cannot be passed as argument 0 of function system.mintimeuuid of type timestamp"
    )


# ---------------------------------------------------------------- casts


def converted(value, source, target):
    source, target = by_name(source), by_name(target)
    return target.decode(cast(source, target)(source.encode(value)))


def wrapped(number, bits):
    return (number + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))


@given(st.integers(-(10**40), 10**40))
def test_whole_numbers_wrap_around(number):
    for name, bits in (("tinyint", 8), ("smallint", 16), ("int", 32), ("bigint", 64)):
        assert converted(number, "varint", name) == wrapped(number, bits)
    assert converted(number, "varint", "decimal") == number
    assert converted(number, "varint", "text") == str(number)


@pytest.mark.parametrize(
    ("value", "tiny", "small", "whole", "big"),
    [
        (-564.0, -52, -564, -564, -564),
        (1e10, -1, -1, 2147483647, 10000000000),
        (-1e10, 0, 0, -2147483648, -10000000000),
        (math.inf, -1, -1, 2147483647, 9223372036854775807),
        (-math.inf, 0, 0, -2147483648, -9223372036854775808),
        (math.nan, 0, 0, 0, 0),
        (6.9, 6, 6, 6, 6),
        (-6.9, -6, -6, -6, -6),
    ],
)
def test_fractions_are_cut_off_and_large_ones_bounded(value, tiny, small, whole, big):
    results = [converted(value, "double", name) for name in ("tinyint", "smallint", "int", "bigint")]
    assert results == [tiny, small, whole, big]


@pytest.mark.parametrize(
    ("value", "source", "target", "result"),
    [
        (5.2, "float", "decimal", Decimal("5.2")),
        (6.3, "double", "text", "6.3"),
        (6.0, "double", "text", "6"),
        (3, "int", "decimal", Decimal("3.0")),
        (Decimal("6.9"), "decimal", "int", 6),
        (Decimal("-6.9"), "decimal", "varint", -6),
        (Decimal("6.30"), "decimal", "text", "6.3"),
        (Decimal("6.5"), "decimal", "double", 6.5),
        (10**50, "varint", "float", math.inf),
        (1432206182000, "timestamp", "text", "2015-05-21T11:03:02.000Z"),
        ((1 << 31) + 1, "date", "text", "1970-01-02"),
        (39782000000000, "time", "text", "11:03:02.000000000"),
        ((1 << 31) + 1, "date", "timestamp", 86_400_000),
        (86_400_001, "timestamp", "date", (1 << 31) + 1),
        (True, "boolean", "text", "true"),
        ("127.0.0.1", "inet", "text", "127.0.0.1"),
        ("x", "ascii", "text", "x"),
        (7, "int", "int", 7),
    ],
)
def test_casts(value, source, target, result):
    assert converted(value, source, target) == result


def test_a_cast_keeps_the_scale_of_a_whole_number():
    assert str(converted(3, "int", "decimal")) == "3.0"


def test_null_stays_null_and_what_cannot_be_cast_is_refused():
    assert cast(types.INT, types.TEXT)(None) is None
    for source, target in (("int", "boolean"), ("text", "int"), ("text", "ascii"), ("blob", "text"), ("int", "uuid")):
        with pytest.raises(InvalidRequest, match="cannot be cast to"):
            cast(by_name(source), by_name(target))


def test_a_decimal_of_too_many_figures_is_refused_at_once():
    with pytest.raises(InvalidRequest, match="too many figures"):
        converted(Decimal("1E+2000000000"), "decimal", "varint")


# ---------------------------------------------------------------- aggregates


def aggregate(name, kind, values):
    kind = by_name(kind)
    found = aggregates.resolve(Name(name), kind)
    state = found.start()
    for value in values:
        state = found.add(state, [None if value is None else kind.encode(value)])
    result = found.finish(state)
    return None if result is None else found.return_type.decode(result)


def test_count_of_rows_and_of_values():
    rows = aggregates.resolve(Name("count"))
    state = rows.start()
    for _ in range(3):
        state = rows.add(state, [])
    assert types.BIGINT.decode(rows.finish(state)) == 3
    assert aggregate("count", "text", ["a", None, ""]) == 2


@given(st.lists(st.none() | st.integers(-1000, 1000)))
def test_min_max_sum_and_avg_of_ints(values):
    present = [v for v in values if v is not None]
    assert aggregate("min", "int", values) == min(present, default=None)
    assert aggregate("max", "int", values) == max(present, default=None)
    assert aggregate("sum", "int", values) == sum(present)
    expected = int(sum(present) / len(present)) if present else 0  # cut towards zero
    assert aggregate("avg", "int", values) == expected


def test_extremes_of_any_type():
    assert aggregate("max", "text", ["b", "a"]) == "b"
    assert aggregate("min", "frozen<list<int>>", [[2], [1, 5], None]) == [1, 5]
    assert math.isnan(aggregate("max", "double", [1.0, math.nan, 2.0]))


def test_a_sum_may_overflow_on_its_way_but_not_at_its_end():
    assert aggregate("sum", "tinyint", [100, 100, -100]) == 100
    assert aggregate("avg", "tinyint", [100, 100, 100]) == 100
    with pytest.raises(InvalidRequest, match=r"^Sum overflow\. Values should be casted to a wider type\.$"):
        aggregate("sum", "tinyint", [100, 100])


@pytest.mark.parametrize(
    ("values", "average"),
    [
        (["1.0", "2.0"], "1.5"),
        (["1", "2"], "2"),  # half to even, at the scale of the sum
        (["1", "2", "2", "3"], "2"),
        (["1.1", "1.2"], "1.2"),
        (["-1.1", "-1.2"], "-1.2"),
        (["0", "0", "1"], "0"),
    ],
)
def test_an_average_of_decimals_keeps_their_scale(values, average):
    assert str(aggregate("avg", "decimal", [Decimal(v) for v in values])) == average


def test_sums_of_fractions():
    assert aggregate("sum", "double", []) == 0.0
    assert math.isnan(aggregate("sum", "double", [math.inf, -math.inf]))
    assert aggregate("sum", "float", [0.5, 0.25]) == 0.75
    assert aggregate("avg", "double", [1.0, 2.0]) == 1.5


def test_what_cannot_be_aggregated():
    with pytest.raises(InvalidRequest) as caught:
        aggregates.resolve(Name("sum"), types.TEXT)
    assert caught.value.message.startswith(
        "Invalid call to function sum, none of its type signatures match "
        "(known type signatures: system.sum : (tinyint) -> tinyint, "
    )
    with pytest.raises(InvalidRequest, match=r"^min\(\) function requires only 1 argument$"):
        aggregates.resolve(Name("min"))
