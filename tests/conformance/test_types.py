"""Every type as a value: what may be written for it, how it comes back, what its limits are, how it sorts."""

import datetime
import decimal
import ipaddress
import math
import uuid

import pytest
from cassandra import InvalidRequest
from cassandra.util import Date, Duration, Time

words = pytest.mark.differs("cassandra", "words of its own")

D = decimal.Decimal
UUID1 = "8a70e7b0-4fbf-11ee-8c99-0242ac120002"
UUID4 = "550e8400-e29b-41d4-a716-446655440000"


@pytest.fixture(scope="module")
def table_of(session, keyspace):
    """A table with a column ``x`` of a type, and a clustering key of it where it can be one."""
    made = {}

    def table(kind):
        if kind not in made:
            made[kind] = f"{keyspace}.of_{len(made)}"
            session.execute(f"CREATE TABLE {made[kind]} (p int PRIMARY KEY, x {kind})")
        return made[kind]

    return table


LITERALS = [
    ("ascii", "'abc'", "abc"),
    ("ascii", "''", ""),
    ("text", "'grüße 🎫'", "grüße 🎫"),
    ("text", "'it''s'", "it's"),
    ("text", "$$it's$$", "it's"),
    ("varchar", "'x'", "x"),
    ("blob", "0x", b""),
    ("blob", "0xCAFEbabe", b"\xca\xfe\xba\xbe"),
    ("boolean", "true", True),
    ("boolean", "FALSE", False),
    ("tinyint", "-128", -128),
    ("tinyint", "127", 127),
    ("smallint", "-32768", -32768),
    ("smallint", "32767", 32767),
    ("int", "-2147483648", -(2**31)),
    ("int", "2147483647", 2**31 - 1),
    ("bigint", "-9223372036854775808", -(2**63)),
    ("bigint", "9223372036854775807", 2**63 - 1),
    ("varint", "123456789012345678901234567890", 123456789012345678901234567890),
    ("varint", "-129", -129),
    ("varint", "0", 0),
    ("float", "1.5", 1.5),
    ("float", "3", 3.0),
    ("float", "-1e3", -1000.0),
    ("double", "0.1", 0.1),
    ("double", "1E-10", 1e-10),
    ("double", "7", 7.0),
    ("double", "Infinity", math.inf),
    ("double", "-Infinity", -math.inf),
    ("decimal", "1.10", D("1.10")),
    ("decimal", "-0.5", D("-0.5")),
    ("decimal", "1e3", D("1E+3")),
    ("decimal", "12", D("12")),
    ("decimal", "99999999999999999999.99", D("99999999999999999999.99")),
    ("timestamp", "0", datetime.datetime(1970, 1, 1)),
    ("timestamp", "1700000000123", datetime.datetime(2023, 11, 14, 22, 13, 20, 123000)),
    ("timestamp", "-1", datetime.datetime(1969, 12, 31, 23, 59, 59, 999000)),
    ("timestamp", "'2024-02-29 12:34:56.789Z'", datetime.datetime(2024, 2, 29, 12, 34, 56, 789000)),
    ("timestamp", "'2024-02-29T12:34:56+0200'", datetime.datetime(2024, 2, 29, 10, 34, 56)),
    ("timestamp", "'2024-02-29 12:34:56.7+0000'", datetime.datetime(2024, 2, 29, 12, 34, 56, 700000)),
    ("timestamp", "'2024-02-29 12:34+00:00'", datetime.datetime(2024, 2, 29, 12, 34)),
    ("timestamp", "'2024-02-29+0000'", datetime.datetime(2024, 2, 29)),
    ("date", "'2024-02-29'", Date("2024-02-29")),
    ("date", "'1969-12-31'", Date("1969-12-31")),
    ("date", "2147483648", Date("1970-01-01")),
    ("time", "'08:12:54'", Time("08:12:54")),
    ("time", "'23:59:59.999999999'", Time("23:59:59.999999999")),
    ("time", "'00:00:00.1'", Time("00:00:00.100000000")),
    ("inet", "'127.0.0.1'", "127.0.0.1"),
    ("inet", "'::1'", "::1"),
    ("inet", "'2001:db8::ff00:42:8329'", "2001:db8::ff00:42:8329"),
    ("uuid", UUID4, uuid.UUID(UUID4)),
    ("uuid", UUID4.upper(), uuid.UUID(UUID4)),
    ("uuid", UUID1, uuid.UUID(UUID1)),
    ("timeuuid", UUID1, uuid.UUID(UUID1)),
    ("frozen<tuple<int, text>>", "(1, 'x')", (1, "x")),
    ("duration", "1y2mo3w4d", Duration(14, 25, 0)),
    ("duration", "-1h30m", Duration(0, 0, -5_400_000_000_000)),
    ("duration", "P1Y2MT10S", Duration(14, 0, 10_000_000_000)),
    ("duration", "P3W", Duration(0, 21, 0)),
    ("list<duration>", "[1d, 2us]", [Duration(0, 1, 0), Duration(0, 0, 2_000)]),
    ("vector<float, 3>", "[1, 2.5, -3]", [1.0, 2.5, -3.0]),
    ("vector<text, 2>", "['a', 'b']", ["a", "b"]),
]


@pytest.mark.parametrize("kind, literal, expected", LITERALS)
def test_literal(table_of, run, kind, literal, expected):
    table = table_of(kind)
    run(f"INSERT INTO {table} (p, x) VALUES (1, {literal})")
    ((value,),) = run(f"SELECT x FROM {table} WHERE p = 1")
    assert value == expected


def test_nan(table_of, run):
    for kind in ("float", "double"):
        run(f"INSERT INTO {table_of(kind)} (p, x) VALUES (2, NaN)")
        assert math.isnan(run(f"SELECT x FROM {table_of(kind)} WHERE p = 2")[0][0])


BOUND = [
    ("ascii", "abc"),
    ("text", "grüße 🎫"),
    ("blob", b"\x00\xff"),
    ("boolean", True),
    ("tinyint", -1),
    ("smallint", -300),
    ("int", -70000),
    ("bigint", 2**62),
    ("varint", -(2**100)),
    ("float", 0.5),
    ("double", math.pi),
    ("decimal", D("-12.340")),
    ("timestamp", datetime.datetime(2024, 5, 6, 7, 8, 9, 123000)),
    ("date", Date("2024-05-06")),
    ("time", Time("07:08:09.123456789")),
    ("inet", "10.0.0.1"),
    ("uuid", uuid.UUID(UUID4)),
    ("timeuuid", uuid.UUID(UUID1)),
    ("duration", Duration(14, 3, 7_200_000_000_000)),
    ("duration", Duration(0, -1, -1)),
    ("vector<float, 3>", [1.5, 0.0, -2.0]),
]


@pytest.mark.parametrize("kind, value", BOUND)
def test_bound_value(table_of, session, kind, value):
    table = table_of(kind)
    session.execute(session.prepare(f"INSERT INTO {table} (p, x) VALUES (3, ?)"), (value,))
    row = session.execute(f"SELECT x FROM {table} WHERE p = 3").one()
    assert row[0] == value
    session.execute(session.prepare(f"INSERT INTO {table} (p, x) VALUES (3, ?)"), (None,))
    assert session.execute(f"SELECT x FROM {table} WHERE p = 3").one()[0] is None


lenient = pytest.mark.differs("cassandra", "makes a value of it: the next day, or a name's address")

REFUSED = [
    ("int", "2147483648"),
    ("int", "-2147483649"),
    ("tinyint", "128"),
    ("smallint", "32768"),
    ("bigint", "9223372036854775808"),
    ("int", "'1'"),
    ("int", "1.0"),
    ("int", "true"),
    ("int", "0x01"),
    ("varint", "1.5"),
    ("text", "1"),
    ("text", "true"),
    ("ascii", "'ü'"),
    ("blob", "'text'"),
    ("blob", "12"),
    ("boolean", "1"),
    ("boolean", "'true'"),
    ("float", "'1.5'"),
    ("double", "true"),
    ("timestamp", "'yesterday'"),
    pytest.param("timestamp", "'2024-02-30'", marks=lenient),
    ("timestamp", "1.5"),
    ("date", "'x'"),
    ("time", "'25:00:00'"),
    ("time", "'08:60:00'"),
    ("time", "'08:12'"),
    ("time", "-1"),
    ("time", "86400000000000"),
    ("inet", "'127.0.0.256'"),
    pytest.param("inet", "'localhost'", marks=lenient),
    ("inet", "127"),
    ("uuid", "'550e8400-e29b-41d4-a716-446655440000'"),
    ("uuid", "1"),
    ("timeuuid", UUID4),
    ("list<int>", "{1, 2}"),
    ("set<int>", "[1, 2]"),
    ("map<int, int>", "{1, 2}"),
    ("frozen<tuple<int, text>>", "(1, 2)"),
]


@pytest.mark.parametrize("kind, literal", REFUSED)
def test_literal_that_does_not_fit(table_of, refused, kind, literal):
    """A mistake in a value is the writer's, and is told as such: never a server error."""
    refused(InvalidRequest, f"INSERT INTO {table_of(kind)} (p, x) VALUES (9, {literal})")


@words
@pytest.mark.parametrize(
    "kind, literal, sentence",
    [
        ("int", "'1'", 'Invalid STRING constant (1) for "x" of type int'),
        ("int", "1.0", 'Invalid FLOAT constant (1.0) for "x" of type int'),
        ("int", "true", 'Invalid BOOLEAN constant (true) for "x" of type int'),
        ("int", "0x01", 'Invalid HEX constant (0x01) for "x" of type int'),
        ("text", "1", 'Invalid INTEGER constant (1) for "x" of type text'),
        ("varchar", "1", 'Invalid INTEGER constant (1) for "x" of type text'),
        ("blob", "'text'", 'Invalid STRING constant (text) for "x" of type blob'),
        ("boolean", "1", 'Invalid INTEGER constant (1) for "x" of type boolean'),
        ("uuid", "1", 'Invalid INTEGER constant (1) for "x" of type uuid'),
        ("int", UUID4, f'Invalid UUID constant ({UUID4}) for "x" of type int'),
        ("timestamp", "1.5", 'Invalid FLOAT constant (1.5) for "x" of type timestamp'),
        ("list<int>", "{1, 2}", "Invalid set literal for x of type list<int>"),
        ("set<int>", "[1, 2]", "Invalid list literal for x of type set<int>"),
        ("map<int, int>", "{1, 2}", "Invalid set literal for x of type map<int, int>"),
        ("int", "[1]", "Invalid list literal for x of type int"),
        ("int", "{1: 1}", "Invalid map literal for x of type int"),
        ("int", "(1, 2)", "Invalid tuple type literal for x of type int"),
    ],
)
def test_words_of_refusals(table_of, refused, kind, literal, sentence):
    message = refused(InvalidRequest, f"INSERT INTO {table_of(kind)} (p, x) VALUES (9, {literal})")
    assert sentence in message


@pytest.mark.parametrize(
    "kind, data",
    [
        ("int", b"\x00"), ("int", b"\x00" * 8), ("bigint", b"\x00" * 4), ("smallint", b"\x00"),
        ("tinyint", b"\x00" * 2),
        ("boolean", b"\x00" * 2), ("float", b"\x00" * 8), ("double", b"\x00" * 4), ("timestamp", b"\x00" * 4),
        ("date", b"\x00" * 8), ("time", b"\x00" * 4), ("inet", b"\x00" * 5), ("uuid", b"\x00" * 15),
        ("timeuuid", uuid.UUID(UUID4).bytes), ("text", b"\xff\xfe"), ("ascii", b"\x80"),
        ("list<int>", b"\x00\x00\x00\x05"), ("set<int>", b"\x00"), ("map<int, int>", b"\x00\x00\x00\x01"),
    ],
)  # fmt: skip
def test_bound_bytes_that_are_no_value(table_of, session, kind, data):
    """What a broken client sends is refused before it is stored."""
    prepared = session.prepare(f"INSERT INTO {table_of(kind)} (p, x) VALUES (8, ?)")
    bound = prepared.bind((None,))
    bound.values[0] = data
    with pytest.raises(InvalidRequest):
        session.execute(bound)


@pytest.mark.parametrize("kind", ["ascii", "text", "blob"])
def test_empty_is_not_null(table_of, run, kind):
    literal = "0x" if kind == "blob" else "''"
    run(f"INSERT INTO {table_of(kind)} (p, x) VALUES (4, {literal})")
    assert run(f"SELECT x FROM {table_of(kind)} WHERE p = 4")[0][0] in ("", b"")


@words
@pytest.mark.parametrize(
    "kind", ["int", "bigint", "timestamp", "boolean", "uuid", "inet", "double", "varint", "decimal"]
)
def test_empty_values_of_fixed_types(table_of, session, kind):
    """A value of no bytes at all is neither null nor a number; drivers show it as null."""
    table = table_of(kind)
    session.execute(f"INSERT INTO {table} (p, x) VALUES (5, blobAs{kind.capitalize()}(0x))")
    assert session.execute(f"SELECT {kind}AsBlob(x) FROM {table} WHERE p = 5").one()[0] == b""


# ---------------------------------------------------------------- order

SORTED = [
    ("int", ["-2147483648", "-1", "0", "1", "2147483647"]),
    ("tinyint", ["-128", "-1", "0", "127"]),
    ("bigint", ["-9223372036854775808", "-5", "0", "9223372036854775807"]),
    ("varint", ["-100000000000000000000", "-129", "-128", "-1", "0", "127", "128", "100000000000000000000"]),
    ("decimal", ["-100.5", "-1e2", "-0.001", "0", "0.001", "1", "1.5", "1e2"]),
    ("double", ["-Infinity", "-1.5", "0.0", "1e-300", "1.5", "Infinity", "NaN"]),
    ("float", ["-Infinity", "-1.5", "0.0", "1.5", "Infinity", "NaN"]),
    ("text", ["''", "'A'", "'a'", "'aa'", "'b'", "'é'", "'🎫'"]),
    ("ascii", ["''", "'A'", "'a'", "'aa'"]),
    ("blob", ["0x", "0x00", "0x0000", "0x7f", "0x80", "0xff"]),
    ("boolean", ["false", "true"]),
    ("timestamp", ["'1960-01-01'", "0", "'2024-01-01'"]),
    ("date", ["'1960-01-01'", "'1970-01-01'", "'2024-01-01'"]),
    ("time", ["'00:00:00'", "'12:00:00'", "'23:59:59.999'"]),
    ("timeuuid", ["13814000-1dd2-11b2-8000-000000000000", UUID1, "f0000000-4fbf-11ee-8c99-0242ac120002"]),
    ("frozen<list<int>>", ["[]", "[-1]", "[1]", "[1, 1]", "[2]"]),
    ("frozen<tuple<int, text>>", ["(1, 'a')", "(1, 'b')", "(2, 'a')"]),
]


@pytest.mark.parametrize("order", ["ASC", "DESC"])
@pytest.mark.parametrize("kind, literals", SORTED)
def test_order(create, run, kind, literals, order):
    table = create(f"(p int, c {kind}, n int, PRIMARY KEY (p, c))", f"WITH CLUSTERING ORDER BY (c {order})")
    for n, literal in reversed(list(enumerate(literals))):
        run(f"INSERT INTO {table} (p, c, n) VALUES (1, {literal}, {n})")
    found = [row[0] for row in run(f"SELECT n FROM {table} WHERE p = 1")]
    expected = list(range(len(literals)))
    assert found == (expected if order == "ASC" else expected[::-1])


@pytest.mark.parametrize(
    "kind, one, other", [("decimal", "1.0", "1.00"), ("double", "0.0", "0"), ("varint", "1", "01")]
)
def test_equal_numbers_are_one_key(create, run, kind, one, other):
    """Written differently, yet the same clustering key."""
    table = create(f"(p int, c {kind}, v int, PRIMARY KEY (p, c))")
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, {one}, 1)")
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, {other}, 2)")
    assert run(f"SELECT v FROM {table}") == [(2,)]


def test_ipv4_and_ipv6(create, run):
    table = create("(p int, c inet, PRIMARY KEY (p, c))")
    for address in ("10.0.0.2", "10.0.0.10", "9.0.0.1"):
        run(f"INSERT INTO {table} (p, c) VALUES (1, '{address}')")
    assert [ipaddress.ip_address(row[0]) for row in run(f"SELECT c FROM {table}")] == [
        ipaddress.ip_address(address) for address in ("9.0.0.1", "10.0.0.2", "10.0.0.10")
    ]


@pytest.mark.parametrize(
    "kind, literal",
    [(kind, literal) for kind, literal, _ in LITERALS if literal not in ("''", "0x") and "duration" not in kind],
)
def test_as_partition_key(create, run, kind, literal):
    table = create(f"(p {kind} PRIMARY KEY, v int)")
    run(f"INSERT INTO {table} (p, v) VALUES ({literal}, 1)")
    assert run(f"SELECT v FROM {table} WHERE p = {literal}") == [(1,)]


# ---------------------------------------------------------------- what there is not


@words
@pytest.mark.parametrize(
    "kind, sentence",
    [
        ("nothing", "Unknown type"),
        ("frozen<nothing>", "Unknown type"),
        ("map<int>", ""),
        ("list<>", ""),
        ("frozen<int>", "frozen<> is only allowed on collections, tuples, and user-defined types"),
    ],
)
def test_types_that_are_not_there(keyspace, session, kind, sentence):
    from cassandra.protocol import SyntaxException

    with pytest.raises((InvalidRequest, SyntaxException)) as caught:
        session.execute(f"CREATE TABLE {keyspace}.never (p int PRIMARY KEY, x {kind})")
    assert sentence in str(caught.value)


@words
def test_a_date_runs_on_into_the_next_month(table_of, run):
    """ScyllaDB counts days from what is written and does not ask whether a calendar has that day."""
    run(f"INSERT INTO {table_of('date')} (p, x) VALUES (6, '2023-02-29')")
    assert run(f"SELECT x FROM {table_of('date')} WHERE p = 6") == [(Date("2023-03-01"),)]


@words
@pytest.mark.parametrize("literal", ["5h", "1d2h", "P1Y2M"])
def test_durations_are_no_other_value(table_of, refused, literal):
    refused(InvalidRequest, f"INSERT INTO {table_of('int')} (p, x) VALUES (1, {literal})")
