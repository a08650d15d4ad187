"""Types: wire forms, orders and texts of values."""

import datetime
import gc
import ipaddress
import math
import pickle
import uuid
import weakref
from decimal import Decimal

import pytest
from cassandra import cqltypes
from hypothesis import assume, given
from hypothesis import strategies as st

from embedded_scylla import types
from embedded_scylla.cql.ast import TypeName
from embedded_scylla.errors import InvalidRequest
from embedded_scylla.quoting import identifier
from embedded_scylla.types import MarshalError, by_name, parse_type

# ---------------------------------------------------------------- values of each type, and Python's order of them


def whole(bits):
    return st.integers(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def timeuuid_of(time, low):
    high = ((time & 0xFFFFFFFF) << 32) | ((time >> 32 & 0xFFFF) << 16) | 0x1000 | (time >> 48)
    return uuid.UUID(int=high << 64 | low)


TIMEUUIDS = st.builds(timeuuid_of, st.integers(0, (1 << 60) - 1), st.integers(0, (1 << 64) - 1))
ADDRESSES = st.ip_addresses()


def signed_bytes(data):
    return [byte - 256 if byte > 127 else byte for byte in data]


def timeuuid_key(value):
    return value.time, signed_bytes(value.bytes[8:])


def uuid_key(value):
    version = value.bytes[6] >> 4
    return (version, value.time, value.bytes[8:]) if version == 1 else (version, 0, value.bytes)


def float_key(value):
    return math.isnan(value), value if not math.isnan(value) else 0, math.copysign(1, value)


FLOATS = st.floats(width=32).filter(lambda f: not math.isnan(f)) | st.just(math.nan)
DOUBLES = st.floats().filter(lambda f: not math.isnan(f)) | st.just(math.nan)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))

# type: values, key of Python's order
NATIVE = {
    "ascii": (st.text(st.characters(max_codepoint=127)), str.encode),
    "bigint": (whole(64), int),
    "blob": (st.binary(), bytes),
    "boolean": (st.booleans(), int),
    "date": (st.integers(0, (1 << 32) - 1), int),
    "decimal": (DECIMALS, Decimal),
    "double": (DOUBLES, float_key),
    "float": (FLOATS, float_key),
    "inet": (ADDRESSES, lambda a: a.packed),
    "int": (whole(32), int),
    "smallint": (whole(16), int),
    "text": (TEXTS, str.encode),
    "time": (st.integers(0, 86_400_000_000_000 - 1), int),
    "timestamp": (whole(64), int),
    "timeuuid": (TIMEUUIDS, timeuuid_key),
    "tinyint": (whole(8), int),
    "uuid": (st.uuids() | TIMEUUIDS, uuid_key),
    "varint": (st.integers(-(10**60), 10**60) | st.integers(-300, 300), int),
}
COMPOSITE = {
    "frozen<list<int>>": (st.lists(whole(32), max_size=4), list),
    "frozen<list<text>>": (
        st.lists(st.text("ab\0", max_size=3), max_size=3),
        lambda v: [x.encode() for x in v],
    ),
    "frozen<set<smallint>>": (st.lists(whole(16), max_size=4, unique=True).map(sorted), list),
    "frozen<map<text, int>>": (
        st.dictionaries(st.text("ab\0", max_size=3), whole(32), max_size=3).map(lambda d: dict(sorted(d.items()))),
        lambda d: list(d.items()),
    ),
    "frozen<tuple<int, text>>": (st.tuples(whole(32), st.text("ab\0", max_size=3)), tuple),
}
ALL = {**NATIVE, **COMPOSITE}


def same(a, b):
    return a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b))


@pytest.mark.parametrize("name", ALL)
def test_decode_gives_back_what_was_encoded(name):
    kind = by_name(name)

    @given(ALL[name][0])
    def check(value):
        data = kind.encode(value)
        kind.validate(data)
        assert same(kind.decode(data), value)

    check()


@pytest.mark.parametrize("name", ALL)
def test_order_agrees_with_the_values_and_ends_by_itself(name):
    kind, (values, key) = by_name(name), ALL[name]

    @given(values, values)
    def check(a, b):
        first, second = kind.order(kind.encode(a)), kind.order(kind.encode(b))
        assert (first < second) == (key(a) < key(b))
        assert (first == second) == (key(a) == key(b))
        if first != second:
            assert not first.startswith(second) and not second.startswith(first)

    check()


@pytest.mark.parametrize("name", [n for n in NATIVE if n not in ("ascii", "text", "blob")])
def test_the_empty_value_sorts_below_all_others(name):
    kind = by_name(name)

    @given(NATIVE[name][0])
    def check(value):
        other = kind.order(kind.encode(value))
        empty = kind.order(b"")
        assert empty < other and not other.startswith(empty)

    kind.validate(b"")
    assert kind.decode(b"") is None
    check()


@pytest.mark.parametrize("name", NATIVE)
def test_a_values_text_spells_the_value(name):
    kind, values = by_name(name), NATIVE[name][0]
    if name == "timestamp":  # a date in text has a year of four figures
        values = st.datetimes(datetime.datetime(1400, 1, 1)).map(
            lambda d: int((d - datetime.datetime(1970, 1, 1)) / datetime.timedelta(milliseconds=1))
        )

    @given(values)
    def check(value):
        text = kind.to_text(kind.encode(value))
        if text.startswith("'"):
            text = text[1:-1].replace("''", "'")
        again = kind.from_text(text)
        if text or name in ("ascii", "text"):
            assert kind.order(again) == kind.order(kind.encode(value))

    check()


# ---------------------------------------------------------------- against the driver's own marshalling


@pytest.mark.parametrize(
    ("name", "value", "driver_type"),
    [
        ("int", -5, cqltypes.Int32Type),
        ("varint", -(10**30), cqltypes.IntegerType),
        ("decimal", Decimal("-12.340"), cqltypes.DecimalType),
        ("double", 1.5, cqltypes.DoubleType),
        ("inet", ipaddress.ip_address("::1"), None),
        ("timestamp", datetime.datetime(2024, 7, 23, 8, 59, 19, 829000), cqltypes.DateType),
        ("date", datetime.date(2024, 7, 23), cqltypes.SimpleDateType),
        ("time", 32359829000000, cqltypes.TimeType),
        ("uuid", uuid.UUID("12345678-1234-4234-8234-123456789abc"), cqltypes.UUIDType),
        ("boolean", True, cqltypes.BooleanType),
    ],
)
def test_wire_form_is_the_drivers(name, value, driver_type):
    data = by_name(name).encode(value)
    if driver_type is None:
        assert data == value.packed
    else:
        assert data == driver_type.serialize(value, 4)


def test_collections_have_the_drivers_wire_form():
    mapping = cqltypes.lookup_casstype("MapType(UTF8Type, ListType(Int32Type))")
    data = by_name("map<text, frozen<list<int>>>").encode({"b": [1, 2], "a": []})
    assert dict(mapping.deserialize(data, 4)) == {"a": [], "b": [1, 2]}


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("varchar", "text"),
        ("map<text,int>", "map<text, int>"),
        ("frozen<list<list<int>>>", "frozen<list<frozen<list<int>>>>"),
        ("tuple<int,list<text>>", "frozen<tuple<int, frozen<list<text>>>>"),
        ("list<tuple<int,int>>", "list<frozen<tuple<int, int>>>"),
        ("set<frozen<map<int,uuid>>>", "set<frozen<map<int, uuid>>>"),
    ],
)
def test_names_are_scylladbs(written, name):
    kind = by_name(written)
    assert kind.name == name
    assert by_name(name) is kind  # interned
    assert pickle.loads(pickle.dumps(kind)) is kind


def test_frozen_and_not_differ_in_storage_only():
    loose = by_name("set<int>")
    assert loose.is_multicell and not loose.freeze().is_multicell
    assert loose.freeze().option == loose.option
    assert loose.freeze().thaw() is loose


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("list<list<int>>", "Non-frozen user types or collections are not allowed inside collections: list<list<int>>"),
        (
            "map<text, set<int>>",
            "Non-frozen user types or collections are not allowed inside collections: map<text, set<int>>",
        ),
        ("frozen<int>", "frozen<> is only allowed on collections, tuples, and user-defined types (got int)"),
        ("set<duration>", "Durations are not allowed inside sets: set<duration>"),
        ("frozen<map<duration, int>>", "Durations are not allowed as map keys: frozen<map<duration, int>>"),
        ("vector<float, 0>", "Vectors must have a dimension greater than 0"),
        ("vector<float, " + "9" * 5000 + ">", "Vectors must have a dimension less than or equal to 16000"),
        ("vector<float, 16001>", "Vectors must have a dimension less than or equal to 16000"),
    ],
)
def test_refused_types(written, message):
    with pytest.raises(InvalidRequest) as caught:
        by_name(written)
    assert caught.value.message == message


def test_an_unknown_type_is_looked_for_in_the_keyspace():
    with pytest.raises(InvalidRequest, match=r"^Unknown type ks\.address$"):
        parse_type(TypeName("address"), "ks")


# ---------------------------------------------------------------- validation


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("int", b"123", "Validation failed for type org.apache.cassandra.db.marshal.Int32Type: got 3 bytes"),
        ("bigint", b"1", "Validation failed for type org.apache.cassandra.db.marshal.LongType: got 1 bytes"),
        ("smallint", b"1", "Expected 2 bytes for a smallint (1)"),
        ("tinyint", b"12", "Expected 1 byte for a tinyint (2)"),
        ("uuid", b"1", "Validation failed for uuid - got 1 bytes"),
        ("timeuuid", uuid.UUID(int=4 << 76).bytes, "Unsupported UUID version (4)"),
        ("timestamp", b"1", "Validation failed for timestamp - got 1 bytes"),
        ("date", b"1", "Expected 4 byte long for date (1)"),
        ("time", b"1", "Expected 8 byte long for time (1)"),
        ("float", b"1", "Expected 4 bytes for a floating type, got 1"),
        ("boolean", b"12", "Validation failed for boolean, got 2 bytes"),
        ("inet", b"12", "Validation failed for inet_addr - got 2 bytes"),
        ("text", b"ab\xff", "Validation failed - non-UTF8 character in a UTF8 string, at byte offset 2"),
        ("ascii", b"\x80", "Validation failed - non-ASCII character in an ASCII string"),
    ],
)
def test_wrong_bytes_are_refused_in_scylladbs_words(name, data, message):
    with pytest.raises(MarshalError) as caught:
        by_name(name).validate(data)
    assert caught.value.message == f"marshaling error: {message}"


@pytest.mark.parametrize("name", ["list<int>", "set<int>", "map<int, int>"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xff\xff\xff",
        b"\xff\xff\xff\xff\0\0\0\4\0\0\0\1",
        b"\0\0\0\1",
        b"\0\0\0\1\0\0\0\4\0\0",
        b"\0\0\0\1\0\0\0\2\0\0",
    ],
)
def test_broken_collections_are_refused(name, data):
    with pytest.raises(InvalidRequest):
        by_name(name).validate(data)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("set<int>", b"\0\0\0\1\xff\xff\xff\xff", "null is not supported inside collections"),
        ("set<int>", b"\0\0\0\1\xff\xff\xff\xfe", "unset value is not supported inside collections"),
        ("list<int>", b"\0\0\0\1\xff\xff\xff\xfe", "unset value is not supported inside collections"),
        ("map<int, int>", b"\0\0\0\1\xff\xff\xff\xff", "null/unset is not supported inside collections"),
    ],
)
def test_null_and_unset_within_collections(name, data, message):
    with pytest.raises(InvalidRequest) as caught:
        by_name(name).validate(data)
    assert caught.value.message == message


def test_a_tuple_may_be_short_but_not_long():
    kind = by_name("tuple<int, text>")
    one = types.TupleType([types.INT]).encode([7])
    kind.validate(one)
    assert kind.decode(one) == (7, None)
    assert kind.order(one) == kind.order(kind.encode((7, None)))
    with pytest.raises(MarshalError, match=r"contained too many fields \(expected 2, got 3\)"):
        kind.validate(kind.join([b"\0\0\0\1", b"a", b"b"]))


@given(st.lists(st.tuples(whole(32), whole(32)), max_size=5))
def test_maps_from_clients_are_put_in_order(pairs):
    assume(len({k for k, _ in pairs}) == len(pairs))
    kind = by_name("map<int, int>")
    sent = types.wire.pack_pairs([(types.INT.encode(k), types.INT.encode(v)) for k, v in pairs])
    assert list(kind.decode(kind.canonical(sent)).items()) == sorted(pairs)


# ---------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("2011-02-03 04:05+0000", 1296705900000),
        ("2011-02-03 04:05:12+0000", 1296705912000),
        ("2011-02-03 04:05:12.345+0000", 1296705912345),
        ("2011-02-03T04:05:12.3Z", 1296705912300),
        ("2011-02-03 04:05:12.345+01:30", 1296700512345),
        ("2011-02-03+0000", 1296691200000),
        ("2011-02-03 UTC", 1296691200000),
        ("2011-02-03  Z ", 1296691200000),
        ("2011-02-03", 1296691200000),
        ("1296691200000", 1296691200000),
        ("-1", -1),
    ],
)
def test_timestamps_in_all_their_forms(text, millis):
    assert types.TIMESTAMP.decode(types.TIMESTAMP.from_text(text)) == millis


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("timestamp", "x", "unable to parse date 'x': marshaling error: Unable to parse timestamp from 'x'"),
        (
            "timestamp",
            "2011-02-03 04:05:12.345678+0000",
            "unable to parse date '2011-02-03 04:05:12.345678+0000': "
            "marshaling error: Milliseconds length exceeds expected (6)",
        ),
        (
            "timestamp",
            "2011-02-03 04:05 CET",
            "unable to parse date '2011-02-03 04:05 CET': marshaling error: Unable to parse timezone ' cet'",
        ),
        ("int", "2147483648", "Value out of range for type org.apache.cassandra.db.marshal.Int32Type: '2147483648'"),
        ("date", "-123", "Unable to make unsigned int (for date) from -123"),
        ("date", "2024/01/01", "Unable to coerce '2024/01/01' to a formatted date (long)"),
        ("time", "8h", "Timestamp format must be hh:mm:ss[.fffffffff]"),
        ("time", "24:00:00", "Hour out of bounds (24)."),
        ("inet", "1.2.3", "Failed to parse inet_addr from '1.2.3'"),
        ("timeuuid", "12345678-1234-4234-8234-123456789abc", "Unsupported UUID version (4)"),
        ("ascii", "é", "Invalid ASCII character in string literal: 'é'"),
    ],
)
def test_unreadable_text_is_refused_in_scylladbs_words(name, text, message):
    with pytest.raises(MarshalError) as caught:
        by_name(name).from_text(text)
    assert caught.value.message == f"marshaling error: {message}"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("timestamp", 1721725159829, "'2024-07-23T08:59:19.829Z'"),
        ("date", 1 << 31, "'1970-01-01'"),
        ("time", 1, "'00:00:00.000000001'"),
        ("blob", b"\x01\xab", "0x01ab"),
        ("text", "it's", "'it''s'"),
        ("float", 5.2, "5.2"),
        ("double", 3.0, "3"),
        ("double", 1e20, "1e+20"),
        ("decimal", Decimal("1.500"), "1.5"),
        ("decimal", Decimal("1E+3"), "1000"),
        ("boolean", True, "true"),
        ("inet", "127.0.0.1", "'127.0.0.1'"),
        ("list<text>", ["a", "b"], "['a', 'b']"),
        ("set<int>", [2, 1], "{1, 2}"),
        ("map<text, int>", {"b": 2, "a": 1}, "{'a': 1, 'b': 2}"),
        ("tuple<int, text>", (1, None), "(1, null)"),
    ],
)
def test_values_as_literals(name, value, text):
    kind = by_name(name)
    assert kind.to_text(kind.encode(value)) == text


def test_numbers_too_long_for_pythons_own_conversion():
    digits = "7" * 10_000
    assert types.VARINT.to_text(types.VARINT.from_text(digits)) == digits
    assert types.DECIMAL.to_text(types.DECIMAL.from_text(digits)) == digits


@pytest.mark.parametrize(
    ("wanted", "given_type", "accepted"),
    [
        ("blob", "int", True),
        ("text", "ascii", True),
        ("ascii", "text", False),
        ("uuid", "timeuuid", True),
        ("timeuuid", "uuid", False),
        ("varint", "bigint", True),
        ("bigint", "int", False),
        ("timestamp", "bigint", True),
        ("list<blob>", "list<int>", True),
        ("tuple<int, text>", "tuple<int>", True),
    ],
)
def test_which_types_take_whose_values(wanted, given_type, accepted):
    assert by_name(wanted).accepts_value_of(by_name(given_type)) is accepted


def test_types_that_nobody_holds_are_forgotten():
    """A client may name types without end; the same type is one object only while it is in use."""

    def made() -> types.CqlType:
        inner = types.TupleType([types.INT] * 17)
        return types.MapType(inner, types.ListType(types.SetType(inner, True), True))

    held = made()
    assert made() is held
    gone = [weakref.ref(held), weakref.ref(held.key), weakref.ref(held.value), weakref.ref(held.value.element)]
    del held
    gc.collect()
    assert [found() for found in gone] == [None] * 4


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("seat", "seat"),
        ("ttl", "ttl"),
        ("uuid", "uuid"),
        ("select", '"select"'),
        ("true", '"true"'),
        ("null", '"null"'),
        ("Seat", '"Seat"'),
        ("1a", '"1a"'),
        ('a"b', '"a""b"'),
        ("", '""'),
    ],
)
def test_names_are_quoted_where_they_must_be(name: str, spelled: str):
    assert identifier(name) == spelled
