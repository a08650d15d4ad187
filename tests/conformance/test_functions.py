"""Functions and casts in SELECT and in values: what they give, what the result calls them, what they refuse."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal

import pytest
from cassandra import InvalidRequest
from cassandra.protocol import SyntaxException
from cassandra.util import Date, Time

from tests.patience import SECONDS


@pytest.fixture(scope="module")
def one(session, keyspace) -> str:
    """A table with one row in which there is something of each type."""
    table = f"{keyspace}.one"
    session.execute(
        f"CREATE TABLE {table} (p int PRIMARY KEY, i int, b bigint, s smallint, y tinyint, v varint, f float, "
        "d double, e decimal, t text, a ascii, bl blob, bo boolean, ts timestamp, dt date, ti time, tu timeuuid, "
        'u uuid, n inet, l list<int>, m map<text, int>, st set<int>, tp tuple<int, text>, "Mixed" int)'
    )
    session.execute(
        f"INSERT INTO {table} (p, i, b, s, y, v, f, d, e, t, a, bl, bo, ts, dt, ti, tu, u, n, l, m, st, tp) VALUES "
        "(1, 42, 9000000000, -3, 7, 123456789012345678901234567890, 1.5, -2.75, 10.250, 'text', 'ascii', 0xcafe, true, "
        "'2024-02-29 12:34:56.789+0000', '2024-02-29', '12:34:56.789012345', 50554d6e-29bb-11e5-b345-feff819cdc9f, "
        "5f7f1d2e-3c60-4b1d-8d5c-4f9d6f0f0a11, '192.168.0.1', [1, 2], {'a': 1}, {3}, (1, 'x'))"
    )
    return table


def value_of(run, table: str, selector: str):
    ((value,),) = run(f"SELECT {selector} FROM {table} WHERE p = 1")
    return value


TIMEUUID = uuid.UUID("50554d6e-29bb-11e5-b345-feff819cdc9f")

# ---------------------------------------------------------------- blobs


@pytest.mark.parametrize(
    "selector, expected",
    [
        ("intasblob(i)", bytes.fromhex("0000002a")),
        ("bigintasblob(b)", bytes.fromhex("0000000218711a00")),
        ("textasblob(t)", b"text"),
        ("asciiasblob(a)", b"ascii"),
        ("booleanasblob(bo)", b"\x01"),
        ("dateasblob(dt)", bytes.fromhex("80004d46")),
        ("inetasblob(n)", bytes((192, 168, 0, 1))),
        ("uuidasblob(tu)", TIMEUUID.bytes),
        ("decimalasblob(e)", bytes.fromhex("00000003280a")),
        ("blobasint(0x0000002a)", 42),
        ("blobasint(intasblob(i))", 42),
        ("blobasbigint(bigintasblob(b))", 9_000_000_000),
        ("blobastext(0x68c3a9)", "hé"),
        ("blobasboolean(0x00)", False),
        ("blobasvarint(0x00ff)", 255),
        ("blobasdouble(0x3ff0000000000000)", 1.0),
        ("blobasuuid(0x50554d6e29bb11e5b345feff819cdc9f)", TIMEUUID),
        ("blobastimestamp(0x0000000000000000)", datetime.datetime(1970, 1, 1)),
    ],
)
def test_blob_conversions(one, run, selector, expected):
    """The wire form of a value, and a value of its wire form."""
    assert value_of(run, one, selector) == expected


@pytest.mark.parametrize(
    "selector, message",
    [
        ("blobasint(0x00)", "value 0x00 is not a valid binary representation for type int"),
        ("blobasuuid(0x00ff)", "value 0x00ff is not a valid binary representation for type uuid"),
        ("blobastext(0xff)", "value 0xff is not a valid binary representation for type text"),
        ("blobasboolean(bl)", "value 0xcafe is not a valid binary representation for type boolean"),
    ],
)
def test_blobs_that_are_no_value(one, refused, selector, message):
    refused(InvalidRequest, f"SELECT {selector} FROM {one} WHERE p = 1", message)


# ---------------------------------------------------------------- time


@pytest.mark.parametrize(
    "selector, expected",
    [
        ("totimestamp(tu)", datetime.datetime(2015, 7, 14, 0, 0, 18, 805000)),
        ("todate(tu)", Date("2015-07-14")),
        ("tounixtimestamp(tu)", 1436832018805),
        ("totimestamp(dt)", datetime.datetime(2024, 2, 29)),
        ("todate(ts)", Date("2024-02-29")),
        ("tounixtimestamp(ts)", 1709210096789),
        ("tounixtimestamp(dt)", 1709164800000),
        ("mintimeuuid('1970-01-01')", uuid.UUID("13814000-1dd2-11b2-8080-808080808080")),
        ("maxtimeuuid('1970-01-01')", uuid.UUID("1381670f-1dd2-11b2-7f7f-7f7f7f7f7f7f")),
        ("totimestamp(mintimeuuid(ts))", datetime.datetime(2024, 2, 29, 12, 34, 56, 789000)),
    ],
)
def test_time_conversions(one, run, selector, expected):
    assert value_of(run, one, selector) == expected


@pytest.mark.differs("cassandra", "it has dropped these names")
@pytest.mark.parametrize("selector, expected", [("dateof(tu)", datetime.datetime(2015, 7, 14, 0, 0, 18, 805000)),
                                                ("unixtimestampof(tu)", 1436832018805)])  # fmt: skip
def test_old_names_of_time_conversions(one, run, selector, expected):
    assert value_of(run, one, selector) == expected


def test_now_is_now(one, run, engine):
    ((now, stamp, date, time, identifier),) = run(
        f"SELECT now(), currenttimestamp(), currentdate(), currenttime(), currenttimeuuid() FROM {one} WHERE p = 1"
    )
    assert now.version == identifier.version == 1
    # Another machine's clock may differ a little; the embedded node's may have been pushed.
    pushed = engine.control("status")["clock_offset_seconds"] if engine.name == "embedded" else 0
    here = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=pushed)
    for there in (
        datetime.datetime.fromtimestamp((now.time - 0x01B21DD213814000) / 1e7, datetime.UTC),
        stamp.replace(tzinfo=datetime.UTC),
    ):
        assert abs((there - here).total_seconds()) < SECONDS
    assert isinstance(date, Date)
    assert isinstance(time, Time)


def test_now_and_uuid_differ_from_row_to_row(create, run):
    table = create("(p int, c int, PRIMARY KEY (p, c))")
    for c in range(5):
        run(f"INSERT INTO {table} (p, c) VALUES (1, {c})")
    found = run(f"SELECT now(), uuid() FROM {table}")
    assert len({u for _, u in found}) == 5
    assert {u.version for _, u in found} == {4}
    assert [now for now, _ in found] == sorted((now for now, _ in found), key=lambda now: now.time)


def test_functions_give_values_to_write_and_to_find(create, run):
    table = create("(p int, c timeuuid, v text, PRIMARY KEY (p, c))")
    run(f"INSERT INTO {table} (p, c, v) VALUES (1, now(), blobastext(0x41))")
    run(f"INSERT INTO {table} (p, c, v) VALUES (blobasint(0x00000001), {TIMEUUID}, 'B')")
    assert run(f"SELECT v FROM {table} WHERE p = 1 AND c > maxtimeuuid('2016-01-01')") == [("A",)]
    assert run(f"SELECT v FROM {table} WHERE p = 1 AND c < mintimeuuid('2016-01-01')") == [("B",)]


# ---------------------------------------------------------------- casts


@pytest.mark.parametrize(
    "selector, expected",
    [
        ("CAST(i AS bigint)", 42),
        ("CAST(b AS int)", 410065408),  # the low 32 bits
        ("CAST(s AS tinyint)", -3),
        ("CAST(i AS double)", 42.0),
        ("CAST(d AS int)", -2),
        ("CAST(f AS decimal)", Decimal("1.5")),
        ("CAST(e AS int)", 10),
        ("CAST(e AS double)", 10.25),
        ("CAST(v AS double)", 1.2345678901234568e29),
        ("CAST(i AS text)", "42"),
        ("CAST(d AS text)", "-2.75"),
        ("CAST(bo AS text)", "true"),
        ("CAST(dt AS timestamp)", datetime.datetime(2024, 2, 29)),
        ("CAST(ts AS date)", Date("2024-02-29")),
        ("CAST(tu AS date)", Date("2015-07-14")),
        ("CAST(tu AS timestamp)", datetime.datetime(2015, 7, 14, 0, 0, 18, 805000)),
        ("CAST(dt AS text)", "2024-02-29"),
        ("CAST(n AS text)", "192.168.0.1"),
        ("CAST(u AS text)", "5f7f1d2e-3c60-4b1d-8d5c-4f9d6f0f0a11"),
        ("CAST(a AS text)", "ascii"),
        ("CAST(i AS int)", 42),
        ("CAST(CAST(i AS text) AS text)", "42"),
        ('CAST("Mixed" AS text)', None),
    ],
)
def test_casts(one, run, selector, expected):
    assert value_of(run, one, selector) == expected


@pytest.mark.differs("cassandra", "its casts to varint, decimal and times as text print otherwise")
@pytest.mark.parametrize(
    "selector, expected",
    [
        ("CAST(i AS decimal)", Decimal("42.0")),
        ("CAST(e AS text)", "10.25"),
        ("CAST(ti AS text)", "12:34:56.789012345"),
        ("CAST(ts AS text)", "2024-02-29T12:34:56.789Z"),
    ],
)
def test_casts_of_scylladb(one, run, selector, expected):
    found = value_of(run, one, selector)
    assert found == expected
    assert str(found) == str(expected)


@pytest.mark.differs("cassandra", "it names the types in CQL")
@pytest.mark.parametrize(
    "selector, message",
    [
        ("CAST(t AS int)", r"org\.apache\.cassandra\.db\.marshal\.UTF8Type cannot be cast to .*Int32Type"),
        ("CAST(i AS blob)", r"Int32Type cannot be cast to org\.apache\.cassandra\.db\.marshal\.BytesType"),
        ("CAST(bl AS text)", r"BytesType cannot be cast to org\.apache\.cassandra\.db\.marshal\.UTF8Type"),
        ("CAST(i AS timestamp)", r"Int32Type cannot be cast to org\.apache\.cassandra\.db\.marshal\.TimestampType"),
        ("CAST(bo AS int)", r"BooleanType cannot be cast to org\.apache\.cassandra\.db\.marshal\.Int32Type"),
        ("CAST(u AS timeuuid)", r"UUIDType cannot be cast to org\.apache\.cassandra\.db\.marshal\.TimeUUIDType"),
    ],
)
def test_no_cast(one, refused, selector, message):
    refused(InvalidRequest, f"SELECT {selector} FROM {one}", message)


def test_casts_are_to_simple_types(one, refused):
    refused(SyntaxException, f"SELECT CAST(l AS list<int>) FROM {one}")
    refused(SyntaxException, f"SELECT CAST(i AS nothing) FROM {one}")


# ---------------------------------------------------------------- elements and attributes


@pytest.mark.parametrize(
    "selector, expected",
    [("m['a']", 1), ("m['z']", None), ("st", {3}), ("st[3]", 3), ("st[4]", None), ("l", [1, 2]), ("tp", (1, "x"))],
)
def test_collections_and_their_elements(one, run, selector, expected):
    assert value_of(run, one, selector) == expected


def test_elements_of_elements(create, run):
    table = create("(p int PRIMARY KEY, m map<text, frozen<map<text, frozen<set<int>>>>>)")
    run(f"INSERT INTO {table} (p, m) VALUES (1, {{'a': {{'b': {{3}}}}}})")
    assert run(f"SELECT m['a']['b'], m['a']['b'][3], m['a']['b'][4], m['x']['b'][3] FROM {table}") == [
        ({3}, 3, None, None)
    ]


@pytest.mark.differs("cassandra", "it selects no elements of lists")
@pytest.mark.parametrize("selector, expected", [("l[0]", 1), ("l[9]", None), ("l[-1]", None), ("l[null]", None)])
def test_elements_of_lists(one, run, selector, expected):
    assert value_of(run, one, selector) == expected


def test_writetime_and_ttl(create, run, left):
    table = create("(p int PRIMARY KEY, v int, w int)")
    run(f"INSERT INTO {table} (p, v) VALUES (1, 1) USING TIMESTAMP 1000 AND TTL 500")
    run(f"UPDATE {table} USING TIMESTAMP 2000 SET w = 2 WHERE p = 1")
    ((written_v, left_v, written_w, left_w),) = run(f"SELECT writetime(v), ttl(v), WRITETIME(w), TTL(w) FROM {table}")
    assert (written_v, written_w, left_w) == (1000, 2000, None)
    assert left_v in left(500)


@pytest.mark.differs("cassandra", "it says some of this in words of its own")
@pytest.mark.parametrize(
    "selector, message",
    [
        ("writetime(p)", "WRITETIME is not legal on p"),
        ("ttl(l)", "l is a non-frozen collection|Cannot use .*[Tt][Tt][Ll] on"),
        ("writetime(nope)", "Unrecognized name nope"),
    ],
)
def test_writetime_is_of_cells(one, refused, selector, message):
    refused(
        InvalidRequest,
        f"SELECT {selector} FROM {one}",
        message.replace("on p", "on (partition|primary) key component p"),
    )


# ---------------------------------------------------------------- names of the result


@pytest.mark.differs("cassandra", "it writes function names as they are, and casts in upper case")
@pytest.mark.parametrize(
    "selector, name",
    [
        ("intAsBlob(i)", "system.intasblob(i)"),
        ("blobAsInt(intAsBlob(i))", "system.blobasint(system.intasblob(i))"),
        ("CAST(i AS text)", "cast(i as text)"),
        ("CAST(now() AS date)", "cast(system.now() as date)"),
        ("token(p)", "system.token(p)"),
        ("WriteTime(i)", "writetime(i)"),
        ("TTL(i)", "ttl(i)"),
        ("m['a']", "m['a']"),
        ("l[0]", "l[0]"),
        ('"Mixed"', "Mixed"),
        ("count(*)", "count"),
        ("COUNT(1)", "count"),
        ("count(i)", "system.count(i)"),
        ("max(i)", "system.max(i)"),
        ("avg(CAST(i AS double))", "system.avg(cast(i as double))"),
        ("system.now()", "system.now()"),
        ("i AS answer", "answer"),
        ('i AS "Answer"', "Answer"),
    ],
)
def test_names(one, session, selector, name):
    assert session.execute(f"SELECT {selector} FROM {one}").column_names == [name]


# ---------------------------------------------------------------- refusals


@pytest.mark.differs("cassandra", "it says some of this in words of its own")
@pytest.mark.parametrize(
    "selector, message",
    [
        ("nothing(i)", "Unknown function nothing called"),
        ("system.nothing(i)", "Unknown function system.nothing called"),
        ("other.now()", "Unknown function other.now called"),
        ("now(i)", "Invalid number of arguments in call to function system.now: 0 required but 1 provided"),
        ("intasblob(t)", "Type error: t cannot be passed as argument 0 of function system.intasblob of type int"),
        ("intasblob('x')", "Type error: 'x' cannot be passed as argument 0 of function system.intasblob of type int"),
        ("todate(i)", "Invalid call to function todate, none of its type signatures match"),
        ("token(i, p)", "Invalid number of arguments in call to function system.token: 1 required but 2 provided"),
        ("42", "Could not infer type of 42"),
        ("i[0]", "Column i is not a map/set/list, cannot be subscripted"),
        ("token(p)[2]", "is not a map/set/list, cannot be subscripted"),
        ("writetime(i[0])", "Column i is not a map/set/list, cannot be subscripted"),
        ("writetime(l[0])", "WRITETIME on a subscript is only valid for non-frozen map or set columns"),
    ],
)
def test_no_function(one, refused, selector, message):
    refused(InvalidRequest, f"SELECT {selector} FROM {one}", message)


@pytest.mark.parametrize("statement", ["SELECT i + 1 FROM {t}", "SELECT -i FROM {t}", "SELECT now() = now() FROM {t}"])
@pytest.mark.differs("cassandra", "it computes")
def test_no_arithmetic(one, refused, statement):
    refused(SyntaxException, statement.format(t=one))


def test_a_function_of_null_is_null(create, run):
    table = create("(p int PRIMARY KEY, v int, t timeuuid)")
    run(f"INSERT INTO {table} (p) VALUES (1)")
    assert run(f"SELECT intasblob(v), todate(t), CAST(v AS text) FROM {table}") == [(None, None, None)]
